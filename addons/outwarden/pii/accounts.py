"""IBANs in pieces with anything between: told over a telephone, in fields and variables, misread by a scanner.

`FR76 blank 3000 blank …`, `D for delta E for echo, 5820 …`, `"cc":"SE","check":"10","bban":"8006…`. The country says
how many characters there are and which of them are digits; the check digits tell whether they are one.
"""

import re
from collections.abc import Sequence

from outwarden.pii.atoms import LIKE, Atom, atoms, is_joined, plainly, without_taken_back
from outwarden.pii.bank import IBAN_DIGITS_ONLY, IBAN_LENGTHS, IBAN_STRUCTURES, passes_mod_97
from outwarden.pii.reading import VIEW
from outwarden.pii.recognizer import Recognizer, Verdict, word_after

_WINDOWS = 128, 480  # most are decided in the first
_COUNTRIES_MAX = 3  # the same country so often in it begins no number
_SCORE = 0.97  # the check digits are right: what stands between them changes nothing
_COUNTRIES = "|".join(sorted(IBAN_LENGTHS))
# A letter and a word that spells it, or a country alone in quotation marks; others begin where `apart` finds them.
_AS_IN = r"(?:for|as in|like|as|wie|de|comme|como|come)"
_TOLD = (
    rf"\b[A-Z] {_AS_IN} [A-Za-z]{{2,12}},? (?:and )?[A-Z] {_AS_IN} [A-Za-z]"
    rf"|[\"'>](?:{_COUNTRIES})[\"'<][^A-Z\n]{{1,40}}[0-9]"
)
_FIRST = re.compile(r"[A-Z]")
_DIGITS_MIN = 6  # in figures; or some in words
_SPOKEN = re.compile(
    r"(?i:\b(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|null|eins|zwei|un|deux|uno|dos)\b\W+){2}"
)


def read_account(text: str, start: int) -> Verdict | None:
    """The IBAN whose first letter stands at ``start``."""
    if text.count(text[start : start + 2], start, start + _WINDOWS[0]) > _COUNTRIES_MAX:
        return None
    for size in _WINDOWS:
        window = text[start : start + size]
        if sum(map(str.isdigit, window)) < _DIGITS_MIN and not _SPOKEN.search(window):
            return None
        read = plainly(window)
        groups = atoms(read.text)
        for row in (groups, without_taken_back(groups)):
            if own := _account(row):
                first, last = read.span(own[0].start, own[-1].end)
                whole = not word_after(text, start + last)
                return Verdict(start + first, start + last, _SCORE, "IBAN_CODE") if whole else None
        if _account(groups) is None:
            return None
    return None


def _account(groups: Sequence[Atom]) -> Sequence[Atom] | None:
    """The first groups that are an IBAN together; none where more of them may be one, None where they are not."""
    own: list[Atom] = []
    value = ""
    for at, group in enumerate(groups):
        if at and not is_joined(group):
            return None
        if value[:2] in IBAN_DIGITS_ONLY and group.said.isalpha() and not _looks_like_figures(group):
            continue  # a word in capitals between
        own.append(group)
        value += group.said
        size = IBAN_LENGTHS.get(value[:2], 0)
        if (len(value) > 1 and not size) or len(value) > size > 0:
            return None
        if len(value) == size:
            return own if _is_right(value) else None
    return []


def _looks_like_figures(group: Atom) -> bool:
    return group.said.translate(LIKE).isdecimal()


def _is_right(value: str) -> bool:
    """Whether a value is an IBAN, letters for digits read as these where its country has digits."""
    kinds = IBAN_STRUCTURES[value[:2]]
    figures = value.translate(LIKE)
    said = "".join(figures[at] if kind == "n" else one for at, (one, kind) in enumerate(zip(value, kinds, strict=True)))
    digits = all(one.isdecimal() for one, kind in zip(said, kinds, strict=True) if kind == "n")
    return digits and passes_mod_97(said.upper())


def _check(text: str, start: int, end: int, more: bool) -> Verdict | None:
    first = _FIRST.search(text, start, end)
    return None if first is None else read_account(text, first.start())


def account_recognizers(wanted: frozenset[str]) -> list[Recognizer]:
    """What finds those that begin otherwise than with their country and two digits."""
    return [Recognizer(VIEW, _TOLD, _check, whole=True, retry=True)] if "IBAN_CODE" in wanted else []
