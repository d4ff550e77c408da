"""WebSocket on an upgraded HTTP/1.1 connection, through wsproto: fragments, pings, permessage-deflate, close codes."""

import asyncio
import codecs
import struct
from collections import deque
from socket import SO_LINGER, SOL_SOCKET

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from wsproto.extensions import Extension, PerMessageDeflate
from wsproto.handshake import server_extensions_handshake
from wsproto.utilities import generate_accept_token

from outwarden.simulate.exchange import MAX_BODY_BYTES, Message, Received
from outwarden.simulate.faults import cut

READ_BYTES = 64 * 1024
GOODBYE_S = 5.0  # how long a client may take to answer a close
TOO_BIG = 1009  # RFC 6455, 7.4.1
SUBPROTOCOL = "realtime"  # what a browser names beside its key, which it can send in no other header


def accept(received: Received, *, deflate: bool) -> tuple[Extension | None, list[tuple[str, str]]]:
    """Read a handshake: the extension agreed on, and the headers of a 101. Raises ValueError for a wrong one."""
    key = received.header("sec-websocket-key")
    if key is None or received.header("sec-websocket-version") != "13":
        raise ValueError("not a WebSocket handshake of version 13")
    headers = [("upgrade", "websocket"), ("connection", "Upgrade")]
    headers.append(("sec-websocket-accept", generate_accept_token(key.encode("ascii")).decode("ascii")))
    if SUBPROTOCOL in _listed(received, "sec-websocket-protocol"):
        headers.append(("sec-websocket-protocol", SUBPROTOCOL))
    extension = PerMessageDeflate()
    offered = _listed(received, "sec-websocket-extensions") if deflate else []
    agreed = server_extensions_handshake(offered, [extension])
    if not agreed:
        return None, headers
    received.extensions = agreed.decode("ascii")
    return extension, [*headers, ("sec-websocket-extensions", received.extensions)]


def _listed(received: Received, name: str) -> list[str]:
    values = ",".join(value for key, value in received.headers if key.lower() == name)
    return [each.strip() for each in values.split(",") if each.strip()]


def lose(writer: asyncio.StreamWriter) -> None:
    """Reset a connection: with a zero linger time the kernel sends RST, not FIN."""
    if (socket := writer.get_extra_info("socket")) is not None:
        socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class WebSocket:
    """The server's end. One task receives; several may send, a message each at a time."""

    def __init__(
        self,
        received: Received,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        extension: Extension | None,
        early: bytes,
    ) -> None:
        """``early``: what the client sent behind its handshake. What it says is noted in ``received``."""
        self._received = received
        self._reader = reader
        self._writer = writer
        self._frames = Connection(ConnectionType.SERVER, [] if extension is None else [extension], early)
        self._events: deque[Event] = deque()
        self._pieces: list[str | bytes | bytearray] = []
        self._gathered = 0  # characters or bytes of the message under way
        self._whole = asyncio.Lock()

    @property
    def open(self) -> bool:
        """Whether messages may be sent."""
        return self._frames.state is ConnectionState.OPEN

    async def receive(self) -> Message | None:
        """The client's next message; None once it has closed, was closed, or is gone."""
        while True:
            while self._events:
                event = self._events.popleft()
                if isinstance(event, CloseConnection):
                    await self._closed(event)
                    return None
                if isinstance(event, Ping):
                    await self._write(self._frames.send(event.response()))
                elif (
                    isinstance(event, TextMessage | BytesMessage) and (message := await self._gather(event)) is not None
                ):
                    return message
            self._events.extend(self._frames.events())
            if not self._events and not await self._read():
                return None

    async def send(self, text: str, chunking: str, *, binary: bool = False) -> None:
        """Send a message, as one frame or as the fragments that ``chunking`` cuts; nothing once closed."""
        async with self._whole:
            fragments: list[str | bytes] = list(cut(text.encode("utf-8"), chunking)) or [b""]
            if not binary:
                decoder = codecs.getincrementaldecoder(
                    "utf-8"
                )()  # a cut may fall into a character: it goes with the next
                fragments = [decoder.decode(piece) for piece in fragments if isinstance(piece, bytes)]
            for number, fragment in enumerate(fragments, 1):
                if not self.open:
                    return
                last = number == len(fragments)
                if isinstance(fragment, str):
                    await self._write(self._frames.send(TextMessage(fragment, message_finished=last)))
                else:
                    await self._write(self._frames.send(BytesMessage(fragment, message_finished=last)))

    async def ping(self) -> None:
        """Send a ping."""
        if self.open:
            await self._write(self._frames.send(Ping(b"simulated")))

    async def close(self, code: int) -> None:
        """Send a close frame."""
        if self.open:
            await self._write(self._frames.send(CloseConnection(code, "simulated")))

    async def lose(self) -> None:
        """Reset the connection."""
        lose(self._writer)

    async def _read(self) -> bool:
        """Read more; False at the end, or when a client takes too long to answer a close."""
        patience = None if self.open else GOODBYE_S
        try:
            data = await asyncio.wait_for(self._reader.read(READ_BYTES), patience)
        except TimeoutError:
            return False
        if not data:
            self._received.left = True
            return False
        self._frames.receive_data(data)
        return True

    async def _gather(self, event: TextMessage | BytesMessage) -> Message | None:
        """Put fragments together; the message once it is whole."""
        self._pieces.append(event.data)
        self._gathered += len(event.data)
        if self._gathered > MAX_BODY_BYTES:
            await self.close(TOO_BIG)
            self._pieces, self._gathered = [], 0
        if not event.message_finished:
            return None
        pieces, self._pieces, self._gathered = self._pieces, [], 0
        if isinstance(event, TextMessage):
            return "".join(piece for piece in pieces if isinstance(piece, str))
        return b"".join(piece for piece in pieces if not isinstance(piece, str))

    async def _closed(self, event: CloseConnection) -> None:
        if self.open:  # what came was no WebSocket frame: wsproto says with which code to leave
            await self.close(int(event.code))
            await self._read()  # the client's goodbye, which nobody can parse any more
            return
        self._received.close_code = int(event.code)
        if self._frames.state is ConnectionState.REMOTE_CLOSING:
            await self._write(self._frames.send(event.response()))

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()
