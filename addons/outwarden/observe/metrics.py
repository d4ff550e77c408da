"""From audit records and budget states to metrics."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import chain, pairwise
from typing import Any

from outwarden.observe.exposition import Bounded, Counter, Histogram, gauge_lines

MODELS_MAX = 200  # more models than one fleet uses; each is about 20 short lines of text
NAMES_MAX = 200  # providers, upstreams, entities, verdicts: all named by rules or by our code, far fewer in practice
OVERHEAD_BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
TOKEN_KINDS = {
    "input_tokens": "input",
    "cached_input_tokens": "cached_input",
    "cache_write_tokens": "cache_write",
    "output_tokens": "output",
    "reasoning_tokens": "reasoning",
}


class Metrics:
    """Counts calls. Feed it each audit record once; ask it for text when it is scraped.

    A model gets a label of its own only once a provider answered for it (status below 400), so that a caller cannot
    fill the table with invented names.
    """

    def __init__(self) -> None:
        self._models = Bounded(MODELS_MAX)
        self._names = Bounded(NAMES_MAX)
        served = ("provider", "model")
        self._calls = Counter("outwarden_calls_total", "Calls, by what became of them.", (*served, "verdict"))
        self._refusals = Counter("outwarden_refusals_total", "Calls that were refused, by the rule.", ("rule",))
        self._flags = Counter("outwarden_flags_total", "What calls were flagged for, by what or which rule.", ("flag",))
        self._cost = Counter("outwarden_cost_usd_total", "What calls cost, in US dollars.", served)
        self._tokens = Counter(
            "outwarden_tokens_total",
            "Tokens; input includes cached_input and cache_write, output includes reasoning.",
            (*served, "kind"),
        )
        self._redactions = Counter(
            "outwarden_redactions_total", "Findings of personal data acted on.", ("entity", "direction")
        )
        self._restored = Counter("outwarden_restored_total", "Placeholders turned back into the caller's own values.")
        self._failovers = Counter(
            "outwarden_failovers_total", "Calls moved from one upstream to another.", ("from", "to")
        )
        self._attempts = Counter("outwarden_attempts_total", "Attempts at upstreams.", ("upstream", "outcome"))
        self._overhead = Histogram(
            "outwarden_overhead_seconds", "Time a call spent in the interceptor itself.", OVERHEAD_BOUNDS_S
        )

    def record(self, record: Mapping[str, Any]) -> None:
        """Count one audit record. Missing or null fields count nothing."""
        provider, model = self._served(record)
        self._calls.add(1, provider, model, self._names.label(record.get("verdict")))
        if record.get("verdict") == "refused":
            self._refusals.add(1, self._names.label(record.get("rule")))
        for flag, count in (record.get("flagged") or {}).items():
            self._flags.add(int(count), self._names.label(flag))
        self._cost.add(_dollars(record.get("cost_usd")), provider, model)
        usage = record.get("usage") or {}
        for key, kind in TOKEN_KINDS.items():
            if usage.get(key):
                self._tokens.add(int(usage[key]), provider, model, kind)
        self._count_redactions(record.get("redactions") or {})
        self._restored.add(int(record.get("restored") or 0))
        self._count_attempts(record.get("attempts") or ())
        overhead_ms = (record.get("ms") or {}).get("overhead")
        if overhead_ms is not None:
            self._overhead.observe(float(overhead_ms) / 1000)

    def text(self, budgets: Sequence[Mapping[str, Any]] = (), in_flight_bytes: int | None = None) -> str:
        """Everything in the Prometheus text format.

        ``budgets`` are budget states as the contract's JSON; ``in_flight_bytes``: what is held of bodies.
        """
        families = (
            self._calls,
            self._refusals,
            self._flags,
            self._cost,
            self._tokens,
            self._redactions,
            self._restored,
            self._failovers,
            self._attempts,
            self._overhead,
        )
        counted = chain.from_iterable(family.lines() for family in families)
        return "".join(f"{line}\n" for line in chain(counted, _in_flight(in_flight_bytes), _budgets(budgets)))

    def _served(self, record: Mapping[str, Any]) -> tuple[str, str]:
        served = record.get("served") or {}
        status = record.get("status")
        answered = isinstance(status, int) and status < 400
        model = served.get("model") or record.get("model")
        provider = served.get("provider") or record.get("provider")
        return self._names.label(provider), self._models.label(model, admit=answered)

    def _count_redactions(self, redactions: Mapping[str, Mapping[str, int]]) -> None:
        for direction in ("request", "response"):
            for entity, count in (redactions.get(direction) or {}).items():
                self._redactions.add(int(count), self._names.label(entity), direction)

    def _count_attempts(self, attempts: Sequence[Mapping[str, Any]]) -> None:
        upstreams = [self._names.label(attempt.get("upstream")) for attempt in attempts]
        for upstream, attempt in zip(upstreams, attempts, strict=True):
            self._attempts.add(1, upstream, self._names.label(attempt.get("outcome")))
        for left, taken in pairwise(upstreams):
            if left != taken:
                self._failovers.add(1, left, taken)


def used_share(state: Mapping[str, Any]) -> float:
    """How much of its limit an account has used, pending and debt included; 1.0 is full, a limit of 0 is full."""
    for unit in ("usd", "tokens", "requests"):
        if state.get(f"limit_{unit}") is not None:
            limit = Decimal(str(state[f"limit_{unit}"]))
            used = sum(
                (Decimal(str(state.get(f"{part}_{unit}") or 0)) for part in ("posted", "pending", "debt")), Decimal()
            )
            return float(used / limit) if limit else 1.0
    return 0.0


def _in_flight(held_bytes: int | None) -> Iterator[str]:
    if held_bytes is not None:
        yield from gauge_lines(
            "outwarden_bodies_in_flight_bytes", "Held of requests and of replies being collected.", [({}, held_bytes)]
        )


def _budgets(states: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Gauges per budget, never per account: who the accounts belong to stays out of the metrics."""
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for state in states:
        by_name.setdefault(str(state["name"]), []).append(state)
    yield from gauge_lines(
        "outwarden_budget_used_ratio",
        "The fullest account of a budget: (posted + pending + debt) / limit.",
        (({"budget": name}, max(map(used_share, group))) for name, group in sorted(by_name.items())),
    )
    yield from gauge_lines(
        "outwarden_budget_accounts", "Accounts of a budget, by state.", _accounts_by_state(sorted(by_name.items()))
    )


def _accounts_by_state(
    groups: Iterable[tuple[str, list[Mapping[str, Any]]]],
) -> Iterator[tuple[dict[str, str], int]]:
    for name, group in groups:
        counts: dict[str, int] = {}
        for state in group:
            label = str(state.get("state"))
            counts[label] = counts.get(label, 0) + 1
        for label, count in sorted(counts.items()):
            yield {"budget": name, "state": label}, count


def _dollars(text: object) -> Decimal:
    """The record's decimal string; a record that carries no cost counts 0, a broken one is our own fault and raises."""
    if text is None:
        return Decimal()
    try:
        return Decimal(str(text))
    except InvalidOperation:
        raise ValueError("cost_usd of an audit record is not a decimal string") from None
