"""How many calls a budget refuses that had room for them: recorded calls against a cap of twice what they truly cost.

Every recorded call that reports its usage is played through the interceptor's own reading, pricing, purse and ledger,
without a network: held for, followed piece by piece where it streams, settled from the provider's usage. Calls come in
a shuffled order, so many at a time, and each ends after the others that are open had their turn. What is refused, or
cut, is a false refusal: all calls together cost half of the cap. Output limits are those of the recordings; a call
without one may write what its model can (`--limit N` gives those one).

`alone`: each call by itself in a budget of twice its own cost. The recordings are mostly short (a greeting costs a
hundred-thousandth of a dollar), where what providers add to a request and nobody can see weighs most; that row tells
how little is held, not how a budget for many calls behaves. `cents`: likewise, of the calls that cost a cent or more.
"""

import argparse
import json
import platform
import random
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "addons"))

from outwarden.budget import Account
from outwarden.errors import BodyError
from outwarden.flow.body import Body, classify
from outwarden.flow.bounds import WITHOUT_OUTPUT
from outwarden.flow.money import Purse
from outwarden.flow.services import Services
from outwarden.flow.state import CallState
from outwarden.flow.texts import rewrite_body
from outwarden.pricing import TokenCounter
from outwarden.wire.body import read_json
from outwarden.wire.format import Operation, RequestFacts
from outwarden.wire.formats import format_named
from outwarden.wire.stream import StreamRewriter
from outwarden.wire.traffic import Host
from outwarden.wire.usage import Usage
from replaying.exchanges import Exchange
from replaying.playing import hosts_of
from replaying.reading import read

ANY_PRICE = {"input_mtok": 3, "output_mtok": 15}  # of models that the catalogue does not know
MODES: dict[str, dict[str, Any]] = {
    "full": {"hold": "full"},
    "metered": {"hold": "metered"},
    "metered, whole: learnt": {"hold": "metered", "metered": {"whole": "learnt"}},
}
CENT = 10_000_000  # in nano-dollars
PIECE_BYTES = 512  # of a stream whose chunks were not recorded and that has no lines


class Unchanged:
    """Finds nothing in any text."""

    def edits(self, texts: Sequence[str]) -> list[Sequence[Any]]:
        return [()] * len(texts)

    def note(self, found: Any) -> None: ...

    def channel(self) -> "Unchanged":
        return self

    def feed(self, text: str) -> tuple[int, Sequence[Any]]:
        return len(text), ()

    def finish(self) -> Sequence[Any]:
        return ()


@dataclass(slots=True)
class Recorded:
    """A call as read from a recording; ``counted``: its output after each piece of a stream (none: it came whole)."""

    host: Host
    operation: Operation
    facts: RequestFacts
    body: Body
    tokens: int
    media_bytes: int
    usage: Usage
    counted: tuple[int, ...]
    cost: int = 0


def recorded(exchange: Exchange, host: Host, tokens: TokenCounter, limit: int | None) -> Recorded | None:
    """Read a recorded call; None: it is not billed, failed, or reports no usage."""
    format_ = format_named(host.format)
    path = unquote(exchange.target.partition("?")[0])
    operation = format_.identify(exchange.method, path)
    if exchange.status >= 400 or not (operation.known and operation.billable):
        return None
    try:
        body = classify(exchange.body, exchange.content_type)
        if body.json is None:
            return None
        facts = format_.read_request(operation, body.json)
        model = facts.model or operation.model
        encoding = tokens.encoding(host.provider, model)
        rules = format_.text_rules(operation)
        count = partial(tokens.count, encoding)
        read_body = rewrite_body(body, exchange.content_type, rules, Unchanged(), count=count)
        usage, counted = said(exchange, operation, host, count)
    except BodyError:
        return None
    if usage is None or not (usage.input_tokens or usage.output_tokens):
        return None
    if facts.output_limit is None and limit and operation.name not in WITHOUT_OUTPUT:
        facts = replace(facts, output_limit=limit)
    return Recorded(host, operation, facts, body, read_body.tokens, read_body.media_bytes, usage, counted)


def said(exchange: Exchange, operation: Operation, host: Host, count: Any) -> tuple[Usage | None, tuple[int, ...]]:
    """The usage that a reply reports, and its output after each piece of a stream."""
    format_, headers = format_named(host.format), dict(exchange.reply_headers)
    content_type = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    framing = format_.framing(operation, content_type, exchange.target)
    if framing is None:
        return format_.read_reply(operation, read_json(exchange.reply), headers).usage, ()
    stream = StreamRewriter(format_, operation, framing, Unchanged(), count=count)
    counted = []
    for piece in pieces(exchange):
        stream.feed(piece)
        counted.append(stream.counted)
    stream.flush()
    return stream.usage, tuple(counted)


def pieces(exchange: Exchange) -> Iterator[bytes]:
    """A stream as it came: by the recorded chunks, else event by event, else in pieces."""
    body, at = exchange.reply, 0
    if exchange.chunk_sizes:
        for size in exchange.chunk_sizes:
            yield body[at : at + size]
            at += size
    elif exchange.framing in ("sse", "ndjson"):
        yield from body.splitlines(keepends=True)
    else:
        yield from (body[at : at + PIECE_BYTES] for at in range(0, len(body), PIECE_BYTES))


def call_of(services: Services, one: Recorded) -> CallState:
    """A call of its own, as it stands when money is asked for."""
    state = CallState(services.engines.rules, one.host, format_named(one.host.format), one.operation)
    state.facts, state.body = one.facts, one.body
    state.body_tokens, state.media_bytes = one.tokens, one.media_bytes
    return state


def opened(folder: Path, limit_usd: str, mode: dict[str, Any]) -> Services:
    """Services with one budget for all."""
    (folder / "rules").mkdir(parents=True)
    budget = {"name": "cap", "scope": "all", "limit_usd": limit_usd, "window": "lifetime"}
    files: dict[str, Any] = {"budgets": {"budgets": [budget], "unknown_price": ANY_PRICE} | mode}
    files["pii"] = {"request": {"default": "allow"}, "entities": ["IP_ADDRESS"], "ner": {"model": "off"}}
    for name, content in files.items():
        (folder / "rules" / f"{name}.yml").write_text(json.dumps(content))
    return Services(folder / "rules", folder / "state")


def play(services: Services, one: Recorded, limit: int | None = None) -> Iterator[str]:
    """A call's life, a turn at a time; yields "" while it is open, then ``allowed``, ``refused`` or ``cut``."""
    state = call_of(services, one)
    purse = Purse(state, services.engines, services)
    if limit is not None:
        budget = replace(purse.accounts[0].budget, limit=limit)
        purse.accounts = (Account(budget, state.call_id, None, None),)
    if not purse.pay(None):
        yield "refused"
        return
    estimate = Usage(input_tokens=one.usage.input_tokens)
    for counted in one.counted:
        yield ""
        if not purse.follow(counted):
            purse.settle(None, may_be_billed=True, estimate=replace(estimate, output_tokens=purse.used_output(counted)))
            yield "cut"
            return
    yield ""
    purse.settle(one.usage, may_be_billed=True, estimate=estimate)
    one.cost = state.cost
    yield "allowed"


def together(services: Services, calls: Sequence[Recorded], parallel: int) -> Counter[tuple[str, bool]]:
    """Play calls, ``parallel`` open at a time, one turn each; counts (what became of it, whether it streams)."""
    outcomes: Counter[tuple[str, bool]] = Counter()
    waiting, running = deque(calls), deque[tuple[Recorded, Iterator[str]]]()
    while waiting or running:
        while waiting and len(running) < parallel:
            running.append((waiting[0], play(services, waiting.popleft())))
        one, life = running.popleft()
        if outcome := next(life):
            outcomes[outcome, bool(one.counted)] += 1
        else:
            running.append((one, life))
    return outcomes


def alone(services: Services, calls: Sequence[Recorded]) -> Counter[tuple[str, bool]]:
    """Play each call in a budget of its own, of twice its cost."""
    outcomes: Counter[tuple[str, bool]] = Counter()
    for one in calls:
        *_, outcome = play(services, one, 2 * one.cost)
        outcomes[outcome, bool(one.counted)] += 1
    return outcomes


def shown(outcomes: Counter[tuple[str, bool]]) -> str:
    """Refused and cut of all, of those that stream, and of those that come whole."""
    parts = []
    for kinds in ((True, False), (True,), (False,)):
        total = sum(count for (_, streams), count in outcomes.items() if streams in kinds)
        lost = sum(count for (what, streams), count in outcomes.items() if streams in kinds and what != "allowed")
        parts.append(f"{100 * lost / max(1, total):6.2f} % of {total:5d}")
    return "   ".join(parts)


def main() -> None:
    """Read, find the true costs, and try each way to hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="recordings (*.jsonl.gz)")
    parser.add_argument("--parallel", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--rounds", type=int, default=1, help="how often each call comes")
    parser.add_argument("--limit", type=int, help="the output limit of calls that name none")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    recording, tokens = read(options.folder), TokenCounter()
    hosts = {name: Host((name,), *speaks) for name, speaks in hosts_of(recording).items()}
    found = [recorded(each, hosts[each.host], tokens, options.limit) for each in recording.exchanges]
    calls = [one for one in found if one]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        services = opened(folder / "true", "1000000", MODES["full"])
        for one in calls:
            deque(play(services, one), maxlen=0)
        services.close()
        calls = [one for one in calls if one.cost]
        total = sum(one.cost for one in calls) * options.rounds
        streams = sum(bool(one.counted) for one in calls)
        print(f"{platform.machine()}, Python {platform.python_version()}: {len(calls)} of {len(found)} exchanges are")
        print(f"calls with a cost, {streams} of them streams; ${total / 1e9:.4f} together, in {options.rounds} rounds")
        print(f"{'hold':24} {'open':>5}   {'refused of all':>17} {'of streams':>19} {'of whole answers':>19}")
        for mode, rules in MODES.items():
            for parallel in options.parallel:
                order = calls * options.rounds
                random.Random(options.seed).shuffle(order)  # noqa: S311  # an order, no secret
                services = opened(folder / f"{mode} {parallel}", f"{2 * total / 1e9:.9f}", rules)
                outcomes = together(services, order, parallel)
                (state,) = services.ledger.states()
                passed = max(0, state.posted + state.debt - state.limit) / 1e9
                beyond = f"debt ${state.debt / 1e9:.4f}, cap passed by ${passed:.4f}"
                print(f"{mode:24} {parallel:5d}   {shown(outcomes)}   {beyond}")
                services.close()
            for name, least in (("alone", 0), ("cents", CENT)):
                services = opened(folder / f"{mode} {name}", "1", rules)
                print(f"{mode:24} {name}   {shown(alone(services, [one for one in calls if one.cost >= least]))}")
                services.close()


if __name__ == "__main__":
    main()
