"""Dates under a column that is called after birth are found; those under others are not."""

import pytest

from outwarden.pii.birth_columns import BirthColumns
from outwarden.pii.page import Page


def births(text: str) -> list[str]:
    return [text[span.start : span.end] for span in BirthColumns().find(Page([text])).get(0, [])]


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("name;mrn;dob;phone\nRoe, Ida;PT1;1965-10-22;04\nAu, Jo;PT2;1988-08-01;05", ["1965-10-22", "1988-08-01"]),
        ("Last, First | MRN | DOB | By\nRoe, Ida | 37 | 09/17/1997 | Au", ["09/17/1997"]),
        ("| Name | Date of birth |\n|---|---|\n| Ida | 3 May 1970 |", ["3 May 1970"]),
        ("Nachname,Geburtsdatum\nAu,28.05.1970", ["28.05.1970"]),
        ("Fecha de nacimiento\tCama\n01/02/1950\t4", ["01/02/1950"]),
        ('"patient_dob","ward"\n"1970-01-02","4"', ["1970-01-02"]),
    ],
)
def test_dates_of_a_birth_column(text: str, dates: list[str]) -> None:
    """In any usual form, with any delimiter."""
    assert births(text) == dates


@pytest.mark.parametrize(
    "text",
    [
        "name;admitted\nIda;2024-10-22",
        "dob;phone\nunknown;04\nn/a;05",
        "He was born in May, moved; then 1965-10-22.",
        "birth rate,year\n1.4,2019",
    ],
)
def test_what_is_no_date_of_birth(text: str) -> None:
    """Other columns, cells that hold no date, prose."""
    assert births(text) == []
