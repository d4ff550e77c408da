"""Card numbers and IBANs are found by their check digits, or by the words beside them when those fail."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.iso7064 import mod_97_10

from outwarden.pii.bank import passes_luhn, passes_mod_97
from outwarden.pii.reserved import CARDS

Find = Callable[[str], list[tuple[str, str]]]

VISA = "4013601861911289"
AMEX = "371229265555165"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (f"pay with {VISA} now", VISA),
        ("4013 6018 6191 1289", "4013 6018 6191 1289"),
        ("4013-6018-6191-1289", "4013-6018-6191-1289"),
        ("4013.6018.6191.1289", "4013.6018.6191.1289"),
        ("4013\u00a06018\u00a06191\u00a01289", "4013\u00a06018\u00a06191\u00a01289"),
        ("12 4013 6018 6191 1289", "4013 6018 6191 1289"),
        ("1234 4013 6018 6191 1289", "4013 6018 6191 1289"),
        (AMEX, AMEX),
        ("3712 292655 55165", "3712 292655 55165"),
        ("36127191695369", "36127191695369"),
        ("3530787031609485", "3530787031609485"),
        (rf"card:\n{VISA}\n", VISA),
        (f'{{"card_{VISA}": 1}}', VISA),
        ("card 401-360186191-1289", "401-360186191-1289"),
        ("Maestro card 501234567896", "501234567896"),
        ("card number 4013601861911280", "4013601861911280"),
        ("visa 4013 6018 6191 1280", "4013 6018 6191 1280"),
    ],
)
def test_cards_are_found(find: Find, text: str, number: str) -> None:
    """By issuer and check digit; with a failing check digit where a card word stands near."""

    assert [(entity, value.lstrip("_")) for entity, value in find(text)] == [("CREDIT_CARD", number)]


@pytest.mark.parametrize(
    "text",
    [
        "4242 4242 4242 4242",
        "card 4111111111111111",
        "5555-5555-5555-4444",
        "4013601861911280",
        "order 4013 6018 6191 1280",
        "1700322025123456",
        "4006381333931",
        "ab4013601861911289cd",
        "0f8fad5b-1289-4013-6018-70867728950e",
        "40136018-6191-1289-4013-601861911289",
        "0000000000000000",
        "card transaction 4013601861911280",
        "0x4013601861911289abcdef",
    ],
)
def test_what_is_no_card_is_left(find: Find, text: str) -> None:
    """Test cards, ids that fail the check, barcodes, and digits inside UUIDs or hashes."""

    assert [found for found in find(text) if found[0] == "CREDIT_CARD"] == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("iban DE75850105103738881515 ok", "DE75850105103738881515"),
        ("DE75 8501 0510 3738 8815 15 PAID BY", "DE75 8501 0510 3738 8815 15"),
        ("de75 8501 0510 3738 8815 15", "de75 8501 0510 3738 8815 15"),
        ("GB56KMWI15643338874089", "GB56KMWI15643338874089"),
        ("GB56-KMWI-1564-3338-8740-89", "GB56-KMWI-1564-3338-8740-89"),
        ("NL63 GJPT 0597 8255 74", "NL63 GJPT 0597 8255 74"),
        (r"IBAN\nPT02 7429 2474 1166 7737 3197 6\n", "PT02 7429 2474 1166 7737 3197 6"),
        ("IBAN: DE75 8501 0510 3738 8815 16", "DE75 8501 0510 3738 8815 16"),
    ],
)
def test_ibans_are_found(find: Find, text: str, number: str) -> None:
    """With the length of their country, whatever follows; failing check digits count beside a bank word."""

    assert find(text) == [("IBAN_CODE", number)]


@pytest.mark.parametrize(
    "text",
    ["DE75 8501 0510 3738 8815 16", "ZZ75850105103738881515", "xDE75850105103738881515", "DE75850105103738881515x"],
)
def test_what_is_no_iban_is_left(find: Find, text: str) -> None:
    """A failing check without context, an unknown country, a longer word."""

    assert [found for found in find(text) if found[0] == "IBAN_CODE"] == []


def test_ibans_in_a_row_are_all_found(find: Find) -> None:
    """What one candidate took too much of is not lost for the next."""
    one, other = "GB56KMWI15643338874089", "NL77SHZO8102939469"

    assert find(f"{one} {other} {one}") == [("IBAN_CODE", number) for number in (one, other, one)]


def test_all_listed_test_cards_are_cards() -> None:
    """A number with a wrong digit would never shield anything: each listed one passes the check of its network."""

    assert [card for card in CARDS if not luhn.is_valid(card)] == []


@given(st.text("0123456789", min_size=2, max_size=25))
def test_the_fast_check_digit_is_the_right_one(digits: str) -> None:
    """Our Luhn agrees with python-stdnum's."""

    assert passes_luhn(digits) == luhn.is_valid(digits)


@given(st.from_regex(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", fullmatch=True))
def test_the_fast_iban_check_is_the_right_one(compact: str) -> None:
    """Our mod 97 agrees with python-stdnum's."""

    assert passes_mod_97(compact) == mod_97_10.is_valid(compact[4:] + compact[:4])


@pytest.mark.parametrize("text", ['iban "LY25 0249 0184 6+8539747 1463 3"', "iban GB29 NWBK 601613 319268 1\u212a"])
def test_other_signs_among_the_characters_of_an_iban_raise_nothing(find: Find, text: str) -> None:
    """A plus, a Kelvin sign: such a text ended the call."""
    find(text)


@pytest.mark.parametrize("text", ["total+{}", "card: +{}", "pay + {}", "card +{}"])
def test_a_card_behind_a_plus_is_one(find: Find, text: str) -> None:
    """A sum, a form's encoding of a space: a plus before a whole number says nothing."""
    assert [entity for entity, _ in find(text.format("4929412833576017"))] == ["CREDIT_CARD"]
