"""A budget that is spent too fast is stopped, or told, long before it is gone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.budget import (
    Account,
    Amounts,
    Budget,
    BudgetRules,
    BudgetState,
    Caller,
    Denied,
    Held,
    Ledger,
    accounts,
    open_store,
)
from outwarden.budget.ageing import Charge, Standing, balance_at
from outwarden.budget.limits import Projected
from outwarden.budget.states import Balance
from outwarden.budget.velocity import eases_at, running_out

pytestmark = pytest.mark.every_store

Clock = Any  # the one in conftest.py, which cannot be imported
DOLLAR = 10**9
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def watched(clock: Clock, rule: Projected | None, limit: int = 200 * DOLLAR, **more: Any) -> tuple[Account, ...]:
    budget = Budget(**{"name": "key-day", "scope": "api_key", "limit": limit, "window": "day"} | more, projected=rule)
    caller = Caller(api_key_id="sha256:aa")
    return accounts(BudgetRules((budget,)), caller, provider="openai", model="m", call_id="c", at=clock())


def spend(ledger: Ledger, counted: tuple[Account, ...], hold_id: str, amount: int) -> BudgetState | Denied:
    answer = ledger.hold(hold_id, counted, Amounts(amount, 0))
    return answer if isinstance(answer, Denied) else ledger.post(hold_id, Amounts(amount, 0))[0]


@pytest.mark.on_sqlite
def test_1200_dollars_in_ten_minutes_from_one_key(ledger: Ledger, clock: Clock) -> None:
    """A runaway spends $2 a second. Its day of $200 is never passed; watched, it is stopped at an hour's worth of it.

    At S dollars in the last ten minutes the rest is gone within the hour once 6 S > 200 - S: at $28.57, after 15 s.
    """
    spent = {"hard": 0, "watched": 0}
    refused_at: dict[str, int] = {}
    rules = {"hard": None, "watched": Projected(3600)}
    for second in range(600):
        for name, rule in rules.items():
            answer = spend(ledger, watched(clock, rule, name=name), f"{name} {second}", 2 * DOLLAR)
            if isinstance(answer, Denied):
                refused_at.setdefault(name, second)
            else:
                spent[name] += 2
        clock.advance(seconds=1)

    assert refused_at == {"hard": 100, "watched": 15}
    assert spent == {"hard": 200, "watched": 30}
    assert ledger.drift() == []


def test_the_refusal_says_when_the_rate_is_down(ledger: Ledger, clock: Clock) -> None:
    """Not the end of the day: the second in which enough of the last ten minutes has gone by."""
    for number in range(15):
        spend(ledger, watched(clock, Projected(3600)), f"h{number}", 2 * DOLLAR)
        clock.advance(seconds=1)
    denied = spend(ledger, watched(clock, Projected(3600)), "no", DOLLAR)
    assert isinstance(denied, Denied)
    assert (denied.account.budget.name, denied.left, denied.gone_in_s) == ("key-day", 170 * DOLLAR, 170 * 600 // 30)
    assert denied.retry_after_s == 601 - 15
    clock.advance(seconds=denied.retry_after_s - 1)
    assert isinstance(spend(ledger, watched(clock, Projected(3600)), "no", DOLLAR), Denied)
    clock.advance(seconds=1)
    assert isinstance(spend(ledger, watched(clock, Projected(3600)), "yes", DOLLAR), BudgetState)


def test_what_outlasts_its_window_is_not_too_fast(ledger: Ledger, clock: Clock) -> None:
    """Half an hour before midnight a budget that would be gone in fifty minutes lasts to the end of the day."""
    clock.now = NOON.replace(hour=23, minute=30)
    spend(ledger, watched(clock, Projected(3600)), "a", 34 * DOLLAR)
    assert isinstance(spend(ledger, watched(clock, Projected(3600)), "b", DOLLAR), BudgetState)
    clock.now = NOON.replace(hour=23, minute=0)
    assert isinstance(spend(ledger, watched(clock, Projected(3600)), "c", DOLLAR), Denied)


def test_what_running_calls_hold_is_no_rate(ledger: Ledger, clock: Clock) -> None:
    """Worst cases that are held and never come true stop nobody."""
    for number in range(9):
        counted = watched(clock, Projected(3600))
        assert isinstance(ledger.hold(f"h{number}", counted, Amounts(20 * DOLLAR, 0)), Held)
    for number in range(9):
        assert ledger.post(f"h{number}", Amounts(DOLLAR, 0))[0].runs_out == "no"


def test_warn_tells_and_refuses_nothing(ledger: Ledger, clock: Clock) -> None:
    """The step from which on the budget runs out says ``now``, those after it say ``yes``."""
    rule, told = Projected(3600, action="warn"), []
    for number in range(5):
        answer = spend(ledger, watched(clock, rule), f"h{number}", 12 * DOLLAR)
        assert isinstance(answer, BudgetState)
        told.append(answer.runs_out)
    assert told == ["no", "no", "now", "yes", "yes"]
    held = ledger.hold("more", watched(clock, rule), Amounts(1, 0))
    assert isinstance(held, Held)
    assert [state.runs_out for state in held.states] == ["yes"]
    clock.advance(seconds=601)
    answer = spend(ledger, watched(clock, rule), "later", 1)
    assert isinstance(answer, BudgetState)
    assert answer.runs_out == "no"


def test_one_counter_is_shown(ledger: Ledger, clock: Clock) -> None:
    """The account that measures is an account of ours; nobody set its limit."""
    spend(ledger, watched(clock, Projected(3600)), "a", DOLLAR)
    (state,) = ledger.states()
    assert (state.window, state.posted) == ("day", DOLLAR)


def test_growing_and_settling_elsewhere(url: str, clock: Clock) -> None:
    """A hold on a watched budget grows, is settled by another process, and the books are right."""
    first, second = (Ledger(open_store(url), clock=clock) for _ in range(2))
    first.hold("h", watched(clock, Projected(3600)), Amounts(5, 0))
    assert isinstance(first.grow("h", Amounts(9, 0)), Held)
    (state,) = second.post("h", Amounts(12, 0))
    assert (state.posted, state.debt) == (9, 3)
    assert second.drift() == []
    first.close()
    second.close()


def test_an_unanswered_hold_finds_both_accounts_again(ledger: Ledger, clock: Clock) -> None:
    """The one that counts and the one that measures have one name; they are not mixed up."""
    counted = watched(clock, Projected(3600))
    ledger.hold("h", counted, Amounts(5, 0))
    ledger._open.clear()
    assert isinstance(ledger.hold("h", counted, Amounts(5, 0)), Held)
    ledger.post("h", Amounts(5, 0))
    assert ledger.drift() == []
    assert ledger.states()[0].posted == 5


@given(
    costs=st.lists(st.tuples(st.integers(0, 100), st.integers(1, 40)), min_size=1, max_size=10),
    within=st.integers(10, 5000),
    limit=st.integers(1, 400),
    ends=st.none() | st.integers(1, 4000),
)
def test_it_eases_exactly_then(costs: list[tuple[int, int]], within: int, limit: int, ends: int | None) -> None:
    """In the second that is told the rate is low enough, and in no second before it."""
    now_s, at = int(NOON.timestamp()), int(NOON.timestamp()) - 100
    end = None if ends is None else NOON + timedelta(seconds=ends)
    main = Account(Budget("b", "all", limit, window="day"), "all", NOON, end)
    rate = Account(
        Budget("b", "all", limit, window="rate 200s", projected=Projected(within, 200)), "all", None, None, main
    )
    charges: dict[int, int] = {}
    for gap, cost in sorted(costs):
        leaves = at + gap + 201
        charges[leaves] = charges.get(leaves, 0) + cost
    total = Balance(posted=sum(charges.values()))
    stored = Standing(total, [Charge(leaves, cost, 0, 0) for leaves, cost in sorted(charges.items())])

    def too_fast(second: int) -> bool:
        recent = balance_at(rate.budget, stored, second)
        return running_out(rate, total, recent, datetime.fromtimestamp(second, UTC))

    eases = eases_at(rate, total, stored, now_s)
    assert not too_fast(eases)
    assert all(too_fast(second) for second in range(now_s, eases))


@pytest.mark.parametrize(("unit", "limit"), [("tokens", 1000), ("requests", 50)])
def test_in_every_unit(ledger: Ledger, clock: Clock, unit: str, limit: int) -> None:
    """Tokens and requests have a rate as dollars have."""
    make: Callable[[], tuple[Account, ...]] = lambda: watched(clock, Projected(3600), limit, unit=unit)  # noqa: E731
    admitted = 0
    for number in range(60):
        if isinstance(ledger.hold(f"h{number}", make(), Amounts(0, 20)), Held):
            ledger.post(f"h{number}", Amounts(0, 20))
            admitted += 1
    assert admitted == 8
