"""multipart bodies (RFC 2046 §5.1, RFC 7578) cut into parts that join to the same bytes again."""

import re
from collections.abc import Iterator, Mapping
from email.message import Message
from typing import NamedTuple

from outwarden.errors import BodyError

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"(?im)^(content-length[ \t]*:[ \t]*)[0-9]+")
# A form has a handful of fields; a body of more parts than this was made to be slow.
PARTS_MAX = 10_000


class Piece(NamedTuple):
    """One part: ``head`` ends with its blank line. Or (``is_part`` false) a delimiter as ``head``, or what stands
    before the first and after the last part as ``content``.
    """

    head: bytes
    content: bytes
    is_part: bool = True

    def __repr__(self) -> str:
        return f"Piece({len(self.head)} + {len(self.content)} bytes)"

    def header(self, name: str) -> str:
        """The value of a header of the part; the first where it is repeated, empty where it is absent."""
        if b":" not in self.head:
            return ""
        found = re.search(rb"(?im)^" + name.encode() + rb"[ \t]*:[ \t]*([^\r\n]*)", self.head)
        return found.group(1).decode("utf-8", "replace").strip() if found else ""

    def name(self) -> tuple[str, bool]:
        """(name of the form field, whether a file name is given)."""
        message = Message()
        message["content-disposition"] = self.header("content-disposition")
        name = message.get_param("name", "", "content-disposition")
        return (name if isinstance(name, str) else "", message.get_filename() is not None)


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type names; raises BodyError where it names none."""
    message = Message()
    message["content-type"] = content_type.replace("\r", " ").replace("\n", " ")
    boundary = message.get_param("boundary")
    if not isinstance(boundary, str) or not 0 < len(boundary) <= 200:  # 70 by RFC 2046 §5.1.1; some clients use more
        raise BodyError("multipart without a boundary")
    return boundary.encode("utf-8", "replace")


def pieces(data: bytes, boundary: bytes) -> Iterator[Piece]:
    """Cut ``data``: joining head and content of all pieces gives it again. Raises BodyError for too many parts."""
    delimiter = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r?\n|\Z)")
    at, inside = 0, False
    for count, found in enumerate(delimiter.finditer(data)):
        if count > PARTS_MAX:
            raise BodyError(f"multipart of more than {PARTS_MAX} parts")
        yield _piece(data[at : found.start()], inside)
        yield Piece(found.group(), b"", is_part=False)
        at, inside = found.end(), found.group(1) is None
    yield _piece(data[at:], inside)


def _piece(data: bytes, inside: bool) -> Piece:
    if not inside:
        return Piece(b"", data, is_part=False)
    if data[:1] == b"\n" or data[:2] == b"\r\n":  # no headers
        at = data.index(b"\n") + 1
        return Piece(data[:at], data[at:])
    blank = _BLANK_LINE.search(data)
    return Piece(b"", data) if blank is None else Piece(data[: blank.end()], data[blank.end() :])


def with_length(head: bytes, length: int) -> bytes:
    """``head`` whose Content-Length, where it has one (some clients write it), says ``length``."""
    return _LENGTH.sub(lambda found: found.group(1) + str(length).encode(), head)


def with_field(data: bytes, boundary: bytes, name: str, value: str) -> bytes:
    """Set the text field ``name`` of a form that has it to ``value``; every other byte stays."""

    def spelled(piece: Piece) -> bytes:
        if not piece.is_part or piece.name() != (name, False):
            return piece.head + piece.content
        content = value.encode()
        return with_length(piece.head, len(content)) + content

    return b"".join(map(spelled, pieces(data, boundary)))


def form_values(found: Iterator[Piece]) -> Mapping[str, object]:
    """The text fields of a form as a JSON object would hold them: ``name[]`` is a list, ``true`` a boolean."""
    values: dict[str, object] = {}
    for piece in found:
        name, is_file = piece.name() if piece.is_part else ("", False)
        if not name or is_file or len(piece.content) > _FIELD_BYTES_MAX:
            continue
        text = piece.content.decode("utf-8", "replace")
        value = {"true": True, "false": False}.get(text.strip().lower(), text)
        if name.endswith("[]"):
            held = values.setdefault(name[:-2], [])
            if isinstance(held, list):
                held.append(value)
        else:
            values[name] = value
    return values


_FIELD_BYTES_MAX = 1 << 20
