"""Names that a text gave in full are found by their parts later, where that is safe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pii_texts import known_names

from outwarden.pii import Span
from outwarden.pii.names.mentions import PARTS_MAX, Mentions

LISTS = known_names(first="ivy jane june", words="grant may hope will mark june")


def mentions() -> Mentions:
    return Mentions(LISTS)


def besides(unit: str, *names: str, score: float = 0.9, after: str = "") -> list[str]:
    """What is mentioned in ``after``, or in ``unit`` itself, besides the names that the model found in ``unit``."""
    known = mentions()
    found = [Span(unit.index(name), unit.index(name) + len(name), "PERSON", score) for name in names]
    here = known.in_unit(unit, found)
    return (
        [after[s.start : s.end] for s in known.in_unit(after, [])] if after else [unit[s.start : s.end] for s in here]
    )


@pytest.mark.parametrize(
    ("name", "after", "found"),
    [
        ("Jane Roe", "Later Roe left, Jane stayed.", ["Roe", "Jane"]),
        ("Jane Roe", "Roe's letter", ["Roe"]),
        ("Roe, Jane", "Ask Jane.", ["Jane"]),
        ("JANE ROE", "Roe and ROE", ["Roe", "ROE"]),
        ("Mary-Ann O\u2019Neil", "so Mary-Ann and O\u2019Neil\u2019s cat", ["Mary", "Ann", "O\u2019Neil"]),
        ("ROS Noetic", "ROS is a system; Noetic said so", ["Noetic"]),
        ("Ulysses Grant", "The Grant is due. Mr. Grant knows, dr Grant too.", ["Grant", "Grant"]),
        ("Ulysses Grant", "Apply for a Grant", []),
        ("Bell, Will W", "Will is a 77-year-old man. Will you come?", ["Will"]),
        ("Mark Roe", "separation from Mark", ["Mark"]),
        ("Mark Roe", "The Mark on it. Mark the box, and Mark", ["Mark"]),
        ("Ivy", "Ivy remains on depot", ["Ivy"]),
        ("June", "in June", []),
        ("Ida Gleason", "Gleason 4+3", []),
        ("Jane Roe", "Roebuck, jane, roe, janeRoe, @Jane, Jane.Roe@corp.test, a/Jane/Roe and Jane_Roe", []),
        ("Jan van Li", "van and Li", []),
        ("John Doe Jr", "Jr is short", []),
        ("Roe", "Roe again", []),
        ("Hui Xiang Xi Lou", "The Hui Xiang", []),
    ],
)
def test_what_counts_as_a_mention(name: str, after: str, found: list[str]) -> None:
    """The same word in the same letters; one that is a word as well where a title or what stands around says so."""
    assert besides(name, name, after=after) == found


def test_in_the_same_unit() -> None:
    """Also before the full name; what the model found already is not found twice."""
    assert besides("Roe, that is Jane Roe, left", "Jane Roe") == ["Roe"]


def test_the_model_must_be_sure() -> None:
    """An unsure name has no parts."""
    assert besides("Jane Roe", "Jane Roe", score=0.6, after="Roe") == []


def test_bounded() -> None:
    """A list of people does not grow without end."""
    known = mentions()
    for number in range(PARTS_MAX * 2):
        name = "".join(chr(97 + int(digit)) for digit in str(number))
        unit = f"A{name}x B{name}y"
        known.in_unit(unit, [Span(0, len(unit), "PERSON", 0.9)])

    assert f"of {PARTS_MAX}" in repr(known)


@given(st.text("Roe Jan's\u2019.-1"))
def test_no_mention_is_part_of_a_word_nor_of_a_finding(text: str) -> None:
    """Whatever stands around."""
    known = mentions()
    known.in_unit("Jan Roe", [Span(0, 7, "PERSON", 0.9)])
    for span in known.in_unit(text, [Span(0, 2, "PERSON", 0.9)] if len(text) > 1 else []):
        assert text[span.start : span.end] in ("Jan", "Roe")
        assert span.start >= 2 or len(text) < 2
        assert not text[span.end : span.end + 1].isalpha()
        assert not text[span.start - 1 : span.start].isalpha()
