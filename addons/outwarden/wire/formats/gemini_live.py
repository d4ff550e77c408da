"""Google's Live API (``BidiGenerateContent`` over a WebSocket), in camelCase or snake_case."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from outwarden.wire.format import Delta, EventFacts, MessageFacts, RequestFacts, SessionFacts
from outwarden.wire.formats.rules import opaque_in
from outwarden.wire.formats.usages import gemini_usage
from outwarden.wire.formats.values import mapping, number, objects, text

_THEIRS, _OURS = "inputTranscription", "outputTranscription"


def either(source: Mapping[str, Any], camel: str) -> Any:
    """The value under a key in either spelling."""
    if camel in source:
        return source[camel]
    return source.get(_snake(camel))


@cache
def _snake(camel: str) -> str:
    """The other spelling of one of our own keys."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in camel)


def read_client_message(message: Mapping[str, Any]) -> MessageFacts:
    """Setup, a turn, an answer of a tool, or a piece of live input whose end the server detects unless told not to.

    The model makes one turn at a time, and what a tool answers belongs to the turn that asked for it: it goes on, ends
    once and tells its usage once (recorded with gemini-2.5-flash-native-audio and gemini-3.1-flash-live). Some models
    end the turn with the call (https://github.com/livekit/agents/pull/3192); then the answer begins the next.
    """
    if isinstance(setup := message.get("setup"), dict):
        return MessageFacts(request=_request(setup), for_session=True, session=SessionFacts(_detects_turns(setup)))
    content = either(message, "clientContent")
    if isinstance(content, dict):
        return MessageFacts(begins="now" if either(content, "turnComplete") is True else "", joins="silent")
    if either(message, "toolResponse") is not None:
        return MessageFacts(begins="now", joins="any")
    live = either(message, "realtimeInput")
    if isinstance(live, dict):
        return MessageFacts(begins="now" if either(live, "activityEnd") is not None else "maybe", joins="silent")
    return MessageFacts()


def _request(setup: Mapping[str, Any]) -> RequestFacts:
    config = mapping(either(setup, "generationConfig"))
    limit = number(either(config, "maxOutputTokens"))
    model = text(setup.get("model"))
    return RequestFacts(
        model=model.rpartition("/")[2] if model else None,
        stream=True,
        output_limit=limit if limit is not None and limit >= 0 else None,
    )


def _detects_turns(setup: Mapping[str, Any]) -> bool:
    live = mapping(either(setup, "realtimeInputConfig"))
    return mapping(either(live, "automaticActivityDetection")).get("disabled") is not True


def read_live_event(data: dict[str, Any]) -> EventFacts:
    """One message of the server's; the turn is over with ``turnComplete``, and its usage stands beside that."""
    content = mapping(either(data, "serverContent"))
    deltas = list(_deltas(content))
    call = mapping(either(data, "toolCall"))
    usage = either(data, "usageMetadata")
    ends = either(content, "turnComplete") is True
    theirs_only = all(delta.channel == _THEIRS for delta in deltas)
    begins = bool(call) or not theirs_only or bool(either(content, "modelTurn"))
    over = ends or either(content, "interrupted") is True or either(content, "generationComplete") is True
    return EventFacts(
        deltas=deltas,
        # What the caller said is over when the model speaks: nothing of it may hold the model's answer back.
        closes="all" if over or call else (_THEIRS,) if begins else (),
        content=begins,
        usage=gemini_usage(usage) if isinstance(usage, dict) else None,
        end=ends,
    )


def _deltas(content: Mapping[str, Any]) -> Iterator[Delta]:
    for part in objects(mapping(either(content, "modelTurn")).get("parts")):
        if text(part.get("text")) and "text" not in opaque_in(part):
            yield Delta(part, "text", ("thought" if part.get("thought") is True else "text",))
    for key in (_THEIRS, _OURS):
        transcription = either(content, key)
        if isinstance(transcription, dict) and text(transcription.get("text")):
            yield Delta(transcription, "text", key)
