"""Elements of a list are read together as they would be one by one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.errors import BodyError
from outwarden.wire import json_bulk, json_elements, json_text
from outwarden.wire.formats.rules import text_rules
from outwarden.wire.json_elements import read_elements
from outwarden.wire.json_walk import read_document

RULES = text_rules("arguments")
KEYS = ["a", "to", "data", "type", "base64", "role", "id", "signature", "arguments", '{"a": "b"}', "aGVsbG8"]
WORDS = st.one_of(st.text(max_size=4), st.sampled_from(KEYS))
ELEMENTS = st.recursive(
    st.one_of(WORDS, st.none(), st.booleans(), st.integers(-9, 9)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=8,
).map(lambda tree: json.dumps(tree).encode())
ODD = st.sampled_from(
    [
        b'"' + b"aB3" * 200 + b'"',
        b'{"signature": "%s"}' % (b"aB3" * 200),
        b'{"type": "base64", "data": {"x": ["y", ""]}}',
        b'{"a": 1, "a": "b"}',
        b"[" * 200 + b"]" * 200,
        b'"data:text/plain;base64,aGVsbG8gd29ybGQ="',
        b'{"x": 1e12}',
        b'{"id": "call_1", "role": "user", "x": ""}',
        b'["{\\"a\\": \\"b\\"}", "[INFO] x"]',
        b'{"arguments": 4111111111111111}',
    ]
)


def said_of(document):
    texts = [text for text in document.tokens if text]
    nested = sorted(document.tokens[at] for at in document.nested)
    return document.raw, texts, document.skipped, nested, document.media_bytes, document.unread


def places_of(document):
    return document.tokens, document.has_numbers, document.number_tokens, [*document.spans()], [*document.nested]


@given(st.lists(ELEMENTS | ODD, max_size=12), st.sampled_from(["messages", "arguments"]), st.booleans())
def test_each_is_read_as_by_itself(raws, key, in_bulk):
    """The same texts, ids, media, numbers and documents inside; one that must be read alone keeps no other from it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_elements, "MANY", 2)
        if in_bulk:
            patch.setattr(json_text, "_SMALL", 0)
            patch.setattr(json_bulk, "_BYTES_MIN", 0)
            patch.setattr(json_bulk, "_DENSITY", 10**9)
        documents = read_elements(raws, RULES, key)

    alone = [read_document(raw, RULES, inside=key) for raw in raws]
    assert [*map(said_of, documents)] == [*map(said_of, alone)]
    if not in_bulk:  # where a document with keys twice has no numbers for tokens
        assert [*map(places_of, documents)] == [*map(places_of, alone)]


@pytest.mark.parametrize("odd", [b'["\\ud83d"]', b'["a\tb"]', b"[" * 201 + b"]" * 201])
def test_what_cannot_be_read_is_refused_or_read_alone(odd):
    """As by itself, among any others."""
    raws = [b'{"a": "b"}'] * 20 + [odd]
    try:
        alone = read_document(odd, RULES, inside="messages")
    except BodyError:
        with pytest.raises(BodyError):
            read_elements(raws, RULES, "messages")
    else:
        assert said_of(read_elements(raws, RULES, "messages")[-1]) == said_of(alone)
