"""A database of an older version is brought up to date when it is opened, with all that is in it."""

import os
import sqlite3
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from outwarden.budget import Account, Amounts, Held, Ledger, migrations, open_store, schema
from outwarden.errors import StateError

Make = Callable[..., Account]
Clock = Any  # the one in conftest.py, which cannot be imported

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="these tests fork, to start in no time"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

VERSION_1 = """
CREATE TABLE accounts (number INTEGER NOT NULL, budget VARCHAR NOT NULL, scope VARCHAR NOT NULL, id VARCHAR NOT NULL,
    unit VARCHAR NOT NULL, window VARCHAR NOT NULL, starts BIGINT NOT NULL, ends BIGINT, limit_seen BIGINT NOT NULL,
    posted BIGINT NOT NULL, pending BIGINT NOT NULL, debt BIGINT NOT NULL, touched BIGINT NOT NULL,
    PRIMARY KEY (number), UNIQUE (budget, scope, id, unit, window, starts));
CREATE TABLE owners (id VARCHAR NOT NULL, pid INTEGER NOT NULL, started VARCHAR NOT NULL, host VARCHAR NOT NULL,
    seen BIGINT NOT NULL, ended INTEGER NOT NULL, PRIMARY KEY (id));
CREATE TABLE holds (id VARCHAR NOT NULL, owner VARCHAR NOT NULL, state VARCHAR NOT NULL, usd BIGINT NOT NULL,
    tokens BIGINT NOT NULL, requests BIGINT NOT NULL, steps INTEGER NOT NULL, opened BIGINT NOT NULL, closed BIGINT,
    PRIMARY KEY (id)) WITHOUT ROWID;
CREATE INDEX holds_open ON holds (owner) WHERE state = 'open';
CREATE INDEX holds_closed ON holds (closed) WHERE state != 'open';
CREATE TABLE entries (hold VARCHAR NOT NULL, number INTEGER NOT NULL, account INTEGER NOT NULL, step VARCHAR NOT NULL,
    posted BIGINT NOT NULL, pending BIGINT NOT NULL, debt BIGINT NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (hold, number, account), FOREIGN KEY(account) REFERENCES accounts (number)) WITHOUT ROWID;
INSERT INTO accounts VALUES (1, 'b', 'all', 'all', 'usd', 'lifetime', 0, NULL, 100, 30, 20, 5, 1700000000);
INSERT INTO owners VALUES ('dead', 1, '', 'elsewhere', 1700000000, 1);
INSERT INTO holds VALUES ('done', 'dead', 'posted', 30, 0, 1, 1, 1700000000, 1700000001);
INSERT INTO holds VALUES ('open', 'dead', 'open', 20, 0, 1, 0, 1700000000, NULL);
INSERT INTO entries VALUES ('done', 0, 1, 'hold', 0, 30, 0, 1700000000);
INSERT INTO entries VALUES ('done', 1, 1, 'post', 30, -30, 5, 1700000001);
INSERT INTO entries VALUES ('open', 0, 1, 'hold', 0, 20, 0, 1700000000);
PRAGMA user_version = 1;
"""


@pytest.fixture
def old(url: str, tmp_path: Path) -> str:
    """A database that version 1 left behind when it crashed."""
    with sqlite3.connect(tmp_path / "outwarden.db") as connection:
        connection.executescript(VERSION_1)
    return url


def test_everything_is_kept(old: str, account: Make, clock: Clock, tmp_path: Path) -> None:
    """Balances, the journal and the hold of the crashed process: all there, and all that is new works on it."""
    ledger = Ledger(open_store(old), clock=clock)
    (state,) = ledger.states()
    assert (state.posted, state.pending, state.debt, state.limit) == (30, 20, 5, 100)
    assert ledger.recover() == 1
    rolling = account(50, name="new", window="rolling 60s")
    assert isinstance(ledger.hold("h", [account(100), rolling], Amounts(45, 0)), Held)
    ledger.post("h", Amounts(45, 0))
    assert [state.posted for state in ledger.states()] == [95, 45]
    assert ledger.drift() == []
    ledger.close()
    with sqlite3.connect(tmp_path / "outwarden.db") as connection:
        assert connection.execute("SELECT version_num FROM ledger_version").fetchall() == [(schema.VERSION,)]
        assert connection.execute("PRAGMA user_version").fetchone() == (schema.OLD_NUMBER,)  # for older programs


def test_the_steps_end_at_the_present_version() -> None:
    """One line of steps, which new tables take the number of the last of."""
    config = Config()
    config.set_main_option("script_location", str(migrations.FOLDER))
    steps = ScriptDirectory.from_config(config)
    assert steps.get_heads() == [schema.VERSION]
    assert [step.revision for step in steps.walk_revisions()] == [f"{n:04}" for n in range(int(schema.VERSION), 0, -1)]


def test_what_is_done_is_told_once(old: str, caplog: pytest.LogCaptureFixture) -> None:
    """A line for who operates it, none of the tool's own."""
    with caplog.at_level("INFO"):
        open_store(old).close()
        open_store(old).close()
    assert [record.name for record in caplog.records] == ["outwarden.budget.migrations"]
    assert f"from 0001 to {schema.VERSION}" in caplog.text


def test_a_migrated_schema_is_the_new_one(old: str, tmp_path: Path) -> None:
    """Tables, columns and indexes are those of a database that was made new."""
    open_store(old).close()
    open_store(f"sqlite:///{tmp_path / 'new.db'}").close()

    def shape(name: str) -> dict[str, Any]:
        with sqlite3.connect(tmp_path / name) as connection:
            tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            columns = {table: set(_columns(connection, table)) for table in tables}
            return columns | {"indexes": {row[0] for row in connection.execute(_INDEXES)}}

    assert shape("outwarden.db") == shape("new.db")


_INDEXES = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql NOT NULL"


def _columns(connection: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    """Name, type, whether it may be empty, default, place in the key: not the order, which nothing depends on."""
    return [tuple(row[1:]) for row in connection.execute(f"PRAGMA table_info({table})")]


def _open(url: str) -> None:
    open_store(url).close()


def test_several_processes_migrate_at_once(old: str) -> None:
    """One does it, the others find it done."""
    context = get_context("fork")
    children = [context.Process(target=_open, args=(old,)) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(30)
    assert [child.exitcode for child in children] == [0] * 4
    assert Ledger(open_store(old)).drift() == []


def test_a_failing_migration_leaves_the_old_database(old: str, tmp_path: Path) -> None:
    """All of it or nothing: a table in the way stops it, and nothing of version 1 has changed."""
    path = tmp_path / "outwarden.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE INDEX entries_account ON holds (opened)")
    with pytest.raises(StateError, match="entries_account"):
        open_store(old)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'ledger_version'").fetchall()
        assert [row[1] for row in connection.execute("PRAGMA table_info(accounts)")][-1] == "touched"
