"""Upstreams are watched while the process works, and not a moment longer."""

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from mitmproxy import ctx

from outwarden import watch_upstreams
from outwarden.flow.services import Services
from outwarden.load_rules import Shelf
from outwarden.watch_upstreams import WatchUpstreams


@pytest.fixture
def prober(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """What would probe, and rounds that come at once."""
    made = Mock()
    monkeypatch.setattr(watch_upstreams, "Prober", Mock(return_value=made))
    monkeypatch.setattr(watch_upstreams, "ROUND_EVERY_S", 0.001)
    monkeypatch.setattr(watch_upstreams, "SHARE_EVERY_S", 0.001)
    monkeypatch.setattr(ctx, "options", SimpleNamespace(mode=["regular"]), raising=False)
    return made


async def watching(services: Services, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The addon at work for some rounds; how often it shared what it knows."""
    shared = Mock()

    async def share() -> None:
        shared()

    monkeypatch.setattr(services, "share_health", share)
    shelf = Shelf()
    shelf.fill(services)
    addon = WatchUpstreams(shelf)
    addon.running()
    await asyncio.sleep(0.05)
    addon.done()
    rounds = shared.call_count
    await asyncio.sleep(0.02)
    assert shared.call_count == rounds, "it goes on after its end"
    return rounds


async def test_it_probes_and_shares(services: Services, prober: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The upstreams of the rules in force, again and again; in the end what is under way is ended."""
    assert await watching(services, monkeypatch) > 1
    assert prober.round.call_count > 1
    prober.round.assert_called_with(services.engines.rules.routes.upstreams)
    prober.close.assert_called_once_with()


@pytest.mark.parametrize("why", ["drains", "behind a proxy"])
async def test_nobody_is_probed_in_vain(
    why: str, services: Services, prober: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that drains sends no further call; behind another proxy a probe would not go the way of calls."""
    if why == "drains":
        monkeypatch.setattr(watch_upstreams, "is_stopping", lambda: True)
    else:
        monkeypatch.setattr(ctx, "options", SimpleNamespace(mode=["upstream:http://proxy.corp.example:3128"]))
    await watching(services, monkeypatch)
    prober.round.assert_not_called()
    assert prober.close.call_count > 1
