"""Cut a JSON body into pieces that stay the same from turn to turn, without parsing them."""

import re

import msgspec

from outwarden.wire.format import TextRules

# A shorter value is parsed again faster than it is hashed and looked up (both take about 2 µs).
PIECE_BYTES_MIN = 128
_KEY = re.compile(rb'[ \t\r\n]*"[^"\\]*(?:\\.[^"\\]*)*"[ \t\r\n]*:[ \t\r\n]*', re.DOTALL)
_SPACE = re.compile(rb"[ \t\r\n]*")
_BETWEEN = re.compile(rb"[ \t\r\n]*([,\]}])[ \t\r\n]*")
_objects: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_arrays: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])

Piece = tuple[int, int, str, bool]
"""start, end, the top-level key it stands under, and whether it is an element of the list there."""


def cut(body: bytes, rules: TextRules) -> list[Piece]:
    """List the pieces of an object, ascending; empty where it is no object, has repeated keys, or is no JSON."""
    try:
        values = _objects.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []
    found: list[Piece] = []
    at = _after_space(body, 0) + 1
    left = len(values)
    for key, raw in values.items():
        value = bytes(raw)
        start = _value_start(body, at)
        if start is None or not body.startswith(value, start):
            return []  # the text says more than the dict: a repeated key
        found += _pieces(body, key, value, start, rules)
        between = _BETWEEN.match(body, start + len(value))
        left -= 1
        if between is None or between[1] != (b"," if left else b"}"):
            return []
        at = between.end()
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


def _pieces(body: bytes, key: str, value: bytes, start: int, rules: TextRules) -> list[Piece]:
    if key in rules.remember and value[:1] == b"[":
        return _elements(body, key, value, start)
    return [(start, start + len(value), key, False)] if len(value) >= PIECE_BYTES_MIN else []


def _elements(body: bytes, key: str, value: bytes, start: int) -> list[Piece]:
    found: list[Piece] = []
    at = _after_space(body, start + 1)
    for raw in _arrays.decode(value):
        element = bytes(raw)
        if not body.startswith(element, at):
            return []  # then the list is read as part of the whole body
        if len(element) >= PIECE_BYTES_MIN:
            found.append((at, at + len(element), key, True))
        between = _BETWEEN.match(body, at + len(element))
        at = between.end() if between else len(body)
    return found


def _value_start(body: bytes, at: int) -> int | None:
    key = _KEY.match(body, at)
    return key.end() if key else None


def _after_space(body: bytes, at: int) -> int:
    space = _SPACE.match(body, at)
    return space.end() if space else at
