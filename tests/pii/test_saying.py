"""What is said digit by digit and pair by pair is heard as its digits, each with its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.folding import fold
from outwarden.pii.saying import Said, best_end, goes_on, listen
from outwarden.pii.tongues import PLAIN_UNITS as VALUES


def heard(text: str, most: int = 24, letters: int = 0) -> str:
    return listen(fold(text), 0, most, letters=letters).text


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("four one five", "415"),
        ("forty-nine, oh five", "4905"),
        ("fifteen sixteen", "1516"),
        ("double four triple five", "44555"),
        ("fourone five", "415"),
        ("fouronefive two", "4152"),
        ("einundvierzig, neunundneunzig null", "41990"),
        ("zéro six douze trente-quatre", "061234"),
        ("soixante-dix-neuf quatre-vingt-onze", "7991"),
        ("trente et un dix-sept quatre-vingts", "311780"),
        ("treinta y siete veintidós cero", "37220"),
        ("415, uh, eight six 7", "415867"),
        ("[4, 1, 5]", "415"),
        ('"part1": "415", "part2": "867"', "415867"),
        ("415\n[10:02] ada: 867", "415867"),
        ("<td>415</td><td>867</td>", "415867"),
        ("4l5 86Z OO7", "415862007"),
        ("415 apples 867", "415"),
        ("plus vierundvierzig", "44"),
    ],
)
def test_digits_are_heard(said: str, digits: str) -> None:
    """In four languages, through hesitation, cells, keys and chat lines; another word ends it."""
    assert heard(said) == digits


def test_capitals_count_where_an_account_has_letters() -> None:
    """Only among the first so many characters."""
    assert heard("N L acht 9 ABNA", letters=8) == "NL89ABNA"
    assert heard("DE 89 DE 12", letters=2) == "DE89"


def test_groups_tell_how_a_number_is_laid_out() -> None:
    """As sizes, and the last end at which a judge is content."""
    said = listen(fold("415 867 22"), 0, 24)

    assert said.sizes() == [3, 3, 2]
    assert best_end(said, lambda one, end: 0.5 if end == 6 else 0.0) == (6, 0.5)
    assert best_end(Said("", [], [], 0, False, 0), lambda one, end: 1.0) == (0, 0.0)
    assert repr(said) == "<8 characters said>"


def test_words_that_a_number_goes_on_with() -> None:
    """Number words and words between; others not."""
    assert goes_on("seven")
    assert goes_on("uh")
    assert goes_on("double")
    assert not goes_on("tokens")


@given(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=20))
def test_single_digits_are_heard_one_for_one(words: list[str]) -> None:
    """Whatever languages they are in (vingt and dix, which join to others, are not among them)."""
    assert heard(", ".join(words)) == "".join(str(VALUES[word]) for word in words)


@given(st.text(alphabet="0123456789 -.,/[]|", max_size=60))
def test_every_character_has_its_place(text: str) -> None:
    """The text at a place is the character, for digits that stand as such."""
    said = listen(fold(text), 0, 24)

    assert "".join(text[start:end] for start, end in said.places) == said.text
    assert sum(said.sizes()) == len(said.text)
