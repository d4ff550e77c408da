"""Each of the translated formats says what the others say: requests, whole replies, streams at any cut, errors."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from translated import BOTH, collected, conversations, replies, streamed, translate

from outwarden.errors import NotTranslatable
from outwarden.wire.format import Framing
from outwarden.wire.translation import tongue, translation
from outwarden.wire.translation.neutral import Asked, Reply
from outwarden.wire.translation.pairs import StreamTranslation
from outwarden.wire.translation.tongue import TONGUES


@pytest.fixture(autouse=True, scope="module")
def one_moment() -> Iterator[None]:
    """The clock stands still: an answer says the second at which it was made, and two answers are compared."""
    with mock.patch.object(tongue, "time", SimpleNamespace(time=lambda: 1_800_000_000.0)):
        yield


@pytest.mark.parametrize("name", sorted(TONGUES))
@settings(max_examples=40)
@given(st.data())
def test_a_request_that_is_written_reads_the_same(name: str, data: st.DataObject) -> None:
    """Reading what was written gives the conversation that was written."""
    tongue, conversation = TONGUES[name], data.draw(conversations(name))
    body = json.loads(json.dumps(tongue.write_request(conversation)))

    assert conversation == tongue.read_request(body, tongue.target(conversation))


@pytest.mark.parametrize(("caller", "upstream"), BOTH)
@settings(max_examples=40)
@given(st.data())
def test_there_and_back_a_request_is_the_same(caller: str, upstream: str, data: st.DataObject) -> None:
    """Translated to the other format and back again, the bytes are the same, and so is the path."""
    own, other, conversation = TONGUES[caller], TONGUES[upstream], data.draw(conversations(caller, upstream))
    body = json.dumps(own.write_request(conversation), separators=(",", ":"), ensure_ascii=False).encode()
    there = translation(caller, upstream, own.operation, own.target(conversation), body, None)
    back = translation(upstream, caller, other.operation, there.target, there.body, None)

    assert (own.target(conversation), body) == (back.target, back.body)


@pytest.mark.parametrize("name", sorted(TONGUES))
@settings(max_examples=40)
@given(st.data())
def test_a_reply_that_is_written_reads_the_same(name: str, data: st.DataObject) -> None:
    """Reading what was written gives the reply that was written."""
    reply = data.draw(replies(name))

    assert reply == TONGUES[name].read_reply(json.loads(json.dumps(TONGUES[name].write_reply(reply, Asked()))))


FRAMED = [
    (caller, upstream, framing)
    for caller, upstream in BOTH
    for framing in ("sse", "json-array")
    if framing == "sse" or caller == "gemini"
]


@pytest.mark.parametrize(("caller", "upstream", "framing"), FRAMED)
@settings(max_examples=40)
@given(st.data(), st.integers(1, 40))
def test_a_stream_says_what_the_whole_says_at_any_cut(
    caller: str, upstream: str, framing: Framing, data: st.DataObject, size: int
) -> None:
    """Cut into pieces of any size, the translated bytes are the same, and say what the whole reply says."""
    reply = data.draw(replies(caller, upstream))
    stream = streamed(upstream, reply)

    def translated(step: int) -> bytes:
        writer = TONGUES[caller].writer(Asked(framing=framing))
        translating = StreamTranslation(TONGUES[upstream].reader(), writer)
        cuts = [stream[at : at + step] for at in range(0, len(stream), step)]
        return b"".join(map(translating.feed, cuts)) + translating.flush()

    assert translated(len(stream)) == translated(size)
    assert reply == collected(caller, translated(size), framing)
    if framing == "json-array":
        assert isinstance(json.loads(translated(size)), list)


@pytest.mark.parametrize(("caller", "upstream"), BOTH)
def test_a_stream_that_is_cut_gets_no_end(caller: str, upstream: str) -> None:
    """A cut answer never looks whole."""
    stream = streamed(upstream, Reply("m_1", "model-1", "Hello there."))
    translating = StreamTranslation(TONGUES[upstream].reader(), TONGUES[caller].writer(Asked()))
    out = translating.feed(stream[: stream.index(b"there"[:2])]) + translating.flush()

    assert b"He" in out
    assert b"[DONE]" not in out
    assert b"message_stop" not in out
    assert b"finishReason" not in out


def test_a_stream_that_ends_without_a_reason_is_no_answer() -> None:
    """Anthropic's last event alone does not say that all was said."""
    events = streamed("anthropic", Reply("m_1", "model-1", "Hello there.")).split(b"\n\n")
    unsaid = b"\n\n".join(event for event in events if b"message_delta" not in event)
    translating = StreamTranslation(TONGUES["anthropic"].reader(), TONGUES["openai"].writer(Asked()))

    with pytest.raises(NotTranslatable, match="does not say why"):
        translating.feed(unsaid)


def test_an_error_of_an_odd_status_has_a_word_of_googles() -> None:
    """Anthropic's 529 is no status of Google's."""
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    said = json.loads(translate("gemini", "anthropic", REQUESTS["gemini"]).error(json.dumps(body).encode(), 529))

    assert said == {"error": {"code": 529, "message": "Overloaded", "status": "UNAVAILABLE"}}


REQUESTS: dict[str, dict[str, Any]] = {
    "openai": {"model": "m", "messages": [{"role": "user", "content": "Hi"}]},
    "anthropic": {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
}


def openai(**more: Any) -> tuple[str, str, dict[str, Any]]:
    """A chat request for an Anthropic upstream."""
    return "openai", "anthropic", REQUESTS["openai"] | more


def anthropic(**more: Any) -> tuple[str, str, dict[str, Any]]:
    """A messages request for an OpenAI upstream."""
    return "anthropic", "openai", REQUESTS["anthropic"] | more


USER, CALL = (
    {"role": "user", "content": "Hi"},
    {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}},
)
RESULT = {"type": "tool_result", "tool_use_id": "c", "content": "no", "is_error": True}
USE = {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {}}]}


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (openai(n=2), "'n' of the request"),
        (openai(seed=1), "a seed has no counterpart"),
        (openai(logprobs=True), "'logprobs'"),
        (openai(store=True), "'store'"),
        (openai(temperature=1.5), "temperature above 1"),
        (openai(stop=[" "]), "stop sequence is blank"),
        (openai(response_format={"type": "json_object"}), "JSON of no certain schema"),
        (openai(response_format={"type": "grammar"}), "'response_format'"),
        (openai(messages=[USER, {"role": "system", "content": "x"}, USER]), "behind the first turn"),
        (openai(messages=[USER, {"role": "assistant", "content": "x"}]), "does not end with the user's turn"),
        (openai(messages=[{"role": "user", "content": [{"type": "input_audio"}]}]), "another type than text and image"),
        (openai(messages=[USER, {"role": "assistant", "tool_calls": [CALL]}, USER]), "arguments of a tool call"),
        (openai(tools=[{"type": "custom", "custom": {}}]), "another type than 'function'"),
        (openai(**{"Ann Example, 12": 1}), "an unknown field of the request"),
        (anthropic(top_k=5), "(top_k)"),
        (anthropic(thinking={"type": "enabled", "budget_tokens": 1024}), "'thinking' of the request"),
        (anthropic(stop_sequences=list("abcde")), "more than 4 stop sequences"),
        (anthropic(tools=[{"type": "web_search_20250305", "name": "web_search"}]), "a tool of the provider's own"),
        (anthropic(messages=[{"role": "user", "content": [{"type": "document"}]}]), "a content block of another type"),
        (anthropic(messages=[USER, USE, USER]), "do not match"),
    ],
)
def test_what_has_no_counterpart_is_refused(case: tuple[str, str, dict[str, Any]], reason: str) -> None:
    """Nothing is dropped in silence; the reason names the field, and no name that may be a person's."""
    caller, upstream, body = case

    with pytest.raises(NotTranslatable) as refused:
        translate(caller, upstream, body)
    assert reason in str(refused.value)
    assert "Ann" not in str(refused.value)


def test_marks_of_the_cache_and_thinking_stay_behind() -> None:
    """What the other provider can make nothing of, and the answer does not depend on, does not stop a call."""
    mark = {"cache_control": {"type": "ephemeral"}}
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    said = {"role": "assistant", "content": [thought, {"type": "text", "text": "Yes?"} | mark]}
    caller, upstream, body = anthropic(
        messages=[USER, said, USER], system=[{"type": "text", "text": "Be kind."} | mark]
    )
    done = json.loads(translate(caller, upstream, body, "gpt-x").body)

    assert done["model"] == "gpt-x"
    assert done["messages"] == [
        {"role": "system", "content": "Be kind."},
        USER,
        {"role": "assistant", "content": "Yes?"},
        USER,
    ]


def test_a_failed_tool_is_told_in_words_where_there_is_no_flag() -> None:
    """OpenAI's tool messages have no place for it, and a model has to know; Gemini has a word for it."""
    caller, _, body = anthropic(messages=[USER, USE, {"role": "user", "content": [RESULT]}])
    told = json.loads(translate(caller, "openai", body).body)["messages"][-1]
    google = json.loads(translate(caller, "gemini", body).body)["contents"][-1]["parts"][0]["functionResponse"]

    assert told == {"role": "tool", "tool_call_id": "c", "content": '{"error": "no"}'}
    assert google == {"id": "c", "name": "f", "response": {"error": "no"}}


def test_what_an_answer_is_for_is_said_in_its_schema() -> None:
    """OpenAI tells it beside the schema; where the schema says something else, one of both would be lost."""
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    beside = {"name": "a", "description": "A city.", "schema": schema}
    inside = beside | {"schema": schema | {"description": "A town."}}

    def told(form: Any) -> Any:
        caller, _, body = openai(response_format={"type": "json_schema", "json_schema": form})
        return json.loads(translate(caller, "gemini", body).body)["generationConfig"]["responseJsonSchema"]

    assert told(beside) == {"description": "A city."} | schema
    with pytest.raises(NotTranslatable, match="described in two ways"):
        told(inside)


def test_numbers_keep_all_their_digits() -> None:
    """An integer beyond 64 bits in a tool's arguments is the same on the other side."""
    arguments = '{"n":123456789012345678901234567890}'
    call = CALL | {"function": {"name": "f", "arguments": arguments}}
    result = {"role": "tool", "tool_call_id": "c", "content": "ok"}
    caller, upstream, body = openai(messages=[USER, {"role": "assistant", "tool_calls": [call]}, result])

    assert arguments.encode() in translate(caller, upstream, body).body


@pytest.mark.parametrize(
    ("caller", "upstream", "body", "expected"),
    [
        (
            "openai",
            "anthropic",
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
            {"error": {"message": "Overloaded", "type": "server_error", "param": None, "code": None}},
        ),
        (
            "anthropic",
            "openai",
            {"error": {"message": "No more.", "type": "insufficient_quota", "code": "insufficient_quota"}},
            {"type": "error", "error": {"type": "billing_error", "message": "No more."}},
        ),
        (
            "gemini",
            "openai",
            {"error": {"message": "No more.", "type": "insufficient_quota", "code": "insufficient_quota"}},
            {"error": {"code": 429, "message": "No more.", "status": "RESOURCE_EXHAUSTED"}},
        ),
        (
            "openai",
            "gemini",
            {"error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED", "details": []}},
            {"error": {"message": "Slow down.", "type": "rate_limit_error", "param": None, "code": None}},
        ),
        (
            "anthropic",
            "gemini",
            [{"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}],
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        ),
    ],
)
def test_an_error_has_the_callers_shape(caller: str, upstream: str, body: Any, expected: Any) -> None:
    """The kind goes over where both have it; the message is the provider's."""
    done = translate(caller, upstream, REQUESTS[caller])

    assert expected == json.loads(done.error(json.dumps(body).encode(), 429))
    assert json.loads(done.error(b"<html>", 502))["error"]["message"] == "The upstream answered with an error."
