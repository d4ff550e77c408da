"""Addon: put our own HTTP layer in place, so that replies are held, moved to another upstream, streamed and drained."""

import asyncio
import logging
from collections import defaultdict

from mitmproxy import ctx, tls
from mitmproxy.connection import Client
from mitmproxy.proxy import layer
from mitmproxy.proxy.layers.http import HttpLayer
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from outwarden.flow.call_layer import CallLayer, Closed
from outwarden.flow.dial import forget_target, target_of
from outwarden.flow.drain import drained
from outwarden.flow.guard import where
from outwarden.flow.upstream_tls import start_trusted

logger = logging.getLogger(__name__)

# What h2, and so mitmproxy, announces as the most streams of one connection (SETTINGS_MAX_CONCURRENT_STREAMS).
PARALLEL_MAX = 100


class StreamReply:
    """What happens in the layer is `flow.call_stream`'s; here is only its place."""

    def next_layer(self, nextlayer: layer.NextLayer) -> None:
        try:
            take_over(nextlayer)
        except Exception as error:  # mitmproxy would go on with its own layer, which knows nothing of stages
            logger.error("the HTTP layer could not be put in place: %s", where(error))
            nextlayer.layer = Closed(nextlayer.context)

    def tls_start_server(self, data: tls.TlsData) -> None:
        target = target_of(data.conn)
        if target and target.trust and data.ssl_conn is None:
            start_trusted(data, target.trust)

    def server_connect_error(self, data: ServerConnectionHookData) -> None:
        forget_target(data.server)

    def server_disconnected(self, data: ServerConnectionHookData) -> None:
        forget_target(data.server)

    async def client_disconnected(self, client: Client) -> None:
        await drained(client.id)


def allow_parallel(client: Client) -> None:
    """Let one client have as many connections to an upstream of HTTP/1 as it may have calls in HTTP/2.

    mitmproxy allows it five, and lets all others wait: the sixth call at a time would run out of its time to connect.
    """
    server = ctx.master.addons.get("proxyserver")
    if server and (handler := server.connections.get(client.id)):
        handler.max_conns = defaultdict(lambda: asyncio.Semaphore(PARALLEL_MAX))


def take_over(nextlayer: layer.NextLayer) -> None:
    """Let mitmproxy choose the layer; where it chooses HTTP, put ours there."""
    if nextlayer.layer is None:
        ctx.master.addons.get("nextlayer").next_layer(nextlayer)
    if type(nextlayer.layer) is HttpLayer:
        plain = nextlayer.layer
        nextlayer.context.layers.remove(plain)
        nextlayer.layer = CallLayer(nextlayer.context, plain.mode)
        allow_parallel(nextlayer.context.client)
