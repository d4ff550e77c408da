"""The Prometheus text format, version 0.0.4, in the three shapes we need.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (read 2026-11-21). Written by hand because the
three shapes take a page, and because sums of money must stay exact (Decimal), which client libraries make floats.
Not thread-safe: the interceptor records and renders in its one event loop.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OTHER = "other"
Number = int | float | Decimal

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/@+-]{0,79}")


class Bounded:
    """Label values, at most ``limit`` different ones; what comes later, or looks like no name, is ``other``."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: set[str] = set()

    def label(self, value: object, *, admit: bool = True) -> str:
        """Return ``value`` where it is known or, if ``admit``, may become known; ``other`` else, ``none`` for None."""
        if value is None:
            return "none"
        if not isinstance(value, str):
            return OTHER
        if value in self._known:
            return value
        if not admit or len(self._known) >= self._limit or not _PLAIN.fullmatch(value):
            return OTHER
        self._known.add(value)
        return value


class Counter:
    """A number that only grows, per combination of label values."""

    def __init__(self, name: str, explanation: str, labels: Sequence[str] = ()) -> None:
        self._name, self._explanation, self._labels = name, explanation, tuple(labels)
        self._values: dict[tuple[str, ...], Number] = {}

    def add(self, amount: Number, *values: str) -> None:
        """Add ``amount``, which must not be negative, to the series of these label values."""
        if len(values) != len(self._labels) or amount < 0:
            raise ValueError(f"{self._name}: {len(self._labels)} labels and an amount of 0 or more are needed")
        known = self._values.get(values, 0)
        self._values[values] = known + amount  # type: ignore[operator]  # one counter never mixes float and Decimal

    def lines(self) -> Iterator[str]:
        """The family in text, its series sorted."""
        yield from _head(self._name, self._explanation, "counter")
        for values, number in sorted(self._values.items()):
            yield _sample(self._name, dict(zip(self._labels, values, strict=True)), number)


class Histogram:
    """How often a value fell at or below each bound; the bounds are fixed."""

    def __init__(self, name: str, explanation: str, bounds: Sequence[float]) -> None:
        self._name, self._explanation, self._bounds = name, explanation, tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count ``value``."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def lines(self) -> Iterator[str]:
        """The family in text: cumulative buckets, sum and count."""
        yield from _head(self._name, self._explanation, "histogram")
        below = 0
        for bound, count in zip((*self._bounds, None), self._counts, strict=True):
            below += count
            yield _sample(f"{self._name}_bucket", {"le": "+Inf" if bound is None else repr(bound)}, below)
        yield _sample(f"{self._name}_sum", {}, self._sum)
        yield _sample(f"{self._name}_count", {}, below)


def gauge_lines(name: str, explanation: str, samples: Iterable[tuple[Mapping[str, str], Number]]) -> Iterator[str]:
    """A family of gauges whose values were just computed."""
    yield from _head(name, explanation, "gauge")
    for labels, number in samples:
        yield _sample(name, labels, number)


def _head(name: str, explanation: str, kind: str) -> Iterator[str]:
    escaped = explanation.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {name} {escaped}"
    yield f"# TYPE {name} {kind}"


def _sample(name: str, labels: Mapping[str, str], number: Number) -> str:
    inside = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items())
    shown = format(number, "f") if isinstance(number, Decimal) else repr(number)
    return f"{name}{{{inside}}} {shown}" if inside else f"{name} {shown}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
