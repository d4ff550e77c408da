"""Learn how to weigh the evidence (`outwarden.pii.names.evidence`) for a network, on texts that it has not seen.

`python -m training.calibrate MODEL --data FOLDER` does so for the model in a folder, with what was kept back from its
training and the sets of `scripts/evaluating` whose errors were looked at; `_kept` and WNUT are not among them.
Logistic regression by Newton's method; what it says of itself is measured on fifths of the texts that it did not see.
"""

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from outwarden.pii.names.evidence import FEATURES, Calibration
from outwarden.pii.names.model import COMPONENT, Model, read_model
from outwarden.pii.names.prose import Prose
from outwarden.pii.names.reader import is_latin
from outwarden.pii.names.spans import spans_of
from outwarden.pii.names.words import WORD
from training.save import digest_of
from training.sources import Example, Span, held_out, read_set, without_titles

Rows = NDArray[np.float64]

# set of the folder: (share that was kept back, how much a text counts); no person is found in a text without any.
_KEPT_BACK = {
    "structured_dev": (1.0, 0.5),
    "uner_ewt_dev": (0.35, 4.0),
    "wikiann_en": (0.1, 0.5),
    "lifebench_train": (0.03, 0.5),
    "btc": (0.1, 1.0),
    "wikiann_de": (0.1, 0.3),
    "wikiann_fr": (0.1, 0.3),
    "wikiann_nl": (0.1, 0.3),
}
_OWN = {
    "harmless_tuned": 1.0,
    "harmless_judged": 1.0,
    "notes_tuned": 2.0,
    "clinical_notes": 1.0,
    "notes_judged": 2.0,
    "letters_judged": 2.0,
    "harmless_judged_four": 1.0,
    "notes_judged_four": 2.0,
    "harmless_tongues_tuned": 1.0,
    "people_tongues_tuned": 3.0,
    "harmless_listed_tuned": 1.0,
    "notes_styles_tuned": 2.0,
}
_KEPT = (
    "harmless_kept",
    "notes_kept",
    "harmless_tongues_kept",
    "people_tongues_kept",
    "harmless_listed_kept",
    "notes_styles_kept",
)
# What becomes a score of 0.5: as likely as this a person, for a missed name is worse than one too many.
_EVEN = 0.222
_HARMLESS = 5.0  # a harmless text that is hit counts more than a name
_DECAY = 3.0
_STEPS = 60
_FOLDS = 5
_REPORTED = (0.3, 0.4, 0.5, 0.6, 0.7, 0.9)


class Set(NamedTuple):
    """Findings in the texts of a set: evidence for each, whether it is a person, the number of its text."""

    evidence: Rows
    right: NDArray[np.bool_]
    text: NDArray[np.int64]
    weight: float
    found: Sequence[frozenset[int]]
    """Per finding the numbers of the persons that it meets."""
    texts: int
    persons: int


def findings(model: Model, examples: Sequence[Example], weight: float) -> Set:
    """All that the network finds at all likely in the prose of the texts."""
    rows, texts, met = [], [], []
    for number, example in enumerate(examples):
        gold = [span for span in example.spans if span.entity == "PERSON"]
        for start, end, row in _candidates(model, example.text):
            rows.append(row)
            texts.append(number)
            met.append(frozenset(at for at, one in enumerate(gold) if one.start < end and start < one.end))
    evidence = np.array(rows).reshape(-1, len(FEATURES))
    persons = sum(span.entity == "PERSON" for example in examples for span in example.spans)
    return Set(evidence, np.array(list(map(bool, met))), np.array(texts), weight, met, len(examples), persons)


def _candidates(model: Model, text: str) -> list[tuple[int, int, Rows]]:
    """Start, end and evidence of each."""
    units, places = [], []
    for unit in Prose().units(text, more=False)[1]:
        said = text[unit.start : unit.end]
        words = [(m[0], (unit.start + m.start(), unit.start + m.end())) for m in WORD.finditer(said)]
        if is_latin(said) and model.gate.may_name([word for word, _ in words]):
            units.append([word for word, _ in words])
            places.append([place for _, place in words])
    likely = model.network.likelihoods(units)
    found = []
    for number, names in spans_of(likely, units, {"PERSON": Calibration.FLOOR}):
        persons = model.calibration.candidates(
            units[number], likely[number], model.things.without(units[number], names)
        )
        if persons:
            rows = model.evidence.of(units[number], persons)
            place = places[number]
            found += [(place[n.first][0], place[n.last][1], row) for n, row in zip(persons, rows, strict=True)]
    return found


def fit(sets: Sequence[Set], chosen: Sequence[NDArray[np.bool_]]) -> Rows:
    """The weights for the ``chosen`` findings of each set: one for each feature, then what is added."""
    rows = np.concatenate([one.evidence[which] for one, which in zip(sets, chosen, strict=True)])
    right = np.concatenate([one.right[which] for one, which in zip(sets, chosen, strict=True)]).astype(float)
    counts = np.concatenate([_counts(one)[which] for one, which in zip(sets, chosen, strict=True)])
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    scaled = np.hstack([(rows - mean) / spread, np.ones((len(rows), 1))])
    decay = _DECAY * np.append(np.ones(len(FEATURES)), 0.0)
    weights = np.zeros(len(FEATURES) + 1)
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-scaled @ weights))
        gradient = scaled.T @ (counts * (likely - right)) + decay * weights
        curvature = (scaled.T * (counts * likely * (1 - likely))) @ scaled + np.diag(decay + 1e-6)
        weights -= np.linalg.solve(curvature, gradient)
    plain = weights[:-1] / spread
    return np.append(plain, weights[-1] - plain @ mean)


def _counts(one: Set) -> Rows:
    """How much each finding counts: those of a text without persons share what the text does."""
    if one.persons:
        return np.full(len(one.text), one.weight)
    times = Counter(one.text.tolist())
    return np.array([one.weight * _HARMLESS / times[text] ** 0.5 for text in one.text.tolist()])


def scores_of(weights: Rows, rows: Rows) -> Rows:
    scores: Rows = 1 / (1 + np.exp(-(rows @ weights[:-1] + weights[-1])))
    return scores


def measured(one: Set, scores: Rows, least: float) -> str:
    """Share of texts that are hit, or precision/recall."""
    kept = [int(at) for at in np.flatnonzero(scores >= least)]
    if not one.persons:
        return f"{len(set(one.text[kept].tolist())) / one.texts:.3f}"
    met = {(int(one.text[at]), person) for at in kept for person in one.found[at]}
    return f"{one.right[kept].mean() if kept else 0:.2f}/{len(met) / one.persons:.3f}"


def own_set(name: str) -> list[Example]:
    """A set of `scripts/evaluating`."""
    path = Path(__file__).parents[1] / "evaluating" / f"{name}.jsonl"
    told = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [
        Example(one["text"], tuple(Span(s["start"], s["end"], s.get("type", "PERSON")) for s in one["spans"]))
        for one in told
    ]


def calibrate(model: Model, data: Path) -> NDArray[np.float32]:
    """Learn the weights for ``model`` and print how well they do."""
    examples: Mapping[str, tuple[Sequence[Example], float]] = {
        name: ([without_titles(one) for one in read_set(data, name) if held_out(one, share)], weight)
        for name, (share, weight) in _KEPT_BACK.items()
    } | {name: (own_set(name), weight) for name, weight in _OWN.items()}
    sets = {name: findings(model, some, weight) for name, (some, weight) in examples.items()}
    unseen = {name: findings(model, own_set(name), 0.0) for name in _KEPT}
    unseen["wnut17_dev"] = findings(model, [without_titles(one) for one in read_set(data, "wnut17_dev")], 0.0)
    scores = {name: np.zeros(len(one.text)) for name, one in sets.items()}
    for fold in range(_FOLDS):
        learned = _shifted(fit([*sets.values()], [one.text % _FOLDS != fold for one in sets.values()]))
        for name, one in sets.items():
            here = one.text % _FOLDS == fold
            scores[name][here] = scores_of(learned, one.evidence[here])
    weights = _shifted(fit([*sets.values()], [one.text >= 0 for one in sets.values()]))
    scores |= {name: scores_of(weights, one.evidence) for name, one in unseen.items()}
    network = FEATURES.index("logit")
    for least in _REPORTED:
        for said, all_scores in (
            ("evidence", scores),
            (
                "network alone",
                {n: scores_of(np.append(1.0, 0.0), s.evidence[:, [network]]) for n, s in (sets | unseen).items()},
            ),
        ):
            line = " ".join(f"{name} {measured(one, all_scores[name], least)}" for name, one in (sets | unseen).items())
            print(f"{least} {said}: {line}")
    return weights.astype(np.float32)


def _shifted(weights: Rows) -> Rows:
    """The weights with which `_EVEN` becomes 0.5."""
    return np.append(weights[:-1], weights[-1] - np.log(_EVEN / (1 - _EVEN)))


def recalibrate(folder: Path, data: Path) -> None:
    """Calibrate the model in ``folder``, in place."""
    path = folder / COMPONENT / "weights.npz"
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["calibration"] = calibrate(read_model(folder / COMPONENT), data)
    arrays["version"] = digest_of({name: one for name, one in arrays.items() if name not in ("frequent", "version")})
    np.savez_compressed(path, **arrays)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="folder of the model")
    parser.add_argument("--data", type=Path, required=True, help="folder of the labelled sets")
    told = parser.parse_args()
    recalibrate(told.model, told.data)
