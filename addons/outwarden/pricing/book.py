"""Which price holds for a model: the rules first, then the catalogue, then the fallback, else nobody knows."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Literal

from outwarden.errors import PriceUnknown
from outwarden.pricing.price import Price, PriceRule, Rates, per_token, unit_rate

_ENTRIES_MAX = 4096  # distinct (provider, model, tier) remembered; hosts name models, so the set is open-ended
_FOREVER = float("inf")
_MINUTE = 60  # the catalogue's times of day are whole minutes

_Key = tuple[str, str | None, str | None]


class PriceBook:
    """Answer what a model costs.

    ``rules``: the first whose provider equals and whose model pattern matches (any case) wins. A rule states the base
    price; what the catalogue knows *relative* to its own base price (long context, service tier, cached, audio) keeps
    its proportion, unless the rule states it too. ``unknown``: ``refuse``, or (input, output) in USD per million
    tokens for what nobody knows.
    """

    def __init__(
        self,
        rules: Sequence[PriceRule] = (),
        unknown: Literal["refuse"] | tuple[Decimal, Decimal] = "refuse",
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._rules = tuple(rules)
        self._fallback = None if unknown == "refuse" else Price.flat(*unknown)
        self._clock = clock
        self._known: dict[_Key, tuple[float, Price | None]] = {}

    def warm(self) -> None:
        """Load the catalogue now (0.5 s and more), so that the first call need not wait for it."""
        self._find("openai", "gpt-4o", None, self._clock())

    def price(
        self, provider: str, model: str | None, *, service_tier: str | None = None, units: Collection[str] = ()
    ) -> Price:
        """Find the price of a model as its provider names it. Raises PriceUnknown.

        ``units``: what the call is counted in beside tokens; a model that is sold by something else has no price then.
        """
        key = (provider, model, service_tier)
        now = self._clock()
        known = self._known.get(key)
        if known is None or known[0] <= now:
            known = self._remember(key, now)
        found = known[1]
        if found is not None and not found.by_tokens and found.units.keys().isdisjoint(units):
            found = self._fallback
        if found is None:
            raise PriceUnknown(provider, model)
        return found

    def known(
        self, provider: str, model: str | None, *, service_tier: str | None = None, units: Collection[str] = ()
    ) -> Price | None:
        """Find the price of a model as `price` does; None where only the fallback would answer."""
        try:
            found = self.price(provider, model, service_tier=service_tier, units=units)
        except PriceUnknown:
            return None
        return None if found is self._fallback else found

    def speech(self, provider: str, model: str | None) -> Price:
        """Find the price of a model that writes down speech, sold by the token or by the hour (10 tokens a second).

        Raises PriceUnknown.
        """
        known = self.known(provider, model)
        if known is not None or not model:
            return known or self.price(provider, model)
        from outwarden.pricing import catalogue  # as in `_find`

        by_hour = catalogue.speech(provider, model, datetime.fromtimestamp(self._clock(), UTC))
        return by_hour or self.price(provider, model)

    def is_ruled(self, provider: str, model: str | None) -> bool:
        """Whether a rule of the user's own says what the model costs."""
        return model is not None and self._rule(provider, model) is not None

    def _remember(self, key: _Key, now: float) -> tuple[float, Price | None]:
        provider, model, service_tier = key
        expires, found = self._find(provider, model, service_tier, now) if model else (_FOREVER, None)
        if len(self._known) >= _ENTRIES_MAX:
            self._known.clear()
        self._known[key] = (expires, found or self._fallback)
        return self._known[key]

    def _find(self, provider: str, model: str, service_tier: str | None, now: float) -> tuple[float, Price | None]:
        from outwarden.pricing import catalogue  # not above: it brings pydantic, and `budget` only needs `Price`

        rule = self._rule(provider, model)
        entry = catalogue.find(provider, model)
        if entry is None:
            return _FOREVER, overlay(rule, None, None) if rule else None
        at = datetime.fromtimestamp(now, UTC)
        found = catalogue.price(*entry, service_tier, at)
        if rule:
            found = overlay(rule, catalogue.price(*entry, None, at), found)
        return (now // _MINUTE + 1) * _MINUTE if catalogue.changes(entry[1]) else _FOREVER, found

    def _rule(self, provider: str, model: str) -> PriceRule | None:
        provider, model = provider.lower(), model.lower()
        for rule in self._rules:
            if rule.provider.lower() == provider and fnmatchcase(model, rule.model.lower()):
                return rule
        return None


def overlay(rule: PriceRule, standard: Price | None, price: Price | None) -> Price:
    """Put a rule over the catalogue: ``standard`` is the model's base price, ``price`` the one in question."""
    units = dict(unit_rate(name, usd) for name, usd in rule.units.items())
    if rule.input_mtok is None or rule.output_mtok is None:
        kept = price or Price(((0, Rates.of(Fraction(0), Fraction(0))),), by_tokens=False)
        return replace(kept, units={**kept.units, **units})
    found = _in_tokens(rule, standard, price)
    return replace(found, units={**found.units, **units}) if units else found


def _in_tokens(rule: PriceRule, standard: Price | None, price: Price | None) -> Price:
    if standard is None or price is None or not price.by_tokens:
        return Price(((0, _stated(rule, None)),))
    base = standard.tiers[0][1]
    factors = [
        (new, new / old if old else None) for new, old in zip(_stated(rule, base).values(), base.values(), strict=True)
    ]
    return _scaled(price, factors)


def _stated(rule: PriceRule, base: Rates | None) -> Rates:
    """The base rates under a rule: its own, else the catalogue's proportion, else those of a plain token."""
    plain, output = per_token(rule.input_mtok or Decimal(0)), per_token(rule.output_mtok or Decimal(0))
    cached, write = (
        None if mtok is None else per_token(mtok) for mtok in (rule.cached_input_mtok, rule.cache_write_mtok)
    )
    if base is None or not base.input or not base.output:
        return Rates.of(plain, output, cached_input=cached, cache_write=write, cache_write_1h=write)
    by_input, by_output = plain / base.input, output / base.output
    write = base.cache_write * by_input if write is None else write
    return Rates(
        input=plain,
        output=output,
        cached_input=base.cached_input * by_input if cached is None else cached,
        cache_write=write,
        cache_write_1h=max(base.cache_write_1h * by_input, write),
        cached_audio=base.cached_audio * by_input,
        input_audio=base.input_audio * by_input,
        output_audio=base.output_audio * by_output,
        reasoning=base.reasoning * by_output,
    )


def _scaled(price: Price, factors: list[tuple[Fraction, Fraction | None]]) -> Price:
    tiers = tuple(
        (
            above,
            Rates(
                *(
                    new if factor is None else rate * factor
                    for rate, (new, factor) in zip(rates.values(), factors, strict=True)
                )
            ),
        )
        for above, rates in price.tiers
    )
    return replace(price, tiers=tiers, also=tuple(_scaled(other, factors) for other in price.also))
