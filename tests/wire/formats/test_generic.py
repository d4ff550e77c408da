"""An API that nobody described: its usual words are understood."""

import json
from typing import Any

import pytest

from outwarden.wire.formats import format_named
from outwarden.wire.stream import StreamRewriter

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
        {"Response": {"Choices": [], "Usage": {"PromptTokens": 3, "CompletionTokens": 4}}},  # Tencent
        {"chatResponse": {"text": "Hi", "usage": {"promptTokens": 3, "completionTokens": 4}}},  # Oracle
        {"result": {"alternatives": [], "usage": {"inputTextTokens": "3", "completionTokens": "4"}}},  # Yandex
        {"orchestration_result": {"choices": [], "usage": USAGE}},  # SAP
        {"text": "Hi", "meta_info": USAGE},  # SGLang
        {"results": [], "num_tokens": 4, "inference_status": {"tokens_generated": 4, "tokens_input": 3}},  # DeepInfra
    ],
)
@pytest.mark.parametrize("target", ["/run/model", "/v4/accounts/a/ai/run/@cf/meta/llama", "/deployments/d/completion"])
def test_usage_at_the_top_or_one_level_down(body: Any, target: str) -> None:
    """Wherever such an object stands, also at a path that servers of many kinds share."""
    usage = GENERIC.read_reply(GENERIC.identify("POST", target), body, {}).usage

    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (3, 4)


@pytest.mark.parametrize("target", ["/ml/v1/text/embeddings", "/ml/v1/text/rerank"])
def test_watsonx_counts_beside_what_it_made(target: str) -> None:
    """At paths that are OpenAI's elsewhere."""
    body = {"model_id": "ibm/slate", "results": [{"embedding": [0.1]}], "input_token_count": 8}
    reply = GENERIC.read_reply(GENERIC.identify("POST", target), body, {})

    assert reply.model == "ibm/slate"
    assert reply.usage is not None
    assert reply.usage.input_tokens == 8


def test_the_model_may_stand_beside_the_usage() -> None:
    """One level down, as the usage does."""
    body = {"request_id": "r", "orchestration_result": {"model": "gpt-x", "usage": USAGE}}

    assert GENERIC.read_reply(GENERIC.identify("POST", "/inference"), body, {}).model == "gpt-x"


@pytest.mark.parametrize("name", ["generic", "openai"])
@pytest.mark.parametrize(
    "event",
    [
        {"id": "a", "result": "\0", "is_end": False},  # Baidu
        {"reply": "\0", "usage": None},
        {"generation": "\0"},
        {"model_name": "m", "text_output": "\0"},  # Triton
        {"Choices": [{"Delta": {"Role": "assistant", "Content": "\0"}}], "Id": "c"},  # Tencent
        {"id": "1", "type": "answer", "content": "\0"},  # Coze
    ],
)
def test_texts_that_grow_under_other_names(word_rewriter: Any, name: str, event: dict[str, Any]) -> None:
    """An address that is cut over events is found under each of them."""
    format_ = format_named(name)
    rewriter = word_rewriter()
    stream = StreamRewriter(format_, format_.identify("POST", "/v3/chat"), "sse", rewriter)
    for piece in ("Write to an", "n@x.exam", "ple now"):
        stream.feed(f"data: {json.dumps(event)}\n\n".replace("\\u0000", piece).encode())
    stream.flush()

    assert rewriter.noted == [("EMAIL_ADDRESS", "ann@x.example")]


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("generic", "/v1/predictions/p1"),  # Replicate
        ("bedrock", "/endpoints/llama/invocations-response-stream"),
        ("openai", "/v1/chat/completions"),
        ("anthropic", "/v1/messages"),
        ("ollama", "/api/generate"),
    ],
)
@pytest.mark.parametrize("pieces", [["ann@x.example"], ["Write to an", "n@x.exam", "ple now"]], ids=len)
def test_events_of_bare_text_are_text(word_rewriter: Any, name: str, target: str, pieces: list[str]) -> None:
    """An address in one event, or cut over several, is found wherever any event may be the last; it is output."""
    format_ = format_named(name)
    rewriter = word_rewriter()
    stream = StreamRewriter(format_, format_.identify("POST", target), "sse", rewriter)
    out = b"".join(stream.feed(f"event: output\ndata: {piece}\n\n".encode()) for piece in pieces) + stream.flush()

    assert rewriter.noted == [("EMAIL_ADDRESS", "ann@x.example")]
    assert b"n@x" not in out
    assert stream.counted == len("".join(pieces))


@pytest.mark.parametrize("name", ["generic", "openai"])
def test_the_mark_of_the_end_is_no_output(word_rewriter: Any, name: str) -> None:
    """``[DONE]`` ends a stream and is nobody's text."""
    format_ = format_named(name)
    stream = StreamRewriter(format_, format_.identify("POST", "/v1/chat/completions"), "sse", word_rewriter())
    out = stream.feed(b"data: [DONE]\n\n") + stream.flush()

    assert (out, stream.counted, stream.ended) == (b"data: [DONE]\n\n", 0, True)
