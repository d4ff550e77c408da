"""The bundled model is a spaCy pipeline, with the same findings."""

import pytest

from outwarden.pii import Allowance, NerPolicy, PiiPolicy, finders_for
from outwarden.pii.names.model import FOLDER

spacy = pytest.importorskip("spacy")
pipeline = pytest.importorskip("outwarden.pii.names.pipeline")

TEXTS = [
    "Please book a table for Marta Kowalczyk and Femi Adebayo in Lisbon.",
    "Dr. Lindqvist called.  He is back!\nThanks,\nSiobhan O'Leary",
    "",
    "  \n\n ",
    "nothing here",
]


def test_spacy_loads_it_and_finds_the_same() -> None:
    """By `spacy.load` of its folder; in an installed package the entry points register what it is made of."""
    assert pipeline.FACTORY == "outwarden_names"
    nlp = spacy.load(FOLDER)
    entities = frozenset({"PERSON", "LOCATION", "ORGANIZATION"})
    (finder,) = finders_for(PiiPolicy(ner=NerPolicy(entities=entities)))

    for text, spans in zip(TEXTS, finder.find(TEXTS, Allowance()), strict=True):
        doc = nlp(text)
        assert doc.text == text
        assert [(e.start_char, e.end_char, e.label_) for e in doc.ents] == [(s.start, s.end, s.entity) for s in spans]


def test_a_component_without_weights_is_an_error() -> None:
    """It does not find nothing in silence."""
    nlp = spacy.blank("en")
    nlp.add_pipe(pipeline.FACTORY)

    with pytest.raises(ValueError, match="no weights"):
        nlp("Ask Marta.")
