"""A document read at once has the strings that a walk finds, and what is no JSON is not read so."""

import json

import orjson
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from outwarden.errors import BodyError
from outwarden.wire import json_bulk, json_text, json_walk
from outwarden.wire.formats.rules import text_rules
from outwarden.wire.json_tree import parse_all

RULES = text_rules("arguments")
EXAMPLES = 120
WORDS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["a", "to", "é\\", 'say "it"', "\\\\", "data", "type", "role", "arguments", "{", '{"a": 1}', "\ud83d"]
    ),
)
LEAVES = st.one_of(WORDS, st.none(), st.booleans(), st.integers(), st.floats(), st.integers(-99, 99))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=20,
)
MANNERS = st.fixed_dictionaries(
    {
        "ensure_ascii": st.booleans(),
        "indent": st.sampled_from([None, 1]),
        "separators": st.sampled_from([None, (",", ":")]),
    }
)


@pytest.fixture(autouse=True)
def all_documents(monkeypatch):
    """Small ones and sparse ones, too."""
    monkeypatch.setattr(json_text, "_SMALL", 0)
    monkeypatch.setattr(json_bulk, "_BYTES_MIN", 0)
    monkeypatch.setattr(json_bulk, "_DENSITY", 10**9)


def at_once(raw, *, free=False):
    found = json_bulk.read_at_once(raw, json_text.find_tokens(raw), RULES, free=free, longest=512)
    return found and (found.tokens, found.number_tokens, found.skipped)


def attempted(raw, *, free=False):
    try:
        return at_once(raw, free=free)
    except orjson.JSONDecodeError:
        return None  # as where orjson reads it


def walked(raw, monkeypatch, free):
    with monkeypatch.context() as patch:
        patch.setattr(json_walk, "read_in_bulk", lambda raw, *_, **__: orjson.loads(raw))
        return json_walk.read_document(raw, RULES, free=free)


@settings(max_examples=EXAMPLES, deadline=None)
@given(TREES, MANNERS, st.booleans())
def test_it_finds_what_the_walk_finds(tree, manner, free):
    """The same strings in the same order, and never fewer tokens of numbers; or it leaves the document to the walk."""
    raw = json.dumps([tree], **manner).encode("utf-8", "surrogatepass")
    found = attempted(raw, free=free)
    assume(found is not None)
    with pytest.MonkeyPatch.context() as patch:
        document = walked(raw, patch, free)

    assert found[0] == document.tokens
    assert found[1] >= document.number_tokens
    assert found[2] == document.skipped
    assert (document.has_numbers, document.unread, document.media_bytes) == (False, 0, 0)


@settings(max_examples=EXAMPLES, deadline=None)
@given(TREES, MANNERS, st.data())
def test_what_is_no_json_is_not_read_at_once(tree, manner, data):
    """Whatever byte is put in, taken out or changed: what no parser takes, this does not."""
    raw = json.dumps([tree], **manner).encode("utf-8", "surrogatepass")
    at, end = sorted((data.draw(st.integers(0, len(raw))), data.draw(st.integers(0, len(raw)))))
    put = data.draw(
        st.one_of(st.binary(max_size=2), st.sampled_from([b'"', b"\\", b",", b"]", b"\\u12", b"\n", b"01", b"e"]))
    )
    broken = raw[:at] + put + raw[min(end, at + 2) :]
    try:
        parse_all(broken)
    except BodyError:
        assert attempted(broken) is None
    else:
        if (found := attempted(broken)) is not None:
            with pytest.MonkeyPatch.context() as patch:
                assert found[0] == walked(broken, patch, False).tokens


@pytest.mark.parametrize(
    "raw",
    [
        b'[{"x": {"type": "thinking"}}]',
        b'["name"]',
        b'[{"type": "a", "arguments": {"type": "b"}}]',
        b'[{"type": "a", "type": "b"}]',
        b'[{"d\\u0061ta": "aGVsbG8="}]',
        b'["data:text/plain;base64,aGVsbG8="]',
        b'["d\\u0061ta:text/plain;base64,aGVsbG8="]',
        b'["eyJhIjogImFubkB4LmV4YW1wbGUifQ=="]',
        b'["\\u0065yJhIjogImFubkB4LmV4YW1wbGUifQ=="]',
        b'["' + b"aB3" * 200 + b'"]',
        b'{"arguments": {"card": 4111111111111111}}',
        b'{"x": 1e12}',
        b"[" * 201 + b"]" * 201,
        b'["\xff"]',
        b'["\\ud83d"]',
        b'["a\tb"]',
    ],
)
def test_what_asks_for_a_rule_is_walked(raw):
    """Keys of rules however spelled, keys twice, media, cards, depth, and what orjson would not take."""
    assert at_once(raw) is None


def test_ids_are_no_text():
    """What looks like one under a key that says so, however that is spelled; no key, list or object in its place."""
    raw = b'[{"r\\u006fle" : "user", "id": "a@x.example", "type": ["a"], "x": "id"}, "id", "call_1", 4111111111111111]'

    assert at_once(raw) == (["role", None, "id", "a@x.example", "type", "a", "x", "id", "id", "call_1"], 1, ["user"])


def test_integers_in_lists_cost_one_token():
    """They may be ids of tokens; other numbers cost their digits, and so do all where the caller's own data may be."""
    assert at_once(b"[123, -456 ,7.25]") == ([], 6, [])
    assert at_once(b'{"a": 123, "arguments": [123]}') == (["a", "arguments"], 6, [])
    assert at_once(b"[123]", free=True) == ([], 3, [])


def test_a_nested_document_is_read_at_once():
    """As deep as is read, and with escapes, spaces and numbers of objects."""
    raw = b'{"a": ' * 200 + b'"\\u00e9\\"\\\\\\n"' + b"}" * 200

    assert at_once(raw) == (["a"] * 200 + ['é"\\\n'], 0, [])
    assert at_once(b'{"n" : -1.5, "m":20}') == (["n", "m"], 6, [])


KEYS = st.sampled_from(
    [
        *("a", "type", "role", "data", "signature", "delta", "reasoningContent", "contentBlockIndex", "input"),
        *("id", "text", "thinking", "thought", "content", "audio", "name", "bytes", "format", "arguments", "p"),
    ]
)
KINDS = st.sampled_from(
    ["thinking", "thinking_delta", "compaction", "compaction_delta", "reasoning.text", "audio.delta", "text", "tool"]
)
RULED = st.recursive(
    st.one_of(LEAVES, KINDS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.one_of(KEYS, WORDS), inner, max_size=4)),
    max_leaves=25,
)


def strings(tree):
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, list | dict):
        yield from tree if isinstance(tree, dict) else ()
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from strings(value)


@settings(max_examples=4 * EXAMPLES, deadline=None)
@given(st.dictionaries(KEYS, RULED, max_size=5), KINDS)
def test_a_document_with_nothing_that_is_asked_for_needs_no_look_at_its_objects(node, kind):
    """What `opaque_in` names keys by is among `asked`, as a key or as a value."""
    for one in (node, node | {"type": kind}):
        assert not RULES.opaque_in(one) or not RULES.asked.isdisjoint(strings(one))


@settings(max_examples=EXAMPLES, deadline=None)
@given(RULED, MANNERS, st.booleans())
@example([-(2**63) - 1, 2**63 - 1], {}, False)
@example({"a": 2**64, "b": [123456789012345678901.5]}, {}, False)
def test_large_parts_in_bulk_leave_a_document_as_it_is(tree, manner, free):
    """Parts of nothing but text between those that ask for rules: the document is the one that a walk gives."""
    raw = json.dumps(tree, **manner).encode("utf-8", "replace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_bulk, "_PART_BYTES", 0)
        found = json_walk.read_document(raw, RULES, free=free)
        expected = walked(raw, patch, free)

    assert found.tokens == expected.tokens
    assert found.nested.keys() == expected.nested.keys()
    assert found.number_tokens >= expected.number_tokens
    assert (found.has_numbers, found.unread) == (expected.has_numbers, expected.unread)
    assert found.media_bytes == expected.media_bytes


def test_the_depth_of_a_part_counts_from_the_root():
    """150 levels under 60 are too many, whoever counts them."""
    part = b'{"a":' * 140 + b'"x"' + b"}" * 140
    ruled = b'{"type":' * 5 + part + b"}" * 5

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_bulk, "_PART_BYTES", 0)
        assert json_walk.read_document(ruled, RULES).tokens == ["type"] * 5 + ["a"] * 140 + ["x"]
        with pytest.raises(BodyError):
            json_walk.read_document(ruled.replace(part, b'{"a":' * 60 + part + b"}" * 60), RULES)
