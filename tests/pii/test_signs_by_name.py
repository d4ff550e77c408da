"""Values of which the signs are said are found as those are that have them; talk of signs is none."""

import pytest

from outwarden.pii import Detector, PiiPolicy


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(PiiPolicy())


@pytest.mark.parametrize(
    ("entity", "text", "value"),
    [
        (
            "API_KEY",
            "the PAT is ghp underscore Tv7DfZsmU6swOuNVnpSjzkdiERmWdZ1kvbZ8 today",
            "ghp underscore Tv7DfZsmU6swOuNVnpSjzkdiERmWdZ1kvbZ8",
        ),
        (
            "API_KEY",
            "use rk (underscore) live (underscore) 8TgQmZ4xVn1LkWdR2sYb as secret",
            "rk (underscore) live (underscore) 8TgQmZ4xVn1LkWdR2sYb",
        ),
        (
            "IP_ADDRESS",
            "ipv6 is 2a02 colon bb4c colon af43 double colon 927",
            "2a02 colon bb4c colon af43 double colon 927",
        ),
    ],
)
def test_signs_that_are_said(detector: Detector, entity: str, text: str, value: str) -> None:
    """In words, with or without brackets."""
    spans = [(span.entity, text[span.start : span.end]) for span in detector.find([text])[0]]

    assert (entity, value) in spans


@pytest.mark.parametrize(
    "text",
    [
        "use a colon between the fields and an underscore before the name",
        "snake_case puts one underscore between two words, never a double colon",
        "the ratio is 3 colon 4, the score 2 colon 1",
    ],
)
def test_talk_of_signs(detector: Detector, text: str) -> None:
    """Nothing of a value stands around them."""
    assert detector.find([text]) == [[]]
