"""What a usage costs, and what it can cost at most."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pricing.price import NANO, Price, Rates, usd
from outwarden.wire.usage import UNITS, Usage

MTOK = 1_000_000
COUNT = st.integers(0, 3 * MTOK)
RATE = st.integers(0, 200_000_000).map(lambda thousandths: Fraction(thousandths, 1000))
RATES = st.builds(Rates, *[RATE] * 9)

ANTHROPIC = Price(
    (
        (0, Rates.of(Fraction(3000), Fraction(15000), cached_input=Fraction(300), cache_write=Fraction(3750))),
        (200_000, Rates.of(Fraction(6000), Fraction(22500), cached_input=Fraction(600), cache_write=Fraction(7500))),
    )
)


@st.composite
def prices(draw: st.DrawFn, depth: int = 1) -> Price:
    starts = draw(st.sets(st.integers(1, 2 * MTOK), max_size=2))
    also = tuple(draw(st.lists(prices(depth=0), max_size=1))) if depth else ()
    tiers = tuple((start, draw(RATES)) for start in sorted({0, *starts}))
    units = draw(st.dictionaries(st.sampled_from(UNITS), RATE))
    return Price(tiers, call=draw(RATE), web_search=draw(RATE), also=also, file_search=draw(RATE), units=units)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Also usages whose parts contradict their totals."""
    names = Usage.__dataclass_fields__.keys() - {"raw", "web_searches"}
    return Usage(**{name: draw(COUNT) for name in sorted(names)}, web_searches=draw(st.integers(0, 5)))


def test_flat_price_is_exact() -> None:
    """$2.50 and $10 per million tokens: a million of each costs exactly $12.50, one input token 2,500 nano-dollars."""
    price = Price.flat(Decimal("2.5"), Decimal(10))
    assert price.cost(Usage(input_tokens=MTOK, output_tokens=MTOK)) == 12_500_000_000
    assert price.cost(Usage(input_tokens=1)) == 2500


def test_rounds_up_once() -> None:
    """A thousandth of a nano-dollar per token is summed exactly and rounded up at the end, not per token."""
    price = Price.flat(Decimal("0.000001"), Decimal("0.000001"))
    assert price.cost(Usage(input_tokens=1, output_tokens=1)) == 1
    assert price.cost(Usage(input_tokens=1000, output_tokens=1)) == 2
    assert price.cost(Usage()) == 0


def test_each_token_is_counted_once() -> None:
    """Cached and cache-write tokens are part of the input and are not charged as plain input as well."""
    usage = Usage(input_tokens=1000, cached_input_tokens=600, cache_write_tokens=300, output_tokens=10)
    assert ANTHROPIC.cost(usage) == 100 * 3000 + 600 * 300 + 300 * 3750 + 10 * 15000


def test_reasoning_is_part_of_the_output() -> None:
    """Reasoning tokens without a price of their own cost what output costs, once."""
    price = Price.flat(Decimal(1), Decimal(2))
    with_reasoning = Usage(output_tokens=100, reasoning_tokens=90)
    assert price.cost(with_reasoning) == price.cost(Usage(output_tokens=100)) == 200_000


def test_reasoning_audio_and_search_have_their_own_rates() -> None:
    """A separate reasoning, audio or search price replaces the plain one for just those tokens."""
    rates = Rates.of(
        Fraction(10), Fraction(20), reasoning=Fraction(3), input_audio=Fraction(100), output_audio=Fraction(200)
    )
    price = Price(((0, rates),), call=Fraction(7), web_search=Fraction(1000))
    usage = Usage(
        input_tokens=5,
        input_audio_tokens=2,
        output_tokens=9,
        output_audio_tokens=3,
        reasoning_tokens=4,
        web_searches=2,
    )
    assert price.cost(usage) == 7 + 2 * 1000 + 3 * 10 + 2 * 100 + 2 * 20 + 3 * 200 + 4 * 3


def test_hour_long_cache_writes_cost_more() -> None:
    """Of the cache-write tokens, those that live an hour are charged at their own rate."""
    rates = Rates.of(Fraction(1000), Fraction(1000), cache_write=Fraction(1250), cache_write_1h=Fraction(2000))
    price = Price(((0, rates),))
    usage = Usage(input_tokens=100, cache_write_tokens=30, cache_write_1h_tokens=10)
    assert price.cost(usage) == 70 * 1000 + 20 * 1250 + 10 * 2000


def test_whole_call_moves_to_the_long_context_tier() -> None:
    """Past the edge every token has the dearer rate; at the edge itself none has."""
    assert ANTHROPIC.cost(Usage(input_tokens=200_000)) == 200_000 * 3000
    assert ANTHROPIC.cost(Usage(input_tokens=200_001, output_tokens=1)) == 200_001 * 6000 + 22500


def test_impossible_usage_is_never_negative_nor_too_much() -> None:
    """More cached tokens than input (seen from Azure), or negative counts (seen from OpenAI), do not bend the sum."""
    price = Price.flat(Decimal(1), Decimal(1))
    assert price.cost(Usage(input_tokens=10, cached_input_tokens=161)) == 10_000
    assert price.cost(Usage(input_tokens=-5, output_tokens=-9, web_searches=-1, cached_input_tokens=-3)) == 0


def read(usage: Usage) -> int:
    """All input, speech that is counted by time included."""
    return usage.input_tokens + usage.timed_tokens


def test_speech_by_time_costs_ten_tokens_a_second() -> None:
    """At the rate of sound; a begun tenth of a second counts."""
    price = Price(((0, Rates.of(Fraction(1), Fraction(7), input_audio=Fraction(100))),))
    assert price.cost(Usage(input_audio_ms=3000)) == 3000
    assert price.cost(Usage(input_tokens=5, input_audio_ms=1)) == 105


@given(prices(), usages(), st.integers(0, 1000), st.integers(0, 1000))
def test_upper_bound_is_never_below_the_cost(price: Price, usage: Usage, more_in: int, more_out: int) -> None:
    """For every price and usage: no usage within the totals costs more than the bound."""
    bound = price.upper_bound(read(usage) + more_in, usage.output_tokens + more_out, web_searches=5, units=usage)
    assert price.cost(usage) <= bound


@given(prices(), usages())
def test_upper_bound_without_audio_and_hour_cache(price: Price, usage: Usage) -> None:
    """A caller who excludes audio and hour-long cache entries still gets a bound for all that is left."""
    plain = replace(usage, input_audio_tokens=0, output_audio_tokens=0, cache_write_1h_tokens=0, input_audio_ms=0)
    bound = price.upper_bound(
        plain.input_tokens,
        plain.output_tokens,
        web_searches=plain.web_searches,
        audio=False,
        hour_cache=False,
        units=plain,
    )
    assert price.cost(plain) <= bound


@given(prices(), usages())
def test_upper_bound_covers_the_other_prices(price: Price, usage: Usage) -> None:
    """The bound also holds if one of the alternative prices is charged."""
    bound = price.upper_bound(read(usage), usage.output_tokens, web_searches=usage.web_searches, units=usage)
    assert all(other.cost(usage) <= bound for other in price.also)


@given(usages())
def test_no_cost_exceeds_every_token_at_the_dearest_rate(usage: Usage) -> None:
    """Nothing is counted twice: with one rate for everything the cost is the totals, whatever the parts say."""
    price = Price.flat(Decimal(1), Decimal(1))
    assert price.cost(usage) == 1000 * (read(usage) + usage.output_tokens)


def test_bound_is_tight_where_all_rates_are_equal() -> None:
    """The bound of a flat price is the cost of exactly those totals: no hidden margin."""
    price = Price.flat(Decimal("2.5"), Decimal(10))
    assert price.upper_bound(123, 45) == price.cost(Usage(input_tokens=123, output_tokens=45))


def test_tier_edge_is_in_the_bound() -> None:
    """An input that may reach the long-context tier is bounded at that tier's rates (cache writes included)."""
    assert ANTHROPIC.upper_bound(200_001, 0) == 200_001 * 7500
    assert ANTHROPIC.upper_bound(200_000, 0) == 200_000 * 3750


def test_a_cheaper_tier_does_not_lower_the_bound() -> None:
    """Where more input is cheaper, the bound is that of the smaller input's rate."""
    price = Price(((0, Rates.of(Fraction(10), Fraction(10))), (100, Rates.of(Fraction(1), Fraction(1)))))
    assert price.upper_bound(1000, 0) == 10_000


@pytest.mark.parametrize(
    "tiers", [(), ((5, Rates.of(Fraction(1), Fraction(1))),), ((0, Rates.of(Fraction(-1), Fraction(1))),)]
)
def test_impossible_prices_are_refused(tiers: tuple[tuple[int, Rates], ...]) -> None:
    """No tier, no tier at 0, or a negative rate is an error when the price is made."""
    with pytest.raises(ValueError, match="tier"):
        Price(tiers)


def test_negative_totals_are_refused() -> None:
    """A bound of a negative number of tokens is a mistake of ours, not a small bound."""
    with pytest.raises(ValueError, match="negative"):
        Price.flat(Decimal(1), Decimal(1)).upper_bound(-1, 0)


@pytest.mark.parametrize(
    ("nano", "text"),
    [(0, "0"), (NANO, "1"), (50_000_000, "0.05"), (1, "0.000000001"), (200 * NANO, "200"), (-1_500_000_000, "-1.5")],
)
def test_usd_writes_exact_decimals(nano: int, text: str) -> None:
    """Nano-dollars become the shortest exact decimal string."""
    assert usd(nano) == text


@given(st.integers(-(10**20), 10**20))
def test_usd_loses_nothing(nano: int) -> None:
    """The string read back as a decimal is the same amount."""
    assert Decimal(usd(nano)) * NANO == nano
