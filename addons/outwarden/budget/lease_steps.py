"""A step of a lease in the store: one transaction, one line per account, known by its number (see `leases`)."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime

from outwarden.budget.accounts import Account
from outwarden.budget.lease import NOTHING, Lease, Plan, ready
from outwarden.budget.orders import CREDIT_MAX
from outwarden.budget.retrying import retried
from outwarden.budget.states import Amounts, Balance, BudgetState
from outwarden.budget.steps import told
from outwarden.budget.store import Entry, Store, Transaction

NEWS_MAX = 1000


class LeaseSteps:
    """Takes the steps of an owner's leases. ``owners``: how many share the store; ``news``: who crossed a mark."""

    def __init__(self, store: Store, owner: str) -> None:
        self._store = store
        self._owner = owner
        self.owners = 1
        self.news: deque[BudgetState] = deque(maxlen=NEWS_MAX)

    def take(self, lease: Lease, need: Amounts, keep: bool, now: datetime, elsewhere: Sequence[int]) -> Plan | None:
        """Post what was spent, give back what lies ready, reserve ``need`` if it fits, and what may lie ready next.

        ``keep``: whether anything may; ``elsewhere``: what lies ready on its accounts in other leases of the owner.
        None where the lease is lost, or was not worth to be taken. Raises StoreUnavailable.
        """
        return retried(lambda _: self._write(lease, need, keep, now, elsewhere))

    def _write(self, lease: Lease, need: Amounts, keep: bool, now: datetime, elsewhere: Sequence[int]) -> Plan | None:
        """A step in one transaction; None where the lease is lost, or not worth to be taken."""
        with self._store.transaction() as transaction:
            transaction.expect(lease.accounts, now, lease.targets)
            if not self._find(transaction, lease, now):
                transaction.undo()
                return None
            keep = keep and not transaction.paused(lease.targets)
            plan = self._reckon(transaction, lease, need, keep, now, elsewhere)
            if lease.step < 0 and not plan.kept:
                transaction.undo()
                return None
            lease.plan = plan
        self._took(lease, plan)
        return plan

    def _find(self, transaction: Transaction, lease: Lease, now: datetime) -> bool:
        """Open a lease, or see how it stands: whether a step that was not answered was done, and whether it is ours."""
        if lease.step < 0 and transaction.open_hold(lease.id, self._owner, NOTHING, now):
            return True
        row = transaction.hold(lease.id)
        if lease.plan and row and row.steps >= lease.plan.number:
            self._took(lease, lease.plan)
        lease.plan = None
        lease.lost = row is None or row.state != "open"
        return not lease.lost

    def _reckon(
        self, transaction: Transaction, lease: Lease, need: Amounts, keep: bool, now: datetime, elsewhere: Sequence[int]
    ) -> Plan:
        """Change the accounts and the hold, and write the step's lines."""
        transaction.lock(lease.accounts, now)
        numbers = [transaction.open_account(account, now) for account in lease.accounts]
        units = [account.budget.unit for account in lease.accounts]
        spent, debt, back = lease.spent, lease.debt, lease.total.minus(lease.held)
        changes = [Balance(spent.of(unit), -back.of(unit), debt.of(unit)) for unit in units]
        after = [transaction.move(number, change, now) for number, change in zip(numbers, changes, strict=True)]
        news = _crossed(lease, after, now)
        rooms = [_room(account, balance) for account, balance in zip(lease.accounts, after, strict=True)]
        if any(need.of(unit) > room for unit, room in zip(units, rooms, strict=True)):
            need, keep = NOTHING, False
        rooms = [room - need.of(unit) for unit, room in zip(units, rooms, strict=True)]
        ahead = ready(lease, rooms, elsewhere, self.owners) if keep else NOTHING
        more = need.plus(ahead)
        for at, (account, unit) in enumerate(zip(lease.accounts, units, strict=True)):
            if amount := more.of(unit):
                reserved = transaction.reserve(account, amount, now)
                assert reserved  # its room was reckoned under the same lock
                after[at] = reserved[1]
                changes[at] = changes[at].plus(Balance(0, amount))
        total = lease.held.plus(more)
        over = not (any(total) or lease.running)
        step = transaction.close_hold(lease.id, "posted", now) if over else transaction.grow_hold(lease.id, total)
        assert step
        lines = [Entry(number, change) for number, change in zip(numbers, changes, strict=True)]
        transaction.enter(lease.id, step, "lease", lines, now)
        return Plan(step, total, spent, debt, tuple(after), any(ahead), over, news)

    def _took(self, lease: Lease, plan: Plan) -> None:
        lease.take(plan)
        self.news += plan.news


def _crossed(lease: Lease, after: Sequence[Balance], now: datetime) -> tuple[BudgetState, ...]:
    """The accounts of which a step crosses a mark."""
    before = [
        balance.plus(Balance(-lease.spent.of(account.budget.unit), 0, -lease.debt.of(account.budget.unit)))
        for account, balance in zip(lease.accounts, after, strict=True)
    ]
    return tuple(state for state in told(lease.accounts, after, now, before) if state.crossed)


def _room(account: Account, balance: Balance) -> int:
    return min(account.budget.capacity, CREDIT_MAX) + balance.credit - balance.taken
