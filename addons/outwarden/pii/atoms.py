"""A number in pieces with anything between, taken apart: groups of figures and capitals, and what stands between them.

`65/02/08`, `"255" + "05"`, cells, boxes, `717 hang on... 29 er 1524`, `742 (area) 52 (group)`: words in small letters,
names of fields and tags are no part of it. What the groups are together, check digits or a label have to tell.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from outwarden.pii.folding import Folded, fold
from outwarden.pii.tongues import PLAIN_UNITS

ATOMS_MAX, _GAP_MAX, _WORDS_MAX = 40, 48, 6
# A tag says nothing but what its `value` holds; a comment nothing.
_TAG = re.compile(
    r"<!--.{0,60}?-->|</?[A-Za-z][^<>]{0,80}?(?:\bvalue=[\"']?(?P<value>[^\"'<>]{0,40})[^<>]{0,40})?/?>", re.DOTALL
)
_ATOM = re.compile(r"[A-Za-z0-9]+")
_WORD = re.compile(r"[^\W\d_]+")
_FIELD = re.compile(r"[a-z]{1,8}[0-9]{1,2}")  # "part2":
_CAPITALS_MAX = 6  # a longer word in capitals is a word
_CORRECTS = re.compile(
    r"\b(?:no|sorry|wait|scratch|correction|mean|rather|nein|pardon|perdón|non|scusa)\b", re.IGNORECASE
)
# What scanners, and people who hide a number from machines, take for figures.
LIKE = str.maketrans("OoQDIil|ZzEASsGbTBgq", "00001111223455667899")
_LIKE_FIGURES = re.compile(r"(?<![A-Za-z0-9])(?:(?=[A-Za-z|]*[0-9])[0-9OoQDIil|ZzEASsGbTBgq]+|[OIl])(?![A-Za-z0-9])")
_SPACE = re.compile(r"\s+")
# Signs within a number; seams of strings: "a" + "b", "p1": "a", "p2": "b".
_PLAIN_GAP = re.compile(r"[\s.,/_:…·*~=#\\\-\u2010-\u2015]{0,3}")
_SEWN_GAP = re.compile(r"[\s\"'`,+&.|/\-]{1,12}|[\s\"'`,;&]{1,8}[A-Za-z_]{1,20}[0-9]{0,2}[\"']?\s?[:=]\s?[\"']?")
# What somebody says between, whose turn it is, what is put in brackets.
_ASIDE = re.compile(r"\n[> ]{0,4}[^\W\d_][\w .\-]{0,16}: |\([^\W\d_][\w ]{0,16}\)")
_FILLERS = frozenset(
    """
    a after ah also and are ask be but by comma comes dann dash dot eh em er erm euh euhm followed go got ha hang hey hm hmm huh
    hyphen i is it last let like luego mean middle mhm minus moment my next no now oh ok okay on one ones or period plus
    point punkt punto puis rather right scratch second see sign slash so sorry space stroke that the them then there these this
    um uh uhm und underscore up wait well yeah yep yes you know ja äh ähm pues este y et e ensuite virgule tiret barra guion
    ending ends end final finally first beginning begins starts start rest group area serial part trailing blank stop break
    """.split()  # noqa: SIM905 - one text of words reads best
)
_QUOTE = re.compile(r"[\"'`=&]")
_CODE = re.compile(r"[\[\]{}<>|\\\"'`=+*^$@%&]")
ROMANS = re.compile(r"\b(?:N|I{1,3}|IV|VI{0,3}|IX)(?:[ \-./,](?:N|I{1,3}|IV|VI{0,3}|IX)){5,20}\b")
ROMAN = {"N": "0", "I": "1", "II": "2", "III": "3", "IV": "4", "V": "5", "VI": "6", "VII": "7", "VIII": "8", "IX": "9"}


@dataclass(frozen=True, slots=True)
class Atom:
    """A group of figures and capitals (``said``) at ``text[start:end]``, with what stands before it."""

    said: str
    start: int
    end: int
    gap: str
    spoken: bool = False

    @property
    def words(self) -> int:
        """How many words stand before it."""
        return len(_WORD.findall(self.gap))


def plainly(text: str) -> Folded:
    """A text as it is read: without escapes, with spaces for tags and comments."""
    read = fold(text)
    return Folded(_TAG.sub(_blank, read.text), read.starts, read.ends) if "<" in read.text else read


def _blank(tag: re.Match[str]) -> str:
    if tag["value"] is None:
        return " " * len(tag[0])
    low, high = tag.start("value") - tag.start(), tag.end("value") - tag.start()
    return " " * low + tag["value"] + " " * (len(tag[0]) - high)


def atoms(text: str) -> list[Atom]:
    """The groups in a text that `plainly` read."""
    found: list[Atom] = []
    last = 0
    for atom in _ATOM.finditer(text):
        said = _said(atom[0])
        if said is None:
            continue
        gap, spoken = text[last : atom.start()], atom[0].isalpha() and said.isdecimal()
        if spoken and found and found[-1].spoken and gap in (" ", "-"):
            found[-1] = replace(found[-1], said=found[-1].said + said, end=atom.end())
        else:
            found.append(Atom(said, atom.start(), atom.end(), gap, spoken))
        last = atom.end()
        if len(found) == ATOMS_MAX:
            break
    return found


def _said(word: str) -> str | None:
    """What a group of letters and digits is of a number; None: a word between."""
    if any(map(str.isdecimal, word)):
        return None if _FIELD.fullmatch(word) else word.upper()
    if (digit := PLAIN_UNITS.get(word.lower())) is not None:
        return str(digit)
    return word if word.isupper() and len(word) <= _CAPITALS_MAX else None


def is_joined(atom: Atom) -> bool:
    """Whether a group may go on what stands before it."""
    return len(atom.gap) <= _GAP_MAX and atom.words <= _WORDS_MAX


def runs_from(groups: Sequence[Atom], at: int) -> Iterator[Sequence[Atom]]:
    """The rows of groups that begin with one, the shortest first."""
    end = at + 1
    yield groups[at:end]
    while end < len(groups) and is_joined(groups[end]):
        end += 1
        yield groups[at:end]


def without_taken_back(groups: Sequence[Atom]) -> list[Atom]:
    """The groups without those that the next words take back: 062 83 no sorry 49 8532."""
    kept = [low for low, high in pairwise(groups) if not _CORRECTS.search(high.gap)]
    return [*kept, *groups[-1:]]


def is_regular(row: Sequence[Atom]) -> bool:
    """Whether the same stands between all groups, or signs of a number, seams of strings, or words that are said."""
    gaps = {_SPACE.sub(" ", group.gap) for group in row[1:]}
    if (len(gaps) == 1 and len(row) > 2) or all(_PLAIN_GAP.fullmatch(gap) or _is_filler(gap) for gap in gaps):
        return True
    return all(map(_SEWN_GAP.fullmatch, gaps)) and is_sewn(row)


def _is_filler(gap: str) -> bool:
    left, words = _ASIDE.subn(" ", gap)
    said = [word.lower() in _FILLERS for word in _WORD.findall(left)]
    return bool(said or words) and all(said) and _CODE.search(gap) is None


def is_sewn(row: Sequence[Atom]) -> bool:
    """Whether strings or fields of a program stand side by side."""
    return any(_QUOTE.search(group.gap) for group in row[1:])


def joined(row: Sequence[Atom]) -> str:
    """All of a row, without what stands between."""
    return "".join(atom.said for atom in row)


def halved(value: str) -> str:
    """A value of which each character is written twice; else as it stands."""
    return value[::2] if len(value) > 12 and value[::2] == value[1::2] else value


def figured(text: str) -> str:
    """A text with figures for the letters that look like them beside others, and for Roman numerals."""
    return _LIKE_FIGURES.sub(lambda word: word[0].translate(LIKE), ROMANS.sub(_of_romans, text))


def _of_romans(row: re.Match[str]) -> str:
    """As long as they are, so that places stay."""
    return re.sub("[INVX]+", lambda one: ROMAN.get(one[0], one[0]).ljust(len(one[0])), row[0])
