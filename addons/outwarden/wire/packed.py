"""A text file as base64 in a string (``inlineData``, ``file_data``, a ``data:`` URL): read, changed, put back.

What is put back is spelled as it came: alphabet, padding, line breaks, charset. Up to the first change it is the same.
"""

import base64
import binascii
import re
import string
from dataclasses import dataclass

from outwarden.errors import BodyError
from outwarden.wire.charsets import charset_of, to_utf_8

_DATA_URL = re.compile(r"data:([^,\s]{0,200});base64,", re.ASCII | re.IGNORECASE)
_LOWER, _UPPER, _DIGITS = (part.encode() for part in (string.ascii_lowercase, string.ascii_uppercase, string.digits))
_ALPHABETS = _LOWER + _UPPER + _DIGITS + b"+/-_"
# How `{"`, `{ `, `[{` and `["` begin in base64 (Bedrock's CountTokens has a whole request in a string). Shorter than a
# document with anything in it, words begin so, too; no data URL is as short.
PACKED_JSON = frozenset({"ey", "ew", "W3", "Wy"})
PACKED_CHARACTERS_MIN = 16
PACKED_BEGINS = b"eWd"
"""What they begin with; anything may be spelled as an escape."""
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


def unpack(text: str) -> Packed | None:
    """Read a string of base64, or a data URL of it; None where it says no text, or could not be put back as it came."""
    url = _DATA_URL.match(text)
    start = url.end() if url else 0
    if not is_base64(text, start) or _reads_binary(text[start : start + _HEAD_CHARACTERS]):
        return None
    data, manner = _decode(text[start:])
    if data is None or manner is None or data.startswith(BINARY_FILES):
        return None
    charset = charset_of(data, url[1] if url else "")
    plain = data if charset == "utf-8" else to_utf_8(data, charset) if charset else None
    if plain is None or plain.translate(None, _CONTROLS) != plain:
        return None
    try:
        return Packed(plain.decode(), start, len(text), charset or "utf-8", manner)
    except UnicodeDecodeError:
        return None


def may_be_packed(text: str) -> bool:
    """Whether a text may be a file in base64, or a document; nearly all say at once that they are none."""
    if text[:5] == "data:":
        return True
    return text[:2] in PACKED_JSON and len(text) >= PACKED_CHARACTERS_MIN and is_base64(text)


def is_base64(text: str, start: int = 0) -> bool:
    """Whether a string is base64 in either alphabet from ``start`` on, in lines or in one, padded or not."""
    if not text.isascii() or _rest(text[start : start + _HEAD_CHARACTERS], b"=\r\n"):
        return False  # as most texts say at once
    solid = text[start:].rstrip("\r\n")
    bare = solid.rstrip("=")
    return len(solid) - len(bare) <= 2 and not _rest(bare, b"\r\n")


def is_solid_base64(text: str) -> bool:
    """As `is_base64`, in one line, and of all kinds of characters: no word, name or number is."""
    if not is_base64(text) or "\n" in text or "\r" in text:
        return False
    data = text.encode()
    return all(len(data.translate(None, kind)) < len(data) for kind in (_LOWER, _UPPER, _DIGITS))


def _rest(text: str, more: bytes) -> bytes:
    """What is neither of the alphabets nor of ``more``."""
    return text.encode().translate(None, _ALPHABETS + more)


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
    broken = _LINE_BREAK.search(payload) if len(solid) < len(payload) else None
    manner = _Manner(
        url_safe,
        padded,
        broken.start() if broken and broken.end() < len(payload) else 0,
        broken[0] if broken else "",
        bool(broken) and payload.endswith(("\r", "\n")),
    )
    return (data, manner) if manner.spell(data) == payload else (None, None)
