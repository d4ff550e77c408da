"""How old somebody is: "34 years old", "aged 34", "im Alter von 34 Jahren".

An age alone tells nobody from others, and without it many questions cannot be answered; so ages are looked for only
where a rule names AGE.
"""

import re

from outwarden.pii.recognizer import EDGE, Context, Recognizer, Verdict, skip_edge, word_after, word_before

_SCORE = 0.7
_MONTHS_MAX, _YEARS_MAX = 300, 125  # the oldest people on record became 122
_BEHIND = (
    EDGE
    + r"\d{1,3}(?: ?-? ?(?i:years?|yrs?|months?|mos?)[ \-]old\b| ?(?i:y\.?/?o\.?)\b"
    + r"| (?i:years? of age)\b| ?(?i:jahre (?:alt|jung))\b|-?(?i:jährige[rnsm]?)\b| (?i:años de edad)\b"
    + r"| (?i:anni d'età)\b| (?i:jaar oud)\b)"
)
_NUMBER = EDGE + r"\d{1,3}"
# The word, and what may stand between it and the number.
_WORDS = Context(
    r"aged?\b|age of|im alter|alter\b|âgée? de|age[es]? de|édad|edad|età|leeftijd|idade|ålder", wide=r"âg[ée]|ålder"
)
_RIGHT_BEFORE = re.compile(
    r"(?<![^\W_])(?:ages?|aged|alter|im alter von|âgée? de|âge|edad|età|leeftijd|idade|ålder|age of|(?:at )?the age of)"
    r"(?:[_ ]?(?:in[_ ]?)?(?:years|jahren)\b)?[\"']?(?: is| was| ist|:| =|=| -|\s)?\s{0,2}[:=\"'(]{0,2}\s?\Z",
    re.IGNORECASE,
)
_RIGHT_BEFORE_WIDTH = 40
_VALUE = re.compile(r"\d+")
_MORE = re.compile(
    r"[.,:/\-]\d|[ ]?(?:%|px|ms\b|s\b|kb\b|mb\b|days?\b|hours?\b|minutes?\b|seconds?\b|tage\b|stunden\b)", re.IGNORECASE
)


def _check_behind(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    found = _VALUE.match(text, start)
    if found is None or word_before(text, start) or word_after(text, end) or text[start - 1 : start] in (".", "-", "/"):
        return None
    months = "mo" in text[found.end() : end].lower()
    return Verdict(start, end, _SCORE) if int(found[0]) <= (_MONTHS_MAX if months else _YEARS_MAX) else None


def _check_named(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    if word_before(text, start) or word_after(text, end) or int(text[start:end]) > _YEARS_MAX:
        return None
    if _MORE.match(text, end) or not _RIGHT_BEFORE.search(text[max(0, start - _RIGHT_BEFORE_WIDTH) : start]):
        return None
    return Verdict(start, end, _SCORE)


RECOGNIZERS = (
    Recognizer("AGE", _BEHIND, _check_behind, whole=True),
    Recognizer("AGE", _NUMBER, _check_named, near=_WORDS, whole=True),
)
