"""What was said so far as the beginning of the assistant's turn, at the end of a request (a "prefill")."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from outwarden.errors import BodyError, NotTranslatable
from outwarden.wire.formats.errors import encode
from outwarden.wire.formats.values import mapping
from outwarden.wire.top_level import replace_value, value_spans
from outwarden.wire.translation.neutral import load
from outwarden.wire.translation.tongue import TONGUES

# Format -> its operation whose answers can be gone on with.
CONTINUED = {"openai": "chat", "anthropic": "messages"}
_LIMITS = ("max_completion_tokens", "max_tokens")
# How to draw the next token, who asks, and how soon: fields that one format has and the others do not. They go along
# to upstreams of the same format as they are, and a continuation is drawn by them as the beginning was.
_HARMLESS = frozenset(
    {
        *("frequency_penalty", "presence_penalty", "repetition_penalty", "logit_bias", "min_p", "top_k"),
        *("metadata", "service_tier", "prompt_cache_key", "safety_identifier"),
    }
)


@dataclass(frozen=True, slots=True)
class Way:
    """How a provider wants to be asked to go on with a message: by which fields in it, and in the request.

    ``echoes``: its answer repeats the beginning before it goes on.
    """

    message: Mapping[str, bool] = field(default_factory=dict)
    request: Mapping[str, bool] = field(default_factory=dict)
    echoes: bool = False


PLAIN = Way()
PREFIX = Way(message={"prefix": True})
PREFIX_ECHOED = Way(message={"prefix": True}, echoes=True)
PARTIAL = Way(message={"partial": True})
# vLLM's protocol.py: "Cannot be used at the same time as `add_generation_prompt`", which is true unless said otherwise.
FINAL_MESSAGE = Way(request={"continue_final_message": True, "add_generation_prompt": False})


def obstacle(format_name: str, target: str, body: bytes) -> str | None:
    """Why the answer to this request cannot be gone on with by another model; None where it can.

    Only what is known in full may be asked so: a field that nobody here knows could ask for anything (an answer by a
    grammar, several answers, sound). The reason names fields, never values.
    """
    tongue = TONGUES.get(format_name)
    if tongue is None or format_name not in CONTINUED:
        return "answers of this format are not continued"
    try:
        source = load(body, "the request")
        known = {name: value for name, value in mapping(source).items() if name not in _HARMLESS}
        conversation = tongue.read_request(known, target)
    except NotTranslatable as reason:
        return str(reason)
    if conversation.output_schema is not None or conversation.output_json:
        return "the answer has to fit a schema"
    if conversation.tool_choice.kind in ("any", "named"):
        return "a tool has to be called"
    return None


def with_prefill(body: bytes, text: str, way: Way) -> bytes:
    """Return the request with ``text`` as the beginning of the assistant's turn; every other byte as it was.

    An empty text is no beginning: nothing is added. Raises BodyError where there is no list of messages to add it to.
    """
    if not text:
        return body
    for name, value in way.request.items():
        body = replace_value(body, name, encode(value))
    span = value_spans(body).get("messages")
    messages = body[slice(*span)] if span else b""
    if not span or not messages.startswith(b"[") or not messages[1:-1].strip():
        raise BodyError("the request has no messages")
    message: dict[str, Any] = {"role": "assistant", "content": text, **way.message}
    end = span[1] - 1
    return body[:end] + b"," + _spelled(message) + body[end:]


def _spelled(message: dict[str, Any]) -> bytes:
    try:
        return encode(message)
    except UnicodeEncodeError:  # half of a surrogate pair, cut where its other half had not come
        return json.dumps(message, separators=(",", ":")).encode()


def lower_limit(body: bytes, most: int) -> bytes:
    """Return the request with its limit on output tokens lowered to ``most``; one that names none stays."""
    for name in value_spans(body).keys() & set(_LIMITS):
        start, end = value_spans(body)[name]
        limit = body[start:end]
        if limit.isdigit() and int(limit) > most:
            body = replace_value(body, name, encode(most))
    return body
