"""One transaction on a database server: rows are locked, reckoned with here, and written together with the commit.

A hold takes two round trips that way: one that inserts it, looks for pauses and locks the accounts; one that writes and
commits, each account once, whatever happened to it. Accounts are locked in the order of their keys, whatever the order
of the rules, so that no two calls wait for each other; a hold is locked before its accounts.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from outwarden.budget import statements
from outwarden.budget.accounts import Account
from outwarden.budget.ageing import refill
from outwarden.budget.dialects import Statement
from outwarden.budget.server_connection import SqlServerConnection
from outwarden.budget.sql_connection import Done
from outwarden.budget.sql_connection import Step as Sql
from outwarden.budget.sql_rows import (
    COLUMN_MAX,
    Key,
    account_in,
    amounts_of,
    fresh,
    hold_in,
    key_of,
    lines_of,
    named,
    naming,
    opening,
    rolls,
    seconds,
    standing_in,
    values_of,
    with_bodies,
)
from outwarden.budget.states import Amounts, Balance
from outwarden.budget.store import Entry, HoldRow, HoldState, Order, Step
from outwarden.budget.windows import moving

if TYPE_CHECKING:
    from outwarden.budget.sql_store import SqlStore


class ServerTransaction:
    """A `Transaction` on a `SqlServerConnection`."""

    def __init__(self, store: "SqlStore", connection: SqlServerConnection) -> None:
        self._store = store
        self._connection = connection
        self._kind = connection.kind
        self._undone = False
        self._later: list[Sql] = []  # writes whose answer nobody needs
        self._rows: dict[Key, Any] = {}  # locked accounts as they are now, by key
        self._changed: dict[Key, None] = {}  # those to write in the end, each once
        self._keys: dict[int, Key] = {}  # their keys, by number
        self._found: dict[str, list[Any]] = {}  # what holds reserve
        self._expected: Sequence[Account] = ()
        self._targets: Sequence[str] = ()
        self._at = 0
        self._gone: dict[Key, Any] = {}  # what had left their rolling windows when they were locked
        self._pause: tuple[str | None] | None = None  # what a look for pauses found

    def __enter__(self) -> Self:
        self._connection.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        commit = kind is None and not self._undone
        self._connection.finish(commit=commit, last=[*self._later, *self._accounts_written()] if commit else ())

    def undo(self) -> None:
        self._undone = True

    def expect(self, accounts: Sequence[Account], at: datetime, targets: Sequence[str] = ()) -> None:
        self._expected, self._targets, self._at = accounts, targets, seconds(at)

    def lock(self, accounts: Sequence[Account], at: datetime) -> None:
        missing = self._missing(accounts)
        self._locked(missing, self._read([self._step(statements.LOCK_ACCOUNT, key_of(a)) for a in missing]))
        for account in self._missing(accounts):
            insert = self._step(statements.OPEN_ACCOUNT, fresh(account, at))
            found = self._read([insert, self._step(statements.LOCK_ACCOUNT, key_of(account))])
            self._locked([account], found[1:])

    def open_hold(self, hold_id: str, owner: str, amounts: Amounts, at: datetime) -> bool:
        return self._first(self._step(statements.OPEN_HOLD, opening(hold_id, owner, amounts, at))).changed > 0

    def hold(self, hold_id: str) -> HoldRow | None:
        row = self._locked_hold(hold_id)
        return hold_in(row) if row else None

    def grow_hold(self, hold_id: str, amounts: Amounts) -> int | None:
        return self._change_hold(hold_id, statements.GROW_HOLD, amounts_of(amounts))

    def close_hold(self, hold_id: str, state: HoldState, at: datetime) -> int | None:
        return self._change_hold(hold_id, statements.CLOSE_HOLD, {"h_state": state, "h_at": seconds(at)})

    def age(self, account: Account, at: datetime) -> Entry | None:
        window = moving(account.budget.window)
        row = self._rows.get(naming(account)) if window else None
        if window is None or row is None:
            return None
        change = self._refill(account, row, at) if window.kind == "refill" else self._roll(account, row.number, at)
        if not any(change):
            return None
        self.move(row.number, change, at)
        return Entry(row.number, change)

    def reserve(self, account: Account, amount: int, at: datetime) -> tuple[int, Balance] | None:
        budget, row = account.budget, self._rows[naming(account)]
        if budget.on_exceeded != "warn":
            limit = min(budget.capacity, COLUMN_MAX) + row.credit
            if limit <= 0 or _balance(row).taken + amount > limit:
                return None
        self._see(account, row)
        return row.number, self.move(row.number, Balance(0, amount), at)

    def move(self, account: int, change: Balance, at: datetime) -> Balance:
        key = self._keys[account]
        row = self._rows[key]
        after = _balance(row).plus(change)
        self._change(key, row._replace(touched=seconds(at), **after._asdict()))
        return after

    def charge(self, account: int, leaves: int, change: Balance) -> None:
        self._write(statements.CHARGE, {"c_account": account, "c_leaves": leaves, **named("c", change)})

    def enter(self, hold_id: str, number: int, step: Step, lines: Sequence[Entry], at: datetime) -> None:
        if lines:
            values = lines_of(hold_id, number, step, lines, at)
            self._later.append((statements.enter_sql(self._kind, len(lines)), values))

    def pending(self, hold_id: str) -> list[tuple[int, Account, int]]:
        rows = self._found.get(hold_id)
        if rows is None:
            rows = self._select(statements.PENDING, {"e_hold": hold_id})
        return [(row.number, account_in(row), row.amount) for row in rows]

    def paused(self, targets: Sequence[str]) -> str | None:
        if self._pause is None or targets is not self._targets:
            return self._store.is_paused(targets)
        return self._pause[0]

    def pause(self, target: str, at: datetime) -> bool:
        return self._read([self._step(statements.PAUSE, {"target": target, "at": seconds(at)})])[0].changed > 0

    def resume(self, target: str) -> bool:
        return self._read([self._step(statements.RESUME, {"target": target})])[0].changed > 0

    def open_account(self, account: Account, at: datetime) -> int:
        self.lock([account], at)
        self._see(account, self._rows[naming(account)])
        number: int = self._rows[naming(account)].number
        return number

    def numbers(self, budget: str, id_: str, at: datetime) -> list[tuple[int, Balance]]:
        found = self._select(statements.NUMBERS, with_bodies(budget, id_, at))
        self._lock_rows(found)
        return [(row.number, _balance(self._rows[self._keys[row.number]])) for row in found if row.number in self._keys]

    def begin_anew(self, account: int, at: datetime) -> None:
        key = self._keys[account]
        self._write(statements.FORGET_ALL_CHARGES, {"a_number": account})
        self._change(key, self._rows[key]._replace(refilled=seconds(at) + 1, carry=0))

    def log(self, order: Order) -> int:
        insert = self._step(statements.LOG, values_of(order))
        number: int = self._read([insert, self._step(statements.LAST_ORDER, {})])[1].rows[0][0]
        return number

    def open_holds(self, owner: str, most: int) -> list[HoldRow]:
        rows = self._select(statements.LOCK_OPEN_HOLDS, {"h_owner": owner, "most": most})
        return [hold_in(row) for row in rows]

    def lock_pending(self, holds: Iterable[str]) -> None:
        ids = [hold_id for hold_id in holds if hold_id not in self._found]
        for hold_id, done in zip(
            ids, self._read([self._step(statements.PENDING, {"e_hold": i}) for i in ids]), strict=True
        ):
            self._found[hold_id] = [statements.PENDING.shape(*row) for row in done.rows]
        self._lock_rows([row for hold_id in ids for row in self._found[hold_id]])

    def _change_hold(self, hold_id: str, statement: Statement, values: dict[str, Any]) -> int | None:
        change = {"h_id": hold_id, **values}
        if self._connection.returns:
            rows = self._first(self._step(statement, change)).rows
            return int(rows[0][0]) if rows else None
        row = self._locked_hold(hold_id)
        if row is None or row.state != "open":
            return None
        self._write(statement, change)
        return int(row.steps) + 1

    def _locked_hold(self, hold_id: str) -> Any:
        rows = self._first(self._step(statements.LOCK_HOLD, {"h_id": hold_id})).rows
        return statements.LOCK_HOLD.shape(*rows[0]) if rows else None

    def _first(self, step: Sql) -> Done:
        """Run a step, and with it all that is expected of this transaction."""
        accounts, targets = self._missing(self._expected), self._targets if self._pause is None else ()
        rolling = [account for account in accounts if rolls(account)]
        steps = [step, *(self._step(statements.LOCK_ACCOUNT, key_of(account)) for account in accounts)]
        steps += [self._step(statements.GONE_OF, {**key_of(account), "at": self._at}) for account in rolling]
        if targets:
            steps.append((statements.paused_sql(self._kind, len(targets)), targets))
        done = self._read(steps)
        self._locked(accounts, done[1:])
        for account, each in zip(rolling, done[1 + len(accounts) :], strict=False):
            self._gone[naming(account)] = each.rows[0]
        if targets:
            self._pause = (done[-1].rows[0][0] if done[-1].rows else None,)
        self._expected = ()
        return done[0]

    def _missing(self, accounts: Iterable[Account]) -> list[Account]:
        """The stored accounts that are not locked yet, in the order in which all lock them."""
        found = {naming(a): a for a in accounts if a.budget.scope != "request"}
        return [found[key] for key in sorted(found) if key not in self._rows]

    def _locked(self, accounts: Sequence[Account], done: Sequence[Done]) -> None:
        for account, each in zip(accounts, done, strict=False):
            if each.rows:
                self._keep(statements.LOCK_ACCOUNT.shape(*each.rows[0]), naming(account))

    def _lock_rows(self, rows: Iterable[Any]) -> None:
        """Lock accounts that were read without a lock, in the order in which all do."""
        numbers = {_key_in(row): row.number for row in rows}
        missing = [numbers[key] for key in sorted(numbers) if key not in self._rows]
        for done in self._read([self._step(statements.LOCK_NUMBER, {"a_number": number}) for number in missing]):
            for row in done.rows:
                found = statements.LOCK_NUMBER.shape(*row)
                self._keep(found, _key_in(found))

    def _change(self, key: Key, row: Any) -> None:
        self._rows[key] = row
        self._changed[key] = None

    def _accounts_written(self) -> list[Sql]:
        """One update for each account, whatever happened to it: while it is locked, what was reckoned is what holds."""
        return [self._step(statements.WRITE_ACCOUNT, _written(self._rows[key])) for key in self._changed]

    def _keep(self, row: Any, key: Key) -> None:
        self._rows[key] = row
        self._keys[row.number] = key

    def _see(self, account: Account, row: Any) -> None:
        """Keep the limit as seen last, for display."""
        limit, burst = min(account.budget.limit, COLUMN_MAX), account.budget.burst
        if (row.limit_seen, row.burst_seen) != (limit, burst):
            self._change(naming(account), row._replace(limit_seen=limit, burst_seen=burst))

    def _refill(self, account: Account, row: Any, at: datetime) -> Balance:
        done = refill(account.budget, standing_in(row), seconds(at))
        if (done.refilled, done.carry) != (row.refilled, row.carry):
            self._change(naming(account), row._replace(refilled=done.refilled, carry=done.carry))
        return done.change

    def _roll(self, account: Account, number: int, at: datetime) -> Balance:
        values = {"c_account": number, "at": seconds(at)}
        gone = self._gone.pop(naming(account), None)
        posted, debt, credit = gone or self._read([self._step(statements.GONE, values)])[0].rows[0]
        if posted is None:
            return Balance()
        self._write(statements.FORGET_CHARGES, values)
        return Balance(-posted, 0, -debt, -credit)

    def _step(self, statement: Statement, given: dict[str, Any]) -> Sql:
        compiled = statement.on(self._kind)
        return compiled.sql, compiled.values(given)

    def _write(self, statement: Statement, given: dict[str, Any]) -> None:
        self._later.append(self._step(statement, given))

    def _select(self, statement: Statement, given: dict[str, Any]) -> list[Any]:
        return [statement.shape(*row) for row in self._read([self._step(statement, given)])[0].rows]

    def _read(self, steps: Sequence[Sql]) -> list[Done]:
        """Run what waits, then these; return what these brought."""
        if not steps:
            return []
        later, self._later = self._later, []
        return self._connection.batch([*later, *steps])[len(later) :]


def _key_in(row: Any) -> Key:
    return row.budget, row.scope, row.id, row.unit, row.window, row.starts


def _written(row: Any) -> dict[str, Any]:
    return {f"a_{name}": getattr(row, name) for name in statements.COUNTED}


def _balance(row: Any) -> Balance:
    return Balance(row.posted, row.pending, row.debt, row.credit)
