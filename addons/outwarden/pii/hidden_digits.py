"""Telephone and card numbers that are hidden on purpose: with a letter between any two digits, in circles and boxes, as
codes of characters. Nobody writes amounts so; the numbering plans or the check digit tell the rest, without a label.
"""

import re

from outwarden.pii.bank import is_card
from outwarden.pii.folding import fold
from outwarden.pii.numbering import is_assigned, is_assigned_with_trunk
from outwarden.pii.reading import VIEW
from outwarden.pii.recognizer import Check, Recognizer, Verdict, word_after, word_before
from outwarden.pii.reserved import is_reserved_phone
from outwarden.pii.spelled import is_count

_SCORE = 0.7
_LEAST, _MOST = 9, 19  # digits
# Superscript, subscript, in circles, brackets and boxes, mathematical, braille; keys of a telephone.
_DECORATED = (
    r"[\x{B2}\x{B3}\x{B9}\x{2070}\x{2074}-\x{2079}\x{2080}-\x{2089}\x{2460}-\x{2468}\x{2474}-\x{247C}\x{2488}-\x{2490}"
    r"\x{24EA}\x{24F5}-\x{24FD}\x{24FF}\x{2776}-\x{277E}\x{2780}-\x{2788}\x{278A}-\x{2792}\x{1F100}-\x{1F10C}"
    r"\x{1D7CE}-\x{1D7FF}]"
)
_KEYS = r"[0-9]\x{FE0F}?\x{20E3}"
_ONE = rf"(?:{_DECORATED}|{_KEYS})"
_DECORATED_ROW = rf"{_ONE}(?:[ \-]?{_ONE}){{{_LEAST - 1},{_MOST}}}"
_BETWEEN = rf"\b[0-9](?:[A-Za-z][0-9]){{{_LEAST - 1},{_MOST}}}"
_BETWEEN_HINT = r"[0-9][A-Za-z][0-9][A-Za-z][0-9][A-Za-z][0-9][A-Za-z][0-9][A-Za-z][0-9]"
_NANP = re.compile(r"1?[2-9][0-9]{2}[2-9][0-9]{6}")


def number_of(digits: str) -> str | None:
    """The entity of digits that somebody hid; None: of none."""
    if is_count(digits):
        return None
    if len(digits) > 12 and is_card(digits):
        return "CREDIT_CARD"
    if not _LEAST <= len(digits) <= 15 or is_reserved_phone(digits):
        return None
    national = (_NANP.fullmatch(digits) and is_assigned("1" + digits[-10:])) or is_assigned_with_trunk(digits)
    return "PHONE_NUMBER" if national or (len(digits) > 10 and is_assigned(digits.removeprefix("00"))) else None


def _check_decorated(text: str, start: int, end: int, more: bool) -> Verdict | None:
    digits = "".join(filter(str.isdecimal, fold(text[start:end]).text))
    entity = number_of(digits)
    return Verdict(start, end, _SCORE, entity) if entity else None


def _check_between(text: str, start: int, end: int, more: bool) -> Verdict | None:
    run = text[start:end]
    if len(set(run[1::2].lower())) != 1 or word_before(text, start) or word_after(text, end):
        return None
    entity = number_of(run[::2])
    return Verdict(start, end, _SCORE, entity) if entity else None


def hidden_digit_recognizers(wanted: frozenset[str]) -> list[Recognizer]:
    """What finds hidden numbers, of the entities in ``wanted``."""
    names = wanted & {"PHONE_NUMBER", "CREDIT_CARD"}
    kinds: list[tuple[str, Check, str]] = [
        (_DECORATED_ROW, _check_decorated, rf"{_ONE}[ \-]?{_ONE}[ \-]?{_ONE}"),
        (_BETWEEN, _check_between, _BETWEEN_HINT),
    ]

    def only(verdict: Verdict | list[Verdict] | None) -> Verdict | list[Verdict] | None:
        return verdict if isinstance(verdict, Verdict) and verdict.entity in names else None

    return [
        Recognizer(VIEW, pattern, lambda *of, check=check: only(check(*of)), whole=True, names=names, hint=hint)
        for pattern, check, hint in kinds
        if names
    ]
