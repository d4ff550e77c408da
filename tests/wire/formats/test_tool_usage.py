"""Searches, and a model that draws, beside a response's own usage."""

import pytest

from outwarden.wire.formats.tool_usage import with_tools
from outwarden.wire.usage import Usage


@pytest.mark.parametrize(
    ("tool_usage", "tools", "searches", "others"),
    [
        ({}, [], 2, []),
        ({"web_search": {"num_requests": 1}}, [], 1, []),
        ({"web_search": {"num_requests": 0}}, [], 0, []),
        ({"image_gen": {"input_tokens": 0, "output_tokens": 0}}, [], 2, []),
        ({"image_gen": {"input_tokens": 9, "output_tokens": 4000}}, [], 2, [("gpt-image-1", 9, 4000)]),
        (
            {"image_gen": {"input_tokens": 9, "output_tokens": 4000}},
            [{"type": "web_search"}, {"type": "image_generation", "model": "gpt-image-2"}],
            2,
            [("gpt-image-2", 9, 4000)],
        ),
        ({"image_gen": "odd", "web_search": ["odd"]}, "odd", 2, []),
    ],
)
def test_what_a_responses_tools_used(
    tool_usage: object, tools: object, searches: int, others: list[tuple[str, int, int]]
) -> None:
    """Searches as they are billed, and a model that draws; both stand beside the usage."""
    items = [{"type": "web_search_call"}] * 2
    usage = with_tools(Usage(input_tokens=5), {"output": items, "tool_usage": tool_usage, "tools": tools})

    assert usage is not None
    assert (usage.input_tokens, usage.web_searches) == (5, searches)
    assert [(model, used.input_tokens, used.output_tokens) for model, used in usage.others] == others
    assert usage.counts()["input_tokens"] == 5 + sum(inputs for _, inputs, _ in others)
