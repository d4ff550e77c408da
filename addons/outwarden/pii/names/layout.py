"""What is no name by where it stands: cells of one row, a heading in capitals, the name of a disease or a rule.

A row of words with capitals and gaps between them is the head of a table, in whatever language, unless one of them is a known first
name; a line of nothing but capitals is a heading, unless one is a name. What is called after somebody says so: Morbus Parkinson, Euler's identity.
"""

import re
from collections.abc import Iterator

from outwarden.pii.finder import Span
from outwarden.pii.people import FIRST, LAST, is_name

_GAP = re.compile(r"[ \t\xa0]{2,}|\t")
_LABELLED = re.compile(r":[ \t\xa0]{1,8}\Z")
_LABELLED_WIDTH = 9
_WORD = re.compile(r"[^\W\d_]+")
_CAPITALS_MIN = 2  # words
# Of a disease, in the languages that put it first; of a person it says nothing.
_CALLED = re.compile(
    r"\b(?:morbus|choroba|nemoc|boala|sykdom|ziekte van|maladie d[e']|maladie de|enfermedad de|malaltia de|doen[çc]a de|malattia di"
    r"|morbo di|mal de|s[íi]ndrom[ae]? d[ei']|syndrome de|syndrom|zesp[óo][łl]|b[ệe]nh"
    r"|algorit(?:mo|hme|hmus|m) (?:de|di|von)|teorema d[ei]|th[ée]or[èe]me de|satz von|loi de|ley de|legge di|legea lui) ?\Z",
    re.IGNORECASE,
)
_CALLED_WIDTH = 24
_THING = re.compile(
    r"['\u2019]s (?:algorithms?|theorems?|identit(?:y|ies)|lemmas?|conjecture|inequality|equations?|syndrome|disease|palsy|ataxia"
    r"|lymphoma|triangle|paradox|hypothesis|cipher|formula|sieve|razor|criterion|correction|distribution|transform|filter"
    r"|notation|matri(?:x|ces)|polynomials?|modulus|ratio|constant)\b"
)


def columns(unit: str, span: Span) -> Iterator[Span]:
    """Yield ``span``; of one that gaps cut into columns with no known first name those that a colon says something of."""
    said = unit[span.start : span.end]
    if span.entity != "PERSON" or not _is_head(said):
        yield span
        return
    ends = [*_GAP.finditer(said), None]
    at = 0
    for gap in ends:
        end = len(said) if gap is None else gap.start()
        if _LABELLED.search(unit, max(0, span.start + at - _LABELLED_WIDTH), span.start + at):
            yield span._replace(start=span.start + at, end=span.start + end)
        at = len(said) if gap is None else gap.end()


def _is_head(said: str) -> bool:
    words = _WORD.findall(said) if _GAP.search(said) else ()
    return bool(words) and all(word[0].isupper() for word in words) and not any(is_name(word, FIRST) for word in words)


def is_laid_out(unit: str, start: int, end: int) -> bool:
    """Whether ``unit[start:end]`` is the head of columns, a heading, or what somebody's name stands for."""
    said = unit[start:end]
    words = _WORD.findall(said)
    if _CALLED.search(unit, max(0, start - _CALLED_WIDTH), start):
        return True
    if _THING.match(unit, end):
        return len(words) == 1 and not is_name(words[0], FIRST)
    if _GAP.search(said):
        return _is_head(said)
    return _is_heading(unit, said, len(words)) and not any(is_name(word, (*FIRST, *LAST)) for word in words)


def _is_heading(unit: str, said: str, words: int) -> bool:
    return words >= _CAPITALS_MIN and said.isupper() and unit.strip(" \t\r\n#*=-") == said
