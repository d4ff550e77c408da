"""Events of Bedrock's streams, one at a time: pieces, ends, usage and errors of Converse, each family, and agents."""

import json
from base64 import b64encode
from collections.abc import Hashable
from typing import Any

import pytest

from outwarden.wire.aws_events import make_frame
from outwarden.wire.format import EventFacts, Refusal
from outwarden.wire.formats import format_named
from outwarden.wire.stream import StreamRewriter

BEDROCK = format_named("bedrock")
CONVERSE = BEDROCK.identify("POST", "/model/m/converse-stream")
INVOKE = BEDROCK.identify("POST", "/model/m/invoke-with-response-stream")
AGENT = BEDROCK.identify("POST", "/agents/A/agentAliases/B/sessions/C/text")
KNOWLEDGE = BEDROCK.identify("POST", "/retrieveAndGenerateStream")
METRICS = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 3, "outputTokenCount": 9, "firstByteLatency": 1}}


def pieces(facts: EventFacts) -> list[tuple[Hashable, str, str]]:
    return [(delta.channel, str(delta.parent[delta.key]), delta.kind) for delta in facts.deltas]  # type: ignore[index]


def invoke(inner: dict[str, Any]) -> EventFacts:
    return BEDROCK.read_event(INVOKE, "chunk", {"bytes": inner, "p": "abc"})


def tokens(facts: EventFacts) -> tuple[int, int] | None:
    return (facts.usage.input_tokens, facts.usage.output_tokens) if facts.usage else None


@pytest.mark.parametrize(
    ("name", "data", "said", "content", "end"),
    [
        ("messageStart", {"role": "assistant"}, [], False, False),
        ("contentBlockStart", {"contentBlockIndex": 1, "start": {"toolUse": {"name": "f"}}}, [], True, False),
        ("contentBlockDelta", {"delta": {"text": "a"}}, [((0, "text"), "a", "text")], True, False),
        ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": ""}}, [], False, False),
        (
            "contentBlockDelta",
            {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"a'}}},
            [((2, "input"), '{"a', "json")],
            True,
            False,
        ),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "hm"}}}, [], True, False),
        (
            "contentBlockDelta",
            {"contentBlockIndex": 2, "delta": {"toolResult": [{"text": "a"}, {"json": {}}]}},
            [((2, "text"), "a", "text")],
            True,
            False,
        ),
        ("contentBlockStop", {"contentBlockIndex": 0}, [], False, False),
        ("messageStop", {"stopReason": "end_turn"}, [], False, True),
        ("metadata", {"usage": {"inputTokens": 1, "outputTokens": 2}}, [], False, True),
    ],
)  # fmt: skip
def test_converse(name: str, data: dict[str, Any], said: list[Any], content: bool, end: bool) -> None:
    """What grows is a piece, of its block; reasoning is none; the stop is the end, and the usage follows it."""
    facts = BEDROCK.read_event(CONVERSE, name, data)

    assert pieces(facts) == said
    assert (facts.content, facts.end) == (content, end)


def test_converse_usage_counts_the_cache() -> None:
    """Cached input is reported beside the input."""
    usage = {"inputTokens": 2, "outputTokens": 3, "cacheReadInputTokens": 5, "cacheWriteInputTokens": 7}

    assert tokens(BEDROCK.read_event(CONVERSE, "metadata", {"usage": usage})) == (14, 3)


FAMILIES: list[tuple[str, dict[str, Any], list[Any], bool, tuple[int, int] | None]] = [
    (
        "Anthropic",
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "a"}},
        [((1, "text"), "a", "text")],
        False,
        None,
    ),
    ("Anthropic's end: Bedrock's count of the same", {"type": "message_stop", **METRICS}, [], True, None),
    ("Anthropic's usage", {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 8}}, [], False, (0, 8)),
    ("Claude 2", {"completion": " a", "stop_reason": None}, [("completion", " a", "text")], False, None),
    (
        "Claude 2's end",
        {"type": "completion", "completion": "a", "stop_reason": "stop_sequence", **METRICS},
        [("completion", "a", "text")],
        True,
        (3, 9),
    ),
    (
        "Nova",
        {"contentBlockDelta": {"delta": {"text": "a"}, "contentBlockIndex": 3}},
        [((3, "text"), "a", "text")],
        False,
        None,
    ),
    (
        "Nova's end",
        {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 9, "cacheReadInputTokenCount": 4}}, **METRICS},
        [],
        True,
        (7, 9),
    ),
    (
        "Titan, with floats and null",
        {"outputText": "a", "index": 0.0, "totalOutputTextTokenCount": None, "inputTextTokenCount": 28.0},
        [((0, "outputText"), "a", "text")],
        False,
        (28, 0),
    ),
    (
        "Titan's end",
        {"outputText": "", "index": 0, "totalOutputTextTokenCount": 9, "completionReason": "FINISH", **METRICS},
        [],
        True,
        (3, 9),
    ),
    (
        "Llama",
        {"generation": "a", "prompt_token_count": 3, "generation_token_count": 1, "stop_reason": None},
        [((0, "generation"), "a", "text")],
        False,
        (3, 1),
    ),
    ("Llama's end", {"generation": "", "prompt_token_count": None, "generation_token_count": 9, "stop_reason": "stop"},
     [], True, (0, 9)),
    (
        "Mistral",
        {"outputs": [{"text": "a", "stop_reason": None}]},
        [((0, "text"), "a", "text")],
        False,
        None,
    ),
    ("Mistral's end", {"outputs": [{"text": "", "stop_reason": "stop"}], **METRICS}, [], True, (3, 9)),
    (
        "newer Mistral",
        {"choices": [{"index": 0, "message": {"content": "a"}, "stop_reason": "stop"}]},
        [((0, ("message", "content")), "a", "text")],
        True,
        None,
    ),
    ("Cohere Command", {"text": "a", "is_finished": False, "index": 1}, [((1, "text"), "a", "text")], False, None),
    ("Cohere Command's end", {"is_finished": True, "finish_reason": "COMPLETE", **METRICS}, [], True, (3, 9)),
    ("Cohere Command R", {"event_type": "text-generation", "text": "a"}, [("text", "a", "text")], False, None),
    (
        "Jamba, gpt-oss, Qwen",
        {"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}]},
        [((0, "content"), "a", "text")],
        False,
        None,
    ),
    ("their end", {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], **METRICS}, [], True, (3, 9)),
    (
        "DeepSeek R1",
        {"choices": [{"index": 0, "text": "a", "stop_reason": None}]},
        [((0, "legacy"), "a", "text")],
        False,
        None,
    ),
    (
        "Cohere's newer API",
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "a"}}}},
        [(("content", 0), "a", "text")],
        False,
        None,
    ),
    (
        "Hugging Face's server",
        {"token": {"text": "a"}, "generated_text": "ab"},
        [("token", "a", "text")],
        True,
        None,
    ),
    ("an unknown family", {"answer": "a"}, [(("answer",), "a", "text")], True, None),
    (
        "stopped by a guardrail",
        {"outputText": "no", "index": 0, "amazon-bedrock-guardrailAction": "INTERVENED", "amazon-bedrock-trace": {}},
        [((0, "outputText"), "no", "text")],
        True,
        None,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("inner", "said", "end", "usage"), [row[1:] for row in FAMILIES], ids=[row[0] for row in FAMILIES]
)
def test_families(inner: dict[str, Any], said: list[Any], end: bool, usage: tuple[int, int] | None) -> None:
    """Each maker's events are told by their shape, whatever the path calls the model."""
    facts = invoke(inner)

    assert pieces(facts) == said
    assert facts.end == end
    assert tokens(facts) == usage


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("throttlingException", "rate_limit"),
        ("modelStreamErrorException", "server_error"),
        ("internalServerException", "server_error"),
        ("serviceUnavailableException", "overloaded"),
        ("modelTimeoutException", "timeout"),
        ("validationException", "invalid_request"),
        ("ModelStreamError", "server_error"),
        ("InternalStreamFailure", "server_error"),
        ("error InternalFailure", "server_error"),
        ("error Odd", "error"),
    ],
)
@pytest.mark.parametrize("operation", [CONVERSE, INVOKE, AGENT])
def test_exceptions(operation: Any, name: str, kind: str) -> None:
    """An exception ends the stream badly, and its kind is known."""
    facts = BEDROCK.read_event(operation, name, {"message": "It did not work"})

    assert (facts.error, facts.end, facts.closes) == (kind, False, "all")


def test_agents() -> None:
    """The answer is text in parts; each trace may tell a model and its own tokens, which add up."""
    step = {
        "modelInvocationInput": {"foundationModel": "m", "text": "t"},
        "modelInvocationOutput": {"metadata": {"usage": {"inputTokens": 2, "outputTokens": 3}}},
    }
    trace = BEDROCK.read_event(AGENT, "trace", {"trace": {"orchestrationTrace": step}})

    assert pieces(BEDROCK.read_event(AGENT, "chunk", {"bytes": "Hello"})) == [("text", "Hello", "text")]
    assert pieces(BEDROCK.read_event(KNOWLEDGE, "output", {"text": "Hi"})) == [("text", "Hi", "text")]
    assert (tokens(trace), trace.usage_adds, trace.model) == ((2, 3), True, "m")
    assert BEDROCK.read_event(AGENT, "returnControl", {"invocationId": "1"}).content


def frame(name: str, data: dict[str, Any], *, inside: bool = False) -> bytes:
    payload = json.dumps({"bytes": b64encode(json.dumps(data).encode()).decode(), "p": "ab"} if inside else data)
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return make_frame(headers, payload.encode())


def test_an_agents_steps_add_up(word_rewriter: Any) -> None:
    """Two model calls of one agent call are charged both."""
    output = {"modelInvocationOutput": {"metadata": {"usage": {"inputTokens": 2, "outputTokens": 3}}}}
    step = frame("trace", {"trace": {"orchestrationTrace": output}})
    stream = StreamRewriter(BEDROCK, AGENT, "aws-event-stream", word_rewriter())
    stream.feed(step + step)

    assert stream.usage
    assert stream.usage.counts() == {"input_tokens": 4, "output_tokens": 6}


@pytest.mark.parametrize(
    ("name", "reasoning", "inside"),
    [
        ("contentBlockDelta", {"reasoningContent": {"text": "ann@x.example"}}, False),
        ("chunk", {"reasoningContent": {"text": "ann@x.example"}}, True),
        ("contentBlockDelta", {"reasoningContent": {"signature": "ann@x.example"}}, False),
    ],
)
def test_reasoning_stays_as_it_is(word_rewriter: Any, name: str, reasoning: dict[str, Any], inside: bool) -> None:
    """Its signature follows as a piece of its own, and covers every byte of it."""
    delta: dict[str, Any] = {"contentBlockIndex": 0, "delta": reasoning}
    event = frame(name, {"contentBlockDelta": delta} if inside else delta, inside=inside)
    operation = INVOKE if inside else CONVERSE

    assert StreamRewriter(BEDROCK, operation, "aws-event-stream", word_rewriter()).feed(event) == event


def test_a_caller_cannot_hide_text_as_reasoning(word_rewriter: Any) -> None:
    """Only the exact shape of a piece of reasoning is left alone."""
    for delta in (
        {"reasoningContent": {"text": ["ann@x.example"]}},
        {"reasoningContent": {"text": "b"}, "text": "a@b"},
    ):
        event = frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": delta})
        stream = StreamRewriter(BEDROCK, CONVERSE, "aws-event-stream", word_rewriter())

        assert stream.feed(event) + stream.flush() != event


def test_a_refusal_is_an_exception() -> None:
    """It is read back as an error, with our code in it."""
    event = BEDROCK.refuse_event(CONVERSE, "aws-event-stream", Refusal(502, "upstream_cut", "It broke off."))

    assert b"modelStreamErrorException" in event
    assert b'"message":"upstream_cut: It broke off."' in event
