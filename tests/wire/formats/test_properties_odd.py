"""Formats never raise on odd but valid JSON, whatever the path, the event's name or the headers."""

import json
from typing import Any

import pytest
from broken import BODIES, EXAMPLES, STREAMS, odd_tree
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.wire.format import EventFacts, Operation, RequestFacts, ResponseFacts
from outwarden.wire.formats import FORMAT_NAMES, format_named

PATHS = [path for _, path, _, _ in STREAMS] + [
    "/v1/embeddings", "/v1/files", "/v1/messages/count_tokens", "/model/a/converse", "/model/a/invoke",
    "/model/a/invoke-with-response-stream", "/openai/deployments/x/chat/completions", "/api/generate", "/v1/realtime",
    "/v1/images/edits", "/v1/threads/t/runs", "/v1beta/models/x:countTokens", "/nothing",
]  # fmt: skip
TREES = [json.loads(body.decode("utf-8-sig")) for body in BODIES]
TREES += [
    json.loads(line.removeprefix(b"data: "))
    for _, _, framing, seed in STREAMS
    for line in (seed.splitlines() if framing != "json-array" else [seed])
    if line.removeprefix(b"data: ")[:1] in (b"{", b"[") and line != b"data: [DONE]"
]
NAMES = st.sampled_from([None, "error", "message_start", "response.completed", "chunk", ""]) | st.text(max_size=10)


@pytest.mark.parametrize("name", sorted(FORMAT_NAMES))
def test_odd_json_is_read(name: str) -> None:
    """Requests, replies and events in which values are of another kind: facts, and never an exception."""
    format_ = format_named(name)

    @settings(max_examples=EXAMPLES * 2)
    @given(
        odd_tree(TREES),
        st.sampled_from(PATHS),
        NAMES,
        st.dictionaries(
            st.sampled_from(["x-amzn-bedrock-input-token-count", "content-type"]), st.text(max_size=5), max_size=2
        ),
    )
    def check(tree: Any, path: str, event: str | None, headers: dict[str, str]) -> None:
        operation = format_.identify("POST", path)

        assert isinstance(format_.read_request(operation, tree), RequestFacts)
        assert isinstance(format_.read_reply(operation, tree, headers), ResponseFacts)
        facts = format_.read_event(operation, event, tree)
        assert isinstance(facts, EventFacts)
        assert all(isinstance(delta.parent[delta.key], object) for delta in facts.deltas)  # type: ignore[index]
        rules = format_.text_rules(operation)
        if rules.opaque_in is not None and isinstance(tree, dict):
            assert isinstance(rules.opaque_in(tree), frozenset)

    check()


@pytest.mark.parametrize("name", sorted(FORMAT_NAMES))
def test_odd_paths_are_identified(name: str) -> None:
    """Any path, method and content type: an operation, and a framing or none."""
    format_ = format_named(name)

    @settings(max_examples=EXAMPLES)
    @given(
        st.text(max_size=30)
        | st.sampled_from(PATHS).flatmap(lambda path: st.text(max_size=10).map(lambda end: path + end)),
        st.sampled_from(["GET", "POST", "DELETE", "", "\0", "\u017f"]),
        st.sampled_from(["text/event-stream; charset=utf-8", "application/json", "application/vnd.amazon.eventstream"])
        | st.text(max_size=20),
    )
    def check(path: str, method: str, content_type: str) -> None:
        operation = format_.identify(method, path)

        assert isinstance(operation, Operation)
        format_.framing(operation, content_type, f"{path}?alt=sse")
        assert format_.unsupported(operation, content_type) is None or operation

    check()
