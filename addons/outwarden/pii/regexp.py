"""RE2, typed and with our options: linear in the text, silent, and without groups.

The one place in this room that knows the library.
"""

import re
from collections.abc import Collection, Iterable, Sequence

import re2  # type: ignore[import-untyped]

from outwarden.pii.syntax import PatternError

# Memory for an automaton. RE2's own default, 8 MiB, is small for large texts; too little only makes a search slower.
PATTERN_BYTES = 16 << 20
SET_BYTES = 32 << 20
_SELDOM = 8  # in one, of patterns that a text holds seldom: with 42 its states ran out of memory over and over
_PATTERNS = 13  # in one automaton of a set, at least


class Regexp:
    """A compiled pattern, asked for spans of bytes. Assertions see the text outside of ``start`` and ``end``."""

    __slots__ = ("_find",)

    def __init__(self, pattern: str, memory: int = PATTERN_BYTES) -> None:
        """Compile ``pattern``. Raises PatternError with RE2's reason for what it cannot take."""
        try:
            # Not by `re2.compile`, which keeps the last 128 patterns for as long as the process lives: the values of a
            # call are made into patterns, too, and end with it.
            compiled = re2._Regexp(pattern, _options(memory))
        except re2.error as error:
            said = error.args[0]
            raise PatternError(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from None
        # What `compiled.search` calls inside: the objects it wraps around the two numbers cost twice the search.
        self._find = compiled._regexp.Match

    def search(self, data: bytes, start: int = 0, end: int | None = None) -> tuple[int, int] | None:
        """Return the leftmost match in ``data[start:end]``."""
        size = len(data)
        low, high = self._find(re2._Anchor.UNANCHORED, data, start, size if end is None or end > size else end)[0]
        return None if high < 0 else (low, high)

    def match(self, data: bytes, start: int, end: int) -> tuple[int, int] | None:
        """Return the match that begins at ``start``."""
        low, high = self._find(re2._Anchor.ANCHOR_START, data, start, min(end, len(data)))[0]
        return None if high < 0 else (low, high)

    def matches(self, data: bytes) -> bool:
        """Whether all of ``data`` is one match."""
        _, high = self._find(re2._Anchor.ANCHOR_BOTH, data, 0, len(data))[0]
        return bool(high >= 0)


class Leftmost:
    """Several patterns, asked for the leftmost begin of any match."""

    __slots__ = ("_find",)

    def __init__(self, patterns: Iterable[str]) -> None:
        self._find = [Regexp(pattern)._find for pattern in patterns]

    def begin(self, data: bytes, start: int) -> int:
        """Return where the first match in ``data[start:]`` begins; the end of ``data`` without one."""
        size = first = len(data)
        anchor = re2._Anchor.UNANCHORED
        for find in self._find:
            low, high = find(anchor, data, start, size)[0]
            if high >= 0 and low < first:
                first = low
        return first


def quoted(text: str) -> str:
    """``text`` as a pattern; half a surrogate pair is no text of any body."""
    if text.isascii():
        return re.escape(text)
    return "".join(re.escape(c) if c.isascii() else c for c in text if not "\ud800" <= c <= "\udfff")


class PatternSet:
    """Says with a few searches which of many patterns occur.

    One automaton for all of them has a state for every mixture of what has begun; in base64 and code most bytes make
    one that was never there. With three the mixtures are few: 16 KB of base64 take 23 ms instead of 58, of code 10
    instead of 21, and a short text 3 us more.
    """

    __slots__ = ("_sets",)

    def __init__(self, patterns: Sequence[str], *, together: bool = False, apart: Collection[int] = ()) -> None:
        """``together``: in few, for patterns that a text holds seldom: each automaton costs every text.

        ``apart``: the indexes of those that each have an automaton of their own all the same.
        """
        others = [index for index in range(len(patterns)) if index not in apart]
        count = max(1, round(len(others) / _SELDOM) if together else len(others) // _PATTERNS)
        groups = [*(others[part::count] for part in range(count)), *([index] for index in apart)]
        self._sets = [_Set([patterns[index] for index in group], group) for group in groups]

    def present(self, data: bytes) -> set[int] | None:
        """Return the indexes of the patterns that occur in ``data``; None if it cannot be said."""
        found: set[int] = set()
        for part in self._sets:
            seen = part.present(data)
            if seen is None:
                return None
            found |= seen
        return found


class _Set:
    """Some of the patterns, in one automaton."""

    __slots__ = ("_always", "_numbers", "_set")

    def __init__(self, patterns: Sequence[str], numbers: Sequence[int]) -> None:
        self._numbers = numbers
        self._set = re2.Set.SearchSet(_options(SET_BYTES))
        for pattern in patterns:
            self._set.Add(pattern)
        self._always = self._set.Add(r"\z")
        self._set.Compile()

    def present(self, data: bytes) -> set[int] | None:
        seen = self._set.Match(data) or ()
        if self._always not in seen:
            return None  # out of memory, which RE2 does not tell apart from "nothing occurs"
        if len(seen) == 1:
            return set()
        return {self._numbers[index] for index in seen if index != self._always}


def _options(memory: int) -> "re2.Options":
    options = re2.Options()
    options.never_capture = True
    options.log_errors = False  # RE2 would write to stderr
    options.max_mem = memory
    return options
