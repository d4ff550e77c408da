"""Telephone numbers: international, North American, national with a trunk 0, and any digits after a phone word.

Phones are the hard structured type: most of what looks like one is an id or a time. So a candidate needs a country
code, the shape of the North American plan, a number that the numbering plans know, or a phone word before it.
"""

import re
from collections.abc import Iterator

from outwarden.pii.numbering import (
    is_assigned,
    is_assigned_with_trunk,
    is_possible,
    is_written_nationally,
    lengths_of,
)
from outwarden.pii.phone_words import PHONE_WORDS, is_called_otherwise
from outwarden.pii.recognizer import (
    EDGE,
    UNDECIDED,
    Context,
    Recognizer,
    Verdict,
    digits_of,
    joined_after,
    joined_before,
    skip_edge,
    word_after,
    word_before,
)
from outwarden.pii.reserved import is_reserved_phone

_DIGITS_MIN, _DIGITS_MAX = 7, 15  # ITU-T E.164; shorter ones exist, on small islands
_GAPS = r"[ .\-/\x{A0}\x{2010}-\x{2013}\x{202F}]"
_GROUP_GAP = r"[ .\-\x{A0}\x{202F}]"
_EXTENSION = r"(?: ?(?:x|ext\.? ?)\d{1,6})?"
_INTERNATIONAL = (
    rf"(?:\(?\+ ?|{EDGE}00 ?|{EDGE}011[ \-])[1-9]\d{{0,2}}\)?(?:{_GAPS}{{0,2}}\(?\d{{1,5}}\)?){{2,7}}{_EXTENSION}"
)
_NANP = rf"(?:{EDGE}1{_GAPS}?)?(?:\([2-9]\d{{2}}\){_GAPS}?|{EDGE}[2-9]\d{{2}}{_GAPS})\d{{3}}{_GAPS}\d{{4}}{_EXTENSION}"
_TRUNK = rf"(?:\(0\d{{1,4}}\)|{EDGE}0\d{{1,4}}){_GAPS}\d{{2,4}}(?:{_GAPS}?\d{{2,5}}){{1,4}}"
_LOOSE = rf"(?:\(|{EDGE})\d(?:[ .\-()/\x{{A0}}]{{0,3}}\d){{5,14}}{_EXTENSION}"

# Digits in groups, as countries write them without a code. That alone is little: tables and versions look like it.
_GROUPED = rf"(?:\(\d{{1,5}}\)|{EDGE}\d{{1,5}}){_GROUP_GAP}\d{{2,8}}(?:{_GROUP_GAP}\d{{1,5}}){{0,4}}"

# Words that say the digits next to them are something else, whatever was said about phones before.
_OTHER = Context(
    r"order|ticket|invoice|tracking|transaction|reference|ref\b|case\b|issue|commit|ports?\b|pid|id\b|uid|req\b|request.?id|session|version"
    r"|error|zip|amount|card|iban|ssn|account|acct|mrn|passport|birth|dob|date|iso|rfc"
    r"|build|batch|reset|limit|max|retr(?:y|ies)|attempts?|offset|epoch|seq(?:uence)?\b|e2e|tests?\b|rows?\b|routed"
)
_OTHER_WIDTH = 16
# Words that say that digits in groups count something.
_COUNTED = Context(
    r"total|income|revenue|sum\b|amount|price|cost|profit|depth|height|width|size|count|value|population|inhabitants"
    r"|bytes|score|rate|volume|weight|quantity|qty|units?\b|budget|assets|balance|tax|fees?\b|net\b|gross"
)
# Right before a number of the North American shape: it is one, but not of a telephone.
_NUMBERED = re.compile(
    r"(?i:\b(?:meeting|webinar|conference|order|invoice|ticket|tracking|serial|part|model|confirmation|case|claim|flight)"
    r"(?:[ _](?:id|no|number|code))?[.:#= ]{0,3})\Z"
)
_NUMBERED_WIDTH = 28
_NAME_WIDTH = 14  # user_phone=
_EXTENSION_START = re.compile("[xe]")
_LINKED = re.compile(r"[#$€£%@/\\]\Z|\d[.,:]\Z")
_DATE = re.compile(
    r"(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./](?:0?[1-9]|[12]\d|3[01])(?!\d)|\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d\d(?!\d)"
)
_GROUPED_DIGITS_MAX = 12
_YEAR_MIN, _YEAR_MAX = 1900, 2100
_BRACKETED = re.compile(r"\(\d|0\d{1,4}\D\d+\D\d")
# Somebody's name right before a number (or their town and such between), or an address of theirs.
_NAME = r"[A-ZÀ-ÞА-ЯΑ-Ω][\w'\u2019\-]+"
_INTRODUCED = re.compile(
    rf"(?<!\w)(?:{_NAME} (?:{_NAME} |[A-Z]\. ?)?{_NAME}|[\w\-]@[\w\-.]+\.\w{{2,24}})[\"']?"
    r"(?:\n[^\n\d]{2,30})?(?: ?[,;:|(\-\u2013\u2014/]|\t|\n|\\n)[ \"']*\Z"
)
_INTRODUCTION_WIDTH = 80
_UNITS = ("%", "°", "$", "€", "£")
_BEHIND = re.compile(r" ?\((?i:m|c|h|w|o|f|mobile|cell|home|work|office|fax|tel|mob|phone|mobil|direct)\)")
_BEHIND_OPEN = re.compile(r" ?(?:\([a-zA-Z]*)?")
_BEHIND_WIDTH = 10
_ZIP = re.compile(r"\d{5}-\d{4}")
_DECIMAL = re.compile(r"\d+\.\d+")
_FRACTION = re.compile(r"\d{1,4}/\d{1,4}")  # 575/570 passed
_YEARS = re.compile(r"(?:19|20)\d\d\D+(?:19|20)\d\d")
_DOTTED = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?!\d)")


def _group_ends(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where the number could end, with how many digits: at ``end``, then after each whole group before it."""
    groups = [group.span() for group in _FIGURES.finditer(text, start, end)]
    groups = [(low, high) for low, high in groups if text[low - 1 : high + 1] != _TRUNK_ZERO]
    count = sum(high - low for low, high in groups)
    yield end, count
    for low, high in reversed(groups):
        if high < start + _DIGITS_MIN:
            return
        if high < end:
            yield high + (text[high] == ")" and "(" in text[start:high]), count
        count -= high - low


_FIGURES = re.compile(r"\d+")
_TRUNK_ZERO = "(0)"  # +44 (0)161 …: dialled within the country only


def _check_international(text: str, start: int, end: int, more: bool) -> Verdict | None:
    bracketed = text[start] == "(" and ")" in text[start : end - 1]  # (+61) 2 1270 9939
    start += text[start] == "(" and not bracketed
    sign = start + bracketed
    if text[sign] != "+":
        start = sign = skip_edge(text, start)
    if text[end : end + 1].isdecimal() or _tied_left(text, start) or word_before(text, start):
        return None
    end -= text[end - 1] == ")" and "(" not in text[start:end]
    possible: int | None = None
    digits = digits_of(text[start:end].replace(_TRUNK_ZERO, ""))
    before = 0 if text[sign] == "+" else 3 if digits.startswith("011") else 2
    lengths: frozenset[int] | None = None  # asked for only if not all of it is the number, as it is most often
    for stop, count in _group_ends(text, start, end):
        if not _DIGITS_MIN <= count - before <= _DIGITS_MAX or (lengths is not None and count - before not in lengths):
            continue
        if lengths is None and stop != end:
            lengths = lengths_of(digits[before:])
            if count - before not in lengths:
                continue
        code = digits[before:count]
        if is_reserved_phone(code):
            return Verdict(start, stop, -0.9)
        if is_assigned(code) and (text[sign : sign + 2] != "+ " or PHONE_WORDS.before(text, start)):
            return Verdict(start, stop, 0.9)
        if possible is None and is_possible(code):
            possible = stop
    plus = text[sign] == "+" and text[sign + 1] != " "  # a sum has a space there
    if possible is not None and (plus or PHONE_WORDS.before(text, start)):
        return Verdict(start, possible, 0.6)
    return Verdict(start, end, 0.5) if plus and PHONE_WORDS.before(text, start) else None


def _tied_left(text: str, start: int) -> bool:
    return start > 0 and (text[start - 1] in "+-./" and start > 1 and text[start - 2].isalnum())


def _check_nanp(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    tied = joined_after(text, end, "-./ ", more)
    if tied is None:
        return UNDECIDED
    if word_before(text, start) or joined_before(text, start, "-./:+") or word_after(text, end):
        return None
    if tied and (text[end] != " " or _in_a_row(text, start, end)):
        return None
    digits = digits_of(_EXTENSION_START.split(text[start:end], maxsplit=1)[0])
    if _NUMBERED.search(text, max(0, start - _NUMBERED_WIDTH), start):
        return None
    if is_reserved_phone(digits):
        return Verdict(start, end, -0.85)
    return Verdict(start, end, 0.85 if is_assigned(digits if len(digits) == 11 else f"1{digits}") else 0.65)


def _is_in_row(text: str, start: int, end: int) -> bool:
    """Whether it is a field of a row: $GPGGA,081836,04223.34492,E."""
    return text[start - 1 : start] == "," or (text[end : end + 1] == "," and text[end + 1 : end + 2].isalnum())


def _in_a_row(text: str, start: int, end: int) -> bool:
    """Whether numbers stand on both sides: 96 192 384 768 1536 3072."""
    return joined_before(text, start, " ") and text[start - 2].isdecimal() and text[end + 1].isdecimal()


def _check_trunk(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    if word_before(text, start) or word_after(text, end) or joined_before(text, start, "-./:+"):
        return None
    if _in_a_sum(text, start):
        return None
    if joined_before(text, start, " ") and text[start - 2].isdecimal():
        return None  # a group of a longer number
    if _DATE.search(text, start, end) or text.count("/", start, end) > 1 or _ZIP.fullmatch(text, start, end):
        return None
    if _DECIMAL.fullmatch(text, start, end) and _is_in_row(text, start, end):
        return None
    return Verdict(start, end, 0.6) if is_assigned_with_trunk(digits_of(text[start:end])) else None


def _check_grouped(text: str, start: int, end: int, more: bool) -> Verdict | None:
    """Judge digits that are grouped as some country does, with a bracket, a trunk 0 or somebody's name before them."""
    start = skip_edge(text, start)
    value = text[start:end]
    if not _DIGITS_MIN <= sum(map(str.isdecimal, value)) <= _GROUPED_DIGITS_MAX:
        return None
    if word_before(text, start) or word_after(text, end) or _in_a_sum(text, start):
        return None
    if joined_before(text, start, "-./:+ ") and (text[start - 1] != " " or text[start - 2].isdecimal()):
        return None
    if _LINKED.search(text, max(0, start - 2), start) or text[end : end + 1] in _UNITS:
        return None
    if _DATE.search(value) or _DOTTED.search(value) or _is_a_span(value) or not is_written_nationally(value):
        return None
    if is_reserved_phone(digits_of(value)) or _OTHER.before(text, start, _OTHER_WIDTH) or _COUNTED.before(text, start):
        return None
    if (tied := joined_after(text, end, "-./: ", more)) is None:
        return UNDECIDED
    if tied and (text[end] != " " or text[end + 1].isdecimal()):
        return None
    if _BRACKETED.match(value) or _INTRODUCED.search(text, max(0, start - _INTRODUCTION_WIDTH), start):
        return Verdict(start, end, 0.55)
    if start == 0 and end == len(text):
        return UNDECIDED if more else Verdict(start, end, 0.5)  # a field of its own
    return _labelled_behind(text, start, end, more)


def _is_a_span(value: str) -> bool:
    """Whether it reads as years or counts from one to another: 1837-1930, 994-1004, 2025 580."""
    if len(groups := re.findall(r"\d+", value)) != 2 or max(map(len, groups)) > 4 or len(groups[0]) < 3:
        return False
    low, high = map(int, groups)
    return low <= high <= _YEAR_MAX or _YEAR_MIN <= low <= _YEAR_MAX


def _labelled_behind(text: str, start: int, end: int, more: bool) -> Verdict | None:
    """281 848 16 (mobile), 281 848 16 (h)."""
    if _BEHIND.match(text, end):
        return Verdict(start, end, 0.55)
    rest = text[end : end + _BEHIND_WIDTH]
    return UNDECIDED if more and len(rest) < _BEHIND_WIDTH and _BEHIND_OPEN.fullmatch(rest) else None


def _check_loose(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    if word_before(text, start) or word_after(text, end) or _in_a_name(text, start, end):
        return None
    if text[start - 1 : start] == "=" and not PHONE_WORDS.before(text, start, _NAME_WIDTH):
        return None
    if _OTHER.before(text, start, _OTHER_WIDTH) or _LINKED.search(text, max(0, start - 2), start):
        return None
    number = text[start:end]
    if number.isdecimal() and is_called_otherwise(text, start, end):
        return None
    if _DATE.search(number) or _DOTTED.search(number) or _YEARS.fullmatch(number) or _FRACTION.fullmatch(number):
        return None
    digits = digits_of(number)
    if len(set(digits)) == 1:
        return None
    if is_reserved_phone(digits):
        return Verdict(start, end, -0.5)
    if number.startswith("(") and ")" not in number:
        start += 1
    return Verdict(start, end, 0.5)


def _in_a_sum(text: str, start: int) -> bool:
    """Whether a comma ties the digits to others: 1,070 341 22."""
    return start > 1 and text[start - 1] == "," and text[start - 2].isdecimal()


def _in_a_name(text: str, start: int, end: int) -> bool:
    """Whether the digits are part of an identifier: tool_caller_20260120, gh-118201, 20260120_param."""
    return text[start - 1 : start] == "_" or text[end : end + 1] == "_" or joined_before(text, start, "-./")


RECOGNIZERS = (
    Recognizer("PHONE_NUMBER", _INTERNATIONAL, _check_international, retry=True, bare=True),
    Recognizer("PHONE_NUMBER", _NANP, _check_nanp, retry=True, bare=True),
    Recognizer("PHONE_NUMBER", _TRUNK, _check_trunk, retry=True, bare=True),
    Recognizer("PHONE_NUMBER", _GROUPED, _check_grouped, retry=True, bare=True),
    Recognizer("PHONE_NUMBER", _LOOSE, _check_loose, retry=True, near=PHONE_WORDS, bare=True),
)
