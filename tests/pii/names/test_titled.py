"""A title makes a name a person's, unless an ordinary word follows it or the model has found it already."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.finder import Span
from outwarden.pii.names.titled import related, titled

FIRST_NAMES = frozenset({"imogen", "Imogen", "Rosalind", "vikram", "Efraín", "Hannelore", "Marijke", "Patient"})
ORDINARY = frozenset({"Patient", "Who", "Team"})


def names(text: str, found: tuple[Span, ...] = ()) -> list[str]:
    return [text[span.start : span.end] for span in titled(text, found, ORDINARY.__contains__)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Dkt. Wambui alifika", "Wambui"),
        ("Zr. Femke belde", "Femke"),
        ("Enf. Márcia", "Márcia"),
        ("piel. Basia", "Basia"),
        ("seen by Dr Smt. Pillai", "Pillai"),
        ("Mrs B Orton rang", "B Orton"),
        ("Herrn von der Heide", "von der Heide"),
        ("Dr. Rosa Field, GP", "Rosa Field"),
        ("Mme N'Diaye", "N'Diaye"),
    ],
)
def test_a_title_tells(text: str, name: str) -> None:
    """With and without its stop, before initials and particles, in many languages."""
    assert names(text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "Dr Who",
        "Mr Team",
        "the drs are in",
        "Sr engineer",
        "lek w szafce",
        "xDr Roe",
        "Dr. 12",
        "R&Dr Roe",
        "Int values",
    ],
)
def test_what_is_none(text: str) -> None:
    """Ordinary words, words that are titles with a stop only, parts of other words."""
    assert names(text) == []


def test_what_is_found_stays_as_it_is() -> None:
    """The model knows better how long a name is."""
    assert names("Dr Ida Roe", (Span(7, 10, "PERSON", 0.9),)) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("dtr imogen called", "imogen"),
        ("His wife Rosalind Ott rang", "Rosalind Ott"),
        ("told tech vikram to wait", "vikram"),
        ("esposo Efraín firma", "Efraín"),
        ("Tochter: Hannelore", "Hannelore"),
        ("vpk Marijke gebeld", "Marijke"),
    ],
)
def test_who_is_somebodys_or_cares(text: str, name: str) -> None:
    """A known name behind a relative or one of the staff, in small letters as well."""
    found = [text[span.start : span.end] for span in related(text, (), ORDINARY.__contains__, FIRST_NAMES.__contains__)]
    assert found == [name]


@pytest.mark.parametrize(
    "text",
    ["son Patient", "sister ship", "Tochter Gesellschaft", "nurse station", "the person imogen", "wifeimogen ott"],
)
def test_what_is_nobodys(text: str) -> None:
    """Ordinary words and words that are no names; no word that says whose."""
    assert not list(related(text, (), ORDINARY.__contains__, FIRST_NAMES.__contains__))


def test_a_relative_that_is_found_is_not_found_again() -> None:
    """As behind titles."""
    assert not list(
        related("wife Imogen", (Span(5, 11, "PERSON", 0.9),), ORDINARY.__contains__, FIRST_NAMES.__contains__)
    )


@given(st.text(alphabet="DMrs. aIdaRoe'-vonü", max_size=200))
def test_spans_lie_in_the_unit(text: str) -> None:
    """Whatever the text is."""
    for span in titled(text, (), ORDINARY.__contains__):
        assert 0 <= span.start < span.end <= len(text)
