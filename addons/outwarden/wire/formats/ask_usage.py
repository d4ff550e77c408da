"""Make a chat stream report its usage: OpenAI and most who copied it do so only when asked."""

import json
import re
from json.decoder import JSONDecodeError

_ASK = b'"stream_options":{"include_usage":true}'
_decoder = json.JSONDecoder()
_WHITESPACE = " \t\r\n"

# These send usage in a chat stream unasked (measured on the recordings: DeepSeek 4 of 4, Groq 7 of 7 good streams,
# Mistral 6 of 6, OpenRouter, Cohere; the others by WIRE.md). Mistral refuses keys it does not know, Databricks does so
# for models that run at Bedrock (github.com/anomalyco/opencode/issues/4698).
_SENDS_USAGE = frozenset(
    {"cohere", "databricks", "deepseek", "google", "groq", "mistral", "openrouter", "perplexity", "together"}
)

# Azure refuses the option in older versions of its API (github.com/openai/openai-python/issues/1469), in chats with the
# caller's own data, whatever the version (github.com/Azure/azure-sdk-for-js/issues/30751), and for models that are not
# OpenAI's (github.com/NousResearch/hermes-agent/pull/109143).
_TOLD_SINCE = "2024-09-01"
_VERSION = re.compile(r"[?&]api-version=(\d{4}-\d{2}-\d{2})")
_OWN_DATA = (b'"data_sources"', b'"dataSources"')


# In a chat stream that was asked for it, these say "usage":null in all chunks but the last (the recordings: 54 of 55
# streams), and in no other one.
_SAYS_NULL = frozenset({"azure", "openai"})


def says_null_when_asked(provider: str) -> bool:
    """Whether a chat stream of ``provider`` names its usage in each chunk because it was asked for it."""
    return provider in _SAYS_NULL


def sends_usage(provider: str) -> bool:
    """Whether ``provider`` (id of the price catalogue) reports usage in chat streams without being asked."""
    return provider in _SENDS_USAGE or provider.startswith("huggingface_")


def may_be_asked(provider: str, target: str, body: bytes) -> bool:
    """Whether ``provider`` takes the option in a call of this path and query."""
    if provider == "azure" and "/openai/" not in target.lower():
        return False
    version = _VERSION.search(target)
    return not (version and version[1] < _TOLD_SINCE) and not any(key in body for key in _OWN_DATA)


def ask_for_usage(body: bytes) -> bytes | None:
    """Return ``body`` with ``stream_options.include_usage`` true and every other byte as it was.

    None where it is true already, or the body or its options are no JSON object: the provider says so. The reply then
    ends with one more chunk, marked `EventFacts.usage_only`: drop it, the client did not ask for it (nor for what
    `says_null_when_asked` tells).
    """
    try:
        text = body.decode()
        start = _after_space(text, 0)
        if text[start : start + 1] != "{":
            return None
        span = _find(text, start) if '"stream_options"' in text or "\\u" in text else None
        parsed = json.loads(text[span[0] : span[1]]) if span is not None else None
    except (UnicodeDecodeError, JSONDecodeError, RecursionError):
        return None
    if span is None:
        return _insert(text, start + 1, _ASK)
    if not isinstance(parsed, dict | None) or (parsed and parsed.get("include_usage") is True):
        return None
    options = json.dumps((parsed or {}) | {"include_usage": True}, separators=(",", ":"), ensure_ascii=False)
    return (text[: span[0]] + options + text[span[1] :]).encode()


def _insert(text: str, at: int, member: bytes) -> bytes:
    """Put a member first in the object that opens before ``at``."""
    empty = text[_after_space(text, at) :][:1] == "}"
    return text[:at].encode() + member + (b"" if empty else b",") + text[at:].encode()


def _after_space(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _WHITESPACE:
        at += 1
    return at


def _find(text: str, start: int) -> tuple[int, int] | None:
    """Where the value of the last top-level ``stream_options`` stands (the last of repeated keys is the one read)."""
    found: tuple[int, int] | None = None
    at = _after_space(text, start + 1)
    while text[at : at + 1] == '"':
        key, at = _decoder.raw_decode(text, at)
        begin = _after_space(text, _after_space(text, at) + 1)
        _, end = _decoder.raw_decode(text, begin)
        if key == "stream_options":
            found = (begin, end)
        at = _after_space(text, end)
        if text[at : at + 1] != ",":
            break
        at = _after_space(text, at + 1)
    return found
