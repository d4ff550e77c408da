"""Where single values stand in a JSON document: the bytes behind a path, without reading the rest."""

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from outwarden.wire.json_text import Splice, escape, escapes_non_ascii

Path = tuple[str | int, ...]
"""Keys and indexes from the root."""

_SPACE = re.compile(rb"[ \t\r\n]*")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SCALAR = re.compile(rb"[^ \t\r\n,\]}]*")
# A member of an object or of a list: its key, and its value where that is no object or list; else it begins behind.
_PLAIN = rb'("[^"\\]*(?:\\.[^"\\]*)*"|[^ \t\r\n,\]}{\["]+)'
_MEMBER = re.compile(
    rb'[ \t\r\n]*("[^"\\]*(?:\\.[^"\\]*)*")[ \t\r\n]*:[ \t\r\n]*(?:' + _PLAIN + rb"|(?=[{\[]))", re.DOTALL
)
_ELEMENT = re.compile(rb"[ \t\r\n]*()(?:" + _PLAIN + rb"|(?=[{\[]))", re.DOTALL)
_COMMA = re.compile(rb"[ \t\r\n]*,")
_STRUCTURE = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]', re.DOTALL)
_HERE = object()

Wanted = dict[object, Any]


def places(raw: bytes, paths: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Map each of ``paths`` that ``raw`` (valid JSON) has to the byte range [start, end) of its value.

    The last of repeated keys counts, as it does for every parser. Time is linear in ``raw``.
    """
    wanted: Wanted = {}
    for path in paths:
        node = wanted
        for step in path:
            node = node.setdefault(step, {})
        node[_HERE] = True
    found: dict[Path, tuple[int, int]] = {}
    if wanted:
        _visit(raw, _end_of(_SPACE, raw, 3 if raw.startswith(b"\xef\xbb\xbf") else 0), wanted, (), found)
    return found


Said = str | int | list[int] | dict[str, int]
"""A value to put in place of another."""


def with_values(raw: bytes, splices: Sequence[Splice], values: Mapping[Path, Said]) -> list[Splice]:
    """Add to ``splices`` of ``raw`` what puts ``values`` there, in place of those inside of them; ascending."""
    ascii_only = escapes_non_ascii(raw)
    found = sorted((span, path) for path, span in places(raw, values).items())
    starts = [start for (start, _), _ in found]
    kept = [s for s in splices if not (at := bisect_right(starts, s[0])) or s[0] >= found[at - 1][0][1]]
    for (start, end), path in found:
        value = values[path]
        if isinstance(value, str):
            kept.append((start + 1, end - 1, escape(value, ascii_only=ascii_only)))
        else:
            kept.append((start, end, json.dumps(value, separators=(",", ":")).encode()))
    return sorted(kept, key=lambda splice: splice[:2])


def _visit(raw: bytes, at: int, wanted: Wanted, path: Path, found: dict[Path, tuple[int, int]]) -> int:
    """Read the value that begins at ``at``; return where it ends."""
    opening = raw[at : at + 1]
    end = _members(raw, at, wanted, path, found) if opening in (b"{", b"[") else _end_of_value(raw, at)
    if _HERE in wanted:
        found[path] = (at, end)
    return end


def _members(raw: bytes, at: int, wanted: Wanted, path: Path, found: dict[Path, tuple[int, int]]) -> int:
    member = _MEMBER if raw[at] == ord("{") else _ELEMENT
    at += 1
    index = 0
    while (read := member.match(raw, at)) is not None:
        key, plain = read.groups()
        step: str | int = _key(key) if key else index
        inner = wanted.get(step)
        at = read.end()
        if plain is None:
            at = _end_of_value(raw, at) if inner is None else _visit(raw, at, inner, (*path, step), found)
        elif inner is not None and _HERE in inner:
            found[(*path, step)] = read.span(2)
        index += 1
        if (comma := _COMMA.match(raw, at)) is None:
            break
        at = comma.end()
    return _end_of(_SPACE, raw, at) + 1


def _key(raw: bytes) -> str:
    try:
        return str(orjson.loads(raw))
    except orjson.JSONDecodeError:
        return ""  # half a surrogate pair: no key of any API


def _end_of_value(raw: bytes, at: int) -> int:
    if raw[at : at + 1] == b'"':
        return _end_of(_STRING, raw, at)
    if raw[at : at + 1] not in (b"{", b"["):
        return _end_of(_SCALAR, raw, at)
    depth = 0
    for token in _STRUCTURE.finditer(raw, at):
        if token[0] in (b"{", b"["):
            depth += 1
        elif token[0] in (b"}", b"]"):
            depth -= 1
            if not depth:
                return token.end()
    return len(raw)


def _end_of(pattern: re.Pattern[bytes], raw: bytes, at: int) -> int:
    found = pattern.match(raw, at)
    return found.end() if found else at
