"""What ``pii.yml`` says, checked and frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

Action = Literal["mask", "pseudonymize", "surrogate", "hash", "refuse", "flag", "allow"]
Direction = Literal["request", "response"]
NAME_ENTITIES = ("PERSON", "LOCATION", "ORGANIZATION")
"""What a model finds and no pattern does."""
RESERVED_ENTITIES = ("EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IP_ADDRESS")
"""What has values that are kept for examples and tests (`reserved`)."""
STRICTNESS: Mapping[Action, int] = {
    "allow": 0,
    "flag": 1,
    "surrogate": 2,
    "pseudonymize": 2,
    "hash": 3,
    "mask": 4,
    "refuse": 5,
}
"""Where two actions could be meant (findings that overlap, a text in two fields), the stricter one holds."""


@dataclass(frozen=True, slots=True)
class CustomEntity:
    """A pattern of the user's own (RE2 syntax, so linear in time); its examples were checked at load."""

    entity: str
    pattern: str
    context: tuple[str, ...] = ()
    match: tuple[str, ...] = ()
    no_match: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """Values that are always found, as ``entity``, whatever else the policy says.

    A value is exact text in any case, an RE2 pattern after ``re:``, or ``sha256:HEX/LENGTH`` (`listed.hash_of`).
    """

    entity: str
    values: tuple[str, ...] = field(repr=False)
    match: tuple[str, ...] = field(default=(), repr=False)
    no_match: tuple[str, ...] = field(default=(), repr=False)


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


class Decision(NamedTuple):
    """What is done with a finding, and which rule says so (``request: PERSON``, ``:12, for, request: default``)."""

    action: Action
    rule: str


@dataclass(frozen=True)
class ForRule:
    """Other actions for some callers, some fields of the body (`wire.fields`), or both.

    ``who``: field of the caller -> patterns (``*``), one of which must match; empty: everybody. ``fields``: empty: all.
    ``line`` is where it stands in the file, for people.
    """

    who: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fields: frozenset[str] = frozenset()
    request: Mapping[str, Action] = field(default_factory=dict)
    response: Mapping[str, Action] = field(default_factory=dict)
    line: int = field(default=0, compare=False)

    def is_for(self, caller: Mapping[str, str | None]) -> bool:
        """Whether the rule is for this caller."""
        return all(_is_one_of(caller.get(name), patterns) for name, patterns in self.who.items())


def _is_one_of(value: str | None, patterns: tuple[str, ...]) -> bool:
    return value is not None and any(fnmatchcase(value, pattern) for pattern in patterns)


@dataclass(frozen=True)
class PiiPolicy:
    """Which entities are looked for and what is done with each; ``default`` covers the entities not named.

    ``special``: the first that is for the caller and the field, and says something of the entity, decides.
    ``placeholders``: what the placeholders of an entity are called instead. ``find_reserved``: the entities whose
    reserved values count as any other.
    """

    request: Mapping[str, Action] = field(default_factory=lambda: {"default": "pseudonymize"})
    response: Mapping[str, Action] = field(default_factory=lambda: {"default": "mask"})
    special: tuple[ForRule, ...] = ()
    restore: bool = True
    entities: frozenset[str] | None = None  # None: all
    countries: frozenset[str] | None = None  # whose national numbers are looked for; None: all
    ner: NerPolicy | None = None  # None: off
    custom: tuple[CustomEntity, ...] = ()
    always: tuple[Listed, ...] = ()
    allow: tuple[str, ...] = field(default=(), repr=False)  # exact values, RE2 patterns ("re:"), hashes ("sha256:")
    placeholders: Mapping[str, str] = field(default_factory=dict)
    find_reserved: frozenset[str] = frozenset()

    def for_caller(self, caller: Mapping[str, str | None]) -> "PiiPolicy":
        """The policy of one caller: special rules for others are left out."""
        special = tuple(replace(rule, who={}) for rule in self.special if rule.is_for(caller))
        return self if special == self.special else replace(self, special=special)

    def by_field(self, direction: Direction) -> bool:
        """Whether it matters in which field of the body a finding stands."""
        return any(rule.fields and getattr(rule, direction) for rule in self.special)

    def decision(self, entity: str, direction: Direction, fields: frozenset[str] = frozenset()) -> Decision:
        """What is done with ``entity`` in ``direction``, in a text that stands in ``fields``; in two, the stricter.

        The policy must be that of a caller (`for_caller`) for rules with ``who`` to count.
        """
        said = (self._decision(entity, direction, name) for name in sorted(fields) or ("",))
        return max(said, key=lambda decision: STRICTNESS[decision.action])

    def action(self, entity: str, direction: Direction) -> Action:
        """What is done with ``entity`` in ``direction``, where neither caller nor field matters."""
        return self._decision(entity, direction, "").action

    def _decision(self, entity: str, direction: Direction, field_name: str) -> Decision:
        for rule in self.special:
            if rule.who or (rule.fields and field_name not in rule.fields):
                continue
            if (found := _find(getattr(rule, direction), entity)) is not None:
                return Decision(found[1], f":{rule.line}, for, {direction}: {found[0]}")
        table = self.request if direction == "request" else self.response
        name, action = _find(table, entity) or ("default", "mask")
        return Decision(action, f", {direction}: {name}")


def _find(table: Mapping[str, Action], entity: str) -> tuple[str, Action] | None:
    name = entity if entity in table else "default"
    return (name, table[name]) if name in table else None
