"""What a ledger in Redis looks like: its keys, and the values in them.

All keys begin with one hash tag, so that a cluster keeps them on one node. Amounts are integers in JSON, reckoned with
in Python alone: Redis would count in 64 bits, and Lua in doubles, which are exact up to 2**53 only.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple, cast

from outwarden.budget.accounts import Account
from outwarden.budget.sql_rows import fresh, moment, naming
from outwarden.budget.states import Amounts, Balance
from outwarden.budget.store import HoldRow, HoldState

VERSION = 1  # of this layout; a ledger of a newer one is refused

_TAG = "{outwarden}:"
LEDGER = f"{_TAG}ledger"  # string: version and a random id, by which a ledger that was lost is noticed
TURN = f"{_TAG}turn"  # string: who writes alone for a moment (`redis_transaction`)
NUMBERS = f"{_TAG}numbers"  # string: the last number of an account
ACCOUNTS = f"{_TAG}accounts"  # sorted set: names of accounts, by their numbers
CARRIED = f"{_TAG}carried"  # hash: number of an account -> sums of its lines that were folded
CLOSED = f"{_TAG}closed"  # sorted set: ids of holds that are over, by the second of their end
PAUSES = f"{_TAG}pauses"  # hash: target -> since when
ORDERS = f"{_TAG}orders"  # list: every order
ORDER_NUMBERS = f"{_TAG}order-numbers"  # string: the last number of an order
UNTOLD = f"{_TAG}untold"  # sorted set: orders that nobody was told of, by number
OWNERS = f"{_TAG}owners"  # hash: id -> who it is: process, when it started, machine, last heartbeat, whether it ended
UNKNOWN = '[0,"","",0,0]'  # an owner of whom only holds are known
RESTS = f"{_TAG}rests"  # hash: [upstream, owner] -> why the owner leaves it alone, until when, written when (ms)


class AccountRow(NamedTuple):
    """An account as it is kept; the names are those of `schema.accounts`."""

    number: int
    budget: str
    scope: str
    id: str
    unit: str
    window: str
    starts: int
    ends: int | None
    idle_s: int | None
    limit_seen: int
    burst_seen: int | None
    touched: int
    posted: int = 0
    pending: int = 0
    debt: int = 0
    credit: int = 0
    refilled: int = 0
    carry: int = 0

    @property
    def balance(self) -> Balance:
        return Balance(self.posted, self.pending, self.debt, self.credit)

    @property
    def name(self) -> str:
        """What its keys are called after."""
        return _digest((self.budget, self.scope, self.id, self.unit, self.window, self.starts))


class Kept(NamedTuple):
    """A hold as it is kept. ``steps``: the number of its last one."""

    owner: str
    state: str
    amounts: Sequence[int]
    steps: int
    opened: int
    closed: int | None = None


class Line(NamedTuple):
    """A line of the journal, in the list of its hold."""

    name: str
    account: int
    number: int
    step: str
    change: Sequence[int]
    at: int


def account_key(name: str) -> str:
    return f"{_TAG}account:{name}"


def charges_key(name: str) -> str:
    """Sorted set: what a rolling account was charged, by the second in which it leaves the window."""
    return f"{_TAG}charges:{name}"


def hold_key(hold_id: str) -> str:
    return f"{_TAG}hold:{hold_id}"


def entries_key(hold_id: str) -> str:
    """List: the lines of a hold, or of an order."""
    return f"{_TAG}entries:{hold_id}"


def open_key(owner: str) -> str:
    """Set: the ids of an owner's open holds."""
    return f"{_TAG}open:{owner}"


def name_of(account: Account) -> str:
    """What the keys of an account are called after."""
    return _digest(naming(account))


def new_row(number: int, account: Account, at: Any) -> AccountRow:
    """An account nobody has used yet."""
    named = {name.removeprefix("a_"): value for name, value in fresh(account, at).items()}
    touched = named.pop("at")
    return AccountRow(number=number, touched=touched, **named)


def hold_row(hold_id: str, kept: Kept) -> HoldRow:
    """A hold as the ledger sees it."""
    state, amounts = cast(HoldState, kept.state), Amounts(*kept.amounts)
    return HoldRow(hold_id, kept.owner, state, amounts, moment(kept.opened), kept.steps)


def written(row: Sequence[Any]) -> str:
    return json.dumps(row, separators=(",", ":"))


def account_in(text: str) -> AccountRow:
    return AccountRow(*json.loads(text))


def kept_in(text: str) -> Kept:
    return Kept(*json.loads(text))


def line_in(text: str) -> Line:
    return Line(*json.loads(text))


def _digest(key: tuple[Any, ...]) -> str:
    """128 bits: no two accounts meet, whatever names people choose."""
    return sha256(json.dumps(key).encode()).hexdigest()[:32]
