"""What is found of the structured development set: a floor a little below what was measured.

``python tests/pii/test_corpus.py`` prints the table.
"""

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from outwarden.pii import Detector, PiiPolicy

CORPUS = Path(__file__).parents[3] / "shared" / "pii" / "structured_dev.jsonl"
ENTITY_OF = {
    "EMAIL": "EMAIL_ADDRESS",
    "PHONE": "PHONE_NUMBER",
    "CREDIT_CARD": "CREDIT_CARD",
    "SSN": "US_SSN",
    "IBAN": "IBAN_CODE",
    "IP": "IP_ADDRESS",
    "ID": "MEDICAL_RECORD_NUMBER",
    "SECRET": "API_KEY",
}
# Measured: 1.0 everywhere, but IP_ADDRESS recall 0.927: the set holds eleven private addresses, which are nobody's.
RECALL = dict.fromkeys(ENTITY_OF.values(), 0.99) | {"IP_ADDRESS": 0.92}
PRECISION = 0.99


class Score(NamedTuple):
    """How many were there, how many of them were found, how many exactly, and how many findings were wrong."""

    there: int
    found: int
    exact: int
    wrong: int

    @property
    def recall(self) -> float:
        return self.found / self.there

    @property
    def precision(self) -> float:
        return self.found / (self.found + self.wrong)


@cache
def scores() -> dict[str, Score]:
    """Score every entity by overlap of spans."""
    rows = [json.loads(line) for line in CORPUS.read_text("utf-8").splitlines()]
    counts = {part: Counter[str]() for part in Score._fields}
    for row, found in zip(rows, Detector(PiiPolicy()).find([row["text"] for row in rows]), strict=True):
        labels = [(ENTITY_OF[s["type"]], s["start"], s["end"]) for s in row["spans"] if s["type"] in ENTITY_OF]
        spans = [(span.entity, span.start, span.end) for span in found]
        for label in labels:
            counts["there"][label[0]] += 1
            counts["found"][label[0]] += any(_meet(label, span) for span in spans)
            counts["exact"][label[0]] += label in spans
        for span in spans:
            counts["wrong"][span[0]] += not any(_meet(label, span) for label in labels)
    return {entity: Score(*(counts[part][entity] for part in Score._fields)) for entity in RECALL}


def _meet(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return bool(one[0] == other[0] and one[1] < other[2] and other[1] < one[2])


@pytest.mark.skipif(not CORPUS.is_file(), reason="the development set is not beside this checkout")
@pytest.mark.parametrize("entity", sorted(RECALL))
def test_structured_data_is_found(entity: str) -> None:
    """Nothing that was found is lost again, and nothing else is taken for it."""
    score = scores()[entity]

    assert score.recall >= RECALL[entity]
    assert score.precision >= PRECISION
    assert score.exact >= 0.98 * score.found


if __name__ == "__main__":
    print(f"{'entity':22} {'there':>5} {'recall':>7} {'precision':>9} {'exact':>6}")
    for name, score in scores().items():
        print(f"{name:22} {score.there:5} {score.recall:7.3f} {score.precision:9.3f} {score.exact / score.found:6.3f}")
