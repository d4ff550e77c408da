"""Content-Encoding is undone within a bound, whole or at any cut, and what is not wholly that encoding is refused."""

import contextlib
import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from outwarden.errors import BodyError
from outwarden.simulate.faults import Encoder
from outwarden.wire.encodings import Decoder, accepts, decode, readable_offer

TEXT = b'{"messages": [{"role": "user", "content": "one two three four five"}]}'
MIB = 1 << 20


def raw_deflate(data: bytes) -> bytes:
    """Deflate without the zlib header, as some servers mean it (RFC 9110 section 8.4.1.2)."""
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(data) + deflater.flush()


def streamed_zstd(data: bytes) -> bytes:
    """A frame that does not state its size."""
    packer = zstandard.ZstdCompressor().compressobj()
    return packer.compress(data) + packer.flush()


PACKERS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("br", lambda data: bytes(brotli.compress(data, quality=1 if len(data) > MIB else 5))),
    ("zstd", zstandard.ZstdCompressor().compress),
    ("zstd", streamed_zstd),
]
each_encoding = pytest.mark.parametrize(
    ("encoding", "pack"), PACKERS, ids=["gzip", "x-gzip", "zlib", "raw-deflate", "br", "zstd", "zstd-streamed"]
)


def in_pieces(encoding: str, pieces: list[bytes], max_bytes: int = MIB) -> bytes:
    """Decode piece by piece."""
    decoder = Decoder(encoding, max_bytes)
    out = b"".join(decoder.feed(piece) for piece in pieces)
    decoder.finish()
    return out


@each_encoding
@given(data=st.binary(max_size=3000))
def test_what_was_packed_comes_back(encoding: str, pack: Callable[[bytes], bytes], data: bytes) -> None:
    """Undoing an encoding gives the bytes that were encoded, and the bound is exactly their number."""

    assert decode(pack(data), encoding, len(data)) == data


@each_encoding
def test_every_cut_gives_the_same(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    """Where the bytes are cut on their way does not matter, not even between all of them."""
    packed = pack(TEXT)

    for cut in range(len(packed) + 1):
        assert in_pieces(encoding, [packed[:cut], packed[cut:]]) == TEXT
    assert in_pieces(encoding, [packed[at : at + 1] for at in range(len(packed))]) == TEXT


@each_encoding
def test_text_leaves_before_the_end(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    """A decoder of a stream does not wait for the stream's end."""
    data = random.Random(1).randbytes(MIB // 2)
    packed = pack(data)
    decoder = Decoder(encoding, MIB)

    early = decoder.feed(packed[: len(packed) * 3 // 4])

    assert early
    assert data.startswith(early)


@each_encoding
def test_a_cut_off_body_is_refused(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    """A body that ends in the middle is never taken for a whole one, wherever it ends."""
    packed = pack(TEXT)

    for end in range(1, len(packed)):
        with pytest.raises(BodyError):
            decode(packed[:end], encoding, MIB)


@each_encoding
@pytest.mark.parametrize("more", [b"x", b"hidden text that nobody scanned", b"\0" * 2000])
def test_data_after_the_end_is_refused(encoding: str, pack: Callable[[bytes], bytes], more: bytes) -> None:
    """What follows the encoded data would leave unread, so the body is refused, in whatever pieces it comes."""
    packed = pack(TEXT)

    with pytest.raises(BodyError):
        decode(packed + more, encoding, MIB)
    with pytest.raises(BodyError):
        in_pieces(encoding, [packed, more])


@each_encoding
def test_a_second_stream_after_the_first_is_refused(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    """A second member or frame, which some readers join and some drop, is not let through unread."""
    packed = pack(TEXT)

    with pytest.raises(BodyError):
        decode(packed + pack(b"secret"), encoding, MIB)
    with pytest.raises(BodyError):
        in_pieces(encoding, [packed, pack(b"secret")])


@each_encoding
@pytest.mark.parametrize("over", [1, 1000])
def test_a_bomb_is_refused_within_its_bound(encoding: str, pack: Callable[[bytes], bytes], over: int) -> None:
    """A body that unfolds to more than the bound is refused, by one byte or by thousands, whole or cut."""
    packed = pack(b"a" * (100_000 + over))

    with pytest.raises(BodyError, match="too long"):
        decode(packed, encoding, 100_000)
    with pytest.raises(BodyError, match="too long"):
        in_pieces(encoding, [packed[at : at + 7] for at in range(0, len(packed), 7)], 100_000)


@each_encoding
def test_a_bomb_is_not_unfolded(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    """The memory that a bomb takes is bounded by the limit, not by what the bomb unfolds to."""
    packed = pack(b"\0" * (160 * MIB))
    assert len(packed) < MIB

    tracemalloc.start()
    try:
        with pytest.raises(BodyError):
            decode(packed, encoding, MIB)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 80 * MIB  # zstd's step is the largest: 32 MiB, once more while they are copied


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
@given(data=st.binary(min_size=1, max_size=200))
def test_odd_bytes_are_refused_or_decoded_never_worse(encoding: str, data: bytes) -> None:
    """Whatever comes, the answer is bytes within the bound or a BodyError."""
    with contextlib.suppress(BodyError):
        assert len(decode(data, encoding, 10_000)) <= 10_000


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "identity", ""])
def test_an_empty_body_is_empty(encoding: str) -> None:
    """Nothing is nothing in every encoding."""

    assert decode(b"", encoding, 0) == b""


@pytest.mark.parametrize("encoding", ["", "identity", " Identity ", "identity, identity"])
def test_identity_is_the_same_bytes_within_the_bound(encoding: str) -> None:
    """No encoding: the same bytes, and the bound holds all the same."""
    assert decode(TEXT, encoding, len(TEXT)) == TEXT

    with pytest.raises(BodyError, match="too long"):
        decode(TEXT, encoding, len(TEXT) - 1)


def test_a_list_of_encodings_is_undone_from_its_end() -> None:
    """``gzip, br``: gzip was applied first."""

    assert decode(brotli.compress(gzip.compress(TEXT)), "gzip, BR", MIB) == TEXT


def test_a_bomb_inside_an_encoding_is_refused() -> None:
    """Each step of a list has the bound."""
    inner = gzip.compress(b"a" * 10_000)

    with pytest.raises(BodyError, match="too long"):
        decode(gzip.compress(inner), "gzip, gzip", 5000)


@pytest.mark.parametrize("encoding", ["compress", "aws-chunked", "gzip;q=1", "gzip, exi", "dcb"])
def test_an_unknown_encoding_is_refused(encoding: str) -> None:
    """What cannot be decoded cannot be read, so it is refused; the name is in the error, cut short."""

    with pytest.raises(BodyError, match="not supported"):
        decode(TEXT, encoding, MIB)
    with pytest.raises(BodyError) as error:
        decode(TEXT, "x" * 5000, MIB)
    assert len(str(error.value)) < 200


@given(data=st.binary(max_size=500), names=st.lists(st.sampled_from(PACKERS), max_size=3), cut=st.integers(1, 50))
def test_a_list_of_encodings_comes_back_at_every_cut(
    data: bytes, names: list[tuple[str, Callable[[bytes], bytes]]], cut: int
) -> None:
    """Encoded once or several times, whole or in pieces: the same bytes."""
    packed = data
    for _, pack in names:
        packed = pack(packed)
    encoding = ", ".join(name.upper() for name, _ in names)

    assert decode(packed, encoding, 1000) == data
    assert in_pieces(encoding, [packed[at : at + cut] for at in range(0, len(packed), cut)]) == data


def test_a_body_is_not_decoded_for_ever() -> None:
    """Each coding costs time, so their number is bounded."""
    with pytest.raises(BodyError, match="too many times"):
        decode(b"x", ", ".join(["gzip"] * 4), MIB)


@each_encoding
def test_one_piece_may_not_unfold_without_end(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    """A stream that may be long in all may not come in one burst of that length."""
    packed = pack(b"a" * 200_000)
    decoder = Decoder(encoding, 1 << 30, 50_000)

    with pytest.raises(BodyError, match="too long"):
        decoder.feed(packed)


@each_encoding
def test_an_event_leaves_with_its_flush(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    """Each event of a stream that its sender flushed comes out at once, not with the next one or at the end."""
    encoder = Encoder(encoding if encoding in ("br", "zstd", "deflate") else "gzip")
    decoder = Decoder(encoding, MIB)

    for number in range(20):
        event = b'data: {"text": "word %d"}\n\n' % number
        assert decoder.feed(encoder.feed(event)) == event
    assert decoder.feed(encoder.finish()) == b""
    decoder.finish()


@pytest.mark.parametrize(
    ("offer", "encoding", "accepted"),
    [
        ("gzip, deflate", "gzip", True),
        ("gzip, deflate", "br", False),
        ("gzip;q=1.0,br;q=0.5", "br", True),
        ("gzip;q=1.0, br;q=0", "br", False),
        ("*", "zstd", True),
        ("*;q=0", "zstd", False),
        ("gzip, *;q=0", "gzip", True),
        ("GZIP", "x-gzip", True),
        ("gzip", "gzip, br", False),
        ("gzip, br", "gzip, br", True),
        ("gzip;q=odd", "gzip", False),
        ("", "gzip", False),
        ("", "", True),
        ("", "identity", True),
        ("identity;q=0", "identity", True),
    ],
)
def test_who_reads_what(offer: str, encoding: str, accepted: bool) -> None:
    """Only what was offered; the body as it is, always."""
    assert accepts(offer, encoding) == accepted


@pytest.mark.parametrize(
    ("offer", "readable"),
    [
        ("gzip, deflate, br, zstd", None),
        ("gzip;q=1.0,deflate;q=0.6,identity;q=0.3", None),
        ("identity", None),
        ("gzip, *;q=0", None),
        ("gzip, compress, br", "gzip, br"),
        ("dcb, dcz", "identity"),
        ("*", "identity"),
        ("gzip, *;q=0.1", "gzip"),
    ],
)
def test_what_we_ask_for_can_be_read(offer: str, readable: str | None) -> None:
    """An offer of what we can read stays as it is, to the byte; the rest is left out."""
    assert readable_offer(offer) == (readable or offer)
