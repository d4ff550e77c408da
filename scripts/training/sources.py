"""Read the labelled sets: one JSON object a line with ``text`` and ``spans``, offsets in code points."""

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Span(NamedTuple):
    """``text[start:end]`` is an ``entity``."""

    start: int
    end: int
    entity: str


class Example(NamedTuple):
    """A text and its spans."""

    text: str
    spans: tuple[Span, ...]

    def followed_by(self, between: str, other: "Example") -> "Example":
        """Join two texts."""
        offset = len(self.text) + len(between)
        moved = tuple(span._replace(start=span.start + offset, end=span.end + offset) for span in other.spans)
        return Example(self.text + between + other.text, self.spans + moved)


_ENTITIES = {"PERSON": "PERSON", "LOCATION": "LOCATION", "ORG": "ORGANIZATION", "GROUP": "ORGANIZATION"}
# The filings label the parties of a contract as persons.
_ROLES = re.compile(
    r"(?i)(the )?(lender|borrower|buyer|seller|company|executive|employee|tenant|landlord|guarantor|licensee|licensor|"
    r"agent|bank|purchaser|contractor|consultant|holder|shareholder|investor|director|officer|lessee|lessor|subsidiary|parent|"
    r"party|parties|client|customer|you|he|she|i|my|mom|dad|mother|father|user|mr\.?|mrs\.?|ms\.?|dr\.?)s?"
)
_TITLE = re.compile(
    r"(?i)(?:mr|mrs|ms|miss|dr|prof|professor|sir|manager|director|teacher|uncle|aunt|doctor|coach|president)\.? "
)


def read_set(folder: Path, name: str) -> list[Example]:
    """Read a set of the folder. Raises FileNotFoundError."""
    path = folder / f"{name}.jsonl.gz"
    if path.exists():
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return [_example(line) for line in file]
    with (folder / f"{name}.jsonl").open(encoding="utf-8") as file:
        return [_example(line) for line in file]


def _example(line: str) -> Example:
    told = json.loads(line)
    spans = []
    for span in told["spans"]:
        entity = _ENTITIES.get(span["type"])
        if span["text"].startswith("@") or told["text"][: span["start"]].endswith("@"):
            continue  # a handle is no name: `@dataclass` is none either
        if entity == "PERSON" and _ROLES.fullmatch(span["text"]):
            continue
        if entity:
            spans.append(Span(span["start"], span["end"], entity))
    return Example(told["text"], tuple(sorted(spans)))


def without_titles(example: Example) -> Example:
    """Let a span begin after "Manager", "Mr."; the sets differ in this, and a name is what must go."""
    spans = []
    for span in example.spans:
        title = _TITLE.match(example.text, span.start, span.end) if span.entity == "PERSON" else None
        spans.append(span._replace(start=title.end()) if title and title.end() < span.end else span)
    return Example(example.text, tuple(spans))


def held_out(example: Example, share: float) -> bool:
    """Whether a text belongs to the part that is never trained on; the same for the same text, always."""
    return zlib.crc32(example.text.encode("utf-8", "surrogatepass")) % 1000 < share * 1000


def paragraphs(example: Example, characters: int = 700) -> Iterator[Example]:
    """Cut a long text at line ends outside spans."""
    cuts = [0]
    for found in re.finditer(r"\n+", example.text):
        at = found.end()
        if at - cuts[-1] >= characters * 0.4 and not any(s.start < at < s.end for s in example.spans):
            cuts.append(at)
    for start, end in zip(cuts, [*cuts[1:], len(example.text)], strict=True):
        inside = (s for s in example.spans if start <= s.start and s.end <= end)
        yield Example(
            example.text[start:end], tuple(s._replace(start=s.start - start, end=s.end - start) for s in inside)
        )
