"""Histories: budgets, and the steps of processes, made up from a seed so that every step means something."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from simulating.faults import Fault
from simulating.model import Amounts, Call, Rule

if TYPE_CHECKING:
    from simulating.world import World

BEGIN = datetime(2026, 11, 21, 11, 59, 30, tzinfo=UTC)  # half a minute before a minute and an hour end
KEYS, TEAMS, MODELS = ("key-1", "key-2", "key-3"), ("red", "blue"), ("small", "large")

# What flows back into a bucket is never changed: how much had flowed back by then is not told from outside.
RULES = (
    Rule("call", "request", "usd", "lifetime", "lifetime", 0, 350),
    Rule("minute", "api_key", "usd", "calendar", "minute", 60, 900),
    Rule("hour", "all", "tokens", "calendar", "hour", 3600, 2500),
    Rule("ever", "team", "usd", "lifetime", "lifetime", 0, 4000),
    Rule("roll", "api_key", "usd", "rolling", "rolling 60s", 60, 900),
    Rule("long", "team", "tokens", "rolling", "rolling 2h", 7200, 2500),
    Rule("calls", "all", "requests", "rolling", "rolling 30s", 30, 12),
    Rule("drip", "all", "usd", "refill", "refill 90s", 90, 700, 1800),
    Rule("drops", "api_key", "requests", "refill", "refill 7m", 420, 9, 9),
    Rule("large", "all", "usd", "rolling", "rolling 10m", 600, 1500, only="large"),
    Rule("soft", "team", "usd", "calendar", "day", 86_400, 1000, refuses=False),
)
# Calls of leased histories are small beside these, and mostly of one key: so that leases are worth it.
LEASED_RULES = (
    Rule("call", "request", "usd", "lifetime", "lifetime", 0, 350),
    Rule("minute", "api_key", "usd", "calendar", "minute", 60, 30_000),
    Rule("hour", "all", "tokens", "calendar", "hour", 3600, 60_000),
    Rule("ever", "team", "usd", "lifetime", "lifetime", 0, 60_000),
    Rule("calls", "api_key", "requests", "calendar", "hour", 3600, 400),
)
FAULTS = ("crash", "crash", "crash at commit", "crash at commit", "undone", "down", "lost", "lost, down")
FAULTY = {"hold", "grow", "post", "void", "top_up", "reset", "pause", "resume", "recover", "round", "close"}
# How often each kind of step is drawn.
WEIGHTS = {
    "hold": 30,
    "grow": 15,
    "post": 15,
    "void": 6,
    "wait": 8,
    "start": 5,
    "recover": 5,
    "look": 4,
    "clock": 2,
    "kill": 2,
    "close": 1,
    "silence": 1,
    "wake": 2,
    "top_up": 2,
    "reset": 1,
    "limit": 2,
    "pause": 0.7,
    "resume": 1.5,
    "prune": 0.4,
}


LEASED_WEIGHTS = {
    "hold": 45,
    "post": 26,
    "void": 4,
    "grow": 8,
    "round": 3,
    "quiet": 1,
    "wait": 3,
    "start": 4,
    "recover": 3,
    "clock": 0.5,
    "kill": 0.7,
    "close": 0.7,
    "silence": 0.5,
    "wake": 1,
    "top_up": 1,
    "reset": 0.3,
    "limit": 1,
    "pause": 0.4,
    "resume": 2,
}
DISASTERS = {"kill", "silence", "reset", "clock"}  # after which nobody knows to the last what was spent


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens in a process; what a kind of step does not need is left at its default."""

    kind: str
    process: int = 0
    hold: str = ""
    call: Call | None = None
    amounts: Amounts = (0, 0, 1)
    seconds: float = 0
    budget: str = ""
    id: str = ""
    amount: int = 0
    fault: Fault | None = None

    def __str__(self) -> str:
        said = [f"{f.name}={getattr(self, f.name)}" for f in fields(self)[2:] if getattr(self, f.name) != f.default]
        return f"process {self.process}: {self.kind} {' '.join(said)}".rstrip()


@dataclass(frozen=True)
class History:
    """Budgets by name, and steps. ``leased``: processes lease where they can."""

    rules: Mapping[str, Rule]
    steps: Sequence[Step] = ()
    leased: bool = False


def budgets(draw: random.Random) -> dict[str, Rule]:
    """Some of the budgets, in any order."""
    return {rule.name: rule for rule in draw.sample(RULES, draw.randint(2, 6))}


def leased_budgets(draw: random.Random) -> dict[str, Rule]:
    """Some of those that can be leased."""
    return {rule.name: rule for rule in draw.sample(LEASED_RULES, draw.randint(1, 4))}


class Author:
    """Makes up one step after the other for a world, looking at what is open in it."""

    def __init__(self, seed: int, leased: bool = False) -> None:
        self._draw = random.Random(seed)
        self._count = 0
        self._leased = leased
        # Two leased histories of three are ones after which the books are right to the last: nobody dies in them.
        self._calm = leased and seed % 3 < 2
        self._fault_share = 0.1 if not leased else (0, 0.2, 0.2)[seed % 3]
        self.rules = (leased_budgets if leased else budgets)(self._draw)

    def steps(self, world: "World", count: int) -> Iterator[Step]:
        """So many steps; each has to happen before the next is asked for."""
        chosen = LEASED_WEIGHTS if self._leased else WEIGHTS
        kinds = [kind for kind in chosen if not (self._calm and kind in DISASTERS)]
        weights = [chosen[kind] for kind in kinds]
        for number in range(len(world.processes)):
            yield Step("start", number)
        for _ in range(count - len(world.processes)):
            (kind,) = self._draw.choices(kinds, weights)
            yield self._step(world, kind)

    def _step(self, world: "World", kind: str) -> Step:
        draw = self._draw
        process = draw.randrange(len(world.processes))
        if world.processes[process] is None and draw.random() < 0.5:
            kind = "start"
        fault = self._fault() if kind in FAULTY and draw.random() < self._fault_share else None
        if kind == "hold":
            return self._hold(world, process, fault)
        if kind in ("grow", "post", "void"):
            most = 20_000 if self._leased and kind == "grow" and draw.random() < 0.2 else 500  # a stream that runs long
            return Step(kind, *self._held(world, process, kind), amounts=self._amounts(most), fault=fault)
        if kind == "wait":
            if self._leased:
                return Step(kind, seconds=draw.choice((0.25, 1, 1, 4, 6, 15, 31, 61, 600)))
            return Step(kind, seconds=draw.choice((0.25, 1, 2, 7, 15, 30, 31, 60, 61, 90, 600, 3600, self._long())))
        if kind == "clock":
            return Step(kind, process, seconds=draw.choice((1, -1)) * draw.choice((0.5, 1, 15, 31, 60, 61, 90, 7200)))
        budget = draw.choice(list(world.books.rules.values()))
        ids = {"api_key": KEYS, "team": TEAMS, "all": ("all",), "request": ()}[budget.scope]
        if kind in ("top_up", "reset"):
            if not ids:
                return Step("look", process)
            id_ = draw.choice(ids) if kind == "top_up" else draw.choice((*ids, ""))
            return Step(kind, process, budget=budget.name, id=id_, amount=draw.randint(1, 600), fault=fault)
        if kind == "limit":
            usual = budget.limit if budget.burst is None else budget.burst
            return Step(kind, budget=budget.name, amount=draw.choice((0, usual // 2, usual, usual, 2 * usual)))
        if kind in ("pause", "resume"):
            return self._pause(world, Step(kind, process, fault=fault))
        return Step(kind, process, fault=fault)

    def _hold(self, world: "World", process: int, fault: Fault | None) -> Step:
        draw = self._draw
        call = Call(draw.choice(KEYS), draw.choice(TEAMS), draw.choice(MODELS))
        if self._leased and draw.random() < 0.8:
            call = Call(KEYS[0], TEAMS[0], MODELS[0])
        amounts = self._amounts(300)
        self._count += 1
        name = f"h{self._count}"
        known = (running := world.processes[process]) and running.known
        if known and not self._leased and draw.random() < 0.05:  # the same once more, by the same process
            name = draw.choice(sorted(known))
            call = known[name][0]
            amounts = world.books.holds[name].amounts if draw.random() < 0.7 else amounts
        return Step("hold", process, name, call, amounts, fault=fault)

    def _held(self, world: "World", process: int, kind: str) -> tuple[int, str]:
        """Mostly an open hold of the process, sometimes any."""
        running = world.processes[process]
        names = sorted(running.known) if running else []
        if not names or (kind != "grow" and self._draw.random() < 0.03):
            names = world.names() or ["none"]
        return process, self._draw.choice(names)

    def _pause(self, world: "World", step: Step) -> Step:
        draw = self._draw
        if step.kind == "resume" and world.books.paused:
            kind, name, id_ = draw.choice(sorted(world.books.paused))
            return Step("resume", step.process, budget="" if kind == "key" else name, id=name if kind == "key" else id_)
        step = replace(step, budget=draw.choice(["", *world.books.rules]))
        return replace(step, id=draw.choice(("", "all", *TEAMS, *KEYS) if step.budget else KEYS))

    def _amounts(self, most: int) -> Amounts:
        draw = self._draw
        return draw.choice((0, draw.randint(0, most), draw.randint(0, most // 4))), draw.randint(0, most), 1

    def _long(self) -> int:
        """Now and then weeks, so that old lines are folded and old counters forgotten."""
        return 86_400 * self._draw.choice((1, 36, 401)) if self._draw.random() < 0.2 else 8000

    def _fault(self) -> Fault:
        kind = self._draw.choice(FAULTS[4:] if self._calm else FAULTS)
        return Fault(kind, after=self._draw.randint(0, 12), done=self._draw.random() < 0.5)  # type: ignore[arg-type]
