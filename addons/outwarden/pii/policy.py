"""What ``pii.yml`` says, checked and frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Action = Literal["mask", "pseudonymize", "surrogate", "hash", "refuse", "flag", "allow"]
Direction = Literal["request", "response"]
NAME_ENTITIES = ("PERSON", "LOCATION", "ORGANIZATION")
"""What a model finds and no pattern does."""


@dataclass(frozen=True, slots=True)
class CustomEntity:
    """A pattern of the user's own (RE2 syntax, so linear in time); its examples were checked at load."""

    entity: str
    pattern: str
    context: tuple[str, ...] = ()
    match: tuple[str, ...] = ()
    no_match: tuple[str, ...] = ()


SPACY_LABELS: Mapping[str, str] = {
    **dict.fromkeys(("PERSON", "PER", "persName"), "PERSON"),
    **dict.fromkeys(("GPE", "LOC", "LOCATION", "FAC", "placeName", "geogName"), "LOCATION"),
    **dict.fromkeys(("ORG", "ORGANIZATION", "orgName"), "ORGANIZATION"),
}
"""What spaCy's packages call the entities."""


@dataclass(frozen=True)
class NerModel:
    """A spaCy package or the path of a pipeline; which of its labels is which entity, and how sure it counts."""

    model: str
    labels: Mapping[str, str] = field(default_factory=lambda: SPACY_LABELS)
    score: float = 0.85  # spaCy's models tell none; Presidio gives the same

    @property
    def bundled(self) -> bool:
        """Whether it is the model that is part of this package."""
        return self.model == "bundled"


@dataclass(frozen=True)
class NerPolicy:
    """Who looks for names; ``model`` reads every text that ``languages`` (by code) has no other model for."""

    model: NerModel = NerModel("bundled")
    languages: Mapping[str, NerModel] = field(default_factory=dict)
    entities: frozenset[str] = frozenset({"PERSON"})
    min_score: float = 0.5
    budget_ms: int = 2000  # of one call
    on_timeout: Literal["flag", "refuse"] = "flag"


@dataclass(frozen=True)
class PiiPolicy:
    """Which entities are looked for and what is done with each; ``default`` covers the entities not named."""

    request: Mapping[str, Action] = field(default_factory=lambda: {"default": "pseudonymize"})
    response: Mapping[str, Action] = field(default_factory=lambda: {"default": "mask"})
    restore: bool = True
    entities: frozenset[str] | None = None  # None: all
    countries: frozenset[str] | None = None  # whose national numbers are looked for; None: all
    ner: NerPolicy | None = None  # None: off
    custom: tuple[CustomEntity, ...] = ()
    allow: tuple[str, ...] = field(default=(), repr=False)  # exact values, or RE2 patterns after "re:"

    def action(self, entity: str, direction: Direction) -> Action:
        """What is done with ``entity`` in ``direction``."""
        table = self.request if direction == "request" else self.response
        return table.get(entity) or table.get("default", "mask")
