"""A provider that answers with recorded replies, over HTTP/1.1, HTTP/2 and WebSocket, cut as one likes."""

import asyncio
import random
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from outwarden.simulate import Received, SimulatedProvider
from outwarden.simulate.exchange import Responder, Socket, Upgrader
from replaying import grpc_calls
from replaying.exchanges import NO_BODY, Exchange

REPLAY_HEADER = "x-replay-id"
CUTS = ("recorded", "random", "1")
# One byte at a time costs a chunk each. A stream up to this long leaves wholly so; of a longer one the begin, the end
# and what is around the place that matters, and of what is no stream, which we read as a whole, only a few.
WHOLLY_BYTEWISE = 4096
BYTEWISE = 128
BYTEWISE_WHOLE = 8
RANDOM_MAX = 64  # bytes in a random piece of a stream; large bodies come in about as many pieces as these streams
RANDOM_PIECES = 200

Reply = tuple[bytes, int | None]  # a body, and where in it something was planted


@dataclass
class Play:
    """One exchange to be played: what is answered, and what came in.

    ``reply`` makes the body out of the request as it arrived. ``seen`` is that request, None until it came.
    """

    exchange: Exchange
    cut: str = "recorded"
    reply: Callable[[bytes], Reply] | None = None
    seen: bytes | None = field(default=None, repr=False)
    sent: bytes = field(default=b"", repr=False)
    path: str = ""
    http_version: str = ""


class Talk(Protocol):
    """A WebSocket session to be played."""

    async def serve(self, socket: Socket) -> None:
        """Be the server."""


class RecordedProvider(SimulatedProvider):
    """Answers each request with the play that its header ``x-replay-id`` names, 599 where there is none."""

    def expect(self, name: str, play: Play | Talk) -> None:
        """Answer the request that bears this name so."""
        self._plays[name] = play

    def forget(self, name: str) -> None:
        """Let a play go."""
        self._plays.pop(name, None)

    @property
    def _plays(self) -> dict[str, Play | Talk]:
        plays: dict[str, Play | Talk] = self.__dict__.setdefault("plays", {})
        return plays

    async def handle(self, received: Received, responder: Responder) -> None:
        """Answer as recorded."""
        play = self._plays.get(received.header(REPLAY_HEADER) or "")
        if not isinstance(play, Play):
            await _refuse(responder)
            return
        play.seen, play.path, play.http_version = received.body, received.path, received.http_version
        body, focus = play.reply(received.body) if play.reply else (play.exchange.reply, None)
        play.sent = body
        await _answer(play, body, focus, responder)

    async def converse(self, received: Received, upgrader: Upgrader) -> None:
        """Talk as recorded."""
        play = self._plays.get(received.header(REPLAY_HEADER) or "")
        if play is None or isinstance(play, Play):
            await _refuse(upgrader)
            return
        await play.serve(await upgrader.upgrade(received, [], deflate=False))


async def _refuse(responder: Responder) -> None:
    await responder.head(599, [], 0)
    await responder.end()


async def _answer(play: Play, body: bytes, focus: int | None, responder: Responder) -> None:
    exchange = play.exchange
    if exchange.status in NO_BODY or exchange.method == "HEAD":
        body = b""
    is_grpc = exchange.framing == grpc_calls.FRAMING
    length = None if (exchange.streaming and body) or is_grpc else len(body)
    await responder.head(exchange.status, list(exchange.reply_headers), length)
    for piece in pieces(body, exchange, play.cut, focus):
        await responder.send(piece)
        await asyncio.sleep(0)  # let the pieces leave one by one
    await responder.end(grpc_calls.TRAILERS if is_grpc else ())


def pieces(body: bytes, exchange: Exchange, cut: str, focus: int | None = None) -> Iterator[bytes]:
    """The pieces in which a body is sent; together they are the body. ``focus``: cut finely around here."""
    draw = random.Random(exchange.id)  # noqa: S311 (looks, not secrets)
    if not body:
        return
    if cut == "recorded":
        yield from _recorded(body, exchange)
    elif cut == "random":
        yield from _random(body, draw)
    elif cut == "1":
        yield from _bytewise(body, draw, len(body) // 2 if focus is None else focus, streamed=exchange.streaming)
    else:
        raise ValueError(f"unknown cut {cut!r}; known are {', '.join(CUTS)}")


def _recorded(body: bytes, exchange: Exchange) -> Iterator[bytes]:
    """The recorder's own boundaries, else one piece per event; a body that is no stream leaves whole."""
    if exchange.framing == grpc_calls.FRAMING:
        yield from grpc_calls.messages(body)
    elif not exchange.streaming:
        yield body
    elif sum(exchange.chunk_sizes) == len(body):
        start = 0
        for size in exchange.chunk_sizes:
            yield body[start : start + size]
            start += size
    else:
        yield from events(body, exchange.framing)


def events(body: bytes, framing: str | None) -> list[bytes]:
    """Cut a stream after each event, frame or line, as a provider that flushes after each would."""
    if framing == "aws-eventstream":
        return list(frames(body))
    if framing == "ndjson":
        return body.splitlines(keepends=True)
    if framing == "json-array":
        return [piece for piece in re.split(rb"(?<=\n)(?=[,\]]\r?\n?)", body) if piece]
    return [piece for piece in re.split(rb"(?<=\n\n)|(?<=\r\n\r\n)|(?<=\r\r)", body) if piece]


def frames(body: bytes) -> Iterator[bytes]:
    """The frames of an AWS event stream; what is no frame comes as one piece at the end."""
    start = 0
    while start + 16 <= len(body):
        (size,) = struct.unpack_from(">I", body, start)
        if size < 16 or start + size > len(body):
            break
        yield body[start : start + size]
        start += size
    if start < len(body):
        yield body[start:]


def _random(body: bytes, draw: random.Random) -> Iterator[bytes]:
    most = max(RANDOM_MAX, 2 * len(body) // RANDOM_PIECES)
    start = 0
    while start < len(body):
        end = start + draw.randint(1, most)
        yield body[start:end]
        start = end


def _bytewise(body: bytes, draw: random.Random, focus: int, *, streamed: bool) -> Iterator[bytes]:
    size = len(body)
    few = BYTEWISE if streamed else BYTEWISE_WHOLE
    fine = [(0, few), (focus - few, focus + 3 * few), (size - few, size)]
    if streamed and size <= WHOLLY_BYTEWISE:
        fine = [(0, size)]
    at = 0
    while at < size:
        if any(start <= at < end for start, end in fine):
            step = 1
        else:
            step = min([start for start, _ in fine if start > at] + [size]) - at
            step = min(step, draw.randint(1, max(RANDOM_MAX, 2 * size // RANDOM_PIECES)))
        yield body[at : at + step]
        at += step
