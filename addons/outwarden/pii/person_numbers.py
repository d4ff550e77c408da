"""Numbers that an authority gave to one person: US social security numbers and medical record numbers."""

import re

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

SSN_WORDS = Context(
    r"ssn|ss ?#|social.?security|soc\.? ?sec|social(?: (?:number|no|is)\b|:| ?#)|itin|tax.?(?:payer )?id|tin\b"
)
_HYPHEN = r"[\-\x{2010}-\x{2013}]"
_SPACE = r"[ \x{A0}]"
_SSN_GROUPS = EDGE + (
    rf"(?:\d{{3}}{_HYPHEN}\d{{2}}{_HYPHEN}\d{{4}}|\d{{3}}{_SPACE}\d{{2}}{_SPACE}\d{{4}}|\d{{3}}\.\d{{2}}\.\d{{4}})"
)
_SSN_SOLID = EDGE + r"\d{9}"

RECORD_WORDS = Context(
    r"med(?:ical)?\.?.?rec(?:ord)?s?|mrns?(?:\b|_)|m\.r\.n|m\.?r\.? ?#|mr[ ._]no\b|emr\b|ehr\b"
    r"|patient.{0,2}(?:id|no|num|#|record|identifier|file)"
    r"|pt\.?.(?:id|no|num|#)|pat\.?.?(?:id|nr)|chart.{0,2}(?:id|no|num|#|:)|hospital.(?:id|no|num|#)"
    r"|record.(?:id|no|num|#)|unit.(?:no|num|#)|uhid|encounter.{0,2}(?:id|no|num|#|:)|admission.(?:id|no|num|#)"
    r"|visit.(?:id|no|num|#)|accession|patienten.?(?:nr|nummer|id)|fallnummer|dossier.(?:m[ée]dical|patient)"
    r"|historia cl[ií]nica"
)
_GROUPS = r"\d{2}-\d{2}-\d{2}(?:-\d{1,2})?|\d{3}[\- ]\d{2,3}[\- ]\d{3,4}|\d{2}-\d{5,8}"
_RECORD_BODY = rf"(?:[A-Z]{{0,5}}[\-#]?\d{{5,12}}(?:-\d{{1,6}})?[A-Z]?|{_GROUPS})"
# Right after the abbreviation itself four digits will do.
_RECORD = (
    r"(?i)(?:\b|_|\\[nrt])M\.?R\.?(?:N\.?(?:_id\b)?| ?#|[ ._]No\b)"
    r"(?:[ \t:#=\-\"'/]{0,4}|[ _]?(?:no|number|num|is|id|of)\.?[ :#=\-]{1,3}){1,2}"
    rf"(?:[A-Z]{{0,5}}[\-#]?\d{{4,12}}(?:-\d{{1,6}})?[A-Z]?|{_GROUPS})"
)
# MRN-2014231 and MRN2014231 are written so; what stands off from its number is a label.
_RECORD_LABEL = re.compile(
    r"(?i)M\.?R\.?(?:N\.?(?:_id)?| ?#|[ ._]No)(?!-?[A-Z]{0,5}\d)(?:[^A-Z\d]|(?:no|number|num|is|id|of)(?![A-Z\d]))*"
)
_RECORD_NUMBER = EDGE + _RECORD_BODY
# Right after its label a number may stand in any even groups: 335-84-55, 224 7123.
_GROUPED_RECORD = RECORD_WORDS.pattern + (
    r"[ \t:#=\-\"'./\])]{0,5}(?:(?:no|number|num|nr|is|id|of)\b[ \t:#=\-\"'.]{0,4})?"
    r"(?:\d{2,4}(?:-\d{2,4}){1,3}|\d{3,4}[ ]\d{3,4}|\d{2}(?:[ ]\d{2}){2,3})"
)
_GROUPED = re.compile(r"\d{2,4}(?:-\d{2,4}|[ ]\d{2,4})+\Z")
_RECORD_DIGITS_MIN = 6  # in groups; years and pairs of small numbers have fewer
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d\d-\d\d-\d{4}")
# The third field of a message's patient segment is the list of identifiers (HL7 v2, 3.4.2.3).
_HL7 = r"\bPID\|[^|\r\n]{0,8}\|[^|\r\n]{0,40}\|[A-Z]{0,5}-?[0-9][0-9A-Z\-]{3,19}"


def is_valid_area(digits: str) -> bool:
    """Whether the parts are in the ranges ever issued (stdnum refuses a few published numbers as well: we do not)."""
    return digits[:3] not in ("000", "666") and digits[0] != "9" and digits[3:5] != "00" and digits[5:] != "0000"


def _check_ssn(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    tied = joined_after(text, end, "-. ", more)
    if tied is None:
        return UNDECIDED
    if text[end : end + 1].isdecimal() or word_before(text, start):
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


def _check_record(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    tied = joined_after(text, end, "-", more)
    if tied is None:
        return UNDECIDED
    if tied or word_after(text, end):
        return None
    label = _RECORD_LABEL.match(text, start, end)
    return Verdict(start if label is None else label.end(), end, 0.9)


def _check_record_number(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    tied = joined_after(text, end, "-", more)
    if tied is None:
        return UNDECIDED
    if tied or word_before(text, start) or word_after(text, end):
        return None
    return Verdict(start, end, 0.75)


def _check_grouped_record(text: str, start: int, end: int, more: bool) -> Verdict | None:
    tied = joined_after(text, end, "- ", more)
    if tied is None:
        return UNDECIDED
    if word_after(text, end) or (tied and (text[end] == "-" or text[end + 1].isdecimal())):
        return None
    value = _GROUPED.search(text, start, end)
    if value is None or _DATE.fullmatch(value[0]) or len(digits_of(value[0])) < _RECORD_DIGITS_MIN:
        return None
    return Verdict(value.start(), end, 0.9)


def _check_hl7(text: str, start: int, end: int, more: bool) -> Verdict | None:
    if end == len(text) and more:
        return UNDECIDED
    return None if word_after(text, end) else Verdict(text.rindex("|", start, end) + 1, end, 0.9)


RECOGNIZERS = (
    Recognizer("US_SSN", _SSN_GROUPS, _check_ssn, retry=True),
    Recognizer("US_SSN", _SSN_SOLID, _check_solid_ssn, near=SSN_WORDS),
    Recognizer("MEDICAL_RECORD_NUMBER", _RECORD, _check_record),
    Recognizer("MEDICAL_RECORD_NUMBER", _GROUPED_RECORD, _check_grouped_record),
    Recognizer("MEDICAL_RECORD_NUMBER", _HL7, _check_hl7),
    Recognizer("MEDICAL_RECORD_NUMBER", _RECORD_NUMBER, _check_record_number, near=RECORD_WORDS),
)
