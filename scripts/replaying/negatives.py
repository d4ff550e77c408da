"""Exchanges with hosts that are no model APIs: they must pass, and their TLS must not be opened."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from outwarden.simulate import make_certificates
from outwarden.simulate.server import ProviderThread
from replaying.client import Client
from replaying.comparing import Outcome, Variant, compare
from replaying.exchanges import Exchange
from replaying.process import Process
from replaying.upstream import Play, RecordedProvider

_READ_BYTES = 65536


async def play_negatives(
    exchanges: Sequence[Exchange], variant: Variant, process: Process, folder: Path
) -> list[Outcome]:
    """Send each through the proxy to a server that shows its host's name, trusting that server's own CA alone.

    The recorded names lead nowhere here, so the tunnels go to 127.0.0.1; the TLS in them still names the host.
    """
    if not exchanges:
        return []
    certificates = make_certificates(folder, sorted({each.host for each in exchanges}))
    upstream = RecordedProvider(certificates)
    thread = ProviderThread(upstream)
    thread.start()
    try:
        async with (
            _aimed(process.port, upstream.address) as proxy,
            Client(proxy, certificates.ca, http2=variant.http == "2") as client,
        ):
            return [await _play(each, variant, client, upstream) for each in exchanges]
    finally:
        thread.end()


async def _play(exchange: Exchange, variant: Variant, client: Client, upstream: RecordedProvider) -> Outcome:
    play = Play(exchange, variant.cut)
    upstream.expect(exchange.id, play)
    got = await client.send(exchange, exchange.id)
    outcome = compare(exchange, variant, play, got, None)
    if got.call_id:
        outcome.problems.append("it was opened")
    return outcome


@contextlib.asynccontextmanager
async def _aimed(port: int, address: str) -> AsyncIterator[str]:
    """A proxy in front of the one at ``port`` that asks it for a tunnel to ``address``, whatever it is asked for."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        below, above = await asyncio.open_connection("127.0.0.1", port)
        above.write(f"CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
        await asyncio.gather(_relay(reader, above), _relay(below, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_READ_BYTES):
            writer.write(data)
            await writer.drain()
    writer.close()
