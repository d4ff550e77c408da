"""What is not text is found by its value as well as by its key, so that no key hides an address."""

import base64
import gzip
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.wire.formats import FORMAT_NAMES, format_named, rules
from outwarden.wire.formats.rules import IDS, opaque_in
from outwarden.wire.json_walk import read_document

CORPUS = Path(__file__).parents[3].parent / "shared" / "wire"
SIGNATURE = base64.b64encode(bytes(range(40))).decode()
ADDRESS = "petra.quill@mailbox-of-hers.net"


@pytest.mark.parametrize(
    ("node", "opaque"),
    [
        ({"type": "thinking", "thinking": "…", "signature": SIGNATURE}, {"thinking", "signature"}),
        ({"type": "thinking", "thinking": "not signed", "signature": ""}, set()),
        ({"type": "thinking", "thinking": "not signed"}, set()),
        ({"type": "thinking_delta", "thinking": "piece"}, {"thinking"}),
        ({"type": "signature_delta", "signature": SIGNATURE}, {"signature"}),
        ({"type": "redacted_thinking", "data": SIGNATURE}, {"data"}),
        ({"type": "reasoning", "encrypted_content": SIGNATURE, "summary": []}, {"encrypted_content"}),
        ({"type": "program", "code": "text('x')", "fingerprint": SIGNATURE}, {"fingerprint"}),
        ({"itemId": "rs_1", "reasoningEncryptedContent": SIGNATURE}, {"reasoningEncryptedContent"}),
        ({"reasoning_text": "hm", "reasoning_opaque": SIGNATURE}, {"reasoning_opaque"}),
        ({"text": "answer", "thoughtSignature": SIGNATURE}, {"thoughtSignature"}),
        ({"text": "thought", "thought": True, "thoughtSignature": SIGNATURE}, {"text", "thoughtSignature"}),
        ({"text": "thought", "thought": True, "thought_signature": SIGNATURE}, {"text", "thought_signature"}),
        ({"text": "thought", "thought": True}, set()),
        ({"text": "thought", "signature": SIGNATURE}, {"text", "signature"}),
        ({"type": "reasoning.text", "text": "x", "format": "anthropic-claude-v1"}, {"text"}),
        ({"type": "reasoning.text", "text": "x", "format": "unknown"}, set()),
        ({"type": "reasoning.encrypted", "data": SIGNATURE}, {"data"}),
        ({"type": "base64", "media_type": "image/png", "data": SIGNATURE}, {"data"}),
        ({"mimeType": "image/png", "data": SIGNATURE}, {"data"}),
        ({"format": "wav", "data": SIGNATURE}, {"data"}),
        ({"filename": "a.pdf", "file_data": SIGNATURE}, {"file_data"}),
        ({"delta": "text", "obfuscation": "aB3xY9"}, {"obfuscation"}),
        ({"name": "get_weather", "arguments": "{}"}, {"name"}),
        ({"name": "Read", "input_schema": {}}, {"name"}),
        ({"type": "function", "name": "f"}, {"name"}),
        ({"name": "get_weather"}, {"name"}),
        ({"name": "projects/671287465730/locations/us-central1/cachedContents/6062733417782392587"}, {"name"}),
        ({"name": "arn:aws:bedrock:us-east-1:006566556565:prompt/ABC"}, {"name"}),
        ({"name": "projects of Petra Quill/4539578763621486"}, set()),
        ({"type": "compaction", "content": "the summary", "signature": SIGNATURE}, {"content", "signature"}),
        ({"type": "compaction", "content": "not signed"}, set()),
        ({"type": "compaction_delta", "content": "piece"}, {"content"}),
        ({"google_maps_widget_context_token": SIGNATURE}, {"google_maps_widget_context_token"}),
        ({"image": {}, "imageBytes": SIGNATURE}, {"imageBytes"}),
        ({"role": "user", "name": "Petra", "content": "hello"}, set()),
        ({"name": "Petra"}, set()),
        ({"name": "Petra Quill", "arguments": "{}"}, set()),
        # keys that promise ciphertext, and hold something else
        ({"signature": ADDRESS}, set()),
        ({"signature": "415-555-2671"}, set()),
        ({"encrypted_content": "4111 1111 1111 1111"}, set()),
        ({"thoughtSignature": "4000056655665556"}, set()),
        ({"type": "base64", "data": ADDRESS}, set()),
        ({"type": "text", "media_type": "text/plain", "data": f"write to {ADDRESS}"}, set()),
        ({"file_data": f"call {ADDRESS}"}, set()),
        ({"data": SIGNATURE}, set()),
    ],
)
def test_opaque_in(node: dict[str, Any], opaque: set[str]) -> None:
    """Exactly these keys of the object are left alone."""
    assert opaque_in(node) == opaque


@given(st.text(min_size=1), st.sampled_from(sorted(IDS)))
def test_ids_are_never_opaque(value: str, key: str) -> None:
    """Ids and enums are looked at where they do not look like an id: that is not decided here."""
    assert key not in opaque_in({key: value})


IBAN = "DE89370400440532013000"  # looks like an id


@pytest.mark.parametrize(
    ("name", "path", "body", "found"),
    [
        ("anthropic", "/v1/messages", {"tools": [{"name": "t", "input_examples": [{"id": IBAN}]}]}, True),
        ("anthropic", "/v1/messages", {"container": {"id": IBAN}}, False),
        ("openai", "/v1/evals/e/runs", {"data_source": {"source": {"content": [{"item": {"id": IBAN}}]}}}, True),
        ("openai", "/v1/responses", {"item": {"id": IBAN}}, False),
        ("openai", "/v1/rerank", {"documents": [{"id": IBAN}]}, True),
        ("cohere", "/v2/chat", {"documents": [{"data": {"id": IBAN}}]}, True),
        ("bedrock", "/model/m/converse", {"sessionAttributes": {"id": IBAN}}, True),
        ("bedrock", "/model/m/converse", {"sessionId": IBAN}, False),
        ("bedrock", "/flows/f/aliases/a", {"inputs": [{"content": {"document": {"id": IBAN}}}]}, True),
        ("gemini", "/v1/models/g:generateContent", {"functionResponse": {"response": {"id": IBAN}}}, True),
        ("gemini", "/v1/batches/b", {"functionResponse": {"response": {"id": IBAN}}}, True),
        ("gemini", "/v1/batches/b", {"inlinedResponses": [{"response": {"responseId": IBAN}}]}, False),
    ],
)
def test_ids_are_the_apis_and_data_is_the_callers(name: str, path: str, body: dict[str, Any], found: bool) -> None:
    """What looks like an id is one where the API has its own, and a finding where the caller's data stands."""
    one = format_named(name)
    document = read_document(json.dumps(body).encode(), one.text_rules(one.identify("POST", path)))
    assert (IBAN in document.tokens) is found


@pytest.mark.parametrize("name", sorted(FORMAT_NAMES))
def test_no_key_is_opaque_by_its_name_alone(name: str) -> None:
    """In no format is a value passed over unseen."""
    format_ = format_named(name)
    for path in ("/v1/chat/completions", "/v1/messages", "/v1beta/models/g:generateContent", "/model/m/converse"):
        assert format_.text_rules(format_.identify("POST", path)).opaque == frozenset()


def recorded_objects() -> Iterator[dict[str, Any]]:
    for file in sorted(CORPUS.glob("http-*.jsonl.gz")):
        with gzip.open(file) as lines:
            for line in islice(lines, 150):
                record = json.loads(line)
                try:
                    body = json.loads(base64.b64decode(record["request"]["body_b64"]))
                except ValueError:
                    continue
                yield from objects_in(body)


def objects_in(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from objects_in(child)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the recorded corpus is not there")
def test_no_place_hides_an_address() -> None:
    """Put an address in place of any string of a recorded request: it is text, but for signed thinking."""
    hidden = set()
    places = 0
    for node in recorded_objects():
        for key, value in node.items():
            if isinstance(value, str):
                places += 1
                if key in opaque_in(node | {key: ADDRESS}):
                    hidden.add((key, node.get("type"), bool(node.get("thought"))))

    assert places > 10_000
    assert hidden <= {("thinking", "thinking", False), ("text", None, True), ("text", None, False)} | {
        ("text", "reasoning.text", False)
    }


_KEYS = [*rules._SEALED, "type", "thought", "data", "bytes", "name", "p", "contentBlockIndex", "audio", "delta", "text"]
_KEYS += ["format", "mimeType", "role", "arguments", "thinking", "plain"]
_VALUES = [
    "QUJD" * 20,
    "abc",
    "get_weather",
    "function",
    "thinking",
    "reasoning.text",
    "base64",
    "response.audio.delta",
]
_VALUES += ["response.audio.delta", "google-gemini-v1", True, 1, None, {"reasoningContent": {"text": "t"}}]


@given(st.dictionaries(st.sampled_from(_KEYS), st.sampled_from(_VALUES), max_size=5))
def test_an_object_that_is_not_looked_at_has_nothing_opaque(node):
    """Being passed over at first sight says the same as being looked at."""
    seen = rules.opaque_in(node)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "_ASKED", frozenset(node))
        assert seen == (rules.opaque_in(node) if node else frozenset())
