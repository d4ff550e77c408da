"""Relatives and staff tell the names beside them, before and behind, in many languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pii_texts import known_names

from outwarden.pii.finder import Span
from outwarden.pii.names.roles import is_role, related

LISTS = known_names(
    first="imogen rosalind vikram efraín hannelore marijke patient will drew ben teresa dwayne jan",
    last="patient haile down smith ott",
    words="patient who team will drew down ship visiting station informed the seen cook and",
)


def names(text: str, found: tuple[Span, ...] = ()) -> list[str]:
    return [text[span.start : span.end] for span in related(text, found, LISTS)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("dtr imogen called", "imogen"),
        ("His wife Rosalind Ott rang", "Rosalind Ott"),
        ("told tech vikram to wait", "vikram"),
        ("esposo Efraín firma", "Efraín"),
        ("Tochter: Hannelore", "Hannelore"),
        ("vpk Marijke gebeld", "Marijke"),
        ("spoke with his son Will by phone", "Will"),
        ("copy to doctor Down please", "Down"),
        ("rodzina (Bożena) poinformowana", "Bożena"),
        ("Seen. Familiar Conceição informado", "Conceição"),
        ("Mum Sione Tuala en route", "Sione Tuala"),
        ("PARTNER DWAYNE VISITING", "DWAYNE"),
        ("wife Rosalind van der Ott rang", "Rosalind van der Ott"),
        ("brother-in-law Dwayne informed", "Dwayne"),
        ("Consults: neuro (Haile), pulm", "Haile"),
    ],
)
def test_behind(text: str, name: str) -> None:
    """A known name, in small letters as well; with a capital also one that no list has, and one that is a word."""
    assert names(text) == [name]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("skin tear, Tamsin EN dressed it", "Tamsin"),
        ("I. Down CRNA w/ him", "I. Down"),
        ("Drew, district nurse", "Drew"),
        ("Marijke Tuala (her daughter) rang", "Marijke Tuala"),
        ("by Fionn Tuala, LCSW", "Fionn Tuala"),
        ("Jan van der Ott, his son", "Jan van der Ott"),
    ],
)
def test_in_front(text: str, name: str) -> None:
    """What somebody signs with, and what somebody is behind a comma or in brackets."""
    assert names(text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "son Patient",
        "sister ship",
        "Tochter Gesellschaft",
        "nurse station",
        "the person imogen",
        "wifeimogen ott",
        "mum HDU",
        "Granny Smith apples",
        "Uncle Ben's rice",
        "the Brother Tuala HL printer",
        "grand-mother Tuala",
        "renal (Team)",
        "neuro (MRI)",
        "Seen RN",
        "the law Imogen studied",
        "Cook, nurse and driver wanted",
        "EXAM MD",
        "Heinz, Uncle Ben",
        "Doctor: Down it goes",
        "Surgeon: Smith",
        "Family Fortunes",
    ],
)
def test_what_is_nobodys(text: str) -> None:
    """Ordinary words, words that are no names, what is called after relatives; no word that says whose."""
    assert names(text) == []


def test_what_is_found_is_not_found_again() -> None:
    """As behind titles; nor is one name found twice between two roles."""
    assert names("wife Imogen", (Span(5, 11, "PERSON", 0.9),)) == []
    assert names("wife Imogen, RN") == ["Imogen"]


def test_roles_are_no_names() -> None:
    """In any case."""
    assert is_role("Dietitian")
    assert not is_role("Imogen")


@given(st.text(alphabet="son wife(RN), .IdaRoe'-ü", max_size=200))
def test_spans_lie_in_the_unit(text: str) -> None:
    """Whatever the text is."""
    for span in related(text, (), LISTS):
        assert 0 <= span.start < span.end <= len(text)
