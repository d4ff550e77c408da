"""AWS event streams as the JSON in their frames, and back, with both checksums."""

import base64
import json
import struct
import zlib

from replaying.upstream import frames

_OVERHEAD = 16  # total length, header length, prelude CRC, message CRC


def unwrap(body: bytes) -> bytes:
    """The payloads, one a line; base64 inside ``{"bytes": …}`` taken off."""
    return b"".join(_payload(frame) + b"\n" for frame in frames(body))


def wrap(original: bytes, lines: bytes) -> bytes:
    """The frames of ``original`` around other payloads, in `unwrap`'s form."""
    pairs = zip(frames(original), lines.split(b"\n"), strict=False)
    return b"".join(_framed(frame, line) for frame, line in pairs)


def intact(body: bytes) -> bool:
    """Whether a body is frames and nothing else, with right lengths and checksums."""
    return all(_is_intact(frame) for frame in frames(body))


def _is_intact(frame: bytes) -> bool:
    if len(frame) < _OVERHEAD or struct.unpack_from(">I", frame)[0] != len(frame):
        return False
    prelude, message = struct.unpack_from(">I", frame, 8)[0], struct.unpack_from(">I", frame, len(frame) - 4)[0]
    return (zlib.crc32(frame[:8]), zlib.crc32(frame[:-4])) == (prelude, message)


def _split(frame: bytes) -> tuple[bytes, bytes]:
    (headers,) = struct.unpack_from(">I", frame, 4)
    return frame[12 : 12 + headers], frame[12 + headers : -4]


def _payload(frame: bytes) -> bytes:
    payload = _split(frame)[1]
    inner = json.loads(payload).get("bytes") if payload.startswith(b'{"bytes"') else None
    return base64.b64decode(inner) if isinstance(inner, str) else payload


def _framed(frame: bytes, line: bytes) -> bytes:
    headers, payload = _split(frame)
    if line == _payload(frame):
        return frame
    if payload.startswith(b'{"bytes"'):
        inner = json.loads(payload)["bytes"]
        line = payload.replace(inner.encode(), base64.b64encode(line), 1)
    return framed(headers, line)


def framed(headers: bytes, payload: bytes) -> bytes:
    """One frame."""
    prelude = struct.pack(">II", len(headers) + len(payload) + _OVERHEAD, len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))
