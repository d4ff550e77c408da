"""A message is an event, whatever is in it."""

import pytest

from outwarden.errors import BodyError
from outwarden.wire.messages import MessageCodec


@pytest.mark.parametrize("message", [b'{"a": 1}', b' \n{"a": 1} ', b"text", b"\xff", b'{"a": 1}\n{"b": 2}'])
def test_a_message_is_an_event(message):
    """Its data is what stands between the spaces; nothing is kept for later."""
    codec = MessageCodec(1000)

    assert [(event.raw, event.data) for event in codec.feed(message)] == [(message, message.strip())]
    assert codec.flush() == []


@pytest.mark.parametrize("message", [b"", b" \n"])
def test_an_empty_message_has_no_data(message):
    """It passes as it is."""
    assert [(event.raw, event.data) for event in MessageCodec(1000).feed(message)] == [(message, None)]


def test_a_message_is_bounded():
    """The bound is that of an event."""
    with pytest.raises(BodyError, match="longer than 10 bytes"):
        MessageCodec(10).feed(b"x" * 11)
