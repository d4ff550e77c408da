"""Take values out of JSON that may be odd: every helper has an answer for every input and never raises."""

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any

# No single call costs as much; what claims to is an error, not a bill.
USD_MAX = Decimal(100_000)
# A thousand times the largest context window sold (1M tokens): a count above it is an error, not a bill.
TOKENS_MAX = 1_000_000_000


def mapping(value: object) -> dict[str, Any]:
    """The object itself, or an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """The list itself, or an empty one."""
    return value if isinstance(value, list) else []


def objects(value: object) -> Iterator[dict[str, Any]]:
    """The objects of a list; everything else in it is skipped."""
    return (item for item in items(value) if isinstance(item, dict))


def text(value: object) -> str | None:
    """A string that is not empty, or None."""
    return value if isinstance(value, str) and value else None


def number(value: object) -> int | None:
    """A whole number, also where it is spelled ``100.0`` or ``"100"`` (Google's int fields allow it); else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and isfinite(value):
        return int(value)
    if isinstance(value, str) and len(value) <= 19 and value.isascii() and value.isdigit():
        return int(value)
    return None


def count(value: object) -> int:
    """A token count: 0 for what is none, clamped to 0 … TOKENS_MAX (providers have sent -9)."""
    if value is None:
        return 0
    if type(value) is int and 0 <= value <= TOKENS_MAX:  # nearly always, and often: some streams count in each event
        return value
    return min(max(number(value) or 0, 0), TOKENS_MAX)


def amount(value: object) -> Decimal | None:
    """An amount of money as it is written (``0.00129``, ``"0.00129"``, ``1.2e-08``); None for what can be no bill."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > 40:
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and 0 <= found <= USD_MAX else None


def first_count(source: Mapping[str, Any], *keys: str) -> int:
    """The first non-zero count among ``keys``."""
    return next((n for key in keys if (n := count(source.get(key)))), 0)


def position(source: Mapping[str, Any], key: str = "index", default: int = 0) -> int:
    """An index that may be absent."""
    value = source.get(key)
    return value if isinstance(value, int) else default
