"""Chunks of chat completions and legacy completions."""

from collections.abc import Hashable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

from outwarden.wire.format import Delta, EventFacts
from outwarden.wire.formats import errors
from outwarden.wire.formats.bills import on_tier
from outwarden.wire.formats.rules import opaque_in
from outwarden.wire.formats.tool_usage import with_breakdown
from outwarden.wire.formats.unknown import GROWING_TEXTS, unknown_pieces
from outwarden.wire.formats.usages import any_usage
from outwarden.wire.formats.values import items, mapping, objects, position, text
from outwarden.wire.usage import Usage

# OpenAI runs at most 128 tools in a request (API reference, `tools`, read 2026-11); a turn can call each once.
_TOOLS_MAX = 128
# What a delta says before its answer (Copilot: ``reasoning_text``, ``cot_summary``); ``details`` are OpenRouter's,
# ``others`` is what grows under keys that nobody described (Groq's tools, what gateways add).
_THOUGHTS = ("reasoning", "reasoning_content", "reasoning_text", "thinking", "thought", "cot_summary")
_REASONING = (*_THOUGHTS, "details", "others")
# Beside ``content``: what else a string in a delta may be, if it grows (Snowflake says all once more as ``text``).
_BESIDE = ("refusal", *sorted(GROWING_TEXTS.difference(_REASONING, ["content"])))
_STRINGS = frozenset({*_THOUGHTS, *_BESIDE})
_TEXTS = ("content", "content_list", "legacy", "transcript", *_BESIDE)
# Keys of a delta that are read as such, and those under which nothing grows, or what does is signed (LiteLLM's blocks).
_READ = frozenset({"content", "content_list", "tool_calls", "function_call", "audio", "reasoning_details", *_STRINGS})
_KNOWN = _READ.union(["role", "images", "annotations", "citations", "provider_metadata", "thinking_blocks"])


@lru_cache(maxsize=256)
def _channels(choice: int) -> tuple[Hashable, ...]:
    """Every channel that a choice can have open."""
    named = ((choice, key) for key in (*_REASONING, *_TEXTS, "function_call"))
    return (*named, *((choice, "tool", index) for index in range(_TOOLS_MAX)))


@lru_cache(maxsize=256)
def _reasoning_channels(choice: int) -> tuple[Hashable, ...]:
    return tuple((choice, key) for key in _REASONING)


@lru_cache(maxsize=4096)
def _before_tool(choice: int, tool: int) -> tuple[Hashable, ...]:
    """What is over when a choice's next tool call begins: its text and the calls before it."""
    named = tuple((choice, key) for key in (*_REASONING, *_TEXTS))
    return (*named, *((choice, "tool", index) for index in range(min(tool, _TOOLS_MAX))))


def _string(parent: dict[str, Any], key: str, channel: Hashable) -> Iterator[Delta]:
    if text(parent.get(key)):
        yield Delta(parent, key, channel)


def _content(delta: dict[str, Any], choice: int) -> Iterator[Delta]:
    """``content`` as a string, or as Mistral's list of text and thinking parts."""
    said = delta.get("content")
    if isinstance(said, str) and said:
        yield Delta(delta, "content", (choice, "content"))
    for key, parts in (("content", said), ("content_list", delta.get("content_list"))):
        for part in objects(parts) if parts else ():
            yield from _string(part, "text", (choice, key))
            for thought in objects(part.get("thinking")):
                yield from _string(thought, "text", (choice, "thinking"))


def _strings(delta: dict[str, Any], choice: int) -> Iterator[Delta]:
    """Reasoning, a refusal, and what else may grow."""
    for key in delta:
        if key in _STRINGS:
            yield from _string(delta, key, (choice, key))
    details = delta.get("reasoning_details")
    for detail in objects(details) if details else ():
        for key in ("text", "summary"):
            if key not in opaque_in(detail):
                yield from _string(detail, key, (choice, "details"))


def _tool_calls(delta: dict[str, Any], choice: int) -> Iterator[Delta]:
    for place, call in enumerate(objects(delta.get("tool_calls"))):
        channel = (choice, "tool", position(call, default=place))
        for key, field in (("function", "arguments"), ("custom", "input")):
            inner = mapping(call.get(key))
            if text(inner.get(field)):
                yield Delta(inner, field, channel, "json" if key == "function" else "text")
    legacy = mapping(delta.get("function_call"))
    if text(legacy.get("arguments")):
        yield Delta(legacy, "arguments", (choice, "function_call"), "json")


def _deltas(choice: dict[str, Any], index: int) -> Iterator[Delta]:
    """All pieces in a choice. Perplexity's ``message`` beside the delta repeats the whole text: no piece of it."""
    delta = mapping(choice.get("delta"))
    yield from _strings(delta, index)
    yield from _content(delta, index)
    if "audio" in delta:
        yield from _string(mapping(delta["audio"]), "transcript", (index, "transcript"))
    if "tool_calls" in delta or "function_call" in delta:
        yield from _tool_calls(delta, index)
    if not _KNOWN.issuperset(delta):
        found = unknown_pieces({key: delta[key] for key in delta if key not in _KNOWN})
        yield from (replace(piece, channel=(index, "others")) for piece in found)
    if "text" in choice:
        yield from _string(choice, "text", (index, "legacy"))
        for key in _THOUGHTS:
            yield from _string(choice, key, (index, key))
    elif "delta" not in choice:  # Mistral's newer models on Bedrock, Azure's old extensions
        whole = {key: choice[key] for key in ("message", "messages") if key in choice}
        yield from (replace(piece, channel=(index, piece.channel)) for piece in unknown_pieces(whole))


def _closes(choice: dict[str, Any], index: int, deltas: list[Delta]) -> tuple[Hashable, ...]:
    """Reasoning is over when text begins, text when a tool call begins, everything when the choice finishes."""
    if choice.get("finish_reason") or choice.get("finishReason"):
        return _channels(index)
    delta = mapping(choice.get("delta"))
    closed: tuple[Hashable, ...] = ()
    calls = delta.get("tool_calls")
    for place, call in enumerate(objects(calls)) if calls else ():
        if call.get("id") or mapping(call.get("function")).get("name"):
            closed = _before_tool(index, position(call, default=place))
    here = {d.channel for d in deltas}
    if not closed and here and here.isdisjoint(_reasoning_channels(index)):
        closed = _reasoning_channels(index)
    return tuple(channel for channel in closed if channel not in here)


def _has_output(choice: dict[str, Any], deltas: list[Delta]) -> bool:
    delta = mapping(choice.get("delta"))
    return bool(deltas) or any(
        delta.get(key) for key in ("tool_calls", "function_call", "audio", "images", "reasoning_details")
    )


def _of_choice(data: dict[str, Any]) -> Usage | None:
    """Moonshot tells the usage in the last chunk's choice."""
    return next((usage for choice in objects(data["choices"]) if (usage := any_usage(choice.get("usage")))), None)


def read_chat_event(data: dict[str, Any]) -> EventFacts:
    """One chunk. The usage chunk has no choices, Azure's first one has none either (and no usage)."""
    deltas: list[Delta] = []
    closes: list[Hashable] = []
    content = end = False
    for place, choice in enumerate(objects(data["choices"])):
        index = position(choice, default=place)
        found = list(_deltas(choice, index))
        deltas += found
        closes += _closes(choice, index, found)
        content = content or _has_output(choice, found)
        end = end or bool(choice.get("finish_reason"))
    error = errors.error_of(data)
    usage = any_usage(data.get("usage")) or any_usage(mapping(data.get("x_groq")).get("usage")) or _of_choice(data)
    return EventFacts(
        deltas=deltas,
        closes=closes,
        content=content,
        usage=on_tier(with_breakdown(usage, data), data) if usage is not None else None,
        model=text(data.get("model")),
        error=error,
        end=end and error is None,
        usage_only=usage is not None and not items(data["choices"]),
    )
