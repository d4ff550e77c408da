"""``prices.yml``: prices that come before the catalogue's."""

from outwarden.pricing.price import PriceRule
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
    keys = Keys(node)
    price = PriceRule(
        provider=keys.need("provider", provider_name),
        model=keys.need("model", text),
        input_mtok=keys.need("input_mtok", decimal),
        output_mtok=keys.need("output_mtok", decimal),
        cached_input_mtok=keys.get("cached_input_mtok", decimal, None),
        cache_write_mtok=keys.get("cache_write_mtok", decimal, None),
        source=keys.get("source", text, ""),
        checked=keys.get("checked", text, ""),
    )
    keys.done()
    return price
