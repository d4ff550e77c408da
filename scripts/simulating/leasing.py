"""Histories with leases. What lies ready in a process no model can foretell: it keeps bounds instead of balances.

After each step, for every counter: what calls cost or still hold is in the store, be it as a lease, and no process has
let ``posted + pending`` pass the limit. A refusal is true: in the store there is no room, and its own process has
nothing ready. Where nothing failed, the books say to the last what calls cost once every process has settled.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import cast

from outwarden.budget import Amounts, Budget, LeasingLedger, Ledger, Store, Target
from outwarden.budget.lease import may_lease
from outwarden.errors import LedgerError
from simulating.checks import AUDIT_EVERY, Balance, Checks, Violation
from simulating.faults import Crash
from simulating.histories import History, Step
from simulating.model import Amounts as Triple
from simulating.model import Books, Call, Key, Rule
from simulating.world import Process, World, target_of

UNSURE = {"StoreUnavailable", "StepUndone", "StepUnknown"}
ENDS = {"post": "posted", "void": "voided"}


@dataclass
class Paid:
    """A call that was admitted. ``forgotten``: counters that were reset since.

    ``cost``: what it cost once it ended; where no answer came to several ends, the most of them, and ``least``.
    """

    call: Call
    process: int
    keys: tuple[Key, ...]
    held: Triple
    limits: dict[str, int]
    state: str = "open"
    cost: Triple = (0, 0, 0)
    least: Triple = (0, 0, 0)
    forgotten: set[Key] = field(default_factory=set)

    def may_have_ended(self, cost: Triple) -> None:
        """No answer came to an end of this cost: it is in the store, or an earlier one is, or none."""
        first = self.state in ("gone", "open")
        self.cost = cost if first else _each(max, self.cost, cost)
        self.least = cost if first else _each(min, self.least, cost)
        self.state = "unsure" if first else self.state


class LeaseChecks(Checks):
    """The journal as `Checks` looks at it, and balances within bounds."""

    def __init__(self, store: Store, books: Books) -> None:
        super().__init__(store, books)
        self.counters: dict[Key, tuple[int, Balance]] = {}

    def look(self, reserves: dict[str, int]) -> None:
        """Read all that a step may have changed; ``reserves``: the highest limits it may have reserved under."""
        self._steps += 1
        before, self.counters = self.counters, self._read_counters()
        for key, (_, (posted, pending, debt, credit)) in self.counters.items():
            old = before.get(key, (0, (0, 0, 0, 0)))[1]
            if pending < 0 or posted < 0:
                raise Violation(f"{key} has {posted} posted and {pending} pending")
            grew = posted + pending > old[0] + old[1]
            if grew and self._books.rules[key.rule].refuses and posted + pending + debt > reserves[key.rule] + credit:
                raise Violation(f"{key} takes {posted + pending} and owes {debt}, more than {reserves[key.rule]}")
        if self._steps % AUDIT_EVERY == 0:
            self.audit()

    def audit(self) -> None:
        """Lines are only added, and sum up to the balances."""
        lines = {(h, n, a): (s, tuple(b)) for h, n, a, s, *b in self._rows(f"SELECT {_LINE} FROM entries")}
        if changed := [key for key, line in self._lines.items() if lines.get(key) != line]:
            raise Violation(f"lines of the journal were changed: {changed[:3]}")
        self._lines = lines
        if drift := self._store.drift():
            raise Violation(f"drift: {drift}")

    def nothing_left(self, owner: str) -> None:
        """As `Checks`, whose counters are read here."""
        self._counters = self._read_counters()
        super().nothing_left(owner)

    def expired(self) -> dict[str, str]:
        """The owner of each hold that was charged in full."""
        return dict(self._rows("SELECT id, owner FROM holds WHERE state = 'expired'"))

    def keys_of(self, name: str) -> set[Key]:
        """The counters of a hold."""
        rows = self._rows(f"SELECT DISTINCT account FROM entries WHERE hold = '{name}'")
        numbers = {number: key for key, (number, _) in self._read_counters().items()}
        return {numbers[account] for (account,) in rows}

    def open_owners(self) -> set[str]:
        """Who has holds that are open."""
        return {owner for (owner,) in self._rows("SELECT DISTINCT owner FROM holds WHERE state = 'open'")}

    def charged(self) -> dict[Key, int]:
        """What was charged in full, by counter."""
        numbers = {number: key for key, (number, _) in self.counters.items()}
        sums: dict[Key, int] = defaultdict(int)
        for account, posted in self._rows("SELECT account, posted FROM entries WHERE step = 'expire'"):
            sums[numbers[account]] += posted
        return sums


_LINE = "hold, number, account, step, posted, pending, debt, credit"


class LeasingWorld(World):
    """A history happens here, to processes that lease."""

    checks: LeaseChecks

    def __init__(self, history: History, stores: list[Store], make: Callable[..., Ledger] | None = None) -> None:
        super().__init__(history, stores, make or LeasingLedger)
        self.checks = LeaseChecks(stores[0], self.books)
        self.calls: dict[str, Paid] = {}
        self.inexact: set[Key] = set()  # counters of which something is not known to the last
        self.reset_asleep: set[str] = set()  # budgets that were reset while a process was asleep
        self._heard: dict[tuple[str, str, str], set[str]] = {}  # who has to know of a pause
        self._expired: set[str] = set()

    def happen(self, step: Step) -> None:
        super().happen(step)
        self.checks.look(self._reserves(step.process))
        self._sums()

    def budget(self, rule: Rule) -> Budget:
        budget = replace(super().budget(rule), lease=True)
        return budget if may_lease(budget) else replace(budget, lease=False)

    def _reserves(self, process: int) -> dict[str, int]:
        """The highest limit that a process may go by: of the rules in force, of a lease, or of a call that runs."""
        most = dict(self.books.limits)
        running = self.processes[process]
        leases = _ledger(running)._leases.values() if running else ()
        found = [(a.budget.name, a.budget.capacity) for lease in leases for a in lease.accounts]
        found += [each for call in self.calls.values() if call.state == "open" for each in call.limits.items()]
        for name, limit in found:
            most[name] = max(most[name], limit)
        return most

    def _sums(self) -> None:
        """What calls cost, or hold, is in the store; and no more than they could have cost is spent."""
        least: dict[Key, int] = defaultdict(int)
        most: dict[Key, int] = defaultdict(int)
        for call in self.calls.values():
            for key in call.keys:
                rule = self.books.rules[key.rule]
                held = rule.of(call.held)
                if key not in call.forgotten:
                    least[key] += held if call.state in ("open", "gone") else min(held, rule.of(call.least))
                most[key] += max(held, rule.of(call.cost))
        charged = self.checks.charged()
        for key in least.keys() | self.checks.counters.keys():
            _, (posted, pending, debt, _) = self.checks.counters.get(key, (0, (0, 0, 0, 0)))
            if key.rule not in self.reset_asleep and posted + pending + debt < least[key]:
                raise Violation(f"{key} knows of {posted + pending + debt} of {least[key]} that calls cost or hold")
            if posted + debt > most[key] + charged[key]:
                raise Violation(f"{key} has {posted + debt} spent, of {most[key]} at most and {charged[key]} charged")

    def _do(self, step: Step, act: Callable[[], object]) -> str:
        """Let it happen; the name of what it answers or raises."""
        try:
            return type(act()).__name__
        except Crash:
            self._die(step.process)
            return "Crash"
        except LedgerError as error:
            return type(error).__name__

    def _die(self, process: int) -> None:
        """What ran there may have been billed."""
        self.processes[process] = None
        for call in self.calls.values():
            if call.process == process:
                self.inexact.update(call.keys)
                call.process, call.state = -1, "gone" if call.state == "open" else call.state

    def _kill(self, step: Step) -> None:
        self._die(step.process)

    def _close(self, step: Step) -> None:
        said = self._do(step, _ledger(self.processes[step.process]).release)
        if said == "Crash":
            return
        self._stores[step.process].begin(None)
        if said not in UNSURE:  # what runs yet is charged by the others; the books stay right to the last without
            for call in self.calls.values():
                is_over = call.process == step.process and call.state in ENDS.values()
                call.process = -1 if is_over else call.process
        super()._close(step)
        self._die(step.process)

    def _hold(self, step: Step) -> None:
        process, now = self._process(step.process), self.now(step.process)
        assert step.call
        if step.hold in self.calls:
            return
        counted, amounts, call = self.accounts(step.call, step.hold, now), Amounts(*step.amounts), step.call
        said = self._do(step, lambda: process.ledger.hold(step.hold, counted, amounts, call.key))
        keys = self.books.keys(call, int(now.timestamp()))
        if said == "Held":
            if any(process.id in self._heard[target] for target in self.books.stopping(call, step.hold)):
                raise Violation(f"{step.hold} was admitted though it is paused")
            self.calls[step.hold] = Paid(call, step.process, keys, step.amounts, dict(self.books.limits))
            process.known[step.hold] = (call, {})
        elif said == "Denied":
            self._explain(step, keys, step.amounts, step.amounts, self.books.limits)
        elif said == "Paused" and not self.books.stopping(call, step.hold):
            raise Violation(f"{step.hold} was refused, and nothing of it is paused")
        elif said == "Crash":
            self.inexact.update(keys)

    def _grow(self, step: Step) -> None:
        process, call = self._process(step.process), self.calls.get(step.hold)
        if call is None or call.process != step.process:
            return
        said = self._do(step, lambda: process.ledger.grow(step.hold, Amounts(*step.amounts)))
        wanted = (max(call.held[0], step.amounts[0]), max(call.held[1], step.amounts[1]), call.held[2])
        more = (wanted[0] - call.held[0], wanted[1] - call.held[1], 0)
        if said == "Held":
            call.held = wanted
        elif said == "Denied":
            self._explain(step, call.keys, more, wanted, call.limits)
        elif said in UNSURE and step.hold not in _ledger(process)._running:
            self.inexact.update(call.keys)  # until the store is asked again
        self._over(step, call, said)

    def _post(self, step: Step) -> None:
        ledger = self._process(step.process).ledger
        self._finish(step, lambda: ledger.post(step.hold, Amounts(*step.amounts)), step.amounts)

    def _void(self, step: Step) -> None:
        ledger = self._process(step.process).ledger
        self._finish(step, lambda: ledger.void(step.hold), (0, 0, 0))

    def _finish(self, step: Step, act: Callable[[], object], cost: Triple) -> None:
        call = self.calls.get(step.hold)
        if call is None or call.process != step.process:
            return
        said = self._do(step, act)
        if said in UNSURE or said == "Crash":  # it may be over in the store, or not
            self.inexact.update(call.keys)
            call.may_have_ended(cost)
        elif said in ("tuple", "NoneType"):
            if call.state not in ("open", "unsure"):
                raise Violation(f"{step.kind} of {step.hold} was done twice")
            call.state, call.cost, call.least = ENDS[step.kind], cost, cost
            self._process(step.process).known.pop(step.hold, None)
        self._over(step, call, said)

    def _over(self, step: Step, call: Paid, said: str) -> None:
        """A call that is over says so, once its process knows; and no other."""
        expected = {"posted": {"HoldPosted"}, "voided": {"HoldVoided"}}.get(call.state, set())
        if said in ("HoldPosted", "HoldVoided", "HoldUnknown"):
            charged = step.hold in self._expired or not self.inexact.isdisjoint(call.keys)
            is_expired = said == "HoldPosted" and charged
            if said not in expected and not is_expired and call.state != "unsure":
                raise Violation(f"{step.kind} of {step.hold}, which is {call.state}, answered {said}")
            if call.state == "open":
                call.state = "gone"  # charged in full
            running = self.processes[step.process]
            if running:
                running.known.pop(step.hold, None)

    def _explain(self, step: Step, keys: tuple[Key, ...], more: Triple, wanted: Triple, limits: dict[str, int]) -> None:
        """Why it was refused: no room in the store, while nothing lies ready in this process."""
        call = step.call or self.calls[step.hold].call
        if self.books._too_dear(call, wanted, limits):
            return
        counters = self.checks._read_counters()
        ready, full = _ready(_ledger(self._process(step.process))), []
        for key in keys:
            rule, (_, (posted, pending, debt, credit)) = (
                self.books.rules[key.rule],
                counters.get(key, (0, (0, 0, 0, 0))),
            )
            most = limits[key.rule] + credit
            if rule.refuses and (most <= 0 or posted + pending + debt + rule.of(more) > most):
                full.append(key)
        if not full:
            raise Violation(f"{step.kind} of {step.hold} was refused though there is room: {keys}")
        if ready.issuperset(full):
            raise Violation(f"{step.hold} was refused while its own process has something ready on {full}")

    def _round(self, step: Step) -> None:
        ledger = _ledger(self._process(step.process))
        if self._do(step, ledger.settle) == "list":
            for heard in self._heard.values():
                heard.add(self._process(step.process).id)

    def _quiet(self, step: Step) -> None:
        """Every process settles, twice, with nobody calling: what is known to the last must be so."""
        for number, process in enumerate(self.processes):
            if process:
                self._stores[number].begin(None)
                self._recover(Step("recover", number))
                for _ in range(2):
                    _ledger(process).settle()
        counters = self.checks._read_counters()
        held: dict[Key, int] = defaultdict(int)
        spent: dict[Key, int] = defaultdict(int)
        for call in self.calls.values():
            for key in call.keys:
                held[key] += self.books.rules[key.rule].of(call.held) if call.state == "open" else 0
                spent[key] += self.books.rules[key.rule].of(call.cost)
        for key, (_, (posted, pending, debt, _)) in counters.items():
            if key not in self.inexact and (posted + debt, pending) != (spent[key], held[key]):
                raise Violation(f"{key} has {posted + debt} spent and {pending} held, not {spent[key]} and {held[key]}")

    def _look(self, step: Step) -> None:
        """What a ledger tells is looked at elsewhere."""

    def _top_up(self, step: Step) -> None:
        rule = self._ruled(step)
        if rule:
            self._orders(step).top_up(self.budget(rule), step.id, step.amount)

    def _reset(self, step: Step) -> None:
        rule = self._ruled(step)
        if rule is None:
            return
        self._orders(step).reset(self.budget(rule), step.id)
        for call in self.calls.values():
            found = {key for key in call.keys if key.rule == rule.name}
            self.inexact |= found
            call.forgotten |= found if call.state != "open" else set()
        if any(
            process and process.silent for process in self.processes
        ):  # what it has may have been charged, and reset
            self.reset_asleep.add(rule.name)

    def _ruled(self, step: Step) -> Rule | None:
        """The budget that an order is about; orders do not fail here."""
        self._stores[step.process].begin(None)
        rule = self.books.rules.get(step.budget)
        return rule if rule and rule.scope != "request" else None

    def _pause(self, step: Step) -> None:
        target = target_of(step)
        self._stores[step.process].begin(None)
        self._orders(step).pause(Target(*target))  # type: ignore[arg-type]
        self.books.paused.add(target)
        self._heard.setdefault(target, set())

    def _resume(self, step: Step) -> None:
        target = target_of(step)
        self._stores[step.process].begin(None)
        self._orders(step).resume(Target(*target))  # type: ignore[arg-type]
        self.books.paused.discard(target)
        self._heard.pop(target, None)

    def _recover(self, step: Step) -> None:
        """Holds and leases of the dead are charged, and nobody else's."""
        process = self._process(step.process)
        noticed, dead = process.noticed, self._dead(process)
        said = self._do(step, process.ledger.recover)
        if "owners" not in self._stores[step.process].answered:
            process.noticed = noticed
        expired = self.checks.expired()
        for name in expired.keys() - self._expired:
            if expired[name] not in dead:
                raise Violation(f"{name} of {expired[name]}, who lives, was charged")
            self.inexact |= self.checks.keys_of(name)
        self._expired = set(expired)
        self._sync_owners(dead if said == "int" else set())

    def _open_owners(self) -> set[str]:
        return self.checks.open_owners()

    def names(self) -> list[str]:
        return sorted(self.calls)


def _each(choose: Callable[[int, int], int], one: Triple, other: Triple) -> Triple:
    usd, tokens, requests = map(choose, one, other)
    return usd, tokens, requests


def _ledger(process: Process | None) -> LeasingLedger:
    assert process
    return cast(LeasingLedger, process.ledger)


def _ready(ledger: LeasingLedger) -> set[Key]:
    """The counters of which something lies ready in a process."""
    return {
        Key(a.budget.name, a.id, int(a.window_start.timestamp()) if a.window_start else 0)
        for lease in ledger._leases.values()
        for a in lease.accounts
        if lease.free.of(a.budget.unit)
    }
