"""Write the model as a spaCy pipeline whose component keeps one file of numbers in half precision."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import spacy

from outwarden.pii.names.features import Lexicon
from outwarden.pii.names.model import COMPONENT
from outwarden.pii.names.pipeline import FACTORY
from outwarden.pii.names.things import phrase_key
from training.learn import Trainer

SOURCES = (
    "Broad Twitter Corpus (CC BY 4.0), WNUT 2017 (CC BY 4.0), UniversalNER English EWT dev (CC BY-SA 4.0), SEC filings "
    "of Salinas Alvarado et al. (CC BY 3.0), LifeBench PII (Apache-2.0, silver), WikiANN en/de/fr/nl (Wikipedia, "
    "CC BY-SA), Presidio research data (MIT), templates of our own; names of Faker (MIT) and the US census of 1990, "
    "places of GeoNames (CC BY 4.0), Brown clusters of spacy-lookups-data (MIT), GloVe 6B (PDDL); phrases of WordNet "
    "3.1 (WordNet licence), ICD-10-CM (public domain), simple-icons (CC0) and Faker of JavaScript (MIT)"
)


class KnownWords(NamedTuple):
    """``frequent``: computed when the model is loaded; ``ordinary``: for the gate; ``things``: phrases, as words."""

    frequent: Sequence[str]
    ordinary: frozenset[str]
    things: Sequence[Sequence[str]]


def save(folder: Path, lexicon: Lexicon, book: np.ndarray, trainer: Trainer, words: KnownWords) -> None:
    """Write the pipeline into ``folder``."""
    arrays = {name: getattr(lexicon, name) for name in lexicon.__dataclass_fields__}
    arrays |= {"book": book.astype(np.float16)}
    arrays |= {name: value.astype(np.float16) for name, value in trainer.arrays().items()}
    arrays["ordinary"] = _text(sorted(words.ordinary))
    arrays["things"] = np.array(sorted({phrase_key(phrase) for phrase in words.things}), dtype=np.uint32)
    arrays["version"] = digest_of(arrays)
    arrays["frequent"] = _text(words.frequent)
    shutil.rmtree(folder, ignore_errors=True)
    component = folder.with_name(folder.name + ".parts") / COMPONENT
    component.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(component / "weights.npz", **arrays)
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "outwarden.Words.v1"}}})
    nlp.add_pipe(FACTORY, name=COMPONENT).from_disk(component)
    nlp.meta.update(
        name="outwarden_names",
        version="1.0.0",
        description="Persons, places and organisations in English prose, for Outwarden",
        license="CC BY-SA 4.0",
        sources=[{"name": SOURCES}],
    )
    nlp.to_disk(folder, exclude=["vocab"])
    shutil.rmtree(component.parent)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{size / 1e6:.2f} MB in {folder}")


def digest_of(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """What names a model: other for other ``arrays``."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        digest.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return np.frombuffer(digest.digest(), dtype=np.uint8)


def _text(words: Sequence[str]) -> np.ndarray:
    return np.frombuffer("\n".join(words).encode(), dtype=np.uint8)
