"""``prices.yml``: exact prices per million tokens."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from outwarden.pricing.price import PriceRule
from outwarden.rules import Rules

Load = Callable[..., Rules]
Problems = Callable[..., list[str]]


def test_all_keys(load: Load) -> None:
    """A date stays the text that was written."""
    assert load(
        prices="""\
            prices:
              - provider: openai
                model: "gpt-4o*"
                input_mtok: 2.5
                output_mtok: 10
                cached_input_mtok: 1.25
                cache_write_mtok: 0
                source: https://prices.example/openai
                checked: 2026-11-01
            """
    ).prices == (
        PriceRule(
            "openai",
            "gpt-4o*",
            Decimal("2.5"),
            Decimal(10),
            Decimal("1.25"),
            Decimal(0),
            "https://prices.example/openai",
            "2026-11-01",
        ),
    )


def test_other_units(load: Load) -> None:
    """Time, characters, pages, pictures and searches, beside tokens or alone."""
    (alone, both) = load(
        prices="""\
            prices:
              - {provider: openai, model: dall-e-3, image: 0.04}
              - {provider: mistral, model: "ocr*", input_mtok: 1, output_mtok: 2, page: 0.001, audio_hour: 0.18}
            """
    ).prices
    assert alone == PriceRule("openai", "dall-e-3", units={"image": Decimal("0.04")})
    assert (both.input_mtok, both.output_mtok) == (Decimal(1), Decimal(2))
    assert both.units == {"page": Decimal("0.001"), "audio_hour": Decimal("0.18")}


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("{provider: a, model: b, input_mtok: 1}", "key 'output_mtok' is missing"),
        ("{provider: a, model: b, image: 1, input_mtok: 1}", "key 'output_mtok' is missing"),
        ("{provider: a, model: b, image: -1}", "image: expected a number of 0 or more"),
        ("{provider: a, model: b, input_mtok: -1, output_mtok: 1}", "input_mtok: expected a number of 0 or more"),
        ("{provider: a, model: b, input_mtok: 1, output_mtok: free}", "output_mtok: expected a number of 0 or more"),
        ("{provider: a, model: '', input_mtok: 1, output_mtok: 1}", "model: expected a value"),
        ("{provider: a, model: b, input_mtok: 1, output_mtok: 1, output_ktok: 1}", "unknown key 'output_ktok'"),
    ],
)
def test_what_is_wrong(entry: str, problem: str, problems: Problems) -> None:
    """Half a price is none."""
    (told,) = problems(prices=f"prices:\n  - {entry}\n")

    assert told.startswith(f"prices.yml:2: {problem}")
