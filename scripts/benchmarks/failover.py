"""The sixteen faults that providers are known for, each against the running interceptor; prints a scorecard.

A real `outwarden run` behind `HTTPS_PROXY`, TLS on both sides, the OpenAI and Anthropic SDKs as clients (their own
retries off), over HTTP/1.1 and HTTP/2. `pass`: the client has the whole answer, and the fault's own condition holds.
`partial`: it has the answer, but the condition does not hold. `safe`: an explicit error in time. `fail`: an answer that
is cut short and looks whole, a hang, or a request that must not be repeated and was. The worst of a row counts.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "addons"))

import anthropic
import httpx2
import openai

from outwarden.simulate import Script, make_certificates, provider_thread
from outwarden.simulate.exchange import Received
from replaying.client import trusting
from replaying.process import Process

OPENAI, ANTHROPIC = "api.openai.com", "api.anthropic.com"
TOKENS = 60
PRIMARY = "".join(f"p{number:02} " for number in range(TOKENS))
SPARE = "".join(f"s{number:02} " for number in range(TOKENS))
# Begun by the one and gone on with by the other (`rescue: continue`): no word twice, none missing.
WHOLE = {PRIMARY[:at] + SPARE[at:] for at in range(0, TOKENS * 4 + 1, 4)}
PIECE = 4  # one token an event
LIMIT_S = 12.0  # a call that takes longer hangs: all its time limits together are shorter
TIMEOUTS = {"connect": "1s", "first_byte": "1s", "first_content": "1s", "idle": "1s", "total": "10s"}
GRADES = ("fail", "safe", "partial", "pass")
MODELS = {"openai": "gpt-4o", "anthropic": "claude-opus-5"}
FLAPPING = {"openai": "gpt-4.1", "anthropic": "claude-haiku-4-5"}


class Upstream:
    """One simulated provider: what it is told to do, one script after the other (the last for ever), and when."""

    def __init__(self, text: str, certificates: Any) -> None:
        self.text = text
        self.scripts: list[dict[str, Any]] = [{}]
        self.came_s: list[float] = []
        self.running = provider_thread(certificates, script=self.script)

    def tell(self, *scripts: dict[str, Any]) -> None:
        """Forget what came, and do this from now on."""
        self.scripts, self.came_s = list(scripts or ({},)), []

    def script(self, received: Received) -> Script:
        """What to do with the next request."""
        self.came_s.append(time.monotonic())
        told = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        return Script(**({"text": self._text(received), "piece_chars": PIECE} | told))

    def _text(self, received: Received) -> str:
        """Its own words, behind those that another began with."""
        try:
            last = json.loads(received.body)["messages"][-1]
        except (ValueError, KeyError, IndexError):
            return self.text
        begun = last["content"] if last.get("role") == "assistant" else ""
        return str(begun) + self.text[len(begun) :]


@dataclass
class Got:
    """What a client got. ``error``: what its SDK raised; ``finish`` is empty where no reason was given."""

    text: str = ""
    finish: str = ""
    model: str = ""
    output_tokens: int = 0
    error: str = ""
    seconds: float = 0.0
    call_id: str = ""

    @property
    def whole(self) -> bool:
        """Whether this is a whole answer of one of the two."""
        return not self.error and bool(self.finish) and self.text in WHOLE


@dataclass
class Bench:
    """The interceptor, the two providers, and one way to call."""

    process: Process
    primary: Upstream
    spare: Upstream
    api: str
    client: Any
    flap_s: float

    def call(self, model: str | None = None) -> Got:
        """One streamed call by the SDK."""
        got, began = Got(), time.monotonic()
        try:
            (self._openai if self.api == "openai" else self._anthropic)(got, model or MODELS[self.api])
        except (openai.OpenAIError, anthropic.AnthropicError, httpx2.HTTPError) as error:
            got.error = f"{type(error).__name__} {getattr(error, 'code', None)}: {error}"
        got.seconds = time.monotonic() - began
        return got

    def _openai(self, got: Got, model: str) -> None:
        stream = self.client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "Count."}], stream=True, max_completion_tokens=200,
            stream_options={"include_usage": True},
        )  # fmt: skip
        got.call_id = stream.response.headers["x-outwarden-call-id"]
        for chunk in stream:
            got.model = chunk.model
            got.output_tokens = chunk.usage.completion_tokens if chunk.usage else got.output_tokens
            for choice in chunk.choices:
                got.text += choice.delta.content or ""
                got.finish = choice.finish_reason or got.finish

    def _anthropic(self, got: Got, model: str) -> None:
        stream = self.client.messages.create(
            model=model, max_tokens=200, messages=[{"role": "user", "content": "Count."}], stream=True
        )
        got.call_id = stream.response.headers["x-outwarden-call-id"]
        for event in stream:
            if event.type == "message_start":
                got.model = event.message.model
            elif event.type == "content_block_delta":
                got.text += getattr(event.delta, "text", "")
            elif event.type == "message_delta":
                got.finish, got.output_tokens = event.delta.stop_reason or "", event.usage.output_tokens

    def record(self, call_id: str) -> dict[str, Any]:
        """The audit record of a call, which is written after its reply."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            for record in self.process.records():
                if record.get("call_id") == call_id:
                    return record
            time.sleep(0.02)
        raise RuntimeError("a call has no audit record")


def graded(got: Got, holds: bool = True) -> str:
    """Grade an answer; ``holds``: the fault's own condition."""
    if got.seconds > LIMIT_S:
        return "fail"
    if got.whole:
        return "pass" if holds else "partial"
    return "safe" if got.error else "fail"


# -- the faults ------------------------------------------------------------------------------------


def one(fault: dict[str, Any], then: dict[str, Any] | None = None, *, tries: int = 6, s: float = LIMIT_S) -> "Fault":
    """The primary does ``fault``, then ``then`` (None: the fault for ever); at most so many tries of it, in time."""

    def play(bench: Bench) -> str:
        bench.primary.tell(fault, *([] if then is None else [then]))
        got = bench.call()
        return graded(got, len(bench.primary.came_s) <= tries and got.seconds < s)

    return play


def retry_after_once(bench: Bench) -> str:
    """Whoever goes back to the primary waits as long as it asked."""
    bench.primary.tell({"status": 429, "retry_after": "1"}, {})
    got = bench.call()
    came = bench.primary.came_s
    return graded(got, all(later - came[0] >= 1.0 for later in came[1:]))


def limited_for_ever(bench: Bench) -> str:
    """No hammering: at most 4 tries in 3 s, at most 6 in all."""
    bench.primary.tell({"status": 429})
    got = bench.call()
    came = bench.primary.came_s
    return graded(got, sum(at - came[0] < 3 for at in came) <= 4 and len(came) <= 6)


def error_once(bench: Bench) -> str:
    """A single 500 is tried again where it happened."""
    bench.primary.tell({"status": 500}, {})
    got = bench.call()
    return graded(got, got.text == PRIMARY)


def silent(bench: Bench) -> str:
    """An upstream that accepted and said nothing is not asked again: it may be at work."""
    bench.primary.tell({"silence": True})
    got = bench.call()
    return graded(got, len(bench.primary.came_s) == 1)


def stalled(bench: Bench) -> str:
    """Bounded, and all is well afterwards."""
    bench.primary.tell({"stall_after": 20, "stall_s": 30.0}, {})
    grades = [graded(bench.call()), graded(bench.call())]
    return grades[0] if grades[1] == "pass" else "fail"


def without_end(bench: Bench) -> str:
    """All was said but the end marker: the answer ends promptly, with its usage."""
    bench.primary.tell({"end_marker": False})
    got = bench.call()
    return graded(got, got.seconds < 3 and got.output_tokens > 0)


def too_long(bench: Bench) -> str:
    """Never again unchanged to the same model; the route has a larger one."""
    words = {
        "openai": {"error": "context_length_exceeded", "message": "This model's maximum context length is 8192."},
        "anthropic": {"message": "prompt is too long: 210000 tokens > 200000 maximum"},
    }
    bench.primary.tell({"status": 400} | words[bench.api])
    got = bench.call()
    return graded(got) if len(bench.primary.came_s) == 1 else "fail"


def filtered(bench: Bench) -> str:
    """A refusal is not tried again, anywhere, and its reason reaches the client."""
    if bench.api == "openai":  # https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter
        bench.primary.tell({"status": 400, "error": "content_filter", "message": "The prompt was filtered."})
    else:  # https://docs.anthropic.com/en/docs/test-and-evaluate/strengthen-guardrails/handle-streaming-refusals
        bench.primary.tell({"finish": "refusal"})
    got = bench.call()
    if len(bench.primary.came_s) != 1 or bench.spare.came_s:
        return "fail"
    return "pass" if "content_filter" in got.error or got.finish == "refusal" else "safe"


def no_prefill(bench: Bench) -> str:
    """Cut in the middle, and the spare refuses a last message of the assistant's."""
    bench.primary.tell({"cut_after": 40})
    bench.spare.tell({"prefill": False})
    return graded(bench.call())


def flapping(bench: Bench) -> str:
    """While the primary is down it is left alone, but for probes; within 30 s of its return it serves again."""
    bench.primary.tell({"status": 503})
    model = FLAPPING[bench.api]
    until = time.monotonic() + bench.flap_s
    grades, calls = [], 0
    while time.monotonic() < until:
        grades.append(graded(bench.call(model)))
        calls += 1
        time.sleep(0.05)
    tried = len(bench.primary.came_s)
    bench.primary.tell({})
    until, back = time.monotonic() + 30, False
    while time.monotonic() < until and not back:
        got = bench.call(model)
        grades.append(graded(got, tried < calls))
        back = got.text == PRIMARY
        time.sleep(0.05)
    return min(grades, key=GRADES.index) if back else "partial"


def accounted(bench: Bench) -> str:
    """The reply and the record name the model that served; the failed attempt costs nothing."""
    bench.primary.tell({"status": 503})
    got = bench.call()
    if not got.whole:
        return graded(got)
    record = bench.record(got.call_id)
    served, usage = record["served"], record["usage"]
    cost = (usage["input_tokens"] + usage["output_tokens"]) * 0.2 / 1e6
    outcomes = [attempt["outcome"] for attempt in record["attempts"]]
    holds = got.model == served["model"] == "spare-model" and abs(float(record["cost_usd"]) - cost) < 1e-9
    return graded(got, holds and outcomes[-1] == "ok" and "ok" not in outcomes[:-1])


Fault = Callable[[Bench], str]
FAULTS: dict[str, tuple[str, Fault]] = {
    "S01": ("429 with Retry-After, once", retry_after_once),
    "S02": ("429 for ever, no header", limited_for_ever),
    "S03": ("500 once", error_once),
    "S04": ("503 for ever", one({"status": 503})),
    "S05": ("TCP reset before headers", one({"reset": True})),
    "S06": ("accepted, never answered", silent),
    "S07": ("slow first token", one({"first_content_delay_s": 8.0}, s=5.0)),
    "S08": ("stream cut after 40 of 60", one({"cut_after": 40})),
    "S09": ("stall of 30 s after 20", stalled),
    "S10": ("malformed event in the middle", one({"malformed_after": 30})),
    "S11": ("stream without its end marker", without_end),
    "S12": ("context length exceeded", too_long),
    "S13": ("content filter", filtered),
    "S14": ("cut, and the spare takes no prefill", no_prefill),
    "S15": ("primary flaps", flapping),
    "S16": ("accounting", accounted),
}


# -- the stage -------------------------------------------------------------------------------------


def rules(primary: Upstream, spare: Upstream, ports: tuple[int, int], ca: Path, rescue: str) -> dict[str, Any]:
    """Both hosts at the primary; a spare of each format; one route for the flapping, one for the rest."""
    aim = {"connect_to": f"127.0.0.1:{ports[0]}", "trust": str(ca)}
    upstream = {"url": f"https://127.0.0.1:{ports[1]}/v1", "provider": "vllm", "model": "spare-model"}
    upstream |= {"auth": "keep", "prefill": True, "price": {"input_mtok": 0.2, "output_mtok": 0.2}, "trust": str(ca)}
    far = {"max_fails": 1000, "within": "1s", "cooldown": "1s"}
    near = {"max_fails": 3, "within": "30s", "cooldown": "1s"}

    def route(name: str, api: str, model: str, breaker: dict[str, Any]) -> dict[str, Any]:
        targets = ["original", f"spare-{api}"]
        more = {"timeouts": TIMEOUTS, "retries": 1, "breaker": breaker, "rescue": rescue}
        return {"name": f"{name}-{api}", "match": {"model": model}, "targets": targets} | more

    routes = [route("flap", api, FLAPPING[api], near) for api in MODELS]
    routes += [route("rest", api, MODELS[api], far) for api in MODELS]
    return {
        "traffic": {"intercept": [{"hosts": [host], **aim} for host in (OPENAI, ANTHROPIC)]},
        "pii": {"entities": "all", "ner": {"model": "off"}},
        "budgets": {"budgets": [{"name": "all", "scope": "all", "limit_usd": 1000}]},
        "routes": {"upstreams": {f"spare-{api}": upstream | {"format": api} for api in MODELS}, "routes": routes},
    }


def client_for(api: str, process: Process, http2: bool) -> Any:
    """The API's SDK, which tries nothing again by itself."""
    http = httpx2.Client(proxy=process.url, verify=trusting(process.ca, http2=http2), http2=http2, timeout=LIMIT_S * 2)
    made: Any = openai.OpenAI if api == "openai" else anthropic.Anthropic
    return made(api_key="simulated-key", http_client=http, max_retries=0)


@contextmanager
def stage(rescue: str, flap_s: float) -> Iterator[Callable[[str, bool], Bench]]:
    """Everything running; gives a function that makes a bench for an API and a version of HTTP."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        certificates = make_certificates(folder, [OPENAI, ANTHROPIC, "127.0.0.1"])
        primary, spare = Upstream(PRIMARY, certificates), Upstream(SPARE, certificates)
        ports = (stack.enter_context(primary.running).port, stack.enter_context(spare.running).port)
        process = Process(folder, rules(primary, spare, ports, certificates.ca, rescue)).start()
        stack.callback(process.stop)
        first = Bench(process, primary, spare, "openai", client_for("openai", process, False), flap_s)
        first.call()  # loads what takes a second to load, or ten on a machine with other work
        first.client.close()
        yield lambda api, http2: Bench(process, primary, spare, api, client_for(api, process, http2), flap_s)


def scores(rescue: str, flap_s: float, wanted: list[str]) -> dict[str, dict[str, str]]:
    """The grades by fault and by way to call."""
    table: dict[str, dict[str, str]] = {name: {} for name in wanted}
    with stage(rescue, flap_s) as make:
        for api in MODELS:
            for http2 in (False, True):
                bench = make(api, http2)
                for name in wanted:
                    bench.primary.tell()
                    bench.spare.tell()
                    table[name][f"{api} {'h2' if http2 else 'h1'}"] = FAULTS[name][1](bench)
                bench.client.close()
    return table


def worst(row: dict[str, str]) -> str:
    """What a fault is worth."""
    return min(row.values(), key=GRADES.index)


def main() -> None:
    """Parse the command line, play, print; exit 1 where a fault failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rescue", nargs="+", default=["off", "buffer"], choices=["off", "buffer", "continue"])
    parser.add_argument("--faults", nargs="+", default=list(FAULTS), choices=list(FAULTS), metavar="S01")
    parser.add_argument("--flap", type=float, default=4.0, metavar="S", help="how long the primary is down (S15)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    failed = False
    for rescue in options.rescue:
        table = scores(rescue, options.flap, options.faults)
        grades = [worst(row) for row in table.values()]
        failed |= "fail" in grades
        if options.json:
            print(json.dumps({"rescue": rescue, "faults": table}))
            continue
        print(f"\nrescue: {rescue}")
        for name, row in table.items():
            print(f"  {name}  {FAULTS[name][0]:38}" + "  ".join(f"{way}: {grade:8}" for way, grade in row.items()))
        print("  " + ", ".join(f"{grades.count(grade)} {grade}" for grade in reversed(GRADES)))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
