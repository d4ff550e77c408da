"""A price and how a usage becomes money.

Inside, a rate is an exact fraction of nano-dollars per token ($1 per million tokens = 1,000 nano-dollars per token).
A cost is summed exactly and rounded **up** to whole nano-dollars **once**, at the very end: no residue, never short.
"""

from collections.abc import Mapping, Sequence
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
    """One entry of ``prices.yml``: ``model`` may hold ``*``. USD per million tokens; ``units``: see `unit_rate`.

    Without a price of tokens, those of the catalogue stay, if it has any.
    """

    provider: str
    model: str
    input_mtok: Decimal | None = None
    output_mtok: Decimal | None = None
    cached_input_mtok: Decimal | None = None
    cache_write_mtok: Decimal | None = None
    source: str = ""
    checked: str = ""
    units: Mapping[str, Decimal] = field(default_factory=dict)


# What rules and the catalogue price -> (the count of `Usage`, how many of them that is).
UNIT_PRICES = {
    "audio_hour": ("input_audio_ms", 3_600_000),
    "input_mchar": ("characters", 1_000_000),
    "page": ("pages", 1),
    "annotated_page": ("annotated_pages", 1),
    "image": ("images", 1),
    "video_second": ("video_seconds", 1),
    "search_unit": ("search_units", 1),
}


def unit_rate(name: str, usd_each: Decimal | Fraction) -> tuple[str, Fraction]:
    """(count of `Usage`, nano-dollars for one of it) of a price such as ``audio_hour``. Raises KeyError."""
    unit, many = UNIT_PRICES[name]
    return unit, Fraction(usd_each) * NANO / many


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
    cached_audio: Fraction
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
    upper bound only. ``file_search`` is like ``web_search``. ``units``: what else is sold, in nano-dollars for one of
    each count of `Usage`; ``by_tokens`` is False where tokens have no price, so that they are not for nothing.
    """

    tiers: tuple[tuple[int, Rates], ...]
    call: Fraction = Fraction(0)
    web_search: Fraction = Fraction(0)
    also: tuple["Price", ...] = ()
    file_search: Fraction = Fraction(0)
    units: Mapping[str, Fraction] = field(default_factory=dict)
    by_tokens: bool = True
    _unit: int = field(init=False, repr=False, compare=False)  # all rates are whole numbers of 1/_unit nano-dollars
    _tiers: tuple[tuple[int, tuple[int, ...]], ...] = field(init=False, repr=False, compare=False)
    _call: int = field(init=False, repr=False, compare=False)
    _web_search: int = field(init=False, repr=False, compare=False)
    _file_search: int = field(init=False, repr=False, compare=False)
    _units: tuple[tuple[str, int], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rates = [self.call, self.web_search, self.file_search, *self.units.values()]
        rates += [rate for _, tier in self.tiers for rate in tier.values()]
        if not self.tiers or self.tiers[0][0] != 0 or min(rates) < 0:
            raise ValueError("a price needs a tier that starts at 0, and no negative rate")
        unit = lcm(*(rate.denominator for rate in rates))
        whole = tuple((above, tuple(int(rate * unit) for rate in tier.values())) for above, tier in self.tiers)
        for name, value in {"_unit": unit, "_tiers": whole, "_call": int(self.call * unit)}.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_web_search", int(self.web_search * unit))
        object.__setattr__(self, "_file_search", int(self.file_search * unit))
        object.__setattr__(self, "_units", tuple((name, int(rate * unit)) for name, rate in self.units.items()))

    @classmethod
    def flat(cls, input_mtok: Decimal, output_mtok: Decimal) -> "Price":
        """Make the price of a model with two rates, in USD per million tokens."""
        return cls(((0, Rates.of(per_token(input_mtok), per_token(output_mtok))),))

    def cost(self, usage: Usage) -> int:
        """Price one call, in nano-dollars, rounded up once.

        Each token is counted once: `Usage` totals include their parts, and where parts contradict the total, the
        dearer part goes first and the total wins. Speech that is counted by time stands beside the total.
        """
        plain, output, cached, write, write_1h, cached_audio, audio_in, audio_out, reasoning = self._rates(
            usage.input_tokens
        )
        rest = max(usage.input_tokens, 0)
        audio_tokens, rest = _take(usage.input_audio_tokens, rest)
        cached_audio_tokens, audio_tokens = _take(usage.cached_audio_tokens, audio_tokens)
        write_tokens, rest = _take(usage.cache_write_tokens, rest)
        cached_tokens, rest = _take(usage.cached_input_tokens - cached_audio_tokens, rest)
        hour_tokens, write_tokens = _take(usage.cache_write_1h_tokens, write_tokens)
        if "input_audio_ms" in self.units and usage.input_audio_ms:
            audio_tokens = cached_audio_tokens = 0  # sold by its time
        else:
            audio_tokens += max(usage.timed_tokens, 0)
        total = audio_tokens * audio_in + write_tokens * write + hour_tokens * write_1h + cached_tokens * cached
        total += rest * plain + cached_audio_tokens * cached_audio
        rest = max(usage.output_tokens, 0)
        audio_tokens, rest = _take(usage.output_audio_tokens, rest)
        reasoning_tokens, rest = _take(usage.reasoning_tokens, rest)
        total += audio_tokens * audio_out + reasoning_tokens * reasoning + rest * output
        total += self._call + max(usage.web_searches, 0) * self._web_search
        total += max(usage.file_searches, 0) * self._file_search + self._units_cost(usage)
        return -(-total // self._unit)

    def missing(self, usage: Usage) -> tuple[str, ...]:
        """The counts that a usage is made of and that have no price here; empty where tokens say what it costs."""
        tokens = usage.input_tokens or usage.output_tokens
        if tokens and self.by_tokens:
            return ()
        unpriced = tuple(name for name in usage.units if name not in self.units and not self._in_tokens(name))
        priced = len(unpriced) < len(usage.units)
        return () if priced else unpriced or (("tokens",) if tokens else ())

    def _in_tokens(self, unit: str) -> bool:
        """Sound counted by time has a price in tokens as well (`Usage.timed_tokens`)."""
        return unit == "input_audio_ms" and self.by_tokens

    def _units_cost(self, usage: Usage) -> int:
        return sum(max(getattr(usage, name), 0) * rate for name, rate in self._units)

    def upper_bound(
        self,
        input_tokens: int,
        output_tokens: int,
        *,
        web_searches: int = 0,
        audio: bool = True,
        hour_cache: bool = True,
        units: Usage | None = None,
    ) -> int:
        """Say what no call within these totals can pass, in nano-dollars; speech counted by time is part of the input.

        Every reachable tier, the dearest kind of token (cache writes and audio included) and every price in ``also``
        count. A caller that knows better may say so: ``audio=False`` (no audio either way), ``hour_cache=False`` (no
        cache entry that lives an hour, Anthropic's ``ttl: 1h``). ``units``: the most of all else, searches too.
        """
        if input_tokens < 0 or output_tokens < 0 or web_searches < 0:
            raise ValueError("token counts are never negative")
        tiers = [rates for above, rates in self._tiers if above == 0 or above < input_tokens]
        bounds = [
            self._tier_bound(rates, input_tokens, output_tokens, audio=audio, hour_cache=hour_cache) for rates in tiers
        ]
        total = max(bounds) + self._call + web_searches * self._web_search
        if units is not None:
            total += max(units.web_searches, 0) * self._web_search + max(units.file_searches, 0) * self._file_search
            total += self._units_cost(units)
        others = [
            price.upper_bound(
                input_tokens,
                output_tokens,
                web_searches=web_searches,
                audio=audio,
                hour_cache=hour_cache,
                units=units,
            )
            for price in self.also
        ]
        return max([-(-total // self._unit), *others])

    def _tier_bound(self, rates: tuple[int, ...], inputs: int, outputs: int, *, audio: bool, hour_cache: bool) -> int:
        plain, output, cached, write, write_1h, cached_audio, audio_in, audio_out, reasoning = rates
        sound = (audio_in, cached_audio) if audio else ()
        dearest_in = max(plain, cached, write, write_1h if hour_cache else 0, *sound)
        dearest_out = max(output, reasoning, audio_out if audio else 0)
        return inputs * dearest_in + outputs * dearest_out

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
