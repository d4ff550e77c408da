"""OpenAI's Realtime API over a WebSocket, as Azure, xAI and gateways speak it, too; its beta spelling as well."""

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

from outwarden.wire.format import Delta, EventFacts, MessageFacts, RequestFacts, SessionFacts, Transcription
from outwarden.wire.formats import errors
from outwarden.wire.formats.openai_events import pieces_of, read_responses_event
from outwarden.wire.formats.usages import any_usage, duration_usage
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
        return MessageFacts(request=_request(session), for_session=True, session=_read_session(kind, session))
    return MessageFacts()


def _request(source: Mapping[str, Any]) -> RequestFacts:
    """``inf`` is no limit of the caller's."""
    limit = next((n for key in _LIMITS if (n := number(source.get(key))) is not None and n >= 0), None)
    return RequestFacts(model=text(source.get("model")), stream=True, output_limit=limit)


def _read_session(event: str, session: Mapping[str, Any]) -> SessionFacts:
    """What a session is for, in both spellings: the beta has events of its own where it is for transcription alone."""
    sources = (mapping(mapping(session.get("audio")).get("input")), session)
    kind = "transcription" if event.startswith("transcription_session") else session.get("type")
    return SessionFacts(
        _detects_turns(sources),
        {"transcription": False, "realtime": True}.get(text(kind) or ""),
        _transcriber(sources),
        _sound_bytes_per_s(sources),
    )


def _detects_turns(sources: tuple[Mapping[str, Any], ...]) -> bool | None:
    """Whether voice detection begins responses; it is on unless switched off, by null or ``create_response: false``."""
    for source in sources:
        if "turn_detection" in source:
            detection = source["turn_detection"]
            return isinstance(detection, dict) and detection.get("create_response") is not False
    return None


def _transcriber(sources: tuple[Mapping[str, Any], ...]) -> str | None:
    """The model that writes speech down; an update may change its language alone."""
    for source, key in zip(sources, ("transcription", "input_audio_transcription"), strict=True):
        if key in source:
            return text(mapping(source[key]).get("model")) if source[key] else ""
    return None


def _sound_bytes_per_s(sources: tuple[Mapping[str, Any], ...]) -> int | None:
    """Telephony's G.711 has 8,000 bytes a second in any spelling; PCM has two a sample."""
    for source, key in zip(sources, ("format", "input_audio_format"), strict=True):
        form = source.get(key)
        name = text(mapping(form).get("type") or form)
        if name and ("g711" in name or name.endswith(("pcmu", "pcma"))):
            return 8_000
        if name and "pcm" in name:
            rate = number(mapping(form).get("rate") or source.get("input_audio_sampling_rate"))
            return 2 * rate if rate and 8_000 <= rate <= 192_000 else 48_000
    return None


def read_realtime_event(data: dict[str, Any]) -> EventFacts:
    """One event of the server's. An ``error`` answers one event of the client's and ends nothing."""
    kind = text(data.get("type")) or ""
    if kind.startswith("response."):
        facts = read_responses_event(data)
        if facts.usage is None and "usage" in data:  # xAI tells it beside the response
            return replace(facts, usage=any_usage(data["usage"]))
        return facts
    if "session" in data and kind.startswith(("session.", "transcription_session.")):
        session = mapping(data.get("session"))
        return EventFacts(model=text(session.get("model")), session=_read_session(kind, session))
    if kind == "input_audio_buffer.committed":
        return EventFacts(transcription=Transcription(text(data.get("item_id")) or "", "asked"))
    if kind == "error":
        return EventFacts(error=errors.error_kind(data.get("error")))
    if kind.startswith(_TRANSCRIPTION):
        return _read_transcription(kind, data)
    return pieces_of(kind, data)


def _read_transcription(kind: str, data: dict[str, Any]) -> EventFacts:
    """What the caller said, in pieces; the last event repeats it whole. xAI ends it several times, as it goes on."""
    channel: Hashable = (_TRANSCRIPTION, text(data.get("item_id")), data.get("content_index"))
    if kind.endswith(".delta") and text(data.get("delta")):
        return EventFacts(deltas=(Delta(data, "delta", channel),))
    if not kind.endswith((".completed", ".failed")):
        return EventFacts()
    item, usage = text(data.get("item_id")) or "", data.get("usage")
    if kind.endswith(".failed"):
        return EventFacts(closes=(channel,), transcription=Transcription(item, "failed"))
    if data.get("status") == "in_progress":
        return EventFacts(closes=(channel,))
    said = len((text(data.get("transcript")) or "").encode("utf-8", "replace"))
    done = Transcription(item, "done", duration_usage(usage) or any_usage(usage), said)
    return EventFacts(closes=(channel,), transcription=done)
