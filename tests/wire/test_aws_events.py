"""AWS event streams: frames lose no byte, false ones are refused, and an edit leaves a frame that AWS's SDK reads."""

import json
import struct
import uuid
import zlib
from base64 import b64decode, b64encode
from datetime import UTC, datetime

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import example, given
from hypothesis import strategies as st

from outwarden.errors import BodyError
from outwarden.wire.aws_events import AwsEventsCodec, exception_frame, make_frame
from outwarden.wire.formats import format_named
from outwarden.wire.stream import StreamRewriter

JSON = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
names = st.sampled_from([":event-type", ":content-type", ":error-message", "x-trace", ":message-type"])
headers = st.dictionaries(names, st.text(max_size=12), max_size=5)
payloads = st.binary(max_size=40) | st.dictionaries(st.text(max_size=5), st.text(max_size=9)).map(
    lambda value: json.dumps(value).encode()
)
streams = st.lists(st.tuples(headers, payloads), max_size=8)
cuts = st.lists(st.integers(1, 40), max_size=40)
texts = st.lists(
    st.sampled_from(["ann@x.example", "4111111111111111", "so", " ", "é😀", '"', "\n", "a@b"]), min_size=1, max_size=6
).map("".join)


def joined(stream):
    return b"".join(make_frame(headers, payload) for headers, payload in stream)


def pieces_of(stream, cuts):
    at = 0
    for size in cuts:
        yield stream[at : at + size]
        at += size
    yield stream[at:]


def events_of(pieces, max_event_bytes=1 << 20):
    codec = AwsEventsCodec(max_event_bytes)
    return [event for piece in pieces for event in codec.feed(piece)] + codec.flush()


def as_a_client(stream):
    """(headers, payload) of each frame as AWS's own parser reads them, checksums verified."""
    buffer = EventStreamBuffer()
    buffer.add_data(stream)
    return [(event.headers, event.payload) for event in buffer]


def wrapped(inner, **more):
    """A chunk as Bedrock's invoke and agents send it."""
    plain = inner if isinstance(inner, bytes) else json.dumps(inner, ensure_ascii=False).encode()
    payload = {"bytes": b64encode(plain).decode(), "p": "abcdefgh", **more}
    return make_frame(JSON, json.dumps(payload, separators=(",", ":")).encode())


def rewritten(path, rewriter, stream, cuts=()):
    format_ = format_named("bedrock")
    state = StreamRewriter(format_, format_.identify("POST", path), "aws-event-stream", rewriter)
    return state, b"".join(map(state.feed, pieces_of(stream, cuts))) + state.flush()


# --- frames ----------------------------------------------------------------------------------------------------------


@given(streams, cuts)
def test_frames_lose_no_byte(stream, cuts):
    """However the bytes arrive, the events' raw bytes joined are the stream, and each is a frame to AWS's parser."""
    whole = joined(stream)
    events = events_of(pieces_of(whole, cuts))

    assert [event.raw for event in events] == [make_frame(*frame) for frame in stream]
    assert as_a_client(b"".join(event.raw for event in events)) == stream


@given(streams.filter(bool), cuts)
def test_an_edit_of_nothing_prints_the_same(stream, cuts):
    """Parsing and printing a frame is the identity, headers of every kind included."""
    for event in events_of(pieces_of(joined(stream), cuts)):
        assert event.spliced([], []) == event.raw


def test_headers_of_every_type_stay() -> None:
    """Booleans, numbers, bytes, times and UUIDs are stepped over and kept by an edit."""
    spelled = b"".join(
        bytes([len(name)]) + name + value
        for name, value in {
            b"yes": b"\0",
            b"no": b"\1",
            b"byte": b"\2\x07",
            b"short": b"\3" + struct.pack(">h", -7),
            b"int": b"\4" + struct.pack(">i", -7),
            b"long": b"\5" + struct.pack(">q", -7),
            b"blob": b"\6" + struct.pack(">H", 3) + b"\0\1\2",
            b":event-type": b"\7" + struct.pack(">H", 5) + b"chunk",
            b":content-type": b"\7" + struct.pack(">H", 16) + b"application/json",
            b"time": b"\x08" + struct.pack(">q", int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)),
            b"id": b"\x09" + uuid.UUID(int=7).bytes,
        }.items()
    )
    payload = b'{"text":"ann"}'
    lengths = struct.pack(">II", len(spelled) + len(payload) + 16, len(spelled))
    message = lengths + struct.pack(">I", zlib.crc32(lengths)) + spelled + payload
    [event] = events_of([message + struct.pack(">I", zlib.crc32(message))])
    [(got, new)] = as_a_client(event.spliced([(9, 12, b"[X]")], []))

    assert event.name == "chunk"
    assert new == b'{"text":"[X]"}'
    assert got == as_a_client(event.raw)[0][0]
    assert len(got) == 11


@given(st.integers(0, 200), st.integers(1, 255))
@example(0, 1)
@example(8, 1)
def test_no_byte_can_be_turned(at, flip):
    """Whatever byte is changed, the frame is refused or waits for bytes that never come; nothing is passed on."""
    frame = bytearray(make_frame(JSON, b'{"bytes":"e30="}'))
    frame[at % len(frame)] ^= flip

    with pytest.raises(BodyError, match="frame"):
        events_of([bytes(frame)])


@pytest.mark.parametrize(
    ("headers", "payload", "reason"),
    [
        (b"\5abc", b"", "longer"),
        (b"\3abc\7\0\7x", b"payload", "longer"),
        (b"\3abc\x63", b"payload", "unknown type"),
        (b"\1a\0\1a\1", b"", "repeats"),
        (b"\1a\7", b"", "longer"),
        (b"\xff", b"", "longer"),
    ],
)
def test_headers_that_cannot_be(headers, payload, reason):
    """A frame whose headers do not add up is refused, though its checksums are right."""
    lengths = struct.pack(">II", len(headers) + len(payload) + 16, len(headers))
    message = lengths + struct.pack(">I", zlib.crc32(lengths)) + headers + payload

    with pytest.raises(BodyError, match=reason):
        events_of([message + struct.pack(">I", zlib.crc32(message))])


@pytest.mark.parametrize(("length", "headers"), [(0, 0), (15, 0), (16, 1), (40, 2**32 - 1)])
def test_lengths_that_cannot_be(length, headers):
    """A prelude whose lengths contradict each other is refused at once."""
    lengths = struct.pack(">II", length, headers)

    with pytest.raises(BodyError, match="contradict"):
        events_of([lengths + struct.pack(">I", zlib.crc32(lengths))])


def test_a_frame_is_bounded() -> None:
    """Too long a frame is refused by its first twelve bytes, before anything of it is kept."""
    frame = make_frame({}, b"x" * 100)

    assert len(events_of([frame], max_event_bytes=len(frame))) == 1
    with pytest.raises(BodyError, match="longer than"):
        events_of([frame[:12]], max_event_bytes=len(frame) - 1)


def test_a_frame_cut_short_is_dropped() -> None:
    """Nobody can read the rest of a frame, so nothing of it is passed on."""
    frame = make_frame(JSON, b"{}")

    assert [event.raw for event in events_of([frame + frame[:-1]])] == [frame]


# --- what is inside --------------------------------------------------------------------------------------------------


@given(st.lists(texts, min_size=1, max_size=4), st.sampled_from(["abcd", ""]), cuts)
def test_edits_change_their_spans_alone(word_rewriter, rewritten_text, parts, padding, cuts):
    """Inside base64 or not: the text is rewritten as a whole, keys, padding and headers stay byte-equal."""
    events = [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": t}} for t in parts]
    stream = b"".join(wrapped(event, p=padding) for event in events)
    _, out = rewritten("/model/m/invoke-with-response-stream", word_rewriter(), stream, cuts)
    said = []
    for (old_headers, old), (headers, new) in zip(as_a_client(stream), as_a_client(out), strict=True):
        inner = json.loads(b64decode(json.loads(new)["bytes"]))
        said.append(inner["delta"].pop("text"))
        assert headers == old_headers
        assert new.partition(b'","p"')[2] == old.partition(b'","p"')[2]
        assert inner == {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta"}}

    assert "".join(said) == rewritten_text("".join(parts))


@given(st.lists(texts, min_size=1, max_size=4), cuts)
def test_every_cut_gives_the_same(word_rewriter, parts, cuts):
    """One byte at a time or whole: the same bytes and findings."""
    deltas = [json.dumps({"contentBlockIndex": 0, "delta": {"text": part}, "p": "abc"}).encode() for part in parts]
    kind = {**JSON, ":event-type": "contentBlockDelta"}
    stream = b"".join(make_frame(kind, delta) for delta in deltas)
    results = []
    for sizes in ((), cuts, [1] * len(stream)):
        rewriter = word_rewriter()
        results.append((rewritten("/model/m/converse-stream", rewriter, stream, sizes)[1], rewriter.counts))

    assert results[0] == results[1] == results[2]


@given(texts)
def test_an_agents_bare_text(word_rewriter, rewritten_text, text):
    """An agent's chunk wraps text and no JSON; what stands beside it is read as well."""
    stream = wrapped(text.encode(), attribution={"citations": [{"text": "see bob@y.example"}]})
    path = "/agents/A/agentAliases/B/sessions/C/text"
    [(_, payload)] = as_a_client(rewritten(path, word_rewriter(), stream)[1])
    inner = b64decode(json.loads(payload)["bytes"]).decode()

    assert inner == rewritten_text(text)
    assert json.loads(payload)["attribution"] == {"citations": [{"text": rewritten_text("see bob@y.example")}]}


@given(st.lists(texts, min_size=1, max_size=4), st.booleans())
def test_a_containers_own_bytes(word_rewriter, rewritten_text, parts, cut_character):
    """SageMaker's frames hold what a container wrote, cut anywhere, inside a character too."""
    whole = "".join(parts).encode()
    bytes_ = list(pieces_of(whole, [len(part.encode()) - cut_character for part in parts[:-1]]))
    kind = {":event-type": "PayloadPart", ":content-type": "application/octet-stream", ":message-type": "event"}
    stream = b"".join(make_frame(kind, part) for part in bytes_ if part)
    _, out = rewritten("/endpoints/e/invocations-response-stream", word_rewriter(), stream)
    said = b"".join(payload for _, payload in as_a_client(out))

    assert said.decode() == rewritten_text("".join(parts))


@given(st.lists(texts, min_size=1, max_size=4), st.sampled_from(["data: {}\n\n", "data:{}\r\n\r\n", "{}\n"]))
def test_a_containers_events(word_rewriter, rewritten_text, parts, framing):
    """One event a frame, server-sent or a line of JSON: its pieces are one text, what is around them stays."""
    kind = {":event-type": "PayloadPart", ":content-type": "application/octet-stream", ":message-type": "event"}
    before, after = framing.split("{}")
    documents = [json.dumps({"token": {"text": part}, "generated_text": None}) for part in parts]
    stream = b"".join(make_frame(kind, (before + document + after).encode()) for document in documents)
    path = "/endpoints/e/invocations-response-stream"
    said = [payload.decode() for _, payload in as_a_client(rewritten(path, word_rewriter(), stream)[1])]

    assert all(each.startswith(before) and each.endswith(after) for each in said)
    pieces = [json.loads(each[len(before) : len(each) - len(after)])["token"]["text"] for each in said]
    assert "".join(pieces) == rewritten_text("".join(parts))


def test_bytes_that_are_no_text_stay(word_rewriter) -> None:
    """A picture in base64 is neither read nor changed."""
    frame = wrapped(bytes(range(128, 256)) * 4)

    assert rewritten("/model/m/invoke-with-response-stream", word_rewriter(), frame)[1] == frame


@pytest.mark.parametrize(
    "payload", [b'{"bytes":"e30"}', b'{"bytes":"e30=","bytes":"e30="}', b'{"bytes":"\\u00e9"}', b'["bytes"]']
)
def test_a_chunk_that_cannot_be_unwrapped(payload):
    """What is not base64 is refused: it could hide a text."""
    with pytest.raises(BodyError, match="unwrapped"):
        events_of([make_frame(JSON, payload)])


def test_text_in_a_header_is_read(word_rewriter) -> None:
    """An error outside of the API's model says its message in a header."""
    said = {":message-type": "error", ":error-code": "InternalFailure", ":error-message": "no ann@x.example here"}
    state, out = rewritten("/model/m/converse-stream", word_rewriter(), make_frame(said, b""))
    [(headers, _)] = as_a_client(out)

    assert headers == said | {":error-message": 'no <"É 😀\\> here'}
    assert state.error == "server_error"


def test_our_own_exception_is_one() -> None:
    """The frame that ends a stream has the headers by which AWS's SDKs raise."""
    [(headers, payload)] = as_a_client(exception_frame("throttlingException", b'{"message":"budget"}'))

    assert headers[":message-type"] == "exception"
    assert headers[":exception-type"] == "throttlingException"
    assert payload == b'{"message":"budget"}'
