"""What it takes to recognise one kind of personal data: a pattern for candidates, and a check of each.

A pattern (RE2, so without look-around) only proposes; the check looks at the text around, at check digits and context
words, and answers with a `Verdict`. A check may look back at most `LOOK_BACK` code points; of what follows a candidate
one code point is always known in a stream, and a check that needs more answers `UNDECIDED` while more text may come.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from outwarden.pii.regexp import Regexp

# The entity of a placeholder of ours in a text; it is never scanned and never part of a finding.
PLACEHOLDER = ""

# "A phone word within 40 characters of loose digits": the distance that was measured best on development data.
CONTEXT_WIDTH = 40
# The longest context word, with room to spare.
WORD_WIDTH = 40
# What a stream keeps to the left of its undecided text: the context, a word that ends in it, a boundary before that.
LOOK_BACK = CONTEXT_WIDTH + WORD_WIDTH + 16

# The start of a number or key: a word boundary, an underscore, or an escape that stands in the text as written
# (source code, JSON inside text), where the n of "\n4111" is no letter of a word.
EDGE = r"(?:\b|_|\\[nrtbf]|\\u[0-9A-Fa-f]{4})"
# What may stand between two digits of one number: space, hyphen, their no-break and typographic forms.
GAP = r"[ \-\x{A0}\x{2010}-\x{2013}\x{202F}]"
# Where a context word may begin; user_phone= has one too.
WORD_EDGE = r"(?:\b|_)"

_EDGE_LENGTH = re.compile(r"_|\\[nrtbf]|\\u[0-9A-Fa-f]{4}")
_ESCAPE_BEFORE = re.compile(r"\\(?:[abefnrtv0]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})\Z")
_ESCAPE_WIDTH = 6  # \u0041
# So far before a value's first digit a `bare` match may begin: an escape, a bracket, a plus.
BARE_BEFORE = _ESCAPE_WIDTH + 2
# Scripts that put no space between a word and a number: Thai, Lao, Burmese, Khmer, kana, Han, and Hangul's particles.
_SPACELESS_FROM = "\u0e00"
_SPACELESS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")


class Verdict(NamedTuple):
    """A finding: ``text[start:end]`` with ``score`` (0 to 1), of ``entity`` where it is not its recogniser's.

    With the score 0 it is none, but says where to search on: at ``end``. A score below 0 is that of a reserved value
    (`reserved`), which is none either, unless the policy asks for those too.
    """

    start: int
    end: int
    score: float
    entity: str = ""


UNDECIDED = Verdict(-1, -1, -1.0)

Check = Callable[[str, int, int, bool], "Verdict | list[Verdict] | None"]
"""Judge ``text[start:end]``; the flag says that more text may follow. None: no finding.

A list of several, where reading on for each would cost too much: in rising order, the last says where to search on.
"""


class Context:
    """Words that say what the value after them is: an RE2 alternation, in any case. A word's end is free ("phones")."""

    __slots__ = ("pattern", "regexp", "words")

    def __init__(self, words: str, *, inside: bool = False, wide: str = "") -> None:
        """Compile ``words``; with ``inside`` they count in the middle of a word too. ``wide`` are those that begin with
        a letter outside of ASCII: there RE2 knows no edge of a word.
        """
        self.words = words
        self.pattern = f"(?i){'' if inside else WORD_EDGE}(?:{words})"
        if wide:
            self.pattern += f"|(?i:{wide})"
        self.regexp = Regexp(self.pattern)

    def is_at(self, text: str) -> bool:
        """Whether one of the words begins ``text``."""
        found = self.regexp.search(text.encode("utf-8", "replace"))
        return found is not None and found[0] == 0

    def before(self, text: str, start: int, width: int = CONTEXT_WIDTH) -> bool:
        """Whether one of the words stands within ``width`` code points before ``start``."""
        window = text[max(0, start - width) : start].encode("utf-8", "replace")
        return self.regexp.search(window) is not None


@dataclass(frozen=True, slots=True)
class Sign:
    """What every match of a pattern holds, in another pattern that is searched much faster.

    ``before``: the characters (of ASCII) that may stand in a match before its first sign, ``most`` of them at most;
    with those of ``inside`` no match begins. ``anywhere``: with any other of them one may, whatever stands before it.
    ``edge``: a digit begins none right behind a digit, a letter or an underscore of ASCII.
    """

    pattern: str
    before: bytes
    inside: bytes = b""
    most: int = 64
    anywhere: bool = False
    edge: bool = False


def finding_reserved(check: Check) -> Check:
    """As ``check``, with the reserved values as findings."""

    def judge(text: str, start: int, end: int, more: bool) -> Verdict | list[Verdict] | None:
        verdict = check(text, start, end, more)
        if verdict is None or verdict is UNDECIDED or isinstance(verdict, list) or verdict.score >= 0:
            return verdict
        return verdict._replace(score=-verdict.score)

    return judge


@dataclass(frozen=True, slots=True)
class Recognizer:
    """How to find one kind of value. An entity may have several.

    ``retry``: after a candidate that fails, look again one character later (it may have hidden another one); else
    candidates never overlap. ``near``: only candidates with such a word ending within `CONTEXT_WIDTH` before
    them. ``sign``: look only where one is. ``names``: the entities that its verdicts may name, where it has several.
    ``whole``: only in whole texts: it may begin with any word, and in a stream each would wait for the next. ``hint``:
    what every match holds, short, for the gate to look for: of a long pattern that may begin anywhere it would have to
    remember each beginning, which in base64 costs a thousand times what prose does. ``bare``: a match is the
    value, with no more than an `EDGE` or a sign before it: where only context stands nobody need look for one.
    ``ungated``: the gate does not look for it. It counts, or has a thousand words, so that with all others there would
    be a state for each mixture, and a gate by itself costs what the search does. ``parts``: alternatives of which it
    consists, in their order, where even these are better searched one by one (`Alternatives`).
    """

    entity: str
    pattern: str
    check: Check
    retry: bool = False
    near: Context | None = None
    sign: Sign | None = None
    names: frozenset[str] = frozenset()
    whole: bool = False
    hint: str = ""
    bare: bool = False
    ungated: bool = False
    parts: tuple[str, ...] = ()


def skip_edge(text: str, start: int) -> int:
    """Return where a value proper begins, after what `EDGE` may have taken with it."""
    found = _EDGE_LENGTH.match(text, start)
    return found.end() if found else start


def after_escape(text: str, start: int, end: int) -> int:
    """Return ``start`` moved past letters that belong to an escape: ``\\njohn@...`` begins at the j."""
    backslash = text[start - 1 : start] == "\\"
    if not backslash:
        return start
    for width in range(1, _ESCAPE_WIDTH):
        if start + width <= end and _ESCAPE_BEFORE.fullmatch(text, start - 1, start + width):
            return start + width
    return start


def _is_word(character: str) -> bool:
    return character.isalnum() and (character < _SPACELESS_FROM or _SPACELESS.match(character) is None)


def word_before(text: str, start: int) -> bool:
    """Whether a letter or digit (not the tail of an escape) touches ``start`` from the left."""
    if start == 0 or not _is_word(text[start - 1]):
        return False
    return _ESCAPE_BEFORE.search(text, max(0, start - _ESCAPE_WIDTH), start) is None


def word_after(text: str, end: int) -> bool:
    """Whether a letter or digit touches ``end`` from the right."""
    return end < len(text) and _is_word(text[end])


def joined_before(text: str, start: int, joints: str) -> bool:
    """Whether one of ``joints`` ties the value to a letter or digit before it, as in a UUID or a version."""
    return start >= 2 and text[start - 1] in joints and text[start - 2].isalnum()


def joined_after(text: str, end: int, joints: str, more: bool) -> bool | None:
    """Whether one of ``joints`` ties the value to a letter or digit after it; None while that is not known yet."""
    if end >= len(text) or text[end] not in joints:
        return None if end >= len(text) and more else False
    if end + 1 >= len(text):
        return None if more else False
    return text[end + 1].isalnum()


def digits_of(text: str) -> str:
    """Return the digits in ``text``."""
    return "".join(filter(str.isdecimal, text))
