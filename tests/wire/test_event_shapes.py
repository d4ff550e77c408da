"""An event whose shape is known is read as if it were read anew, in every format, at every value."""

import base64
import gzip
import json
from pathlib import Path

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outwarden.wire import event_shapes
from outwarden.wire.event_shapes import Shapes
from outwarden.wire.format import TextRules
from outwarden.wire.formats import format_named
from outwarden.wire.formats.rules import text_rules
from outwarden.wire.json_walk import read_tree
from outwarden.wire.stream import StreamRewriter

CORPUS = Path(__file__).parents[2].parent / "shared" / "wire"

texts = st.text(st.sampled_from('ann@b.c 4"\\\n{[é😀'), max_size=8) | st.sampled_from(
    ["ann@x.example ", "data:", "index", "t"]
)
counts = st.integers(0, 200) | st.sampled_from([-1, 1.5, 10**11 - 1, 10**11, 10**12, 4111111111111111, True, None, "7"])
paddings = st.text(st.sampled_from("abZ09_- @"), max_size=6) | st.sampled_from(["ann@b.c", "4111111111111111", 4, None])


def chat(piece, count, padding):
    choice = {"index": 0, "delta": {"content": piece}, "logprobs": None, "finish_reason": None}
    return {"id": "c1", "created": 1, "model": "m", "choices": [choice], "obfuscation": padding, "n": count}


def chat_tool(piece, count, padding):
    call = {"index": count, "function": {"arguments": piece, "obfuscation": padding}}
    return {
        "choices": [{"index": 0, "delta": {"tool_calls": [call], "content": None}}],
        "usage": {"total_tokens": count},
    }


def responses(piece, count, padding):
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "logprobs": [], "sequence_number": count}
    return {"type": "response.output_text.delta", **place, "delta": piece, "obfuscation": padding}


def realtime(piece, count, padding):
    place = {"response_id": "resp_1", "item_id": "item_1", "output_index": 0, "content_index": 0}
    return {"type": "response.output_text.delta", "event_id": padding, **place, "delta": piece, "obfuscation": "abc"}


def anthropic(piece, count, padding):
    return {"type": "content_block_delta", "index": count, "delta": {"type": "text_delta", "text": piece}}


def gemini(piece, count, padding):
    part = {"text": piece, "signature": count, "obfuscation": padding}
    usage = {"candidatesTokenCount": count, "totalTokenCount": 9}
    return {"candidates": [{"content": {"parts": [part]}, "index": 0}], "usageMetadata": usage, "modelVersion": "g"}


def thought(piece, count, padding):
    part = {"text": piece, "thought": True, "thoughtSignature": count, "args": {"obfuscation": padding, "n": count}}
    return {"candidates": [{"content": {"parts": [part, {"text": "x", "signature": count}]}, "index": 0}]}


FORMATS = {
    chat: ("openai", "/v1/chat/completions"),
    chat_tool: ("openai", "/v1/chat/completions"),
    responses: ("openai", "/v1/responses"),
    realtime: ("openai", "/v1/realtime"),
    anthropic: ("anthropic", "/v1/messages"),
    gemini: ("gemini", "/v1beta/models/g:streamGenerateContent"),
    thought: ("gemini", "/v1beta/models/g:streamGenerateContent"),
}
events = st.lists(st.tuples(texts, counts, paddings, st.integers(0, 3)), min_size=2, max_size=12)


class NoShapes(Shapes):
    def find(self, data):
        return None


def outcome(format, operation, framing, pieces, rewriter, patched):
    """All that a stream rewriter shows, after each piece."""
    stream = StreamRewriter(format, operation, framing, rewriter)
    if patched:
        stream._shapes = NoShapes(frozenset())
    seen = []
    for piece in [*pieces, None]:
        out = stream.flush() if piece is None else stream.feed(piece)
        usage = stream.usage
        facts = (usage, usage and usage.raw and dict(usage.raw), stream.model, stream.error, stream.began, stream.ended)
        seen.append((out, orjson.dumps(facts, default=str), stream.events, stream.output_text_bytes))
    return seen, rewriter.noted


@pytest.mark.parametrize("make", FORMATS)
@given(made=events, ascii_only=st.booleans())
@example(made=[("a", 1, "x", 0), ("b@c.d", 2, "ann@b.c", 0), (" ", 0, "abc", 1), ("é", 3, "abcd", 2)], ascii_only=True)
def test_a_known_shape_changes_nothing(word_rewriter, make, made, ascii_only):
    """Bytes, when they leave, what was found, and all facts are those of reading each event anew."""
    name, path = FORMATS[make]
    format = format_named(name)
    operation = format.identify("POST", path)
    lines = [json.dumps(make(*values), ensure_ascii=ascii_only) + " " * spaces for *values, spaces in made]
    pieces = [f"data: {line}\n\n".encode() for line in lines]

    fast = outcome(format, operation, "sse", pieces, word_rewriter(), False)
    assert fast == outcome(format, operation, "sse", pieces, word_rewriter(), True)


def recorded():
    for file in sorted(CORPUS.glob("http-*.jsonl.gz")) if CORPUS.is_dir() else []:
        yield pytest.param(file, id=file.name.split(".")[0])


@pytest.mark.parametrize("file", list(recorded()))
def test_recorded_streams_are_read_alike(word_rewriter, file):
    """With what was learned and without, event by event."""
    with gzip.open(file) as records:
        for record in list(map(json.loads, records))[::5]:
            body = base64.b64decode(record["response"].get("body_b64") or "")
            if record["stream_format"] != "sse" or record["response"]["fidelity"] != "exact" or len(body) > 60_000:
                continue
            format = format_named(record["provider"] if record["provider"] in ("anthropic", "gemini") else "openai")
            operation = format.identify("POST", record["request"]["url"].split("?")[0].split("//")[1].partition("/")[2])
            pieces = body.splitlines(keepends=True)
            fast = outcome(format, operation, "sse", pieces, word_rewriter(), False)
            assert fast == outcome(format, operation, "sse", pieces, word_rewriter(), True), record["id"]


def learned(data, key="t", rules=None):
    tree = orjson.loads(data)
    shapes = Shapes(frozenset({"obfuscation"}))
    shapes.learn(tree, *_read(data, tree, key, rules or text_rules()))
    return shapes


def _read(data, tree, key, rules):
    from outwarden.wire.format import Delta

    marks = {(id(tree), key): 0}
    return read_tree(data, tree, rules, marks), [Delta(tree, key, "c")], marks


@pytest.mark.parametrize(
    ("data", "fits"),
    [
        (b'{"t":"b","n":7,"obfuscation":"xyz"}', True),
        (b'{"t":"b \\u00e9\\n","n":12345678901,"obfuscation":"x"}', True),
        (b'{"t":"b","n":7,"obfuscation":"x"} \n ', True),
        (b'{"t":"","n":7,"obfuscation":"x"}', False),
        (b'{"t":"b","n":0,"obfuscation":"x"}', False),
        (b'{"t":"b","n":123456789012,"obfuscation":"x"}', False),
        (b'{"t":"b","n":1.5,"obfuscation":"x"}', False),
        (b'{"t":"b","n":7,"obfuscation":"123"}', False),
        (b'{"t":"b","n":7,"obfuscation":"a@b"}', False),
        (b'{"t":"\\ud83d","n":7,"obfuscation":"x"}', False),
        (b'{"t":"\xff","n":7,"obfuscation":"x"}', False),
        (b'{"t":"b\n","n":7,"obfuscation":"x"}', False),
        (b'{"t":"b","n":7,"obfuscation":"x"', False),
        (b'{"t":"b","x":"c","n":7,"obfuscation":"x"}', False),
        (b'{"t":"b","n":7, "obfuscation":"x"}', False),
    ],
)
def test_what_fits_a_shape(data, fits):
    """Only what the parser would take, and what the rules judge alike; its values are in the tree."""
    shape = learned(b'{"t":"a","n":3,"obfuscation":"abc"}').find(data)

    assert (shape is not None) == fits
    assert shape is None or {**shape.tree, "obfuscation": ""} == {**orjson.loads(data), "obfuscation": ""}


def test_padding_among_a_callers_own_data_is_text():
    """There it is no padding, and no hole."""
    data = b'{"t":"a","args":{"obfuscation":"abc"}}'

    assert learned(data, rules=text_rules("args")).find(data.replace(b"abc", b"abd")) is None
    assert learned(data, rules=text_rules()).find(data.replace(b"abc", b"abd")) is not None


def test_a_stream_without_repetition_stops_to_learn():
    """It pays for a few shapes and no more, and keeps only the last ones; what comes again earns new ones."""
    shapes = Shapes(frozenset())
    for number in range(100):
        data = b'{"t":"a","x":"%d"}' % number
        tree = orjson.loads(data)
        shapes.learn(tree, *_read(data, tree, "t", TextRules()))
    kept = [number for number in range(100) if shapes.find(b'{"t":"b","x":"%d"}' % number)]

    assert kept == list(range(event_shapes._CREDIT - event_shapes._SHAPES_MAX, event_shapes._CREDIT))
