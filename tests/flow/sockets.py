"""The two ends of a WebSocket around the playbook: frames through wsproto, as any client and provider make them."""

import json
from typing import Any

from playbook import OPENAI, Playbook, response_head
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Message, Ping, Pong, TextMessage
from wsproto.utilities import generate_accept_token

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 §1.3


def upgrade(path: str, headers: dict[str, str] | None = None, *, host: str = OPENAI) -> bytes:
    """A client's handshake."""
    lines = {
        "host": host,
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-key": KEY,
        "sec-websocket-version": "13",
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in (lines | (headers or {})).items())
    return f"GET http://{host}{path} HTTP/1.1\r\n{head}\r\n".encode()


def accepted(headers: dict[str, str] | None = None) -> bytes:
    """A provider's answer to it."""
    token = generate_accept_token(KEY.encode()).decode()
    lines = {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-accept": token}
    return response_head(101, lines | (headers or {}))


class Ends:
    """An open connection: what each end says arrives at once at the other, through the proxy."""

    def __init__(self, play: Playbook, path: str, *, headers: dict[str, str] | None = None, host: str = OPENAI) -> None:
        self.play = play
        play.says(upgrade(path, headers, host=host))
        self._client = Connection(ConnectionType.CLIENT)
        self._server = Connection(ConnectionType.SERVER)
        head, _, _ = play.upstream.got.partition(b"\r\n\r\n")
        self.asked = head.decode()
        self._server_read = len(head) + 4
        play.upstream.says(accepted())
        self.answered = play.client_got.partition(b"\r\n\r\n")[0].decode()
        self._client_read = len(self.answered) + 4
        self.client_saw: list[Event] = []
        self.server_saw: list[Event] = []

    # -- what is said -----------------------------------------------------------------------------------------------

    def client_says(self, *messages: Any) -> None:
        """The client sends messages: JSON, or bytes as they are."""
        for message in messages:
            self.play.says(self._client.send(framed(message)))
            self._read()

    def server_says(self, *messages: Any) -> None:
        """The provider sends messages."""
        for message in messages:
            self.play.upstream.says(self._server.send(framed(message)))
            self._read()

    def client_sends(self, event: Event) -> None:
        """The client sends a frame."""
        self.play.says(self._client.send(event))
        self._read()

    def server_sends(self, event: Event) -> None:
        """The provider sends a frame."""
        self.play.upstream.says(self._server.send(event))
        self._read()

    def _read(self) -> None:
        self._client.receive_data(self.play.client_got[self._client_read :])
        self._client_read = len(self.play.client_got)
        self.client_saw += self._client.events()
        self._server.receive_data(self.play.upstream.got[self._server_read :])
        self._server_read = len(self.play.upstream.got)
        self.server_saw += self._server.events()

    # -- what arrived -----------------------------------------------------------------------------------------------

    @property
    def at_client(self) -> list[Any]:
        """The messages that the client got, read as JSON."""
        return messages_in(self.client_saw)

    @property
    def at_server(self) -> list[Any]:
        """The messages that the provider got, read as JSON."""
        return messages_in(self.server_saw)

    @property
    def client_close(self) -> CloseConnection | None:
        """How the client's side was closed."""
        return next((event for event in self.client_saw if isinstance(event, CloseConnection)), None)

    @property
    def server_close(self) -> CloseConnection | None:
        """How the provider's side was closed."""
        return next((event for event in self.server_saw if isinstance(event, CloseConnection)), None)


def framed(message: Any) -> Event:
    """A message as an event."""
    if isinstance(message, bytes):
        return BytesMessage(message)
    return TextMessage(message if isinstance(message, str) else json.dumps(message))


def messages_in(events: list[Event]) -> list[Any]:
    """The whole messages among events."""
    found, pieces = [], []
    for event in events:
        if isinstance(event, Message):
            pieces.append(event.data.encode() if isinstance(event.data, str) else bytes(event.data))
            if event.message_finished:
                found.append(b"".join(pieces))
                pieces = []
    return [json.loads(one) if one[:1] in (b"{", b"[") else one for one in found]


__all__ = ["CloseConnection", "Ends", "Ping", "Pong", "accepted", "framed", "upgrade"]
