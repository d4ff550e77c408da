"""Cut a JSON body into pieces that stay the same from turn to turn, without parsing them."""

import re

import msgspec

from outwarden.errors import BodyError
from outwarden.wire.format import TextRules
from outwarden.wire.top_level import value_spans

# A shorter value is parsed again faster than it is hashed and looked up (both take about 2 µs).
PIECE_BYTES_MIN = 128
# No message is as short; a list of a hundred thousand numbers or words is read faster than it is cut.
_ELEMENT_BYTES = 32
_SPACE = re.compile(rb"[ \t\r\n]*")
_BETWEEN = re.compile(rb"[ \t\r\n]*[,\]][ \t\r\n]*")
_arrays: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])

Piece = tuple[int, int, str, bool]
"""start, end, the top-level key it stands under, and whether it is an element of the list there."""


def cut(body: bytes, rules: TextRules, least: int = PIECE_BYTES_MIN) -> list[Piece]:
    """List the pieces of an object, ascending; empty where it is no object, has repeated keys, or is no JSON.

    What is shorter than ``least`` bytes stays in the rest of the body.
    """
    try:
        spans = value_spans(body)
    except BodyError:
        return []  # the reader of whole bodies has the last word
    found: list[Piece] = []
    for key, (start, end) in spans.items():
        if end - start < least:
            continue
        if key in rules.remember and body[start : start + 1] == b"[":
            found += _elements(body, key, start, end, least)
        else:
            found.append((start, end, key, False))
    return found


def skeleton(body: bytes, pieces: list[Piece]) -> bytes:
    """Return the body with each piece replaced by ``null``."""
    parts: list[bytes] = []
    at = 0
    for start, end, _, _ in pieces:
        parts += (body[at:start], b"null")
        at = end
    parts.append(body[at:])
    return b"".join(parts)


def _elements(body: bytes, key: str, start: int, end: int, least: int) -> list[Piece]:
    found: list[Piece] = []
    at = _end_of(_SPACE, body, start + 1)
    elements = _arrays.decode(body[start:end])
    if len(elements) * _ELEMENT_BYTES > end - start:
        return [(start, end, key, False)]
    for raw in elements:
        element = bytes(raw)
        if not body.startswith(element, at):
            return []  # then the list is read as part of the whole body
        if len(element) >= least:
            found.append((at, at + len(element), key, True))
        at = _end_of(_BETWEEN, body, at + len(element))
    return found


def _end_of(pattern: re.Pattern[bytes], body: bytes, at: int) -> int:
    found = pattern.match(body, at)
    return found.end() if found else at
