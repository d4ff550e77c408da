"""HTTP/1.1 on one connection, through h11."""

import asyncio
import contextlib
from collections.abc import Awaitable, Sequence
from typing import Any

import h11

from outwarden.simulate.exchange import MAX_BODY_BYTES, MAX_HEAD_BYTES, Handler, Received, SocketHandler
from outwarden.simulate.websocket import WebSocket, accept, lose

READ_BYTES = 64 * 1024


class Http1Responder:
    """Answers one request."""

    def __init__(
        self, connection: h11.Connection, writer: asyncio.StreamWriter, reader: asyncio.StreamReader | None = None
    ) -> None:
        """``connection`` has just read a whole request; with ``reader`` it may become a WebSocket."""
        self._connection = connection
        self._writer = writer
        self._reader = reader

    async def head(self, status: int, headers: list[tuple[str, str]], length: int | None) -> None:
        """Send the headers; without a length the body is chunked."""
        framing = ("transfer-encoding", "chunked") if length is None else ("content-length", str(length))
        await self._write(h11.Response(status_code=status, headers=[*headers, framing]))

    async def send(self, data: bytes) -> None:
        """Send a piece of the body, as its own chunk."""
        await self._write(h11.Data(data=data))

    async def end(self, trailers: Sequence[tuple[str, str]] = ()) -> None:
        """End the answer."""
        await self._write(h11.EndOfMessage(headers=list(trailers)))

    async def upgrade(self, received: Received, headers: list[tuple[str, str]], *, deflate: bool) -> WebSocket:
        """Become a WebSocket. Raises ValueError where the handshake is wrong."""
        if self._reader is None:
            raise ValueError("this connection cannot be upgraded")
        extension, agreed = accept(received, deflate=deflate)
        await self._write(h11.InformationalResponse(status_code=101, headers=[*headers, *agreed]))
        early, _ = self._connection.trailing_data
        return WebSocket(received, self._reader, self._writer, extension, early)

    async def lose(self) -> None:
        """Reset the connection."""
        lose(self._writer)

    async def _write(self, event: h11.Event) -> None:
        if data := self._connection.send(event):
            self._writer.write(data)
            await self._writer.drain()


async def serve_http1(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    handle: Handler,
    converse: SocketHandler,
    server_name: str | None,
) -> None:
    """Serve a connection's requests one after the other until it ends; ``converse`` gets those for a WebSocket."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
    try:
        while (received := await _read(connection, reader, writer, server_name)) is not None:
            if received.upgrades:
                await converse(received, Http1Responder(connection, writer, reader))
                return
            answer = handle(received, Http1Responder(connection, writer))
            if not await _while_connected(reader, connection, answer):
                received.left = not received.complete
                return
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                return
            connection.start_next_cycle()
    except h11.RemoteProtocolError as error:
        with contextlib.suppress(h11.LocalProtocolError):  # an answer may be under way
            await _refuse(connection, writer, error.error_status_hint)


async def _read(
    connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server_name: str | None
) -> Received | None:
    """Read one request; None at the connection's end."""
    request: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            if connection.they_are_waiting_for_100_continue:
                writer.write(connection.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
            connection.receive_data(await reader.read(READ_BYTES))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_BODY_BYTES:
                raise h11.RemoteProtocolError("body too long", error_status_hint=413)
        elif isinstance(event, h11.EndOfMessage) and request is not None:
            return _received(request, bytes(body), server_name)
        else:
            return None


def _received(request: h11.Request, body: bytes, server_name: str | None) -> Received:
    raw = request.headers.raw_items()
    headers = tuple((key.decode("latin-1"), value.decode("latin-1")) for key, value in raw)
    host = next((value for key, value in headers if key.lower() == "host"), "")
    version = "HTTP/" + request.http_version.decode("ascii")
    return Received(
        request.method.decode("ascii"), request.target.decode("latin-1"), host, headers, body, version, server_name
    )


async def _while_connected(reader: asyncio.StreamReader, connection: h11.Connection, answer: Awaitable[None]) -> bool:
    """Run an answer to its end, or stop it when the client goes away; tell which. What it sends early is kept."""
    task = asyncio.ensure_future(answer)
    try:
        return await _watched(reader, connection, task)
    finally:
        task.cancel()  # where this very connection is stopped; nothing to one that is done


async def _watched(reader: asyncio.StreamReader, connection: h11.Connection, task: asyncio.Future[Any]) -> bool:
    while not task.done():
        watch: asyncio.Future[Any] = asyncio.ensure_future(reader.read(READ_BYTES))
        try:
            await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not watch.done():
                watch.cancel()
        if watch.done() and not watch.cancelled() and watch.exception() is None and watch.result():
            connection.receive_data(watch.result())
        elif watch.done() and not watch.cancelled() and not task.done():
            task.cancel()
            await asyncio.wait({task})
            return False
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await watch
    task.result()
    return True


async def _refuse(connection: h11.Connection, writer: asyncio.StreamWriter, status: int) -> None:
    responder = Http1Responder(connection, writer)
    await responder.head(status, [("connection", "close")], 0)
    await responder.end()
