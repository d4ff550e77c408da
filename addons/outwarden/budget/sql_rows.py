"""Values as a database keeps them, and rows as the values that they are."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from outwarden.budget.accounts import Account
from outwarden.budget.ageing import Charge, Standing, idle_s
from outwarden.budget.limits import Budget
from outwarden.budget.states import Amounts, Balance
from outwarden.budget.store import Entry, HoldRow, Order, Step
from outwarden.budget.windows import moving

Key = tuple[str, str, str, str, str, int]
_KEY_NAMES = ("a_budget", "a_scope", "a_id", "a_unit", "a_window", "a_starts")

COLUMN_MAX = 2**62  # SQLite turns a sum past 2**63 into a float, silently: no limit and no change comes near


def seconds(at: datetime) -> int:
    return int(at.timestamp())


def optional_seconds(at: datetime | None) -> int | None:
    return None if at is None else seconds(at)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def naming(account: Account) -> Key:
    """What names an account: budget, scope, id, unit, window and when this one starts."""
    budget, starts = account.budget, account.window_start
    return budget.name, budget.scope, account.id, budget.unit, budget.window, seconds(starts) if starts else 0


def key_of(account: Account) -> dict[str, Any]:
    return dict(zip(_KEY_NAMES, naming(account), strict=True))


def fresh(account: Account, at: datetime) -> dict[str, Any]:
    budget = account.budget
    seen = {"a_limit_seen": min(budget.limit, COLUMN_MAX), "a_burst_seen": budget.burst, "a_idle_s": idle_s(account)}
    return {**key_of(account), **seen, "a_at": seconds(at), "a_ends": optional_seconds(account.window_end)}


def order_in(row: Any) -> Order:
    return Order(row.number, moment(row.at), row.by, row.step, row.target, row.amount)


def amounts_of(amounts: Amounts) -> dict[str, int]:
    return {"h_usd": amounts.usd, "h_tokens": amounts.tokens, "h_requests": amounts.requests}


def opening(hold_id: str, owner: str, amounts: Amounts, at: datetime) -> dict[str, Any]:
    return {"h_id": hold_id, "h_owner": owner, **amounts_of(amounts), "h_at": seconds(at)}


def lines_of(hold_id: str, number: int, step: Step, lines: Sequence[Entry], at: datetime) -> tuple[Any, ...]:
    """The values of `statements.enter_sql`, in its order."""
    second = seconds(at)
    return tuple(v for line in lines for v in (hold_id, number, line.account, step, *line.change, second))


def values_of(order: Order) -> dict[str, Any]:
    values = {"o_at": seconds(order.at), "o_by": order.by, "o_step": order.step, "o_target": order.target}
    return {**values, "o_amount": order.amount}


def with_bodies(budget: str, id_: str, at: datetime) -> dict[str, Any]:
    """The accounts of ``id_``, and those of the bodies that it sent."""
    return {"a_budget": budget, "a_id": id_, "a_of_bodies": f"{id_} body:", "at": seconds(at)}


def named(table: str, change: Balance) -> dict[str, int]:
    return {f"{table}_{part}": amount for part, amount in zip(Balance._fields, change, strict=True)}


def rolls(account: Account) -> bool:
    window = moving(account.budget.window)
    return window is not None and window.rolls


def standing_in(row: Any, charges: Sequence[Charge] = ()) -> Standing:
    return Standing(Balance(row.posted, row.pending, row.debt, row.credit), charges, row.refilled, row.carry)


def hold_in(row: Any) -> HoldRow:
    amounts = Amounts(row.usd, row.tokens, row.requests)
    return HoldRow(row.id, row.owner, row.state, amounts, moment(row.opened), row.steps)


def account_in(row: Any) -> Account:
    budget = Budget(row.budget, row.scope, row.limit_seen, row.unit, row.window, burst=row.burst_seen)
    starts = moment(row.starts) if row.ends is not None else None
    return Account(budget, row.id, starts, None if row.ends is None else moment(row.ends))
