"""A price and how a usage becomes money.

Inside, a rate is an exact fraction of nano-dollars per token ($1 per million tokens = 1,000 nano-dollars per token).
A cost is summed exactly and rounded **up** to whole nano-dollars **once**, at the very end: no residue, never short.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Self

from outwarden.wire.usage import Usage

NANO = 1_000_000_000  # nano-dollars per dollar: money is integers everywhere behind this room
MODEL_CHARACTERS_MAX = 256  # a longer model name is nobody's; keeps hostile names away from the patterns
_NANO_PER_MTOK = NANO // 1_000_000  # $1 per million tokens, in nano-dollars per token


def usd(nano: int) -> str:
    """Write nano-dollars as an exact decimal string of dollars: ``0.05``, ``200``, ``-0.000000001``."""
    dollars, rest = divmod(abs(nano), NANO)
    text = f"{dollars}.{rest:09d}".rstrip("0").rstrip(".")
    return f"-{text}" if nano < 0 else text


def nano(dollars: Decimal) -> int:
    """Turn dollars into nano-dollars, rounded up."""
    return -(-Fraction(dollars) * NANO // 1)


def per_token(usd_per_mtok: Decimal | Fraction) -> Fraction:
    """Turn USD per million tokens into nano-dollars per token, exactly."""
    return Fraction(usd_per_mtok) * _NANO_PER_MTOK


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


@dataclass(frozen=True, slots=True)
class Rates:
    """What one token of each kind costs, in nano-dollars. No kind is left out: what has no own price is given one.

    ``input`` and ``output`` are the tokens that are nothing more special. Images have no own count in `Usage`, so a
    model that sells text and images carries the dearer of the two there.
    """

    input: Fraction
    output: Fraction
    cached_input: Fraction
    cache_write: Fraction
    cache_write_1h: Fraction
    input_audio: Fraction
    output_audio: Fraction
    reasoning: Fraction

    @classmethod
    def of(cls, input_rate: Fraction, output_rate: Fraction, **special: Fraction | None) -> Self:
        """Fill in what is not stated: each special kind costs as much as the plain one."""
        plain = {f.name: output_rate if f.name.startswith(("out", "reas")) else input_rate for f in fields(cls)}
        return cls(**plain | {name: rate for name, rate in special.items() if rate is not None})

    def values(self) -> tuple[Fraction, ...]:
        """All rates, in the order of the fields."""
        return tuple(getattr(self, f.name) for f in fields(self))


@dataclass(frozen=True, slots=True)
class Price:
    """What a model charges: rates by size of the input, plus what a call and a web search cost.

    ``tiers``: (tokens, rates); the rates of the last tier whose tokens are *exceeded* by the whole input hold for the
    whole call. The first tier starts at 0 and also prices an empty input. ``call`` and ``web_search`` are nano-dollars
    each. ``also``: prices that may be charged instead (another hour of the day, the standard tier); they enter the
    upper bound only.
    """

    tiers: tuple[tuple[int, Rates], ...]
    call: Fraction = Fraction(0)
    web_search: Fraction = Fraction(0)
    also: tuple["Price", ...] = ()
    _unit: int = field(init=False, repr=False, compare=False)  # all rates are whole numbers of 1/_unit nano-dollars
    _tiers: tuple[tuple[int, tuple[int, ...]], ...] = field(init=False, repr=False, compare=False)
    _call: int = field(init=False, repr=False, compare=False)
    _web_search: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rates = [self.call, self.web_search, *(rate for _, tier in self.tiers for rate in tier.values())]
        if not self.tiers or self.tiers[0][0] != 0 or min(rates) < 0:
            raise ValueError("a price needs a tier that starts at 0, and no negative rate")
        unit = lcm(*(rate.denominator for rate in rates))
        whole = tuple((above, tuple(int(rate * unit) for rate in tier.values())) for above, tier in self.tiers)
        for name, value in {"_unit": unit, "_tiers": whole, "_call": int(self.call * unit)}.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_web_search", int(self.web_search * unit))

    @classmethod
    def flat(cls, input_mtok: Decimal, output_mtok: Decimal) -> "Price":
        """Make the price of a model with two rates, in USD per million tokens."""
        return cls(((0, Rates.of(per_token(input_mtok), per_token(output_mtok))),))

    def cost(self, usage: Usage) -> int:
        """Price one call, in nano-dollars, rounded up once.

        Each token is counted once: `Usage` totals include their parts, and where parts contradict the total, the
        dearer part goes first and the total wins. Speech that is counted by time stands beside the total.
        """
        plain, output, cached, write, write_1h, audio_in, audio_out, reasoning = self._rates(usage.input_tokens)
        rest = max(usage.input_tokens, 0)
        audio_tokens, rest = _take(usage.input_audio_tokens, rest)
        write_tokens, rest = _take(usage.cache_write_tokens, rest)
        cached_tokens, rest = _take(usage.cached_input_tokens, rest)
        hour_tokens, write_tokens = _take(usage.cache_write_1h_tokens, write_tokens)
        audio_tokens += max(usage.timed_tokens, 0)
        total = audio_tokens * audio_in + write_tokens * write + hour_tokens * write_1h + cached_tokens * cached
        total += rest * plain
        rest = max(usage.output_tokens, 0)
        audio_tokens, rest = _take(usage.output_audio_tokens, rest)
        reasoning_tokens, rest = _take(usage.reasoning_tokens, rest)
        total += audio_tokens * audio_out + reasoning_tokens * reasoning + rest * output
        total += self._call + max(usage.web_searches, 0) * self._web_search
        return -(-total // self._unit)

    def upper_bound(
        self,
        input_tokens: int,
        output_tokens: int,
        *,
        web_searches: int = 0,
        audio: bool = True,
        hour_cache: bool = True,
    ) -> int:
        """Say what no call within these totals can pass, in nano-dollars; speech counted by time is part of the input.

        Every reachable tier, the dearest kind of token (cache writes and audio included) and every price in ``also``
        count. A caller that knows better may say so: ``audio=False`` (no audio either way), ``hour_cache=False`` (no
        cache entry that lives an hour, Anthropic's ``ttl: 1h``).
        """
        if input_tokens < 0 or output_tokens < 0 or web_searches < 0:
            raise ValueError("token counts are never negative")
        bounds = [
            self._tier_bound(rates, input_tokens, output_tokens, web_searches, audio=audio, hour_cache=hour_cache)
            for above, rates in self._tiers
            if above == 0 or above < input_tokens
        ]
        others = [
            price.upper_bound(
                input_tokens, output_tokens, web_searches=web_searches, audio=audio, hour_cache=hour_cache
            )
            for price in self.also
        ]
        return max(max(bounds), *others) if others else max(bounds)

    def _tier_bound(
        self, rates: tuple[int, ...], inputs: int, outputs: int, searches: int, *, audio: bool, hour_cache: bool
    ) -> int:
        plain, output, cached, write, write_1h, audio_in, audio_out, reasoning = rates
        dearest_in = max(plain, cached, write, write_1h if hour_cache else 0, audio_in if audio else 0)
        dearest_out = max(output, reasoning, audio_out if audio else 0)
        total = inputs * dearest_in + outputs * dearest_out + self._call + searches * self._web_search
        return -(-total // self._unit)

    def _rates(self, input_tokens: int) -> tuple[int, ...]:
        rates = self._tiers[0][1]
        for above, tier in self._tiers[1:]:
            if input_tokens > above:
                rates = tier
        return rates


def _take(wanted: int, available: int) -> tuple[int, int]:
    """Split ``available`` into the part that is ``wanted`` and the rest; neither is ever negative."""
    taken = min(max(wanted, 0), available)
    return taken, available - taken


def highest(rates: Sequence[Fraction | None]) -> Fraction | None:
    """The dearest of the rates that are stated, or None."""
    return max((rate for rate in rates if rate is not None), default=None)
