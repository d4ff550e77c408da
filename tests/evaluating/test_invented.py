"""Made-up texts are labelled where their values stand, and as much of them is found as was measured."""

import random
from functools import cache

import pytest

from evaluating.invented import SETS, invent
from evaluating.invented.labelled import fill
from evaluating.invented.values import MAKERS
from evaluating.invented.ways import WAYS
from evaluating.scores import Report, score
from evaluating.texts import Label, as_text
from outwarden.pii import Detector, PiiPolicy

ENTITIES = {kind: make(random.Random(0)).entity for kind, make in MAKERS.items()}


@cache
def report(name: str) -> Report:
    """Score one set by the built-in patterns alone."""
    texts = [as_text(one.as_record()) for one in invent(name)]
    detector = Detector(PiiPolicy())
    found = [[Label(s.start, s.end, s.entity) for s in spans] for spans in detector.find([t.text for t in texts])]
    return score(texts, found, detector.entities)


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_the_same_every_time(name: str) -> None:
    """And its values are where it says; harmless texts have none."""
    once = invent(name)

    assert once == invent(name)
    assert once != invent(name, seed=1)
    assert all(bool(one.entity) == (one.end > one.start) and one.end <= len(one.text) for one in once)
    assert all(bool(one.entity) == (name not in ("harmless", "technical")) for one in once)


def test_a_frame_keeps_its_braces() -> None:
    """Doubled ones stand for one, also before the value."""
    one = fill('{{"phone": "{v}"}}', "123", "X", "c")

    assert one.text == '{"phone": "123"}'
    assert one.text[one.start : one.end] == "123"


# Measured 2026-11-26 with the seed of the sets: 1.000, 0.907, 0.83, 1.000, 1.000. Numbers of four to six digits (on
# islands) are not in the sets; what stands alone without a name or a label is not always found, and should not be.
FLOORS = [
    ("phones", "phone international", 0.995),
    ("phones", "phone national", 0.89),
    ("bare phones", "phone bare", 0.79),
    ("national", "national", 0.97),
    ("records", "records", 0.998),
    ("keys", "key", 0.99),
    ("passwords", "password", 0.98),
    ("ibans", "iban", 0.99),
]
# Of 2,400 values .570 before anything was mended for them (2026-11-27), .94 without a model for names afterwards.
OBFUSCATED_FLOOR = 0.92


@pytest.mark.parametrize(("name", "category", "floor"), FLOORS, ids=[floor[1] for floor in FLOORS])
def test_most_is_covered(name: str, category: str, floor: float) -> None:
    """By a finding of any entity: then nothing of it leaves."""
    counted = report(name).categories[category]

    assert counted.labels > 300
    assert counted.covered >= floor * counted.labels


@pytest.mark.parametrize("category", sorted({one.category for one in invent("cards")}))
def test_cards_of_every_network_are_covered(category: str) -> None:
    """All lengths from 12 to 19 digits, solid and in groups, in a payment's words."""
    counted = report("cards").categories[category]

    assert counted.covered >= 0.98 * counted.labels


def test_harmless_texts_are_left_alone() -> None:
    """Logs, source, orders, tables: at most 1.5 of a hundred texts are touched (measured: none of 1,008)."""
    counted = report("harmless")

    assert counted.harmless > 1000
    assert counted.hit <= 0.015 * counted.harmless


def test_every_way_is_written_for_each_of_its_kinds() -> None:
    """And changes at least one value of each: a way that leaves all as they are measures nothing."""
    written = {(one.category, one.entity) for one in invent("obfuscated")}

    assert len(WAYS) >= 40
    assert written == {(way.name, ENTITIES[kind]) for way in WAYS for kind in way.kinds}
    for way in WAYS:
        for kind in way.kinds:
            values = [MAKERS[kind](random.Random(seed)) for seed in range(20)]
            assert any(way.write(value, random.Random(1)) != value.text for value in values), (way.name, kind)


def test_most_of_what_is_written_otherwise_is_found() -> None:
    """By its own entity, over all ways; and half of every way that is not on the list of those that nobody undoes."""
    counted = report("obfuscated")
    labels, found = (sum(getattr(one, name) for one in counted.scores.values()) for name in ("labels", "found"))
    never = {"base85", "comma for dot", "address as number", "user and domain", "rot13", "adjacent strings"}

    assert found >= OBFUSCATED_FLOOR * labels
    assert not [name for name, one in counted.categories.items() if one.recall < 0.5 and name not in never]


def test_technical_texts_are_left_alone() -> None:
    """Four hundred and more, no two alike; at most 1.5 of a hundred are touched (measured: 0.7)."""
    counted = report("technical")

    assert len({one.text for one in invent("technical")}) == counted.harmless > 400
    assert counted.hit <= 0.015 * counted.harmless
