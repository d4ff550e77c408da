"""RE2, typed and with our options: linear in the text, silent, and without groups.

The one place in this room that knows the library.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain

import re2  # type: ignore[import-untyped]

from outwarden.pii.syntax import PatternError

# Memory for an automaton. RE2's own default, 8 MiB, is small for large texts; too little only makes a search slower.
PATTERN_BYTES = 16 << 20
SET_BYTES = 32 << 20
_PATTERNS = 11  # in one automaton of a set, at least

Search = Callable[[int], tuple[int, int] | None]
"""Return the leftmost match from a byte on."""


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

    def searcher(self, data: bytes) -> Search:
        """What searches ``data``, from rising places on."""
        return partial(self.search, data)

    def match(self, data: bytes, start: int, end: int) -> tuple[int, int] | None:
        """Return the match that begins at ``start``."""
        low, high = self._find(re2._Anchor.ANCHOR_START, data, start, min(end, len(data)))[0]
        return None if high < 0 else (low, high)

    def matches(self, data: bytes) -> bool:
        """Whether all of ``data`` is one match."""
        _, high = self._find(re2._Anchor.ANCHOR_BOTH, data, 0, len(data))[0]
        return bool(high >= 0)


class Alternatives:
    """Patterns that are searched as the alternation of all would be, each in an automaton of its own.

    In one automaton there is a state for every mixture of what each of them has counted so far: in base64 new ones all
    the time, and each takes longer to make than a hundred characters to read.
    """

    __slots__ = ("_regexps",)

    def __init__(self, patterns: Iterable[str]) -> None:
        self._regexps = tuple(map(Regexp, patterns))

    def searcher(self, data: bytes) -> Search:
        """What searches ``data``, from rising places on."""
        searches = [regexp.searcher(data) for regexp in self._regexps]
        found: list[tuple[int, int] | None] = [(-1, -1)] * len(searches)

        def search(start: int) -> tuple[int, int] | None:
            for at, match in enumerate(found):
                if match is not None and match[0] < start:
                    found[at] = searches[at](start)
            return min(filter(None, found), key=_start, default=None)  # of two that begin together the first

        return search


def _start(match: tuple[int, int]) -> int:
    return match[0]


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
    one that was never there. With some the mixtures are few: 16 KB of base64 take 23 ms instead of 58, of code 10
    instead of 21. Lists of words mix with one another hardly at all, so all of them are ``together`` in one more.
    """

    __slots__ = ("_sets",)

    def __init__(self, patterns: Mapping[int, str], *, together: Collection[int] = ()) -> None:
        """``patterns``: by their numbers; equal ones are looked for once. ``together``: the numbers of lists."""
        numbers: dict[str, list[int]] = {}
        for number, pattern in patterns.items():
            numbers.setdefault(pattern, []).append(number)
        lists = {patterns[number]: None for number in together}
        others = [pattern for pattern in numbers if pattern not in lists]
        count = max(1, len(others) // _PATTERNS)
        groups = (list(lists), *(others[part::count] for part in range(count)))
        self._sets = [_Set(group, [numbers[pattern] for pattern in group]) for group in groups if group]

    def present(self, data: bytes) -> set[int] | None:
        """Return the numbers of the patterns that occur in ``data``; None if it cannot be said."""
        found: set[int] = set()
        for part in self._sets:
            seen = part.present(data)
            if seen is None:
                return None
            found.update(seen)
        return found


class _Set:
    """Some of the patterns, in one automaton."""

    __slots__ = ("_always", "_numbers", "_set")

    def __init__(self, patterns: Sequence[str], numbers: Sequence[Sequence[int]]) -> None:
        self._numbers = numbers
        self._set = re2.Set.SearchSet(_options(SET_BYTES))
        for pattern in patterns:
            self._set.Add(pattern)
        self._always = self._set.Add(r"\z")
        self._set.Compile()

    def present(self, data: bytes) -> Iterable[int] | None:
        seen = self._set.Match(data) or ()
        if self._always not in seen:
            return None  # out of memory, which RE2 does not tell apart from "nothing occurs"
        if len(seen) == 1:
            return ()
        return chain.from_iterable(self._numbers[index] for index in seen if index != self._always)


def _options(memory: int) -> "re2.Options":
    options = re2.Options()
    options.never_capture = True
    options.log_errors = False  # RE2 would write to stderr
    options.max_mem = memory
    return options
