"""One side of a WebSocket: what is framed for it and what is read from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, TextMessage

from outwarden.flow.frames import Close, Message, Peer

# Around the bounds of the three spellings of a length.
SIZES = [0, 1, 125, 126, 127, 2**16 - 1, 2**16, 2**16 + 1]


def peer(*, as_server: bool = True) -> Peer:
    """A side with room for all that is said here."""
    return Peer(as_server=as_server, max_message_bytes=2**20)


@pytest.mark.parametrize("size", SIZES)
def test_frames_for_a_client_are_those_of_wsproto(size: int) -> None:
    """A message of any length has the same bytes, text or not."""
    data = b"a" * size
    text, binary = Connection(ConnectionType.SERVER), Connection(ConnectionType.SERVER)

    assert peer().message(Message(data, True)) == text.send(TextMessage(data.decode()))
    assert peer().message(Message(data, False)) == binary.send(BytesMessage(data))


@given(st.binary(max_size=300), st.booleans())
def test_a_text_is_framed_as_utf_8_whatever_it_was(data: bytes, is_text: bool) -> None:
    """What is no UTF-8 becomes U+FFFD: a client would have to close the connection over it."""
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(peer().message(Message(data, is_text)))
    event = next(iter(client.events()))

    assert isinstance(event, TextMessage | BytesMessage)
    assert event.data == (data.decode("utf-8", "replace") if is_text else data)


@pytest.mark.parametrize("as_server", [True, False])
def test_nothing_is_framed_once_the_side_is_closed(as_server: bool) -> None:
    """Neither after our own closing nor after both."""
    side = peer(as_server=as_server)
    other = Connection(ConnectionType.CLIENT if as_server else ConnectionType.SERVER)
    side.close(Close(1000))

    assert side.message(Message(b"late", True)) == b""
    assert list(side.receive(other.send(CloseConnection(1000)))) == [Close(1000)]
    assert side.message(Message(b"late", True)) == b""


def test_a_server_of_the_providers_gets_masked_frames() -> None:
    """What we say as a client is masked (RFC 6455 §5.3)."""
    framed = peer(as_server=False).message(Message(b"hello", True))

    assert framed[1] & 0x80
    assert framed[6:] != b"hello"
