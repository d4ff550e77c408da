"""``prices.yml``: prices that come before the catalogue's."""

from outwarden.pricing.price import UNIT_PRICES, PriceRule
from outwarden.rules.nodes import Node
from outwarden.rules.read_costs import read_costs, states_tokens
from outwarden.rules.read_traffic import provider_name
from outwarden.rules.values import Keys, decimal, list_of, text


def read_prices(node: Node) -> tuple[PriceRule, ...]:
    """Read the file. Raises `NodeError`."""
    keys = Keys(node)
    prices = keys.get("prices", list_of(_read_price), ())
    keys.done()
    return prices


def _read_price(node: Node) -> PriceRule:
    """Tokens, other units, or both; half a price of tokens is none."""
    keys = Keys(node)
    units = {name: usd for name in UNIT_PRICES if (usd := keys.get(name, decimal, None)) is not None}
    model = keys.need("model", text)
    by_tokens = states_tokens(keys) or not any(name in keys for name in UNIT_PRICES)
    tokens = read_costs(keys, model) if by_tokens else None
    price = PriceRule(
        provider=keys.need("provider", provider_name),
        model=model,
        input_mtok=tokens.input_mtok if tokens else None,
        output_mtok=tokens.output_mtok if tokens else None,
        cached_input_mtok=keys.get("cached_input_mtok", decimal, None),
        cache_write_mtok=keys.get("cache_write_mtok", decimal, None),
        source=keys.get("source", text, ""),
        checked=keys.get("checked", text, ""),
        units=units,
    )
    keys.done()
    return price
