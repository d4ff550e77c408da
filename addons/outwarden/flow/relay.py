"""Stand in the middle of a WebSocket: frames of both sides, the session's messages between them, and how it all ends.

Plain bytes in and out, for any transport: after each call take what is due from `to_client` and `to_server`. What takes
long is handed out as work: its caller does it wherever it likes, and gives this relay nothing else meanwhile.
"""

import logging
from collections.abc import Callable, Sequence

from mitmproxy.websocket import WebSocketData, WebSocketMessage
from wsproto.events import Ping
from wsproto.frame_protocol import Opcode

from outwarden.errors import BodyError
from outwarden.flow.aside import Steps
from outwarden.flow.body import Body, classify
from outwarden.flow.frames import Close, Control, Message, Peer
from outwarden.flow.guard import broken, where
from outwarden.flow.session import CUT, Refused, Session
from outwarden.flow.state import CallState
from outwarden.flow.texts import TextRefused
from outwarden.wire.format import Json, Refusal

logger = logging.getLogger(__name__)

# What mitmweb shows of a connection: its last messages, as the provider saw and said them.
SHOWN_MESSAGES_MAX = 100
SHOWN_BYTES_MAX = 256 * 1024

# No personal value is shorter; the pings of most libraries are.
REMARK_CHARACTERS_MIN = 6

POLICY, INTERNAL, LOST = 1008, 1011, 1006


class Relay:
    """One connection. ``client_done`` and ``server_done``: that side is to be closed once its bytes are sent.

    A client that leaves while the provider answers does not stop the provider: `drains` is true then, and what comes is
    read, but not sent, until the answer has ended (its true cost is known) or `finish` is called.
    """

    def __init__(self, call: CallState, session: Session, shown: WebSocketData) -> None:
        max_bytes = call.rules.traffic.max_body_bytes
        self.to_client = bytearray()
        self.to_server = bytearray()
        self.client_done = False
        self.server_done = False
        self.drains = False
        self.new_messages = 0
        self._call = call
        self._session = session
        self._shown = shown
        self._shown_bytes = 0
        self._client = Peer(as_server=True, max_message_bytes=max_bytes)
        self._server = Peer(as_server=False, max_message_bytes=max_bytes)
        self._finished = False

    @property
    def is_over(self) -> bool:
        """Whether both sides are done."""
        return self.client_done and self.server_done

    # -- the client -------------------------------------------------------------------------------------------------

    def from_client(self, data: bytes) -> Steps[None]:
        """Take bytes of the client; in between, what is due is to be sent."""
        if self.client_done:
            return
        for received in self._client.receive(data):
            if isinstance(received, Control):
                self._on_client_control(received)
            elif isinstance(received, Close):
                self._on_client_close(received)
            else:
                yield from self._guarded(self._on_client_message, received)
            if self.client_done:
                return

    def _on_client_message(self, message: Message) -> Steps[None]:
        try:
            sent = yield from self._session.from_client(read_message(message))
        except Refused as refused:
            if not refused.silent:
                self._tell(refused.refusal, refused.message)
            return
        self._show(Message(sent, message.is_text), from_client=True)
        self.to_server += self._server.message(Message(sent, message.is_text))

    def _on_client_control(self, control: Control) -> None:
        """Pings go on to the provider, which answers them; one that says something personal ends here."""
        said = bytes(control.event.payload).decode("utf-8", "replace")
        if len(said) < REMARK_CHARACTERS_MIN or self._session.remark(said, by_client=True) == said:
            self.to_server += self._server.control(control)
        elif isinstance(control.event, Ping):
            self.to_client += self._client.control(Control(control.event.response()))

    def _on_client_close(self, close: Close) -> None:
        self.to_client += self._client.close(close)
        self.client_done = True
        self._note_end(close, by_client=True)
        if self._session.is_answering:
            self.drains = True
            return
        self.to_server += self._server.close(self._readable(close, by_client=True))
        self.finish()

    def _readable(self, close: Close, *, by_client: bool) -> Close:
        """A close with its reason as the other side may read it."""
        return close._replace(reason=self._session.remark(close.reason, by_client=by_client))

    def client_lost(self) -> None:
        """The client's connection is gone without a word."""
        if not self.client_done:
            self._on_client_close(Close(LOST))

    # -- the server -------------------------------------------------------------------------------------------------

    def from_server(self, data: bytes) -> Steps[None]:
        """Take bytes of the upstream; as `from_client`."""
        if self.server_done:
            return
        for received in self._server.receive(data):
            if isinstance(received, Control):
                self.to_client += self._client.control(received)
            elif isinstance(received, Close):
                self._on_server_close(received)
            else:
                yield from self._guarded(self._on_server_message, received)
            if self.server_done:
                return

    def _on_server_message(self, message: Message) -> Steps[None]:
        if not message.is_text and read_message(message).kind == "binary":
            self._send(message)
            return
        self._show(message, from_client=False)
        try:
            said = yield from self._session.from_server(message.data)
        except Refused as refused:
            self._pass_on(refused.said, message)
            raise
        self._pass_on(said, message)
        if self.drains and not self._session.is_answering:
            self.finish()

    def _pass_on(self, said: Sequence[bytes], message: Message) -> None:
        for data in said:
            self._send(Message(data, message.is_text))

    def _send(self, message: Message) -> None:
        if not self.client_done:
            self.to_client += self._client.message(message)

    def _on_server_close(self, close: Close) -> None:
        """A close of the provider's is the client's; one in the middle of an answer is told before it."""
        self.to_server += self._server.close(close)
        self.server_done = True
        self._note_end(close, by_client=False)
        was_answering = self._session.is_answering
        self.finish()
        if close.code == LOST and was_answering and not self.client_done:
            self._tell(CUT, None)
        self._close_client(self._readable(close, by_client=False))

    def server_lost(self) -> None:
        """The upstream's connection is gone without a word."""
        if not self.server_done:
            self._on_server_close(Close(LOST))

    # -- the end ----------------------------------------------------------------------------------------------------

    def _close_client(self, close: Close) -> None:
        self.finish()
        if not self.client_done:
            self.to_client += self._client.close(close)
            self.client_done = True

    def finish(self) -> None:
        """Nothing more is awaited of the upstream: settle what is open and close it."""
        self.drains = False
        if not self._finished:
            self._finished = True
            try:
                for data in self._session.finish(client_gone=self.client_done):
                    self._send(Message(data, True))
            except Exception as error:  # what was held back stays back; the holds are resolved by the next start
                logger.error("the end of a session failed: %s", where(error))
        if not self.server_done:
            self.to_server += self._server.close(Close(1000))
            self.server_done = True

    def abort(self) -> None:
        """We failed outside of any message: end both sides."""
        self._stop(broken("relay"), INTERNAL)

    def _guarded(self, step: Callable[[Message], Steps[None]], message: Message) -> Steps[None]:
        """Closed when in doubt: what cannot be read or fails ends the connection."""
        try:
            yield from step(message)
        except TextRefused as refused:
            self._stop(refused.refusal, POLICY)
        except Refused as refused:
            self._stop(refused.refusal, POLICY)
        except BodyError as error:
            self._stop(Refusal(400, "message_unreadable", f"A message was refused: {error}."), POLICY)
        except Exception as error:  # whatever it is, nothing goes on unread
            logger.error("session failed: %s", where(error))
            self._stop(broken("session"), INTERNAL)

    def _stop(self, refusal: Refusal, code: int) -> None:
        self._session.fail(refusal)
        self._tell(refusal, None)
        self._note_end(Close(code), by_client=False)
        self._close_client(Close(code, refusal.code))
        self.to_server += self._server.close(Close(1000))
        self.server_done = True

    def _tell(self, refusal: Refusal, message: Json) -> None:
        """Say it in the API's own way; where it has none, close with it."""
        event = self._call.format.refuse_message(self._call.operation, refusal, message)
        if event is not None:
            self._send(Message(event, True))
            return
        self.to_client += self._client.close(Close(POLICY, f"{refusal.code}: {refusal.message}"))
        self.client_done = True
        self.finish()

    # -- what mitmweb shows -----------------------------------------------------------------------------------------

    def _show(self, message: Message, *, from_client: bool) -> None:
        kept = self._shown.messages
        kept.append(WebSocketMessage(Opcode.TEXT if message.is_text else Opcode.BINARY, from_client, message.data))
        self._shown_bytes += len(message.data)
        self.new_messages += 1
        while kept and (len(kept) > SHOWN_MESSAGES_MAX or self._shown_bytes > SHOWN_BYTES_MAX):
            self._shown_bytes -= len(kept.pop(0).content)

    def _note_end(self, close: Close, *, by_client: bool) -> None:
        if self._shown.close_code is None:
            self._shown.close_code, self._shown.closed_by_client = close.code, by_client


def read_message(message: Message) -> Body:
    """What a message is. JSON may come as binary (Google sends it so); a text that is no JSON is text."""
    try:
        body = classify(message.data, "")
    except BodyError:
        return Body("text", message.data)
    if body.kind == "json" or (body.kind == "binary" and not message.is_text):
        return body
    return Body("text", message.data)
