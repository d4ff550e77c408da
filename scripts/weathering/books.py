"""Whether ledger and audit log agree with what the upstreams served, when all is over."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from outwarden.audit import verify
from outwarden.budget import BudgetState, Ledger, open_store
from outwarden.rules import StateFolder
from replaying.process import Process
from weathering.calls import Api, Call
from weathering.judging import Kind
from weathering.upstreams import Served

# USD per million tokens, in and out. All differ, so that a cost tells whose it is.
PRICES: dict[str, tuple[float, float]] = {
    "openai": (2, 8),
    "anthropic": (3, 15),
    "spare": (0.2, 0.4),
    "cross": (0.5, 1.5),
}
TIGHT_USD = 0.5
NANO = 10**9

type Record = Mapping[str, Any]


def nano_usd(api: Api, served: Served) -> int:
    """What an answer cost by its own usage, in nano-dollars."""
    price = PRICES[api if served.upstream == "original" else served.upstream]
    return round(sum(used * rate * 1000 for used, rate in zip(served.fate.usage, price, strict=True)))


def states(process: Process) -> tuple[BudgetState, ...]:
    """How all accounts stand."""
    ledger = Ledger(open_store(StateFolder(process.state).database_url))
    try:
        return tuple(ledger.states())
    finally:
        ledger.close()


def wrong_with_totals(process: Process, records: Iterable[Record]) -> list[str]:
    """Holds that are open still, sums that differ, limits that were passed, a chain that does not hold."""
    wrong = list(verify(process.state / "audit.jsonl"))
    costs = [nano(record["cost_usd"]) for record in records]
    for state in states(process):
        name = f"budget {state.name} of {state.id}"
        if state.pending:
            wrong.append(f"{name}: {state.pending} {state.unit} are still held")
        if state.name == "all" and state.posted + state.debt != sum(costs):
            wrong.append(f"{name}: {state.posted + state.debt} posted, but the records sum up to {sum(costs)}")
        if state.debt:
            wrong.append(f"{name}: {state.debt} in debt")
        if state.posted + state.pending > state.limit:
            wrong.append(f"{name}: its limit was passed")
    return wrong


def wrong_with_call(call: Call, kind: Kind, records: list[Record], served: list[Served]) -> str:
    """What one call's record says that its upstreams do not, or the other way round; empty where nothing.

    ``kind``: what its client got.
    """
    if len(records) != 1:
        return f"{len(records)} records"
    record = records[0]
    attempts, cost = record["attempts"], nano(record["cost_usd"])
    if any(attempt["outcome"] == "pending" for attempt in attempts):
        return "an attempt has no outcome"
    sent = [attempt for attempt in attempts if attempt["outcome"] != "budget"]
    if len(served) > len(sent):
        return f"{len(served)} attempts came in, {len(sent)} are on record"
    if cost and not any(may_have_cost(attempt, record) for attempt in attempts):
        return f"{cost} nano-dollars for nothing"
    place = str(record["served"]["upstream"]).partition("-")[0]
    whole = [one for one in served if one.whole and one.upstream == place]
    if not attempts or attempts[-1]["outcome"] != "ok" or not whole or record["usage_source"] != "provider":
        return "an answer at no cost" if kind == "whole" and not cost else ""
    due = nano_usd(call.api, whole[-1])
    left = any(began(one) for one in served if one is not whole[-1])  # an answer that was left is paid beside it
    return "" if cost == due or (left and cost > due) else f"cost {cost}, but {due} are due"


def began(served: Served) -> bool:
    """Whether an answer may have come, of which none was whole."""
    return served.fate.script.status == 200 and served.received.sent_bytes > 0


def may_have_cost(attempt: Mapping[str, Any], record: Record) -> bool:
    """Whether the upstream of an attempt may have worked for it, for all that the interceptor can see."""
    if attempt["outcome"] in ("connect", "429", "5xx", "budget", "context_length"):
        return False
    return attempt["outcome"] != "client gone" or record["status"] is not None


def nano(usd: str) -> int:
    """Nano-dollars of a decimal string."""
    return int(Decimal(usd) * NANO)
