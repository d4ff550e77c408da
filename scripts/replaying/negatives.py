"""Exchanges with hosts that are no model APIs: they must pass, and their TLS must not be opened."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from outwarden.simulate import make_certificates
from outwarden.simulate.certificates import MAX_NAMES
from outwarden.simulate.server import ProviderThread
from replaying.client import Client
from replaying.comparing import Variant, compare
from replaying.exchanges import Exchange
from replaying.playing import Played
from replaying.process import Process
from replaying.upstream import Play, RecordedProvider

_READ_BYTES = 65536
WORKERS = 4


async def play_negatives(exchanges: Sequence[Exchange], variant: Variant, process: Process, folder: Path) -> Played:
    """Send each through the proxy to a server that shows its host's name, trusting that server's own CA alone.

    The recorded names lead nowhere here, so the tunnels go to 127.0.0.1; the TLS in them still names the host.
    """
    played = Played()
    names = sorted({each.host for each in exchanges})[:MAX_NAMES]
    if not names:
        return played
    certificates = make_certificates(folder, names)
    upstream = RecordedProvider(certificates)
    thread = ProviderThread(upstream)
    thread.start()
    numbered = enumerate(sorted(exchanges, key=lambda each: each.host))

    async def worker(client: Client) -> None:
        for number, each in numbered:
            if each.host not in names:
                played.skip(each, f"more than {MAX_NAMES} hosts", str(variant))
                continue
            play = Play(each, variant.cut)
            upstream.expect(str(number), play)
            got = await client.send(each, str(number))
            outcome = compare(each, variant, play, got, None)
            outcome.expected = None  # nobody reads it
            if got.call_id:
                outcome.problems.append("it was opened")
            played.outcomes.append(outcome)

    try:
        async with (
            _aimed(process.port, upstream.address) as proxy,
            Client(proxy, certificates.ca, http2=variant.http == "2") as client,
        ):
            await asyncio.gather(*(worker(client) for _ in range(WORKERS)))
    finally:
        thread.end()
    return played


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
