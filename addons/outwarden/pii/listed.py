"""Values that are always found: exact text, patterns, and hashes of values that the rule file should not tell.

A hash says how long its value is, so that of a text only what is that long, between two edges of words, is hashed: at
most once for each word, in time linear in the text. It hides a value from who reads the rules, not from who tries all
values of its kind: a number of six digits is found out in a second.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence

from outwarden.pii.custom import check_entity, check_pattern
from outwarden.pii.finder import Allowance, FinderChannel, Span
from outwarden.pii.policy import Listed
from outwarden.pii.recognizer import Recognizer, Verdict, word_after, word_before
from outwarden.pii.regexp import quoted
from outwarden.pii.syntax import PatternError

HASH = "sha256:"
PATTERN = "re:"
# Shorter values are parts of too many words and numbers (as in `known`).
CHARACTERS_MIN = 4
CHARACTERS_MAX = 256
# Each length is one look at every word of a text: 0.05 µs for a character of prose (2026-12, x86-64).
LENGTHS_MAX = 16
# Exact values of one pattern. RE2 compiles one in about 7 µs and searches for all at once.
_VALUES_PER_PATTERN = 500
_SCORE = 1.0
_HASH = re.compile(r"sha256:([0-9a-f]{64})/([1-9][0-9]{0,2})", re.ASCII)


def hash_of(value: str) -> str:
    """Name a value without telling it: ``sha256:HEX/LENGTH``, the same for any case."""
    folded = value.lower()
    return f"{HASH}{_digest(folded)}/{len(folded)}"


def check_hash(entry: str) -> str | None:
    """Return what is wrong with ``sha256:HEX/LENGTH``, None for nothing."""
    found = _HASH.fullmatch(entry)
    if found is None:
        return "expected sha256:, 64 hex digits, a slash and the value's length, as `outwarden hash` prints it"
    if not CHARACTERS_MIN <= int(found[2]) <= CHARACTERS_MAX:
        return f"a value has {CHARACTERS_MIN} to {CHARACTERS_MAX} characters"
    return None


def listed_recognizers(listed: Listed) -> list[Recognizer]:
    """The recognisers of exact values and patterns. Raises PatternError, with the reason, for what cannot be used."""
    check_entity(listed.entity)
    exact = [value for value in listed.values if not value.startswith((PATTERN, HASH))]
    for value in exact:
        if not CHARACTERS_MIN <= len(value) <= CHARACTERS_MAX or value != value.strip():
            raise PatternError(f"a value has {CHARACTERS_MIN} to {CHARACTERS_MAX} characters, and no space around it")
    patterns = [value.removeprefix(PATTERN) for value in listed.values if value.startswith(PATTERN)]
    for pattern in patterns:
        check_pattern(pattern)
    for value in listed.values:
        if value.startswith(HASH) and (problem := check_hash(value)):
            raise PatternError(problem)
    return [
        *(Recognizer(listed.entity, pattern, _check_exact, retry=True) for pattern in _alternations(exact)),
        *(Recognizer(listed.entity, pattern, _found) for pattern in patterns),
    ]


def _alternations(values: Sequence[str]) -> Iterator[str]:
    """Patterns of the values, the longest first: of two that begin together the longer one is meant."""
    ordered = sorted(set(values), key=lambda value: (-len(value), value))
    for at in range(0, len(ordered), _VALUES_PER_PATTERN):
        yield f"(?i:{'|'.join(map(quoted, ordered[at : at + _VALUES_PER_PATTERN]))})"


def _check_exact(text: str, start: int, end: int, more: bool) -> Verdict | None:
    """No part of a longer word or number is a value."""
    if (text[start].isalnum() and word_before(text, start)) or (text[end - 1].isalnum() and word_after(text, end)):
        return None
    return Verdict(start, end, _SCORE)


def _found(text: str, start: int, end: int, more: bool) -> Verdict:
    return Verdict(start, end, _SCORE)


class HashFinder:
    """Finds the values of which only hashes are known. Serves all threads."""

    def __init__(self, always: Iterable[Listed]) -> None:
        """Raises PatternError for more different lengths than can be looked for."""
        self._entities = {
            found[1]: listed.entity
            for listed in always
            for value in listed.values
            if (found := _HASH.fullmatch(value)) is not None
        }
        lengths = {int(v.rpartition("/")[2]) for one in always for v in one.values if v.startswith(HASH)}
        if len(lengths) > LENGTHS_MAX:
            raise PatternError(f"hashes of values of more than {LENGTHS_MAX} different lengths")
        self._lengths = sorted(lengths, reverse=True)
        self._places = [re.compile(_between_edges(length), re.DOTALL) for length in self._lengths]

    @property
    def entities(self) -> frozenset[str]:
        """The entities it may find."""
        return frozenset(self._entities.values())

    @property
    def version(self) -> bytes:
        """Differs where the findings may."""
        return repr(sorted(self._entities.items())).encode()

    def knows(self, value: str) -> bool:
        """Whether ``value`` is one of them."""
        return bool(self._entities) and _digest(value.lower()) in self._entities

    def find(self, texts: Sequence[str], allowance: Allowance) -> list[list[Span]]:
        """Per text its findings. Takes no time of the allowance: it is short, and what is listed must be found."""
        return [list(self.spans(text)) for text in texts]

    def channel(self) -> FinderChannel:
        """Open a channel for one text that arrives in pieces."""
        return _Channel(self, self._lengths[0])

    def spans(self, text: str, start: int = 0, end: int | None = None) -> Iterator[Span]:
        """The findings in a text that begin from ``start`` on and before ``end``."""
        for place in self._places:
            for found in place.finditer(text, start):
                if end is not None and found.start() >= end:
                    break
                entity = self._entities.get(_digest(found[1].lower()))
                if entity is not None:
                    yield Span(found.start(1), found.end(1), entity, _SCORE)


def _between_edges(length: int) -> str:
    """All texts of ``length`` characters that begin and end with a word; they may overlap."""
    return rf"(?<![^\W_])(?=([^\W_].{{{length - 2}}}[^\W_])(?![^\W_]))"


def _digest(folded: str) -> str:
    return hashlib.sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()


class _Channel:
    """Keeps back what may still be the begin of a value; one character before it tells whether a word begins there."""

    def __init__(self, finder: HashFinder, length: int) -> None:
        self._finder = finder
        self._length = length
        self._before = ""

    def feed(self, text: str, *, more: bool) -> tuple[int, list[Span]]:
        """Take all text that has not settled; return how much of it settles, and the findings that begin in that."""
        settled = max(0, len(text) - self._length) if more else len(text)
        by = len(self._before)
        whole = self._before + text
        found = [
            span._replace(start=span.start - by, end=span.end - by)
            for span in self._finder.spans(whole, by, by + settled)
        ]
        if settled:
            self._before = text[settled - 1]
        return settled, found
