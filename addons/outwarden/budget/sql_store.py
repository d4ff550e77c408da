"""The ledger's database through SQLAlchemy Core: one connection, one writer at a time.

SQLite in WAL mode with ``synchronous=NORMAL``: a crash of the process loses nothing; a crash of the machine may lose
the last moments, never half a transaction. The statements are Core expressions (`statements.py`) compiled once
and run on the driver's own cursor: measured, 6 µs a statement instead of 38 (`exec_driver_sql`) or 66
(Core). SQLAlchemy keeps the connection, the dialect and the schema.
"""

import os
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, StaticPool, create_engine, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from outwarden.budget import schema, statements
from outwarden.budget.accounts import Account
from outwarden.budget.ageing import Charge, Standing
from outwarden.budget.migrations import MIGRATIONS, migrate
from outwarden.budget.owners import Owner
from outwarden.budget.sql_rows import account_in, key_of, moment, order_in, rolls, seconds, standing_in
from outwarden.budget.sql_transaction import SqlTransaction
from outwarden.budget.statements import Statement
from outwarden.budget.store import Order, Store
from outwarden.errors import StateError, StoreUnavailable

_BUSY_MS = 2_000  # how long a writer waits for the others: 50 writers of 0.3 ms each are long done by then
_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={_BUSY_MS}")
CROWD_MAX = 20_000  # accounts of identical calls, each body one: half a minute of a busy machine's calls; 6 MB
_CHECKED_BYTES_MAX = 64 * 1024 * 1024  # quick_check reads the whole file: 64 MiB take some 0.2 s


def open_store(url: str) -> Store:
    """Open the database at a SQLAlchemy URL (``sqlite:////path/outwarden.db``), and make its tables if it is new.

    Raises StateError where it cannot be used: another scheme, read-only, not a database, made by another version.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StateError("the database URL cannot be read; expected sqlite:///path") from None
    if parsed.get_backend_name() != "sqlite":
        raise StateError(f"no ledger can be kept in {parsed.get_backend_name()} yet; use sqlite:///path")
    path = parsed.database or ":memory:"
    return SqlStore(url, path)


class SqlStore:
    """A `Store` in one SQLite file. Safe to share between threads (they take turns) and processes (SQLite does)."""

    def __init__(self, url: str, path: str) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._engine = _engine(url)
        self._database_error: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        self._connection: Connection | None = None
        self._cursor: Any = None
        try:
            _create_private(path)
            _prepare(self._connect(), path)
        except (SQLAlchemyError, OSError) as error:
            self.close()
            raise StateError(f"the database {path} cannot be used: {_reason(error)}") from None
        except StateError:
            self.close()
            raise

    def transaction(self) -> "SqlTransaction":
        return SqlTransaction(self)

    def standing(self, account: Account) -> Standing:
        with self._lock:
            rows = self.read(statements.ACCOUNT, key_of(account))
            if not rows:
                return Standing()
            charges = self.run(statements.CHARGES, {"c_account": rows[0].number}) if rolls(account) else ()
        return standing_in(rows[0], [Charge(*charge) for charge in charges])

    def standings(self, at: datetime) -> list[tuple[Account, Standing]]:
        return [
            (account_in(row), standing_in(row, [Charge(0, row.gone_posted, row.gone_debt, row.gone_credit)]))
            for row in self.read(statements.CURRENT, {"at": seconds(at)})
        ]

    def pauses(self) -> list[str]:
        return [target for (target,) in self.run(statements.PAUSES, {})]

    def is_paused(self, targets: Sequence[str]) -> str | None:
        rows = self.run_sql(statements.paused_sql(len(targets)), targets) if targets else ()
        return rows[0][0] if rows else None

    def untold(self) -> list[Order]:
        return [order_in(row) for row in self.read(statements.UNTOLD)]

    def tell(self, order: int) -> bool:
        return self.changed(statements.TELL, {"number": order})

    def orders(self) -> list[Order]:
        return [order_in(row) for row in reversed(self.read(statements.ORDERS))]

    def register(self, owner: Owner, at: datetime) -> None:
        values = {"o_id": owner.id, "o_pid": owner.pid, "o_started": owner.started, "o_host": owner.host}
        self.run(statements.REGISTER, {**values, "o_seen": seconds(at)})

    def owners(self) -> list[tuple[Owner, datetime, bool]]:
        return [
            (Owner(row.id, row.pid, row.started, row.host), moment(row.seen), bool(row.ended))
            for row in self.read(statements.OWNERS)
        ]

    def end(self, owner: str) -> None:
        self.run(statements.END_OWNER, {"o_id": owner})
        self.run(statements.FORGET_OWNER, {"o_id": owner})

    def drift(self) -> list[str]:
        return [f"{row.budget}/{row.scope}/{row.id}" for row in self.read(statements.DRIFT)]

    def prune(self, at: datetime, keep_entries: datetime, keep_accounts: datetime, most: int) -> int:
        before, window = seconds(keep_entries), {"at": seconds(at), "before": seconds(keep_accounts)}
        with self.transaction():
            old = self.run(statements.OLD_HOLDS, {"before": before, "most": most})
            for (hold,) in old:
                self.run(statements.CARRY, {"e_hold": hold, "e_at": before})
                self.run(statements.FORGET_ENTRIES, {"e_hold": hold})
                self.run(statements.FORGET_HOLD, {"h_id": hold})
            gone = self.run(statements.OLD_ACCOUNTS, {**window, "most": most})
            if not gone:
                crowd = self.run(statements.CROWD, {})[0][0] - CROWD_MAX
                gone = self.run(statements.QUIETEST, {"most": min(crowd, most)}) if crowd > 0 else []
            if gone:
                for sql in statements.forget_sql(len(gone)):
                    self.run_sql(sql, [number for (number,) in gone])
            return max(len(old), len(gone))

    def close(self) -> None:
        with self._lock:
            self._cursor = None
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            self._engine.dispose()

    def read(self, statement: Statement, given: Mapping[str, Any] | None = None) -> list[Any]:
        """Run a select; its rows have the names of its columns."""
        return [statement.shape(*row) for row in self.run(statement, given or {})]

    def run(self, statement: Statement, given: Mapping[str, Any]) -> list[Any]:
        """Run one statement and return its rows as tuples."""
        return self.run_sql(statement.sql, statement.values(given))

    def run_sql(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Run SQL under the lock, on a new connection if the last one was given up.

        Every failure of the database becomes StoreUnavailable, without SQL or values.
        """
        with self._lock:
            try:
                if self._cursor is None:
                    self._connect()
                self._cursor.execute(sql, values)
                rows: list[Any] = self._cursor.fetchall()
            except (SQLAlchemyError, self._database_error) as error:
                raise StoreUnavailable(f"the database {self._path} does not answer: {_reason(error)}") from None
            return rows

    def changed(self, statement: Statement, given: Mapping[str, Any]) -> bool:
        """Run a statement; tell whether it changed any row."""
        with self._lock:
            self.run(statement, given)
            return bool(self._cursor.rowcount > 0)

    def begin(self) -> None:
        """Take the lock and become the one writer."""
        self._lock.acquire()
        try:
            self.run_sql("BEGIN IMMEDIATE")
        except BaseException:
            self._lock.release()
            raise

    def finish(self, *, commit: bool) -> None:
        """Commit or roll back, and let the next writer in. A connection that cannot do even that is given up."""
        try:
            self.run_sql("COMMIT" if commit else "ROLLBACK")
        except StoreUnavailable:
            self._give_up()
            if commit:
                raise
        finally:
            self._lock.release()

    def _give_up(self) -> None:
        if self._connection is not None:
            self._cursor = None
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _connect(self) -> Connection:
        """Connect, and keep one cursor of the driver: SQLAlchemy owns the connection, the cursor runs our SQL."""
        self._connection = self._engine.connect()
        for pragma in _PRAGMAS:
            self._connection.exec_driver_sql(f"PRAGMA {pragma}")
        self._cursor = self._connection.connection.cursor()
        return self._connection


def _engine(url: str) -> Engine:
    # The driver's own transactions are off: BEGIN IMMEDIATE and COMMIT are ours. Values never reach a message.
    arguments = {"check_same_thread": False, "isolation_level": None, "timeout": _BUSY_MS / 1000}
    return create_engine(url, connect_args=arguments, poolclass=StaticPool, hide_parameters=True)


def _create_private(path: str) -> None:
    """Make the file before SQLite does, readable for its owner alone: it names people."""
    if path != ":memory:" and not path.startswith("file:") and not Path(path).exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _prepare(connection: Connection, path: str) -> None:
    if Path(path).is_file() and Path(path).stat().st_size <= _CHECKED_BYTES_MAX:
        problem = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if problem != "ok":
            raise StateError(f"the database {path} is damaged: {problem}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        _make_tables(connection, path)
        # Writes even where nothing changes: what is read-only fails here and not at the first call.
        connection.exec_driver_sql(f"PRAGMA user_version={schema.VERSION}")
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")


def _make_tables(connection: Connection, path: str) -> None:
    version = connection.exec_driver_sql("PRAGMA user_version").scalar() or 0
    if version == schema.VERSION:
        return
    if version in MIGRATIONS:
        migrate(connection, version)
        return
    if version:
        raise StateError(f"the database {path} was made by another version of Outwarden (schema {version})")
    if strangers := inspect(connection).get_table_names():
        raise StateError(f"the database {path} is not a ledger: it has a table {strangers[0]!r}")
    schema.metadata.create_all(connection)


def _reason(error: Exception) -> str:
    """What the database itself says: no statement, no value."""
    return str(getattr(error, "orig", None) or getattr(error, "strerror", None) or error)
