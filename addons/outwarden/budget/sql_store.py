"""The ledger's database through SQLAlchemy Core: one connection, one writer at a time.

SQLite in WAL mode with ``synchronous=NORMAL``: a crash of the process loses nothing; a crash of the machine may lose
the last moments, never half a transaction. The statements are Core expressions (`statements.py`) compiled once
and run on the driver's own cursor: measured, 6 µs a statement instead of 38 (`exec_driver_sql`) or 66
(Core). SQLAlchemy keeps the connection, the dialect and the schema.
"""

import os
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, StaticPool, create_engine, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from outwarden.budget import schema, statements
from outwarden.budget.accounts import Account
from outwarden.budget.ageing import Charge, Standing, idle_s, refill
from outwarden.budget.limits import Budget
from outwarden.budget.migrations import MIGRATIONS, migrate
from outwarden.budget.owners import Owner
from outwarden.budget.statements import Statement
from outwarden.budget.states import Amounts, Balance
from outwarden.budget.store import Entry, HoldRow, HoldState, Step, Store
from outwarden.budget.windows import moving
from outwarden.errors import StateError, StoreUnavailable

_BUSY_MS = 2_000  # how long a writer waits for the others: 50 writers of 0.3 ms each are long done by then
_AMOUNT_MAX = 2**62  # SQLite turns a sum past 2**63 into a float, silently: no limit and no change comes near
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
            rows = self.read(statements.ACCOUNT, _key(account))
            if not rows:
                return Standing()
            charges = self.run(statements.CHARGES, {"c_account": rows[0].number}) if _rolls(account) else ()
        return _standing(rows[0], [Charge(*charge) for charge in charges])

    def standings(self, at: datetime) -> list[tuple[Account, Standing]]:
        return [
            (_account(row), _standing(row, [Charge(0, row.gone_posted, row.gone_debt, row.gone_credit)]))
            for row in self.read(statements.CURRENT, {"at": _seconds(at)})
        ]

    def register(self, owner: Owner, at: datetime) -> None:
        values = {"o_id": owner.id, "o_pid": owner.pid, "o_started": owner.started, "o_host": owner.host}
        self.run(statements.REGISTER, {**values, "o_seen": _seconds(at)})

    def owners(self) -> list[tuple[Owner, datetime, bool]]:
        return [
            (Owner(row.id, row.pid, row.started, row.host), _moment(row.seen), bool(row.ended))
            for row in self.read(statements.OWNERS)
        ]

    def end(self, owner: str) -> None:
        self.run(statements.END_OWNER, {"o_id": owner})
        self.run(statements.FORGET_OWNER, {"o_id": owner})

    def drift(self) -> list[str]:
        return [f"{row.budget}/{row.scope}/{row.id}" for row in self.read(statements.DRIFT)]

    def prune(self, at: datetime, keep_entries: datetime, keep_accounts: datetime, most: int) -> int:
        before, window = _seconds(keep_entries), {"at": _seconds(at), "before": _seconds(keep_accounts)}
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


class SqlTransaction:
    """One `Transaction`; see `store.py` for what each step promises."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._run = store.run
        self._undone = False

    def __enter__(self) -> Self:
        self._store.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._store.finish(commit=kind is None and not self._undone)

    def undo(self) -> None:
        self._undone = True

    def open_hold(self, hold_id: str, owner: str, amounts: Amounts, at: datetime) -> bool:
        values = {"h_id": hold_id, "h_owner": owner, **_amounts(amounts), "h_at": _seconds(at)}
        return bool(self._run(statements.OPEN_HOLD, values))

    def hold(self, hold_id: str) -> HoldRow | None:
        rows = self._store.read(statements.HOLD, {"h_id": hold_id})
        return _hold_row(rows[0]) if rows else None

    def grow_hold(self, hold_id: str, amounts: Amounts) -> int | None:
        rows = self._run(statements.GROW_HOLD, {"h_id": hold_id, **_amounts(amounts)})
        return rows[0][0] if rows else None

    def close_hold(self, hold_id: str, state: HoldState, at: datetime) -> int | None:
        rows = self._run(statements.CLOSE_HOLD, {"h_id": hold_id, "h_state": state, "h_at": _seconds(at)})
        return rows[0][0] if rows else None

    def age(self, account: Account, at: datetime) -> Entry | None:
        window = moving(account.budget.window)
        rows = self._store.read(statements.ACCOUNT, _key(account)) if window else ()
        if window is None or not rows:
            return None
        number = rows[0].number
        change = self._refill(account, rows[0], at) if window.kind == "refill" else self._roll(number, at)
        if not any(change):
            return None
        self.move(number, change, at)
        return Entry(number, change)

    def _refill(self, account: Account, row: Any, at: datetime) -> Balance:
        done = refill(account.budget, _standing(row), _seconds(at))
        if (done.refilled, done.carry) != (row.refilled, row.carry):
            self._run(statements.REFILL, {"a_number": row.number, "a_refilled": done.refilled, "a_carry": done.carry})
        return done.change

    def _roll(self, number: int, at: datetime) -> Balance:
        values = {"c_account": number, "at": _seconds(at)}
        posted, debt, credit = self._run(statements.GONE, values)[0]
        if posted is None:
            return Balance()
        self._run(statements.FORGET_CHARGES, values)
        return Balance(-posted, 0, -debt, -credit)

    def reserve(self, account: Account, amount: int, at: datetime) -> tuple[int, Balance] | None:
        budget = account.budget
        limit = min(budget.capacity, _AMOUNT_MAX) if budget.on_exceeded == "refuse" else _AMOUNT_MAX
        if (limit <= 0 or amount > limit) and not self._is_topped_up(account):
            return None  # the first of an account has nothing to compare with in the statement
        values = {
            **_key(account),
            "a_amount": amount,
            "a_limit": limit,
            "a_at": _seconds(at),
            "a_idle_s": idle_s(account),
        }
        values |= {"a_limit_seen": min(budget.limit, _AMOUNT_MAX), "a_burst_seen": budget.burst}
        values["a_ends"] = _optional_seconds(account.window_end)
        rows = self._run(statements.RESERVE, values)
        return (rows[0][0], Balance(*rows[0][1:])) if rows else None

    def _is_topped_up(self, account: Account) -> bool:
        rows = self._store.read(statements.ACCOUNT, _key(account))
        return bool(rows) and rows[0].credit > 0

    def move(self, account: int, change: Balance, at: datetime) -> Balance:
        values = {"a_number": account, "a_at": _seconds(at), **_named("a", change)}
        return Balance(*self._run(statements.MOVE, values)[0])

    def charge(self, account: int, leaves: int, change: Balance) -> None:
        self._run(statements.CHARGE, {"c_account": account, "c_leaves": leaves, **_named("c", change)})

    def enter(self, hold_id: str, number: int, step: Step, lines: Sequence[Entry], at: datetime) -> None:
        if lines:
            seconds = _seconds(at)
            flat = [v for line in lines for v in (hold_id, number, line.account, step, *line.change, seconds)]
            self._store.run_sql(statements.enter_sql(len(lines)), tuple(flat))

    def pending(self, hold_id: str) -> list[tuple[int, Account, int]]:
        rows = self._store.read(statements.PENDING, {"e_hold": hold_id})
        return [(row.number, _account(row), row.amount) for row in rows]

    def open_holds(self, owner: str, most: int) -> list[HoldRow]:
        return [_hold_row(row) for row in self._store.read(statements.OPEN_HOLDS, {"h_owner": owner, "most": most})]


# --- opening -------------------------------------------------------------------------------------------------------


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


# --- values to rows and back ---------------------------------------------------------------------------------------


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _optional_seconds(at: datetime | None) -> int | None:
    return None if at is None else _seconds(at)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _key(account: Account) -> dict[str, Any]:
    budget = account.budget
    return {
        "a_budget": budget.name,
        "a_scope": budget.scope,
        "a_id": account.id,
        "a_unit": budget.unit,
        "a_window": budget.window,
        "a_starts": _seconds(account.window_start) if account.window_start else 0,
    }


def _amounts(amounts: Amounts) -> dict[str, int]:
    return {"h_usd": amounts.usd, "h_tokens": amounts.tokens, "h_requests": amounts.requests}


def _named(table: str, change: Balance) -> dict[str, int]:
    return {f"{table}_{part}": amount for part, amount in zip(Balance._fields, change, strict=True)}


def _rolls(account: Account) -> bool:
    window = moving(account.budget.window)
    return window is not None and window.kind != "refill"


def _standing(row: Any, charges: Sequence[Charge] = ()) -> Standing:
    return Standing(Balance(row.posted, row.pending, row.debt, row.credit), charges, row.refilled, row.carry)


def _hold_row(row: Any) -> HoldRow:
    amounts = Amounts(row.usd, row.tokens, row.requests)
    return HoldRow(row.id, row.owner, row.state, amounts, _moment(row.opened))


def _account(row: Any) -> Account:
    budget = Budget(row.budget, row.scope, row.limit_seen, row.unit, row.window, burst=row.burst_seen)
    starts = _moment(row.starts) if row.ends is not None else None
    return Account(budget, row.id, starts, None if row.ends is None else _moment(row.ends))
