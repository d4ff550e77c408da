"""A ledger's tables in plain SQL, whatever it is kept in: Redis is copied into tables of the same form."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any, Protocol, cast

from outwarden.budget import Store
from outwarden.budget.redis_rows import (
    CARRIED,
    LEDGER,
    ORDERS,
    OWNERS,
    UNKNOWN,
    AccountRow,
    account_in,
    account_key,
    entries_key,
    hold_key,
    kept_in,
    line_in,
)
from outwarden.budget.redis_store import RedisStore
from outwarden.budget.sql_store import SqlStore

TABLES = ("charges", "entries", "accounts", "holds", "owners", "pauses", "orders")

Rows = Iterator[tuple[Any, ...]]


class Tables(Protocol):
    """What a ledger has written."""

    def empty(self) -> None:
        """Begin with nothing."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query finds now."""


def tables_of(store: Store) -> Tables:
    """The tables of a store."""
    return RedisTables(store) if isinstance(store, RedisStore) else SqlTables(cast(SqlStore, store))


class SqlTables:
    """The tables themselves."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def empty(self) -> None:
        for table in TABLES:
            self.rows(f"DELETE FROM {table}")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._store.run_sql(sql)]


class RedisTables:
    """A copy in SQLite, which is made anew where anything has been written since."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self._changes = ""
        self._copy = sqlite3.connect(":memory:", isolation_level=None)
        for name, columns in COLUMNS.items():
            self._copy.execute(f"CREATE TABLE {name} ({columns})")

    def empty(self) -> None:
        self._do("FLUSHDB")
        self._do("SET", LEDGER, self._store.ledger)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        if (changes := self._written()) != self._changes:
            self._changes = changes
            self._make_copy()
        return self._copy.execute(sql).fetchall()

    def _do(self, *command: Any) -> Any:
        return self._store.connection.execute(command[0], command[1:]).rows

    def _written(self) -> str:
        """How much was written so far."""
        said: str = self._do("INFO", "persistence")
        return next(line for line in said.splitlines() if line.startswith("rdb_changes_since_last_save"))

    def _make_copy(self) -> None:
        accounts = [account_in(text) for text in self._values(account_key("*"))]
        found = {
            "accounts": ((r.number, r.budget, r.id, r.starts, *r.balance) for r in accounts),
            "holds": self._holds(),
            "entries": self._entries(accounts),
            "owners": self._owners(),
            "orders": ((json.loads(text)[0],) for text in self._do("LRANGE", ORDERS, 0, -1)),
        }
        for name, rows in found.items():
            self._copy.execute(f"DELETE FROM {name}")
            marks = ", ".join("?" * (COLUMNS[name].count(",") + 1))
            self._copy.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)

    def _holds(self) -> Rows:
        keys = self._do("KEYS", hold_key("*"))
        for key, text in zip(keys, self._do("MGET", *keys) if keys else (), strict=True):
            kept = kept_in(text)
            yield key.removeprefix(hold_key("")), kept.owner, kept.state, *kept.amounts

    def _owners(self) -> Rows:
        """Those that said who they are, or that they end: of others only holds are known, and SQL keeps no row."""
        for owner, text in self._hash(OWNERS):
            *who, _, ended = json.loads(text)
            if ended or who != json.loads(UNKNOWN)[:3]:
                yield owner, ended

    def _entries(self, accounts: list[AccountRow]) -> Rows:
        """The lines of accounts that there are: those of a forgotten one are nobody's."""
        numbers = {row.number for row in accounts}
        for number, text in self._hash(CARRIED):
            yield "", 0, int(number), "carried", *json.loads(text)
        keys = self._do("KEYS", entries_key("*"))
        asked = [("LRANGE", (key, 0, -1)) for key in keys]
        lists = self._store.connection.batch(asked) if asked else []
        for key, found in zip(keys, lists, strict=True):
            for line in map(line_in, found.rows):
                if line.account in numbers:
                    yield key.removeprefix(entries_key("")), line.number, line.account, line.step, *line.change

    def _values(self, pattern: str) -> list[str]:
        keys = self._do("KEYS", pattern)
        return cast(list[str], self._do("MGET", *keys)) if keys else []

    def _hash(self, key: str) -> Iterator[tuple[str, str]]:
        found = self._do("HGETALL", key)
        return zip(found[::2], found[1::2], strict=True)


# What is looked at of each table, in the order of the rows above.
_PARTS = "posted, pending, debt, credit"
COLUMNS = {
    "accounts": f"number, budget, id, starts, {_PARTS}",
    "holds": "id, owner, state, usd, tokens, requests",
    "entries": f"hold, number, account, step, {_PARTS}",
    "owners": "id, ended",
    "orders": "number",
}
