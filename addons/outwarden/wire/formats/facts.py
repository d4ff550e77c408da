"""What a request says about itself: model, stream, limits on output, media, input that it only points to."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from outwarden.wire.format import Json, Operation, RequestFacts
from outwarden.wire.formats.values import items, mapping, number, text

# Deeper nesting than any API has; what is below it is not looked at for media.
_DEPTH_MAX = 40
_MEDIA_KEYS = frozenset({"data", "file_data", "b64_json", "image_b64", "bytes", "bytesBase64Encoded", "audio"})
_REMOTE_KEYS = frozenset({"file_id", "file_uri", "fileUri", "file_url", "image_url", "url", "uri", "s3Location"})
# Where a prompt may stand as token numbers. Ollama's `context` is the conversation so far; the last three are those of
# vLLM, SGLang and of what turns tokens into text.
_TOKEN_KEYS = ("prompt", "input", "inputs", "context", "prompt_token_ids", "input_ids", "tokens")
_SERVER_STATE = ("previous_response_id", "conversation", "cachedContent", "cached_content", "container")


def output_limits(body: Mapping[str, Any], keys: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """(dotted key, limit) of each of ``keys`` that is there; a negative limit (Ollama's -1, -2) is none."""
    found = ((key, number(_at(body, key))) for key in keys)
    return tuple((key, limit) for key, limit in found if limit is not None and limit >= 0)


def _at(body: Mapping[str, Any], dotted: str) -> Any:
    source: Any = body
    for part in dotted.split("."):
        source = mapping(source).get(part)
    return source


def _walk(value: object) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every (key, string value, its object) of a body."""
    stack: list[tuple[object, int]] = [(value, 0)]
    while stack:
        node, depth = stack.pop()
        if isinstance(node, dict):
            for key, child in node.items():
                if isinstance(child, str):
                    yield key, child, node
                elif depth < _DEPTH_MAX:
                    stack.append((child, depth + 1))
        elif isinstance(node, list):
            stack.extend((child, depth + 1) for child in node if isinstance(child, dict | list) and depth < _DEPTH_MAX)


def _decoded_bytes(encoded: str) -> int:
    return len(encoded) * 3 // 4


def media(body: Mapping[str, Any], keys: Sequence[str]) -> tuple[int, bool]:
    """(decoded bytes of inline media, whether media elsewhere is pointed to) under the top-level ``keys``."""
    size, remote = 0, False
    for key, value, parent in _walk([body.get(key) for key in keys]):
        if (value.startswith("data:") and ";base64," in value[:200]) or (key in _MEDIA_KEYS and is_media(key, parent)):
            size += _decoded_bytes(value)
        elif key in _REMOTE_KEYS and is_remote(key, parent):
            remote = True
    return size, remote


def is_media(key: str, parent: Mapping[str, Any]) -> bool:
    """Whether ``parent[key]`` is base64 media, judged by what stands beside it."""
    if key == "data":
        return parent.get("type") == "base64" or bool(parent.keys() & {"mimeType", "mime_type", "format", "media_type"})
    return key != "audio" or parent.get("type") in ("audio", "input_audio")


def is_remote(key: str, parent: Mapping[str, Any]) -> bool:
    """Whether ``parent[key]`` makes the provider fetch something: part of a message, not a tool result's data."""
    if key in ("url", "uri"):
        return parent.get("type") in ("url", "s3") or set(parent) <= {"url", "uri", "detail", "mimeType", "mime_type"}
    return True


def token_ids(body: Mapping[str, Any]) -> int:
    """How many tokens of the prompt are numbers (``[1, 2]``, ``[[1, 2], [3]]``, llama.cpp: ``["text", 1, 2]``)."""
    values = [items(body.get(key)) for key in _TOKEN_KEYS if isinstance(body.get(key), list)]
    rows = [row for value in values for row in (value, *(row for row in value if isinstance(row, list)))]
    return sum(1 for row in rows for token in row if isinstance(token, int) and not isinstance(token, bool))


def prompts(value: object) -> int:
    """How many prompts a legacy ``prompt`` holds: each is answered (a list of numbers is one)."""
    rows = items(value)
    return len(rows) if rows and not isinstance(rows[0], int) else 1


def read(
    operation: Operation,
    body: Json,
    *,
    limits: Sequence[str],
    choices: Sequence[str] = (),
    texts: Sequence[str] = (),
    default_stream: bool = False,
) -> RequestFacts:
    """The facts that all formats share; the arguments say which keys to look at."""
    source = mapping(body)
    named = output_limits(source, limits)
    media_bytes, remote = media(source, texts)
    asked = source.get("stream")
    streams = asked if isinstance(asked, bool) else default_stream
    counts = [count for _, count in output_limits(source, choices)]
    return RequestFacts(
        model=operation.model or text(source.get("model")),
        stream=streams if operation.stream is None else operation.stream,
        output_limit=max((limit for _, limit in named), default=None),
        output_limits=named,
        choices=max([1, *counts]),
        media_bytes=media_bytes,
        unseen_input=remote or any(source.get(name) for name in _SERVER_STATE),
        stored=source.get("store") is True,
        token_ids=token_ids(source),
    )
