"""Why a call is refused, and when it would fit: the account that stays closed longest, and its exact second."""

from collections.abc import Sequence
from datetime import datetime

from outwarden.budget.accounts import Account
from outwarden.budget.ageing import Standing, balance_at, frees_at, seconds_until
from outwarden.budget.states import AMOUNT_MAX, Amounts, Balance, Denied
from outwarden.budget.store import Store
from outwarden.budget.velocity import eases_at, gone_in_s, running_out
from outwarden.budget.windows import moving


def is_hopeless(account: Account, wanted: Amounts) -> bool:
    """Whether there is no need to ask the store: an absurd amount, or scope `request`, which is never stored."""
    budget, amount = account.budget, wanted.of(account.budget.unit)
    if budget.scope == "request" and budget.on_exceeded != "warn" and not 0 <= amount <= budget.limit > 0:
        return True
    return amount > AMOUNT_MAX


class Denials:
    """Looks at the accounts of a call that was refused, as they are at ``now``."""

    def __init__(self, store: Store, now: datetime) -> None:
        self._store = store
        self._now = now
        self._second = int(now.timestamp())

    def longest(self, accounts: Sequence[Account], wanted: Amounts, held: Amounts) -> Denied:
        """The account that stays closed longest: waiting for another one would only meet this one next.

        ``held`` is what the call has already; its amounts are part of ``wanted``.
        """
        found = [denied for account in accounts if (denied := self._denial(account, wanted, held))]
        if not found:  # room was made between the refusal and this look: the first account is as good as any
            first = accounts[0]
            found = [Denied(first, self.room(first), wanted.of(first.budget.unit), 1)]
        return max(found, key=lambda denied: float("inf") if denied.retry_after_s is None else denied.retry_after_s)

    def balance(self, account: Account) -> Balance:
        """An account's balance; nothing for scope `request`, which is never stored."""
        return balance_at(account.budget, self._standing(account), self._second)

    def room(self, account: Account) -> int:
        """What is free on an account, never negative."""
        balance = self.balance(account)
        return max(0, account.budget.capacity + balance.credit - balance.taken)

    def _standing(self, account: Account) -> Standing:
        return Standing() if account.budget.scope == "request" else self._store.standing(account)

    def _denial(self, account: Account, wanted: Amounts, held: Amounts) -> Denied | None:
        needed = wanted.of(account.budget.unit)
        if account.rate_of:
            return self._too_fast(account, account.rate_of, needed)
        standing = self._standing(account)
        balance = balance_at(account.budget, standing, self._second)
        limit, once = account.budget.capacity + balance.credit, account.budget.scope == "request"
        missing = needed - (0 if once else held.of(account.budget.unit)) - (limit - balance.taken)
        fits = account.budget.on_exceeded == "warn" or (missing <= 0 and limit > 0)
        if fits and needed <= AMOUNT_MAX:
            return None
        frees = None
        if not once and limit > 0 and needed <= min(limit, AMOUNT_MAX):
            frees = self._frees(account, standing, missing)
        wait = None if frees is None else seconds_until(frees, self._now)
        return Denied(account, max(0, limit - balance.taken), needed, wait, credit=balance.credit)

    def _too_fast(self, account: Account, watched: Account, needed: int) -> Denied | None:
        rule, standing, main = account.budget.projected, self._standing(account), self.balance(watched)
        recent = balance_at(account.budget, standing, self._second)
        if rule is None or rule.action == "warn" or not running_out(account, main, recent, self._now):
            return None
        wait = seconds_until(eases_at(account, main, standing, self._second), self._now)
        return Denied(watched, self.room(watched), needed, wait, gone_in_s(account, main, recent), main.credit)

    def _frees(self, account: Account, standing: Standing, missing: int) -> int | None:
        """When so much more is free, in seconds since 1970; None: never, as far as one can tell."""
        if moving(account.budget.window):
            return frees_at(account.budget, standing, missing, self._second)
        return int(account.window_end.timestamp()) if account.window_end else None
