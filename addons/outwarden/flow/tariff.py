"""What a call costs: by the price of the model that was asked for, by the provider's own word, or by what was seen."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from outwarden.errors import PriceUnknown
from outwarden.flow.bounds import TRANSCRIPTION
from outwarden.pricing import Price, PriceBook, nano, reported_tier, service_tier

if TYPE_CHECKING:
    from outwarden.flow.state import CallState
    from outwarden.routing import Upstream
    from outwarden.wire.usage import Usage

logger = logging.getLogger(__name__)

# Operations of which providers have a price list of their own, for work that may take a day.
BATCHES = frozenset({"batches", "message_batches"})


class Tariff:
    """The price of one call. ``price`` and ``upstream``: of the attempt that is paid for now.

    ``units``: what the call may use beside tokens.
    """

    def __init__(self, state: CallState, prices: PriceBook, units: Usage) -> None:
        self.price: Price | None = None
        self.upstream: Upstream | None = None
        self._state = state
        self._prices = prices
        self._units = units
        self._tier = service_tier(state.body.data) if state.body else None
        if state.operation.name in BATCHES:
            self._tier = self._tier or "batch"

    def let_go(self) -> None:
        """The call is not asked any more."""
        del self._state

    def asked(self, upstream: Upstream | None) -> tuple[str, str | None]:
        """Provider and model of an attempt."""
        state = self._state
        provider = upstream.provider if upstream else state.host.provider
        return provider, state.trip.model_at(upstream) if state.trip else state.model

    def at(self, upstream: Upstream | None, *, must_know: bool) -> Price | None:
        """The price there. None where nobody knows it, and nobody must; raises PriceUnknown where somebody must."""
        if upstream and upstream.price:
            return Price.flat(*upstream.price)
        try:
            if self._state.operation.name == TRANSCRIPTION:
                return self._prices.speech(*self.asked(upstream))
            provider, model = self.asked(upstream)
            model = None if self._state.facts.unbounded else model  # so much a token, but nobody knows of how many
            return self._prices.price(provider, model, service_tier=self._tier, units=self._units.units)
        except PriceUnknown:
            if must_know:
                raise
            return None

    def guessed(self, estimate: Usage) -> Usage:
        """Nothing was reported: what was seen, and what the model is sold by instead of tokens."""
        units = self._units.units
        priced = self.price.units if self.price else {}
        return estimate.filled({name: number for name, number in units.items() if name in priced})

    def counted(self, usage: Usage, estimate: Usage) -> Usage:
        """What was reported; where the price is for nothing of that, what can be told without: never at no cost."""
        price, asked = self.price, self._state.facts.asks
        if asked and not (usage.input_tokens or usage.output_tokens or usage.units):
            usage = usage.filled(asked.units)
        if price is None or not (missing := price.missing(usage)):
            return usage
        self._state.flagged["usage_unpriced"] += 1
        logger.warning("call %s used what has no price: %s", self._state.call_id, ", ".join(missing))
        guess = self.guessed(estimate)
        return replace(
            usage.filled(guess.units),
            input_tokens=max(usage.input_tokens, guess.input_tokens),
            output_tokens=max(usage.output_tokens, guess.output_tokens),
        )

    def cost(self, final: Usage | None) -> tuple[int, str]:
        """What the call costs: as the provider itself states it, unless the rules say what it costs; else by price."""
        if final is None:
            return 0, ""
        stated = final.stated_usd
        if not stated or self._is_ruled():
            return self._state.priced, "price" if self.price else ""
        return nano(stated), "provider"

    def _is_ruled(self) -> bool:
        own_price = self.upstream is not None and self.upstream.price is not None
        return own_price or self._prices.is_ruled(*self.asked(self.upstream))

    def priced(self, final: Usage) -> int:
        """The usage by price, on the tier that the reply names.

        Two models may have a price: the one that was asked for and the one that the reply names. Where they differ, the
        dearer holds: aliases move to other models, routers fall back, and xAI answers grok-3 to grok-3-fast, which
        costs more. Where nobody knows a price for the name that was asked for (a deployment of Azure), the other holds.
        """
        if self.price is None:
            return 0
        if self.upstream and self.upstream.price:
            return self.price.cost(final.whole)
        tier = reported_tier(final.tier) if final.tier else self._tier
        provider, asked = self.asked(self.upstream)
        names = {asked, self._state.served_model} - {None}
        known = [self._prices.known(provider, name, service_tier=tier, units=final.units) for name in names]
        own = max([price.cost(final) for price in known if price] or [self.price.cost(final)])
        others = [(self._prices.known(provider, model) or self.price, used) for model, used in final.others]
        return own + sum(price.cost(used) for price, used in others)
