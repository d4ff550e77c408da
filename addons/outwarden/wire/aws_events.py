"""AWS event streams (``application/vnd.amazon.eventstream``): binary frames with checksums, cut and edited in place.

A frame is: its length, its headers' length, a CRC32 of these two (4 bytes each, big-endian), headers, payload, and a
CRC32 of all before it. Source: Smithy, "Amazon Event Stream Specification".
"""

import json
import re
import struct
import zlib
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import orjson

from outwarden.errors import BodyError
from outwarden.wire.events import Span, too_long
from outwarden.wire.json_text import Splice, spliced
from outwarden.wire.json_tree import parse_all
from outwarden.wire.top_level import value_spans

_PRELUDE = struct.Struct(">III")
_CRC = struct.Struct(">I")
_LENGTH = struct.Struct(">H")
_HEADS_MAX = 64
# How Bedrock spells nearly all of them; everything else goes the long way.
_PLAIN_WRAPPER = re.compile(rb'\{"bytes":"([A-Za-z0-9+/]*={0,2})"(?:,"p":"[A-Za-z0-9]*")?\}')
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


class _Wrapped(NamedTuple):
    """A payload whose text is read as ``inner`` in place of ``payload[start:end]``.

    ``base64``: the place holds a JSON string of base64, as in ``{"bytes": "…"}``; otherwise all of the payload is
    text. ``quoted``: ``inner`` is that text as a JSON string; otherwise it is itself JSON.
    """

    start: int
    end: int
    inner: bytes
    base64: bool
    quoted: bool

    def spell(self, inner: bytes) -> bytes:
        """What goes into the payload for an edited ``inner``."""
        plain = json.loads(inner).encode("utf-8", "surrogateescape") if self.quoted else inner
        return b'"' + b64encode(plain) + b'"' if self.base64 else plain


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
    wrapped: _Wrapped | None

    def __repr__(self) -> str:
        return f"AwsEvent({len(self.raw)} bytes, name={self.name!r})"

    def spliced(self, splices: list[Splice], remarks: list[Splice]) -> bytes:
        """Return ``raw`` with splices of ``data`` and of header values (in offsets of ``raw``) done.

        Lengths and checksums are made anew; every other byte stays.
        """
        payload = self.raw[self.payload_start : -_CRC.size]
        return _frame(self._headers(remarks), _splice(payload, self.wrapped, sorted(splices, key=_place)))

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
    wrapped = _unwrap(payload, head.name, head.content_type)
    if wrapped is not None:
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


def _unwrap(payload: bytes, name: str | None, content_type: str) -> _Wrapped | None:
    """Say how the payload's text is wrapped; None where the payload is read as it is."""
    if "json" not in content_type:
        return _unwrap_bare(payload)
    if b'"bytes"' not in payload:
        return None
    try:
        if (plain := _PLAIN_WRAPPER.fullmatch(payload)) is not None:
            return _unwrap_base64(plain[1], plain.start(1) - 1, plain.end(1) + 1)
        span = value_spans(payload).get("bytes")
        if span is None or payload[span[0]] != ord('"'):
            return None
        return _unwrap_base64(json.loads(payload[slice(*span)]), *span)
    except (BodyError, ValueError):
        if name != "chunk":  # no wrapper that we know: read as it is
            return None
        raise BodyError("the payload of a chunk cannot be unwrapped") from None


def _unwrap_base64(spelled: str | bytes, start: int, end: int) -> _Wrapped | None:
    """Raises ValueError (binascii.Error is one) for what is not base64."""
    plain = a2b_base64(spelled, strict_mode=True)
    if _is_document(plain):
        return _Wrapped(start, end, plain, base64=True, quoted=False)
    return _Wrapped(start, end, _quote(plain), base64=True, quoted=True) if _is_text(plain) else None


def _unwrap_bare(payload: bytes) -> _Wrapped | None:
    """SageMaker sends what the model's container says, cut anywhere: JSON is read as it is, anything else is text."""
    if not payload or _is_document(payload) or not _is_text(payload):
        return None
    return _Wrapped(0, len(payload), _quote(payload), base64=False, quoted=True)


def _is_document(plain: bytes) -> bool:
    if plain.lstrip()[:1] not in (b"{", b"["):
        return False
    try:
        orjson.loads(plain)
    except orjson.JSONDecodeError:
        return _is_odd_document(plain)
    return True


def _is_odd_document(plain: bytes) -> bool:
    try:
        parse_all(plain)
    except BodyError:
        return False
    return True


def _is_text(plain: bytes) -> bool:
    """Whether it reads as UTF-8, but for a tenth of it or a character cut at either end."""
    undecodable = len(plain) - len(plain.decode("utf-8", "ignore").encode())
    return undecodable * 10 <= max(len(plain), 60)


def _quote(plain: bytes) -> bytes:
    return json.dumps(plain.decode("utf-8", "surrogateescape")).encode()


def _splice(payload: bytes, wrapped: _Wrapped | None, splices: list[Splice]) -> bytes:
    """Carry splices of ``data`` over to the payload."""
    if wrapped is None:
        return spliced(payload, splices)
    start, end, moved = (
        wrapped.start,
        wrapped.start + len(wrapped.inner),
        wrapped.end - wrapped.start - len(wrapped.inner),
    )
    inner = [(a - start, b - start, new) for a, b, new in splices if start <= a and b <= end]
    outer = [(a, b, new) for a, b, new in splices if b <= start]
    if inner:
        outer.append((start, wrapped.end, wrapped.spell(spliced(wrapped.inner, inner))))
    outer += [(a + moved, b + moved, new) for a, b, new in splices if a >= end]
    return spliced(payload, outer)


def _place(splice: Splice) -> Span:
    return splice[:2]
