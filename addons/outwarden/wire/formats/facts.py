"""What a request says about itself: model, stream, limits on output, input that it only points to."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from outwarden.wire.format import Json, Operation, RequestFacts
from outwarden.wire.formats.values import items, mapping, number, text
from outwarden.wire.json_tree import Repeated

# Deeper nesting than any API has; what is below it is not looked at.
_DEPTH_MAX = 40
_REMOTE_KEYS = frozenset({"file_id", "file_uri", "fileUri", "file_url", "image_url", "url", "uri", "s3Location"})
_CONTAINERS = frozenset({dict, list, Repeated})
# Where a prompt may stand as token numbers. Ollama's `context` is the conversation so far; the last three are those of
# vLLM, SGLang and of what turns tokens into text.
_TOKEN_KEYS = ("prompt", "input", "inputs", "context", "prompt_token_ids", "input_ids", "tokens")
_SERVER_STATE = (
    "previous_response_id",
    "previous_interaction_id",
    "conversation",
    "cachedContent",
    "cached_content",
    "container",
)


# Where a batch or a training names the files that say what is to be done.
_WORK_KEYS = frozenset(
    {"input_file_id", "input_files", "training_file", "training_files", "file_name", "fileName"}
    | {"gcsSource", "gcs_source", "bigquerySource", "bigquery_source"}
)
_WORK_DEPTH = 4


def of_batch(read: RequestFacts, parts: Sequence[RequestFacts], body: Mapping[str, Any]) -> RequestFacts:
    """The facts of work for later: as many answers as its requests ask for; unbounded where these are in files."""
    limits = [part.output_limit for part in parts if part.output_limit is not None]
    return replace(
        read,
        output_limit=max(limits) if parts and len(limits) == len(parts) else None,
        output_limits=(),
        choices=max(1, sum(part.choices for part in parts)),
        unseen_input=read.unseen_input or any(part.unseen_input for part in parts),
        unbounded=_names_files(body, _WORK_DEPTH),
    )


def _names_files(body: Mapping[str, Any], depth: int) -> bool:
    inner = (value for value in body.values() if isinstance(value, dict))
    return not _WORK_KEYS.isdisjoint(body) or (depth > 0 and any(_names_files(each, depth - 1) for each in inner))


def output_limits(body: Mapping[str, Any], keys: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """(dotted key, limit) of each of ``keys`` that is there; a negative limit (Ollama's -1, -2) is none."""
    found = ((key, number(_at(body, key))) for key in keys)
    return tuple((key, limit) for key, limit in found if limit is not None and limit >= 0)


def _at(body: Mapping[str, Any], dotted: str) -> Any:
    source: Any = body
    for part in dotted.split("."):
        source = mapping(source).get(part)
    return source


def points_elsewhere(body: Mapping[str, Any], keys: Sequence[str]) -> bool:
    """Whether something under the top-level ``keys`` makes the provider fetch what is not in the body."""
    level: list[Any] = [body.get(key) for key in keys]
    for _ in range(_DEPTH_MAX):
        objects = [node for node in level if isinstance(node, dict)]
        if not _REMOTE_KEYS.isdisjoint(set[str]().union(*objects)) and any(map(_is_remote, objects)):
            return True
        lists = (node for node in level if isinstance(node, list))
        below = chain.from_iterable(chain(lists, map(dict.values, objects)))
        if not (level := [node for node in below if type(node) in _CONTAINERS and node]):
            break
    return False


def _is_remote(node: Mapping[str, Any]) -> bool:
    """Whether an object names something to fetch: part of a message, not a tool result's data."""
    for key in _REMOTE_KEYS.intersection(node):
        value = node[key]
        if not isinstance(value, str) or (value.startswith("data:") and ";base64," in value[:200]):
            continue
        if key not in ("url", "uri") or node.get("type") in ("url", "s3"):
            return True
        if node.keys() <= {"url", "uri", "detail", "mimeType", "mime_type"}:
            return True
    return False


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
    asked = source.get("stream")
    streams = asked if isinstance(asked, bool) else default_stream
    counts = [count for _, count in output_limits(source, choices)]
    state = [source[name] for name in _SERVER_STATE if source.get(name)]
    return RequestFacts(
        model=operation.model or text(source.get("model")),
        stream=streams if operation.stream is None else operation.stream,
        output_limit=max((limit for _, limit in named), default=None),
        output_limits=named,
        choices=max([1, *counts]),
        unseen_input=points_elsewhere(source, texts) or bool(state),
        stored=source.get("store") is True,
        # A new container (Anthropic's, with skills) is an object without an id.
        bound=any(isinstance(value, str) or mapping(value).get("id") for value in state),
        background=source.get("background") is True,
        token_ids=token_ids(source),
    )
