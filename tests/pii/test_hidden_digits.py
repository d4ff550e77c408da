"""Numbers that are hidden on purpose need no label; other rows of letters and digits are none."""

import pytest

from outwarden.pii import Detector, PiiPolicy
from outwarden.pii.hidden_digits import number_of


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(PiiPolicy())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("take out the a's: 6a4a6a5a2a6a1a4a8a2", "6a4a6a5a2a6a1a4a8a2"),
        ("line id / ④⑨①⑦⑥⑤⑤⑤①②⑧⑨④", "④⑨①⑦⑥⑤⑤⑤①②⑧⑨④"),
        ("𝟞𝟜𝟞-𝟝𝟚𝟞-𝟙𝟜𝟠𝟚", "𝟞𝟜𝟞-𝟝𝟚𝟞-𝟙𝟜𝟠𝟚"),
        (
            "=CHAR(54)&CHAR(52)&CHAR(54)&CHAR(53)&CHAR(50)&CHAR(54)&CHAR(49)&CHAR(52)&CHAR(56)&CHAR(50)",
            "CHAR(54)&CHAR(52)&CHAR(54)&CHAR(53)&CHAR(50)&CHAR(54)&CHAR(49)&CHAR(52)&CHAR(56)&CHAR(50)",
        ),
    ],
)
def test_hidden_telephones(detector: Detector, text: str, value: str) -> None:
    """A letter between the digits, circles, mathematical digits, codes of characters."""
    spans = [text[span.start : span.end] for span in detector.find([text])[0] if span.entity == "PHONE_NUMBER"]

    assert spans == [value]


@pytest.mark.parametrize("text", ["id 6a4b6a5a2c6a1d4a8a2", "x⁴+y²+z³", "①②③④⑤⑥⑦⑧⑨", "1a2a3a4a5a6a7a8a9a"])
def test_other_rows(detector: Detector, text: str) -> None:
    """Hexadecimal, powers, items of a list."""
    assert detector.find([text]) == [[]]


def test_only_what_is_assigned() -> None:
    """A count, a reserved number and one of no plan are none; a card needs its check digit."""
    assert number_of("6465261482") == "PHONE_NUMBER"
    assert number_of("4013601861911289") == "CREDIT_CARD"
    assert [number_of(digits) for digits in ("1234567890", "6465550123", "0000000000", "4013601861911288")] == [
        None
    ] * 4
