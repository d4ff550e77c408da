"""What reading and rewriting costs: per event of a stream, per message of a WebSocket, and per body of 1 MB (and of 2,
4, 8 MB with `--sizes`) of every shape of `shapes.py`.

CPU times of this process, so other work on the machine matters less; the yardstick runs in turn with ours. Streams:
the same events through json.loads and json.dumps. WebSockets: frames in, frames out, beside wsproto's own decoding and
framing with json.loads and json.dumps between. Bodies: json.loads and one pattern over the bytes.
"""

import argparse
import json
import platform
import statistics
import string
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "addons"))

from mitmproxy.websocket import WebSocketData
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from benchmarks.shapes import engine, measure_bodies, prose, rng
from outwarden.flow.aside import at_once
from outwarden.flow.relay import Relay
from outwarden.flow.session import Session
from outwarden.flow.state import CallState
from outwarden.pii import Vault
from outwarden.rules.load import load_rules, shipped_rules
from outwarden.wire.formats import format_named
from outwarden.wire.stream import StreamRewriter
from outwarden.wire.traffic import Host

EVENTS = 1000
RULES = load_rules(shipped_rules())


# -- streams ---------------------------------------------------------------------------------------


def padding() -> str:
    """As OpenAI pads its events."""
    return "".join(rng.choices(string.ascii_letters, k=rng.randrange(4, 16)))


def chat(piece: str, number: int) -> bytes:
    """A chunk of a chat completion."""
    choices = [{"index": 0, "delta": {"content": piece}, "logprobs": None, "finish_reason": None}]
    head = {"id": "chatcmpl-CzV0IiAPzHy2eU1q", "object": "chat.completion.chunk", "created": 1769000000}
    model = {"model": "gpt-4o-2024-08-06", "service_tier": "default", "system_fingerprint": "fp_deacdd5f6f"}
    return compact(head | model | {"choices": choices, "obfuscation": padding()})


def responses(piece: str, number: int) -> bytes:
    """A text delta of the Responses API."""
    kind = "response.output_text.delta"
    place = {"item_id": "msg_0850765c843cca5300699cc4748e", "output_index": 0, "content_index": 0}
    more = {"logprobs": [], "obfuscation": padding(), "sequence_number": number}
    return b"event: response.output_text.delta\n" + compact({"type": kind, **place, "delta": piece, **more})


def anthropic(piece: str, number: int) -> bytes:
    """A text delta of a message."""
    delta = {"type": "text_delta", "text": piece}
    event = compact({"type": "content_block_delta", "index": 0, "delta": delta})
    return b"event: content_block_delta\n" + event[:-3] + b" " * rng.randrange(15) + event[-3:]


def gemini(piece: str, number: int) -> bytes:
    """A chunk with the usage so far, as each has it."""
    usage = {"promptTokenCount": 121, "candidatesTokenCount": number, "totalTokenCount": 121 + number}
    candidate = {"content": {"parts": [{"text": piece}], "role": "model"}, "index": 0}
    return compact({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-2.5-flash"})


def compact(event: object) -> bytes:
    """One event."""
    return b"data: " + json.dumps(event, separators=(",", ":")).encode() + b"\n\n"


Make = Callable[[str, int], bytes]
STREAMS: dict[str, tuple[Make, str, str]] = {
    "OpenAI chat": (chat, "openai", "/v1/chat/completions"),
    "OpenAI Responses": (responses, "openai", "/v1/responses"),
    "Anthropic": (anthropic, "anthropic", "/v1/messages"),
    "Gemini": (gemini, "gemini", "/v1beta/models/gemini-2.5-flash:streamGenerateContent"),
}


def time_stream(events: list[bytes], format: str, path: str) -> float:
    """Median CPU time of an event, in microseconds, with detection on."""
    known = format_named(format)
    stream = StreamRewriter(known, known.identify("POST", path), "sse", engine.reply(Vault()))
    return median_us(stream.feed, events)


def median_us(do: Callable[[bytes], object], events: list[bytes]) -> float:
    """Median CPU time of one call, in microseconds."""
    times = []
    for event in events:
        started = time.process_time_ns()
        do(event)
        times.append(time.process_time_ns() - started)
    return statistics.median(times) / 1000


# -- messages ------------------------------------------------------------------------------------


def responses_message(piece: str, number: int) -> bytes:
    """A text delta of Responses over a WebSocket: the event without its framing."""
    return responses(piece, number).partition(b"data: ")[2].strip()


def realtime_message(piece: str, number: int) -> bytes:
    """A text delta of Realtime."""
    kind = {"type": "response.output_text.delta", "event_id": f"event_DnoHs2FqcAvTpB8SR{number:04}"}
    place = {"response_id": "resp_DnoHrJ1s5SbnyVcg", "item_id": "item_DnoHr0kfuzs8pnA", "output_index": 0}
    more = {"content_index": 0, "delta": piece, "obfuscation": padding()}
    return json.dumps(kind | place | more, separators=(",", ":")).encode()


def live_message(piece: str, number: int) -> bytes:
    """A piece of what Google's model says aloud, in words."""
    return json.dumps({"serverContent": {"outputTranscription": {"text": piece}}}).encode()


LIVE = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
MESSAGES: dict[str, tuple[Make, str, str]] = {
    "OpenAI Responses": (responses_message, "openai", "/v1/responses"),
    "OpenAI Realtime": (realtime_message, "openai", "/v1/realtime"),
    "Gemini Live": (live_message, "gemini", LIVE),
}


def opened(format: str, path: str) -> Relay:
    """A connection on which the provider speaks, with detection on, and nobody looks at the budget."""
    known = format_named(format)
    operation = known.identify("POST" if path == "/v1/responses" else "GET", path)
    call = CallState(RULES, Host(("here.example",), format, format), known, operation)
    session = Session(call, lambda: call, lambda model: call)
    session.rewriter = StreamRewriter(known, operation, "messages", engine.reply(session.vault))
    return Relay(call, session, WebSocketData())


def time_messages(frames: list[bytes], format: str, path: str) -> float:
    """Median CPU time of a message, frame in and frame out, in microseconds."""
    relay = opened(format, path)
    sent = 0

    def forward(frame: bytes) -> None:
        nonlocal sent
        at_once(relay.from_server(frame))
        sent += len(relay.to_client)
        relay.to_client.clear()

    took = median_us(forward, frames)
    if sent < sum(map(len, frames)) * 9 // 10:
        raise SystemExit(f"{path}: messages did not come through")
    return took


def time_plain_messages(frames: list[bytes]) -> float:
    """The yardstick: what the plainest relay would do."""
    here, there = Connection(ConnectionType.CLIENT), Connection(ConnectionType.SERVER)

    def forward(frame: bytes) -> None:
        here.receive_data(frame)
        for event in here.events():
            if isinstance(event, TextMessage):
                there.send(TextMessage(json.dumps(json.loads(event.data))))

    return median_us(forward, frames)


def measure_messages(rounds: int) -> None:
    """Print a line for each API."""
    print("WebSocket messages, text deltas of 4 characters, detection on; median CPU time of one, frame in, frame out")
    pieces = four_characters()
    for name, (make, format, path) in MESSAGES.items():
        peer = Connection(ConnectionType.SERVER)
        frames = [peer.send(TextMessage(make(piece, at + 1).decode())) for at, piece in enumerate(pieces)]
        runs = [(time_messages(frames, format, path), time_plain_messages(frames)) for _ in range(rounds)]
        ours, plain = (min(column) for column in zip(*runs, strict=True))
        print(f"  {name:18} {ours:6.1f} us   wsproto + json     {plain:5.1f} us   {ours / plain:5.2f}x")


# -- the yardstick of streams ----------------------------------------------------------------------


def load_and_dump(event: bytes) -> str:
    """The yardstick: what the plainest rewriter would do."""
    return json.dumps(json.loads(event[event.index(b"data: ") + 6 :]))


def four_characters() -> list[str]:
    """Prose in pieces as providers cut it."""
    text = prose(5 * EVENTS)
    return [text[at : at + 4] for at in range(0, 4 * EVENTS, 4)]


def measure_streams(rounds: int) -> None:
    """Print a line for each format."""
    print("stream events, text deltas of 4 characters, detection on; median CPU time of one")
    pieces = four_characters()
    for name, (make, format, path) in STREAMS.items():
        events = [make(piece, number + 1) for number, piece in enumerate(pieces)]
        runs = [(time_stream(events, format, path), median_us(load_and_dump, events)) for _ in range(rounds)]
        ours, plain = (min(column) for column in zip(*runs, strict=True))
        print(f"  {name:18} {ours:6.1f} us   json.loads + dumps {plain:5.1f} us   {ours / plain:5.2f}x")


# -- streams of a hundred thousand events ----------------------------------------------------------

TINY: dict[str, Callable[[int], bytes]] = {
    "number": lambda number: b"data: %d\n\n" % number,
    "object": lambda number: b'data: {"a":"b%d"}\n\n' % number,
    "text of 1": lambda number: b'data: {"choices":[{"index":0,"delta":{"content":"%c"}}]}\n\n' % (97 + number % 26),
    "comment": lambda number: b": ping %d\n\n" % number,
}
PIECE_BYTES = 65536


def time_tiny(data: bytes, events: int) -> float:
    """CPU time of an event in microseconds, on average, where they come many in a piece."""
    known = format_named("openai")
    stream = StreamRewriter(known, known.identify("POST", "/v1/chat/completions"), "sse", engine.reply(Vault()))
    started = time.process_time()
    for at in range(0, len(data), PIECE_BYTES):
        stream.feed(data[at : at + PIECE_BYTES])
    stream.flush()
    return (time.process_time() - started) / events * 1_000_000


def measure_tiny(rounds: int) -> None:
    """Print a line for each kind: the same for ten times as many."""
    print("streams of tiny events, in pieces of 64 KiB; CPU time of one, on average")
    for name, make in TINY.items():
        took = []
        for count in (10_000, 100_000):
            data = b"".join(map(make, range(count)))
            took.append(min(time_tiny(data, count) for _ in range(rounds)))
        print(f"  {name:18} {took[0]:6.1f} us of 10,000   {took[1]:6.1f} us of 100,000   {took[1] / took[0]:5.2f}x")


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=float, nargs="+", default=[1.0], help="of the bodies, in MB")
    options = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}")
    measure_streams(options.rounds)
    measure_tiny(min(options.rounds, 2))
    measure_messages(options.rounds)
    measure_bodies(options.rounds, options.sizes)


if __name__ == "__main__":
    main()
