"""The strategies: in which order a call tries its targets."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.routing import GROUP, Known, Route, Strategy, ordered

STRATEGIES: tuple[Strategy, ...] = ("priority", "weighted", "latency", "cost")


def never() -> float:
    """A draw that explores nothing."""
    return 0.999


def test_priority_keeps_the_order_of_the_rules() -> None:
    """Whatever is known."""
    known = Known(wait={"a": 9.0, "b": 1.0}.get, cost={"a": 9, "b": 1}.get)

    assert ordered(Route("r", targets=("a", "b")), known, never) == ("a", "b")


def test_weights_are_shares_of_the_calls() -> None:
    """3 : 1 within what chance allows (four standard deviations of 8,000 draws); the rest follows for failures."""
    random = Random(5).random
    route = Route("r", strategy="weighted", targets=("a", "b"), weights={"a": 3})
    orders = Counter(ordered(route, Known(), random) for _ in range(8000))

    assert set(orders) == {("a", "b"), ("b", "a")}
    assert abs(orders["a", "b"] - 6000) < 4 * (8000 * 0.75 * 0.25) ** 0.5


def test_a_weight_of_nothing_is_for_failures_alone() -> None:
    """It never comes first, and is there."""
    route = Route("r", strategy="weighted", targets=("a", "b"), weights={"a": 0})
    random = Random(5).random

    assert {ordered(route, Known(), random) for _ in range(100)} == {("b", "a")}


def test_a_session_keeps_its_target() -> None:
    """Sessions spread by weight; a target that goes moves its own sessions and no others."""
    three = Route("r", strategy="weighted", sticky="session", targets=("a", "b", "c"), weights={"a": 2})
    two = Route("r", strategy="weighted", sticky="session", targets=("a", "b"), weights={"a": 2})
    random = Random(5).random
    first = {}
    for number in range(4000):
        known = Known(caller={"session": f"run-{number}"})
        first[number] = ordered(three, known, random)[0]
        assert ordered(three, known, random)[0] == first[number]
        if first[number] != "c":
            assert ordered(two, known, random)[0] == first[number]

    shares = Counter(first.values())
    assert abs(shares["a"] - 2000) < 4 * (4000 * 0.5 * 0.5) ** 0.5
    assert abs(shares["b"] - 1000) < 4 * (4000 * 0.25 * 0.75) ** 0.5


def test_without_a_session_chance_decides() -> None:
    """A caller that names none is not sent to one place with all its like."""
    route = Route("r", strategy="weighted", sticky="session", targets=("a", "b"))
    random = Random(5).random

    assert len({ordered(route, Known(caller={"session": None}), random) for _ in range(50)}) == 2


def test_the_fastest_comes_first_and_the_unknown_is_tried() -> None:
    """Figures of nothing count as fast, so that there will be figures."""
    route = Route("r", strategy="latency", targets=("a", "b", "c"))

    assert ordered(route, Known(wait={"a": 0.9, "b": 0.2, "c": 0.5}.get), never) == ("b", "c", "a")
    assert ordered(route, Known(wait={"a": 0.9, "b": 0.2}.get), never) == ("c", "b", "a")


def test_a_small_share_of_calls_explores() -> None:
    """Else one that became faster would never be seen: 5 % go to another one first."""
    route = Route("r", strategy="latency", targets=("a", "b", "c"))
    known = Known(wait={"a": 0.9, "b": 0.2, "c": 0.5}.get)
    random = Random(5).random
    first = Counter(ordered(route, known, random)[0] for _ in range(8000))

    assert abs(8000 - first["b"] - 400) < 4 * (8000 * 0.05 * 0.95) ** 0.5
    assert first["a"] > 100
    assert first["c"] > 100
    assert ordered(Route("r", strategy="latency", targets=("a",)), known, lambda: 0.0) == ("a",)


def test_the_cheapest_that_fits_comes_first() -> None:
    """One whose price nobody knows comes after all that have one; one whose window is too small comes last."""
    route = Route("r", strategy="cost", targets=("a", "b", "c", "d"))
    known = Known(cost={"a": 900, "b": 1, "c": 500}.get, fits=lambda target: target != "b")

    assert ordered(route, known, never) == ("c", "a", "d", "b")


def test_routes_within_routes() -> None:
    """A nested route stands where it is named, in its own order, and is as good as its best."""
    pool = Route("pool", strategy="latency", targets=("slow", "fast"))
    known = Known(wait={"slow": 0.9, "fast": 0.1}.get, cost={"slow": 5, "fast": 50, "a": 10}.get)

    def outer(strategy: Strategy) -> tuple[str, ...]:
        return ordered(
            Route("r", strategy=strategy, targets=("a", GROUP + "pool"), groups={GROUP + "pool": pool}), known, never
        )

    assert outer("priority") == ("a", "fast", "slow")
    assert outer("cost") == ("fast", "slow", "a")


@given(
    strategy=st.sampled_from(STRATEGIES),
    names=st.lists(st.sampled_from("abcdef"), unique=True, min_size=1),
    inner=st.lists(st.sampled_from("defghi"), unique=True, min_size=1),
    figures=st.dictionaries(st.sampled_from("abcdefghi"), st.integers(0, 10**18)),
    seed=st.integers(0, 1000),
)
def test_every_target_is_there_once(
    strategy: Strategy, names: list[str], inner: list[str], figures: dict[str, int], seed: int
) -> None:
    """Whatever is known and whatever chance says."""
    group = Route("g", strategy="weighted", targets=tuple(inner), weights=dict.fromkeys(inner[:1], 0.0))
    route = Route("r", strategy=strategy, targets=(*names, GROUP + "g"), groups={GROUP + "g": group})
    found = ordered(route, Known(wait=figures.get, cost=figures.get), Random(seed).random)

    assert sorted(found) == sorted({*names, *inner})


@pytest.mark.parametrize("draw", [0.0, 1 - 2**-53])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_extreme_draws(strategy: Strategy, draw: float) -> None:
    """The ends of the range of chance."""
    assert sorted(ordered(Route("r", strategy=strategy, targets=("a", "b")), Known(), lambda: draw)) == ["a", "b"]
