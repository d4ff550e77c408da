"""The four scenes of the demo."""

import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from rich.columns import Columns
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from outwarden.audit import read, verify
from outwarden.cli.budgets import bar
from outwarden.cli.demo_rules import APP_KEY, CAP_USD, CAPPED_KEY
from outwarden.cli.demo_stage import DemoError, Stage
from outwarden.simulate import Received, Script

# Invented people and numbers; not the reserved ones (example.com, 555-01xx, test cards), which count as nobody's.
LETTER = (
    "Write a reminder to jonas.weber@quarzbach-logistik.de, phone +49 1512 7340918. "
    "He pays with card 4929 4128 3357 6017, IBAN DE29 5001 0517 9423 8816 07."
)
STORY = "Summarise for mara.lindqvist@fjordpost.se: the parcel is late, call her at +46 70 174 06 58 before noon. "
CAPPED_OUTPUT_TOKENS = 600  # gpt-4o: 0.6 cents of output per call, so the fourth call would pass 2.5 cents
CALLS_MAX = 6
WORD_DELAY_S = 0.06
RECORD_S_MAX = 5.0
WIDTH = 110


def play(stage: Stage) -> None:
    """Run all scenes. Raises DemoError where one does not show what it promises."""
    console = Console(width=None if Console().is_terminal else WIDTH, highlight=False)
    title = "[bold]Outwarden demo[/]: a real interceptor, the real OpenAI and Anthropic SDKs, simulated providers."
    console.print(title)
    console.print("The application's only change is its environment:")
    for name in ("HTTPS_PROXY", "SSL_CERT_FILE"):
        console.print(Text(f"  {name}={stage.variables[name]}", style="cyan"))
    stage.wait()
    for number, scene in enumerate(SCENES, 1):
        title, _, _ = (scene.__doc__ or "").partition("\n")
        console.print()
        console.rule(Text(f"{number}. {title}", style="bold"), align="left")
        scene(console, stage)
    _end(console, stage)


def redaction(console: Console, stage: Stage) -> None:
    """Personal data does not leave"""
    answer = _text(stage, api="openai", model="gpt-4o", key=APP_KEY, text=LETTER)
    left = _user_text(stage.primary.requests[-1])
    _require(left != LETTER and "jonas.weber@" not in left, "the address left the host")
    console.print(_side_by_side(console, ("what the app sent", LETTER), ("what left the host", left)))
    console.print(_side_by_side(console, ("what the provider answered (an echo)", left), ("what the app got", answer)))


def streaming(console: Console, stage: Stage) -> None:
    """A stream stays a stream: Anthropic's SDK gets its own values back, word by word"""
    stage.primary.queue(Script(event_delay_s=WORD_DELAY_S))
    began = time.monotonic()
    moments: list[float] = []
    pieces: list[str] = []
    console.print(Text("the app gets: ", style="green"), end="")
    wish = {"api": "anthropic", "model": "claude-sonnet-4-5", "key": APP_KEY, "text": STORY, "stream": True}
    for event in stage.call(**wish):
        if "piece" in event:
            moments.append(time.monotonic() - began)
            pieces.append(event["piece"])
            console.print(Text(event["piece"]), end="", soft_wrap=True)
        elif "status" in event:
            raise DemoError(f"the stream failed: {event}")
    console.print()
    left = _user_text(stage.primary.requests[-1])
    _require("".join(pieces).strip() == STORY.strip() and "mara.lindqvist" not in left, "the stream was not restored")
    _require(moments[-1] - moments[0] > len(pieces) * WORD_DELAY_S / 2, "the stream came all at once")
    console.print(Text(f"the provider saw: {left}", style="yellow"), soft_wrap=True)
    console.print(f"{len(pieces)} pieces, the first after {moments[0]:.2f} s, the last after {moments[-1]:.2f} s")


def budget(console: Console, stage: Stage) -> None:
    """A budget that cannot be passed: the call that would pass it is not sent"""
    table = Table("call", "what the app gets", "calls the provider saw", f"spent of ${CAP_USD}", "")
    usage = {"completion_tokens": CAPPED_OUTPUT_TOKENS}
    before, spent = len(stage.primary.requests), Decimal(0)
    for number in range(1, CALLS_MAX + 1):
        stage.primary.queue(Script(usage=usage))
        *_, last = stage.call(
            api="openai", model="gpt-4o", key=CAPPED_KEY, text="Write a long poem.", max_tokens=CAPPED_OUTPUT_TOKENS
        )
        seen = len(stage.primary.requests) - before
        spent = _spent(_last_record(stage)) or spent  # the record of a refused call names no spend
        said = f"{last['status']} {last['code']}" if "status" in last else "200, an answer"
        tone = "red" if "status" in last else "green"
        share = float(spent / Decimal(CAP_USD))
        table.add_row(str(number), Text(said, tone), str(seen), f"${spent}", Text(bar(share), tone))
        if "status" in last:
            break
    stage.primary.clear()
    console.print(table)
    _require(last.get("status") == 429 and seen == number - 1, "the cap was passed")
    console.print(Text(f"the SDK was told: {last['message']}"))


def failover(console: Console, stage: Stage) -> None:
    """The provider fails, the call does not"""
    stage.primary.queue(Script(status=503))
    answer = _text(stage, api="openai", model="gpt-4o-mini", key=APP_KEY, text="Are you there?", stream=True)
    record = _last_record(stage)
    table = Table("attempt", "upstream", "outcome", "status", "ms")
    for number, attempt in enumerate(record["attempts"], 1):
        cells = (number, attempt["upstream"], attempt["outcome"], attempt["status"], f"{attempt['ms']:.0f}")
        table.add_row(*map(str, cells))
    console.print(table)
    _require(record["served"]["upstream"] == "standby", "the call was not moved")
    console.print(f"the app got one clean answer, and sent one request: {answer!r}")


def _end(console: Console, stage: Stage) -> None:
    """What the auditor gets."""
    _last_record(stage)
    path = stage.state / "audit.jsonl"
    records, problems = list(read(path)), verify(path)
    _require(not problems, "the audit file does not verify")
    total = sum(int(count) for record in records for count in record["redactions"]["request"].values())
    text = f"{len(records)} audit records, {total} values taken out, the chain of hashes verifies."
    console.print()
    console.print(Panel(text, title="audit", title_align="left"))


def _text(stage: Stage, **wish: Any) -> str:
    pieces = []
    for event in stage.call(**wish):
        if "status" in event:
            raise DemoError(f"the call failed: {event}")
        pieces.append(event.get("piece", ""))
    return "".join(pieces)


def _last_record(stage: Stage) -> dict[str, Any]:
    """The record of the latest call; the one of a stream is written when its last byte has left."""
    deadline = time.monotonic() + RECORD_S_MAX
    while time.monotonic() < deadline:
        records = list(read(stage.state / "audit.jsonl"))
        if len(records) == stage.calls:
            return records[-1]
        time.sleep(0.05)
    raise DemoError("a call left no audit record")


def _spent(record: dict[str, Any]) -> Decimal:
    return Decimal(next((budget["spent_usd"] for budget in record["budgets"] if budget["name"] == "key-cap"), "0"))


def _user_text(received: Received) -> str:
    content = json.loads(received.body)["messages"][-1]["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def _side_by_side(console: Console, *sides: tuple[str, str]) -> Columns:
    width = max(30, (console.width - 2) // len(sides))
    panels = [Panel(Group(Text(text)), title=title, title_align="left", width=width) for title, text in sides]
    return Columns(panels, padding=(0, 0))


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise DemoError(f"the demo did not show what it promises: {otherwise}")


SCENES: tuple[Callable[[Console, Stage], None], ...] = (redaction, streaming, budget, failover)
