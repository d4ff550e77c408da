"""Any spaCy package or pipeline as a reader. spaCy is imported only where a rule names one: it takes a second."""

import re
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outwarden.pii.finder import Span
from outwarden.pii.names.finder import Reader
from outwarden.pii.names.languages import Languages

if TYPE_CHECKING:
    from spacy.language import Language

# Nothing that they find is used, and they take most of the time.
_UNUSED = (
    "parser",
    "tagger",
    "morphologizer",
    "lemmatizer",
    "trainable_lemmatizer",
    "attribute_ruler",
    "senter",
    "textcat",
)
_SURROGATE = re.compile("[\ud800-\udfff]")


class ModelError(ValueError):
    """A model that cannot be used; the message says why, for the person who wrote the rule."""


class SpacyReader:
    """Finds what a pipeline's entity recogniser finds, under our names for it."""

    def __init__(self, name: str, labels: Mapping[str, str], score: float, entities: frozenset[str]) -> None:
        self._nlp, self._lock = load(name)
        self._labels = {label: entity for label, entity in labels.items() if entity in entities}
        self._score = score
        self.entities = frozenset(self._labels.values())
        known = known_labels(self._nlp)
        for entity in sorted(self.entities):
            if not any(self._labels.get(label) == entity for label in known):
                raise ModelError(f"the model has no label for {entity} (key labels); it has {', '.join(known)}")
        meta = self._nlp.meta
        told = (name, meta.get("name"), meta.get("version"), sorted(self._labels.items()), score)
        self.version = repr(told).encode("utf-8", "surrogatepass")

    def __repr__(self) -> str:
        return f"<SpacyReader {sorted(self.entities)}>"

    @property
    def language(self) -> str:
        """The language that the pipeline is for (ISO 639-1)."""
        return str(self._nlp.lang)

    @property
    def stop_words(self) -> Sequence[str]:
        """The most frequent words of its language."""
        return sorted(self._nlp.Defaults.stop_words)

    def read(self, units: Sequence[str]) -> list[list[Span]]:
        """Per unit its findings."""
        texts = [_SURROGATE.sub("\ufffd", unit) for unit in units]
        with self._lock, self._nlp.memory_zone():  # what the texts hold is forgotten with the zone
            return [
                [
                    Span(entity.start_char, entity.end_char, self._labels[entity.label_], self._score)
                    for entity in doc.ents
                    if entity.label_ in self._labels
                ]
                for doc in self._nlp.pipe(texts)
            ]

    def is_word(self, part: str) -> bool:
        """Nothing tells which words its language has: any part of a name may be one."""
        return True

    def is_first_name(self, word: str) -> bool:
        """It has no lists."""
        return False

    def is_last_name(self, word: str) -> bool:
        """It has no lists."""
        return False


class ByLanguage:
    """Shows each unit to the reader for its language; what is in no other is the first one's."""

    def __init__(self, readers: Mapping[str, Reader]) -> None:
        self._readers = dict(readers)
        self._languages = Languages({language: stop_words(language) for language in readers})
        self.entities = frozenset().union(*(reader.entities for reader in readers.values()))
        self.version = b"".join(language.encode() + b":" + reader.version for language, reader in readers.items())

    def __repr__(self) -> str:
        return f"<ByLanguage {sorted(self._readers)}>"

    def read(self, units: Sequence[str]) -> list[list[Span]]:
        """Per unit its findings."""
        found: list[list[Span]] = [[] for _ in units]
        chosen: dict[str, list[int]] = {}
        for number, unit in enumerate(units):
            chosen.setdefault(self._languages.of(unit), []).append(number)
        for language, numbers in chosen.items():
            for number, spans in zip(numbers, self._readers[language].read([units[n] for n in numbers]), strict=True):
                found[number] = spans
        return found

    def is_word(self, part: str) -> bool:
        """Whether it is one in any of the languages."""
        return any(reader.is_word(part) for reader in self._readers.values())

    def is_first_name(self, word: str) -> bool:
        """Whether it is one in any of the languages."""
        return any(reader.is_first_name(word) for reader in self._readers.values())

    def is_last_name(self, word: str) -> bool:
        """Whether it is one in any of the languages."""
        return any(reader.is_last_name(word) for reader in self._readers.values())


def stop_words(language: str) -> Sequence[str]:
    """The most frequent words of a language. Raises ModelError for one that spaCy does not know."""
    from spacy.util import get_lang_class

    try:
        return sorted(get_lang_class(language).Defaults.stop_words)
    except ImportError:
        raise ModelError("this language is none that spaCy knows (codes are those of ISO 639-1)") from None


def load(name: str) -> tuple["Language", threading.Lock]:
    """Load a package or path once. Raises ModelError."""
    path = Path(name)
    meta = path / "meta.json"
    return _load(name, meta.stat().st_mtime_ns if meta.is_file() else 0)


@cache
def _load(name: str, _changed_ns: int) -> tuple["Language", threading.Lock]:
    import spacy
    from spacy.about import __version__
    from spacy.util import is_compatible_version

    try:
        nlp = spacy.load(name, exclude=list(_UNUSED))
    except OSError:
        raise ModelError("neither an installed package nor the path of a spaCy pipeline") from None
    except Exception as error:  # whatever a foreign package raises, the rule is what can be mended
        raise ModelError(f"the model cannot be loaded ({type(error).__name__})") from None
    wanted = str(nlp.meta.get("spacy_version") or "")
    if wanted and is_compatible_version(__version__, wanted) is False:
        raise ModelError(f"the model is for spaCy {wanted}, and this is {__version__}")
    if not known_labels(nlp):
        raise ModelError("the model has no component that finds entities")
    return nlp, threading.Lock()


def known_labels(nlp: "Language") -> list[str]:
    """The labels of all components that set entities."""
    labels: set[str] = set()
    for pipe in nlp.pipe_names:
        if "doc.ents" in nlp.get_pipe_meta(pipe).assigns:
            component: Any = nlp.get_pipe(pipe)
            labels.update(getattr(component, "labels", ()))
    return sorted(labels)
