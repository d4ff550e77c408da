"""mitmproxy's handler of a client's connection, which tells the layers of the end of each connection, whatever happens.

The layers speak with one task at a time, so a task that has read the end of a connection waits for its turn to tell of
it. Where it is cancelled meanwhile (because writing to a client that left failed), mitmproxy's tells nobody. Then calls
of that client wait for ever: their holds stay open, and they have no record.
"""

import asyncio
import contextlib

from mitmproxy.connection import Connection, ConnectionState
from mitmproxy.proxy import events, mode_servers
from mitmproxy.utils import asyncio_utils


class SureHandler(mode_servers.ProxyConnectionHandler):
    """A client's connection, and those to upstreams that it needs."""

    async def handle_connection(self, connection: Connection) -> None:
        """Handle a connection from its begin to its end."""
        try:
            await super().handle_connection(connection)
        except asyncio.CancelledError:
            if connection in self.transports:  # it is taken out of them once its end is told
                await self._tell_of_the_end(connection)
            raise

    async def _tell_of_the_end(self, connection: Connection) -> None:
        """Not to be cancelled: who waits for this task waits for that, too."""
        connection.state = ConnectionState.CLOSED
        end = self.server_event(events.ConnectionClosed(connection))
        telling = asyncio_utils.create_task(end, name="end of connection", keep_ref=True, client=self.client.peername)
        while not telling.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(telling)
        io = self.transports.pop(connection)
        if io.writer is not None:
            io.writer.close()


def handle_surely() -> None:
    """Let mitmproxy's proxy server, with whichever face, use `SureHandler`."""
    mode_servers.ProxyConnectionHandler = SureHandler  # type: ignore[misc]
