"""Gemini's streams: chunks with whole calls in them, an end that only the finish reason tells, arrays."""

import json
from typing import Any

import pytest
from translated import TARGETS, translate

from outwarden.errors import NotTranslatable
from outwarden.wire.translation.deltas import Argued, Began, Called, Failed, Over, Said, Stopped, Used
from outwarden.wire.translation.gemini_contents import UNSIGNED
from outwarden.wire.translation.gemini_stream import ARGUMENTS_MAX, Reader, Writer
from outwarden.wire.translation.neutral import Asked, Spent


def chunk(*parts: Any, **more: Any) -> dict[str, Any]:
    """One chunk with these parts."""
    return {
        "candidates": [{"content": {"role": "model", "parts": list(parts)}} | more],
        "responseId": "r",
        "modelVersion": "m",
    }


def heard(*chunks: Any) -> list[Any]:
    """The pieces of a stream that has ended."""
    reader = Reader()
    return [piece for one in chunks for piece in reader.read(None, one)] + list(reader.finish())


def test_a_stream_in_pieces() -> None:
    """It begins once; thoughts stay behind; a call comes whole; the last usage holds; the finish reason ends it."""
    usage = {"usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}}
    pieces = heard(
        chunk({"text": "Hm.", "thought": True}),
        chunk({"text": "Hi"}),
        chunk({"functionCall": {"name": "f", "args": {"n": 1}, "id": "a"}, "thoughtSignature": "c2ln"}),
        chunk({"text": ""}, finishReason="STOP") | usage,
    )

    assert pieces == [
        Began("r", "m", Spent()),
        Said("Hi"),
        Called("a", "f"),
        Argued('{"n":1}'),
        Stopped("tool_calls"),
        Used(Spent(3, 0, 0, 2, 0)),
        Over(),
    ]


@pytest.mark.parametrize(
    ("chunks", "last"),
    [
        ([chunk({"text": "Hi"})], Said("Hi")),  # cut
        (
            [{"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}],
            Failed("overloaded_error", "Overloaded"),
        ),
        (
            [[{"error": {"code": 400, "message": "No.", "status": "INVALID_ARGUMENT"}}]],
            Failed("invalid_request_error", "No."),
        ),
        ([{"promptFeedback": {"blockReason": "OTHER"}, "responseId": "r"}], Over()),
    ],
)
def test_how_a_stream_ends(chunks: list[Any], last: Any) -> None:
    """Without a finish reason it does not; a blocked prompt is a refusal."""
    pieces = heard(*chunks)

    assert pieces[-1] == last
    assert (Stopped("refusal") in pieces) == isinstance(last, Over)


def test_what_comes_behind_the_end_is_no_answer() -> None:
    """Only usage may."""
    with pytest.raises(NotTranslatable, match="behind its end"):
        heard(chunk(finishReason="STOP"), chunk({"text": "more"}))


def written(*pieces: Any, framing: Any = "sse", model: str = "gemini-3-flash") -> bytes:
    """What a client gets."""
    writer = Writer(Asked(model, framing=framing))
    return b"".join(map(writer.write, [Began("r", "m", Spent()), *pieces]))


def chunks_of(data: bytes) -> list[Any]:
    """The chunks of an SSE stream."""
    return [json.loads(event.removeprefix(b"data: ")) for event in data.split(b"\n\n") if event]


def test_calls_are_written_whole_and_the_first_is_signed() -> None:
    """Arguments that came in pieces are one object; none are an empty one."""
    out = chunks_of(
        written(Called("a", "f"), Argued('{"n"'), Argued(": 1}"), Called("b", "g"), Stopped("tool_calls"), Over())
    )
    parts = [one["candidates"][0]["content"]["parts"][0] for one in out]

    assert parts[:2] == [
        {"functionCall": {"id": "a", "name": "f", "args": {"n": 1}}, "thoughtSignature": UNSIGNED},
        {"functionCall": {"id": "b", "name": "g", "args": {}}},
    ]
    assert out[-1]["candidates"][0]["finishReason"] == "STOP"


@pytest.mark.parametrize("arguments", ['{"n": ', "[1]", '{"a": 1, "a": 2}', "NaN"])
def test_arguments_that_are_no_object_stop_the_stream(arguments: str) -> None:
    """Gemini's calls have no place for half of one."""
    with pytest.raises(NotTranslatable, match="arguments of a tool call"):
        written(Called("a", "f"), Argued(arguments), Stopped("tool_calls"))


def test_arguments_are_bounded() -> None:
    """A call is kept until it is whole, and no longer than an event may be."""
    with pytest.raises(NotTranslatable, match="too long"):
        written(Called("a", "f"), *[Argued('"' + "x" * 2**20)] * (ARGUMENTS_MAX // 2**20 + 1))


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([Said("Hi"), Stopped("end"), Over()], "STOP"),
        ([Stopped("length"), Over()], "MAX_TOKENS"),
        ([Said("Hi"), Stopped("refusal"), Over()], "SAFETY"),
    ],
)
def test_an_array_is_one_document(pieces: list[Any], reason: str) -> None:
    """With a bracket at each end, whatever is in it."""
    assert json.loads(written(*pieces, framing="json-array"))[-1]["candidates"][0]["finishReason"] == reason


@pytest.mark.parametrize("before", [[], [Said("Hi")]])
def test_an_error_ends_an_array(before: list[Any]) -> None:
    """Also where it is all there is."""
    last = json.loads(written(*before, Failed("overloaded_error", "No."), framing="json-array"))[-1]

    assert last == {"error": {"code": 503, "message": "No.", "status": "UNAVAILABLE"}}


def test_an_array_that_was_cut_is_not_closed() -> None:
    """Nobody takes it for whole."""
    assert written(Said("Hi"), framing="json-array").startswith(b"[{")
    with pytest.raises(json.JSONDecodeError):
        json.loads(written(Said("Hi"), framing="json-array"))


def test_the_caller_is_answered_as_it_asked() -> None:
    """The content type is that of its framing."""
    body = {"contents": [{"parts": [{"text": "Hi"}]}]}
    target = TARGETS["gemini"].replace("generateContent", "streamGenerateContent")

    assert translate("gemini", "openai", body, target=target).content_type == "application/json"
    assert translate("gemini", "openai", body, target=target + "?alt=sse").content_type == "text/event-stream"
