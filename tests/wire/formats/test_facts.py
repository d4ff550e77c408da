"""What a request says about itself, in every spelling that a provider accepts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.wire.format import Operation, RequestFacts
from outwarden.wire.formats import FORMAT_NAMES, format_named
from outwarden.wire.json_tree import parse_all


def facts(name: str, path: str, body: Any) -> RequestFacts:
    format_ = format_named(name)
    return format_.read_request(format_.identify("POST", path), body)


CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
GENERATE, STREAM = "/v1beta/models/gemini-q:generateContent", "/v1beta/models/gemini-q:streamGenerateContent"
CONVERSE, INVOKE = "/model/m/converse", "/model/m/invoke"


@pytest.mark.parametrize(
    ("name", "path", "body", "limit", "key"),
    [
        ("openai", CHAT, {"max_tokens": 10}, 10, "max_tokens"),
        ("openai", CHAT, {"max_completion_tokens": 20, "max_tokens": 10}, 20, "max_completion_tokens"),
        ("openai", CHAT, {"max_completion_tokens": 20, "max_tokens": 30}, 30, "max_tokens"),
        ("openai", RESPONSES, {"max_output_tokens": 40}, 40, "max_output_tokens"),
        ("openai", CHAT, {"max_tokens": 0}, 0, "max_tokens"),
        ("openai", CHAT, {"max_tokens": None}, None, None),
        ("openai", CHAT, {"max_tokens": True}, None, None),
        ("openai", CHAT, {"max_tokens": "55"}, 55, "max_tokens"),
        ("openai", CHAT, {"max_tokens": 55.0}, 55, "max_tokens"),
        ("openai", CHAT, {"max_tokens": -1}, None, None),
        ("openai", CHAT, {}, None, None),
        ("anthropic", "/v1/messages", {"max_tokens": 7}, 7, "max_tokens"),
        ("anthropic", "/v1/complete", {"max_tokens_to_sample": 7}, 7, "max_tokens_to_sample"),
        ("gemini", GENERATE, {"generationConfig": {"maxOutputTokens": 8}}, 8, "generationConfig.maxOutputTokens"),
        ("gemini", GENERATE, {"generation_config": {"max_output_tokens": 9}}, 9, "generation_config.max_output_tokens"),
        ("gemini", GENERATE, {"generationConfig": {"maxOutputTokens": "64"}}, 64, "generationConfig.maxOutputTokens"),
        ("gemini", GENERATE, {"generationConfig": None}, None, None),
        ("ollama", "/api/chat", {"options": {"num_predict": 5}}, 5, "options.num_predict"),
        ("ollama", "/api/chat", {"options": {"num_predict": -1}}, None, None),
        ("ollama", "/api/chat", {"options": {"num_predict": -2}}, None, None),
        ("cohere", "/v2/chat", {"max_tokens": 3}, 3, "max_tokens"),
        ("bedrock", CONVERSE, {"inferenceConfig": {"maxTokens": 4}}, 4, "inferenceConfig.maxTokens"),
        ("bedrock", INVOKE, {"textGenerationConfig": {"maxTokenCount": 4}}, 4, "textGenerationConfig.maxTokenCount"),
        ("bedrock", INVOKE, {"max_gen_len": 4}, 4, "max_gen_len"),
        ("generic", "/complete", {"maximum_tokens": 6}, 6, "maximum_tokens"),
        ("generic", "/x", {"parameters": {"max_new_tokens": 6}}, 6, "parameters.max_new_tokens"),
    ],
)
def test_output_limit(name: str, path: str, body: dict[str, Any], limit: int | None, key: str | None) -> None:
    """The largest limit wins, and the keys that spelled it are named; 0 is a value, null and -1 are none."""
    read = facts(name, path, body)

    assert read.output_limit == limit
    assert ((key, limit) in read.output_limits) if key else not read.output_limits


@pytest.mark.parametrize(
    ("name", "path", "body", "choices"),
    [
        ("openai", CHAT, {"n": 3}, 3),
        ("openai", CHAT, {"n": None}, 1),
        ("openai", CHAT, {"n": 0}, 1),
        ("openai", "/v1/completions", {"n": 2, "best_of": 5, "prompt": "x"}, 5),
        ("openai", "/v1/completions", {"n": 2, "prompt": ["x", "y", "z"]}, 6),
        ("openai", "/v1/completions", {"prompt": [1, 2, 3]}, 1),
        ("openai", "/v1/completions", {"prompt": [[1, 2], [3]]}, 2),
        ("gemini", GENERATE, {"generationConfig": {"candidateCount": 4}}, 4),
        ("cohere", "/v1/generate", {"num_generations": 2}, 2),
    ],
)
def test_choices(name: str, path: str, body: dict[str, Any], choices: int) -> None:
    """How many answers are made, also where only the best is returned."""
    assert facts(name, path, body).choices == choices


@pytest.mark.parametrize(
    ("name", "path", "body", "stream"),
    [
        ("openai", CHAT, {"stream": True}, True),
        ("openai", CHAT, {"stream": "yes"}, False),
        ("openai", CHAT, {}, False),
        ("gemini", GENERATE, {"stream": True}, True),
        ("gemini", STREAM, {}, True),
        ("ollama", "/api/chat", {}, True),
        ("ollama", "/api/chat", {"stream": False}, False),
        ("ollama", "/api/embed", {}, False),
        ("ollama", CHAT, {}, False),
        ("bedrock", "/model/m/converse-stream", {}, True),
    ],
)
def test_stream(name: str, path: str, body: dict[str, Any], stream: bool) -> None:
    """By the body, unless the path says; Ollama streams by default."""
    assert facts(name, path, body).stream == stream


@pytest.mark.parametrize(
    ("body", "wants"),
    [
        ({"stream": True}, False),
        ({"stream": True, "stream_options": {"include_usage": False}}, False),
        ({"stream": True, "stream_options": None}, False),
        ({"stream": True, "stream_options": {"include_usage": True}}, True),
        ({"stream": False}, True),
    ],
)
def test_wants_usage(body: dict[str, Any], wants: bool) -> None:
    """Only a chat stream has to be asked; Responses and the other APIs report by themselves."""
    assert facts("openai", CHAT, body).wants_usage == wants
    assert facts("openai", RESPONSES, body).wants_usage
    assert facts("anthropic", "/v1/messages", body).wants_usage


def message(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(parts)}]}


@pytest.mark.parametrize(
    ("name", "path", "body", "unseen"),
    [
        ("openai", CHAT, message({"type": "text", "text": "see https://a.example/x"}), False),
        (
            "openai",
            CHAT,
            message({"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 400}}),
            False,
        ),
        ("openai", CHAT, message({"type": "image_url", "image_url": {"url": "https://a.example/x.png"}}), True),
        (
            "openai",
            CHAT,
            message({"type": "input_audio", "input_audio": {"format": "wav", "data": "A" * 400}}),
            False,
        ),
        ("openai", RESPONSES, {"input": "x", "previous_response_id": "resp_1"}, True),
        ("openai", RESPONSES, {"input": [{"type": "input_file", "file_id": "file-1"}]}, True),
        (
            "anthropic",
            "/v1/messages",
            message({"type": "image", "source": {"type": "base64", "data": "A" * 40}}),
            False,
        ),
        (
            "anthropic",
            "/v1/messages",
            message({"type": "document", "source": {"type": "url", "url": "https://a.example"}}),
            True,
        ),
        ("anthropic", "/v1/messages", {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, True),
        (
            "anthropic",
            "/v1/messages",
            message({"type": "tool_use", "name": "f", "input": {"url": "https://a.example", "q": 1}}),
            False,
        ),
        (
            "gemini",
            GENERATE,
            {"contents": [{"parts": [{"inline_data": {"mime_type": "image/png", "data": "A" * 40}}]}]},
            False,
        ),
        ("gemini", GENERATE, {"contents": [{"parts": [{"fileData": {"fileUri": "gs://b/x"}}]}]}, True),
        ("gemini", GENERATE, {"cachedContent": "cachedContents/1"}, True),
        ("gemini", GENERATE, {"tools": [{"google_search": {}}]}, True),
    ],
)
def test_unseen_input(name: str, path: str, body: dict[str, Any], unseen: bool) -> None:
    """Input that the provider adds is announced, wherever the body points to it; media in the body are there."""
    assert facts(name, path, body).unseen_input == unseen


@pytest.mark.parametrize("levels", [1, 15])
def test_what_a_body_points_to_is_found_in_any_depth(levels: int) -> None:
    """Deeper than any API nests it; keys that are repeated hide nothing."""
    deep: Any = parse_all(b'{"a": 1, "a": {"file_id": "file-1"}}')
    for _ in range(levels):
        deep = [{"content": deep}]

    assert facts("openai", CHAT, {"messages": deep}).unseen_input


@pytest.mark.parametrize(
    ("name", "path", "body", "tokens"),
    [
        ("openai", "/v1/completions", {"prompt": [1, 2, 3]}, 3),
        ("openai", "/v1/embeddings", {"input": [[1, 2], [3]]}, 3),
        ("openai", "/v1/embeddings", {"input": ["text"]}, 0),
        ("openai", "/completion", {"prompt": ["text", 12, 34]}, 2),
        ("openai", "/v1/completions", {"prompt": "", "prompt_token_ids": [5, 6]}, 2),
        ("openai", "/detokenize", {"tokens": [5, 6]}, 2),
        ("openai", "/v1/chat/completions", {"messages": [], "input": [True, None, {}]}, 0),
        ("ollama", "/api/generate", {"prompt": "and then?", "context": [1, 2, 3]}, 3),
        ("generic", "/generate", {"input_ids": [[1, 2]]}, 2),
    ],
)
def test_token_ids(name: str, path: str, body: dict[str, Any], tokens: int) -> None:
    """Prompts given as numbers are counted, wherever servers take them: no text scan sees them."""
    assert facts(name, path, body).token_ids == tokens


def test_anthropic_batch() -> None:
    """A batch is the sum of its requests; of several models none is named."""
    one = {"custom_id": "a", "params": {"model": "claude-a", "max_tokens": 10}}
    two = {"custom_id": "b", "params": {"model": "claude-a", "max_tokens": 30}}
    other = {"custom_id": "c", "params": {"model": "claude-b"}}

    read = facts("anthropic", "/v1/messages/batches", {"requests": [one, two]})
    assert (read.model, read.output_limit) == ("claude-a", 40)
    read = facts("anthropic", "/v1/messages/batches", {"requests": [one, two, other]})
    assert (read.model, read.output_limit) == (None, None)
    assert facts("anthropic", "/v1/messages/batches", {"requests": []}).model is None


GEMINI_BATCH = "/v1beta/models/gemini-q:batchGenerateContent"
LIMITED = {"generationConfig": {"maxOutputTokens": 10, "candidateCount": 2}}


@pytest.mark.parametrize(
    ("name", "path", "body", "limit", "choices", "unbounded"),
    [
        (
            "gemini",
            GEMINI_BATCH,
            {"batch": {"inputConfig": {"requests": {"requests": [{"request": LIMITED}] * 3}}}},
            10,
            6,
            False,
        ),
        (
            "gemini",
            GEMINI_BATCH,
            {"batch": {"input_config": {"requests": {"requests": [{"request": LIMITED}, {"request": {}}]}}}},
            None,
            3,
            False,
        ),
        ("gemini", GEMINI_BATCH, {"batch": {"input_config": {"file_name": "files/1"}}}, None, 1, True),
        ("gemini", "/v1/projects/p/locations/l/batchPredictionJobs", {"inputConfig": {"gcsSource": {}}}, None, 1, True),
        ("openai", "/v1/batches", {"input_file_id": "file-1"}, None, 1, True),
        ("openai", "/v1/batch/jobs", {"model": "m", "input_files": ["f"]}, None, 1, True),
        (
            "openai",
            "/v1/batch/jobs",
            {"requests": [{"body": {"max_tokens": 5}}, {"body": {"max_tokens": 7}}]},
            7,
            2,
            False,
        ),
        ("openai", "/v1/fine_tuning/jobs", {"model": "m", "training_file": "f"}, None, 1, True),
    ],
)
def test_work_for_later(
    name: str, path: str, body: dict[str, Any], limit: int | None, choices: int, unbounded: bool
) -> None:
    """As many answers as its requests ask for; in files nobody sees how many."""
    read = facts(name, path, body)

    assert (read.output_limit, read.choices, read.unbounded) == (limit, choices, unbounded)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["messages", "input", "prompt", "tools", "options", "stream", "n", "max_tokens", "requests", "type"]
            )
            | st.sampled_from(
                ["generationConfig", "maxOutputTokens", "content", "url", "data", "params", "session", "model"]
            )
            | st.sampled_from(
                ["choices", "delta", "index", "usage", "error", "candidates", "parts", "text", "response", "item"]
            )
            | st.sampled_from(
                ["message", "content_block", "tool_calls", "function", "done", "event_type", "finish_reason"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.sampled_from(sorted(FORMAT_NAMES)),
    st.sampled_from([CHAT, RESPONSES, "/v1/messages", GENERATE, "/api/chat", "/v2/chat", CONVERSE, "/x"]),
    _JSON,
)
def test_no_json_is_too_odd(name: str, path: str, body: Any) -> None:
    """Any JSON is read as a request, a reply and an event without an exception; deltas point at strings."""
    format_ = format_named(name)
    operation: Operation = format_.identify("POST", path)
    format_.read_request(operation, body)
    format_.read_reply(operation, body, {})
    event = format_.read_event(operation, None, body)

    for delta in event.deltas:
        assert isinstance(delta.parent[delta.key], str)  # type: ignore[index]
        hash(delta.channel)
    for channel in event.closes:
        hash(channel)
    if isinstance(body, dict):
        format_.text_rules(operation).opaque_in(body)  # type: ignore[misc]
