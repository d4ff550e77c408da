"""The bundled model as a spaCy pipeline: `spacy.load` of its folder gives documents with the same entities.

The proxy reads with the network directly, because a document of spaCy costs more than the network does. What is here
makes the model usable, and comparable, wherever spaCy is. Registered by the entry points in pyproject.toml.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import registry
from spacy.vocab import Vocab

from outwarden.pii.names.model import Model, read_model
from outwarden.pii.names.network import ENTITIES
from outwarden.pii.names.words import WORD, unit_ends

FACTORY = "outwarden_names"


class Words:
    """A tokenizer that cuts as `words` does; the space between words goes into tokens of its own, as in spaCy."""

    def __init__(self, vocab: Vocab) -> None:
        self.vocab = vocab

    def __call__(self, text: str) -> Doc:
        words: list[str] = []
        spaces: list[bool] = []
        at = 0
        for found in WORD.finditer(text):
            self._gap(text[at : found.start()], words, spaces)
            words.append(found[0])
            spaces.append(False)
            at = found.end()
        self._gap(text[at:], words, spaces)
        return Doc(self.vocab, words=words, spaces=spaces)

    def _gap(self, gap: str, words: list[str], spaces: list[bool]) -> None:
        if gap.startswith(" ") and words:
            spaces[-1] = True
            gap = gap[1:]
        if gap:
            words.append(gap)
            spaces.append(False)

    def to_bytes(self, **_: Any) -> bytes:
        return b""

    def from_bytes(self, _: bytes, **__: Any) -> "Words":
        return self

    def to_disk(self, *_: Any, **__: Any) -> None:
        """Nothing to keep."""

    def from_disk(self, *_: Any, **__: Any) -> "Words":
        return self


@registry.tokenizers("outwarden.Words.v1")  # type: ignore[untyped-decorator]
def create_words() -> Callable[[Language], Words]:
    """Build the tokenizer, for a pipeline's configuration."""
    return lambda nlp: Words(nlp.vocab)


@Language.factory(FACTORY, assigns=["doc.ents"], default_config={"min_score": 0.5})
def create_names(nlp: Language, name: str, min_score: float) -> "Names":
    """Build the component, empty until `Names.from_disk`."""
    return Names(min_score)


class Names:
    """Sets ``doc.ents``."""

    labels = ENTITIES

    def __init__(self, min_score: float) -> None:
        self._floors = dict.fromkeys(ENTITIES, min_score)
        self._model: Model | None = None
        self._data = b""

    def __call__(self, doc: Doc) -> Doc:
        if self._model is None:
            raise ValueError("the component has no weights: load it from a folder")
        ends = [*unit_ends(doc.text), len(doc.text)]
        units: list[list[Any]] = [[]]
        for token in doc:
            while token.idx >= ends[len(units) - 1]:
                units.append([])
            if not token.is_space:
                units[-1].append(token)
        units = [unit for unit in units if unit]
        words = [[token.text for token in unit] for unit in units]
        spans: list[Span] = []
        for number, kept in self._model.find(words, self._floors):
            unit = units[number]
            spans += [Span(doc, unit[n.first].i, unit[n.last].i + 1, label=n.entity) for n in kept]
        doc.ents = spans
        return doc

    def to_disk(self, path: Path, **_: Any) -> None:
        path.mkdir(parents=True, exist_ok=True)
        (path / "weights.npz").write_bytes(self._data)

    def from_disk(self, path: Path, **_: Any) -> "Names":
        self._model = read_model(path)
        self._data = (path / "weights.npz").read_bytes()
        return self
