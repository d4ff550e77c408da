"""One step of a hold on all its accounts, within a transaction: what it changes, and its lines in the journal."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from outwarden.budget.accounts import Account
from outwarden.budget.ageing import leaves_at
from outwarden.budget.limits import Budget
from outwarden.budget.states import Amounts, Balance, BudgetState, state_of
from outwarden.budget.store import Entry, HoldRow, HoldState, Step, Transaction
from outwarden.budget.velocity import running_out
from outwarden.budget.windows import moving
from outwarden.errors import HoldPosted, HoldVoided, LedgerError

Taken = list[tuple[int | None, Balance]]  # per account its number (None for scope `request`) and its new balance


class Journal:
    """Writes a step of a hold. Before an account of a moving window is changed, what has left it is taken out."""

    def __init__(self, transaction: Transaction, hold_id: str, number: int, now: datetime) -> None:
        self._transaction = transaction
        self._hold_id = hold_id
        self._number = number
        self._now = now
        self._aged: list[Entry] = []

    def reserve(self, accounts: Sequence[Account], amounts: Amounts) -> Taken | None:
        """Add to pending on every account; None as soon as one says no."""
        self._transaction.lock(accounts, self._now)
        taken: Taken = []
        for account in accounts:
            amount = amounts.of(account.budget.unit)
            if account.budget.scope == "request":
                taken.append((None, Balance(0, amount)))
                continue
            self._age(account)
            reserved = self._transaction.reserve(account, amount, self._now)
            if reserved is None or (taken and self._too_fast(account, taken[-1][1], reserved[1])):
                return None
            taken.append(reserved)
        return taken

    def settle(self, number: int, account: Account, change: Balance, opened: datetime) -> Balance:
        """Move an account and let what is charged age: dollars and tokens from now, requests from their admission."""
        self._age(account)
        after = self._transaction.move(number, change, self._now)
        window = moving(account.budget.window)
        if window and window.rolls and (change.posted or change.debt):
            since = opened if account.budget.unit == "requests" else self._now
            charged = change._replace(pending=0)
            self._transaction.charge(number, leaves_at(window.length_s, int(since.timestamp())), charged)
        return after

    def enter(self, step: Step, lines: Sequence[Entry]) -> None:
        """Write the step's lines, those of what aged before it apart."""
        self._transaction.enter(self._hold_id, -1 - self._number, "age", self._aged, self._now)
        self._transaction.enter(self._hold_id, self._number, step, lines, self._now)

    def _age(self, account: Account) -> None:
        if aged := self._transaction.age(account, self._now):
            self._aged.append(aged)

    def _too_fast(self, account: Account, main: Balance, recent: Balance) -> bool:
        rule = account.budget.projected
        watches = account.rate_of is not None and rule is not None and rule.action == "refuse"
        return watches and running_out(account, main, recent, self._now)


def reserved(accounts: Sequence[Account], taken: Taken, amounts: Amounts) -> list[Entry]:
    """The lines of what was reserved."""
    pairs = zip(accounts, taken, strict=True)
    return [Entry(n, Balance(0, amounts.of(account.budget.unit))) for account, (n, _) in pairs if n is not None]


def settled(account: Account, pending: int, actual: Amounts | None) -> Balance:
    """How ending a hold changes an account: up to the hold is posted, beyond it is debt.

    Given back is what it held, but the try where identical calls count: a loop of calls that fail is one as well.
    """
    if actual is None:
        return Balance(pending if _counts_tries(account.budget) else 0, -pending, 0)
    amount = actual.of(account.budget.unit)
    return Balance(min(amount, pending), -pending, max(0, amount - pending))


def _counts_tries(budget: Budget) -> bool:
    return budget.identical and budget.unit == "requests"


def expire(transaction: Transaction, row: HoldRow, now: datetime) -> None:
    """Charge a hold in full."""
    number = transaction.close_hold(row.id, "expired", now)
    if number is None:
        return
    step, lines = Journal(transaction, row.id, number, now), []
    transaction.lock_pending([row.id])
    for account_number, account, pending in transaction.pending(row.id):
        lines.append(Entry(account_number, Balance(pending, -pending)))
        step.settle(account_number, account, lines[-1].change, row.opened)
    step.enter("expire", lines)


def over(hold_id: str, how: HoldState) -> LedgerError:
    """The error that says how a hold has ended."""
    if how == "voided":
        return HoldVoided(f"hold {hold_id} was voided before")
    return HoldPosted(f"hold {hold_id} was posted before" if how == "posted" else f"hold {hold_id} expired")


def told(
    accounts: Sequence[Account], after: Sequence[Balance], now: datetime, before: Sequence[Balance] | None = None
) -> tuple[BudgetState, ...]:
    """The states of a hold's accounts; one that only measures a rate has none, it tells how the one before it runs.

    ``before``: the balances ahead of the step, to tell what was crossed.
    """
    states: list[BudgetState] = []
    for at, account in enumerate(accounts):
        window = moving(account.budget.window)
        if window is None or window.kind != "rate":
            states.append(state_of(account, after[at], before[at] if before else None))
        elif account.rate_of and running_out(account, after[at - 1], after[at], now):
            is_new = before is not None and not running_out(account, before[at - 1], before[at], now)
            states[-1] = replace(states[-1], runs_out="now" if is_new else "yes")
    return tuple(states)
