"""Run many patterns over text with RE2: one gate that says which occur at all, then each of those.

All texts of a call are joined into one page of UTF-8 bytes by the byte FF, which no RE2 pattern can match, so one gate
search covers the call and no match crosses from one text into the next. Offsets of matches are turned into code points
in one forward pass, and only where there are matches.

A pattern without an upper length is searched in windows: a match that begins in one block of `BLOCK_BYTES` ends with
the next block at the latest. Blocks count from the start of the text, so streamed and whole text agree.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

import re2

from outwarden.pii.custom import re2_options
from outwarden.pii.recognizer import UNDECIDED, Recognizer
from outwarden.pii.syntax import Shape, read_shape

SEPARATOR = b"\xff"
BLOCK_BYTES = 2048
# Memory for all the automata of the gate; RE2's default (8 MiB) holds one pattern, not thirty.
_GATE_BYTES = 128 << 20
_PATTERN_BYTES = 16 << 20


class Candidate(NamedTuple):
    """A verdict for an entity in one text; ``origin`` is where the pattern began to match (a check may move on)."""

    origin: int
    start: int
    end: int
    entity: str
    score: float


class Sweep(NamedTuple):
    """What one pattern found in one text, in code points.

    ``steps``: (origin, where the search went on) of every match, found or failed. ``undecided``: the first origin that
    more text may still turn either way; the search stopped there.
    """

    candidates: list[Candidate]
    steps: list[tuple[int, int]]
    undecided: int | None


class Page:
    """Texts joined for one search. Bytes 0 to n of text i lie at ``starts[i]``."""

    __slots__ = ("_ascii", "data", "starts", "texts")

    def __init__(self, texts: Sequence[str]) -> None:
        encoded = [encode(text) for text in texts]
        self.texts = texts
        self.data = SEPARATOR.join(encoded)
        self.starts = list(accumulate((len(piece) + 1 for piece in encoded), initial=0))
        self._ascii = all(map(str.isascii, texts))

    def ruler(self) -> "Ruler":
        """Return a ruler for one pass over the page."""
        return Ruler(self.data, self.starts, self._ascii)


class Ruler:
    """Turns byte offsets of a page, asked in rising order, into (text, code point)."""

    __slots__ = ("_ascii", "_byte", "_data", "_index", "_point", "_starts")

    def __init__(self, data: bytes, starts: Sequence[int], ascii_only: bool) -> None:
        self._data, self._starts, self._ascii = data, starts, ascii_only
        self._index = self._byte = self._point = 0

    def locate(self, start: int, end: int) -> tuple[int, int, int]:
        """Return (text, start, end) for the bytes from ``start`` to ``end``."""
        if start >= self._starts[self._index + 1]:
            self._index = bisect_right(self._starts, start) - 1
            self._byte, self._point = self._starts[self._index], 0
        if self._ascii:
            base = self._starts[self._index]
            return self._index, start - base, end - base
        self._point += self._length(self._byte, start)
        self._byte = start
        return self._index, self._point, self._point + self._length(start, end)

    def _length(self, start: int, end: int) -> int:
        return len(self._data[start:end].decode("utf-8", "surrogatepass"))


def encode(text: str) -> bytes:
    """Return ``text`` in UTF-8; lone surrogates become bytes that no pattern matches."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A recogniser, compiled. ``windowed``: no (useful) upper length. ``alone``: asks for the edges of its text."""

    recognizer: Recognizer
    regexp: re2._Regexp
    shape: Shape
    needs: int | None = None

    @property
    def windowed(self) -> bool:
        return self.shape.width is None or self.shape.width > BLOCK_BYTES

    @property
    def alone(self) -> bool:
        return self.windowed or self.shape.anchored


@dataclass(frozen=True)
class Matcher:
    """All patterns of a policy, compiled once. Search is linear in the text, whatever the patterns are."""

    recognizers: Sequence[Recognizer]
    patterns: tuple[Pattern, ...] = field(init=False, repr=False)
    _gate: re2.Set = field(init=False, repr=False)
    _always: int = field(init=False, repr=False)
    _tail: re2._Regexp = field(init=False, repr=False)
    _windowed_tail: re2._Regexp | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        gate, needs, always = _gate(self.recognizers)
        patterns = tuple(
            Pattern(recognizer, re2.compile(recognizer.pattern, _options()), read_shape(recognizer.pattern), need)
            for recognizer, need in zip(self.recognizers, needs, strict=True)
        )
        windowed = [pattern for pattern in patterns if pattern.windowed]
        put = object.__setattr__
        put(self, "patterns", patterns)
        put(self, "_gate", gate)
        put(self, "_always", always)
        put(self, "_tail", _tail([pattern for pattern in patterns if not pattern.windowed]))
        put(self, "_windowed_tail", _tail(windowed) if windowed else None)

    def present(self, data: bytes) -> list[Pattern]:
        """Return the patterns that occur in ``data``, and those that the gate cannot judge."""
        seen = set(self._gate.Match(data) or ())
        if self._always not in seen:
            return list(self.patterns)  # the gate ran out of memory, which RE2 tells apart from "nothing" in no other way
        return [
            pattern
            for index, pattern in enumerate(self.patterns)
            if pattern.alone or (index in seen and (pattern.needs is None or pattern.needs in seen))
        ]

    def open_from(self, data: bytes, start: int, block_offset: int) -> int:
        """Return the byte offset from which ``data`` may still grow into a match of any pattern.

        ``start``: nothing before it is asked for. ``block_offset``: how far into its blocks the text of byte 0 is.
        """
        found = self._tail.search(data, start)
        held = len(data) if found is None else found.start()
        if self._windowed_tail is not None:
            # A window is complete when the byte after it is known, for the sake of assertions at its end.
            last_block = (len(data) - 1 + block_offset) // BLOCK_BYTES
            first = max(start, (last_block - 1) * BLOCK_BYTES - block_offset)
            if (found := self._windowed_tail.search(data, first)) is not None:
                held = min(held, found.start())
        return held


def _options() -> re2.Options:
    options = re2_options()
    options.max_mem = _PATTERN_BYTES
    return options


def _gate(recognizers: Sequence[Recognizer]) -> tuple[re2.Set, list[int | None], int]:
    """Return the gate, per recogniser the index of the pattern it needs, and the index of one that always matches."""
    options = re2_options()
    options.max_mem = _GATE_BYTES
    gate = re2.Set.SearchSet(options)
    for recognizer in recognizers:
        gate.Add(recognizer.pattern)
    added: dict[str, int] = {}
    for needed in (recognizer.needs for recognizer in recognizers):
        if needed is not None and needed not in added:
            added[needed] = gate.Add(needed)
    always = gate.Add(r"\z")
    gate.Compile()
    return gate, [None if r.needs is None else added[r.needs] for r in recognizers], always


def _tail(patterns: Sequence[Pattern]) -> re2._Regexp:
    options = re2_options()
    options.max_mem = _GATE_BYTES
    return re2.compile("(?:" + "|".join(pattern.shape.prefixes for pattern in patterns) + r")\z", options)


def sweep(
    pattern: Pattern, page: Page, start: int = 0, *, more: bool = False, block_offset: int = 0
) -> dict[int, Sweep]:
    """Search a page from byte ``start`` on; judge every match, leftmost first. Only texts with a match are answered."""
    found: dict[int, Sweep] = {}
    ruler = page.ruler()
    position = start
    while (match := _next(pattern, page.data, position, block_offset)) is not None:
        low_byte, high_byte = match
        text, low, high = ruler.locate(low_byte, high_byte)
        result = found.get(text) or found.setdefault(text, Sweep([], [], None))
        recognizer = pattern.recognizer
        verdict = recognizer.check(page.texts[text], low, high, more)
        if verdict is UNDECIDED:
            found[text] = result._replace(undecided=low)
            break  # only streams leave anything undecided, and their page is one text
        if verdict is not None:
            result.candidates.append(Candidate(low, verdict.start, verdict.end, recognizer.entity, verdict.score))
        retry = verdict is None and recognizer.retry
        position = low_byte + 1 if retry else high_byte
        result.steps.append((low, low + 1 if retry else high))
    return found


def _next(pattern: Pattern, data: bytes, position: int, block_offset: int) -> tuple[int, int] | None:
    if not pattern.windowed:
        match = pattern.regexp.search(data, position)
        return None if match is None else match.span()
    while position < len(data):
        next_block = ((position + block_offset) // BLOCK_BYTES + 1) * BLOCK_BYTES - block_offset
        match = pattern.regexp.search(data, position, next_block + BLOCK_BYTES)
        if match is not None and match.start() < next_block:
            return match.span()
        position = next_block
    return None
