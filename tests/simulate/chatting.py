"""A WebSocket client that is not ours, straight to the simulated provider or through the proxy; Responses on it."""

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from websockets.sync.client import ClientConnection, connect

from outwarden.simulate import HEADER, SimulatedProvider


class Connection(ClientConnection):
    """One whose reader always ends: over TLS a read may wait for the rest of a record, and `close` does not wake it.

    ``connect`` joins the reader when a handshake takes too long, so a test would hang where it should fail.
    """

    def close_socket(self) -> None:
        """End both directions first: that wakes whoever reads."""
        with suppress(OSError):  # the other side was faster
            self.socket.shutdown(socket.SHUT_RDWR)
        super().close_socket()


@contextmanager
def talk(provider: SimulatedProvider, trust: ssl.SSLContext, script: Any = None, **options: Any) -> Iterator[Any]:
    """A connection to `/v1/responses`."""
    headers = {} if script is None else {HEADER: json.dumps(script)}
    url = f"wss://localhost:{provider.port}/v1/responses"
    usual = {"additional_headers": headers, "open_timeout": 10, "close_timeout": 5}
    with connected(url, ssl=trust, **(usual | options)) as client:
        yield client


def connected(url: str, **options: Any) -> ClientConnection:
    """Connect; once more where the handshake stalls, as it did in three of some dozen runs of the suite.

    The cause is not proven. This client reads in one thread and writes in another on one TLS object, which OpenSSL
    does not allow for. Who answers no handshake fails both times.
    """
    options = {"create_connection": Connection, "proxy": None, "max_size": None} | options
    try:
        return connect(url, **options)
    except TimeoutError:
        return connect(url, **options)


def create(text: str, **more: Any) -> str:
    """A message that asks for a response."""
    return json.dumps({"type": "response.create", "model": "gpt-5", "input": text, **more})


def events(client: Any, last: str = "response.completed") -> list[dict[str, Any]]:
    """Read events up to the last one."""
    found = [json.loads(client.recv(5))]
    while found[-1]["type"] != last:
        found.append(json.loads(client.recv(5)))
    return found


def said(found: list[dict[str, Any]]) -> str:
    """The text of a response's deltas."""
    return "".join(event["delta"] for event in found if event["type"] == "response.output_text.delta")
