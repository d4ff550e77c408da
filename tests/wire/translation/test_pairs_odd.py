"""Valid JSON that no SDK would write is translated or refused with a reason; nothing else is ever raised."""

import contextlib
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from translated import BOTH, TARGETS, collected, replies, streamed, translate

from outwarden.errors import BodyError, NotTranslatable
from outwarden.wire.translation.errors import anthropic_error, openai_error
from outwarden.wire.translation.neutral import Asked
from outwarden.wire.translation.pairs import StreamTranslation
from outwarden.wire.translation.tongue import TONGUES

URL = "data:image/png;base64,aGk="
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
PICTURE = {"type": "base64", "media_type": "image/png", "data": "aGk="}
RESULT = {"type": "tool_result", "tool_use_id": "c", "content": "ok", "is_error": False}
NUMBER = {"type": "INTEGER", "enum": ["1"], "nullable": True}
DECLARED = {"name": "f", "parameters": {"type": "OBJECT", "properties": {"n": NUMBER}, "propertyOrdering": ["n"]}}
ANSWERED = {"name": "f", "response": {"output": "ok"}, "parts": []}
REQUESTS: dict[str, dict[str, Any]] = {
    "openai": {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {
                "role": "user",
                "content": [{"type": "text", "text": "Hi"}, {"type": "image_url", "image_url": {"url": URL}}],
            },
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c", "content": "ok"},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA, "strict": True}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}},
        "stop": ["x"],
        "max_completion_tokens": 9,
        "temperature": 0.5,
        "stream_options": {"include_usage": True},
    },
    "anthropic": {
        "model": "m",
        "max_tokens": 9,
        "system": [{"type": "text", "text": "Be kind."}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "image", "source": PICTURE}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {"n": 1}}]},
            {"role": "user", "content": [RESULT]},
        ],
        "tools": [{"name": "f", "input_schema": SCHEMA, "strict": True}],
        "tool_choice": {"type": "tool", "name": "f"},
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
        "stop_sequences": ["x"],
        "metadata": {"user_id": "u"},
    },
    "gemini": {
        "systemInstruction": {"parts": [{"text": "Be kind."}]},
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}, {"inlineData": {"mimeType": "image/png", "data": "aGk="}}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"n": 1}}, "thoughtSignature": "c2ln"}]},
            {"role": "user", "parts": [{"functionResponse": ANSWERED}]},
        ],
        "tools": [{"functionDeclarations": [DECLARED]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        "safetySettings": [{"category": "X", "threshold": "OFF"}],
        "generationConfig": {
            "maxOutputTokens": 9,
            "responseMimeType": "application/json",
            "responseSchema": {"type": "STRING"},
            "thinkingConfig": {"thinkingBudget": 0},
            "stopSequences": ["x"],
        },
    },
}
ODD: list[Any] = [None, True, 0, -1, 1.5, 10**30, "", "x", "\ud800", [], {}, [[]], [None], {"": None}, {"type": "text"}]
odd = st.sampled_from(ODD).map(copy.deepcopy)  # what is put into a tree may be spoilt itself


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a tree: its container and its key."""
    for key, value in list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree)):
        yield tree, key
        if isinstance(value, dict | list):
            yield from places(value)


def spoilt(data: st.DataObject, tree: Any) -> Any:
    """The tree with something odd at one or two of its places, or a key too many or too few."""
    tree = copy.deepcopy(tree)
    for _ in range(data.draw(st.integers(1, 2))):
        here = list(places(tree))
        container, key = here[data.draw(st.integers(0, len(here) - 1))] if here else (tree, 0)
        change = data.draw(st.sampled_from(["put", "drop", "add"]))
        if change == "put" and here:
            container[key] = data.draw(odd)
        elif change == "drop" and here:
            del container[key]
        elif isinstance(container, dict):
            container[data.draw(st.sampled_from(["extra", "type", "parts", "id"]))] = data.draw(odd)
    return tree


@pytest.mark.parametrize(("caller", "upstream"), BOTH)
@settings(max_examples=150)
@given(st.data())
def test_an_odd_request_is_refused_with_a_reason(caller: str, upstream: str, data: st.DataObject) -> None:
    """Whatever stands where."""
    with contextlib.suppress(NotTranslatable):
        translate(caller, upstream, spoilt(data, REQUESTS[caller]), "m")


@pytest.mark.parametrize("caller", sorted(REQUESTS))
def test_the_examples_are_good_ones(caller: str) -> None:
    """Unspoilt, each is translated: what is spoilt in them is looked at."""
    for upstream in TONGUES.keys() - {caller}:
        assert translate(caller, upstream, REQUESTS[caller], "m").body


@pytest.mark.parametrize(("caller", "upstream"), BOTH)
@settings(max_examples=80)
@given(st.data())
def test_an_odd_reply_is_refused_with_a_reason(caller: str, upstream: str, data: st.DataObject) -> None:
    """Whole, and as an error."""
    reply = json.loads(json.dumps(TONGUES[upstream].write_reply(data.draw(replies(upstream)), Asked())))
    body = json.dumps(spoilt(data, reply)).encode()
    done = translate(
        caller, upstream, REQUESTS[caller] | ({} if caller == "gemini" else {"model": "m"}), "m", TARGETS[caller]
    )

    assert json.loads(done.error(body, 500))["error"]
    with contextlib.suppress(NotTranslatable):
        json.loads(done.reply(body))


@pytest.mark.parametrize(("caller", "upstream"), BOTH)
@settings(max_examples=80)
@given(st.data())
def test_an_odd_event_is_refused_with_a_reason(caller: str, upstream: str, data: st.DataObject) -> None:
    """In a stream of which all other events are good."""
    events = streamed(upstream, data.draw(replies(upstream))).split(b"\n\n")
    place = data.draw(st.integers(0, len(events) - 2))
    *head, line = events[place].split(b"\n")
    said = line.removeprefix(b"data: ")
    if said != b"[DONE]":
        events[place] = b"\n".join([*head, b"data: " + json.dumps(spoilt(data, json.loads(said))).encode()])
    translating = StreamTranslation(TONGUES[upstream].reader(), TONGUES[caller].writer(Asked()))

    with contextlib.suppress(NotTranslatable, BodyError):  # the latter: half of a surrogate pair
        translating.feed(b"\n\n".join(events))
        translating.flush()


def test_marks_of_a_prompt_cache_are_left_behind() -> None:
    """Each provider has its own; the end user's id goes by its newer name."""
    asked = REQUESTS["openai"] | {"prompt_cache_key": "k", "prompt_cache_retention": "24h", "safety_identifier": "z"}
    body = json.loads(translate("openai", "anthropic", asked | {"user": "u"}).body)

    assert body["metadata"] == {"user_id": "z"}
    assert "24h" not in json.dumps(body)


def test_a_prompt_that_is_too_long_is_known_by_the_callers_own_words() -> None:
    """Agents shorten their conversation where they know it; they know it by OpenAI's code, or by Anthropic's words."""
    told = "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000"
    openai, anthropic = (
        openai_error("invalid_request_error", told), anthropic_error("invalid_request_error", told)["error"]
    )  # fmt: skip

    assert (openai["message"], openai["code"]) == (told, "context_length_exceeded")
    assert anthropic["message"] == f"prompt is too long: {told}"
    assert anthropic_error("invalid_request_error", anthropic["message"])["error"] == anthropic
    assert openai_error("invalid_request_error", "max_tokens is too large")["code"] is None


CALLS = [{"id": f"c_{at}", "type": "function", "function": {"name": "f", "arguments": "{}"}} for at in range(2)]


def test_a_tool_that_had_to_be_called_is_run() -> None:
    """OpenAI says "stop" where the request named the tool; the other APIs have one reason for all calls."""
    message = {"role": "assistant", "content": None, "tool_calls": CALLS[:1]}
    reply = {"id": "i", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    translated = translate("anthropic", "openai", REQUESTS["anthropic"])

    assert json.loads(translated.reply(json.dumps(reply).encode()))["stop_reason"] == "tool_use"


@pytest.mark.parametrize("index", [{}, {"index": 0}])
def test_calls_without_a_number_are_told_by_their_ids(index: dict[str, int]) -> None:
    """Gemini's and others' servers stream them so; none is lost, and no two become one."""
    deltas: list[dict[str, Any]] = [{"delta": {"tool_calls": [call | index]}} for call in CALLS]
    events = [{"id": "i", "model": "m", "choices": [{"index": 0, **each}]} for each in deltas]
    events.append({"id": "i", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    stream = b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in events) + b"data: [DONE]\n\n"
    reply = collected("openai", stream)

    assert [(call.id, call.arguments) for call in reply.calls] == [("c_0", {}), ("c_1", {})]
    assert reply.stop == "tool_calls"


@pytest.mark.parametrize(("given", "expected"), [({}, "{}"), ({"n": 1}, '{"n":1}')])
def test_a_call_of_claudes_without_pieces_of_arguments(given: dict[str, int], expected: str) -> None:
    """Nothing comes of a call without arguments, and other servers send them whole; OpenAI's clients read JSON."""
    block = {"type": "tool_use", "id": "t", "name": "f", "input": given}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"id": "m", "model": "c", "usage": {}}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": ""}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]
    translating = translate("openai", "anthropic", REQUESTS["openai"] | {"stream": True}).stream(asked_for_usage=False)
    out = translating.feed(b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in events))
    chunks = [json.loads(line[6:]) for line in out.decode().splitlines() if line.startswith("data: {")]
    calls = [call for chunk in chunks for choice in chunk["choices"] for call in choice["delta"].get("tool_calls", [])]

    assert "".join(call["function"]["arguments"] for call in calls) == expected
