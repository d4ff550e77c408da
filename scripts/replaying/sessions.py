"""Recorded WebSocket sessions, made out of a line of a recording, with what is expected of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import urlsplit

from replaying.exchanges import Record, Unplayable, host_name, label

CLIENT, SERVER, CLOSE = "client", "server", "close"
TRANSCRIBED = "conversation.item.input_audio_transcription.completed"
_GEMINI = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
_VERTEX = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"
# Where each label's sessions were recorded: the URL itself was not kept. Names under `example` are not in any table.
_PLACES = {
    "openai": ("api.openai.com", "/v1/realtime?model=gpt-realtime"),
    "xai": ("api.x.ai", "/v1/realtime?model=grok-voice"),
    "azure": ("replayed.openai.azure.com", "/openai/v1/realtime?model=gpt-realtime"),
    "azure-voice-live": ("replayed.cognitiveservices.azure.com", "/voice-live/realtime?model=gpt-realtime"),
    "gemini": ("generativelanguage.googleapis.com", _GEMINI),
    "vertex": ("us-central1-aiplatform.googleapis.com", _VERTEX),
    "gateway-openai": ("gateway-openai.here.example", "/proxy/openai/v1/realtime?model=gpt-realtime"),
    "gateway-gemini": ("gateway-gemini.here.example", "/proxy/google" + _VERTEX),
}


@dataclass(frozen=True, slots=True)
class Session:
    """One recorded session: ``messages`` are (who, text) in the order in which they were recorded.

    ``speaks`` is the format that its messages have, for hosts that no table knows.
    """

    id: str
    provider: str
    endpoint: str
    host: str
    target: str
    speaks: str
    messages: tuple[tuple[str, str], ...] = field(repr=False)
    exact: bool = False
    source: str = ""

    @property
    def row(self) -> tuple[str, str, str]:
        """Where it is counted."""
        return self.provider, self.endpoint, "stream"

    def said_by(self, who: str) -> list[str]:
        """The messages of one side."""
        return [text for side, text in self.messages if side == who]

    def slim(self) -> Self:
        """The same without its messages: what a report needs."""
        return replace(self, messages=())


def session(record: Record) -> Session:
    """Read one line of a recording. Raises Unplayable."""
    messages = tuple(_messages(record.get("messages")))
    provider = label(record, "provider")
    first = next((parsed(text) for who, text in messages if who == CLIENT), {})
    speaks = "gemini" if "setup" in first else "openai"
    host, target = _place(record.get("url"), provider, speaks)
    return Session(
        id=label(record, "id"),
        provider=provider,
        endpoint=label(record, "endpoint"),
        host=host,
        target=target,
        speaks=speaks,
        messages=messages,
        exact=record.get("fidelity") == "exact",
        source=str(record.get("source", "")),
    )


def parsed(text: str) -> dict[str, Any]:
    """A message as an object; empty where it is none."""
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def ends_turn(message: dict[str, Any]) -> bool:
    """Whether an answer is over with a server's message, so that a text does not go on behind it."""
    content = message.get("serverContent")
    over = isinstance(content, dict) and (content.get("turnComplete") or content.get("interrupted"))
    return bool(over) or "toolCall" in message or message.get("type") == "response.done"


def reported(messages: list[str]) -> Iterator[dict[str, Any]]:
    """The usage of each answer: with OpenAI's ``response.done``, of Google's the last one of a turn.

    And of each transcription, where it is told in tokens.
    """
    last: dict[str, Any] | None = None
    for message in map(parsed, messages):
        if message.get("type") == "response.done":  # xAI tells it beside the response, which has an empty one
            response = message.get("response")
            told = (response.get("usage") if isinstance(response, dict) else None) or message.get("usage")
            if isinstance(told, dict):
                yield told
        if message.get("type") == TRANSCRIBED and isinstance(message.get("usage"), dict):
            yield message["usage"]
        if isinstance(message.get("usageMetadata"), dict):
            last = message["usageMetadata"]
        if last is not None and ends_turn(message) and "toolCall" not in message:
            yield last
            last = None
    if last is not None:
        yield last


def _messages(told: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(told, list):
        raise Unplayable("it has no messages")
    for each in told:
        if not isinstance(each, dict) or each.get("dir") not in (CLIENT, SERVER, CLOSE):
            raise Unplayable("a message says not whose it is")
        if each["dir"] != CLOSE and not isinstance(each.get("text"), str):
            raise Unplayable("a message has no text")
        yield each["dir"], each.get("text") or ""


def _place(url: Any, provider: str, speaks: str) -> tuple[str, str]:
    if isinstance(url, str) and url.isascii():
        parts = urlsplit(url)
        return host_name(parts.hostname or "", provider), parts.path + (f"?{parts.query}" if parts.query else "")
    if provider in _PLACES:
        return _PLACES[provider]
    target = _GEMINI if speaks == "gemini" else "/v1/realtime?model=unknown"
    return host_name("", provider), target
