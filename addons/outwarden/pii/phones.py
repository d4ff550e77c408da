"""Telephone numbers: international, North American, national ones with their trunk 0, and any digits after a phone word.

Phones are the hard structured type: most of what looks like one is an id or a time. So a candidate needs a country code,
the shape of the North American plan, a number that the numbering plans know, or a phone word before it.
"""

import re

import phonenumbers

from outwarden.pii.recognizer import (
    EDGE,
    UNDECIDED,
    Recognizer,
    Verdict,
    digits_of,
    has_context,
    joined_after,
    joined_before,
    skip_edge,
    word_after,
    word_before,
    words,
)
from outwarden.pii.reserved import is_reserved_phone

_DIGITS_MAX = 15  # ITU-T E.164
_GAPS = r"[ .\-/\x{A0}\x{2010}-\x{2013}\x{202F}]"
_EXTENSION = r"(?: ?(?:x|ext\.? ?)\d{1,6})?"
_INTERNATIONAL = rf"(?:\+ ?|{EDGE}00 ?|{EDGE}011[ \-])[1-9]\d{{0,2}}(?:{_GAPS}{{0,2}}\(?\d{{1,5}}\)?){{2,7}}{_EXTENSION}"
_NANP = rf"(?:{EDGE}1{_GAPS}?)?(?:\([2-9]\d{{2}}\){_GAPS}?|{EDGE}[2-9]\d{{2}}{_GAPS})\d{{3}}{_GAPS}\d{{4}}{_EXTENSION}"
_TRUNK = rf"(?:\(0\d{{1,4}}\)|{EDGE}0\d{{1,4}}){_GAPS}\d{{2,4}}(?:{_GAPS}?\d{{2,5}}){{1,4}}"
_LOOSE = rf"(?:\(|{EDGE})\d(?:[ .\-()/\x{{A0}}]{{0,2}}\d){{5,14}}{_EXTENSION}"

_STRONG = [r"tele?phone", r"phone", r"tel(?![a-z])", r"mobile", r"mob(?![a-z])", r"cell", r"fax", r"whats ?app", r"sms", r"hotline"]
_STRONG += [r"voice ?mail", r"dial", r"handy", r"telefon", r"t[eé]l[eé]phone", r"tel[eé]fono", r"m[oó]vil", r"celular", r"pager"]
_STRONG += [r"call", r"reach", r"ring (?:me|us|him|her|them)", r"text (?:me|us|him|her|them)", r"contact", r"wechat"]
_WORDS = words([*_STRONG, r"[a-z]*phone", r"[a-z]*_?tel(?![a-z])", r"(?<=_)(?:phone|mobile|cell|fax)"])
_NEEDS = (
    r"(?i)phone|\btel|_tel|mobile|\bmob|cell|fax|whats ?app|sms|hotline|voice ?mail|dial|handy|telefon|t[eé]l[eé]phone"
    r"|tel[eé]fono|m[oó]vil|celular|pager|call|reach|ring (?:me|us|him|her|them)|text (?:me|us|him|her|them)|contact|wechat"
)
# Words that say the digits next to them are something else, whatever was said about phones before.
_OTHER = words(
    [r"order", r"ticket", r"invoice", r"tracking", r"transaction", r"reference", r"ref(?![a-z])", r"case", r"issue", r"commit"]
    + [r"port", r"pid", r"id(?![a-z])", r"req", r"request", r"session", r"version", r"error", r"line", r"code", r"zip", r"amount"]
    + [r"card", r"iban", r"ssn", r"account", r"acct", r"mrn", r"passport", r"birth", r"dob", r"date", r"iso", r"rfc", r"uid"],
)
_OTHER_WIDTH = 16
_LINKED = re.compile(r"[#$€£%@=/\\]\Z|\d[.,:]\Z")
_DATE = re.compile(r"(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./](?:0?[1-9]|[12]\d|3[01])(?!\d)|\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d\d(?!\d)")
_DOTTED = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?!\d)")

# Where a number with a trunk 0 is looked up; the largest plans that write one.
_TRUNK_REGIONS = ("GB", "DE", "FR", "IT", "NL", "AU", "BE", "CH", "AT", "IN", "JP", "SE", "ZA")


def _known(number: str, region: str | None, *, strict: bool) -> bool:
    """Whether the numbering plan knows ``number`` (``strict``: as assigned; else: as of a possible length)."""
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed) if strict else phonenumbers.is_possible_number(parsed)


def _group_ends(text: str, start: int, end: int) -> list[int]:
    """Return where the number could end: after each whole group of digits, the longest first."""
    ends = [at + 1 for at in range(start, end) if text[at].isdigit() and not text[at + 1 : at + 2].isdigit()]
    return [at + (text[at : at + 1] == ")" and "(" in text[start:at]) for at in reversed(ends)]


def _check_international(text: str, start: int, end: int, more: bool) -> Verdict | None:
    if text[start] != "+":
        start = skip_edge(text, start)
    if text[end : end + 1].isdigit() or _tied_left(text, start) or word_before(text, start):
        return None
    context = has_context(text, start, _WORDS)
    possible: int | None = None
    for stop in _group_ends(text, start, end):
        digits = digits_of(text[start:stop])
        code = digits.removeprefix("011") if digits.startswith("011") else digits.removeprefix("00")
        if not 7 <= len(code) <= _DIGITS_MAX:
            continue
        if is_reserved_phone(code):
            return None
        if _known(f"+{code}", None, strict=True):
            return Verdict(start, stop, 0.9)
        if possible is None and (context or _known(f"+{code}", None, strict=False)):
            possible = stop
    plausible = possible is not None and (context or text[start] == "+")
    return Verdict(start, possible, 0.6) if plausible and possible is not None else None


def _tied_left(text: str, start: int) -> bool:
    return start > 0 and (text[start - 1] in "+-./" and start > 1 and text[start - 2].isalnum())


def _check_nanp(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    tied = joined_after(text, end, "-./", more)
    if tied is None:
        return UNDECIDED
    if word_before(text, start) or joined_before(text, start, "-./:+") or text[end : end + 1].isdigit():
        return None
    if tied or word_after(text, end):
        return None
    digits = digits_of(re.split(r"[xe]", text[start:end])[0])
    if is_reserved_phone(digits):
        return None
    context = has_context(text, start, _WORDS)
    known = _known(digits, "US", strict=True)
    return Verdict(start, end, 0.95 if known and context else 0.85 if known else 0.65)


def _check_trunk(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    if word_before(text, start) or word_after(text, end) or joined_before(text, start, "-./:+,"):
        return None
    if _DATE.search(text, start, end):
        return None
    number = text[start:end]
    if any(_known(number, region, strict=True) for region in _TRUNK_REGIONS):
        return Verdict(start, end, 0.6)
    return None


def _check_loose(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    if word_before(text, start) or word_after(text, end) or not has_context(text, start, _WORDS):
        return None
    if has_context(text, start, _OTHER, _OTHER_WIDTH) or _LINKED.search(text, max(0, start - 2), start):
        return None
    number = text[start:end]
    if _DATE.search(number) or _DOTTED.search(number):
        return None
    digits = digits_of(number)
    if is_reserved_phone(digits) or len(set(digits)) == 1:
        return None
    if number.startswith("(") and ")" not in number:
        start += 1
    return Verdict(start, end, 0.5)


RECOGNIZERS = (
    Recognizer("PHONE_NUMBER", _INTERNATIONAL, _check_international, retry=True),
    Recognizer("PHONE_NUMBER", _NANP, _check_nanp, retry=True),
    Recognizer("PHONE_NUMBER", _TRUNK, _check_trunk, retry=True),
    Recognizer("PHONE_NUMBER", _LOOSE, _check_loose, retry=True, needs=_NEEDS),
)
