"""The values that the APIs' files produce and the server plays: a call, a reply in parts, and JSON spellings."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Literal

from outwarden.simulate.script import Script
from outwarden.simulate.text import count_tokens, first_tokens, pieces, strings

Json = Any
PartKind = Literal["lifecycle", "content", "end"]
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a body that the provider would flush at once. ``content``: first-class output; ``end``: the marker."""

    data: bytes
    kind: PartKind = "lifecycle"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before faults. ``error_data`` is what this API sends when it breaks after its headers."""

    status: int
    headers: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    streamed: bool = False
    error_data: bytes = b""
    first_error_data: bytes | None = None  # where it looks different as the very first thing
    malformed_data: bytes = b""


@dataclass(slots=True)
class Call:
    """One request as an API's file reads it.

    Ids and paddings are drawn from the body's hash: the same body gets the same reply, however it is cut or sent.
    """

    path: str
    query: Mapping[str, str]
    body: dict[str, Any]
    script: Script
    now: float
    random: Random = field(default_factory=Random)

    @classmethod
    def of(cls, path: str, query: Mapping[str, str], body: dict[str, Any], script: Script, now: float) -> "Call":
        """Make a call whose randomness depends on its path and body only."""
        seed = hashlib.sha256(json.dumps([path, body], sort_keys=True).encode()).hexdigest()
        return cls(path, query, body, script, now, Random(seed))  # noqa: S311 (looks, not secrets)

    def id(self, prefix: str, length: int) -> str:
        """An id as providers write them."""
        return prefix + "".join(self.random.choices(_ALPHABET, k=length))

    def padding(self, maximum: int) -> str:
        """Random filler, as put beside tiny deltas."""
        return self.id("", self.random.randrange(maximum))


@dataclass(frozen=True, slots=True)
class Said:
    """The answer's content with its token counts. ``cut``: the caller's output limit ended it."""

    text: str | None
    thinking: str | None
    input_tokens: int
    output_tokens: int
    thinking_tokens: int
    cut: bool

    def text_pieces(self, script: Script) -> list[str]:
        """The text in the pieces of a stream."""
        return pieces(self.text or "", script.piece_chars)

    def thinking_pieces(self, script: Script) -> list[str]:
        """The thinking in the pieces of a stream."""
        return pieces(self.thinking or "", script.piece_chars)


def say(call: Call, echo: str, prompt: Json, limit: Any, left: Callable[[str], str] = lambda text: text) -> Said:
    """Decide what is answered and count it. ``limit`` is the caller's output limit, if it is a number; ``left``: what
    of a text is left to be said.
    """
    script = call.script
    text = script.text if script.text is not None or script.tool_calls else echo
    text = None if text is None else left(text)
    thinking_tokens = count_tokens(script.thinking or "")
    arguments_tokens = sum(count_tokens(tool.name + " " + tool.arguments) for tool in script.tool_calls)
    cut, text_tokens = False, 0
    if text is not None:
        usable = max(0, limit - thinking_tokens) if isinstance(limit, int) else None
        text, cut = first_tokens(text, usable)
        text_tokens = count_tokens(text)
    input_tokens = sum(map(count_tokens, strings(prompt))) + 3  # a few for the frame around the messages
    output_tokens = text_tokens + arguments_tokens + thinking_tokens
    return Said(text, script.thinking, input_tokens, output_tokens, thinking_tokens, cut)


def overlaid(usage: dict[str, Any], script: Script) -> dict[str, Any]:
    """The usage object with the script's own figures laid over it, objects inside merged."""
    merged = dict(usage)
    for key, value in (script.usage or {}).items():
        below = merged.get(key)
        inner = replace(script, usage=value) if isinstance(value, Mapping) else script
        merged[key] = overlaid(below, inner) if isinstance(below, dict) and isinstance(value, Mapping) else value
    return merged


# A lone surrogate has no UTF-8; backslashreplace writes it as the escape that JSON has for it.


def compact(value: Json) -> str:
    """JSON as most providers write it: no spaces, UTF-8."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def pretty(value: Json) -> bytes:
    """JSON as OpenAI and Gemini write whole answers."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def html_safe(text: str) -> str:
    """JSON text with the escapes that Go and Google put into strings."""
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def event(data: str, name: str | None = None, line_end: str = "\n") -> bytes:
    """One server-sent event."""
    head = f"event: {name}{line_end}" if name else ""
    return f"{head}data: {data}{line_end}{line_end}".encode("utf-8", "backslashreplace")
