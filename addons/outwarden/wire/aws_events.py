"""AWS event streams (``application/vnd.amazon.eventstream``): binary frames with checksums, cut and edited in place.

A frame is: its length, its headers' length, a CRC32 of these two (4 bytes each, big-endian), headers, payload, and a
CRC32 of all before it. Source: Smithy, "Amazon Event Stream Specification".
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from outwarden.errors import BodyError
from outwarden.wire.aws_payload import Wrapped, splice, unwrap
from outwarden.wire.events import Span, too_long
from outwarden.wire.json_text import Splice, spliced

_PRELUDE = struct.Struct(">III")
_CRC = struct.Struct(">I")
_LENGTH = struct.Struct(">H")
_HEADS_MAX = 64
_FRAME_BYTES_MIN = _PRELUDE.size + _CRC.size
# Bytes of a header's value by its type: true, false, byte, short, integer, long, then timestamp and UUID.
_FIXED = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
_BYTES, _STRING = 6, 7
# Headers whose values are words of the protocol. Any other string may be text (``:error-message``).
_WORDS = frozenset({":event-type", ":exception-type", ":error-code", ":message-type", ":content-type"})


class AwsEventsCodec:
    """Cuts a stream into frames and verifies both checksums of each.

    A frame that the stream cuts short is dropped: no client can read it, and neither can we.
    Raises BodyError for a wrong checksum, for lengths that cannot be and for headers that cannot be read.
    """

    def __init__(self, max_event_bytes: int) -> None:
        self._max_event_bytes = max_event_bytes
        self._buffer = bytearray()
        self._heads: dict[bytes, _Head] = {}  # most frames of a stream have the same

    def feed(self, data: bytes) -> list["AwsEvent"]:
        """Return the frames completed by ``data``."""
        self._buffer += data
        events: list[AwsEvent] = []
        at = 0
        while (length := self._length(at)) is not None and len(self._buffer) - at >= length:
            events.append(self._frame(bytes(self._buffer[at : at + length])))
            at += length
        del self._buffer[:at]
        return events

    def flush(self) -> list["AwsEvent"]:
        """Nothing is left to return: see the class."""
        self._buffer.clear()
        return []

    def _frame(self, raw: bytes) -> "AwsEvent":
        if zlib.crc32(raw[: -_CRC.size]) != _CRC.unpack_from(raw, len(raw) - _CRC.size)[0]:
            raise BodyError("the checksum of a frame is wrong")
        begin = _PRELUDE.size + _PRELUDE.unpack_from(raw)[1]
        spelled = raw[_PRELUDE.size : begin]
        head = self._heads.get(spelled)
        if head is None:
            if len(self._heads) >= _HEADS_MAX:
                self._heads.clear()
            head = self._heads[spelled] = _read_head(raw, begin)
        return _read_payload(raw, begin, head)

    def _length(self, at: int) -> int | None:
        """The length of the frame at ``at``, as soon as its first 12 bytes are there and found to be right."""
        if len(self._buffer) - at < _PRELUDE.size:
            return None
        length, headers, checksum = _PRELUDE.unpack_from(self._buffer, at)
        if zlib.crc32(self._buffer[at : at + 8]) != checksum:
            raise BodyError("the checksum of a frame's lengths is wrong")
        if length > self._max_event_bytes:
            raise too_long(self._max_event_bytes)
        if length < _FRAME_BYTES_MIN + headers:
            raise BodyError("the lengths of a frame contradict each other")
        return int(length)


class _Head(NamedTuple):
    """What the headers say. ``remarks``: places in the frame that may carry text; ``failed``: it ends the stream."""

    name: str | None
    content_type: str
    remarks: tuple[Span, ...]
    failed: bool


class AwsEvent(NamedTuple):
    """One frame, as an event of a stream: joining the ``raw`` of all gives the stream.

    ``data`` is its payload as JSON, with base64 inside ``{"bytes": …}`` unwrapped: an inner JSON document stands there
    as a value, an inner text as a string. ``remarks`` are places in ``raw``: headers that may carry text.
    """

    raw: bytes
    data: bytes | None
    name: str | None
    remarks: tuple[Span, ...]
    payload_start: int
    wrapped: Wrapped | None

    def __repr__(self) -> str:
        return f"AwsEvent({len(self.raw)} bytes, name={self.name!r})"

    def spliced(self, splices: list[Splice], remarks: list[Splice]) -> bytes:
        """Return ``raw`` with splices of ``data`` and of header values (in offsets of ``raw``) done.

        Lengths and checksums are made anew; every other byte stays.
        """
        payload = self.raw[self.payload_start : -_CRC.size]
        return _frame(self._headers(remarks), splice(payload, self.wrapped, sorted(splices, key=_place)))

    def _headers(self, splices: list[Splice]) -> bytes:
        headers = self.raw[_PRELUDE.size : self.payload_start]
        for start, end in reversed(self.remarks):
            inside = [(a - start, b - start, new) for a, b, new in splices if start <= a and b <= end]
            if inside:
                value = spliced(self.raw[start:end], sorted(inside, key=_place))
                at, to = start - _PRELUDE.size, end - _PRELUDE.size
                headers = headers[: at - _LENGTH.size] + _sized(value) + headers[to:]
        return headers


def _read_payload(raw: bytes, begin: int, head: _Head) -> AwsEvent:
    payload = raw[begin : -_CRC.size]
    wrapped = unwrap(payload, head.name, head.content_type)
    if wrapped is not None and wrapped.alone:
        data = wrapped.inner
    elif wrapped is not None:
        data = payload[: wrapped.start] + wrapped.inner + payload[wrapped.end :]
    elif head.failed and not payload:
        data = b"{}"  # it says by its name alone what went wrong
    else:
        data = payload
    return AwsEvent(raw, data or None, head.name, head.remarks, begin, wrapped)


def _read_head(raw: bytes, end: int) -> _Head:
    strings: dict[str, str] = {}
    remarks: list[Span] = []
    for header, span in _read_headers(raw, end):
        if header in strings:
            raise BodyError("a frame repeats a header")
        strings[header] = "" if span is None else raw[slice(*span)].decode("utf-8", "replace")
        if span is not None and header not in _WORDS:
            remarks.append(span)
    failed = strings.get(":message-type") in ("exception", "error")
    return _Head(_name(strings), strings.get(":content-type", ""), tuple(remarks), failed)


def _name(headers: Mapping[str, str]) -> str | None:
    """What the frame is called; ``error CODE`` for an error outside of the API's model."""
    if headers.get(":message-type") == "error":
        return f"error {headers.get(':error-code', '')}"
    return headers.get(":event-type", headers.get(":exception-type"))


def exception_frame(name: str, payload: bytes) -> bytes:
    """Make the frame by which a stream ends in an exception, as AWS's SDKs raise it."""
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return make_frame(headers, payload)


def make_frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Make a frame whose headers are all strings."""
    return _frame(b"".join(_header(name, value) for name, value in headers.items()), payload)


def _header(name: str, value: str) -> bytes:
    return bytes([len(name)]) + name.encode() + bytes([_STRING]) + _sized(value.encode())


def _frame(headers: bytes, payload: bytes) -> bytes:
    lengths = struct.pack(">II", len(headers) + len(payload) + _FRAME_BYTES_MIN, len(headers))
    message = b"".join((lengths, _CRC.pack(zlib.crc32(lengths)), headers, payload))
    return message + _CRC.pack(zlib.crc32(message))


def _sized(value: bytes) -> bytes:
    """A string as a header holds it; one beyond the length that a header can tell is cut."""
    value = value[: 2**16 - 1].decode("utf-8", "ignore").encode() if len(value) >= 2**16 else value
    return _LENGTH.pack(len(value)) + value


def _read_headers(raw: bytes, end: int) -> Iterator[tuple[str, Span | None]]:
    """Each header's name and, where it is a string, its value's place in ``raw``. Raises BodyError."""
    at = _PRELUDE.size
    while at < end:
        name_end = at + 1 + raw[at]
        if name_end >= end:
            raise BodyError("a frame's header is longer than its headers")
        name, kind, start = raw[at + 1 : name_end].decode("utf-8", "replace"), raw[name_end], name_end + 1
        if kind in (_BYTES, _STRING):
            start += _LENGTH.size
            at = start + _LENGTH.unpack_from(raw, start - _LENGTH.size)[0]
        elif kind in _FIXED:
            at = start + _FIXED[kind]
        else:
            raise BodyError("a frame has a header of an unknown type")
        if at > end:
            raise BodyError("a frame's header is longer than its headers")
        yield name, (start, at) if kind == _STRING else None


def _place(splice: Splice) -> Span:
    return splice[:2]
