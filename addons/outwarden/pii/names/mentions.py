"""A second look: what a text names in full it often names by a part later ("Jane Roe … Roe", "Ms. Roe").

The model judges each unit by itself and misses some of these. Only what stands before, or in the same unit, counts, so
that a text that arrives in pieces gives the same. A first name alone is mentioned again as well ("Present: Ivy … Ivy
remains"). A part that is a word as well ("Grant") counts after a title, behind a word that people are behind ("from
Mark"), and where somebody is something ("Will is 77").
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from outwarden.pii.finder import Span, is_taken
from outwarden.pii.names.eponyms import is_eponym
from outwarden.pii.names.lists import Lists
from outwarden.pii.names.words import WORD

# How sure the model must be of a full name before its parts are looked for.
FULL_NAME_SCORE = 0.8
# A text with more parts of names than this is a list of people, who are not mentioned again.
PARTS_MAX = 1000
PART_CHARACTERS_MIN = 3
# What has more words is often a restaurant or a title of something, and its parts are anything.
NAME_WORDS_MAX = 3
_TITLE = re.compile(r"(?i)\b(?:mr|mrs|ms|miss|mx|dr|prof|professor|sir|madam|nurse|officer|judge|coach)\.?[ \t]+\Z")
_TITLE_CHARACTERS = 12
_PERSON_BEFORE = re.compile(
    r"(?<![A-Z.!?:;])[ ](?:from|with|w/|by|told|asked|per|for|to|and|&|says|said|informed)[ ]\Z"
)
_PERSON_AFTER = re.compile(
    r"[ ](?:is|was|has|had|remains|reports|reported|denies|states|stated|says|said|feels|lives)[ ]"
)
# Ends of names that are no names by themselves.
_NO_PART = frozenset({"jr", "sr", "phd", "esq"})


class Mentions:
    """The parts of the names that one text gave in full so far."""

    __slots__ = ("_lists", "_parts")

    def __init__(self, lists: Lists) -> None:
        """``lists`` tell which parts are first names, and which may as well mean something else."""
        self._lists = lists
        self._parts: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"<Mentions of {len(self._parts)} parts>"

    def in_unit(self, unit: str, found: Sequence[Span]) -> list[Span]:
        """Learn from what was ``found`` in a unit; return what is mentioned in it besides."""
        for span in found:
            if span.entity == "PERSON" and span.score >= FULL_NAME_SCORE:
                self._learn(unit[span.start : span.end], span.score)
        if not self._parts or self._parts.keys().isdisjoint(WORD.findall(unit)):
            return []
        return list(self._besides(unit, found))

    def _learn(self, name: str, score: float) -> None:
        words = WORD.findall(name)
        parts = sum(map(str.isalpha, words))
        if parts == 1 and not (name.istitle() and self._lists.is_first_name(name) and not self._lists.is_word(name)):
            return
        if not 0 < parts <= NAME_WORDS_MAX or len(self._parts) >= PARTS_MAX:
            return
        capitals = name.isupper()
        for word in words:
            if len(word) < PART_CHARACTERS_MIN or not word[0].isupper() or word.lower() in _NO_PART:
                continue
            if capitals:
                self._parts.setdefault(word.title(), score)
            if capitals or not word.isupper():  # "ROS Noetic" is a product
                self._parts.setdefault(word, score)

    def _besides(self, unit: str, found: Iterable[Span]) -> Iterator[Span]:
        for word in WORD.finditer(unit):  # an address, a handle or a path is one word, so no part of it is a name
            score = self._parts.get(word[0])
            if score is None or is_taken(found, word.start(), word.end()):
                continue
            if not is_eponym(unit, *word.span()) and (not self._lists.is_word(word[0]) or _is_told(unit, *word.span())):
                yield Span(word.start(), word.end(), "PERSON", score)


def _is_told(unit: str, start: int, end: int) -> bool:
    """Whether what stands around says that a word is somebody."""
    before = max(0, start - _TITLE_CHARACTERS)
    if _TITLE.search(unit, before, start):
        return True
    if start == 0:
        return _PERSON_AFTER.match(unit, end) is not None
    return _PERSON_BEFORE.search(unit, before, start) is not None
