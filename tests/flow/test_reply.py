"""A streamed reply decodes, rewrites and ends; whatever fails in it, nothing raises and nothing more leaves."""

import gzip
import json
import logging
from typing import Any

import brotli
import pytest
from talk import BILL, DONE, EMAIL, FAULT, ROLE, STOP, piece

from outwarden.errors import BodyError
from outwarden.flow.reply import ReplyStream
from outwarden.pii import PiiEngine, PiiPolicy, Vault
from outwarden.wire.format import Refusal
from outwarden.wire.formats import format_named
from outwarden.wire.stream import StreamRewriter
from outwarden.wire.translation import StreamTranslation
from outwarden.wire.translation.neutral import Asked
from outwarden.wire.translation.tongue import TONGUES

STREAM = ROLE + piece("one ") + piece("two") + STOP + BILL + DONE
FORMAT = format_named("openai")
OPERATION = FORMAT.identify("POST", "/v1/chat/completions")


def reply(encoding: str = "") -> ReplyStream:
    """A reply through the real stages, with default rules."""
    rewriter = PiiEngine(PiiPolicy(), b"secret").reply(Vault())
    return ReplyStream(StreamRewriter(FORMAT, OPERATION, "sse", rewriter), encoding, FORMAT, OPERATION, "sse")


def play(stream: ReplyStream, data: bytes, size: int = 7) -> bytes:
    """Feed bytes in pieces and finish."""
    out = b"".join(stream.feed(data[at : at + size]) for at in range(0, len(data), size))
    return out + stream.finish()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("", bytes),
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("br", brotli.compress),
        ("gzip, br", lambda data: brotli.compress(gzip.compress(data))),
    ],
    ids=["none", "identity", "gzip", "br", "both"],
)
@pytest.mark.parametrize("size", [1, 13, 10_000])
def test_a_reply_comes_out_decoded(encoding: str, pack: Any, size: int) -> None:
    """Whatever the encoding and the cuts, the client gets the same events, and the reply tells what it said."""
    stream = reply(encoding)

    assert play(stream, pack(STREAM), size) == STREAM
    assert (stream.began, stream.complete, stream.error, stream.broken) == (True, True, None, None)
    assert stream.rewriter.usage
    assert stream.rewriter.usage.output_tokens == 2


@pytest.mark.parametrize("encoding", ["compress", "gzip, rot13"])
def test_an_encoding_that_nobody_knows_is_refused_at_once(encoding: str) -> None:
    """What cannot be decoded cannot be read."""
    with pytest.raises(BodyError):
        reply(encoding)


@pytest.mark.parametrize("data", [gzip.compress(STREAM)[:-9], gzip.compress(STREAM) + b"more"])
def test_what_is_wrong_behind_the_end_of_an_answer_takes_nothing_from_it(data: bytes) -> None:
    """An answer that said that it ends is whole, though its coding is cut behind that or something follows."""
    stream = reply("gzip")

    assert play(stream, data) == STREAM
    assert (stream.complete, stream.broken) == (True, None)


BEGUN = ROLE + piece("one ") + piece("two")


@pytest.mark.parametrize("data", [gzip.compress(BEGUN)[:-9], gzip.compress(BEGUN) + b"more", b"no gzip"])
def test_broken_encodings_break_the_reply(data: bytes) -> None:
    """A body that is not what it says stops the reply; the reason is fit to be shown."""
    stream = reply("gzip")
    play(stream, data)

    assert stream.broken
    assert "gzip" in stream.broken
    assert stream.upstream_fault


def test_a_stage_that_raises_breaks_the_reply(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """Nothing raises out of it, nothing more comes out, and the text of the error is not shown."""

    def raising(self: object, data: bytes) -> bytes:
        raise RuntimeError(EMAIL)

    stream = reply()
    stream.feed(ROLE)
    with monkeypatch.context() as patch:
        patch.setattr(StreamRewriter, "feed", raising)
        assert stream.feed(piece("x")) == b""
    assert stream.broken == "an internal error"
    assert not stream.upstream_fault
    assert stream.feed(piece("later")) == b""
    assert stream.finish() == b""
    assert "RuntimeError at test_reply.py" in caplog.text
    assert EMAIL not in caplog.text


def test_an_event_that_is_no_json_is_the_upstreams_fault() -> None:
    """Another upstream may do better."""
    stream = reply()
    stream.feed(ROLE)

    assert stream.feed(b'data: {"choices": [\n\n') == b""
    assert stream.broken
    assert stream.upstream_fault


def test_a_reply_that_is_cut_is_not_complete() -> None:
    """A body may end properly in the middle of an answer."""
    stream = reply()
    play(stream, ROLE + piece("one "))
    assert not stream.complete
    stream = reply()
    play(stream, ROLE + FAULT)
    assert stream.complete
    assert stream.error


def test_an_error_event_in_the_formats_own_shape() -> None:
    """What ends a stream that cannot go on is the format's own event."""
    refusal = Refusal(502, "outwarden_error", "The reply was stopped.")

    assert reply().refuse(refusal) == FORMAT.refuse_event(OPERATION, "sse", refusal)


def test_a_reply_that_never_ends_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a stream has a largest size, decoded."""
    monkeypatch.setattr("outwarden.flow.reply.MAX_STREAM_BYTES", 1000)
    logging.getLogger("outwarden.flow.reply").setLevel(logging.CRITICAL)
    stream = reply("gzip")
    play(stream, gzip.compress(piece("word ") * 100))
    logging.getLogger("outwarden.flow.reply").setLevel(logging.NOTSET)

    assert stream.broken == "the decoded body is too long"


@pytest.mark.parametrize(("events", "chunks"), [(ROLE, 0), (ROLE + piece("one "), 1)])
def test_a_refusal_ends_a_translated_array(events: bytes, chunks: int) -> None:
    """Also before its first element: what the client gets is one JSON document, with the error at its end."""
    gemini = format_named("gemini")
    operation = gemini.identify("POST", "/v1beta/models/m:streamGenerateContent")
    rewriter = StreamRewriter(FORMAT, OPERATION, "sse", PiiEngine(PiiPolicy(), b"secret").reply(Vault()))
    writer = TONGUES["gemini"].writer(Asked("m", framing="json-array"))
    translating = StreamTranslation(TONGUES["openai"].reader(), writer)
    stream = ReplyStream(rewriter, "", gemini, operation, "json-array", translating)
    out = json.loads(stream.feed(events + b"\n") + stream.refuse(Refusal(502, "upstream_failed", "It broke off.")))

    assert [next(iter(each)) for each in out] == ["candidates"] * chunks + ["error"]
