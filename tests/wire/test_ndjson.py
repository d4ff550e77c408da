"""Lines are cut the same way however they arrive, and lose no byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.errors import BodyError
from outwarden.wire.ndjson import NdjsonCodec

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
