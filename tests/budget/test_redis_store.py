"""The ledger in Redis beyond what every store does: what it refuses, warns of, and never tells."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
import redis
from sqlalchemy import make_url

from outwarden.budget import Account, Amounts, Denied, Held, Ledger, Orders, open_store, redis_pruning
from outwarden.budget.redis_connection import RedisConnection
from outwarden.budget.redis_rows import LEDGER, entries_key, line_in
from outwarden.budget.redis_store import RedisStore
from outwarden.budget.redis_transaction import RedisTransaction
from outwarden.errors import StateError, StepUndone, StoreUnavailable

pytestmark = pytest.mark.on_redis

Make = Callable[..., Account]


@pytest.fixture
def admin(url: str) -> Any:
    return redis.Redis.from_url(url, decode_responses=True)


def test_every_step_is_in_the_journal(ledger: Ledger, account: Make, admin: Any) -> None:
    """One line per account and step, in order, with amounts that a double cannot hold."""
    ledger.hold("h", [account(10**18)], Amounts(2**53 - 1, 0))
    ledger.post("h", Amounts(2**53, 0))
    ledger.hold("i", [account(10**18)], Amounts(2**53 - 1, 0))
    lines = [line_in(text) for text in admin.lrange(entries_key("h"), 0, -1)]
    wanted = [(0, "hold", [0, 2**53 - 1, 0, 0]), (1, "post", [2**53 - 1, 1 - 2**53, 1, 0])]
    assert [(line.number, line.step, line.change) for line in lines] == wanted
    assert ledger.states()[0].posted + ledger.states()[0].pending == 2**54 - 2
    assert ledger.drift() == []


def test_an_account_changed_behind_its_back_is_drift(ledger: Ledger, account: Make, admin: Any) -> None:
    """A line that was taken away is missed."""
    ledger.hold("h", [account(100)], Amounts(10, 0))
    admin.delete(entries_key("h"))
    assert ledger.drift() == ["b/all/all"]


def test_who_read_before_another_wrote_writes_nothing(url: str, ledger: Ledger, account: Make, clock: Any) -> None:
    """Two that saw the same balance cannot both take from it; the second then has its turn."""
    other = open_store(url)
    ledger.hold("first", [account(100)], Amounts(1, 0))
    transaction = other.transaction().__enter__()
    transaction.expect([account(100)], clock())
    assert transaction.open_hold("late", "somebody", Amounts(90, 0), clock())
    transaction.lock([account(100)], clock())
    assert transaction.reserve(account(100), 90, clock())
    assert isinstance(ledger.hold("h", [account(100)], Amounts(90, 0)), Held)
    with pytest.raises(StepUndone):
        transaction.__exit__(None, None, None)
    late = Ledger(other, clock=clock)
    assert isinstance(late.hold("late", [account(100)], Amounts(90, 0)), Denied)
    assert isinstance(late.hold("late", [account(100)], Amounts(9, 0)), Held)
    assert ledger.drift() == []


def test_a_turn_that_ran_out_undoes_the_step(url: str, ledger: Ledger, account: Make, clock: Any) -> None:
    """Within a turn nothing but the turn is watched: whoever comes after its end sees what was there before."""
    ledger.hold("first", [account(100)], Amounts(10, 0))
    slow = RedisTransaction(cast(RedisStore, open_store(url)), turn_s=0.05)
    slow.__enter__()
    slow.lock([account(100)], clock())
    assert slow.reserve(account(100), 80, clock())
    time.sleep(0.1)
    assert isinstance(ledger.hold("h", [account(100)], Amounts(90, 0)), Held)
    with pytest.raises(StepUndone):
        slow.__exit__(None, None, None)
    assert ledger.drift() == []


def test_nobody_writes_during_a_turn(url: str, ledger: Ledger, account: Make, clock: Any) -> None:
    """Neither who comes meanwhile nor who had read before: it waits, and then sees what the turn has written."""
    ledger.hold("first", [account(100)], Amounts(10, 0))
    early = open_store(url).transaction().__enter__()
    early.expect([account(100)], clock())
    assert early.open_hold("early", "somebody", Amounts(30, 0), clock())
    early.lock([account(100)], clock())
    assert early.reserve(account(100), 30, clock())
    with open_store(url).transaction() as turn:
        turn.lock([account(100)], clock())
        with pytest.raises(StepUndone):
            early.__exit__(None, None, None)
        assert turn.reserve(account(100), 80, clock())
    assert isinstance(ledger.hold("h", [account(100)], Amounts(20, 0)), Denied)


def test_many_accounts_keep_nobody_waiting(
    url: str, ledger: Ledger, account: Make, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To watch many keys takes Redis quadratic time: whoever folds, forgets or resets does not."""
    watched, send = [0], RedisConnection.send

    def noted(self: RedisConnection, raw: Any, steps: Any) -> Any:
        watched.extend(len(arguments) for name, arguments in steps if name == "WATCH")
        return send(self, raw, steps)

    monkeypatch.setattr(RedisConnection, "send", noted)
    monkeypatch.setattr(redis_pruning, "LOOK_AT", 7)
    model = account(100, scope="session")
    for number in range(40):
        ledger.hold(f"h{number}", [replace(model, id=f"s{number}")], Amounts(5, 0))
        ledger.post(f"h{number}", Amounts(5, 0))
    assert Orders(open_store(url), "root", clock=clock).reset(model.budget).changed == 40
    assert {state.posted for state in ledger.states()} == {0}
    assert ledger.drift() == []
    clock.advance(days=401)
    assert [ledger.prune() for _ in range(6)] == [40, 7, 7, 7, 7, 5]  # first the lines of all holds, and 7 accounts
    assert ledger.states() == []
    assert ledger.drift() == []
    assert max(watched) < 10


def test_a_ledger_that_was_lost_is_not_begun_anew(ledger: Ledger, account: Make, admin: Any) -> None:
    """Where Redis comes back empty, running interceptors refuse: their caps would begin at zero."""
    ledger.hold("h", [account(100)], Amounts(10, 0))
    admin.flushdb()
    for step in (lambda: ledger.hold("i", [account(100)], Amounts(1, 0)), lambda: ledger.left([account(100)])):
        with pytest.raises(StoreUnavailable, match="lost the ledger"):
            step()


def test_a_newer_layout_is_refused(url: str, admin: Any) -> None:
    """The error says which it is."""
    admin.set(LEDGER, '[99,"x"]')
    with pytest.raises(StateError, match=r"newer version of Outwarden .schema 99"):
        open_store(url)


def test_keys_that_may_be_evicted_are_refused(url: str, admin: Any) -> None:
    """A balance that is thrown away when memory is short is a cap that is passed."""
    admin.config_set("maxmemory", "1gb")
    admin.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(StateError, match="noeviction"):
            open_store(url)
    finally:
        admin.config_set("maxmemory", "0")
        admin.config_set("maxmemory-policy", "noeviction")


def test_without_an_append_only_file_it_warns(url: str, admin: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Only then."""
    open_store(url).close()
    assert caplog.text == ""
    admin.config_set("appendonly", "no")
    try:
        open_store(url).close()
    finally:
        admin.config_set("appendonly", "yes")
    assert "append-only" in caplog.text


def test_what_cannot_be_opened_is_said_without_the_password(url: str) -> None:
    """Wrong password, nobody there, an option that there is not."""
    good = make_url(url)
    for bad in (good.set(password="hunter2"), good.set(port=9), good.set(query={"nothing": "hunter2"})):
        with pytest.raises(StateError) as error:
            open_store(bad.render_as_string(hide_password=False))
        assert "127.0.0.1" in str(error.value)
        assert "hunter2" not in str(error.value)
        assert str(good.password) not in str(error.value)
