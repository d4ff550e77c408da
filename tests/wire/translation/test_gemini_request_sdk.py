"""What we write is what Google's own SDK has types for, which know their fields and refuse all others."""

import json
from typing import Any

import pytest
from google.genai import types
from hypothesis import given, settings
from hypothesis import strategies as st
from translated import conversations, replies, streamed

from outwarden.wire.translation.neutral import Asked
from outwarden.wire.translation.tongue import TONGUES

GEMINI = TONGUES["gemini"]
PARTS = {
    "contents": lambda value: [types.Content.model_validate(each) for each in value],
    "systemInstruction": types.Content.model_validate,
    "tools": lambda value: [types.Tool.model_validate(each) for each in value],
    "toolConfig": types.ToolConfig.model_validate,
    "generationConfig": types.GenerationConfig.model_validate,
}


def test_the_types_refuse_what_they_do_not_know() -> None:
    """Else the tests below would say nothing."""
    for part, odd in (("generationConfig", {"topJ": 1}), ("contents", [{"parts": [{"txt": "Hi"}]}])):
        with pytest.raises(ValueError, match="Extra inputs are not permitted"):
            PARTS[part](odd)


@settings(max_examples=60)
@given(st.data())
def test_requests_are_googles(data: st.DataObject) -> None:
    """Each part of a body, whatever was said in another format."""
    conversation = data.draw(conversations("gemini", data.draw(st.sampled_from(["gemini", "openai", "anthropic"]))))
    body = json.loads(json.dumps(GEMINI.write_request(conversation)))

    assert body.keys() <= PARTS.keys()
    for name, value in body.items():
        PARTS[name](value)


@settings(max_examples=60)
@given(st.data())
def test_answers_are_googles(data: st.DataObject) -> None:
    """Whole, and chunk by chunk; the SDK reads the text and the calls out of them."""
    reply = data.draw(replies("gemini"))
    whole = types.GenerateContentResponse.model_validate(GEMINI.write_reply(reply, Asked("gemini-3-flash")))
    events = streamed("gemini", reply).split(b"\n\n")[:-1]
    chunks = [types.GenerateContentResponse.model_validate_json(event.removeprefix(b"data: ")) for event in events]

    assert told(whole) == told(*chunks) == (reply.text, [(call.name, call.arguments) for call in reply.calls])
    assert whole.usage_metadata
    assert whole.usage_metadata == chunks[-1].usage_metadata


def told(*answers: types.GenerateContentResponse) -> tuple[str, list[tuple[str | None, Any]]]:
    """Text and calls of an answer, in pieces or whole."""
    parts = [part for each in answers for part in each.candidates[0].content.parts]  # type: ignore[index,union-attr]
    calls = [part.function_call for part in parts if part.function_call]
    return "".join(part.text or "" for part in parts), [(call.name, call.args) for call in calls]
