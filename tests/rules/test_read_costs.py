"""The ways in which a rule file says what a token costs."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from outwarden.rules import Rules

Load = Callable[..., Rules]
Problems = Callable[..., list[str]]

HOUR = Decimal("1.296296297")  # $4.20 an hour at 900 tokens a second, per million tokens, rounded up
UPSTREAM = "upstreams: {a: {url: 'http://h', provider: p, format: openai, price: {%s}}}"


def test_an_hour_of_gpu(load: Load) -> None:
    """In prices and at an upstream; cached tokens keep a price of their own."""
    way = "gpu_hour_usd: 4.2, tokens_per_s: 900"
    rules = load(
        prices=f"prices: [{{provider: vllm, model: '*', {way}, cached_input_mtok: 0.1}}]", routes=UPSTREAM % way
    )

    (price,) = rules.prices
    assert (price.input_mtok, price.output_mtok, price.cached_input_mtok) == (HOUR, HOUR, Decimal("0.1"))
    assert rules.routes.upstreams["a"].price == (HOUR, HOUR)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("gpu_hour_usd: 4.2", "key 'tokens_per_s' is missing"),
        ("tokens_per_s: 900", "key 'gpu_hour_usd' is missing"),
        ("gpu_hour_usd: 4.2, tokens_per_s: 0", "tokens_per_s: expected a number above 0"),
        ("gpu_hour_usd: -1, tokens_per_s: 900", "gpu_hour_usd: expected a number of 0 or more"),
        (
            "gpu_hour_usd: 4.2, tokens_per_s: 900, input_mtok: 1",
            "'gpu_hour_usd' says already what a token costs",
        ),
        (
            "cost_model: {name: not-installed}",
            "cost model 'not-installed': none of that name installed (entry points 'outwarden.cost_models')",
        ),
        ("cost_model: {options: {}}", "key 'name' is missing"),
        ("cost_model: {name: a, options: [1]}", "options: expected keys and values"),
    ],
)
def test_what_is_wrong(said: str, problem: str, problems: Problems) -> None:
    """Told with its line, in both files."""
    one, other = sorted(problems(prices=f"prices:\n  - {{provider: a, model: b, {said}}}\n", routes=UPSTREAM % said))

    assert one.startswith(f"prices.yml:2: {problem}")
    assert other.startswith(f"routes.yml:1: {problem}")
