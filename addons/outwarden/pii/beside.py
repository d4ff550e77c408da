"""Numbers of one person beside the word that names them, before it or behind, in whatever groups.

`71121090124 (PESEL)`, `<!-- taxpayer_ssn -->` behind a row of tags, `gov_id_number = "".join(["810429/3", "440"])`,
`for the W-4 put 647,95,2289`. The groups next to the word count, and have to be a number of the kind that it names:
by check digits, or (social security numbers have none) by their count, their ranges and their layout.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from outwarden.pii.atoms import (
    Atom,
    atoms,
    figured,
    halved,
    is_joined,
    is_regular,
    is_sewn,
    joined,
    plainly,
    runs_from,
    without_taken_back,
)
from outwarden.pii.folding import Folded
from outwarden.pii.national import NUMBERS, Number, alternatives, context_of
from outwarden.pii.person_numbers import SSN_WORDS, is_valid_area
from outwarden.pii.reading import VIEW
from outwarden.pii.recognizer import Context, Recognizer, Verdict, skip_edge
from outwarden.pii.spelled import is_count
from outwarden.pii.tongues import PLAIN_UNITS

_SCORE, _SCORE_ALIKE = 0.8, 0.6
_BEHIND, _BEFORE = 160, 130  # code points that are read behind a label, and before it
_FIRST_WITHIN, _LAST_WITHIN = 64, 40  # of those, without a group, between label and number
_LABELS_MAX = 5  # the same word so often again names no number
_LENGTH = range(7, 19)  # letters and digits
_DOUBLED_MAX = 36
_LETTERS_MAX = 7  # groups of letters before the first digit: N G P D N F 6

_DIGIT, _DIGITS_MIN = re.compile(r"\d"), 4
# A number with fewer figures has some in words, letters for figures, or Roman numerals in a row.
_WORDS_MIN = 4
_LETTERS = re.compile(r"[^\W\d_]+")
_ALIKE = re.compile(r"\d[A-Za-z]{3}|[A-Za-z]{3}\d")
_ROMANS = re.compile(r"(?:[IVX]{1,4}[ ,.\-/]){5}")
# Words that speak of a number of one person and do not say of which country.
_ANY = Context(
    r"(?:national|personal|citizen(?:ship)?|gov(?:ernment|t)?|state|resident(?:ial)?|civil)[ _\-]?(?:registration[ _\-]?)?"
    r"(?:id(?:ent(?:ity|ification))?|number|no\b|nr\b|code)"
    r"|identity[ _\-]?(?:card|number|no\b|nr\b|code|document)|id[ _\-](?:card|document|code)|kyc|tax[ _\-]?(?:payer|form|id|number|code|no\b)"
    r"|identifica(?:tion|ci[oó]n|[cç][aã]o|zione)|carte d'identit|carta d.identit|documento|cittadin|ciudadan|cidad[aã]o|b[uü]rger"
    r"|personen?.?(?:nummer|kennz)|ausweis|dow[oó]d|kimlik|nomor induk",
    wide=r"удостовер|паспорт|ідентифік|身份|證號|证号|신분|هوية|תעודת|पहचान|ประชาชน",
)
_COMMON = frozenset(
    [r"run\b", r"said\b", r"rfc\b", r"fin\b", r"sin\b", r"cc\b", r"pan\b", r"uid\b", r"inn\b", r"nie\b", r"ird\b"]
)
# Companies' and devices', and those that are told by their count alone.
_NOT_OF_PERSONS = frozenset(
    {"ABA_ROUTING_NUMBER", "US_NPI", "AU_ABN", "AU_ACN", "BR_CNPJ", "IMEI", "GR_AFM", "MX_RFC", "AR_DNI"}
)
_SSN_NAMES = Context(rf"{SSN_WORDS.words}|socials?\b|soc\b")
_OTHER_SOCIAL = re.compile(
    r"[ _\-]?(?:media|network|post|share|link|care|work|club|event|account|log|profile|distanc|hous)"
)
# Forms and offices that ask for it.
_SSN_TOLD = Context(
    r"w.?[249]\b|w.?[249]_|i-9\b|i9(?:\b|_)|irs\b|taxpayer|1040\b|1099\b|background check|credit (?:bureau|check|report|history)"
    r"|e-?verify|onboarding|new hire|payroll|ssa\b|w2s?\b"
)
# Numbers of other things that stand beside these.
_OTHER_NUMBERS = re.compile(
    r"\b(?:ein|employer id\w*|phone|tel|call(?:ed)?|case|invoice|order|ticket|routing|account|zip|fax|cell|mobile|notice|ref)\b",
    re.IGNORECASE,
)

Judge = Callable[[Sequence[Atom], bool], str | None]
"""Take a row of groups, and whether its label stands before it; return the entity that it is."""


def _ssn(told: bool, row: Sequence[Atom], before: bool) -> str | None:
    """``told``: not its name, but what asks for it stands beside."""
    digits = halved(joined(row))
    if len(digits) != 9 or not digits.isdecimal() or not is_valid_area(digits) or is_count(digits):
        return None
    sizes = [len(group.said) for group in row]
    usual = sizes in ([9], [3, 2, 4], [18]) or set(sizes) == {1}
    gaps = {group.gap for group in row[1:]}
    signs = (len(gaps) == 1 or is_sewn(row)) and len(row) > 2 and not any(group.words for group in row[1:])
    if told and _OTHER_NUMBERS.search(row[0].gap):
        return None
    if not usual and not (is_sewn(row) and not told) and not (before and (signs or (not told and _is_told(row)))):
        return None
    return "US_SSN"


def _is_told(row: Sequence[Atom]) -> bool:
    """Whether words stand between even groups, or signs: no list of counts."""
    return len(row) <= 5 and min(len(group.said) for group in row) >= 2


def _national(numbers: Sequence[Number], row: Sequence[Atom], before: bool) -> str | None:
    value = halved(joined(row))
    if len(value) not in _LENGTH or is_count(value):
        return None
    for said in (value, f"{value[:6]}-{value[6:]}") if len(value) == 10 else (value,):  # the Finnish one has a sign
        for number in numbers:
            if number.is_valid(said):
                return number.entity
    return None


class _Reader:
    """Reads what stands beside a label."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self._ssn = "US_SSN" in wanted
        self._numbers = [number for number in NUMBERS if number.entity in wanted and number.stdnum]
        self._of_persons = [number for number in self._numbers if number.entity not in _NOT_OF_PERSONS]

    def __call__(self, text: str, start: int, end: int, more: bool) -> Verdict | None:
        if not _has_number(text[max(0, start - _BEFORE) : end + _BEHIND]):
            return None
        if text.count(text[start:end], end, end + _BEHIND) >= _LABELS_MAX:
            return None
        start = skip_edge(text, start)
        judges = list(self._judges(text, start, end))
        if not judges:
            return None
        short = end - start <= _SHORT and not _SSN_TOLD.is_at(text[start : end + 1])
        return _behind(judges, text, end) or _before(judges, text, start, short=short)

    def _judges(self, text: str, start: int, end: int) -> Iterable[Judge]:
        """What the label may name."""
        label = text[start : end + 1]
        if self._ssn and _SSN_NAMES.is_at(label) and not _OTHER_SOCIAL.match(text, end):
            yield partial(_ssn, False)
        elif self._ssn and _SSN_TOLD.is_at(label):
            yield partial(_ssn, True)
        if named := [number for number in self._numbers if number.named.match(text, start)]:
            yield partial(_national, named)
        if _ANY.is_at(label):
            yield partial(_national, self._of_persons)


def _has_number(text: str) -> bool:
    """Whether a number may stand in a text, at a glance."""
    figures = len(_DIGIT.findall(text))
    if figures >= _DIGITS_MIN or (figures > 1 and _ALIKE.search(text)) or _ROMANS.search(text):
        return True
    return sum(word in PLAIN_UNITS for word in _LETTERS.findall(text.lower())) >= _WORDS_MIN


def _behind(judges: Sequence[Judge], text: str, end: int) -> Verdict | None:
    read = plainly(text[end : end + _BEHIND])
    for groups, score in _readings(read.text):
        first = next((at for at, group in enumerate(groups) if _holds_digit(group)), None)
        if first is None or groups[first].start > _FIRST_WITHIN:
            continue
        for at in _beginnings(groups, first):
            for row in reversed(list(runs_from(groups, at))):
                if found := _judged(judges, row, before=True):
                    return _verdict(read, row, end, score, found)
    return None


def _beginnings(groups: Sequence[Atom], first: int) -> Iterator[int]:
    """Where a number may begin: with the first digit, letters before it, or what follows a digit of something else."""
    yield first
    for at in range(first - 1, max(-1, first - 1 - _LETTERS_MAX), -1):
        if not is_joined(groups[at + 1]):
            break
        yield at
    for at in range(first + 1, min(first + 3, len(groups))):
        if groups[at].start <= _FIRST_WITHIN and (groups[at - 1].spoken or ":" in groups[at].gap):
            yield at  # "correct one 473\\66\\7554", "section 1: 473 …"


_ANY_TIE = re.compile(r"[^0-9]*")
# Words of two or three letters say much else; so they need a sign or a verb between.
_TIE = re.compile(
    r"[\s\"'\])}>]*(?:<!--|[(\[=#*–—:|-]|//|<-|->|,? (?:that )?(?:is|was|as|ist|es|est|è|é|ist)\b)[^0-9]{0,24}"
)
_SHORT = 4


def _before(judges: Sequence[Judge], text: str, start: int, *, short: bool) -> Verdict | None:
    low = max(0, start - _BEFORE)
    if not any(map(str.isdecimal, text[low:start])):
        return None
    read = plainly(text[low:start])
    for groups, score in _readings(read.text):
        tie = read.text[groups[-1].end :] if groups else None
        if tie is None or len(tie) > _LAST_WITHIN or not (_TIE if short else _ANY_TIE).fullmatch(tie):
            continue
        for at in range(len(groups) - 1, -1, -1):
            row = groups[at:]
            if len(row) > 1 and not is_joined(row[1]):
                break
            if found := _judged(judges, row, before=False):
                return _verdict(read, row, low, score, found)
    return None


def _readings(text: str) -> Iterable[tuple[Sequence[Atom], float]]:
    """The groups in a text, without what is taken back, and with figures for letters that look like them."""
    groups = atoms(text)
    yield groups, _SCORE
    if (left := without_taken_back(groups)) != groups:
        yield left, _SCORE
    if (alike := figured(text)) != text:
        yield atoms(alike), _SCORE_ALIKE


def _holds_digit(group: Atom) -> bool:
    return any(map(str.isdecimal, group.said))


def _judged(judges: Sequence[Judge], row: Sequence[Atom], *, before: bool) -> str | None:
    length = sum(len(group.said) for group in row)
    if not _LENGTH.start <= length <= _DOUBLED_MAX or not is_regular(row):
        return None
    return next(filter(None, (judge(row, before) for judge in judges)), None)


def _verdict(read: Folded, row: Sequence[Atom], low: int, score: float, entity: str) -> Verdict:
    first, last = read.span(row[0].start, row[-1].end)
    return Verdict(low + first, low + last, score, entity)


def without_common(words: str) -> str:
    """Without words that any text has: they are not worth to look around them."""
    left = [word for word in alternatives(words) if word not in _COMMON]
    return "|".join(left or [words])


def beside_recognizers(wanted: frozenset[str]) -> list[Recognizer]:
    """What finds numbers of persons, of the entities in ``wanted``."""
    numbers = [
        number
        for number in NUMBERS
        if number.entity in wanted and number.stdnum and number.entity not in _NOT_OF_PERSONS
    ]
    names = wanted & {"US_SSN", *(number.entity for number in numbers)}
    if not names:
        return []
    named = [replace(number, words=without_common(number.words)) for number in numbers]
    contexts = [context_of(named).pattern, _ANY.pattern] if numbers else []
    contexts += [_SSN_NAMES.pattern, _SSN_TOLD.pattern] if "US_SSN" in wanted else []
    label = "|".join(f"(?:{pattern})" for pattern in contexts).replace(r"\w*", "")
    return [Recognizer(VIEW, label, _Reader(wanted), whole=True, names=names)]
