"""What the budget tests share: a store in a temporary file, a clock that stands still, short ways to make accounts."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from outwarden.budget import Account, Budget, BudgetRules, Caller, Ledger, Store, accounts, open_store

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Clock:
    """A clock that only moves when told to."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'outwarden.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def ledger(store: Store, clock: Clock) -> Ledger:
    return Ledger(store, clock=clock)


@pytest.fixture
def account(clock: Clock) -> Callable[..., Account]:
    """Make one account: ``account(100)`` is a lifetime budget of 100 nano-dollars for everyone."""

    def make(limit: int, **changes: Any) -> Account:
        budget = Budget(**{"name": "b", "scope": "all", "limit": limit, **changes})
        caller = Caller(api_key_id="sha256:aa", user="alice", team="support")
        found = accounts(BudgetRules((budget,)), caller, provider="openai", model="m", call_id="c", at=clock())
        return found[0]

    return make
