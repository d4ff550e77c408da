"""Precision and recall by overlap of spans."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from outwarden.pii.names.network import ENTITIES, Network
from outwarden.pii.names.spans import spans_of
from outwarden.pii.names.words import WORD, unit_ends
from training.sources import Example, Span

FLOORS = dict.fromkeys(ENTITIES, 0.5)


@dataclass
class Scores:
    """Counts per entity."""

    hit: Counter[str] = field(default_factory=Counter)
    predicted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    gold: Counter[str] = field(default_factory=Counter)
    texts: int = 0
    texts_with_person: int = 0

    def precision(self, entity: str) -> float:
        return self.hit[entity] / max(1, self.predicted[entity])

    def recall(self, entity: str) -> float:
        return self.found[entity] / max(1, self.gold[entity])

    def brief(self) -> str:
        if not self.gold["PERSON"]:
            return f"{self.texts_with_person}/{self.texts}"
        return f"{self.precision('PERSON'):.3f}/{self.recall('PERSON'):.3f}"

    def line(self, name: str) -> str:
        rest = ", ".join(
            f"{e} {self.precision(e):.3f}/{self.recall(e):.3f} of {self.gold[e]}" for e in ENTITIES if self.gold[e]
        )
        return f"{name}: {self.texts} texts, {self.texts_with_person} with a person found; {rest}"


def predicted(network: Network, text: str, floors: Mapping[str, float]) -> list[Span]:
    """The spans in one text."""
    units, places, start = [], [], 0
    for end in (*unit_ends(text), len(text)):
        found = [(m[0], m.span()) for m in WORD.finditer(text, start, end)]
        start = end
        if found:
            units.append([word for word, _ in found])
            places.append([place for _, place in found])
    return [
        Span(places[number][name.first][0], places[number][name.last][1], name.entity)
        for number, names in spans_of(network.likelihoods(units), units, floors)
        for name in names
    ]


def scored(network: Network, examples: Sequence[Example], floors: Mapping[str, float] = FLOORS) -> Scores:
    """Score the network on ``examples``."""
    scores = Scores()
    for example in examples:
        add(scores, example, predicted(network, example.text, floors))
    return scores


def add(scores: Scores, example: Example, found: Sequence[Span]) -> None:
    """Count one text."""
    scores.texts += 1
    scores.texts_with_person += any(span.entity == "PERSON" for span in found)
    for entity in ENTITIES:
        gold = [span for span in example.spans if span.entity == entity]
        mine = [span for span in found if span.entity == entity]
        scores.gold[entity] += len(gold)
        scores.predicted[entity] += len(mine)
        scores.hit[entity] += sum(any(a.start < b.end and b.start < a.end for b in gold) for a in mine)
        scores.found[entity] += sum(any(a.start < b.end and b.start < a.end for a in mine) for b in gold)
