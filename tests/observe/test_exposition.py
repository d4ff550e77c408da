"""The text we expose can be read by Prometheus, and no caller can make it grow without bound."""

import math
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.observe import Bounded, Counter, Histogram, gauge_lines

SAMPLE = re.compile(r'^([a-z_:]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$')


def values(lines: list[str]) -> dict[str, str]:
    return {line.rsplit(" ", 1)[0]: line.rsplit(" ", 1)[1] for line in lines if not line.startswith("#")}


def test_a_counter_shows_help_type_and_each_series() -> None:
    """One family: help, type, then a line per combination of label values."""
    counter = Counter("calls_total", "Calls.", ("provider",))
    counter.add(1, "openai")
    counter.add(2, "openai")
    counter.add(1, "anthropic")

    assert list(counter.lines()) == [
        "# HELP calls_total Calls.",
        "# TYPE calls_total counter",
        'calls_total{provider="anthropic"} 1',
        'calls_total{provider="openai"} 3',
    ]


def test_money_stays_exact() -> None:
    """Ten thousand times a tenth of a cent is ten dollars, not 9.99999."""
    counter = Counter("cost_total", "Cost.")
    for _ in range(10_000):
        counter.add(Decimal("0.001"))

    assert values(list(counter.lines())) == {"cost_total": "10.000"}


@pytest.mark.parametrize(("amount", "labels"), [(-1, ("a",)), (1, ()), (1, ("a", "b"))])
def test_a_wrong_step_is_refused(amount: int, labels: tuple[str, ...]) -> None:
    """A counter never shrinks, and a series has exactly its labels."""
    with pytest.raises(ValueError, match="calls_total"):
        Counter("calls_total", "Calls.", ("provider",)).add(amount, *labels)


@given(st.lists(st.floats(min_value=0, max_value=10), max_size=50))
def test_histogram_buckets_are_cumulative(observed: list[float]) -> None:
    """Each bucket counts what is at or below its bound; the last one and the count are all of them."""
    bounds = (0.1, 1.0, 5.0)
    histogram = Histogram("time_seconds", "Time.", bounds)
    for value in observed:
        histogram.observe(value)

    shown = values(list(histogram.lines()))
    for bound in bounds:
        assert int(shown[f'time_seconds_bucket{{le="{bound!r}"}}']) == sum(value <= bound for value in observed)
    assert int(shown['time_seconds_bucket{le="+Inf"}']) == int(shown["time_seconds_count"]) == len(observed)
    assert math.isclose(float(shown["time_seconds_sum"]), sum(observed), abs_tol=1e-9)


@given(st.text(max_size=40))
def test_any_label_value_stays_on_its_line(text: str) -> None:
    """Quotes, backslashes and line feeds in a value are escaped, and unescaping gives the value back."""
    (line,) = [x for x in gauge_lines("size", "Size.", [({"name": text}, 1)]) if not x.startswith("#")]

    match = SAMPLE.fullmatch(line) if "\r" not in text else None
    assert "\n" not in line
    if match:
        inside = match[2].removeprefix('name="').removesuffix('"')
        unescaped = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], inside)
        assert unescaped == text


def test_label_values_are_bounded() -> None:
    """The first two names are shown, all later ones are ``other``; known ones stay known."""
    names = Bounded(2)

    assert [names.label(x) for x in ("a", "b", "c", "d", "a")] == ["a", "b", "other", "other", "a"]


@pytest.mark.parametrize("odd", ["", "x" * 81, "a\nb", "{}", 'a"b', 7, "é"])
def test_what_looks_like_no_name_is_other(odd: object) -> None:
    """A value that no rule or provider would use as a name gets no series of its own."""
    assert Bounded(10).label(odd) == "other"


def test_none_is_its_own_value_and_admission_can_wait() -> None:
    """An absent value is ``none``; a name not yet admitted is ``other``, and shown once it was admitted."""
    names = Bounded(10)

    assert [
        names.label(None),
        names.label("gpt", admit=False),
        names.label("gpt"),
        names.label("gpt", admit=False),
    ] == [
        "none",
        "other",
        "gpt",
        "gpt",
    ]
