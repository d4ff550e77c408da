"""A price and how a usage becomes money."""

from dataclasses import dataclass
from decimal import Decimal

NANO = 1_000_000_000  # nano-dollars per dollar: money is integers everywhere behind this room


@dataclass(frozen=True, slots=True)
class PriceRule:
    """One entry of ``prices.yml``: ``model`` may hold ``*``. USD per million tokens."""

    provider: str
    model: str
    input_mtok: Decimal
    output_mtok: Decimal
    cached_input_mtok: Decimal | None = None
    cache_write_mtok: Decimal | None = None
    source: str = ""
    checked: str = ""
