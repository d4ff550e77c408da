"""What the bytes mean: where text is in requests, replies and streams, and how to change only that.

Knows the APIs (a Format each: text rules, model, limits, usage, stream events, error shape), the framings (SSE,
NDJSON, JSON arrays, AWS event streams), how an edit of a text goes back into the original bytes, and (`translation`)
how one API says what another said. Leaves to others
what is personal (``pii``), what a token costs (``pricing``) and where a call goes (``routing``): it only asks a
``TextRewriter``.
"""

from outwarden.wire.body import Memory, Rewritten, read_json, rewrite_json, rewrite_text
from outwarden.wire.edits import ChannelRewriter, Edit, TextRewriter, apply_edits
from outwarden.wire.format import (
    Delta,
    ErrorReply,
    EventFacts,
    Format,
    Framing,
    Json,
    Operation,
    Refusal,
    RequestFacts,
    ResponseFacts,
    TextRules,
)
from outwarden.wire.stream import StreamRewriter
from outwarden.wire.traffic import Host, Traffic
from outwarden.wire.usage import Usage

__all__ = [
    "ChannelRewriter",
    "Delta",
    "Edit",
    "ErrorReply",
    "EventFacts",
    "Format",
    "Framing",
    "Host",
    "Json",
    "Memory",
    "Operation",
    "Refusal",
    "RequestFacts",
    "ResponseFacts",
    "Rewritten",
    "StreamRewriter",
    "TextRewriter",
    "TextRules",
    "Traffic",
    "Usage",
    "apply_edits",
    "read_json",
    "rewrite_json",
    "rewrite_text",
]
