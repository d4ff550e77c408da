"""The layers are told of the end of a connection, once, whoever cancels whom meanwhile."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from mitmproxy import options
from mitmproxy.connection import ConnectionState
from mitmproxy.proxy import commands, events, mode_servers
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.proxy.server import ConnectionIO
from mitmproxy.utils import asyncio_utils

from outwarden.flow.handler import SureHandler
from outwarden.flow.master import LeanMaster


class Writer:
    """A socket that nobody reads."""

    def __init__(self) -> None:
        self.closed = 0

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Both ends are here."""
        return ("127.0.0.1", 1) if name in ("peername", "sockname") else default

    async def drain(self) -> None:
        """All was written."""

    def close(self) -> None:
        """Count it."""
        self.closed += 1


class Told:
    """A layer that notes what it is told."""

    def __init__(self) -> None:
        self.events: list[events.Event] = []

    def handle_event(self, event: events.Event) -> Iterator[commands.Command]:
        """Nothing is to be done."""
        self.events.append(event)
        yield from ()


class Case:
    """A client's connection that is read."""

    def __init__(self, kind: type[mode_servers.ProxyConnectionHandler] = SureHandler) -> None:
        master = LeanMaster(options.Options(), [])
        self.reader, self.writer, self.told = asyncio.StreamReader(), Writer(), Told()
        stream: Any = self.reader
        socket: Any = self.writer
        self.handler = kind(master, stream, socket, master.options, ProxyMode.parse("regular"))  # type: ignore[no-untyped-call]
        self.handler.layer = self.told  # type: ignore[assignment]
        client = self.handler.client
        self.task = asyncio_utils.create_task(self.handler.handle_connection(client), name="client", keep_ref=True)
        self.handler.transports[client] = ConnectionIO(handler=self.task, reader=stream, writer=socket)

    @property
    def ends(self) -> int:
        """How often the layers were told that the connection has ended."""
        return sum(isinstance(event, events.ConnectionClosed) for event in self.told.events)


async def lose(case: Case, *, data: bytes, cancels: int) -> None:
    """The client says ``data``, or leaves; before it is the turn of who has read that, it is cancelled so often."""
    lock = case.handler._server_event_lock
    await asyncio.sleep(0)
    await lock.acquire()
    if data:
        case.reader.feed_data(data)
    else:
        case.reader.feed_eof()
    await asyncio.sleep(0.01)
    for _ in range(cancels):
        case.task.cancel("Error sending data")
        await asyncio.sleep(0)
    lock.release()
    with pytest.raises(asyncio.CancelledError):
        await case.task


@pytest.mark.parametrize("cancels", [1, 2, 5])
@pytest.mark.parametrize("data", [b"more", b""])
async def test_the_layers_are_told_though_the_task_is_cancelled(data: bytes, cancels: int) -> None:
    """While it waits for its turn, with data or with the end."""
    case = Case()
    await lose(case, data=data, cancels=cancels)

    assert case.ends == 1
    assert case.handler.client.state is ConnectionState.CLOSED
    assert case.writer.closed == 1
    assert case.handler.client not in case.handler.transports


async def test_mitmproxy_tells_nobody() -> None:
    """What this is for: when it fails, `SureHandler` may go."""
    case = Case(SureHandler.__base__)  # type: ignore[arg-type]
    await lose(case, data=b"", cancels=1)

    assert case.ends == 0


async def test_an_end_that_is_told_is_told_once() -> None:
    """Cancelled while it is read, as at a time-out: mitmproxy's own way."""
    case = Case()
    await asyncio.sleep(0)
    case.task.cancel("timeout")
    with pytest.raises(asyncio.CancelledError):
        await case.task

    assert case.ends == 1
    assert case.writer.closed == 1
