"""A title makes a name a person's, unless an ordinary word follows it or the model has found it already."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pii_texts import known_names

from outwarden.pii.finder import Span
from outwarden.pii.names.titled import titled

LISTS = known_names(first="joy", last="down will pepper joy boyle", words="patient who team down will pepper no brain")


def names(text: str, found: tuple[Span, ...] = ()) -> list[str]:
    return [text[span.start : span.end] for span in titled(text, found, LISTS)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Dkt. Wambui alifika", "Wambui"),
        ("Zr. Femke belde", "Femke"),
        ("Enf. Márcia", "Márcia"),
        ("Enfª Conceição fez penso", "Conceição"),
        ("piel. Basia", "Basia"),
        ("seen by Dr Smt. Pillai", "Pillai"),
        ("Mrs B Orton rang", "B Orton"),
        ("Miss Boyle rang", "Boyle"),
        ("Herrn von der Heide", "von der Heide"),
        ("Dr. Rosa Field, GP", "Rosa Field"),
        ("Mme N'Diaye", "N'Diaye"),
        ("in Prof Vella's rooms", "Vella"),
        ("copy to Dr Down", "Down"),
    ],
)
def test_a_title_tells(text: str, name: str) -> None:
    """With and without its stop, before initials and particles, in many languages; a last name that is a word."""
    assert names(text) == [name]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("DR DOWN REV LACTATE", "DOWN"),
        ("S/N JOY TO REPEAT", "JOY"),
        ("MR BOYLE AWARE", "BOYLE"),
        ("MRS K ORTON", "K ORTON"),
    ],
)
def test_all_in_capitals(text: str, name: str) -> None:
    """One word of the line, what follows it is none."""
    assert names(text) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "Dr Who",
        "Dr Pepper",
        "Miss World 2006",
        "Miss Quxia",
        "d/w Dr. Will call back",
        "Mr Team",
        "the drs are in",
        "Sr engineer",
        "lek w szafce",
        "xDr Roe",
        "Dr. 12",
        "R&Dr Roe",
        "Int values",
        "MR NO 4410",
        "MR BRAIN WITH CONTRAST",
        "MS RELAPSE",
        "S/N LOT",
    ],
)
def test_what_is_none(text: str) -> None:
    """Ordinary words, words that are titles with a stop only, parts of other words, pictures, diseases, numbers."""
    assert names(text) == []


def test_what_is_found_stays_as_it_is() -> None:
    """The model knows better how long a name is."""
    assert names("Dr Ida Roe", (Span(7, 10, "PERSON", 0.9),)) == []


@given(st.text(alphabet="DMRrs. aIdaRoe'-vonü", max_size=200))
def test_spans_lie_in_the_unit(text: str) -> None:
    """Whatever the text is."""
    for span in titled(text, (), LISTS):
        assert 0 <= span.start < span.end <= len(text)
