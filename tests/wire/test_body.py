"""Only what was found changes; every other byte of a body stays, whatever the body looks like."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.errors import BodyError
from outwarden.wire import json_joined, json_text
from outwarden.wire.body import PIECE_TOKENS, Memory, rewrite_json, rewrite_lines, rewrite_text, rewrite_texts

words = st.sampled_from(
    ["ann@x.example", "4111111111111111", "flag", "plain", "é😀", '"', "\\", "\n", "/", " ", "{", "<&>", "x" * 150]
)
# What begins like a document and breaks is read as a stream of it would be: test_json_channel.py.
plain_texts = st.lists(words, max_size=6).map("".join).filter(lambda t: t.strip()[:1] != "{") | st.text(max_size=5)


def documents(texts, max_leaves=8):
    return st.recursive(
        st.none() | st.booleans() | st.integers(-99, 99) | texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
        max_leaves=max_leaves,
    )


nested_texts = documents(plain_texts, 4).filter(lambda tree: isinstance(tree, dict | list)).map(json.dumps)
trees = documents(plain_texts | nested_texts)
manners = st.fixed_dictionaries(
    {
        "ensure_ascii": st.booleans(),
        "indent": st.sampled_from([None, 2]),
        "separators": st.sampled_from([None, (",", ":")]),
    }
)


@given(trees, manners)
def test_all_texts_are_rewritten(rules, word_rewriter, view, tree, manner):
    """The rewritten body says what rewriting every string of the tree says, in documents inside strings too."""
    body = json.dumps(tree, **manner).encode()
    rewriter = word_rewriter()
    result = rewrite_json(body, rules, rewriter)

    assert view(result.body, rewritten=False) == view(body, rewritten=True)
    assert (result.body is body) == (result.edits == 0)
    assert (result.edits == 0) == (not rewriter.counts.keys() - {"FLAGGED"})


@given(trees, manners)
def test_nothing_else_changes(rules, word_rewriter, tree, manner):
    """Taking the replacements out of the new body leaves exactly the old one without what they replaced."""
    body = json.dumps(tree, **manner).encode()
    rewriter = word_rewriter()
    rewriter.replacement = "@@@"
    after = rewrite_json(body, rules, rewriter).body
    for entity, original in rewriter.noted:
        if entity != "FLAGGED":
            after = after.replace(b"@@@" if entity == "EMAIL_ADDRESS" else b"[CARD]", original.encode(), 1)

    assert after == body


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (rb'{"a":"x\u00fc a@b.c \ud83d\ude00"}', rb'{"a":"x\u00fc <\"\u00c9\n\ud83d\ude00\\> \ud83d\ude00"}'),
        ('{"a":"xü a@b.c 😀"}'.encode(), '{"a":"xü <\\"É\\n😀\\\\> 😀"}'.encode()),
        (b'{"a\\/": 1e5,  "b":"a@b.c"}\n', '{"a\\/": 1e5,  "b":"<\\"É\\n😀\\\\>"}\n'.encode()),
        (b'\xef\xbb\xbf["a@b.c"]', b"\xef\xbb\xbf" + '["<\\"É\\n😀\\\\>"]'.encode()),
        (b'  "a@b.c" ', '  "<\\"É\\n😀\\\\>" '.encode()),
        (b'{"a@b.c":1,"a@b.c":2}', '{"<\\"É\\n😀\\\\>":1,"<\\"É\\n😀\\\\>":2}'.encode()),
        (b'{"\\u0061@b.c":NaN}', b'{"<\\"\\u00c9\\n\\ud83d\\ude00\\\\>":NaN}'),
        (b'{"input":{"n":4111111111111111}}', b'{"input":{"n":"[CARD]"}}'),
        (b'{"a":"{\\"n\\":4111111111111111}"}', b'{"a":"{\\"n\\":\\"[CARD]\\"}"}'),
        (b'{"created":4111111111111111}', b'{"created":4111111111111111}'),
    ],
)
def test_edits_are_spelled_as_the_body_is(rules, word_rewriter, before, after):
    """Escapes, spacing, byte order mark, repeated keys and numbers: each stays what it was."""
    assert rewrite_json(before, rules, word_rewriter()).body == after


DEEP = b'{"messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 300 + b"]" * 300, b'{"a":1}{"a":1}', DEEP], ids=lambda b: repr(b[:12])
)
def test_what_is_no_json_is_refused(rules, word_rewriter, body):
    """Never passed on unread; with a memory neither."""
    for memory in (None, Memory(10**6)):
        with pytest.raises(BodyError):
            rewrite_json(body, rules, word_rewriter(), memory=memory)


def test_texts_are_asked_for_once(rules, word_rewriter):
    """One question for the whole body, each different text once; every place is noted."""
    rewriter = word_rewriter()
    rewrite_json(json.dumps([{"k": "a@b.c"}, {"k": "a@b.c"}]).encode(), rules, rewriter)

    assert sorted(rewriter.asked) == ["a@b.c", "k"]
    assert rewriter.noted == [("EMAIL_ADDRESS", "a@b.c")] * 2


@given(st.lists(trees, max_size=5), trees, manners)
def test_a_remembered_body_is_the_same(rules, word_rewriter, messages, other, manner):
    """With a memory, filled or not, the result and what is noted are the same as without."""
    body = json.dumps({"messages": messages, "other": other, "k": "a@b.c"}, **manner).encode()
    memory, plain = Memory(10**6), word_rewriter()
    expected = rewrite_json(body, rules, plain)
    for _ in range(2):
        rewriter = word_rewriter()
        result = rewrite_json(body, rules, rewriter, memory=memory, memory_key=b"v1")
        assert (result.body, result.edits) == (expected.body, expected.edits)
        assert rewriter.counts == plain.counts


def test_a_longer_conversation_costs_its_new_message(rules, word_rewriter):
    """Only the new message, and what is too short to remember, is scanned and counted again."""
    memory, counted = Memory(10**6), []
    messages = [{"role": "user", "content": f"{'word ' * 40}ann{n}@x.example"} for n in range(5)]
    tools = [{"name": "t", "schema": {"description": "words " * 100}}]

    def turn(count):
        rewriter = word_rewriter()
        body = json.dumps({"model": "m", "messages": messages[:count], "tools": tools}).encode()
        result = rewrite_json(
            body, rules, rewriter, memory=memory, memory_key=b"v1", count=lambda t: counted.append(t) or len(t)
        )
        return rewriter, result

    _, first = turn(4)
    counted.clear()
    rewriter, second = turn(5)

    assert sum(map(len, rewriter.asked)) < 400
    assert rewriter.counts["EMAIL_ADDRESS"] == second.edits == 5
    assert len(counted) == 2
    assert first.tokens < second.tokens < first.tokens + 400


def test_another_version_remembers_for_itself(rules, word_rewriter):
    """A changed detector, direction or counter must not be answered from before."""
    memory = Memory(10**6)
    body = json.dumps({"messages": [{"content": "a@b.c " * 40}]}).encode()
    for key in (b"v1", b"v2"):
        rewriter = word_rewriter()
        rewrite_json(body, rules, rewriter, memory=memory, memory_key=key)
        assert any(len(text) > 100 for text in rewriter.asked)
    assert rewrite_json(body, rules, word_rewriter(), memory=memory, memory_key=b"v1", count=len).tokens > 100


def test_the_same_bytes_elsewhere_are_another_piece(rules, word_rewriter):
    """What is opaque under one key is text under another, with the same memory."""
    memory = Memory(10**6)
    for key, edits in (("signature", 0), ("other", 40), ("signature", 0)):
        body = json.dumps({key: "a@b.c " * 40}).encode()
        assert rewrite_json(body, rules, word_rewriter(), memory=memory).edits == edits


def test_tokens_are_counted_after_the_edits(rules, word_rewriter):
    """Keys, values and opaque strings count; media does not, it is told apart."""
    media = "data:image/png;base64,AAAA"
    body = json.dumps({"id": "x1", "k": "a@b.c", "m": media}).encode()
    result = rewrite_json(body, rules, word_rewriter(), count=len)
    rewritten = word_rewriter.replacement

    assert result.tokens == len("\n".join(["id", "k", rewritten, "m", "x1"])) + PIECE_TOKENS
    assert result.media_bytes == len(media)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("to a@b.c.", 'to <"É\n😀\\>'),
        ('{"a": "a@b.c"}', '{"a": "<\\"É\\n😀\\\\>"}'),
        ("\ud800 4111111111111111", "\ud800 [CARD]"),
        ("nothing", "nothing"),
    ],
)
def test_a_text_alone_is_rewritten(word_rewriter, before, after):
    """As in a body; a text that is a document stays one."""
    rewriter = word_rewriter()

    assert rewrite_text(before, rewriter) == after
    assert len(rewriter.noted) == (before != after)


@given(
    st.lists(trees.filter(lambda tree: isinstance(tree, dict | list)), min_size=1, max_size=5),
    st.sampled_from([b"\n", b"\r\n", b"\n\n"]),
    st.booleans(),
)
def test_lines_are_rewritten_as_each_would_be(rules, word_rewriter, some, end, is_ended):
    """All at once: the bytes, the findings and the bound of tokens are those of one line after the other."""
    lines = [json.dumps(tree, ensure_ascii=False).encode() for tree in some]
    body = end.join(lines) + end * is_ended
    rewriter, single = word_rewriter(), word_rewriter()
    rewriter.replacement = single.replacement = '<"\n\\>'  # of a file, not of a line, is it asked how é is spelled
    done = rewrite_lines(body, rules, rewriter, count=len)
    each = [rewrite_json(line, rules, single, count=len) for line in lines]

    assert done.body == end.join(one.body for one in each) + end * is_ended
    assert (done.body is body) == (not done.edits)
    assert rewriter.noted == single.noted
    assert done.edits == sum(one.edits for one in each)
    assert done.tokens >= sum(one.tokens for one in each)


broken_texts = st.tuples(nested_texts, st.integers(1, 9)).map(lambda cut: cut[0][: -cut[1]] + "\t")
odd_texts = st.sampled_from(
    ['{"a": "ann@x.example\t"}', '["\\q"]', "[NaN]", ' {"a": [4111111111111111]}', "[1] [2]", "[" * 250]
)


@given(
    st.lists(plain_texts | nested_texts | broken_texts | odd_texts, min_size=2, max_size=12),
    st.lists(st.integers(0, 11), max_size=6),
    st.booleans(),
)
def test_many_documents_in_strings_are_read_as_each_would_be(rules, word_rewriter, different, again, escaped):
    """Together where they can be: one that is broken or odd keeps no other from it, nor says anything in its place.

    Some come again, and each stands where it stands.
    """
    texts = [*different, *(different[at % len(different)] for at in again)]
    body = json.dumps(texts, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    rewriter, single = word_rewriter(), word_rewriter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_joined, "_MANY", 2)
        patch.setattr(json_text, "_SMALL", 0)
        done = rewrite_json(body, rules, rewriter)

    assert json.loads(done.body) == [rewrite_text(text, single) for text in texts]
    assert sorted(rewriter.noted) == sorted(single.noted)
    assert {*rewriter.asked} == {*single.asked} - {""}


@given(st.lists(plain_texts | nested_texts, max_size=6))
def test_texts_are_rewritten_as_each_would_be(word_rewriter, texts):
    """One that comes twice is noted twice."""
    rewriter, single = word_rewriter(), word_rewriter()

    assert rewrite_texts(texts, rewriter) == [rewrite_text(text, single) for text in texts]
    assert rewriter.noted == single.noted
    assert len(rewriter.asked) == len(set(rewriter.asked))
