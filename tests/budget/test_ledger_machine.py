"""The ledger against a model of it, over random lives of holds."""

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from outwarden.budget import Account, Amounts, Budget, Denied, Held, Ledger, open_store

LIMITS = {"d": 1000, "m": 2500, "t": 400, "r": 12}
UNITS = {"d": "usd", "m": "usd", "t": "tokens", "r": "requests"}
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def _account(name: str) -> Account:
    return Account(Budget(name, "all", LIMITS[name], UNITS[name]), "all", None, None)  # type: ignore[arg-type]


class LedgerMachine(RuleBasedStateMachine):
    """Holds are taken, grown, posted (below and above), voided and abandoned; the model keeps plain sums."""

    open = Bundle("open")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = open_store(f"sqlite:///{self.folder / 'ledger.db'}")
        self.ledger = Ledger(self.store, clock=lambda: NOW)
        self.holds: dict[str, tuple[tuple[str, ...], Amounts]] = {}
        self.spent = dict.fromkeys(LIMITS, 0)
        self.debt = dict.fromkeys(LIMITS, 0)
        self.count = 0

    def teardown(self) -> None:
        """The journal sums up to the balances."""
        assert self.ledger.drift() == []
        self.ledger.close()
        shutil.rmtree(self.folder)

    def pending(self, name: str) -> int:
        unit = _account(name).budget.unit
        return sum(amounts.of(unit) for names, amounts in self.holds.values() if name in names)

    def room(self, name: str) -> int:
        return LIMITS[name] - self.spent[name] - self.debt[name] - self.pending(name)

    @rule(
        target=open,
        names=st.sets(st.sampled_from(sorted(LIMITS))).map(lambda names: tuple(sorted(names))),
        usd=st.integers(0, 700),
        tokens=st.integers(0, 300),
    )
    def hold(self, names: tuple[str, ...], usd: int, tokens: int):  # type: ignore[no-untyped-def]
        self.count += 1
        hold_id, amounts = f"h{self.count}", Amounts(usd, tokens)
        fits = all(amounts.of(_account(name).budget.unit) <= self.room(name) for name in names)
        result = self.ledger.hold(hold_id, [_account(name) for name in names], amounts)
        assert isinstance(result, Held if fits else Denied)
        if not fits:
            return multiple()
        self.holds[hold_id] = (names, amounts)
        return hold_id

    @rule(hold_id=open, usd=st.integers(0, 900), tokens=st.integers(0, 400))
    def grow(self, hold_id: str, usd: int, tokens: int) -> None:
        if hold_id not in self.holds:
            return
        names, old = self.holds[hold_id]
        new = Amounts(max(usd, old.usd), max(tokens, old.tokens), old.requests)
        units = {name: _account(name).budget.unit for name in names}
        fits = all(new.of(unit) - old.of(unit) <= self.room(name) for name, unit in units.items()) or new == old
        assert isinstance(self.ledger.grow(hold_id, Amounts(usd, tokens)), Held if fits else Denied)
        if fits:
            self.holds[hold_id] = (names, new)

    @rule(hold_id=open, usd=st.integers(0, 1500), tokens=st.integers(0, 600))
    def post(self, hold_id: str, usd: int, tokens: int) -> None:
        if hold_id not in self.holds:
            return
        names, held = self.holds.pop(hold_id)
        self.ledger.post(hold_id, Amounts(usd, tokens))
        self._charge(names, held, Amounts(usd, tokens))

    @rule(hold_id=open)
    def void(self, hold_id: str) -> None:
        if hold_id in self.holds:
            del self.holds[hold_id]
            self.ledger.void(hold_id)

    @rule()
    def restart(self) -> None:
        """The process ends with holds open; the next one charges them in full."""
        self.store.end(self.ledger._owner.id)
        self.ledger = Ledger(self.store, clock=lambda: NOW)
        assert self.ledger.recover() == len(self.holds)
        for names, held in self.holds.values():
            self._charge(names, held, held)
        self.holds.clear()
        assert self.ledger.drift() == []
        assert self.ledger.recover() == 0

    def _charge(self, names: tuple[str, ...], held: Amounts, actual: Amounts) -> None:
        for name in names:
            unit = _account(name).budget.unit
            self.spent[name] += min(actual.of(unit), held.of(unit))
            self.debt[name] += max(0, actual.of(unit) - held.of(unit))

    @invariant()
    def balances_are_the_models(self) -> None:
        """Every number agrees and the cap holds."""
        for state in self.ledger.states():
            expected = (self.spent[state.name], self.pending(state.name), self.debt[state.name])
            assert (state.posted, state.pending, state.debt) == expected
            assert state.posted + state.pending <= LIMITS[state.name]


LedgerMachine.TestCase.settings = settings(max_examples=20, stateful_step_count=50, deadline=None)  # 1,000 steps
TestLedgerMachine = LedgerMachine.TestCase
