"""Small documents in many strings are read as one list, and each string keeps its own."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outwarden.wire.format import TextRules
from outwarden.wire.json_document import Document, Joined
from outwarden.wire.json_text import Spans, may_open
from outwarden.wire.json_walk import read_document, read_text


def read(texts):
    return read_document(json.dumps([*texts, "x" * 4096]).encode(), TextRules())


def joined_in(document):
    return [nested for nested in document.nested.values() if isinstance(nested, Joined)]


def test_equal_documents_are_read_once():
    """Each string knows which of them it holds, and where that stands in the list."""
    texts = ['{"a": 1}', "no document", '["é"]', '{"a": 1}'] * 10
    document = read(texts)
    (joined,) = joined_in(document)

    assert joined.document.tokens == ["a", "é"]
    assert [texts[at] for at in joined.places] == [text for text in texts if text != "no document"]
    for at, number in zip(joined.places, joined.numbers, strict=True):
        start, end = joined.starts[number], joined.starts[number + 1] - 1
        assert joined.document.raw[start:end].decode() == texts[at]
    assert [not lone for lone in document.lone] == [*(text[0] in "{[" for text in texts), False]


@pytest.mark.parametrize(
    "odd", ['{"a": 1', "[1],[2]", '["\\q"]', "[NaN]", "[[" * 120 + "]]" * 120, "[x", "{ }" + " " * 4096]
)
def test_what_is_odd_keeps_no_other_from_it(odd):
    """It is read alone, and the rest in parts where it has to be."""
    texts = [f'{{"a": "{n}"}}' for n in range(100)]
    texts[37] = odd
    document = read(texts)
    places = [at for joined in joined_in(document) for at in joined.places.tolist()]

    assert {*range(101)} - {*places, 37, 100} <= {*range(25, 50)}
    assert 37 not in places
    assert all(isinstance(document.nested[at], Document) for at in {*range(100)} - {*places, 37})


def test_a_few_are_read_one_by_one():
    """As is what stands in a small document."""
    few = read(['{"a": 1}'] * 15)
    small = read_document(json.dumps(['{"a": 1}'] * 100).encode(), TextRules())

    assert (joined_in(few), len(few.nested), few.lone) == ([], 15, b"")
    assert (joined_in(small), len(small.nested)) == ([], 100)


OPENINGS = [
    "[",
    "{",
    "[ ",
    "[INFO] up",
    "[Infinity]",
    "[In",
    "[NaN]",
    "[N/A]",
    "[tr",
    "[true]",
    "[T]",
    "[-1]",
    "[1",
    "{1",
    "{a",
    "[é]",
]
OPENINGS += [
    '{"',
    '{"a":1}',
    "{}",
    "[]",
    '["',
    "[[",
    "[{",
    "{ }",
    "{\n}",
    "[\u00a0]",
    "[#]",
    "[(1)]",
    "{-",
    "x",
    "",
    " [1]",
    "\\[",
    "[f",
    "[fa",
    "[nu",
]


@given(st.lists(st.tuples(st.sampled_from(OPENINGS), st.text(max_size=4)).map("".join), min_size=1, max_size=12))
@example(OPENINGS)
@pytest.mark.parametrize("ascii_only", [False, True])
def test_a_string_that_may_not_open_a_document_is_none(ascii_only: bool, texts: list[str]) -> None:
    """At a glance at three bytes, and by reading it."""
    raw = json.dumps(texts, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    spans = Spans.of(raw)
    may = may_open(raw, spans.opening)

    for text, opens in zip(texts, may.tolist(), strict=True):
        assert opens or read_text(text) is None
    assert not may_open(b'["[INFO] up"]', Spans.of(b'["[INFO] up"]').opening)[0]
