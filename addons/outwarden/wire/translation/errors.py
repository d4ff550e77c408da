"""Errors of one provider in another's shape: the kind goes over where both have it, the message as it is."""

from typing import Any

from outwarden.wire.formats.errors import GOOGLE_STATUS, error_kind
from outwarden.wire.formats.values import mapping, text
from outwarden.wire.translation.deltas import Failed

# What only one of them says, in the others' words (error pages of the API references; Google's by google.rpc.Code).
_TO_ANTHROPIC = {
    "insufficient_quota": "billing_error",
    "server_error": "api_error",
    "rate_limit_exceeded": "rate_limit_error",
    "tokens": "rate_limit_error",
    "requests": "rate_limit_error",
}
_TO_OPENAI = {
    "api_error": "server_error",
    "overloaded_error": "server_error",
    "timeout_error": "server_error",
    "billing_error": "insufficient_quota",
    "request_too_large": "invalid_request_error",
}
_TOO_LONG = "prompt is too long"
_FROM_GOOGLE = {
    "INVALID_ARGUMENT": "invalid_request_error",
    "FAILED_PRECONDITION": "invalid_request_error",
    "OUT_OF_RANGE": "invalid_request_error",
    "UNAUTHENTICATED": "authentication_error",
    "PERMISSION_DENIED": "permission_error",
    "NOT_FOUND": "not_found_error",
    "RESOURCE_EXHAUSTED": "rate_limit_error",
    "UNAVAILABLE": "overloaded_error",
    "DEADLINE_EXCEEDED": "timeout_error",
}
# The HTTP status of a kind: Google says it in the body too.
_STATUS = {
    "invalid_request_error": 400,
    "request_too_large": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "billing_error": 429,
    "tokens": 429,
    "requests": 429,
    "overloaded_error": 503,
    "timeout_error": 504,
}


def failed(body: object) -> Failed:
    """Read an error of any; odd ones lose their words, not that they are errors."""
    source = mapping(body[0] if isinstance(body, list) and body else body)  # Google wraps that of a stream in a list
    error = source.get("error")
    if isinstance(error, str):
        return Failed("", error)
    inner = mapping(error) or source
    kind = text(inner.get("type")) or ""
    if not kind and (status := text(inner.get("status"))):
        kind = _FROM_GOOGLE.get(status, "api_error")
    return Failed("" if kind == "error" else kind, text(inner.get("message")) or "The upstream answered with an error.")


def openai_error(kind: str, message: str) -> dict[str, Any]:
    """The object under ``error``. Clients that shorten a conversation which is too long know that by its code."""
    code = "context_length_exceeded" if _is_too_long(kind, message) else None
    return {"message": message, "type": _TO_OPENAI.get(kind, kind or "server_error"), "param": None, "code": code}


def anthropic_error(kind: str, message: str) -> dict[str, Any]:
    """The whole body. Clients that shorten a conversation which is too long know that by Anthropic's own words."""
    if _is_too_long(kind, message) and _TOO_LONG not in message.lower():
        message = f"{_TOO_LONG}: {message}"
    return {"type": "error", "error": {"type": _TO_ANTHROPIC.get(kind, kind or "api_error"), "message": message}}


def _is_too_long(kind: str, message: str) -> bool:
    return error_kind({"type": kind, "message": message}) == "context_length"


def google_error(kind: str, message: str, status: int | None = None) -> dict[str, Any]:
    """The whole body; ``status``: that of the HTTP answer, where the error does not come inside of a stream."""
    code = status or _STATUS.get(kind, 500)
    word = GOOGLE_STATUS.get(code) or GOOGLE_STATUS.get(_STATUS.get(kind, 500), "INTERNAL")
    return {"error": {"code": code, "message": message, "status": word}}
