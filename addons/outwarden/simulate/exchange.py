"""What the HTTP versions and the provider exchange: a request received, and a way to answer it."""

import json
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

MAX_HEAD_BYTES = 256 * 1024
MAX_BODY_BYTES = 64 * 1024 * 1024
REMEMBERED_MESSAGES = 10_000
Message = str | bytes  # of a WebSocket: text or binary, put together and decompressed


@dataclass(slots=True)
class Received:
    """One request exactly as it came in, and what became of it.

    ``path`` is the raw target with its query; ``body`` is de-chunked, still in its content-encoding. ``sent_bytes``
    counts body bytes answered so far; ``complete``: the whole answer was handed over; ``left``: the client went away
    before that. On a WebSocket ``messages`` holds what the client said, oldest first, the last 10,000;
    ``extensions`` is what was agreed on, ``close_code`` what the client closed with (None: it did not), and
    ``complete`` speaks of the last response.
    """

    method: str
    path: str
    host: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    http_version: str
    server_name: str | None = None
    sent_bytes: int = 0
    complete: bool = False
    left: bool = False
    messages: deque[Message] = field(default_factory=lambda: deque(maxlen=REMEMBERED_MESSAGES))
    extensions: str = ""
    close_code: int | None = None

    @property
    def upgrades(self) -> bool:
        """Whether the client asks for a WebSocket."""
        return self.method == "GET" and (self.header("upgrade") or "").lower() == "websocket"

    def header(self, name: str) -> str | None:
        """The first value of a header, any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self) -> Any:
        """The body as JSON; only for bodies without a content-encoding."""
        return json.loads(self.body)


class Responder(Protocol):
    """How one request is answered, whatever the HTTP version."""

    async def head(self, status: int, headers: list[tuple[str, str]], length: int | None) -> None:
        """Send the headers. ``length``: the body's bytes, None where the body is a stream."""

    async def send(self, data: bytes) -> None:
        """Send a piece of the body now."""

    async def end(self, trailers: Sequence[tuple[str, str]] = ()) -> None:
        """End the answer properly. ``trailers`` are headers behind the body, as gRPC has them."""

    async def lose(self) -> None:
        """Drop the connection (HTTP/2: reset the stream)."""


class Socket(Protocol):
    """A WebSocket, as the provider uses it."""

    async def receive(self) -> Message | None:
        """The client's next message; None when no more comes."""

    async def send(self, text: str, chunking: str, *, binary: bool = False) -> None:
        """Send a message, in fragments where ``chunking`` cuts it; ``binary``: as bytes, as Google sends its JSON."""

    async def ping(self) -> None:
        """Send a ping."""

    async def close(self, code: int) -> None:
        """Say goodbye; `receive` then waits a little for the client's own goodbye."""

    async def lose(self) -> None:
        """Drop the connection."""


class Upgrader(Responder, Protocol):
    """How a request for a WebSocket is answered: as any other, or by becoming one."""

    async def upgrade(self, received: Received, headers: list[tuple[str, str]], *, deflate: bool) -> Socket:
        """Accept; ``deflate``: compress messages where the client offers to. Raises ValueError for a bad request."""


Handler = Callable[[Received, Responder], Awaitable[None]]
SocketHandler = Callable[[Received, Upgrader], Awaitable[None]]
