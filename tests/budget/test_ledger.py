"""Money is held before a call and settled after it, on every account or on none."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

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
    Store,
    accounts,
    open_store,
)
from outwarden.budget.owners import Owner
from outwarden.errors import HoldExists, HoldPosted, HoldUnknown, HoldVoided, StepUnknown, StoreUnavailable
from simulating.faults import Fault, FaultyStore

pytestmark = pytest.mark.every_store

Make = Callable[..., Account]
Clock = Any  # the one in conftest.py, which cannot be imported


def usd(amount: int) -> Amounts:
    return Amounts(amount, 0)


def balance(ledger: Ledger, account: Account) -> tuple[int, int, int]:
    """(posted, pending, debt) as `states` shows them."""
    for state in ledger.states():
        if (state.name, state.id) == (account.budget.name, account.id):
            return state.posted, state.pending, state.debt
    return 0, 0, 0


def test_hold_then_post(ledger: Ledger, account: Make) -> None:
    """A hold is pending until posted; posting charges the actual cost and frees the rest."""
    day = account(100)
    held = ledger.hold("h", [day], usd(80))
    assert isinstance(held, Held)
    assert (held.states[0].pending, held.states[0].left) == (80, 20)
    (state,) = ledger.post("h", usd(30))
    assert (state.posted, state.pending, state.debt, state.left) == (30, 0, 0, 70)
    assert balance(ledger, day) == (30, 0, 0)


def test_processes_with_other_rules_share_the_counter(url: str, ledger: Ledger, account: Make, clock: Clock) -> None:
    """While a changed limit has not reached every machine, each obeys its own, on one counter of them all."""
    store = open_store(url)
    other = Ledger(store, clock=clock, monotonic=clock.monotonic, owner=Owner("other", 1, "", "another machine"))
    assert isinstance(ledger.hold("a", [account(100)], usd(80)), Held)
    denied = other.hold("b", [account(50)], usd(10))
    assert isinstance(denied, Denied)
    assert (denied.left, denied.limit) == (0, 50)
    ledger.post("a", usd(40))
    assert isinstance(other.hold("b", [account(50)], usd(10)), Held)
    assert isinstance(ledger.hold("c", [account(100)], usd(51)), Denied)
    assert isinstance(ledger.hold("c", [account(100)], usd(50)), Held)
    other.post("b", usd(10))
    ledger.post("c", usd(50))
    assert balance(ledger, account(100)) == (100, 0, 0)
    assert ledger.drift() == []
    store.close()


def test_void_gives_all_back(ledger: Ledger, account: Make) -> None:
    """A voided hold leaves no trace in the balance."""
    day = account(100)
    ledger.hold("h", [day], usd(80))
    ledger.void("h")
    assert balance(ledger, day) == (0, 0, 0)
    assert isinstance(ledger.hold("h2", [day], usd(100)), Held)


def test_denied_when_it_does_not_fit(ledger: Ledger, account: Make) -> None:
    """A call that does not fit is denied with what is left and what it needs; exactly what is left fits."""
    day = account(100)
    ledger.hold("h", [day], usd(60))
    assert ledger.hold("h2", [day], usd(41)) == Denied(day, left=40, needed=41, retry_after_s=None)
    assert isinstance(ledger.hold("h3", [day], usd(40)), Held)


def test_all_accounts_or_none(ledger: Ledger, account: Make) -> None:
    """Where one of three accounts refuses, the other two hold nothing, wherever it stands in the list."""
    wide, narrow, other = account(100, name="wide"), account(10, name="narrow"), account(100, name="other")
    for order in ([wide, narrow, other], [narrow, wide, other], [other, wide, narrow]):
        denied = ledger.hold("h", order, usd(11))
        assert isinstance(denied, Denied)
        assert denied.account == narrow
    assert [balance(ledger, one) for one in (wide, narrow, other)] == [(0, 0, 0)] * 3
    assert ledger.drift() == []


def test_a_denied_id_may_try_again(ledger: Ledger, account: Make) -> None:
    """A denied hold was never there: the same id may ask again, with other amounts too."""
    day = account(100)
    assert isinstance(ledger.hold("h", [day], usd(101)), Denied)
    assert isinstance(ledger.hold("h", [day], usd(50)), Held)


@pytest.mark.parametrize("amount", [0, 1])
@pytest.mark.parametrize("scope", ["all", "request"])
def test_limit_zero_refuses(ledger: Ledger, account: Make, amount: int, scope: str) -> None:
    """A limit of 0 means no call at all, not even a free one."""
    assert isinstance(ledger.hold("h", [account(0, scope=scope)], usd(amount)), Denied)


def test_free_calls_pass_a_full_budget(ledger: Ledger, account: Make) -> None:
    """A call that costs nothing fits a budget that is spent, but not one that is in debt beyond its limit."""
    day = account(100)
    ledger.hold("h", [day], usd(100))
    assert isinstance(ledger.hold("free", [day], usd(0)), Held)
    ledger.post("h", usd(101))
    assert isinstance(ledger.hold("free2", [day], usd(0)), Denied)


def test_same_hold_again_is_the_same(ledger: Ledger, account: Make) -> None:
    """A repeated hold takes nothing twice and gives the same answer."""
    day = account(100)
    first = ledger.hold("h", [day], usd(60))
    assert ledger.hold("h", [day], usd(60)) == first
    assert balance(ledger, day) == (0, 60, 0)


def test_same_id_with_other_amounts(ledger: Ledger, account: Make) -> None:
    """An id with other amounts is a mistake of the caller, and changes nothing."""
    day = account(100)
    ledger.hold("h", [day], usd(60))
    with pytest.raises(HoldExists):
        ledger.hold("h", [day], usd(61))
    assert balance(ledger, day) == (0, 60, 0)


@pytest.mark.parametrize("again", ["post", "void", "hold", "grow"])
@pytest.mark.parametrize(("first", "error"), [("post", HoldPosted), ("void", HoldVoided)])
def test_a_resolved_hold_is_over(ledger: Ledger, account: Make, first: str, again: str, error: type[Exception]) -> None:
    """After a post everything says posted, after a void everything says voided, and the balance stays."""
    day = account(100)
    steps: dict[str, Callable[[], object]] = {
        "post": lambda: ledger.post("h", usd(30)),
        "void": lambda: ledger.void("h"),
        "hold": lambda: ledger.hold("h", [day], usd(60)),
        "grow": lambda: ledger.grow("h", usd(70)),
    }
    ledger.hold("h", [day], usd(60))
    steps[first]()
    before = balance(ledger, day)
    for _ in range(2):
        with pytest.raises(error):
            steps[again]()
    assert balance(ledger, day) == before
    assert ledger.drift() == []


def test_unknown_holds(ledger: Ledger) -> None:
    """A hold nobody took cannot be posted, voided or grown."""
    for step in (lambda: ledger.post("x", usd(1)), lambda: ledger.void("x"), lambda: ledger.grow("x", usd(1))):
        with pytest.raises(HoldUnknown):
            step()


def test_cost_above_the_hold_is_debt(ledger: Ledger, account: Make) -> None:
    """What a call cost beyond its hold is visible as debt and blocks the budget like everything else."""
    day = account(100)
    ledger.hold("h", [day], usd(60))
    (state,) = ledger.post("h", usd(75))
    assert (state.posted, state.debt, state.left) == (60, 15, 25)
    assert isinstance(ledger.hold("h2", [day], usd(26)), Denied)
    assert isinstance(ledger.hold("h3", [day], usd(25)), Held)


def test_debt_may_pass_the_limit_and_is_never_dropped(ledger: Ledger, account: Make) -> None:
    """An actual cost far above everything is kept in full; the state says exceeded."""
    day = account(100)
    ledger.hold("h", [day], usd(60))
    (state,) = ledger.post("h", usd(1000))
    assert (state.posted + state.debt, state.left, state.state) == (1000, 0, "exceeded")


def test_zero_usage_is_a_value(ledger: Ledger, account: Make) -> None:
    """A call that cost nothing is posted as nothing, not as its hold."""
    day = account(100)
    ledger.hold("h", [day], usd(60))
    assert ledger.post("h", usd(0))[0].posted == 0


def test_units(ledger: Ledger, account: Make) -> None:
    """Dollars, tokens and requests are each counted in their own unit by the same hold."""
    budgets = [account(1000, name="d"), account(50, name="t", unit="tokens"), account(2, name="r", unit="requests")]
    assert isinstance(ledger.hold("h", budgets, Amounts(900, 40)), Held)
    states = ledger.post("h", Amounts(800, 30))
    assert [state.posted for state in states] == [800, 30, 1]
    denied = ledger.hold("h2", budgets, Amounts(0, 21))
    assert isinstance(denied, Denied)
    assert denied.account.budget.name == "t"
    assert isinstance(ledger.hold("h3", budgets, Amounts(0, 20)), Held)
    denied = ledger.hold("h4", budgets, Amounts(0, 0))
    assert isinstance(denied, Denied)
    assert denied.account.budget.name == "r"


def test_grow(ledger: Ledger, account: Make) -> None:
    """A hold grows to new totals; what does not fit leaves it as it was, and it is still there to post."""
    day, narrow = account(100), account(50, name="narrow")
    ledger.hold("h", [day, narrow], usd(20))
    grown = ledger.grow("h", usd(45))
    assert isinstance(grown, Held)
    assert [state.pending for state in grown.states] == [45, 45]
    denied = ledger.grow("h", usd(51))
    assert isinstance(denied, Denied)
    assert (denied.account, denied.left, denied.needed) == (narrow, 5, 51)
    assert balance(ledger, day) == (0, 45, 0)
    assert [state.posted for state in ledger.post("h", usd(44))] == [44, 44]
    assert ledger.drift() == []


def test_growing_never_shrinks(ledger: Ledger, account: Make) -> None:
    """A smaller total leaves the hold as it is: a cheaper second attempt may still be billed for the first."""
    day = account(100)
    ledger.hold("h", [day], Amounts(60, 5))
    grown = ledger.grow("h", Amounts(10, 9))
    assert isinstance(grown, Held)
    assert balance(ledger, day) == (0, 60, 0)
    assert isinstance(ledger.grow("h", Amounts(60, 9)), Held)


def test_request_scope(ledger: Ledger, account: Make) -> None:
    """A limit per call binds each call by itself: at hold, at growth, and in what it finally cost."""
    one = account(50, scope="request")
    assert ledger.hold("big", [one], usd(51)) == Denied(one, left=50, needed=51, retry_after_s=None)
    for call in ("a", "b", "c"):
        assert isinstance(ledger.hold(call, [one], usd(50)), Held)
    assert isinstance(ledger.grow("a", usd(51)), Denied)
    (state,) = ledger.post("a", usd(55))
    assert (state.posted, state.debt, state.state) == (50, 5, "exceeded")
    assert ledger.states() == []


def test_left(ledger: Ledger, account: Make) -> None:
    """What is left is the smallest room over the dollar accounts; a token account does not count."""
    day, month = account(100, name="d"), account(1000, name="m")
    tokens = account(5, name="t", unit="tokens")
    assert ledger.left([day, month, tokens]) == 100
    ledger.hold("h", [day, month], usd(30))
    assert ledger.left([month, day]) == 70
    assert ledger.left([month, account(20, scope="request")]) == 20
    assert ledger.left([tokens]) is None
    ledger.post("h", usd(5000))
    assert ledger.left([day]) == 0


def test_two_processes_with_different_rules(ledger: Ledger, url: str, account: Make, clock: Clock) -> None:
    """Each admits up to its own limit, on the one balance of both; another window or unit is another counter."""
    other = Ledger(open_store(url), clock=clock)
    assert isinstance(ledger.hold("a", [account(100)], Amounts(60, 0)), Held)
    assert isinstance(other.hold("b", [account(70)], Amounts(20, 0)), Denied)
    assert isinstance(other.hold("c", [account(70)], Amounts(10, 0)), Held)
    assert isinstance(ledger.hold("d", [account(100)], Amounts(31, 0)), Denied)
    assert isinstance(ledger.hold("e", [account(100)], Amounts(30, 0)), Held)
    assert isinstance(other.hold("f", [account(70, window="day")], Amounts(70, 0)), Held)
    for hold_id, owner in (("a", ledger), ("c", other), ("e", ledger), ("f", other)):
        owner.post(hold_id, Amounts(10, 0))
    assert sorted((state.window, state.posted) for state in ledger.states()) == [("day", 10), ("lifetime", 30)]
    assert ledger.drift() == []
    other.close()


def test_a_changed_limit_applies_at_once(ledger: Ledger, account: Make) -> None:
    """The limit comes with the rules: raised or lowered, the next call meets the new one with the same balance."""
    ledger.hold("h", [account(100)], usd(100))
    ledger.post("h", usd(100))
    assert isinstance(ledger.hold("h2", [account(150)], usd(50)), Held)
    assert isinstance(ledger.hold("h3", [account(120)], usd(1)), Denied)


def test_states_under_other_rules(ledger: Ledger, account: Make) -> None:
    """States show the limit of the rules that are given, else the one last seen."""
    ledger.hold("h", [account(100)], usd(60))
    ledger.post("h", usd(60))
    assert [state.limit for state in ledger.states()] == [100]
    (state,) = ledger.states(BudgetRules((Budget("b", "all", 80, warn_at=(0.7,)),)))
    assert (state.limit, state.state) == (80, "warn")


def test_states_of_what_counts_no_more(ledger: Ledger, account: Make) -> None:
    """With another window or scope the budget counts anew; what it counted before keeps the limit it had."""
    ledger.hold("h", [account(100)], usd(60))
    ledger.post("h", usd(60))
    for changed in (Budget("b", "all", 80, window="day"), Budget("b", "team", 80)):
        (state,) = ledger.states(BudgetRules((changed,)))
        assert (state.scope, state.window, state.limit, state.state) == ("all", "lifetime", 100, "ok")


def test_crossings_are_told_once(ledger: Ledger, account: Make) -> None:
    """The post that crosses a warning says so, the ones after it do not."""
    day = account(100, warn_at=(0.5,))
    crossed = []
    for number, cost in enumerate((40, 20, 20, 20, 0)):
        ledger.hold(f"h{number}", [day], usd(cost))
        crossed.append(ledger.post(f"h{number}", usd(cost))[0].crossed)
    assert crossed == [(), (0.5,), (), (1.0,), ()]


def test_windows_roll_over_exactly(ledger: Ledger, account: Make, clock: Clock) -> None:
    """The last moment of a day counts in that day, the next one starts afresh; the old one keeps its numbers."""
    clock.now = datetime(2026, 11, 21, 23, 59, 59, 999999, tzinfo=UTC)
    before = account(100, window="day")
    ledger.hold("h", [before], usd(100))
    assert isinstance(ledger.hold("h2", [before], usd(1)), Denied)
    clock.now = datetime(2026, 11, 22, tzinfo=UTC)
    after = account(100, window="day")
    assert isinstance(ledger.hold("h3", [after], usd(100)), Held)
    assert ledger.post("h", usd(90))[0].window_start == datetime(2026, 11, 21, tzinfo=UTC)
    assert ledger.left([before]) == 10
    assert ledger.left([after]) == 0


def test_retry_after_is_the_end_of_the_window(ledger: Ledger, account: Make, clock: Clock) -> None:
    """At noon a full day frees up in 12 hours; a call larger than the whole limit, or a lifetime, never does."""
    day = account(100, window="day")
    ledger.hold("h", [day], usd(100))
    denied = ledger.hold("h2", [day], usd(1))
    assert isinstance(denied, Denied)
    assert denied.retry_after_s == 12 * 3600
    clock.advance(hours=11, minutes=59, seconds=59.5)
    denied = ledger.hold("h2", [day], usd(1))
    assert isinstance(denied, Denied)
    assert denied.retry_after_s == 1
    too_big = ledger.hold("h3", [day], usd(101))
    assert isinstance(too_big, Denied)
    assert too_big.retry_after_s is None


def test_the_longest_wait_is_told(ledger: Ledger, account: Make) -> None:
    """Where a minute and a day are both full, the answer names the day: retrying in a minute would not help."""
    minute, day = account(10, name="minute", window="minute"), account(10, name="day", window="day")
    ledger.hold("h", [minute, day], usd(10))
    denied = ledger.hold("h2", [minute, day], usd(5))
    assert isinstance(denied, Denied)
    assert denied.account.budget.name == "day"


def test_a_denial_does_not_move_the_window(ledger: Ledger, account: Make, clock: Clock) -> None:
    """Rejected retries change nothing: the window ends when it would have ended."""
    minute = account(10, window="minute")
    ledger.hold("h", [minute], usd(10))
    for _ in range(5):
        clock.advance(seconds=10)
        denied = ledger.hold("again", [minute], usd(1))
        assert isinstance(denied, Denied)
    assert denied.retry_after_s == 10


@pytest.mark.parametrize("amounts", [Amounts(-1, 0), Amounts(0, -1), Amounts(0, 0, -1)])
def test_negative_amounts_are_refused(ledger: Ledger, account: Make, amounts: Amounts) -> None:
    """A negative amount would give money away; it is an error at every step."""
    ledger.hold("h", [account(100)], usd(1))
    for step in (
        lambda: ledger.hold("n", [account(100)], amounts),
        lambda: ledger.grow("h", amounts),
        lambda: ledger.post("h", amounts),
    ):
        with pytest.raises(ValueError, match="negative"):
            step()


@pytest.mark.parametrize("amount", [2**53 + 1, 2**63, 10**30])
def test_absurd_amounts(ledger: Ledger, account: Make, amount: int) -> None:
    """An amount that no database could sum up is denied at hold, and kept as blocking debt at post."""
    for limit in (100, 2**62, 10**25):
        denied = ledger.hold("h", [account(limit)], usd(amount))
        assert isinstance(denied, Denied)
        assert denied.retry_after_s is None
    requests = account(5, name="r", unit="requests")
    assert isinstance(ledger.hold("other", [requests], usd(amount)), Held)
    day = account(100)
    ledger.hold("h", [day], usd(50))
    assert ledger.post("h", usd(amount))[0].state == "exceeded"
    assert isinstance(ledger.hold("h2", [day], usd(1)), Denied)
    assert ledger.drift() == []


def test_no_budgets(ledger: Ledger) -> None:
    """Without any account a hold always succeeds and is still settled exactly once."""
    assert ledger.hold("h", [], usd(10**12)) == Held("h", ())
    assert ledger.post("h", usd(5)) == ()
    with pytest.raises(HoldPosted):
        ledger.post("h", usd(5))


@pytest.mark.parametrize("limit", [0, 100])
def test_a_budget_that_only_warns(ledger: Ledger, account: Make, limit: int) -> None:
    """Counts what goes beyond it, says so, and refuses nothing; a budget beside it still does."""
    soft, hard = account(limit, name="soft", on_exceeded="warn"), account(250, name="hard")
    for number in range(2):
        held = ledger.hold(f"h{number}", [soft, hard], usd(100))
        assert isinstance(held, Held)
        assert [state.warned for state in held.states] == [limit < 100 * (number + 1), False]
        ledger.post(f"h{number}", usd(100))
    denied = ledger.hold("no", [soft, hard], usd(100))
    assert isinstance(denied, Denied)
    assert denied.account == hard
    assert balance(ledger, soft) == (200, 0, 0)
    assert ledger.left([soft]) is None
    assert ledger.drift() == []


def test_a_limit_per_call_may_warn_too(ledger: Ledger, account: Make) -> None:
    """Of scope `request`: told, and let through; an absurd amount is not."""
    one = account(50, scope="request", on_exceeded="warn")
    held = ledger.hold("h", [one], usd(60))
    assert isinstance(held, Held)
    assert held.states[0].warned
    assert isinstance(ledger.hold("absurd", [one], usd(2**60)), Denied)


def test_threads_share_a_ledger(ledger: Ledger, account: Make) -> None:
    """Eight threads with 25 calls each against room for 7 admit exactly 7."""
    day = account(700)
    results: list[Held | Denied] = []

    def work(name: int) -> None:
        for number in range(25):
            results.append(ledger.hold(f"{name}-{number}", [day], usd(100)))

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 200
    assert sum(isinstance(result, Held) for result in results) == 7
    assert balance(ledger, day) == (0, 700, 0)


def test_two_ledgers_share_a_database(url: str, account: Make, clock: Clock) -> None:
    """What one process holds, the other sees at once."""
    first, second = (Ledger(open_store(url), clock=clock) for _ in range(2))
    day = account(100)
    first.hold("h", [day], usd(60))
    assert second.left([day]) == 40
    assert isinstance(second.hold("h2", [day], usd(41)), Denied)
    with pytest.raises(HoldUnknown, match="another process"):
        second.grow("h", usd(70))
    first.close()
    second.close()


def test_another_process_may_post(url: str, account: Make, clock: Clock) -> None:
    """A hold can be settled from the database alone, and the first process then learns that it is over."""
    first, second = (Ledger(open_store(url), clock=clock) for _ in range(2))
    first.hold("h", [account(100)], usd(60))
    (state,) = second.post("h", usd(70))
    assert (state.posted, state.debt, state.limit) == (60, 10, 100)
    with pytest.raises(HoldPosted):
        first.post("h", usd(70))
    first.close()
    second.close()


def test_unanswered_commit(store: Store, ledger: Ledger, account: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the commit went through but was not answered, the same hold again is ours, and can grow and be posted."""
    day, one = account(100), account(60, scope="request", name="one")
    connection = store.connection  # type: ignore[attr-defined]
    finish = connection.finish

    def lose_answer(**given: Any) -> None:
        finish(**given)
        raise StoreUnavailable("the answer got lost")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "finish", lose_answer)
        with pytest.raises(StoreUnavailable):
            ledger.hold("h", [day, one], usd(50))
    held = ledger.hold("h", [day, one], usd(50))
    assert isinstance(held, Held)
    assert [state.pending for state in held.states] == [50, 50]
    assert isinstance(ledger.grow("h", usd(61)), Denied)
    assert isinstance(ledger.grow("h", usd(55)), Held)
    assert [state.posted for state in ledger.post("h", usd(55))] == [55, 55]
    assert ledger.drift() == []


def test_grid_of_scopes(ledger: Ledger, clock: Clock) -> None:
    """Every scope is enforced on its own: exhausting one denies a call although all the others have room."""
    scopes = ("request", "session", "api_key", "user", "team", "project", "organization", "model", "all")
    caller = Caller("sha256:aa", "alice", "support", "chatbot", "acme", "run-1", None)
    for tight in scopes:
        budgets = tuple(Budget(f"{tight}/{s}", s, 10 if s == tight else 1000) for s in scopes)
        found = accounts(BudgetRules(budgets), caller, provider="openai", model="m", call_id=f"c-{tight}", at=clock())
        denied = ledger.hold(f"h-{tight}", found, usd(11))
        assert isinstance(denied, Denied)
        assert denied.account.budget.scope == tight
        assert isinstance(ledger.hold(f"h-{tight}", found, usd(10)), Held)


@pytest.mark.parametrize("end", ["grow", "post", "void"])
def test_a_grown_hold_whose_answer_was_lost(store: Store, account: Make, clock: Clock, end: str) -> None:
    """The commit is not answered and the server is gone; once it is back, what was reserved is known again."""
    faulty = FaultyStore(store)
    ledger = Ledger(cast(Store, faulty), clock=clock)
    ledger.hold("h", [account(100)], Amounts(10, 0))
    faulty.begin(Fault("lost, down", done=True))
    with pytest.raises(StepUnknown):
        ledger.grow("h", Amounts(60, 0))
    faulty.begin(None)
    if end == "grow":
        assert isinstance(ledger.grow("h", Amounts(100, 0)), Held)  # 40 more, not 90
    if end == "void":
        ledger.void("h")
    else:
        ledger.post("h", Amounts(60, 0))
    (state,) = ledger.states()
    assert (state.posted, state.pending, state.debt) == (0 if end == "void" else 60, 0, 0)
    assert ledger.drift() == []
