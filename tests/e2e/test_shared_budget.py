"""Interceptors on one PostgreSQL or Redis, as on two machines: one cap, and neither needs the other."""

import asyncio
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from interceptor import OPENAI, Interceptor, chat, rules_for, run_async, until

from benchmarks.servers import started
from outwarden.budget import Budget, BudgetState, Ledger, Orders, open_store
from outwarden.simulate import Script, SimulatedProvider

ROOM = 7
CALLS = 64  # of each, at once
# By hand: four interceptors, twenty times over.
INTERCEPTORS = int(os.environ.get("OUTWARDEN_TEST_INTERCEPTORS", "2"))
TIMES = int(os.environ.get("OUTWARDEN_TEST_CROWDS", "1"))
KILLS = int(os.environ.get("OUTWARDEN_TEST_KILLS", "2"))


@pytest.fixture(scope="module", params=["postgresql", "redis"])
def server(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """A server of these tests' own: ``url`` and ``pid``."""
    with started(request.param) as (told,):
        if "missing" in told:
            pytest.skip(f"this test needs a {request.param} server to start: {told['missing']}")
        yield told


@pytest.fixture(scope="module")
def several(primary: SimulatedProvider, start: Any, server: dict[str, Any]) -> list[Interceptor]:
    """Interceptors with a state folder each, and one ledger."""
    budget = {"name": "shared", "scope": "all", "limit_requests": ROOM, "window": "lifetime"}
    started_ones: list[Interceptor] = []
    for _ in range(INTERCEPTORS):
        one = start(rules_for(primary, budgets={"budgets": [budget]}), running=False)
        one.variables = {"OUTWARDEN_DATABASE": server["url"]}
        started_ones.append(one.start())
    return started_ones


def states(server: dict[str, Any]) -> list[BudgetState]:
    """What the ledger says."""
    ledger = Ledger(open_store(server["url"]))
    try:
        assert ledger.drift() == []
        return ledger.states()
    finally:
        ledger.close()


async def ask(outwarden: Interceptor) -> list[int]:
    """The statuses of many calls at once."""
    async with httpx.AsyncClient(proxy=outwarden.url, verify=outwarden.trust(), timeout=120) as client:
        url = f"https://{OPENAI}/v1/chat/completions"
        answers = await asyncio.gather(*(client.post(url, json=chat("call")) for _ in range(CALLS)))
    return [answer.status_code for answer in answers]


async def ask_all(several: list[Interceptor]) -> list[int]:
    return [status for found in await asyncio.gather(*(ask(one) for one in several)) for status in found]


def top_up(server: dict[str, Any], id_: str, room: int = ROOM) -> None:
    """Room for so many calls more."""
    ledger = Ledger(store := open_store(server["url"]))
    try:
        Orders(store, "a test").top_up(Budget("shared", "all", ROOM, "requests"), id_, room)
    finally:
        ledger.close()


def test_interceptors_obey_one_cap(
    several: list[Interceptor], server: dict[str, Any], provider: SimulatedProvider
) -> None:
    """Of 64 calls through each at once, with room for 7 in all, 7 are sent and answered."""
    for time_ in range(1, TIMES + 1):
        statuses = run_async(ask_all(several))
        assert (statuses.count(200), statuses.count(429)) == (ROOM, INTERCEPTORS * CALLS - ROOM)
        assert len(provider.requests) == ROOM * time_
        (state,) = until(lambda: found if not (found := states(server))[0].pending else None)
        assert (state.posted, state.pending, state.debt) == (ROOM * time_, 0, 0)
        if time_ < TIMES:
            top_up(server, state.id)
    password = server["url"].split(":")[2].split("@")[0]
    for one in several:
        assert not (one.state / "outwarden.db").exists()
        assert password not in one.output
        assert all(password.encode() not in file.read_bytes() for file in one.state.rglob("*") if file.is_file())


def test_a_server_that_hangs_refuses_and_recovers(
    several: list[Interceptor], server: dict[str, Any], provider: SimulatedProvider
) -> None:
    """While the server stands still calls are refused and none is sent; when it goes on, so do the interceptors."""
    family = [server["pid"], *children_of(server["pid"])]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    try:
        with several[0].http() as client:
            began = time.monotonic()
            answers = [client.post(f"https://{OPENAI}/v1/chat/completions", json=chat("call")) for _ in range(5)]
            assert [answer.status_code for answer in answers] == [503] * 5
            assert time.monotonic() - began < 15
    finally:
        for pid in family:
            os.kill(pid, signal.SIGCONT)
    assert not provider.requests
    with several[0].http() as client:
        until(lambda: client.post(f"https://{OPENAI}/v1/chat/completions", json=chat("call")).status_code == 429)


def children_of(pid: int) -> list[int]:
    """The processes that a process has started (Linux and macOS)."""
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout
    return [int(line) for line in listed.split()]


def test_what_is_killed_leaks_nothing(
    several: list[Interceptor], server: dict[str, Any], provider: SimulatedProvider
) -> None:
    """kill -9 at any moment: whatever was sent is charged once, nothing else is, and nothing stays held."""
    run_async(ask(several[0]))
    (before,) = until(lambda: found if not (found := states(server))[0].pending else None)
    top_up(server, before.id, room := KILLS * CALLS * INTERCEPTORS)
    drawn = random.Random(KILLS)
    asked, sent = 0, len(provider.requests)
    for number in range(KILLS):
        provider.queue(*[Script(headers_delay_s=drawn.uniform(0, 0.2)) for _ in range(CALLS * INTERCEPTORS)])
        killed = several[number % len(several)]
        asked += run_async(ask_and_kill(several, killed, drawn.uniform(0, 0.6)))
        killed.start()
    (after,) = until(lambda: found if not (found := states(server))[0].pending else None, 60)
    charged = after.posted + after.debt - before.posted
    assert len(provider.requests) - sent <= charged <= asked <= room
    with several[-1].http() as client:
        assert client.post(f"https://{OPENAI}/v1/chat/completions", json=chat("call")).status_code == 200


async def ask_and_kill(several: list[Interceptor], killed: Interceptor, after_s: float) -> int:
    """Many calls through each, one of which is killed meanwhile; how many were asked."""
    calls = asyncio.gather(*(ask(one) for one in several), return_exceptions=True)
    await asyncio.sleep(after_s)
    await asyncio.to_thread(killed.kill)
    for found in await calls:
        assert isinstance(found, httpx.TransportError) or set(found) == {200}
    return CALLS * len(several)
