"""A connection whose layers go on at once after a hook, and never twice or not at all."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from mitmproxy import http, options
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layers.http._hooks import HttpRequestHook
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.proxy.server_hooks import ClientConnectedHook
from mitmproxy.test import tflow
from mitmproxy.utils import asyncio_utils

from outwarden.flow.lean import LeanHandler, make_lean
from outwarden.flow.master import LeanMaster


class Writer:
    """A socket that nobody reads."""

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Both ends are here."""
        return ("127.0.0.1", 1) if name in ("peername", "sockname") else default


class Asking:
    """A layer that asks one hook after the other, and notes what it is told, and when."""

    def __init__(self, hooks: list[commands.StartHook]) -> None:
        self.hooks = hooks
        self.told: list[events.Event] = []

    def handle_event(self, event: events.Event) -> Iterator[commands.Command]:
        """Go on with the next hook."""
        self.told.append(event)
        if self.hooks:
            yield self.hooks.pop(0)


class Addon:
    """Answers at once, or as soon as it may."""

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.called: list[str] = []

    def request(self, flow: http.HTTPFlow) -> None:
        """At once."""
        self.called.append("request")

    async def client_connected(self, client: Any) -> None:
        """Later."""
        self.called.append("client_connected")
        await self.may.wait()


def handler_of(addon: Addon, *hooks: commands.StartHook) -> tuple[LeanHandler, Asking]:
    """A connection with these hooks to come."""
    master = LeanMaster(options.Options(), [addon])
    reader: Any = asyncio.StreamReader()
    handler = LeanHandler(master, reader, Writer(), master.options, ProxyMode.parse("regular"))
    asking = Asking(list(hooks))
    handler.layer = asking  # type: ignore[assignment]
    return handler, asking


def a_hook() -> HttpRequestHook:
    """One that is answered at once."""
    return HttpRequestHook(tflow.tflow())


async def test_hooks_that_are_done_need_no_turn_of_the_loop() -> None:
    """All that follows from an event has happened when the layers were told of it."""
    with asyncio_utils.set_eager_task_factory():
        addon = Addon()
        handler, asking = handler_of(addon, first := a_hook(), second := a_hook())
        await handler.server_event(begin := events.Start())

    assert addon.called == ["request", "request"]
    assert [event if event is begin else event.command for event in asking.told] == [begin, first, second]  # type: ignore[attr-defined]


async def test_a_hook_that_waits_is_told_of_later() -> None:
    """What comes meanwhile is handled, and each hook is told of once."""
    with asyncio_utils.set_eager_task_factory():
        addon = Addon()
        waits = ClientConnectedHook(tflow.tclient_conn())
        handler, asking = handler_of(addon, waits, first := a_hook())
        await handler.server_event(events.Start())
        await handler.server_event(events.Start())
        assert len(asking.told) == 3
        addon.may.set()
        await asyncio.sleep(0.01)

    completed = [event.command for event in asking.told if isinstance(event, events.HookCompleted)]
    assert completed == [first, waits]


async def test_the_end_of_a_connection_loses_no_hook() -> None:
    """The task in which a hook was done may be cancelled before it is its turn: somebody else tells of it."""
    with asyncio_utils.set_eager_task_factory():
        handler, asking = handler_of(Addon(), hook := a_hook())
        told = asyncio.get_running_loop().create_future()

        def tell(event: events.Event) -> Iterator[commands.Command]:
            """Another event is in front of the hook's end, and this task is cancelled, as an upstream's at its end."""
            asking.handle_event = seen  # type: ignore[method-assign]
            asyncio_utils.create_task(handler.server_event(events.Start()), name="other", keep_ref=True)
            task = asyncio.current_task()
            assert task
            task.cancel()
            yield hook

        def seen(event: events.Event) -> Iterator[commands.Command]:
            asking.told.append(event)
            if isinstance(event, events.HookCompleted):
                told.set_result(None)
            yield from ()

        asking.handle_event = tell  # type: ignore[method-assign]
        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(handler.server_event(events.Start()))
        await asyncio.wait_for(told, 5)

    assert [type(event) for event in asking.told] == [events.Start, events.HookCompleted]


def test_messages_are_made_unseen() -> None:
    """A lean mitmproxy does not look at the type of each field of each message that it makes."""
    make_lean()
    late: Any = "never"

    assert http.Response(b"HTTP/1.1", 200, b"OK", http.Headers(), b"", None, 0.0, late).timestamp_end == late
