"""Read a document, or large parts of one, without making a tree of it where it is nothing but text and ids.

A tree of 300,000 objects takes longer to make than all else, and to walk five times that. Where no key asks for a rule
that looks at more than its own value, the strings are what stands between the quotes: one split finds them all.
"""

import re
from collections.abc import Callable, Sequence
from itertools import compress, count
from typing import Any

import msgspec
import numpy as np
import orjson

from outwarden.wire.format import TextRules
from outwarden.wire.json_text import count_strings, find_tokens, sum_of
from outwarden.wire.json_tree import MAX_DEPTH

# What every key of `TextRules.ids` is believed to hold if it looks like this.
ID = re.compile(r"[0-9_.:/+=%|~-]*[A-Za-z][A-Za-z0-9_.:/+=%|~-]*", re.ASCII)

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
_SPACES = b" \t\r\n"
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"{}[]")
_STEPS = np.zeros(256, np.int32)
_STEPS[list(b"{[")], _STEPS[list(b"}]")] = 1, -1
_OF_NUMBERS = np.isin(np.arange(256), list(b"0123456789+-."))
_LARGE_NUMBER = 19  # characters; the parser may make a float of it, which Python spells with an exponent
_EXPONENT = 5
_LONG_NUMBER = re.compile(rb"[0-9]{11}")


class Bulk:
    """A part of a document as its strings in the order of the bytes, keys too; None where one is an id.

    ``skipped``: the ids. ``number_tokens``: an upper bound for the tokens of its numbers. ``depth``: how many levels it
    has.
    """

    __slots__ = ("depth", "number_tokens", "skipped", "tokens")

    def __init__(self, tokens: Sequence[str | None], skipped: Sequence[str], number_tokens: int, depth: int) -> None:
        self.tokens = tokens
        self.skipped = skipped
        self.number_tokens = number_tokens
        self.depth = depth

    def __repr__(self) -> str:
        return f"<Bulk of {len(self.tokens)} strings>"


def read_in_bulk(
    raw: bytes,
    rules: TextRules,
    *,
    free: bool,
    longest: int,
    strings: Callable[[], Sequence[tuple[int, int]]] | None = None,
    levels: int = _LEVELS_MAX,
) -> Any:
    """Return the tree of a document with `Bulk` in place of large parts; where a key repeats, its last value.

    ``free`` and ``longest`` as of `read_at_once`; ``strings``: gives their places, for who wants them later as well.
    Raises orjson.JSONDecodeError for what orjson does not take.
    """
    if not levels or len(raw) < _BYTES_MIN or not _is_dense(raw, strings() if strings else find_tokens(raw)):
        return orjson.loads(raw)
    is_part = levels < _LEVELS_MAX
    if (found := read_at_once(raw, rules, free=free, longest=longest, is_json=is_part)) is not None:
        return found
    try:
        parts = _OBJECT.decode(raw) if raw.lstrip()[:1] == b"{" else _LIST.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return orjson.loads(raw)
    if len(parts) * _PART_BYTES > len(raw):
        found = read_at_once(raw, rules, free=free, longest=longest, is_json=True, ids=True)
        return orjson.loads(raw) if found is None else found

    def read(part: msgspec.Raw, key: str | None = None) -> Any:
        is_free = free or key in rules.free
        return read_in_bulk(bytes(part), rules, free=is_free, longest=longest, levels=levels - 1)

    return {key: read(part, key) for key, part in parts.items()} if isinstance(parts, dict) else [*map(read, parts)]


def read_at_once(
    raw: bytes, rules: TextRules, *, free: bool, longest: int, is_json: bool = False, ids: bool = False
) -> Bulk | None:
    """Read a document that is nothing but text, or text and ``ids``; None: it is not.

    ``free``: all in it is text, whatever the rules say. A string of ``longest`` characters or more may be media.
    ``is_json``: the grammar is known to hold, but for the insides of strings. Raises as `read_in_bulk`, for ``ids``.
    """
    if raw[:_HEAD].lstrip()[:1] not in (b"{", b"[") or b"data:" in raw:
        return None
    special = frozenset[str]() if free else rules.opaque | rules.asked | (frozenset() if ids else rules.ids)
    if not free and rules.opaque_in is not None and not rules.asked:
        return None
    if not special.isdisjoint(name.decode("utf-8", "replace") for name in _STRING.findall(raw, 0, _HEAD)):
        return None
    if not (is_json or _is_json(raw)):
        return None
    parts = _split(raw)
    if parts is None or (depth := _depth(parts[2])) > MAX_DEPTH:
        return None
    tokens, between, structure = parts
    different = set(tokens)
    if not special.isdisjoint(different):
        return None
    if _longest(raw) >= longest and max(map(len, different)) >= longest:
        return None
    has_ids = not free and not rules.ids.isdisjoint(different)
    has_free = free or not rules.free.isdisjoint(different)
    number_tokens = _number_tokens(structure, free=has_free)
    if number_tokens is None or (has_ids and (has_free or _repeats_keys(raw, len(tokens)))):
        return None
    texts, skipped = _without_ids(tokens, between, rules.ids) if has_ids else (tokens, [])
    return Bulk(texts, skipped, number_tokens, depth)


def _is_dense(raw: bytes, strings: Sequence[tuple[int, int]]) -> bool:
    """Whether there are many strings, or many containers; brackets in strings are none."""
    outside = len(raw) - sum_of(strings)
    brackets = len(raw) - len(raw.translate(None, b"{[")) if outside * _DENSITY >= len(raw) else 0
    return (len(strings) * 2 + min(brackets, outside)) * _DENSITY >= len(raw)


def _is_json(raw: bytes) -> bool:
    """Whether the grammar holds; the insides of strings are looked at by `_split`."""
    try:
        _GRAMMAR.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _split(raw: bytes) -> tuple[list[str], list[str], bytes] | None:
    """Return (all strings, what stands before each and after the last, that as one); None where a string is none."""
    escaped = b"\\" in raw
    plain = raw.replace(b"\\\\", b"\\u005c").replace(b'\\"', b"\\u0022") if escaped else raw
    try:
        parts = plain.decode().split('"')
        tokens, between = parts[1::2], parts[0::2]
        if escaped:
            tokens = [orjson.loads(f'"{token}"') if "\\" in token else token for token in tokens]
    except (UnicodeDecodeError, orjson.JSONDecodeError):
        return None
    structure = "".join(between).encode()
    return (tokens, between, structure) if _controls(raw) == _controls(structure) else None


def _longest(raw: bytes) -> int:
    """A bound for the characters of a string."""
    quotes = np.flatnonzero(np.frombuffer(raw, np.uint8) == ord('"'))
    return int(np.diff(quotes).max(initial=0)) if b"\\" not in raw else len(raw)


def _controls(data: bytes) -> int:
    return len(data) - len(data.translate(None, _CONTROLS))


def _depth(structure: bytes) -> int:
    brackets = np.frombuffer(structure.translate(None, _NOT_BRACKETS), np.uint8)
    return int(np.cumsum(_STEPS[brackets]).max())


def _number_tokens(structure: bytes, *, free: bool) -> int | None:
    """Count the characters of numbers, and one for each integer in a list: it may be the id of a token.

    ``free``: some are the caller's own data, where they are no such ids. None: then a long one may be a card.
    """
    solid = np.frombuffer(structure.translate(None, _SPACES), np.uint8)
    in_number = _OF_NUMBERS[solid]
    edges = np.flatnonzero(in_number[1:] != in_number[:-1]) + 1  # brackets are around them all
    if not len(edges):
        return 0
    starts, ends = edges[0::2], edges[1::2]
    if np.isin(solid[ends], list(b"eE")).any() or (free and _LONG_NUMBER.search(structure)):
        return None
    lengths = ends - starts
    costs = np.where(lengths < _LARGE_NUMBER, lengths, lengths + _EXPONENT)
    if free:
        return int(costs.sum())
    in_list = np.isin(solid[starts - 1], list(b"[,")) & (np.add.reduceat(solid == ord("."), starts) == 0)
    return int(np.where(in_list & (lengths < _LARGE_NUMBER), 1, costs).sum())


def _repeats_keys(raw: bytes, strings: int) -> bool:
    """Whether an object has a key twice: in it, even what looks like an id is text."""
    return count_strings(orjson.dumps(orjson.loads(raw))) != strings


def _without_ids(
    tokens: Sequence[str], between: Sequence[str], ids: frozenset[str]
) -> tuple[list[str | None], list[str]]:
    """The strings, with None for those that a key of ``ids`` says to be an id and that look like one; and these."""
    texts: list[str | None] = [*tokens]
    skipped: list[str] = []
    looks_so: dict[str, bool] = {}
    for at in compress(count(), map(ids.__contains__, tokens)):
        after = between[at + 1]
        if texts[at] is None or (after != ":" and after.strip() != ":"):
            continue  # no key, or not of a string
        value = tokens[at + 1]
        if value not in looks_so:
            looks_so[value] = ID.fullmatch(value) is not None
        if looks_so[value]:
            texts[at + 1] = None
            skipped.append(value)
    return texts, skipped
