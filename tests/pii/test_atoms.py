"""Numbers in pieces are taken apart into their groups."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.atoms import (
    atoms,
    figured,
    halved,
    is_joined,
    is_regular,
    joined,
    plainly,
    runs_from,
    without_taken_back,
)


def groups(text: str) -> list[str]:
    return [atom.said for atom in atoms(plainly(text).text)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("65/02/08", ["65", "02", "08"]),
        ('"255" + "05"', ["255", "05"]),
        ("<td>57</td><td>9x</td>", ["57", "9X"]),
        ('<input name="p1" value="053"><input name="p2" value="52">', ["053", "52"]),
        ("473<!--no 5-->66", ["47366"]),
        ('{"p1":"71","p2":"10"}', ["71", "10"]),
        ("742 (area) 52 (group)", ["742", "52"]),
        ("nine zero one, three", ["901", "3"]),
        ("N G 6-seven", ["N", "G", "6", "7"]),
        ("４７３&nbsp;66", ["473", "66"]),
        ("", []),
    ],
)
def test_groups(text: str, said: list[str]) -> None:
    """Words in small letters, names of fields, tags and comments are none."""
    assert groups(text) == said


def test_a_group_stands_where_it_stood() -> None:
    """Also behind a tag."""
    read = plainly("a <b>47</b> x")

    assert [read.span(atom.start, atom.end) for atom in atoms(read.text)] == [(5, 7)]


def test_what_is_taken_back() -> None:
    """The group before "no, sorry"."""
    assert joined(without_taken_back(atoms("062 83 no sorry 49 8532"))) == "062498532"
    assert without_taken_back([]) == []


@pytest.mark.parametrize(
    ("text", "read"),
    [("187O OZ5 l", "1870 025 1"), ("IV-VII-I-V-IV-VI", "4 -7  -1-5-4 -6 "), ("IV lot of OIL", "IV lot of OIL")],
)
def test_letters_that_look_like_figures(text: str, read: str) -> None:
    """Beside figures, and Roman numerals in a row; places stay."""
    assert figured(text) == read


def test_each_character_twice() -> None:
    """Is each one once."""
    assert halved("339999114455886655") == "399145865"
    assert halved("1122") == "1122"


@pytest.mark.parametrize(
    ("text", "regular"),
    [
        ("1 2.3-4", True),
        ("717 hang on... 29 er 1524", True),
        ("1|2|3", True),
        ('"1", "2" + "3"', True),
        ("1 | 2 + 3", False),
        ("12(?:3|4[56", False),
        ("size=3, length=(4, 5", False),
        ("3]\\d{2", False),
    ],
)
def test_what_stands_between(text: str, regular: bool) -> None:
    """The same, signs, seams, or words."""
    assert is_regular(atoms(text)) is regular


@given(st.text("ab1 -<>\"'=:nIO0", max_size=40))
def test_runs_are_parts_of_the_row(text: str) -> None:
    """Each run begins where it is asked to and grows by one group."""
    row = atoms(plainly(text).text)
    for at in range(len(row)):
        runs = list(runs_from(row, at))

        assert [len(run) for run in runs] == list(range(1, len(runs) + 1))
        assert all(is_joined(atom) for run in runs for atom in run[1:])
