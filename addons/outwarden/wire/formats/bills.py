"""What a provider states beside the counts: the cost of the call, and the tier it was served on.

| provider                  | cost, in US dollars |
|---------------------------|---------------------|
| OpenRouter, Vercel, Avian | ``cost``; with ``is_byok`` that is the fee alone: upstream_inference_cost is added |
| Vercel, with surcharges   | ``gateway_cost``: ``cost`` and ``surcharge_cost`` together |
| xAI                       | ``cost_in_usd_ticks``, 10^10 to the dollar (docs.x.ai, cost tracking, read 2026-11) |
| Perplexity                | ``cost.total_cost`` |
| DeepInfra                 | ``estimated_cost`` |
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from outwarden.wire.formats.values import amount, mapping, number
from outwarden.wire.usage import Usage

Raw = Mapping[str, Any]
_TICKS = Decimal(10_000_000_000)  # xAI's, to the dollar
_TIER_CHARACTERS_MAX = 20
# What Vertex AI calls its tiers (``TrafficType``, its reference, read 2026-11); its clients ask for them in a header.
_TRAFFIC = {"on_demand_priority": "priority", "on_demand_flex": "flex"}


def stated_cost(raw: Raw) -> Decimal | None:
    """What the provider says that the call costs, in US dollars; None where it says nothing, or nothing sensible."""
    ticks = number(raw.get("cost_in_usd_ticks"))
    if ticks is not None and ticks > 0:
        return amount(str(ticks / _TICKS))
    cost = raw.get("gateway_cost") or raw.get("cost", raw.get("estimated_cost"))
    stated = amount(cost.get("total_cost") if isinstance(cost, dict) else cost)
    if stated is not None and raw.get("is_byok") is True:
        upstream = amount(mapping(raw.get("cost_details")).get("upstream_inference_cost"))
        return None if upstream is None else stated + upstream  # the fee alone is not what the call costs
    return stated


def on_tier(usage: Usage | None, source: Raw) -> Usage | None:
    """Note the price list that a reply says it was served on: beside the usage, or in it."""
    tier = tier_named(source)
    return replace(usage, tier=tier) if usage is not None and tier else usage


def tier_named(source: Raw) -> str:
    """The price list that an object names; empty where it names none.

    Anthropic's ``speed`` is a second list beside its tiers; where it is ``fast``, its price holds.
    """
    if source.get("speed") == "fast":
        return "fast"
    named = source.get("service_tier") or source.get("serviceTier")
    named = named or source.get("trafficType") or source.get("traffic_type")
    if not isinstance(named, str) or len(named) > _TIER_CHARACTERS_MAX:
        return ""
    tier = named.lower()
    return _TRAFFIC.get(tier, tier)
