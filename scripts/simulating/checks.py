"""What must hold after each step, read from the database in plain SQL (`tables`) and compared with the model."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from outwarden.budget import BudgetState, Store
from simulating.histories import Step
from simulating.model import Books, Key
from simulating.tables import tables_of

PARTS = "posted, pending, debt, credit"
ENDS = {"post": "posted", "void": "voided", "expire": "expired"}
AUDIT_EVERY = 25  # steps; in between the journal is read of those holds alone that a step was about
DAY_S = 86_400
KEPT_ENTRIES_S, KEPT_ACCOUNTS_S = 35 * DAY_S, 400 * DAY_S

Balance = tuple[int, ...]


class Violation(Exception):
    """Something that must hold does not."""


class Checks:
    """Looks at the database beside the ledgers. It begins empty."""

    def __init__(self, store: Store, books: Books) -> None:
        self._store = store
        self._tables = tables_of(store)
        self._books = books
        self._lines: dict[tuple[str, int, int], tuple[str, Balance]] = {}
        self._sums: dict[int, Balance] = defaultdict(lambda: (0, 0, 0, 0))
        self._counters: dict[Key, tuple[int, Balance]] = {}
        self._steps = 0
        self._tables.empty()

    def after(self, step: Step, names: Collection[str], limits: Mapping[str, int] | None = None) -> None:
        """All that must hold after a step on some holds; ``limits``: those under which it has just reserved more."""
        self._steps += 1
        before = self._counters
        self._counters = self._read_counters()
        self._compare()
        self._caps(before, {key for name in names for key in self._books.holds[name].keys} if limits else (), limits)
        self._follow(names if names or step.hold else self._last_order())
        self._holds(names)
        if self._steps % AUDIT_EVERY == 0:
            self.audit()

    def audit(self) -> None:
        """The journal as a whole: nothing in it was changed or is missing, and it sums up to every balance."""
        lines = {(h, n, a): (s, tuple(b)) for h, n, a, s, *b in self._rows(f"SELECT {_LINE} FROM entries")}
        if lines != self._lines:
            raise Violation(f"the journal has other lines than were written: {_unlike(lines, self._lines)}")
        if drift := self._store.drift():
            raise Violation(f"drift: {drift}")

    def states(self, states: Sequence[BudgetState], now: int) -> None:
        """What a ledger tells of the counters in their present windows is what the model makes of them."""
        for state in states:
            key = Key(state.name, state.id, int(state.window_start.timestamp()) if state.window_start else 0)
            balance = self._books.counters[key].aged(self._books.rules[key.rule], now).balance()
            told = (state.posted, state.pending, state.debt)
            if told != balance[:3]:
                raise Violation(f"{key} is told to have {told} instead of {balance[:3]}")

    def stored_states(self, names: Collection[str]) -> dict[str, str]:
        """How holds stand in the database."""
        return {
            name: state for name in names for (state,) in self._rows(f"SELECT state FROM holds WHERE id = '{name}'")
        }

    def owners(self) -> dict[str, bool]:
        """The owners in the database, and whether each has ended."""
        return {owner: bool(ended) for owner, ended in self._rows("SELECT id, ended FROM owners")}

    def pruned(self, now: int) -> None:
        """Only what is old and over was forgotten, and what was folded sums up to the same."""
        kept = {name for (name,) in self._rows("SELECT id FROM holds")}
        for name in self._books.holds.keys() - kept:
            hold = self._books.holds[name]
            if hold.state != "forgotten" and (hold.state == "open" or hold.closed >= now - KEPT_ENTRIES_S):
                raise Violation(f"hold {name}, {hold.state} since {hold.closed}, was forgotten at {now}")
            hold.state = "forgotten"
        counters = self._read_counters()
        gone = self._counters.keys() - counters.keys()
        for key in gone:
            rule, counter = self._books.rules[key.rule], self._books.counters.pop(key)
            ended = rule.kind == "calendar" and key.starts + rule.length_s < now - KEPT_ACCOUNTS_S
            if counter.pending or not ended:
                raise Violation(f"{key} was forgotten at {now}")
        for hold in self._books.holds.values():  # its lines go with an account, also of a hold that is kept
            hold.keys = tuple(key for key in hold.keys if key not in gone)
        self._lines, self._sums = {}, defaultdict(lambda: (0, 0, 0, 0))
        self._enter(self._rows(f"SELECT {_LINE} FROM entries"))
        self.after(Step("prune"), ())
        self.audit()

    def nothing_left(self, owner: str) -> None:
        """After every other owner's death: no hold is open, nothing is pending, and nobody else is known."""
        self.audit()
        if left := self._rows("SELECT id FROM holds WHERE state = 'open'"):
            raise Violation(f"holds that leaked: {left}")
        if leaked := {key: found for key, (_, found) in self._counters.items() if found[1]}:
            raise Violation(f"pending that leaked: {leaked}")
        if (owners := self.owners()) != {owner: False}:
            raise Violation(f"owners {owners} instead of {owner} alone")

    def _compare(self) -> None:
        """Every balance is the model's. Of those that the ledger made and left empty the model knows nothing."""
        found = {key: balance for key, (_, balance) in self._counters.items() if any(balance)}
        expected = {key: balance for key, one in self._books.counters.items() if any(balance := one.balance())}
        if found != expected:
            raise Violation(f"balances (posted, pending, debt, credit) are {_unlike(found, expected)}")

    def _caps(
        self, before: Mapping[Key, tuple[int, Balance]], reserved: Collection[Key], limits: Mapping[str, int] | None
    ) -> None:
        """Whoever reserves stays within the limit; nothing else lets posted and pending grow."""
        for key, (_, (posted, pending, debt, credit)) in self._counters.items():
            _, old = before.get(key, (0, (0, 0, 0, 0)))
            if key in reserved and limits:
                most = limits[key.rule] + credit
                if self._books.rules[key.rule].refuses and posted + pending + debt > most:
                    raise Violation(f"{key} takes {posted + pending} and owes {debt}, more than its limit of {most}")
            elif posted + pending > old[0] + old[1] and not reserved:
                raise Violation(f"{key} takes {posted + pending} instead of {old[0] + old[1]}, and nobody reserved it")

    def _follow(self, names: Collection[str]) -> None:
        """Read the lines of a step; those before it are as they were, and all sum up to the balances."""
        for name in names:
            self._enter(self._rows(f"SELECT {_LINE} FROM entries WHERE hold = '{name}'"))
        for key, (number, balance) in self._counters.items():
            if self._sums[number] != balance:
                raise Violation(f"the entries of {key} sum up to {self._sums[number]}, its balance is {balance}")

    def _enter(self, rows: Iterable[Sequence[Any]]) -> None:
        for hold, number, account, step, *change in rows:
            known = self._lines.setdefault((hold, number, account), line := (step, tuple(change)))
            if known is line:
                have = self._sums[account]
                self._sums[account] = tuple(old + more for old, more in zip(have, change, strict=True))
            elif known != line:
                raise Violation(f"line {number} of {hold} was {known} and is {line}")

    def _holds(self, names: Iterable[str]) -> None:
        """Holds are what the model says, each resolved once at most and as its lines say; no other is open."""
        for name in names:
            hold = self._books.holds[name]
            rows = self._rows(f"SELECT state, usd, tokens, requests FROM holds WHERE id = '{name}'")
            if rows != ([(hold.state, *hold.amounts)] if hold.state != "forgotten" else []):
                raise Violation(f"hold {name} is {rows} instead of {(hold.state, *hold.amounts)}")
            lines = self._rows(f"SELECT DISTINCT number, step FROM entries WHERE hold = '{name}'")
            ends = [ENDS[step] for _, step in lines if step in ENDS]
            if hold.keys and ends != ([] if hold.state in ("open", "forgotten") else [hold.state]):
                raise Violation(f"hold {name} is {hold.state}, its lines say {ends}")
        found = {name for (name,) in self._rows("SELECT id FROM holds WHERE state = 'open'")}
        expected = {name for name, hold in self._books.holds.items() if hold.state == "open"}
        if found != expected:
            raise Violation(f"open are {sorted(found - expected)} that should not be; not {sorted(expected - found)}")

    def _last_order(self) -> list[str]:
        return [f"order {number}" for (number,) in self._rows("SELECT max(number) FROM orders")]

    def _read_counters(self) -> dict[Key, tuple[int, Balance]]:
        rows = self._rows(f"SELECT number, budget, id, starts, {PARTS} FROM accounts")
        return {Key(budget, id_, starts): (number, tuple(b)) for number, budget, id_, starts, *b in rows}

    def _rows(self, sql: str) -> list[Any]:
        return self._tables.rows(sql)


_LINE = f"hold, number, account, step, {PARTS}"


def _unlike(found: Mapping[Any, object], expected: Mapping[Any, object]) -> str:
    keys = [key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)]
    return "; ".join(f"{key}: {found.get(key)} instead of {expected.get(key)}" for key in sorted(keys)[:3])
