"""What is taken out of an event leaves the rest of it as it was."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.wire.event_parts import null_usage
from outwarden.wire.json_text import spliced

values = st.none() | st.integers() | st.text() | st.lists(st.none(), max_size=1) | st.just(',"usage":null,')


@given(st.dictionaries(st.text(max_size=3), values, max_size=4), st.integers(0, 4), st.sampled_from([(",", ":"), None]))
def test_a_usage_that_says_nothing_is_left_out(members, at, separators):
    """Wherever it stands: what is left is the event without it, to the byte unless it stood alone."""
    pairs = list(members.items())
    pairs.insert(at, ("usage", None))
    with_it, without = (json.dumps(dict(some), separators=separators).encode() for some in (pairs, members.items()))
    out = spliced(with_it, null_usage(with_it, json.loads(with_it)))

    if members and "usage" not in members:
        assert out == without
    assert json.loads(out).get("usage") is None


@pytest.mark.parametrize(
    "event",
    [
        {"usage": {"a": 1}},
        {"choices": [{"usage": None}]},
        {"x_groq": {"usage": None}, "usage": None},
        ["usage", None],
        {},
    ],
)
def test_another_usage_stays(event):
    """One that says something, one of something else, and where both are there."""
    data = json.dumps(event).encode()

    assert null_usage(data, event) == []
