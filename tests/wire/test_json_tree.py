"""Parsing hides nothing and never dies, whatever the bytes are."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.errors import BodyError
from outwarden.wire.json_tree import Float, Integer, Repeated, parse_all, read_json

trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(trees)
def test_both_parsers_agree(tree):
    """The fast parser and the one that keeps everything give the same tree."""
    raw = json.dumps(tree).encode()

    assert read_json(raw) == json.loads(raw) == parse_all(raw)


def test_repeated_keys_are_kept():
    """The last one counts as the value, but no pair is lost."""
    tree = parse_all(b'{"a": 1, "\\u0061": 2, "b": {"c": 3}}')

    assert isinstance(tree, Repeated)
    assert tree == {"a": 2, "b": {"c": 3}}
    assert tree.pairs == [("a", 1), ("a", 2), ("b", {"c": 3})]
    assert type(tree["b"]) is dict


def test_numbers_keep_their_spelling():
    """What is a number stays one, and knows how it was written."""
    whole, small, huge = parse_all(b"[12345678901234567890, 1.50e-2, 1e999]")

    assert (type(whole), whole.spelled) == (Integer, "12345678901234567890")
    assert (type(small), small.spelled) == (Float, "1.50e-2")
    assert (huge, huge.spelled) == (float("inf"), "1e999")


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'"\\ud800"', "\ud800"),
        (b"[Infinity]", [float("inf")]),
        (b"[" + b"9" * 5000 + b"]", [float("inf")]),
    ],
)
def test_odd_documents_are_read(raw, value):
    """A byte order mark, repeated keys, lone surrogates and numbers out of range have a defined answer."""
    assert read_json(raw) == value


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b'{"a": 1} x',
        b"{'a': 1}",
        b'"a\nb"',
        b'{"a": "\xff"}',
        b'"\xed\xa0\x80"',
        '{"a": 1}'.encode("utf-16"),
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 100_000,
        b"[NaN," + b"[" * 300 + b"]" * 300 + b"]",
    ],
    ids=repr,
)
def test_what_is_no_json_is_refused(raw):
    """One error for everything that cannot be read."""
    with pytest.raises(BodyError):
        read_json(raw)


def test_the_error_carries_no_content():
    """Neither the message nor what it was raised from shows the body."""
    with pytest.raises(BodyError) as caught:
        read_json(b'{"secret": "hunter2" oops')

    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert "character 21" in str(caught.value)
