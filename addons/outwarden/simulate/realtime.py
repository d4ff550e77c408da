"""OpenAI Realtime over a WebSocket: what the client does to the session, and what the server says to that.

Shapes are those of recorded sessions (gpt-realtime). Speech is told from silence by its samples: a chunk with any
sample that is not zero is speech, the first silent one after it ends the turn, which the server then answers by
itself where ``turn_detection`` says so. `realtime_response` is what an answer looks like.
"""

import base64
import copy
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

from outwarden.simulate.conversation import Ask, Said, Stop, Turn
from outwarden.simulate.exchange import Received
from outwarden.simulate.openai_errors import error_object
from outwarden.simulate.realtime_response import Speaker, cancelled, response
from outwarden.simulate.reply import Call, Json, Part, Reply
from outwarden.simulate.script import Script

SESSION_S = 1800  # how long a session may last, as `expires_at` tells
BYTES_PER_MS = 48  # 24 kHz, 16 bit, mono
DEFAULT_MODEL = "gpt-realtime"

_SESSION: dict[str, Json] = {
    "type": "realtime",
    "object": "realtime.session",
    "id": "",
    "model": "",
    "output_modalities": ["audio"],
    "instructions": "You are a helpful, witty, and friendly AI.",
    "tools": [],
    "tool_choice": "auto",
    "max_output_tokens": "inf",
    "tracing": None,
    "truncation": "auto",
    "prompt": None,
    "expires_at": 0,
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24000},
            "transcription": None,
            "noise_reduction": None,
            "turn_detection": {
                "type": "server_vad",
                "threshold": 0.5,
                "prefix_padding_ms": 300,
                "silence_duration_ms": 200,
                "idle_timeout_ms": None,
                "create_response": True,
                "interrupt_response": True,
            },
        },
        "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "alloy", "speed": 1.0},
    },
    "include": None,
}


class RealtimeSession:
    """One session with its conversation."""

    headers: tuple[tuple[str, str], ...] = ()
    binary = False

    def __init__(self, query: Mapping[str, str], received: Received, clock: Callable[[], float]) -> None:
        """``clock`` gives the seconds that `expires_at` counts from; who asks for the beta gets its event names."""
        self._clock = clock
        self._ids = Call.of(received.path, query, dict(received.headers), Script(), 0.0)
        beta = "realtime=v1" in (received.header("openai-beta") or "") or "openai-beta.realtime-v1" in (
            received.header("sec-websocket-protocol") or ""
        )
        self._speak = Speaker(self._ids, beta=beta)
        self._session = copy.deepcopy(_SESSION)
        self._session |= {"id": self._ids.id("sess_", 21), "model": query.get("model", DEFAULT_MODEL)}
        self._session["expires_at"] = int(clock()) + SESSION_S
        if query.get("intent") == "transcription":
            self._session |= {"type": "transcription", "object": "realtime.transcription_session"}
        self._items: list[dict[str, Any]] = []
        self._audio = bytearray()
        self._heard_ms = 0
        self._talking: str | None = None  # the id that the item being spoken will have
        self._asked = count(1)
        self._last: str | None = None
        self._takes: Mapping[str, Callable[[dict[str, Any], Ask], Iterator[Said]]] = {
            "session.update": self._update,
            "transcription_session.update": self._update_transcription,
            "conversation.item.create": self._create_item,
            "conversation.item.delete": self._delete_item,
            "conversation.item.retrieve": self._retrieve_item,
            "conversation.item.truncate": self._truncate_item,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "response.create": self._respond,
            "response.cancel": self._cancel,
        }

    def opening(self) -> Iterator[str]:
        """The session as it is before the client says anything."""
        yield self._speak("session.created", session=self._session)

    def take(self, message: dict[str, Any], ask: Ask) -> Iterator[Said]:
        """Do what a client's event asks for."""
        kind = message.get("type")
        if not isinstance(kind, str) or kind not in self._takes:
            supported = ", ".join(f"'{name}'" for name in self._takes)
            yield self._error(f"Invalid value: '{kind}'. Supported values are: {supported}.", "invalid_value", message)
            return
        yield from self._takes[kind](message, ask)

    def wrong(self, problem: str) -> str:
        """The error for a message that cannot be understood."""
        return self._error(f"The message is not a JSON object ({problem}).", "invalid_json", {})

    # --- the session and its items

    def _update(self, message: dict[str, Any], ask: Ask) -> Iterator[Said]:
        _lay_over(self._session, message.get("session") or {})
        yield self._speak("session.updated", session=self._session)

    def _update_transcription(self, message: dict[str, Any], ask: Ask) -> Iterator[Said]:
        """The beta's own update for a session that only transcribes, in its flat spelling."""
        given = dict(message.get("session") or {})
        names = {"input_audio_transcription": "transcription", "turn_detection": "turn_detection"}
        heard = {new: given.pop(old) for old, new in names.items() if old in given}
        _lay_over(self._session, {"type": "transcription", "audio": {"input": heard}})
        yield self._speak("transcription_session.updated", session=self._session)

    def _create_item(self, message: dict[str, Any], ask: Ask) -> Iterator[Said]:
        given = message.get("item")
        if not isinstance(given, dict):
            yield self._error("Missing required parameter: 'item'.", "missing_required_parameter", message)
            return
        item = {"id": given.get("id") or self._ids.id("item_", 21)} | given
        yield from self._add(item | ({"status": "completed"} if item.get("type") == "message" else {}))

    def _add(self, item: dict[str, Any]) -> Iterator[Said]:
        previous = self._items[-1]["id"] if self._items else None
        self._items.append(item)
        for name in ("conversation.item.added", "conversation.item.done"):
            yield self._speak(name, previous_item_id=previous, item=item)

    def _find(self, message: dict[str, Any]) -> dict[str, Any] | None:
        return next((item for item in self._items if item["id"] == message.get("item_id")), None)

    def _missing(self, message: dict[str, Any]) -> str:
        return self._error("Item with item_id not found.", "item_not_found", message)

    def _delete_item(self, message: dict[str, Any], ask: Ask) -> Iterator[Said]:
        if (item := self._find(message)) is None:
            yield self._missing(message)
            return
        self._items.remove(item)
        yield self._speak("conversation.item.deleted", item_id=item["id"])

    def _retrieve_item(self, message: dict[str, Any], ask: Ask) -> Iterator[Said]:
        item = self._find(message)
        yield self._missing(message) if item is None else self._speak("conversation.item.retrieved", item=item)

    def _truncate_item(self, message: dict[str, Any], ask: Ask) -> Iterator[Said]:
        if (item := self._find(message)) is None:
            yield self._missing(message)
            return
        told = {key: message.get(key) for key in ("item_id", "content_index", "audio_end_ms")}
        for part in item.get("content", []):
            part.pop("transcript", None)  # what was not heard is forgotten
        yield self._speak("conversation.item.truncated", **told)

    # --- audio

    def _append(self, message: dict[str, Any], ask: Ask) -> Iterator[Said]:
        chunk = base64.b64decode(message.get("audio") or "", validate=True)
        self._heard_ms += len(chunk) // BYTES_PER_MS
        detection = self._session["audio"]["input"]["turn_detection"]
        if detection is None:
            self._audio += chunk
        elif any(chunk):
            yield from self._speech(chunk, detection)
        elif self._talking is not None:
            yield self._speak("input_audio_buffer.speech_stopped", audio_end_ms=self._heard_ms, item_id=self._talking)
            told: list[Script] = []  # what is heard and what is answered are one script's

            def once(body: Json) -> Script:
                told[:] = told or [ask(body)]
                return told[0]

            yield from self._commit(message, once)
            if detection.get("create_response", True) and self._session["type"] == "realtime":
                yield from self._respond({}, once)

    def _speech(self, chunk: bytes, detection: dict[str, Any]) -> Iterator[Said]:
        self._audio += chunk
        if self._talking is not None:
            return
        self._talking = self._ids.id("item_", 21)
        yield self._speak("input_audio_buffer.speech_started", audio_start_ms=self._heard_ms, item_id=self._talking)
        if detection.get("interrupt_response", True):
            yield Stop(self._interrupted)

    def _commit(self, message: dict[str, Any], ask: Ask) -> Iterator[Said]:
        if not self._audio:
            yield self._error("Error committing input audio buffer: buffer too small.", "buffer_too_small", message)
            return
        item_id = self._talking or self._ids.id("item_", 21)
        seconds = len(self._audio) / BYTES_PER_MS / 1000
        self._audio.clear()
        self._talking = None
        previous = self._items[-1]["id"] if self._items else None
        yield self._speak("input_audio_buffer.committed", previous_item_id=previous, item_id=item_id)
        content = {"type": "input_audio", "transcript": None}
        item = {"id": item_id, "type": "message", "status": "completed", "role": "user", "content": [content]}
        yield from self._add(item)
        transcriber = self._session["audio"]["input"]["transcription"]
        if transcriber is not None:
            content["transcript"] = heard = ask({}).transcript
            yield from self._speak.transcription(item_id, heard, seconds, str(transcriber.get("model")))

    def _clear(self, message: dict[str, Any], ask: Ask) -> Iterator[Said]:
        self._audio.clear()
        self._talking = None
        yield self._speak("input_audio_buffer.cleared")

    # --- responses

    def _respond(self, message: dict[str, Any], ask: Ask) -> Iterator[Said]:
        wanted = message.get("response") or {}
        settings = {key: self._session[key] for key in ("instructions", "output_modalities", "tools", "audio")}
        heard = copy.deepcopy(wanted.get("input", self._items))
        body = settings | wanted | {"input": heard, "model": self._session["model"]}
        script = ask(body)
        if script.status >= 400:
            error = error_object(script, script.status)["error"]
            alone = Script(headers_delay_s=script.headers_delay_s, close_code=script.close_code)
            yield Turn(_whole(self._speak("error", error=error | {"event_id": message.get("event_id")})), alone)
            return
        call = Call.of(f"{self._session['id']}#{next(self._asked)}", {}, body, script, self._clock())
        previous = self._items[-1]["id"] if self._items else None
        reply, finished = response(call, self._speak, previous)
        self._last = finished["id"]
        if wanted.get("conversation") != "none":
            self._items += copy.deepcopy(finished["output"])
        yield Turn(reply, script)

    def _cancel(self, message: dict[str, Any], ask: Ask) -> Iterator[Said]:
        yield Stop(self._interrupted)

    def _interrupted(self) -> Iterator[str]:
        yield self._speak("response.done", response=cancelled(self._last))

    def _error(self, problem: str, code: str, message: dict[str, Any]) -> str:
        error = {"type": "invalid_request_error", "code": code, "message": problem, "param": None}
        return self._speak("error", error=error | {"event_id": message.get("event_id")})


def _lay_over(below: dict[str, Any], over: dict[str, Any]) -> None:
    """Lay an update over the session; objects are merged, what is switched off is null."""
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(below.get(key), dict):
            _lay_over(below[key], value)
        else:
            below[key] = value


def _whole(text: str) -> Reply:
    return Reply(200, (), (Part(text.encode("utf-8")),))
