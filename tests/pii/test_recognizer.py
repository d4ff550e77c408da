"""Checks look at what stands around a candidate, and know when they cannot see it yet."""

import pytest

from outwarden.pii.recognizer import (
    CONTEXT_WIDTH,
    Context,
    after_escape,
    digits_of,
    joined_after,
    joined_before,
    skip_edge,
    word_after,
    word_before,
)


@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [
        (r"\njane@", 1, 2),
        (r"\u00e9jane@", 1, 6),
        (r"\x41jane@", 1, 4),
        ("jane@", 0, 0),
        ("\\jane@", 1, 1),
        ("njane@", 1, 1),
    ],
)
def test_letters_of_an_escape_are_no_part_of_a_value(text: str, start: int, expected: int) -> None:
    """And other letters are."""

    assert after_escape(text, start, len(text)) == expected


@pytest.mark.parametrize(("text", "expected"), [("_12", 1), (r"\n12", 2), (r"\u000a12", 6), ("12", 0)])
def test_an_edge_is_skipped(text: str, expected: int) -> None:
    """What a pattern took with it from before the value."""

    assert skip_edge(text, 0) == expected


@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [("a1", 1, True), (r"\n1", 2, False), (" 1", 1, False), ("1", 0, False), ("é1", 1, True)],
)
def test_words_before(text: str, start: int, expected: bool) -> None:
    """Letters and digits, but not the tail of an escape."""

    assert word_before(text, start) is expected


def test_words_after() -> None:
    """Only if there is text."""

    assert word_after("1a", 1)
    assert not word_after("1 ", 1)
    assert not word_after("1", 1)


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        ("1-a", True, True),
        ("1- ", True, False),
        ("1 a", True, False),
        ("1-", True, None),
        ("1-", False, False),
        ("1", True, None),
        ("1", False, False),
    ],
)
def test_joints_after_may_not_be_known_yet(text: str, more: bool, expected: bool | None) -> None:
    """While more text may come, the end of the text says nothing."""

    assert joined_after(text, 1, "-", more) is expected


def test_joints_before() -> None:
    """A joint and something before it."""

    assert joined_before("a-1", 2, "-")
    assert not joined_before(" -1", 2, "-")
    assert not joined_before("-1", 1, "-")


def test_context_begins_a_word_and_is_near() -> None:
    """In any case, after an underscore too, plural or not; in the middle of a word only where that is asked for."""
    context, inside = Context("card|pan\\b"), Context("card", inside=True)

    assert context.before("Credit CARDS: 1", 14)
    assert context.before("my_card 1", 8)
    assert not context.before("discard 1", 8)
    assert inside.before("discard 1", 8)
    assert not context.before("pancake 1", 8)
    assert not context.before("card" + " " * CONTEXT_WIDTH + "1", CONTEXT_WIDTH + 4)
    assert not context.before("1 card", 0)


def test_digits() -> None:
    """All of them, nothing else."""

    assert digits_of("+1 (415) 806-5568") == "14158065568"
