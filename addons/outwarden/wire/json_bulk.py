"""Read a document whose every string is text without making a tree of it.

A tree of 300,000 objects takes longer to make than all else, and to walk five times that. Where no key asks for a rule,
and nothing is media or a number to look at, the strings are what stands between the quotes: one split finds them all.
"""

import re

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
_GRAMMAR: msgspec.json.Decoder[msgspec.Raw] = msgspec.json.Decoder(msgspec.Raw)
_CONTROLS = bytes(range(32))  # none stands in a string (RFC 8259 §7)
_DIGITS = b"0123456789+-."
# Numbers in a list may be token ids, and long ones cards: those are for the walk.
_WALKED_NUMBER = re.compile(rb"[\[,][ \t\r\n]*-?[0-9]|[0-9]{11}|[0-9][eE]")
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"{}[]")
_STEPS = np.zeros(256, np.int32)
_STEPS[list(b"{[")], _STEPS[list(b"}]")] = 1, -1


def read_at_once(raw: bytes, rules: TextRules, *, free: bool, longest: int) -> tuple[list[str], int] | None:
    """Return (all strings in the order of the bytes, an upper bound for the tokens of numbers); None: walk.

    ``free``: all in it is text, whatever the rules say. A string of ``longest`` characters or more may be media.
    """
    if len(raw) < _BYTES_MIN or raw.lstrip()[:1] not in (b"{", b"[") or b"data:" in raw:
        return None
    special = frozenset[str]() if free else rules.opaque | rules.ids | rules.asked
    if not free and rules.opaque_in is not None and not rules.asked:
        return None
    if not special.isdisjoint(name.decode("utf-8", "replace") for name in _STRING.findall(raw, 0, _HEAD)):
        return None
    if (raw.count(b'"') + raw.count(b"{") + raw.count(b"[")) * _DENSITY < len(raw) or not _is_json(raw):
        return None
    parts = _split(raw)
    if parts is None or (counted := _number_tokens(parts[1])) is None:
        return None
    tokens = parts[0]
    different = set(tokens)
    if not special.isdisjoint(different) or max(map(len, different), default=0) >= longest:
        return None
    return tokens, counted


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


def _number_tokens(structure: bytes) -> int | None:
    """Count the characters of all numbers; None where one is to be looked at, or where it is too deep."""
    digits = len(structure) - len(structure.translate(None, _DIGITS))
    if digits and _WALKED_NUMBER.search(structure):
        return None
    brackets = np.frombuffer(structure.translate(None, _NOT_BRACKETS), np.uint8)
    if np.cumsum(_STEPS[brackets]).max() > MAX_DEPTH:
        return None
    return digits
