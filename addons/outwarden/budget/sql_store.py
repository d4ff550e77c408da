"""The ledger's database through SQLAlchemy Core, whichever it is: what is read of it, and what happens outside a step.

The statements are Core expressions (`statements`), compiled once for each database and run on the driver's own cursor.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from outwarden.budget import statements
from outwarden.budget.accounts import Account
from outwarden.budget.ageing import Charge, Standing
from outwarden.budget.dialects import Statement
from outwarden.budget.owners import Owner
from outwarden.budget.server_connection import SqlServerConnection
from outwarden.budget.server_transaction import ServerTransaction
from outwarden.budget.sql_connection import SqlConnection
from outwarden.budget.sql_rows import account_in, key_of, moment, order_in, rolls, seconds, standing_in
from outwarden.budget.sql_transaction import SqlTransaction
from outwarden.budget.sqlite_connection import SqliteConnection
from outwarden.budget.store import Order, RestRow, Store, Transaction
from outwarden.errors import StateError

CROWD_MAX = 20_000  # accounts of identical calls, each body one: half a minute of a busy machine's calls; 6 MB
_EXPECTED = (
    "sqlite:///path, postgresql+psycopg://user@host/database, mariadb+pymysql://user@host/database or redis://host"
)


def open_store(url: str) -> Store:
    """Open the database at a SQLAlchemy URL, and make or migrate its tables where that is needed.

    Raises StateError where it cannot be used: another scheme, no answer, no right to write, made by a newer version.
    No message tells a password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StateError(f"the database URL cannot be read; expected {_EXPECTED}") from None
    return SqlStore(_connection(parsed, url))


def _connection(url: URL, written: str) -> SqlConnection:
    match url.drivername:
        case "sqlite" | "sqlite+pysqlite":
            return SqliteConnection(written, url.database or ":memory:")
        case "postgresql" | "postgresql+psycopg":
            return _postgres(url)
        case "mariadb" | "mysql" | "mariadb+pymysql" | "mysql+pymysql":
            return _mariadb(url)
    raise StateError(f"no ledger can be kept in {url.drivername}; expected {_EXPECTED}")


def _postgres(url: URL) -> SqlConnection:
    try:
        from outwarden.budget.postgres_connection import PostgresConnection
    except ImportError as error:
        raise StateError(f"PostgreSQL needs psycopg: install outwarden[postgresql] ({error})") from None
    from outwarden.budget.server_schema import prepared

    return prepared(PostgresConnection(url))


def _mariadb(url: URL) -> SqlConnection:
    try:
        from outwarden.budget.mariadb_connection import MariaConnection
    except ImportError as error:
        raise StateError(f"MariaDB needs PyMySQL: install outwarden[mariadb] ({error})") from None
    from outwarden.budget.server_schema import prepared

    return prepared(MariaConnection(url))


class SqlStore:
    """A `Store` in an SQL database. Threads may share it; any number of processes may open the same database."""

    def __init__(self, connection: SqlConnection) -> None:
        self.connection = connection
        self._kind = connection.kind
        self._server = connection if isinstance(connection, SqlServerConnection) else None

    def transaction(self) -> Transaction:
        return ServerTransaction(self, self._server) if self._server else SqlTransaction(self)

    def standing(self, account: Account) -> Standing:
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
        rows = self.run_sql(statements.paused_sql(self._kind, len(targets)), targets) if targets else ()
        return rows[0][0] if rows else None

    def drained(self) -> list[str]:
        return [target.removeprefix("upstream ") for (target,) in self.run(statements.DRAINED, {})]

    def rests(self) -> list[RestRow]:
        return [
            RestRow(row.name, row.owner, row.why, moment(row.until / 1000), moment(row.written / 1000))
            for row in self.read(statements.RESTS)
        ]

    def keep_rest(self, row: RestRow) -> None:
        values = {"r_name": row.name, "r_owner": row.owner, "r_why": row.why}
        until, written = (int(at.timestamp() * 1000) for at in (row.until, row.written))
        self.run(statements.KEEP_REST, {**values, "r_until": until, "r_written": written})

    def end_rest(self, name: str, owner: str) -> None:
        self.run(statements.END_REST, {"r_name": name, "r_owner": owner})

    def forget_rests(self, before: datetime) -> None:
        self.run(statements.FORGET_RESTS, {"before": int(before.timestamp() * 1000)})

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
            if self._server and not self.run(statements.LOCK_PRUNING, {}):
                return 0
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
                for sql in statements.forget_sql(self._kind, len(gone)):
                    self.run_sql(sql, [number for (number,) in gone])
            return max(len(old), len(gone))

    def close(self) -> None:
        self.connection.close()

    def read(self, statement: Statement, given: Mapping[str, Any] | None = None) -> list[Any]:
        """Run a select; its rows have the names of its columns."""
        return [statement.shape(*row) for row in self.run(statement, given or {})]

    def run(self, statement: Statement, given: Mapping[str, Any]) -> list[Any]:
        """Run one statement and return its rows as tuples."""
        compiled = statement.on(self._kind)
        return self.connection.execute(compiled.sql, compiled.values(given)).rows

    def run_sql(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Run SQL in the database's own words. Raises StoreUnavailable, without SQL or values."""
        return self.connection.execute(sql, values).rows

    def changed(self, statement: Statement, given: Mapping[str, Any]) -> bool:
        """Run a statement; tell whether it changed any row."""
        compiled = statement.on(self._kind)
        return self.connection.execute(compiled.sql, compiled.values(given)).changed > 0
