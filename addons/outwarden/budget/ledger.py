"""Who may spend what: money is held before a call, posted or given back after it, on all accounts or on none.

The words are those of two-phase transfers: *hold* reserves (pending), *post* charges, *void* gives back, *expire*
charges in full what a dead process left behind. What must hold at every moment, for every account:
``posted + pending <= limit`` when a hold is taken, and the entries sum up to the balance.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import ceil

from outwarden.budget.accounts import Account
from outwarden.budget.limits import BudgetRules
from outwarden.budget.owners import is_alive, this_process
from outwarden.budget.states import Amounts, Balance, BudgetState, Denied, Held, state_of
from outwarden.budget.store import Entry, HoldRow, Store, Transaction
from outwarden.errors import HoldExists, HoldPosted, HoldUnknown, HoldVoided, LedgerError

AMOUNT_MAX = 2**53  # nano-dollars: 9 million dollars a call. What is above can be refused or posted, never summed up
_BATCH = 500  # holds resolved in one transaction: some 50 ms in which the others wait
KEEP_ENTRIES = timedelta(days=35)  # single lines, for looking a call up; then folded into one line per account
KEEP_ACCOUNTS = timedelta(days=400)  # balances of past windows: a year and a month


@dataclass(slots=True)
class _Open:
    """A hold this process took and has not resolved. ``numbers``: the store's account numbers, None for `request`."""

    accounts: tuple[Account, ...]
    numbers: tuple[int | None, ...]
    amounts: Amounts
    states: tuple[BudgetState, ...]


class Ledger:
    """Hold, post and void against a store. One per process; threads may share it.

    An account of scope ``request`` lives as long as its hold: it is checked here and never stored.
    """

    def __init__(self, store: Store, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._clock = clock
        self._open: dict[str, _Open] = {}
        self._lock = threading.RLock()
        self._owner = this_process()
        store.register(self._owner, clock())

    def hold(self, hold_id: str, accounts: Sequence[Account], amounts: Amounts) -> Held | Denied:
        """Reserve the amounts on every account, or on none.

        The same id with the same amounts again changes nothing and answers the same. Raises HoldExists for other
        amounts, HoldPosted or HoldVoided for a hold that is over, StoreUnavailable.
        """
        wanted = _checked(amounts)
        now = self._clock()
        with self._lock:
            if any(_lacks_room(account, wanted) for account in accounts):
                return self._denied(accounts, wanted, Amounts(0, 0, 0), now)
            with self._store.transaction() as transaction:
                if not transaction.open_hold(hold_id, self._owner.id, wanted, now):
                    return self._again(transaction, hold_id, accounts, wanted)
                taken = _reserve(transaction, accounts, wanted, now)
                if taken is not None:
                    lines = [Entry(n, Balance(0, amount, 0)) for n, amount in _amounts(accounts, taken, wanted)]
                    transaction.enter(hold_id, 0, "hold", lines, now)
                else:
                    transaction.undo()
            if taken is None:
                return self._denied(accounts, wanted, Amounts(0, 0, 0), now)
            self._open[hold_id] = _opened(accounts, taken, wanted)
            return Held(hold_id, self._open[hold_id].states)

    def grow(self, hold_id: str, amounts: Amounts) -> Held | Denied:
        """Raise a hold to new totals, on every account or on none; a total below the present one stays as it is.

        Only the process that took a hold grows it. Raises HoldUnknown, HoldPosted, HoldVoided, StoreUnavailable.
        """
        now = self._clock()
        with self._lock:
            held = self._own(hold_id)
            wanted = Amounts(*(max(old, new) for old, new in zip(held.amounts, _checked(amounts), strict=True)))
            more = Amounts(*(new - old for old, new in zip(held.amounts, wanted, strict=True)))
            if not any(more):
                return Held(hold_id, held.states)
            if any(_lacks_room(account, wanted) for account in held.accounts):
                return self._denied(held.accounts, wanted, held.amounts, now)
            with self._store.transaction() as transaction:
                number = transaction.grow_hold(hold_id, wanted)
                if number is None:
                    raise self._over(transaction, hold_id)
                taken = _reserve(transaction, held.accounts, more, now)
                if taken is not None:
                    lines = [Entry(n, Balance(0, amount, 0)) for n, amount in _amounts(held.accounts, taken, more)]
                    transaction.enter(hold_id, number, "grow", lines, now)
                else:
                    transaction.undo()
            if taken is None:
                return self._denied(held.accounts, wanted, held.amounts, now)
            self._open[hold_id] = _opened(held.accounts, taken, wanted)
            return Held(hold_id, self._open[hold_id].states)

    def post(self, hold_id: str, amounts: Amounts) -> tuple[BudgetState, ...]:
        """Charge what a call cost and free the rest; what it cost beyond its hold becomes debt.

        Returns every account's new state, with what it crossed. Raises HoldUnknown, HoldPosted (also for a hold that
        expired), HoldVoided, StoreUnavailable; after the last, post again.
        """
        actual = Amounts(*(min(amount, AMOUNT_MAX) for amount in _checked(amounts)))
        return self._resolve(hold_id, actual)

    def void(self, hold_id: str) -> None:
        """Give a hold back, as if the call had never been. Raises as `post` does."""
        self._resolve(hold_id, None)

    def left(self, accounts: Sequence[Account]) -> int | None:
        """Tell the fewest nano-dollars still free over the accounts that count dollars; None without any."""
        return min((self._room(account) for account in accounts if account.budget.unit == "usd"), default=None)

    def states(self, rules: BudgetRules | None = None) -> list[BudgetState]:
        """List the accounts of current windows (and of past ones with something pending).

        Limits and warnings are those of ``rules`` where a budget of that name and unit is there, else as last seen.
        """
        known = {(budget.name, budget.unit): budget for budget in rules.budgets} if rules else {}
        return [
            state_of(replace(account, budget=known.get((account.budget.name, account.budget.unit), account.budget)), b)
            for account, b in self._store.balances(self._clock())
        ]

    def recover(self) -> int:
        """Charge in full every hold whose owner died, since its call may have been billed; return how many.

        Never touches a hold of a living owner; several processes may recover at once.
        """
        now = self._clock()
        resolved = 0
        for owner, seen, ended in self._store.owners():
            if owner.id != self._owner.id and (ended or not is_alive(owner, seen, now)):
                resolved += self._expire_all(owner.id, now)
                self._store.end(owner.id)
        return resolved

    def heartbeat(self) -> None:
        """Say that this process lives; call it a few times per `owners.SILENT_AFTER`."""
        self._store.register(self._owner, self._clock())

    def prune(self, most: int = _BATCH) -> int:
        """Fold journal lines older than `KEEP_ENTRIES` and forget accounts whose window ended `KEEP_ACCOUNTS` ago.

        A session's account goes after as long a silence. Handles at most ``most`` holds and returns how many, so that
        other writers need not wait: call it again while it returns ``most``. The id of a hold that went may be reused.
        """
        now = self._clock()
        return self._store.prune(now - KEEP_ENTRIES, now - KEEP_ACCOUNTS, most)

    def drift(self) -> list[str]:
        """Name every account whose balance is not the sum of its entries: none, or the database was tampered with."""
        return self._store.drift()

    def close(self) -> None:
        """End this owner and let go of the store. Holds still open are resolved by the next `recover`."""
        self._store.end(self._owner.id)
        self._store.close()

    def _resolve(self, hold_id: str, actual: Amounts | None) -> tuple[BudgetState, ...]:
        now = self._clock()
        with self._lock, self._store.transaction() as transaction:
            number = transaction.close_hold(hold_id, "voided" if actual is None else "posted", now)
            if number is None:
                raise self._over(transaction, hold_id)
            parts = self._parts(transaction, hold_id)
            states, lines = [], []
            for account_number, account, pending in parts:
                change = _settled(account, pending, actual)
                if account_number is None:
                    states.append(state_of(account, Balance(change.posted, 0, change.debt), Balance()))
                    continue
                after = transaction.move(account_number, change, now)
                lines.append(Entry(account_number, change))
                before = Balance(after.posted - change.posted, 0, after.debt - change.debt)
                states.append(state_of(account, after, before))
            transaction.enter(hold_id, number, "void" if actual is None else "post", lines, now)
        self._open.pop(hold_id, None)
        return tuple(states)

    def _parts(self, transaction: Transaction, hold_id: str) -> Iterable[tuple[int | None, Account, int]]:
        """What a hold reserves, from memory (limits of the rules it was taken under) or from the store."""
        held = self._open.get(hold_id)
        if held is None:
            return transaction.pending(hold_id)
        return [
            (number, account, held.amounts.of(account.budget.unit))
            for number, account in zip(held.numbers, held.accounts, strict=True)
        ]

    def _expire_all(self, owner: str, now: datetime) -> int:
        count = 0
        while True:
            with self._store.transaction() as transaction:
                rows = transaction.open_holds(owner, _BATCH)
                for row in rows:
                    _expire(transaction, row, now)
            count += len(rows)
            if len(rows) < _BATCH:
                return count

    def _again(self, transaction: Transaction, hold_id: str, accounts: Sequence[Account], amounts: Amounts) -> Held:
        """Answer a hold that exists. One of ours that we lost sight of (its commit was not answered) is ours again."""
        row = transaction.hold(hold_id)
        if row is None or row.state != "open":
            raise self._over(transaction, hold_id)
        if row.amounts != amounts:
            raise HoldExists(f"hold {hold_id} exists with other amounts")
        if (held := self._open.get(hold_id)) is not None:
            return Held(hold_id, held.states)
        numbers = {(a.budget.name, a.budget.unit, a.id): number for number, a, _ in transaction.pending(hold_id)}
        found = tuple(numbers.get((account.budget.name, account.budget.unit, account.id)) for account in accounts)
        states = tuple(state_of(account, self._balance(account, amounts)) for account in accounts)
        if row.owner == self._owner.id:
            self._open[hold_id] = _Open(tuple(accounts), found, amounts, states)
        return Held(hold_id, states)

    def _own(self, hold_id: str) -> _Open:
        held = self._open.get(hold_id)
        if held is None:
            with self._store.transaction() as transaction:
                raise self._over(transaction, hold_id)
        return held

    def _over(self, transaction: Transaction, hold_id: str) -> LedgerError:
        """The error that says why a hold cannot go on; it is forgotten here too."""
        self._open.pop(hold_id, None)
        row = transaction.hold(hold_id)
        if row is None:
            return HoldUnknown(f"there is no hold {hold_id}")
        if row.state == "open":
            return HoldUnknown(f"hold {hold_id} was taken by another process")
        if row.state == "voided":
            return HoldVoided(f"hold {hold_id} was voided before")
        return HoldPosted(f"hold {hold_id} was posted before" if row.state == "posted" else f"hold {hold_id} expired")

    def _balance(self, account: Account, held: Amounts) -> Balance:
        """An account's balance; of scope `request` it is just what the call itself holds."""
        if account.budget.scope == "request":
            return Balance(0, held.of(account.budget.unit), 0)
        return self._store.balance(account)

    def _room(self, account: Account) -> int:
        return max(0, account.budget.limit - self._balance(account, Amounts(0, 0, 0)).taken)

    def _denied(self, accounts: Sequence[Account], wanted: Amounts, held: Amounts, now: datetime) -> Denied:
        """Name the account that stays closed longest: waiting for another one would only meet this one next."""
        found = [denied for account in accounts if (denied := self._denial(account, wanted, held, now))]
        if not found:  # room was made between the refusal and this look: the first account is as good as any
            found = [Denied(accounts[0], self._room(accounts[0]), wanted.of(accounts[0].budget.unit), 1)]
        return max(found, key=lambda denied: float("inf") if denied.retry_after_s is None else denied.retry_after_s)

    def _denial(self, account: Account, wanted: Amounts, held: Amounts, now: datetime) -> Denied | None:
        unit, limit = account.budget.unit, account.budget.limit
        needed = wanted.of(unit)
        own = 0 if account.budget.scope == "request" else held.of(unit)
        left = self._room(account)
        if needed - own <= left and limit > 0 and needed <= AMOUNT_MAX:
            return None
        helps = account.window_end is not None and needed <= min(limit, AMOUNT_MAX) and limit > 0
        wait = max(1, ceil((account.window_end - now).total_seconds())) if helps and account.window_end else None
        return Denied(account, left, needed, wait)


def _checked(amounts: Amounts) -> Amounts:
    if min(amounts) < 0:
        raise ValueError("amounts are never negative")
    return Amounts(*(min(amount, 2 * AMOUNT_MAX) for amount in amounts))


def _lacks_room(account: Account, wanted: Amounts) -> bool:
    """Whether the limit alone says no: 0, or smaller than the call. All there is to say about scope `request`."""
    amount = wanted.of(account.budget.unit)
    return account.budget.limit <= 0 or amount > min(account.budget.limit, AMOUNT_MAX)


_Taken = list[tuple[int, Balance] | None]


def _reserve(transaction: Transaction, accounts: Sequence[Account], amounts: Amounts, now: datetime) -> _Taken | None:
    taken: _Taken = []
    for account in accounts:
        if account.budget.scope == "request":
            taken.append(None)
            continue
        reserved = transaction.reserve(account, amounts.of(account.budget.unit), now)
        if reserved is None:
            return None
        taken.append(reserved)
    return taken


def _amounts(accounts: Sequence[Account], taken: _Taken, amounts: Amounts) -> list[tuple[int, int]]:
    pairs = zip(accounts, taken, strict=True)
    return [(reserved[0], amounts.of(account.budget.unit)) for account, reserved in pairs if reserved]


def _opened(accounts: Sequence[Account], taken: _Taken, amounts: Amounts) -> _Open:
    states = tuple(
        state_of(account, reserved[1] if reserved else Balance(0, amounts.of(account.budget.unit), 0))
        for account, reserved in zip(accounts, taken, strict=True)
    )
    return _Open(tuple(accounts), tuple(reserved[0] if reserved else None for reserved in taken), amounts, states)


def _settled(account: Account, pending: int, actual: Amounts | None) -> Balance:
    """How ending a hold changes an account: up to the hold is posted, beyond it is debt."""
    if actual is None:
        return Balance(0, -pending, 0)
    amount = actual.of(account.budget.unit)
    return Balance(min(amount, pending), -pending, max(0, amount - pending))


def _expire(transaction: Transaction, row: HoldRow, now: datetime) -> None:
    number = transaction.close_hold(row.id, "expired", now)
    if number is None:
        return
    lines = [Entry(n, Balance(pending, -pending, 0)) for n, _, pending in transaction.pending(row.id)]
    for line in lines:
        transaction.move(line.account, line.change, now)
    transaction.enter(row.id, number, "expire", lines, now)
