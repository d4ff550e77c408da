"""What a call costs: usage times price, token counts, and the upper bound before the call.

Knows prices (the genai-prices catalogue under the user's rules), tokenizers and each model's largest output. Leaves
to `wire` what a provider reported, and to `budget` who pays and whether the money is there. Nothing here touches the
network. Loading the catalogue and the token tables takes a second: `PriceBook.warm`, `TokenCounter.warm`.
"""

from outwarden.pricing.book import PriceBook
from outwarden.pricing.learnt import Learnt, LearntOf
from outwarden.pricing.outputs import (
    OUTPUT_TOKENS_UNKNOWN,
    context_window,
    media_tokens,
    output_maximum,
    thinks_beyond_limit,
)
from outwarden.pricing.price import NANO, UNIT_PRICES, Price, PriceRule, nano, usd
from outwarden.pricing.tiers import reported_tier, service_tier
from outwarden.pricing.tokens import BYTES, TokenCounter
from outwarden.pricing.unseen import OVERHEAD_TOKENS, Unseen, unseen

__all__ = [
    "BYTES",
    "NANO",
    "OUTPUT_TOKENS_UNKNOWN",
    "OVERHEAD_TOKENS",
    "UNIT_PRICES",
    "Learnt",
    "LearntOf",
    "Price",
    "PriceBook",
    "PriceRule",
    "TokenCounter",
    "Unseen",
    "context_window",
    "media_tokens",
    "nano",
    "output_maximum",
    "reported_tier",
    "service_tier",
    "thinks_beyond_limit",
    "unseen",
    "usd",
]
