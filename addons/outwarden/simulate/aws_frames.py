"""The frames of an AWS event stream, as Bedrock sends them."""

import struct
import zlib
from collections.abc import Mapping

_STRING = 7  # a header's type


def event_frame(name: str, payload: bytes) -> bytes:
    """An event of a stream."""
    return frame({":event-type": name, ":content-type": "application/json", ":message-type": "event"}, payload)


def exception_frame(name: str, payload: bytes) -> bytes:
    """An exception of the API's model, which ends a stream."""
    return frame({":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}, payload)


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Lengths, a checksum of them, headers, payload, and a checksum of it all."""
    spelled = b"".join(
        struct.pack(f">B{len(name)}sBH", len(name), name.encode(), _STRING, len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    lengths = struct.pack(">II", 16 + len(spelled) + len(payload), len(spelled))
    message = lengths + struct.pack(">I", zlib.crc32(lengths)) + spelled + payload
    return message + struct.pack(">I", zlib.crc32(message))


def broken_frame(payload: bytes) -> bytes:
    """A frame whose last checksum is wrong."""
    whole = event_frame("contentBlockDelta", payload)
    return whole[:-1] + bytes([whole[-1] ^ 1])
