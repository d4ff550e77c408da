"""Errors of one provider in the other's shape: the kind goes over where both have it, the message as it is."""

from typing import Any

from outwarden.wire.formats.values import mapping, text
from outwarden.wire.translation.deltas import Failed

# What only one of them says, in the other's words (error pages of both API references).
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


def failed(body: object) -> Failed:
    """Read an error of either; odd ones lose their words, not that they are errors."""
    source = mapping(body)
    error = source.get("error")
    if isinstance(error, str):
        return Failed("", error)
    inner = mapping(error) or source
    kind = text(inner.get("type")) or ""
    return Failed("" if kind == "error" else kind, text(inner.get("message")) or "The upstream answered with an error.")


def openai_error(kind: str, message: str) -> dict[str, Any]:
    """The object under ``error``."""
    return {"message": message, "type": _TO_OPENAI.get(kind, kind or "server_error"), "param": None, "code": None}


def anthropic_error(kind: str, message: str) -> dict[str, Any]:
    """The whole body."""
    return {"type": "error", "error": {"type": _TO_ANTHROPIC.get(kind, kind or "api_error"), "message": message}}
