"""The whole storm: `outwarden run`, its upstreams, its clients, and what is left of them afterwards."""

import asyncio
import contextlib
import os
import ssl
import subprocess
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outwarden.simulate import Certificates, make_certificates
from replaying.client import trusting
from replaying.process import Process
from weathering.books import PRICES, TIGHT_USD, Record, states, wrong_with_call, wrong_with_totals
from weathering.calls import ANTHROPIC, MODELS, NUMBER_HEADER, OPENAI, TEAM_HEADER, Call, draw
from weathering.client import Connections, Reply
from weathering.judging import Judgement, judge
from weathering.upstreams import Deaf, Served, Upstreams, running
from weathering.weather import ENDLESS, MOOD_CALLS

TIMEOUTS = {"connect": "2s", "first_byte": "2s", "first_content": "2s", "idle": "2s", "total": "12s"}
TOTAL_S, SLACK_S = 12.0, 3.0  # the slack is this machine's, which has other work
SETTLE_S = 45.0  # answers whose clients left are read for 30 s at most
FDS_GROWTH_MAX = 4
WRONG_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Footprint:
    """What the interceptor takes while nobody calls."""

    rss_bytes: int
    fds: int


@dataclass(slots=True)
class Outcome:
    """What came of a storm."""

    seconds: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    attempts: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    footprints: list[tuple[int, Footprint]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Storm:
    """A storm over ``calls`` calls, ``parallel`` at a time; after each ``warm_up`` of them the footprint is taken.

    ``grows_max_bytes``: by how much it may grow from the first to the last. The interceptor remembers messages (1 KB
    for each, up to 64 MiB), and here each is new.
    """

    seed: int = 0
    calls: int = 10_000
    parallel: int = 32
    warm_up: int = 4000
    hold: str = "full"
    grows_max_bytes: int = 24 << 20
    keep: Path | None = None  # where its output is written, for whoever looks for a cause
    say: Callable[[str], None] = print

    def run(self) -> Outcome:
        """Do it all; raises RuntimeError where the interceptor does not start."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            certificates = make_certificates(folder, [OPENAI, ANTHROPIC, "127.0.0.1"])
            with running(self.seed, certificates) as upstreams:
                return asyncio.run(self._run(folder, certificates, upstreams))

    async def _run(self, folder: Path, certificates: Certificates, upstreams: Upstreams) -> Outcome:
        async with Deaf(self.seed) as deaf:
            process = Process(folder, rules(upstreams, deaf.port, certificates.ca, self.hold))
            await asyncio.to_thread(process.start)
            try:
                outcome = await _Played(self, process, upstreams).play()
            finally:
                begin, code = time.monotonic(), -1
                with contextlib.suppress(subprocess.TimeoutExpired):  # then it was killed
                    code = await asyncio.to_thread(process.stop)
            if code:
                outcome.wrong.append(f"it ended with {code} after {time.monotonic() - begin:.1f} s")
            return outcome


class _Played:
    """One storm at work."""

    def __init__(self, storm: Storm, process: Process, upstreams: Upstreams) -> None:
        self._storm, self._process, self._upstreams = storm, process, upstreams
        self._outcome = Outcome()
        self._replies: dict[int, tuple[Call, Reply, Judgement]] = {}
        self._numbers: Iterator[int] = iter(())

    async def play(self) -> Outcome:
        begin, done = time.monotonic(), 0
        for until in [*range(self._storm.warm_up, self._storm.calls, self._storm.warm_up), self._storm.calls]:
            await self._call(range(done, until))
            done = until
            await self._settle(done)
            self._outcome.footprints.append((done, await self._quiet_footprint()))
        self._outcome.seconds = time.monotonic() - begin
        self._check()
        return self._outcome

    async def _call(self, numbers: range) -> None:
        """Send these calls, some at a time, on connections that end with the last of them."""
        connections = Connections(self._process.port, self._context)
        self._numbers = iter(numbers)
        await asyncio.gather(*(self._work(connections) for _ in range(self._storm.parallel)))
        connections.close()

    def _context(self, http2: bool) -> ssl.SSLContext:
        context = trusting(self._process.ca, http2=http2)
        if http2:
            context.set_alpn_protocols(["h2"])
        return context

    async def _work(self, connections: Connections) -> None:
        for number in self._numbers:
            if number % MOOD_CALLS == 0:
                await self._upstreams.change(number)
            if number % 1000 == 0 and number:
                self._storm.say(f"  {number} calls")
            call = draw(self._storm.seed, number)
            self._upstreams.expect(call)
            reply = await connections.call(call, TOTAL_S + SLACK_S)
            self._replies[number] = call, reply, self._judge(call, reply)

    def _judge(self, call: Call, reply: Reply) -> Judgement:
        served = self._upstreams.served.get(call.number)
        return judge(call, reply, TOTAL_S + SLACK_S, is_ended=not served or served[-1].fate.kind not in ENDLESS)

    async def _settle(self, calls: int) -> None:
        """Wait until each call has its record: those that were left are read to their end first."""
        until = time.monotonic() + SETTLE_S
        log = self._process.state / "audit.jsonl"
        while time.monotonic() < until:
            written = sum(1 for _ in log.open("rb"))
            if written >= calls - self._unseen() and not any(state.pending for state in states(self._process)):
                return
            await asyncio.sleep(0.2)

    def _unseen(self) -> int:
        """Calls that ended before the interceptor may have read them."""
        return sum(reply.left and not reply.status for _, reply, _ in self._replies.values())

    async def _quiet_footprint(self) -> Footprint:
        """What the process takes once its connections are closed: the least of a while."""
        seen = []
        for _ in range(6):
            await asyncio.sleep(0.25)
            seen.append(footprint(self._process.pid))
        return Footprint(min(one.rss_bytes for one in seen), min(one.fds for one in seen))

    def _check(self) -> None:
        outcome, upstreams = self._outcome, self._upstreams
        records: dict[int, list[Record]] = defaultdict(list)
        listed = self._process.records()
        for record in listed:
            records[int(record["caller"]["session"] or -1)].append(record)
        for number, (call, reply, judgement) in sorted(self._replies.items()):
            self._note(call, reply, judgement, records[number])
            served = upstreams.served.get(number, [])
            outcome.fates.update(one.fate.kind for one in served)
            if reply.left and not reply.status and not served and not records[number]:
                continue  # it left before anybody had read it
            if wrong := wrong_with_call(call, judgement.kind, records[number], served):
                outcome.wrong.append(
                    f"call {number} ({described(call)}): {wrong}; {fates(served)}; {attempts(records[number])}"
                )
        outcome.attempts = sum(len(record["attempts"]) for record in listed)
        outcome.wrong += upstreams.strange + wrong_with_totals(self._process, listed)
        outcome.wrong += self._leaks() + self._growth()
        if self._storm.keep:
            self._storm.keep.write_text(self._process.output)
        if "Traceback" in self._process.output:
            outcome.wrong.append("a traceback in the output:\n" + self._process.output[-2000:])

    def _note(self, call: Call, reply: Reply, judgement: Judgement, records: list[Record]) -> None:
        outcome = self._outcome
        outcome.kinds[judgement.kind] += 1
        if judgement.kind == "error":
            outcome.told[judgement.told] += 1
        elif judgement.kind == "wrong":
            served = self._upstreams.served.get(call.number, [])
            outcome.wrong.append(
                f"call {call.number} ({described(call)}): {judgement.told}; {fates(served)}; {attempts(records)}"
            )
        if judgement.kind != "left":
            outcome.slowest_s = max(outcome.slowest_s, reply.seconds)

    def _leaks(self) -> list[str]:
        """Where a planted value is in what the process wrote: its output, and every file of its state."""
        planted = {value for values in self._upstreams.planted.values() for value in values}
        written = {"its output": self._process.output.encode()}
        written |= {file.name: file.read_bytes() for file in self._process.state.rglob("*") if file.is_file()}
        return [f"a planted value is in {name}" for name, data in written.items() if has_any(data, planted)]

    def _growth(self) -> list[str]:
        (first, before), (last, after) = self._outcome.footprints[0], self._outcome.footprints[-1]
        grown, more = after.rss_bytes - before.rss_bytes, after.fds - before.fds
        wrong = []
        if grown > self._storm.grows_max_bytes:
            wrong.append(f"memory grew by {grown / 2**20:.1f} MiB from call {first} to call {last}")
        if more > FDS_GROWTH_MAX:
            wrong.append(f"{more} more file descriptors after call {last} than after call {first}")
        return wrong


def has_any(data: bytes, values: set[str]) -> bool:
    """Whether one of many values is in ``data``."""
    return any(value.encode() in data for value in values)


def told(call: Call, wrong: str, served: list[Served], records: list[Record]) -> str:
    """What is wrong with a call, and all that is known of it."""
    return f"call {call.number} ({described(call)}): {wrong}; {fates(served)}; {attempts(records)}"


def described(call: Call) -> str:
    """What kind of call it is."""
    how = [call.api, "h2" if call.http2 else "h1", "stream" if call.stream else "whole", call.route, call.team]
    return " ".join([*how, "planted" if call.planted else "", "leaves" if call.leaves else ""]).strip()


def fates(served: list[Served]) -> str:
    """What its attempts met."""
    met = (f"{one.upstream}: {one.fate.kind}{' (sent)' if one.received.complete else ''}" for one in served)
    return ", ".join(met) or "no attempt came in"


def attempts(records: list[Record]) -> str:
    """What became of them on record."""
    made = [f"{a['upstream']} {a['outcome']} {a['status']} {a['ms']:.0f} ms" for r in records for a in r["attempts"]]
    costs = [f"{r['verdict']} at {r['cost_usd']} in {r['ms']['total']:.0f} ms" for r in records]
    return ", ".join([*made, *costs]) or "no record"


def footprint(pid: int) -> Footprint:
    """What a process takes now (Linux)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return Footprint(pages * os.sysconf("SC_PAGE_SIZE"), len(os.listdir(f"/proc/{pid}/fd")))


def rules(upstreams: Upstreams, deaf_port: int, ca: Path, hold: str) -> dict[str, Any]:
    """Both hosts at ``original``; routes by model; a wide budget for all, one for each key, and one that runs out."""
    aim = {"connect_to": upstreams.address("original"), "trust": str(ca)}

    def upstream(where: str, format_: str, name: str, model: str | None = None) -> dict[str, Any]:
        own = {"url": f"https://{where}/v1", "provider": "vllm", "format": format_, "auth": "keep", "trust": str(ca)}
        price = dict(zip(("input_mtok", "output_mtok"), PRICES[name], strict=True))
        return own | {"price": price} | ({"model": model} if model else {})

    spare, cross = upstreams.address("spare"), upstreams.address("cross")
    other = {"openai": "anthropic", "anthropic": "openai"}
    known = {f"spare-{api}": upstream(spare, api, "spare") for api in MODELS}
    known |= {f"cross-{api}": upstream(cross, other[api], "cross", "cross-model") for api in MODELS}
    known |= {f"deaf-{api}": upstream(f"127.0.0.1:{deaf_port}", api, "spare") for api in MODELS}

    def route(api: str, name: str, model: str) -> dict[str, Any]:
        targets = {
            "spares": ["original", f"spare-{api}", f"cross-{api}"],
            "buffer": ["original", f"spare-{api}"],
            "deaf": [f"deaf-{api}", "original"],
            "alone": ["original"],
        }[name]
        breaker = {"max_fails": 5, "within": "2s", "cooldown": "500ms"}
        more = {"timeouts": TIMEOUTS, "retries": 1, "breaker": breaker}
        rescue = {"rescue": "buffer"} if name == "buffer" else {}
        return {"name": f"{name}-{api}", "match": {"model": model}, "targets": targets} | more | rescue

    price = {api: dict(zip(("input_mtok", "output_mtok"), PRICES[api], strict=True)) for api in MODELS}
    return {
        "traffic": {"intercept": [{"hosts": [host], **aim} for host in (OPENAI, ANTHROPIC)]},
        "pii": {"entities": "all", "ner": {"model": "off"}},
        "callers": {
            "callers": [{"match": {"header": {TEAM_HEADER: "^(?P<team>[a-z]+)$"}}}],
            "session": [NUMBER_HEADER],
        },
        "prices": {"prices": [{"provider": api, "model": "*"} | price[api] for api in MODELS]},
        "budgets": {
            "hold": hold,
            "budgets": [
                {"name": "all", "scope": "all", "limit_usd": 1_000_000},
                {"name": "key", "scope": "api_key", "limit_usd": 1000, "window": "day"},
                {"name": "tokens", "scope": "api_key", "limit_tokens": 1_000_000_000},
                {"name": "tight", "scope": "team", "only": {"team": "tight"}, "limit_usd": TIGHT_USD},
            ],
        },
        "routes": {
            "upstreams": known,
            "routes": [route(api, name, model) for api, models in MODELS.items() for name, model in models.items()],
        },
    }
