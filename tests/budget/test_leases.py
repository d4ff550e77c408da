"""Calls paid from a lease: no cap is passed, no rule is forgotten, and what lies ready comes back."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outwarden.budget import (
    Account,
    Amounts,
    BudgetState,
    Denied,
    Held,
    LeasingLedger,
    Ledger,
    Orders,
    Paused,
    Store,
    Target,
    open_store,
)
from outwarden.budget.leases import BUSY, FRESH_S
from outwarden.budget.owners import Owner
from outwarden.errors import HoldExists, HoldPosted, HoldUnknown, HoldVoided, StepUnknown, StoreUnavailable
from simulating.faults import Fault, FaultyStore

pytestmark = pytest.mark.every_store

COST = Amounts(100, 0)
Make = Callable[..., Account]
Clock = Any  # the one in conftest.py, which cannot be imported


@pytest.fixture
def leasing(store: Store, clock: Clock) -> LeasingLedger:
    return LeasingLedger(store, clock=clock, monotonic=clock.monotonic)


@pytest.fixture
def another(url: str, clock: Clock) -> Iterator[LeasingLedger]:
    """A ledger of another machine on the same database."""
    store = open_store(url)
    owner = Owner("another", 1, "", "another machine")
    yield LeasingLedger(store, clock=clock, monotonic=clock.monotonic, owner=owner)
    store.close()


class Counting:
    """How many transactions a ledger asked for."""

    def __init__(self, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        begin = ledger._store.transaction

        def counted() -> Any:
            self.count += 1
            return begin()

        monkeypatch.setattr(ledger._store, "transaction", counted)


def work(ledger: Ledger, account: Account, count: int, name: str = "w", cost: Amounts = COST) -> int:
    """So many calls one after the other, each of which costs what it held; how many were admitted."""
    admitted = 0
    for number in range(count):
        if isinstance(ledger.hold(f"{name}-{number}", [account], cost), Held):
            ledger.post(f"{name}-{number}", cost)
            admitted += 1
    return admitted


def state(ledger: Ledger, account: Account) -> BudgetState:
    """How an account stands in the store, whose books are right."""
    assert ledger.drift() == []
    return ledger.state(account)


def rounds(ledger: LeasingLedger, clock: Clock, count: int = 2) -> None:
    """So many seconds in which nobody calls: what lies ready is given back with the first."""
    for _ in range(count):
        clock.advance(seconds=1)
        ledger.settle()


def test_a_busy_process_pays_from_memory(
    leasing: LeasingLedger, account: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is asked a few times for a hundred calls; a round later it knows their cost, then nothing is held."""
    shared = account(10**9, lease=True)
    asked = Counting(leasing, monkeypatch)
    assert work(leasing, shared, 100) == 100
    assert asked.count < 20
    clock.advance(seconds=1)
    leasing.settle()
    found = state(leasing, shared)
    assert (found.posted, found.debt) == (10_000, 0)
    assert 0 < found.pending <= 64 * 100
    rounds(leasing, clock, 1)
    assert (state(leasing, shared).posted, state(leasing, shared).pending) == (10_000, 0)


def test_a_quiet_one_does_not(leasing: LeasingLedger, account: Make, clock: Clock) -> None:
    """Fewer calls than `BUSY` a second are held in the store, one by one."""
    shared = account(10**9, lease=True)
    for second in range(5):
        work(leasing, shared, BUSY - 1, f"s{second}")
        assert (state(leasing, shared).posted, state(leasing, shared).pending) == (100 * 3 * (second + 1), 0)
        clock.advance(seconds=1)
        leasing.settle()


def test_a_small_cap_is_never_leased(leasing: LeasingLedger, account: Make) -> None:
    """Of a cap with room for few calls nothing lies ready, and exactly those are admitted."""
    shared = account(1_500, lease=True)
    assert work(leasing, shared, 40) == 15
    assert (state(leasing, shared).posted, state(leasing, shared).pending) == (1_500, 0)


def test_a_large_cap_is_spent_to_the_last(leasing: LeasingLedger, account: Make) -> None:
    """A process that leases admits what fits as well, to the last call."""
    shared = account(100_050, lease=True)
    assert work(leasing, shared, 1_100) == 1_000
    leasing.settle()
    assert (state(leasing, shared).posted, state(leasing, shared).pending) == (100_000, 0)


def test_what_lies_ready_never_refuses_a_call_of_its_own_process(leasing: LeasingLedger, account: Make) -> None:
    """A call that takes all that is left is admitted, whoever it is: leases of other keys go back first."""
    shared = account(100_000, lease=True)
    for number in range(10):
        leasing.hold(f"a{number}", [shared], COST, "key")
        leasing.post(f"a{number}", COST)
    assert isinstance(leasing.hold("all", [shared], Amounts(99_000, 0), "other key"), Held)
    assert isinstance(leasing.hold("more", [shared], Amounts(1, 0)), Denied)
    assert state(leasing, shared).pending == 99_000


def test_a_refusal_ends_no_lease_that_is_not_in_its_way(leasing: LeasingLedger, account: Make) -> None:
    """Whoever has spent a budget of its own leaves the others what they have ready of one that they share."""
    own, shared = account(200, name="own", lease=True), account(100_000, name="shared", lease=True)
    work(leasing, shared, 20)
    before = state(leasing, shared).pending
    assert before > 0
    for number in range(10):
        assert isinstance(leasing.hold(f"dear-{number}", [own, shared], Amounts(201, 0), "another key"), Denied)
    assert state(leasing, shared).pending == before


def test_what_lies_ready_elsewhere_is_little_and_soon_back(
    leasing: LeasingLedger, another: LeasingLedger, account: Make, clock: Clock
) -> None:
    """Of another process's lease at most a quarter of what is free is kept from us, and no longer than a round."""
    shared = account(100_000, lease=True)
    work(another, shared, 50)
    another.settle()
    work(another, shared, 50, "v")
    assert isinstance(leasing.hold("most", [shared], Amounts(65_000, 0)), Held)
    assert isinstance(leasing.hold("rest", [shared], Amounts(25_000, 0)), Denied)
    rounds(another, clock)
    assert isinstance(leasing.hold("rest", [shared], Amounts(25_000, 0)), Held)


def test_leases_of_many_keys_are_small_together(leasing: LeasingLedger, account: Make, clock: Clock) -> None:
    """However many keys one process leases for, what lies ready of a budget that they share is a quarter of it."""
    shared = account(100_000, lease=True)
    for key in range(30):
        for number in range(2 * BUSY):
            leasing.hold(f"{key}-{number}", [shared], COST, f"key {key}")
            leasing.post(f"{key}-{number}", COST)
    spent = 30 * 2 * BUSY * 100
    assert state(leasing, shared).pending + state(leasing, shared).posted <= spent + 100_000 // 4
    rounds(leasing, clock)
    assert (state(leasing, shared).posted, state(leasing, shared).pending) == (spent, 0)


@pytest.mark.parametrize("leases", [1, 3])
def test_the_dead_are_charged_in_full(
    leasing: LeasingLedger, another: LeasingLedger, account: Make, clock: Clock, leases: int
) -> None:
    """What a dead process leased is charged, spent or not: more than it spent, never more than the cap."""
    shared = account(100_000, lease=True)
    for key in range(leases):
        for number in range(20):
            another.hold(f"{key}-{number}", [shared], COST, f"key {key}")
            another.post(f"{key}-{number}", COST)
    pending = state(leasing, shared).pending
    leasing.recover()
    clock.advance(seconds=61)
    assert leasing.recover() == leases
    found = state(leasing, shared)
    assert found.pending == found.debt == 0
    assert leases * 2_000 <= found.posted <= leases * 2_000 + pending
    assert work(leasing, shared, 2_000, "then") * 100 + found.posted <= 100_000


@pytest.mark.parametrize("spent", [0, 5, 8])
def test_the_dead_are_charged_no_more_than_their_last_step(
    leasing: LeasingLedger, another: LeasingLedger, account: Make, clock: Clock, spent: int
) -> None:
    """What was posted, what ran, and what lay ready then: 8 of its largest hold, where calls are that few."""
    shared = account(100_000, lease=True)
    work(another, shared, 20)
    for _ in range(5):
        clock.advance(seconds=1)
        another.settle()
        work(another, shared, BUSY, f"round-{clock()}")
    another.hold("runs", [shared], COST)
    clock.advance(seconds=1)
    another.settle()
    told = state(leasing, shared)
    assert (told.posted, told.pending) == (2_000 + 5 * BUSY * 100, 100 + 8 * 100)
    assert work(another, shared, spent, "unsettled") == spent
    leasing.recover()
    clock.advance(seconds=61)
    assert leasing.recover() == 1
    found = state(leasing, shared)
    assert (found.posted, found.pending, found.debt) == (told.posted + told.pending, 0, 0)


def test_a_call_that_the_dead_had_paid_is_held_anew(
    leasing: LeasingLedger, another: LeasingLedger, account: Make, clock: Clock
) -> None:
    """Of single calls the store knows nothing: with the same id, one is charged again, beside what the dead leased."""
    shared = account(100_000, lease=True)
    work(another, shared, 20)
    another.hold("runs", [shared], COST)
    work(another, shared, 1, "ended")
    with pytest.raises(HoldUnknown):
        leasing.post("runs", COST)
    leasing.recover()
    clock.advance(seconds=61)
    leasing.recover()
    charged = state(leasing, shared).posted
    for call in ("runs", "ended-0"):
        with pytest.raises(HoldUnknown):
            leasing.void(call)
        assert isinstance(leasing.hold(call, [shared], COST), Held)
        leasing.post(call, COST)
        with pytest.raises(HoldPosted):
            leasing.post(call, COST)
    assert state(leasing, shared).posted == charged + 200


def test_who_only_slept_finds_its_lease_expired(
    leasing: LeasingLedger, another: LeasingLedger, account: Make, clock: Clock
) -> None:
    """A call that ran in a process taken for dead was charged; it says so, and new calls are held in the store."""
    shared = account(100_000, lease=True)
    work(another, shared, 20)
    another.hold("runs", [shared], COST)
    leasing.recover()
    clock.advance(seconds=61)
    assert leasing.recover() == 1
    charged = state(leasing, shared).posted
    assert isinstance(another.hold("new", [shared], COST), Held)
    with pytest.raises(HoldPosted, match="expired"):
        another.post("runs", COST)
    with pytest.raises(HoldPosted, match="expired"):
        another.void("runs")
    another.post("new", COST)
    another.settle()
    assert (state(leasing, shared).posted, state(leasing, shared).pending) == (charged + 100, 0)


def test_an_exit_gives_everything_back(leasing: LeasingLedger, another: LeasingLedger, account: Make) -> None:
    """What was spent is posted at the exit and the rest is free; what still runs is resolved by the others."""
    shared = account(100_000, lease=True)
    work(another, shared, 50)
    another.hold("runs", [shared], Amounts(70, 0))
    another.close()
    assert (state(leasing, shared).posted, state(leasing, shared).pending) == (5_000, 70)
    assert leasing.recover() == 1
    assert (state(leasing, shared).posted, state(leasing, shared).pending) == (5_070, 0)


@pytest.mark.parametrize("target", [Target("key", "k"), Target("budget", "b"), Target("account", "b", "all")])
def test_a_pause_counts_from_the_next_round(
    leasing: LeasingLedger, store: Store, account: Make, clock: Clock, target: Target
) -> None:
    """Whoever is paused is refused after a round at the latest, and goes on once resumed."""
    shared = account(10**9, lease=True)
    orders = Orders(store, "root", clock=clock)

    def call(number: int) -> object:
        return leasing.hold(f"c{number}", [shared], COST, "k")

    assert all(isinstance(call(number), Held) for number in range(20))
    orders.pause(target)
    clock.advance(seconds=1)
    leasing.settle()
    assert isinstance(call(20), Paused)
    assert state(leasing, shared).pending == 20 * 100
    orders.resume(target)
    assert all(isinstance(call(number), Held) for number in range(21, 40))


def test_a_pause_counts_though_rounds_are_late(
    leasing: LeasingLedger, store: Store, account: Make, clock: Clock
) -> None:
    """A process whose rounds do not come asks by itself after `FRESH_S`."""
    shared = account(10**9, lease=True)
    work(leasing, shared, 20)
    Orders(store, "root", clock=clock).pause(Target("budget", "b"))
    clock.advance(seconds=FRESH_S + 1)
    assert isinstance(leasing.hold("late", [shared], COST), Paused)


def test_a_lowered_limit_counts_at_once(leasing: LeasingLedger, account: Make, clock: Clock) -> None:
    """Calls under new rules are not paid from a lease under the old ones."""
    work(leasing, account(10**9, lease=True), 50)
    lowered = account(5_200, lease=True)
    assert work(leasing, lowered, 10, "low") == 2
    assert work(leasing, account(10**9, lease=True), 50, "high") == 50
    leasing.settle()
    assert state(leasing, lowered).posted == 10_200


def test_orders_and_leases_go_together(leasing: LeasingLedger, store: Store, account: Make, clock: Clock) -> None:
    """A top-up makes room for leases too; a reset leaves what lies ready held; all counts anew."""
    shared, orders = account(400, lease=True), Orders(store, "root", clock=clock)
    assert work(leasing, shared, 10) == 4
    orders.top_up(shared.budget, "all", 100_000)
    assert work(leasing, shared, 100, "more") == 100
    clock.advance(seconds=1)
    leasing.settle()
    orders.reset(shared.budget)
    found = state(leasing, shared)
    assert (found.posted, found.limit) == (0, 400)
    leasing.settle()
    assert work(leasing, shared, 10, "anew") == 4


def test_a_new_window_has_leases_of_its_own(leasing: LeasingLedger, account: Make, clock: Clock) -> None:
    """A call that began before midnight is charged to its day; the next day begins at zero."""
    today = account(100_000, window="day", lease=True)
    work(leasing, today, 20)
    leasing.hold("late", [today], COST)
    clock.advance(hours=12)
    tomorrow = account(100_000, window="day", lease=True)
    work(leasing, tomorrow, 10, "next")
    rounds(leasing, clock)
    assert (state(leasing, tomorrow).posted, state(leasing, tomorrow).pending) == (1_000, 0)
    assert (state(leasing, today).posted, state(leasing, today).pending) == (2_000, 100)
    leasing.post("late", Amounts(60, 0))
    rounds(leasing, clock)
    assert (state(leasing, today).posted, state(leasing, today).pending) == (2_060, 0)


def test_each_mark_is_told_once(leasing: LeasingLedger, account: Make, clock: Clock) -> None:
    """A mark that calls cross is told by the round, or by the call that crossed it in the store; once."""
    shared = account(100_000, warn_at=(0.1, 0.5), lease=True)
    told: list[tuple[float, ...]] = []
    for second in range(9):
        for number in range(10):
            name = f"{second}-{number}"
            leasing.hold(name, [shared], Amounts(1_000, 0))
            told += [found.crossed for found in leasing.post(name, Amounts(1_000, 0)) if found.crossed]
            if second == 8:
                leasing.settle()
        clock.advance(seconds=1)
        told += [found.crossed for found in leasing.settle()]
    assert sorted(told) == [(0.1,), (0.5,)]


def test_debt_is_in_the_store_at_once(leasing: LeasingLedger, another: LeasingLedger, account: Make) -> None:
    """What a call cost beyond its hold is debt that blocks every process from then on."""
    shared = account(100_000, lease=True)
    work(leasing, shared, 20)
    leasing.hold("dear", [shared], COST)
    leasing.post("dear", Amounts(200_000, 0))
    found = state(another, shared)
    assert (found.debt, found.posted) == (199_900, 2_100)
    assert isinstance(another.hold("x", [shared], Amounts(1, 0)), Denied)
    assert isinstance(leasing.hold("y", [shared], Amounts(1, 0)), Denied)


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("kind", ["lost", "lost, down", "undone", "down"])
def test_a_step_that_fails_counts_once(store: Store, account: Make, clock: Clock, kind: Any, done: bool) -> None:
    """Whatever is lost of a step on its way or on its way back, what was spent is posted once and the rest is free."""
    shared, faulty = account(10**6, lease=True), FaultyStore(store)
    ledger = LeasingLedger(cast(Store, faulty), clock=clock, monotonic=clock.monotonic)
    spent = 0
    for after in range(12):
        spent += 100 * work(ledger, shared, 10, f"a{after}")
        faulty.begin(Fault(kind, after, done))
        clock.advance(seconds=1)
        with suppress(StoreUnavailable):
            ledger.settle()
        with suppress(StoreUnavailable):
            for number in range(BUSY):
                if isinstance(ledger.hold(name := f"b{after}-{number}", [shared], Amounts(5_000, 0)), Held):
                    spent += 5_000
                    ledger.post(name, Amounts(5_000, 0))
        faulty.begin(None)
        ledger.recover()
        rounds(ledger, clock)
        for name in set(ledger._open) | set(ledger._running):
            ledger.post(name, Amounts(5_000, 0))  # whose post the store did not take
        assert (state(ledger, shared).posted, state(ledger, shared).pending) == (spent, 0)


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("taken", [True, False])
def test_no_answer_at_all_leaves_no_lease_behind(
    store: Store, account: Make, clock: Clock, taken: bool, done: bool
) -> None:
    """A lease whose taking or widening goes unanswered however often it is tried is found by the next round."""
    shared, faulty = account(10**6, lease=True), FaultyStore(store)
    ledger = LeasingLedger(cast(Store, faulty), clock=clock, monotonic=clock.monotonic)
    work(ledger, shared, 10 if taken else BUSY - 1)
    answered = faulty.commit

    def unanswered(finish: Callable[[bool], None], writes: bool) -> None:
        finish(done)
        raise StepUnknown("no answer")

    faulty.commit = unanswered  # type: ignore[method-assign]
    with pytest.raises(StepUnknown):
        ledger.hold("unknown", [shared], Amounts(500, 0))
    faulty.commit = answered  # type: ignore[method-assign]
    rounds(ledger, clock)
    spent = 1_000 if taken else 100 * (BUSY - 1)
    assert (state(ledger, shared).posted, state(ledger, shared).pending) == (spent, 0)


def test_without_the_store_leases_pay_until_a_round(
    leasing: LeasingLedger, account: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a round finds the store gone new calls are refused; calls that run are posted when it is back."""
    shared = account(10**6, lease=True)
    work(leasing, shared, 20)
    leasing.hold("runs", [shared], COST)

    def gone() -> Any:
        raise StoreUnavailable("gone")

    with monkeypatch.context() as broken:
        broken.setattr(leasing._store, "transaction", gone)
        with pytest.raises(StoreUnavailable):
            leasing.settle()
        with pytest.raises(StoreUnavailable):
            leasing.hold("new", [shared], COST)
        leasing.post("runs", Amounts(60, 0))
    leasing.settle()
    assert (state(leasing, shared).posted, state(leasing, shared).pending) == (2_060, 0)


def test_a_hold_grows_in_memory_and_beyond(
    leasing: LeasingLedger, account: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hold grows from its lease, then from what the store has, to the last; and not further."""
    shared = account(100_000, lease=True)
    work(leasing, shared, 20)
    leasing.hold("stream", [shared], COST)
    asked = Counting(leasing, monkeypatch)
    assert isinstance(leasing.grow("stream", Amounts(300, 0)), Held)
    assert isinstance(leasing.grow("stream", Amounts(200, 0)), Held)
    assert asked.count == 0
    assert isinstance(leasing.grow("stream", Amounts(98_000, 0)), Held)
    assert isinstance(leasing.grow("stream", Amounts(98_001, 0)), Denied)
    assert isinstance(leasing.hold("one", [shared], Amounts(1, 0)), Denied)
    leasing.post("stream", Amounts(50_000, 0))
    leasing.settle()
    assert (state(leasing, shared).posted, state(leasing, shared).pending) == (52_000, 0)


def test_a_hold_in_the_store_grows_into_what_lay_ready(leasing: LeasingLedger, account: Make) -> None:
    """What this process has ready does not refuse the growth of one of its calls."""
    shared = account(100_000, lease=True)
    leasing.hold("stream", [shared], COST)
    work(leasing, shared, 20)
    assert isinstance(leasing.grow("stream", Amounts(98_000, 0)), Held)
    assert isinstance(leasing.grow("stream", Amounts(98_001, 0)), Denied)


def test_each_wrong_second_step_has_its_error(leasing: LeasingLedger, account: Make) -> None:
    """As in the store: a hold is held, posted and voided once, with the amounts that it has."""
    shared = account(10**9, lease=True)
    work(leasing, shared, 20)
    assert leasing.hold("a", [shared], COST) == leasing.hold("a", [shared], COST)
    with pytest.raises(HoldExists):
        leasing.hold("a", [shared], Amounts(7, 0))
    with pytest.raises(ValueError, match="never negative"):
        leasing.hold("negative", [shared], Amounts(-1, 0))
    leasing.post("a", COST)
    for step in (leasing.post, leasing.grow):
        with pytest.raises(HoldPosted):
            step("a", COST)
    with pytest.raises(HoldPosted):
        leasing.void("a")
    with pytest.raises(HoldPosted):
        leasing.hold("a", [shared], COST)
    with pytest.raises(HoldPosted):
        leasing.hold("w-0", [shared], COST)  # one that was in the store
    leasing.hold("b", [shared], COST)
    leasing.void("b")
    with pytest.raises(HoldVoided):
        leasing.post("b", COST)
    with pytest.raises(HoldUnknown):
        leasing.post("never", COST)


def test_one_budget_without_a_lease_keeps_a_call_in_the_store(leasing: LeasingLedger, account: Make) -> None:
    """All scopes of a call, or none: one that may not be leased counts each call, and so do the others then."""
    accounts = [account(10**9, lease=True), account(10**9, name="exact", window="rolling 10m")]
    for number in range(20):
        leasing.hold(f"c{number}", accounts, COST)
        leasing.post(f"c{number}", COST)
    for each in accounts:
        assert (state(leasing, each).posted, state(leasing, each).pending) == (2_000, 0)


def test_a_limit_of_each_call_is_looked_at_in_memory(leasing: LeasingLedger, account: Make) -> None:
    """Scope request needs no counter: it goes with a lease, and refuses what is above it."""
    single = account(150, name="single", scope="request")
    accounts = [single, account(10**9, lease=True)]
    for number in range(20):
        assert isinstance(leasing.hold(f"c{number}", accounts, COST), Held)
    told = leasing.post("c19", Amounts(60, 0))
    assert (told[0].name, told[0].posted, told[0].pending) == ("single", 60, 0)
    denied = leasing.hold("dear", accounts, Amounts(151, 0))
    assert isinstance(denied, Denied)
    assert denied.account is single


def test_threads_share_a_lease(leasing: LeasingLedger, account: Make) -> None:
    """Eight threads on one cap admit what fits and no more, whoever of them finds the lease short."""
    shared = account(50_000, lease=True)
    admitted: list[int] = []
    threads = [
        threading.Thread(target=lambda name: admitted.append(work(leasing, shared, 80, name)), args=(f"t{number}",))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(admitted) == 500
    leasing.settle()
    assert (state(leasing, shared).posted, state(leasing, shared).pending) == (50_000, 0)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["call", "call", "call", "end", "end", "void", "grow", "round"]),
        st.integers(0, 3),
        st.integers(0, 400),
    ),
    max_size=150,
)


@pytest.mark.on_sqlite
@given(steps=STEPS, limit=st.integers(0, 40_000))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_alone_it_answers_as_one_that_leases_nothing(steps: Any, limit: int, account: Make, clock: Clock) -> None:
    """The same calls are admitted and cost the same, whatever happens; a process alone is never refused falsely."""
    plain, leasing = (
        kind(open_store("sqlite:///:memory:"), clock=clock, monotonic=clock.monotonic)
        for kind in (Ledger, LeasingLedger)
    )
    budget = replace(account(limit, lease=True), window_start=None)
    tokens = account(3 * limit, name="t", unit="tokens", lease=True)
    running: list[str] = []
    for number, (kind, which, amount) in enumerate(steps):
        amounts, name = Amounts(amount, 2 * amount), f"c{number}"
        if kind == "call":
            answers = [ledger.hold(name, [budget, tokens], amounts, f"key {which // 2}") for ledger in (plain, leasing)]
            assert type(answers[0]) is type(answers[1])
            running += [name] if isinstance(answers[0], Held) else []
        elif kind == "round":
            clock.advance(seconds=1)
            leasing.settle()
        elif running:
            name = running[which % len(running)]
            if kind == "grow":
                grown = [ledger.grow(name, amounts) for ledger in (plain, leasing)]
                assert type(grown[0]) is type(grown[1])
                continue
            running.remove(name)
            for ledger in (plain, leasing):
                ledger.post(name, amounts) if kind == "end" else ledger.void(name)
    for name in running:
        for ledger in (plain, leasing):
            ledger.post(name, COST)
    leasing.settle()
    leasing.settle()
    for each in (budget, tokens):
        assert state(leasing, each) == state(plain, each)
    plain.close()
    leasing.close()
