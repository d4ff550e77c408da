"""Strings as programs write them."""

import pytest

from outwarden.pii.literals import read_literal


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("'ab' + \"cd\"", "abcd"),
        ('"ab"\n    "cd"\n    "ef";', "abcdef"),
        ("'ab' . 'cd'", "abcd"),
        ('"ab" & "cd"', "abcd"),
        ("'ab''cd'", "abcd"),
        ("\"ab\"'cd'", "abcd"),
        ("'ab' || 'cd'", "abcd"),
        ('"ab").append("cd").append("ef")', "abcdef"),
        ('"ab" \\\n+    "cd"', "abcd"),
        ("f'ab' f'cd'", "abcd"),
        ("'ab', 'cd'", "ab"),
        ("'ab' if x else 'cd'", "ab"),
    ],
)
def test_what_is_joined_is_read_as_one(written: str, said: str) -> None:
    """Operators of many languages, adjacent strings, calls; a list or a word between ends it."""
    literal = read_literal(written, 0)

    assert literal is not None
    assert literal.text == said


def test_a_list_is_read_where_it_is_asked_for() -> None:
    """Strings between commas."""
    literal = read_literal("'a', 'b',\n 'c']", 0, listed=True)

    assert literal is not None
    assert (literal.text, literal.span) == ("abc", (1, 13))


@pytest.mark.parametrize("written", ["", "ab", "'ab", '"ab\ncd"'])
def test_what_is_no_string_is_none(written: str) -> None:
    """Without a quotation mark, or without its end."""
    assert read_literal(written, 0) is None
