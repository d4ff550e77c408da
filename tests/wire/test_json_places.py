"""A path leads to the bytes of its value, however the document is spelled."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.wire.json_places import places

keys = st.sampled_from(["a", "b", "é", 'q"', "\\", "{", "😀"]) | st.text(max_size=3)
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.sampled_from(['"]}', ',"a":1']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


def paths_of(node, path=()):
    yield path, node
    if isinstance(node, dict | list):
        for step, child in node.items() if isinstance(node, dict) else enumerate(node):
            yield from paths_of(child, (*path, step))


@given(trees, st.booleans(), st.sampled_from([None, 1]), st.randoms())
def test_every_value_is_found(tree, ensure_ascii, indent, random):
    """Whatever paths are asked for: the bytes there are the value, and nothing else is found."""
    raw = json.dumps(tree, ensure_ascii=ensure_ascii, indent=indent).encode()
    nodes = dict(paths_of(tree))
    asked = random.sample(list(nodes), random.randint(0, len(nodes)))
    found = places(raw, [*asked, ("nowhere", 7)])

    assert found.keys() == set(asked)
    for path, (start, end) in found.items():
        assert repr(json.loads(raw[start:end])) == repr(nodes[path])
        assert raw[start:end] == raw[start:end].strip()


@pytest.mark.parametrize(
    ("raw", "path", "value"),
    [
        (b'\xef\xbb\xbf {"a":[1,{"b" :\n2 }]}', ("a", 1, "b"), b"2"),
        (b'{"a":1,"a":{"b":3}}', ("a", "b"), b"3"),
        (b'{"\\u0061":-1e5}', ("a",), b"-1e5"),
        (b'{"\\ud800":1,"b":NaN}', ("b",), b"NaN"),
        (b"[[],[ ]]", (1,), b"[ ]"),
        (b" 7 ", (), b"7"),
    ],
)
def test_odd_documents(raw, path, value):
    """Byte order mark, repeated and escaped keys, odd numbers."""
    assert raw[slice(*places(raw, [path])[path])] == value


def test_nothing_is_asked():
    """Then nothing is read."""
    assert places(b'{"a":1}', []) == {}
