"""How a record becomes a line, and how lines hang together.

A line is a JSON object in ASCII, whose last two members are ``prev`` (the hash of the line before; 64 zeros at the
beginning) and ``hash``. The hash is the SHA-256 of the line's own bytes without its last member: no canonical form is
needed, one changed byte is one changed hash, and any shell can check a line::

    sed -n 7p audit.jsonl | sed -E 's/,"hash":"[0-9a-f]{64}"\\}$/}/' | tr -d '\\n' | sha256sum
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

NO_HASH = "0" * 64  # what the first line says of the one before it
LINE_BYTES_MAX = 1024 * 1024  # a record without text is some 1.5 KB

_HASH_MEMBER = b',"hash":"'
_TAIL_BYTES = len(_HASH_MEMBER) + 64 + len(b'"}')


def seal(record: Mapping[str, Any], prev: str) -> tuple[bytes, str]:
    """The line for ``record`` (with its line feed), and its hash.

    Raises ValueError for a record that is too long, has keys of its own named ``prev`` or ``hash``, or holds a number
    that JSON has no word for; TypeError for what is no JSON at all.
    """
    if "prev" in record or "hash" in record:
        raise ValueError("a record cannot bring its own prev or hash")
    body = json.dumps({**record, "prev": prev}, separators=(",", ":"), allow_nan=False).encode("ascii")
    if len(body) + _TAIL_BYTES > LINE_BYTES_MAX:
        raise ValueError(f"a record is longer than {LINE_BYTES_MAX} bytes")
    digest = sha256(body).hexdigest()
    return b'%s,"hash":"%s"}\n' % (body[:-1], digest.encode()), digest


def hash_of(line: bytes) -> str | None:
    """The hash that a whole line (with its line feed) says it has, or None where it is no whole line."""
    if not line.endswith(b'"}\n') or line[-_TAIL_BYTES - 1 : -67] != _HASH_MEMBER:
        return None
    digest = line[-67:-3]
    return digest.decode() if not digest.strip(b"0123456789abcdef") else None


def true_hash(line: bytes) -> str:
    """The hash that a whole line should have."""
    return sha256(line[: -_TAIL_BYTES - 1] + b"}").hexdigest()
