"""The top level of a JSON object in place: where each value lies, and how to replace one without touching the rest."""

import json
import re
from collections.abc import Collection

import msgspec

from outwarden.errors import BodyError

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_BEFORE_VALUE = re.compile(rb'[\s,{]*"(?:[^"\\]|\\.)*"\s*:\s*')


def value_spans(body: bytes) -> dict[str, tuple[int, int]]:
    """Return the byte range [start, end) of every top-level value; raises BodyError where ``body`` is no JSON object.

    An object that repeats a key raises as well: its meaning depends on the reader.
    """
    try:
        values = _OBJECT.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BodyError("the body is not a JSON object") from None
    spans: dict[str, tuple[int, int]] = {}
    at = 0
    for key, raw in values.items():
        before = _BEFORE_VALUE.match(body, at)
        start = before.end() if before else 0
        end = start + len(memoryview(raw))
        if before is None or body[start:end] != bytes(raw):
            raise BodyError("the body repeats a key")
        spans[key] = (start, end)
        at = end
    if values and body[at:].strip() != b"}":
        raise BodyError("the body repeats a key")
    return spans


def replace_string(body: bytes, key: str, value: str) -> bytes:
    """Set the top-level ``key`` to the string ``value``; the rest stays. It is added where it is absent."""
    return replace_value(body, key, json.dumps(value).encode())


def replace_value(body: bytes, key: str, value: bytes) -> bytes:
    """Set the top-level ``key`` to the JSON text ``value``; every other byte stays."""
    spans = value_spans(body)
    if key in spans:
        start, end = spans[key]
        return body[:start] + value + body[end:]
    at = body.index(b"{") + 1
    comma = b"," if spans else b""
    return body[:at] + json.dumps(key).encode() + b":" + value + comma + body[at:]


def without(body: bytes, keys: Collection[str]) -> bytes:
    """Take top-level ``keys`` out, each with its comma; the same bytes where none is there."""
    spans = value_spans(body)
    if not any(key in spans for key in keys):
        return body
    kept, at = [], body.index(b"{") + 1
    for key, (_, end) in spans.items():
        if key not in keys:
            kept.append(body[at:end].lstrip(b", \t\r\n"))
        at = end
    return body[: body.index(b"{") + 1] + b",".join(kept) + body[at:]


def replace_inside(body: bytes, path: str, value: bytes) -> bytes:
    """Set the value at a dotted ``path``, as `replace_value` does; an object that is absent or null is made."""
    outer, dot, inner = path.partition(".")
    if not dot:
        return replace_value(body, outer, value)
    span = value_spans(body).get(outer)
    below = body[slice(*span)] if span else b"null"
    return replace_value(body, outer, replace_inside(b"{}" if below == b"null" else below, inner, value))
