"""Server-sent events are cut the same way however they arrive, and lose no byte."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outwarden.errors import BodyError
from outwarden.wire.sse import SseCodec, read_event

ends = st.sampled_from(["\n", "\r\n", "\r"])
lines = st.sampled_from(
    [
        "",
        "data: {}",
        "data:x",
        "data",
        "data:  é😀 ",
        "event: message",
        "id: 7",
        ": a comment",
        ":",
        "retry: 1",
        "odd line",
    ]
)
streams = st.lists(st.tuples(lines, ends), max_size=25).map(lambda parts: "".join(a + b for a, b in parts).encode())
any_bytes = st.lists(st.sampled_from([b"\n", b"\r", b"\r\n", b"data: a", b"x", b"\xc3", b"\xef\xbb\xbf"])).map(b"".join)
cuts = st.lists(st.integers(1, 12), max_size=40)


def pieces_of(stream, cuts):
    at = 0
    for size in cuts:
        yield stream[at : at + size]
        at += size
    yield stream[at:]


def events_of(pieces, max_event_bytes=1 << 20):
    codec = SseCodec(max_event_bytes)
    return [event for piece in pieces for event in codec.feed(piece)] + codec.flush()


def as_a_client(stream):
    """Read (name, data) of each event as the standard says, from the whole stream."""
    text = stream.decode().removeprefix("\ufeff")
    found, name, data = [], None, []
    for line in [*re.split("\r\n|\n|\r", text), ""]:
        field, _, value = line.partition(":")
        if not line and data:
            found.append((name, "\n".join(data)))
        if not line:
            name, data = None, []
        elif field == "data":
            data.append(value.removeprefix(" "))
        elif field == "event":
            name = value.removeprefix(" ")
    return found


@given(streams | any_bytes, cuts)
@example(b"data: a\r\r\ndata: b\r\n\rdata: c\n\r", [1] * 40)
def test_any_cut_gives_the_same_events(stream, cuts):
    """One byte at a time, whole, or anything between."""
    whole = events_of([stream])

    assert b"".join(event.raw for event in whole) == stream
    assert events_of(pieces_of(stream, cuts)) == whole
    assert events_of(bytes([byte]) for byte in stream) == whole


@given(streams, st.booleans())
def test_events_are_what_a_client_reads(stream, bom):
    """Names and data as the standard says, with each kind of line end, comments and byte order mark."""
    stream = b"\xef\xbb\xbf" * bom + stream
    found = [(event.name, event.data.decode()) for event in events_of([stream]) if event.data is not None]

    assert found == as_a_client(stream)


@given(streams)
def test_data_lies_where_it_says(stream):
    """The places of the data lines join to the data."""
    for event in events_of([stream]):
        if event.data is not None:
            assert b"\n".join(event.raw[start:end] for start, end in event.lines) == event.data


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r", b"\n\r\n", b"\r\n\n"])
def test_an_event_is_there_with_its_last_byte(end):
    """No event waits for the next one, by whatever lines end."""
    codec = SseCodec(1000)

    assert codec.feed(b"data: a" + end[:-1]) == []
    assert [event.data for event in codec.feed(end[-1:])] == [b"a"]


def test_a_last_event_without_empty_line_is_kept():
    """A client may read it, so it must not pass unread."""
    assert [event.data for event in events_of([b"data: a\n\ndata: b"])] == [b"a", b"b"]


def test_what_is_not_data_is_told_apart():
    """Comments and unknown fields may carry text; names, ids and retries that look so do not."""
    event = read_event(b": note\nevent: e\nid: 1\nretry: 2\nodd: x\nplain\ndata: d\n\n")

    assert [event.raw[start:end] for start, end in event.remarks] == [b": note", b"odd: x", b"plain"]


@pytest.mark.parametrize("field", [b"event", b"id", b"retry"])
def test_what_is_no_name_is_looked_at_where_names_stand(field: bytes):
    """An address may be put there, too."""
    event = read_event(field + b": ada@quill.example\ndata: d\n\n")

    assert [event.raw[start:end] for start, end in event.remarks] == [b"ada@quill.example"]
    assert read_event(field + b": response.output_text.delta\ndata: d\n\n").remarks == ()


def test_an_event_is_bounded():
    """Neither one that never ends nor one that comes whole may be longer; the message shows nothing of it."""
    for pieces in ([b"data: " + b"x" * 100 + b"\n\n"], [b"data: "] + [b"x"] * 100):
        with pytest.raises(BodyError, match="longer than 50 bytes"):
            events_of(pieces, 50)
    assert len(events_of([b"data: x\n\n" * 100], 50)) == 100
