"""Orders by command: in force at once in every process, on record, and the books still right."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from outwarden.budget import (
    Account,
    Amounts,
    Budget,
    BudgetState,
    Denied,
    Held,
    Ledger,
    Orders,
    Paused,
    Store,
    Target,
    keyed_digest,
    open_store,
)
from outwarden.budget.accounts import account_of
from outwarden.budget.sql_store import SqlStore
from outwarden.budget.store import RestRow
from outwarden.errors import OrderError, StateError, StoreUnavailable

pytestmark = pytest.mark.every_store

Make = Callable[..., Account]
Clock = Any  # the ones in conftest.py, which cannot be imported
Inside = Any
KEY = "sha256:" + "a" * 64


@pytest.fixture
def orders(url: str, clock: Clock) -> Orders:
    """Given from another process than the ledger's."""
    return Orders(open_store(url), "root", clock=clock)


def only(ledger: Ledger) -> BudgetState:
    (state,) = ledger.states()
    return state


def spend(ledger: Ledger, account: Account, hold_id: str, amount: int, actual: int | None = None) -> None:
    assert isinstance(ledger.hold(hold_id, [account], Amounts(amount, 0)), Held)
    ledger.post(hold_id, Amounts(amount if actual is None else actual, 0))


@pytest.mark.parametrize(
    "target", [Target("key", KEY), Target("budget", "b"), Target("account", "b", "all")], ids=["key", "budget", "id"]
)
def test_a_pause_stops_calls_until_it_ends(ledger: Ledger, orders: Orders, account: Make, target: Target) -> None:
    """The next call in any process is refused; one that runs is settled; resumed, calls go on where they were."""
    day, other = account(100), account(100, name="other")
    ledger.hold("running", [day], Amounts(30, 0), KEY)
    assert orders.pause(target).changed == 1
    assert ledger.hold("h", [other, day], Amounts(1, 0), KEY) == Paused(str(target))
    assert isinstance(ledger.grow("running", Amounts(40, 0)), Held)
    assert ledger.post("running", Amounts(20, 0))[0].posted == 20
    assert ledger.states()[0].state == ("ok" if target.kind == "key" else "paused")
    assert orders.resume(target).changed == 1
    assert isinstance(ledger.hold("h", [other, day], Amounts(1, 0), KEY), Held)
    assert ledger.drift() == []


def test_a_pause_stops_nobody_else(ledger: Ledger, orders: Orders, account: Make) -> None:
    """Another key, another budget, another id of the same budget."""
    for target in (Target("key", KEY), Target("budget", "c"), Target("account", "b", "alice")):
        orders.pause(target)
    assert isinstance(ledger.hold("h", [account(100)], Amounts(1, 0), "sha256:" + "b" * 64), Held)
    assert isinstance(ledger.hold("h2", [account(100)], Amounts(1, 0)), Held)
    assert ledger.is_paused(KEY) == Paused(f"key {KEY}")
    assert ledger.is_paused("sha256:cc") is None


def test_a_pause_of_an_id_stops_all_its_bodies(ledger: Ledger, orders: Orders, clock: Clock) -> None:
    """Where bodies count apart, whose they are is one id."""
    loops = Budget("loops", "user", 5, "requests", "rolling 60s", identical=True)
    orders.pause(Target("account", "loops", "alice"))
    for user, stopped in (("alice", True), ("al", False)):
        counted = account_of(loops, f"{user} body:{keyed_digest(b'k', b'x')}", clock())
        assert isinstance(ledger.hold(user, [counted], Amounts(0, 0)), Paused) is stopped


def test_no_two_targets_look_the_same() -> None:
    """A slash in a name or an id leads to nobody else's account."""
    targets = [Target("account", "a/b", "c"), Target("account", "a", "b/c"), Target("budget", "a/b/c"),
               Target("account", "a%2Fb", "c")]  # fmt: skip
    assert len({str(target) for target in targets}) == 4


def test_ordering_twice_changes_nothing(orders: Orders) -> None:
    """Both orders are on record."""
    target = Target("budget", "b")
    assert [orders.pause(target).changed for _ in range(2)] == [1, 0]
    assert [orders.resume(target).changed for _ in range(2)] == [1, 0]
    assert [order.step for order in orders._store.orders()] == ["pause", "pause", "resume", "resume"]


@pytest.mark.parametrize("window", ["lifetime", "day", "rolling 10m"])
def test_a_top_up(ledger: Ledger, orders: Orders, account: Make, window: str) -> None:
    """What was full takes so much more, the state shows the raised limit, and a call above the old one fits."""
    full = account(100, window=window)
    spend(ledger, full, "a", 100)
    assert isinstance(ledger.hold("h", [full], Amounts(1, 0)), Denied)
    orders.top_up(full.budget, "all", 120)
    assert (only(ledger).limit, only(ledger).left, only(ledger).posted) == (220, 120, 100)
    spend(ledger, full, "b", 120)
    denied = ledger.hold("h", [full], Amounts(1, 0))
    assert isinstance(denied, Denied)
    assert denied.limit == 220
    assert ledger.drift() == []


def test_a_top_up_of_an_account_that_was_never_used(ledger: Ledger, orders: Orders, account: Make) -> None:
    """Even of a limit of 0, which refuses what is free too until then."""
    zero = account(0, name="zero")
    orders.top_up(zero.budget, "all", 30)
    assert isinstance(ledger.hold("h", [zero], Amounts(30, 0)), Held)
    assert isinstance(ledger.hold("h2", [zero], Amounts(1, 0)), Denied)


def test_a_top_up_ends_with_its_window(ledger: Ledger, orders: Orders, account: Make, clock: Clock) -> None:
    """Tomorrow's limit is the rules' own; in a rolling window it leaves as what is spent does."""
    day, ten = account(100, name="day", window="day"), account(100, name="ten", window="rolling 10m")
    for each in (day, ten):
        orders.top_up(each.budget, "all", 50)
    assert {state.limit for state in ledger.states()} == {150}
    clock.advance(seconds=601)
    assert {state.name: state.limit for state in ledger.states()} == {"day": 150, "ten": 100}
    clock.advance(days=1)
    tomorrow = account(100, name="day", window="day")
    assert isinstance(ledger.hold("h", [tomorrow], Amounts(101, 0)), Denied)
    assert isinstance(ledger.hold("h", [tomorrow], Amounts(100, 0)), Held)
    assert ledger.drift() == []


def test_a_top_up_fills_a_bucket(ledger: Ledger, orders: Orders, account: Make, clock: Clock) -> None:
    """It pays for what was spent; once spent itself, the bucket is what it was."""
    hour = account(3600, window="refill 1h")
    spend(ledger, hour, "a", 3600)
    orders.top_up(hour.budget, "all", 1000)
    assert only(ledger).left == 1000
    spend(ledger, hour, "b", 1000)
    clock.advance(hours=2)
    assert (only(ledger).posted, only(ledger).limit) == (0, 3600)
    assert isinstance(ledger.hold("h", [hour], Amounts(3600, 0)), Held)
    assert ledger.drift() == []


@pytest.mark.parametrize("amount", [0, -5, 10**18 + 1])
def test_amounts_that_are_none(ledger: Ledger, orders: Orders, account: Make, amount: int) -> None:
    """Nothing happens, and nothing is on record."""
    with pytest.raises(OrderError):
        orders.top_up(account(100).budget, "all", amount)
    assert ledger.states() == []
    assert orders._store.orders() == []


def test_top_ups_are_bounded_in_all(orders: Orders, ledger: Ledger, account: Make) -> None:
    """Sums stay within what a database can add."""
    orders.top_up(account(100).budget, "all", 10**18)
    with pytest.raises(OrderError):
        orders.top_up(account(100).budget, "all", 1)
    assert only(ledger).limit == 100 + 10**18


@pytest.mark.parametrize("window", ["lifetime", "day", "rolling 10m", "refill 1h"])
def test_a_reset(ledger: Ledger, orders: Orders, account: Make, window: str) -> None:
    """Spend, debt and top-ups are gone; what a running call holds stays held and is settled as ever."""
    full = account(100, window=window)
    spend(ledger, full, "a", 60, 90)
    orders.top_up(full.budget, "all", 25)
    ledger.hold("running", [full], Amounts(10, 0))
    assert orders.reset(full.budget).changed == 1
    state = only(ledger)
    assert (state.posted, state.debt, state.pending, state.limit) == (0, 0, 10, 100)
    assert ledger.post("running", Amounts(7, 0))[0].posted == 7
    assert ledger.drift() == []


def test_a_reset_of_one_id(ledger: Ledger, orders: Orders, clock: Clock) -> None:
    """The others keep what they have spent; an id means every body it asked, where bodies count apart."""
    budget = Budget("b", "user", 100)
    loops = Budget("loops", "user", 5, "requests", "rolling 60s", identical=True)
    for user in ("al", "alice"):
        spend(ledger, account_of(budget, user, clock()), user, 50)
        guarded = account_of(loops, f"{user} body:{keyed_digest(b'k', b'x')}", clock())
        for number in range(3):
            spend(ledger, guarded, f"{user} {number}", 0)
    assert orders.reset(budget, "al").changed == 1
    assert orders.reset(loops, "al").changed == 1
    left = {(state.name, state.id.split()[0]): state.posted for state in ledger.states()}
    assert left == {("b", "al"): 0, ("b", "alice"): 50, ("loops", "alice"): 3}
    assert ledger.drift() == []


def test_a_reset_leaves_past_windows(
    ledger: Ledger, orders: Orders, inside: Inside, account: Make, clock: Clock
) -> None:
    """What was spent yesterday stays on the books."""
    spend(ledger, account(100, window="day"), "a", 60)
    clock.advance(days=1)
    spend(ledger, account(100, window="day"), "b", 30)
    orders.reset(account(100, window="day").budget)
    assert inside.accounts() == [("b", 60), ("b", 0)]


def test_orders_are_on_record(
    ledger: Ledger, orders: Orders, store: Store, inside: Inside, account: Make, clock: Clock
) -> None:
    """Who ordered what and when, and in the journal a line of its own for what it did to a balance."""
    spend(ledger, account(100), "a", 60)
    orders.pause(Target("budget", "b"))
    orders.top_up(account(100).budget, "all", 50)
    orders.reset(account(100).budget, "all")
    shown = [(order.number, order.by, order.step, order.target, order.amount) for order in store.orders()]
    assert shown == [
        (1, "root", "pause", "budget b", 0),
        (2, "root", "top-up", "account b/all", 50),
        (3, "root", "reset", "account b/all", 0),
    ]
    assert inside.lines("order 1") == []
    assert [line[1:] for line in inside.lines("order 2")] == [("top-up", 0, 0, 0, 50)]
    assert [line[1:] for line in inside.lines("order 3")] == [("reset", -60, 0, 0, -50)]
    assert ledger.drift() == []


def test_what_cannot_be_recorded_does_not_happen(url: str, ledger: Ledger, account: Make, clock: Clock) -> None:
    """Without a record there is no order."""

    def broken(order: Mapping[str, Any]) -> None:
        raise StateError("the audit log cannot be written")

    orders = Orders(open_store(url), "root", broken, clock)
    spend(ledger, account(100), "a", 60)
    for order in (
        lambda: orders.pause(Target("budget", "b")),
        lambda: orders.top_up(account(100).budget, "all", 50),
        lambda: orders.reset(account(100).budget),
    ):
        with pytest.raises(StateError):
            order()
    assert (only(ledger).posted, only(ledger).limit, only(ledger).state) == (60, 100, "ok")


def test_an_order_is_told_by_one(store: Store, url: str, orders: Orders) -> None:
    """Of several processes that could tell of it, exactly one does."""
    other = open_store(url)
    orders.pause(Target("budget", "b"))
    (order,) = store.untold()
    assert [other.tell(order.number), store.tell(order.number)] == [True, False]
    assert other.untold() == []
    other.close()


def test_an_upstream_is_drained_until_it_is_enabled(
    ledger: Ledger, orders: Orders, store: Store, account: Make
) -> None:
    """It stops no call of a budget or a key, is no pause, and each order is written down."""
    for done in (orders.drain("onprem"), orders.drain("onprem"), orders.drain("original api.openai.com")):
        assert done.number > 0
    assert sorted(store.drained()) == ["onprem", "original api.openai.com"]
    assert store.pauses() == []
    assert isinstance(ledger.hold("h", [account(9, name="onprem")], Amounts(1, 0), KEY), Held)
    assert [orders.enable("onprem").changed, orders.enable("onprem").changed] == [1, 0]
    assert store.drained() == ["original api.openai.com"]
    assert [(order.step, order.target) for order in store.orders()][-2:] == [("enable", "upstream onprem")] * 2


def test_what_processes_tell_each_other_of_upstreams(store: Store, url: str, clock: Clock) -> None:
    """Each has one line per name, its last word; it takes back its own alone; what is long over is forgotten."""
    other = open_store(url)
    now = clock()
    later = [RestRow("onprem", name, "open", now + timedelta(seconds=s), now) for name, s in (("a", 9), ("b", 30))]
    for row in (later[0]._replace(why="unhealthy"), *later, later[0]._replace(name="onprem gpt-4o")):
        store.keep_rest(row)
    assert sorted(other.rests()) == sorted([*later, later[0]._replace(name="onprem gpt-4o")])
    other.end_rest("onprem gpt-4o", "a")
    other.end_rest("onprem", "c")
    assert sorted(store.rests()) == sorted(later)
    store.forget_rests(now + timedelta(seconds=10))
    assert other.rests() == later[1:]
    other.close()


@pytest.mark.on_sql
def test_a_ledger_that_is_down_takes_no_order(store: Store, account: Make, clock: Clock) -> None:
    """The error says so."""
    assert isinstance(store, SqlStore)
    store.run_sql("DROP TABLE orders")
    with pytest.raises(StoreUnavailable):
        Orders(store, "root", clock=clock).pause(Target("budget", "b"))
