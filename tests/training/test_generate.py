"""Invented texts: what is marked is a name, and nothing else changed."""

import random

import pytest

from outwarden.pii.names.network import ENTITIES
from training.generate import _SLOT, Inventor, Names, invent, swap_persons, templates
from training.known import KINDS
from training.sources import Example, Span, held_out, paragraphs, without_titles

NAMES = Names(
    {"en_XX": (["Jane", "Ann"], ["Doe", "Roe"]), "xx_XX": (["Mbali"], ["Dube"])},
    ["report", "river"],
    ["Oslo"],
    ["Acme"],
    {key: ["Ida Lamp"] for key in KINDS},
)


def inventor(seed: int = 1) -> Inventor:
    return Inventor(NAMES, random.Random(seed))


@pytest.mark.parametrize("name", ["templates.txt", "negatives.txt"])
def test_templates_are_filled(name: str) -> None:
    """Every slot is known, every span lies in its text and holds letters; texts without persons have none."""
    for seed, template in enumerate(templates(name)):
        example = inventor(seed).fill(template)

        assert not _SLOT.search(example.text)
        assert all(span.entity in ENTITIES for span in example.spans)
        assert all(any(map(str.isalpha, example.text[s.start : s.end])) for s in example.spans)
        if name == "negatives.txt":
            assert all(span.entity != "PERSON" for span in example.spans)


def test_names_that_stand_together_are_one() -> None:
    """First and last name in slots of their own."""
    (span,) = inventor().fill("hi {F} {L}!").spans
    example = inventor().fill("hi {F} {L}!")

    assert example.text[span.start : span.end] == example.text[3:-1]


def test_the_same_seed_invents_the_same() -> None:
    """Training can be repeated."""
    persons, negatives = templates("templates.txt"), templates("negatives.txt")

    assert invent(inventor(), 50, persons, negatives) == invent(inventor(), 50, persons, negatives)


def test_other_names_in_a_real_text() -> None:
    """The same person stays the same, case and place stay, other spans move along."""
    example = Example(
        "Kim met KIMBERLY in Oslo; Kim left",
        (Span(0, 3, "PERSON"), Span(8, 16, "PERSON"), Span(20, 24, "LOCATION"), Span(26, 29, "PERSON")),
    )
    swapped = swap_persons(example, inventor())
    said = [swapped.text[s.start : s.end] for s in swapped.spans]

    assert said[0] == said[3] != "Kim"
    assert said[1].isupper()
    assert said[2] == "Oslo"
    assert swapped.text.endswith(" left")


def test_a_title_is_no_part_of_a_name() -> None:
    """The sets differ in this."""
    example = without_titles(Example("Mr. Roe", (Span(0, 7, "PERSON"),)))

    assert example.spans == (Span(4, 7, "PERSON"),)


def test_a_long_text_is_cut_outside_of_names() -> None:
    """With the spans of each part."""
    text = ("word " * 80 + "\n") * 4 + "Jane\nDoe"
    parts = list(paragraphs(Example(text, (Span(len(text) - 8, len(text), "PERSON"),))))

    assert "".join(part.text for part in parts) == text
    assert [part.text[s.start : s.end] for part in parts for s in part.spans] == ["Jane\nDoe"]


def test_what_is_held_out_stays_so() -> None:
    """By its text alone, in about the share that is asked for."""
    examples = [Example(f"text {number}", ()) for number in range(2000)]

    assert 0.05 < sum(held_out(one, 0.1) for one in examples) / 2000 < 0.15
    assert not any(held_out(one, 0.0) for one in examples)
    assert all(held_out(one, 1.0) for one in examples)
