"""Anthropic's whole messages and the neutral reply (anthropic SDK 2.12, ``Message``)."""

from typing import Any

from outwarden.errors import NotTranslatable
from outwarden.wire.formats.values import count, mapping
from outwarden.wire.translation.anthropic_request import read_call, write_call
from outwarden.wire.translation.neutral import Reply, Spent, Stop, array, need, obj, string

STOPS: dict[str, Stop] = {
    "end_turn": "end",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_calls",
    "refusal": "refusal",
}
REASONS: dict[Stop, str] = {
    "end": "end_turn",
    "length": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool_calls": "tool_use",
    "refusal": "refusal",
}
# Thinking is signed by who thought it, and comes unasked from some models.
THOUGHTS = ("thinking", "redacted_thinking")


def read_reply(body: object) -> Reply:
    """Read a whole answer. Raises NotTranslatable."""
    source = obj(body, "the reply")
    blocks = [obj(block, "a content block") for block in array(source.get("content"), "'content'")]
    said = [block for block in blocks if block.get("type") not in THOUGHTS]
    for block in said:
        need(block.get("type") in ("text", "tool_use"), "a block of the reply has no counterpart")
        need(not block.get("citations"), "citations have no counterpart")
    return Reply(
        id=string(source.get("id") or "", "'id'"),
        model=string(source.get("model") or "", "'model'"),
        text="".join(string(block.get("text"), "a text") for block in said if block["type"] == "text"),
        calls=tuple(read_call(block) for block in said if block["type"] == "tool_use"),
        stop=read_stop(source.get("stop_reason")),
        stop_sequence=source.get("stop_sequence") if isinstance(source.get("stop_sequence"), str) else None,
        spent=read_spent(source.get("usage")),
    )


def read_stop(reason: object) -> Stop:
    """Read a ``stop_reason``. Raises NotTranslatable."""
    if not isinstance(reason, str) or reason not in STOPS:
        raise NotTranslatable("this 'stop_reason' has no counterpart")
    return STOPS[reason]


def read_spent(usage: object) -> Spent:
    """Read ``usage``; its ``input_tokens`` leave out what a cache was read or written for."""
    source = mapping(usage)
    cached, written = count(source.get("cache_read_input_tokens")), count(source.get("cache_creation_input_tokens"))
    return Spent(
        input_tokens=count(source.get("input_tokens")) + cached + written,
        cached_tokens=cached,
        cache_write_tokens=written,
        output_tokens=count(source.get("output_tokens")),
        reasoning_tokens=count(mapping(source.get("output_tokens_details")).get("thinking_tokens")),
    )


def write_reply(reply: Reply) -> dict[str, Any]:
    """Write a whole answer."""
    content: list[dict[str, Any]] = [{"type": "text", "text": reply.text}] if reply.text else []
    return write_head(reply.id, reply.model, reply.spent) | {
        "content": content + [write_call(call) for call in reply.calls],
        "stop_reason": REASONS[reply.stop],
        "stop_sequence": reply.stop_sequence,
    }


def write_head(id: str, model: str, spent: Spent) -> dict[str, Any]:
    """Write a message that says nothing yet."""
    return {
        "id": id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": write_spent(spent),
    }


def write_spent(spent: Spent) -> dict[str, Any]:
    """Write ``usage``."""
    written: dict[str, Any] = {
        "input_tokens": max(0, spent.input_tokens - spent.cached_tokens - spent.cache_write_tokens),
        "cache_creation_input_tokens": spent.cache_write_tokens,
        "cache_read_input_tokens": spent.cached_tokens,
        "output_tokens": spent.output_tokens,
    }
    return written | (
        {"output_tokens_details": {"thinking_tokens": spent.reasoning_tokens}} if spent.reasoning_tokens else {}
    )
