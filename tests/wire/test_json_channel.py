"""A document that arrives in pieces is rewritten as if it had come whole, and what is none is a text."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outwarden.wire.body import rewrite_text
from outwarden.wire.edits import apply_edits
from outwarden.wire.json_channel import JsonChannel
from outwarden.wire.json_text import scannable

words = st.sampled_from(
    [
        "ann@x.example",
        "4111111111111111",
        "flag",
        "plain",
        "é😀",
        '"',
        "\\",
        "\n",
        "/",
        " ",
        "{",
        "[",
        "<&>",
        "@",
        "\ud83d",
    ]
)
texts = st.lists(words, max_size=6).map("".join)
numbers = st.sampled_from([0, -1, 2.5, 1e300, 4111111111111111, 4111111111111112, 123456789012345678901234567890])


def trees(texts):
    return st.recursive(
        st.none() | st.booleans() | numbers | texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=8,
    )


def is_container(tree):
    return isinstance(tree, dict | list)


nested = trees(texts).filter(is_container).map(json.dumps)
documents = st.builds(
    lambda tree, indent, ascii_only, space: space + json.dumps(tree, indent=indent, ensure_ascii=ascii_only) + space,
    trees(texts | nested).filter(is_container),
    st.sampled_from([None, 2]),
    st.booleans(),
    st.sampled_from(["", "\n"]),
)
broken = st.text(st.sampled_from('[]{},:"\\ a1-.tn@'), max_size=30) | st.builds(
    lambda text, cut, odd: text[:cut] + odd + text[cut:],
    documents,
    st.integers(0, 40),
    st.sampled_from(["", "x", '"', "["]),
)
cuts = st.lists(st.integers(1, 9), max_size=30)


def pieces_of(text, cuts):
    at = 0
    for size in cuts:
        yield text[at : at + size]
        at += size
    yield text[at:]


def run(rewriter, pieces):
    """Feed the pieces, hold the channel to its promise, and return what the text becomes."""
    channel, edits, before, fed = JsonChannel(rewriter), [], 0, 0
    for piece in pieces:
        decided, new = channel.feed(piece)
        fed += len(piece)
        assert before <= decided <= fed
        assert all(before <= edit.start <= edit.end <= decided for edit in new)
        edits += new
        before = decided
    last = channel.finish()
    assert all(before <= edit.start <= edit.end <= fed for edit in last)
    return [*edits, *last]


@given(documents, cuts)
@example('["\\ud83d\\ude00 a@b.c", 4111111111111111 , {"a\\u0040b.c": "[\\"a@b.c\\"]"}]', [1] * 90)
def test_a_document_in_pieces_is_a_document(word_rewriter, text, cuts):
    """Whole, cut anywhere, in an escape or between the halves of a pair: the same text, the same findings."""
    text, whole = scannable(text), word_rewriter()
    expected = rewrite_text(text, whole)
    for pieces in ([text], text, pieces_of(text, cuts)):
        rewriter = word_rewriter()
        assert apply_edits(text, run(rewriter, pieces)) == expected
        assert rewriter.counts == whole.counts


@given(texts, cuts)
def test_a_text_in_pieces_is_a_text(word_rewriter, rewritten_text, text, cuts):
    """Where the first character begins no document, nothing but the text matters."""
    text = "so " + text.replace("\ud83d", "")
    for pieces in ([text], text, pieces_of(text, cuts)):
        assert apply_edits(text, run(word_rewriter(), pieces)) == rewritten_text(text)


@given(broken, cuts)
def test_a_broken_document_is_rewritten_all_the_same_at_any_cut(word_rewriter, text, cuts):
    """Where it broke does not depend on how it came; each 16-digit number and address that stands free is found."""
    text, rewriter = scannable(text), word_rewriter()
    whole = rewrite_text(text, rewriter)

    for pieces in ([text], text, pieces_of(text, cuts)):
        streaming = word_rewriter()
        assert apply_edits(text, run(streaming, pieces)) == whole
        assert streaming.counts == rewriter.counts
    assert "4111111111111111" not in [word for word in whole.replace("\\n", " ").split() if word.isdigit()]


@pytest.mark.parametrize(
    "text",
    [
        "[a@b.c](mailto:a@b.c)",
        "{a@b.c}",
        "[4111 a@b.c",
        "[1] a@b.c",
        "[[[ a@b.c",
        '{"a" a@b.c',
        '{"a": tru a@b.c',
        "[-a@b.c",
        "[1.e a@b.c",
        '{"a": 1} a@b.c',
        '["x" 4111111111111111',
        "[4111111111111111",
        "[1, 4111111111111111 a",
        " \n a@b.c",
        "[nul",
        "[" * 300 + '"a@b.c"',
    ],
)
def test_what_only_begins_like_a_document_is_a_text(word_rewriter, rewritten_text, text):
    """Nothing is given away before it is proved, so a finding is whole wherever the grammar breaks."""
    assert apply_edits(text, run(word_rewriter(), text)) == rewritten_text(text)


def test_a_placeholder_at_the_beginning_is_found():
    """A bracket may begin an array or a placeholder; it is held until the next character tells."""

    class Names:
        def channel(self):
            return self

        def feed(self, text):
            self.text = getattr(self, "text", "") + text
            return 0, ()

        def finish(self):
            return ()

    names = Names()
    channel = JsonChannel(names)
    for character in "[NAME_1] is":
        assert channel.feed(character)[0] == 0

    assert names.text == "[NAME_1] is"


def test_nothing_is_held_without_need(word_rewriter):
    """Structure is given away at once, a string as far as its own text is decided."""
    channel = JsonChannel(word_rewriter())
    decided = [channel.feed(piece)[0] for piece in ('{"', "key", '": ', '"ab cd', " ", '"', ", ", '"n": 12', "}")]

    assert decided == [2, 2, 7, 12, 15, 16, 17, 22, 26]


def test_a_replacement_keeps_the_document(word_rewriter):
    """A restored value with quotes and line ends stays inside its string, at each level of nesting."""
    text = json.dumps({"a": json.dumps({"b": json.dumps(["to a@b.c"])})})
    after = apply_edits(text, run(word_rewriter(), text))

    assert json.loads(json.loads(json.loads(after)["a"])["b"]) == ["to " + word_rewriter.replacement]


def test_a_truncated_document_keeps_what_was_found(word_rewriter):
    """The last, open string is scanned too."""
    text = '{"a": "a@b.c", "b": "c@d.e'
    rewriter = word_rewriter()

    assert "@" not in apply_edits(text, run(rewriter, text)).replace(word_rewriter.replacement, "")
    assert rewriter.counts["EMAIL_ADDRESS"] == 2
