"""Windows that move: nothing ages early, integers only, and the second in which enough is free is exact."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.budget import Budget
from outwarden.budget.ageing import (
    BUCKETS_MAX,
    Charge,
    Standing,
    balance_at,
    bucket_s,
    frees_at,
    leaves_at,
    refill,
    seconds_until,
)
from outwarden.budget.states import Balance
from outwarden.budget.windows import MOVING_MAX_S, moving

lengths = st.integers(1, MOVING_MAX_S)
seconds = st.integers(1_700_000_000, 1_900_000_000)


@pytest.mark.parametrize(
    ("window", "kind", "length_s"),
    [("rolling 60s", "rolling", 60), ("rolling 10m", "rolling", 600), ("refill 2h", "refill", 7200),
     ("rate 7d", "rate", 604_800), ("rolling 366d", "rolling", MOVING_MAX_S)],
)  # fmt: skip
def test_lengths_are_read(window: str, kind: str, length_s: int) -> None:
    """Seconds, minutes, hours and days."""
    assert moving(window) == (kind, length_s)


@pytest.mark.parametrize(
    "window",
    ["day", "lifetime", "rolling", "rolling 0s", "rolling 10", "rolling -1s", "rolling 1.5h", "rolling 367d",
     "rolling 1w", "rolling ten minutes", "ROLLING 10m", "rolling 10m ", "refill 99999999999s"],
)  # fmt: skip
def test_what_does_not_move(window: str) -> None:
    """A calendar window, half a window, one of no time or of more than a year."""
    assert moving(window) is None


@given(lengths, seconds)
def test_nothing_leaves_early(length_s: int, at_s: int) -> None:
    """What is charged anywhere in a second stays at least the whole window, and at most a bucket and a second more."""
    leaves = leaves_at(length_s, at_s)

    assert at_s + 1 + length_s <= leaves <= at_s + length_s + bucket_s(length_s)


@given(lengths, seconds)
def test_buckets_are_bounded(length_s: int, at_s: int) -> None:
    """However often it is charged, an account has some 3,600 buckets at most; up to an hour they are a second wide."""
    within = leaves_at(length_s, at_s + length_s) - leaves_at(length_s, at_s)

    assert within // bucket_s(length_s) <= BUCKETS_MAX
    assert bucket_s(length_s) == 1 or length_s > 3600


def test_a_rolling_balance() -> None:
    """A bucket counts until the second in which it leaves; pending never ages."""
    budget = Budget("b", "all", 100, window="rolling 60s")
    standing = Standing(Balance(70, 5, 10), (Charge(1000, 40, 0, 0), Charge(1001, 30, 10, 0)))

    found = [balance_at(budget, standing, at) for at in (999, 1000, 1001)]
    assert found == [Balance(70, 5, 10), Balance(30, 5, 10), Balance(0, 5, 0)]


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 50), st.integers(0, 9)), max_size=8), st.integers(1, 300))
def test_rolling_frees_exactly_then(steps: list[tuple[int, int, int]], missing: int) -> None:
    """In the second that is told so much has left the window, and in the one before it has not."""
    at, charges = 1000, []
    for gap, posted, debt in steps:
        at += gap
        charges.append(Charge(at, posted, debt, 0))
    whole = Balance(sum(c.posted for c in charges), 0, sum(c.debt for c in charges))
    budget, standing = Budget("b", "all", 500, window="rolling 60s"), Standing(whole, charges)
    frees = frees_at(budget, standing, missing, 1000)

    if frees is None:
        assert missing > whole.taken
        return
    freed = [whole.taken - balance_at(budget, standing, second).taken for second in (frees - 1, frees)]
    assert freed[0] < missing <= freed[1]


def test_what_is_pending_may_still_be_charged() -> None:
    """Where settled charges do not suffice, the answer is when even what is pending would have left."""
    budget = Budget("b", "all", 100, window="rolling 60s")

    assert frees_at(budget, Standing(Balance(0, 100, 0)), 10, 1000) == 1061
    assert frees_at(budget, Standing(Balance(0, 0, 0)), 10, 1000) is None


@given(
    limit=st.integers(1, 10**18),
    length_s=st.integers(1, MOVING_MAX_S),
    spent=st.integers(0, 10**18),
    looks=st.lists(st.integers(0, 10**6), max_size=20),
)
def test_a_refill_does_not_drift(limit: int, length_s: int, spent: int, looks: list[int]) -> None:
    """However often one looks, what has flowed back is what the rate gives for the whole time, to the unit."""
    budget, start = Budget("b", "all", limit, window=f"refill {length_s}s"), 1_700_000_000
    standing, at = Standing(Balance(posted=spent), refilled=start), start
    for gap in looks:
        at += gap
        done = refill(budget, standing, at)
        standing = Standing(standing.balance.plus(done.change), (), done.refilled, done.carry)

    assert standing.balance.posted == max(0, spent - limit * (at - start) // length_s)


@given(
    limit=st.integers(1, 10**12),
    length_s=st.integers(1, 10**6),
    carry=st.integers(0, 10**6),
    missing=st.integers(1, 10**12),
)
def test_refill_frees_exactly_then(limit: int, length_s: int, carry: int, missing: int) -> None:
    """In the second that is told so much has flowed back, and in the one before it has not."""
    budget = Budget("b", "all", limit, window=f"refill {length_s}s")
    standing = Standing(Balance(posted=10**18), (), 1000, carry % length_s)
    frees = frees_at(budget, standing, missing, 1000)
    assert frees is not None

    freed = [10**18 - balance_at(budget, standing, second).posted for second in (frees - 1, frees)]
    assert freed[0] < missing <= freed[1]


def test_debt_flows_back_first_and_a_full_bucket_counts_anew() -> None:
    """Debt before what was posted; time in which the bucket was full is not saved up."""
    budget = Budget("b", "all", 10, window="refill 10s")
    half = refill(budget, Standing(Balance(posted=5, debt=3), (), 100, 0), 104)
    assert half == (Balance(-1, 0, -3, 0), 104, 0)

    full = refill(budget, Standing(Balance(posted=5, debt=3), (), 100, 7), 1000)
    assert full == (Balance(-5, 0, -3, 0), 1001, 0)


def test_a_clock_that_steps_back_gives_nothing() -> None:
    """Nothing flows back twice for the same second."""
    budget, standing = Budget("b", "all", 10, window="refill 10s"), Standing(Balance(posted=5), (), 100, 3)

    assert refill(budget, standing, 40) == (Balance(), 100, 3)


def test_a_top_up_pays_for_what_was_spent() -> None:
    """In a bucket it fills up at once; what is left of it holds more than the bucket, until it is spent."""
    budget = Budget("b", "all", 10, window="refill 10s")

    assert refill(budget, Standing(Balance(5, 0, 2, credit=6), (), 100, 0), 100).change == Balance(-4, 0, -2, -6)
    assert refill(budget, Standing(Balance(5, 0, 2, credit=9), (), 100, 0), 900).change == Balance(-5, 0, -2, -7)


def test_a_bucket_that_never_refills() -> None:
    """A limit of 0 per hour frees nothing, whatever its burst."""
    assert frees_at(Budget("b", "all", 0, window="refill 1h", burst=5), Standing(Balance(5)), 1, 1000) is None


@pytest.mark.parametrize(("now", "wait"), [(9.0, 91), (9.001, 91), (9.999, 91), (99.5, 1), (100.0, 1), (120.0, 1)])
def test_waits_are_whole_seconds(now: float, wait: int) -> None:
    """Rounded up: whoever waits so long is not early."""
    assert seconds_until(100, datetime.fromtimestamp(now, UTC)) == wait
