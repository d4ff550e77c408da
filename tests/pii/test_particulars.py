"""Addresses and dates of birth."""

from collections.abc import Callable

import pytest

from outwarden.pii import Detector, PiiPolicy

Find = Callable[[str], list[tuple[str, str]]]


@pytest.mark.parametrize(
    "address",
    [
        "2757 Oak Hill Road, Boston, MA 02115",
        "221B Baker Street",
        "5 W. Main St",
        "1600 Pennsylvania Avenue",
        "350 5th Ave, New York, NY 10118",
        "12 High Street, Leeds LS1 4AP",
        "Lindenstraße 12, 10969 Berlin",
        "Hauptstr. 5a",
        "Lange Straße 44",
        "12 rue de la Paix, 75002 Paris",
        "Calle de Alcalá 45, 28014 Madrid",
        "Via Garibaldi 10",
        "Keizersgracht 123, 1015 CJ Amsterdam",
    ],
)
def test_addresses_are_found_whole(find: Find, address: str) -> None:
    """In a sentence, with town and post code where they stand."""
    assert find(f"He lives at {address}; please send it there.") == [("STREET_ADDRESS", address)]


@pytest.mark.parametrize(
    "text",
    [
        "see 10 Drive options",
        "Chapter 5 Road Maps",
        "the 3 Way Valve",
        "in 2024 the Street View team",
        "42 is the answer",
        "Platz für 100 Personen",
        "5 places, 12 roads",
        "Opdatering 13.20.8: rettet en fejl",
        "Spring 2024",
    ],
)
def test_what_is_no_address_is_left(find: Find, text: str) -> None:
    """Words of streets without a street."""
    assert find(text) == []


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("DOB: 03/14/1985", "03/14/1985"),
        ("D.O.B. 1985-03-14", "1985-03-14"),
        ("born on March 3, 1985 in", "March 3, 1985"),
        ("date of birth 3rd of March 1985", "3rd of March 1985"),
        ("geboren am 14.03.1985", "14.03.1985"),
        ("né le 3 mars 1985", "3 mars 1985"),
        ("fecha de nacimiento: 14 de marzo de 1985", "14 de marzo de 1985"),
        ('"birthDate": "19850314"', "19850314"),
    ],
)
def test_a_date_after_a_word_of_birth_is_found(find: Find, text: str, date: str) -> None:
    """In the usual ways to write one."""
    assert find(text) == [("DATE_OF_BIRTH", date)]


@pytest.mark.parametrize("text", ["released 2024-03-14", "on 03/14/1985 we met", "born to run", "version 19850314"])
def test_other_dates_are_left(find: Find, text: str) -> None:
    """A date alone is nobody's."""
    assert find(text) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("zip code: 02115", "02115"),
        ("zip=94103-1234", "94103-1234"),
        ("my zip is 94110", "94110"),
        ('"postal_code": "75002"', "75002"),
        ("postcode LS1 4AP", "LS1 4AP"),
        ("Postal code M5V 3L9", "M5V 3L9"),
        ("PLZ 10969", "10969"),
        ("código postal 28014", "28014"),
        ("postcode: 1015 CJ", "1015 CJ"),
        ("kod pocztowy 00-950", "00-950"),
        ("CEP 01310-100", "01310-100"),
        ("PIN code 560001", "560001"),
    ],
)
def test_a_post_code_after_its_word_is_found(find: Find, text: str, code: str) -> None:
    """Without a street."""
    assert find(text) == [("POSTAL_CODE", code)]


@pytest.mark.parametrize(
    "text",
    [
        "archive.zip 12345",
        "zip file 12345",
        "the zip was sent, status code 40412",
        "code 02115",
        "recap 12345",
        "02115",
    ],
)
def test_other_numbers_are_no_post_codes(find: Find, text: str) -> None:
    """Archives, statuses, numbers alone."""
    assert find(text) == []


@pytest.mark.parametrize(
    "address",
    [
        "ul. Długa 257/7, 31-147 Kraków",
        "133 MG Road, Bengaluru 560001",
        "Calle Mayor 38, 3º B, 28013 Madrid",
        "Rua das Flores 187, 4050-265 Porto",
        "Storgatan 97, 411 24 Göteborg",
    ],
)
def test_an_address_goes_on_to_its_town(address: str) -> None:
    """Over a flat, and a post code of the country's own form."""
    spans = Detector(PiiPolicy()).find([f"send it to {address} please"])[0]

    assert [(span.start, span.end) for span in spans] == [(11, 11 + len(address))]


def test_a_record_number_is_no_date_of_birth(find: Find) -> None:
    """UR is the unit record's number; born is ur in Polish, in small letters."""
    assert ("DATE_OF_BIRTH", "84-65-50") not in find("UR no 84-65-50")
    assert find("ur 12.05.1980 r.") == [("DATE_OF_BIRTH", "12.05.1980")]
