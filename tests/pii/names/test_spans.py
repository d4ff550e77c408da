"""From likelihoods to spans."""

import numpy as np
import pytest

from outwarden.pii.names.network import LABELS
from outwarden.pii.names.spans import spans_of


def read(text: str, labels: str, floor: float = 0.5, sure: float = 0.8) -> list[tuple[str, str]]:
    """``labels``: for each word O, or B, I of a person, b, i of a place."""
    words = text.split()
    names = {"O": "O", "B": "B-PERSON", "I": "I-PERSON", "b": "B-LOCATION", "i": "I-LOCATION"}
    likely = np.full((len(words), len(LABELS)), (1 - sure) / (len(LABELS) - 1), np.float32)
    places = []
    for at, (word, label) in enumerate(zip(words, labels, strict=True)):
        likely[at, LABELS.index(names[label])] = sure
        places.append((text.index(word), text.index(word) + len(word)))
    floors = {"PERSON": floor, "LOCATION": floor}
    other = np.full((2, len(LABELS)), 0.01, np.float32)  # units beside it, in which nothing is found
    units, scores = [["and", "so"], words, ["on", "."]], [other, likely, other]
    found = dict(spans_of(scores, units, floors))
    assert set(found) <= {1}
    return [(text[places[one.first][0] : places[one.last][1]], one.entity) for one in found.get(1, ())]


@pytest.mark.parametrize(
    ("text", "labels", "found"),
    [
        ("met Jane Doe today", "OBIO", [("Jane Doe", "PERSON")]),
        ("Jane Bob left", "BBO", [("Jane", "PERSON"), ("Bob", "PERSON")]),
        ("Jane Oslo", "Bb", [("Jane", "PERSON"), ("Oslo", "LOCATION")]),
        ("Doe , Jane", "BII", [("Doe , Jane", "PERSON")]),
        ("Jane , and", "BIO", [("Jane", "PERSON")]),
        ("- Jane", "BI", [("Jane", "PERSON")]),
        ("J . Doe", "BII", [("J . Doe", "PERSON")]),
        ("Doe J . left", "BIIO", [("Doe J .", "PERSON")]),
        ("Doe Jr . left", "BIIO", [("Doe Jr .", "PERSON")]),
        ("Doe left . x", "BIIO", [("Doe left", "PERSON")]),
        ("GB12 x42 7", "BII", []),
        (". , -", "BII", []),
        ("only O", "OO", []),
    ],
)
def test_runs(text: str, labels: str, found: list[tuple[str, str]]) -> None:
    """A run of words is one name; signs at its ends are none of it, and no name has a digit."""
    assert read(text, labels) == found


def test_how_sure_it_must_be() -> None:
    """A lower floor finds more; an entity without one is not asked for."""
    assert read("Jane", "B", floor=0.9) == []
    assert read("Jane", "B", floor=0.7) == [("Jane", "PERSON")]
    assert read("Oslo", "b", floor=2.0) == []
