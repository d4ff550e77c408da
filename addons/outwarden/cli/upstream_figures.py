"""What audit records tell of each upstream: calls, errors, how long the first content took, and what was spent."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil
from typing import Any, get_args

from outwarden.routing.routes import ORIGINAL, Failure

# An attempt that the budget denied was never made.
_FAILED = frozenset(get_args(Failure)) - {"budget"}
WAITS_MAX = 100_000  # the latest: quantiles of so many are those of all


@dataclass(slots=True)
class Figures:
    """Of one upstream. ``calls`` that it served, and their cost; ``attempts`` that it answered or failed."""

    calls: int = 0
    attempts: int = 0
    failed: int = 0
    spend_usd: Decimal = Decimal()
    waits_ms: deque[float] = field(default_factory=lambda: deque(maxlen=WAITS_MAX))

    def as_json(self) -> dict[str, Any]:
        """As `outwarden upstreams --json` shows them; None where nothing is known, money as a decimal string."""
        waits = sorted(self.waits_ms)
        return {
            "calls": self.calls,
            "attempts": self.attempts,
            "failed": self.failed,
            "error_rate": self.failed / self.attempts if self.attempts else None,
            "first_content_ms": {"p50": quantile(waits, 0.5), "p95": quantile(waits, 0.95)} if waits else None,
            "spend_usd": format(self.spend_usd, "f"),
        }


def quantile(ordered: list[float], share: float) -> float:
    """The least value that so large a share of ``ordered`` (not empty) does not exceed."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def figures_of(records: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], Figures]:
    """By name of upstream and, for ``original``, which is another place for each, by provider; else it is empty."""
    found: dict[tuple[str, str], Figures] = {}
    for record in records:
        if "call_id" not in record:
            continue  # an order, or a note of the audit log itself
        served, attempts = record.get("served") or {}, record.get("attempts") or ()
        last = served.get("upstream")
        for attempt in attempts:
            outcome, name = attempt.get("outcome"), str(attempt.get("upstream"))
            if outcome == "ok" or outcome in _FAILED:
                figures = found.setdefault(_key(name, record), Figures())
                figures.attempts += 1
                figures.failed += outcome in _FAILED
        if last:
            figures = found.setdefault(_key(str(last), record), Figures())
            figures.calls += 1
            figures.spend_usd += Decimal(str(record.get("cost_usd") or 0))
            if attempts and attempts[-1].get("outcome") == "ok":
                figures.waits_ms.append(_wait_ms(record, attempts))
    return found


def _key(name: str, record: Mapping[str, Any]) -> tuple[str, str]:
    return name, str(record.get("provider") or "") if name == ORIGINAL else ""


def _wait_ms(record: Mapping[str, Any], attempts: Any) -> float:
    """How long the upstream that served took: to its first content, or (whole answers) to its end."""
    first = (record.get("ms") or {}).get("first_content")
    if first is None:
        return float(attempts[-1].get("ms") or 0)
    return max(0.0, float(first) - sum(float(attempt.get("ms") or 0) for attempt in attempts[:-1]))
