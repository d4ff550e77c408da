"""A call that has become a WebSocket: HTTP events of both sides into the relay, its bytes back as commands."""

import asyncio
import logging
from base64 import b64encode
from hashlib import sha1

from mitmproxy import ctx, http
from mitmproxy.connection import Connection
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers.http import DropStream, SendHttp
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestData,
    RequestEndOfMessage,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.websocket import WebsocketEndHook, WebsocketMessageHook

from outwarden.flow import drain
from outwarden.flow.aside import Steps
from outwarden.flow.drain import begin_drain
from outwarden.flow.guard import where
from outwarden.flow.hooks import ReadAsideHook
from outwarden.flow.relay import Relay

logger = logging.getLogger(__name__)

Commands = layer.CommandGenerator[None]

_KEY_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3


def is_accepted(request: http.Request, response: http.Response) -> bool:
    """Whether the upstream took the upgrade as it was asked for: without extensions, with the answer to our key."""
    key = request.headers.get("sec-websocket-key", "").strip().encode()
    expected = b64encode(sha1(key + _KEY_SUFFIX, usedforsecurity=False).digest()).decode()
    headers = response.headers
    return bool(
        headers.get("upgrade", "").strip().lower() == "websocket"
        and headers.get("sec-websocket-accept", "").strip() == expected
        and not headers.get("sec-websocket-extensions")
    )


def has_view() -> bool:
    """Whether somebody looks at flows: mitmweb and mitmproxy's terminal list them in an addon of this name."""
    master = getattr(ctx, "master", None)
    return master is not None and master.addons.get("view") is not None


class Upgraded:
    """The rest of a stream's life; its number is ``stream_id`` towards the client, ``attempt_id`` to the upstream."""

    def __init__(
        self, flow: http.HTTPFlow, relay: Relay, stream_id: int, attempt_id: int, client: Connection, server: Connection
    ) -> None:
        self._flow = flow
        self._relay = relay
        self._stream_id, self._attempt_id = stream_id, attempt_id
        self._client, self._server = client, server
        self._client_closed = self._server_closed = self._over = False
        self._drained: asyncio.Event | None = None

    @property
    def is_over(self) -> bool:
        """Whether both sides are closed."""
        return self._over

    def handle(self, event: events.Event) -> Commands:
        """Take what one side says; nothing raises out of it."""
        if self._over:
            return
        try:
            yield from self._take(event)
        except Exception as error:  # mitmproxy would log it and leave both sides waiting
            logger.error("WebSocket failed: %s", where(error))
            self._relay.abort()
        yield from self._send()

    def _take(self, event: events.Event) -> Commands:
        relay = self._relay
        if isinstance(event, RequestData):
            yield from self._work(relay.from_client(event.data))
        elif isinstance(event, ResponseData):
            yield from self._work(relay.from_server(event.data))
        elif isinstance(event, RequestEndOfMessage | RequestProtocolError):
            relay.client_lost()
        elif isinstance(event, ResponseEndOfMessage | ResponseProtocolError):
            relay.server_lost()
        elif isinstance(event, events.Wakeup) and relay.drains:
            relay.finish()

    def _work(self, steps: Steps[None]) -> Commands:
        """Take the steps; while a long one is done elsewhere, mitmproxy keeps what else comes for this connection."""
        for work in steps:
            if work.is_long:
                yield from self._send()
                yield ReadAsideHook(work)

    def _send(self) -> Commands:
        relay = self._relay
        if relay.to_client and not self._client_closed:
            yield SendHttp(ResponseData(self._stream_id, bytes(relay.to_client)), self._client)
        if relay.to_server and not self._server_closed:
            yield SendHttp(RequestData(self._attempt_id, bytes(relay.to_server)), self._server)
        relay.to_client.clear()
        relay.to_server.clear()
        yield from self._show()
        yield from self._close_sides()

    def _show(self) -> Commands:
        """Let mitmweb's list see new messages; a lean master has nobody to look."""
        if self._relay.new_messages:
            self._relay.new_messages = 0
            if has_view():
                yield WebsocketMessageHook(self._flow)

    def _close_sides(self) -> Commands:
        relay = self._relay
        if relay.client_done and not self._client_closed:
            self._client_closed = True
            if relay.drains:
                self._drained = begin_drain(self._client.id)
                yield commands.RequestWakeup(drain.DRAIN_S)
            end = ResponseProtocolError(self._stream_id, "EOF", ErrorCode.PASSTHROUGH_CLOSE)
            yield SendHttp(end, self._client)
        if relay.server_done and not self._server_closed:
            self._server_closed = True
            yield SendHttp(RequestProtocolError(self._attempt_id, "EOF", ErrorCode.PASSTHROUGH_CLOSE), self._server)
        if relay.is_over:
            self._over = True
            if self._drained:
                self._drained.set()
            self._flow.live = False
            yield WebsocketEndHook(self._flow)
            yield DropStream(self._stream_id)
            yield DropStream(self._attempt_id)
