"""What a streamed reply is by its first bytes, where its content type says something else.

Clients that asked for a stream read the body without a look at its type, so a server that sends events as plain text
or as JSON works for them, and nobody notices.
"""

import re

import orjson

from outwarden.wire.json_tree import BOM

# How much of a reply is looked at. Comments and empty lines may stand before the first event; they are short.
BEGIN_BYTES_MAX = 64 * 1024

_EVENT = re.compile(rb"(?:[ \t]*\r?\n|\r|:[^\r\n]*[\r\n])*(?:data|event|id|retry):")
# These stream lines of JSON unless they are told not to; a whole reply of theirs is a stream of one line.
_STREAM_LINES = frozenset({"ollama"})


def type_by_begin(begin: bytes, dialect: str) -> str | None:
    """The content type of a stream that begins so; None: it is none, or more has to come to tell."""
    said = begin.removeprefix(BOM)
    if _EVENT.match(said):
        return "text/event-stream"
    if dialect in _STREAM_LINES and _is_line(said):
        return "application/x-ndjson"
    return None


def _is_line(said: bytes) -> bool:
    line, end, _ = said.lstrip().partition(b"\n")
    if not end or line[:1] != b"{":
        return False
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False
