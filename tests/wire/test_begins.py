"""A stream is told by its first bytes, and by nothing that a whole reply could begin with."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.wire.begins import type_by_begin

EVENTS = "text/event-stream"


@pytest.mark.parametrize(
    "begin",
    [
        b"data:",
        b"event: message_start\n",
        b"id: 7\ndata",
        b"retry: 100\n",
        b": OPENROUTER PROCESSING\n\ndata: {",
        b"\xef\xbb\xbfdata: {}",
        b"\r\n\n  \ndata: {}",
        b":\rdata:",
    ],
)
def test_events_are_told_once_a_field_of_theirs_is_there(begin: bytes) -> None:
    """However much of it has come, and not before."""
    told = [type_by_begin(begin[:end], "openai") for end in range(len(begin) + 1)]

    assert told[-1] == EVENTS
    assert told == [None] * told.count(None) + [EVENTS] * told.count(EVENTS)
    assert type_by_begin(begin + b" and more\n\n", "openai") == EVENTS


@pytest.mark.parametrize(
    "begin", [b"", b"{", b'{"data": 1}\n', b"data is", b"<html>", b"Data:", b'"data:"', b": only a remark\n", b"[1,\n"]
)
def test_all_else_is_none(begin: bytes) -> None:
    """Documents, pages and prose."""
    assert type_by_begin(begin, "openai") is None


@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner)))
def test_a_whole_document_is_no_stream(tree: object) -> None:
    """Whatever is in it, however it is laid out."""
    for indent in (None, 1):
        assert type_by_begin(json.dumps(tree, indent=indent).encode() + b"\n", "openai") is None


def test_lines_of_json_are_told_where_the_api_streams_so() -> None:
    """By the first whole line; of others a line of JSON is a whole reply."""
    line = b'{"done": false}\n'

    assert type_by_begin(line, "ollama") == "application/x-ndjson"
    assert type_by_begin(line, "openai") is None
    assert type_by_begin(line[:-1], "ollama") is None
    assert type_by_begin(b'{\n "done": false}\n', "ollama") is None
    assert type_by_begin(b"[1]\n", "ollama") is None
