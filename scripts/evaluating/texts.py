"""Labelled texts: JSON lines with ``text`` and ``spans`` ({start, end, type}), offsets in code points."""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What sets call our entities. A name that is not here is taken as it is.
ENTITY_OF = {
    "EMAIL": "EMAIL_ADDRESS",
    "PHONE": "PHONE_NUMBER",
    "SSN": "US_SSN",
    "IBAN": "IBAN_CODE",
    "IP": "IP_ADDRESS",
    "MAC": "MAC_ADDRESS",
    "ORG": "ORGANIZATION",
    "ADDRESS": "STREET_ADDRESS",
    "MRN": "MEDICAL_RECORD_NUMBER",
    "SECRET": "API_KEY",
    "DOB": "DATE_OF_BIRTH",
    "CARD": "CREDIT_CARD",
}


@dataclass(frozen=True, slots=True)
class Label:
    """``text[start:end]`` is an ``entity``, in the set's own word for it or ours."""

    start: int
    end: int
    entity: str


@dataclass(frozen=True, slots=True)
class Text:
    """One labelled text; ``harmless``: nothing in it is personal, and it only looks like it."""

    text: str
    labels: tuple[Label, ...]
    category: str
    harmless: bool


def files_in(paths: Iterable[Path]) -> Iterator[Path]:
    """Every file of JSON lines that the paths are or hold."""
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.iterdir() if file.name.endswith((".jsonl", ".jsonl.gz")))
        else:
            yield path


def read_texts(path: Path) -> Iterator[Text]:
    """The texts of one file. Raises ValueError, with the line's number, for what is none."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield as_text(json.loads(line))
                except (KeyError, TypeError, AttributeError, ValueError) as error:
                    raise ValueError(f"{path.name}:{number}: no labelled text ({type(error).__name__})") from None


def as_text(told: dict[str, Any]) -> Text:
    """Read one record. Raises what a wrong one makes it raise."""
    text = told["text"]
    labels = tuple(
        Label(span["start"], span["end"], ENTITY_OF.get(span["type"], span["type"])) for span in told["spans"]
    )
    if any(not 0 <= label.start < label.end <= len(text) for label in labels):
        raise ValueError("a span that is not in its text")
    return Text(text, labels, str(told.get("category") or ""), told.get("polarity") == "neg")
