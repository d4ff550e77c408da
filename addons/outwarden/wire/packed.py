"""A text file as base64 in a string (``inlineData``, ``file_data``, a ``data:`` URL): read, changed, put back.

What is put back is spelled as it came: alphabet, padding, line breaks, charset. Up to the first change it is the same.
"""

import base64
import binascii
import re
from dataclasses import dataclass

from outwarden.errors import BodyError
from outwarden.wire.charsets import charset_of, to_utf_8

_DATA_URL = re.compile(r"data:([^,\s]{0,200});base64,", re.ASCII | re.IGNORECASE)
_PAYLOAD = re.compile(r"[A-Za-z0-9+/_\-\r\n]*={0,2}[\r\n]*", re.ASCII)
_LINE_BREAK = re.compile(r"\r?\n|\r")
# Files that may read as text for long, and are broken by a changed one: their tables count bytes.
BINARY_FILES = (b"%PDF-", b"%!PS")
_CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f\x1b")
_HEAD_CHARACTERS = 256  # pictures and sound give themselves away in their first bytes
_NO_BREAKS = str.maketrans("", "", "\r\n")
_TO_STANDARD = str.maketrans("-_", "+/")
_TO_URL_SAFE = str.maketrans("+/", "-_")


@dataclass(frozen=True, slots=True)
class _Manner:
    """How a base64 text is spelled."""

    url_safe: bool
    padded: bool
    line: int  # characters of a line; 0: one line
    line_break: str
    ends_broken: bool

    def spell(self, data: bytes) -> str:
        text = base64.b64encode(data).decode()
        if self.url_safe:
            text = text.translate(_TO_URL_SAFE)
        if not self.padded:
            text = text.rstrip("=")
        if self.line:
            text = self.line_break.join(text[at : at + self.line] for at in range(0, len(text), self.line))
        return text + self.line_break if self.ends_broken else text


@dataclass(frozen=True, slots=True)
class Packed:
    """A text in base64. ``text`` is what it says; the payload goes from ``start`` to the end of a string, ``end``."""

    text: str
    start: int
    end: int
    charset: str
    manner: _Manner

    def __repr__(self) -> str:
        return f"<Packed {len(self.text)} code points>"

    def spell(self, text: str) -> str:
        """The payload that says ``text``. Raises BodyError for what has no place in its charset."""
        try:
            return self.manner.spell(text.encode(self.charset))
        except UnicodeError:
            raise BodyError(f"a file's changed text does not fit its charset {self.charset}") from None


def unpack(string: str) -> Packed | None:
    """Read a string of base64, or a data URL of it; None where it says no text, or could not be put back as it came."""
    url = _DATA_URL.match(string)
    start = url.end() if url else 0
    if _PAYLOAD.fullmatch(string, start) is None or _reads_binary(string[start : start + _HEAD_CHARACTERS]):
        return None
    data, manner = _decode(string[start:])
    if data is None or manner is None or data.startswith(BINARY_FILES):
        return None
    charset = charset_of(data, url[1] if url else "")
    plain = data if charset == "utf-8" else to_utf_8(data, charset) if charset else None
    if plain is None or plain.translate(None, _CONTROLS) != plain:
        return None
    try:
        return Packed(plain.decode(), start, len(string), charset or "utf-8", manner)
    except UnicodeDecodeError:
        return None


def _reads_binary(head: str) -> bool:
    """Whether the first bytes cannot be text; zeros may be those of UTF-16."""
    solid = head.translate(_NO_BREAKS)
    data, _ = _decode(solid[: len(solid) - len(solid) % 4] if len(head) == _HEAD_CHARACTERS else solid)
    return data is None or bool(data.translate(None, _CONTROLS[1:]) != data)


def _decode(payload: str) -> tuple[bytes | None, _Manner | None]:
    solid = payload.translate(_NO_BREAKS)
    url_safe = "-" in solid or "_" in solid
    if url_safe and ("+" in solid or "/" in solid):
        return None, None
    bare = solid.rstrip("=")
    try:
        data = base64.b64decode(bare.translate(_TO_STANDARD) + "=" * (-len(bare) % 4), validate=True)
    except binascii.Error:
        return None, None
    padded = solid != bare or len(bare) % 4 == 0
    broken = _LINE_BREAK.search(payload)
    manner = _Manner(
        url_safe,
        padded,
        broken.start() if broken and broken.end() < len(payload) else 0,
        broken[0] if broken else "",
        bool(broken) and payload.endswith(("\r", "\n")),
    )
    return (data, manner) if manner.spell(data) == payload else (None, None)
