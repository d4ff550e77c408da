"""What ``content.yml`` says, checked and frozen."""

from dataclasses import dataclass
from typing import Literal

ContentAction = Literal["refuse", "flag"]
ContentDirection = Literal["request", "response", "both"]


@dataclass(frozen=True, slots=True)
class ContentRule:
    """A pattern (RE2 syntax, so linear in time) and what is done with a text in which it is found."""

    name: str
    pattern: str
    direction: ContentDirection = "both"
    action: ContentAction = "refuse"


@dataclass(frozen=True, slots=True)
class ContentRules:
    """``content.yml`` as a whole; ``canaries`` are words that must never pass, in either direction."""

    rules: tuple[ContentRule, ...] = ()
    canaries: tuple[str, ...] = ()
