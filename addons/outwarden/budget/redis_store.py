"""The ledger in Redis or Valkey: what is read of it, and what happens outside a step (`redis_transaction`)."""

import json
import logging
import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from outwarden.budget.accounts import Account
from outwarden.budget.ageing import Charge, Standing
from outwarden.budget.owners import Owner
from outwarden.budget.redis_connection import RedisConnection
from outwarden.budget.redis_pruning import RedisPruning
from outwarden.budget.redis_rows import (
    ACCOUNTS,
    CARRIED,
    CLOSED,
    LEDGER,
    ORDERS,
    OWNERS,
    PAUSES,
    RESTS,
    UNTOLD,
    VERSION,
    AccountRow,
    account_in,
    account_key,
    charges_key,
    entries_key,
    line_in,
    name_of,
    open_key,
    written,
)
from outwarden.budget.redis_transaction import CHUNK, RedisTransaction
from outwarden.budget.server_connection import Lost
from outwarden.budget.sql_connection import Step
from outwarden.budget.sql_rows import account_in as account_of
from outwarden.budget.sql_rows import moment, rolls, seconds, standing_in
from outwarden.budget.store import Order, RestRow
from outwarden.errors import StateError, StoreUnavailable

_OF_UPSTREAM = "upstream "  # how `orders.Target` writes an upstream that is drained, among the keys and budgets paused
_CHECK_S = 10  # how long `drift` may keep the others waiting

logger = logging.getLogger(__name__)


def open_store(url: str) -> "RedisStore":
    """Open the ledger at ``redis://…`` or ``rediss://…`` (TLS); ``valkey`` is the same.

    Raises StateError where it cannot be there: no answer, a newer version, a replica, keys that may be evicted. No
    message tells a password. Warns where Redis keeps no append-only file.
    """
    try:
        connection = RedisConnection(make_url(url))
    except (ArgumentError, ValueError, TypeError):
        raise StateError("the database URL cannot be read; expected redis://user:password@host:6379/0") from None
    try:
        raw = connection.open()
    except Lost as error:
        raise StateError(f"the database ({connection.place}) does not answer: {error}") from None
    connection.discard(raw)
    try:
        _check(connection)
        return RedisStore(connection, _ledger(connection))
    except StoreUnavailable as error:
        raise StateError(str(error)) from None


def _check(connection: RedisConnection) -> None:
    """Refuse a server that could lose single keys or cannot write; say it where it could lose all."""
    lines = str(connection.execute("INFO").rows).splitlines()
    found = dict(line.split(":", 1) for line in lines if ":" in line)
    version = tuple(int(part) for part in found.get("redis_version", "0.0").split(".")[:2])
    place = f"the database ({connection.place})"
    if version < (6, 2):
        raise StateError(f"{place} is too old: Redis 6.2 is needed")
    if found.get("role") == "slave":
        raise StateError(f"{place} is a replica, which cannot be written to")
    if found.get("maxmemory", "0") != "0" and found.get("maxmemory_policy", "").startswith("allkeys"):
        raise StateError(f"{place} evicts keys when its memory is full; set maxmemory-policy noeviction")
    if found.get("aof_enabled") != "1":
        logger.warning("%s keeps no append-only file: what was spent is lost when it ends (appendonly yes)", place)


def _ledger(connection: RedisConnection) -> str:
    """What the ledger's own key says, made where there is none."""
    connection.execute("SET", (LEDGER, written([VERSION, secrets.token_hex(8)]), "NX"))
    found = str(connection.execute("GET", (LEDGER,)).rows)
    try:
        version = int(json.loads(found)[0])
    except (ValueError, TypeError, IndexError):
        raise StateError(f"the database ({connection.place}) has a key {LEDGER} of something else") from None
    if version > VERSION:
        raise StateError(
            f"the database ({connection.place}) was made by a newer version of Outwarden (schema {version})"
        )
    return found


class RedisStore:
    """A `Store` in Redis. Threads may share it; any number of processes may open the same one."""

    def __init__(self, connection: RedisConnection, ledger: str) -> None:
        self.connection = connection
        self.ledger = ledger
        self.lost_race = False  # the last transaction was undone for another's sake
        self._pruning = RedisPruning(self)

    def transaction(self) -> RedisTransaction:
        return RedisTransaction(self)

    def standing(self, account: Account) -> Standing:
        name = name_of(account)
        steps: list[Step] = [("GET", (account_key(name),)), ("GET", (LEDGER,))]
        if rolls(account):
            steps.append(("ZRANGE", (charges_key(name), 0, -1)))
        text, ledger, *charges = self._read(steps)
        if ledger != self.ledger:
            raise StoreUnavailable(f"the database ({self.connection.place}) has lost the ledger, or has another one")
        if text is None:
            return Standing()
        return standing_in(account_in(text), [Charge(*json.loads(charge)) for found in charges for charge in found])

    def standings(self, at: datetime) -> list[tuple[Account, Standing]]:
        shown = [(row, account_of(row)) for row in self.rows() if _is_shown(row, seconds(at))]
        rolling = [row.name for row, account in shown if rolls(account)]
        gone = self._read([("ZRANGEBYSCORE", (charges_key(name), "-inf", seconds(at))) for name in rolling])
        left = {name: [Charge(*json.loads(text)) for text in found] for name, found in zip(rolling, gone, strict=True)}
        return [(account, standing_in(row, [_sum(left.get(row.name, ()))])) for row, account in shown]

    def pauses(self) -> list[str]:
        return [target for target in self._paused() if not target.startswith(_OF_UPSTREAM)]

    def is_paused(self, targets: Sequence[str]) -> str | None:
        if not targets:
            return None
        found = self._read([("HMGET", (PAUSES, *targets))])[0]
        return next((target for target, since in zip(targets, found, strict=True) if since is not None), None)

    def drained(self) -> list[str]:
        return [target.removeprefix(_OF_UPSTREAM) for target in self._paused() if target.startswith(_OF_UPSTREAM)]

    def rests(self) -> list[RestRow]:
        found = self._read([("HGETALL", (RESTS,))])[0]
        return [_rest(key, text) for key, text in zip(found[::2], found[1::2], strict=True)]

    def keep_rest(self, row: RestRow) -> None:
        until, at = (int(each.timestamp() * 1000) for each in (row.until, row.written))
        self._read([("HSET", (RESTS, written([row.name, row.owner]), written([row.why, until, at])))])

    def end_rest(self, name: str, owner: str) -> None:
        self._read([("HDEL", (RESTS, written([name, owner])))])

    def forget_rests(self, before: datetime) -> None:
        for row in self.rests():
            if row.until < before:
                self.end_rest(row.name, row.owner)

    def untold(self) -> list[Order]:
        return [_order(text) for text in self._read([("ZRANGE", (UNTOLD, 0, 99))])[0]]

    def tell(self, order: int) -> bool:
        return bool(self._read([("ZREMRANGEBYSCORE", (UNTOLD, order, order))])[0])

    def orders(self) -> list[Order]:
        return [_order(text) for text in self._read([("LRANGE", (ORDERS, -1000, -1))])[0]]

    def register(self, owner: Owner, at: datetime) -> None:
        before = self._read([("HGET", (OWNERS, owner.id))])[0]
        seen = json.loads(before)[3] + 1 if before else 0  # no heartbeat looks like one before it: see `owners.Watch`
        kept = written([owner.pid, owner.started, owner.host, max(seconds(at), seen), 0])
        self._read([("HSET", (OWNERS, owner.id, kept))])

    def owners(self) -> list[tuple[Owner, datetime, bool]]:
        found = self._read([("HGETALL", (OWNERS,))])[0]
        kept = {id_: json.loads(text) for id_, text in zip(found[::2], found[1::2], strict=True)}
        return [(Owner(id_, *each[:3]), moment(each[3]), bool(each[4])) for id_, each in kept.items()]

    def end(self, owner: str) -> None:
        with self.transaction() as transaction:
            count, text = transaction.read([("SCARD", (open_key(owner),)), ("HGET", (OWNERS, owner))])
            if text and count:
                transaction.write(("HSET", (OWNERS, owner, written([*json.loads(text)[:4], 1]))))
            else:
                transaction.write(("HDEL", (OWNERS, owner)))

    def drift(self) -> list[str]:
        with RedisTransaction(self, _CHECK_S) as transaction:
            rows = transaction.all_rows()
            sums = {row.number: [0, 0, 0, 0] for row in rows}
            for number, change in self._changes(transaction):
                if number in sums:
                    sums[number] = [have + more for have, more in zip(sums[number], change, strict=True)]
            names = [row.name for row in rows if rolls(account_of(row))]
            found = transaction.read([("ZRANGE", (charges_key(name), 0, -1)) for name in names])
            charged = {
                n: _sum([Charge(*json.loads(each)) for each in texts]) for n, texts in zip(names, found, strict=True)
            }
        wrong = [row for row in rows if sums[row.number] != [*row.balance] or _misses(row, charged.get(row.name))]
        return [f"{row.budget}/{row.scope}/{row.id}" for row in wrong]

    def prune(self, at: datetime, keep_entries: datetime, keep_accounts: datetime, most: int) -> int:
        return self._pruning.prune(seconds(at), seconds(keep_entries), seconds(keep_accounts), most)

    def close(self) -> None:
        self.connection.close()

    def _read(self, steps: Sequence[Step]) -> list[Any]:
        return [done.rows for done in self.connection.batch(steps)] if steps else []

    def _paused(self) -> list[str]:
        return sorted(self._read([("HKEYS", (PAUSES,))])[0])

    def rows(self) -> Iterator[AccountRow]:
        """Every account, by number; others may write meanwhile."""
        names = self._read([("ZRANGE", (ACCOUNTS, 0, -1))])[0]
        for begin in range(0, len(names), CHUNK):
            yield from self.rows_of(names[begin : begin + CHUNK])

    def rows_of(self, names: Sequence[str]) -> list[AccountRow]:
        """Some accounts, as they are just now."""
        found = self._read([("MGET", [account_key(name) for name in names])])[0] if names else ()
        return [account_in(text) for text in found if text]

    def _changes(self, transaction: RedisTransaction) -> Iterator[tuple[int, Sequence[int]]]:
        """Every line of the journal: the account's number, and the change."""
        carried, closed, orders, owners = transaction.read(
            [("HGETALL", (CARRIED,)), ("ZRANGE", (CLOSED, 0, -1)), ("LRANGE", (ORDERS, 0, -1)), ("HKEYS", (OWNERS,))]
        )
        yield from ((int(n), json.loads(text)) for n, text in zip(carried[::2], carried[1::2], strict=True))
        running = transaction.read([("SMEMBERS", (open_key(owner),)) for owner in owners])
        holds = [*closed, *(f"order {json.loads(text)[0]}" for text in orders), *(i for ids in running for i in ids)]
        for begin in range(0, len(holds), CHUNK):
            for texts in transaction.read([("LRANGE", (entries_key(i), 0, -1)) for i in holds[begin : begin + CHUNK]]):
                yield from ((line.account, line.change) for line in map(line_in, texts))


def _is_shown(row: AccountRow, at: int) -> bool:
    """As `statements.CURRENT` has it."""
    current = row.ends is None or row.ends > at or row.pending > 0
    looks_like_a_loop = row.idle_s is None or 2 * row.balance.taken >= row.limit_seen
    return current and looks_like_a_loop and not row.window.startswith("rate ")


def _misses(row: AccountRow, charged: Charge | None) -> bool:
    return charged is not None and charged[1:] != (row.posted, row.debt, row.credit)


def _sum(charges: Sequence[Charge]) -> Charge:
    return Charge(0, sum(c.posted for c in charges), sum(c.debt for c in charges), sum(c.credit for c in charges))


def _rest(key: str, text: str) -> RestRow:
    (name, owner), (why, until, at) = json.loads(key), json.loads(text)
    return RestRow(name, owner, why, moment(until / 1000), moment(at / 1000))


def _order(text: str) -> Order:
    number, at, *rest = json.loads(text)
    return Order(number, moment(at), *rest)
