"""What names digits near a phone word: only what says that they are something else keeps them from being a number."""

from collections.abc import Callable

import pytest

from outwarden.pii.phone_words import is_called_otherwise

Find = Callable[[str], list[tuple[str, str]]]


@pytest.mark.parametrize(
    "text",
    [
        "numéro de lot 55821937, durée moyenne 14 s",
        "Numer zlecenia 7915879077, czas trwania 01:08:17.",
        "номер сборки 245440, контрольная сумма 405ecfd7",
        "número de serie 551920348",
        "cell 4 shows 12.1 V, counter log 5519203348",
        "mobile bundle size 2441920 bytes",
        "extension 14 of the runway, 4419203 m3 of fill",
        "užduoties numeris 6619203, trukmė 12 sekundžių.",
        "رقم الدفعة 5519203، مدة المعالجة 12",
        "call stack depth 441, heap 5519203348",
    ],
)
def test_what_a_word_right_before_them_names_is_no_number(find: Find, text: str) -> None:
    """The word for a number, a cell, a call in technical text of any language."""
    assert find(text) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("call me at 5519203348", "5519203348"),
        ("call maria 5519203348", "5519203348"),
        ("please call the plumber 5519203348", "5519203348"),
        ("mon numéro est 612345678", "612345678"),
        ("mój numer to 601234567", "601234567"),
        ("мой номер 9161234567", "9161234567"),
        ("mano numeris 61234567", "61234567"),
        ("رقم الموبايل 0551234567", "0551234567"),
        ("contact reception: 5519203348", "5519203348"),
        ("numéro de téléphone du bureau 612345678", "612345678"),
        ("cell phone on file 5519203348", "5519203348"),
        ("reach us (5519203348)", "5519203348"),
    ],
)
def test_the_same_words_name_numbers(find: Find, text: str, number: str) -> None:
    """Who is called, small words, a word for telephones only."""
    assert find(text) == [("PHONE_NUMBER", number)]


def test_a_unit_behind_digits_measures() -> None:
    """Whatever stands before; no unit begins a longer word."""
    text = "call 5519203348 bytes, call 5519203348 people"

    assert is_called_otherwise(text, 5, 15)
    assert not is_called_otherwise(text, 28, 38)
