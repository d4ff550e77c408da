"""The ledger as plain as can be: what every call, order and death does to the balances. Shares no code with the ledger.

Each step comes in two parts, since a crash may come between them: what the answer has to be, and a function that makes
the change. Amounts are (usd, tokens, requests); times are whole seconds since 1970.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import Literal, NamedTuple

UNITS = ("usd", "tokens", "requests")
OVER = {"posted": "HoldPosted", "expired": "HoldPosted", "voided": "HoldVoided", "forgotten": "HoldUnknown"}

Amounts = tuple[int, int, int]
Planned = tuple[str, Callable[[], None] | None]  # the name of the answer or error, and the change if it happens


@dataclass(frozen=True, slots=True)
class Rule:
    """A budget. ``window``: what it is called for the ledger; ``length_s`` its length; ``only``: one model, or all."""

    name: str
    scope: Literal["request", "api_key", "team", "all"]
    unit: Literal["usd", "tokens", "requests"]
    kind: Literal["lifetime", "calendar", "rolling", "refill"]
    window: str
    length_s: int
    limit: int
    burst: int | None = None
    only: str = ""
    refuses: bool = True

    def of(self, amounts: Amounts) -> int:
        """What of the amounts it counts."""
        return amounts[UNITS.index(self.unit)]


class Call(NamedTuple):
    """Who calls, and which model."""

    key: str
    team: str
    model: str


class Key(NamedTuple):
    """Names a counter: of which budget, for whom, from when on (0: it has no beginning)."""

    rule: str
    id: str
    starts: int


@dataclass
class Counter:
    """One balance. ``charges``: [posted, debt, credit] by the second in which they leave a rolling window.

    ``owed``: what is left of all that was spent from a bucket, exactly, as of the second ``since``.
    """

    posted: int = 0
    pending: int = 0
    debt: int = 0
    credit: int = 0
    charges: dict[int, list[int]] = field(default_factory=dict)
    owed: Fraction = Fraction(0)
    since: int = 0

    def balance(self) -> tuple[int, int, int, int]:
        """As the database has it."""
        return self.posted, self.pending, self.debt, self.credit

    def aged(self, rule: Rule, now: int) -> "Counter":
        """What it is in a second."""
        if rule.kind == "rolling":
            return self._rolled(now)
        return self._refilled(rule, now) if rule.kind == "refill" else self

    def _rolled(self, now: int) -> "Counter":
        kept = {second: charge for second, charge in self.charges.items() if second > now}
        posted, debt, credit = (sum(charge[part] for charge in kept.values()) for part in range(3))
        return Counter(posted, self.pending, debt, credit, kept)

    def _refilled(self, rule: Rule, now: int) -> "Counter":
        spent = self.posted + self.debt
        paid = min(self.credit, spent)
        flowed = Fraction(rule.limit * max(0, now - self.since), rule.length_s)
        owed = max(Fraction(0), self.owed - paid - flowed)
        freed = spent - ceil(owed)
        debt = max(0, self.debt - freed)
        posted = ceil(owed) - debt
        return Counter(
            posted, self.pending, debt, self.credit - paid, {}, owed, max(now, self.since) if owed else now + 1
        )

    def spend(self, rule: Rule, posted: int, debt: int, credit: int, leaves: int) -> None:
        """Add what was spent, or topped up."""
        self.posted, self.debt, self.credit = self.posted + posted, self.debt + debt, self.credit + credit
        if rule.kind == "rolling" and (posted or debt or credit):
            charge = self.charges.setdefault(leaves, [0, 0, 0])
            for part, more in enumerate((posted, debt, credit)):
                charge[part] += more
        if rule.kind == "refill":
            self.owed += posted + debt


@dataclass
class Hold:
    """What a call holds, and on which counters."""

    owner: str
    amounts: Amounts
    opened: int
    keys: tuple[Key, ...]
    state: Literal["open", "posted", "voided", "expired", "forgotten"] = "open"
    closed: int = 0


class Books:
    """All counters and holds. ``limits`` and what is ``paused`` may change between steps."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self.rules = dict(rules)
        self.limits = {name: rule.limit if rule.burst is None else rule.burst for name, rule in rules.items()}
        self.counters: dict[Key, Counter] = {}
        self.holds: dict[str, Hold] = {}
        self.paused: set[tuple[str, str, str]] = set()

    def applying(self, call: Call) -> Iterator[Rule]:
        """The budgets that a call counts in."""
        return (rule for rule in self.rules.values() if rule.only in ("", call.model))

    def key(self, rule: Rule, id_: str, now: int) -> Key:
        """The counter of a budget for somebody."""
        return Key(rule.name, id_, now - now % rule.length_s if rule.kind == "calendar" else 0)

    def keys(self, call: Call, now: int) -> tuple[Key, ...]:
        """The counters of a call."""
        ids = {"api_key": call.key, "team": call.team, "all": "all"}
        return tuple(self.key(rule, ids[rule.scope], now) for rule in self.applying(call) if rule.scope != "request")

    def hold(self, name: str, call: Call, amounts: Amounts, owner: str, now: int) -> Planned:
        """Take a hold."""
        if self._too_dear(call, amounts, self.limits):
            return "Denied", None
        if (hold := self.holds.get(name)) is not None and hold.state != "forgotten":
            if hold.state != "open":
                return OVER[hold.state], None
            return ("Held" if hold.amounts == amounts else "HoldExists"), None
        keys = self.keys(call, now)
        if self.stopping(call, name):
            return "Paused", None
        if not self._fits(keys, amounts, self.limits, now):
            return "Denied", None

        def change() -> None:
            self.holds[name] = Hold(owner, amounts, now, keys)
            self._reserve(keys, amounts, now)

        return "Held", change

    def grow(self, name: str, call: Call, amounts: Amounts, limits: Mapping[str, int], now: int) -> Planned:
        """Grow a hold under the limits that it was taken with."""
        hold = self.holds[name]
        wanted = (max(hold.amounts[0], amounts[0]), max(hold.amounts[1], amounts[1]), hold.amounts[2])
        more = (wanted[0] - hold.amounts[0], wanted[1] - hold.amounts[1], 0)
        if not any(more):
            return "Held", None
        if self._too_dear(call, wanted, limits):
            return "Denied", None
        if hold.state != "open":
            return OVER[hold.state], None
        if not self._fits(hold.keys, more, limits, now):
            return "Denied", None

        def change() -> None:
            hold.amounts = wanted
            self._reserve(hold.keys, more, now)

        return "Held", change

    def settle(self, name: str, actual: Amounts | None, now: int, state: str = "") -> Planned:
        """Post what a call cost, or give its hold back (None); ``state``: expired, where its owner died."""
        hold = self.holds.get(name)
        if hold is None:
            return "HoldUnknown", None
        if hold.state != "open":
            return OVER[hold.state], None

        def change() -> None:
            hold.state, hold.closed = "voided" if actual is None else "posted", now
            if state == "expired":
                hold.state = "expired"
            for key in hold.keys:
                self._settle(key, hold, actual, now)

        return "settled", change

    def expire(self, name: str, now: int) -> Planned:
        """Charge in full what a dead process held."""
        return self.settle(name, self.holds[name].amounts, now, "expired")

    def top_up(self, rule: Rule, id_: str, amount: int, now: int) -> Planned:
        """Let somebody take more in the present window."""

        def change() -> None:
            self.touch(self.key(rule, id_, now), now).spend(rule, 0, 0, amount, leaves(rule, now))

        return "Done", change

    def reset(self, rule: Rule, id_: str, now: int) -> Planned:
        """Forget what somebody spent (everybody: "")."""

        def change() -> None:
            for key in self.counters:
                past = rule.kind == "calendar" and key.starts + rule.length_s <= now
                if key.rule == rule.name and id_ in ("", key.id) and not past:
                    self.counters[key] = Counter(pending=self.counters[key].pending, since=now + 1)

        return "Done", change

    def touch(self, key: Key, now: int) -> Counter:
        """A counter in which all that has aged is gone for good."""
        counter = self.counters.get(key) or Counter()
        self.counters[key] = counter.aged(self.rules[key.rule], now)
        return self.counters[key]

    def _too_dear(self, call: Call, amounts: Amounts, limits: Mapping[str, int]) -> bool:
        single = [rule for rule in self.applying(call) if rule.scope == "request" and rule.refuses]
        return any(not rule.of(amounts) <= limits[rule.name] > 0 for rule in single)

    def stopping(self, call: Call, name: str) -> set[tuple[str, str, str]]:
        """What is paused and stops a call."""
        targets = {("key", call.key, "")}
        for rule in self.applying(call):
            ids = {"api_key": call.key, "team": call.team, "all": "all", "request": name}
            targets |= {("budget", rule.name, ""), ("account", rule.name, ids[rule.scope])}
        return targets & self.paused

    def _fits(self, keys: tuple[Key, ...], amounts: Amounts, limits: Mapping[str, int], now: int) -> bool:
        for key in keys:
            rule = self.rules[key.rule]
            counter = (self.counters.get(key) or Counter()).aged(rule, now)
            most = limits[key.rule] + counter.credit
            taken = counter.posted + counter.pending + counter.debt + rule.of(amounts)
            if rule.refuses and (taken > most or most <= 0):
                return False
        return True

    def _reserve(self, keys: tuple[Key, ...], amounts: Amounts, now: int) -> None:
        for key in keys:
            self.touch(key, now).pending += self.rules[key.rule].of(amounts)

    def _settle(self, key: Key, hold: Hold, actual: Amounts | None, now: int) -> None:
        rule, counter = self.rules[key.rule], self.touch(key, now)
        held, cost = rule.of(hold.amounts), rule.of(actual) if actual else 0
        counter.pending -= held
        since = hold.opened if rule.unit == "requests" else now
        counter.spend(rule, min(held, cost), max(0, cost - held), 0, leaves(rule, since))


def leaves(rule: Rule, second: int) -> int:
    """When what is spent in a second has left a rolling window, whose buckets are a 3,600th of it, or a second wide."""
    width = max(1, -(-rule.length_s // 3600))
    return (second // width + 1) * width + rule.length_s
