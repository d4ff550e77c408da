"""JSON strings as bytes: where they stand, which raw byte a character has, and how a replacement is spelled."""

import json
import re
from collections.abc import Iterable, Sequence
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
# What tells the halves of a surrogate pair, in the first two hexadecimal digits of each; spelled, it has 12 bytes.
_IS_D, _IS_HIGH, _IS_LOW = (np.isin(np.arange(256), list(digits)) for digits in (b"dD", b"89abAB", b"cdefCDEF"))
_PAIR_BYTES = 12
# Below, as in events, a pattern is faster; above, NumPy finds the quotes in 1 ms per MB.
_SMALL = 4096
_BEGINS_DOCUMENT = np.isin(np.arange(256), list(b"{[\\ \t\r\n"))
_ESCAPED_LETTER = re.compile(rb"\\u00[4-7]")  # and a few signs
_SURROGATE = re.compile("[\ud800-\udfff]")


def count_strings(raw: bytes) -> int:
    """Count the strings (keys too) of a valid JSON document."""
    plain = without_escaped_quotes(raw)
    return (len(plain) - len(plain.translate(None, b'"'))) // 2


def find_tokens(raw: bytes, *, numbers: bool = False) -> Sequence[tuple[int, int]]:
    """List (start, end) of every string, quotes included, of a valid JSON document; numbers too if asked."""
    if not numbers and len(raw) >= _SMALL:
        return Spans.of(raw)
    pattern = _STRING_OR_NUMBER if numbers else _STRING
    return [match.span() for match in pattern.finditer(without_escaped_quotes(raw))]


def may_nest(raw: bytes, spans: Sequence[tuple[int, int]], lone: bytes = b"") -> Sequence[int]:
    """List the tokens that may begin like a document, by a bracket, a space, or an escape; ``lone``: of these alone."""
    if isinstance(spans, Spans):
        found = spans.begin_with(raw, _BEGINS_DOCUMENT)
        found = found[may_open(raw, spans.opening[found])]
        return (found[np.frombuffer(lone, np.bool_)[found]] if lone else found).tolist()  # type: ignore[no-any-return]
    return [at for at, (start, _) in enumerate(spans) if _BEGINS_DOCUMENT[raw[start + 1]]]


# What follows a bracket in a document, as it is spelled in a string; a quote there is the string's own end.
_AFTER_BRACE = np.isin(np.arange(256), list(b'\\}" \t\r\n'))
_AFTER_BRACKET = np.isin(np.arange(256), list(b'\\{[]" \t\r\n-0123456789'))
_WORDS_BEGIN = (b"tr", b"fa", b"nu", b"Na", b"In")


def may_open(raw: bytes, opening: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Tell of each string that begins at ``opening`` with a bracket whether it may open a document: `[INFO]` does not.

    Strings that begin otherwise may. Of log lines there are tens of thousands, and to read one takes 3 us.
    """
    codes = np.frombuffer(raw, np.uint8)
    first, second = codes[opening + 1], codes[np.minimum(opening + 2, len(raw) - 1)]
    third = codes[np.minimum(opening + 3, len(raw) - 1)]
    in_list = _AFTER_BRACKET[second]
    for one, other in _WORDS_BEGIN:
        in_list |= (second == one) & (third == other)
    found: NDArray[np.bool_] = np.where(first == ord("{"), _AFTER_BRACE[second], in_list | (first != ord("[")))
    return found


class Spans(Sequence[tuple[int, int]]):
    """Spans whose pairs are made when asked for: most strings of a large document are never touched."""

    def __init__(self, opening: NDArray[np.intp], closing: NDArray[np.intp]) -> None:
        self.opening, self.closing = opening, closing

    @classmethod
    def of(cls, raw: bytes) -> "Spans":
        """Those of the strings of a document."""
        quotes = np.flatnonzero(are_quotes(raw))
        return cls(quotes[: len(quotes) // 2 * 2 : 2], quotes[1::2])

    def __len__(self) -> int:
        return len(self.opening)

    def sizes(self) -> NDArray[np.intp]:
        """How many bytes each is, quotes included."""
        return self.closing - self.opening + 1

    def size(self) -> int:
        """How many bytes they are together."""
        return int(self.closing.sum() - self.opening.sum()) + len(self)

    def longest(self) -> int:
        """A bound for the characters of a string."""
        return int((self.closing - self.opening).max(initial=0))

    def begin_with(self, raw: bytes, first: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Which of them begin with one of the bytes of ``first``."""
        return np.flatnonzero(first[np.frombuffer(raw, np.uint8)[self.opening + 1]])

    @overload
    def __getitem__(self, index: int) -> tuple[int, int]: ...
    @overload
    def __getitem__(self, index: slice) -> "Spans": ...
    def __getitem__(self, index: int | slice) -> "tuple[int, int] | Spans":
        if isinstance(index, slice):
            return Spans(self.opening[index], self.closing[index])
        return int(self.opening[index]), int(self.closing[index]) + 1


def are_quotes(raw: bytes) -> NDArray[np.bool_]:
    """Tell for each byte whether it is a quote that opens or closes a string."""
    codes = np.frombuffer(raw, np.uint8)
    found: NDArray[np.bool_] = codes == ord('"')
    if b"\\" in raw:
        escapes = codes == ord("\\")
        if (escapes[1:] & escapes[:-1]).any():  # of two, the second escapes nothing
            escapes = np.frombuffer(raw.replace(b"\\\\", b"__"), np.uint8) == ord("\\")
        found[1:] &= ~escapes[:-1]
    return found


def are_inside(quotes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell for each byte whether it stands in a string, the quote that opens it included.

    That is whether the quotes up to it are odd in number; counted for 64 bytes at once, as simdjson does.
    """
    packed = np.packbits(quotes, bitorder="little")
    words = np.zeros(-(-len(packed) // 8), "<u8")
    words.view(np.uint8)[: len(packed)] = packed
    for by in (1, 2, 4, 8, 16, 32):
        words ^= words << np.uint64(by)
    odd = words >> np.uint64(63)
    is_odd_before = (np.cumsum(odd, dtype=np.uint64) - odd) & np.uint64(1)
    words ^= is_odd_before * ~np.uint64(0)
    return np.unpackbits(words.view(np.uint8), count=len(quotes), bitorder="little").view(np.bool_)


def without_escaped_quotes(raw: bytes) -> bytes:
    """The same length, but only quotes that open or close a string."""
    return raw.replace(b"\\\\", b"__").replace(b'\\"', b"__") if b"\\" in raw else raw


def without_strings(raw: bytes) -> bytes:
    """What stands outside of the strings of a valid document."""
    return b"".join(without_escaped_quotes(raw).split(b'"')[::2])


def escapes_non_ascii(raw: bytes) -> bool:
    """Tell whether a document spells non-ASCII characters as ``\\uXXXX``."""
    return _has_unicode_escapes(raw) and raw.isascii() and b"\\u" in raw.replace(b"\\\\", b"")


def escapes_letters(raw: bytes) -> bool:
    """Tell whether a document spells a letter of the alphabet as ``\\uXXXX``: a key in it may not look like itself."""
    return _has_unicode_escapes(raw) and _ESCAPED_LETTER.search(raw) is not None


def _has_unicode_escapes(raw: bytes) -> bool:
    if len(raw) < _SMALL or b"\\" not in raw:
        return b"\\" in raw and b"\\u" in raw
    codes = np.frombuffer(raw, np.uint8)
    return bool(((codes[:-1] == ord("\\")) & (codes[1:] == ord("u"))).any())  # a tenth of the time of a search


def escape(text: str, *, ascii_only: bool) -> bytes:
    """Spell ``text`` as the inside of a JSON string."""
    if not ascii_only:
        try:
            return orjson.dumps(text)[1:-1]
        except orjson.JSONEncodeError:  # half a surrogate pair
            pass
    return json.dumps(text)[1:-1].encode()


def scannable(text: str) -> str:
    """Replace lone surrogates by U+FFFD, one for one: no detector can encode them."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return _SURROGATE.sub("\ufffd", text)
    return text


def raw_offsets(inside: bytes, text: str, points: Sequence[int]) -> list[int]:
    """Map ascending code point offsets of ``text`` to byte offsets of ``inside``, the same string as spelled."""
    if b"\\" not in inside:
        if len(inside) == len(text):
            return list(points)
        return _utf8_offsets(text, points)
    if len(inside) < _SMALL:
        return _escaped_offsets(inside, points)
    starts = _starts(inside)
    return [int(starts[point]) if point < len(starts) else len(inside) for point in points]


def _utf8_offsets(text: str, points: Sequence[int]) -> list[int]:
    offsets: list[int] = []
    seen = at = 0
    for point in points:
        at += len(text[seen:point].encode())
        seen = point
        offsets.append(at)
    return offsets


def _escaped_offsets(inside: bytes, points: Sequence[int]) -> list[int]:
    offsets: list[int] = []
    seen = 0  # code points before the unit
    wanted = iter(points)
    point = next(wanted, None)
    for unit in _UNIT.finditer(inside):
        if point is None:
            return offsets
        spelled = unit.group()
        run = spelled.decode() if spelled[:1] != b"\\" else "x"
        while point is not None and point < seen + len(run):
            offsets.append(unit.start() + len(run[: point - seen].encode()))
            point = next(wanted, None)
        seen += len(run)
    if point is not None:
        offsets += [len(inside) for _ in (point, *wanted)]
    return offsets


def _starts(inside: bytes) -> NDArray[np.intp]:
    """The byte at which each character begins, as `_UNIT` cuts them, in a few passes over all of them."""
    # An escaped backslash as one that needs no look at what stands before it, and a byte that continues a character.
    plain = inside.replace(b"\\\\", b"_\x80")
    codes = np.frombuffer(plain + bytes(_PAIR_BYTES), np.uint8)
    begins = (codes & 0xC0) != 0x80
    begins[len(inside) :] = False
    escapes = np.flatnonzero(codes == ord("\\"))
    begins[escapes + 1] = False
    units = escapes[codes[escapes + 1] == ord("u")]
    for at in range(2, 6):
        begins[units + at] = False
    high = units[_IS_D[codes[units + 2]] & _IS_HIGH[codes[units + 3]]]
    is_pair = (codes[high + 6] == ord("\\")) & (codes[high + 7] == ord("u"))
    is_pair &= _IS_D[codes[high + 8]] & _IS_LOW[codes[high + 9]]
    begins[high[is_pair] + 6] = False
    return np.flatnonzero(begins)


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
