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
_MASKED = 0x80
_CONTROL = 0x08
_EXTENSIONS = 0x70
_OPCODES = frozenset(Opcode)
_SHORT = 126  # a size below it is its own spelling; 126 and 127 say that two or eight bytes of it follow
_LEAST = {2: 0, 4: _SHORT, 10: 2**16}  # bytes of head -> the least size that may be spelled so
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
        self._frames = _Frames(max_message_bytes)
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def is_open(self) -> bool:
        """Whether messages can still be sent to this side."""
        return self._connection.state in (ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING)

    def receive(self, data: bytes) -> Iterator[Received]:
        """Take bytes of the peer; nothing follows a `Close`. A message over the bound closes by 1009."""
        for frame, start in ((data, 0),) if self._as_server else self._frames.cut(data):
            if frame is None:
                yield _TOO_BIG
                return
            plain = self._plain(frame, start)
            for found in self._parsed(frame) if plain is None else (plain,):
                yield found
                if isinstance(found, Close):
                    return

    def _plain(self, frame: bytes, start: int) -> Message | None:
        """The message that one frame of a server's is, payload from ``start``; None: it is something else."""
        if not start or self._pieces or self._connection.state is not ConnectionState.OPEN:
            return None
        kind, payload = frame[0], frame[start:]
        if len(payload) < _LEAST[start]:
            return None
        if kind == _LAST | Opcode.BINARY:
            return Message(payload, False)
        return Message(payload, True) if kind == _LAST | Opcode.TEXT and _is_utf_8(payload) else None

    def _parsed(self, data: bytes) -> Iterator[Received]:
        """Whatever else comes is wsproto's."""
        self._connection.receive_data(data)
        for event in self._connection.events():
            found = self._read(event)
            if found is not None:
                yield found

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
            return _TOO_BIG
        self._pieces.append(piece)
        if not event.message_finished:
            return None
        whole = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        return Message(whole, isinstance(event, TextMessage))

    def message(self, message: Message) -> bytes:
        """Frame a message for the peer, in one piece; empty once the peer is closed."""
        if self._as_server and self._connection.state is ConnectionState.OPEN:
            if not message.is_text:
                return _frame(Opcode.BINARY, message.data)
            return _frame(Opcode.TEXT, message.data if _is_utf_8(message.data) else _repaired(message.data))
        text = message.data.decode("utf-8", "replace") if message.is_text else None
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


_TOO_BIG = Close(TOO_BIG, "message too big")


class _Frames:
    """Cuts what a server sends into its frames: nearly all of them are a message each, and wsproto takes 12 us for one.

    What breaks the protocol is left to wsproto with all that follows it.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._wanted = 0  # so many bytes make the next frame, as far as is known

    def cut(self, data: bytes) -> Iterator[tuple[bytes | None, int]]:
        """Yield (frame, where its payload begins): 0 where wsproto should read it; (None, 0): it will be too long."""
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._wanted:
                return
            data = bytes(self._buffer)
            self._buffer.clear()
        at = 0
        while at < len(data):
            if len(data) - at >= 2 and _is_broken(data[at], data[at + 1]):
                yield data[at:], 0
                return
            start, end = _frame_span(data, at)
            if end - start > self._max_bytes:
                yield None, 0
                return
            if end > len(data):
                self._buffer += data[at:]
                self._wanted = end - at
                return
            yield data[at:end], start - at
            at = end


def _is_broken(first: int, second: int) -> bool:
    """Whether wsproto would stop at the first two bytes of a frame (RFC 6455 §5.2, 5.5)."""
    if first & _EXTENSIONS or second & _MASKED or first & 0x0F not in _OPCODES:
        return True
    return bool(first & _CONTROL) and (second >= _SHORT or not first & _LAST)


def _frame_span(data: bytes, at: int) -> tuple[int, int]:
    """Where the payload of the frame at ``at`` begins and ends; if its head is not all there, at least there."""
    start = at + 2
    if len(data) < start:
        return start, start
    size = data[at + 1]
    if size >= _SHORT:
        spelled = data[start : start + (2 if size == _SHORT else 8)]
        start += 2 if size == _SHORT else 8
        size = int.from_bytes(spelled) if len(data) >= start else 0
    return start, start + size


def _is_utf_8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _repaired(data: bytes) -> bytes:
    return data.decode("utf-8", "replace").encode()


def _frame(opcode: Opcode, payload: bytes) -> bytes:
    """A whole frame of a server's, which masks nothing (RFC 6455 §5.2); wsproto takes four times as long for it."""
    size = len(payload)
    if size < 126:
        return bytes((_LAST | opcode, size)) + payload
    if size < 2**16:
        return bytes((_LAST | opcode, 126)) + size.to_bytes(2) + payload
    return bytes((_LAST | opcode, 127)) + size.to_bytes(8) + payload
