"""The ledger against a model of it, over random lives of holds."""

import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from outwarden.budget import Account, Amounts, Budget, Denied, Held, Ledger, Orders, open_store

LIMITS = {"d": 1000, "m": 2500, "t": 400, "r": 12, "roll": 900, "long": 1500, "calls": 6, "drip": 800, "soft": 300}
UNITS = {"t": "tokens", "r": "requests", "calls": "requests"}
LENGTHS = {"roll": 60, "long": 7200, "calls": 30, "drip": 90}  # seconds; in bounds for the rest there is no end
RATE = 200  # what flows back into "drip" within its 90 seconds: no whole number a second
WINDOWS = {"roll": "rolling 60s", "long": "rolling 2h", "calls": "rolling 30s", "drip": "refill 90s"}
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def _account(name: str) -> Account:
    limit, burst = (RATE, LIMITS[name]) if name == "drip" else (LIMITS[name], None)
    budget = Budget(name, "all", limit, UNITS.get(name, "usd"), WINDOWS.get(name, "lifetime"), burst=burst)  # type: ignore[arg-type]
    if name == "soft":
        budget = replace(budget, on_exceeded="warn")
    return Account(budget, "all", None, None)


class LedgerMachine(RuleBasedStateMachine):
    """Holds are taken, grown, posted (below and above), voided and abandoned while time goes by.

    The model keeps a list of charges for each account and works out anew what still counts: of a rolling window those
    whose bucket has not left, of a bucket with refill what is left after every single second.
    """

    open = Bundle("open")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = open_store(f"sqlite:///{self.folder / 'ledger.db'}")
        self.now = NOON
        self.ledger = Ledger(self.store, clock=lambda: self.now)
        self.holds: dict[str, tuple[tuple[str, ...], Amounts, datetime]] = {}
        self.credits: dict[str, list[tuple[int | None, int]]] = {name: [] for name in LIMITS}
        self.topped_up: set[str] = set()
        self.charges: dict[str, list[tuple[datetime, int, int]]] = {name: [] for name in LIMITS}
        self.count = 0

    def teardown(self) -> None:
        """The journal sums up to the balances."""
        assert self.ledger.drift() == []
        self.ledger.close()
        shutil.rmtree(self.folder)

    def pending(self, name: str) -> int:
        unit = _account(name).budget.unit
        return sum(amounts.of(unit) for names, amounts, _ in self.holds.values() if name in names)

    def spent(self, name: str) -> tuple[int, int]:
        """(posted, debt) as they are now."""
        if name == "drip":
            return self.dripped()
        charges = self.charges[name]
        if name in LENGTHS:
            width = 2 if name == "long" else 1  # 7,200 s in 3,600 buckets
            now = self.now.timestamp()
            charges = [c for c in charges if (int(c[0].timestamp()) // width + 1) * width + LENGTHS[name] > now]
        return sum(posted for _, posted, _ in charges), sum(debt for _, _, debt in charges)

    def dripped(self) -> tuple[int, int]:
        """Second by second: an empty account waits for a whole second after its first charge."""
        posted, debt, part, since = 0, 0, 0, 0
        charges = [(int(at.timestamp()), more, over) for at, more, over in self.charges["drip"]]
        for second in range(int(NOON.timestamp()), int(self.now.timestamp()) + 1):
            if posted + debt and second > since:
                freed, part = divmod(RATE + part, LENGTHS["drip"])
                freed = min(freed, posted + debt)
                debt, posted = debt - min(debt, freed), posted - (freed - min(debt, freed))
            for at, more, over in charges:
                if at == second:
                    if not posted + debt:
                        part, since = 0, second + 1
                    posted, debt = posted + more, debt + over
        return posted, debt

    def credit(self, name: str) -> int:
        """What was topped up and still counts; in a bucket it is spent first."""
        now = self.now.timestamp()
        return sum(more for leaves, more in self.credits[name] if leaves is None or leaves > now)

    def room(self, name: str) -> int:
        room = LIMITS[name] + self.credit(name) - sum(self.spent(name)) - self.pending(name)
        return 10**18 if name == "soft" else room

    @rule(name=st.sampled_from(sorted(LIMITS.keys() - {"drip"})), amount=st.integers(1, 300))
    def top_up(self, name: str, amount: int) -> None:
        """Somebody lets an account take more; in a rolling window for its length."""
        Orders(self.store, "root", clock=lambda: self.now).top_up(_account(name).budget, "all", amount)
        width = 2 if name == "long" else 1
        second = int(self.now.timestamp())
        leaves = (second // width + 1) * width + LENGTHS[name] if name in LENGTHS else None
        self.credits[name].append((leaves, amount))
        self.topped_up.add(name)

    @rule(seconds=st.one_of(st.floats(0, 5), st.integers(10, 90), st.integers(3000, 8000)))
    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(seconds=st.integers(1, 100))
    def step_back(self, seconds: int) -> None:
        """Only to look at it: whatever the clock says, reading changes nothing."""
        now, self.now = self.now, self.now - timedelta(seconds=seconds)
        self.ledger.states()
        self.now = now

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
        if isinstance(result, Denied):
            self.check_wait(result, names, amounts)
            return multiple()
        self.holds[hold_id] = (names, amounts, self.now)
        return hold_id

    def check_wait(self, denied: Denied, names: tuple[str, ...], amounts: Amounts) -> None:
        """After the wait the named account has room if what is pending was charged, a second earlier it has not."""
        name, wait = denied.account.budget.name, denied.retry_after_s
        if wait is None or self.pending(name):
            return
        now, needed = self.now, amounts.of(denied.account.budget.unit)
        self.now = now + timedelta(seconds=wait)
        assert needed <= self.room(name)
        self.now = now + timedelta(seconds=wait - 1)
        assert needed > self.room(name)
        self.now = now

    @rule(hold_id=open, usd=st.integers(0, 900), tokens=st.integers(0, 400))
    def grow(self, hold_id: str, usd: int, tokens: int) -> None:
        if hold_id not in self.holds:
            return
        names, old, opened = self.holds[hold_id]
        new = Amounts(max(usd, old.usd), max(tokens, old.tokens), old.requests)
        units = {name: _account(name).budget.unit for name in names}
        fits = all(new.of(unit) - old.of(unit) <= self.room(name) for name, unit in units.items()) or new == old
        assert isinstance(self.ledger.grow(hold_id, Amounts(usd, tokens)), Held if fits else Denied)
        if fits:
            self.holds[hold_id] = (names, new, opened)

    @rule(hold_id=open, usd=st.integers(0, 1500), tokens=st.integers(0, 600))
    def post(self, hold_id: str, usd: int, tokens: int) -> None:
        if hold_id not in self.holds:
            return
        names, held, opened = self.holds.pop(hold_id)
        self.ledger.post(hold_id, Amounts(usd, tokens))
        self._charge(names, held, Amounts(usd, tokens), opened)

    @rule(hold_id=open)
    def void(self, hold_id: str) -> None:
        if hold_id in self.holds:
            del self.holds[hold_id]
            self.ledger.void(hold_id)

    @rule(name=st.sampled_from(sorted(LIMITS)))
    def reset(self, name: str) -> None:
        """Somebody lets an account begin anew; what is held stays held."""
        Orders(self.store, "root", clock=lambda: self.now).reset(_account(name).budget, "all")
        self.charges[name], self.credits[name] = [], []

    @rule()
    def restart(self) -> None:
        """The process ends with holds open; the next one charges them in full."""
        self.store.end(self.ledger._owner.id)
        self.ledger = Ledger(self.store, clock=lambda: self.now)
        assert self.ledger.recover() == len(self.holds)
        for names, held, opened in self.holds.values():
            self._charge(names, held, held, opened)
        self.holds.clear()
        assert self.ledger.drift() == []
        assert self.ledger.recover() == 0

    def _charge(self, names: tuple[str, ...], held: Amounts, actual: Amounts, opened: datetime) -> None:
        for name in names:
            unit = _account(name).budget.unit
            since = opened if unit == "requests" else self.now
            posted = min(actual.of(unit), held.of(unit))
            self.charges[name].append((since, posted, actual.of(unit) - posted if actual.of(unit) > posted else 0))

    @invariant()
    def balances_are_the_models(self) -> None:
        """Every number agrees and the cap holds."""
        for state in self.ledger.states():
            posted, debt = self.spent(state.name)
            assert (state.posted, state.pending, state.debt) == (posted, self.pending(state.name), debt)
            assert state.limit == LIMITS[state.name] + self.credit(state.name)
            # A credit that ends, or is reset while it is held, leaves more taken than is allowed from then on.
            assert state.name in {"soft", *self.topped_up} or state.posted + state.pending <= state.limit


LedgerMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=50, deadline=None)  # 1,250 steps
TestLedgerMachine = LedgerMachine.TestCase
