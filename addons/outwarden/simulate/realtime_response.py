"""How OpenAI Realtime words things: the events around items and responses, as text, as speech, as function calls."""

import base64
from collections.abc import Iterator
from math import ceil
from typing import Any

from outwarden.simulate.reply import Call, Part, Reply, Said, compact, overlaid, say
from outwarden.simulate.text import last_spoken, pieces

AUDIO_BYTES = 960  # of one delta: 20 ms at 24 kHz, 16 bit, mono; recorded ones are longer
# What the events were called before general availability; a client asks for it by `OpenAI-Beta: realtime=v1`.
_BETA_NAMES = {
    "conversation.item.added": "conversation.item.created",
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
}


class Speaker:
    """Writes server events, each with an id of its own."""

    def __init__(self, ids: Call, *, beta: bool = False) -> None:
        """``beta``: with the event names from before general availability."""
        self._ids = ids
        self._names = _BETA_NAMES if beta else {}

    def __call__(self, name: str, /, **fields: Any) -> str:
        """One event as JSON text."""
        event = {"type": self._names.get(name, name), "event_id": self._ids.id("event_", 21)} | fields
        return compact(event).encode("utf-8", "backslashreplace").decode("utf-8")

    def transcription(self, item_id: str, heard: str, seconds: float, model: str) -> Iterator[str]:
        """What was heard in an item's audio, piece by piece; newer models count it in tokens, older ones in seconds."""
        place = {"item_id": item_id, "content_index": 0}
        name = "conversation.item.input_audio_transcription"
        for piece in pieces(heard):
            yield self(f"{name}.delta", **place, delta=piece, obfuscation=self._ids.padding(16))
        usage: dict[str, Any] = {"type": "duration", "seconds": round(seconds)}
        if model.startswith("gpt-4o"):
            audio, made = ceil(seconds * 10), len(heard.split())
            details = {"text_tokens": 0, "audio_tokens": audio}
            usage = {"type": "tokens", "total_tokens": audio + made, "input_tokens": audio, "output_tokens": made}
            usage["input_token_details"] = details
        yield self(f"{name}.completed", **place, transcript=heard, usage=usage)


def response(call: Call, speak: Speaker, previous_item: str | None) -> tuple[Reply, dict[str, Any]]:
    """A response to everything in ``call.body["input"]`` as messages, and the finished response object."""
    body = call.body
    said = say(call, last_spoken(_heard(body["input"])), [body.get("instructions"), body["input"], body["tools"]], None)
    base = _base(call)
    items = _items(call, said)
    done = base | {"status": "completed", "output": items}
    if not call.script.no_usage:
        done["usage"] = _usage(call, said)
    parts = [Part(text.encode("utf-8"), kind) for text, kind in _events(call, speak, base, items, done, previous_item)]
    error = {
        "type": "server_error",
        "code": call.script.error,
        "message": "The simulated provider broke.",
        "param": None,
    }
    reply = Reply(
        200,
        (),
        tuple(parts),
        streamed=True,
        error_data=speak("error", error=error | {"event_id": None}).encode("utf-8"),
        malformed_data=b'{"type":"response.output_text.delta","delta":"cut of',
    )
    return reply, done


def cancelled(response_id: str | None) -> dict[str, Any]:
    """The response object of one that the client stopped or spoke into."""
    told: dict[str, Any] = {
        "object": "realtime.response",
        "id": response_id,
        "status": "cancelled",
        "output": [],
        "usage": None,
    }
    return told | {"status_details": {"type": "cancelled", "reason": "turn_detected"}}


def _heard(items: Any) -> list[Any]:
    """The items with what was heard in audio as their text."""
    found = []
    for item in items:
        content = [part | {"text": part.get("text") or part.get("transcript")} for part in item.get("content") or []]
        found.append(item | {"content": content} if content else item)
    return found


def _base(call: Call) -> dict[str, Any]:
    return {
        "object": "realtime.response",
        "id": call.id("resp_", 21),
        "status": "in_progress",
        "status_details": None,
        "output": [],
        "conversation_id": None if call.body.get("conversation") == "none" else call.path.partition("#")[0],
        "output_modalities": call.body["output_modalities"],
        "max_output_tokens": call.body.get("max_output_tokens", "inf"),
        "audio": {"output": call.body["audio"].get("output")},
        "usage": None,
        "metadata": call.body.get("metadata"),
    }


def _items(call: Call, said: Said) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if said.text is not None:
        aloud = "audio" in call.body["output_modalities"]
        part = (
            {"type": "output_audio", "transcript": said.text} if aloud else {"type": "output_text", "text": said.text}
        )
        head = {"id": call.id("item_", 21), "type": "message", "status": "completed"}
        items.append(head | {"role": "assistant", "content": [part]})
    for tool in call.script.tool_calls:
        head = {"id": call.id("item_", 21), "type": "function_call", "status": "completed", "name": tool.name}
        items.append(head | {"call_id": call.id("call_", 16), "arguments": tool.arguments})
    return items


def _usage(call: Call, said: Said) -> dict[str, Any]:
    """The usage object: speech counts as audio tokens beside those of its transcript."""
    audio = said.output_tokens if "audio" in call.body["output_modalities"] and said.text else 0
    nothing = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}
    details = {"text_tokens": said.input_tokens, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 0}
    counted = {
        "total_tokens": said.input_tokens + said.output_tokens + audio,
        "input_tokens": said.input_tokens,
        "output_tokens": said.output_tokens + audio,
        "input_token_details": details | {"cached_tokens_details": nothing},
        "output_token_details": {"text_tokens": said.output_tokens, "audio_tokens": audio},
    }
    return overlaid(counted, call.script)


_Event = tuple[str, Any]


def _events(
    call: Call,
    speak: Speaker,
    base: dict[str, Any],
    items: list[dict[str, Any]],
    done: dict[str, Any],
    previous: str | None,
) -> Iterator[_Event]:
    yield speak("response.created", response=base), "lifecycle"
    for index, item in enumerate(items):
        place = {"response_id": base["id"], "output_index": index}
        empty: dict[str, Any] = {"content": []} if item["type"] == "message" else {"arguments": ""}
        opening = item | {"status": "in_progress"} | empty
        yield speak("response.output_item.added", **place, item=opening), "lifecycle"
        yield speak("conversation.item.added", previous_item_id=previous, item=opening), "lifecycle"
        stage = _message_events if item["type"] == "message" else _call_events
        yield from stage(call, speak, {"response_id": base["id"], "item_id": item["id"], "output_index": index}, item)
        yield speak("conversation.item.done", previous_item_id=previous, item=item), "lifecycle"
        yield speak("response.output_item.done", **place, item=item), "lifecycle"
        previous = item["id"]
    yield speak("response.done", response=done), "end"
    limit = {"name": "tokens", "limit": 15_000_000, "remaining": 14_999_685, "reset_seconds": 0.001}
    yield speak("rate_limits.updated", rate_limits=[limit]), "end"


def _message_events(call: Call, speak: Speaker, place: dict[str, Any], item: dict[str, Any]) -> Iterator[_Event]:
    part = item["content"][0]
    aloud = part["type"] == "output_audio"
    field, kind = ("transcript", "audio") if aloud else ("text", "text")
    name = "response.output_audio_transcript" if aloud else "response.output_text"
    place = place | {"content_index": 0}
    yield speak("response.content_part.added", **place, part={"type": kind, field: ""}), "lifecycle"
    for piece in pieces(part[field], call.script.piece_chars):
        yield speak(f"{name}.delta", **place, delta=piece, obfuscation=call.padding(16)), "content"
        if aloud:
            sound = base64.b64encode(call.random.randbytes(AUDIO_BYTES)).decode("ascii")
            yield speak("response.output_audio.delta", **place, delta=sound), "content"
    if aloud:
        yield speak("response.output_audio.done", **place), "lifecycle"
    yield speak(f"{name}.done", **place, **{field: part[field]}), "lifecycle"
    yield speak("response.content_part.done", **place, part={"type": kind, field: part[field]}), "lifecycle"


def _call_events(call: Call, speak: Speaker, place: dict[str, Any], item: dict[str, Any]) -> Iterator[_Event]:
    place = place | {"call_id": item["call_id"]}
    for piece in pieces(item["arguments"], call.script.piece_chars):
        filler = {"delta": piece, "obfuscation": call.padding(16)}
        yield speak("response.function_call_arguments.delta", **place, **filler), "content"
    told = {"name": item["name"], "arguments": item["arguments"]}
    yield speak("response.function_call_arguments.done", **place, **told), "lifecycle"
