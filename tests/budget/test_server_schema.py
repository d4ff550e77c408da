"""The tables on a server: made and migrated by one process, whichever comes first, and never by an older program."""

import os
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

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
TABLES = [*(table.name for table in reversed(schema.metadata.sorted_tables)), "ledger", "ledger_version"]
OF_OTHERS = {  # what Alembic's comparison does not know to be another database's, or a table of no step
    "postgresql": {"ledger", "holds_owner", "holds_over"},
    "mariadb": {"ledger", "holds_open", "holds_closed"},
}
NEXT = f"{int(schema.VERSION) + 1:04}"
STEP = f"""
from alembic import op
from sqlalchemy import BigInteger, Column

revision, down_revision = "{NEXT}", "{schema.VERSION}"


def upgrade():
    op.create_table("migrated", Column("at", BigInteger))  # fails where it is done twice
"""


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


@pytest.fixture
def is_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The program is one version further."""
    (tmp_path / "next.py").write_text(STEP)
    monkeypatch.setattr(migrations, "VERSIONS", [*migrations.VERSIONS, tmp_path])
    monkeypatch.setattr(schema, "VERSION", NEXT)
    return monkeypatch


def test_several_processes_migrate_at_once(url: str, account: Make, is_next: pytest.MonkeyPatch) -> None:
    """An older ledger is brought up to date once, with all that is in it, and is too new for the older program then."""
    with is_next.context() as before:
        before.setattr(schema, "VERSION", f"{int(NEXT) - 1:04}")
        ledger = Ledger(open_store(url))
    ledger.hold("h", [account(100)], Amounts(10, 0))
    try:
        assert at_once(lambda: open_store(url).close()) == [0] * 4
        assert run(url, "SELECT version_num FROM ledger_version") == [(NEXT,)]
        assert ledger.states()[0].pending == 10
        is_next.undo()
        with pytest.raises(StateError, match=rf"newer.*schema {NEXT}"):
            open_store(url)
    finally:
        assert isinstance(ledger._store, SqlStore)
        ledger._store.run_sql("DROP TABLE IF EXISTS migrated")
        ledger._store.run_sql("UPDATE ledger_version SET version_num = %s", (f"{int(NEXT) - 1:04}",))
        ledger.close()


def test_tables_from_before_alembic(url: str, account: Make) -> None:
    """They have their number in a table of ours; what is in them stays, and the older program refuses them."""
    ledger = Ledger(open_store(url))
    ledger.hold("h", [account(100)], Amounts(10, 0))
    ledger.close()
    run(url, "DROP TABLE ledger_version", "DROP TABLE rests", "UPDATE ledger SET version = 2")
    ledger = Ledger(open_store(url))
    assert ledger.states()[0].pending == 10
    ledger.close()
    assert run(url, "SELECT version_num FROM ledger_version") == [(schema.VERSION,)]
    assert run(url, "SELECT version FROM ledger") == [(schema.OLD_NUMBER,)]
    assert run(url, "SELECT * FROM rests") == []


def test_what_is_migrated_is_what_is_made(url: str) -> None:
    """Alembic's own comparison finds no difference between the tables and their description."""
    run(url, "DROP TABLE ledger_version", "DROP TABLE rests", "UPDATE ledger SET version = 2")
    open_store(url).close()
    engine = create_engine(url)
    with engine.connect() as connection:
        others = OF_OTHERS[engine.dialect.name]
        told = {"version_table": "ledger_version", "include_object": lambda _, name, *__: name not in others}
        found = compare_metadata(MigrationContext.configure(connection, opts=told), schema.metadata)
    engine.dispose()
    assert found == []


def test_a_newer_schema_is_refused(url: str) -> None:
    """It is left as it is, and the error says which it is."""
    store = open_store(url)
    assert isinstance(store, SqlStore)
    store.run_sql("UPDATE ledger_version SET version_num = '9999'")
    try:
        with pytest.raises(StateError, match=r"newer version of Outwarden .schema 9999"):
            open_store(url)
        assert store.run_sql("SELECT version_num FROM ledger_version") == [("9999",)]
    finally:
        store.run_sql("UPDATE ledger_version SET version_num = %s", (schema.VERSION,))
        store.close()


@pytest.mark.parametrize(
    "left",
    [("DELETE FROM ledger_version",), ("DROP TABLE ledger_version", "UPDATE ledger SET version = 0")],
    ids=["by this version", "by one from before Alembic"],
)
def test_tables_half_made_are_completed(url: str, account: Make, left: Sequence[str]) -> None:
    """A process that died while it made them (MariaDB makes each for good) hinders nobody."""
    run(url, *left, "DROP TABLE charges", "DROP TABLE orders")
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
