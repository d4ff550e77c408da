"""Realtime over a WebSocket: sessions, items, speech, responses, errors, through the real SDK."""

import base64
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest

from outwarden.simulate import HEADER, Script, SimulatedProvider, ToolCall

SPEECH = base64.b64encode(b"\x01\x02" * 2400).decode()  # 100 ms
SILENCE = base64.b64encode(b"\0\0" * 2400).decode()


@contextmanager
def session(provider: SimulatedProvider, trust: ssl.SSLContext, script: Any = None, **headers: str) -> Iterator[Any]:
    """A session that has just been created."""
    client = openai.OpenAI(api_key="simulated-key", base_url=f"https://localhost:{provider.port}/v1")
    sent = {key.replace("_", "-"): value for key, value in headers.items()}
    if script is not None:
        sent[HEADER] = json.dumps(script)
    options: Any = {"ssl": trust, "proxy": None}
    with client.realtime.connect(
        model="gpt-realtime", extra_headers=sent, websocket_connection_options=options
    ) as connection:
        assert heard(connection)["type"] == "session.created"
        yield connection


def heard(connection: Any) -> dict[str, Any]:
    """The next event, as JSON and as the SDK's own type."""
    data = json.loads(connection.recv_bytes())
    assert connection.parse_event(json.dumps(data)).type == data["type"]
    return dict(data)


def until(connection: Any, last: str) -> list[dict[str, Any]]:
    """Events up to the last one."""
    found = [heard(connection)]
    while found[-1]["type"] != last:
        found.append(heard(connection))
    return found


def kinds(found: list[dict[str, Any]]) -> list[str]:
    """The types, each once where it repeats."""
    types = [event["type"] for event in found]
    return [kind for number, kind in enumerate(types) if number == 0 or types[number - 1] != kind]


def joined(found: list[dict[str, Any]], kind: str) -> str:
    """The deltas of a kind put together."""
    return "".join(event["delta"] for event in found if event["type"] == kind)


def say(connection: Any, text: str) -> None:
    """Add a user's message."""
    content: Any = [{"type": "input_text", "text": text}]
    connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})


TEXT: Any = {"type": "realtime", "output_modalities": ["text"]}


def test_a_turn_in_text(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """The events come in the recorded order, the text four times, the usage last."""
    with session(provider, trust) as connection:
        connection.session.update(session=TEXT | {"instructions": "Be brief."})
        updated = heard(connection)
        say(connection, "hello you")
        connection.response.create()
        found = until(connection, "rate_limits.updated")

    assert updated["session"]["instructions"] == "Be brief."
    assert updated["session"]["output_modalities"] == ["text"]
    assert kinds(found) == [
        "conversation.item.added", "conversation.item.done", "response.created", "response.output_item.added",
        "conversation.item.added", "response.content_part.added", "response.output_text.delta",
        "response.output_text.done", "response.content_part.done", "conversation.item.done",
        "response.output_item.done", "response.done", "rate_limits.updated",
    ]  # fmt: skip
    assert joined(found, "response.output_text.delta") == "hello you"
    done = found[-2]["response"]
    assert done["output"][0]["content"][0]["text"] == "hello you"
    assert done["usage"]["total_tokens"] == done["usage"]["input_tokens"] + done["usage"]["output_tokens"]
    assert len({event["event_id"] for event in found}) == len(found)
    seen = provider.requests[-1]
    assert seen.path == "/v1/realtime?model=gpt-realtime"
    assert [json.loads(m)["type"] for m in seen.messages][-1] == "response.create"


def test_an_answer_aloud(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """Sound and its transcript come side by side; sound is counted apart."""
    with session(provider, trust) as connection:
        say(connection, "hello you")
        connection.response.create()
        found = until(connection, "response.done")

    assert joined(found, "response.output_audio_transcript.delta") == "hello you"
    assert base64.b64decode(joined(found, "response.output_audio.delta")[:1280])
    assert found[-1]["response"]["output"][0]["content"] == [{"type": "output_audio", "transcript": "hello you"}]
    assert found[-1]["response"]["usage"]["output_token_details"]["audio_tokens"] > 0


def test_a_function_call_and_its_result(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """The arguments stream, the result comes back as an item, and the next response knows it."""
    provider.queue(Script(tool_calls=(ToolCall("look", '{"at": "it"}'),)), Script())
    with session(provider, trust) as connection:
        connection.session.update(session=TEXT)
        say(connection, "look")
        connection.response.create()
        found = until(connection, "response.done")
        call = found[-1]["response"]["output"][0]
        result: Any = {"type": "function_call_output", "call_id": call["call_id"], "output": "it is blue"}
        connection.conversation.item.create(item=result)
        connection.response.create()
        second = until(connection, "response.done")

    assert joined(found, "response.function_call_arguments.delta") == call["arguments"] == '{"at": "it"}'
    assert joined(second, "response.output_text.delta") == "it is blue"


def test_the_server_answers_speech_by_itself(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """Speech then silence: committed, transcribed and answered, without the client asking for a response."""
    transcription: Any = {"audio": {"input": {"transcription": {"model": "gpt-realtime-whisper"}}}}
    with session(provider, trust, {"transcript": "my name is Ada"}) as connection:
        connection.session.update(session=TEXT | transcription)
        for audio in (SILENCE, SPEECH, SPEECH, SILENCE, SILENCE):
            connection.input_audio_buffer.append(audio=audio)
        found = until(connection, "response.done")

    heard_as = "conversation.item.input_audio_transcription"
    assert kinds(found)[1:8] == [
        "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", "input_audio_buffer.committed",
        "conversation.item.added", "conversation.item.done", f"{heard_as}.delta", f"{heard_as}.completed",
    ]  # fmt: skip
    assert joined(found, f"{heard_as}.delta") == "my name is Ada"
    assert joined(found, "response.output_text.delta") == "my name is Ada"


def test_speech_interrupts_a_response(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """A response under way is cancelled when the user begins to speak, or when the client says so."""
    with session(provider, trust, {"stall_after": 2}) as connection:
        for interrupt in (lambda: connection.input_audio_buffer.append(audio=SPEECH), connection.response.cancel):
            say(connection, "hello you")
            connection.response.create()
            until(connection, "response.output_audio.delta")
            interrupt()
            done = until(connection, "response.done")[-1]["response"]

            assert (done["status"], done["status_details"]["type"]) == ("cancelled", "cancelled")


def test_audio_without_detection_waits_for_a_commit(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """With `turn_detection` off the client commits; an empty buffer cannot be; a cleared one is empty."""
    manual: Any = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
    with session(provider, trust) as connection:
        connection.session.update(session=manual)
        until(connection, "session.updated")
        connection.input_audio_buffer.append(audio=SPEECH)
        connection.input_audio_buffer.clear()
        until(connection, "input_audio_buffer.cleared")
        connection.input_audio_buffer.commit()
        error = heard(connection)
        connection.input_audio_buffer.append(audio=SPEECH)
        connection.input_audio_buffer.commit()
        found = until(connection, "conversation.item.done")

    assert (error["type"], error["error"]["code"]) == ("error", "buffer_too_small")
    assert kinds(found) == ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"]


def test_items_can_be_read_cut_and_deleted(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """What is deleted is gone; what is not there is an error."""
    with session(provider, trust) as connection:
        say(connection, "hello")
        item_id = until(connection, "conversation.item.done")[-1]["item"]["id"]
        connection.conversation.item.retrieve(item_id=item_id)
        retrieved = heard(connection)
        connection.conversation.item.truncate(item_id=item_id, content_index=0, audio_end_ms=5)
        truncated = heard(connection)
        connection.conversation.item.delete(item_id=item_id)
        deleted = heard(connection)
        connection.conversation.item.retrieve(item_id=item_id)
        missing = heard(connection)

    assert retrieved["item"]["content"][0]["text"] == "hello"
    assert (truncated["type"], truncated["audio_end_ms"]) == ("conversation.item.truncated", 5)
    assert (deleted["type"], deleted["item_id"]) == ("conversation.item.deleted", item_id)
    assert missing["error"]["code"] == "item_not_found"


def test_a_response_out_of_the_conversation(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """With its own input and `conversation: none` it is answered and not remembered."""
    own: Any = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "aside"}]}]
    with session(provider, trust) as connection:
        connection.session.update(session=TEXT)
        say(connection, "hello")
        connection.response.create(response={"conversation": "none", "input": own, "metadata": {"topic": "aside"}})
        aside = until(connection, "response.done")
        connection.response.create()
        after = until(connection, "response.done")

    assert joined(aside, "response.output_text.delta") == "aside"
    assert aside[-1]["response"]["metadata"] == {"topic": "aside"}
    assert joined(after, "response.output_text.delta") == "hello"


@pytest.mark.parametrize("script", [{"status": 429, "error": "slow_down"}, {"error_after": 1, "error": "slow_down"}])
def test_errors_are_events(provider: SimulatedProvider, trust: ssl.SSLContext, script: Any) -> None:
    """A response that cannot be had is an `error` event, and the session stays."""
    with session(provider, trust, script) as connection:
        say(connection, "hello you")
        connection.response.create()
        error = until(connection, "error")[-1]
        connection.session.update(session=TEXT)

        assert heard(connection)["type"] == "session.updated"
    assert error["error"]["code"] == "slow_down"


def test_nonsense_is_refused(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """An unknown event, a missing item, bad audio and broken JSON each get an error."""
    with session(provider, trust) as connection:
        for message in ('{"type": "no.such", "event_id": "mine"}', '{"type": "conversation.item.create"}', "{"):
            connection.send_raw(message)
        codes = [(heard(connection)["error"]["code"]) for _ in range(3)]
        connection.send({"type": "input_audio_buffer.append", "audio": "no base64"})

        assert heard(connection)["type"] == "error"
    assert codes == ["invalid_value", "missing_required_parameter", "invalid_json"]


def test_the_older_event_names(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """A client of the beta gets the events as they were called then."""
    with session(provider, trust, OpenAI_Beta="realtime=v1") as connection:
        connection.session.update(session=TEXT)
        say(connection, "hello")
        connection.response.create()
        found = [json.loads(connection.recv_bytes())]
        while found[-1]["type"] != "response.done":
            found.append(json.loads(connection.recv_bytes()))

    assert {"conversation.item.created", "response.text.delta"} <= {event["type"] for event in found}
