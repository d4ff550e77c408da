"""Google's Live API over a WebSocket: the setup, turns in text and speech, answers of tools, interruptions.

Shapes are those of recorded sessions (gemini-2.5-flash-native-audio, gemini-3.1-flash-live) and of what google-genai's
`live.py` sends and reads; it mixes spellings (``client_content`` with ``turnComplete``): both are read. Speech is told
from silence as `realtime` does. There is no error message: the connection is closed with a code and a reason.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

from outwarden.simulate.conversation import Ask, Said, Stop, Turn
from outwarden.simulate.reply import Call, Json, Part, Reply, compact, overlaid, say
from outwarden.simulate.reply import Said as Answer
from outwarden.simulate.script import Script
from outwarden.simulate.text import last_spoken

AUDIO_BYTES = 960  # of one message: 20 ms at 24 kHz, 16 bit, mono; recorded ones are longer
# What the service closes with, as users report it: what it does not understand, and whatever fails on its side.
INVALID, INTERNAL = 1007, 1011


class GeminiLiveSession:
    """One session with its conversation."""

    headers: tuple[tuple[str, str], ...] = ()
    binary = True  # every message of the service is JSON in a binary frame: SDKs read it by ``recv(decode=False)``

    def __init__(self, path: str, clock: Callable[[], float]) -> None:
        """``clock`` gives the seconds that ids are made of."""
        self._path = path
        self._clock = clock
        self._setup: dict[str, Any] | None = None
        self._turns: list[Any] = []
        self._heard = False
        self._asked = count(1)

    def opening(self) -> Iterator[str]:
        """Nothing: the client begins, by its setup."""
        yield from ()

    def take(self, message: dict[str, Any], ask: Ask) -> Iterator[Said]:
        """Do what a client's message asks for."""
        setup = message.get("setup")
        if (self._setup is None) != isinstance(setup, dict):
            yield _closing(INVALID)
        elif isinstance(setup, dict):
            yield from self._begin(setup)
        elif isinstance(content := _either(message, "clientContent"), dict):
            yield from self._add_turns(content, ask)
        elif isinstance(answer := _either(message, "toolResponse"), dict):
            self._turns += _objects(_either(answer, "functionResponses"))
            yield self._respond(ask)
        elif isinstance(live := _either(message, "realtimeInput"), dict):
            yield from self._hear(live, ask)
        else:
            yield _closing(INVALID)

    def wrong(self, problem: str) -> Said:
        """A message that cannot be understood ends the session."""
        return _closing(INVALID)

    # --- what the client says

    def _begin(self, setup: dict[str, Any]) -> Iterator[Said]:
        self._setup = setup
        yield compact({"setupComplete": {}})
        if _either(setup, "sessionResumption") is not None:
            handle = self._call({}, Script()).id("", 36)
            yield compact({"sessionResumptionUpdate": {"newHandle": handle, "resumable": True}})

    def _add_turns(self, content: dict[str, Any], ask: Ask) -> Iterator[Said]:
        self._turns += _objects(content.get("turns"))
        if _either(content, "turnComplete") is True:
            yield self._respond(ask)

    def _hear(self, live: dict[str, Any], ask: Ask) -> Iterator[Said]:
        """Live input: text is a turn; speech is one once it is over, which silence, an end or the client says."""
        if isinstance(text := live.get("text"), str):
            self._turns.append({"role": "user", "parts": [{"text": text}]})
            yield self._respond(ask)
            return
        if _either(live, "activityStart") is not None:
            yield Stop(self._interrupted)
        spoken = any(any(base64.b64decode(blob.get("data") or "")) for blob in _blobs(live))
        if spoken and not self._heard and self._detects_turns:
            yield Stop(self._interrupted)
        ended = _either(live, "activityEnd") is not None or _either(live, "audioStreamEnd") is True
        silent = bool(_blobs(live)) and not spoken and self._detects_turns
        over = self._heard and (ended or silent)
        self._heard = (self._heard or spoken) and not over
        if over:
            yield from self._understood(ask)

    def _understood(self, ask: Ask) -> Iterator[Said]:
        told: list[Script] = []  # what is heard and what is answered are one script's

        def once(body: Json) -> Script:
            told[:] = told or [ask(body)]
            return told[0]

        self._turns.append({"role": "user", "parts": [{"text": once(self._body()).transcript}]})
        if self._wants("inputAudioTranscription"):
            yield compact(_content(inputTranscription={"text": told[0].transcript}))
        yield self._respond(once)

    @property
    def _detects_turns(self) -> bool:
        settings = _mapping(_either(self._setup or {}, "realtimeInputConfig"))
        return _mapping(_either(settings, "automaticActivityDetection")).get("disabled") is not True

    # --- what the model says

    def _respond(self, ask: Ask) -> Turn:
        script = ask(self._body())
        if script.status >= 400:
            return _closing(script.close_code or INTERNAL, script.headers_delay_s)
        call = self._call(self._body(), script)
        settings = _mapping(_either(self._setup or {}, "generationConfig"))
        answer = say(call, last_spoken(_in_text(self._turns)), self._body(), _either(settings, "maxOutputTokens"))
        aloud = "AUDIO" in (_either(settings, "responseModalities") or ["AUDIO"])
        if answer.text is not None:
            self._turns.append({"role": "model", "parts": [{"text": answer.text}]})
        if script.error_after is not None:  # it has no error message
            script = Script(truncate_after=script.error_after, close_code=script.close_code or INTERNAL)
        written = self._wants("outputAudioTranscription")
        parts = tuple(_messages(call, answer, aloud=aloud, written=written))
        malformed = b'{"serverContent":{"modelTurn":{"parts":[{"te'
        return Turn(Reply(200, (), parts, streamed=True, malformed_data=malformed), script)

    def _interrupted(self) -> Iterator[str]:
        yield compact(_content(interrupted=True))
        yield compact(_content(turnComplete=True))

    def _body(self) -> dict[str, Any]:
        """The session as the body of a call."""
        setup = self._setup or {}
        kept = {key: _either(setup, key) for key in ("systemInstruction", "tools")}
        return {"model": setup.get("model"), "contents": [*self._turns]} | {k: v for k, v in kept.items() if v}

    def _call(self, body: dict[str, Any], script: Script) -> Call:
        return Call.of(f"{self._path}#{next(self._asked)}", {}, body, script, self._clock())

    def _wants(self, key: str) -> bool:
        return _either(self._setup or {}, key) is not None


def _messages(call: Call, answer: Answer, *, aloud: bool, written: bool) -> Iterator[Part]:
    """An answer as messages: thoughts, the text or the sound with its words, calls of tools, the end with the usage."""

    def part(kind: Any = "content", **fields: Any) -> Part:
        return Part(compact(fields).encode("utf-8", "backslashreplace"), kind)

    for piece in answer.thinking_pieces(call.script):
        yield part(serverContent={"modelTurn": {"parts": [{"text": piece, "thought": True}]}})
    for piece in answer.text_pieces(call.script):
        if not aloud:
            yield part(serverContent={"modelTurn": {"parts": [{"text": piece}]}})
            continue
        if written:
            yield part(serverContent={"outputTranscription": {"text": piece}})
        sound = base64.b64encode(call.random.randbytes(AUDIO_BYTES)).decode("ascii")
        blob = {"mimeType": "audio/pcm;rate=24000", "data": sound}
        yield part(serverContent={"modelTurn": {"parts": [{"inlineData": blob}]}})
    if call.script.tool_calls:  # the turn goes on behind the client's answer, and its usage is told there
        calls = [
            {"name": tool.name, "args": json.loads(tool.arguments), "id": call.id("function-call-", 20)}
            for tool in call.script.tool_calls
        ]
        yield part(toolCall={"functionCalls": calls})
        return
    yield part("end", **_content(generationComplete=True))
    usage = {} if call.script.no_usage else {"usageMetadata": _usage(call, answer, aloud=aloud)}
    yield part("end", **_content(turnComplete=True), **usage)


def _usage(call: Call, answer: Answer, *, aloud: bool) -> dict[str, Any]:
    """The Live API says response where all others say candidates; the total excludes thoughts."""
    made = answer.output_tokens - answer.thinking_tokens
    counted: dict[str, Any] = {
        "promptTokenCount": answer.input_tokens,
        "responseTokenCount": made,
        "totalTokenCount": answer.input_tokens + made,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": answer.input_tokens}],
        "responseTokensDetails": [{"modality": "AUDIO" if aloud else "TEXT", "tokenCount": made}],
    }
    if answer.thinking_tokens:
        counted["thoughtsTokenCount"] = answer.thinking_tokens
    return overlaid(counted, call.script)


def _closing(code: int, delay_s: float = 0.0) -> Turn:
    """A turn that says nothing and ends the connection."""
    return Turn(Reply(200, (), (), streamed=True), Script(truncate_after=0, close_code=code, headers_delay_s=delay_s))


def _content(**fields: Any) -> dict[str, Any]:
    return {"serverContent": fields}


def _blobs(live: dict[str, Any]) -> list[dict[str, Any]]:
    """The sounds among live input; pictures say nothing here."""
    found = [_mapping(live.get("audio")), _mapping(live.get("media")), *_objects(_either(live, "mediaChunks"))]
    return [blob for blob in found if str(_either(blob, "mimeType") or "").startswith("audio/")]


def _in_text(turns: list[Any]) -> list[dict[str, Any]]:
    """Turns with what a tool answered as their text."""
    return [turn | {"output": compact(turn["response"])} if "response" in turn else turn for turn in turns]


def _either(source: Mapping[str, Any], camel: str) -> Any:
    """The value under a key in either spelling."""
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in camel)
    return source.get(camel, source.get(snake))


def _objects(value: Any) -> list[dict[str, Any]]:
    found = value if isinstance(value, list) else [value]
    return [each for each in found if isinstance(each, dict)]


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
