"""Whether a budget is being spent too fast: at the rate of the last minutes, when would it be gone?

What is spent is what calls have cost; what running calls hold at most says nothing of a rate. Integers only.
"""

from datetime import datetime

from outwarden.budget.accounts import Account
from outwarden.budget.ageing import Standing, balance_at
from outwarden.budget.states import Balance


def running_out(rate: Account, main: Balance, recent: Balance, now: datetime) -> bool:
    """Whether a budget would be gone within its rule's time, and before its window ends by itself.

    ``rate`` is the account that measures, ``recent`` its balance; ``main`` the balance of the one it watches.
    """
    return _running_out(rate, _left(rate, main), recent.posted + recent.debt, int(now.timestamp()))


def gone_in_s(rate: Account, main: Balance, recent: Balance) -> int | None:
    """In how many seconds the budget is gone at the present rate; None while nothing is spent."""
    rule, spent = rate.budget.projected, recent.posted + recent.debt
    assert rule
    return _left(rate, main) * rule.over_s // spent if spent > 0 else None


def eases_at(rate: Account, main: Balance, standing: Standing, now_s: int) -> int:
    """The second from which the rate is no longer too high, if nothing more is spent."""
    left, recent = _left(rate, main), balance_at(rate.budget, standing, now_s)
    spent, ends = recent.posted + recent.debt, _ends(rate)
    if not _running_out(rate, left, spent, now_s):
        return now_s
    for charge in standing.charges:
        if charge.leaves > now_s:
            if ends is not None and (outlasts := _outlasts(rate, left, spent, ends)) <= charge.leaves:
                return max(outlasts, now_s)
            spent -= charge.posted + charge.debt
            if not _running_out(rate, left, spent, charge.leaves):
                return charge.leaves
    return now_s


def _running_out(rate: Account, left: int, spent: int, now_s: int) -> bool:
    rule, ends = rate.budget.projected, _ends(rate)
    assert rule
    if spent <= 0 or left * rule.over_s >= spent * rule.within_s:
        return False
    return ends is None or now_s < _outlasts(rate, left, spent, ends)


def _outlasts(rate: Account, left: int, spent: int, ends: int) -> int:
    """The first second from which what is left would last to the end of the window."""
    assert rate.budget.projected
    return ends - left * rate.budget.projected.over_s // spent


def _left(rate: Account, main: Balance) -> int:
    watched = rate.rate_of
    assert watched
    return max(0, watched.budget.capacity + main.credit - main.posted - main.debt)


def _ends(rate: Account) -> int | None:
    end = rate.rate_of.window_end if rate.rate_of else None
    return None if end is None else int(end.timestamp())
