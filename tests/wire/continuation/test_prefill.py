"""What was said so far, at the end of a request."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.errors import BodyError
from outwarden.wire.continuation import (
    FINAL_MESSAGE,
    PARTIAL,
    PLAIN,
    PREFIX,
    PREFIX_ECHOED,
    Way,
    lower_limit,
    obstacle,
    with_prefill,
)

CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Count."}], "stream": True}
MESSAGE = CHAT | {"max_tokens": 200}


def spelled(body: Any) -> bytes:
    return json.dumps(body, indent=1).encode()


@pytest.mark.parametrize("way", [PLAIN, PREFIX, PREFIX_ECHOED, PARTIAL, FINAL_MESSAGE])
def test_the_beginning_is_the_last_message(way: Way) -> None:
    """The assistant's, with what its provider wants beside it; all else stands where it stood."""
    body = json.loads(with_prefill(spelled(CHAT), 'one "two"\n', way))

    assert body.pop("messages") == [*CHAT["messages"], {"role": "assistant", "content": 'one "two"\n', **way.message}]
    assert body == {"model": "m", "stream": True, **way.request}


@given(text=st.text(min_size=1), odd=st.sampled_from([b"1.0e2", b"[ 1,2 ]", b'"\\u00e9"', b"12345678901234567890123"]))
def test_every_other_byte_stays(text: str, odd: bytes) -> None:
    """Numbers, escapes and spaces are the caller's: prompt caches depend on them."""
    head, tail = b'{ "x":' + odd + b' ,"messages" : [ {"role":"user","content":"h\\u0069"} ', b'] ,"y": ' + odd + b"}\n"
    done = with_prefill(head + tail, text, PLAIN)

    assert done.startswith(head)
    assert done.endswith(tail)
    assert json.loads(done)["messages"][-1] == {"role": "assistant", "content": text}


def test_no_text_is_no_beginning() -> None:
    """An empty turn would be refused; the request is asked anew."""
    assert with_prefill(spelled(CHAT), "", FINAL_MESSAGE) == spelled(CHAT)


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"messages": []}', b'{"messages": {"a": 1}}', b'{"messages": "x"}'])
def test_what_has_no_messages_is_refused(body: bytes) -> None:
    """Nothing is invented."""
    with pytest.raises(BodyError):
        with_prefill(body, "one", PLAIN)


def test_the_limit_counts_both_parts() -> None:
    """It is lowered and never raised; a request without one, or with one that is no number, stays."""
    assert json.loads(lower_limit(spelled(MESSAGE), 60))["max_tokens"] == 60
    assert json.loads(lower_limit(spelled(CHAT | {"max_completion_tokens": 100}), 60))["max_completion_tokens"] == 60
    for same in (CHAT, MESSAGE | {"max_tokens": 50}, MESSAGE | {"max_tokens": None}):
        assert lower_limit(spelled(same), 60) == spelled(same)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"temperature": 0.5, "stop": ["x"], "seed": 1, "n": 1, "frequency_penalty": 0.4, "user": "u", "store": False},
        {"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "auto"},
        {"response_format": {"type": "text"}, "stream_options": {"include_usage": True}},
    ],
)
def test_a_plain_chat_may_be_gone_on_with(more: dict[str, Any]) -> None:
    """Tools that may be called, and what says how to draw tokens, are no obstacle."""
    assert obstacle("openai", "/v1/chat/completions", spelled(CHAT | more)) is None


@pytest.mark.parametrize(
    ("format_name", "more"),
    [
        ("openai", {"n": 2}),
        ("openai", {"logprobs": True}),
        ("openai", {"response_format": {"type": "json_object"}}),
        ("openai", {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}}}),
        ("openai", {"guided_json": {}}),
        ("openai", {"modalities": ["text", "audio"], "audio": {}}),
        ("openai", {"store": True}),
        ("openai", {"reasoning_effort": "high"}),
        ("openai", {"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "required"}),
        ("openai", {"messages": [*CHAT["messages"], {"role": "assistant", "content": "One"}]}),
        ("openai", {"web_search_options": {}}),
        ("anthropic", {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
        ("anthropic", {"thinking": {"type": "adaptive"}}),
        ("anthropic", {"output_config": {"format": {"type": "json_schema", "schema": {}}}}),
        ("anthropic", {"container": "c"}),
        ("anthropic", {"mcp_servers": [{}]}),
        ("anthropic", {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
        ("anthropic", {"tools": [{"name": "f", "input_schema": {}}], "tool_choice": {"type": "any"}}),
        ("anthropic", {"messages": [*CHAT["messages"], {"role": "assistant", "content": "{"}]}),
        ("gemini", {}),
        ("mistral", {}),
    ],
)
def test_what_is_more_than_text_is_not(format_name: str, more: dict[str, Any]) -> None:
    """Several answers, schemas, probabilities, thinking, sound, the provider's own tools and state, a beginning of the
    caller's, and what nobody here knows."""
    assert obstacle(format_name, "/v1/messages", spelled(MESSAGE | more))


def test_a_plain_message_may_be_gone_on_with() -> None:
    """Thinking that is switched off is none."""
    plain = MESSAGE | {
        "thinking": {"type": "disabled"},
        "system": "Be brief.",
        "top_k": 5,
        "metadata": {"user_id": "u"},
    }

    assert obstacle("anthropic", "/v1/messages", spelled(plain)) is None
    assert obstacle("anthropic", "/v1/messages", b"not JSON")


def test_no_reason_shows_a_value() -> None:
    """A reason may be logged."""
    told = obstacle(
        "openai", "/", spelled(CHAT | {"ada@quill.example": 1, "messages": [{"role": "ada@quill.example"}]})
    )

    assert told
    assert "ada" not in told
