"""Ages, which are looked for only where a rule names them."""

import pytest

from outwarden.pii import Detector, PiiPolicy

DETECTOR = Detector(PiiPolicy(entities=frozenset({"AGE"})))


def found(text: str) -> list[str]:
    return [text[span.start : span.end] for span in DETECTOR.find([text])[0]]


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("she is 34 years old", "34 years old"),
        ("a 34-year-old man", "34-year-old"),
        ("Patient, 34 yo, male", "34 yo"),
        ("71 y/o female", "71 y/o"),
        ("an 18 month old girl", "18 month old"),
        ("aged 71", "71"),
        ("age: 34, 80 kg", "34"),
        ('"age": 34', "34"),
        ("at the age of 9", "9"),
        ("im Alter von 34 Jahren", "34"),
        ("der 34-jährige Mann", "34-jährige"),
        ("Sie ist 34 Jahre alt", "34 Jahre alt"),
        ("âgée de 34 ans", "34"),
        ("tiene 34 años de edad", "34 años de edad"),
        ("Edad: 34", "34"),
    ],
)
def test_ages_are_found(text: str, age: str) -> None:
    """In words of five languages, before or behind."""
    assert found(text) == [age]


@pytest.mark.parametrize(
    "text",
    [
        "page 34",
        "average 34",
        "the age of 200 sites",
        "max-age: 34 days",
        "age=3600",
        "cache age 34s",
        "age 34%",
        "34 years of experience",
        "usage: 34",
        "a 340 year old tree",
        "v2.34 yo",
    ],
)
def test_other_counts_are_left(text: str) -> None:
    """Durations, pages, what no person reaches."""
    assert found(text) == []


def test_ages_are_looked_for_on_request() -> None:
    """By the list of entities, or by an action of their own; with all entities they stay."""
    text = ["she is 34 years old"]

    assert not Detector(PiiPolicy()).find(text)[0]
    assert Detector(PiiPolicy(request={"default": "mask", "AGE": "mask"})).find(text)[0]
    assert Detector(PiiPolicy(response={"default": "mask", "AGE": "flag"})).find(text)[0]
