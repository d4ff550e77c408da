"""A message's body as what it is: JSON, lines of JSON, form parts, plain text, or bytes that nobody here reads."""

import re
import sys
from dataclasses import dataclass, replace
from typing import Literal

from mitmproxy import http

from outwarden.errors import BodyError
from outwarden.flow.framing import DIGESTS, header_of
from outwarden.flow.state import CallState
from outwarden.wire.body import read_json
from outwarden.wire.charsets import charset_of, to_utf_8
from outwarden.wire.encodings import decode
from outwarden.wire.format import Json
from outwarden.wire.multipart import boundary_of, form_values, pieces
from outwarden.wire.packed import BINARY_FILES

Kind = Literal["empty", "json", "lines", "multipart", "form", "sdp", "text", "binary"]


@dataclass(frozen=True, slots=True)
class Body:
    """``data`` is decoded (no Content-Encoding) and, but for kind ``binary``, in UTF-8 where it came in ``charset``.

    ``json``: the document of kind ``json``; of a form the values of its text fields, as an object; else None.
    """

    kind: Kind
    data: bytes
    json: Json = None
    charset: str = "utf-8"


def read_body(message: http.Message, state: CallState) -> Body:
    """Read the body of a request or reply; raises BodyError where it is not what it claims to be.

    Text is recognised by what it is and not by its content-type alone, because types lie (WIRE.md §3).
    """
    raw = message.raw_content or b""
    data = decode(raw, header_of(message, b"content-encoding"), state.rules.traffic.max_body_bytes)
    try:
        return classify(data, header_of(message, b"content-type"))
    except BodyError:
        if state.operation.known and not state.operation.billable and is_text(data):
            return Body("text", data)  # an upload; some SDKs send any file as application/json
        raise


def plain_content(request: http.Request) -> bytes:
    """The body without its Content-Encoding; `read_body` has read it before, within its bound."""
    return decode(request.raw_content or b"", header_of(request, b"content-encoding"), sys.maxsize >> 1)


def replace_content(request: http.Request, data: bytes) -> None:
    """Send ``data`` instead, as it is: no coding, its own length, and no digest of what was there before."""
    for name in ("content-encoding", *DIGESTS):
        request.headers.pop(name, None)
    request.content = data


def classify(data: bytes, content_type: str) -> Body:
    """Tell what ``data`` is. Raises BodyError for JSON that is none and for a form without a boundary."""
    kind = content_type.lower()
    if not data or data.isspace():
        return Body("empty", data)
    if kind.startswith("multipart/"):
        return Body("multipart", data, dict(form_values(pieces(data, boundary_of(content_type)))))
    if is_media(kind):
        return _classify_utf_8(data, kind)
    charset = charset_of(data, content_type)
    if charset == "utf-8":
        return _classify_utf_8(data, kind)
    in_utf_8 = to_utf_8(data, charset) if charset else None
    if charset is None or in_utf_8 is None:  # one nobody here knows, or that does not lead back to the same bytes
        return Body("binary", data)
    return replace(_classify_utf_8(in_utf_8, kind), charset=charset)


def _classify_utf_8(data: bytes, content_type: str) -> Body:
    if not data or data.isspace():
        return Body("empty", data)
    says_json = "json" in content_type
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        try:
            return Body("json", data, read_json(data))
        except BodyError:
            if is_lines(data):
                return Body("lines", data)
            if says_json:
                raise
    elif says_json and not is_scalar(data):
        raise BodyError("it says JSON and is not")
    if not is_text(data) or is_media(content_type) or data.startswith(BINARY_FILES):
        return Body("binary", data)
    if "x-www-form-urlencoded" in content_type:
        return Body("form", data)
    return Body("sdp" if data.startswith(b"v=0") and b"\no=" in data[:8] else "text", data)


def plain_headers(message: http.Message) -> dict[str, str]:
    """The headers by lower-case name, repeated ones joined by commas; one pass, where mitmproxy's view takes many."""
    found: dict[str, str] = {}
    for raw_name, raw_value in message.headers.fields:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("utf-8", "surrogateescape")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def is_media(content_type: str) -> bool:
    """Whether a body is sound or pictures, which have no text to scan and may be long; SVG is text."""
    if not content_type:
        return False
    family, _, kind = content_type.strip().lower().partition("/")
    return family in ("audio", "image", "video") and "xml" not in kind


def is_text(data: bytes) -> bool:
    """Whether ``data`` reads as UTF-8, but for a tenth of it at most: a few odd bytes must not hide the rest."""
    controls = len(data) - len(data.translate(None, _CONTROLS))
    undecodable = 0 if data.isascii() else len(data) - len(data.decode("utf-8", "ignore").encode())
    return (controls + undecodable) * 10 <= len(data)


_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f")
_SCALAR = re.compile(rb'\s*(?:"(?:[^"\\]|\\.)*"|-?[0-9.eE+-]+|true|false|null)\s*')


def is_scalar(data: bytes) -> bool:
    """Whether ``data`` is one JSON string, number or literal."""
    return _SCALAR.fullmatch(data) is not None


def is_lines(data: bytes) -> bool:
    """Whether every line that is not blank is a JSON object or array of its own."""
    lines = [line for line in data.splitlines() if line.strip(b" \t\r\n")]
    if len(lines) < 2:
        return False
    try:
        for line in lines:
            read_json(line)
    except BodyError:
        return False
    return True
