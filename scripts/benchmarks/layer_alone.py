"""The call layer against mitmproxy's own, in one process and without sockets or addons: what it alone costs a call.

The same bytes go through both, turn by turn; the least CPU time of many rounds counts, which other work on the machine
cannot lengthen. mitmproxy streams the same replies, and looks at each field of its messages, which ours leaves out.
"""

import argparse
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "addons"))

from mitmproxy import http, options
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import Client, ConnectionState
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import HttpLayer, HTTPMode

from outwarden.flow.call_layer import CallLayer
from outwarden.flow.lean import make_lean
from outwarden.flow.state import CallState, begin, end, look_at, state_of
from outwarden.flow.trip import Trip
from outwarden.routing import Health, Route, Upstream
from outwarden.rules.load import load_rules
from outwarden.wire.formats import format_named
from outwarden.wire.traffic import Host

HOST = "api.openai.com"
BODY = b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "' + b"word " * 400 + b'"}]}'
ANSWER = b'{"choices": [{"message": {"content": "' + b"word " * 60 + b'"}}]}'
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":" word"}}]}\n\n'
EVENTS = 200
HEAD = b"POST http://%s/v1/chat/completions HTTP/1.1\r\nhost: %s\r\ncontent-length: %d\r\n\r\n"
REQUEST = HEAD % (HOST.encode(), HOST.encode(), len(BODY)) + BODY
WHOLE = [b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(ANSWER) + ANSWER]
CHUNK = b"%x\r\n%s\r\n" % (len(EVENT), EVENT)
STREAM = [b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"]
STREAM += [CHUNK] * EVENTS + [b"0\r\n\r\n"]


CHECKED = http.MessageData.__post_init__


class Unread:
    """A reply that nobody reads: its bytes go on as they come, and the layer alone is measured."""

    began, broken, error, complete, answer = True, None, None, True, None
    rewriter = SimpleNamespace(counted=0, usage=None)

    def feed(self, data: bytes) -> bytes:
        """What came."""
        return data

    def finish(self) -> bytes:
        """Nothing is held."""
        return b""


class Plain:
    """mitmproxy's layer, whose one addon lets replies stream."""

    layer = HttpLayer

    def begin(self) -> None:
        """mitmproxy as it is."""
        http.MessageData.__post_init__ = CHECKED  # type: ignore[method-assign]

    def hook(self, name: str, flow: http.HTTPFlow) -> None:
        """What addons would do."""
        if name == "responseheaders" and flow.response:
            flow.response.stream = True


class Ours:
    """Our layer, whose one addon says what call it is and which way it goes."""

    layer = CallLayer

    def __init__(self, route: Route | None, upstreams: dict[str, Upstream]) -> None:
        self._rules, self._health = load_rules(Path(__file__).parents[2] / "rules"), Health()
        self._format = format_named("openai")
        self._host, self._route, self._upstreams = Host((HOST,), "openai", "openai"), route, upstreams

    def begin(self) -> None:
        """mitmproxy as `outwarden run` makes it."""
        make_lean()

    def hook(self, name: str, flow: http.HTTPFlow) -> None:
        """What addons would do."""
        if name == "requestheaders":
            look_at(flow)
            operation = self._format.identify("POST", flow.request.path)
            begin(flow, CallState(self._rules, self._host, self._format, operation))
        elif name == "request":
            state = state_of(flow)
            assert state
            may = lambda upstream: True  # noqa: E731
            known = (self._host, "openai", "gpt-4o", self._route, self._upstreams, self._health, may)
            state.trip = Trip(flow.request, *known, operation_name="chat")
            state.trip.begin()
            is_stream = self.streams
            state.open_reply = lambda response, begin: Unread() if is_stream else None  # type: ignore[assignment,return-value]
        elif name == "call_end" and (state := state_of(flow)):
            end(state)

    streams = False


class Connection:
    """A client's connection through a layer, with an upstream that answers at once."""

    def __init__(self, side: Any, reply: list[bytes]) -> None:
        self._side, self._reply = side, reply
        self._queue: deque[events.Event] = deque()
        state = ConnectionState.OPEN
        self.client = Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2), timestamp_start=0.0, state=state)
        self._layer = side.layer(Context(self.client, proxy_options()), HTTPMode.regular)
        self._feed(events.Start())
        self.got_bytes = 0

    def call(self) -> None:
        """One call from its first byte to its last."""
        self._feed(events.DataReceived(self.client, REQUEST))

    def _feed(self, event: events.Event) -> None:
        self._queue.append(event)
        while self._queue:
            for command in list(self._layer.handle_event(self._queue.popleft())):
                self._obey(command)

    def _obey(self, command: commands.Command) -> None:
        if isinstance(command, commands.StartHook):
            self._side.hook(command.name, *command.args())
            if command.blocking:
                self._queue.append(events.HookCompleted(command))
        elif isinstance(command, commands.OpenConnection):
            command.connection.state = ConnectionState.OPEN
            self._queue.append(events.OpenConnectionCompleted(command, None))
        elif isinstance(command, commands.SendData):
            if command.connection is self.client:
                self.got_bytes += len(command.data)
            elif command.data.endswith(BODY[-2:]):
                self._queue.extend(events.DataReceived(command.connection, piece) for piece in self._reply)


def proxy_options() -> options.Options:
    """mitmproxy's options as its proxy server declares them."""
    chosen = options.Options()
    Proxyserver().load(SimpleNamespace(add_option=chosen.add_option))
    chosen.connection_strategy = "lazy"
    return chosen


def least_us(call: Callable[[], None], calls: int) -> float:
    """CPU time of one call in a slice of so many, in microseconds."""
    begin = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - begin) / calls * 1e6


def main() -> None:
    """Measure both kinds of replies on all sides in turn, and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    given = parser.parse_args()
    spare = Upstream("spare", "https", "spare.example", 443, "/v1", "vllm", "openai")
    route = Route("all", targets=("original", "spare"))
    for name, reply, calls in (("whole", WHOLE, 40), (f"stream of {EVENTS} events", STREAM, 4)):
        sides = {"mitmproxy": Plain(), "without routes": Ours(None, {}), "with routes": Ours(route, {"spare": spare})}
        Ours.streams = len(reply) > 1
        opened = {side: Connection(made, reply) for side, made in sides.items()}
        took: dict[str, list[float]] = {side: [] for side in sides}
        for round_ in range(given.rounds + 2):
            for side, connection in opened.items():
                sides[side].begin()
                value = least_us(connection.call, calls)
                if round_ > 1:
                    took[side].append(value)
        base = min(took["mitmproxy"])
        print(name)
        for side, values in took.items():
            least, usual = min(values), statistics.median(values)
            assert opened[side].got_bytes >= (given.rounds + 2) * calls * len(ANSWER)
            print(f"  {side:16} least {least:7.0f} us   median {usual:7.0f} us   {least - base:+6.0f} us")


if __name__ == "__main__":
    main()
