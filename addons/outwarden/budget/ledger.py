"""Who may spend what: money is held before a call, posted or given back after it, on all accounts or on none.

The words are those of two-phase transfers: *hold* reserves (pending), *post* charges, *void* gives back, *expire*
charges in full what a dead process left behind. What must hold at every moment, for every account:
``posted + pending <= limit`` when a hold is taken, and the entries sum up to the balance.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from outwarden.budget.accounts import Account
from outwarden.budget.ageing import balance_at
from outwarden.budget.denials import Denials, is_hopeless
from outwarden.budget.limits import Budget, BudgetRules
from outwarden.budget.orders import targets_of
from outwarden.budget.owners import Owner, Watch, is_alive, this_process
from outwarden.budget.retrying import retried
from outwarden.budget.states import (
    AMOUNT_MAX,
    Amounts,
    Balance,
    BudgetState,
    Denied,
    Held,
    Paused,
    checked,
    state_of,
)
from outwarden.budget.steps import Journal, Taken, expire, over, reserved, settled, told
from outwarden.budget.store import Entry, HoldRow, HoldState, Order, Store, Transaction
from outwarden.errors import HoldExists, HoldPosted, HoldUnknown, HoldVoided, LedgerError, StepUnknown

NOTHING = Amounts(0, 0, 0)
_BATCH = 500  # holds resolved in one transaction: some 50 ms in which the others wait
TOLD_WITHIN = timedelta(hours=1)  # an order that nobody was there to tell of is news no more
DOUBTFUL_MAX = 10_000
KEEP_ENTRIES = timedelta(days=35)  # single lines, for looking a call up; then folded into one line per account
KEEP_ACCOUNTS = timedelta(days=400)  # balances of past windows: a year and a month


@dataclass(slots=True)
class _Open:
    """A hold this process took and has not resolved. ``numbers``: the store's account numbers, None for `request`.

    ``unsure``: whether it has grown beyond ``amounts`` is not known; the commit was not answered.
    """

    accounts: tuple[Account, ...]
    numbers: tuple[int | None, ...]
    amounts: Amounts
    opened: datetime
    states: tuple[BudgetState, ...]
    unsure: bool = False


class Ledger:
    """Hold, post and void against a store. One per process; threads may share it.

    An account of scope ``request`` lives as long as its hold: it is checked here and never stored.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        owner: Owner | None = None,
    ) -> None:
        """``owner``: who takes the holds, if not this process."""
        self._store = store
        self._clock = clock
        self._open: dict[str, _Open] = {}
        self._lock = threading.RLock()
        self._owner = owner or this_process()
        self._watch = Watch(monotonic)
        self._doubtful: set[str] = (
            set()
        )  # holds that were refused, but may be in the store: their commit went unanswered
        store.register(self._owner, clock())

    def hold(
        self, hold_id: str, accounts: Sequence[Account], amounts: Amounts, key_id: str | None = None
    ) -> Held | Denied | Paused:
        """Reserve the amounts on every account, or on none. ``key_id``: the key of the call, which may be paused.

        The same id with the same amounts again changes nothing and answers the same. Raises HoldExists for other
        amounts, HoldPosted or HoldVoided for a hold that is over, StoreUnavailable.
        """
        wanted = checked(amounts)
        now = self._clock()
        with self._lock:
            if any(is_hopeless(account, wanted) for account in accounts):
                return Denials(self._store, now).longest(accounts, wanted, NOTHING)
            targets = targets_of(accounts, key_id)
            try:
                answer = retried(lambda _: self._take(hold_id, accounts, wanted, targets, now))
            except StepUnknown:
                if len(self._doubtful) < DOUBTFUL_MAX:  # beyond, they are charged when this process has ended
                    self._doubtful.add(hold_id)
                raise
            self._doubtful.discard(hold_id)
            return answer or Denials(self._store, now).longest(accounts, wanted, NOTHING)

    def grow(self, hold_id: str, amounts: Amounts) -> Held | Denied:
        """Raise a hold to new totals, on every account or on none; a total below the present one stays as it is.

        Only the process that took a hold grows it. Raises HoldUnknown, HoldPosted, HoldVoided, StoreUnavailable.
        """
        now = self._clock()
        with self._lock:
            self._make_sure(hold_id)
            held = self._own(hold_id)
            wanted = held.amounts.or_more(checked(amounts))
            more = wanted.minus(held.amounts)
            if not any(more):
                return Held(hold_id, held.states)
            if any(is_hopeless(account, wanted) for account in held.accounts):
                return Denials(self._store, now).longest(held.accounts, wanted, held.amounts)
            try:
                answer = retried(lambda again: self._grow(hold_id, held, wanted, more, now, again))
            except StepUnknown:
                held.unsure = True
                raise
            return answer or Denials(self._store, now).longest(held.accounts, wanted, held.amounts)

    def post(self, hold_id: str, amounts: Amounts) -> tuple[BudgetState, ...]:
        """Charge what a call cost and free the rest; what it cost beyond its hold becomes debt.

        Returns every account's new state, with what it crossed. Raises HoldUnknown, HoldPosted (also for a hold that
        expired), HoldVoided, StoreUnavailable; after the last, post again.
        """
        return self._resolve(hold_id, checked(amounts, AMOUNT_MAX))

    def void(self, hold_id: str) -> None:
        """Give a hold back, as if the call had never been. Raises as `post` does."""
        self._resolve(hold_id, None)

    def is_paused(self, key_id: str) -> Paused | None:
        """Tell whether a key is paused, for a call that counts in no budget. Raises StoreUnavailable."""
        target = self._store.is_paused(targets_of((), key_id))
        return Paused(target) if target else None

    def untold(self) -> list[Order]:
        """The orders of the last hour that this process takes on to tell of; each is told by one process."""
        since = self._clock() - TOLD_WITHIN
        return [order for order in self._store.untold() if self._store.tell(order.number) and order.at >= since]

    def left(self, accounts: Sequence[Account]) -> int | None:
        """Tell the fewest nano-dollars still free over the accounts that refuse in dollars; None without any."""
        look = Denials(self._store, self._clock())
        refusing = (each for each in accounts if each.budget.unit == "usd" and each.budget.on_exceeded != "warn")
        return min((look.room(account) for account in refusing), default=None)

    def state(self, account: Account) -> BudgetState:
        """How one account stands now. Raises StoreUnavailable."""
        return state_of(account, Denials(self._store, self._clock()).balance(account))

    def states(self, rules: BudgetRules | None = None) -> list[BudgetState]:
        """List the accounts of current windows (and of past ones with something pending).

        Limits and warnings are those of ``rules`` where the budget is there, else as last seen: with another scope,
        unit or window it is another one, which counts anew.
        """
        known = {_kind(budget): budget for budget in rules.budgets} if rules else {}
        now, paused = self._clock(), set(self._store.pauses())
        states = []
        for account, standing in self._store.standings(now):
            old = account.budget
            ruled = known.get(_kind(old), old)
            balance = balance_at(ruled, standing, int(now.timestamp()))
            state = state_of(replace(account, budget=ruled), balance)
            stopped = not paused.isdisjoint(targets_of((account,), None))
            states.append(replace(state, state="paused") if stopped else state)
        return states

    def recover(self) -> int:
        """Charge in full every hold whose owner died, since its call may have been billed; return how many.

        Never touches a hold of a living owner; several processes may recover at once.
        """
        self._settle_doubts()
        now = self._clock()
        resolved = 0
        owners = self._store.owners()
        silent = self._watch.silent({owner.id: seen for owner, seen, _ in owners})
        for owner, _, ended in owners:
            if owner.id != self._owner.id and (ended or not is_alive(owner, silent[owner.id])):
                resolved += self._expire_all(owner.id, now)
                self._store.end(owner.id)
        return resolved

    @property
    def owner(self) -> str:
        """The id of this process in the store."""
        return self._owner.id

    def heartbeat(self) -> None:
        """Say that this process lives; call it a few times per `owners.SILENT_AFTER`."""
        self._store.register(self._owner, self._clock())

    def prune(self, most: int = _BATCH) -> int:
        """Fold journal lines older than `KEEP_ENTRIES` and forget accounts whose window ended `KEEP_ACCOUNTS` ago.

        A session's account goes after as long a silence. Handles at most ``most`` holds and accounts and returns how
        many, so that other writers need not wait: call it again while it returns ``most``. The id of a hold that went
        may be reused.
        """
        now = self._clock()
        return retried(lambda _: self._store.prune(now, now - KEEP_ENTRIES, now - KEEP_ACCOUNTS, most))

    def drift(self) -> list[str]:
        """Name every account whose balance is not the sum of its entries: none, or the database was tampered with."""
        return self._store.drift()

    def close(self) -> None:
        """End this owner and let go of the store. Holds still open are resolved by the next `recover`."""
        self.leave()
        self._store.close()

    def leave(self) -> None:
        """End this owner; the store stays open."""
        retried(lambda _: self._store.end(self._owner.id))

    def _take(
        self, hold_id: str, accounts: Sequence[Account], wanted: Amounts, targets: Sequence[str], now: datetime
    ) -> Held | Paused | None:
        """Take a hold in one transaction; None where an account says no."""
        with self._store.transaction() as transaction:
            transaction.expect(accounts, now, targets)
            if not transaction.open_hold(hold_id, self._owner.id, wanted, now):
                return self._again(transaction, hold_id, accounts, wanted)
            if paused := transaction.paused(targets):
                transaction.undo()
                return Paused(paused)
            step = Journal(transaction, hold_id, 0, now)
            taken = step.reserve(accounts, wanted)
            if taken is None:
                transaction.undo()
                return None
            step.enter("hold", reserved(accounts, taken, wanted))
        self._open[hold_id] = _opened(accounts, taken, wanted, now, now)
        return Held(hold_id, self._open[hold_id].states)

    def _grow(
        self, hold_id: str, held: _Open, wanted: Amounts, more: Amounts, now: datetime, again: bool
    ) -> Held | None:
        """Grow a hold in one transaction; None where an account says no."""
        with self._store.transaction() as transaction:
            transaction.expect(held.accounts, now)
            if again and (row := transaction.hold(hold_id)) and row.state == "open" and row.amounts == wanted:
                held.amounts = wanted  # it was done; only the answer was lost
                return Held(hold_id, held.states)
            number = transaction.grow_hold(hold_id, wanted)
            if number is None:
                raise self._over(transaction, hold_id)
            step = Journal(transaction, hold_id, number, now)
            taken = step.reserve(held.accounts, more)
            if taken is None:
                transaction.undo()
                return None
            step.enter("grow", reserved(held.accounts, taken, more))
        self._open[hold_id] = _opened(held.accounts, taken, wanted, held.opened, now)
        return Held(hold_id, self._open[hold_id].states)

    def _resolve(self, hold_id: str, actual: Amounts | None) -> tuple[BudgetState, ...]:
        now = self._clock()
        with self._lock:
            self._make_sure(hold_id)
            states = retried(lambda again: self._settle(hold_id, actual, now, again))
            self._open.pop(hold_id, None)
            return states

    def _settle(self, hold_id: str, actual: Amounts | None, now: datetime, again: bool) -> tuple[BudgetState, ...]:
        """Post or void in one transaction."""
        state: HoldState = "voided" if actual is None else "posted"
        held = self._open.get(hold_id)
        with self._store.transaction() as transaction:
            transaction.expect(held.accounts if held else (), now)
            number = transaction.close_hold(hold_id, state, now)
            if number is None:
                if again and held and (row := transaction.hold(hold_id)) and row.state == state:
                    return self._told(held.accounts, now)  # it was done; only the answer was lost
                raise self._over(transaction, hold_id)
            step = Journal(transaction, hold_id, number, now)
            opened, parts = self._parts(transaction, hold_id, now)
            lines: list[Entry] = []
            before, after = [], []
            for account_number, account, pending in parts:
                change = settled(account, pending, actual)
                if account_number is None:
                    after.append(change._replace(pending=0))
                else:
                    after.append(step.settle(account_number, account, change, opened))
                    lines.append(Entry(account_number, change))
                before.append(after[-1].plus(Balance(-change.posted, 0, -change.debt)))
            step.enter("void" if actual is None else "post", lines)
        return told([account for _, account, _ in parts], after, now, before)

    def _told(self, accounts: Sequence[Account], now: datetime) -> tuple[BudgetState, ...]:
        look = Denials(self._store, now)
        return told(accounts, [look.balance(account) for account in accounts], now)

    def _settle_doubts(self) -> None:
        """Give back holds whose caller was refused because nobody knew whether they were taken.

        To insert one anew waits for a transaction that may still be under way; to look for it would not.
        """
        with self._lock:
            for hold_id in sorted(self._doubtful):
                with self._store.transaction() as transaction:
                    taken = not transaction.open_hold(hold_id, self._owner.id, NOTHING, self._clock())
                    transaction.undo()
                if taken:
                    with suppress(HoldPosted, HoldVoided, HoldUnknown):
                        self.void(hold_id)
                self._doubtful.discard(hold_id)

    def _parts(
        self, transaction: Transaction, hold_id: str, now: datetime
    ) -> tuple[datetime, Sequence[tuple[int | None, Account, int]]]:
        """When a hold was taken and what it reserves: from memory (under the rules of then) or from the store."""
        held = self._open.get(hold_id)
        if held is None:
            row = transaction.hold(hold_id)
            assert row
            transaction.lock_pending([hold_id])
            return row.opened, transaction.pending(hold_id)
        transaction.lock(held.accounts, now)
        return held.opened, [
            (number, account, held.amounts.of(account.budget.unit))
            for number, account in zip(held.numbers, held.accounts, strict=True)
        ]

    def _expire_all(self, owner: str, now: datetime) -> int:
        count = 0
        while True:
            done = retried(lambda _: self._expire_some(owner, now))
            count += done
            if done < _BATCH:
                return count

    def _expire_some(self, owner: str, now: datetime) -> int:
        with self._store.transaction() as transaction:
            rows = transaction.open_holds(owner, _BATCH)
            transaction.lock_pending([row.id for row in rows])
            for row in rows:
                expire(transaction, row, now)
            return len(rows)

    def _again(self, transaction: Transaction, hold_id: str, accounts: Sequence[Account], amounts: Amounts) -> Held:
        """Answer a hold that exists. One of ours that we lost sight of (its commit was not answered) is ours again."""
        row = transaction.hold(hold_id)
        if row is None or row.state != "open":
            raise self._over(transaction, hold_id)
        if row.amounts != amounts:
            raise HoldExists(f"hold {hold_id} exists with other amounts")
        if (held := self._open.get(hold_id)) is not None:
            return Held(hold_id, held.states)
        numbers = {_name(account): number for number, account, _ in transaction.pending(hold_id)}
        found = tuple(numbers.get(_name(account)) for account in accounts)
        look = Denials(self._store, self._clock())
        balances = [
            Balance(0, amounts.of(account.budget.unit)) if account.budget.scope == "request" else look.balance(account)
            for account in accounts
        ]
        states = told(accounts, balances, self._clock())
        if row.owner == self._owner.id:
            self._open[hold_id] = _Open(tuple(accounts), found, amounts, row.opened, states)
        return Held(hold_id, states)

    def _own(self, hold_id: str) -> _Open:
        held = self._open.get(hold_id)
        if held is None:
            with self._store.transaction() as transaction:
                raise self._over(transaction, hold_id)
        return held

    def _make_sure(self, hold_id: str) -> None:
        """Look up whether a hold has grown; to lock it waits for a transaction that may still be under way."""
        held = self._open.get(hold_id)
        if held and held.unsure:
            row = retried(lambda _: self._looked_up(hold_id))
            held.amounts, held.unsure = row.amounts if row else held.amounts, False

    def _looked_up(self, hold_id: str) -> HoldRow | None:
        with self._store.transaction() as transaction:
            return transaction.hold(hold_id)

    def _over(self, transaction: Transaction, hold_id: str) -> LedgerError:
        """The error that says why a hold cannot go on; it is forgotten here too."""
        self._open.pop(hold_id, None)
        row = transaction.hold(hold_id)
        if row is None:
            return HoldUnknown(f"there is no hold {hold_id}")
        if row.state == "open":
            return HoldUnknown(f"hold {hold_id} was taken by another process")
        return over(hold_id, row.state)


def _opened(accounts: Sequence[Account], taken: Taken, amounts: Amounts, opened: datetime, now: datetime) -> _Open:
    states = told(accounts, [balance for _, balance in taken], now)
    return _Open(tuple(accounts), tuple(number for number, _ in taken), amounts, opened, states)


def _kind(budget: Budget) -> tuple[str, str, str, str]:
    """What makes a budget the same one under changed rules."""
    return budget.name, budget.scope, budget.unit, budget.window


def _name(account: Account) -> tuple[str, str, str, str]:
    return account.budget.name, account.budget.unit, account.budget.window, account.id
