"""How a balance frees up as time goes by, in windows that move with the clock. Pure rules, integers only.

A rolling window remembers what was charged in buckets: one second wide up to an hour, a 3600th of a longer window. A
bucket leaves the window as a whole, once its youngest charge has: nothing ages early, and an account has at most some
3,600 buckets. What a refill gives back is counted in whole seconds, and what does not make a whole unit is carried on.
"""

from collections.abc import Sequence
from datetime import datetime
from math import ceil
from typing import NamedTuple

from outwarden.budget.accounts import Account
from outwarden.budget.limits import Budget
from outwarden.budget.states import Balance
from outwarden.budget.windows import moving

BUCKETS_MAX = 3600  # per window: a bucket of ten minutes is a second wide, one of a day 24


class Charge(NamedTuple):
    """One bucket of a rolling account, and the second (since 1970) in which it leaves the window."""

    leaves: int
    posted: int
    debt: int
    credit: int


class Standing(NamedTuple):
    """An account as stored: its balance at the last step, and what tells how much of it has aged since.

    ``charges`` (rolling) in order; ``refilled`` (refill): the second up to which the balance is refilled, and in
    ``carry`` what of a unit is left over, in parts of the window's seconds.
    """

    balance: Balance = Balance()
    charges: Sequence[Charge] = ()
    refilled: int = 0
    carry: int = 0


class Refilled(NamedTuple):
    """How a refill changes a balance, and where it got to."""

    change: Balance
    refilled: int
    carry: int


def bucket_s(length_s: int) -> int:
    """How wide the buckets of a rolling window are."""
    return -(-length_s // BUCKETS_MAX)


def leaves_at(length_s: int, at_s: int) -> int:
    """When what is charged in the second ``at_s`` leaves a rolling window: never before ``length_s`` have passed."""
    width = bucket_s(length_s)
    return (at_s // width + 1) * width + length_s


def idle_s(account: Account) -> int | None:
    """After how long a silence an account that counts identical calls tells nothing any more; None: keep it."""
    if not account.budget.identical:
        return None
    if window := moving(account.budget.window):
        full_s = window.length_s * -(-account.budget.capacity // max(1, account.budget.limit))
        return window.length_s + bucket_s(window.length_s) if window.kind == "rolling" else full_s + 1
    if account.window_start and account.window_end:
        return int((account.window_end - account.window_start).total_seconds())
    return None


def refill(budget: Budget, standing: Standing, now_s: int) -> Refilled:
    """Let ``limit`` per window flow back into what was spent; debt goes first. A top-up pays for what was spent.

    A full bucket starts to count anew with the second after the present one, so that nothing flows back early.
    """
    window = moving(budget.window)
    assert window
    balance = standing.balance
    spent = balance.posted + balance.debt
    paid = min(balance.credit, spent)
    due, carry = divmod(budget.limit * max(0, now_s - standing.refilled) + standing.carry, window.length_s)
    freed = paid + min(due, spent - paid)
    debt = min(balance.debt, freed)
    change = Balance(debt - freed, 0, -debt, -paid)
    if freed == spent:
        return Refilled(change, now_s + 1, 0)
    return Refilled(change, max(now_s, standing.refilled), carry)


def balance_at(budget: Budget, standing: Standing, now_s: int) -> Balance:
    """The balance as it is in the second ``now_s``."""
    window = moving(budget.window)
    if window is None:
        return standing.balance
    if window.kind == "refill":
        return standing.balance.plus(refill(budget, standing, now_s).change)
    gone = [charge for charge in standing.charges if charge.leaves <= now_s]
    return standing.balance.plus(
        Balance(-sum(c.posted for c in gone), 0, -sum(c.debt for c in gone), -sum(c.credit for c in gone))
    )


def frees_at(budget: Budget, standing: Standing, missing: int, now_s: int) -> int | None:
    """The second from which ``missing`` more is free in a moving window, if nothing else is taken; None: never.

    What is pending counts as if it were charged now: whoever waits that long does not wait in vain.
    """
    window = moving(budget.window)
    assert window
    if window.kind == "refill":
        if budget.limit == 0:
            return None
        done = refill(budget, standing, now_s)
        return done.refilled - (done.carry - missing * window.length_s) // budget.limit
    for charge in standing.charges:
        if charge.leaves > now_s:
            missing -= charge.posted + charge.debt - charge.credit
            if missing <= 0:
                return charge.leaves
    return leaves_at(window.length_s, now_s) if standing.balance.pending >= missing else None


def seconds_until(second: int, now: datetime) -> int:
    """Whole seconds from ``now`` until ``second``, at least 1."""
    return max(1, ceil(second - now.timestamp()))
