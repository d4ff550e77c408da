"""Which price list a body asks for."""

import pytest

from outwarden.pricing import PriceBook, service_tier
from outwarden.wire.usage import Usage


@pytest.mark.parametrize(
    ("body", "tier"),
    [
        (b"{}", None),
        (b'{"service_tier": "auto"}', None),
        (b'{"service_tier": null}', None),
        (b'{"service_tier": "standard_only"}', None),
        (b'{"service_tier":"priority"}', "priority"),
        (b'{"service_tier" : "Flex"}', "flex"),
        (b'{"speed": "fast"}', "fast"),
        (b'{"speed": "standard"}', None),
        (b'{"usage": {"service_tier": "batch"}}', "batch"),
        (b'{"service_tier": "flex", "speed": "fast"}', "fast"),
        (b'{"content": "set \\"service_tier\\": \\"priority\\" please"}', None),
    ],
)
def test_tier(body: bytes, tier: str | None) -> None:
    """The tier a body states, None for the standard one and for text that only talks about tiers."""
    assert service_tier(body) == tier


def test_the_price_follows() -> None:
    """What is read from a body selects the price."""
    book = PriceBook()
    usage = Usage(input_tokens=1000)
    priority = book.price("openai", "gpt-5.4", service_tier=service_tier(b'{"service_tier": "priority"}'))
    assert priority.cost(usage) == 2 * book.price("openai", "gpt-5.4").cost(usage)
