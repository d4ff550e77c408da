"""One connection to a host through the proxy, in HTTP/1.1 or HTTP/2; a call on it may be left at any moment."""

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
import h11

from weathering.calls import Call, Leaves

READ_BYTES = 64 * 1024
WINDOW_BYTES = 1 << 20
PARALLEL = 8  # calls on one connection in HTTP/2


@dataclass(slots=True)
class Reply:
    """What came of a call. ``torn``: how it broke off, empty where it ended well; ``left``: the client went away."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray, repr=False)
    torn: str = ""
    left: bool = False
    seconds: float = 0.0


class Left(Exception):
    """The client has seen enough."""


class Connection(ABC):
    """What both versions share: the way in. ``is_open``: whether a call may still be sent on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.is_open = True
        self.active = 0
        self.numbers: list[int] = []  # of the calls that were sent on it

    @classmethod
    async def open(cls, proxy_port: int, host: str, context: ssl.SSLContext) -> Self:
        """CONNECT and TLS. Raises OSError and what asyncio has for a connection that ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy_port)
        try:
            writer.write(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise ConnectionError(f"CONNECT was answered with {head[:40]!r}")
            await writer.start_tls(context, server_hostname=host)
        except BaseException:
            writer.transport.abort()
            raise
        return cls(reader, writer)

    @property
    @abstractmethod
    def has_room(self) -> bool:
        """Whether one more call may be sent on it now."""

    def close(self) -> None:
        """End it at once."""
        self.is_open = False
        self.writer.transport.abort()

    async def call(self, call: Call, limit_s: float) -> Reply:
        """Send a call and read its reply, as long as its client stays."""
        reply, begin = Reply(), asyncio.get_running_loop().time()
        self.active += 1
        self.numbers.append(call.number)
        leaves_s = call.leaves.after_s if call.leaves else None
        try:
            async with asyncio.timeout(limit_s if leaves_s is None else min(leaves_s, limit_s)):
                await self._exchange(call, reply)
        except TimeoutError:
            reply.left = leaves_s is not None
            reply.torn = "" if reply.left else "no end in time"
        except Left:
            reply.left = True
        except (OSError, EOFError, h11.RemoteProtocolError) as error:
            reply.torn = f"{type(error).__name__} behind {self.numbers[:-1]}"
        self.active -= 1
        reply.seconds = asyncio.get_running_loop().time() - begin
        if call.leaves and call.leaves.abrupt and reply.left:
            self.close()
        return reply

    @abstractmethod
    async def _exchange(self, call: Call, reply: Reply) -> None: ...


class Http1(Connection):
    """One call after the other; whoever leaves one closes the connection."""

    @property
    def has_room(self) -> bool:
        return self.is_open and not self.active

    async def _exchange(self, call: Call, reply: Reply) -> None:
        done = False
        try:
            await self._talk(call, reply)
            done = True
        finally:
            if not done:
                self.close()

    async def _talk(self, call: Call, reply: Reply) -> None:
        protocol, body = h11.Connection(h11.CLIENT), call.body
        headers = [("host", call.host), ("content-length", str(len(body))), *call.headers.items()]
        sent = protocol.send(h11.Request(method="POST", target=call.path, headers=headers))
        sent = (sent or b"") + (protocol.send(h11.Data(data=body)) or b"") + (protocol.send(h11.EndOfMessage()) or b"")
        self.writer.write(sent)
        while True:
            event = protocol.next_event()
            if event is h11.NEED_DATA:
                protocol.receive_data(await self.reader.read(READ_BYTES))
            elif isinstance(event, h11.Response):
                reply.status = event.status_code
                reply.headers = {name.decode(): value.decode() for name, value in event.headers}
            elif isinstance(event, h11.Data):
                reply.body += event.data
                leave_if_enough(call.leaves, reply)
            elif isinstance(event, h11.EndOfMessage):
                break
            elif isinstance(event, h11.ConnectionClosed):
                raise EOFError
        if protocol.our_state is not h11.DONE or protocol.their_state is not h11.DONE:
            self.close()


class Http2(Connection):
    """Calls side by side; whoever leaves one resets its stream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        self._protocol = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self._protocol.initiate_connection()
        self._protocol.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: WINDOW_BYTES})
        self._protocol.increment_flow_control_window(WINDOW_BYTES * PARALLEL)
        self._flush()
        self._events: dict[int, asyncio.Queue[h2.events.Event | None]] = {}
        self._reading = asyncio.ensure_future(self._read())

    @property
    def has_room(self) -> bool:
        return self.is_open and self.active < PARALLEL

    def close(self) -> None:
        super().close()
        if self._reading is not asyncio.current_task():
            self._reading.cancel()
        for queue in self._events.values():
            queue.put_nowait(None)

    def _flush(self) -> None:
        if data := self._protocol.data_to_send():
            self.writer.write(data)

    async def _read(self) -> None:
        try:
            while data := await self.reader.read(READ_BYTES):
                for event in self._protocol.receive_data(data):
                    self._take(event)
                self._flush()
        except (OSError, h2.exceptions.ProtocolError):
            pass
        self.close()

    def _take(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.DataReceived) and event.flow_controlled_length:
            self._protocol.acknowledge_received_data(event.flow_controlled_length, event.stream_id or 0)
        if isinstance(event, h2.events.ConnectionTerminated):
            self.is_open = False
        stream = getattr(event, "stream_id", None)
        if stream in self._events:
            self._events[stream].put_nowait(event)

    async def _exchange(self, call: Call, reply: Reply) -> None:
        stream, body = self._protocol.get_next_available_stream_id(), call.body
        queue = self._events[stream] = asyncio.Queue()
        pseudo = [(":method", "POST"), (":scheme", "https"), (":authority", call.host), (":path", call.path)]
        self._protocol.send_headers(stream, [*pseudo, ("content-length", str(len(body))), *call.headers.items()])
        self._protocol.send_data(stream, body, end_stream=True)
        self._flush()
        done = False
        try:
            while not done:
                done = self._note(await queue.get(), reply)
                leave_if_enough(call.leaves, reply)
        finally:
            del self._events[stream]
            if not done and self.is_open:
                self._reset(stream)

    def _note(self, event: h2.events.Event | None, reply: Reply) -> bool:
        """Take an event into the reply; tell whether it was the last."""
        if event is None:
            raise EOFError
        if isinstance(event, h2.events.StreamReset):
            raise ConnectionResetError
        if isinstance(event, h2.events.ResponseReceived):
            reply.headers = {str(name): str(value) for name, value in event.headers or ()}
            reply.status = int(reply.headers.pop(":status"))
        elif isinstance(event, h2.events.DataReceived):
            reply.body += event.data or b""
        return isinstance(event, h2.events.StreamEnded)

    def _reset(self, stream: int) -> None:
        try:
            self._protocol.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
        except h2.exceptions.ProtocolError:  # it has ended meanwhile
            return
        self._flush()


def leave_if_enough(leaves: Leaves | None, reply: Reply) -> None:
    """Leave where so many bytes were to be seen. Raises Left."""
    if leaves and leaves.after_bytes is not None and len(reply.body) > leaves.after_bytes:
        raise Left


class Connections:
    """The connections of many clients, of both versions and to all hosts; some are given up while they are good."""

    CALLS_MAX = 40  # on one of them

    def __init__(self, proxy_port: int, context_for: Callable[[bool], ssl.SSLContext]) -> None:
        self._proxy_port = proxy_port
        self._contexts = {http2: context_for(http2) for http2 in (False, True)}
        self._kept: dict[tuple[str, bool], list[Connection]] = {}

    async def call(self, call: Call, limit_s: float) -> Reply:
        """Send a call on a connection that is there, or on a new one."""
        kept = self._kept.setdefault((call.host, call.http2), [])
        kept[:] = [one for one in kept if one.is_open]
        own = bool(call.leaves and call.leaves.abrupt)  # it would take others with it
        connection = None if own else next((one for one in kept if one.has_room), None)
        if connection is None:
            made = Http2 if call.http2 else Http1
            try:
                connection = await made.open(self._proxy_port, call.host, self._contexts[call.http2])
            except (OSError, EOFError) as error:
                return Reply(torn=f"connecting: {type(error).__name__}")
            if not own:
                kept.append(connection)
        reply = await connection.call(call, limit_s)
        if own or (len(connection.numbers) >= self.CALLS_MAX and not connection.active):
            connection.close()
        return reply

    def close(self) -> None:
        """End all of them."""
        for kept in self._kept.values():
            for connection in kept:
                connection.close()
        self._kept.clear()
