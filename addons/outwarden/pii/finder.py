"""Where findings come from beside patterns: a finder, such as a language model, and what it answers."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from outwarden.pii.page import Page


class Span(NamedTuple):
    """``text[start:end]`` (code points) is an ``entity``; ``score`` says how sure that is, from 0 to 1."""

    start: int
    end: int
    entity: str
    score: float


def is_taken(spans: Iterable[Span], start: int, end: int) -> bool:
    """Whether one of ``spans`` overlaps what stands from ``start`` up to ``end``."""
    return any(span.start < end and start < span.end for span in spans)


class Allowance:
    """How long the finders may look at the texts of one call, all together."""

    __slots__ = ("_clock", "_left_s", "_started_s", "missed")

    def __init__(self, seconds: float = math.inf, clock: Callable[[], float] = time.perf_counter) -> None:
        self._left_s = seconds
        self._clock = clock
        self._started_s: float | None = None
        self.missed = False
        """Time ran out before all was looked at."""

    def __repr__(self) -> str:
        return f"<Allowance {self._left_s:.3f} s left>"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time that passes."""
        self._started_s = self._clock()
        try:
            yield
        finally:
            self._left_s -= self._clock() - self._started_s
            self._started_s = None

    def is_spent(self) -> bool:
        """Tell whether no time is left."""
        running = 0.0 if self._started_s is None else self._clock() - self._started_s
        return running >= self._left_s


class FinderChannel(Protocol):
    """Finds in one text that arrives in pieces what `Finder.find` finds in the whole."""

    def feed(self, text: str, *, more: bool) -> tuple[int, list[Span]]:
        """Take all text that has not settled yet; return how many code points settle now, and the findings in them.

        Without ``more`` to come, all of it settles.
        """


class WholeFinder(Protocol):
    """Another source of findings in texts of which all is there. Serves all threads."""

    @property
    def entities(self) -> frozenset[str]:
        """The entities it may find."""

    def find(self, page: Page) -> Mapping[int, Sequence[Span]]:
        """The findings in each text of which there are any, in any order; they may overlap those of others.

        A page may have a hundred thousand texts, so only those with a hint are looked at. Takes no allowance: linear.
        """


class Finder(Protocol):
    """One that takes its time, such as a language model, and looks at texts in pieces as well."""

    @property
    def entities(self) -> frozenset[str]:
        """The entities it may find."""

    @property
    def version(self) -> bytes:
        """Differs where the findings may."""

    def find(self, texts: Sequence[str], allowance: Allowance) -> list[list[Span]]:
        """Per text its findings, in any order; they may overlap those of others.

        If time runs out, ``allowance`` is told.
        """

    def channel(self) -> FinderChannel:
        """Open a channel for one text that arrives in pieces."""
