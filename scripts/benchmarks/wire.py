"""What reading and rewriting costs: per event of a stream, and per body of 1 MB (and of 2, 4, 8 MB with `--sizes`).

CPU times of this process, so other work on the machine matters less; the yardstick runs in turn with ours. Streams:
the same events through json.loads and json.dumps. Bodies: json.loads and one pattern over the bytes.
"""

import argparse
import json
import platform
import random
import re
import statistics
import string
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "addons"))

from outwarden.pii import Vault
from outwarden.pii.engine import PiiEngine
from outwarden.pii.policy import PiiPolicy
from outwarden.wire.body import rewrite_json
from outwarden.wire.formats import format_named
from outwarden.wire.stream import StreamRewriter

EVENTS = 1000
MEGABYTE = 1_000_000
WORDS = ["the", "of", "invoice", "ledger", "shipment", "station", "river", "quiet", "amber", "report", "review"]
EMAIL = re.compile(rb"[\w.+-]+@[\w-]+\.\w+")
engine = PiiEngine(PiiPolicy(), b"a secret of this benchmark's own")
rng = random.Random(1)  # noqa: S311  # benchmark text


def prose(size: int, findings: int = 0) -> str:
    """Text of about ``size`` characters with so many addresses in it."""
    words = rng.choices(WORDS, k=max(size // 7, findings))
    for number in range(findings):
        words[number * len(words) // findings] = f"anna.{number}@kestrel-freight.com"
    return " ".join(words)


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


def load_and_dump(event: bytes) -> str:
    """The yardstick: what the plainest rewriter would do."""
    return json.dumps(json.loads(event[event.index(b"data: ") + 6 :]))


def measure_streams(rounds: int) -> None:
    """Print a line for each format."""
    print("stream events, text deltas of 4 characters, detection on; median CPU time of one")
    text = prose(5 * EVENTS)
    pieces = [text[at : at + 4] for at in range(0, 4 * EVENTS, 4)]
    for name, (make, format, path) in STREAMS.items():
        events = [make(piece, number + 1) for number, piece in enumerate(pieces)]
        runs = [(time_stream(events, format, path), median_us(load_and_dump, events)) for _ in range(rounds)]
        ours, plain = (min(column) for column in zip(*runs, strict=True))
        print(f"  {name:18} {ours:6.1f} us   json.loads + dumps {plain:5.1f} us   {ours / plain:5.2f}x")


# -- bodies ----------------------------------------------------------------------------------------


def conversation(size: int) -> object:
    """Messages of 10 KB, one address in each."""
    return {"messages": [{"role": "user", "content": prose(10_000, 1)} for _ in range(size // 10_000)]}


def small_strings(size: int) -> object:
    """A string for each byte (so 4 times the size)."""
    return {"messages": ["x"] * size}


def nested(size: int) -> object:
    """As deep as is read (a body 900 deep is refused), again and again."""
    value: object = "to anna@kestrel-freight.com"
    for _ in range(90):
        value = {"a": [value]}
    return {"messages": [value] * (size // 600)}


def one_string(size: int) -> object:
    """One text with 100 addresses."""
    return {"messages": [{"role": "user", "content": prose(size, 100)}]}


def escapes(size: int) -> object:
    """One text that is escapes and a hundred addresses."""
    return {"messages": [{"content": '"\n\\' * (size // 6 - 400) + prose(2400, 100)}]}


def numbers(size: int) -> object:
    """Numbers only."""
    return {"input": [round(rng.random(), 6) for _ in range(size // 10)]}


BODIES: dict[str, Callable[[int], object]] = {
    "conversation": conversation,
    "10^6 strings of 1": small_strings,
    "nested 180 deep": nested,
    "one string": one_string,
    "escapes": escapes,
    "numbers": numbers,
}


def time_body(body: bytes) -> tuple[float, int]:
    """CPU time in milliseconds, and the edits."""
    rules = format_named("openai").text_rules(format_named("openai").identify("POST", "/v1/chat/completions"))
    started = time.process_time()
    edits = rewrite_json(body, rules, engine.request(Vault())).edits
    return (time.process_time() - started) * 1000, edits


def time_plain(body: bytes) -> float:
    """CPU time in milliseconds of reading the body and searching it once."""
    started = time.process_time()
    json.loads(body)
    EMAIL.findall(body)
    return (time.process_time() - started) * 1000


def measure_bodies(rounds: int, megabytes: list[int]) -> None:
    """Print a line for each shape and size."""
    print("bodies, every text read; CPU time of one")
    for name, make in BODIES.items():
        for size in megabytes:
            body = json.dumps(make(size * MEGABYTE), separators=(",", ":")).encode()
            runs = [(time_body(body), time_plain(body)) for _ in range(rounds)]
            (ours, edits), plain = min(run[0] for run in runs), min(run[1] for run in runs)
            size_mb = len(body) / MEGABYTE
            print(
                f"  {name:18} {size_mb:5.1f} MB {edits:6} edits {ours:8.1f} ms   json.loads + re {plain:7.1f} ms"
                f"   {ours / plain:6.2f}x   {ours / size_mb:7.1f} ms/MB"
            )


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1], help="of the bodies, in MB")
    options = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}")
    measure_streams(options.rounds)
    measure_bodies(options.rounds, options.sizes)


if __name__ == "__main__":
    main()
