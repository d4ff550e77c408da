"""The loop guard: calls with the same body count together, others apart, and nothing is kept of a body or for long."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from outwarden.budget import (
    Account,
    Amounts,
    Budget,
    BudgetRules,
    Caller,
    Denied,
    Held,
    Ledger,
    accounts,
    keyed_digest,
    redis_pruning,
    sql_store,
)

pytestmark = pytest.mark.every_store

Clock = Any  # the ones in conftest.py, which cannot be imported
Inside = Any
GUARD = Budget("loop-guard", "api_key", 30, "requests", "rolling 60s", identical=True)


def guarded(clock: Clock, body: str, key: str = "sha256:aa", budget: Budget = GUARD) -> Account:
    (found,) = accounts(
        BudgetRules((budget,)),
        Caller(api_key_id=key),
        provider="openai",
        model="m",
        call_id="c",
        at=clock(),
        body_id=lambda: keyed_digest(b"secret", body.encode()),
    )
    return found


def call(ledger: Ledger, account: Account, number: int) -> Held | Denied:
    answer = ledger.hold(f"{account.id} {number}", [account], Amounts(0, 0))
    if isinstance(answer, Held):
        ledger.post(answer.hold_id, Amounts(0, 0))
    return answer


@pytest.mark.on_sqlite
def test_an_infinite_loop_is_stopped_at_30_in_60_seconds(ledger: Ledger, clock: Clock) -> None:
    """A client that asks the same ten times a second for five minutes gets 30 answers a minute; others get theirs."""
    start, admitted = clock.now, []
    for number in range(3000):
        clock.now = start + timedelta(milliseconds=100 * number)
        if isinstance(call(ledger, guarded(clock, "loop"), number), Held):
            admitted.append((clock.now - start).total_seconds())
        if number % 50 == 0:
            assert isinstance(call(ledger, guarded(clock, f"other {number}"), number), Held)
            assert isinstance(call(ledger, guarded(clock, "loop", key="sha256:bb"), number), Held | Denied)

    assert admitted[:30] == [number / 10 for number in range(30)]
    assert all(later - first >= 60 for first, later in zip(admitted, admitted[30:], strict=False))
    assert len(admitted) in (145, 146, 147, 148, 149, 150)
    assert ledger.drift() == []


def test_tries_that_fail_count(ledger: Ledger, clock: Clock) -> None:
    """A client that tries again because its call fails is the loop that is meant; nothing else is charged for it."""
    guard, usd = guarded(clock, "loop"), guarded(clock, "loop", budget=replace(GUARD, name="usd", unit="usd"))
    for number in range(30):
        assert isinstance(ledger.hold(f"h{number}", [guard, usd], Amounts(1, 0)), Held)
        ledger.void(f"h{number}")
    assert isinstance(ledger.hold("again", [guard, usd], Amounts(1, 0)), Denied)
    assert [ledger.state(account).posted for account in (guard, usd)] == [30, 0]
    clock.advance(seconds=61)
    assert isinstance(ledger.hold("again", [guard, usd], Amounts(1, 0)), Held)
    assert ledger.drift() == []


def test_the_wait_is_until_the_oldest_try_leaves(ledger: Ledger, clock: Clock) -> None:
    """One more try fits when the first of the thirty is a minute old."""
    for number in range(30):
        call(ledger, guarded(clock, "loop"), number)
        clock.advance(seconds=1)
    denied = call(ledger, guarded(clock, "loop"), 30)
    assert isinstance(denied, Denied)
    assert denied.retry_after_s == 31


def test_an_id_tells_nothing_of_the_body(clock: Clock) -> None:
    """Who counts and a keyed digest: without the key nobody can try what the body was."""
    one = guarded(clock, "my password is hunter2")
    assert one.id == f"sha256:aa body:{keyed_digest(b'secret', b'my password is hunter2')}"
    assert keyed_digest(b"secret", b"a") != keyed_digest(b"other", b"a")
    assert keyed_digest(b"secret", b"ab", b"c") != keyed_digest(b"secret", b"a", b"bc")


def test_only_what_looks_like_a_loop_is_listed(ledger: Ledger, clock: Clock) -> None:
    """Thousands of different calls would hide everything else."""
    for number in range(40):
        call(ledger, guarded(clock, f"call {number}"), 0)
    for number in range(15):
        call(ledger, guarded(clock, "loop"), number)
    (state,) = ledger.states()
    assert (state.id, state.posted) == (guarded(clock, "loop").id, 15)


def test_idle_counters_are_forgotten(inside: Inside, ledger: Ledger, clock: Clock) -> None:
    """A minute after its last call nothing of a body is kept, unless a call still runs; and nothing is lost by it."""
    for number in range(50):
        call(ledger, guarded(clock, f"call {number}"), 0)
    ledger.hold("running", [guarded(clock, "running")], Amounts(0, 0))
    free = guarded(clock, "free", budget=Budget("usd", "all", 5, window="rolling 60s", identical=True))
    ledger.hold("free", [free], Amounts(0, 0))
    assert ledger.prune() == 0
    clock.advance(seconds=63)
    assert ledger.prune(20) == 20
    assert [ledger.prune(20) for _ in range(3)] == [20, 10, 0]
    assert sorted(name for name, _ in inside.accounts()) == ["loop-guard", "usd"]
    assert ledger.post("running", Amounts(0, 0))[0].posted == 1
    assert ledger.post("free", Amounts(3, 0))[0].debt == 3
    assert ledger.drift() == []


@pytest.mark.parametrize("window", ["minute", "hour", "day", "refill 60s"])
def test_in_any_window_that_ends(ledger: Ledger, clock: Clock, window: str) -> None:
    """Counted, refused, and forgotten when the window is over."""
    budget = Budget("guard", "user", 2, "requests", window, identical=True)
    answers = [call(ledger, guarded(clock, "loop", budget=budget), number) for number in range(3)]
    assert [type(answer) for answer in answers] == [Held, Held, Denied]
    clock.advance(days=1, seconds=62)
    assert ledger.prune() == 1
    assert ledger.states() == []


def test_a_crowd_is_bounded(inside: Inside, ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many different bodies within the window: the quietest are forgotten, the loop is not."""
    for store in (sql_store, redis_pruning):
        monkeypatch.setattr(store, "CROWD_MAX", 10)
    for number in range(30):
        call(ledger, guarded(clock, f"call {number}"), 0)
        clock.advance(seconds=1)
        call(ledger, guarded(clock, "loop"), number)
    assert ledger.prune(15) == 15
    assert [ledger.prune(15) for _ in range(2)] == [6, 0]
    assert len(inside.accounts()) == 10
    assert isinstance(call(ledger, guarded(clock, "loop"), 30), Denied)
    assert ledger.drift() == []
