"""The values a ledger answers with: what is asked for, what is held or refused, and how an account stands."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

from outwarden.budget.accounts import Account
from outwarden.budget.limits import Unit
from outwarden.pricing.price import usd

AMOUNT_MAX = 2**53  # nano-dollars: 9 million dollars a call. What is above can be refused or posted, never summed up


class Amounts(NamedTuple):
    """What a call takes: nano-dollars, tokens, and how many requests it is. Each budget counts the one of its unit."""

    usd: int
    tokens: int
    requests: int = 1

    def of(self, unit: Unit) -> int:
        """The amount in a unit."""
        return self.usd if unit == "usd" else self.tokens if unit == "tokens" else self.requests

    def plus(self, other: "Amounts") -> "Amounts":
        """The sum."""
        return Amounts(self.usd + other.usd, self.tokens + other.tokens, self.requests + other.requests)

    def minus(self, other: "Amounts") -> "Amounts":
        """The difference."""
        return Amounts(self.usd - other.usd, self.tokens - other.tokens, self.requests - other.requests)

    def or_more(self, other: "Amounts") -> "Amounts":
        """The larger of each."""
        return Amounts(*map(max, self, other))


class Balance(NamedTuple):
    """What an account holds, in its unit. ``debt`` is what calls cost beyond their holds, ``credit`` a top-up."""

    posted: int = 0
    pending: int = 0
    debt: int = 0
    credit: int = 0

    def plus(self, change: "Balance") -> "Balance":
        """The balance after a change."""
        return Balance(
            self.posted + change.posted,
            self.pending + change.pending,
            self.debt + change.debt,
            self.credit + change.credit,
        )

    @property
    def taken(self) -> int:
        """What counts against the limit: debt blocks like everything else."""
        return self.posted + self.pending + self.debt


@dataclass(frozen=True, slots=True)
class BudgetState:
    """How one account stands. Numbers are in ``unit`` (nano-dollars for usd).

    ``limit``: the most that may be taken, burst allowance and top-ups included. ``window``: as the rules write it.
    ``state``: ``ok``; ``warn`` once what was spent reaches the first ``warn_at``; ``exceeded`` once nothing is left;
    ``paused`` by command.
    ``warned``: more is taken than the limit, of a budget that only warns. ``runs_out``: at the present rate it would be
    gone too soon (`Projected`), ``now``: since this very step.
    ``crossed``: the ``warn_at`` fractions that this very step crossed, 1.0 for the limit itself; each once.
    """

    name: str
    scope: str
    id: str
    window_start: datetime | None
    window_end: datetime | None
    limit: int
    posted: int
    pending: int
    debt: int
    unit: Unit
    state: Literal["ok", "warn", "exceeded", "paused"]
    crossed: tuple[float, ...] = ()
    window: str = "lifetime"
    warned: bool = False
    runs_out: Literal["no", "yes", "now"] = "no"

    @property
    def left(self) -> int:
        """What may still be taken, never negative."""
        return max(0, self.limit - self.posted - self.pending - self.debt)

    def as_json(self) -> dict[str, str | None]:
        """The state as the command line and the page show it; amounts are decimal strings, times ISO 8601 in UTC."""
        write = usd if self.unit == "usd" else str
        return {
            "name": self.name,
            "scope": self.scope,
            "id": self.id,
            "window": self.window,
            "window_start": self.window_start.isoformat() if self.window_start else None,
            "window_end": self.window_end.isoformat() if self.window_end else None,
            f"limit_{self.unit}": write(self.limit),
            f"posted_{self.unit}": write(self.posted),
            f"pending_{self.unit}": write(self.pending),
            f"debt_{self.unit}": write(self.debt),
            "state": self.state,
        }


@dataclass(frozen=True, slots=True)
class Held:
    """The money is there and reserved on every account."""

    hold_id: str
    states: tuple[BudgetState, ...]


@dataclass(frozen=True, slots=True)
class Paused:
    """Somebody has paused this: ``key …``, ``budget …`` or ``account …``."""

    target: str


@dataclass(frozen=True, slots=True)
class Denied:
    """Nothing was reserved. ``account`` is the one that stays closed longest.

    ``left``, ``needed`` and ``limit`` (burst allowance and top-ups included) are in its unit.

    ``gone_in_s``: the money is there, but spent so fast that it would be gone then (`Projected`).
    ``retry_after_s``: when its window ends, or enough of a moving one has aged, if the call fits then; None if waiting
    does not help.
    """

    account: Account
    left: int
    needed: int
    retry_after_s: int | None
    gone_in_s: int | None = None
    credit: int = 0

    @property
    def limit(self) -> int:
        """The most that may be taken."""
        return self.account.budget.capacity + self.credit


def state_of(account: Account, balance: Balance, before: Balance | None = None) -> BudgetState:
    """Describe an account; ``before`` is its balance ahead of the step, to tell what was crossed."""
    budget = account.budget
    spent = balance.posted + balance.debt
    limit = budget.capacity + balance.credit
    marks = _marks(limit, budget.warn_at)
    crossed: tuple[float, ...] = ()
    if before is not None:
        earlier = before.posted + before.debt
        crossed = tuple(fraction for fraction, mark in marks if earlier < mark <= spent)
    return BudgetState(
        name=budget.name,
        scope=budget.scope,
        id=account.id,
        window_start=account.window_start,
        window_end=account.window_end,
        limit=limit,
        posted=balance.posted,
        pending=balance.pending,
        debt=balance.debt,
        unit=budget.unit,
        state="exceeded" if spent >= limit else "warn" if spent >= marks[0][1] else "ok",
        crossed=crossed,
        window=budget.window,
        warned=budget.on_exceeded == "warn" and balance.taken > limit,
    )


def checked(amounts: Amounts, most: int = 2 * AMOUNT_MAX) -> Amounts:
    """The amounts, none above ``most``: that of a hold can be refused yet. Raises ValueError for a negative one."""
    if min(amounts) < 0:
        raise ValueError("amounts are never negative")
    return amounts if max(amounts) <= most else Amounts(*(min(amount, most) for amount in amounts))


@lru_cache(4096)
def _marks(limit: int, warn_at: tuple[float, ...]) -> tuple[tuple[float, int], ...]:
    """Fractions of the limit as written (0.1 means a tenth), each with its amount rounded up; 1.0 is the limit."""
    shares = ((fraction, -int(-(Decimal(str(fraction)) * limit) // 1)) for fraction in sorted({*warn_at, 1.0}))
    return tuple(shares)
