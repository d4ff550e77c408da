"""Processes, their clocks and one database: lets the steps of a history happen, to the ledger and to its model."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

from outwarden.budget import (
    Account,
    Amounts,
    Budget,
    BudgetRules,
    Caller,
    Denied,
    Held,
    Ledger,
    Orders,
    Store,
    Target,
    accounts,
)
from outwarden.budget.owners import Owner
from outwarden.errors import LedgerError, StoreUnavailable
from simulating.checks import Checks, Violation
from simulating.faults import Crash, FaultyStore
from simulating.histories import BEGIN, History, Step
from simulating.model import OVER, Books, Call, Planned, Rule

SILENT_S = 60  # after so long without a heartbeat an owner on another machine counts as dead
FORGETS = {"HoldPosted", "HoldVoided", "HoldUnknown"}  # after these a process knows a hold no more


@dataclass
class Process:
    """One process on a machine of its own. ``known``: the holds it remembers, with call and limits of then.

    ``beats``: how often it said that it lives; ``noticed``: by owner, the beat that it saw last, and since when.
    """

    id: str
    ledger: Ledger
    known: dict[str, tuple[Call, dict[str, int]]] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    beats: int = 0
    silent: bool = False
    noticed: dict[str, tuple[int, float]] = field(default_factory=dict)


class World:
    """A history happens here. ``stores``: one for each process that may run at once, and one that only looks."""

    def __init__(self, history: History, stores: list[Store], make: Callable[..., Ledger] = Ledger) -> None:
        self.books = Books(history.rules)
        self.elapsed = 0.0
        self._make = make
        self._stores = [FaultyStore(store) for store in stores[1:]]
        self._offsets = [0.0] * len(self._stores)
        self._count = 0
        self.processes: list[Process | None] = [None] * len(self._stores)
        self._owners: dict[str, tuple[int, bool]] = {}  # those the store knows: the last beat, and whether it ended
        self.checks = Checks(stores[0], self.books)

    def now(self, process: int) -> datetime:
        """What time it is to a process."""
        return BEGIN + timedelta(seconds=self.elapsed + self._offsets[process])

    def second(self, process: int) -> int:
        return int(self.now(process).timestamp())

    def happen(self, step: Step) -> None:
        """Let a step happen, and check that all is as it must be. Raises Violation."""
        if step.process >= len(self._stores):
            return
        if self.processes[step.process] is None and step.kind not in ("start", "wait", "clock", "limit"):
            return
        self._stores[step.process].begin(step.fault)
        act = cast(Callable[[Step], None], getattr(self, f"_{step.kind}"))
        act(step)
        self._stores[step.process].begin(None)

    def finish(self) -> None:
        """Let every process die, and a last one find what they left: nothing may leak."""
        self.processes = [None] * len(self._stores)
        self._start(Step("start"))
        self._recover(Step("recover"))
        self.elapsed += SILENT_S + 1
        self._recover(Step("recover"))
        self.checks.nothing_left(self._process(0).id)

    def _process(self, number: int) -> Process:
        process = self.processes[number]
        assert process
        return process

    def _start(self, step: Step) -> None:
        if self.processes[step.process] is not None:
            return
        self._count += 1
        owner = Owner(f"owner-{self._count}", 1, "", f"machine-{self._count}")
        store, at = self._stores[step.process], step.process
        ledger = self._make(cast(Store, store), clock=lambda: self.now(at), monotonic=lambda: self.elapsed, owner=owner)
        self.processes[at] = Process(owner.id, ledger)
        self._owners[owner.id] = (0, False)

    def _kill(self, step: Step) -> None:
        self.processes[step.process] = None

    def _close(self, step: Step) -> None:
        process = self._process(step.process)
        ended = False
        with suppress(Crash, StoreUnavailable):  # it is gone all the same, and the others find it silent
            process.ledger.leave()  # `Ledger.close` does this; the connection is used again here
            ended = True
        self.processes[step.process] = None
        if ended and process.id in self._owners:  # else it was forgotten already, as one that was silent
            self._owners[process.id] = (process.beats, True)
        self._sync_owners(set())

    def _silence(self, step: Step) -> None:
        self._process(step.process).silent = True

    def _wake(self, step: Step) -> None:
        self._process(step.process).silent = False
        self._beat(step.process)

    def _beat(self, number: int) -> None:
        process = self.processes[number]
        if process and not process.silent:
            process.ledger.heartbeat()
            process.beats += 1
            self._owners[process.id] = (process.beats, False)

    def _wait(self, step: Step) -> None:
        self.elapsed += step.seconds
        for number in range(len(self.processes)):
            self._beat(number)

    def _clock(self, step: Step) -> None:
        self._offsets[step.process] += step.seconds

    def _limit(self, step: Step) -> None:
        if step.budget in self.books.limits:
            self.books.limits[step.budget] = step.amount

    def _hold(self, step: Step) -> None:
        process, now = self._process(step.process), self.now(step.process)
        assert step.call
        planned = self.books.hold(step.hold, step.call, step.amounts, process.id, int(now.timestamp()))
        limits = dict(self.books.limits)
        counted = self.accounts(step.call, step.hold, now)
        call, amounts = step.call, Amounts(*step.amounts)
        said = self._try(step, lambda: process.ledger.hold(step.hold, counted, amounts, call.key), planned, limits)
        hold = self.books.holds.get(step.hold)
        if said == "Held" and hold and hold.owner == process.id:
            process.known.setdefault(step.hold, (call, limits))
        if said == "StepUnknown":
            process.doubtful.add(step.hold)
        elif said in ("Held", "Denied", "Paused") and planned[0] != "Denied":
            process.doubtful.discard(step.hold)

    def _grow(self, step: Step) -> None:
        process = self._process(step.process)
        call, limits = process.known.get(step.hold, (None, {}))
        if call:
            planned = self.books.grow(step.hold, call, step.amounts, limits, self.second(step.process))
        else:
            hold = self.books.holds.get(step.hold)
            planned = (OVER.get(hold.state, "HoldUnknown") if hold else "HoldUnknown", None)
        amounts = Amounts(*step.amounts)
        self._try(step, lambda: process.ledger.grow(step.hold, amounts), planned, limits)

    def _post(self, step: Step) -> None:
        ledger, now = self._process(step.process).ledger, self.second(step.process)
        planned = self.books.settle(step.hold, step.amounts, now)
        self._try(step, lambda: ledger.post(step.hold, Amounts(*step.amounts)), planned)

    def _void(self, step: Step) -> None:
        ledger, now = self._process(step.process).ledger, self.second(step.process)
        self._try(step, lambda: ledger.void(step.hold), self.books.settle(step.hold, None, now))

    def _top_up(self, step: Step) -> None:
        rule, now = self.books.rules.get(step.budget), self.second(step.process)
        if rule:
            budget, planned = self.budget(rule), self.books.top_up(rule, step.id, step.amount, now)
            self._try(step, lambda: self._orders(step).top_up(budget, step.id, step.amount), planned)

    def _reset(self, step: Step) -> None:
        rule, now = self.books.rules.get(step.budget), self.second(step.process)
        if rule:
            planned = self.books.reset(rule, step.id, now)
            self._try(step, lambda: self._orders(step).reset(self.budget(rule), step.id), planned)

    def _pause(self, step: Step) -> None:
        target = target_of(step)
        planned = "Done", lambda: self.books.paused.add(target)
        self._try(step, lambda: self._orders(step).pause(Target(*target)), planned)  # type: ignore[arg-type]

    def _resume(self, step: Step) -> None:
        target = target_of(step)
        planned = "Done", lambda: self.books.paused.discard(target)
        self._try(step, lambda: self._orders(step).resume(Target(*target)), planned)  # type: ignore[arg-type]

    def _orders(self, step: Step) -> Orders:
        return Orders(cast(Store, self._stores[step.process]), "root", clock=lambda: self.now(step.process))

    def _prune(self, step: Step) -> None:
        ledger = self._process(step.process).ledger
        while ledger.prune() == 500:
            pass
        self.checks.pruned(self.second(step.process))

    def _look(self, step: Step) -> None:
        states = self._process(step.process).ledger.states()
        self.checks.states(states, self.second(step.process))

    def _recover(self, step: Step) -> None:
        """Doubtful holds of its own are given back, open ones of the dead charged in full, and no others."""
        process = self._process(step.process)
        doubtful = {name for name in process.doubtful if (hold := self.books.holds.get(name)) and hold.state == "open"}
        noticed, dead = process.noticed, self._dead(process)
        left = {name for name, hold in self.books.holds.items() if hold.state == "open" and hold.owner in dead}
        count = -1
        try:
            count = process.ledger.recover()
            process.doubtful.clear()
        except Crash:
            self.processes[step.process] = None
        except StoreUnavailable:
            pass
        if "owners" not in self._stores[step.process].answered:
            process.noticed = noticed  # it did not come to look
        self._follow_recovery(step, process, doubtful, left, count)
        self._sync_owners(dead if count >= 0 else set())

    def _follow_recovery(self, step: Step, process: Process, doubtful: set[str], left: set[str], count: int) -> None:
        """Let the model resolve what the ledger did; ``count`` is its answer, -1 where it did not come to its end."""
        now, resolved = self.second(step.process), set()
        closing = self._stores[step.process].closing
        states = self.checks.stored_states(doubtful | left)
        for name in [name for at, name in enumerate(closing) if name not in closing[at + 1 :]]:  # the last attempt
            if states.get(name, "open") == "open":
                continue
            _, change = self.books.settle(name, None, now) if name in doubtful else self.books.expire(name, now)
            assert change
            change()
            resolved.add(name)
            if name in doubtful:
                process.known.pop(name, None)
        if count >= 0 and (left | doubtful) - resolved:
            raise Violation(f"holds of the dead, or in doubt, stay open: {sorted((left | doubtful) - resolved)}")
        if count >= 0 and step.fault is None and count != len(left - doubtful):
            raise Violation(f"{count} holds were resolved instead of {len(left - doubtful)}")
        self.checks.after(step, resolved)

    def _dead(self, watcher: Process) -> set[str]:
        """Those whom a process may take for dead: ended, or silent for long since it looked first."""
        seen, dead = {}, set()
        for owner in (self._owners.keys() | self._open_owners()) - {watcher.id}:
            beat, ended = self._owners.get(owner, (-1, False))
            noticed = watcher.noticed.get(owner)
            seen[owner] = noticed if noticed and noticed[0] == beat else (beat, self.elapsed)
            if ended or self.elapsed - seen[owner][1] > SILENT_S:
                dead.add(owner)
        watcher.noticed = seen
        return dead

    def _open_owners(self) -> set[str]:
        return {hold.owner for hold in self.books.holds.values() if hold.state == "open"}

    def names(self) -> list[str]:
        """All calls there were."""
        return sorted(self.books.holds)

    def _sync_owners(self, resolved: set[str]) -> None:
        for owner in resolved:
            self._owners.pop(owner, None)
        stored = self.checks.owners()
        if stored.keys() != self._owners.keys() and resolved:
            raise Violation(f"owners {sorted(stored)} instead of {sorted(self._owners)}")
        self._owners = {owner: (self._owners.get(owner, (0, False))[0], ended) for owner, ended in stored.items()}

    def _try(
        self, step: Step, act: Callable[[], object], planned: Planned, limits: dict[str, int] | None = None
    ) -> str:
        """Do it, compare the answer, and let the model change as the database did; then check."""
        process, store = self._process(step.process), self._stores[step.process]
        expected, change = planned
        try:
            answer = act()
            said = type(answer).__name__ if isinstance(answer, Held | Denied) or step.kind == "hold" else "Done"
        except Crash:
            said, self.processes[step.process] = "Crash", None
        except LedgerError as error:
            said = type(error).__name__
        unsure = said == "Crash" or said in ("StoreUnavailable", "StepUndone", "StepUnknown")
        if change and (store.took if unsure or step.fault else said == expected or step.kind in ("post", "void")):
            change()
        over = step.fault and step.fault.kind == "lost" and said == OVER.get(_state(self.books, step.hold), "")
        as_planned = said == expected or (said == "Done" and expected == "settled") or over
        if not unsure and not as_planned:
            raise Violation(f"{step.kind} of {step.hold or step.budget} answered {said} instead of {expected}")
        if said in FORGETS or said == "Done":
            process.known.pop(step.hold, None)
        names = [step.hold] if step.hold in self.books.holds else []
        self.checks.after(step, names, limits if change and step.kind in ("hold", "grow") and store.took else None)
        return said

    def accounts(self, call: Call, name: str, now: datetime) -> tuple[Account, ...]:
        """The counters of a call, as the ledger's own rules find them."""
        rules = BudgetRules(tuple(self.budget(rule) for rule in self.books.rules.values()))
        caller = Caller(call.key, team=call.team)
        return accounts(rules, caller, provider="simulated", model=call.model, call_id=name, at=now)

    def budget(self, rule: Rule) -> Budget:
        """A budget for the ledger, with the limit in force."""
        limit = self.books.limits[rule.name]
        return Budget(
            rule.name,
            rule.scope,
            limit if rule.burst is None else rule.limit,
            rule.unit,
            rule.window,
            only={"model": rule.only} if rule.only else {},
            burst=None if rule.burst is None else limit,
            on_exceeded="refuse" if rule.refuses else "warn",
        )


def _state(books: Books, name: str) -> str:
    hold = books.holds.get(name)
    return hold.state if hold else ""


def target_of(step: Step) -> tuple[str, str, str]:
    """Whom a step pauses or resumes: a key, a budget, or one of its accounts."""
    if not step.budget:
        return "key", step.id, ""
    return ("account" if step.id else "budget"), step.budget, step.id
