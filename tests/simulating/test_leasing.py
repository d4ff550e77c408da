"""Made-up histories of processes that lease hold; where a defect is planted they do not."""

from datetime import datetime
from typing import Any

import pytest

from outwarden.budget import Amounts, BudgetState, LeasingLedger, Store
from outwarden.budget.lease import Lease, Plan
from outwarden.budget.lease_steps import LeaseSteps
from outwarden.budget.store import Transaction
from simulating.faults import Fault
from simulating.histories import History, Step
from simulating.model import Call, Rule
from simulating.playing import play, replay

SEEDS_MAX, STEPS = 40, 300


@pytest.mark.parametrize("first", range(0, 12, 3))
def test_histories_hold(first: int, stores: list[Store]) -> None:
    """What calls cost is in the store after each of 400 steps, no cap is passed, and nothing leaks."""
    for seed in range(first, first + 3):
        assert play(seed, 400, stores, leased=True) is None


def test_two_ends_without_an_answer(stores: list[Store]) -> None:
    """A call that was given back, then charged, with no answer to either, may have cost nothing or all of it."""
    rules = {"hour": Rule("hour", "all", "tokens", "calendar", "hour", 3600, 60_000)}
    call = Call("key-1", "red", "small")
    steps = [
        Step("start", 0),
        Step("hold", 0, hold="h", call=call, amounts=(50, 121, 1)),
        Step("void", 0, hold="h", amounts=(65, 308, 1), fault=Fault("lost, down", after=5, done=True)),
        Step("post", 0, hold="h", amounts=(49, 93, 1), fault=Fault("down", after=1, done=True)),
    ]
    assert replay(History(rules, steps, leased=True), stores) is None


def test_calls_are_paid_from_leases(stores: list[Store]) -> None:
    """The histories are of what they are to try: leases are taken, widened, found lost, and end."""
    taken: list[str] = []

    class Noting(LeasingLedger):
        def _pay(self, *given: Any) -> Any:
            taken.append("call")
            return super()._pay(*given)

        def _step(self, lease: Lease, *given: Any, keep: bool) -> None:
            before = lease.step, lease.plan
            super()._step(lease, *given, keep=keep)
            taken.append("lost" if lease.lost else "taken" if before[0] < 0 else "widened" if keep else "ended")
            if before[1]:
                taken.append("looked up")

    assert not any(play(seed, 500, stores, Noting, leased=True) for seed in range(30, 42))
    assert set(taken) == {"call", "lost", "taken", "widened", "ended", "looked up"}
    assert taken.count("call") > 500


class WithSteps(LeasingLedger):
    """Another way to take steps."""

    steps: type[LeaseSteps]

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._steps = self.steps(self._store, self._owner.id)


class PaysWhatItHasNot(LeasingLedger):
    def _is_ready(self, lease: Lease, need: Amounts) -> bool:
        return self._pays(lease) or super()._is_ready(lease, need)


class ForgetsWhatWasSpent(LeasingLedger):
    def post(self, hold_id: str, amounts: Amounts) -> tuple[BudgetState, ...]:
        if hold_id in self._running and hold_id.endswith("7"):
            self.void(hold_id)
            return ()
        return super().post(hold_id, amounts)


class KeepsWhatItHas(LeasingLedger):
    def _makes_way(self, *given: Any) -> bool:
        return False


class ForgetsADebt(LeasingLedger):
    def post(self, hold_id: str, amounts: Amounts) -> tuple[BudgetState, ...]:
        running = self._running.get(hold_id)
        return super().post(hold_id, Amounts(*map(min, amounts, running.amounts)) if running else amounts)


class LosesAGrowth(LeasingLedger):
    def _has_room(self, *given: Any) -> bool:
        return True


class PostsTwice(WithSteps):
    class steps(LeaseSteps):  # noqa: N801 - what it is called above
        def _took(self, lease: Lease, plan: Plan) -> None:
            super()._took(lease, plan)
            lease.spent = lease.spent.plus(plan.spent)


class TrustsALostAnswer(WithSteps):
    """A step that went unanswered is taken for not done."""

    class steps(LeaseSteps):  # noqa: N801
        def _find(self, transaction: Transaction, lease: Lease, now: datetime) -> bool:
            lease.plan = None
            return super()._find(transaction, lease, now)


class IgnoresPauses(WithSteps):
    class steps(LeaseSteps):  # noqa: N801
        def _write(self, lease: Lease, *given: Any) -> Plan | None:
            lease.targets = []
            return super()._write(lease, *given)


class TakesAllThereIs(WithSteps):
    """More lies ready than a lease was widened by in the store."""

    class steps(LeaseSteps):  # noqa: N801
        def _took(self, lease: Lease, plan: Plan) -> None:
            super()._took(lease, plan)
            lease.total = lease.total.plus(Amounts(50, 50, 1)) if plan.kept else lease.total


class GivesTheDeadTheirMoneyBack(LeasingLedger):
    def _expire_some(self, owner: str, now: datetime) -> int:
        with self._store.transaction() as transaction:
            names = [row.id for row in transaction.open_holds(owner, 500)]
        for name in names:
            self.void(name)
        return len(names)


DEFECTS = [
    PaysWhatItHasNot,
    ForgetsWhatWasSpent,
    KeepsWhatItHas,
    ForgetsADebt,
    LosesAGrowth,
    PostsTwice,
    TrustsALostAnswer,
    IgnoresPauses,
    TakesAllThereIs,
    GivesTheDeadTheirMoneyBack,
]


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.__name__)
def test_a_planted_defect_is_found(defect: type[LeasingLedger], stores: list[Store]) -> None:
    """Within some thousand steps, and again when what was found is played once more."""
    failures = (play(seed, STEPS, stores, defect, leased=True) for seed in range(SEEDS_MAX))

    failure = next(filter(None, failures))

    assert replay(failure.history, stores, defect)
    assert not replay(failure.history, stores), "the sound ledger fails the same history"
