"""Number words say what they say, in the language of those around them."""

import pytest

from outwarden.pii.folding import fold
from outwarden.pii.regexp import Regexp
from outwarden.pii.tongues import TIMES, VALUES, WEAK, WORD, tongues_of, weak_in


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("seven", 7), ("neunundvierzig", 49), ("veintidós", 22), ("novecientos", 900), ("quarantotto", 48),
        ("trentatré", 33), ("tweeëntachtig", 82), ("eenenveertig", 41), ("fyrtiotvå", 42), ("enogtyve", 21),
        ("tjueto", 22), ("dziewięćset", 900), ("девятьсот", 900), ("नौ", 9), ("ثمانية", 8), ("duzentos", 200),
    ],
)  # fmt: skip
def test_words_say_their_number(word: str, value: int) -> None:
    """Units, tens, hundreds and what is put together of them, as a text is read."""
    assert VALUES[fold(word).text] == value


def test_no_word_counts_anywhere_that_means_something_else_elsewhere() -> None:
    """Prose of other languages holds them."""
    assert VALUES.keys().isdisjoint(
        {"to", "en", "do", "on", "um", "fire", "sex", "due", "sei", "char", "ni", "ti", "hat"}
    )
    assert {"to", "en", "do", "on", "um", "fire", "sex", "due", "sei"} <= WEAK


def test_a_language_is_told_by_two_of_its_own_words() -> None:
    """Then its weak words count too, and no others."""
    danish = tongues_of(["otte", "syv", "telefon"])

    assert danish == {"da"}
    assert weak_in(danish)["to"] == 2
    assert "do" not in weak_in(danish)
    assert tongues_of(["otte", "to", "fire"]) == frozenset()


def test_the_pattern_knows_every_word_that_is_not_put_together() -> None:
    """As written, in either case."""
    pattern = Regexp(WORD)
    for word in ("seven", "SEVEN", "zéro", "två", "Пять", "शून्य", "double", "einundvierzig", "eenenveertig"):
        assert pattern.search(word.encode()) is not None
    for word in ("tenant", "until", "phone", "weight", "fire", "to"):
        assert pattern.search(word.encode()) is None
    assert TIMES["double"] == 2
