"""One transaction on SQLite, which has one writer at a time; see `store.py` for what each step promises."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from outwarden.budget import statements
from outwarden.budget.accounts import Account
from outwarden.budget.ageing import refill
from outwarden.budget.sql_rows import (
    COLUMN_MAX,
    account_in,
    amounts_of,
    fresh,
    hold_in,
    key_of,
    lines_of,
    named,
    opening,
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


class SqlTransaction:
    """A `Transaction` of an `SqlStore`."""

    def __init__(self, store: "SqlStore") -> None:
        self._store = store
        self._run = store.run
        self._undone = False

    def __enter__(self) -> Self:
        self._store.connection.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._store.connection.finish(commit=kind is None and not self._undone)

    def undo(self) -> None:
        self._undone = True

    def expect(self, accounts: Sequence[Account], at: datetime, targets: Sequence[str] = ()) -> None:
        """Nothing is read ahead: a statement takes some microseconds."""

    def lock(self, accounts: Sequence[Account], at: datetime) -> None:
        """Whoever writes has locked the whole database."""

    def lock_pending(self, holds: Iterable[str]) -> None:
        """Likewise."""

    def open_hold(self, hold_id: str, owner: str, amounts: Amounts, at: datetime) -> bool:
        return self._store.changed(statements.OPEN_HOLD, opening(hold_id, owner, amounts, at))

    def hold(self, hold_id: str) -> HoldRow | None:
        rows = self._store.read(statements.HOLD, {"h_id": hold_id})
        return hold_in(rows[0]) if rows else None

    def grow_hold(self, hold_id: str, amounts: Amounts) -> int | None:
        rows = self._run(statements.GROW_HOLD, {"h_id": hold_id, **amounts_of(amounts)})
        return rows[0][0] if rows else None

    def close_hold(self, hold_id: str, state: HoldState, at: datetime) -> int | None:
        rows = self._run(statements.CLOSE_HOLD, {"h_id": hold_id, "h_state": state, "h_at": seconds(at)})
        return rows[0][0] if rows else None

    def age(self, account: Account, at: datetime) -> Entry | None:
        window = moving(account.budget.window)
        if window is None:
            return None
        key = key_of(account)
        gone = self._run(statements.GONE_OF, {**key, "at": seconds(at)})[0] if window.rolls else None
        if gone and gone[0] is None:
            return None  # as nearly always
        rows = self._store.read(statements.ACCOUNT, key)
        if not rows:
            return None
        number = rows[0].number
        change = self._roll(number, gone, at) if gone else self._refill(account, rows[0], at)
        if not any(change):
            return None
        self.move(number, change, at)
        return Entry(number, change)

    def _refill(self, account: Account, row: Any, at: datetime) -> Balance:
        done = refill(account.budget, standing_in(row), seconds(at))
        if (done.refilled, done.carry) != (row.refilled, row.carry):
            self._run(statements.REFILL, {"a_number": row.number, "a_refilled": done.refilled, "a_carry": done.carry})
        return done.change

    def _roll(self, number: int, gone: Any, at: datetime) -> Balance:
        posted, debt, credit = gone
        self._run(statements.FORGET_CHARGES, {"c_account": number, "at": seconds(at)})
        return Balance(-posted, 0, -debt, -credit)

    def reserve(self, account: Account, amount: int, at: datetime) -> tuple[int, Balance] | None:
        budget = account.budget
        limit = min(budget.capacity, COLUMN_MAX) if budget.on_exceeded != "warn" else COLUMN_MAX
        if (limit <= 0 or amount > limit) and not self._is_topped_up(account):
            return None  # the first of an account has nothing to compare with in the statement
        rows = self._run(statements.RESERVE, {**fresh(account, at), "a_amount": amount, "a_limit": limit})
        return (rows[0][0], Balance(*rows[0][1:])) if rows else None

    def _is_topped_up(self, account: Account) -> bool:
        rows = self._store.read(statements.ACCOUNT, key_of(account))
        return bool(rows) and rows[0].credit > 0

    def move(self, account: int, change: Balance, at: datetime) -> Balance:
        values = {"a_number": account, "a_at": seconds(at), **named("a", change)}
        return Balance(*self._run(statements.MOVE, values)[0])

    def charge(self, account: int, leaves: int, change: Balance) -> None:
        self._run(statements.CHARGE, {"c_account": account, "c_leaves": leaves, **named("c", change)})

    def enter(self, hold_id: str, number: int, step: Step, lines: Sequence[Entry], at: datetime) -> None:
        if lines:
            values = lines_of(hold_id, number, step, lines, at)
            self._store.run_sql(statements.enter_sql("sqlite", len(lines)), values)

    def pending(self, hold_id: str) -> list[tuple[int, Account, int]]:
        rows = self._store.read(statements.PENDING, {"e_hold": hold_id})
        return [(row.number, account_in(row), row.amount) for row in rows]

    def paused(self, targets: Sequence[str]) -> str | None:
        return self._store.is_paused(targets)

    def pause(self, target: str, at: datetime) -> bool:
        return self._store.changed(statements.PAUSE, {"target": target, "at": seconds(at)})

    def resume(self, target: str) -> bool:
        return self._store.changed(statements.RESUME, {"target": target})

    def open_account(self, account: Account, at: datetime) -> int:
        self._run(statements.OPEN_ACCOUNT, fresh(account, at))
        number: int = self._store.read(statements.ACCOUNT, key_of(account))[0].number
        return number

    def numbers(self, budget: str, id_: str, at: datetime) -> list[tuple[int, Balance]]:
        rows = self._run(statements.NUMBERS, with_bodies(budget, id_, at))
        return [(row[0], Balance(*row[1:5])) for row in rows]

    def begin_anew(self, account: int, at: datetime) -> None:
        for statement in statements.BEGIN_ANEW:
            self._run(statement, {"a_number": account, "a_at": seconds(at) + 1})

    def log(self, order: Order) -> int:
        self._run(statements.LOG, values_of(order))
        number: int = self._run(statements.LAST_ORDER, {})[0][0]
        return number

    def open_holds(self, owner: str, most: int) -> list[HoldRow]:
        return [hold_in(row) for row in self._store.read(statements.OPEN_HOLDS, {"h_owner": owner, "most": most})]
