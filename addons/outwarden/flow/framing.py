"""What holds an HTTP message together: its framing, and the headers that are for one hop only."""

import re

from mitmproxy import http

from outwarden.errors import BodyError

CONTINUE = http.Response(b"HTTP/1.1", 100, b"Continue", http.Headers(), None, None, 0, 0)

# A control character ends a header early for some readers; a tab is the only one that belongs there (RFC 9110 §5.5).
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
# Ours are told from others' by this, so that nobody upstream sees what is between a client and us.
_OURS = b"x-outwarden-"
# RFC 9110 §7.6.1; `connection` itself stays, because it says how long our own two connections live.
_ONE_HOP = frozenset({b"keep-alive", b"te", b"trailer", b"upgrade", b"proxy-connection", b"proxy-authorization"})
# What only `connection` and `transfer-encoding` themselves may say.
_KEPT = frozenset({b"connection", b"transfer-encoding", b"content-length", b"host"})

# What states a digest of the body: it says nothing about a body that we changed (RFC 9530, RFC 3230, RFC 1864).
DIGESTS = ("content-md5", "content-digest", "repr-digest", "digest")


def header_of(message: http.Message, name: bytes) -> str:
    """What a header says, repeated ones joined by commas; empty where there is none. ``name``: in small letters.

    As mitmproxy's view of the headers, in a quarter of its time; each call asks it some ten times.
    """
    found = [value for key, value in message.headers.fields if key.lower() == name]
    return b", ".join(found).decode("utf-8", "surrogateescape") if found else ""


def has_header(message: http.Message, name: bytes) -> bool:
    """Whether there is a header of this name, which is in small letters."""
    return any(key.lower() == name for key, _ in message.headers.fields)


def announced_bytes(message: http.Message) -> int | None:
    """The length that a body says it has; None where it says none, or nonsense."""
    value = header_of(message, b"content-length")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 20 else None


def fault_of(message: http.Message) -> str | None:
    """Why two readers might read this message in two ways, beyond what mitmproxy looks at; None where they will not."""
    for name, value in message.headers.fields:
        if _CONTROL.search(value):  # obs-fold (RFC 9112 §5.2), which mitmproxy joins and keeps, is one
            return "a header holds a control character or is folded over two lines"
        if name.lower() == b"transfer-encoding" and value.strip().lower() != b"chunked":
            return "its transfer-encoding is not read here"  # mitmproxy would pass a gzip coding on, unread
    return None


def check_reply(response: http.Response) -> None:
    """Give an upstream's head one meaning only; raises BodyError where it has none."""
    fault = fault_of(response)
    if fault:
        raise BodyError(fault)
    if has_header(response, b"transfer-encoding"):
        response.headers.pop("content-length", None)  # RFC 9112 §6.3: it does not count, and must not go on


def drop_one_hop_headers(request: http.Request) -> None:
    """Take out what is meant for us and not for the upstream, and whatever speaks of us."""
    named = [(name.lower(), value) for name, value in request.headers.fields]  # one pass: mitmproxy's view takes many
    dropped = set(_ONE_HOP)
    for name, value in named:
        if name == b"connection":
            dropped.update(part.strip() for part in value.lower().split(b","))
        elif name == b"te" and value.lower() == b"trailers":  # gRPC servers insist on it, and it asks for nothing else
            dropped.discard(b"te")
    dropped -= _KEPT
    if any(name in dropped or name.startswith(_OURS) for name, _ in named):
        request.headers.fields = tuple(
            field
            for field, (name, _) in zip(request.headers.fields, named, strict=True)
            if name not in dropped and not name.startswith(_OURS)
        )


def fit(response: http.Response, request: http.Request, length: int) -> http.Response:
    """A whole reply of ``length`` bytes with the framing that this client reads; the same object where it has it."""
    if request.is_http2 or request.method == "HEAD" or response.status_code in (204, 304):
        return response
    old = request.http_version == "HTTP/1.0"
    if has_header(response, b"content-length") or (not old and has_header(response, b"transfer-encoding")):
        return response
    fitted = response.copy()
    fitted.headers.pop("transfer-encoding", None)
    fitted.headers["content-length"] = str(length)
    return fitted
