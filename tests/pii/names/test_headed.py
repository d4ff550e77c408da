"""A label tells that a name follows, and a record that the last name stands first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pii_texts import known_names

from outwarden.pii.finder import Span
from outwarden.pii.names.headed import headed

LISTS = known_names(
    first="ruthann jacinta rosa thi", last="haile cross bell ibsen", words="cross bell jenkins service team will art"
)


def names(text: str, found: tuple[Span, ...] = ()) -> list[str]:
    return [text[span.start : span.end] for span in headed(text, found, LISTS)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Name: Ruthann R. Haile    Hosp No: 21", "Ruthann R. Haile"),
        ("Operator: Haile, access radial", "Haile"),
        ("Pacjent: Rosa Ibsen, 40 l.", "Rosa Ibsen"),
        ("Reviewed by: Rosa von der Ibsen", "Rosa von der Ibsen"),
        ("Name/MRN: Ruthann Haile · 267", "Ruthann Haile"),
        ("PATIENT: RUTHANN HAILE", "RUTHANN HAILE"),
        ("Name: Haile, Tamihana", "Haile, Tamihana"),
    ],
)
def test_a_label_tells(text: str, name: str) -> None:
    """Up to the first word that is none; one of its words must be known."""
    assert names(text) == [name]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ED note Cross, Jacinta; URN 923937", "Cross, Jacinta"),
        ("Bed 4 Ibsen, Tamihana 70F", "Ibsen, Tamihana"),
        ("CROSS,JACINTA (MRN 1)", "CROSS,JACINTA"),
        ("Haile, Thi M. DOB 1/2/80", "Haile, Thi M."),
    ],
)
def test_a_record_tells(text: str, name: str) -> None:
    """A given name that is known, or a last name with something behind that is no word."""
    assert names(text) == [name]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3A Haile F 54 sickle crisis", ["Haile"]),
        ("Haile 70F, Rosa Ibsen 3 y/o M", ["Haile", "Rosa Ibsen"]),
        ("1 Haile 6715096 dc today", ["Haile"]),
        ("list: 0830 IBSEN T 7714418 hernia; 1000 HAILE 7714420", ["HAILE"]),
        ("Bed 4 Haile, Rosa RX551920", ["Haile, Rosa"]),
        ("WR Haile/Ibsen/Rosa (SpR, F1)", ["Haile", "Ibsen", "Rosa"]),
    ],
)
def test_a_row_tells(text: str, found: list[str]) -> None:
    """Known names before an age with a sex, between two numbers, beside each other."""
    assert names(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "Cross F 54",
        "Richter 5.2, Haile F3",
        "Haile 54 votes",
        "Haile F 1.5",
        "Tamihana 70F",
        "part 3 Haile 671509",
        "1 Service 6715096",
        "src/Haile/Ibsen/x.py",
        "Haile/Service",
        "By: Haile Finance LP",
        "name: Jenkins Service",
        "Name: Haile",
        "Patient: Tamihana",
        "Team: Rosa Ibsen",
        "Patient:Rosa",
        "Cross, Jacinta and me",
        "Wrigley, Jacintan 40 m",
        "Cross, Bell; URN",
        "Owner: 12",
    ],
)
def test_what_is_none(text: str) -> None:
    """One word behind a label of things, words no list has, other labels, names in a sentence."""
    assert names(text) == []


def test_what_is_found_stays_as_it_is() -> None:
    """The model knows better how long a name is."""
    assert names("Name: Ruthann Haile", (Span(6, 13, "PERSON", 0.9),)) == []


@given(st.text(alphabet="Name: Rosa,Ibsen;MRN4 F-", max_size=200))
def test_spans_lie_in_the_unit(text: str) -> None:
    """Whatever the text is."""
    for span in headed(text, (), LISTS):
        assert 0 <= span.start < span.end <= len(text)
