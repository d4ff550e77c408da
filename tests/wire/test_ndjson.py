"""Lines are cut the same way however they arrive, and lose no byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.errors import BodyError
from outwarden.wire.ndjson import NdjsonCodec, as_array

streams = st.lists(st.sampled_from([b'{"a":1}', b"\n", b"\r\n", b" ", b'"\xc3\xa9"', b"\r", b"x"])).map(b"".join)


def events_of(pieces, max_event_bytes=1000):
    codec = NdjsonCodec(max_event_bytes)
    return [event for piece in pieces for event in codec.feed(piece)] + codec.flush()


@given(streams, st.integers(1, 9))
def test_any_cut_gives_the_same_events(stream, size):
    """One byte at a time, whole, or anything between; the data is the line without the space around it."""
    whole = events_of([stream])

    assert b"".join(event.raw for event in whole) == stream
    assert [event.raw.strip() for event in whole] == [event.data or b"" for event in whole]
    assert events_of(stream[at : at + size] for at in range(0, len(stream), size)) == whole


def test_empty_lines_carry_no_data():
    """They pass, and the last line needs no end."""
    assert [event.data for event in events_of([b'{"a":1}\n\n \n{"b":2}'])] == [b'{"a":1}', None, None, b'{"b":2}']


def test_a_line_is_bounded():
    """Neither one that never ends nor one that comes whole may be longer."""
    for pieces in ([b"x" * 2000 + b"\n"], [b"x"] * 2000):
        with pytest.raises(BodyError, match="longer than 1000 bytes"):
            events_of(pieces)


documents = st.recursive(
    st.none() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
ends = st.lists(st.sampled_from(["\n", "\r\n", "\r", "\n \t\n", "\n\n", " \n"]), min_size=1, max_size=2).map("".join)


@given(
    st.lists(st.tuples(documents, ends), min_size=1),
    st.sampled_from(["", "\ufeff", "\n", "\ufeff \r\n"]),
    st.booleans(),
)
def test_lines_are_an_array(lines, before, is_ended):
    """Whatever ends a line, and blank ones: an array of the same documents, each byte but spaces one further."""
    text = before + "".join(json.dumps(document, ensure_ascii=False) + end for document, end in lines)
    raw = (text if is_ended else text.rstrip("\r\n \t")).encode()
    array = as_array(raw)

    assert json.loads(array) == [document for document, _ in lines]
    assert len(array) == len(raw) + 2
    assert all(old == new or old in b"\t\r\n\xef\xbb\xbf" for old, new in zip(raw, array[1:-1], strict=True))
