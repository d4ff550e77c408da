"""What OpenAI sends with every answer, and how its errors look."""

from typing import Any

from outwarden.simulate.reply import Part, Reply, pretty
from outwarden.simulate.script import Script

HEADERS = (("openai-version", "2020-10-01"), ("openai-processing-ms", "42"), ("x-ratelimit-limit-requests", "10000"))

# status -> (type, code): https://platform.openai.com/docs/guides/error-codes and recorded bodies
_KINDS = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "unknown_url"),
    429: ("requests", "rate_limit_exceeded"),
    500: ("server_error", None),
    503: ("server_error", "service_unavailable"),
}


def error_object(script: Script, status: int) -> dict[str, Any]:
    """The error as a JSON value."""
    kind, code = _KINDS.get(status, ("server_error", None))
    message = script.message or f"The simulated provider was told to answer {status}."
    return {"error": {"message": message, "type": kind, "param": None, "code": script.error or code}}


def error(script: Script, status: int) -> Reply:
    """The error as a reply."""
    data = pretty(error_object(script, status))
    return Reply(status, (*HEADERS, ("content-type", "application/json")), (Part(data),))
