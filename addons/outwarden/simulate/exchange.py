"""What the HTTP versions and the provider exchange: a request received, and a way to answer it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

MAX_HEAD_BYTES = 256 * 1024
MAX_BODY_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class Received:
    """One request exactly as it came in, and what became of it.

    ``path`` is the raw target with its query; ``body`` is de-chunked, still in its content-encoding. ``sent_bytes``
    counts body bytes answered so far; ``complete``: the whole answer was handed over; ``left``: the client went away
    before that.
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

    async def end(self) -> None:
        """End the answer properly."""

    async def lose(self) -> None:
        """Drop the connection (HTTP/2: reset the stream)."""


Handler = Callable[[Received, Responder], Awaitable[None]]
