"""Whatever comes in: no parser raises anything but BodyError, all agree with themselves however the bytes are cut."""

import contextlib
import gzip
import zlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard
from broken import BODIES, CHAT, EXAMPLES, GEMINI_ARRAY, OLLAMA, RESPONSES, STREAMS, broken, in_pieces
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.errors import BodyError
from outwarden.wire import StreamRewriter, rewrite_json
from outwarden.wire.aws_events import AwsEventsCodec, make_frame
from outwarden.wire.charsets import charset_of, to_utf_8
from outwarden.wire.edits import ChannelRewriter
from outwarden.wire.encodings import Decoder, decode
from outwarden.wire.formats import format_named
from outwarden.wire.json_array import JsonArrayCodec
from outwarden.wire.json_channel import JsonChannel
from outwarden.wire.multipart import boundary_of, form_values, pieces
from outwarden.wire.ndjson import NdjsonCodec
from outwarden.wire.sse import SseCodec
from outwarden.wire.top_level import replace_value, value_spans
from outwarden.wire.urlencoded import rewrite_pairs

HEADERS = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
FRAMES = b"".join(
    make_frame(HEADERS, body) for body in [b'{"bytes":"eyJhIjoxfQ=="}', b'{"p":"abc","delta":{"text":"hi"}}']
)
FORM = (
    b'--frontier\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nMail ada@b.co\r\n'
    b'--frontier\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\nContent-Length: 7\r\n\r\n'
    b'{"a":1}\r\n--frontier--\r\n'
)
BOUND = 2**20


class Nothing:
    """Finds nothing, and minds no text."""

    def edits(self, texts: Sequence[str]) -> list[Sequence[Any]]:
        return [[] for _ in texts]

    def note(self, found: Any) -> None:
        assert list(found) == []

    def channel(self) -> ChannelRewriter:
        return NoChannel()


class NoChannel:
    """Decides everything at once."""

    def __init__(self) -> None:
        self._fed = 0

    def feed(self, text: str) -> tuple[int, Sequence[Any]]:
        self._fed += len(text)
        return self._fed, ()

    def finish(self) -> Sequence[Any]:
        return ()


def outcome(work: Any) -> Any:
    """What it returns, or that it refused; anything else it raises is a failure of the test."""
    try:
        return work()
    except BodyError:
        return BodyError


@settings(max_examples=EXAMPLES)
@given(broken(BODIES))
def test_a_body_is_rewritten_or_refused(word_rewriter: Any, rules: Any, body: bytes) -> None:
    """Without findings the same bytes, with findings a document again; never anything but BodyError."""
    same = outcome(lambda: rewrite_json(body, rules, Nothing()).body)
    changed = outcome(lambda: rewrite_json(body, rules, word_rewriter()).body)

    assert same in (body, BodyError)
    if changed is not BodyError:
        assert outcome(lambda: rewrite_json(changed, rules, Nothing()).body) == changed


@settings(max_examples=EXAMPLES)
@given(broken(BODIES), st.sampled_from(["model", "a", "stream"]))
def test_top_level_values_are_found_or_refused(body: bytes, key: str) -> None:
    """Looking for keys and replacing a value: a result or BodyError."""
    outcome(lambda: value_spans(body))
    outcome(lambda: replace_value(body, key, b"1"))


@pytest.mark.parametrize(
    ("codec", "seeds"),
    [
        (SseCodec, [CHAT, RESPONSES, CHAT.replace(b"\n", b"\r\n"), CHAT.replace(b"\n", b"\r")]),
        (NdjsonCodec, [OLLAMA]),
        (JsonArrayCodec, [GEMINI_ARRAY, *BODIES]),
        (AwsEventsCodec, [FRAMES]),
    ],
    ids=["sse", "ndjson", "json-array", "aws"],
)
def test_events_do_not_depend_on_the_cuts(codec: Any, seeds: list[bytes]) -> None:
    """The same events from any pieces; together they are the stream (but for a torn AWS frame)."""

    @settings(max_examples=EXAMPLES)
    @given(in_pieces(seeds))
    def check(cut: list[bytes]) -> None:
        def read(data: list[bytes]) -> list[bytes]:
            reader = codec(BOUND)
            found = [event.raw for piece in data for event in reader.feed(piece)]
            return found + [event.raw for event in reader.flush()]

        whole, parts = outcome(lambda: read([b"".join(cut)])), outcome(lambda: read(cut))

        assert parts == whole
        if whole is not BodyError and codec is not AwsEventsCodec:
            assert b"".join(whole) == b"".join(cut)

    check()


@pytest.mark.parametrize(
    ("name", "path", "framing", "seed"), STREAMS, ids=[f"{s[0]}-{s[2]}-{n}" for n, s in enumerate(STREAMS)]
)
def test_a_stream_is_rewritten_alike_however_it_is_cut(
    word_rewriter: Any, name: str, path: str, framing: Any, seed: bytes
) -> None:
    """Broken streams of every format: untouched without findings, and with them the same from any pieces."""
    format_ = format_named(name)
    operation = format_.identify("POST", path)

    def rewritten(cut: list[bytes], rewriter: Any) -> bytes:
        stream = StreamRewriter(format_, operation, framing, rewriter, max_event_bytes=BOUND)
        return b"".join([*map(stream.feed, cut), stream.flush()])

    @settings(max_examples=EXAMPLES)
    @given(in_pieces([seed]))
    def check(cut: list[bytes]) -> None:
        whole = b"".join(cut)

        assert outcome(lambda: rewritten(cut, Nothing())) in (whole, BodyError)
        assert outcome(lambda: rewritten(cut, word_rewriter())) == outcome(lambda: rewritten([whole], word_rewriter()))

    check()


@settings(max_examples=EXAMPLES)
@given(in_pieces([*BODIES, b'{"to": "ada@b.co", "x": "\\u00e9\\n", "n": [1, 2.5e3, true]}', b"no json ada@b.co"]))
def test_arguments_are_decided_alike_however_they_are_cut(word_rewriter: Any, cut: list[bytes]) -> None:
    """A document in pieces (tool arguments): the same edits, each only once and in order."""
    text = b"".join(cut).decode("utf-8", "replace")
    bounds = [0]
    for piece in cut:
        bounds.append(min(len(text), bounds[-1] + len(piece)))
    bounds.append(len(text))

    def edits(parts: list[str]) -> list[Any]:
        channel = JsonChannel(word_rewriter())
        found = [edit for part in parts for edit in channel.feed(part)[1]]
        return found + list(channel.finish())

    parts = edits([text[a:b] for a, b in pairwise(bounds)])

    assert [(e.start, e.end, e.replacement) for e in parts] == [(e.start, e.end, e.replacement) for e in edits([text])]
    assert all(a.end <= b.start for a, b in pairwise(parts))


@settings(max_examples=EXAMPLES)
@given(broken([FORM, FORM.replace(b"\r\n", b"\n")]), st.text(max_size=40))
def test_a_form_is_cut_into_what_it_was(body: bytes, content_type: str) -> None:
    """Parts join to the body; odd Content-Types are refused and nothing else."""
    outcome(lambda: boundary_of(f"multipart/form-data; {content_type}"))
    found = outcome(lambda: list(pieces(body, b"frontier")))

    if found is not BodyError:
        assert b"".join(piece.head + piece.content for piece in found) == body
        assert isinstance(form_values(iter(found)), dict)
        assert all(isinstance(piece.name(), tuple) for piece in found if piece.is_part)


PLAIN = b'{"text": "' + b"ada.quill " * 50 + b'"}'
PACKED = {
    "gzip": gzip.compress(PLAIN, mtime=0),
    "deflate": zlib.compress(PLAIN),
    "br": brotli.compress(PLAIN),
    "zstd": zstandard.ZstdCompressor().compress(PLAIN),
}


@pytest.mark.parametrize("encoding", [*PACKED, "gzip, br", "x-gzip,identity", "nothing", ""])
def test_broken_compression_is_refused(encoding: str) -> None:
    """Whole or in pieces: what was packed, or BodyError; and never more than the bound."""

    @settings(max_examples=EXAMPLES)
    @given(in_pieces(list(PACKED.values())))
    def check(cut: list[bytes]) -> None:
        def parts() -> bytes:
            decoder = Decoder(encoding, BOUND)
            out = b"".join(map(decoder.feed, cut))
            decoder.finish()
            return out

        whole = outcome(lambda: decode(b"".join(cut), encoding, BOUND))

        assert outcome(parts) == whole
        assert whole is BodyError or len(whole) <= BOUND

    check()


@settings(max_examples=EXAMPLES)
@given(broken(BODIES), st.text(max_size=30))
def test_charsets_are_told_or_not(body: bytes, content_type: str) -> None:
    """Any bytes under any Content-Type: a charset or none, and text or none."""
    charset = charset_of(body, f"text/plain; charset={content_type}")

    if charset is not None:
        assert to_utf_8(body, charset) is None or isinstance(to_utf_8(body, charset), bytes)


@settings(max_examples=EXAMPLES)
@given(st.text(max_size=60) | st.sampled_from(["a=1&b=%zz&=&&a=%F0%9F", "prompt=ada%40b.co&x"]))
def test_pairs_stay_as_they_are(query: str) -> None:
    """A query or a form whose values nobody changes is the same afterwards."""

    assert rewrite_pairs(query, lambda texts: texts) == query


def test_nothing_is_swallowed() -> None:
    """The helper of these tests lets every other exception through."""
    with pytest.raises(ZeroDivisionError), contextlib.suppress(BodyError):
        outcome(lambda: 1 // 0)
