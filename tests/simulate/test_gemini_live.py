"""The Live API over a WebSocket: turns in text and speech, tools, interruptions, the end, through the real SDK."""

import gzip
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from outwarden.simulate import HEADER, Script, SimulatedProvider, ToolCall
from outwarden.simulate.conversation import Turn
from outwarden.simulate.gemini_live import GeminiLiveSession

RECORDED = Path(__file__).parents[3] / "shared" / "wire" / "realtime.jsonl.gz"
MODEL = "gemini-2.5-flash-native-audio-preview-09-2025"
SPEECH, SILENCE = b"\x01\x02" * 1600, b"\0\0" * 1600  # 100 ms at 16 kHz
TEXT: Any = {"response_modalities": ["TEXT"]}
ALOUD: Any = {"response_modalities": ["AUDIO"], "output_audio_transcription": {}, "input_audio_transcription": {}}


@asynccontextmanager
async def session(
    provider: SimulatedProvider, trust: ssl.SSLContext, config: Any = None, script: Any = None
) -> AsyncIterator[Any]:
    """A session of the real SDK that is set up."""
    headers = {HEADER: json.dumps(script)} if script else {}
    options = types.HttpOptions(
        base_url=f"https://localhost:{provider.port}",
        headers=headers,
        async_client_args={"ssl": trust, "proxy": None},
    )
    client = genai.Client(api_key="simulated-key", http_options=options)
    async with client.aio.live.connect(model=MODEL, config=config or TEXT) as live:
        assert live.setup_complete is not None
        yield live


async def turn(live: Any) -> list[types.LiveServerMessage]:
    """What comes until the turn is complete."""
    return [message async for message in live.receive()]


def content(found: list[types.LiveServerMessage]) -> list[types.LiveServerContent]:
    """The content of those that have some."""
    return [message.server_content for message in found if message.server_content]


async def test_a_turn_in_text(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """The text comes in pieces, the usage with the last message, and each message is a binary frame."""
    async with session(provider, trust) as live:
        await live.send_client_content(turns={"role": "user", "parts": [{"text": "hello you there"}]})
        found = await turn(live)
        assert isinstance(await raw_turn(live), bytes)

    assert "".join(message.text or "" for message in found) == "hello you there"
    assert [one.generation_complete for one in content(found)].count(True) == 1
    usage = found[-1].usage_metadata
    assert usage is not None
    assert (usage.response_token_count or 0) > 0
    assert usage.total_token_count == (usage.prompt_token_count or 0) + (usage.response_token_count or 0)


async def raw_turn(live: Any) -> Any:
    """The first message of a turn, as it comes."""
    await live.send_client_content(turns={"role": "user", "parts": [{"text": "again"}]})
    return await live._ws.recv()


async def test_history_without_an_end_is_not_answered(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """Turns that are not complete only add to the conversation."""
    async with session(provider, trust) as live:
        await live.send_client_content(turns={"role": "user", "parts": [{"text": "first"}]}, turn_complete=False)
        await live.send_client_content(turns={"role": "user", "parts": [{"text": "second"}]})
        found = await turn(live)

    assert "".join(message.text or "" for message in found) == "second"


async def test_speech_is_answered_aloud(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """Speech and then silence: what was heard, sound with its words, the end."""
    async with session(provider, trust, ALOUD, {"transcript": "Say hello.", "text": "hello"}) as live:
        for sound in (SILENCE, SPEECH, SPEECH, SILENCE):
            await live.send_realtime_input(audio=types.Blob(data=sound, mime_type="audio/pcm;rate=16000"))
        found = await turn(live)

    heard = [one.input_transcription.text for one in content(found) if one.input_transcription]
    said = [one.output_transcription.text or "" for one in content(found) if one.output_transcription]
    assert heard == ["Say hello."]
    assert "".join(said) == "hello"
    assert all(message.data for message in found if message.server_content and message.server_content.model_turn)
    assert found[-1].usage_metadata


async def test_a_tool_is_called_and_answered(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """The call ends no turn: the answer to it goes on, and tells the usage."""
    provider.queue(Script(tool_calls=(ToolCall("look", '{"city": "Bern"}'),)), Script())
    async with session(provider, trust) as live:
        await live.send_client_content(turns={"role": "user", "parts": [{"text": "weather?"}]})
        called = await live._receive()
        (call,) = called.tool_call.function_calls
        answer = types.FunctionResponse(id=call.id, name=call.name, response={"output": "fog"})
        await live.send_tool_response(function_responses=answer)
        found = await turn(live)

    assert (call.name, call.args) == ("look", {"city": "Bern"})
    assert called.usage_metadata is None
    assert "".join(message.text or "" for message in found) == '{"output":"fog"}'
    assert found[-1].usage_metadata


async def test_who_speaks_into_an_answer_interrupts_it(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """The answer stops, and the turn is over without a usage."""
    async with session(provider, trust, script={"text": "one two three four", "stall_after": 1}) as live:
        await live.send_client_content(turns={"role": "user", "parts": [{"text": "count"}]})
        assert (await live._receive()).text
        await live.send_realtime_input(audio=types.Blob(data=SPEECH, mime_type="audio/pcm;rate=16000"))
        found = await turn(live)

    assert [one.interrupted for one in content(found)] == [True, None]


@pytest.mark.parametrize(
    ("script", "code"), [({"status": 503}, 1011), ({"error_after": 1}, 1011), ({"truncate_after": 0}, 1011)]
)
async def test_errors_close_the_connection(
    provider: SimulatedProvider, trust: ssl.SSLContext, script: Any, code: int
) -> None:
    """There is no error message: the SDK learns of it by a close."""
    async with session(provider, trust, script=script) as live:
        await live.send_client_content(turns={"role": "user", "parts": [{"text": "one two three"}]})
        with pytest.raises(errors.APIError) as closed:
            await turn(live)

    assert closed.value.code == code


@pytest.mark.parametrize("messages", [[{"client_content": {}}], [{"setup": {}}, {"setup": {}}], [{"setup": {}}, {}]])
def test_what_it_does_not_understand_ends_the_session(messages: list[Any]) -> None:
    """The setup comes first and once, and nothing that has no meaning."""
    live = GeminiLiveSession("/", lambda: 0.0)
    said = [each for message in messages for each in live.take(message, lambda _: Script())]

    assert isinstance(said[-1], Turn)
    assert said[-1].script.close_code == 1007


Keys = frozenset[str]


def shapes(messages: Iterator[dict[str, Any]]) -> set[tuple[str, Keys]]:
    """The sets of keys that messages and the objects in them have, by the name of the object."""
    found: set[tuple[str, Keys]] = set()

    def look(name: str, value: Any) -> None:
        if isinstance(value, dict):
            found.add((name, frozenset(value)))
            for key, below in value.items():
                if key not in ("args", "response"):
                    look(key, below)
        elif isinstance(value, list):
            for below in value:
                look(name, below)

    for message in messages:
        look("", message)
    return found


def recorded() -> Iterator[dict[str, Any]]:
    """Every message of Google's own service."""
    with gzip.open(RECORDED) as lines:
        for line in lines:
            record = json.loads(line)
            if record["provider"] == "gemini":
                yield from (json.loads(m["text"]) for m in record["messages"] if m["dir"] == "server")


def simulated() -> Iterator[dict[str, Any]]:
    """Everything the simulated service says aloud to one busy client."""
    live = GeminiLiveSession("/", lambda: 0.0)
    script = Script(text="hello you", thinking="a while", tool_calls=(ToolCall("look"),))
    setup = {"inputAudioTranscription": {}, "outputAudioTranscription": {}, "sessionResumption": {}}
    asked = {"client_content": {"turns": [{"role": "user", "parts": [{"text": "hi"}]}], "turnComplete": True}}
    said = [*live.take({"setup": setup}, lambda _: script), *live.take(asked, lambda _: script)]
    said += live.take({"tool_response": {"functionResponses": []}}, lambda _: Script(text="fog", thinking="well"))
    for each in said:
        if isinstance(each, str):
            yield json.loads(each)
        elif isinstance(each, Turn):
            yield from (json.loads(part.data) for part in each.reply.parts)


@pytest.mark.skipif(not RECORDED.is_file(), reason="the recorded corpus is not there")
def test_messages_have_the_recorded_fields() -> None:
    """Each message, and each object in it, has a set of fields that was seen on the wire."""

    assert shapes(simulated()) - shapes(recorded()) == set()
