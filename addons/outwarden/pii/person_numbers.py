"""US social security and tax numbers: found by their groups, or by the words before them."""

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
from outwarden.pii.record_numbers import RECORD_WORDS

SSN_WORDS = Context(
    r"ssn|ss ?#|social.?security|soc\.? ?sec|social(?: (?:number|no|is)\b|:| ?#)|itin\b|tax.?(?:payer )?id|tin\b"
)
_HYPHEN = r"[\-\x{2010}-\x{2013}]"
_SPACE = r"[ \x{A0}]"
_SSN_GROUPS = EDGE + (
    rf"(?:\d{{3}}{_HYPHEN}\d{{2}}{_HYPHEN}\d{{4}}|\d{{3}}{_SPACE}\d{{2}}{_SPACE}\d{{4}}|\d{{3}}\.\d{{2}}\.\d{{4}})"
)
_SSN_SOLID = EDGE + r"\d{9}"


def is_valid_area(digits: str) -> bool:
    """Whether the parts are in the ranges ever issued (stdnum refuses a few published numbers as well: we do not)."""
    return digits[:3] not in ("000", "666") and digits[0] != "9" and digits[3:5] != "00" and digits[5:] != "0000"


# What is sold and stored has numbers of any form.
_THINGS = Context(
    r"(?:part|parts|item|stock|spare|article|catalog(?:ue)?|model|serial|sku|product|tooling|drawing|material|bin|lot|batch)"
    r"[ _\-]?(?:part )?(?:no\b|numbers?|nos\b|num|code|id\b|#)|p/?n\b|sku\b"
    r"|(?:item|part|gasket|bearing|seal kit|valve|housing) (?:#|\d)"
)
_PERSONS = Context(r"patient|employee|member|applicant|taxpayer|customer|born|dob\b|name")


def is_of_a_thing(text: str, start: int) -> bool:
    """Whether words before a number say that it is a part's or an article's, and none that it is a person's."""
    return _THINGS.before(text, start) and not SSN_WORDS.before(text, start) and not _PERSONS.before(text, start)


def _check_ssn(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    tied = joined_after(text, end, "-. ", more)
    if tied is None:
        return UNDECIDED
    if text[end : end + 1].isdecimal() or word_before(text, start):
        return None
    if is_of_a_thing(text, start):
        return None
    valid = is_valid_area(digits_of(text[start:end]))
    if valid and text[start + 3] != "." and not word_after(text, end) and not _in_a_row(text, start, end, tied):
        unsure = text[start + 3].isspace() or (RECORD_WORDS.before(text, start) and not SSN_WORDS.before(text, start))
        return Verdict(start, end, 0.6 if unsure else 0.85)
    return Verdict(start, end, 0.6) if SSN_WORDS.before(text, start) else None


def _in_a_row(text: str, start: int, end: int, tied: bool) -> bool:
    """Whether the number is part of a longer row of groups: 2024-281-44-0067, 12 281 44 0067 99."""
    before = joined_before(text, start, "-. ") and text[start - 2].isdigit()
    return before or (tied and text[end + 1].isdigit()) or (tied and text[end] == "-")


def _check_solid_ssn(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    if word_before(text, start) or word_after(text, end):
        return None
    return Verdict(start, end, 0.8 if is_valid_area(text[start:end]) else 0.6)


RECOGNIZERS = (
    Recognizer("US_SSN", _SSN_GROUPS, _check_ssn, retry=True),
    Recognizer("US_SSN", _SSN_SOLID, _check_solid_ssn, near=SSN_WORDS),
)
