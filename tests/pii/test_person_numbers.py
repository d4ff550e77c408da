"""Social security numbers are found by shape and by the words beside them."""

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
        ("part number of employee 281-44-0067", "281-44-0067"),
        ("item 4: ssn 281-44-0067", "281-44-0067"),
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
        "Part number 642-11-9394 replaces 993-72-5141; torque 56 Nm",
        "stock code 223-41-9087 discontinued",
    ],
)
def test_other_numbers_are_left(find: Find, text: str) -> None:
    """Ranges that were never issued, longer rows of groups, bare digits."""

    assert [found for found in find(text) if found[0] == "US_SSN"] == []
