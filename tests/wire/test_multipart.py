"""Forms are cut where their delimiters are, and join to the same bytes again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.errors import BodyError
from outwarden.wire.multipart import PARTS_MAX, Piece, boundary_of, form_values, pieces, with_field, with_length

BITS = [b"--b", b"--b--", b"\r\n", b"\n", b"--", b"b", b"x: y", b"\r\n\r\n", b"--b\r\n", b"\r\n--b\r\n", b"\xff", b" "]


@given(st.lists(st.sampled_from(BITS), max_size=30).map(b"".join))
def test_pieces_join_to_the_body(data: bytes) -> None:
    """However broken the body is."""
    assert b"".join(piece.head + piece.content for piece in pieces(data, b"b")) == data


def test_delimiters_stand_at_the_start_of_a_line() -> None:
    """The boundary in the middle of a text cuts nothing; preamble and epilogue are no parts."""
    data = b"pre\r\n--b\r\nA: 1\r\n\r\none --b two\r\n--bx\r\n--b \r\n\r\nthree\r\n--b--\r\nepi"
    found = [(piece.head, piece.content) for piece in pieces(data, b"b") if piece.is_part]

    assert found == [(b"A: 1\r\n\r\n", b"one --b two\r\n--bx"), (b"\r\n", b"three")]


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=b", b"b"),
        ('multipart/form-data; charset=utf-8; Boundary="a b;c"', b"a b;c"),
        ("multipart/related; type=x;boundary=----WebKitFormBoundaryA1 ", b"----WebKitFormBoundaryA1"),
    ],
)
def test_the_boundary(content_type: str, boundary: bytes) -> None:
    """Quoted or not."""
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=", "m/x; boundary=" + "x" * 300]
)
def test_no_boundary(content_type: str) -> None:
    """Nobody can tell where the parts are."""
    with pytest.raises(BodyError, match="boundary"):
        boundary_of(content_type)


def test_too_many_parts() -> None:
    """A body that was made to be slow is refused."""
    with pytest.raises(BodyError, match="parts"):
        list(pieces(b"--b\r\n\r\nx\r\n" * (PARTS_MAX + 2), b"b"))


def test_fields_as_an_object() -> None:
    """What a JSON API would get: lists by their brackets, booleans by their words; files are none of it."""

    def field(name: str, content: bytes, more: str = "") -> Piece:
        return Piece(f'Content-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode(), content)

    found = [
        field("model", b"whisper-1"),
        field("stream", b"True"),
        field("include[]", b"logprobs"),
        field("include[]", b"x"),
        field("file", b"sound", '; filename="a.wav"'),
        Piece(b"--b\r\n", b"", is_part=False),
    ]
    assert form_values(iter(found)) == {"model": "whisper-1", "stream": True, "include": ["logprobs", "x"]}


def test_a_stated_length_follows() -> None:
    """And nothing else does."""
    head = b"X-Content-Length: 7\r\ncontent-length:  12\r\n\r\n"

    assert with_length(head, 5) == b"X-Content-Length: 7\r\ncontent-length:  5\r\n\r\n"
    assert "bytes" in repr(Piece(b"jane", b"doe"))
    assert "jane" not in repr(Piece(b"jane", b"doe"))


def test_a_field_of_a_form_is_set() -> None:
    """The field that is no file; the sound and a file of that name stay, and a length that is told follows."""
    form = (
        b'--b\r\nContent-Disposition: form-data; name="model"\r\nContent-Length: 9\r\n\r\nwhisper-1'
        b'\r\n--b\r\nContent-Disposition: form-data; name="model"; filename="model"\r\n\r\nwhisper-1\r\n--b--\r\n'
    )

    assert with_field(form, b"b", "model", "dep\u00e9") == form.replace(
        b"9\r\n\r\nwhisper-1", b"5\r\n\r\ndep\xc3\xa9", 1
    )
    assert with_field(form, b"b", "other", "x") == form
