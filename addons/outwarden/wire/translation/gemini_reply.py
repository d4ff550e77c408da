"""Gemini's whole answers and the neutral reply (google-genai SDK 3.4, ``GenerateContentResponse``).

Left behind are what Google says of an answer beside it: safety ratings, probabilities, where a wording may be from.
"""

import secrets
from hashlib import sha256
from typing import Any

from outwarden.wire.formats.usages import gemini_usage
from outwarden.wire.formats.values import mapping, text
from outwarden.wire.translation.gemini_contents import read_call, read_part, write_models
from outwarden.wire.translation.gemini_fields import enum, listed, named
from outwarden.wire.translation.neutral import (
    Asked,
    Part,
    Reply,
    Spent,
    Stop,
    Text,
    ToolCall,
    flag,
    need,
    obj,
    string,
)

# In the order of their numbers, which some clients ask for (``$alt=json;enum-encoding=int``).
_REASONS = (
    *("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER", "BLOCKLIST"),
    *("PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL"),
)
_REFUSALS = frozenset({"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"})
REASONS: dict[Stop, str] = {
    "end": "STOP",
    "length": "MAX_TOKENS",
    "stop_sequence": "STOP",
    "tool_calls": "STOP",
    "refusal": "SAFETY",
}
_CANDIDATE = frozenset(
    {
        *("content", "finishReason", "finishMessage", "index", "safetyRatings", "citationMetadata", "tokenCount"),
        *("avgLogprobs", "logprobsResult"),
    }
)


class Ids:
    """Ids for calls that Gemini gave none, of the shape that other APIs allow, and the same for the same answer."""

    def __init__(self, reply_id: str) -> None:
        self._seed = reply_id or secrets.token_hex(16)
        self._made = 0

    def make(self, id: str, name: str) -> str:
        """The id of the next call, which may have one."""
        self._made += 1
        return id or "call_" + sha256(f"{self._seed} {self._made}".encode("utf-8", "surrogatepass")).hexdigest()[:24]


def read_reply(body: object) -> Reply:
    """Read a whole answer. Raises NotTranslatable."""
    source = obj(body, "the reply")
    id = field(source, "responseId", "response_id") or ""
    candidate = read_candidate(source)
    parts = read_parts(candidate, Ids(id))
    calls = tuple(part for part in parts if isinstance(part, ToolCall))
    return Reply(
        id=id,
        model=field(source, "modelVersion", "model_version") or "",
        text="".join(part.text for part in parts if isinstance(part, Text)),
        calls=calls,
        stop="refusal" if is_blocked(source) else read_stop(candidate.get("finishReason"), called=bool(calls)),
        spent=read_spent(source),
    )


def field(source: dict[str, Any], camel: str, snake: str) -> str | None:
    """A text under a key in either spelling."""
    return text(source.get(camel)) or text(source.get(snake))


def is_blocked(source: dict[str, Any]) -> bool:
    """Whether the prompt was refused, so that there is no candidate."""
    feedback = mapping(source.get("promptFeedback", source.get("prompt_feedback")))
    return bool(feedback.get("blockReason", feedback.get("block_reason")))


def read_candidate(source: dict[str, Any]) -> dict[str, Any]:
    """The one candidate of an answer or a chunk; empty where there is none."""
    candidates = listed(source.get("candidates"), "'candidates'")
    need(len(candidates) <= 1, "more than one candidate in a reply has no counterpart")
    return named(candidates[0], _CANDIDATE, "a candidate") if candidates else {}


def read_parts(candidate: dict[str, Any], ids: Ids) -> list[Part]:
    """What a candidate says; its thoughts stay with who thought them."""
    content = named(candidate.get("content") or {}, frozenset({"role", "parts"}), "'content'")
    said: list[Part] = []
    for part in listed(content.get("parts"), "'parts'"):
        source = read_part(part)
        if flag(source.get("thought"), "'thought'"):
            continue
        if "functionCall" in source:
            said.append(read_call(source["functionCall"], ids.make))
            continue
        need(source.keys() <= {"text", "thought"}, "a part of the reply has no counterpart")
        if spelled := string(source.get("text") or "", "a text"):
            said.append(Text(spelled))
    return said


def read_stop(reason: object, *, called: bool) -> Stop:
    """Read a ``finishReason``; Gemini has no word for tool calls. Raises NotTranslatable."""
    name = enum(reason if reason is not None else 0, _REASONS, "'finishReason'")
    if name == "STOP":
        return "tool_calls" if called else "end"
    if name == "MAX_TOKENS":
        return "length"
    need(name in _REFUSALS, "this 'finishReason' has no counterpart")
    return "refusal"


def read_spent(source: dict[str, Any]) -> Spent:
    """Read ``usageMetadata``, whose answer leaves out the thoughts; what is missing is 0."""
    usage = gemini_usage(mapping(source.get("usageMetadata", source.get("usage_metadata"))))
    if usage is None:
        return Spent()
    return Spent(
        input_tokens=usage.input_tokens,
        cached_tokens=usage.cached_input_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens,
    )


def write_reply(reply: Reply, asked: Asked) -> dict[str, Any]:
    """Write a whole answer."""
    texts = (Text(reply.text),) if reply.text else ()
    return write_chunk(
        reply.id, reply.model, write_models((*texts, *reply.calls), asked.model), REASONS[reply.stop], reply.spent
    )


def write_chunk(
    id: str, model: str, parts: list[dict[str, Any]], reason: str | None = None, spent: Spent | None = None
) -> dict[str, Any]:
    """Write an answer, or one chunk of a streamed one."""
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}}
    if reason:
        candidate["finishReason"] = reason
    written: dict[str, Any] = {"candidates": [candidate | {"index": 0}]}
    if spent:
        written["usageMetadata"] = write_spent(spent)
    return written | {"modelVersion": model, "responseId": id}


def write_spent(spent: Spent) -> dict[str, Any]:
    """Write ``usageMetadata``."""
    written = {
        "promptTokenCount": spent.input_tokens,
        "candidatesTokenCount": max(0, spent.output_tokens - spent.reasoning_tokens),
        "totalTokenCount": spent.input_tokens + spent.output_tokens,
    }
    if spent.cached_tokens:
        written["cachedContentTokenCount"] = spent.cached_tokens
    if spent.reasoning_tokens:
        written["thoughtsTokenCount"] = spent.reasoning_tokens
    return written
