"""An edit of an event's data goes to the right bytes of the event."""

import pytest

from outwarden.wire.sse import read_event


def test_splices_go_to_their_lines():
    """Each line of the data has its own place; one that spans two joins them."""
    event = read_event(b"event: e\r\ndata: one\r\ndata:two\r\n\r\n")

    assert event.data == b"one\ntwo"
    assert event.spliced([(0, 1, b"O"), (4, 7, b"2")], []) == b"event: e\r\ndata: One\r\ndata:2\r\n\r\n"
    assert event.spliced([(2, 5, b"-")], []) == b"event: e\r\ndata: on-wo\r\n\r\n"


def test_new_line_ends_become_data_lines():
    """A replacement cannot end an event or smuggle a field in."""
    event = read_event(b"data: one\n\n")

    assert event.spliced([(0, 3, b"a\n\nb\rc")], []) == b"data: a\ndata: \ndata: b\ndata: c\n\n"


def test_remarks_are_spliced_in_place():
    """Together with the data, in the order of the bytes."""
    event = read_event(b": note\ndata: one\n: end\n\n")

    assert event.spliced([(0, 3, b"1")], [(2, 6, b"N"), (19, 22, b"E")]) == b": N\ndata: 1\n: E\n\n"


def test_a_splice_outside_is_refused():
    """A bug of ours must not write into another field."""
    with pytest.raises(ValueError, match="beyond"):
        read_event(b"data: one\n\n").spliced([(2, 9, b"")], [])


def test_no_data_is_shown():
    """A repr may end up in a log."""
    assert "secret" not in repr(read_event(b"data: secret\n\n"))
