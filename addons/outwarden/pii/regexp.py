"""RE2, typed and with our options: linear in the text, silent, and without groups.

The one place in this room that knows the library.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import re2  # type: ignore[import-untyped]

from outwarden.pii.syntax import PatternError

# Memory for an automaton. RE2's own default, 8 MiB, is small for large texts; too little only makes a search slower.
PATTERN_BYTES = 16 << 20
SET_BYTES = 128 << 20


class Match(Protocol):
    """A match in bytes."""

    def start(self) -> int:
        """Return where it begins."""

    def span(self) -> tuple[int, int]:
        """Return where it begins and ends."""


class Regexp(Protocol):
    """A compiled pattern. Assertions see the text outside of ``pos`` and ``endpos``."""

    def search(self, text: bytes, pos: int = 0, endpos: int | None = None) -> Match | None:
        """Return the leftmost match."""

    def fullmatch(self, text: bytes) -> Match | None:
        """Return a match of the whole text."""

    def finditer(self, text: bytes, pos: int = 0) -> Iterator[Match]:
        """Yield the matches from left to right, none overlapping the one before."""


def compile_pattern(pattern: str, memory: int = PATTERN_BYTES) -> Regexp:
    """Compile ``pattern``. Raises PatternError with RE2's reason for what it cannot take."""
    try:
        compiled: Regexp = re2.compile(pattern, _options(memory))
    except re2.error as error:
        said = error.args[0]
        raise PatternError(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from None
    return compiled


class PatternSet:
    """Says with one search which of many patterns occur."""

    __slots__ = ("_always", "_set")

    def __init__(self, patterns: Sequence[str]) -> None:
        self._set = re2.Set.SearchSet(_options(SET_BYTES))
        for pattern in patterns:
            self._set.Add(pattern)
        self._always = self._set.Add(r"\z")
        self._set.Compile()

    def present(self, data: bytes) -> set[int] | None:
        """Return the indexes of the patterns that occur in ``data``; None if it cannot be said."""
        seen = set(self._set.Match(data) or ())
        if self._always not in seen:
            return None  # out of memory, which RE2 does not tell apart from "nothing occurs"
        return seen


def _options(memory: int) -> "re2.Options":
    options = re2.Options()
    options.never_capture = True
    options.log_errors = False  # RE2 would write to stderr
    options.max_mem = memory
    return options
