"""``prices.yml``: prices that come before the catalogue's."""

from outwarden.pricing.price import UNIT_PRICES, PriceRule
from outwarden.rules.nodes import Node
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
    by_tokens = "input_mtok" in keys or "output_mtok" in keys or not any(name in keys for name in UNIT_PRICES)
    price = PriceRule(
        provider=keys.need("provider", provider_name),
        model=keys.need("model", text),
        input_mtok=keys.need("input_mtok", decimal) if by_tokens else None,
        output_mtok=keys.need("output_mtok", decimal) if by_tokens else None,
        cached_input_mtok=keys.get("cached_input_mtok", decimal, None),
        cache_write_mtok=keys.get("cache_write_mtok", decimal, None),
        source=keys.get("source", text, ""),
        checked=keys.get("checked", text, ""),
        units=units,
    )
    keys.done()
    return price
