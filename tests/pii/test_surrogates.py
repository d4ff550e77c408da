"""Invented values: of the same form, valid where the real one is, of nobody, the same for the same key."""

import ipaddress
import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban

from outwarden.pii.bank import is_card, passes_luhn, passes_mod_97
from outwarden.pii.national import NUMBERS
from outwarden.pii.people import plain
from outwarden.pii.reserved import CARDS, is_reserved_domain, is_reserved_ipv4, is_reserved_ipv6, is_reserved_phone
from outwarden.pii.surrogates import surrogate

keys = st.binary(min_size=32, max_size=32)


IBANS = ["ES9121000418450200051332", "BE71096123456769", "NO9386011117947", "FR1420041010050500013M02606"]
CARD_NUMBERS = [
    "4013 6018 6191 1289",
    "371229265555165",
    "5555-5555-5555-4444",
    "6759649826438453",
    "6011981111111113",
    "2223003122003222",
    "3566002020360505",
    "30569309025904",
    "6200000000000005",
]
NETWORKS = {
    "Visa": "4",
    "Amex": "3[47]",
    "Mastercard": "5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720",
    "JCB": "35(?:2[89]|[3-8])",
    "Diners": "3(?:0[0-5]|095|[689])",
    "Discover": "6011|65|64[4-9]",
    "UnionPay": "62|81",
    "Maestro": "50|5[6-9]|6",
}


def network(digits: str) -> str:
    """Whose card it is, by the ranges that the networks publish."""
    return next(name for name, pattern in NETWORKS.items() if re.match(pattern, digits))


@given(keys, st.sampled_from(CARD_NUMBERS))
def test_a_card_passes_every_check(key: bytes, card: str) -> None:
    """Network, length, grouping and check digit."""
    other = surrogate("CREDIT_CARD", card, key)
    digits = re.sub(r"\D", "", other)

    assert re.sub(r"\d", "9", other) == re.sub(r"\d", "9", card)
    assert network(digits) == network(re.sub(r"\D", "", card))
    assert passes_luhn(digits)
    assert digits not in CARDS
    assert is_card(digits)


@given(keys, st.sampled_from(["DE75 8501 0510 3738 8815 15", "GB56KMWI15643338874089", "NO9386011117947"]))
def test_an_iban_keeps_country_and_form(key: bytes, iban: str) -> None:
    """With right check digits."""
    other = surrogate("IBAN_CODE", iban, key)

    assert other[:2] == iban[:2]
    assert [c.isspace() for c in other] == [c.isspace() for c in iban]
    assert passes_mod_97(other.replace(" ", ""))


@given(
    keys,
    st.sampled_from(["ES9121000418450200051332", "BE71096123456769", "NO9386011117947", "FR1420041010050500013M02606"]),
)
def test_an_iban_passes_what_its_country_checks(key: bytes, value: str) -> None:
    """Form and check digits inside the account number, where a country has such."""
    other = surrogate("IBAN_CODE", value, key)

    assert iban.is_valid(value)
    assert iban.is_valid(other)
    assert other != value


def examples() -> list[str]:
    """A mobile and a fixed number of every region, as phonenumbers has them."""
    kinds = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
    found = (
        phonenumbers.example_number_for_type(r, kind) for r in sorted(phonenumbers.SUPPORTED_REGIONS) for kind in kinds
    )
    international = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return [phonenumbers.format_number(number, international) for number in found if number]


def test_phones_of_the_world_stay_valid() -> None:
    """All of the same country; nearly all a number of the same kind: some plans are narrower than what is tried."""
    pairs = [(phonenumbers.parse(v), phonenumbers.parse(surrogate("PHONE_NUMBER", v, b"k" * 32))) for v in examples()]
    alike = [phonenumbers.number_type(one) == phonenumbers.number_type(other) for one, other in pairs]

    assert len(pairs) > 450
    assert all(one.country_code == other.country_code for one, other in pairs)
    assert all(one != other for one, other in pairs)
    assert sum(alike) / len(alike) > 0.98


@given(keys, st.sampled_from(["(415) 806-5568", "+1 646 526 1482", "1-212-806-5568", "415.806.5568 x12"]))
def test_north_american_phones_are_nobodys(key: bytes, phone: str) -> None:
    """In the range kept for fiction, in the same area; further tries have more to choose from."""
    other = surrogate("PHONE_NUMBER", phone, key)
    digits = re.sub(r"\D", "", re.split("x", other)[0])
    later = {surrogate("PHONE_NUMBER", phone, bytes([at]) * 32, attempt=5) for at in range(200)}

    assert is_reserved_phone(digits)
    assert digits[-10:-7] == re.sub(r"\D", "", re.split("x", phone)[0])[-10:-7]
    assert len(later) > 150


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


@given(keys)
def test_an_address_goes_with_its_person(key: bytes) -> None:
    """And with the same person's other address; a domain stays one domain; whoever has no name gets one."""
    person = surrogate("PERSON", "Jonas Weber", key)
    first = surrogate("EMAIL_ADDRESS", "jonas.weber@acme.com", key)
    second = surrogate("EMAIL_ADDRESS", "Jonas_Weber@gmail.com", b"another key")
    third = surrogate("EMAIL_ADDRESS", "info@acme.com", key)

    assert first.partition("@")[0] == ".".join(map(plain, person.split()))
    assert second.partition("@")[0] == "_".join(map(plain, person.split()))
    assert first.partition("@")[2] == third.partition("@")[2]
    assert "info" not in third
    assert re.fullmatch(r"[a-z]+\.[a-z]+\d+", third.partition("@")[0])


@given(keys)
def test_places_and_companies_read_like_some(key: bytes) -> None:
    """In the case of what was there."""
    assert surrogate("LOCATION", "BERLIN", key).isupper()
    assert re.fullmatch(r"[A-Z][a-z]+", surrogate("LOCATION", "Berlin", key))
    assert re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+", surrogate("ORGANIZATION", "Acme GmbH", key))
