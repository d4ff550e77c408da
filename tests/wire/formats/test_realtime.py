"""Events of Realtime and Live: what begins a response, what ends it, and which strings belong together."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from outwarden.wire.format import Format, Operation, Transcription
from outwarden.wire.formats import format_named
from outwarden.wire.stream import StreamRewriter

CORPUS = Path(__file__).parents[4] / "shared" / "wire" / "realtime.jsonl.gz"
REALTIME = "/v1/realtime"
LIVE = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"


def talking(name: str) -> tuple[Format, Operation]:
    """A format and its operation over a WebSocket."""
    format_ = format_named(name)
    operation = format_.identify("GET", LIVE if name == "gemini" else REALTIME)
    assert format_.talks(operation)
    return format_, operation


@pytest.mark.parametrize(
    ("message", "begins"),
    [
        ({"type": "response.create"}, "now"),
        ({"type": "input_audio_buffer.append", "audio": "AAAA"}, "maybe"),
        ({"type": "input_audio_buffer.commit"}, "maybe"),
        ({"type": "conversation.item.create", "item": {}}, ""),
        ({"type": "session.update", "session": {}}, ""),
        ({"type": 7}, ""),
        ([], ""),
        ("x", ""),
        (None, ""),
    ],
)
def test_what_begins_a_realtime_response(message: Any, begins: str) -> None:
    format_, operation = talking("openai")
    assert format_.read_message(operation, message).begins == begins


@pytest.mark.parametrize(
    ("session", "detects"),
    [
        ({}, None),
        ({"turn_detection": None}, False),
        ({"turn_detection": {"type": "server_vad"}}, True),
        ({"audio": {"input": {"turn_detection": None}}}, False),
        ({"audio": {"input": {"turn_detection": {"type": "semantic_vad", "create_response": False}}}}, False),
        ({"audio": {"input": {"turn_detection": {"type": "semantic_vad", "create_response": True}}}}, True),
    ],
)
def test_whether_the_provider_detects_turns(session: dict[str, Any], detects: bool | None) -> None:
    format_, operation = talking("openai")
    facts = format_.read_message(operation, {"type": "session.update", "session": session})
    assert facts.session
    assert facts.session.detects_turns is detects


@pytest.mark.parametrize(
    ("kind", "session", "said"),
    [
        ("session.update", {}, (None, None, None)),
        ("session.update", {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}, (None, "whisper-1", None)),
        ("session.update", {"audio": {"input": {"transcription": {"language": "de"}}}}, (None, None, None)),
        ("session.update", {"audio": {"input": {"transcription": None}}}, (None, "", None)),
        ("session.update", {"input_audio_transcription": {"model": "whisper-1"}}, (None, "whisper-1", None)),
        ("session.update", {"input_audio_transcription": None, "input_audio_format": "pcm16"}, (None, "", 48_000)),
        ("session.update", {"type": "transcription"}, (False, None, None)),
        ("session.update", {"type": "realtime"}, (True, None, None)),
        ("session.update", {"type": []}, (None, None, None)),
        ("session.update", {"audio": {"input": {"format": {"type": "audio/pcmu"}}}}, (None, None, 8_000)),
        (
            "session.update",
            {"audio": {"input": {"format": {"type": "audio/pcm", "rate": 16_000}}}},
            (None, None, 32_000),
        ),
        ("session.update", {"audio": {"input": {"format": {"type": "audio/pcm", "rate": -1}}}}, (None, None, 48_000)),
        ("session.update", {"input_audio_format": "g711_ulaw"}, (None, None, 8_000)),
        ("transcription_session.update", {"input_audio_transcription": {"model": "m"}}, (False, "m", None)),
    ],
)
def test_what_a_session_is_for(kind: str, session: dict[str, Any], said: tuple[Any, ...]) -> None:
    """The client says it when it asks, the server when it has done so."""
    format_, operation = talking("openai")
    asked = format_.read_message(operation, {"type": kind, "session": session}).session
    answered = format_.read_event(operation, None, {"type": f"{kind}d", "session": session}).session
    assert asked
    assert asked == answered
    assert (asked.answers, asked.transcriber, asked.sound_bytes_per_s) == said


def test_pieces_of_an_event_that_nobody_knows() -> None:
    """Whatever it is called, a delta of text is a piece of one; sound is none, and no answer begins by it."""
    format_, operation = talking("openai")

    def read(kind: str) -> Any:
        return format_.read_event(operation, None, {"type": kind, "delta": "x"})

    assert [delta.parent[delta.key] for delta in read("session.some_transcript.delta").deltas] == ["x"]
    assert not read("session.some_audio.delta").deltas
    assert not read("conversation.new.delta").content


def test_a_translation_is_not_spoken() -> None:
    """Nothing in it tells when anything is to be paid."""
    format_ = format_named("openai")
    assert not format_.talks(format_.identify("GET", "/v1/realtime/translations"))
    assert format_.identify("POST", "/v1/realtime/translations/client_secrets").name == "realtime"
    assert format_.identify("POST", "/v1/realtime/translations/calls").billable


def test_a_transcription_is_asked_for_done_or_failed() -> None:
    """xAI ends a piece each time that it goes on, too; only the last end counts."""
    format_, operation = talking("openai")

    def read(kind: str, **fields: Any) -> Any:
        return format_.read_event(operation, None, {"type": kind, "item_id": "i"} | fields).transcription

    name = "conversation.item.input_audio_transcription"
    assert read("input_audio_buffer.committed") == Transcription("i", "asked")
    assert read(f"{name}.delta", delta="x") is None
    assert read(f"{name}.completed", transcript="hé", status="in_progress") is None
    assert read(f"{name}.failed", error={}) == Transcription("i", "failed")
    done = read(f"{name}.completed", transcript="hé", usage={"type": "duration", "seconds": 1.2345})
    assert (done.item, done.state, done.text_bytes, done.usage.input_audio_ms) == ("i", "done", 3, 1235)
    tokens = {"type": "tokens", "input_tokens": 9, "output_tokens": 4, "input_token_details": {"audio_tokens": 8}}
    usage = read(f"{name}.completed", transcript="", usage=tokens).usage
    assert (usage.input_tokens, usage.output_tokens, usage.input_audio_tokens) == (9, 4, 8)
    assert read(f"{name}.completed", usage={"type": "duration", "seconds": "NaN"}).usage is None
    assert read(f"{name}.completed", item_id=7, transcript=8, usage=[]) == Transcription("", "done")


@pytest.mark.parametrize(
    ("message", "begins"),
    [
        ({"setup": {"model": "models/m"}}, ""),
        ({"clientContent": {"turns": [], "turnComplete": True}}, "now"),
        ({"client_content": {"turns": [], "turn_complete": True}}, "now"),
        ({"clientContent": {"turns": []}}, ""),
        ({"realtimeInput": {"audio": {}}}, "maybe"),
        ({"realtime_input": {"activity_end": {}}}, "now"),
        ({"toolResponse": {}}, "now"),
        ({}, ""),
    ],
)
def test_what_begins_a_live_response(message: Any, begins: str) -> None:
    format_, operation = talking("gemini")
    assert format_.read_message(operation, message).begins == begins


@pytest.mark.parametrize(
    ("kind", "begins", "joins"),
    [
        ("response.create", "now", ""),
        ("response.inject", "now", "any"),
        ("response.steer", "now", "any"),
        ("response.cancel", "", ""),
    ],
)
def test_what_begins_a_response_of_responses(kind: str, begins: str, joins: str) -> None:
    """More input for the response at work is paid for with it; where none is at work, it begins one."""
    format_ = format_named("openai")
    facts = format_.read_message(format_.identify("GET", "/v1/responses"), {"type": kind, "input": []})
    assert (facts.begins, facts.joins) == (begins, joins)


def test_limits_and_models_are_read() -> None:
    format_, operation = talking("openai")
    create = {"type": "response.create", "response": {"max_output_tokens": 50}}
    unlimited = {"type": "session.update", "session": {"max_output_tokens": "inf", "model": "gpt-realtime"}}
    assert format_.read_message(operation, create).request.output_limit == 50  # type: ignore[union-attr]
    facts = format_.read_message(operation, unlimited)
    assert facts.request
    assert (facts.request.output_limit, facts.request.model, facts.for_session) == (None, "gpt-realtime", True)


class Nothing:
    """A rewriter that finds nothing."""

    def edits(self, texts: Any) -> list[Any]:
        return [() for _ in texts]

    def note(self, found: Any) -> None:
        assert not list(found)

    def channel(self) -> Any:
        return self

    fed = 0

    def feed(self, text: str) -> tuple[int, Any]:
        self.fed += len(text)
        return self.fed, ()

    def finish(self) -> Any:
        return ()


def recorded() -> list[Any]:
    """The recorded sessions, if they are there."""
    if not CORPUS.exists():
        return []
    with gzip.open(CORPUS) as lines:
        return [json.loads(line) for line in lines]


@pytest.mark.skipif(not CORPUS.exists(), reason="the recorded corpus is not there")
def test_recorded_sessions_keep_their_bytes_and_tell_their_usage() -> None:
    """Twenty sessions of OpenAI, Azure, xAI and Google: every message is the same, every usage is found."""
    sessions = recorded()
    assert len(sessions) == 20
    for session in sessions:
        format_, operation = talking("gemini" if "gemini" in session["provider"] else "openai")
        rewriter = StreamRewriter(format_, operation, "messages", Nothing())
        totals, sent, got = [], [], []
        for message in session["messages"]:
            if message["dir"] != "server":
                continue
            data = message["text"].encode()
            sent.append(data)
            got += rewriter.feed_message(data)
            assert not rewriter.malformed
            if rewriter.ended:
                assert rewriter.usage
                totals.append(rewriter.usage.input_tokens + rewriter.usage.output_tokens)
                rewriter.forget()
        assert got + rewriter.flush_messages() == sent
        # Google leaves what the model thought out of the Live API's total; it is billed as output.
        told = [
            u.get("total_tokens") or u.get("totalTokenCount", 0) + u.get("thoughtsTokenCount", 0)
            for u in session["usage_all"] or ()
        ]
        assert totals == [total for total in told if total], session["id"]


@pytest.mark.parametrize(
    "node",
    [
        {"type": "input_audio_buffer.append", "audio": "sk-Abcd1234"},
        {"type": "response.output_audio.delta", "delta": "QUFBQUFB"},
        {"type": "response.audio.delta", "delta": "QUFBQUFB"},
        {"type": "input_audio", "audio": "QUFBQUFB"},
    ],
)
def test_sound_is_no_text(node: dict[str, Any]) -> None:
    format_, operation = talking("openai")
    rules = format_.text_rules(operation)
    assert rules.opaque_in
    assert rules.opaque_in(node) == {next(key for key in node if key != "type")}


@pytest.mark.parametrize(
    "node",
    [
        {"type": "input_audio_buffer.append", "audio": "ada@brightquill-mail.com"},
        {"type": "message", "audio": "QUFBQUFB"},
        {"type": "response.output_text.delta", "delta": "QUFBQUFB"},
        {"type": "response.output_audio.delta", "delta": "4716908311256045"},
    ],
)
def test_text_is_no_sound(node: dict[str, Any]) -> None:
    format_, operation = talking("openai")
    rules = format_.text_rules(operation)
    assert rules.opaque_in
    assert not rules.opaque_in(node)
