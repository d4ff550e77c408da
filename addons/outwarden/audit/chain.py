"""How a record becomes a line, and how lines hang together.

A line is a JSON object in ASCII, whose last two members are ``prev`` (the hash of the line before; 64 zeros in the
first line) and ``hash``. The hash is the SHA-256 of the line's own bytes without its last member: no canonical form is
needed, one changed byte is one changed hash, and any shell can check a line::

    sed -n 7p audit.jsonl | sed -E 's/,"hash":"[0-9a-f]{64}"\\}$/}/' | tr -d '\\n' | sha256sum
"""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

NO_HASH = "0" * 64  # what the first line says of the one before it
LINE_BYTES_MAX = 1024 * 1024  # a record without text is some 1.5 KB

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_END = re.compile(rb'[,{]"prev":"([0-9a-f]{64})","hash":"([0-9a-f]{64})"\}\n\Z')
_END_BYTES = len(',"prev":"","hash":""}\n') + 2 * 64
_HASH_BYTES = len(',"hash":""}\n') + 64


class Link(NamedTuple):
    """What a whole line says of itself."""

    prev: str
    hash: str


def seal(record: Mapping[str, Any], prev: str) -> tuple[bytes, str]:
    """The line for ``record`` (with its line feed), and its hash.

    Raises ValueError for a record that is too long, brings its own ``prev`` or ``hash``, or holds a number that JSON
    has no word for; TypeError for what is no JSON at all.
    """
    if "prev" in record or "hash" in record:
        raise ValueError("a record cannot bring its own prev or hash")
    body = _encode({**record, "prev": prev}).encode("ascii")
    if len(body) + _HASH_BYTES > LINE_BYTES_MAX:
        raise ValueError(f"a record is longer than {LINE_BYTES_MAX} bytes")
    digest = sha256(body).hexdigest()
    return b'%s,"hash":"%s"}\n' % (body[:-1], digest.encode()), digest


def link(line: bytes) -> Link | None:
    """What a whole line (with its line feed) says of itself; None where it is torn, or none of ours."""
    found = _END.search(line, max(0, len(line) - _END_BYTES))
    return Link(found[1].decode(), found[2].decode()) if found and line.startswith(b"{") else None


def true_hash(line: bytes) -> str:
    """The hash that a whole line should have."""
    return sha256(line[:-_HASH_BYTES] + b"}").hexdigest()
