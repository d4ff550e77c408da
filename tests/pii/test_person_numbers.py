"""Social security and medical record numbers are found by shape and by the words beside them."""

from collections.abc import Callable

import pytest

Find = Callable[[str], list[tuple[str, str]]]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("281-44-0067", "281-44-0067"),
        ("social security number 281 44 0067", "281 44 0067"),
        ("SSN 281440067", "281440067"),
        ("ssn: 281.44.0067", "281.44.0067"),
        ("SSN 900-44-0067", "900-44-0067"),
        ("ssn=000-12-3456", "000-12-3456"),
        (r"ssn\n281-44-0067\n", "281-44-0067"),
        ("078-05-1120", "078-05-1120"),
        ("it is 281 44 0067.", "281 44 0067"),
    ],
)
def test_social_security_numbers_are_found(find: Find, text: str, number: str) -> None:
    """By shape and range, or in any range beside the word."""

    assert find(text) == [("US_SSN", number)]


@pytest.mark.parametrize(
    "text",
    [
        "000-12-3456",
        "666-12-3456",
        "900-12-3456",
        "281-00-0067",
        "281-44-0000",
        "281440067",
        "281.44.0067",
        "2024-281-44-0067",
        "281-44-0067-12",
        "12 281 44 0067 99",
        "a281-44-0067b",
    ],
)
def test_other_numbers_are_left(find: Find, text: str) -> None:
    """Ranges that were never issued, longer rows of groups, bare digits."""

    assert [found for found in find(text) if found[0] == "US_SSN"] == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Leila (MRN-4225650), born", "MRN-4225650"),
        ("mrn 4225650", "4225650"),
        ("MRN: 4225650", "4225650"),
        ("MR# 42-25-65", "42-25-65"),
        ("MR No. E4225650", "E4225650"),
        ('"mrn_id": "4225"', "4225"),
        ("MRN4225650", "MRN4225650"),
        ("seen for SOB (MRN 198-69-96) today", "198-69-96"),
        ("Medical Record Number: 335-84-55", "335-84-55"),
        ("MRN=224 7123, s/p CABG", "224 7123"),
        ("Med. Rec. #: 188 7956", "188 7956"),
        ('{"mrn": "473 5923"}', "473 5923"),
        ("UNIT NO: 976 5412", "976 5412"),
        ("Patient number (MRN) 127-84-97.", "127-84-97"),
        ("Chart no. 12 34 56 78", "12 34 56 78"),
        ("PID|1||CT711564^^^HOSP^MR||", "CT711564"),
        ("PID|1||666-64-34^^^HOSP^MR||", "666-64-34"),
        ("medical record number 4225650", "4225650"),
        ("Patient ID: AB4225650", "AB4225650"),
    ],
)
def test_medical_record_numbers_are_found(find: Find, text: str, number: str) -> None:
    """After MRN, or after the words in full."""

    assert find(text) == [("MEDICAL_RECORD_NUMBER", number)]


@pytest.mark.parametrize(
    "text", ["MRN-12", "xMRN-4225650", "4225650", "patient waited 4225650ms", "encounter: 2024-03-12", "chart: 12 34"]
)
def test_other_ids_are_left(find: Find, text: str) -> None:
    """Too short, part of a word, or without a word."""

    assert find(text) == []
