"""Names of persons, places and organisations: what no pattern finds, found by a model that reads prose.

``words`` cuts texts, ``prose`` chooses what is looked at, ``records`` reads segments of HL7, ``gate`` chooses what is
worth reading; ``features`` and ``network`` are the bundled model (also a spaCy ``pipeline``, but read without spaCy);
``packages`` reads with any spaCy pipeline instead.
"""

from dataclasses import replace

from outwarden.pii.names.finder import NameFinder, Reader
from outwarden.pii.names.model import bundled
from outwarden.pii.names.packages import ByLanguage, ModelError, SpacyReader, stop_words
from outwarden.pii.names.reader import NetworkReader
from outwarden.pii.policy import NerModel, NerPolicy, PiiPolicy

__all__ = ["ModelError", "NameFinder", "finders_for", "reader_of"]


def finders_for(policy: PiiPolicy) -> tuple[NameFinder, ...]:
    """What looks for names under ``policy``: nothing, or one finder. Raises ModelError."""
    ner = policy.ner
    if ner is None:
        return ()
    wanted = ner.entities if policy.entities is None else ner.entities & policy.entities
    if not wanted:
        return ()
    ner = replace(ner, entities=wanted)
    reader = reader_of(ner.model, ner)
    if not ner.languages:
        return (NameFinder(reader),)
    first = reader.language if isinstance(reader, SpacyReader) else "en"
    others = {language: reader_of(model, ner, language) for language, model in ner.languages.items()}
    return (NameFinder(ByLanguage({first: reader} | others)),)


def reader_of(model: NerModel, ner: NerPolicy, language: str = "") -> Reader:
    """Load one model, for ``language`` (any, if empty). Raises ModelError."""
    if language:
        stop_words(language)
    if not model.bundled:
        if model.score < ner.min_score:
            raise ModelError("its score is below min_score, so nothing it finds would count")
        return SpacyReader(model.model, model.labels, model.score, ner.entities)
    if language not in ("", "en"):
        raise ModelError("the bundled model reads English only")
    return NetworkReader(bundled(), dict.fromkeys(sorted(ner.entities), ner.min_score))
