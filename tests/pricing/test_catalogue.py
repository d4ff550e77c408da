"""What the catalogue's entries become."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

from outwarden.pricing import catalogue
from outwarden.pricing.price import Price
from outwarden.wire.usage import Usage

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def priced(*prices: ModelPrice | ConditionalPrice, model: str = "m", at: datetime = NOW) -> Price | None:
    entries = prices[0] if isinstance(prices[0], ModelPrice) else list(prices)
    info = ModelInfo(model, ClauseEquals(model), prices=entries)  # type: ignore[arg-type]
    return catalogue.price(Provider("p", "P", "p", models=[info]), info, None, at)


def cost(price: Price | None, **usage: int) -> int:
    assert price is not None
    return price.cost(Usage(**usage))


def test_keys_with_different_tiers() -> None:
    """Each rate keeps its own edges; between two edges each is the one that holds there."""
    price = priced(
        ModelPrice(
            input_mtok=TieredPrices(Decimal(1), [Tier(100, Decimal(2))]),
            output_mtok=TieredPrices(Decimal(10), [Tier(200, Decimal(20))]),
        )
    )
    costs = [cost(price, input_tokens=tokens, output_tokens=1) for tokens in (100, 101, 200, 201)]
    assert costs == [100_000 + 10_000, 202_000 + 10_000, 400_000 + 10_000, 402_000 + 20_000]


def test_a_model_without_output_price() -> None:
    """An embedding has no output; should it report some, it costs what input costs rather than nothing."""
    price = priced(ModelPrice(input_mtok=Decimal("0.02")))
    assert cost(price, input_tokens=1000) == 20_000
    assert cost(price, output_tokens=1000) == 20_000


def test_a_price_per_request() -> None:
    """$12 per thousand requests is charged once per call and stands in the bound."""
    price = priced(ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(1), requests_kcount=Decimal(12)))
    assert cost(price) == 12_000_000
    assert price is not None
    assert price.upper_bound(0, 0) == 12_000_000


def test_hour_cache_without_a_price_costs_twice_the_input() -> None:
    """Where 5-minute cache writes are sold, a one-hour one is charged Anthropic's published factor of 2."""
    price = priced(ModelPrice(input_mtok=Decimal(3), output_mtok=Decimal(15), cache_write_mtok=Decimal("3.75")))
    assert cost(price, input_tokens=1, cache_write_tokens=1, cache_write_1h_tokens=1) == 6000


def test_free_only_by_name() -> None:
    """No prices at all means unknown; only an id that says so is free."""
    assert priced(ModelPrice()) is None
    assert cost(priced(ModelPrice(), model="m:free"), input_tokens=1000) == 0


def test_a_price_that_starts_within_a_day_is_in_the_bound() -> None:
    """A call held before midnight may be billed after it: tomorrow's dearer price bounds it, next week's does not."""
    today = ConditionalPrice(None, prices=ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(1)))

    def bound(start: datetime) -> int:
        dearer = ModelPrice(input_mtok=Decimal(5), output_mtok=Decimal(5))
        price = priced(today, ConditionalPrice(StartDateConstraint(start.date()), prices=dearer))
        assert cost(price, input_tokens=10) == 10_000
        assert price is not None
        return price.upper_bound(10, 0)

    assert bound(NOW + timedelta(days=1)) == 50_000
    assert bound(NOW + timedelta(days=7)) == 10_000


def test_time_of_day_across_midnight() -> None:
    """A window from 23:00 to 01:00 holds at 00:30 and not at noon, and noon's bound covers it."""
    base = ConditionalPrice(None, prices=ModelPrice(input_mtok=Decimal(1), output_mtok=Decimal(1)))
    hours = TimeOfDateConstraint(datetime(2026, 1, 1, 23).time(), datetime(2026, 1, 1, 1).time())
    night = ConditionalPrice(hours, prices=ModelPrice(input_mtok=Decimal(4), output_mtok=Decimal(4)))
    noon = priced(base, night)
    assert cost(noon, input_tokens=1) == 1000
    assert cost(priced(base, night, at=NOW.replace(hour=0, minute=30)), input_tokens=1) == 4000
    assert noon is not None
    assert noon.upper_bound(1, 0) == 4000


def test_context_window() -> None:
    """The catalogue tells context windows; None where it does not know the model."""
    assert catalogue.context_window("openai", "gpt-4o") == 128_000
    assert catalogue.context_window("openai", "no-such-model") is None
