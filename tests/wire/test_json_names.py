"""Keys compared by their bytes are the same exactly where their strings are."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.wire.json_names import Names
from outwarden.wire.json_text import Spans

# Long ones differ in the middle alone, where the bytes that are compared do not reach.
NAMES = st.one_of(
    st.text(max_size=3),
    st.sampled_from(["id", "role", "tool_use_id", "previous_response_id", "previous_responze_id", "12345678"]),
    st.text("ab", min_size=3, max_size=3).map(lambda middle: f"12345678{middle}12345678"),
)


def names_of(strings, *, escaped=(), at=None):
    spelled = [
        "".join(f"\\u{ord(c):04x}" for c in text) if at in escaped and text.isascii() else json.dumps(text)[1:-1]
        for at, text in enumerate(strings)
    ]
    raw = "[{}]".format(",".join(f'"{one}"' for one in spelled)).encode()
    assert json.loads(raw) == strings
    return Names(raw, Spans.of(raw), np.arange(len(strings)) if at is None else at, strings)


@given(st.lists(NAMES, min_size=1, max_size=8), st.sets(NAMES.filter(str.isascii)), st.sets(st.integers(0, 7)))
def test_a_name_is_found_however_it_is_spelled(strings, wanted, escaped):
    """Exactly the wanted ones are."""
    expected = [text in wanted for text in strings]

    assert names_of(strings, escaped=escaped).are_in(wanted).tolist() == expected


@given(
    st.lists(st.lists(NAMES, min_size=1, max_size=12), min_size=1, max_size=4), st.sets(st.integers(0, 7)), st.data()
)
def test_a_name_is_twice_in_an_object_or_not(nodes, escaped, data):
    """Of those that are asked for, and only in the same object, however many stand between."""
    pairs = [(name, number) for number, node in enumerate(nodes) for name in node]
    asked = np.array(sorted(data.draw(st.sets(st.integers(0, len(pairs) - 1), min_size=len(pairs) // 2))), np.intp)
    expected = len({pairs[at] for at in asked}) < len(asked)
    objects = np.array([number for _, number in pairs], np.intp)

    names = names_of([name for name, _ in pairs], escaped=escaped, at=asked)

    assert names.repeat(objects[asked]) == expected


@pytest.mark.parametrize("escaped", [(), (0,)])
def test_names_that_only_look_the_same_are_not(escaped):
    """The ends and the length are the same, the middle is not."""
    names = names_of(["12345678aaa12345678", "12345678bbb12345678"], escaped=escaped)

    assert not names.repeat(np.zeros(2, np.intp))
