"""The border to genai-prices: its catalogue entry becomes a `Price`. The only file that knows that library.

The catalogue comes with the package and is never updated over the network: what is charged today must be
reproducible tomorrow. What it says in other units (characters, hours, pages) holds for calls that are counted in them;
for others such a model is unknown. An entry without any price is unknown too, unless its id says ``:free``.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache

from genai_prices.data_snapshot import find_provider_by_id
from genai_prices.types import (
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from outwarden.pricing.price import MODEL_CHARACTERS_MAX, NANO, Price, Rates, highest, per_token, unit_rate
from outwarden.wire.usage import SOUND_TOKENS_PER_S

# Where a model is searched with but the catalogue has no search price: its dearest one ($35 per 1,000, Gemini 2.5).
_WEB_SEARCH_UNPRICED = Fraction(35 * NANO, 1000)
# Likewise for a search in the caller's own files: $2.50 per 1,000 calls, what OpenAI takes for every model.
_FILE_SEARCH_UNPRICED = Fraction(5 * NANO, 2000)
# What the catalogue says in other units than tokens -> what `UNIT_PRICES` calls it, and how many of those it is for.
_UNITS = {
    "audio_hours": ("audio_hour", 1),
    "input_audio_hours": ("audio_hour", 1),
    "input_mchars": ("input_mchar", 1),
    "input_document_kpages": ("page", 1000),
    "input_annotated_document_kpages": ("annotated_page", 1000),
}
# What a model is sold by that writes down speech by the hour.
_HOURS = ("audio_hours", "input_audio_hours")
# Anthropic: a one-hour cache write costs twice the base input price.
# https://platform.claude.com/docs/en/build-with-claude/prompt-caching#pricing
_HOUR_CACHE_FACTOR = 2
# What the context values of the catalogue's price variants are called: OpenAI and Google speak of service_tier,
# Anthropic of speed, all of them of batch processing. Values never collide, so one word answers all three.
_FAST = "fast"  # up to six times the standard price: without a price of its own it is unknown, not standard
_TIER_KEYS = ("service_tier", "speed", "processing")


@cache
def _providers() -> list[Provider]:
    from genai_prices.data import providers  # 1.6 MB of Python: 0.3 s and more, so not at import

    return providers


@cache
def _provider(provider_id: str) -> Provider | None:
    return find_provider_by_id(_providers(), provider_id)


def find(provider: str, model: str) -> tuple[Provider, ModelInfo] | None:
    """Find the catalogue's entry for a model as a provider names it, or None. 10 to 1,500 µs: cache the answer."""
    if len(model) > MODEL_CHARACTERS_MAX or (found := _known_provider(provider)) is None:
        return None
    name = model.removeprefix("models/")  # Gemini's own resource name
    info = found.find_model(name, all_providers=_providers())
    return (found, info) if info else None


def _known_provider(provider: str) -> Provider | None:
    """Look up in the cache only what the catalogue knows, so that strange names cannot fill it."""
    if len(provider) > MODEL_CHARACTERS_MAX or find_provider_by_id(_providers(), provider) is None:
        return None
    return _provider(provider)


def context_window(provider: str, model: str) -> int | None:
    """Tell how many tokens the model can see, as far as the catalogue knows."""
    entry = find(provider, model)
    return entry[1].context_window if entry else None


def changes(info: ModelInfo) -> bool:
    """Whether the price of this model depends on the moment."""
    return any(_constraints(info))


def price(provider: Provider, info: ModelInfo, service_tier: str | None, at: datetime) -> Price | None:
    """Make the price that holds at a moment (aware), or None where tokens have no price.

    ``service_tier``: what the call asks for or the reply reports (``priority``, ``flex``, ``batch``, ``fast`` …); a
    value the catalogue does not know means the standard price, except ``fast``. The upper bound covers the standard
    price as well, and every price of the next 24 hours.
    """
    own = any(info is model for model in provider.models)  # a price borrowed from another provider has no tiers here
    context = dict.fromkeys(_TIER_KEYS, service_tier) if service_tier and own else {}
    if service_tier == _FAST and not (own and _sells(info, service_tier)):
        return None
    seen = [info.get_prices(at, context)]
    for moment in _moments(info, at):
        for prices in (info.get_prices(moment, context), info.get_prices(moment)):
            if not any(prices is known or prices == known for known in seen):
                seen.append(prices)
    current, *others = (_price(info, prices) for prices in seen)
    if current is None:
        return None
    also = tuple(other for other in others if other is not None)
    return replace(current, also=also) if also else current


def speech(provider: str, model: str, at: datetime) -> Price | None:
    """Make the price of a model that writes down speech and is sold by the hour; None where it is not."""
    entry = find(provider, model)
    stated = vars(entry[1].get_prices(at)) if entry else {}
    hour = highest([None if (usd := stated.get(key)) is None else Fraction(usd) for key in _HOURS])
    if hour is None:
        return None
    rate = hour * NANO / (3600 * SOUND_TOKENS_PER_S)
    return Price(((0, Rates.of(rate, rate)),))


def _sells(info: ModelInfo, tier: str) -> bool:
    return any(tier in variant.when.values() for variant in info.price_variants or ())


def _constraints(info: ModelInfo) -> Iterator[StartDateConstraint | TimeOfDateConstraint]:
    entries = [] if isinstance(info.prices, ModelPrice) else info.prices
    for entry in (*entries, *(info.price_variants or ())):
        if entry.constraint is not None:
            yield entry.constraint


def _moments(info: ModelInfo, at: datetime) -> Iterable[datetime]:
    """``at``, and each moment of the next 24 hours at which another price may begin."""
    at = at.astimezone(UTC)
    moments = {at}
    for constraint in _constraints(info):
        if isinstance(constraint, StartDateConstraint):
            edges = [datetime.combine(constraint.start_date, time(), UTC)]
        else:
            edges = [_next(at, constraint.start_time), _next(at, constraint.end_time)]
        moments.update(edge for edge in edges if at < edge <= at + timedelta(days=1))
    return sorted(moments)


def _next(at: datetime, clock_time: time) -> datetime:
    moment = datetime.combine(at.date(), clock_time.replace(tzinfo=clock_time.tzinfo or UTC)).astimezone(UTC)
    return moment if moment > at else moment + timedelta(days=1)


def _price(info: ModelInfo, prices: ModelPrice) -> Price | None:
    stated = {key: value for key, value in vars(prices).items() if value is not None}
    if not stated:
        return Price.flat(Decimal(0), Decimal(0)) if info.id.endswith(":free") else None
    units = _units(stated)
    starts = {tier.start for value in stated.values() if isinstance(value, TieredPrices) for tier in value.tiers}
    tiers = []
    for start in sorted({0, *starts}):
        if (rates := _rates(stated, start)) is None:
            return _by_units(units)
        tiers.append((start, rates))
    searches = _at(stated.get("web_searches_kcount"), 0)
    files = _at(stated.get("storage_searches_kcount"), 0)
    return Price(
        tuple(tiers),
        call=Fraction(_at(stated.get("requests_kcount"), 0) or 0) * NANO / 1000,
        web_search=_WEB_SEARCH_UNPRICED if searches is None else Fraction(searches) * NANO / 1000,
        file_search=_FILE_SEARCH_UNPRICED if files is None else Fraction(files) * NANO / 1000,
        units=units,
    )


def _by_units(units: Mapping[str, Fraction]) -> Price | None:
    """The price of a model that is not sold by tokens; None where it is sold by nothing that is counted here."""
    return Price(((0, Rates.of(Fraction(0), Fraction(0))),), units=units, by_tokens=False) if units else None


def _units(stated: Mapping[str, Decimal | TieredPrices]) -> dict[str, Fraction]:
    """What one of each other unit costs; of two prices for the same the dearer."""
    rates: dict[str, Fraction] = {}
    for key, (name, many) in _UNITS.items():
        value = _at(stated.get(key), 0)
        if value is not None:
            unit, rate = unit_rate(name, Fraction(value) / many)
            rates[unit] = max(rate, rates.get(unit, rate))
    return rates


def _rates(stated: dict[str, Decimal | TieredPrices], start: int) -> Rates | None:
    """The rates of an input just above ``start`` tokens; None where neither input nor output has a token price."""

    def rate(*keys: str) -> Fraction | None:
        values = (_at(stated.get(f"{key}_mtok"), start) for key in keys)
        return highest([None if value is None else per_token(value) for value in values])

    plain, output = rate("input", "input_text", "input_image"), rate("output", "output_text", "output_image")
    plain = rate("input_audio", "input_video") if plain is None else plain
    # Embeddings and classifiers state no output price and have no output; should one report some, it is not free.
    output = highest([plain if output is None else output, rate("output_video")])
    if plain is None or output is None:
        return None
    write = rate("cache_write", "cache_write_5m")
    write_1h = rate("cache_write_1h")
    if write_1h is None and write is not None:
        write_1h = max(write, plain * _HOUR_CACHE_FACTOR)
    return Rates.of(
        plain,
        output,
        cached_input=rate("cache_read", "cache_image_read"),
        cache_write=write,
        cache_write_1h=write_1h,
        cached_audio=highest([rate("cache_audio_read")]) or rate("input_audio"),
        input_audio=rate("input_audio"),
        output_audio=rate("output_audio"),
        reasoning=rate("output_reasoning"),
    )


def _at(value: Decimal | TieredPrices | None, start: int) -> Decimal | None:
    """The value that holds for an input of more than ``start`` tokens."""
    if not isinstance(value, TieredPrices):
        return value
    found = value.base
    for tier in value.tiers:
        if tier.start <= start:
            found = tier.price
    return found
