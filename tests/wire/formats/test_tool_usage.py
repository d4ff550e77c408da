"""Searches, and a model that draws, beside a response's own usage."""

import pytest

from outwarden.wire.formats.tool_usage import with_breakdown, with_tools
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


def row(model: object, inputs: int, outputs: int) -> dict[str, object]:
    return {"model": model, "usage": {"prompt_tokens": inputs, "completion_tokens": outputs, "total_time": 0.5}}


@pytest.mark.parametrize("streamed", [False, True])
def test_a_system_of_several_models_is_its_models(streamed: bool) -> None:
    """Groq tells their sum and each: nothing is left for the system itself, and nothing is counted twice."""
    breakdown = {
        "usage_breakdown": {"models": [row("llama-a", 138, 4), row("llama-b", 495, 106), row("llama-b", 7, 1)]}
    }
    total = Usage(input_tokens=640, output_tokens=111)
    usage = with_breakdown(total, {"x_groq": breakdown} if streamed else breakdown)

    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (0, 0)
    assert [(model, used.input_tokens, used.output_tokens) for model, used in usage.others] == [
        ("llama-a", 138, 4),
        ("llama-b", 495, 106),
        ("llama-b", 7, 1),
    ]
    assert usage.counts() == total.counts()


@pytest.mark.parametrize(
    "said", [None, {"models": None}, {"models": [row(None, 3, 4)]}, {"models": ["odd", {}]}, "odd"]
)
def test_a_model_alone_has_no_breakdown(said: object) -> None:
    """Whatever stands there."""
    usage = Usage(input_tokens=3, output_tokens=4)

    assert with_breakdown(usage, {"usage_breakdown": said}) == usage
    assert with_breakdown(None, {"usage_breakdown": {"models": [row("llama-a", 3, 4)]}}) is None
