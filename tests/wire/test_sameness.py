"""The same question has the same form, another one has another."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.wire.json_tree import read_json
from outwarden.wire.sameness import VOLATILE, same_request

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "again"}], "temperature": 0.5}


def form(document: Any, **style: Any) -> bytes:
    data = json.dumps(document, **style).encode()
    return same_request(data, read_json(data))


@given(st.dictionaries(st.sampled_from(sorted(VOLATILE)), st.text() | st.integers(0, 9) | st.none()), st.booleans())
def test_what_changes_between_tries_makes_no_difference(volatile: dict[str, Any], first: bool) -> None:
    """Who asks, session and number; the order of keys and spaces."""
    changed = volatile | CHAT if first else dict(reversed(CHAT.items())) | volatile

    assert form(changed, indent=2) == form(CHAT)


@pytest.mark.parametrize(
    "changed",
    [{"model": "gpt-4o-mini"}, {"temperature": 0.6}, {"seed": 1}, {"messages": []}, {"stream": True},
     {"messages": [{"role": "user", "content": "again", "metadata": {"x": 1}}]}],
)  # fmt: skip
def test_another_question_is_another(changed: dict[str, Any]) -> None:
    """Anything that may change the answer; what is called metadata deeper down may be part of the question."""
    assert form(CHAT | changed) != form(CHAT)


def test_forms_without_their_boundary() -> None:
    """A client draws a boundary anew for each try."""
    text = '--{0}\r\ncontent-disposition: form-data; name="a"\r\n\r\n{1}\r\n--{0}--\r\n'
    first, again, other = (
        same_request(text.format(*parts).encode(), None) for parts in (("x1f", "1"), ("y2a", "1"), ("x1f", "2"))
    )
    assert first == again != other


@pytest.mark.parametrize("data", [b"", b"plain", b"--", b"\xff\x00"])
def test_other_bodies_are_themselves(data: bytes) -> None:
    """Text, sound, nothing."""
    assert same_request(data, None) == data


def test_nesting_of_any_depth() -> None:
    """What has no canonical form here counts as it was sent."""
    deep = [json.loads("[" * 400 + str(number) + "]" * 400) for number in (1, 1, 2)]
    first, again, other = (form({"n": document}) for document in deep)
    assert first == again != other
