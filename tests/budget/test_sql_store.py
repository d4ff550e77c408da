"""The database: opening it, failing clearly, keeping what must be kept."""

import os
import re
import sqlite3
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from outwarden.budget import Account, Amounts, Denied, Held, Ledger, Store, open_store
from outwarden.budget.ledger import KEEP_ACCOUNTS, KEEP_ENTRIES
from outwarden.budget.owners import SILENT_AFTER, Owner
from outwarden.budget.schema import OLD_NUMBER
from outwarden.budget.sql_store import SqlStore
from outwarden.budget.sqlite_connection import SqliteConnection
from outwarden.errors import StateError, StoreUnavailable

Make = Callable[..., Account]
Clock = Any  # the one in conftest.py, which cannot be imported


@pytest.mark.parametrize("url", ["oracle://db/x", "postgresql+asyncpg://x", "mysql+mysqldb://x"])
def test_other_databases_are_refused_by_name(url: str) -> None:
    """What is not built yet is refused, and the message names it."""
    with pytest.raises(StateError, match=re.escape(url.split(":")[0])):
        open_store(url)


def test_a_broken_url_is_refused_without_being_repeated() -> None:
    """A URL may hold a password; the message does not repeat it."""
    with pytest.raises(StateError) as error:
        open_store("pass word://user:hunter2@")
    assert "hunter2" not in str(error.value)


def test_not_a_database(tmp_path: Path) -> None:
    """A file that is no database is refused with its path and SQLite's reason, and stays as it was."""
    path = tmp_path / "x.db"
    path.write_bytes(b"this is not a database at all, it is text" * 100)
    with pytest.raises(StateError, match=r"x\.db.*not a database"):
        open_store(f"sqlite:///{path}")
    assert path.read_bytes().startswith(b"this is not")


def test_a_damaged_database(url: str, tmp_path: Path) -> None:
    """Pages overwritten in the middle of the file are found when it is opened."""
    ledger = Ledger(open_store(url))
    for number in range(300):
        ledger.hold(f"hold-with-a-rather-long-name-{number}", [], Amounts(1, 1))
    ledger.close()
    path = tmp_path / "outwarden.db"
    data = bytearray(path.read_bytes())
    data[8192:20480] = os.urandom(12288)
    path.write_bytes(data)
    with pytest.raises(StateError, match=r"outwarden\.db"):
        open_store(url)


def test_read_only(url: str, tmp_path: Path) -> None:
    """A database that cannot be written is refused at once, not at the first call."""
    open_store(url).close()
    with pytest.raises(StateError, match="readonly"):
        open_store(f"sqlite:///file:{tmp_path / 'outwarden.db'}?mode=ro&uri=true")


@pytest.mark.parametrize("path", ["", "missing/folder/x.db"])
def test_paths_that_cannot_be(tmp_path: Path, path: str) -> None:
    """A folder, or a file in a folder that is not there, is refused with its path."""
    with pytest.raises(StateError, match=str(tmp_path)):
        open_store(f"sqlite:///{tmp_path / path}")


@pytest.mark.parametrize("number", [0, OLD_NUMBER, 75])
def test_somebody_elses_database(tmp_path: Path, number: int) -> None:
    """A database with other tables is not ours to write into, whatever number it has."""
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (title)")
        connection.execute(f"PRAGMA user_version={number}")
    with pytest.raises(StateError, match="songs"):
        open_store(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("songs",)]
        assert connection.execute("PRAGMA user_version").fetchone() == (number,)


def test_a_newer_version(url: str, tmp_path: Path) -> None:
    """A database of a newer schema is refused, not guessed at, and left as it is."""
    open_store(url).close()
    with sqlite3.connect(tmp_path / "outwarden.db") as connection:
        connection.execute("UPDATE ledger_version SET version_num = '9999'")
    with pytest.raises(StateError, match=r"newer version of Outwarden .schema 9999"):
        open_store(url)
    with sqlite3.connect(tmp_path / "outwarden.db") as connection:
        assert connection.execute("SELECT version_num FROM ledger_version").fetchall() == [("9999",)]


def test_the_file_is_private(url: str, tmp_path: Path) -> None:
    """The database names people: only its owner may read it."""
    open_store(url).close()
    assert stat.S_IMODE((tmp_path / "outwarden.db").stat().st_mode) == 0o600


def test_it_is_fast_and_safe(url: str) -> None:
    """The connection writes ahead, syncs at checkpoints and waits for others."""
    opened = open_store(url)
    assert isinstance(opened, SqlStore)
    found = [opened.run_sql(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous", "busy_timeout")]
    assert found == ["wal", 1, 2000]
    opened.close()


def test_everything_survives_a_restart(url: str, account: Make, clock: Clock) -> None:
    """Balances are there again when the database is opened again."""
    ledger = Ledger(open_store(url), clock=clock)
    ledger.hold("h", [account(100)], Amounts(60, 0))
    ledger.post("h", Amounts(70, 0))
    ledger.close()
    again = Ledger(open_store(url), clock=clock)
    (state,) = again.states()
    assert (state.posted, state.debt, state.limit) == (60, 10, 100)
    again.close()


def test_closed_when_the_store_fails_and_open_again_after(
    store: Store, ledger: Ledger, account: Make, tmp_path: Path
) -> None:
    """While another holds the database, calls fail clearly and take nothing; then everything goes on by itself."""
    assert isinstance(store, SqlStore)
    store.run_sql("PRAGMA busy_timeout=20")
    day = account(100)
    ledger.hold("h", [day], Amounts(10, 0))
    blocker = sqlite3.connect(tmp_path / "outwarden.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    for step in (
        lambda: ledger.hold("h2", [day], Amounts(10, 0)),
        lambda: ledger.grow("h", Amounts(20, 0)),
        lambda: ledger.post("h", Amounts(5, 0)),
        lambda: ledger.void("h"),
        ledger.heartbeat,
    ):
        with pytest.raises(StoreUnavailable, match="locked"):
            step()
    assert ledger.left([day]) == 90
    blocker.execute("ROLLBACK")
    assert isinstance(ledger.hold("h2", [day], Amounts(10, 0)), Held)
    assert ledger.post("h", Amounts(5, 0))[0].posted == 5
    assert ledger.drift() == []


def test_a_lost_connection_is_made_again(store: Store, ledger: Ledger, account: Make) -> None:
    """A connection that broke under a transaction takes nothing with it, and the next call has a new one."""
    assert isinstance(store, SqlStore)
    day = account(100)

    def reserve_then(fail: Callable[[], None]) -> None:
        with store.transaction() as transaction:
            assert transaction.reserve(day, 50, ledger._clock())
            fail()

    def break_connection() -> None:
        assert isinstance(store.connection, SqliteConnection)
        assert store.connection._connection is not None
        store.connection._connection.connection.dbapi_connection.close()  # type: ignore[union-attr]

    with pytest.raises(ZeroDivisionError):
        reserve_then(lambda: 1 // 0 and None)
    with pytest.raises(StoreUnavailable):
        reserve_then(break_connection)
    assert ledger.left([day]) == 100
    assert isinstance(ledger.hold("h", [day], Amounts(100, 0)), Held)


def test_errors_name_no_value(store: Store) -> None:
    """A failing statement tells the database's reason, not the statement nor what was in it."""
    assert isinstance(store, SqlStore)
    with pytest.raises(StoreUnavailable) as error:
        store.run_sql("INSERT INTO nowhere VALUES (?)", ("alice@acme.example",))
    assert "no such table" in str(error.value)
    assert "alice" not in str(error.value)
    assert error.value.__cause__ is None


def test_drift_is_found(store: Store, ledger: Ledger, account: Make) -> None:
    """A balance changed behind the ledger's back is named."""
    assert isinstance(store, SqlStore)
    ledger.hold("h", [account(100)], Amounts(10, 0))
    assert ledger.drift() == []
    store.run_sql("UPDATE accounts SET posted = posted - 1")
    assert ledger.drift() == ["b/all/all"]


def test_entries_are_complete_and_never_change(store: Store, ledger: Ledger, account: Make) -> None:
    """Each step of a hold leaves one line per account, in order."""
    assert isinstance(store, SqlStore)
    two = [account(100), account(100, name="c")]
    ledger.hold("h", two, Amounts(10, 0))
    ledger.grow("h", Amounts(15, 0))
    ledger.post("h", Amounts(18, 0))
    ledger.hold("v", two, Amounts(10, 0))
    ledger.void("v")
    lines = store.run_sql("SELECT hold, number, step, posted, pending, debt FROM entries WHERE account = 1")
    assert lines == [
        ("h", 0, "hold", 0, 10, 0),
        ("h", 1, "grow", 0, 5, 0),
        ("h", 2, "post", 15, -15, 3),
        ("v", 0, "hold", 0, 10, 0),
        ("v", 1, "void", 0, -10, 0),
    ]


def test_a_changed_window_or_unit_is_another_counter(ledger: Ledger, account: Make) -> None:
    """A day and a month that begin together do not share a balance, nor do dollars and tokens."""
    ledger.hold("h", [account(100, window="day")], Amounts(100, 100))
    for changed in (account(100, window="month"), account(100, window="day", unit="tokens")):
        assert isinstance(
            ledger.hold(f"h-{changed.budget.window}-{changed.budget.unit}", [changed], Amounts(9, 9)), Held
        )
    assert isinstance(ledger.hold("h2", [account(100, window="day")], Amounts(1, 1)), Denied)


def test_prune_folds_old_lines(store: Store, ledger: Ledger, account: Make, clock: Clock) -> None:
    """Old lines become one per account with the same sum; open holds and fresh lines stay."""
    assert isinstance(store, SqlStore)
    life = account(10_000)
    for number in range(20):
        ledger.hold(f"old-{number}", [life], Amounts(10, 0))
        ledger.post(f"old-{number}", Amounts(number, 0))
    ledger.hold("open", [life], Amounts(7, 0))
    before = ledger.states()
    clock.now += KEEP_ENTRIES + timedelta(days=1)
    ledger.hold("new", [life], Amounts(5, 0))
    ledger.void("new")
    assert ledger.prune(most=15) == 15
    assert ledger.prune(most=15) == 5
    assert ledger.prune(most=15) == 0
    assert ledger.states() == before
    assert ledger.drift() == []
    assert store.run_sql("SELECT count(*) FROM holds") == [(2,)]
    assert store.run_sql("SELECT count(*) FROM entries") == [(1 + 1 + 2,)]
    assert ledger.post("open", Amounts(7, 0))[0].pending == 0


def test_prune_forgets_old_windows(ledger: Ledger, account: Make, clock: Clock) -> None:
    """Accounts of windows long past and of sessions long silent go; lifetimes and what is pending stay."""
    old = [
        account(100, name="day", window="day"),
        account(100, name="life"),
        account(100, name="run", scope="session"),
    ]
    ledger.hold("h", old, Amounts(10, 0))
    ledger.post("h", Amounts(10, 0))
    pending = account(100, name="pending", window="day")
    ledger.hold("open", [pending], Amounts(10, 0))
    clock.now += KEEP_ACCOUNTS + timedelta(days=2)
    ledger.prune()
    assert sorted(state.name for state in ledger.states()) == ["life", "pending"]
    assert ledger.left([old[0]]) == 100
    assert ledger.drift() == []


def test_states_show_current_windows(ledger: Ledger, account: Make, clock: Clock) -> None:
    """Yesterday's account is listed no more, unless something is still pending on it."""
    ledger.hold("a", [account(100, name="done", window="day")], Amounts(1, 0))
    ledger.post("a", Amounts(1, 0))
    ledger.hold("b", [account(100, name="running", window="day")], Amounts(1, 0))
    clock.advance(days=1)
    assert [state.name for state in ledger.states()] == ["running"]


def test_owner_of_another_host(store: Store, ledger: Ledger, account: Make, clock: Clock) -> None:
    """A process we cannot look at keeps its holds while its heartbeat is fresh, and loses them when it falls silent."""
    assert isinstance(store, SqlStore)
    other = Ledger(store, clock=clock)
    other.hold("h", [account(100)], Amounts(40, 0))
    store.run_sql("UPDATE owners SET host = 'elsewhere' WHERE id = ?", (other._owner.id,))
    clock.now += SILENT_AFTER * 3
    other.heartbeat()
    assert ledger.recover() == 0
    clock.now += SILENT_AFTER * 3
    assert ledger.recover() == 1
    assert ledger.states()[0].posted == 40
    other.heartbeat()  # it was only asleep: it lives again, and its next holds are its own
    other.hold("h2", [account(100)], Amounts(10, 0))
    assert ledger.recover() == 0


@pytest.mark.every_store
def test_a_heartbeat_is_never_as_one_before(store: Store, account: Make, clock: Clock) -> None:
    """A clock that steps back, or two heartbeats in a second: who said that it lives is not taken for silent."""
    elapsed = 0.0
    watching = Ledger(store, clock=clock, monotonic=lambda: elapsed)
    other = Ledger(store, clock=clock, owner=Owner("other", 1, "", "elsewhere"))
    other.hold("h", [account(100)], Amounts(40, 0))
    assert watching.recover() == 0
    for _ in range(3):
        elapsed += SILENT_AFTER.total_seconds() + 1
        other.heartbeat()  # at the same time of day
        assert watching.recover() == 0


@pytest.mark.every_store
def test_who_was_only_asleep_leaks_nothing(store: Store, account: Make, clock: Clock) -> None:
    """Forgotten as dead it wakes, takes a hold and dies before its next heartbeat: the hold is found all the same."""
    watching = Ledger(store, clock=clock, monotonic=clock.monotonic)
    other = Ledger(store, clock=clock, owner=Owner("other", 1, "", "elsewhere"))
    assert watching.recover() == 0
    clock.now += SILENT_AFTER * 2
    assert watching.recover() == 0
    other.hold("h", [account(100)], Amounts(40, 0))
    assert watching.recover() == 0
    clock.now += SILENT_AFTER * 2
    assert watching.recover() == 1
    assert watching.states()[0].posted == 40
    assert "other" not in [owner.id for owner, _, _ in store.owners()]


@pytest.mark.every_store
def test_an_account_with_an_open_hold_is_kept(ledger: Ledger, account: Make, clock: Clock) -> None:
    """Also where the hold is of nothing, and its window ended more than a year ago."""
    ledger.hold("h", [account(100, window="day")], Amounts(0, 0))
    clock.advance(days=402)
    assert ledger.prune() == 0
    ledger.post("h", Amounts(30, 0))
    assert ledger.drift() == []


def test_recovery_forgets_the_dead(store: Store, ledger: Ledger) -> None:
    """Owners that ended without holds leave no row behind."""
    assert isinstance(store, SqlStore)
    Ledger(store).recover()
    store.run_sql("UPDATE owners SET ended = 1 WHERE id != ?", (ledger._owner.id,))
    assert ledger.recover() == 0
    assert [owner.id for owner, _, _ in store.owners()] == [ledger._owner.id]
