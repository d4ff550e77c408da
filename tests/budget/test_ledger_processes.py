"""Several processes, one database: nothing is admitted twice, nothing a dead process held is lost."""

import itertools
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import RawValue
from typing import Any

import pytest

from outwarden.budget import Account, Amounts, Budget, Held, LeasingLedger, Ledger, open_store
from outwarden.budget.lease import WIDTH_MAX
from outwarden.errors import HoldPosted

pytestmark = [
    pytest.mark.every_store,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="these tests fork, to start in no time"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

ACCOUNT = Account(Budget("b", "all", 700), "all", None, None)
WINDOWS = ("lifetime", "rolling 10m", "rolling 1d", "refill 365d")
ROOM_FOR = 7
KILLS = int(os.environ.get("OUTWARDEN_TEST_KILLS", "3"))  # more by hand: each takes a quarter of a second
Work = Callable[[LeasingLedger], Any]


class Child:
    """A process with a ledger of its own: says when it is ready, works when told to, sends its result, and waits."""

    def __init__(self, url: str, work: Work) -> None:
        context = get_context("fork")
        self.pipe, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=_live, args=(url, work, theirs), daemon=True)
        self.process.start()
        assert self.pipe.recv() == "ready"

    def go(self) -> None:
        self.pipe.send("go")

    def result(self, within_s: float = 20) -> Any:
        assert self.pipe.poll(within_s)
        return self.pipe.recv()

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


def _live(url: str, work: Work, pipe: Connection) -> None:
    ledger = LeasingLedger(open_store(url))
    pipe.send("ready")
    pipe.recv()
    pipe.send(work(ledger))
    pipe.recv()


@pytest.fixture
def start(url: str) -> Iterator[Callable[[Work], Child]]:
    children: list[Child] = []

    def begin(work: Work) -> Child:
        children.append(Child(url, work))
        return children[-1]

    yield begin
    for child in children:
        child.kill()


Start = Callable[[Work], Child]


def assert_four_fill_the_room(start: Start, url: str, work: Work) -> None:
    """Let four processes work at once, each of which says how many calls it had admitted."""
    children = [start(work) for _ in range(4)]
    for child in children:
        child.go()
    assert sum(child.result() for child in children) == ROOM_FOR
    ledger = Ledger(open_store(url))
    (state,) = ledger.states()
    assert (state.posted, state.pending, state.debt) == (700, 0, 0)
    assert ledger.drift() == []
    ledger.close()


@pytest.mark.parametrize("window", WINDOWS)
def test_four_processes_never_pass_the_limit(start: Start, url: str, window: str) -> None:
    """Four processes with 50 calls each against room for 7 admit exactly 7 in all, whatever the window."""
    account = Account(Budget("b", "all", 700, window=window), "all", None, None)

    def work(ledger: Ledger) -> int:
        names, admitted = [f"{os.getpid()}-{number}" for number in range(50)], 0
        for name in names:
            if isinstance(ledger.hold(name, [account], Amounts(100, 0)), Held):
                ledger.post(name, Amounts(100, 0))
                admitted += 1
        return admitted

    assert_four_fill_the_room(start, url, work)


def test_processes_with_threads_never_pass_the_limit(start: Start, url: str) -> None:
    """Four processes of eight threads, each thread a ledger of its own, against room for 7: 7 are admitted in all."""

    def work(ledger: Ledger) -> int:
        admitted: list[str] = []

        def call(thread: int) -> None:
            own = Ledger(open_store(url))
            for number in range(3):
                name = f"{os.getpid()}-{thread}-{number}"
                if isinstance(own.hold(name, [ACCOUNT], Amounts(100, 0)), Held):
                    own.post(name, Amounts(100, 0))
                    admitted.append(name)
            own.close()

        threads = [threading.Thread(target=call, args=(thread,)) for thread in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(admitted)

    assert_four_fill_the_room(start, url, work)


def test_kill_9_of_one_after_the_other(start: Start, url: str) -> None:
    """Processes die at random while others work on the same accounts: the books are right, and nothing stays held."""
    accounts = [ACCOUNT, Account(Budget("r", "all", 10**9, window="rolling 10m"), "all", None, None)]
    accounts[0] = Account(Budget("b", "all", 10**9), "all", None, None)

    def work(ledger: Ledger) -> None:
        for number in range(10**9):
            name = f"{os.getpid()}-{number}"
            ledger.hold(name, accounts[:: 1 if number % 2 else -1], Amounts(3, 0))
            if number % 5 == 0:
                ledger.grow(name, Amounts(4, 0))
            ledger.post(name, Amounts(number % 6, 0)) if number % 7 else ledger.void(name)
            if number % 11 == 0:
                ledger.recover()

    running = [start(work) for _ in range(3)]
    for child in running:
        child.go()
    for _ in range(KILLS):
        time.sleep(random.uniform(0.05, 0.2))
        running.pop(0).kill()
        running.append(start(work))
        running[-1].go()
    for child in running:
        child.kill()
    ledger = Ledger(open_store(url))
    recovered(ledger)
    states = ledger.states()
    assert [state.pending for state in states] == [0, 0]
    assert [state.posted for state in states] == [states[0].posted] * 2
    assert states[0].posted > 0
    assert ledger.drift() == []
    assert [owner.id for owner, _, _ in ledger._store.owners()] == [ledger._owner.id]
    ledger.close()


LEASED = Account(Budget("b", "all", 200_000, lease=True), "all", None, None)


def rounds(ledger: LeasingLedger, seconds: float) -> Iterator[int]:
    """Numbers of calls for so long, with rounds in between as an interceptor has them, but four times as often."""
    end = settled = time.monotonic()
    for number in itertools.count():
        if (now := time.monotonic()) - settled > 0.25:
            ledger.settle()
            settled = now
        if now - end > seconds:
            return
        yield number


def test_four_processes_lease_and_spend_a_cap_to_the_last(start: Start, url: str) -> None:
    """Room for 2,000 calls, leased in slices by four processes that go on asking: 2,000 are admitted, each once."""

    def work(ledger: LeasingLedger) -> tuple[int, int]:
        admitted, refused_since = 0, 0.0
        ledger.recover()
        for number in rounds(ledger, 30):
            if isinstance(ledger.hold(name := f"{os.getpid()}-{number}", [LEASED], Amounts(100, 0)), Held):
                ledger.post(name, Amounts(100, 0))
                admitted, refused_since = admitted + 1, 0.0
            elif not refused_since:
                refused_since = time.monotonic()
            elif time.monotonic() - refused_since > 2:
                break
        ledger.settle()
        return admitted, ledger._taken

    children = [start(work) for _ in range(4)]
    for child in children:
        child.go()
    found = [child.result(60) for child in children]
    assert sum(admitted for admitted, _ in found) == 2_000
    assert sum(leases for _, leases in found) > 0
    ledger = Ledger(open_store(url))
    state = ledger.state(LEASED)
    assert (state.posted, state.pending, state.debt) == (200_000, 0, 0)
    assert ledger.drift() == []
    ledger.close()


def test_kill_9_of_processes_that_lease(start: Start, url: str) -> None:
    """What the dead spent is charged, with what they had ready, never past the cap; the rest is free to the last."""
    spent = [RawValue("q", 0) for _ in range(KILLS + 3)]
    unused = iter(spent)

    def begin() -> Child:
        mine = next(unused)

        def work(ledger: LeasingLedger) -> None:
            for number in rounds(ledger, 60):
                if isinstance(ledger.hold(name := f"{os.getpid()}-{number}", [LEASED], Amounts(100, 0)), Held):
                    mine.value += 90
                    ledger.post(name, Amounts(90, 0))
                time.sleep(0.001)

        child = start(work)
        child.go()
        return child

    running = [begin() for _ in range(3)]
    for _ in range(KILLS):
        time.sleep(random.uniform(0.05, 0.2))
        running.pop(0).kill()
        running.append(begin())
    for child in running:
        child.kill()
    ledger = LeasingLedger(open_store(url))
    recovered(ledger)
    state = ledger.state(LEASED)
    used = sum(each.value for each in spent)
    assert 0 < used <= state.posted <= 200_000
    assert state.posted - used <= (KILLS + 3) * (WIDTH_MAX + 2) * 100  # what lay ready, and the call each was at
    assert (state.pending, state.debt) == (0, 0)
    rest = (200_000 - state.posted) // 100
    names = [f"rest-{number}" for number in range(rest + 50)]
    assert sum(isinstance(ledger.hold(name, [LEASED], Amounts(100, 0)), Held) for name in names) == rest
    ledger.release()
    assert ledger.drift() == []
    ledger.close()


def recovered(ledger: Ledger) -> None:
    """Resolve what the dead left; a server may need a moment to see that they are gone, and still keeps their locks."""
    for _ in range(100):
        ledger.recover()
        if len(ledger._store.owners()) == 1:
            return
        time.sleep(0.1)


def test_kill_9_between_hold_and_post(start: Start, url: str) -> None:
    """A process killed while it holds is charged in full by the next, once; while it lives, nothing is touched."""

    def work(ledger: Ledger) -> None:
        ledger.hold("h1", [ACCOUNT], Amounts(100, 0))
        ledger.hold("h2", [ACCOUNT], Amounts(50, 0))
        ledger.grow("h2", Amounts(60, 0))
        ledger.hold("h3", [ACCOUNT], Amounts(10, 0))
        ledger.post("h3", Amounts(5, 0))

    child = start(work)
    child.go()
    child.result()
    ledger = Ledger(open_store(url))
    assert ledger.recover() == 0
    child.kill()
    assert ledger.recover() == 2
    assert ledger.recover() == 0
    (state,) = ledger.states()
    assert (state.posted, state.pending, state.debt) == (165, 0, 0)
    assert ledger.drift() == []
    with pytest.raises(HoldPosted, match="expired"):
        ledger.post("h1", Amounts(1, 0))
    ledger.close()


def test_kill_9_in_the_middle_of_writing(start: Start, url: str) -> None:
    """However a process dies while it holds and posts as fast as it can, the books are right and holds are whole."""
    rolling = Account(Budget("r", "all", 10**9, window="rolling 2s"), "all", None, None)
    refill = Account(Budget("f", "all", 10**9, window="refill 10s"), "all", None, None)

    def work(ledger: Ledger) -> None:
        for number in range(10**9):
            ledger.hold(f"{number}", [ACCOUNT, rolling, refill], Amounts(1, 0))
            ledger.post(f"{number}", Amounts(number % 2, 0) if number < 100 else Amounts(0, 0))

    child = start(work)
    child.go()
    child.process.join(0.3)
    child.kill()
    ledger = Ledger(open_store(url))
    recovered(ledger)
    assert ledger.drift() == []
    assert [state.pending for state in ledger.states()] == [0, 0, 0]
    ledger.close()


def test_two_processes_recover_at_once(start: Start, url: str) -> None:
    """Each hold of the dead is resolved by exactly one of two processes that recover at the same moment."""

    def die_holding(ledger: Ledger) -> bool:
        return all(isinstance(ledger.hold(f"h{n}", [ACCOUNT], Amounts(10, 0)), Held) for n in range(60))

    dead = start(die_holding)
    dead.go()
    assert dead.result()
    dead.kill()
    first, second = start(Ledger.recover), start(Ledger.recover)
    first.go()
    second.go()
    assert first.result() + second.result() == 60
    ledger = Ledger(open_store(url))
    (state,) = ledger.states()
    assert (state.posted, state.pending) == (600, 0)
    assert ledger.drift() == []
    ledger.close()


def test_a_closed_ledger_leaves_its_holds_to_the_next(url: str) -> None:
    """Holds still open at an orderly end may have been billed: the next process charges them."""
    first = Ledger(open_store(url))
    assert isinstance(first.hold("h", [ACCOUNT], Amounts(100, 0)), Held)
    first.close()
    second = Ledger(open_store(url))
    assert second.recover() == 1
    assert second.states()[0].posted == 100
    second.close()


def test_now_is_aware() -> None:
    """The ledger's own clock tells the zone, as every comparison with a window needs."""
    ledger = Ledger(open_store("sqlite://"))
    assert abs((ledger._clock() - datetime.now(UTC)).total_seconds()) < 5
    ledger.close()
