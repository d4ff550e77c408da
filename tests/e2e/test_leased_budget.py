"""Interceptors that lease from one budget in PostgreSQL: many calls, one cap, and all of it is spent."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from interceptor import OPENAI, Interceptor, chat, rules_for, run_async, until

from benchmarks.servers import started
from outwarden.budget import Budget, BudgetState, Ledger, Orders, open_store
from outwarden.simulate import SimulatedProvider

ROOM = 300
CALLS, AT_ONCE = 250, 16  # through each


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A PostgreSQL of these tests' own."""
    with started("postgresql") as (told,):
        if "missing" in told:
            pytest.skip(f"this test needs a postgresql server to start: {told['missing']}")
        yield told["url"]


@pytest.fixture(scope="module")
def several(primary: SimulatedProvider, start: Any, url: str) -> list[Interceptor]:
    """Two interceptors with a state folder each, and one ledger."""
    budget = {"name": "shared", "scope": "all", "limit_requests": ROOM, "window": "lifetime", "lease": True}
    found: list[Interceptor] = []
    for _ in range(2):
        one = start(rules_for(primary, budgets={"budgets": [budget]}), running=False)
        one.variables = {"OUTWARDEN_DATABASE": url}
        found.append(one.start())
    return found


def standing(url: str) -> BudgetState:
    """How the budget stands, in books that are right."""
    ledger = Ledger(open_store(url))
    try:
        assert ledger.drift() == []
        (state,) = ledger.states()
        return state
    finally:
        ledger.close()


def lines(url: str) -> list[str]:
    """The steps in the journal."""
    store = open_store(url)
    try:
        return [step for (step,) in store.run_sql("SELECT step FROM entries")]  # type: ignore[attr-defined]
    finally:
        store.close()


async def ask(outwarden: Interceptor, count: int) -> list[int]:
    """The statuses of so many calls, some at once."""
    turn = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(proxy=outwarden.url, verify=outwarden.trust(), timeout=60) as client:

        async def call() -> int:
            async with turn:
                return (await client.post(f"https://{OPENAI}/v1/chat/completions", json=chat("call"))).status_code

        return await asyncio.gather(*(call() for _ in range(count)))


async def ask_all(several: list[Interceptor], count: int) -> list[int]:
    return [status for found in await asyncio.gather(*(ask(one, count) for one in several)) for status in found]


def test_interceptors_lease_from_one_cap(several: list[Interceptor], url: str, provider: SimulatedProvider) -> None:
    """Of 500 calls with room for 300, no more are sent; what one had ready is there for the other soon after."""
    statuses = run_async(ask_all(several, CALLS))
    assert set(statuses) == {200, 429}
    assert statuses.count(200) <= ROOM
    deadline = time.monotonic() + 30
    while statuses.count(200) < ROOM and time.monotonic() < deadline:
        time.sleep(0.5)
        statuses += run_async(ask_all(several, 1))
    assert statuses.count(200) == len(provider.requests) == ROOM
    state = until(lambda: found if not (found := standing(url)).pending else None)
    assert (state.posted, state.debt) == (ROOM, 0)
    steps = lines(url)
    assert steps.count("lease") > 0
    assert steps.count("hold") < ROOM
    assert run_async(ask_all(several, 2)) == [429] * 4


def test_a_stop_gives_back_and_a_crash_is_charged(several: list[Interceptor], url: str) -> None:
    """What lies ready is free after a stop; after a crash it is charged: what was spent at least, the cap at most."""
    store = open_store(url)
    Orders(store, "a test").top_up(Budget("shared", "all", ROOM, "requests"), "all", 1_000)
    store.close()
    assert run_async(ask(several[0], 60)) == [200] * 60
    assert several[0].stop() == 0
    assert (standing(url).posted, standing(url).pending) == (ROOM + 60, 0)
    assert run_async(ask(several[1], 60)) == [200] * 60
    several[1].kill()
    ledger = Ledger(open_store(url))
    until(lambda: ledger.recover() or not standing(url).pending)
    ledger.close()
    state = standing(url)
    assert ROOM + 120 <= state.posted <= ROOM + 120 + (1_000 - 120) // 4
    assert (state.pending, state.debt) == (0, 0)
