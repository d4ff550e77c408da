"""Simulated providers in the weather, one that never gets as far as TLS, and what they say they served."""

import asyncio
import re
import socket
import struct
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from outwarden.simulate import Certificates, Received, Script, SimulatedProvider, provider_thread
from weathering.calls import Call
from weathering.weather import Fate, fate, mood

# The first stands for both hosts that are called; a call that moves on goes to one of the others.
NAMES = ("original", "spare", "cross")
_NUMBER = re.compile(rb"<(\d{6})>")
# RST instead of FIN when the socket closes: socket(7), SO_LINGER with a time of 0.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Served:
    """One attempt as its upstream saw it."""

    upstream: str
    received: Received = field(repr=False)
    fate: Fate

    @property
    def whole(self) -> bool:
        """Whether all of a good answer was handed over."""
        return self.fate.well and self.received.complete


@dataclass(slots=True)
class Upstreams:
    """All of them. ``served``: by the number of the call, in the order in which they came."""

    seed: int
    planted: dict[int, tuple[str, ...]] = field(default_factory=dict)
    served: dict[int, list[Served]] = field(default_factory=lambda: defaultdict(list))
    strange: list[str] = field(default_factory=list)
    providers: dict[str, SimulatedProvider] = field(default_factory=dict)
    _down: set[str] = field(default_factory=set)

    def expect(self, call: Call) -> None:
        """Note what must not arrive here."""
        self.planted[call.number] = call.planted

    def address(self, name: str) -> str:
        """``HOST:PORT`` of one of them."""
        return self.providers[name].address

    def answer(self, name: str, received: Received) -> Script:
        """Decide what becomes of an attempt, and note it."""
        found = _NUMBER.search(received.body)
        if found is None:
            self.strange.append(f"{name} got a request without a number")
            return Script(status=400)
        number = int(found[1])
        if any(value.encode() in received.body for value in self.planted.get(number, ("",))):
            self.strange.append(f"call {number}: a planted value reached {name}")
        attempt = sum(one.upstream == name for one in self.served[number])
        is_stream, is_anthropic = b'"stream": true' in received.body, received.path.endswith("/messages")
        drawn = fate(self.seed, name, number, attempt, stream=is_stream, anthropic=is_anthropic)
        self.served[number].append(Served(name, received, drawn))
        return drawn.script

    async def change(self, number: int) -> None:
        """Let those refuse connections whose mood is so by now; an upstream that goes down drops what it has."""
        for name, provider in self.providers.items():
            is_down = mood(self.seed, name, number) == "down"
            if is_down != (name in self._down):
                (self._down.add if is_down else self._down.discard)(name)
                thread = provider.thread
                assert thread
                await asyncio.to_thread(thread.pause if is_down else thread.resume)


@contextmanager
def running(seed: int, certificates: Certificates) -> Iterator[Upstreams]:
    """All of them, each in a thread of its own."""
    upstreams = Upstreams(seed)

    def answering(name: str) -> Any:
        return lambda received: upstreams.answer(name, received)

    with ExitStack() as stack:
        for name in NAMES:
            upstreams.providers[name] = stack.enter_context(provider_thread(certificates, script=answering(name)))
        yield upstreams


class Deaf:
    """Accepts connections and resets them, or says nothing until the other side has enough of it."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(f"deaf {seed}")
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> "Deaf":
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._rng.random() < 0.8:
            reset = writer.get_extra_info("socket")
            reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        else:
            try:
                while await reader.read(4096):
                    pass
            except ConnectionError:
                pass
        writer.transport.abort()
