"""What people order by command: pause and resume, top up, reset, drain and enable.

In the ledger, so that every process obeys at once.

Each order is one transaction with a line of its own in the store, which is never changed, and lines in the journal for
what it did to a balance.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from outwarden.budget.accounts import Account, account_of, owner_of
from outwarden.budget.ageing import leaves_at
from outwarden.budget.limits import Budget, Unit
from outwarden.budget.states import Balance
from outwarden.budget.store import Entry, Order, Store, Transaction
from outwarden.budget.windows import moving
from outwarden.errors import OrderError
from outwarden.pricing.price import usd

CREDIT_MAX = 10**18  # as a limit: a sum of credit and limit fits the 64 bits of a database


@dataclass(frozen=True, slots=True)
class Target:
    """Whom an order is about: a key (by its id), a budget as a whole, one account of it, or an upstream."""

    kind: Literal["key", "budget", "account", "upstream"]
    name: str  # of the budget or the upstream; the id of the key
    id: str = ""

    def __str__(self) -> str:
        """As it is stored; a slash in a budget's name is spelled otherwise, so that no two targets look the same."""
        name = self.name.replace("%", "%25").replace("/", "%2F") if self.id else self.name
        return f"{self.kind} {name}/{self.id}" if self.id else f"{self.kind} {name}"


def targets_of(accounts: Sequence[Account], key_id: str | None) -> list[str]:
    """All that may be paused and would stop a call."""
    found = [str(Target("key", key_id))] if key_id else []
    for account in accounts:
        if account.rate_of is None:
            found.append(str(Target("budget", account.budget.name)))
            found.append(str(Target("account", account.budget.name, owner_of(account))))
    return found


class Done(NamedTuple):
    """What an order did: how many accounts it changed, 0 where all was so already."""

    number: int
    changed: int


class Orders:
    """Gives orders in the name of ``by``. ``record`` is told of each before it counts; if it raises, nothing happens.

    Every method may raise StoreUnavailable.
    """

    def __init__(
        self,
        store: Store,
        by: str,
        record: Callable[[Mapping[str, Any]], None] = lambda order: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._by = by
        self._record = record
        self._clock = clock

    def pause(self, target: Target) -> Done:
        """Refuse every call of a target until it is resumed."""
        now = self._clock()
        with self._store.transaction() as transaction:
            changed = transaction.pause(str(target), now)
            return Done(self._log(transaction, "pause", target, 0, now), int(changed))

    def resume(self, target: Target) -> Done:
        """Let calls of a target go again."""
        now = self._clock()
        with self._store.transaction() as transaction:
            changed = transaction.resume(str(target))
            return Done(self._log(transaction, "resume", target, 0, now), int(changed))

    def drain(self, upstream: str) -> Done:
        """Let no further attempt go to an upstream (by the name that `routing` has for it) until it is enabled."""
        now, target = self._clock(), Target("upstream", upstream)
        with self._store.transaction() as transaction:
            changed = transaction.pause(str(target), now)
            return Done(self._log(transaction, "drain", target, 0, now), int(changed))

    def enable(self, upstream: str) -> Done:
        """Let calls go to an upstream again."""
        now, target = self._clock(), Target("upstream", upstream)
        with self._store.transaction() as transaction:
            changed = transaction.resume(str(target))
            return Done(self._log(transaction, "enable", target, 0, now), int(changed))

    def top_up(self, budget: Budget, id_: str, amount: int) -> Done:
        """Raise what an account may take, in its present window; of a rolling one for the window's length from now.

        Raises OrderError for an amount that is none, or too much with what was topped up before.
        """
        now = self._clock()
        account = account_of(budget, id_, now)
        with self._store.transaction() as transaction:
            number = transaction.open_account(account, now)
            step = self._log(transaction, "top-up", Target("account", budget.name, id_), amount, now, budget.unit)
            self._age(transaction, step, account, now)
            after = transaction.move(number, change := Balance(credit=amount), now)
            if amount <= 0 or after.credit > CREDIT_MAX:
                raise OrderError("expected an amount of more than 0, and no more than a limit may be in all")
            transaction.enter(f"order {step}", 0, "top-up", [Entry(number, change)], now)
            window = moving(budget.window)
            if window and window.rolls:
                transaction.charge(number, leaves_at(window.length_s, int(now.timestamp())), change)
            return Done(step, 1)

    def reset(self, budget: Budget, id_: str = "") -> Done:
        """Let an account (or all of a budget) begin its window anew; what running calls hold stays held."""
        now = self._clock()
        target = Target("account", budget.name, id_) if id_ else Target("budget", budget.name)
        with self._store.transaction() as transaction:
            found = transaction.numbers(budget.name, id_, now)  # first: to look for them may take a while
            step = self._log(transaction, "reset", target, 0, now)
            lines = []
            for number, balance in found:
                change = Balance(-balance.posted, 0, -balance.debt, -balance.credit)
                transaction.move(number, change, now)
                transaction.begin_anew(number, now)
                lines.append(Entry(number, change))
            transaction.enter(f"order {step}", 0, "reset", lines, now)
            return Done(step, len(lines))

    def _age(self, transaction: Transaction, step: int, account: Account, now: datetime) -> None:
        if aged := transaction.age(account, now):
            transaction.enter(f"order {step}", -1, "age", [aged], now)

    def _log(
        self, transaction: Transaction, step: str, target: Target, amount: int, now: datetime, unit: Unit = "usd"
    ) -> int:
        order = Order(0, now, self._by, step, str(target), amount)
        number = transaction.log(order)
        told: dict[str, Any] = {"order": step, "number": number, "by": self._by, "target": str(target)}
        more = usd(amount) if unit == "usd" else str(amount)
        self._record(told | ({f"amount_{unit}": more} if amount else {}))
        return number
