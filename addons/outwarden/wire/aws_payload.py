"""What the payload of an AWS event-stream frame wraps: base64 in JSON, a server-sent event, or bare text."""

import json
import re
from base64 import b64encode
from binascii import a2b_base64
from typing import NamedTuple

import orjson

from outwarden.errors import BodyError
from outwarden.wire.json_text import Splice, spliced
from outwarden.wire.json_tree import parse_all
from outwarden.wire.top_level import value_spans

# How Bedrock spells nearly all of them; everything else goes the long way.
_PLAIN_WRAPPER = re.compile(rb'\{"bytes":"([A-Za-z0-9+/]*={0,2})"(?:,"p":"[A-Za-z0-9]*")?\}')
_ONE_SSE = re.compile(rb"data: ?(\{[^\r\n]*\})[\r\n]*")


class Wrapped(NamedTuple):
    """A payload whose text is read as ``inner`` in place of ``payload[start:end]``.

    ``base64``: the place holds a JSON string of base64, as in ``{"bytes": "…"}``. ``quoted``: ``inner`` is a text as a
    JSON string; otherwise it is itself JSON. ``alone``: what stands around it is no JSON and is not read.
    """

    start: int
    end: int
    inner: bytes
    base64: bool
    quoted: bool
    alone: bool = False

    def spell(self, inner: bytes) -> bytes:
        """What goes into the payload for an edited ``inner``."""
        plain = json.loads(inner).encode("utf-8", "surrogateescape") if self.quoted else inner
        return b'"' + b64encode(plain) + b'"' if self.base64 else plain


def unwrap(payload: bytes, name: str | None, content_type: str) -> Wrapped | None:
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


def _unwrap_base64(spelled: str | bytes, start: int, end: int) -> Wrapped | None:
    """Raises ValueError (binascii.Error is one) for what is not base64."""
    plain = a2b_base64(spelled, strict_mode=True)
    if _is_document(plain):
        return Wrapped(start, end, plain, base64=True, quoted=False)
    return Wrapped(start, end, _quote(plain), base64=True, quoted=True) if _is_text(plain) else None


def _unwrap_bare(payload: bytes) -> Wrapped | None:
    """SageMaker sends what a container says: JSON, often one server-sent event a frame, or text cut anywhere."""
    if not payload or _is_document(payload) or not _is_text(payload):
        return None
    event = _ONE_SSE.fullmatch(payload)
    if event is not None and _is_document(event[1]):
        return Wrapped(*event.span(1), event[1], base64=False, quoted=False, alone=True)
    return Wrapped(0, len(payload), _quote(payload), base64=False, quoted=True)


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


def splice(payload: bytes, wrapped: Wrapped | None, splices: list[Splice]) -> bytes:
    """Carry splices of ``data`` over to the payload."""
    if wrapped is None:
        return spliced(payload, splices)
    if wrapped.alone:
        return payload[: wrapped.start] + spliced(wrapped.inner, splices) + payload[wrapped.end :]
    start, end = wrapped.start, wrapped.start + len(wrapped.inner)
    moved = wrapped.end - end
    inner = [(a - start, b - start, new) for a, b, new in splices if start <= a and b <= end]
    outer = [(a, b, new) for a, b, new in splices if b <= start]
    if inner:
        outer.append((start, wrapped.end, wrapped.spell(spliced(wrapped.inner, inner))))
    outer += [(a + moved, b + moved, new) for a, b, new in splices if a >= end]
    return spliced(payload, outer)
