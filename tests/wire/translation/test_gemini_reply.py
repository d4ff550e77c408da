"""Gemini's whole answers: what ends them, what they used, what stays behind, what is refused."""

from typing import Any

import pytest

from outwarden.errors import NotTranslatable
from outwarden.wire.translation.gemini_contents import UNSIGNED
from outwarden.wire.translation.gemini_reply import read_reply, write_reply
from outwarden.wire.translation.neutral import Asked, Reply, Spent, Stop, ToolCall


def answer(*parts: Any, reason: Any = "STOP", **more: Any) -> dict[str, Any]:
    """One candidate."""
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": reason, "index": 0}
    return {"candidates": [candidate | more], "responseId": "r1", "modelVersion": "gemini-3-flash"}


@pytest.mark.parametrize(
    ("reason", "stop"),
    [
        ("STOP", "end"),
        (1, "end"),
        ("MAX_TOKENS", "length"),
        (2, "length"),
        ("SAFETY", "refusal"),
        ("RECITATION", "refusal"),
        ("PROHIBITED_CONTENT", "refusal"),
        ("SPII", "refusal"),
    ],
)
def test_what_ended_an_answer(reason: Any, stop: Stop) -> None:
    """By name, or by number where the client asked for numbers."""
    assert read_reply(answer({"text": "Hi"}, reason=reason)).stop == stop


@pytest.mark.parametrize(
    "reason", ["MALFORMED_FUNCTION_CALL", "OTHER", "MISSING_THOUGHT_SIGNATURE", None, 0, 99, "NEW"]
)
def test_an_answer_that_failed_is_none(reason: Any) -> None:
    """It never looks as if it were whole."""
    with pytest.raises(NotTranslatable, match="'finishReason'"):
        read_reply(answer({"text": "Hi"}, reason=reason))


def test_a_blocked_prompt_is_a_refusal() -> None:
    """It has no candidate."""
    body = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9}}

    assert read_reply(body) == Reply("", "", stop="refusal", spent=Spent(input_tokens=9))


def test_calls_end_an_answer_and_get_ids() -> None:
    """Gemini says STOP; an id that it gave stays, others are made, alike for the same answer, and short."""
    body = answer({"functionCall": {"name": "f", "args": {"n": 1}}}, {"functionCall": {"name": "f", "id": "own"}})
    reply = read_reply(body)

    assert reply == read_reply(body)
    assert (reply.stop, [call.name for call in reply.calls], reply.calls[1].id) == ("tool_calls", ["f", "f"], "own")
    assert len(reply.calls[0].id) == 29
    assert reply.calls[0].id != read_reply(body | {"responseId": "r2"}).calls[0].id


def test_thoughts_count_as_output() -> None:
    """They are told apart in Gemini's usage and inside of the output in the neutral one; both ways."""
    usage = {
        "promptTokenCount": 10,
        "toolUsePromptTokenCount": 5,
        "cachedContentTokenCount": 4,
        "candidatesTokenCount": 7,
        "thoughtsTokenCount": 20,
        "totalTokenCount": 42,
    }
    spent = read_reply(answer({"text": "Hi"}) | {"usageMetadata": usage}).spent
    written = write_reply(Reply("r", "m", "Hi", spent=spent), Asked())["usageMetadata"]

    assert spent == Spent(15, 4, 0, 27, 20)
    assert written == {
        "promptTokenCount": 15,
        "candidatesTokenCount": 7,
        "totalTokenCount": 42,
        "cachedContentTokenCount": 4,
        "thoughtsTokenCount": 20,
    }


def test_what_is_said_beside_the_answer_stays_behind() -> None:
    """Thoughts, signatures, ratings, probabilities, where a wording may be from."""
    parts = ({"text": "Hm.", "thought": True}, {"text": "Hi", "thoughtSignature": "c2ln"}, {"text": " there"})
    beside = {
        "safetyRatings": [{}],
        "avgLogprobs": -0.1,
        "citationMetadata": {"citationSources": [{}]},
        "finishMessage": "x",
    }

    assert read_reply(answer(*parts, **beside)).text == "Hi there"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (answer({"inlineData": {"mimeType": "image/png", "data": "aGk="}}), "a part of the reply"),
        (answer({"executableCode": {"code": "1"}}), "'executableCode'"),
        (answer({"text": "Hi"}, groundingMetadata={"webSearchQueries": ["x"]}), "'groundingMetadata'"),
        (answer({"functionCall": {"name": "f", "partialArgs": [{}]}}), "'partialArgs'"),
        ({"candidates": [{}, {}]}, "more than one candidate"),
        ([], "is no object"),
    ],
)
def test_what_has_no_counterpart_is_refused(body: Any, reason: str) -> None:
    """The reply is stopped, and says why."""
    with pytest.raises(NotTranslatable, match=reason):
        read_reply(body)


@pytest.mark.parametrize(("model", "signature"), [("gemini-3-flash", UNSIGNED), ("gemini-2.5-flash", None)])
def test_calls_of_another_model_may_go_back_to_gemini(model: str, signature: str | None) -> None:
    """The next turn may be served by the model that was asked for, and it looks for a signature of its own."""
    reply = Reply("r", "gpt-4o", calls=(ToolCall("a", "f", {}), ToolCall("b", "f", {})), stop="tool_calls")
    parts = write_reply(reply, Asked(model))["candidates"][0]["content"]["parts"]

    assert [part.get("thoughtSignature") for part in parts] == [signature, None]
