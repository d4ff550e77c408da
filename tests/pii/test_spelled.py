"""Digits in words, read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.regexp import Regexp
from outwarden.pii.spelled import DIGITS_IN_WORDS, WORDS_SIGN, is_count, read_digits

WORDS = {
    "en": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
    "de": ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"],
    "fr": ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"],
    "es": ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"],
}


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("four nine two nine oh one seven", "4929017"),
        ("double four nine triple two zero", "4492220"),
        ("forty-nine twenty nine forty one", "492941"),
        ("fifteen sixty seven eight", "15678"),
        ("4929<b>41</b>28", "49294128"),
        ("&#52;&#57;29 4%31", "492941"),
        ("٤ ９ two", "492"),
    ],
)
def test_digits_are_read(said: str, digits: str) -> None:
    """Number words, repeats, tens, other digits, escapes, tags."""
    assert read_digits(said).digits == digits


@given(st.sampled_from(sorted(WORDS)), st.text("0123456789", min_size=7, max_size=20), st.data())
def test_dictated_digits_are_found_and_read(language: str, digits: str, data: st.DataObject) -> None:
    """In each language, with any usual sign between them; each digit knows its word."""
    signs = st.sampled_from([" ", ", ", " - ", " dash ", "... ", " / ", "\n"])
    words = [WORDS[language][int(digit)] for digit in digits]
    said = words[0] + "".join(data.draw(signs) + word for word in words[1:])
    found = Regexp(DIGITS_IN_WORDS).search(said.encode())
    number = read_digits(said)

    assert Regexp(WORDS_SIGN).search(said.encode()) is not None
    assert found == (0, len(said.encode()))
    assert number.digits == digits
    assert [said[start:end] for start, end in number.spans] == words


def test_signs_tell_groups() -> None:
    """A strong sign wins over a weak one; `solid` has none, but keeps a leading plus."""
    number = read_digits("two eight one dash four four - zero zero six seven")

    assert number.signed().grouped().text == "281-44-0067"
    assert number.solid().grouped().text == "281440067"
    assert read_digits("+ four nine 151").solid().grouped().text == "+49151"


@pytest.mark.parametrize(
    ("digits", "counts"), [("1234567", True), ("987654", True), ("0000000", True), ("4929412", False)]
)
def test_counting_is_no_number(digits: str, counts: bool) -> None:
    """One to seven, ten down to one, zeros."""
    assert is_count(digits) is counts
