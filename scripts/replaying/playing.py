"""Play what was recorded through one running interceptor, one way after the other."""

import asyncio
import contextlib
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outwarden.rules import load_rules, shipped_rules
from outwarden.simulate import Certificates, make_certificates
from outwarden.simulate.certificates import MAX_NAMES
from outwarden.simulate.server import ProviderThread
from replaying import forms, grpc_calls
from replaying.client import Client, Got
from replaying.comparing import Outcome, Variant, compare, compare_usage
from replaying.exchanges import Exchange, provider_name
from replaying.planting import echo, planted, reply_bytes, stand_ins, values
from replaying.process import Process
from replaying.reading import Recording, Unplayed
from replaying.session_play import SESSION_HEADER, play_session
from replaying.sessions import Session
from replaying.upstream import Play, RecordedProvider, Reply

AUDIT_S = 30.0
# Looks for something that is nowhere, so whatever differs is our doing; the machinery is all in place.
NOTHING: dict[str, Any] = {
    "request": {"default": "mask"},
    "response": {"default": "mask"},
    "entities": ["NEVER_THERE"],
    "ner": {"model": "off"},
    "custom": [
        {
            "entity": "NEVER_THERE",
            "pattern": "zq-never-there-[0-9]{9}",
            "match": ["zq-never-there-123456789"],
            "no_match": ["x"],
        }
    ],
}
# Takes out all it finds in requests and lets new values in replies pass: what a reply is to be is then known exactly.
EVERYTHING: dict[str, Any] = {
    "request": {"default": "pseudonymize"},
    "response": {"default": "allow"},
    "restore": True,
    "entities": "all",
    "ner": {"model": "off"},
}
Hosts = Mapping[str, tuple[str, str]]  # provider and format


@dataclass(slots=True)
class Played:
    """What became of the records that were played in one way, and what was not played."""

    outcomes: list[Outcome] = field(default_factory=list)
    unplayed: list[Unplayed] = field(default_factory=list)

    def skip(self, record: Exchange | Session, reason: str, way: str = "") -> None:
        """Note that a record was not played."""
        self.unplayed.append(Unplayed(record.id, record.provider, record.endpoint, reason, way))


def hosts_of(recording: Recording) -> dict[str, tuple[str, str]]:
    """Provider and format of each recorded host: the shipped table's; hosts it lacks are read by their shape."""
    traffic = load_rules(shipped_rules()).traffic
    hosts: dict[str, tuple[str, str]] = {}
    for each in recording.to_read:
        known = traffic.find(each.host)
        by_shape = "ollama" if each.provider == "ollama" else "generic"
        speaks = each.speaks if isinstance(each, Session) else by_shape
        hosts[each.host] = (known.provider, known.format) if known else (provider_name(each.provider), speaks)
    return hosts


def rules_for(
    hosts: Hosts, address: str, certificates: Certificates, pii: dict[str, Any], *, grpc: str = "tunnel"
) -> dict[str, Any]:
    """Rule files that take these hosts to the replay upstream."""
    aim = {"connect_to": address, "trust": str(certificates.ca)}
    intercept = [
        {"hosts": [host], "provider": provider, "format": format_} | aim
        for host, (provider, format_) in sorted(hosts.items())
    ]
    return {
        "traffic": {"intercept": intercept, "grpc": grpc},
        "pii": pii,
        "callers": {"session": [SESSION_HEADER]},
        "budgets": {"budgets": [], "unknown_price": {"input_mtok": 1, "output_mtok": 1}},
    }


@dataclass(frozen=True, slots=True)
class Stage:
    """A replay upstream and the certificates it shows."""

    upstream: RecordedProvider
    certificates: Certificates
    hosts: Hosts

    def rules(self, *, planted: bool, pii: dict[str, Any] | None = None) -> dict[str, Any]:
        """Rule files that take every recorded host here: nothing is found, and gRPC passes; or all is, and it does not.

        A gRPC call cannot be read, so nothing can be taken out of one: where values are planted it is refused.
        """
        shipped, grpc = (EVERYTHING, "refuse") if planted else (NOTHING, "tunnel")
        return rules_for(self.hosts, self.upstream.address, self.certificates, pii or shipped, grpc=grpc)


@contextlib.contextmanager
def stage(folder: Path, recording: Recording) -> Iterator[Stage]:
    """Let a replay upstream listen for a recording's hosts; ``folder`` keeps its certificates."""
    hosts = hosts_of(recording)
    certificates = make_certificates(folder, sorted(hosts) or ["nobody.example"])
    thread = ProviderThread(RecordedProvider(certificates))
    thread.start()
    try:
        yield Stage(thread.provider, certificates, hosts)  # type: ignore[arg-type]
    finally:
        thread.end()


def fit_to_stage(recording: Recording) -> None:
    """Keep what one certificate has room for, and of the negatives those whose hosts nobody is to read."""
    room = set(list(recording.hosts)[:MAX_NAMES])
    traffic = load_rules(shipped_rules()).traffic
    for name in ("exchanges", "calls", "sessions", "negatives"):
        kept = []
        for each in getattr(recording, name):
            reason = ""
            if name != "negatives" and each.host not in room:
                reason = f"more than {MAX_NAMES} hosts"
            elif name == "negatives" and (each.host in recording.hosts or traffic.find(each.host)):
                reason = "said to be no model API, but its host is read"
            if reason:
                recording.unplayed.append(Unplayed(each.id, each.provider, each.endpoint, reason))
            else:
                kept.append(each)
        setattr(recording, name, kept)


@contextlib.contextmanager
def running(rules: dict[str, Any]) -> Iterator[Process]:
    """Run `outwarden run` under these rules, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="outwarden-replay-") as folder:
        process = Process(Path(folder), rules).start()
        try:
            yield process
        finally:
            if process.alive:
                process.stop()


async def play(
    records: Sequence[Exchange | Session],
    variant: Variant,
    process: Process,
    upstream: RecordedProvider,
    *,
    workers: int = 8,
    done: Callable[[], None] = lambda: None,
) -> Played:
    """Play every record in one way, in any order; ``done`` is called behind each."""
    played = Played()
    numbered = enumerate(sorted(records, key=lambda each: each.host))

    async def worker(client: Client) -> None:
        for number, record in numbered:
            try:
                await _play(record, number, _Way(variant, client, upstream, process), played)
            except Exception as problem:  # the others go on; this one is told of by its name
                place = traceback.extract_tb(problem.__traceback__)[-1]
                played.skip(record, f"the replay failed: {type(problem).__name__} in {place.name}", str(variant))
            done()

    async with Client(process.url, process.ca, http2=variant.http == "2") as client:
        await asyncio.gather(*(worker(client) for _ in range(workers)))
    return played


@dataclass(frozen=True, slots=True)
class _Way:
    """What playing takes."""

    variant: Variant
    client: Client
    upstream: RecordedProvider
    process: Process


async def _play(record: Exchange | Session, number: int, way: _Way, played: Played) -> None:
    """Play one record, or note why not."""
    if isinstance(record, Session):
        if way.variant.http != "1.1":
            played.skip(record, "a WebSocket begins with HTTP/1.1", way.variant.kind)
            return
        outcome = await play_session(record, number, way.variant, way.process, way.upstream.expect)
    elif record.framing == grpc_calls.FRAMING:
        if way.variant.http != "2":
            played.skip(record, "gRPC is spoken over HTTP/2", way.variant.kind)
            return
        outcome = await _play_call(record, number, way)
    elif way.variant.planted:
        outcome = await _play_planted(record, number, way)
    else:
        outcome = compare(record, way.variant, *await _send(Play(record, way.variant.cut), number, way), None)
    if outcome is None:
        played.skip(record, "it holds no text in which to plant something", way.variant.kind)
    else:
        played.outcomes.append(outcome)


async def _play_planted(exchange: Exchange, number: int, way: _Way) -> Outcome | None:
    drawn = values(number)
    body = planted(exchange.body, drawn.note()) or forms.planted(exchange.body, exchange.content_type, drawn.note())
    if body is None:
        return None
    said = echo(exchange) if exchange.status < 300 and exchange.expected_reply else None

    def reply(request: bytes) -> Reply:
        stood = stand_ins(request)
        if said is None or stood is None:
            return exchange.reply, None
        new, focus = said.said(stood)
        return reply_bytes(exchange, new), focus

    return compare(
        exchange, way.variant, *await _send(Play(exchange, way.variant.cut, reply), number, way, body), drawn
    )


async def _play_call(exchange: Exchange, number: int, way: _Way) -> Outcome:
    """gRPC: tunnelled, so every byte is as it was; or refused, so that nothing leaves."""
    play, got = await _send(Play(exchange, way.variant.cut), number, way)
    if not way.variant.planted:
        return compare(exchange, way.variant, play, got, None)
    outcome = Outcome(exchange, way.variant, got.call_id, refused="grpc_not_supported")
    kept = play.seen is None and got.grpc_status == grpc_calls.REFUSED
    outcome.check("caught", kept, f"it left, or was answered {got.status} {got.grpc_status}")
    return outcome


async def _send(play: Play, number: int, way: _Way, body: bytes | None = None) -> tuple[Play, Got]:
    name = str(number)
    way.upstream.expect(name, play)
    body = play.exchange.body if body is None else body
    try:
        got = await way.client.send(play.exchange, name, body)
        if got.problem == "LocalProtocolError":  # the client's own: another request broke the connection they shared
            got = await way.client.send(play.exchange, name, body)
        return play, got
    finally:
        way.upstream.forget(name)


async def settle(outcomes: Iterable[Outcome], process: Process) -> None:
    """Compare with the audit, once it holds a record of every call."""
    outcomes = list(outcomes)
    calls = {each.call_id for each in outcomes if each.call_id}
    records: list[dict[str, Any]] = []
    end = asyncio.get_running_loop().time() + AUDIT_S
    while asyncio.get_running_loop().time() < end:
        records = process.records()
        if {record["call_id"] for record in records} >= calls or not process.alive:
            break
        await asyncio.sleep(0.5)
    _settle(outcomes, records)


def _settle(outcomes: Iterable[Outcome], records: Sequence[Mapping[str, Any]]) -> None:
    calls = {record["call_id"]: record for record in records}
    sessions: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        sessions.setdefault(record["caller"].get("session") or "", []).append(record)
    for outcome in outcomes:
        audit = calls.get(outcome.call_id)
        if audit is None:
            outcome.problems.append("it has no audit record")
        elif outcome.session:
            audit = together(sessions.get(outcome.session, []))
        compare_usage(outcome, audit)


def together(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The records of one session as one: the first refusal, and all tokens.

    Its client goes at the end, when a response that speech might have begun may still be awaited: that is no refusal.
    """
    fine = ("allowed", "flagged", "client_gone")
    wrong = next((record for record in records if record["verdict"] not in fine), None)
    usages = [record["usage"] for record in records if record.get("usage_source") == "provider"]
    total = {name: sum(usage.get(name) or 0 for usage in usages) for name in ("input_tokens", "output_tokens")}
    return {
        "verdict": wrong["verdict"] if wrong else "allowed",
        "rule": wrong["rule"] if wrong else None,
        "usage": total,
    }
