"""Whatever a ledger is kept in, `checks` sees it as the same tables."""

from collections.abc import Iterator

import pytest

from outwarden.budget import Account, Amounts, Budget, BudgetState, Ledger, Store
from outwarden.budget.owners import Owner
from simulating.playing import opened, play
from simulating.tables import tables_of

QUERIES = (
    "SELECT number, budget, id, starts, posted, pending, debt, credit FROM accounts ORDER BY number",
    "SELECT id, owner, state, usd, tokens, requests FROM holds ORDER BY id",
    "SELECT hold, number, account, step, posted, pending, debt, credit FROM entries ORDER BY hold, number, account",
    "SELECT id, ended FROM owners",
    "SELECT max(number) FROM orders",
)


@pytest.fixture(scope="module")
def in_redis() -> Iterator[list[Store]]:
    try:
        with opened("redis") as found:
            yield found
    except SystemExit as error:
        pytest.skip(f"this test needs a redis server to start: {error}")


def written(store: Store) -> list[object]:
    """What the tables say of a few steps, which are the same each time."""
    tables = tables_of(store)
    tables.empty()
    ledger = Ledger(store, owner=Owner("me", 1, "", "here"))
    account = Account(Budget("b", "all", 1000, window="rolling 60s"), "all", None, None)
    for name, cost in (("posted", Amounts(7, 0)), ("voided", None), ("open", ...)):
        ledger.hold(name, [account], Amounts(10, 0))
        if cost is None:
            ledger.void(name)
        elif isinstance(cost, Amounts):
            ledger.post(name, cost)
    return [tables.rows(query) for query in QUERIES]


def test_redis_is_seen_as_tables(stores: list[Store], in_redis: list[Store]) -> None:
    """The same steps leave the same rows, and nothing is left of those before."""
    assert written(in_redis[0]) == written(stores[0])
    tables_of(in_redis[0]).empty()
    assert [tables_of(in_redis[0]).rows(f"SELECT * FROM {t}") for t in ("accounts", "holds", "entries")] == [[], [], []]


@pytest.mark.parametrize("seed", range(3))
def test_histories_hold_in_redis(seed: int, in_redis: list[Store]) -> None:
    """As on SQLite, with leases and without."""
    assert play(seed, 150, in_redis) is None
    assert play(seed, 150, in_redis, leased=True) is None


class ForgetsADebt(Ledger):
    def post(self, hold_id: str, amounts: Amounts) -> tuple[BudgetState, ...]:
        held = self._open.get(hold_id)
        return super().post(hold_id, Amounts(*map(min, amounts, held.amounts)) if held else amounts)


def test_a_planted_defect_is_found_in_redis(in_redis: list[Store]) -> None:
    """What is compared is what is there."""
    failure = next(filter(None, (play(seed, 150, in_redis, ForgetsADebt) for seed in range(5))))
    assert "instead of" in failure.found
