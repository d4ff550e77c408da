"""Which price list a call is on: ``service_tier`` (an object at Bedrock), Anthropic's ``speed``."""

from typing import Any

import re2  # type: ignore[import-untyped]

# As in `unseen`: the quotes of a key inside a JSON string are escaped, so text about tiers does not match.
_TIER: Any = re2.compile(rb'"(?:service_tier|serviceTier|speed)"\s*:\s*(?:\{\s*"type"\s*:\s*)?"([A-Za-z_]{1,20})"')
_STANDARD = frozenset({"auto", "default", "standard", "standard_only", "on_demand", "normal"})


def reported_tier(tier: str) -> str | None:
    """Read the tier that a reply's usage names, for `PriceBook.price`; None for the standard one."""
    return None if tier in _STANDARD else tier


def service_tier(body: bytes) -> str | None:
    """Read the tier that a JSON request asks for, or a JSON reply reports; None for the standard one.

    For `PriceBook.price`. Where a body names several (a tool's data may hold such a key too), the dearest is meant:
    ``fast``, then ``priority``, then any other.
    """
    found = {tier.decode().lower() for tier in _TIER.findall(body)} - _STANDARD
    for tier in ("fast", "priority"):
        if tier in found:
            return tier
    return min(found, default=None)
