"""The ledger's statements: Core expressions, compiled to SQLite's SQL once, when this file is imported.

Bind names begin with the table's letter (``a_`` accounts, ``h_`` holds, ``e_`` entries, ``o_`` owners).
"""

from collections import namedtuple
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Executable,
    Select,
    and_,
    bindparam,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import sqlite

from outwarden.budget import schema
from outwarden.budget.schema import accounts, entries, holds


class Statement:
    """A Core statement whose SQL is compiled once; run with a mapping of its bind names to values."""

    def __init__(self, statement: Executable) -> None:
        compiled = statement.compile(dialect=sqlite.dialect())  # type: ignore[attr-defined]
        self.sql: str = str(compiled)
        self._names: tuple[str, ...] = tuple(compiled.positiontup)
        # A select's rows get the names of its columns; those of RETURNING are read by position.
        columns = statement.selected_columns.keys() if isinstance(statement, Select) else []
        self.shape = namedtuple("Row", columns)  # type: ignore[misc]
        self._constants: Mapping[str, Any] = {k: v for k, v in compiled.params.items() if v is not None}

    def values(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """Put the values in the order of the SQL's question marks."""
        constants = self._constants
        return tuple([given[name] if name in given else constants[name] for name in self._names])


def _bind(name: str) -> BindParameter[Any]:
    return bindparam(name)


def _same_account() -> Any:
    names = ("budget", "scope", "id", "unit", "window", "starts")
    return and_(*(accounts.c[name] == _bind(f"a_{name}") for name in names))


def _reserve() -> Any:
    amount, limit, at = _bind("a_amount"), _bind("a_limit"), _bind("a_at")
    fresh = {name: _bind(f"a_{name}") for name in ("budget", "scope", "id", "unit", "window", "starts", "ends")}
    insert = sqlite.insert(accounts).values(
        **fresh, limit_seen=limit, posted=literal(0), pending=amount, debt=literal(0), touched=at
    )
    c = accounts.c
    return insert.on_conflict_do_update(
        index_elements=[c.budget, c.scope, c.id, c.unit, c.window, c.starts],
        set_={"pending": c.pending + amount, "limit_seen": limit, "touched": at},
        where=c.posted + c.pending + c.debt + amount <= limit,
    ).returning(c.number, c.posted, c.pending, c.debt)


def _open_hold() -> Any:
    values = {name: _bind(f"h_{name}") for name in ("id", "owner", "usd", "tokens", "requests")}
    insert = sqlite.insert(holds).values(**values, state="open", steps=literal(0), opened=_bind("h_at"))
    return insert.on_conflict_do_nothing().returning(holds.c.steps)


def _change_hold(**values: Any) -> Any:
    still_open = and_(holds.c.id == _bind("h_id"), holds.c.state == "open")
    return update(holds).where(still_open).values(steps=holds.c.steps + 1, **values).returning(holds.c.steps)


def _move() -> Any:
    c = accounts.c
    values = {name: c[name] + _bind(f"a_{name}") for name in ("posted", "pending", "debt")}
    change = update(accounts).where(c.number == _bind("a_number")).values(**values, touched=_bind("a_at"))
    return change.returning(c.posted, c.pending, c.debt)


def _register() -> Any:
    values = {name: _bind(f"o_{name}") for name in ("id", "pid", "started", "host", "seen")}
    insert = sqlite.insert(schema.owners).values(**values, ended=literal(0))
    return insert.on_conflict_do_update(index_elements=["id"], set_={"seen": _bind("o_seen"), "ended": literal(0)})


def _pending() -> Any:
    amount = func.sum(entries.c.pending).label("amount")
    joined = select(accounts, amount).join(entries, entries.c.account == accounts.c.number)
    return joined.where(entries.c.hold == _bind("e_hold")).group_by(accounts.c.number)


def _drift() -> Any:
    sums = [func.coalesce(func.sum(entries.c[name]), 0) == accounts.c[name] for name in ("posted", "pending", "debt")]
    joined = select(accounts).outerjoin(entries, entries.c.account == accounts.c.number)
    return joined.group_by(accounts.c.number).having(~and_(*sums))


def _carry() -> Any:
    """Add a hold's lines to the one carried line of each account."""
    c = entries.c
    parts = [func.sum(c[name]) for name in ("posted", "pending", "debt")]
    old = select(literal(""), literal(0), c.account, literal("carried"), *parts, _bind("e_at"))
    old = old.where(c.hold == _bind("e_hold")).group_by(c.account)
    insert = sqlite.insert(entries).from_select([column.name for column in c], old)
    sums = {name: c[name] + insert.excluded[name] for name in ("posted", "pending", "debt")}
    return insert.on_conflict_do_update(
        index_elements=[c.hold, c.number, c.account], set_={**sums, "at": insert.excluded["at"]}
    )


def _old_account() -> Any:
    """Past windows, and sessions long silent, with nothing pending. Debt of a past window binds nobody any more."""
    c, before = accounts.c, _bind("before")
    return and_(c.pending == 0, or_(c.ends < before, and_(c.scope == "session", c.touched < before)))


@cache
def enter_sql(lines: int) -> str:
    columns = ", ".join(column.name for column in entries.c)
    marks = ", ".join("?" for _ in entries.c)
    return f"INSERT INTO entries ({columns}) VALUES {', '.join([f'({marks})'] * lines)}"  # noqa: S608 - our own names


BALANCE = Statement(select(accounts.c.posted, accounts.c.pending, accounts.c.debt).where(_same_account()))
CURRENT = Statement(
    select(accounts)
    .where(or_(accounts.c.ends.is_(None), accounts.c.ends > _bind("at"), accounts.c.pending > 0))
    .order_by(accounts.c.number)
)
RESERVE = Statement(_reserve())
MOVE = Statement(_move())
OPEN_HOLD = Statement(_open_hold())
HOLD = Statement(select(holds).where(holds.c.id == _bind("h_id")))
GROW_HOLD = Statement(_change_hold(usd=_bind("h_usd"), tokens=_bind("h_tokens"), requests=_bind("h_requests")))
CLOSE_HOLD = Statement(_change_hold(state=_bind("h_state"), closed=_bind("h_at")))
OPEN_HOLDS = Statement(
    select(holds).where(holds.c.owner == _bind("h_owner"), holds.c.state == "open").limit(_bind("most"))
)
PENDING = Statement(_pending())
DRIFT = Statement(_drift())
REGISTER = Statement(_register())
OWNERS = Statement(select(schema.owners))
END_OWNER = Statement(update(schema.owners).where(schema.owners.c.id == _bind("o_id")).values(ended=literal(1)))
FORGET_OWNER = Statement(
    delete(schema.owners).where(
        schema.owners.c.id == _bind("o_id"),
        ~select(holds.c.id).where(holds.c.owner == schema.owners.c.id, holds.c.state == "open").exists(),
    )
)
OLD_HOLDS = Statement(
    select(holds.c.id).where(holds.c.state != "open", holds.c.closed < _bind("before")).limit(_bind("most"))
)
CARRY = Statement(_carry())
FORGET_ENTRIES = Statement(delete(entries).where(entries.c.hold == _bind("e_hold")))
FORGET_HOLD = Statement(delete(holds).where(holds.c.id == _bind("h_id")))
FORGET_OLD_ENTRIES = Statement(
    delete(entries).where(entries.c.account.in_(select(accounts.c.number).where(_old_account())))
)
FORGET_OLD_ACCOUNTS = Statement(delete(accounts).where(_old_account()))
