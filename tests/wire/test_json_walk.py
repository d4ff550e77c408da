"""Every string is text unless the rules say otherwise, and every token has its place."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outwarden.errors import BodyError
from outwarden.wire import json_walk
from outwarden.wire.format import TextRules
from outwarden.wire.json_walk import read_document, read_text, read_tree

MEDIA = "iVBORw0KGgoAAAANSUhEUgAAAAUA" * 20


def texts(tree, rules, **context):
    raw = tree if isinstance(tree, bytes) else json.dumps(tree).encode()
    return [token for token in read_document(raw, rules, **context).tokens if token is not None]


def test_keys_and_values_are_text(rules):
    """Nothing is known of these keys: all of it is text."""
    assert texts({"a": "b", "c": ["d", {"e": "f"}]}, rules) == ["a", "b", "c", "d", "e", "f"]


def test_opaque_strings_are_not_text(rules):
    """An opaque key hides its own string, but no list and no object under it."""
    tree = {"signature": "s", "type": ["list"], "x": {"signature": {"y": "deep"}}}

    assert texts(tree, rules) == ["signature", "type", "list", "x", "signature", "y", "deep"]


def test_ids_hide_only_what_looks_like_one(rules):
    """A personal value under an id's key is still found."""
    shown = [
        texts({"id": value}, rules)[1:] for value in ("call_1:a/b", "ann@x.example", "078-05-1120", "Ann Lee", "ü1")
    ]

    assert shown == [[], ["ann@x.example"], ["078-05-1120"], ["Ann Lee"], ["ü1"]]


def test_free_data_has_no_hidden_strings(rules):
    """Under the caller's own data neither opaque keys nor ids nor typed objects hide anything."""
    inner = {"type": "base64", "data": "d", "signature": "s", "id": "i"}

    assert texts({"input": inner}, rules) == ["input", "type", "base64", "data", "d", "signature", "s", "id", "i"]
    assert texts(inner, rules, inside="input") == ["type", "base64", "data", "d", "signature", "s", "id", "i"]
    assert texts(inner, rules) == ["type", "data", "signature", "id"]


def test_the_context_of_a_piece_is_that_of_its_key(rules):
    """The value of a key is judged by the key, though the key is not part of the document."""
    assert texts("secret", rules, key="signature") == []
    assert texts("secret", rules, key="other") == ["secret"]
    assert texts({"id": "call_1"}, rules, key="input") == ["id", "call_1"]


@pytest.mark.parametrize("value", [f"data:image/png;base64,{MEDIA}", "data:audio/wav;base64,AAAA", MEDIA, MEDIA + "=="])
@pytest.mark.parametrize("key", ["x", "input"])
def test_media_is_not_text(rules, key, value):
    """Base64 by its shape, wherever it stands; its size is told."""
    document = read_document(json.dumps({key: {"v": value}}).encode(), rules)

    assert document.tokens == [key, "v", None]
    assert document.media_bytes == len(value)


@pytest.mark.parametrize(
    "value",
    [
        "data:text/plain,ann@x.example",
        "data:;base64,AAAA ann@x.example",
        "data:image/svg+xml;base64,AA== ann@x.example",
        "data:" + "a" * 300 + ";base64,AAAA",
        "4111111111111111" * 40,
        MEDIA + " " + MEDIA,
        MEDIA[:500],
        "a" * 600,
    ],
    ids=lambda value: value[:24],
)
def test_what_only_resembles_media_is_text(rules, value):
    """Text cannot hide behind a prefix of media, nor digits behind their number."""
    assert texts({"x": value}, rules) == ["x", value]


def test_a_document_in_a_string_is_read(rules):
    """Its strings are text, all of them; of a broken one those before the break, and the rest as it stands."""
    tree = {"a": ' {"id": "x", "type": ["y"]}\n', "b": "[tbd] {x}", "c": '{"k": "v"} {"l": "w'}
    nested = read_document(json.dumps(tree).encode(), rules).nested

    assert nested.keys() == {1, 5}
    assert nested[1].tokens == ["id", "x", "type", "y"]
    assert nested[5].texts == ["k", "v", "l", "w"]
    assert read_text("{'a': 1}") is None


def test_nesting_ends_at_four(rules):
    """A document in a string in a string ...: the fifth is plain text, not a recursion."""
    text = '{"deep": "x"}'
    for _ in range(6):
        text = json.dumps([text])
    document, depth = read_document(text.encode(), rules), 0
    while document.nested:
        document, depth = document.nested[0], depth + 1

    assert depth == 4


def test_long_numbers_are_text_in_the_callers_own_data(rules):
    """A card number without quotes is still a card number; elsewhere numbers are counts, ids and embeddings."""
    tree = {"input": {"card": 4111111111111111, "n": 12, "f": 4111111111111111.5}, "created": 4111111111111111}

    assert texts(tree, rules) == ["input", "card", "4111111111111111", "n", "f", "4111111111111111.5", "created"]
    assert read_text('{"card": 4111111111111111}').tokens == ["card", "4111111111111111"]


def test_repeated_keys_hide_nothing(rules):
    """In an object that nobody's SDK writes, everything is text, each of the repeated values too."""
    assert texts(b'{"type":"base64","data":"a","data":"b","id":"c","x":{"id":"d"}}', rules) == [
        *("type", "base64", "data", "a", "data", "b", "id", "c", "x", "id", "d")
    ]


def test_odd_documents_have_all_their_texts(rules):
    """Not a number, half a surrogate pair, huge numbers: read by the slow parser, with every token in place."""
    raw = b'{"n": NaN, "s": "\\ud800 x", "m": -1e999, "l": [1, 2.5, -Infinity], "e": "end"}'
    document = read_document(raw, rules)

    assert document.tokens == ["n", "s", "\ufffd x", "m", None, "l", None, None, "e", "end"]
    assert document.has_numbers


def test_numbers_are_counted_for_tokens(rules):
    """A list of token ids costs one token each; other numbers no more than their digits."""
    assert read_document(b'{"prompt": [100, 200, 300]}', rules).number_tokens == 3
    assert read_document(b'{"max": 1234}', rules).number_tokens == 4


elements = st.one_of(
    st.text(max_size=4),
    st.integers(-(10**14), 10**14),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([None, True, MEDIA, "data:image/png;base64,aGk=", ["x"], {"a": "b"}, '{"a": "b"}', " [1]", "\t{}"]),
)
kinds = st.sampled_from([st.text(max_size=4), st.integers(-(10**14), 10**14), st.integers(0, 9), elements])


@given(kinds.flatmap(lambda kind: st.lists(kind, max_size=40)), st.sampled_from(["messages", "arguments"]))
@example(["x"] * 20 + ["data:image/png;base64,aGk="], "messages")
@example(["x"] * 20 + ["eyJhIjogImFubkB4LmV4YW1wbGUifQ=="], "messages")
@example([1] * 20, "arguments")
@example([123456789012] * 20, "arguments")
def test_a_long_list_reads_as_its_elements_do(values, key):
    """Taken as a whole or one by one: the same texts, media, documents in strings; numbers count at least as much."""
    rules = TextRules(free=frozenset({"arguments"}))
    raw = json.dumps({key: values}).encode()
    whole = read_document(raw, rules)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_walk, "MANY", 10**9)
        single = read_document(raw, rules)

    assert whole.tokens == single.tokens
    assert whole.skipped == single.skipped
    assert whole.nested.keys() == single.nested.keys()
    assert (whole.media_bytes, whole.unread, whole.has_numbers) == (
        single.media_bytes,
        single.unread,
        single.has_numbers,
    )
    assert whole.number_tokens >= single.number_tokens


def test_deltas_are_marked(rules):
    """A piece of a longer text is no text of its own, whatever the rules say of its key."""
    tree = {"signature": "a", "list": ["b", "c"]}
    marks = {(id(tree), "signature"): 7, (id(tree["list"]), 1): 8}
    document = read_tree(json.dumps(tree).encode(), tree, rules, marks)

    assert document.tokens == ["signature", None, "list", "b", None]
    assert document.marked == {7: 1, 8: 4}


def test_a_tree_that_hides_something_is_refused(rules):
    """Where the fast parser dropped a repeated key, or a long number may be personal, the slow one must read."""
    assert read_tree(b'{"a": "x", "a": "y"}', {"a": "y"}, rules, {}) is None
    assert read_tree(b'{"input": 4111111111111111}', {"input": 4111111111111111}, rules, {}) is None


def test_depth_is_bounded(rules):
    """200 levels are read, 201 are refused, by each kind of container and by each parser."""
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        for inner in (b"1", b"NaN"):
            read_document(opening * 200 + inner + closing * 200, rules)
            with pytest.raises(BodyError, match="deeper than 200"):
                read_document(opening * 201 + inner + closing * 201, rules)


def test_without_rules_everything_is_text():
    """The default hides nothing but media."""
    assert texts({"id": "x", "type": "y"}, TextRules()) == ["id", "x", "type", "y"]
