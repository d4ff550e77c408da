"""Invented values: of the same form, valid where the real one is, of nobody, the same for the same key."""

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.bank import is_card, passes_luhn, passes_mod_97
from outwarden.pii.national import NUMBERS
from outwarden.pii.reserved import is_reserved_domain, is_reserved_ipv4, is_reserved_ipv6
from outwarden.pii.surrogates import surrogate

keys = st.binary(min_size=32, max_size=32)


@given(keys, st.sampled_from(["4013 6018 6191 1289", "371229265555165", "5555-5555-5555-4444", "6759649826438453"]))
def test_a_card_passes_every_check(key: bytes, card: str) -> None:
    """Network, length, grouping and check digit."""
    other = surrogate("CREDIT_CARD", card, key)
    digits = re.sub(r"\D", "", other)

    assert re.sub(r"\d", "9", other) == re.sub(r"\d", "9", card)
    assert other[:2] == card[:2]
    assert passes_luhn(digits)
    assert is_card(digits) == is_card(re.sub(r"\D", "", card)) or digits[0] in "5"


@given(keys, st.sampled_from(["DE75 8501 0510 3738 8815 15", "GB56KMWI15643338874089", "NO9386011117947"]))
def test_an_iban_keeps_country_and_form(key: bytes, iban: str) -> None:
    """With right check digits."""
    other = surrogate("IBAN_CODE", iban, key)

    assert other[:2] == iban[:2]
    assert [c.isspace() for c in other] == [c.isspace() for c in iban]
    assert passes_mod_97(other.replace(" ", ""))


@given(keys, st.sampled_from(["+49 1512 7340918", "(415) 806-5568", "06 12 34 56 78", "+1-646-526-1482"]))
def test_a_phone_keeps_country_and_form(key: bytes, phone: str) -> None:
    """What tells the country stays, the subscriber does not."""
    other = surrogate("PHONE_NUMBER", phone, key)

    assert re.sub(r"\d", "9", other) == re.sub(r"\d", "9", phone)
    assert other[:3] == phone[:3]


@given(keys)
def test_addresses_are_nobodys(key: bytes) -> None:
    """Mail and IP lie in reserved ranges."""
    mail = surrogate("EMAIL_ADDRESS", "jane.doe@acme.com", key)

    assert is_reserved_domain(mail.partition("@")[2])
    assert is_reserved_ipv4(int(ipaddress.IPv4Address(surrogate("IP_ADDRESS", "151.201.206.84", key))))
    assert is_reserved_ipv6(int(ipaddress.IPv6Address(surrogate("IP_ADDRESS", "2a02:bb4c::927", key))))


@pytest.mark.parametrize(
    ("entity", "value"),
    [
        ("PL_PESEL", "44051401359"),
        ("NL_BSN", "111222333"),
        ("UK_NHS", "943 476 5919"),
        ("ES_NIF", "12345678Z"),
        ("SG_NRIC_FIN", "S1234567D"),
        ("IN_AADHAAR", "2345 6789 0124"),
    ],
)
def test_a_national_number_stays_valid(entity: str, value: str) -> None:
    """In its form, with its check, where one is found by trying."""
    number = next(number for number in NUMBERS if number.entity == entity)
    others = [surrogate(entity, value, bytes([key]) * 32) for key in range(30)]
    shaped = [other for other in others if number.whole.fullmatch(other)]

    assert all(
        re.sub(r"\d", "9", re.sub("[A-Z]", "A", o)) == re.sub(r"\d", "9", re.sub("[A-Z]", "A", value)) for o in others
    )
    assert value not in others
    assert sum(map(number.is_valid, shaped)) >= len(shaped) * 0.9


@given(keys, st.sampled_from(["03/14/1985", "1985-03-14", "March 3, 1985", "14.03.1985", "19850314"]))
def test_a_date_is_a_date(key: bytes, date: str) -> None:
    """Of the same form; days and months that every calendar has."""
    other = surrogate("DATE_OF_BIRTH", date, key)
    parts = [int(part) for part in re.findall(r"\d{1,2}(?!\d)|\d{4}", other)]

    assert re.sub(r"\d", "", other) == re.sub(r"\d", "", date)
    assert all(part <= 12 or 1940 <= part <= 2010 or part > 9999 for part in parts) or len(other) == 8


@given(keys, st.sampled_from(["Jane Doe", "JANE DOE", "jane doe", "Jane", "Anna Maria de Souza"]))
def test_a_person_keeps_case_and_count(key: bytes, person: str) -> None:
    """As many names, written alike."""
    other = surrogate("PERSON", person, key)

    assert len(other.split()) == len(person.split())
    assert (other.isupper(), other.islower()) == (person.isupper(), person.islower())


@given(keys, st.sampled_from(["API_KEY", "CLAIM", "US_PASSPORT"]), st.text(max_size=40))
def test_anything_else_keeps_its_form(key: bytes, entity: str, value: str) -> None:
    """Digits for digits, letters for letters, signs as they are; the same for the same key."""
    other = surrogate(entity, value, key)

    assert len(other) == len(value)
    assert surrogate(entity, value, key) == other
    assert all(a == b or b.isalnum() for a, b in zip(value, other, strict=True))
