"""Who may spend what: money is held before a call, posted or given back after it, on all accounts or on none.

The words are those of two-phase transfers: *hold* reserves (pending), *post* charges, *void* gives back, *expire*
charges in full what a dead process left behind. What must hold at every moment, for every account:
``posted + pending <= limit`` when a hold is taken, and the entries sum up to the balance.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from outwarden.budget.accounts import Account
from outwarden.budget.ageing import Standing, balance_at, frees_at, leaves_at, seconds_until
from outwarden.budget.limits import BudgetRules
from outwarden.budget.owners import is_alive, this_process
from outwarden.budget.states import Amounts, Balance, BudgetState, Denied, Held, state_of
from outwarden.budget.store import Entry, HoldRow, Step, Store, Transaction
from outwarden.budget.windows import moving
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
    opened: datetime
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
                step = _Journal(transaction, hold_id, 0, now)
                taken = _reserve(step, accounts, wanted)
                if taken is not None:
                    step.enter("hold", _reserved(accounts, taken, wanted))
                else:
                    transaction.undo()
            if taken is None:
                return self._denied(accounts, wanted, Amounts(0, 0, 0), now)
            self._open[hold_id] = _opened(accounts, taken, wanted, now)
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
                step = _Journal(transaction, hold_id, number, now)
                taken = _reserve(step, held.accounts, more)
                if taken is not None:
                    step.enter("grow", _reserved(held.accounts, taken, more))
                else:
                    transaction.undo()
            if taken is None:
                return self._denied(held.accounts, wanted, held.amounts, now)
            self._open[hold_id] = _opened(held.accounts, taken, wanted, held.opened)
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
        now = self._clock()
        states = []
        for account, standing in self._store.standings(now):
            old = account.budget
            ruled = replace(known.get((old.name, old.unit), old), window=old.window)
            states.append(state_of(replace(account, budget=ruled), balance_at(ruled, standing, _second(now))))
        return states

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

        A session's account goes after as long a silence. Handles at most ``most`` holds and accounts and returns how
        many, so that other writers need not wait: call it again while it returns ``most``. The id of a hold that went
        may be reused.
        """
        now = self._clock()
        return self._store.prune(now, now - KEEP_ENTRIES, now - KEEP_ACCOUNTS, most)

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
            step = _Journal(transaction, hold_id, number, now)
            opened, parts = self._parts(transaction, hold_id)
            states, lines = [], []
            for account_number, account, pending in parts:
                change = _settled(account, pending, actual)
                if account_number is None:
                    states.append(state_of(account, Balance(change.posted, 0, change.debt), Balance()))
                    continue
                after = step.settle(account_number, account, change, opened)
                lines.append(Entry(account_number, change))
                states.append(state_of(account, after, after.plus(Balance(-change.posted, 0, -change.debt))))
            step.enter("void" if actual is None else "post", lines)
        self._open.pop(hold_id, None)
        return tuple(states)

    def _parts(
        self, transaction: Transaction, hold_id: str
    ) -> tuple[datetime, Iterable[tuple[int | None, Account, int]]]:
        """When a hold was taken and what it reserves: from memory (under the rules of then) or from the store."""
        held = self._open.get(hold_id)
        if held is None:
            row = transaction.hold(hold_id)
            assert row
            return row.opened, transaction.pending(hold_id)
        return held.opened, [
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
            self._open[hold_id] = _Open(tuple(accounts), found, amounts, row.opened, states)
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
        return balance_at(account.budget, self._store.standing(account), _second(self._clock()))

    def _room(self, account: Account) -> int:
        return _room(account, self._balance(account, Amounts(0, 0, 0)))

    def _denied(self, accounts: Sequence[Account], wanted: Amounts, held: Amounts, now: datetime) -> Denied:
        """Name the account that stays closed longest: waiting for another one would only meet this one next."""
        found = [denied for account in accounts if (denied := self._denial(account, wanted, held, now))]
        if not found:  # room was made between the refusal and this look: the first account is as good as any
            found = [Denied(accounts[0], self._room(accounts[0]), wanted.of(accounts[0].budget.unit), 1)]
        return max(found, key=lambda denied: float("inf") if denied.retry_after_s is None else denied.retry_after_s)

    def _denial(self, account: Account, wanted: Amounts, held: Amounts, now: datetime) -> Denied | None:
        unit, at_once = account.budget.unit, account.budget.scope == "request"
        standing = Standing() if at_once else self._store.standing(account)
        balance = balance_at(account.budget, standing, _second(now))
        limit, left = account.budget.capacity + balance.credit, _room(account, balance)
        needed = wanted.of(unit)
        missing = needed - (0 if at_once else held.of(unit)) - (limit - balance.taken)  # debt may be above the limit
        if missing <= 0 and limit > 0 and needed <= AMOUNT_MAX:
            return None
        if at_once or limit <= 0 or needed > min(limit, AMOUNT_MAX):
            return Denied(account, left, needed, None)
        frees = _frees(account, standing, missing, now)
        return Denied(account, left, needed, None if frees is None else seconds_until(frees, now))


def _frees(account: Account, standing: Standing, missing: int, now: datetime) -> int | None:
    """When so much more is free, in seconds since 1970; None: never, as far as one can tell."""
    if moving(account.budget.window):
        return frees_at(account.budget, standing, missing, _second(now))
    return _second(account.window_end) if account.window_end else None


def _room(account: Account, balance: Balance) -> int:
    return max(0, account.budget.capacity + balance.credit - balance.taken)


def _second(at: datetime) -> int:
    return int(at.timestamp())


def _checked(amounts: Amounts) -> Amounts:
    if min(amounts) < 0:
        raise ValueError("amounts are never negative")
    return Amounts(*(min(amount, 2 * AMOUNT_MAX) for amount in amounts))


def _lacks_room(account: Account, wanted: Amounts) -> bool:
    """Whether there is no need to ask the store: an absurd amount, or scope `request`, which is never stored."""
    amount = wanted.of(account.budget.unit)
    if account.budget.scope == "request":
        return account.budget.limit <= 0 or amount > min(account.budget.limit, AMOUNT_MAX)
    return amount > AMOUNT_MAX


class _Journal:
    """One step of a hold in a transaction: what it changes, and its lines."""

    def __init__(self, transaction: Transaction, hold_id: str, number: int, now: datetime) -> None:
        self._transaction = transaction
        self._hold_id = hold_id
        self._number = number
        self._now = now
        self._aged: list[Entry] = []

    def reserve(self, account: Account, amount: int) -> tuple[int, Balance] | None:
        """`Transaction.reserve`, after what has aged is taken out."""
        self._age(account)
        return self._transaction.reserve(account, amount, self._now)

    def settle(self, number: int, account: Account, change: Balance, opened: datetime) -> Balance:
        """Move an account and let what is charged age: dollars and tokens from now, requests from their admission."""
        self._age(account)
        after = self._transaction.move(number, change, self._now)
        window = moving(account.budget.window)
        if window and window.kind != "refill" and (change.posted or change.debt):
            since = opened if account.budget.unit == "requests" else self._now
            charged = change._replace(pending=0)
            self._transaction.charge(number, leaves_at(window.length_s, _second(since)), charged)
        return after

    def enter(self, step: Step, lines: Sequence[Entry]) -> None:
        """Write the step's lines, those of what aged before it apart."""
        self._transaction.enter(self._hold_id, -1 - self._number, "age", self._aged, self._now)
        self._transaction.enter(self._hold_id, self._number, step, lines, self._now)

    def _age(self, account: Account) -> None:
        if moving(account.budget.window) and (aged := self._transaction.age(account, self._now)):
            self._aged.append(aged)


_Taken = list[tuple[int, Balance] | None]


def _reserve(step: _Journal, accounts: Sequence[Account], amounts: Amounts) -> _Taken | None:
    taken: _Taken = []
    for account in accounts:
        if account.budget.scope == "request":
            taken.append(None)
            continue
        reserved = step.reserve(account, amounts.of(account.budget.unit))
        if reserved is None:
            return None
        taken.append(reserved)
    return taken


def _reserved(accounts: Sequence[Account], taken: _Taken, amounts: Amounts) -> list[Entry]:
    pairs = zip(accounts, taken, strict=True)
    return [Entry(took[0], Balance(0, amounts.of(account.budget.unit))) for account, took in pairs if took]


def _opened(accounts: Sequence[Account], taken: _Taken, amounts: Amounts, opened: datetime) -> _Open:
    states = tuple(
        state_of(account, reserved[1] if reserved else Balance(0, amounts.of(account.budget.unit), 0))
        for account, reserved in zip(accounts, taken, strict=True)
    )
    numbers = tuple(reserved[0] if reserved else None for reserved in taken)
    return _Open(tuple(accounts), numbers, amounts, opened, states)


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
    step, lines = _Journal(transaction, row.id, number, now), []
    for account_number, account, pending in transaction.pending(row.id):
        lines.append(Entry(account_number, Balance(pending, -pending)))
        step.settle(account_number, account, lines[-1].change, row.opened)
    step.enter("expire", lines)
