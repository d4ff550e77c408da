"""Read a document, or large parts of one, whose every string is text without making a tree of it.

A tree of 300,000 objects takes longer to make than all else, and to walk five times that. Where no key asks for a rule,
and nothing is media or a number to look at, the strings are what stands between the quotes: one split finds them all.
"""

import re
from typing import Any

import msgspec
import numpy as np
import orjson

from outwarden.wire.format import TextRules
from outwarden.wire.json_tree import MAX_DEPTH

# Below, a walk takes less than half a millisecond.
_BYTES_MIN = 4096
# A document with fewer strings and containers than one in so many bytes is walked as fast.
_DENSITY = 32
_HEAD = 2048  # bytes; nearly all documents with a key that asks for a rule have one at their begin
_STRING = re.compile(rb'"([^"\\]*)"')
# Where large parts lie: a message's block, a tool's input, what a list in it holds; so often a document is looked over.
_LEVELS_MAX = 6
_PART_BYTES = 1024  # of the parts of one level, on average; smaller ones are parsed faster together
_OBJECT: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_GRAMMAR: msgspec.json.Decoder[msgspec.Raw] = msgspec.json.Decoder(msgspec.Raw)
_CONTROLS = bytes(range(32))  # none stands in a string (RFC 8259 §7)
_DIGITS = b"0123456789+-."
# Numbers in a list may be token ids, and long ones cards: those are for the walk.
_WALKED_NUMBER = re.compile(rb"[\[,][ \t\r\n]*-?[0-9]|[0-9]{11}|[0-9][eE]")
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"{}[]")
_STEPS = np.zeros(256, np.int32)
_STEPS[list(b"{[")], _STEPS[list(b"}]")] = 1, -1


class Bulk:
    """A part of a document of which all strings are text: in the order of the bytes, keys too.

    ``number_tokens``: an upper bound for the tokens of its numbers. ``depth``: how many levels it has.
    """

    __slots__ = ("depth", "number_tokens", "tokens")

    def __init__(self, tokens: list[str], number_tokens: int, depth: int) -> None:
        self.tokens = tokens
        self.number_tokens = number_tokens
        self.depth = depth

    def __repr__(self) -> str:
        return f"<Bulk of {len(self.tokens)} strings>"


def read_in_bulk(raw: bytes, rules: TextRules, *, free: bool, longest: int, levels: int = _LEVELS_MAX) -> Any:
    """Return the tree of a document with `Bulk` in place of large parts; where a key repeats, its last value.

    ``free`` and ``longest`` as of `read_at_once`. Raises orjson.JSONDecodeError for what orjson does not take.
    """
    if not levels or len(raw) < _BYTES_MIN or not _is_dense(raw):
        return orjson.loads(raw)
    is_part = levels < _LEVELS_MAX
    if (found := read_at_once(raw, rules, free=free, longest=longest, is_json=is_part)) is not None:
        return found
    try:
        parts = _OBJECT.decode(raw) if raw.lstrip()[:1] == b"{" else _LIST.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return orjson.loads(raw)
    if len(parts) * _PART_BYTES > len(raw):
        return orjson.loads(raw)

    def read(part: msgspec.Raw) -> Any:
        return read_in_bulk(bytes(part), rules, free=free, longest=longest, levels=levels - 1)

    return {key: read(part) for key, part in parts.items()} if isinstance(parts, dict) else [*map(read, parts)]


def read_at_once(raw: bytes, rules: TextRules, *, free: bool, longest: int, is_json: bool = False) -> Bulk | None:
    """Read a document that is nothing but text; None: it is not.

    ``free``: all in it is text, whatever the rules say. A string of ``longest`` characters or more may be media.
    ``is_json``: the grammar is known to hold, but for the insides of strings.
    """
    if raw[:_HEAD].lstrip()[:1] not in (b"{", b"[") or b"data:" in raw:
        return None
    special = frozenset[str]() if free else rules.opaque | rules.ids | rules.asked
    if not free and rules.opaque_in is not None and not rules.asked:
        return None
    if not special.isdisjoint(name.decode("utf-8", "replace") for name in _STRING.findall(raw, 0, _HEAD)):
        return None
    if not (is_json or _is_json(raw)):
        return None
    parts = _split(raw)
    if parts is None or (counted := _counted(parts[1])) is None:
        return None
    tokens = parts[0]
    different = set(tokens)
    if not special.isdisjoint(different) or max(map(len, different), default=0) >= longest:
        return None
    return Bulk(tokens, *counted)


def _is_dense(raw: bytes) -> bool:
    quotes = max(raw.count(b'"') - raw.count(b"\\"), 0)  # escaped ones say nothing
    return (quotes + raw.count(b"{") + raw.count(b"[")) * _DENSITY >= len(raw)


def _is_json(raw: bytes) -> bool:
    """Whether the grammar holds; the insides of strings are looked at by `_split`."""
    try:
        _GRAMMAR.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _split(raw: bytes) -> tuple[list[str], bytes] | None:
    """Return (all strings, all between them); None where a string is none."""
    escaped = b"\\" in raw
    plain = raw.replace(b"\\\\", b"\\u005c").replace(b'\\"', b"\\u0022") if escaped else raw
    try:
        parts = plain.decode().split('"')
        tokens, structure = parts[1::2], "".join(parts[0::2]).encode()
        if escaped:
            tokens = [orjson.loads(f'"{token}"') if "\\" in token else token for token in tokens]
    except (UnicodeDecodeError, orjson.JSONDecodeError):
        return None
    return (tokens, structure) if _controls(raw) == _controls(structure) else None


def _controls(data: bytes) -> int:
    return len(data) - len(data.translate(None, _CONTROLS))


def _counted(structure: bytes) -> tuple[int, int] | None:
    """Count the characters of numbers, and the levels; None where a number is to be looked at, or it is too deep."""
    digits = len(structure) - len(structure.translate(None, _DIGITS))
    if digits and _WALKED_NUMBER.search(structure):
        return None
    brackets = np.frombuffer(structure.translate(None, _NOT_BRACKETS), np.uint8)
    depth = int(np.cumsum(_STEPS[brackets]).max())
    return None if depth > MAX_DEPTH else (digits, depth)
