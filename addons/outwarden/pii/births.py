"""Dates of birth behind the word that says so, in any order and form, with anything between their parts.

Days, months and years in figures, words or Roman numerals; fields and parts with their names; figures without a sign
between (`580126`), one to a box, or read for letters by a scanner; weeks and days of a year; a clock's seconds or a
spreadsheet's days since its beginning; the years of Japanese eras.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, permutations
from typing import NamedTuple

from outwarden.pii.date_words import JOINERS, ROMAN, goes_on, is_month, number_of, values_of
from outwarden.pii.folding import Folded, fold
from outwarden.pii.particulars import BIRTH
from outwarden.pii.reading import VIEW
from outwarden.pii.recognizer import Recognizer, Verdict, word_after

ENTITY = "DATE_OF_BIRTH"
_SCORE = 0.8
_BEFORE, _REACH = 48, 150  # code points: up to the first part, and all of it
_LABELS_MAX = 4  # the same word so often again in its reach: the last ones are read
_YEARS, _OTHER_YEARS = range(1890, 2036), (range(1300, 1430), range(2430, 2580))  # Persian and Thai calendars

# --- the text as it is read

_TAG = re.compile(r"</?[A-Za-z](?:(?!value)[^<>]){0,60}>")
_SCANNED = re.compile(r"(?<![^\W_])(?=[OoIlSBZ|]*[0-9])[0-9OoIlSBZ|]{2,8}(?![^\W\d_])")
_FIGURES = str.maketrans("OoIl|SBZ", "00111582")
_MARKS = "\u0900-\u0dff\u0e31\u0e34-\u0e4e"  # parts of letters that are none for `re`
_TOKEN = re.compile(
    rf"(?P<number>[0-9]+)(?:(?:st|nd|rd|th|er|º|ª)(?![^\W\d_]))?|(?P<word>(?:[^\W\d_]|[{_MARKS}])+)|(?P<sign>\s+|.)",
    re.DOTALL,
)


def _plainly(text: str) -> Folded:
    """A text without tags and escapes, with the figures that a scanner took for letters; as long where it has none."""
    read = fold(_TAG.sub(lambda tag: " " * len(tag[0]), text))
    said = _SCANNED.sub(lambda figures: figures[0].translate(_FIGURES), read.text)
    return Folded(said, read.starts, read.ends)


# --- its parts

_BETWEEN = JOINERS | frozenset(
    """
    the of day month year on in is was de del d le la el dia día mes año ano mês tag monat jahr jour mois an année annee giorno
    mese anno der den dag maand jaar m rok roku miesiąc dzień birth dob date slash dash hyphen stroke point dot punkt
    punto comma bindestrich barra tiret then år måned г гг года р року 年 月 日 号 號 년 월 일 tháng năm ngày ปี เดือน วันที่ พ ศ ค
    سنة شهر يوم input name type d y
    uh uhm um er erm ah eh hm hmm so like followed by next wait hang sorry well okay ok yeah äh ähm euh eeh pues bueno tahun bulan tanggal yıl ay gün val value
    """.split()
)
_NAMES_OF_PARTS = re.compile(
    r"(?:day|month|year|tag|monat|jahr|jour|mois|ann[ée]e|d[íi]a|mes|a[ñn]o|giorno|mese|anno|m[êe]s|dag|maand|jaar|年|月)(?![a-z])",
    re.IGNORECASE,
)
_TIE = re.compile(rf"[\s\-]*(?:(?:{'|'.join(sorted(JOINERS))})[\s\-]+)?")
_SIGNS_APART = frozenset("@#")
_ROMAN_WITHIN = 3


class _Part(NamedTuple):
    """A number, or the name of a month (``value`` 0, ``width`` 0) in ``text[start:end]``.

    ``width``: its figures; ``fresh``: something that no date has stands between it and the part before.
    """

    value: int
    width: int
    start: int
    end: int
    fresh: bool


class _Parts:
    """Takes a text apart, token by token."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._values: list[int] = []  # of a number in words that may still go on
        self._start = self._end = 0  # of the last part
        self._fresh = self._broken = True
        self.done: list[_Part] = []
        for token in _TOKEN.finditer(text):
            self._take(token, token[0].lower())
        self._close()

    def _take(self, token: re.Match[str], word: str) -> None:
        if token["number"]:
            self._add(token, int(token["number"][:14]), len(token["number"]))
        elif token["word"] is None:
            self._broken = self._broken or word in _SIGNS_APART
        elif word in _BETWEEN or word.removeprefix("birth") in _BETWEEN:
            pass
        elif is_month(word) or self._is_roman(token, word):
            self._add(token, 0, 0)
        elif values := values_of(word):
            self._say(token, values)
        else:
            self._broken = True

    def _is_roman(self, token: re.Match[str], word: str) -> bool:
        near = not self._broken and 0 < token.start() - self._end <= _ROMAN_WITHIN
        return near and word in ROMAN and (len(word) > 1 or token[0].isupper())

    def _say(self, token: re.Match[str], values: Sequence[int]) -> None:
        tied = bool(self._values) and not self._broken and _TIE.fullmatch(self._text, self._end, token.start())
        if not tied or not goes_on(self._values, values[0]):
            self._close()
            self._start, self._fresh, self._broken = token.start(), self._broken, False
        self._values += values
        self._end = token.end()

    def _add(self, token: re.Match[str], value: int, width: int) -> None:
        self._close()
        self.done.append(_Part(value, width, token.start(), token.end(), self._broken))
        self._end, self._broken = token.end(), False

    def _close(self) -> None:
        if self._values:
            self.done += self._said(*number_of(self._values))
            self._values = []

    def _said(self, value: int, width: int) -> Iterator[_Part]:
        """A number in words; day and month where each figure of both is said by itself."""
        if width == 4 and value not in _YEARS:
            yield _Part(value // 100, 2, self._start, self._end, self._fresh)
            yield _Part(value % 100, 2, self._start, self._end, False)
        elif width == 2 and value > 31:
            yield _Part(value // 10, 1, self._start, self._end, self._fresh)
            yield _Part(value % 10, 1, self._start, self._end, False)
        else:
            yield _Part(value, width or (2 if value < 100 else 4), self._start, self._end, self._fresh)


# --- what is a date

_SIGN = re.compile(r"[^\w]{1,3}|_|\s{1,8}")


def _roles(part: _Part, wide: bool) -> str:
    """Which of d, m, y, and z (a year of two figures) a part may be."""
    if part.width == 0:
        return "m"
    value = part.value
    found = "d" * (1 <= value <= 31 and part.width <= 2) + "m" * (1 <= value <= 12 and part.width <= 2)
    year = value in _YEARS or (wide and any(value in years for years in _OTHER_YEARS))
    return found + "y" * (part.width == 4 and year) + "z" * (part.width == 2)


def _is_date(text: str, three: Sequence[_Part], wide: bool) -> bool:
    """Whether three parts are a day, a month and a year."""
    if any(part.fresh for part in three[1:]):
        return False
    roles = [_roles(part, wide) for part in three]
    if _fits(roles, "dmy"):
        return True
    if not (_fits(roles, "dmz") and ("z" in roles[0] or "z" in roles[2])):
        return False
    gaps = [text[low.end : high.start] for low, high in pairwise(three)]
    named = any(part.width == 0 for part in three) or len(_NAMES_OF_PARTS.findall("".join(gaps))) > 1
    if named or all(text[part.start].isalpha() for part in three):
        return True
    low, high = (gap.strip(" '’").lower() for gap in gaps)
    if "z" not in roles[2] or low != high:
        return False
    signs = _SIGN.fullmatch(gaps[0]) is not None or low in _BETWEEN
    return signs and _LED.fullmatch(text, 0, three[0].start) is not None


def _fits(roles: Sequence[str], wanted: str) -> bool:
    return any(all(role in own for role, own in zip(order, roles, strict=True)) for order in permutations(wanted))


# Figures without a sign between: of four, and of two for the year.
_MONTH, _DAY, _CENTURY = "(?:0[1-9]|1[0-2])", "(?:0[1-9]|[12][0-9]|3[01])", "(?:1[89]|20)[0-9]{2}"
_SOLID = re.compile(
    rf"{_CENTURY}{_MONTH}{_DAY}|{_DAY}{_MONTH}{_CENTURY}|{_MONTH}{_DAY}{_CENTURY}|{_CENTURY}{_DAY}{_MONTH}"
    rf"|[0-9]{{2}}{_MONTH}{_DAY}|{_DAY}{_MONTH}[0-9]{{2}}|{_MONTH}{_DAY}[0-9]{{2}}"
)
_DAY_AND_YEAR = re.compile(
    rf"(?:0?[1-9]|[12][0-9]|3[01])(?:{_CENTURY}|[0-9]{{2}})|{_CENTURY}(?:0?[1-9]|[12][0-9]|3[01])"
)
# What may stand between the label and a number that is no date by its form alone.
_LED = re.compile(
    r"(?:[^\w]|_|\b(?:is|was|am|on|le|il|el|den|op|the|date|number|no|nr|as|es|est|ist|dnia|em|at|ts|ms|s|epoch|unix"
    r"|timestamp|time|serial|excel|value|val|int|raw|utc|iso|day|days|in|file|record|recorded|given|my|her|his|seconds|millis|milliseconds)(?![^\W_]))*",
    re.IGNORECASE,
)
_LED_MAX = 40
_BOXES = re.compile(r"[0-9](?:(?:[^\w\n]{1,8}|[_|\s]{1,8})[0-9]){5,7}(?![0-9])")
_OTHER_FORM = re.compile(
    r"(?P<week>(?:19|20)[0-9]{2}-?W[0-5][0-9](?:-?[1-7])?)|(?P<day>(?:19|20)[0-9]{2}-[0-3][0-9]{2})"
    r"|(?P<clock>-[0-9]{6,13}|[0-9]{8,13})(?:\.0+)?|(?P<serial>[1-4][0-9]{4})(?:\.0+)?",
)
_SECONDS = range(-2_500_000_000, 1_800_000_000)  # 1890 to 2027


def _alone(text: str) -> tuple[int, int] | None:
    """Where a date in one piece stands that begins right behind a label, which is why it is one."""
    led = _LED.match(text, 0, _LED_MAX)
    start = led.end() if led else 0
    if text[start - 1 : start] == "-" and start > 1 and not text[start - 2].isalnum():
        start -= 1  # before 1970
    if (boxes := _BOXES.match(text, start)) and _SOLID.fullmatch("".join(filter(str.isdecimal, boxes[0]))):
        return boxes.span()
    found = _SOLID.match(text, start)
    if found and not text[found.end() : found.end() + 1].isalnum():
        return found.span()
    other = _OTHER_FORM.match(text, start)
    if (
        other is None
        or text[other.end() : other.end() + 1].isalnum()
        or text[other.end() : other.end() + 2][1:].isdecimal()
    ):
        return None
    if clock := other["clock"]:
        value = int(clock)
        if value not in _SECONDS and value // 1000 not in _SECONDS:
            return None
    return other.span()


def read_birth(text: str, start: int, *, wide: bool = False) -> tuple[int, int] | None:
    """Where the date stands that begins within `_BEFORE` of ``start``, the end of a label; ``wide``: not in Latin."""
    read = _plainly(text[start : start + _REACH])
    place = _in_parts(read.text, wide) or _alone(read.text)
    if place is None:
        return None
    low, high = read.span(*place)
    return start + low, start + high


def _in_parts(text: str, wide: bool) -> tuple[int, int] | None:
    parts = _Parts(text).done
    for at, part in enumerate(parts):
        if part.start > _BEFORE:
            break
        if len(three := parts[at : at + 3]) == 3 and _is_date(text, three, wide):
            return three[0].start, three[-1].end
        two = parts[at : at + 2]
        if len(two) == 2 and not two[1].fresh and sorted(one.width == 0 for one in two) == [False, True]:
            figures = next(one for one in two if one.width)
            if figures.width > 2 and _DAY_AND_YEAR.fullmatch(text[figures.start : figures.end]):
                return two[0].start, two[1].end
    return None


def check_birth(text: str, start: int, end: int, more: bool) -> Verdict | None:
    """The date after a label, else the one right before it."""
    if text.count(text[start:end], end, end + _REACH) >= _LABELS_MAX:
        return None
    while text[end - 1].isdecimal():
        end -= 1  # DOB19530225
    end = _word_end(text, end)
    place = read_birth(text, end, wide=not text[start:end].isascii())
    if place is None:
        place = _before(text, start)
    if place is None or word_after(text, place[1]):
        return None
    return Verdict(place[0], place[1], _SCORE, ENTITY)


def _word_end(text: str, end: int) -> int:
    word = _LETTERS.match(text, end)
    return end if word is None else word.end()


_LETTERS = re.compile(r"[^\W\d_]{1,24}")
_DATE_AND_TIE = re.compile(
    r"(?<![\w./\-])(?P<date>[0-9]{1,2}[./\-][0-9]{1,2}[./\-](?:[0-9]{4}|[0-9]{2})|[0-9]{4}[./\-][0-9]{1,2}[./\-][0-9]{1,2}"
    r"|[0-9]{1,2}\.? ?[^\W\d_]{3,10} [0-9]{4})[\"']?(?:</\w{1,10}>)?\s{0,2}(?:[(\[=#*]|//|<!--|<-|is\b|as\b|ist\b|als\b|est\b|es\b|è\b)[\s:]{0,2}"
    r"(?:(?:my|her|his|their|the|your|mein|ihr|sein|mi|su|ma|sa|la|patient'?s?) ){0,2}\Z"
)
_TIED_WITHIN = 40


def _before(text: str, start: int) -> tuple[int, int] | None:
    """Where the date stands of which the label at ``start`` speaks: `12.04.1985 (DOB)`."""
    low = max(0, start - _TIED_WITHIN)
    found = _DATE_AND_TIE.search(text[low:start]) if any(map(str.isdecimal, text[low:start])) else None
    return None if found is None else (low + found.start("date"), low + found.end("date"))


_ERA = r"(?:明治|大正|昭和|平成|令和|民國|民国)\s?(?:元|[0-9]{1,3})\s?年\s?[0-9]{1,2}\s?月\s?[0-9]{1,2}\s?日"


def birth_recognizers(wanted: frozenset[str]) -> list[Recognizer]:
    """All of this file, where dates of birth are in ``wanted``."""
    if ENTITY not in wanted:
        return []
    return [
        Recognizer(VIEW, BIRTH.pattern, check_birth, whole=True),
        Recognizer(ENTITY, _ERA, lambda text, start, end, more: Verdict(start, end, _SCORE), near=BIRTH, whole=True),
    ]
