"""Fold old entries and forget old accounts in Redis, a little at a time: who looks for them keeps nobody waiting.

Redis has no index of what is old. Accounts are looked at in the order of their numbers, `LOOK_AT` each time, without
a lock; those that seem old are looked at again in a turn (`redis_transaction`), and go if they are as they were.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from outwarden.budget.redis_rows import (
    ACCOUNTS,
    CARRIED,
    CLOSED,
    OWNERS,
    AccountRow,
    account_key,
    charges_key,
    entries_key,
    hold_key,
    line_in,
    open_key,
    written,
)
from outwarden.budget.redis_transaction import CHUNK, RedisTransaction
from outwarden.budget.sql_store import CROWD_MAX

if TYPE_CHECKING:
    from outwarden.budget.redis_store import RedisStore

LOOK_AT = 2 * CHUNK  # some 20 ms of ours
COUNT_EVERY_S = 60  # a crowd is counted by looking at all accounts


class RedisPruning:
    """Where one process is with it."""

    def __init__(self, store: "RedisStore") -> None:
        self._store = store
        self._seen = 0  # the number up to which accounts were looked at
        self._crowded = False  # at the last count there were too many, and not all of these have gone
        self._counted_at = -COUNT_EVERY_S

    def prune(self, at: int, keep_entries: int, keep_accounts: int, most: int) -> int:
        """As `Store.prune`; times are seconds."""
        connection = self._store.connection
        closed = ("ZRANGEBYSCORE", (CLOSED, "-inf", f"({keep_entries}", "LIMIT", 0, most))
        has_old = bool(connection.execute(*closed).rows)
        rows = self._old_rows(at, keep_accounts, most) or self._crowd(at, most)
        if not has_old and not rows:
            return 0
        with self._store.transaction() as transaction:
            old = transaction.read([closed])[0]
            gone = self._unchanged(transaction, rows)
            self._fold(transaction, old, {row.number for row in gone})
            for row in gone:
                transaction.write(("DEL", (account_key(row.name), charges_key(row.name))))
                transaction.write(("ZREM", (ACCOUNTS, row.name)), ("HDEL", (CARRIED, row.number)))
            return max(len(old), len(gone))

    def _old_rows(self, at: int, before: int, most: int) -> list[AccountRow]:
        """The next accounts that are old; begins anew behind the last."""
        after = (ACCOUNTS, f"({self._seen}", "+inf", "LIMIT", 0, LOOK_AT)
        names = self._store.connection.execute("ZRANGEBYSCORE", after).rows
        rows = self._store.rows_of(names)
        old = [row for row in rows if _is_old(row, at, before)]
        if len(old) > most:
            self._seen = old[most - 1].number
            return old[:most]
        self._seen = rows[-1].number if rows and len(names) == LOOK_AT else 0
        return old

    def _crowd(self, at: int, most: int) -> list[AccountRow]:
        """The quietest accounts of identical calls, where these are too many."""
        count: Any = self._store.connection.execute("ZCARD", (ACCOUNTS,)).rows
        if count <= CROWD_MAX:
            return []
        if not self._crowded and 0 <= at - self._counted_at < COUNT_EVERY_S:
            return []
        crowd = [row for row in self._store.rows() if row.idle_s is not None]
        excess = max(0, len(crowd) - CROWD_MAX)
        self._counted_at, self._crowded = at, excess > most
        quiet = sorted((row for row in crowd if not row.pending), key=lambda row: row.touched)
        return quiet[: min(excess, most)]

    def _unchanged(self, transaction: RedisTransaction, rows: Sequence[AccountRow]) -> list[AccountRow]:
        """Those that are as they were, and that no open hold has anything to do with."""
        if not rows:
            return []
        now = {row.name: row for row in transaction.rows([row.name for row in rows])}
        owners = transaction.read([("HKEYS", (OWNERS,))])[0]
        running = transaction.read([("SMEMBERS", (open_key(owner),)) for owner in owners])
        found = transaction.read([("LRANGE", (entries_key(i), 0, -1)) for ids in running for i in ids])
        used = {line_in(text).account for texts in found for text in texts}
        return [row for row in rows if now.get(row.name) == row and row.number not in used]

    def _fold(self, transaction: RedisTransaction, holds: Sequence[str], gone: set[int]) -> None:
        """Add the lines of holds to what is carried of each account that stays, and forget them."""
        found = transaction.read([("LRANGE", (entries_key(hold), 0, -1)) for hold in holds])
        lines = [line_in(text) for texts in found for text in texts]
        there = {row.number for row in transaction.rows(sorted({line.name for line in lines}))} - gone
        sums: dict[int, list[int]] = {}
        for line in lines:
            if line.account in there:
                have = sums.get(line.account, [0, 0, 0, 0])
                sums[line.account] = [a + b for a, b in zip(have, line.change, strict=True)]
        for number, text in zip(sums, transaction.read([("HGET", (CARRIED, number)) for number in sums]), strict=True):
            total = [a + b for a, b in zip(sums[number], json.loads(text or "[0,0,0,0]"), strict=True)]
            transaction.write(("HSET", (CARRIED, number, written(total))))
        for hold in holds:
            transaction.write(("DEL", (hold_key(hold), entries_key(hold))), ("ZREM", (CLOSED, hold)))


def _is_old(row: AccountRow, at: int, before: int) -> bool:
    """As `statements` has it: of a past window, or silent for long, with nothing pending."""
    past = row.ends is not None and row.ends < before
    silent = row.scope == "session" and row.touched < before
    return not row.pending and (past or silent or (row.idle_s is not None and row.touched + row.idle_s < at))
