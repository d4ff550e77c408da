"""The tables on a server: made and migrated by one process, whichever comes first, and never by an older program."""

import os
from collections.abc import Callable, Mapping
from multiprocessing import get_context
from typing import Any

import pytest
from sqlalchemy import Connection

from outwarden.budget import Account, Amounts, Held, Ledger, migrations, open_store, schema, server_schema
from outwarden.budget.sql_store import SqlStore
from outwarden.errors import StateError

pytestmark = [
    pytest.mark.every_server,
    pytest.mark.on_sql,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="these tests fork, to start in no time"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

Make = Callable[..., Account]
TABLES = [*(table.name for table in reversed(schema.metadata.sorted_tables)), "ledger"]


def run(url: str, *statements: str) -> list[Any]:
    """Run SQL on the database of a store; the rows of the last."""
    store = open_store(url)
    assert isinstance(store, SqlStore)
    rows: list[Any] = []
    for statement in statements:
        rows = store.run_sql(statement)
    store.close()
    return rows


def drop(url: str) -> None:
    """Leave nothing of a ledger behind."""
    run(url, *(f"DROP TABLE {name}" for name in TABLES))


def at_once(work: Callable[[], None]) -> list[int | None]:
    """The exit codes of four processes that do the same at the same time."""
    children = [get_context("fork").Process(target=work) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    return [child.exitcode for child in children]


def test_several_processes_make_the_tables_at_once(url: str, account: Make) -> None:
    """One does it, the others find it done, and all can work."""
    drop(url)

    def work() -> None:
        ledger = Ledger(open_store(url))
        assert isinstance(ledger.hold(f"h{os.getpid()}", [account(100)], Amounts(10, 0)), Held)

    assert at_once(work) == [0] * 4
    ledger = Ledger(open_store(url))
    assert ledger.states()[0].pending == 40
    assert ledger.drift() == []
    ledger.close()


def test_several_processes_migrate_at_once(url: str, account: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older ledger is brought up to date once, with all that is in it."""
    ledger = Ledger(open_store(url))
    ledger.hold("h", [account(100)], Amounts(10, 0))

    def to_next(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE migrated (at BIGINT)")  # fails where it is done twice

    steps: Mapping[int, Callable[[Connection], None]] = {**migrations.MIGRATIONS, schema.VERSION: to_next}
    try:
        with monkeypatch.context() as patch:
            patch.setattr(migrations, "MIGRATIONS", steps)
            patch.setattr(schema, "VERSION", schema.VERSION + 1)
            assert at_once(lambda: open_store(url).close()) == [0] * 4
            assert run(url, "SELECT version FROM ledger") == [(schema.VERSION,)]
        assert ledger.states()[0].pending == 10
        with pytest.raises(StateError, match=rf"newer.*schema {schema.VERSION + 1}"):
            open_store(url)
    finally:
        assert isinstance(ledger._store, SqlStore)
        ledger._store.run_sql("DROP TABLE IF EXISTS migrated")
        ledger._store.run_sql("UPDATE ledger SET version = %s", (schema.VERSION,))
        ledger.close()


def test_a_newer_schema_is_refused(url: str) -> None:
    """It is left as it is, and the error says which it is."""
    store = open_store(url)
    assert isinstance(store, SqlStore)
    store.run_sql("UPDATE ledger SET version = 99")
    try:
        with pytest.raises(StateError, match=r"newer version of Outwarden .schema 99"):
            open_store(url)
    finally:
        store.run_sql("UPDATE ledger SET version = %s", (schema.VERSION,))
        store.close()


def test_tables_half_made_are_completed(url: str, account: Make) -> None:
    """A process that died while it made them (MariaDB makes each for good) hinders nobody."""
    run(url, "UPDATE ledger SET version = 0", "DROP TABLE charges", "DROP TABLE orders")
    ledger = Ledger(open_store(url))
    assert isinstance(ledger.hold("h", [account(100, window="rolling 60s")], Amounts(10, 0)), Held)
    ledger.post("h", Amounts(10, 0))
    assert ledger.drift() == []
    ledger.close()


def test_tables_of_something_else_are_left_alone(url: str) -> None:
    """A database with an `orders` of its own is no place for a ledger."""
    store = open_store(url)
    assert isinstance(store, SqlStore)
    for name in TABLES:
        store.run_sql(f"DROP TABLE {name}")
    store.run_sql("CREATE TABLE orders (title VARCHAR(9))")
    with pytest.raises(StateError, match="'orders' of something else"):
        open_store(url)
    assert store.run_sql("SELECT title FROM orders") == []
    store.run_sql("DROP TABLE orders")
    store.close()


def test_an_old_server_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what is needed."""
    drop(url)
    monkeypatch.setattr(server_schema, "_OLDEST", {"postgresql": (99,), "mariadb": (99, 1)})
    with pytest.raises(StateError, match=r"too old: \w+ 99"):
        open_store(url)


def test_names_are_compared_exactly(url: str, account: Make) -> None:
    """Case, accents and spaces at the end tell accounts apart, as in SQLite."""
    ledger = Ledger(open_store(url))
    names = ["a", "A", "a ", "ä", "a\u0308", "á", "ß", "ss", "\N{PILE OF POO}"]
    for number, name in enumerate(names):
        assert isinstance(ledger.hold(name, [account(100, name=name)], Amounts(number + 1, 0)), Held)
    assert {state.name: state.pending for state in ledger.states()} == {name: i + 1 for i, name in enumerate(names)}
    ledger.close()
