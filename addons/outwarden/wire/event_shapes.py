"""Remember the shapes of a stream's events: most differ from the one before in the piece of text and a counter only.

A shape is an event with holes: where a piece of text, a whole number or padding stood. Data that has the same bytes
around the holes, and in each hole a value of the same kind, has the same tree and the same texts, but for the values.
So it is neither parsed nor walked again; the Format still reads each event. What a rule may make of the values in the
holes is bounded by `TextRules`; everything else that could differ makes another shape.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from outwarden.wire.format import Delta, Json
from outwarden.wire.json_document import Document, Marks
from outwarden.wire.json_text import find_tokens

_SHAPE_BYTES_MAX = 4096
_SHAPES_MAX = 8
# A shape costs about as much as reading an event twice. It is paid for by those found again: a stream in which nothing
# comes again (log probabilities in each event) soon stops to learn.
_CREDIT = 16
_CREDIT_MAX = 64

_INSIDE = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
# Below the numbers that are looked at (they have 12 digits), and true where a rule asks for that.
_NUMBER = re.compile(rb"[1-9][0-9]{0,10}")
# What every rule takes for padding, or for an id, and none for media.
_PADDING = re.compile(rb"(?=[0-9_-]*[A-Za-z])[A-Za-z0-9_-]{1,256}")
_SPACE = b" \t\r\n"
_BRACKETS = re.compile(rb'"?[ \t\r\n\]}]*')
_COLON = re.compile(rb"[ \t\r\n]*:[ \t\r\n]*")

Place = tuple[Any, str | int]
"""The object or list that a value stands in, and its key or index there."""


class Hole:
    """Bytes ``start`` to ``end`` that may differ; ``place``: where the value goes in the tree (None: nobody asks)."""

    __slots__ = ("end", "pattern", "place", "start")

    def __init__(self, start: int, end: int, pattern: re.Pattern[bytes], place: Place | None) -> None:
        self.start, self.end = start, end
        self.pattern = pattern
        self.place = place


class Shape:
    """One event with holes.

    ``tree`` and ``document`` are those of the event it was learned from; `fits` puts another event's values into the
    tree. ``marks``: the pieces of text in it, which the Format must find again. ``texts``: (token, text) by length.
    """

    __slots__ = ("_holes", "_last", "document", "marks", "texts", "tree")

    def __init__(self, tree: Json, document: Document, marks: Marks, holes: Sequence[Hole]) -> None:
        self.tree, self.document, self.marks = tree, document, marks
        starts = [0, *(hole.end for hole in holes)]
        raw = document.raw
        self._holes = [
            (raw[start : hole.start], hole.pattern, hole.place) for start, hole in zip(starts, holes, strict=False)
        ]
        self._last = raw[starts[-1] :]
        self.texts: dict[int, list[tuple[int, str]]] = {}
        for token, text in enumerate(document.tokens):
            if text:
                self.texts.setdefault(len(text), []).append((token, text))

    def fits(self, data: bytes) -> bool:
        """Tell whether ``data`` has this shape; if so its values are in the tree."""
        at = 0
        values: list[tuple[Place, str | int]] = []
        for before, pattern, place in self._holes:
            if not data.startswith(before, at):
                return False
            start = at + len(before)
            found = pattern.match(data, start)
            if found is None:
                return False
            at = found.end()
            if place is not None:
                value = _value(data, start, at, pattern)
                if not value:
                    return False
                values.append((place, value))
        if not self._ends_like(data[at:]):
            return False
        for (parent, key), value in values:
            parent[key] = value
        return True

    def _ends_like(self, rest: bytes) -> bool:
        """Anthropic pads its events with spaces between the last brackets."""
        return rest == self._last or bool(
            _BRACKETS.fullmatch(rest)
            and _BRACKETS.fullmatch(self._last)
            and rest.translate(None, _SPACE) == self._last.translate(None, _SPACE)
        )


class Shapes:
    """The shapes seen lately in one stream."""

    def __init__(self, padding: frozenset[str]) -> None:
        self._padding = padding
        self._shapes: deque[Shape] = deque(maxlen=_SHAPES_MAX)
        self._credit = _CREDIT

    def find(self, data: bytes) -> Shape | None:
        """Return the shape of ``data``, filled with its values."""
        for shape in self._shapes:
            if shape.fits(data):
                if shape is not self._shapes[0]:
                    self._shapes.remove(shape)
                    self._shapes.appendleft(shape)
                self._credit = min(self._credit + 1, _CREDIT_MAX)
                return shape
        return None

    def learn(self, tree: Json, document: Document, deltas: Sequence[Delta], marks: Marks) -> None:
        """Remember an event in which nothing was found outside of its pieces of text, and that parsed plainly."""
        if self._credit <= 0 or not document.marked or len(document.raw) > _SHAPE_BYTES_MAX:
            return
        self._credit -= 1
        holes = _holes(tree, document, deltas, self._padding)
        self._shapes.appendleft(Shape(tree, document, marks, list(holes)))


def _value(data: bytes, start: int, end: int, pattern: re.Pattern[bytes]) -> str | int:
    """The value of a hole; nothing (empty, zero) where there is none that the parser would take."""
    if pattern is _NUMBER:
        return int(data[start:end])
    try:
        text: str = orjson.loads(data[start - 1 : end + 1])
    except orjson.JSONDecodeError:
        return ""
    return text


def _holes(tree: Json, document: Document, deltas: Sequence[Delta], padding: frozenset[str]) -> Iterator[Hole]:
    raw = document.raw
    pieces = {token: deltas[number] for number, token in document.marked.items()}
    numbers = _numbers(tree)
    before: tuple[int, str | None] = (0, None)  # where the string before ended, and what it said
    token = 0
    for start, end in find_tokens(raw, numbers=True):
        if raw[start : start + 1] != b'"':
            place = next(numbers)
            if _NUMBER.fullmatch(raw, start, end):
                yield Hole(start, end, _NUMBER, place)
            continue
        inside = (start + 1, end - 1)
        if token in pieces and start + 1 < end - 1:
            yield Hole(*inside, _INSIDE, (pieces[token].parent, pieces[token].key))
        elif (
            before[1] in padding
            and document.tokens[token] is None
            and _COLON.fullmatch(raw, before[0], start)
            and _PADDING.fullmatch(raw, *inside)
        ):
            yield Hole(*inside, _PADDING, None)
        before = (end, document.tokens[token])
        token += 1


def _numbers(node: Any) -> Iterator[Place]:
    """The places of all numbers, in the order of the bytes."""
    pairs: Iterable[tuple[str | int, Any]] = ()
    if isinstance(node, dict):
        pairs = node.items()
    elif isinstance(node, list):
        pairs = enumerate(node)
    for key, value in pairs:
        if isinstance(value, dict | list):
            yield from _numbers(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield node, key
