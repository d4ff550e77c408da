"""Play exchanges through one running interceptor, one way after the other."""

import asyncio
import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outwarden.rules import load_rules, shipped_rules
from outwarden.simulate import Certificates, make_certificates
from outwarden.simulate.server import ProviderThread
from replaying.client import Client
from replaying.comparing import Outcome, Variant, compare, compare_usage
from replaying.exchanges import Exchange
from replaying.planting import Values, echo, planted, reply_bytes, stand_ins, values
from replaying.process import Process
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
Progress = Callable[[int], None]


def hosts_of(exchanges: Iterable[Exchange]) -> dict[str, tuple[str, str]]:
    """Provider and format of each recorded host: the shipped table's; hosts it lacks are read by their shape."""
    traffic = load_rules(shipped_rules()).traffic
    hosts: dict[str, tuple[str, str]] = {}
    for each in exchanges:
        known = traffic.find(each.host)
        added = (each.provider, "ollama" if each.provider == "ollama" else "generic")
        hosts[each.host] = (known.provider, known.format) if known else added
    return hosts


def rules_for(
    hosts: dict[str, tuple[str, str]], address: str, certificates: Certificates, pii: dict[str, Any]
) -> dict[str, Any]:
    """Rule files that take these hosts to the replay upstream."""
    aim = {"connect_to": address, "trust": str(certificates.ca)}
    intercept = [
        {"hosts": [host], "provider": provider, "format": format_} | aim
        for host, (provider, format_) in sorted(hosts.items())
    ]
    return {
        "traffic": {"intercept": intercept},
        "pii": pii,
        "budgets": {"budgets": [], "unknown_price": {"input_mtok": 1, "output_mtok": 1}},
    }


@dataclass(frozen=True, slots=True)
class Stage:
    """A replay upstream and the certificates it shows."""

    upstream: RecordedProvider
    certificates: Certificates
    hosts: dict[str, tuple[str, str]]

    def rules(self, pii: dict[str, Any]) -> dict[str, Any]:
        """Rule files that take every recorded host here."""
        return rules_for(self.hosts, self.upstream.address, self.certificates, pii)


@contextlib.contextmanager
def stage(folder: Path, exchanges: Sequence[Exchange]) -> Iterator[Stage]:
    """Let a replay upstream listen for these exchanges' hosts; ``folder`` keeps its certificates."""
    hosts = hosts_of(exchanges)
    certificates = make_certificates(folder, sorted(hosts))
    thread = ProviderThread(RecordedProvider(certificates))
    thread.start()
    try:
        yield Stage(thread.provider, certificates, hosts)  # type: ignore[arg-type]
    finally:
        thread.end()


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
    exchanges: Sequence[Exchange],
    variant: Variant,
    process: Process,
    upstream: RecordedProvider,
    *,
    workers: int = 8,
    done: Progress = lambda count: None,
) -> list[Outcome]:
    """Play every exchange in one way, in any order; ``done`` is told the number of each that is through."""
    outcomes: list[Outcome] = []
    work = iter(enumerate(sorted(exchanges, key=lambda each: each.host)))

    async def worker(client: Client) -> None:
        for number, exchange in work:
            if variant.planted:
                outcome = await _play_planted(exchange, number, variant, client, upstream)
            else:
                outcome = await _play(exchange, variant, client, upstream, exchange.body, None, None)
            if outcome is not None:
                outcomes.append(outcome)
            done(1)

    async with Client(process.url, process.ca, http2=variant.http == "2") as client:
        await asyncio.gather(*(worker(client) for _ in range(workers)))
    return outcomes


async def _play_planted(
    exchange: Exchange, number: int, variant: Variant, client: Client, upstream: RecordedProvider
) -> Outcome | None:
    drawn = values(number)
    body = planted(exchange.body, drawn.note())
    if body is None:
        return None
    said = echo(exchange) if exchange.status < 300 else None

    def reply(request: bytes) -> Reply:
        stood = stand_ins(request)
        if said is None or stood is None:
            return exchange.reply, None
        new, focus = said.said(stood)
        return reply_bytes(exchange, new), focus

    return await _play(exchange, variant, client, upstream, body, reply, drawn)


async def _play(
    exchange: Exchange,
    variant: Variant,
    client: Client,
    upstream: RecordedProvider,
    body: bytes,
    reply: Callable[[bytes], Reply] | None,
    planted_values: Values | None,
) -> Outcome:
    expected = Play(exchange, variant.cut, reply)
    upstream.expect(exchange.id, expected)
    try:
        got = await client.send(exchange, exchange.id, body)
    finally:
        upstream.forget(exchange.id)
    return compare(exchange, variant, expected, got, planted_values)


async def settle(outcomes: Sequence[Outcome], process: Process) -> None:
    """Compare with the audit, once it holds a record of every call."""
    calls = {each.call_id for each in outcomes if each.call_id}
    audits: dict[str, dict[str, Any]] = {}
    for _ in range(int(AUDIT_S)):
        audits = {record["call_id"]: record for record in process.records()}
        if audits.keys() >= calls:
            break
        await asyncio.sleep(1)
    for outcome in outcomes:
        audit = audits.get(outcome.call_id)
        if audit is None:
            outcome.problems.append("it has no audit record")
        compare_usage(outcome, audit)
