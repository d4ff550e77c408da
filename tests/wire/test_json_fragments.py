"""A broken document is read as far as it is one, and edits go back to their places."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.wire import json_fragments
from outwarden.wire.edits import apply_edits
from outwarden.wire.json_fragments import Fragments
from outwarden.wire.json_walk import read_text
from outwarden.wire.splice import leaves, nested_edits


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        (r'{"a": "b\u0040c", "d": ["e', ["a", "b@c", "d", "e"]),
        ('{"a": 1}\n{"b": "c"}\n', ["a", "b", "c", "\n"]),
        ('{"a": "b"} and so on', ["a", "b", " and so on"]),
        ("[so on", ["[so on"]),
        ('["", 4111111111111111, 12', ["4111111111111111", " 12"]),
        (r'["{\"a\": \"b\"}"', ["a", "b"]),
    ],
)
def test_texts_are_told_apart(text, texts):
    """Strings are decoded, what follows the break is one plain text."""
    assert Fragments(text, 1).texts == texts


def test_edits_go_back_to_their_places(word_rewriter):
    """Spelled as JSON inside strings, as they are behind the break; what was found is told with its original."""
    rewriter = word_rewriter()
    text = r'{"a": "x\u0040b.c", "n": 4111111111111111, "l": [] a@b.c'
    fragments, found = Fragments(text, 1), []
    answers = dict(zip(fragments.texts, rewriter.edits(fragments.texts), strict=True))
    edits = fragments.edits(answers, found)

    assert apply_edits(text, edits) == '{"a": "<\\"É\\n😀\\\\>", "n": "[CARD]", "l": [] ' + rewriter.replacement
    assert [original for _, original in found] == ["x@b.c", "4111111111111111", "a@b.c"]


def test_without_findings_there_is_nothing_to_do():
    """No edit, and nothing noted."""
    found = []

    assert Fragments('{"a": "b', 1).edits({"other": []}, found) == []
    assert found == []


words = st.sampled_from(
    ["a@b.c", "4111111111111111", "é😀", '"', "\\", "a,b", "[", "{", '{"x": "a@b.c"}', '["y', "", " "]
)
strings = st.lists(words, max_size=3).map("".join)
trees = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 10**16) | st.floats(-9, 9) | strings,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings, inner, max_size=4),
    max_leaves=12,
)
manners = st.fixed_dictionaries({"ensure_ascii": st.booleans(), "indent": st.sampled_from([None, 1])})
breaks = st.sampled_from(["", "}", "]", "x", "NaN]", '"', ',, "a@b.c"', "\\", "\n", ' and "a@b.c"', "\x00"])


@settings(max_examples=400)
@given(st.lists(trees | st.dictionaries(strings, trees), min_size=1), manners, st.floats(0, 1), breaks, strings)
def test_the_begin_is_read_as_a_whole(word_rewriter, tree, manner, part, broken, rest):
    """Cut anywhere and gone on with anything: the texts and the edits are those of reading it token by token."""
    whole = json.dumps(tree, **manner)
    text = whole[: int(part * len(whole))] + broken + rest
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_fragments, "_SHORT", 0)
        fast = read_text(text)
        patch.setattr(json_fragments, "_SHORT", 10**9)
        slow = read_text(text)

    assert (fast is None) == (slow is None)
    if fast is not None and slow is not None:
        # Spaces behind a document in a string are a text of a stream alone.
        assert [one for one in leaves(fast) if one.strip()] == [one for one in leaves(slow) if one.strip()]
        rewriter = word_rewriter()
        asked = list(leaves(slow))
        answers = {one: edits for one, edits in zip(asked, rewriter.edits(asked), strict=True) if edits}
        found, expected = [], []
        edited = apply_edits(text, nested_edits(fast, answers, found))
        assert edited == apply_edits(text, nested_edits(slow, answers, expected))
        assert found == expected


def test_a_long_document_that_is_cut_short_is_read_at_once():
    """But for what follows its last comma."""
    text = json.dumps({"lines": ["a line"] * 2000})[:-5]
    fragments = read_text(text)

    assert isinstance(fragments, Fragments)
    assert fragments.begun is not None
    assert len(fragments.begun.tokens) == 2000
    assert fragments.texts == ["a li"]
