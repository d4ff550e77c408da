"""A broken document is read as far as it is one, and edits go back to their places."""

import pytest

from outwarden.wire.edits import apply_edits
from outwarden.wire.json_fragments import Fragments


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
