"""A reader of prose as a source of findings: which parts it sees, in which portions, for how long."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Protocol

from outwarden.pii.finder import Allowance, Span, is_taken
from outwarden.pii.names.eponyms import is_eponym
from outwarden.pii.names.headed import headed
from outwarden.pii.names.identifiers import is_identifier
from outwarden.pii.names.labels import is_label
from outwarden.pii.names.layout import columns, is_laid_out
from outwarden.pii.names.lists import Lists
from outwarden.pii.names.mentions import Mentions
from outwarden.pii.names.prose import Prose
from outwarden.pii.names.records import names_in, prose_of
from outwarden.pii.names.roles import related
from outwarden.pii.names.titled import titled

# So much is read at once: enough that the work outweighs the start, little enough that a time limit is kept.
BLOCK_CHARACTERS = 6000
# A text of one word may be a key, a tool or a kind of something: it is a name only if the reader is surer than this.
ONE_WORD_SCORE = 0.7
# At most 60 MB, if every text had so many names (a span takes 150 bytes); 3 MB for texts as they are.
SEEN_TEXTS_MAX, SEEN_SPANS_MAX, SEEN_CHARACTERS_MIN = 4096, 100, 200
_LETTERS_MIN = 2  # of a person's name
_AFTER_WORD = ",.!?:\n"


class Reader(Lists, Protocol):
    """Finds names in units of prose, and knows names by lists. Serves all threads."""

    @property
    def entities(self) -> frozenset[str]:
        """The entities it may find."""

    @property
    def version(self) -> bytes:
        """Differs where the findings may."""

    def read(self, units: Sequence[str]) -> list[list[Span]]:
        """Per unit its findings, each unit by itself."""


class NameFinder:
    """Shows the prose of texts to a reader."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._seen = Seen()
        self.entities = reader.entities
        self.version = reader.version

    def __repr__(self) -> str:
        return f"<NameFinder {sorted(self.entities)}>"

    def find(self, texts: Sequence[str], allowance: Allowance) -> list[list[Span]]:
        """Per text its findings. When ``allowance`` runs out, what is not looked at by then has none."""
        known = [self._seen.get(text) for text in texts]
        new = [text for text, spans in zip(texts, known, strict=True) if spans is None]
        found: list[list[Span]] = [[] for _ in new]
        mentions = [self._mentions() for _ in new]
        done = len(new)
        with allowance.running():
            for block in _blocks(new):
                if allowance.is_spent():
                    allowance.missed = True
                    done = block[0][0]  # this one and those behind it are not read to their end
                    break
                self._read(block, found, mentions)
        for text, spans in zip(new[:done], found, strict=False):
            self._seen.put(text, spans)
        rest = iter(found)
        return [next(rest) if spans is None else spans for spans in known]

    def channel(self) -> "_Channel":
        """Open a channel for one text that arrives in pieces."""
        return _Channel(self._read, self._mentions())

    def _mentions(self) -> Mentions:
        return Mentions(self._reader)

    def _read(
        self, block: Sequence[tuple[int, int, str]], found: Sequence[list[Span]], mentions: Sequence[Mentions]
    ) -> None:
        units = [prose_of(said) for _, _, said in block]
        for (number, offset, said), spans in zip(block, self._reader.read(units), strict=True):
            names = [span for whole in spans for span in columns(said, whole) if may_be_name(said, span)]
            if "PERSON" in self.entities and (recorded := names_in(said, self._reader.is_word)):
                names = [*recorded, *(span for span in names if not is_taken(recorded, span.start, span.end))]
            if "PERSON" in self.entities:
                names += titled(said, names, self._reader)
                names += related(said, names, self._reader)
                names += headed(said, names, self._reader)
            for span in (*names, *mentions[number].in_unit(said, names)):
                found[number].append(span._replace(start=span.start + offset, end=span.end + offset))


class Seen:
    """What was found in the texts read last, by their content; keeps no text. Serves all threads.

    A conversation comes back with each turn, and a text that a request holds twice is asked for twice.
    """

    def __init__(self, texts_max: int = SEEN_TEXTS_MAX) -> None:
        self._texts_max = texts_max
        self._secret = secrets.token_bytes(32)  # so that nobody can prepare two texts that look the same
        self._found: OrderedDict[bytes, tuple[Span, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Seen {len(self._found)} texts>"

    def _key(self, text: str) -> bytes:
        return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, key=self._secret).digest()

    def get(self, text: str) -> list[Span] | None:
        """What was found in ``text``, None for a text not seen."""
        if len(text) < SEEN_CHARACTERS_MIN:
            return None
        key = self._key(text)
        with self._lock:
            if (spans := self._found.get(key)) is None:
                return None
            self._found.move_to_end(key)
        return list(spans)

    def put(self, text: str, spans: Sequence[Span]) -> None:
        """Remember what was found in ``text``."""
        if len(text) < SEEN_CHARACTERS_MIN or len(spans) > SEEN_SPANS_MAX:
            return
        key = self._key(text)
        with self._lock:
            self._found[key] = tuple(spans)
            while len(self._found) > self._texts_max:
                self._found.popitem(last=False)


class _Channel:
    """One text, in pieces."""

    def __init__(self, read: "_Read", mentions: Mentions) -> None:
        self._prose = Prose()
        self._read = read
        self._mentions = mentions

    def feed(self, text: str, *, more: bool) -> tuple[int, list[Span]]:
        """Take all text that has not settled; return how much of it settles, and the findings in that."""
        settled, units = self._prose.units(text, more=more)
        block = [(0, unit.start, text[unit.start : unit.end]) for unit in units]
        found: list[Span] = []
        if block:
            self._read(block, [found], [self._mentions])
        return settled, found


class _Read(Protocol):
    def __call__(
        self, block: Sequence[tuple[int, int, str]], found: Sequence[list[Span]], mentions: Sequence[Mentions]
    ) -> None: ...


def _blocks(texts: Sequence[str]) -> Iterator[list[tuple[int, int, str]]]:
    """Cut the prose of all texts into portions of (text's number, offset in it, unit)."""
    block: list[tuple[int, int, str]] = []
    size = 0
    for number, text in enumerate(texts):
        for unit in Prose().units(text, more=False)[1]:
            said = text[unit.start : unit.end]
            block.append((number, unit.start, said))
            size += len(said)
            if size >= BLOCK_CHARACTERS:
                yield block
                block, size = [], 0
    if block:
        yield block


def may_be_name(unit: str, span: Span) -> bool:
    """Whether nothing in ``unit`` says that what a reader found there is something else."""
    value = unit[span.start : span.end]
    if span.entity == "PERSON":
        place = unit, span.start, span.end
        if sum(map(str.isalpha, value)) < _LETTERS_MIN:
            return False
        if is_identifier(*place) or is_label(*place) or is_laid_out(*place) or is_eponym(*place):
            return False
    if len(unit.split(None, 1)) > 1 or unit[-1] in _AFTER_WORD:
        return any(map(str.isalpha, value))
    return span.score >= ONE_WORD_SCORE  # nothing stands around it, not even the end of a line
