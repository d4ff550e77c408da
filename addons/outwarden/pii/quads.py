"""Cards in four groups with anything between, near a word for a card; and as they stand on a stripe or a chip.

`4013 [pause] 6018 [pause] …`, `{"q1":"4013","q2":"6018",…,"type":"card"}`, `first four 4013, second four 6018 … on my
card`: the check digit and the issuer tell that the groups are one number.
"""

import re

from outwarden.pii.bank import CARD_WORDS, is_card
from outwarden.pii.page import encode
from outwarden.pii.reading import VIEW
from outwarden.pii.recognizer import Recognizer, Verdict
from outwarden.pii.spelled import is_count

_SCORE = 0.8
_GAP = r"(?![ .\-][0-9])[^\n]{1,28}?"  # groups as usual others look at: a telephone's end is none of them
_QUAD = r"(?<![0-9])[0-9]{4}(?![0-9])"
_QUADS = re.compile(rf"{_QUAD}(?:{_GAP}{_QUAD}){{3}}")
_EACH = re.compile(_QUAD)
# RE2: the first two, with a word or a quotation mark between.
_TWO = r"\b[3-6][0-9]{3}\b[^0-9\n]{0,16}[A-Za-z\"'\])}>][^\n]{0,16}?\b[0-9]{4}\b"
_NEAR = 80


def _check(text: str, start: int, end: int, more: bool) -> Verdict | None:
    found = _QUADS.match(text, start)
    if found is None:
        return None
    digits = "".join(_EACH.findall(found[0])[:4])
    around = encode(text[max(0, start - _NEAR) : found.end() + _NEAR])
    if not is_card(digits) or is_count(digits) or CARD_WORDS.regexp.search(around) is None:
        return None
    return Verdict(start, found.end(), _SCORE, "CREDIT_CARD")


# A card's magnetic stripe and chip: the number with its separator and what follows, or in its field (ISO 7813, EMV).
_TRACK = r"(?:%[Bb]|;|\b)[0-9]{13,19}(?:\^[A-Z ]|[=D][0-9]{4})|5A08[0-9]{16}"
_TRACK_HINT = r"[0-9]\^[A-Z ]|[0-9][=D][0-9]{4}|5A08[0-9]"
_TRACK_DIGITS = re.compile("(?:5A08(?P<field>[0-9]{16})|(?P<stripe>[0-9]{13,19})(?![0-9]))")


def _check_track(text: str, start: int, end: int, more: bool) -> Verdict | None:
    digits = _TRACK_DIGITS.search(text, start, end)
    if digits is None or not is_card(digits[str(digits.lastgroup)]):
        return None
    return Verdict(*digits.span(str(digits.lastgroup)), _SCORE, "CREDIT_CARD")


def quad_recognizers(wanted: frozenset[str]) -> list[Recognizer]:
    """What finds cards in four parts, where they are in ``wanted``."""
    if "CREDIT_CARD" not in wanted:
        return []
    names = frozenset({"CREDIT_CARD"})
    return [
        Recognizer(VIEW, _TWO, _check, whole=True, retry=True, names=names),
        Recognizer(VIEW, _TRACK, _check_track, whole=True, names=names, hint=_TRACK_HINT),
    ]
