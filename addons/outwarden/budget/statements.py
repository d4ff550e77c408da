"""The ledger's statements: Core expressions, compiled once to the SQL of each database that runs them.

Bind names begin with the table's letter (``a_`` accounts, ``h_`` holds, ``e_`` entries, ``o_`` owners). What a server
cannot do in one statement (a conditional upsert) only `sqlite` has; the servers lock rows first and reckon with what
they read (`server_transaction`). An update that returns what it wrote MariaDB has not.
"""

from functools import cache
from typing import Any

from sqlalchemy import BindParameter, and_, bindparam, case, delete, func, insert, literal, or_, select, update

from outwarden.budget import schema
from outwarden.budget.dialects import Kind, Statement, insert_into, insert_once, marks, upsert
from outwarden.budget.schema import accounts, charges, entries, holds

_PARTS = ("posted", "pending", "debt", "credit")  # of a balance
_CHARGED = ("posted", "debt", "credit")  # of a bucket


def _bind(name: str) -> BindParameter[Any]:
    return bindparam(name)


_ACCOUNT_KEY = [accounts.c[name] for name in ("budget", "scope", "id", "unit", "window", "starts")]


def _same_account() -> Any:
    return and_(*(column == _bind(f"a_{column.name}") for column in _ACCOUNT_KEY))


def _reserve(kind: Kind) -> Any:
    """Add to pending if it fits. SQLite alone: MariaDB cannot do it, PostgreSQL would use up a number each time."""
    amount, limit, at = _bind("a_amount"), _bind("a_limit"), _bind("a_at")
    seen = {name: _bind(f"a_{name}") for name in ("limit_seen", "burst_seen")}
    c = accounts.c
    return (
        insert_into(kind, accounts)
        .values(**_fresh_account(**seen, pending=amount, touched=at))
        .on_conflict_do_update(
            index_elements=_ACCOUNT_KEY,
            set_={**seen, "pending": c.pending + amount, "touched": at},
            where=c.posted + c.pending + c.debt + amount <= limit + c.credit,
        )
        .returning(c.number, *(c[name] for name in _PARTS))
    )


def _fresh_account(**values: Any) -> dict[str, Any]:
    names = ("budget", "scope", "id", "unit", "window", "starts", "ends", "idle_s")
    fresh = {name: literal(0) for name in (*_PARTS, "refilled", "carry")} | {name: _bind(f"a_{name}") for name in names}
    return fresh | values


def _open_account(kind: Kind) -> Any:
    seen = {"limit_seen": _bind("a_limit_seen"), "burst_seen": _bind("a_burst_seen"), "touched": _bind("a_at")}
    return insert_once(kind, accounts, _fresh_account(**seen))


def _open_hold(kind: Kind) -> Any:
    values = {name: _bind(f"h_{name}") for name in ("id", "owner", "usd", "tokens", "requests")}
    return insert_once(kind, holds, {**values, "state": "open", "steps": literal(0), "opened": _bind("h_at")})


def _change_hold(kind: Kind, **values: Any) -> Any:
    still_open = and_(holds.c.id == _bind("h_id"), holds.c.state == "open")
    change = update(holds).where(still_open).values(steps=holds.c.steps + 1, **values)
    return change if kind == "mariadb" else change.returning(holds.c.steps)


def _grow_hold(kind: Kind) -> Any:
    return _change_hold(kind, **{name: _bind(f"h_{name}") for name in ("usd", "tokens", "requests")})


def _move() -> Any:
    """SQLite alone, as it returns what it made; the servers write what they reckoned (`WRITE_ACCOUNT`)."""
    c = accounts.c
    values = {name: c[name] + _bind(f"a_{name}") for name in _PARTS}
    change = update(accounts).where(c.number == _bind("a_number")).values(**values, touched=_bind("a_at"))
    return change.returning(*(c[name] for name in _PARTS))


def _charge(kind: Kind) -> Any:
    c = charges.c
    insert = insert_into(kind, charges).values(
        **{name: _bind(f"c_{name}") for name in ("account", "leaves", *_CHARGED)}
    )
    return upsert(kind, insert, [c.account, c.leaves], lambda new: {name: c[name] + new[name] for name in _CHARGED})


def _sum_of(name: str, *condition: Any) -> Any:
    return func.coalesce(select(func.sum(charges.c[name])).where(*condition).scalar_subquery(), 0)


def _current() -> Any:
    """Accounts to show, each with what has left its rolling window and is still in its balance."""
    c, at = accounts.c, _bind("at")
    gone = [
        _sum_of(name, charges.c.account == c.number, charges.c.leaves <= at).label(f"gone_{name}") for name in _CHARGED
    ]
    # Of accounts that count identical calls there are many: those that begin to look like a loop are shown.
    shown = or_(c.idle_s.is_(None), 2 * (c.posted + c.pending + c.debt) >= c.limit_seen)
    current = or_(c.ends.is_(None), c.ends > at, c.pending > 0)
    return select(accounts, *gone).where(current, shown, ~c.window.like("rate %")).order_by(c.number)


def _register(kind: Kind) -> Any:
    values = {name: _bind(f"o_{name}") for name in ("id", "pid", "started", "host", "seen")}
    insert = insert_into(kind, schema.owners).values(**values, ended=literal(0))
    seen = schema.owners.c.seen

    def later(new: Any) -> Any:  # no heartbeat looks like one before it, whatever the clock says: see `Watch`
        return case((new["seen"] > seen, new["seen"]), else_=seen + 1)

    return upsert(kind, insert, ["id"], lambda new: {"seen": later(new), "ended": new["ended"]})


def _owners() -> Any:
    """All owners, also those that are known by their open holds alone: forgotten as dead, they were only asleep."""
    c = schema.owners.c
    unknown = select(holds.c.owner, literal(0), literal(""), literal(""), literal(0), literal(0)).distinct()
    known = select(c.id).where(c.id == holds.c.owner).exists()
    every = select(schema.owners).union_all(unknown.where(holds.c.state == "open", ~known)).subquery()
    return select(*every.c)


def _pending() -> Any:
    amount = func.sum(entries.c.pending).label("amount")
    joined = select(accounts, amount).join(entries, entries.c.account == accounts.c.number)
    return joined.where(entries.c.hold == _bind("e_hold")).group_by(accounts.c.number)


def _drift() -> Any:
    """Accounts whose balance is not the sum of their lines, or of their buckets where they have some."""
    c = accounts.c
    sums = [func.coalesce(func.sum(entries.c[name]), 0) == c[name] for name in _PARTS]
    in_buckets = [_sum_of(name, charges.c.account == c.number) == c[name] for name in _CHARGED]
    rolls = or_(c.window.like("rolling %"), c.window.like("rate %"))
    joined = select(accounts).outerjoin(entries, entries.c.account == c.number)
    return joined.group_by(c.number).having(or_(~and_(*sums), and_(rolls, ~and_(*in_buckets))))


def _carry(kind: Kind) -> Any:
    """Add a hold's lines to the one carried line of each account."""
    c = entries.c
    parts = [func.sum(c[name]).label(f"sum_{name}") for name in _PARTS]
    old = select(literal(""), literal(0), c.account, literal("carried"), _bind("e_at"), *parts)
    old = old.where(c.hold == _bind("e_hold")).group_by(c.account)
    insert = insert_into(kind, entries).from_select(["hold", "number", "account", "step", "at", *_PARTS], old)
    keys = [c.hold, c.number, c.account]
    return upsert(kind, insert, keys, lambda new: {"at": new["at"], **{n: c[n] + new[n] for n in _PARTS}})


def _numbers() -> Any:
    """Accounts of a budget in the present window, of one id (of all its bodies, where they count apart) or of all."""
    c, id_, of_bodies = accounts.c, _bind("a_id"), _bind("a_of_bodies")
    whose = or_(id_ == "", c.id == id_, func.substr(c.id, 1, func.length(of_bodies)) == of_bodies)
    present = or_(c.ends.is_(None), c.ends > _bind("at"))
    return select(c.number, *(c[name] for name in _PARTS), *_ACCOUNT_KEY).where(
        c.budget == _bind("a_budget"), whose, present
    )


def _unused() -> Any:
    """No open hold has anything to do with the account, not even one of nothing."""
    lines = select(entries.c.hold).join(holds, holds.c.id == entries.c.hold)
    return ~lines.where(entries.c.account == accounts.c.number, holds.c.state == "open").exists()


def _old_account() -> Any:
    """Past windows, and what was silent for long, with nothing pending. Debt of a past window binds nobody any more."""
    c, before = accounts.c, _bind("before")
    silent = or_(and_(c.scope == "session", c.touched < before), c.touched + c.idle_s < _bind("at"))
    return and_(c.pending == 0, or_(c.ends < before, silent), _unused())


OPEN_ACCOUNT = Statement(_open_account)
NUMBERS = Statement(_numbers())
FORGET_ALL_CHARGES = Statement(delete(charges).where(charges.c.account == _bind("a_number")))
BEGIN_ANEW = (
    FORGET_ALL_CHARGES,
    Statement(
        update(accounts).where(accounts.c.number == _bind("a_number")).values(refilled=_bind("a_at"), carry=literal(0))
    ),
)
PAUSE = Statement(lambda kind: insert_once(kind, schema.pauses, {"target": _bind("target"), "at": _bind("at")}))
RESUME = Statement(delete(schema.pauses).where(schema.pauses.c.target == _bind("target")))
_of_upstream = schema.pauses.c.target.like("upstream %")
PAUSES = Statement(select(schema.pauses.c.target).where(~_of_upstream).order_by(schema.pauses.c.target))
DRAINED = Statement(select(schema.pauses.c.target).where(_of_upstream))
LOG = Statement(
    insert(schema.orders).values(
        **{name: _bind(f"o_{name}") for name in ("at", "by", "step", "target", "amount")}, told=literal(0)
    )
)
# Of this connection: what others insert meanwhile does not count.
_LAST = {"sqlite": func.last_insert_rowid, "postgresql": func.lastval, "mariadb": func.last_insert_id}
LAST_ORDER = Statement(lambda kind: select(_LAST[kind]()))
UNTOLD = Statement(
    select(schema.orders).where(schema.orders.c.told == 0).order_by(schema.orders.c.number).limit(literal(100))
)
ORDERS = Statement(select(schema.orders).order_by(schema.orders.c.number.desc()).limit(literal(1000)))
TELL = Statement(
    update(schema.orders).where(schema.orders.c.number == _bind("number"), schema.orders.c.told == 0).values(told=1)
)


def _keep_rest(kind: Kind) -> Any:
    """Write down that an upstream rests, or until when it now does."""
    values = {name: _bind(f"r_{name}") for name in ("name", "owner", "why", "until", "written")}
    insert = insert_into(kind, schema.rests).values(**values)
    return upsert(kind, insert, ["name", "owner"], lambda new: {n: new[n] for n in ("why", "until", "written")})


RESTS = Statement(select(schema.rests))
KEEP_REST = Statement(_keep_rest)
END_REST = Statement(
    delete(schema.rests).where(schema.rests.c.name == _bind("r_name"), schema.rests.c.owner == _bind("r_owner"))
)
FORGET_RESTS = Statement(delete(schema.rests).where(schema.rests.c.until < _bind("before")))


@cache
def paused_sql(kind: Kind, targets: int) -> str:
    """Find what of so many targets is paused."""
    return f"SELECT target FROM pauses WHERE target IN ({marks(kind, targets)}) LIMIT 1"  # noqa: S608 - our own names


@cache
def forget_sql(kind: Kind, numbers: int) -> tuple[str, ...]:
    """Delete so many accounts, by number, and all that hangs on them."""
    these = marks(kind, numbers)
    tables = (("charges", "account"), ("entries", "account"), ("accounts", "number"))
    return tuple(f"DELETE FROM {table} WHERE {column} IN ({these})" for table, column in tables)  # noqa: S608 - our own


@cache
def enter_sql(kind: Kind, lines: int) -> str:
    """Insert so many journal lines: hold, number, account, step, posted, pending, debt, credit, at."""
    columns = ("hold", "number", "account", "step", *_PARTS, "at")
    rows = ", ".join([f"({marks(kind, len(columns))})"] * lines)
    return f"INSERT INTO entries ({', '.join(columns)}) VALUES {rows}"  # noqa: S608 - our own names


ACCOUNT = Statement(select(accounts).where(_same_account()))
COUNTED = ("number", "limit_seen", "burst_seen", *_PARTS, "refilled", "carry", "touched")  # what a step may change
LOCK_ACCOUNT = Statement(select(*(accounts.c[name] for name in COUNTED)).where(_same_account()).with_for_update())
WRITE_ACCOUNT = Statement(
    update(accounts).where(accounts.c.number == _bind("a_number")).values({n: _bind(f"a_{n}") for n in COUNTED[1:]})
)
LOCK_NUMBER = Statement(select(accounts).where(accounts.c.number == _bind("a_number")).with_for_update())
CURRENT = Statement(_current())
RESERVE = Statement(_reserve)
MOVE = Statement(_move())
REFILL = Statement(
    update(accounts)
    .where(accounts.c.number == _bind("a_number"))
    .values(refilled=_bind("a_refilled"), carry=_bind("a_carry"))
)
CHARGE = Statement(_charge)
CHARGES = Statement(
    select(charges.c.leaves, *(charges.c[name] for name in _CHARGED))
    .where(charges.c.account == _bind("c_account"))
    .order_by(charges.c.leaves)
)
GONE = Statement(
    select(*(func.sum(charges.c[name]).label(name) for name in _CHARGED)).where(
        charges.c.account == _bind("c_account"), charges.c.leaves <= _bind("at")
    )
)
GONE_OF = Statement(  # the same, before its number is known
    select(*(func.sum(charges.c[name]).label(name) for name in _CHARGED)).where(
        charges.c.account == select(accounts.c.number).where(_same_account()).scalar_subquery(),
        charges.c.leaves <= _bind("at"),
    )
)
FORGET_CHARGES = Statement(
    delete(charges).where(charges.c.account == _bind("c_account"), charges.c.leaves <= _bind("at"))
)
OPEN_HOLD = Statement(_open_hold)
HOLD = Statement(select(holds).where(holds.c.id == _bind("h_id")))
LOCK_HOLD = Statement(select(holds).where(holds.c.id == _bind("h_id")).with_for_update())
GROW_HOLD = Statement(_grow_hold)
CLOSE_HOLD = Statement(lambda kind: _change_hold(kind, state=_bind("h_state"), closed=_bind("h_at")))
OPEN_HOLDS = Statement(
    select(holds).where(holds.c.owner == _bind("h_owner"), holds.c.state == "open").limit(_bind("most"))
)
LOCK_OPEN_HOLDS = Statement(
    select(holds)
    .where(holds.c.owner == _bind("h_owner"), holds.c.state == "open")
    .order_by(holds.c.id)
    .limit(_bind("most"))
    .with_for_update(skip_locked=True)  # another process resolves them
)
PENDING = Statement(_pending())
DRIFT = Statement(_drift())
REGISTER = Statement(_register)
OWNERS = Statement(_owners())
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
# What another writer is about to use is not old. SQLite, which has one writer at a time, has no such locks.
CARRY = Statement(_carry)
FORGET_ENTRIES = Statement(delete(entries).where(entries.c.hold == _bind("e_hold")))
FORGET_HOLD = Statement(delete(holds).where(holds.c.id == _bind("h_id")))
OLD_ACCOUNTS = Statement(
    select(accounts.c.number).where(_old_account()).limit(_bind("most")).with_for_update(skip_locked=True)
)
# One process at a time prunes a server's ledger; the others find the row locked, and none.
LOCK_PRUNING = Statement(select(schema.ledger_table).with_for_update(skip_locked=True))
CROWD = Statement(select(func.count().label("crowd")).where(accounts.c.idle_s.is_not(None)))
QUIETEST = Statement(
    select(accounts.c.number)
    .where(accounts.c.idle_s.is_not(None), accounts.c.pending == 0, _unused())
    .order_by(accounts.c.touched)
    .limit(_bind("most"))
    .with_for_update(skip_locked=True)
)
