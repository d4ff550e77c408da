"""OpenAI's Realtime API over a WebSocket, as Azure, xAI and gateways speak it, too; its beta spelling as well."""

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

from outwarden.wire.format import Delta, EventFacts, MessageFacts, RequestFacts
from outwarden.wire.formats import errors
from outwarden.wire.formats.openai_events import read_responses_event
from outwarden.wire.formats.usages import any_usage
from outwarden.wire.formats.values import mapping, number, text

_TRANSCRIPTION = "conversation.item.input_audio_transcription"
_LIMITS = ("max_output_tokens", "max_response_output_tokens")
# Speech is appended piece by piece; where the provider detects its end, any piece may be the last before a response.
_SPEECH = frozenset({"input_audio_buffer.append", "input_audio_buffer.commit"})


def read_client_message(message: Mapping[str, Any]) -> MessageFacts:
    """One event of the client's, by its ``type``."""
    kind = message.get("type")
    if kind == "response.create":
        return MessageFacts(begins="now", request=_request(mapping(message.get("response"))))
    if kind in _SPEECH:
        return MessageFacts(begins="maybe")
    if kind in ("session.update", "transcription_session.update"):
        session = mapping(message.get("session"))
        return MessageFacts(request=_request(session), for_session=True, detects_turns=_detects_turns(session))
    return MessageFacts()


def _request(source: Mapping[str, Any]) -> RequestFacts:
    """``inf`` is no limit of the caller's."""
    limit = next((n for key in _LIMITS if (n := number(source.get(key))) is not None and n >= 0), None)
    return RequestFacts(model=text(source.get("model")), stream=True, output_limit=limit)


def _detects_turns(session: Mapping[str, Any]) -> bool | None:
    """Whether voice detection begins responses; it is on unless switched off, by null or ``create_response: false``."""
    for source in (mapping(mapping(session.get("audio")).get("input")), session):
        if "turn_detection" in source:
            detection = source["turn_detection"]
            return isinstance(detection, dict) and detection.get("create_response") is not False
    return None


def read_realtime_event(data: dict[str, Any]) -> EventFacts:
    """One event of the server's. An ``error`` answers one event of the client's and ends nothing."""
    kind = text(data.get("type")) or ""
    if kind.startswith("response."):
        facts = read_responses_event(data)
        return facts if facts.usage else replace(facts, usage=any_usage(data.get("usage")))  # xAI: beside the response
    if kind.startswith("session."):
        return EventFacts(model=text(mapping(data.get("session")).get("model")))
    if kind == "error":
        return EventFacts(error=errors.error_kind(data.get("error")))
    if kind.startswith(_TRANSCRIPTION):
        return _read_transcription(kind, data)
    return EventFacts()


def _read_transcription(kind: str, data: dict[str, Any]) -> EventFacts:
    """What the caller said, in pieces; the last event repeats it whole."""
    channel: Hashable = (_TRANSCRIPTION, text(data.get("item_id")), data.get("content_index"))
    if kind.endswith(".delta") and text(data.get("delta")):
        return EventFacts(deltas=(Delta(data, "delta", channel),))
    return EventFacts(closes=(channel,) if kind.endswith((".completed", ".failed")) else ())
