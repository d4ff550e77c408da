"""Time grows with the size and not with its square: CPU time of eight times as much, with a generous margin."""

import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from broken import chat, sse

from outwarden.errors import BodyError
from outwarden.wire import StreamRewriter, rewrite_json
from outwarden.wire.body import Memory, rewrite_lines, rewrite_text, rewrite_texts
from outwarden.wire.formats import format_named
from outwarden.wire.json_array import JsonArrayCodec
from outwarden.wire.json_channel import JsonChannel
from outwarden.wire.multipart import pieces
from outwarden.wire.ndjson import NdjsonCodec
from outwarden.wire.sse import SseCodec
from outwarden.wire.urlencoded import rewrite_pairs

TIMES_LARGER = 8
# A quadratic algorithm takes 64 times as long for 8 times as much. What is linear stays near 8; caches, the collector
# and other programs blur that, so only a clear excess counts.
RATIO_MAX = 24
LEAST_S = 0.004  # below, the clock says nothing
BOUND = 64 * 2**20


def bytewise(codec: Any, data: bytes, step: int = 1) -> None:
    """Feed a codec small pieces."""
    reader = codec(BOUND)
    for at in range(0, len(data), step):
        reader.feed(data[at : at + step])
    reader.flush()


def streamed(word_rewriter: Any, data: bytes, step: int) -> None:
    """Rewrite a chat stream that comes in pieces of ``step`` bytes."""
    format_ = format_named("openai")
    operation = format_.identify("POST", "/v1/chat/completions")
    stream = StreamRewriter(format_, operation, "sse", word_rewriter(), max_event_bytes=BOUND)
    for at in range(0, len(data), step):
        stream.feed(data[at : at + step])
    stream.flush()


def channelled(word_rewriter: Any, text: str) -> None:
    """Feed tool arguments in pieces of three characters."""
    channel = JsonChannel(word_rewriter())
    for at in range(0, len(text), 3):
        channel.feed(text[at : at + 3])
    channel.finish()


def nested(words: int) -> bytes:
    """JSON in a string in JSON."""
    return json.dumps({"a": json.dumps({"b": "ada@b.co " * words})}).encode()


def keys(count: int) -> bytes:
    """An object of many keys that are findings."""
    return json.dumps({f"k{n}@x": n for n in range(count)}).encode()


def documents(count: int) -> bytes:
    """Different documents in strings, one in twenty broken inside of its string."""
    return json.dumps([f'{{"a": "{"" if n % 20 else chr(92) + "q"}a@b.c {n}"}}' for n in range(count)]).encode()


def annotated(parts: int) -> bytes:
    """As many records of offsets as parts of text that each of them may point into."""
    records = [{"type": "url_citation", "start_index": at, "end_index": at + 4} for at in range(parts)]
    texts = [{"text": "ann@x.example and so on"}] * parts
    return json.dumps({"output": [{"content": texts, "annotations": records}]}).encode()


def among_pieces(count: int) -> bytes:
    """Keys that are findings, each with a value that is remembered as a piece of the body."""
    return json.dumps({f"k{n}@x.example": "w" * 200 for n in range(count)}).encode()


def cited(rewriter: Any, body: bytes) -> None:
    """Rewrite a reply of OpenAI's."""
    format_ = format_named("openai")
    rewrite_json(body, format_.text_rules(format_.identify("POST", "/v1/responses")), rewriter)


# Name: the smaller size, and the work on a size with a rewriter and rules.
WORK: dict[str, tuple[int, Callable[[Any, Any, int], object]]] = {
    "many strings": (1500, lambda w, r, n: rewrite_json(json.dumps(["x@y.z"] * n).encode(), r, w())),
    "many keys": (1500, lambda w, r, n: rewrite_json(keys(n), r, w())),
    "one long string": (3000, lambda w, r, n: rewrite_json(json.dumps({"a": "a@b.c " * n}).encode(), r, w())),
    "many escapes": (8000, lambda w, r, n: rewrite_json(b'["' + rb"\u00e9\n " * n + b'a@b.c"]', r, w())),
    "json in a string": (800, lambda w, r, n: rewrite_json(nested(n), r, w())),
    "strange escapes": (800, lambda w, r, n: rewrite_json(b'["' + rb"\u0061\/ a@b.c " * n + b'"]', r, w())),
    "documents in strings": (400, lambda w, r, n: rewrite_json(json.dumps(['{"a": "a@b.c"}'] * n).encode(), r, w())),
    "some documents are broken": (800, lambda w, r, n: rewrite_json(documents(n), r, w())),
    "a document cut short": (800, lambda w, r, n: rewrite_text(json.dumps(["a@b.c"] * n)[:-3], w())),
    "findings among pieces": (300, lambda w, r, n: rewrite_json(among_pieces(n), r, w(), memory=Memory(10**7))),
    "records and texts": (200, lambda w, r, n: cited(w(), annotated(n))),
    "lines of JSON": (800, lambda w, r, n: rewrite_lines(b'{"a":"a@b.c"}\n' * n, r, w())),
    "pairs": (800, lambda w, r, n: rewrite_pairs("a=a@b.c&" * n, lambda texts: rewrite_texts(texts, w()))),
    "ids": (800, lambda w, r, n: rewrite_json(json.dumps([{"id": "x1", "a": "a@b.c"}] * n).encode(), r, w())),
    "open brackets": (40_000, lambda w, r, n: rewrite_json(b"[" * n, r, w())),
    "open braces": (40_000, lambda w, r, n: rewrite_json(b'{"a":' * n, r, w())),
    "one key again and again": (1500, lambda w, r, n: rewrite_json(b"{" + b'"a":"a@b.c",' * n + b'"a":1}', r, w())),
    "sse line without end": (20_000, lambda w, r, n: bytewise(SseCodec, b"data: " + b"x" * n)),
    "tiny sse events": (2000, lambda w, r, n: bytewise(SseCodec, b"data: 1\n\n" * n, 5)),
    "carriage returns": (8000, lambda w, r, n: bytewise(SseCodec, b"\r" * n)),
    "ndjson line without end": (20_000, lambda w, r, n: bytewise(NdjsonCodec, b'{"a":"' + b"x" * n)),
    "array without end": (20_000, lambda w, r, n: bytewise(JsonArrayCodec, b'[{"a":"' + b"x" * n)),
    "array of brackets": (10_000, lambda w, r, n: bytewise(JsonArrayCodec, b"[" * n, 7)),
    "parts of a form": (1000, lambda w, r, n: list(pieces(b"--b\r\n\r\nx\r\n" * n, b"b"))),
    "almost a boundary": (40_000, lambda w, r, n: list(pieces(b"\r\n--" * n, b"b"))),
    "arguments bit by bit": (2500, lambda w, r, n: channelled(w, '{"a": "' + "x y " * n)),
    "arguments of one word": (2500, lambda w, r, n: channelled(w, '{"a": ["' + "x " * n + '"]}')),
    "chat deltas": (250, lambda w, r, n: streamed(w, sse(*[chat(f"w{i} a@b.c ") for i in range(n)]), 64)),
    "one delta in bytes": (3000, lambda w, r, n: streamed(w, sse(chat("word " * n)), 3)),
}


def cpu_s(work: Callable[[int], object], size: int) -> float:
    """The least CPU time of three; refusing is an answer, too."""

    def once() -> float:
        started = time.process_time()
        with contextlib.suppress(BodyError):
            work(size)
        return time.process_time() - started

    return max(LEAST_S, min(once() for _ in range(3)))


@pytest.mark.parametrize("name", WORK)
def test_time_is_linear(word_rewriter: Any, rules: Any, name: str) -> None:
    """Eight times as much takes about eight times as long."""
    size, work = WORK[name]

    def run(n: int) -> object:
        return work(word_rewriter, rules, n)

    ratio = cpu_s(run, size * TIMES_LARGER) / cpu_s(run, size)

    assert ratio < RATIO_MAX
