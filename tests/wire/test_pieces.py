"""A body is cut where its values are, exactly, or not at all."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.wire.pieces import _ELEMENT_BYTES, PIECE_BYTES_MIN, cut, skeleton

long_text = "x" * PIECE_BYTES_MIN
values = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.just(long_text),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
bodies = st.dictionaries(st.sampled_from(["messages", "tools", "a", '"', "\\"]) | st.text(max_size=4), values)


@given(bodies, st.sampled_from([None, 1]), st.booleans())
def test_pieces_are_whole_values(rules, tree, indent, ensure_ascii):
    """Each piece is a value of its key, or an element of its list; putting them back gives the body.

    A list of tiny elements is one piece.
    """
    body = json.dumps(tree, indent=indent, ensure_ascii=ensure_ascii).encode()
    pieces = cut(body, rules)

    assert pieces == sorted(pieces)
    for start, end, key, is_element in pieces:
        value = json.loads(body[start:end])
        assert value in tree[key] if is_element else value == tree[key]
        is_list = key in rules.remember and isinstance(tree[key], list)
        assert is_list if is_element else (not is_list or len(tree[key]) * _ELEMENT_BYTES > end - start)
        assert end - start >= PIECE_BYTES_MIN
    rest = json.loads(skeleton(body, pieces))
    assert list(rest) == list(tree)
    assert len(pieces) == sum(
        (rest[k] is None and tree[k] is not None)
        + (
            isinstance(rest[k], list)
            and k in rules.remember
            and sum(a != b for a, b in zip(rest[k], tree[k], strict=True))
        )
        for k in tree
    )


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"%s","a":"%s"}' % (b"x" * 200, b"x" * 200),
        b'{"a":"%s","b":1,"\\u0061":"%s"}' % (b"x" * 200, b"y" * 200),
        b'["%s"]' % (b"x" * 200),
        b'{"a":"%s"} x' % (b"x" * 200),
        b'{"a":"%s"' % (b"x" * 200),
        b'{"\xff":"%s"}' % (b"x" * 200),
        b'"text"',
        b"",
    ],
)
def test_what_is_not_plain_is_not_cut(rules, body):
    """Repeated keys, other roots and broken bodies are left to the reader of whole bodies."""
    assert cut(body, rules) == []
