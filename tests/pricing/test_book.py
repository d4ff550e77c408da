"""Which price holds: rules over the catalogue over the fallback, and never $0 for the unknown."""

import socket
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices.data import providers
from genai_prices.types import ModelPrice
from genai_prices.types import Usage as CatalogueUsage
from hypothesis import given
from hypothesis import strategies as st

from outwarden.errors import PriceUnknown
from outwarden.pricing import catalogue
from outwarden.pricing.book import PriceBook
from outwarden.pricing.price import Price, PriceRule
from outwarden.wire.usage import Usage

MTOK = 1_000_000
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
WHOLE = Usage(input_tokens=MTOK, output_tokens=MTOK)


def book(*rules: PriceRule, at: datetime = NOW) -> PriceBook:
    return PriceBook(rules, clock=at.timestamp)


def test_catalogue_price_of_a_known_model() -> None:
    """gpt-4o costs $2.50 and $10 per million tokens, cached input half."""
    price = book().price("openai", "gpt-4o")
    assert price.cost(WHOLE) == 12_500_000_000
    assert price.cost(Usage(input_tokens=1000, cached_input_tokens=1000)) == 1_250_000


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o-2024-08-06"),
        ("azure", "gpt-4o"),
        ("openrouter", "openai/gpt-4o"),
        ("google", "models/gemini-2.5-flash"),
        ("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0"),
        ("anthropic", "claude-sonnet-4-5-20250929"),
    ],
)
def test_names_as_providers_write_them(provider: str, model: str) -> None:
    """Dated names, resource names, regional names and other hosts' names are found."""
    assert book().price(provider, model).cost(WHOLE) > 0


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "no-such-model"),
        ("openai", None),
        ("openai", ""),
        ("nobody", "gpt-4o"),
        ("openai", "x" * 100_000),
        ("openai", "tts-1"),  # priced by characters: tokens do not tell what it costs
        ("openai", "whisper-1"),  # by the hour
        ("github-copilot", "gpt-4o"),  # in the catalogue without any price
    ],
)
def test_unknown_is_an_error_never_free(provider: str, model: str | None) -> None:
    """What tokens cannot price raises PriceUnknown, again and again."""
    prices = book()
    for _ in range(2):
        with pytest.raises(PriceUnknown):
            prices.price(provider, model)


def test_fallback_price_for_the_unknown() -> None:
    """With a fallback, the unknown costs that; what is known keeps its price."""
    prices = PriceBook((), (Decimal(15), Decimal(75)))
    assert prices.price("openai", "no-such-model").cost(WHOLE) == 90_000_000_000
    assert prices.price("openai", None).cost(WHOLE) == 90_000_000_000
    assert prices.price("openai", "gpt-4o").cost(WHOLE) == 12_500_000_000


def test_free_models_are_free() -> None:
    """A model the catalogue sells as ``:free`` costs nothing; that is a price."""
    assert book().price("openrouter", "openai/gpt-oss-120b:free").cost(WHOLE) == 0


def test_first_matching_rule_wins() -> None:
    """Rules are tried in order, any case; the provider must be the same."""
    prices = book(
        PriceRule("azure", "*", Decimal(7), Decimal(7)),
        PriceRule("openai", "GPT-4o*", Decimal(1), Decimal(2)),
        PriceRule("openai", "gpt-4o", Decimal(9), Decimal(9)),
    )
    assert prices.price("openai", "gpt-4o").cost(WHOLE) == 3_000_000_000
    assert prices.price("OpenAI", "Gpt-4o").cost(WHOLE) == 3_000_000_000


def test_rule_prices_a_model_nobody_knows() -> None:
    """A rule alone is enough: its own rates, and the plain one for what it does not state."""
    rule = PriceRule("vllm", "mixtral*", Decimal("0.2"), Decimal("0.4"), cached_input_mtok=Decimal("0.1"))
    price = book(rule).price("vllm", "mixtral-8x22b")
    assert price.cost(WHOLE) == 600_000_000
    assert price.cost(Usage(input_tokens=MTOK, cached_input_tokens=MTOK)) == 100_000_000
    assert price.cost(Usage(input_tokens=MTOK, cache_write_tokens=MTOK)) == 200_000_000


def test_rule_moves_what_the_catalogue_knows_relative_to_it() -> None:
    """At half the catalogue's price, cached tokens cost half as well: a rule states the base, not each kind."""
    price = book(PriceRule("openai", "gpt-4o", Decimal("1.25"), Decimal(5))).price("openai", "gpt-4o")
    assert price.cost(Usage(input_tokens=MTOK, cached_input_tokens=MTOK)) == 625_000_000
    assert price.cost(Usage(output_tokens=MTOK)) == 5_000_000_000


def test_rule_equal_to_the_catalogue_changes_nothing() -> None:
    """A rule that repeats the catalogue's base price leaves every cost as it was, service tiers included."""
    prices = book(PriceRule("openai", "gpt-4o*", Decimal("2.5"), Decimal(10)))
    for tier in (None, "priority", "flex"):
        expected = book().price("openai", "gpt-4o", service_tier=tier)
        assert prices.price("openai", "gpt-4o", service_tier=tier).cost(WHOLE) == expected.cost(WHOLE)


def test_rule_states_cache_prices_itself() -> None:
    """Cached and cache-write prices in a rule replace the catalogue's."""
    rule = PriceRule("anthropic", "claude-sonnet-4-5*", Decimal(3), Decimal(15), Decimal("0.2"), Decimal("4"))
    price = book(rule).price("anthropic", "claude-sonnet-4-5")
    assert price.cost(Usage(input_tokens=1000, cached_input_tokens=1000)) == 200_000
    assert price.cost(Usage(input_tokens=1000, cache_write_tokens=1000)) == 4_000_000


def test_long_context_tier() -> None:
    """Sonnet 4.5 past 200,000 input tokens costs twice the input rate for the whole call."""
    price = book().price("anthropic", "claude-sonnet-4-5")
    assert price.cost(Usage(input_tokens=200_000)) == 600_000_000
    assert price.cost(Usage(input_tokens=200_001)) == 200_001 * 6000


def test_service_tier_is_charged_and_bounded() -> None:
    """Priority costs more than standard; flex costs less, but its bound covers a call moved to standard."""
    prices = book()
    standard = prices.price("openai", "gpt-5.4")
    priority = prices.price("openai", "gpt-5.4", service_tier="priority")
    flex = prices.price("openai", "gpt-5.4", service_tier="flex")
    usage = Usage(input_tokens=1000, output_tokens=1000)
    assert flex.cost(usage) < standard.cost(usage) < priority.cost(usage)
    assert flex.upper_bound(1000, 1000) >= standard.cost(usage)
    assert prices.price("openai", "gpt-5.4", service_tier="auto").cost(usage) == standard.cost(usage)


def test_anthropic_fast_mode_and_batch() -> None:
    """Anthropic's speed and the batch discount are reached by the same word."""
    prices = book()
    standard = prices.price("anthropic", "claude-opus-5-5").cost(WHOLE)
    assert prices.price("anthropic", "claude-opus-5-5", service_tier="fast").cost(WHOLE) == 2 * standard
    assert prices.price("anthropic", "claude-opus-5-5", service_tier="batch").cost(WHOLE) < standard


def test_fast_mode_without_a_price_is_unknown() -> None:
    """Fast mode is several times dearer: where the catalogue has no price for it, the standard one is not taken."""
    with pytest.raises(PriceUnknown):
        book().price("anthropic", "claude-opus-4-6", service_tier="fast")


def test_time_of_day_prices() -> None:
    """DeepSeek's off-peak price is charged off-peak; the bound covers the peak, since the call may end there."""
    peak = book(at=datetime(2026, 11, 21, 2, tzinfo=UTC)).price("deepseek", "deepseek-flash")
    quiet = book(at=datetime(2026, 11, 21, 12, tzinfo=UTC)).price("deepseek", "deepseek-flash")
    assert quiet.cost(WHOLE) < peak.cost(WHOLE) <= quiet.upper_bound(MTOK, MTOK)


def test_a_remembered_price_follows_the_clock() -> None:
    """A book that runs through the edge of a price window changes with it."""
    now = [datetime(2026, 11, 21, 0, 59, 30, tzinfo=UTC).timestamp()]
    prices = PriceBook((), clock=lambda: now[0])
    before = prices.price("deepseek", "deepseek-flash").cost(WHOLE)
    now[0] += 60
    assert prices.price("deepseek", "deepseek-flash").cost(WHOLE) > before


def test_image_models_charge_the_dearer_kind() -> None:
    """Usage does not tell image tokens apart, so a model that draws is charged its image rate, never less."""
    price = book().price("google", "gemini-2.5-flash-image")
    assert price.cost(Usage(output_tokens=MTOK)) == 30_000_000_000


def test_searches_without_a_price_are_not_free() -> None:
    """A model without a search price is charged the catalogue's dearest one."""
    price = book().price("anthropic", "claude-3-haiku-20240307")
    assert price.cost(Usage(web_searches=1)) > 0


def test_never_touches_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prices are answered without opening a socket."""
    monkeypatch.setattr(socket, "socket", lambda *a, **k: pytest.fail("a socket was opened"))
    assert book().price("mistral", "mistral-large-latest").cost(WHOLE) > 0


def test_memory_is_bounded() -> None:
    """Hosts invent model names; the book forgets rather than grow."""
    prices = PriceBook((), (Decimal(1), Decimal(1)))
    for number in range(5000):
        prices.price("nobody", f"model-{number}")
    assert len(prices._known) <= 4096


def _catalogue_models() -> list[tuple[str, str]]:
    """Models with an unambiguous id that tokens price, with plain and cache prices only."""
    wanted = {"input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "web_searches_kcount"}
    found = []
    for provider in providers:
        for model in provider.models:
            prices = model.prices if isinstance(model.prices, ModelPrice) else None
            stated = {key for key, value in vars(prices).items() if value is not None} if prices else set()
            if {"input_mtok", "output_mtok"} <= stated <= wanted and provider.find_model(model.id) is model:
                found.append((provider.id, model.id))
    return found


@given(st.data(), st.integers(0, 500_000), st.integers(0, 500_000), st.integers(0, 500_000), st.integers(0, 9000))
def test_agrees_with_the_catalogues_own_arithmetic(
    data: st.DataObject, plain: int, cached: int, written: int, output: int
) -> None:
    """For hundreds of models our cost is genai-prices' exact price, rounded up to the next nano-dollar."""
    provider_id, model_id = data.draw(st.sampled_from(_MODELS))
    total = plain + cached + written
    price = book().price(provider_id, model_id)
    ours = price.cost(
        Usage(input_tokens=total, cached_input_tokens=cached, cache_write_tokens=written, output_tokens=output)
    )
    entry = catalogue.find(provider_id, model_id)
    assert entry is not None
    usage = CatalogueUsage(
        input_tokens=total, cache_read_tokens=cached, cache_write_tokens=written, output_tokens=output
    )
    theirs = entry[1].get_prices(NOW).calc_price(usage)["total_price"] * 10**9
    assert 0 <= ours - theirs < 1


def test_every_price_of_the_catalogue_is_priced_or_refused() -> None:
    """All 2,300 entries, all their times and variants: a price whose bound covers its cost, or None; no error."""
    usage = Usage(input_tokens=250_000, output_tokens=5_000, cached_input_tokens=50, cache_write_tokens=9)
    priced = 0
    for provider in providers:
        for model in provider.models:
            for tier in (None, "priority"):
                price = catalogue.price(provider, model, tier, NOW)
                if price is not None:
                    priced += 1
                    assert price.cost(usage) <= price.upper_bound(250_000, 5_000)
    assert priced > 4000


def test_fixed_price_helpers_agree() -> None:
    """`Price.flat` and a rule with the same numbers are the same price."""
    rule = PriceRule("vllm", "*", Decimal("0.2"), Decimal("0.4"))
    assert book(rule).price("vllm", "m") == Price.flat(Decimal("0.2"), Decimal("0.4"))


_MODELS = _catalogue_models()


def test_speech_sold_by_the_hour_has_a_price_where_it_is_written_down() -> None:
    """whisper-1 is $0.36 an hour, and unknown everywhere else: no text of a call could be priced by it."""
    hour = Usage(input_audio_ms=3_600_000)
    assert book().speech("openai", "whisper-1").cost(hour) == 360_000_000
    assert book().speech("azure", "gpt-realtime-whisper").cost(hour) == 1_020_000_000
    with pytest.raises(PriceUnknown):
        book().price("openai", "whisper-1")


@pytest.mark.parametrize(
    ("provider", "model", "used", "nano"),
    [
        ("openai", "tts-1", Usage(characters=2_000), 30_000_000),  # $15 per million
        ("openai", "whisper-1", Usage(input_audio_ms=90_000), 9_000_000),  # $0.36 an hour
        ("groq", "whisper-large-v3", Usage(input_audio_ms=3_600_000), 111_000_000),
        ("mistral", "mistral-ocr-2512", Usage(pages=3), 6_000_000),  # $2 per 1,000
        ("mistral", "mistral-ocr-2512", Usage(annotated_pages=3), 9_000_000),
    ],
)
def test_what_is_sold_by_other_units(provider: str, model: str, used: Usage, nano: int) -> None:
    """For a call that is counted in them the catalogue's price holds; for one that is not, nobody knows any."""
    price = book().price(provider, model, units=used.units)
    assert price.cost(used) == price.upper_bound(0, 0, units=used) == nano
    assert price.missing(used) == ()
    assert price.missing(Usage(input_tokens=5)) == ("tokens",)
    with pytest.raises(PriceUnknown):
        book().price(provider, model)
    with pytest.raises(PriceUnknown):
        book().price(provider, model, units={"search_units"})


def test_rules_price_other_units() -> None:
    """A rule's price of a unit stands alone, or beside the tokens that the catalogue or the rule itself prices."""
    alone = PriceRule("openai", "dall-e-3", units={"image": Decimal("0.04")})
    assert book(alone).price("openai", "dall-e-3", units={"images"}).cost(Usage(images=2)) == 80_000_000
    beside = PriceRule("cohere", "command-a*", units={"search_unit": Decimal("0.002")})
    price = book(beside).price("cohere", "command-a-03-2025")
    assert price.cost(Usage(search_units=3)) == 6_000_000
    assert price.cost(Usage(input_tokens=1000)) == book().price("cohere", "command-a-03-2025").cost(
        Usage(input_tokens=1000)
    )
    tokens = PriceRule("openai", "whisper-1", Decimal(20), Decimal(0))
    assert book(tokens).price("openai", "whisper-1").cost(Usage(input_audio_ms=1000)) == 200_000


def test_what_has_no_price_is_told() -> None:
    """Units that nobody prices are named, unless tokens say what the call costs."""
    flat = Price.flat(Decimal(1), Decimal(1))
    assert flat.missing(Usage(pages=2, search_units=1)) == ("pages", "search_units")
    assert flat.missing(Usage(images=1, input_tokens=5)) == ()
    assert flat.missing(Usage(input_audio_ms=5)) == ()
    assert flat.missing(Usage()) == ()


def test_file_searches_have_a_price() -> None:
    """$2.50 per 1,000, as the catalogue says of some models, and as the same provider takes for all others."""
    assert book().price("openai", "gpt-4o").cost(Usage(file_searches=2)) == 5_000_000
    assert book().price("anthropic", "claude-3-opus-latest").cost(Usage(file_searches=2)) == 5_000_000


def test_cached_sound_has_its_own_price() -> None:
    """What is both cached and sound is counted once, at the price of that."""
    price = book().price("google", "gemini-2.5-flash")
    sound = Usage(input_tokens=1000, cached_input_tokens=1000, input_audio_tokens=1000, cached_audio_tokens=1000)
    assert price.cost(sound) == 100_000  # $0.10 per million
    assert price.cost(replace(sound, cached_audio_tokens=0)) > 100_000


def test_speech_sold_by_the_token_is_priced_as_ever() -> None:
    """By the catalogue, or by a rule; what nobody knows is unknown, or costs what the rules say of such."""
    assert book().speech("openai", "gpt-4o-transcribe") == book().price("openai", "gpt-4o-transcribe")
    rule = PriceRule("openai", "whisper-1", Decimal(20), Decimal(0))
    assert book(rule).speech("openai", "whisper-1").cost(Usage(input_audio_ms=1000)) == 200_000
    for model in ("nobody-knows", None):
        with pytest.raises(PriceUnknown):
            book().speech("openai", model)
    unknown = PriceBook((), (Decimal(15), Decimal(75)), clock=NOW.timestamp)
    assert unknown.speech("openai", "nobody-knows").cost(Usage(input_tokens=1)) == 15_000
    assert unknown.speech("openai", "whisper-1").cost(Usage(input_audio_ms=1000)) == 100_000
