"""A text with what is personal in it marked, in the form of the sets that `scripts/evaluate` reads."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Invented:
    """``text[start:end]`` is the value of ``entity``; no ``entity``: nothing in it is personal."""

    text: str
    category: str
    entity: str = ""
    start: int = 0
    end: int = 0

    def as_record(self) -> dict[str, Any]:
        """The record of a labelled set."""
        span = {"start": self.start, "end": self.end, "type": self.entity, "text": self.text[self.start : self.end]}
        return {
            "text": self.text,
            "spans": [span] if self.entity else [],
            "category": self.category,
            "polarity": "pos" if self.entity else "neg",
        }


def fill(frame: str, value: str, entity: str, category: str) -> Invented:
    """Put ``value`` where the frame has {v}; doubled braces stand for one."""
    before, _, after = (part.replace("{{", "{").replace("}}", "}") for part in frame.partition("{v}"))
    return Invented(before + value + after, category, entity, len(before), len(before) + len(value))
