"""Escrow for throughput: a process leases a slice of its budgets from the store, and pays calls from it in memory.

A lease is a hold like any other, of this process, on all accounts of a call (and for one key): pending in the store, in
one transaction, or not at all. So ``posted + pending <= limit`` holds with leases as without, whatever a process does
with what it has: it only never gives out more than it leased. Calls whose budgets all say ``lease: true`` are held and
posted in memory; every other call, and whatever does not fit, takes the ledger's own path.

*Steps.* One step of a lease is one transaction and one line per account: what was spent since the last step is posted
(or debt, at once), what lies ready is given back, and as much as may lie ready now is reserved. Once a second
(`settle`) every lease takes one, and in between where it runs short. So `budgets` shows what was spent a second late;
the audit log has each call as it ends. A step whose commit went unanswered is looked up by its number before the next.

*Size.* `lease.ready`: 8 of the largest hold of late, up to 64 where that runs short, never more than a quarter of
what is free for all processes together; where that is not even four holds, nothing. A budget that is small, or nearly
spent, is therefore never leased: it admits exactly what fits. Only a busy key leases (`BUSY` calls in a second), and
what is not busy any more is given back with the next step; a window that rolled over, changed rules, and a pause end a
lease too, and none pays for longer than `LEASE_S`. Before a call is refused, what this process has ready of the account
that refuses goes back, and it is tried again; what others have ready can refuse it for two rounds, if it is larger than
the rest.

*Ends.* At its exit a process posts what was spent and gives back the rest. What a dead one leased is charged in full
like all holds (`Ledger.recover`): what ran and what lay ready at its last step, for all of it may have been spent
since, and only its memory knew. Too much is charged by what it did not come to use of that, `WIDTH_MAX` of the largest
hold at most for each lease; to charge less would be too little for whoever used it. Of single calls the store knows
nothing: one that comes again with its id, to another process, is a new call. One that was taken for dead and was not
finds its lease expired with the next step: its calls were charged then. A round that finds the store gone ends all
leases for new calls, which are refused then as all others are.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from outwarden.budget.accounts import Account
from outwarden.budget.denials import Denials, is_hopeless
from outwarden.budget.lease import NOTHING, WIDTH_MAX, WIDTH_MIN, Key, Lease, may_lease
from outwarden.budget.lease_steps import LeaseSteps
from outwarden.budget.ledger import Ledger
from outwarden.budget.orders import targets_of
from outwarden.budget.owners import Owner
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
from outwarden.budget.steps import over, settled
from outwarden.budget.store import HoldState, Store
from outwarden.errors import HoldExists, StoreUnavailable

BUSY = 4  # calls between two rounds: fewer cost the store no more than the lease would
NOT_NOW = -(10**9)  # as many: not before the next round
LEASE_S = 600.0
LEASES_MAX = 64  # that pay at once: each takes a transaction a second, one after the other
KEYS_MAX = 10_000  # whose calls are counted
FRESH_S = 5.0  # rounds may be late; then whoever is paused, or was lowered, is asked about again
ENDED_MAX = 10_000  # calls that ended, remembered to tell a second step from an unknown one

Name = tuple[str, str, datetime | None]  # of an account


class _Running(NamedTuple):
    """A call that is paid from a lease. ``held``: what its accounts count of ``amounts``; ``states``: as told."""

    lease: Lease
    accounts: tuple[Account, ...]
    amounts: Amounts
    held: Amounts
    states: tuple[BudgetState, ...]


class LeasingLedger(Ledger):
    """A `Ledger` that leases where the rules let it. Call `settle` once a second."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
        owner: Owner | None = None,
    ) -> None:
        super().__init__(store, clock=clock, monotonic=monotonic, owner=owner)
        self._monotonic = monotonic
        self._leases: dict[str, Lease] = {}  # all that are in the store
        self._taken = 0
        self._current: dict[Key, Lease] = {}  # those that pay for new calls
        self._running: dict[str, _Running] = {}
        self._ended: dict[str, HoldState] = {}
        self._calls: Counter[Key] = Counter()  # since the last round
        self._steps = LeaseSteps(store, self._owner.id)

    def hold(
        self, hold_id: str, accounts: Sequence[Account], amounts: Amounts, key_id: str | None = None
    ) -> Held | Denied | Paused:
        wanted = checked(amounts)
        with self._lock:
            self._check_not_over(hold_id)
            if running := self._running.get(hold_id):
                return _again(hold_id, running, wanted)
            hopeless = any(is_hopeless(account, wanted) for account in accounts)
            is_new = hold_id not in self._open and hold_id not in self._doubtful
            lease = self._lease(accounts, wanted, key_id) if is_new and not hopeless else None
            if lease:
                return self._pay(hold_id, lease, tuple(accounts), wanted)
            ask = super().hold
            return self._ask_again(lambda: ask(hold_id, accounts, amounts, key_id))

    def grow(self, hold_id: str, amounts: Amounts) -> Held | Denied:
        with self._lock:
            self._check_not_over(hold_id)
            return self._ask_again(lambda: self._grow_once(hold_id, amounts))

    def post(self, hold_id: str, amounts: Amounts) -> tuple[BudgetState, ...]:
        actual = checked(amounts, AMOUNT_MAX)
        with self._lock:
            running = self._end(hold_id, "posted")
            if running is None:
                may_be_leased = self._may_be_leased(hold_id)
                states = super().post(hold_id, amounts)
                if may_be_leased:
                    self._remember(hold_id, "posted")
                return states
            lease, cost = running.lease, running.lease.counted(actual)
            within = Amounts(*map(min, cost, running.held))
            lease.spent, debt = lease.spent.plus(within), cost.minus(within)
            if any(debt):
                lease.debt = lease.debt.plus(debt)
                with suppress(StoreUnavailable):  # the next round does it
                    self._step(lease, keep=self._pays(lease))
            return _states(lease, running.accounts, running.amounts, actual)

    def void(self, hold_id: str) -> None:
        with self._lock:
            if self._end(hold_id, "voided") is None:
                may_be_leased = self._may_be_leased(hold_id)
                super().void(hold_id)
                if may_be_leased:
                    self._remember(hold_id, "voided")

    def recover(self) -> int:
        count = super().recover()
        self._steps.owners = sum(not ended for _, _, ended in self._store.owners()) or 1
        return count

    def settle(self) -> list[BudgetState]:
        """Let every lease take its step; return the accounts of which a mark was crossed since the last round.

        Raises StoreUnavailable; what was not done then is with the next round.
        """
        with self._lock:
            self._calls.clear()
            try:
                for lease in list(self._leases.values()):
                    self._settle_one(lease)
            except StoreUnavailable:
                self._current.clear()
                raise
            news = list(self._steps.news)
            self._steps.news.clear()
            return news

    def release(self) -> None:
        """Post what was spent and give back what lies ready. Raises StoreUnavailable."""
        with self._lock:
            for lease in list(self._leases.values()):
                self._step(lease, keep=False)

    def close(self) -> None:
        """As a ledger's, after `release`."""
        with suppress(StoreUnavailable):
            self.release()
        super().close()

    def _settle_one(self, lease: Lease) -> None:
        keep = self._pays(lease) and lease.uses >= BUSY and self._monotonic() - lease.opened_s < LEASE_S
        if not keep and self._pays(lease):
            del self._current[lease.key]
        lease.width = max(WIDTH_MIN, lease.width // 2)
        if keep or not lease.running or not lease.settled:
            self._step(lease, keep=keep)
        lease.uses, lease.largest = 0, NOTHING

    def _lease(self, accounts: Sequence[Account], wanted: Amounts, key_id: str | None) -> Lease | None:
        """The lease that has room for a call; one is taken, or widened, where that is worth it."""
        stored = _leased(accounts)
        if not stored:
            return None
        key = (key_id, *((account.budget.name, account.id, account.window_start) for account in stored))
        lease = self._current.get(key)
        if lease and lease.accounts != stored:  # other rules
            self._step(lease, keep=False)
            lease = None
        if lease is None:
            if len(self._calls) >= KEYS_MAX:
                self._calls.clear()
            self._calls[key] += 1
            if self._calls[key] < BUSY or len(self._current) >= LEASES_MAX:
                return None
            self._taken += 1
            name = f"lease {self._owner.id}-{self._taken}"
            lease = Lease(name, key, stored, targets_of(accounts, key_id), self._monotonic())
        need = lease.counted(wanted)
        lease.largest = lease.largest.or_more(need)
        return lease if self._is_ready(lease, need) else None

    def _is_ready(self, lease: Lease, need: Amounts) -> bool:
        """Whether a lease has room for a call by now."""
        if self._pays(lease):
            is_short = not lease.has(need)
            if not is_short and self._monotonic() - lease.settled_s <= FRESH_S:
                return True
            lease.width = min(WIDTH_MAX, 2 * lease.width) if is_short else lease.width
        self._step(lease, keep=True)
        if self._pays(lease) and lease.has(need):
            return True
        self._calls[lease.key] = NOT_NOW  # too little is free, or somebody has paused it
        return False

    def _pay(self, hold_id: str, lease: Lease, accounts: tuple[Account, ...], wanted: Amounts) -> Held:
        held = lease.counted(wanted)
        lease.held = lease.held.plus(held)
        lease.running += 1
        lease.uses += 1
        states = _states(lease, accounts, wanted)
        self._running[hold_id] = _Running(lease, accounts, wanted, held, states)
        return Held(hold_id, states)

    def _grow_once(self, hold_id: str, amounts: Amounts) -> Held | Denied:
        running = self._running.get(hold_id)
        if running is None:
            return super().grow(hold_id, amounts)
        wanted = running.amounts.or_more(checked(amounts))
        hopeless = any(is_hopeless(account, wanted) for account in running.accounts)
        if hopeless or not self._has_room(hold_id, running, wanted):
            return Denials(self._store, self._clock()).longest(running.accounts, wanted, running.amounts)
        lease, held = running.lease, running.lease.counted(wanted)
        lease.held = lease.held.plus(held).minus(running.held)
        states = _states(lease, running.accounts, wanted)
        self._running[hold_id] = _Running(lease, running.accounts, wanted, held, states)
        return Held(hold_id, states)

    def _has_room(self, hold_id: str, running: _Running, wanted: Amounts) -> bool:
        """Whether a call may hold more: from its lease, or with what the store has yet."""
        lease = running.lease
        more = lease.counted(wanted).minus(running.held)
        lease.largest = lease.largest.or_more(more)
        if lease.plan is None and lease.has(more):
            return True
        self._step(lease, more, keep=self._pays(lease))
        if lease.lost:
            self._end(hold_id, "posted")
        return lease.has(more)

    def _ask_again[T: Held | Denied | Paused](self, ask: Callable[[], T]) -> T:
        """Ask, and again as long as what lies ready here makes way."""
        answer, tried = ask(), set[Name]()
        while self._makes_way(answer, tried):
            answer = ask()
        return answer

    def _makes_way(self, answer: Held | Denied | Paused, tried: set[Name]) -> bool:
        """Give back what lies ready on the account that refuses, once; tell whether there was anything."""
        if not isinstance(answer, Denied) or (name := _name(answer.account)) in tried:
            return False
        tried.add(name)
        ready = [each for each in self._leases.values() if any(each.free) and name in map(_name, each.accounts)]
        for lease in ready:
            self._calls[lease.key] = NOT_NOW
            self._step(lease, keep=False)
        return bool(ready)

    def _end(self, hold_id: str, how: HoldState) -> _Running | None:
        """Take a call off its lease; None where it has none. Raises HoldPosted where all of the lease was charged."""
        self._check_not_over(hold_id)
        running = self._running.pop(hold_id, None)
        if running is None:
            return None
        lease = running.lease
        self._remember(hold_id, "expired" if lease.lost else how)
        lease.held, lease.running = lease.held.minus(running.held), lease.running - 1
        if lease.lost:
            self._check_not_over(hold_id)
        return running

    def _may_be_leased(self, hold_id: str) -> bool:
        """Whether a hold in the store might come again and be paid from a lease; of the others the store knows."""
        held = self._open.get(hold_id)
        return held is None or bool(_leased(held.accounts))

    def _remember(self, hold_id: str, how: HoldState) -> None:
        self._ended[hold_id] = how
        if len(self._ended) > ENDED_MAX:
            del self._ended[next(iter(self._ended))]

    def _check_not_over(self, hold_id: str) -> None:
        if how := self._ended.get(hold_id):
            raise over(hold_id, how)

    def _pays(self, lease: Lease) -> bool:
        """Whether a lease pays for new calls."""
        return self._current.get(lease.key) is lease

    def _step(self, lease: Lease, need: Amounts = NOTHING, *, keep: bool) -> None:
        """Post what was spent, give back what lies ready, reserve ``need`` if it fits, and what may lie ready next.

        Without ``keep`` nothing does: the lease pays for no new call.
        """
        if self._pays(lease):
            del self._current[lease.key]  # until that is done
        try:
            plan = self._steps.take(lease, need, keep, self._clock(), self._ready_elsewhere(lease))
        except StoreUnavailable:
            if lease.step >= 0 or lease.plan:  # it is in the store, or may be: the next round finds out
                self._leases[lease.id] = lease
            raise
        if plan is None or plan.over:
            self._leases.pop(lease.id, None)
            return
        lease.settled_s = self._monotonic()
        self._leases[lease.id] = lease
        if plan.kept:
            self._current[lease.key] = lease

    def _ready_elsewhere(self, lease: Lease) -> list[int]:
        """What lies ready on each account of a lease in this process's other ones."""
        found = dict.fromkeys(map(_name, lease.accounts), 0)
        for other in self._current.values():
            for account in other.accounts:
                if other is not lease and (name := _name(account)) in found:
                    found[name] += other.free.of(account.budget.unit)
        return list(found.values())


def _leased(accounts: Sequence[Account]) -> tuple[Account, ...]:
    """The accounts of a call that a lease would be taken on; none where a budget needs the store."""
    stored = tuple(account for account in accounts if account.budget.scope != "request")
    return stored if all(may_lease(account.budget) for account in stored) else ()


def _states(
    lease: Lease, accounts: Sequence[Account], held: Amounts, actual: Amounts | None = None
) -> tuple[BudgetState, ...]:
    """How the accounts of a call stand, as far as this process knows; ``actual``: what it cost, once that is posted."""
    balances, at = [], 0
    for account in accounts:
        if account.budget.scope == "request":
            amount = held.of(account.budget.unit)
            balances.append(settled(account, amount, actual)._replace(pending=0) if actual else Balance(0, amount))
        else:
            balances.append(lease.balance(at))
            at += 1
    return tuple(state_of(account, balance) for account, balance in zip(accounts, balances, strict=True))


def _again(hold_id: str, running: _Running, wanted: Amounts) -> Held:
    if running.amounts != wanted:
        raise HoldExists(f"hold {hold_id} exists with other amounts")
    return Held(hold_id, running.states)


def _name(account: Account) -> Name:
    return account.budget.name, account.id, account.window_start
