"""A number over several lines of one speaker is found; numbers of several lines of a log are none."""

import pytest

from outwarden.pii import Detector, PiiPolicy


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(PiiPolicy())


@pytest.mark.parametrize(
    ("entity", "text"),
    [
        ("CREDIT_CARD", "[12:00] cust: 4013\n[12:01] cust: 6018\n[12:02] cust: 6191\n[12:03] cust: 1289"),
        ("PHONE_NUMBER", "[03/02/25, 14:22] ~: new no. is +44 7911 1\n[03/02/25, 14:22] ~: 23456"),
        (
            "PHONE_NUMBER",
            "12\n00:01:04,100 --> 00:01:06,000\nso my number is 646\n\n13\n00:01:06,100 --> 00:01:09,000\n526 1482",
        ),
    ],
)
def test_a_number_over_lines_of_one_speaker(detector: Detector, entity: str, text: str) -> None:
    """What heads the lines is no part of it."""
    assert entity in {span.entity for span in detector.find([text])[0]}


@pytest.mark.parametrize(
    "text",
    [
        "[12:00:01] retries 3\n[12:00:02] retries 4\n[12:00:03] retries 5",
        "12:00 open 200\n12:01 open 404\n12:02 open 1234",
        "a: 1\nb: 2\nc: 3\nd: 40128888",
    ],
)
def test_numbers_of_several_lines(detector: Detector, text: str) -> None:
    """Lines that say more than a part of a number tell none together."""
    assert detector.find([text]) == [[]]


def test_lines_cost_in_proportion(detector: Detector) -> None:
    """A log of figures is read once."""
    text = "[12:00] cust: 4\n" * 4_000

    assert detector.find([text]) == [[]]
