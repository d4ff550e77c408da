"""What a call is billed for that its body does not hold; checked against recorded traffic."""

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outwarden.pricing.outputs import media_tokens
from outwarden.pricing.tokens import TokenCounter
from outwarden.pricing.unseen import (
    OVERHEAD_TOKENS,
    REFERENCE_TOKENS,
    SEARCHES,
    SERVER_TOOL_TOKENS,
    unseen,
)

TRAFFIC = Path(__file__).parents[2].parent / "shared" / "wire"
PROVIDERS = {"xai": "x-ai", "gemini": "google", "vertex": "google", "bedrock": "aws"}
MEDIA_KEYS = {"data", "url", "image_url", "file_data", "bytes", "input_audio"}

# Recordings that cannot be bounded: two whose prompt was shortened by hand, one of an agent sold as a model.
_EXCEPTIONS = {"w772533d8dcf000", "w0376a5888c0376", "w215876d212bd43"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"tools": [{"type": "web_search_20250305", "name": "web_search"}]}',
        b'{"tools":[{"type":"code_interpreter"}]}',
        b'{"tools": [{"googleSearch": {}}]}',
        b'{"tools": [{"google_search_retrieval": {}}]}',
        b'{"mcp_servers": [{"url": "x"}]}',
        b'{"search_parameters": {"mode": "on"}}',
    ],
)
def test_tools_that_run_at_the_provider(body: bytes) -> None:
    """What the provider's own tools find is read as input: the call gets room for it."""
    assert unseen(body).tokens == OVERHEAD_TOKENS + SERVER_TOOL_TOKENS


@pytest.mark.parametrize(
    "body",
    [
        b'{"previous_response_id": "resp_1"}',
        b'{"cachedContent": "cachedContents/1"}',
        b'{"file_id" : "file_1"}',
        b'{"fileData": {"fileUri": "gs://b/o"}}',
        b'{"image_url": {"url": "https://img.example/1.png"}}',
    ],
)
def test_references(body: bytes) -> None:
    """Content that the provider has or fetches is read as input: the call gets room for it."""
    assert unseen(body).tokens == OVERHEAD_TOKENS + REFERENCE_TOKENS


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"previous_response_id": null}',
        b'{"tools": [{"type": "function", "function": {"name": "web_search"}}]}',
        b'{"messages": [{"content": "say \\"type\\": \\"web_search\\" and \\"file_id\\": \\"x\\""}]}',
        b'{"image_url": {"url": "data:image/png;base64,AAAA"}}',
    ],
)
def test_plain_calls(body: bytes) -> None:
    """The caller's own tools, absent references and text about them cost no extra room."""
    assert unseen(body).tokens == OVERHEAD_TOKENS


def test_both_add_up() -> None:
    """A call with references and tools gets room for both."""
    body = b'{"previous_response_id": "r", "tools": [{"type": "web_search"}]}'
    assert unseen(body).tokens == OVERHEAD_TOKENS + SERVER_TOOL_TOKENS + REFERENCE_TOKENS


@pytest.mark.parametrize(
    ("body", "web", "files"),
    [
        (b'{"tools": [{"type": "web_search"}]}', SEARCHES, 0),
        (b'{"tools": [{"type": "web_search"}], "max_tool_calls": 3}', 3, 0),
        (b'{"tools": [{"type": "file_search"}, {"type": "web_search"}], "max_tool_calls": 3}', 3, 3),
        (b'{"tools": [{"type": "web_search_20250305", "max_uses": 2}]}', 2, 0),
        (b'{"tools": [{"type": "web_search_20250305", "max_uses": 20}]}', 20, 0),
        (b'{"tools": [{"type": "web_search_20250305"}, {"type": "web_fetch_20250910", "max_uses": 1}]}', SEARCHES, 0),
        (b'{"tools": [{"type": "code_interpreter"}]}', 0, 0),
        (b'{"web_search_options": {}}', SEARCHES, 0),
        (b'{"plugins": [{"id": "web"}]}', SEARCHES, 0),
        (b'{"plugins": [{"id": "file-parser"}]}', 0, 0),
        (b'{"tools": [{"googleSearch": {}}]}', SEARCHES, 0),
        (b'{"tools": [{"type": "function", "function": {"name": "web_search"}}]}', 0, 0),
    ],
)
def test_searches(body: bytes, web: int, files: int) -> None:
    """As many as the call allows, where it says so of all its tools; else as many as any call was seen to make."""
    assert unseen(body)[1:] == (web, files)


def test_searches_that_are_billed_together() -> None:
    """Google bills a prompt that searched once, whatever its queries; from Gemini 3 on each query."""
    body = b'{"tools": [{"googleSearch": {}}]}'
    assert unseen(body, "gemini-2.5-flash").web_searches == 1
    assert unseen(body, "gemini-3-flash-preview").web_searches == SEARCHES


@pytest.mark.skipif(not TRAFFIC.is_dir(), reason="the recorded traffic is not beside this checkout")
@pytest.mark.parametrize("provider", ["openai", "anthropic", "bedrock", "vertex", "xai", "openrouter", "groq", "azure"])
def test_bound_holds_on_recorded_calls(provider: str) -> None:
    """Every recorded call was billed at most the strings of its body, its media and what is unseen."""
    counter, checked = TokenCounter(), 0
    for record in _records(provider):
        body = base64.b64decode(record["request"]["body_b64"])
        billed = _input_tokens(record["usage_in_body"])
        if not billed or not body.startswith(b"{") or record["id"] in _EXCEPTIONS:
            continue
        encoding = counter.encoding(PROVIDERS.get(provider, provider), record["model"])
        media, bound = 0, unseen(body).tokens
        for key, text in _strings(None, json.loads(body)):
            if key in MEDIA_KEYS and len(text) > 200 and (text.startswith("data:") or " " not in text[:200]):
                media += len(text)
            else:
                bound += counter.count(encoding, text)
        assert billed <= bound + media_tokens(media, record["model"]), record["id"]
        checked += 1
    assert checked > 15


def _records(provider: str) -> Iterator[dict[str, Any]]:
    with gzip.open(TRAFFIC / f"http-{provider}.jsonl.gz") as lines:
        for number, line in enumerate(lines):
            if number % 3 == 0:  # a third of them says it as well, in a third of the time
                yield json.loads(line)


def _input_tokens(usage: Any) -> int:
    """All input tokens of a provider's usage object, cached and written ones included."""
    usage = usage if isinstance(usage, dict) else {}

    def count(*keys: str) -> int:
        return sum(value for key in keys if isinstance(value := usage.get(key), int))

    if "promptTokenCount" in usage:
        return count("promptTokenCount", "toolUsePromptTokenCount")
    if "inputTokens" in usage:
        return count("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
    cached = count("cache_read_input_tokens", "cache_creation_input_tokens")
    return count("prompt_tokens") or count("input_tokens") + cached


def _strings(key: str | None, value: Any) -> Iterator[tuple[str | None, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield None, name
            yield from _strings(name, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(key, inner)
    elif value is not None and not isinstance(value, bool):
        yield key, str(value)
