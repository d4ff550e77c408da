"""One side of a WebSocket: what is framed for it and what is read from it."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, TextMessage

from outwarden.flow.frames import Close, Message, Peer, Received

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


FRAMES = st.tuples(
    st.sampled_from([0x81, 0x82, 0x01, 0x80, 0x00, 0x89, 0x8A, 0x88, 0x09, 0xC1, 0x83]),
    st.one_of(st.binary(max_size=8), st.text(max_size=8).map(str.encode), st.sampled_from(SIZES[:7]).map(bytes)),
    st.sampled_from([0, 0, 0, 0, 2, 8]),
    st.booleans(),
)


def frame(kind: int, payload: bytes, spelled: int, masked: bool) -> bytes:
    """A frame of a server's: right, or with a size that is spelled too long, or with the bit of a mask."""
    spelled = max(spelled, 0 if len(payload) < 126 else 2 if len(payload) < 2**16 else 8)
    size = bytes([{0: len(payload), 2: 126, 8: 127}[spelled] | (0x80 if masked and kind & 1 else 0)])
    return bytes([kind]) + size + (len(payload).to_bytes(spelled) if spelled else b"") + payload


@settings(max_examples=200, deadline=None)
@given(st.lists(FRAMES, max_size=6), st.lists(st.integers(1, 40), max_size=12))
def test_frames_of_a_provider_are_read_as_wsproto_reads_them(frames: list, cuts: list[int]) -> None:
    """Whatever a server sends, right or wrong, and wherever it is cut: what wsproto alone would say."""
    data = b"".join(frame(*one) for one in frames)
    ours, theirs = peer(as_server=False), peer(as_server=False)
    pieces = []
    for cut in cuts:
        pieces.append(data[:cut])
        data = data[cut:]
    received, expected = [], []
    for piece in filter(None, [*pieces, data]):
        if not any(isinstance(one, Close) for one in received):
            received += ours.receive(piece)
        if not any(isinstance(one, Close) for one in expected):
            expected += until_close(theirs._parsed(piece))

    assert received == expected


def until_close(found: Iterable[Received]) -> list[Received]:
    """What comes up to a close, it included."""
    taken: list[Received] = []
    for one in found:
        taken.append(one)
        if isinstance(one, Close):
            break
    return taken


@pytest.mark.parametrize("head", [b"\x82\x7f" + (2**20 + 1).to_bytes(8), b"\x81\x7e\xff\xff" + b"a" * 65535])
def test_a_frame_that_will_be_too_long_closes_before_it_is_there(head: bytes) -> None:
    """Its size is known from its head; nothing is kept of it."""
    side = Peer(as_server=False, max_message_bytes=2**15)

    assert list(side.receive(head)) == [Close(1009, "message too big")]
