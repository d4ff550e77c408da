"""WebSocket frames (RFC 6455) of one side: bytes in, whole messages out, and back; bounded, without extensions."""

from collections.abc import Iterator
from typing import NamedTuple

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage
from wsproto.frame_protocol import Opcode
from wsproto.utilities import LocalProtocolError

TOO_BIG = 1009
# A reason is at most 123 bytes (RFC 6455 §5.5: control frames carry 125, two of them are the code).
_REASON_BYTES_MAX = 123
_LAST = 0x80  # no frame of this message follows
# Codes that only tell what happened here and never stand in a frame (RFC 6455 §7.4.1).
_NEVER_SENT = frozenset({1005, 1006, 1015})


class Message(NamedTuple):
    """A whole message; its fragments are joined."""

    data: bytes
    is_text: bool

    def __repr__(self) -> str:
        return f"Message({len(self.data)} bytes, {'text' if self.is_text else 'binary'})"


class Control(NamedTuple):
    """A ping or a pong, to be passed on."""

    event: Ping | Pong


class Close(NamedTuple):
    """The peer closes, or broke the protocol and is to be closed with this code."""

    code: int
    reason: str = ""


Received = Message | Control | Close


class Peer:
    """One side of a WebSocket that we stand in the middle of: we are the ``server`` of a client, or the ``client``."""

    def __init__(self, *, as_server: bool, max_message_bytes: int) -> None:
        self._connection = Connection(ConnectionType.SERVER if as_server else ConnectionType.CLIENT)
        self._as_server = as_server
        self._max_message_bytes = max_message_bytes
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def is_open(self) -> bool:
        """Whether messages can still be sent to this side."""
        return self._connection.state in (ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING)

    def receive(self, data: bytes) -> Iterator[Received]:
        """Take bytes of the peer; nothing follows a `Close`. A message over the bound closes by 1009."""
        self._connection.receive_data(data)
        for event in self._connection.events():
            found = self._read(event)
            if found is not None:
                yield found
            if isinstance(found, Close):
                return

    def _read(self, event: Event) -> Received | None:
        if isinstance(event, TextMessage | BytesMessage):
            return self._collect(event)
        if isinstance(event, Ping | Pong):
            return Control(event)
        if isinstance(event, CloseConnection):
            # wsproto reports a broken frame in the same way; its reason would quote the frame.
            asked = self._connection.state is ConnectionState.REMOTE_CLOSING
            return Close(int(event.code), (event.reason or "") if asked else "")
        return None

    def _collect(self, event: TextMessage | BytesMessage) -> Message | Close | None:
        piece = event.data.encode() if isinstance(event, TextMessage) else bytes(event.data)
        self._size += len(piece)
        if self._size > self._max_message_bytes:
            self._pieces.clear()
            return Close(TOO_BIG, "message too big")
        self._pieces.append(piece)
        if not event.message_finished:
            return None
        whole = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        return Message(whole, isinstance(event, TextMessage))

    def message(self, message: Message) -> bytes:
        """Frame a message for the peer, in one piece; empty once the peer is closed."""
        text = message.data.decode("utf-8", "replace") if message.is_text else None
        if self._as_server and self._connection.state is ConnectionState.OPEN:
            return _frame(Opcode.BINARY, message.data) if text is None else _frame(Opcode.TEXT, text.encode())
        return self._send(BytesMessage(message.data) if text is None else TextMessage(text))

    def control(self, control: Control) -> bytes:
        """Frame a ping or pong for the peer."""
        return self._send(control.event)

    def close(self, close: Close) -> bytes:
        """Frame our closing, or the answer to the peer's."""
        code = 1011 if close.code == 1006 else close.code
        reason = close.reason.encode()[:_REASON_BYTES_MAX].decode("utf-8", "ignore")
        return self._send(CloseConnection(1000 if code in _NEVER_SENT else code, reason or None))

    def _send(self, event: Event) -> bytes:
        if not self.is_open:
            return b""
        try:
            return self._connection.send(event)
        except LocalProtocolError:  # it closed meanwhile: there is nobody to read it
            return b""


def _frame(opcode: Opcode, payload: bytes) -> bytes:
    """A whole frame of a server's, which masks nothing (RFC 6455 §5.2); wsproto takes four times as long for it."""
    size = len(payload)
    if size < 126:
        return bytes((_LAST | opcode, size)) + payload
    if size < 2**16:
        return bytes((_LAST | opcode, 126)) + size.to_bytes(2) + payload
    return bytes((_LAST | opcode, 127)) + size.to_bytes(8) + payload
