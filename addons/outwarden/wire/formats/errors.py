"""Errors in both directions: a provider's error object as a short kind, and our refusals in each provider's shape."""

import json
import re
import secrets
from typing import Any
from urllib.parse import quote

from outwarden.wire.aws_events import exception_frame
from outwarden.wire.format import ErrorReply, Framing, Refusal
from outwarden.wire.formats.values import mapping, number, text

# Words that providers use in an error's type, code or status -> our kind. Looked up in order, as parts of the word:
# `rate_limit_error`, `RESOURCE_EXHAUSTED`, `ThrottlingException`. Nothing of the provider's own text ever gets out.
_KINDS: tuple[tuple[str, str], ...] = (
    ("context_length", "context_length"),
    ("string_above_max", "context_length"),
    ("too_many_tokens", "context_length"),
    ("context_size", "context_length"),
    ("prompt_tokens_exceeded", "context_length"),
    ("encrypted_content", "foreign_signature"),
    ("content_filter", "content_filter"),
    ("content_policy", "content_filter"),
    ("invalid_prompt", "content_filter"),  # OpenAI's, for what its usage policy forbids
    ("moderation", "content_filter"),
    ("inspection", "content_filter"),  # Alibaba's data_inspection_failed
    ("safety", "content_filter"),
    ("insufficient_quota", "quota"),
    ("billing", "quota"),
    ("402", "quota"),
    ("credit", "quota"),
    ("servicequota", "quota"),
    ("insufficient balance", "quota"),  # MiniMax, in words
    ("arrearage", "quota"),  # Alibaba
    ("overdue", "quota"),  # Volcengine
    ("rate_limit", "rate_limit"),
    ("resource_exhausted", "rate_limit"),
    ("throttl", "rate_limit"),
    ("too_many", "rate_limit"),
    ("rate limit", "rate_limit"),
    ("limit reached", "rate_limit"),  # Baidu, in words
    ("limitexceeded", "rate_limit"),  # Tencent
    ("429", "rate_limit"),
    ("overloaded", "overloaded"),
    ("unavailable", "overloaded"),
    ("529", "overloaded"),
    ("503", "overloaded"),
    ("timeout", "timeout"),
    ("deadline", "timeout"),
    ("authentication", "authentication"),
    ("unauthenticated", "authentication"),
    ("invalid_api_key", "authentication"),
    ("invalidapikey", "authentication"),
    ("401", "authentication"),
    ("permission", "permission"),
    ("access_denied", "permission"),
    ("403", "permission"),
    ("accessdenied", "permission"),
    ("not_found", "not_found"),
    ("notfound", "not_found"),
    ("404", "not_found"),
    ("invalid", "invalid_request"),
    ("validation", "invalid_request"),
    ("failed_precondition", "invalid_request"),
    ("tool_use_failed", "invalid_request"),
    ("400", "invalid_request"),
    ("api_error", "server_error"),
    ("modelerror", "server_error"),
    ("modelstreamerror", "server_error"),
    ("badgateway", "server_error"),
    ("dependencyfailed", "server_error"),
    ("streamfailure", "server_error"),
    ("server", "server_error"),
    ("internal", "server_error"),
    ("500", "server_error"),
    ("502", "server_error"),
)

_NAMES = ("code", "type", "status", "error_type", "__type", "Code")
# What most say only in prose, under a kind that says less (errors of some thirty providers, read 2026-11).
_VAGUE = frozenset({"invalid_request", "permission", "error"})
_IN_PROSE: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "context_length",
        re.compile(
            r"(?:prompt|input) is too long|too many (?:input )?tokens(?!.{0,20}(?:wait|per (?:minute|day)))"
            r"|input tokens exceed|token count.{0,40}(?:exceed|supports up)|exceeds the maximum number of tokens"
            r"|context (?:length|window|limit|size)|max(?:imum)? (?:model|prompt) length|exceeds max length"
            r"|exceeded model token limit|range of input length|`inputs` (?:tokens \+|must have less)"
        ),
    ),
    (
        "content_filter",
        re.compile(
            r"content (?:filter|management)|usage policy|safety system|(?:was|been|input) flagged|content exists risk"
            r"|(?:sensitive|inappropriate) content"
        ),
    ),
    (
        "foreign_signature",
        re.compile(r"invalid .{0,3}signature.{0,3} in .{0,3}thinking|thought.signature|encrypted content .*verified"),
    ),
    ("quota", re.compile(r"credit balance|insufficient (?:balance|credit|quota|funds)")),
)


def error_kind(error: object) -> str:
    """Name an error object's kind: one of the short words above, ``error`` where it has none of them."""
    source = {"message": error} if isinstance(error, str) else mapping(error)
    words = [str(source.get(key)) for key in _NAMES if source.get(key) is not None]
    spelled = " ".join(words)[:200].lower()
    kind = next((kind for word, kind in _KINDS if word in spelled), "error")
    if kind not in _VAGUE:
        return kind
    message = str(source.get("message"))[:500].lower()
    return next((told for told, prose in _IN_PROSE if prose.search(message)), kind)


def error_of(body: object) -> str | None:
    """The error kind of a whole body or an event that carries an ``error`` or says that it is one; else None."""
    if isinstance(body, list):  # Gemini wraps errors of array streams in a list
        return error_of(body[0]) if len(body) == 1 else None
    source = mapping(body)
    if error := source.get("error"):
        return error_kind({**source, "message": error} if isinstance(error, str) else error)
    if error := mapping(source.get("Response")).get("Error"):  # Tencent
        return error_kind(error)
    if source.get("type") == "error" or source.get("object") == "error":
        return error_kind(source)
    return _error_by_number(source)


def _error_by_number(source: dict[str, Any]) -> str | None:
    """An error that comes with status 200 and is told by a number that is not 0 (MiniMax, Baidu)."""
    base = mapping(source.get("base_resp"))
    for code, message in ((base.get("status_code"), base.get("status_msg")), _coded(source)):
        if number(code):
            return error_kind({"code": message, "message": message})
    return None


def _coded(source: dict[str, Any]) -> tuple[object, object]:
    return (source.get("error_code"), source["error_msg"]) if "error_msg" in source else (None, None)


def _headers(refusal: Refusal) -> dict[str, str]:
    headers = {"content-type": "application/json"} | ({"x-should-retry": "false"} if refusal.final else {})
    if refusal.retry_after_s is not None:
        headers["retry-after"] = str(refusal.retry_after_s)
    return headers


def encode(body: object) -> bytes:
    """Compact JSON, UTF-8."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def reply(refusal: Refusal, body: dict[str, Any], **headers: str) -> ErrorReply:
    """An error answer with the headers that keep SDKs from burning retries."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ErrorReply(refusal.status, _headers(refusal) | named, encode(body))


# https://grpc.io/docs/guides/status-codes/: none of these is retried by a client's default policy but 14.
_GRPC_STATUS = {400: 3, 401: 16, 403: 7, 404: 5, 413: 8, 415: 12, 429: 8, 501: 12, 503: 14, 504: 4}


def grpc_reply(refusal: Refusal) -> ErrorReply:
    """A refusal as gRPC's clients understand it: HTTP 200, no message, the status beside the headers ("Trailers-Only").

    The message is percent-encoded (gRPC over HTTP2, "Status-Message").
    """
    status = str(_GRPC_STATUS.get(refusal.status, 13))
    headers = {
        "content-type": "application/grpc",
        "grpc-status": status,
        "grpc-message": quote(coded(refusal), " ()'.,:"),
    }
    return ErrorReply(200, headers, b"")


def coded(refusal: Refusal) -> str:
    """The message with our code before it: many shapes have no field for a code, and many clients show no field."""
    return f"{refusal.code}: {refusal.message}"


# Type names as the providers spell them, by status.
_OPENAI_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "invalid_request_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
}
_ANTHROPIC_TYPES = _OPENAI_TYPES | {
    402: "billing_error",
    408: "timeout_error",
    413: "request_too_large",
    504: "timeout_error",
    529: "overloaded_error",
}
GOOGLE_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def openai_error(refusal: Refusal) -> dict[str, Any]:
    """The object under ``error``. An exhausted budget has the type of OpenAI's own exhausted quota.

    The code stands before the message as well: the SDK shows nothing else when its error is printed.
    """
    kind = (
        "insufficient_quota" if refusal.code == "budget_exceeded" else _OPENAI_TYPES.get(refusal.status, "server_error")
    )
    return {"message": coded(refusal), "type": kind, "param": None, "code": refusal.code}


def anthropic_error(refusal: Refusal) -> dict[str, Any]:
    """The whole error body; it has no field for a code, so the message begins with it."""
    kind = _ANTHROPIC_TYPES.get(refusal.status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": coded(refusal)}}


def google_error(refusal: Refusal) -> dict[str, Any]:
    """The whole error body. No RetryInfo: Google's clients would wait and retry on it."""
    return {
        "error": {
            "code": refusal.status,
            "message": coded(refusal),
            "status": GOOGLE_STATUS.get(refusal.status, "INTERNAL"),
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": refusal.code.upper(),
                    "domain": "outwarden",
                }
            ],
        }
    }


def message(refusal: Refusal, refused: object) -> bytes:
    """OpenAI's ``error`` event over a WebSocket, for Realtime and Responses clients alike.

    Realtime's names the refused event by its id. Responses clients (Codex) read status and headers as those of an HTTP
    error.
    """
    headers = {name: value for name, value in _headers(refusal).items() if name != "content-type"}
    error = openai_error(refusal) | {"event_id": text(mapping(refused).get("event_id"))}
    event_id = f"event_outwarden_{secrets.token_hex(8)}"
    return encode({"type": "error", "event_id": event_id, "status": refusal.status, "error": error, "headers": headers})


def framed(framing: Framing, body: object, name: str | None = None) -> bytes:
    """One event. In a JSON array it is the last element after others: events are sent only after a first one."""
    data = encode(body)
    if framing == "messages":
        return data
    if framing == "ndjson":
        return data + b"\n"
    if framing == "aws-event-stream":
        return exception_frame(name or "internalServerException", data)
    if framing == "json-array":
        return b",\n" + data + b"\n]"
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + data + b"\n\n"
