"""What ``pii.yml`` says, checked and frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Action = Literal["mask", "pseudonymize", "surrogate", "hash", "refuse", "flag", "allow"]
Direction = Literal["request", "response"]


@dataclass(frozen=True, slots=True)
class CustomEntity:
    """A pattern of the user's own (RE2 syntax, so linear in time); its examples were checked at load."""

    entity: str
    pattern: str
    context: tuple[str, ...] = ()
    match: tuple[str, ...] = ()
    no_match: tuple[str, ...] = ()


@dataclass(frozen=True)
class PiiPolicy:
    """Which entities are looked for and what is done with each; ``default`` covers the entities not named."""

    request: Mapping[str, Action] = field(default_factory=lambda: {"default": "pseudonymize"})
    response: Mapping[str, Action] = field(default_factory=lambda: {"default": "mask"})
    restore: bool = True
    entities: frozenset[str] | None = None  # None: all
    countries: frozenset[str] | None = None  # whose national numbers are looked for; None: all
    custom: tuple[CustomEntity, ...] = ()
    allow: tuple[str, ...] = field(default=(), repr=False)  # exact values, or RE2 patterns after "re:"

    def action(self, entity: str, direction: Direction) -> Action:
        """What is done with ``entity`` in ``direction``."""
        table = self.request if direction == "request" else self.response
        return table.get(entity) or table.get("default", "mask")
