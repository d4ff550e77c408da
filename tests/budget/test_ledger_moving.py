"""Rolling windows and buckets in the ledger: what ages, from when, and how long a refused call has to wait."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from outwarden.budget import Account, Amounts, BudgetState, Denied, Held, Ledger, Store, open_store
from outwarden.budget.ageing import BUCKETS_MAX
from outwarden.budget.sql_store import SqlStore

pytestmark = pytest.mark.every_store

Make = Callable[..., Account]
Clock = Any  # the ones in conftest.py, which cannot be imported
Inside = Any


def spend(ledger: Ledger, account: Account, hold_id: str, amount: int, actual: int | None = None) -> None:
    assert isinstance(ledger.hold(hold_id, [account], Amounts(amount, amount)), Held)
    ledger.post(hold_id, Amounts(*[amount if actual is None else actual] * 2))


def denied(ledger: Ledger, account: Account, amount: int) -> Denied:
    answer = ledger.hold("too much", [account], Amounts(amount, amount))
    assert isinstance(answer, Denied)
    return answer


def only(ledger: Ledger) -> BudgetState:
    (state,) = ledger.states()
    return state


def test_rolling_frees_up_by_itself(ledger: Ledger, account: Make, clock: Clock) -> None:
    """What was spent ten minutes ago counts no more, what was spent since does; nobody resets anything."""
    ten = account(100, window="rolling 10m")
    spend(ledger, ten, "a", 60)
    clock.advance(minutes=4)
    spend(ledger, ten, "b", 40)
    clock.advance(minutes=6)
    assert denied(ledger, ten, 1).retry_after_s == 1
    clock.advance(seconds=1)
    assert isinstance(ledger.hold("c", [ten], Amounts(60, 0)), Held)
    assert (only(ledger).posted, only(ledger).pending) == (40, 60)
    assert ledger.drift() == []


@pytest.mark.parametrize(("amount", "wait"), [(10, 301), (30, 301), (31, 421), (60, 421), (61, 541), (100, 541)])
def test_retry_after_is_when_enough_is_free(
    ledger: Ledger, account: Make, clock: Clock, amount: int, wait: int
) -> None:
    """The wait is for this very call: a small one needs the first charge to leave, the largest needs all to."""
    ten = account(100, window="rolling 10m")
    for number, cost in enumerate((30, 30, 40)):
        spend(ledger, ten, f"h{number}", cost)
        clock.advance(minutes=2)
    clock.now -= timedelta(minutes=1)
    assert denied(ledger, ten, amount).retry_after_s == wait

    clock.advance(seconds=wait - 1)
    denied(ledger, ten, amount)
    clock.advance(seconds=1)
    assert isinstance(ledger.hold("now", [ten], Amounts(amount, 0)), Held)


@pytest.mark.parametrize("window", ["rolling 10m", "refill 10m"])
def test_what_never_fits_has_no_wait(ledger: Ledger, account: Make, window: str) -> None:
    """A call larger than the limit, and any call under a limit of 0."""
    assert denied(ledger, account(100, window=window), 101).retry_after_s is None
    assert denied(ledger, account(0, name="zero", window=window), 0).retry_after_s is None


def test_rejected_retries_do_not_refresh_the_window(ledger: Ledger, account: Make, clock: Clock) -> None:
    """However often a refused caller knocks, the wait runs out when it was to run out."""
    minute = account(3, window="rolling 60s", unit="requests")
    for number in range(3):
        ledger.hold(f"h{number}", [minute], Amounts(0, 0))
        ledger.post(f"h{number}", Amounts(0, 0))
    for left in range(61, 0, -1):
        assert denied(ledger, minute, 0).retry_after_s == left
        clock.advance(seconds=1)
    assert isinstance(ledger.hold("again", [minute], Amounts(0, 0)), Held)


def test_an_open_hold_counts_however_long(ledger: Ledger, account: Make, clock: Clock) -> None:
    """A stream that runs for hours holds its money all the time, and ages from its end."""
    minute = account(100, window="rolling 60s")
    ledger.hold("stream", [minute], Amounts(100, 0))
    clock.advance(hours=3)
    assert denied(ledger, minute, 1).retry_after_s == 61
    ledger.post("stream", Amounts(80, 0))
    clock.advance(seconds=60)
    assert only(ledger).posted == 80
    clock.advance(seconds=1)
    assert only(ledger).posted == 0


def test_requests_age_from_their_admission(ledger: Ledger, account: Make, clock: Clock) -> None:
    """A request is made when it is let in, whenever its answer ends; tokens are spent when they are known."""
    requests, tokens = (account(9, name=unit, unit=unit, window="rolling 60s") for unit in ("requests", "tokens"))
    ledger.hold("h", [requests, tokens], Amounts(0, 5))
    clock.advance(seconds=40)
    ledger.post("h", Amounts(0, 5))
    clock.advance(seconds=21)
    assert {state.name: state.posted for state in ledger.states()} == {"requests": 0, "tokens": 5}
    clock.advance(seconds=40)
    assert {state.posted for state in ledger.states()} == {0}
    assert ledger.drift() == []


def test_debt_ages_too(ledger: Ledger, account: Make, clock: Clock) -> None:
    """What a call cost beyond its hold blocks for as long as the rest of it."""
    minute = account(100, window="rolling 60s")
    spend(ledger, minute, "h", 50, 170)
    assert (only(ledger).posted, only(ledger).debt, only(ledger).state) == (50, 120, "exceeded")
    assert denied(ledger, minute, 1).retry_after_s == 61
    clock.advance(seconds=61)
    assert (only(ledger).posted, only(ledger).debt, only(ledger).state) == (0, 0, "ok")
    assert isinstance(ledger.hold("h2", [minute], Amounts(100, 0)), Held)
    assert ledger.drift() == []


def test_debt_above_the_limit_has_to_age_first(ledger: Ledger, account: Make, clock: Clock) -> None:
    """The wait is until the call fits, not until something has flowed back; a call that costs nothing waits too."""
    hour = account(3600, window="refill 1h")
    spend(ledger, hour, "a", 3600, 5000)
    assert denied(ledger, hour, 10).retry_after_s == 1411
    assert denied(ledger, hour, 0).retry_after_s == 1401
    clock.advance(seconds=1401)
    assert isinstance(ledger.hold("free", [hour], Amounts(0, 0)), Held)


def test_what_ages_is_in_the_journal(inside: Inside, ledger: Ledger, account: Make, clock: Clock) -> None:
    """The step that finds something aged writes a line of its own for it, so that lines still sum up."""
    minute = account(100, window="rolling 60s")
    spend(ledger, minute, "a", 30, 40)
    clock.advance(seconds=61)
    spend(ledger, minute, "b", 20)
    lines = [(-1, "age", -30, 0, -10, 0), (0, "hold", 0, 20, 0, 0), (1, "post", 20, -20, 0, 0)]
    assert inside.lines("b") == lines
    assert ledger.drift() == []


def test_a_bucket_changed_behind_its_back_is_drift(inside: Inside, ledger: Ledger, account: Make) -> None:
    """A charge that was taken away would never age."""
    minute = account(100, window="rolling 60s")
    spend(ledger, minute, "a", 30)
    inside.lose_charges(minute)
    assert ledger.drift() == ["b/all/all"]


@pytest.mark.on_sqlite
def test_rows_are_bounded(store: Store, ledger: Ledger, account: Make, clock: Clock) -> None:
    """A week of calls every five minutes is merged by bucket, and the rows of a window never pass the bound."""
    assert isinstance(store, SqlStore)
    day, ten = account(10**9, name="day", window="rolling 1d"), account(10**9, name="ten", window="rolling 5s")
    for number in range(400):
        ledger.hold(f"h{number}", [day, ten], Amounts(1, 0))
        ledger.post(f"h{number}", Amounts(1, 0))
        clock.advance(seconds=6 if number % 2 else 500)
    rows = dict(store.run_sql("SELECT account, count(*) FROM charges GROUP BY account"))
    assert rows[1] <= 2 * 86_400 / 506 + 1 < BUCKETS_MAX
    assert rows[2] == 1
    assert ledger.drift() == []


def test_a_crash_ages_from_the_recovery(url: str, account: Make, clock: Clock) -> None:
    """What a dead process held is charged in full when it is found, and a request from when it was let in."""
    first = Ledger(open_store(url), clock=clock)
    usd, requests = account(100, window="rolling 60s"), account(5, name="r", unit="requests", window="rolling 60s")
    first.hold("h", [usd, requests], Amounts(70, 0))
    first.close()
    clock.advance(seconds=40)
    second = Ledger(open_store(url), clock=clock)
    assert second.recover() == 1
    clock.advance(seconds=21)
    assert [state.posted for state in second.states()] == [70, 0]
    clock.advance(seconds=40)
    assert [state.posted for state in second.states()] == [0, 0]
    assert second.drift() == []
    second.close()


def test_a_clock_that_steps_back(ledger: Ledger, account: Make, clock: Clock) -> None:
    """Nothing is freed by it: what was charged counts until its second comes again."""
    minute, bucket = account(100, window="rolling 60s"), account(100, name="c", window="refill 60s")
    ledger.hold("h", [minute, bucket], Amounts(90, 0))
    ledger.post("h", Amounts(90, 0))
    clock.advance(hours=-1)
    assert denied(ledger, minute, 20).retry_after_s == 3661
    assert denied(ledger, bucket, 20).retry_after_s == 3600 + 1 + 6
    clock.advance(hours=1, seconds=61)
    assert isinstance(ledger.hold("h2", [minute, bucket], Amounts(100, 0)), Held)


def test_a_bucket_refills_as_time_goes_by(ledger: Ledger, account: Make, clock: Clock) -> None:
    """360 an hour is one in ten seconds; the refused call is told the second in which it fits."""
    hour = account(360, window="refill 1h")
    spend(ledger, hour, "a", 360)
    assert denied(ledger, hour, 7).retry_after_s == 71
    clock.advance(seconds=70)
    denied(ledger, hour, 7)
    clock.advance(seconds=1)
    assert isinstance(ledger.hold("h", [hour], Amounts(7, 0)), Held)
    assert ledger.drift() == []


def test_a_burst_holds_more_than_the_limit(ledger: Ledger, account: Make, clock: Clock) -> None:
    """A bucket of 1000 into which 100 an hour flow: 1000 at once, then 100 an hour, and 1000 again after ten."""
    bursty = account(100, window="refill 1h", burst=1000)
    assert denied(ledger, bursty, 1001).retry_after_s is None
    spend(ledger, bursty, "a", 1000)
    assert (only(ledger).limit, only(ledger).state) == (1000, "exceeded")
    assert denied(ledger, bursty, 100).retry_after_s == 3601
    clock.advance(seconds=3601)
    spend(ledger, bursty, "b", 100)
    clock.advance(hours=30)
    assert only(ledger).posted == 0
    assert denied(ledger, bursty, 1001).left == 1000


def test_an_open_hold_is_not_refilled(ledger: Ledger, account: Make, clock: Clock) -> None:
    """What is pending stays taken; it flows back from when it was spent, as everything does."""
    hour = account(3600, window="refill 1h")
    ledger.hold("stream", [hour], Amounts(3600, 0))
    clock.advance(hours=2)
    assert denied(ledger, hour, 1).left == 0
    ledger.post("stream", Amounts(3600, 0))
    assert denied(ledger, hour, 10).retry_after_s == 11


def test_a_changed_rate_applies_at_once(ledger: Ledger, account: Make, clock: Clock) -> None:
    """The same bucket flows at the rate of the rules in force."""
    spend(ledger, account(3600, window="refill 1h"), "a", 3600)
    assert denied(ledger, account(7200, window="refill 1h", burst=7200), 3610).retry_after_s == 6


def test_a_rolling_crossing_is_told_again_after_it_aged(ledger: Ledger, account: Make, clock: Clock) -> None:
    """Each time the spend in the window comes past a warning mark, and only then."""
    minute = account(100, window="rolling 60s", warn_at=(0.5,))
    crossed = []
    for number in range(4):
        ledger.hold(f"h{number}", [minute], Amounts(30, 0))
        crossed.append(ledger.post(f"h{number}", Amounts(30, 0))[0].crossed)
        clock.advance(seconds=40)
    assert crossed == [(), (0.5,), (0.5,), (0.5,)]


def test_moving_and_calendar_windows_together(ledger: Ledger, account: Make, clock: Clock) -> None:
    """The budget that stays closed longest is named, whatever kinds they are."""
    ten, minute = account(100, window="rolling 10m"), account(100, name="m", window="minute")
    ledger.hold("h", [ten, minute], Amounts(100, 0))
    ledger.post("h", Amounts(100, 0))
    told = ledger.hold("h2", [ten, minute], Amounts(1, 0))
    assert isinstance(told, Denied)
    assert (told.account, told.retry_after_s) == (ten, 601)


def test_json_tells_the_window(ledger: Ledger, account: Make) -> None:
    """A moving window has no bounds to tell, so it tells its name."""
    spend(ledger, account(100, window="rolling 10m"), "a", 1)
    shown = only(ledger).as_json()
    assert (shown["window"], shown["window_start"], shown["window_end"]) == ("rolling 10m", None, None)


def test_what_has_left_is_taken_out_once(url: str, account: Make, clock: Clock) -> None:
    """However many holds of one account a step resolves: what left the window before is not given back again."""
    minute = account(100, window="rolling 60s")
    first = Ledger(open_store(url), clock=clock)
    spend(first, minute, "old", 30)
    for number in range(4):
        first.hold(f"h{number}", [minute], Amounts(10, 0))
    first.close()
    clock.advance(seconds=61)
    second = Ledger(open_store(url), clock=clock)
    assert second.recover() == 4
    assert only(second).posted == 40
    assert second.drift() == []
    second.close()


def test_a_late_charge_does_not_add_to_what_has_left(ledger: Ledger, account: Make, clock: Clock) -> None:
    """Two requests of one second: one ends soon, one when both have left the window. Neither is counted off twice."""
    requests = account(9, unit="requests", window="rolling 60s")
    for name in ("soon", "late"):
        ledger.hold(name, [requests], Amounts(0, 0))
    ledger.post("soon", Amounts(0, 0))
    clock.advance(seconds=70)
    ledger.post("late", Amounts(0, 0))
    spend(ledger, requests, "now", 0)
    assert only(ledger).posted == 1
    assert ledger.drift() == []
