"""The lean mitmproxy: hooks in order, errors without their text, a line when ready, an end that waits for calls."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy import exceptions, hooks, options
from mitmproxy.proxy.server_hooks import ClientConnectedHook
from mitmproxy.test import tflow

from outwarden.chain import chain
from outwarden.flow import master as master_module
from outwarden.flow import state as state_module
from outwarden.flow.master import Announce, LeanMaster, hosted_master, log_to_stderr, shut_down
from outwarden.flow.services import Services
from outwarden.flow.state import CallState, begin, end
from outwarden.wire.format import Operation
from outwarden.wire.formats import format_named
from outwarden.wire.traffic import Host

QUOTED = "ada.quill@brightquill-mail.com"


class Addon:
    """Notes that it was called; may raise."""

    def __init__(self, called: list[str], name: str, error: Exception | None = None) -> None:
        self.name = name
        self._called, self._error = called, error

    def client_connected(self, client: Any) -> None:
        self._called.append(self.name)
        if self._error:
            raise self._error


class Slow(Addon):
    """The same, later."""

    async def client_connected(self, client: Any) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        super().client_connected(client)


async def connect(master: LeanMaster) -> None:
    """Trigger a hook."""
    await master.addons.handle_lifecycle(ClientConnectedHook(SimpleNamespace()))  # type: ignore[arg-type]


async def test_one_that_raises_does_not_silence_the_others(caplog: Any) -> None:
    """mitmproxy skips all later addons, ours too; here each is asked, and the error's text is not shown."""
    called: list[str] = []
    broken = Addon(called, "two", ValueError(QUOTED))
    master = LeanMaster(options.Options(), [Addon(called, "one"), broken, Slow(called, "three"), Addon(called, "four")])
    await connect(master)

    assert called == ["one", "two", "three", "four"]
    assert "addon failed in client_connected: ValueError at test_master.py" in caplog.text
    assert QUOTED not in caplog.text


async def test_an_addon_may_halt_the_others() -> None:
    """`AddonHalt` means what it means in mitmproxy."""
    called: list[str] = []
    master = LeanMaster(options.Options(), [Addon(called, "one", exceptions.AddonHalt()), Addon(called, "two")])
    await connect(master)

    assert called == ["one"]


async def test_wrong_options_are_told() -> None:
    """`OptionsError` goes to whoever set the option."""
    master = LeanMaster(options.Options(), [Addon([], "one", exceptions.OptionsError("no"))])
    with pytest.raises(exceptions.OptionsError):
        await connect(master)


async def test_an_addon_that_comes_later_is_asked() -> None:
    """What was looked up is looked up again when the chain changes."""
    called: list[str] = []
    master = LeanMaster(options.Options(), [Addon(called, "one")])
    await connect(master)
    master.addons.add(Addon(called, "two"))
    await connect(master)

    assert called == ["one", "one", "two"]


async def test_the_update_hook_is_for_those_who_listen() -> None:
    """After each hook of a flow, `update` goes to an addon that has it."""
    seen: list[Any] = []
    flow = tflow.tflow()
    master = LeanMaster(options.Options(), [SimpleNamespace(name="view", update=seen.append)])
    from mitmproxy.proxy.layers.http import HttpRequestHook

    await master.addons.handle_lifecycle(HttpRequestHook(flow))

    assert seen == [[flow]]
    assert isinstance(hooks.UpdateHook([flow]), hooks.Hook)


async def test_our_chain_fits(caplog: Any) -> None:
    """The lean master takes our chain, with its options, and TLS comes after it."""
    master = LeanMaster(options.Options(), chain())
    names = [type(addon).__name__ for addon in master.addons.chain]

    assert "outwarden_rules" in master.options
    assert names.index("NextLayer") < names.index("LoadRules") < names.index("WriteAudit") < names.index("TlsConfig")
    assert caplog.text == ""


@pytest.mark.parametrize("face", ["web", "tui"])
async def test_a_host_saves_what_we_left_of_a_flow(face: Any) -> None:
    """In mitmweb and in the terminal our chain stands where scripts stand: before what saves and shows flows."""
    ours = chain()
    master = hosted_master(face, ours)
    order = master.addons.chain
    places = [order.index(addon) for addon in ours]

    assert places == list(range(places[0], places[0] + len(ours)))
    assert order.index(master.addons.get("scriptloader")) == places[0] - 1
    assert order.index(master.addons.get("save")) > places[-1]
    assert len(order) == len(set(map(id, order)))


@pytest.mark.parametrize(
    ("address", "line"),
    [(("127.0.0.1", 8080), "listening on 127.0.0.1:8080\n"), (("::1", 81, 0, 0), "listening on [::1]:81\n")],
)
def test_the_line_of_the_contract(capsys: Any, address: Any, line: str) -> None:
    """One line per address, on stdout."""
    proxyserver = SimpleNamespace(listen_addrs=lambda: [address])
    Announce(SimpleNamespace(addons={"proxyserver": proxyserver})).running()  # type: ignore[arg-type]

    assert capsys.readouterr().out == line


# -- the end ----------------------------------------------------------------------------------------------------------


class Stopping:
    """What `shut_down` needs of a master."""

    def __init__(self) -> None:
        self.options = SimpleNamespace(update=self._update)
        self.listens = True
        self.stopped = asyncio.Event()

    def _update(self, *, server: bool) -> None:
        self.listens = server

    def shutdown(self) -> None:
        self.stopped.set()


@pytest.fixture
def stopping(monkeypatch: pytest.MonkeyPatch) -> Stopping:
    """A master that nobody told to stop yet; other tests' calls are not in flight."""
    monkeypatch.setattr(master_module, "_stopping", [])
    monkeypatch.setattr(state_module, "_in_flight", set())
    return Stopping()


@pytest.fixture
def call(services: Services, stopping: Stopping) -> CallState:
    """A call in flight."""
    host = Host(("h",), "openai", "openai")
    state = CallState(services.engines.rules, host, format_named("openai"), Operation("chat"))
    begin(tflow.tflow(), state)
    return state


async def test_an_idle_proxy_stops_at_once(stopping: Any) -> None:
    """Nothing in flight: no new connections, and the end."""
    shut_down(stopping, 30)
    await asyncio.wait_for(stopping.stopped.wait(), 10)
    assert not stopping.listens


async def test_calls_in_flight_may_end(stopping: Any, call: CallState) -> None:
    """The proxy waits for a call, and stops when it has ended."""
    shut_down(stopping, 30)
    await asyncio.sleep(0.1)
    assert not stopping.listens
    assert not stopping.stopped.is_set()
    end(call)
    await asyncio.wait_for(stopping.stopped.wait(), 10)


async def test_the_wait_has_an_end(stopping: Any, call: CallState) -> None:
    """A call that does not end does not keep the proxy for ever."""
    shut_down(stopping, 0.05)
    await asyncio.wait_for(stopping.stopped.wait(), 10)
    end(call)


async def test_a_second_signal_does_not_wait(stopping: Any, call: CallState) -> None:
    """Asked twice, it stops now."""
    shut_down(stopping, 30)
    shut_down(stopping, 30)
    assert stopping.stopped.is_set()
    end(call)


def test_what_peers_send_is_not_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loggers that quote peers speak from ERROR on."""
    log_to_stderr()
    for name in ("mitmproxy.proxy.server", "hpack", "h2"):
        assert not logging.getLogger(name).isEnabledFor(logging.WARNING)
