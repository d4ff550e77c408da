"""The simulated Realtime sends events with the fields that recorded sessions have."""

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outwarden.simulate import Received, Script, ToolCall
from outwarden.simulate.conversation import Turn
from outwarden.simulate.realtime import RealtimeSession

RECORDED = Path(__file__).parents[3] / "shared" / "wire" / "realtime.jsonl.gz"
SPEECH, SILENCE = (base64.b64encode(sample * 4800).decode() for sample in (b"\1", b"\0"))
CLIENT: list[Any] = [
    {"type": "session.update", "session": {"audio": {"input": {"transcription": {"model": "whisper"}}}}},
    {"type": "input_audio_buffer.append", "audio": SPEECH},
    {"type": "input_audio_buffer.append", "audio": SILENCE},
    {"type": "session.update", "session": {"output_modalities": ["text"]}},
    {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": []}},
    {"type": "response.create"},
]

Shape = frozenset[str]


def shapes(events: Iterator[dict[str, Any]]) -> dict[str, set[Shape]]:
    """The sets of keys that each type of event has, and the items and parts inside them."""
    found: dict[str, set[Shape]] = {}
    for event in events:
        inside = {"item": "type", "part": "type", "response": "object", "session": "object"}
        for place, value in [("", event), *((key, event[key]) for key in inside if isinstance(event.get(key), dict))]:
            name = event["type"] + (f" {place} {value.get(inside[place])}" if place else "")
            # `content` beside `part`, `phase` and `object` came and went between model versions
            found.setdefault(name, set()).add(frozenset(value) - {"content" if not place else "", "phase", "object"})
    return found


def simulated() -> Iterator[dict[str, Any]]:
    """Everything the simulated server says to one busy client."""
    received = Received("GET", "/v1/realtime", "api.openai.com", (), b"", "HTTP/1.1")
    session = RealtimeSession({"model": "gpt-realtime"}, received, lambda: 0.0)
    said: list[Any] = [*session.opening()]
    for message in CLIENT:
        said += session.take(message, lambda _: Script(text="hello", tool_calls=(ToolCall("look"),)))
    for each in said:
        if isinstance(each, str):
            yield json.loads(each)
        elif isinstance(each, Turn):
            yield from (json.loads(part.data) for part in each.reply.parts)


def recorded() -> Iterator[dict[str, Any]]:
    """Every event of a server that spoke to OpenAI's or Azure's clients in today's event names."""
    with gzip.open(RECORDED) as lines:
        for line in lines:
            record = json.loads(line)
            if record["provider"] in ("openai", "azure"):
                yield from (json.loads(m["text"]) for m in record["messages"] if m["dir"] == "server")


@pytest.mark.skipif(not RECORDED.is_file(), reason="the recorded corpus is not there")
def test_events_have_the_recorded_fields() -> None:
    """Each event, and each item, part, response and session in it, has a set of fields that was seen on the wire."""
    real = shapes(recorded())
    wrong = {
        name: [sorted(shape) for shape in found - real.get(name, set())]
        for name, found in shapes(simulated()).items()
        if name in real and found - real[name]
    }

    assert wrong == {}


@pytest.mark.skipif(not RECORDED.is_file(), reason="the recorded corpus is not there")
def test_every_simulated_event_was_seen() -> None:
    """No event is invented."""
    assert shapes(simulated()).keys() - shapes(recorded()).keys() == set()
