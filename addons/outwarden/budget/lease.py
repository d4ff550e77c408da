"""A lease: one hold in the store, from which many calls are paid in memory. What it may take, and what is left of it.

Amounts are those of its accounts' units; the others are 0, so that nothing runs short that nobody counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from outwarden.budget.accounts import Account
from outwarden.budget.limits import Budget
from outwarden.budget.states import Amounts, Balance, BudgetState
from outwarden.budget.windows import moving

# How many of the largest hold of late lie ready, doubled when that runs short: a step of the store for some ten to
# eighty calls. As much is charged too much when a process dies.
WIDTH_MIN, WIDTH_MAX = 8, 64
LEAST = 4  # of it; where a lease may not even have that, calls ask the store
SHARE = 4  # a quarter of what is free lies ready in all processes together

NOTHING = Amounts(0, 0, 0)
Key = tuple[object, ...]


class Plan(NamedTuple):
    """What a step makes of a lease once it is committed.

    ``spent`` and ``debt`` are in the store then. ``kept``: something lies ready; ``over``: the lease has ended.
    ``news``: the accounts of which it crossed a mark.
    """

    number: int
    total: Amounts
    spent: Amounts
    debt: Amounts
    balances: tuple[Balance, ...]
    kept: bool
    over: bool
    news: tuple[BudgetState, ...]


@dataclass(slots=True, eq=False)
class Lease:
    """``total`` is pending in the store: ``held`` by calls that run, ``spent`` by calls that ended, the rest is free.

    ``step``: the number of its last step in the store, -1 before the first. ``plan``: what a step was to make of it
    whose commit was not answered. ``balances``: its accounts, as of the last step. ``largest``: the largest hold since
    the last round, ``uses``: how many. ``lost``: its owner was taken for dead, and all of it was charged.
    """

    id: str
    key: Key
    accounts: tuple[Account, ...]
    targets: Sequence[str]
    opened_s: float
    settled_s: float = 0
    step: int = -1
    total: Amounts = NOTHING
    held: Amounts = NOTHING
    spent: Amounts = NOTHING
    debt: Amounts = NOTHING
    balances: tuple[Balance, ...] = ()
    running: int = 0
    width: int = WIDTH_MIN
    uses: int = 0
    largest: Amounts = NOTHING
    lost: bool = False
    plan: Plan | None = None
    units: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.units = frozenset(account.budget.unit for account in self.accounts)

    @property
    def free(self) -> Amounts:
        """What the next call may be given."""
        return self.total.minus(self.held).minus(self.spent)

    @property
    def settled(self) -> bool:
        """Whether the store has all there is to say, and nothing lies ready."""
        return self.plan is None and self.total == self.held and not (any(self.spent) or any(self.debt))

    def counted(self, amounts: Amounts) -> Amounts:
        """The amounts that its accounts count."""
        usd, tokens, requests = amounts
        units = self.units
        return Amounts(
            usd if "usd" in units else 0, tokens if "tokens" in units else 0, requests if "requests" in units else 0
        )

    def has(self, amounts: Amounts) -> bool:
        """Whether a call fits."""
        free = self.free
        return amounts.usd <= free.usd and amounts.tokens <= free.tokens and amounts.requests <= free.requests

    def balance(self, at: int) -> Balance:
        """An account with what was spent since the last step."""
        unit, known = self.accounts[at].budget.unit, self.balances[at]
        spent = self.spent.of(unit)
        return Balance(known.posted + spent, known.pending - spent, known.debt + self.debt.of(unit), known.credit)

    def take(self, plan: Plan) -> None:
        """A step was committed."""
        self.step, self.total, self.balances, self.plan = plan.number, plan.total, plan.balances, None
        self.spent, self.debt = self.spent.minus(plan.spent), self.debt.minus(plan.debt)


def may_lease(budget: Budget) -> bool:
    """Whether a budget can be paid from a lease: its rules say so, and it needs no count to the second.

    What moves with the clock (rolling windows, buckets, rates) ages from the moment of each charge; what looks at a
    counter before each call (`reroute_at`) or never refuses (`warn`) has to see every call; a body rarely comes twice.
    """
    exact = moving(budget.window) or budget.identical or budget.projected or budget.reroute_at is not None
    return budget.lease and not exact and budget.on_exceeded != "warn" and budget.scope != "request"


def ready(lease: Lease, rooms: Iterable[int], others: Sequence[int], owners: int) -> Amounts:
    """What may lie ready in a lease: ``width`` of its largest hold, unless that is too much of what is free.

    ``rooms``: what is free on each of its accounts without it; ``others``: what lies ready there in other leases of
    this process. Nothing at all where a unit has less than `LEAST` of its largest hold.
    """
    found = {unit: lease.width * lease.largest.of(unit) for unit in ("usd", "tokens", "requests")}
    for account, room, other in zip(lease.accounts, rooms, others, strict=True):
        unit = account.budget.unit
        found[unit] = min(found[unit], (room + other) // (SHARE * owners) - other)
        if found[unit] < LEAST * lease.largest.of(unit):
            return NOTHING
    return Amounts(**found)
