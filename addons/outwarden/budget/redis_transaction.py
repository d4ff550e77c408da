"""One transaction in Redis: what is read is watched, reckoned with here, and written with one ``EXEC``, or not at all.

The rules are the same as everywhere (`steps`): they decide here, on what was read, and Redis refuses to write where
any of it has changed since. Whoever lost against another that way takes its turn the next time: a key with a short
life, while which nobody else writes, so that the second try does not fail as well. Who cannot say ahead what it will
change (`expect`) takes its turn at once. A turn makes it fair; that it is right rests on what is watched alone. Within
a turn that is the turn itself: everybody else watches it, too, and one that ran out undoes the step. Redis takes
quadratic time to watch many keys (10,000: two seconds, in which nobody is served).
"""

import json
import random
import secrets
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from outwarden.budget.accounts import Account
from outwarden.budget.ageing import leaves_at, refill
from outwarden.budget.redis_rows import (
    ACCOUNTS,
    CLOSED,
    LEDGER,
    NUMBERS,
    ORDER_NUMBERS,
    ORDERS,
    OWNERS,
    PAUSES,
    TURN,
    UNKNOWN,
    UNTOLD,
    AccountRow,
    Kept,
    Line,
    account_in,
    account_key,
    charges_key,
    entries_key,
    hold_key,
    hold_row,
    kept_in,
    line_in,
    name_of,
    new_row,
    open_key,
    written,
)
from outwarden.budget.sql_connection import Step as Command
from outwarden.budget.sql_rows import COLUMN_MAX, rolls, seconds, standing_in
from outwarden.budget.sql_rows import account_in as account_of
from outwarden.budget.states import Amounts, Balance
from outwarden.budget.store import Entry, HoldRow, HoldState, Order, Step
from outwarden.budget.windows import moving
from outwarden.errors import StepUndone, StoreUnavailable

if TYPE_CHECKING:
    from outwarden.budget.redis_store import RedisStore

TURN_S = 1  # of somebody who died in it, the others wait this long; 500 holds are resolved in a tenth of it
WAIT_S = 2  # as `server_connection.LOCK_S`: how long a writer waits for the others
ROWS_PER_S = 2_000  # accounts that a step of many changes; a turn is as long as that takes
CHUNK = 1000  # keys that are read at once: some milliseconds in which Redis serves nobody else
_POLL_S = 0.002  # at most between two looks whether it is our turn; a turn takes two round trips

_random = random.SystemRandom()


class RedisTransaction:
    """A `Transaction` of a `RedisStore`."""

    def __init__(self, store: "RedisStore", turn_s: float = TURN_S) -> None:
        self._store = store
        self._connection = store.connection
        self._turn_s = turn_s
        self._me = ""  # our name while it is our turn
        self._begun = False
        self._undone = False
        self._expects = False
        self._expected: Sequence[Account] = ()
        self._targets: Sequence[str] | None = None
        self._at = 0
        self._rows: dict[str, AccountRow | None] = {}  # accounts as they are now, by name; None where there is none
        self._names: dict[int, str] = {}
        self._holds: dict[str, Kept | None] = {}
        self._lines: dict[str, list[Line]] = {}  # of holds that were looked up
        self._buckets: dict[str, dict[int, list[str]]] = {}  # what leaves a rolling window in a second, as it is now
        self._aged: set[str] = set()  # accounts of which all that has left its window is among these
        self._pause: str | None = None
        self._changed: dict[str, str] = {}  # values to write, by key
        self._later: list[Command] = []  # other writes

    def __enter__(self) -> Self:
        self._connection.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        commit = kind is None and not self._undone
        changes: list[Command] = [("MSET", [part for pair in self._changed.items() for part in pair])]
        last = [*(changes if self._changed else ()), *self._later] if commit else []
        turn: list[Command] = [("DEL", (TURN,))] if self._me else []
        try:
            self._connection.finish(commit=bool(last or turn), last=[*last, *turn])
        except StepUndone:
            self._store.lost_race = True
            if commit and last:
                raise
        except StoreUnavailable:
            if commit and last:
                raise  # what was to be undone is, and its turn will end by itself
        else:
            self._store.lost_race = self._store.lost_race and not (commit and last)

    def undo(self) -> None:
        self._undone = True

    def expect(self, accounts: Sequence[Account], at: datetime, targets: Sequence[str] = ()) -> None:
        self._expects, self._at = True, seconds(at)
        self._expected, self._targets = [a for a in accounts if a.budget.scope != "request"], targets

    def lock(self, accounts: Sequence[Account], at: datetime) -> None:
        stored = [account for account in accounts if account.budget.scope != "request"]
        self._load_accounts([name_of(account) for account in stored])
        for account in stored:
            if self._rows[name := name_of(account)] is None:
                number = self.read([("INCR", (NUMBERS,))])[0]  # outside of the transaction: a gap does no harm
                self._put(new_row(number, account, at), name)
                self._later.append(("ZADD", (ACCOUNTS, number, name)))

    def lock_pending(self, holds: Iterable[str]) -> None:
        ids = [hold_id for hold_id in holds if hold_id not in self._lines]
        found = self.read([("LRANGE", (entries_key(hold_id), 0, -1)) for hold_id in ids])
        for hold_id, texts in zip(ids, found, strict=True):
            self._lines[hold_id] = [line_in(text) for text in texts]
        self._load_accounts([line.name for hold_id in ids for line in self._lines[hold_id]])

    def open_hold(self, hold_id: str, owner: str, amounts: Amounts, at: datetime) -> bool:
        if self._kept(hold_id) is not None:
            return False
        self._keep(hold_id, Kept(owner, "open", amounts, 0, seconds(at)))
        self._later.append(("SADD", (open_key(owner), hold_id)))
        self._later.append(("HSETNX", (OWNERS, owner, UNKNOWN)))  # who was forgotten as dead was only asleep
        return True

    def hold(self, hold_id: str) -> HoldRow | None:
        kept = self._kept(hold_id)
        return hold_row(hold_id, kept) if kept else None

    def grow_hold(self, hold_id: str, amounts: Amounts) -> int | None:
        kept = self._kept(hold_id)
        if kept is None or kept.state != "open":
            return None
        return self._keep(hold_id, kept._replace(amounts=amounts, steps=kept.steps + 1))

    def close_hold(self, hold_id: str, state: HoldState, at: datetime) -> int | None:
        kept = self._kept(hold_id)
        if kept is None or kept.state != "open":
            return None
        self._later.append(("SREM", (open_key(kept.owner), hold_id)))
        self._later.append(("ZADD", (CLOSED, seconds(at), hold_id)))
        return self._keep(hold_id, kept._replace(state=state, closed=seconds(at), steps=kept.steps + 1))

    def age(self, account: Account, at: datetime) -> Entry | None:
        window, name = moving(account.budget.window), name_of(account)
        row = self._rows.get(name) if window else None
        if window is None or row is None:
            return None
        change = self._refill(account, row, at) if window.kind == "refill" else self._roll(name, seconds(at))
        if not any(change):
            return None
        self.move(row.number, change, at)
        return Entry(row.number, change)

    def reserve(self, account: Account, amount: int, at: datetime) -> tuple[int, Balance] | None:
        budget, row = account.budget, self._row(name_of(account))
        if budget.on_exceeded != "warn":
            limit = min(budget.capacity, COLUMN_MAX) + row.credit
            if limit <= 0 or row.balance.taken + amount > limit:
                return None
        self._see(account, row)
        return row.number, self.move(row.number, Balance(0, amount), at)

    def move(self, account: int, change: Balance, at: datetime) -> Balance:
        row = self._row(self._names[account])
        after = row.balance.plus(change)
        self._put(row._replace(touched=seconds(at), **after._asdict()))
        return after

    def charge(self, account: int, leaves: int, change: Balance) -> None:
        name = self._names[account]
        key, there = charges_key(name), self._bucket(name, leaves)
        found = [_charge_in(text) for text in there]
        parts = [sum(parts) for parts in zip(change[:1] + change[2:], *(charge[1:] for charge in found), strict=True)]
        text = written([leaves, *parts])
        if there:
            self._later.append(("ZREM", (key, *there)))
        self._later.append(("ZADD", (key, leaves, text)))
        self._buckets[name][leaves] = [text]

    def enter(self, hold_id: str, number: int, step: Step, lines: Sequence[Entry], at: datetime) -> None:
        if lines:
            written_ = [
                written(Line(self._names[line.account], line.account, number, step, line.change, seconds(at)))
                for line in lines
            ]
            self._later.append(("RPUSH", (entries_key(hold_id), *written_)))

    def pending(self, hold_id: str) -> list[tuple[int, Account, int]]:
        self.lock_pending([hold_id])
        amounts: dict[str, int] = {}
        for line in self._lines[hold_id]:
            row = self._rows.get(line.name)
            if row and row.number == line.account:  # not an account that was forgotten, and is there anew
                amounts[line.name] = amounts.get(line.name, 0) + line.change[1]
        return [(self._row(name).number, account_of(self._row(name)), amount) for name, amount in amounts.items()]

    def open_holds(self, owner: str, most: int) -> list[HoldRow]:
        ids = sorted(self.read([("SRANDMEMBER", (open_key(owner), most))])[0])
        self._load_holds(ids)
        rows = [self.hold(hold_id) for hold_id in ids]
        return [row for row in rows if row]

    def paused(self, targets: Sequence[str]) -> str | None:
        if self._begun and targets is self._targets:
            return self._pause
        return self._store.is_paused(targets)

    def pause(self, target: str, at: datetime) -> bool:
        new = self.read([("HGET", (PAUSES, target))])[0] is None
        if new:
            self._later.append(("HSET", (PAUSES, target, seconds(at))))
        return new

    def resume(self, target: str) -> bool:
        self._later.append(("HDEL", (PAUSES, target)))
        return self.read([("HGET", (PAUSES, target))])[0] is not None

    def open_account(self, account: Account, at: datetime) -> int:
        self.lock([account], at)
        row = self._row(name_of(account))
        self._see(account, row)
        return row.number

    def numbers(self, budget: str, id_: str, at: datetime) -> list[tuple[int, Balance]]:
        found = [
            row.name
            for row in self._store.rows()
            if row.budget == budget
            and (not id_ or row.id == id_ or row.id.startswith(f"{id_} body:"))
            and (row.ends is None or row.ends > seconds(at))
        ]
        self._turn_s = max(self._turn_s, len(found) / ROWS_PER_S)
        return [(row.number, row.balance) for row in self.rows(found)]

    def begin_anew(self, account: int, at: datetime) -> None:
        name = self._names[account]
        self._later.append(("DEL", (charges_key(name),)))
        self._put(self._row(name)._replace(refilled=seconds(at) + 1, carry=0))

    def log(self, order: Order) -> int:
        number: int = self.read([("INCR", (ORDER_NUMBERS,))])[0]
        text = written([number, seconds(order.at), *order[2:]])
        self._later += [("RPUSH", (ORDERS, text)), ("ZADD", (UNTOLD, number, text))]
        return number

    def read(self, commands: Sequence[Command]) -> list[Any]:
        """What these commands answer; before the first of all, everything that is expected is read."""
        if not self._begun:
            self._first()
        return [done.rows for done in self._connection.batch(commands)] if commands else []

    def write(self, *commands: Command) -> None:
        """Do so with the commit."""
        self._later += commands

    def all_rows(self) -> list[AccountRow]:
        """Every account, by number."""
        return self.rows(self.read([("ZRANGE", (ACCOUNTS, 0, -1))])[0])

    def rows(self, names: Sequence[str]) -> list[AccountRow]:
        """These accounts as they are now; those that are gone are left out."""
        self._load_accounts(names)
        return [row for name in names if (row := self._rows[name])]

    def _first(self, hold_id: str | None = None) -> None:
        """Watch and read the first time: the turn, whose ledger it is, and all that was expected."""
        self._begun = True
        names = [name_of(account) for account in self._expected]
        keys = [TURN, LEDGER, *(hold_key(hold_id) for hold_id in [hold_id] if hold_id), *map(account_key, names)]
        commands: list[Command] = [("WATCH", (*keys, PAUSES)), ("MGET", keys)]
        if self._targets:
            commands.append(("HMGET", (PAUSES, *self._targets)))
        rolling = [account for account in self._expected if rolls(account)]
        for account in rolling:
            commands += self._of_window(account)
        answers = self._in_turn(commands)
        values, rest = answers[1][1:], answers[2:]
        if values[0] != self._store.ledger:
            raise StoreUnavailable(f"the database ({self._connection.place}) has lost the ledger, or has another one")
        if hold_id:
            self._holds[hold_id] = kept_in(values[1]) if values[1] else None
        for name, value in zip(names, values[len(values) - len(names) :], strict=True):
            self._loaded(name, value)
        if self._targets:
            found = zip(self._targets, rest.pop(0), strict=True)
            self._pause = next((target for target, since in found if since is not None), None)
        for account, gone, bucket in zip(rolling, rest[::2], rest[1::2], strict=True):
            self._know(name := name_of(account), gone)
            self._buckets[name][self._leaves(account)] = bucket

    def _in_turn(self, commands: Sequence[Command]) -> list[Any]:
        """Read when nobody else is at it; take the turn where that is wanted."""
        wants = self._store.lost_race or not self._expects
        me = secrets.token_hex(8) if wants else ""
        take: list[Command] = [("SET", (TURN, me, "NX", "PX", int(self._turn_s * 1000)))] if wants else []
        end = time.monotonic() + WAIT_S
        while True:
            answers = [done.rows for done in self._connection.batch([("UNWATCH", ()), *take, *commands])]
            answers = answers[1 + len(take) :]
            if (answers[1][0] or "") == me:
                self._me = me
                return answers
            if time.monotonic() > end:
                raise StoreUnavailable(f"the database ({self._connection.place}) is busy: others write, and do not end")
            time.sleep(_random.uniform(0, _POLL_S))

    def _of_window(self, account: Account) -> list[Command]:
        key, leaves = charges_key(name_of(account)), self._leaves(account)
        return [("ZRANGEBYSCORE", (key, "-inf", self._at)), ("ZRANGEBYSCORE", (key, leaves, leaves))]

    def _leaves(self, account: Account) -> int:
        window = moving(account.budget.window)
        assert window
        return leaves_at(window.length_s, self._at)

    def _kept(self, hold_id: str) -> Kept | None:
        if not self._begun:
            self._first(hold_id)
        self._load_holds([hold_id])
        return self._holds[hold_id]

    def _keep(self, hold_id: str, kept: Kept) -> int:
        self._holds[hold_id] = kept
        self._changed[hold_key(hold_id)] = written(kept)
        return kept.steps

    def _load_holds(self, ids: Sequence[str]) -> None:
        missing = [hold_id for hold_id in ids if hold_id not in self._holds]
        for hold_id, value in zip(missing, self._watched([hold_key(hold_id) for hold_id in missing]), strict=True):
            self._holds[hold_id] = kept_in(value) if value else None

    def _load_accounts(self, names: Sequence[str]) -> None:
        if not self._begun:
            self._first()
        missing = sorted({name for name in names if name not in self._rows})
        for name, value in zip(missing, self._watched([account_key(name) for name in missing]), strict=True):
            self._loaded(name, value)

    def _watched(self, keys: Sequence[str]) -> Sequence[Any]:
        """The values of keys that nobody else changes before our commit."""
        if not self._me:
            answer: Sequence[Any] = self.read([("WATCH", keys), ("MGET", keys)])[1] if keys else ()
            return answer
        parts = [keys[begin : begin + CHUNK] for begin in range(0, len(keys), CHUNK)]
        return [value for part in parts for value in self.read([("MGET", part)])[0]]

    def _loaded(self, name: str, value: str | None) -> None:
        row = self._rows[name] = account_in(value) if value else None
        if row:
            self._names[row.number] = name

    def _row(self, name: str) -> AccountRow:
        row = self._rows[name]
        assert row
        return row

    def _put(self, row: AccountRow, name: str | None = None) -> None:
        name = name or self._names[row.number]
        self._rows[name], self._names[row.number] = row, name
        self._changed[account_key(name)] = written(row)

    def _see(self, account: Account, row: AccountRow) -> None:
        """Keep the limit as seen last, for display."""
        self._put(row._replace(limit_seen=min(account.budget.limit, COLUMN_MAX), burst_seen=account.budget.burst))

    def _refill(self, account: Account, row: AccountRow, at: datetime) -> Balance:
        done = refill(account.budget, standing_in(row), seconds(at))
        self._put(row._replace(refilled=done.refilled, carry=done.carry))
        return done.change

    def _roll(self, name: str, at: int) -> Balance:
        if name not in self._aged:
            self._know(name, self.read([("ZRANGEBYSCORE", (charges_key(name), "-inf", at))])[0])
        buckets = self._buckets[name]
        left = [leaves for leaves, there in buckets.items() if there and leaves <= at]
        if not left:
            return Balance()
        gone = [text for leaves in left for text in buckets[leaves]]
        buckets.update((leaves, []) for leaves in left)  # else what is charged there next would add to what is gone
        self._later.append(("ZREM", (charges_key(name), *gone)))
        posted, debt, credit = (sum(parts) for parts in zip(*(_charge_in(text)[1:] for text in gone), strict=True))
        return Balance(-posted, 0, -debt, -credit)

    def _know(self, name: str, gone: Sequence[str]) -> None:
        """What had left an account's window before this transaction."""
        self._aged.add(name)
        buckets = self._buckets.setdefault(name, {})
        for text in gone:
            buckets.setdefault(_charge_in(text)[0], [text])

    def _bucket(self, name: str, leaves: int) -> list[str]:
        buckets = self._buckets.setdefault(name, {})
        if leaves not in buckets:
            buckets[leaves] = self.read([("ZRANGEBYSCORE", (charges_key(name), leaves, leaves))])[0]
        return buckets[leaves]


def _charge_in(text: str) -> list[int]:
    charge: list[int] = json.loads(text)
    return charge
