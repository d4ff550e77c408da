"""What Google's replies say beside their text."""

import pytest

from outwarden.wire.formats.gemini_chunk import usage_of


@pytest.mark.parametrize(
    ("model", "queries", "billed"),
    [
        ("gemini-2.5-flash", ["a", "b", "c"], 1),
        ("models/gemini-2.0-flash-001", ["a", "b"], 1),
        ("gemini-2.5-flash", [], 0),
        ("gemini-3-flash-preview", ["a", "b", "c"], 3),
        (None, ["a", "b"], 2),
    ],
)
def test_searches_that_are_billed(model: str | None, queries: list[str], billed: int) -> None:
    """Before Gemini 3 a prompt that searched, whatever its queries; since then each query."""
    reply = {
        "candidates": [{"groundingMetadata": {"webSearchQueries": queries}}],
        "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 7},
        **({"modelVersion": model} if model else {}),
    }
    usage = usage_of(reply)
    assert usage
    assert usage.web_searches == billed
