"""JSON strings as bytes: where they stand, which raw byte a character has, and how a replacement is spelled."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import overload

import numpy as np
import orjson
from numpy.typing import NDArray

Splice = tuple[int, int, bytes]
"""Replace ``raw[start:end]`` by these bytes."""

# In valid JSON a quote always opens the next string, so finding them in order needs no grammar.
_STRING = re.compile(rb'"[^"]*"')
_STRING_OR_NUMBER = re.compile(rb'"[^"]*"|-?[0-9][0-9.eE+-]*')
# Alone, an integer can only be told personal by its check digit: payment cards have 12 to 19 digits.
LONG_NUMBER = re.compile(r"-?[0-9]{12}")
# One match is one character (a surrogate pair is one), or a run of bytes that need no unescaping.
_UNIT = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|[^\\]+", re.DOTALL)
# Many of them at once, so that none is cut.
_UNITS = re.compile(rb"(?:\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|[^\\]+){1,4096}", re.DOTALL)
# Below, as in events, a pattern is faster; above, NumPy finds the quotes in 1 ms per MB.
_SMALL = 4096
_SURROGATE = re.compile("[\ud800-\udfff]")


def count_strings(raw: bytes) -> int:
    """Count the strings (keys too) of a valid JSON document."""
    plain = _without_escaped_quotes(raw)
    return (len(plain) - len(plain.translate(None, b'"'))) // 2


def find_tokens(raw: bytes, *, numbers: bool = False) -> Sequence[tuple[int, int]]:
    """List (start, end) of every string, quotes included, of a valid JSON document; numbers too if asked."""
    plain = _without_escaped_quotes(raw)
    if numbers or len(raw) < _SMALL:
        return [match.span() for match in (_STRING_OR_NUMBER if numbers else _STRING).finditer(plain)]
    quotes = np.flatnonzero(np.frombuffer(plain, np.uint8) == ord('"'))
    return _Spans(quotes[: len(quotes) // 2 * 2 : 2], quotes[1::2])


def sum_of(spans: Sequence[tuple[int, int]]) -> int:
    """How many bytes the tokens are together."""
    if isinstance(spans, _Spans):
        return spans.size()
    return sum(end - start for start, end in spans)


class _Spans(Sequence[tuple[int, int]]):
    """Spans whose pairs are made when asked for: most strings of a large document are never touched."""

    def __init__(self, opening: NDArray[np.intp], closing: NDArray[np.intp]) -> None:
        self._opening, self._closing = opening, closing

    def __len__(self) -> int:
        return len(self._opening)

    def size(self) -> int:
        return int((self._closing - self._opening).sum()) + len(self)

    @overload
    def __getitem__(self, index: int) -> tuple[int, int]: ...
    @overload
    def __getitem__(self, index: slice) -> "_Spans": ...
    def __getitem__(self, index: int | slice) -> "tuple[int, int] | _Spans":
        if isinstance(index, slice):
            return _Spans(self._opening[index], self._closing[index])
        return int(self._opening[index]), int(self._closing[index]) + 1


def _without_escaped_quotes(raw: bytes) -> bytes:
    """The same length, but only quotes that open or close a string."""
    return raw.replace(b"\\\\", b"__").replace(b'\\"', b"__") if b"\\" in raw else raw


def escapes_non_ascii(raw: bytes) -> bool:
    """Tell whether a document spells non-ASCII characters as ``\\uXXXX``."""
    return raw.isascii() and b"\\u" in raw and b"\\u" in raw.replace(b"\\\\", b"")


def escape(text: str, *, ascii_only: bool) -> bytes:
    """Spell ``text`` as the inside of a JSON string."""
    if not ascii_only and _SURROGATE.search(text) is None:
        return json.dumps(text, ensure_ascii=False)[1:-1].encode()
    return json.dumps(text)[1:-1].encode()


def scannable(text: str) -> str:
    """Replace lone surrogates by U+FFFD, one for one: no detector can encode them."""
    return text if text.isascii() or _SURROGATE.search(text) is None else _SURROGATE.sub("\ufffd", text)


def raw_offsets(inside: bytes, text: str, points: Sequence[int]) -> list[int]:
    """Map ascending code point offsets of ``text`` to byte offsets of ``inside``, the same string as spelled."""
    if b"\\" not in inside:
        if len(inside) == len(text):
            return list(points)
        return _utf8_offsets(text, points)
    if len(inside) >= _SMALL and (spell := _speller(inside, text)) is not None:
        return _spelled_offsets(text, points, spell)
    return _escaped_offsets(inside, points)


def _utf8_offsets(text: str, points: Sequence[int]) -> list[int]:
    offsets: list[int] = []
    seen = at = 0
    for point in points:
        at += len(text[seen:point].encode())
        seen = point
        offsets.append(at)
    return offsets


Spell = Callable[[str], bytes]


def _speller(inside: bytes, text: str) -> Spell | None:
    """The way in which a string is spelled, where that is the way of a usual encoder: each character by itself."""
    for spell in (_spell_shortly, _spell_in_ascii):
        if spell(text) == inside:
            return spell
    return None


def _spell_shortly(text: str) -> bytes:
    try:
        return orjson.dumps(text)[1:-1]
    except orjson.JSONEncodeError:  # half a surrogate pair
        return b""


def _spell_in_ascii(text: str) -> bytes:
    return json.dumps(text)[1:-1].encode()


def _spelled_offsets(text: str, points: Sequence[int], spell: Spell) -> list[int]:
    offsets: list[int] = []
    seen = at = 0
    for point in points:
        at += len(spell(text[seen:point]))
        seen = point
        offsets.append(at)
    return offsets


def _escaped_offsets(inside: bytes, points: Sequence[int]) -> list[int]:
    offsets: list[int] = []
    seen = 0  # code points before the units
    wanted = iter(points)
    point = next(wanted, None)
    for units in _UNITS.finditer(inside):
        if point is None:
            return offsets
        length = _length(units.group())
        if point >= seen + length:  # only where a point lies is each unit looked at
            seen += length
            continue
        for unit in _UNIT.finditer(inside, units.start(), units.end()):
            spelled = unit.group()
            run = spelled.decode() if spelled[:1] != b"\\" else "x"
            while point is not None and point < seen + len(run):
                offsets.append(unit.start() + len(run[: point - seen].encode()))
                point = next(wanted, None)
            seen += len(run)
    if point is not None:
        offsets += [len(inside) for _ in (point, *wanted)]
    return offsets


def _length(spelled: bytes) -> int:
    """Count the code points of whole units."""
    text: str = json.loads(b'"%b"' % spelled)
    return len(text)


def spliced(raw: bytes, splices: Iterable[Splice]) -> bytes:
    """Return ``raw`` with ``splices`` (ascending, not overlapping) done; the same object where there is none."""
    parts: list[bytes] = []
    at = 0
    for start, end, replacement in splices:
        if not at <= start <= end <= len(raw):
            raise ValueError(f"splice {start}:{end} overlaps or leaves the document")
        parts += (raw[at:start], replacement)
        at = end
    if not parts:
        return raw
    parts.append(raw[at:])
    return b"".join(parts)
