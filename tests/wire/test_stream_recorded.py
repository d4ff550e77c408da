"""Recorded traffic: without a finding no byte changes, with findings a stream says what the whole text says."""

import base64
import gzip
import json
import random
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from outwarden.wire.body import Memory, rewrite_json, rewrite_text
from outwarden.wire.edits import Edit
from outwarden.wire.formats import format_named
from outwarden.wire.stream import _CODECS, StreamRewriter

CORPUS = Path(__file__).parents[2].parent / "shared" / "wire"
FORMATS = {"anthropic": "anthropic", "gemini": "gemini", "vertex": "gemini", "cohere": "cohere", "ollama": "ollama"}
FORMATS |= dict.fromkeys(("bedrock", "bedrock-agent", "bedrock-mantle", "sagemaker"), "bedrock")
# A sample that keeps the test in seconds: every n-th record of each provider, and no very large body.
EVERY = 6
BODY_BYTES_MAX = 120_000
ONE_BYTE_CUTS_MAX = 6_000

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the recorded corpus is not there")


class Nothing:
    """Finds nothing, holds nothing."""

    def edits(self, texts):
        return [()] * len(texts)

    def note(self, found):
        assert not list(found)

    def channel(self):
        return NothingChannel()


class NothingChannel:
    def __init__(self):
        self.fed = 0

    def feed(self, text):
        self.fed += len(text)
        return self.fed, ()

    def finish(self):
        return ()


def records(file):
    with gzip.open(file) as lines:
        for number, line in enumerate(lines):
            record = json.loads(line)
            if number % EVERY == 0 or record["stream_format"] in ("ndjson", "json-array", "aws-eventstream"):
                yield record


def exact_body(record, side):
    """The recorded bytes, where they are what was on the wire."""
    message = record[side]
    body = base64.b64decode(message.get("body_b64") or "")
    return body if message["fidelity"] == "exact" and len(body) <= BODY_BYTES_MAX else b""


def cuts(body):
    yield "whole", [body]
    sizes, at = random.Random(len(body)), 0
    pieces = []
    while at < len(body):
        size = sizes.choice((1, 7, 60, 400, 4000))
        pieces.append(body[at : at + size])
        at += size
    yield "random", pieces
    if len(body) <= ONE_BYTE_CUTS_MAX:
        yield "one byte", [bytes([byte]) for byte in body]


def files():
    return sorted(CORPUS.glob("http-*.jsonl.gz")) if CORPUS.is_dir() else []


@pytest.mark.parametrize("file", files(), ids=lambda file: file.name.split(".")[0])
def test_recorded_traffic_passes_unchanged(file):
    """Requests, replies and streams of one provider: identical bytes, and the same facts at each cut."""
    memory = Memory(10**7)
    for record in records(file):
        format, operation, framing = described(record)
        if framing is not None and (body := exact_body(record, "response")):
            check_stream(format, operation, framing, body, record["id"])
        for side in ("request", "response"):
            content_type = record[side]["headers"].get("content-type", "")
            body = exact_body(record, side)
            if content_type.startswith("application/json") and is_json(body):
                for _ in range(2):
                    result = rewrite_json(body, format.text_rules(operation), Nothing(), memory=memory)
                    assert result.body is body, record["id"]


def described(record):
    format = format_named(FORMATS.get(record["provider"], "openai"))
    url = urlsplit(record["request"]["url"])
    operation = format.identify(record["request"]["method"], unquote(url.path))
    content_type = record["response"]["headers"].get("content-type", "")
    return format, operation, format.framing(operation, content_type, f"{url.path}?{url.query}")


def check_stream(format, operation, framing, body, name):
    facts = []
    for cut, pieces in cuts(body):
        stream = StreamRewriter(format, operation, framing, Nothing())
        out = b"".join([*(stream.feed(piece) for piece in pieces), stream.flush()])
        assert out == body, (name, cut)
        facts.append((stream.ended, stream.error, stream.usage, stream.model, stream.events, stream.output_text_bytes))
    assert all(fact == facts[0] for fact in facts), name


def said(format, operation, framing, body):
    """What each channel of a stream says, its pieces joined."""
    texts = {}
    codec = _CODECS[framing](1 << 24)
    for event in [*codec.feed(body), *codec.flush()]:
        if event.data is not None and is_json(event.data):
            for delta in format.read_event(operation, event.name, json.loads(event.data)).deltas:
                texts[delta.channel] = texts.get(delta.channel, "") + delta.parent[delta.key]
    return texts


@pytest.mark.parametrize("file", files(), ids=lambda file: file.name.split(".")[0])
def test_recorded_answers_say_the_same_streamed_or_whole(file, common_words):
    """Each answer, reasoning and tool call of a stream is what rewriting its whole text gives."""
    for record in records(file):
        format, operation, framing = described(record)
        body = exact_body(record, "response")
        if framing is None or not body or (framing == "sse" and is_json(body)):
            continue
        stream = StreamRewriter(format, operation, framing, common_words())
        out = b"".join([*(stream.feed(body[at : at + 300]) for at in range(0, len(body), 300)), stream.flush()])
        before, after = (said(format, operation, framing, stream) for stream in (body, out))
        assert {key: rewrite_text(text, common_words()) for key, text in before.items()} == after, record["id"]


@pytest.fixture(scope="module")
def common_words(word_rewriter):
    """Finds a few words that every answer has and no API uses as a key."""

    class CommonWords(word_rewriter):
        def _edit(self, word):
            found = word[0].lower() in {"the", "and", "you", "that", "with", "of", "is", "a"}
            return Edit(*word.span(), self.replacement) if found else None

    return CommonWords


def is_json(body):
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
