"""Elements of a streamed array come one by one, however the bytes arrive."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.errors import BodyError
from outwarden.wire.json_array import JsonArrayCodec

elements = st.recursive(
    st.none() | st.integers() | st.text(st.sampled_from('a"\\{}[], é')),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.sampled_from('"\\[]{}')), inner, max_size=3),
    max_leaves=6,
)
separators = st.sampled_from([(",", ":"), (", ", ": "), ("\n,\r\n", ": "), (" ,", " :")])


def events_of(pieces, max_event_bytes=10_000):
    codec = JsonArrayCodec(max_event_bytes)
    return [event for piece in pieces for event in codec.feed(piece)] + codec.flush()


def in_pieces(stream, size):
    return (stream[at : at + size] for at in range(0, len(stream), size))


@given(st.lists(elements, max_size=5), separators, st.sampled_from([None, 2]), st.integers(1, 20), st.booleans())
def test_each_element_is_an_event(tree, separators, indent, size, ensure_ascii):
    """The data of the events are the elements, at any cut, in any manner of writing; no byte is lost."""
    stream = b" \n" + json.dumps(tree, separators=separators, indent=indent, ensure_ascii=ensure_ascii).encode() + b"\n"
    whole = events_of([stream])

    assert b"".join(event.raw for event in whole) == stream
    assert [json.loads(event.data) for event in whole if event.data is not None] == tree
    assert events_of(in_pieces(stream, size)) == whole


@given(st.text(st.sampled_from('[]{},"\\ a1')), st.integers(1, 5))
def test_broken_arrays_lose_no_byte(text, size):
    """What is no array is cut somehow, but the same way at any cut."""
    stream = text.encode()
    whole = events_of([stream])

    assert b"".join(event.raw for event in whole) == stream
    assert events_of(in_pieces(stream, size)) == whole


def test_an_element_is_there_with_its_last_byte():
    """Its separator comes with the next one."""
    codec = JsonArrayCodec(1000)

    assert codec.feed(b'[{"a": "}') == []
    assert [event.raw for event in codec.feed(b'"}')] == [b'[{"a": "}"}']
    assert [(event.raw, event.data) for event in codec.feed(b'\n,\r\n{"b": [1]}]')] == [
        (b'\n,\r\n{"b": [1]}', b'{"b": [1]}')
    ]
    assert [(event.raw, event.data) for event in codec.flush()] == [(b"]", None)]


def test_objects_without_an_array_are_events():
    """Errors come so; and what was cut short is still given."""
    assert [event.data for event in events_of([b'{"error": {}} {"x"'])] == [b'{"error": {}}', b'{"x"']
    assert [event.data for event in events_of([b'[{"a": 1}, {"b'])] == [b'{"a": 1}', b'{"b']


def test_an_element_is_bounded():
    """Neither one that never ends nor one that comes whole may be longer."""
    for pieces in ([b'["' + b"x" * 200 + b'"]'], [b"["] + [b"x"] * 200):
        with pytest.raises(BodyError, match="longer than 100 bytes"):
            events_of(pieces, 100)
