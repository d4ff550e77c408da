"""What is no name by where it stands: cells of a head, headings, what is called after somebody."""

import pytest

from outwarden.pii.finder import Span
from outwarden.pii.names.layout import columns, is_laid_out


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("Gleis  Abfahrt  Ziel", "Gleis  Abfahrt"),
        ("Peron\tOdjazd", "Peron\tOdjazd"),
        ("LETTERA DI DIMISSIONE\n", "LETTERA DI DIMISSIONE"),
        ("Morbus Parkinson bekannt", "Parkinson"),
        ("zag ik i.v.m. ziekte van Graves.", "Graves"),
        ("Euler's identity holds", "Euler"),
    ],
)
def test_is_none(unit: str, said: str) -> None:
    """A gap between words, nothing but capitals in a line, a disease or a theorem."""
    start = unit.index(said)

    assert is_laid_out(unit, start, start + len(said))


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("Anna  Kowalska  4", "Anna  Kowalska"),
        ("MARIA ROSSI\n", "MARIA ROSSI"),
        ("seen by Dr Graves", "Graves"),
        ("Maria's disease progressed", "Maria"),
        ("LETTERA DI DIMISSIONE seen", "LETTERA DI DIMISSIONE"),
        ("Parkinson, J.", "Parkinson"),
    ],
)
def test_may_be_one(unit: str, said: str) -> None:
    """A known name among the words, a first name before a disease, capitals within a line."""
    start = unit.index(said)

    assert not is_laid_out(unit, start, start + len(said))


@pytest.mark.parametrize(
    ("unit", "said", "parts"),
    [
        ("Name: Xenthann R. Quxley    Hosp No: 2", "Xenthann R. Quxley    Hosp", ["Xenthann R. Quxley"]),
        ("Op: Quxley\tAccess", "Quxley\tAccess", ["Quxley"]),
        ("Gleis  Abfahrt  Ziel", "Gleis  Abfahrt", []),
        ("Anna  Kowalska  4", "Anna  Kowalska", ["Anna  Kowalska"]),
        ("seen by Quxley", "Quxley", ["Quxley"]),
    ],
)
def test_columns(unit: str, said: str, parts: list[str]) -> None:
    """A gap ends a name that a label began, if no first name says that it is one; a head of columns is none."""
    start = unit.index(said)
    cut = columns(unit, Span(start, start + len(said), "PERSON", 0.9))

    assert [unit[span.start : span.end] for span in cut] == parts
