"""Coding agents whose provider fails in the middle of their work: they end it with the right answer all the same.

Each conversation is one task of several tool calls. The provider serves the first turn and then fails each turn in
another way, until it is gone altogether; a standby of the same format takes over turn by turn. What it asks the agent
to run holds names in place of values, as it never saw others; the agent has to run it with the values.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from agents import CODEX_HOST, COMMAND, VALUES, Run, claude, codex, codex_tools
from interceptor import CARD, EMAIL, HOSTS, Interceptor, assert_clean, pii_rules, rules_for, trusted, until

from outwarden.simulate import Received, Script, SimulatedProvider, ToolCall, make_certificates, provider_thread
from outwarden.simulate.tools import offers

PRICE = Decimal("0.2")  # dollars for a million tokens at the standby
PATHS = ("/v1/messages", "/v1/responses")
KEY = "standby-key-of-our-own"
STALL = "5s"  # long enough for the good answers of a busy machine
RESULTS = ("tool_result", "function_call_output", "custom_tool_call_output")
NAMES = re.compile(r"\[(?:EMAIL_ADDRESS|CREDIT_CARD)_\w+\]")

Model = Callable[[Received], Script]
Fault = dict[str, Any]  # what a script says otherwise
GONE: Fault = {"silence": True}  # it is never answered, because the provider leaves in the middle of it


def turn_of(received: Received) -> int:
    """How many results of tools a request tells of: the turn of the conversation, from 0."""
    found: list[Any] = []
    json.loads(received.body, object_hook=lambda part: found.append(part.get("type")))
    return sum(kind in RESULTS for kind in found)


def named(received: Received) -> list[str]:
    """What stands for the mail address and the card in a request, in the order of the file."""
    return list(dict.fromkeys(NAMES.findall(received.body.decode())))


def noting(turn: int, names: Sequence[str]) -> str:
    """The command of a turn: each that runs leaves a line with both values."""
    return f"echo '{turn} {' '.join(names)}' >> notes.txt; tail -n 1 notes.txt" if turn else COMMAND


def working(turns: int) -> Model:
    """A model that has the agent look into the file, then note both values turn by turn, and then speaks of them."""

    def script(received: Received) -> Script:
        if not received.path.startswith(PATHS) or not received.body:
            return Script()
        turn, names = turn_of(received), named(received)
        command = noting(turn, names)
        calls = (ToolCall("Bash", json.dumps({"command": command})), *codex_tools(command))
        offered = {offer.name for offer in offers(json.loads(received.body))}
        call = next((call for call in calls if call.name in offered), None)
        if turn < turns and call:
            return Script(text="A moment, I note that.", tool_calls=(call,))
        return Script(text=f"Noted {' and '.join(names)}.")

    return script


class Outage:
    """A provider that serves the first turn, fails each turn after it once, as ``faults`` say, and then is gone.

    It goes as soon as the standby has served the last of these turns; with `GONE` as the last fault, in that turn.
    ``upgrade`` is what it says to a WebSocket: 426, none is to be had; 101.
    """

    def __init__(
        self, primary: SimulatedProvider, standby: SimulatedProvider, *faults: Fault, upgrade: int = 426
    ) -> None:
        self._left = dict(enumerate(faults, 1))
        self._last = len(faults)
        self._primary = primary
        self._upgrade = upgrade
        self.turns = len(faults) + 1  # with a tool; in the one after them the agent is answered
        self._model = working(self.turns)
        primary.script, standby.script = self._failing, self._serving

    def _failing(self, received: Received) -> Script:
        if received.upgrades:
            return Script(upgrade=self._upgrade)
        script = self._model(received)
        fault = self._left.pop(turn_of(received), {}) if script.tool_calls else {}
        if fault is GONE:
            threading.Thread(target=self._go).start()  # not from here: the provider's own loop has to stop
        return replace(script, **fault)

    def _serving(self, received: Received) -> Script:
        if not received.upgrades and turn_of(received) == self._last:
            self._go()
        return Script() if received.upgrades else self._model(received)

    def _go(self) -> None:
        assert self._primary.thread
        self._primary.thread.pause()


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedProvider]:
    """The provider that fails."""
    certificates = make_certificates(tmp_path_factory.mktemp("certificates"), [*HOSTS, CODEX_HOST, "127.0.0.1"])
    with provider_thread(certificates) as provider:
        yield provider


@pytest.fixture(scope="module")
def standby_thread(primary: SimulatedProvider) -> Iterator[SimulatedProvider]:
    """The provider that stands by."""
    with provider_thread(primary.certificates) as provider:
        yield provider


@pytest.fixture
def standby(standby_thread: SimulatedProvider) -> SimulatedProvider:
    """The same with nothing remembered."""
    standby_thread.clear()
    return standby_thread


@pytest.fixture
def provider(primary: SimulatedProvider) -> Iterator[SimulatedProvider]:
    """The provider that fails, there, with nothing remembered; and there again afterwards."""
    assert primary.thread
    primary.clear()
    yield primary
    primary.thread.pause()
    primary.thread.resume()


def upstream(standby: SimulatedProvider, format_: str, key: Path) -> dict[str, Any]:
    """The standby as an upstream that has a key of its own."""
    auth = {"bearer": f"file:{key}"} if format_ == "openai" else {"header": {"x-api-key": f"file:{key}"}}
    price = {"input_mtok": float(PRICE), "output_mtok": float(PRICE)}
    return {
        "url": f"https://127.0.0.1:{standby.port}/v1",
        "provider": "vllm",
        "format": format_,
        "auth": auth,
        "price": price,
        "trust": str(trusted(standby)),
    }


def route(name: str, model: str, standby: str, **more: Any) -> dict[str, Any]:
    """A route with a standby, whose breaker stays out of the way: each turn tries the provider again."""
    return {
        "name": name,
        "match": {"model": model},
        "strategy": "priority",
        "targets": ["original", standby],
        "timeouts": {"connect": "5s", "first_byte": STALL, "first_content": STALL, "idle": STALL, "total": "60s"},
        "retries": 0,
        "breaker": {"max_fails": 1000, "within": "1s", "cooldown": "1s"},
    } | more


@pytest.fixture(scope="module")
def interceptor(
    start: Callable[..., Interceptor],
    primary: SimulatedProvider,
    standby_thread: SimulatedProvider,
    tmp_path_factory: pytest.TempPathFactory,
) -> Interceptor:
    """An interceptor with a standby for each agent; Codex gets whole answers only."""
    key = tmp_path_factory.mktemp("keys") / "standby"
    key.write_text(KEY)
    budget = {"name": "all", "scope": "all", "limit_usd": 100, "window": "lifetime"}
    routes = {
        "upstreams": {
            "standby-openai": upstream(standby_thread, "openai", key),
            "standby-anthropic": upstream(standby_thread, "anthropic", key),
        },
        "routes": [
            route("claude", "claude*", "standby-anthropic"),
            route("rest", "*", "standby-openai", rescue="buffer"),
        ],
    }
    rules = rules_for(
        primary,
        pii=pii_rules(request={"default": "pseudonymize"}),
        traffic={"otherwise": "refuse"},
        budgets={"budgets": [budget]},
        routes=routes,
    )
    aim = {"connect_to": primary.address, "trust": str(trusted(primary))}
    rules["traffic"]["intercept"].append({"hosts": [CODEX_HOST], **aim})
    one = start(rules)
    one.planted += [*VALUES, KEY]
    return one


@dataclass
class Conversation:
    """What is left of an agent's task on all sides, and of the money."""

    interceptor: Interceptor
    provider: SimulatedProvider
    standby: SimulatedProvider
    folder: Path
    seen: int = 0
    spent: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        self.seen, self.spent = self.interceptor.count_records(), self._posted()

    def _posted(self) -> Decimal:
        states = self.interceptor.budgets()  # none before the first call that costs something
        assert [state["pending_usd"] for state in states if state["pending_usd"] != "0"] == []
        return sum((Decimal(state["posted_usd"]) for state in states), Decimal(0))

    def calls(self, operation: str, count: int) -> list[dict[str, Any]]:
        """The records of calls to the model, without the handshakes of WebSockets, which name none."""

        def found() -> list[dict[str, Any]] | None:
            records = self.interceptor.records()[self.seen :]
            calls = [record for record in records if record["operation"] == operation and record["model"]]
            return calls if len(calls) >= count else None

        return until(found)

    def assert_done(self, answer: str, turns: int) -> None:
        """The answer holds the values, and each command ran once and with them."""
        notes = (self.folder / "work" / "notes.txt").read_text()

        assert answer == f"Noted {EMAIL} and {CARD}."
        assert notes == "".join(f"{turn} {EMAIL} {CARD}\n" for turn in range(1, turns))

    def assert_private(self) -> None:
        """Neither provider saw a value, each but names; the standby saw its own key, and not the caller's."""
        assert_clean(self.provider, [*VALUES, KEY])
        assert_clean(self.standby, [*VALUES, "simulated-key"])
        for seen in self.standby.requests:
            assert KEY in (seen.header("authorization") or "") + (seen.header("x-api-key") or "")
            said = "".join(str(message) for message in [seen.body, *seen.messages])
            assert len(set(NAMES.findall(said))) == 2

    def assert_paid(self, calls: Sequence[dict[str, Any]], *, dearer: int = 0) -> None:
        """Nothing is held any more, the records add up to what was charged, and what the standby served has its price.

        Only ``dearer`` of its calls cost more: those of which another answer was left half-way, which is billed, too.
        """
        at_standby = [call for call in calls if call["served"]["upstream"] != "original"]
        more = [Decimal(call["cost_usd"]) - sum(call["usage"].values()) * PRICE / 1_000_000 for call in at_standby]

        assert sum(Decimal(call["cost_usd"]) for call in calls) == self._posted() - self.spent > 0
        assert {call["usage_source"] for call in at_standby} == {"provider"}
        assert min(more) >= 0
        assert len([each for each in more if each]) == dearer


@pytest.fixture
def told(
    interceptor: Interceptor, provider: SimulatedProvider, standby: SimulatedProvider, tmp_path: Path
) -> Conversation:
    """What is known of the conversation that a test has an agent hold."""
    return Conversation(interceptor, provider, standby, tmp_path)


def ways(calls: Sequence[dict[str, Any]]) -> list[str]:
    """The attempts of each call, as ``where outcome``."""
    return [", ".join(f"{a['upstream'].partition('-')[0]} {a['outcome']}" for a in c["attempts"]) for c in calls]


def turns_of(provider: SimulatedProvider) -> list[int]:
    """Of which turns a provider was asked for an answer."""
    posts = [seen for seen in provider.requests if seen.method == "POST" and seen.path.startswith(PATHS)]
    return [turn_of(seen) for seen in posts]


def codex_answer(events: Sequence[dict[str, Any]]) -> str:
    """What Codex says in the end, its commands and its turn having ended well."""
    items = [event["item"] for event in events if event["type"] == "item.completed"]

    assert events[-1]["type"] == "turn.completed", events
    assert {item["exit_code"] for item in items if item["type"] == "command_execution"} == {0}
    return str([item["text"] for item in items if item["type"] == "agent_message"][-1])


def test_claude_code(told: Conversation, run: Run) -> None:
    """Overloaded, silent, cut off, in error, gone: Claude Code sees none of it, and asks again after a half answer."""
    before_content: list[Fault] = [{"status": 529}, {"stall_after": 0}, {"cut_after": 0}]
    faults: list[Fault] = [*before_content, {"cut_after": 3}, {"error_after": 0}]
    outage = Outage(told.provider, told.standby, *faults)
    done = claude(run)
    calls = told.calls("messages", 8)

    assert (done["subtype"], done["is_error"], done["num_turns"]) == ("success", False, outage.turns + 1)
    told.assert_done(done["result"], outage.turns)
    assert ways(calls) == [
        "original ok",
        "original 5xx, standby ok",
        "original timeout, standby ok",
        "original stream_error, standby ok",
        "original stream_error",
        "original ok",
        "original stream_error, standby ok",
        "original connect, standby ok",
    ]
    assert [call["verdict"] for call in calls if call["verdict"] != "allowed"] == ["failed"]
    assert turns_of(told.provider) == [0, 1, 2, 3, 4, 4, 5]
    assert turns_of(told.standby) == [1, 2, 3, 5, 6]
    told.assert_private()
    told.assert_paid(calls)


def test_codex_over_https(told: Conversation, run: Run) -> None:
    """Unavailable, silent, reset, cut off before and after its first word (`rescue: buffer`), gone: Codex sees none."""
    faults: list[Fault] = [{"status": 503}, {"silence": True}, {"reset": True}, {"cut_after": 0}, {"cut_after": 3}]
    outage = Outage(told.provider, told.standby, *faults)
    events = codex(run)
    calls = told.calls("responses", 7)

    told.assert_done(codex_answer(events), outage.turns)
    assert [event for event in events if event["type"] == "error"] == []
    assert ways(calls) == [
        "original ok",
        "original 5xx, standby ok",
        "original timeout, standby ok",
        "original connect, standby ok",
        "original stream_error, standby ok",
        "original stream_error, standby ok",
        "original connect, standby ok",
    ]
    assert {call["verdict"] for call in calls} == {"allowed"}
    assert turns_of(told.provider) == [0, 1, 2, 3, 4, 5]
    assert turns_of(told.standby) == [1, 2, 3, 4, 5, 6]
    told.assert_private()
    told.assert_paid(calls, dearer=1)


def test_codex_over_websocket(told: Conversation, run: Run) -> None:
    """A WebSocket that breaks is told to Codex, which opens another; once the provider is gone, it is the standby's."""
    outage = Outage(told.provider, told.standby, {"cut_after": 3}, GONE, upgrade=101)
    events = codex(run)
    calls = told.calls("responses", 7)
    records = told.interceptor.records()[told.seen :]
    sockets = [record for record in records if record["operation"] == "responses" and not record["model"]]

    told.assert_done(codex_answer(events), outage.turns)
    assert ways(sockets) == ["original ok", "original ok", "original connect, standby ok"]
    assert ways(calls) == [
        *["original ok"] * 2,  # Codex opens the conversation without asking for an answer
        "original stream_error",
        "original ok",
        "original stream_error",
        *["standby ok"] * 2,
    ]
    assert [call["verdict"] for call in calls].count("failed") == 2
    assert turns_of(told.provider) == turns_of(told.standby) == []
    assert [seen.path for seen in told.standby.requests] == ["/v1/responses"]
    told.assert_private()
    told.assert_paid(calls)
