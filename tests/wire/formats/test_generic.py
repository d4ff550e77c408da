"""An API that nobody described: its usual words are understood."""

from typing import Any

import pytest

from outwarden.wire.formats import format_named

GENERIC = format_named("generic")
USAGE = {"prompt_tokens": 3, "completion_tokens": 4}


@pytest.mark.parametrize(
    "body",
    [
        {"usage": USAGE},
        {"response": {"usage": USAGE}},
        {"result": {"response": "Hi", "usage": USAGE}, "success": True, "errors": []},  # Cloudflare's Workers AI
        [{"generated_text": "Hi", "details": USAGE}],
        {"results": [{"generated_text": "Hi", "generated_token_count": 4, "input_token_count": 3}]},
    ],
)
def test_usage_at_the_top_or_one_level_down(body: Any) -> None:
    """Wherever such an object stands."""
    usage = GENERIC.read_reply(GENERIC.identify("POST", "/run/model"), body, {}).usage

    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (3, 4)
