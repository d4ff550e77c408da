"""Read a document, or large parts of one, without making a tree of it where it is nothing but text and ids.

A tree of 300,000 objects takes longer to make than all else, and to walk five times that. Where no key asks for a rule
that looks at more than its own value, the strings are what stands between the quotes: one split finds them all.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import compress
from typing import Any

import msgspec
import numpy as np
import orjson
from numpy.typing import NDArray

from outwarden.wire.format import TextRules
from outwarden.wire.json_names import Names
from outwarden.wire.json_text import Spans, are_inside, are_quotes, find_tokens
from outwarden.wire.json_tree import MAX_DEPTH
from outwarden.wire.packed import PACKED_BEGINS, PACKED_CHARACTERS_MIN, may_be_packed

# What every key of `TextRules.ids` is believed to hold if it looks like this.
ID = re.compile(r"[0-9_.:/+=%|~-]*[A-Za-z][A-Za-z0-9_.:/+=%|~-]*", re.ASCII)

# Below, a walk takes less than half a millisecond.
_BYTES_MIN = 4096
# A document with fewer strings and containers than one in so many bytes is walked as fast.
_DENSITY = 32
# Nearly all documents with a key that asks for a rule have one at their begin, or here and there in them.
_SAMPLES, _SAMPLE_BYTES = 8, 2048
_STRING = re.compile(rb'"(?=([^"\\]*)")')  # also what stands between two: a sample may begin inside of one
# Where large parts lie: a message's block, a tool's input, what a list in it holds; so often a document is looked over.
_LEVELS_MAX = 6
_PART_BYTES = 1024  # of the parts of one level, on average; smaller ones are parsed faster together
_OBJECT: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_GRAMMAR: msgspec.json.Decoder[msgspec.Raw] = msgspec.json.Decoder(msgspec.Raw)
_MAY_BE_PACKED = np.isin(np.arange(256), list(PACKED_BEGINS + b"\\"))
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
    if not levels or len(raw) < _BYTES_MIN:
        return orjson.loads(raw)
    spans = strings() if strings else find_tokens(raw)
    if not isinstance(spans, Spans) or not _is_dense(raw, spans):
        return orjson.loads(raw)
    is_part = levels < _LEVELS_MAX
    if (found := read_at_once(raw, spans, rules, free=free, longest=longest, is_whole=is_part)) is not None:
        return found
    try:
        parts = _OBJECT.decode(raw) if raw.lstrip()[:1] == b"{" else _LIST.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return orjson.loads(raw)
    if len(parts) * _PART_BYTES > len(raw):
        return orjson.loads(raw)

    def read(part: msgspec.Raw, key: str | None = None) -> Any:
        is_free = free or key in rules.free
        return read_in_bulk(bytes(part), rules, free=is_free, longest=longest, levels=levels - 1)

    return {key: read(part, key) for key, part in parts.items()} if isinstance(parts, dict) else [*map(read, parts)]


def read_at_once(
    raw: bytes, spans: Spans, rules: TextRules, *, free: bool, longest: int, is_whole: bool = False
) -> Bulk | None:
    """Read a document that is nothing but text and ids; None: it is not.

    ``spans``: its strings. ``free``: all in it is text, whatever the rules say. A string of ``longest`` characters or
    more may be media. ``is_whole``: the grammar is known to hold, but for the insides of strings.
    """
    if raw[:_SAMPLE_BYTES].lstrip()[:1] not in (b"{", b"["):
        return None
    special = frozenset[str]() if free else rules.opaque | rules.asked
    if not free and rules.opaque_in is not None and not rules.asked:
        return None
    if special and not special.isdisjoint(_sampled(raw)):
        return None
    if not (is_whole or is_json(raw)) or (parts := _split(raw)) is None:
        return None
    tokens, structure = parts
    layout = _Layout(raw, structure, spans)
    asked = special if free else (special | rules.ids | rules.free).intersection(tokens)
    if (depth := layout.depth()) > MAX_DEPTH or not special.isdisjoint(asked):
        return None
    long = np.flatnonzero(spans.sizes() >= PACKED_CHARACTERS_MIN)
    begin = long[_MAY_BE_PACKED[np.frombuffer(raw, np.uint8)[spans.opening[long] + 1]]]
    if any(may_be_packed(tokens[at]) for at in begin.tolist()):
        return None
    if spans.longest() >= longest and max(map(len, tokens)) >= longest:
        return None
    ids = frozenset[str]() if free else rules.ids & asked
    has_free = free or not rules.free.isdisjoint(asked)
    number_tokens = layout.number_tokens(free=has_free)
    if number_tokens is None or (ids and has_free):
        return None
    found = layout.without_ids(tokens, ids) if ids else (tokens, [])
    return None if found is None else Bulk(*found, number_tokens, depth)


def _sampled(raw: bytes) -> Iterator[str]:
    """Some of the strings, and some of what stands between them."""
    step = max(len(raw) // _SAMPLES, _SAMPLE_BYTES)
    for start in range(0, len(raw), step):
        for name in _STRING.findall(raw, start, start + _SAMPLE_BYTES):
            yield name.decode("utf-8", "replace")


def _is_dense(raw: bytes, spans: Spans) -> bool:
    """Whether there are many strings, or many containers; brackets in strings are none."""
    outside = len(raw) - spans.size()
    brackets = (
        np.count_nonzero(_are_any(np.frombuffer(raw, np.uint8), "{", "[")) if outside * _DENSITY >= len(raw) else 0
    )
    return bool((len(spans) * 2 + min(brackets, outside)) * _DENSITY >= len(raw))


def is_json(raw: bytes | str) -> bool:
    """Whether the grammar holds, but for the insides of strings, NaN and the infinities; at next to no cost."""
    return are_json([raw])


def are_json(raws: Iterable[bytes | str]) -> bool:
    """Whether each of them is, as of `is_json`."""
    try:
        for raw in raws:
            _GRAMMAR.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return True


def _split(raw: bytes) -> tuple[list[str], bytes] | None:
    """Return (all strings, what stands outside of them); None where a string is none."""
    codes = np.frombuffer(raw, np.uint8)
    quotes = are_quotes(raw)
    inside = are_inside(quotes)
    is_string = inside | quotes
    try:
        tokens = _parsed(codes, is_string, quotes) if b"\\" in raw else _plain(codes[is_string & ~(quotes & inside)])
    except (UnicodeDecodeError, orjson.JSONDecodeError):
        return None
    return None if tokens is None else (tokens, codes[~is_string].tobytes())


def _plain(texts: NDArray[np.uint8]) -> list[str] | None:
    """Strings without escapes, each with the quote that closes it."""
    if (texts < ord(" ")).any():  # no control stands in a string (RFC 8259 §7)
        return None
    return texts.tobytes().decode().split('"')[:-1]


def _parsed(codes: NDArray[np.uint8], is_string: NDArray[np.bool_], quotes: NDArray[np.bool_]) -> list[str]:
    """Strings with escapes: with a comma behind each, they are a list to the parser."""
    is_listed = is_string.copy()
    is_listed[1:] |= is_string[:-1]
    ends = np.flatnonzero(quotes)[1::2] + 1
    listed = codes.copy()
    listed[ends] = ord(",")
    is_listed[ends[-1]] = False
    tokens: list[str] = orjson.loads(b"[" + listed[is_listed].tobytes() + b"]")
    return tokens


# To compare all bytes takes a tenth of the time of looking each up in a table.


def _are_any(codes: NDArray[np.uint8], first: str, second: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (codes == ord(first)) | (codes == ord(second))
    return found


def _are_of_numbers(solid: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """What numbers are made of, but for exponents, where the grammar holds: digits, signs, points."""
    found: NDArray[np.bool_] = (solid >= ord("+")) & (solid <= ord("9")) & (solid != ord(","))
    return found


class _Layout:
    """What stands outside of the strings of a document that is an object or a list, without spaces."""

    def __init__(self, raw: bytes, structure: bytes, spans: Spans) -> None:
        self._raw, self._spans = raw, spans
        solid = np.frombuffer(structure, np.uint8)
        self._spaces = solid <= ord(" ")
        self._solid = solid[~self._spaces] if self._spaces.any() else solid
        opens, closes = _are_any(self._solid, "{", "["), _are_any(self._solid, "}", "]")
        steps = opens.view(np.int8) - closes.view(np.int8)
        self._depths = np.cumsum(steps, dtype=np.int32)  # behind each byte

    def depth(self) -> int:
        """How many levels there are."""
        return int(self._depths.max())

    def number_tokens(self, *, free: bool) -> int | None:
        """Count the characters of numbers, and one for each integer in a list: it may be the id of a token.

        ``free``: some are the caller's own data, where they are no such ids. None: then a long one may be a card.
        """
        solid = self._solid
        in_number = _are_of_numbers(solid)
        edges = np.flatnonzero(in_number[1:] != in_number[:-1]) + 1  # brackets are around them all
        if not len(edges):
            return 0
        starts, ends = edges[0::2], edges[1::2]
        if np.isin(solid[ends], list(b"eE")).any() or (free and _LONG_NUMBER.search(solid.tobytes())):
            return None
        lengths = ends - starts
        costs = np.where(lengths < _LARGE_NUMBER, lengths, lengths + _EXPONENT)
        if free:
            return int(costs.sum())
        in_list = np.isin(solid[starts - 1], list(b"[,")) & (np.add.reduceat(solid == ord("."), starts) == 0)
        return int(np.where(in_list & (lengths < _LARGE_NUMBER), 1, costs).sum())

    def without_ids(
        self, tokens: list[str], ids: AbstractSet[str]
    ) -> tuple[Sequence[str | None], Sequence[str]] | None:
        """The strings, with None for those that a key of ``ids`` says to be an id and that look like one; and these.

        None where such an object has a key twice: in it, even what looks like an id is text.
        """
        before = self._places()
        keys = np.flatnonzero(self._solid[before] == ord(":"))
        values = np.minimum(keys + 1, len(tokens) - 1)
        of_string = keys[before[values] == before[keys] + 1]
        named = of_string[Names(self._raw, self._spans, of_string, tokens).are_in(ids)]
        said = [tokens[at] for at in (named + 1).tolist()]
        different = set(said)
        looks_so = {value for value in different if ID.fullmatch(value)}
        if len(looks_so) < len(different):
            are_ids = [value in looks_so for value in said]
            named, said = named[are_ids], list(compress(said, are_ids))
        if not said:
            return tokens, []
        if self._repeat(keys, named, before, tokens):
            return None
        texts: list[str | None] = [*tokens]
        for at in (named + 1).tolist():
            texts[at] = None
        return texts, said

    def _places(self) -> NDArray[np.intp]:
        """How much of it stands before each string."""
        sizes = self._spans.sizes()
        before = self._spans.opening - np.cumsum(sizes) + sizes
        return np.cumsum(~self._spaces)[before - 1] if self._spaces.any() else before

    def _repeat(
        self, keys: NDArray[np.intp], named: NDArray[np.intp], before: NDArray[np.intp], tokens: Sequence[str]
    ) -> bool:
        """Whether an object that has one of the ``named`` keys has a key twice."""
        is_deep = np.zeros(MAX_DEPTH + 1, np.bool_)
        is_deep[self._depths[before[named]]] = True
        order, objects = self._by_object(is_deep)
        keys = keys[order]
        is_named = np.zeros(len(tokens), np.bool_)
        is_named[named] = True
        is_asked = np.zeros(int(objects[-1]) + 1, np.bool_)
        is_asked[objects[is_named[keys]]] = True
        asked = is_asked[objects]
        return Names(self._raw, self._spans, keys[asked], tokens).repeat(objects[asked])

    def _by_object(self, is_deep: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Number the keys as deep as asked for, those of one object next to each other, and the object of each."""
        places = np.flatnonzero(_are_any(self._solid, "{", ":"))
        opens = self._solid[places] == ord("{")
        depths = self._depths[places]
        asked = np.flatnonzero(is_deep[depths])
        # Of one depth, all keys up to the next bracket are of the object that the last one opened.
        order = asked[np.argsort(depths[asked].astype(np.uint8), kind="stable")]
        is_key = ~opens[order]
        return (np.cumsum(~opens) - 1)[order[is_key]], np.cumsum(opens[order])[is_key]
