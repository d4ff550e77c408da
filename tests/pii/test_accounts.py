"""IBANs are found with anything between their characters."""

from collections.abc import Callable

import pytest

Find = Callable[[str], list[tuple[str, str]]]

# Right by their check digits, invented.
GERMAN = ("DE75", "8501", "0510", "3738", "8815", "15")
BRITISH = ("GB22", "HBUK", "8044", "7300", "2155", "19")
_BRITISH_SOLID = "GB56KMWI15643338874089"
VALUES = (GERMAN, tuple(_BRITISH_SOLID[at : at + 4] for at in range(0, 22, 4)))
SPOKEN = dict(enumerate("zero one two three four five six seven eight nine".split()))


def spoken(groups: tuple[str, ...]) -> str:
    return " ".join(" ".join(SPOKEN[int(one)] if one.isdecimal() else one for one in group) for group in groups)


@pytest.mark.parametrize("groups", VALUES)
@pytest.mark.parametrize(
    "between",
    [
        " ", "-", " . ", "/", " blank ", " then ", ", then ", " uh ", "... hang on ", " after that ", "\n", "\n- ",
        "\nAgent: uh-huh\nCaller: ", '" + "', '", "', '"\nb = "', "</td><td>", "<br>", " | ", "\\", "#", " you know ",
        '","p2":"', "<wbr>", " (next) ", "[...]", "*", "~",
    ],
)  # fmt: skip
def test_anything_between_groups(find: Find, groups: tuple[str, ...], between: str) -> None:
    """Signs, words, lines of a talk, strings, fields, cells."""
    value = between.join(groups)

    assert ("IBAN_CODE", value) in find(f"please pay into {value} until friday")


@pytest.mark.parametrize(
    "text",
    [
        "rent goes to D for delta E for echo, 7585 0105 1037 3888 1515 from march",
        "IBAN: D as in dora, E as in emil 75 8501 0510 3738 8815 15",
        '{"iban_cc":"DE","check":"75","bban":"850105103738881515"}',
        "<td>DE</td><td>75</td><td>850105103738881515</td>",
        "account DE75 85O1 O51O 3738 88l5 l5",
        "account GB56 KMWI I564 333B B740 B9".replace("B740 B9", "8740 89"),
        "SE D-E-7 five 8-five zero 1-zero 5 1 0 3-seven 3 8 eight 8 1 five one-5".removeprefix("SE "),
        "it is DE75 8501 0510 3738 no sorry 3738 8815 15",
        f"{spoken(GERMAN)}, thanks",
    ],
)
def test_told_split_or_misread(find: Find, text: str) -> None:
    """Letters with a word that spells them, fields, letters for digits, figures in words, what is taken back."""
    assert "IBAN_CODE" in {entity for entity, _ in find(text)}


@pytest.mark.parametrize(
    "text",
    [
        "DE75 then 8501 then 0510 then 3738 then 8815 then 16",
        "in DE 12 plants, in FR 14, in GB 22, in IT 19 and in ES 30 of 45 sites, 2019 to 2024",
        "Q for quit, N for next, 12 34 56 78 90 12 34 56 78",
        '{"country":"DE","zip":"12345","n":850105103738881515}',
        "A for apple B for banana, 26 letters",
    ],
)
def test_other_check_digits(find: Find, text: str) -> None:
    """Lists of countries and counts are none."""
    assert "IBAN_CODE" not in {entity for entity, _ in find(text)}
