"""How much may lie ready in a lease, and of which budgets."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.budget import Account, Amounts, Budget
from outwarden.budget.lease import LEAST, NOTHING, SHARE, WIDTH_MAX, WIDTH_MIN, Lease, may_lease, ready
from outwarden.budget.limits import Projected

USD, TOKENS = (Account(Budget(unit, "all", 10**9, unit, lease=True), "all", None, None) for unit in ("usd", "tokens"))
ROOMS = st.integers(-(10**6), 10**9)


def lease_of(*accounts: Account, largest: Amounts, width: int = WIDTH_MIN) -> Lease:
    return Lease("lease", (), accounts, (), 0, largest=largest, width=width)


@given(st.integers(0, 10**6), st.integers(1, WIDTH_MAX), ROOMS, st.integers(0, 10**9), st.integers(1, 50))
def test_what_lies_ready_is_a_share_or_nothing(largest: int, width: int, room: int, other: int, owners: int) -> None:
    """With what lies ready elsewhere in the process: the process's share of a quarter at most; or not worth it."""
    found = ready(lease_of(USD, largest=Amounts(largest, 0, 0), width=width), [room], [other], owners)
    if any(found):
        assert LEAST * largest <= found.usd <= width * largest
        assert SHARE * owners * (found.usd + other) <= room + other
    elif largest and width >= LEAST:
        assert (room + other) // (SHARE * owners) - other < LEAST * largest


@given(st.integers(1, 1000), st.integers(1, 1000), ROOMS, ROOMS)
def test_a_lease_is_for_all_units_or_none(usd: int, tokens: int, dollars: int, room: int) -> None:
    """Where one account has too little free, nothing lies ready on any."""
    largest = Amounts(usd, tokens, 0)
    found = ready(lease_of(USD, TOKENS, largest=largest), [dollars, room], [0, 0], 1)
    assert found == NOTHING or (found.usd >= LEAST * usd and found.tokens >= LEAST * tokens)
    assert found.requests == 0


def test_it_counts_what_its_accounts_count() -> None:
    """A call's tokens do not run short where only dollars are counted."""
    assert lease_of(USD, largest=NOTHING).counted(Amounts(5, 6, 1)) == Amounts(5, 0, 0)
    assert lease_of(USD, TOKENS, largest=NOTHING).counted(Amounts(5, 6, 1)) == Amounts(5, 6, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"lease": False},
        {"window": "rolling 10m"},
        {"window": "refill 1h"},
        {"window": "day", "identical": True},
        {"projected": Projected(3600)},
        {"reroute_at": 0.5, "reroute_to": "x"},
        {"reroute_at": 0.0, "reroute_to": "x"},
        {"on_exceeded": "warn"},
        {"scope": "request"},
    ],
)
def test_what_is_not_leased(changes: dict[str, Any]) -> None:
    """What is exact to the second or looked at with each call is counted in the store."""
    budget = Budget("b", "all", 10**9, lease=True)
    assert may_lease(budget)
    assert may_lease(replace(budget, on_exceeded="reroute", reroute_to="x"))
    assert not may_lease(replace(budget, **changes))
