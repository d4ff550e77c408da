"""Dates of birth in any order and with anything between, after the word that says so: parts with their names, days and
years in words, Roman months, Japanese eras.
"""

import re

from outwarden.pii.folding import fold
from outwarden.pii.reading import VIEW
from outwarden.pii.recognizer import Context, Recognizer, Verdict
from outwarden.pii.tongues import HUNDREDS, VALUES

ENTITY = "DATE_OF_BIRTH"
_SCORE = 0.7
_LABEL = Context(
    r"d\.?o\.?b\b|date.{1,5}birth|birth.?da(?:te|y)|bday|born|geboren\w{0,12}|geburts(?:tag|datum)|n[ée](?:\(e\)|e)? le|date de naissance"
    r"|naissance|fecha de nacimiento|nacimiento|nacid[oa]|nat[oa] il|data di nascita|nascita|geboortedatum|urodz\w{0,12}|data de nascimento"
    r"|nascimento|f[øo]dt|född|syntyn\w{0,12}|narozen\w{0,12}|doğum|született|születési",
    wide="生年月日|出生|рожд|народ",
)
_BEFORE, _REACH = 40, 110  # code points: up to the first part, and all of it
_TOKEN = re.compile(
    r"(?P<number>[0-9]{1,4}(?![0-9]))(?:st|nd|rd|th|er|º|ª|\.)?|(?P<word>[^\W\d_]+)|(?P<long>[0-9]+)|(?P<sign>\s+|.)",
    re.DOTALL,
)
_MONTH_STARTS = (
    "jan gen ene янв", "feb fév fev fév фев", "mar mär märz maa мар", "apr avr abr апр huhti", "may mai mag maj май мая touko",
    "jun juin giu июн kesä", "jul juil lug июл heinä", "aug aoû aou ago авг elo", "sep set сен syys", "oct okt ott out окт loka",
    "nov ноя marras", "dec dez dic déc дек joulu",
)  # fmt: skip
_MONTHS = {start: month for month, starts in enumerate(_MONTH_STARTS, 1) for start in starts.split()}
_MONTH_LONGEST = 11
_ROMAN = {roman: value for value, roman in enumerate("i ii iii iv v vi vii viii ix x xi xii".split(), 1)}
_ORDINALS = {
    **{word: at for at, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
        "sixteenth seventeenth eighteenth nineteenth twentieth".split(), 1)},
    "thirtieth": 30, "primero": 1, "premier": 1, "primo": 1, "primeiro": 1, "ersten": 1, "erster": 1,
}  # fmt: skip
_BETWEEN = frozenset(
    """
    the of day month year on in is was de del d le la el dia día mes año ano mês tag monat jahr jour mois an année giorno
    mese anno y and und et e den der dag maand jaar rok miesiąc dzień
    """.split()
)
_ERA = r"(?:明治|大正|昭和|平成|令和|民國|民国)\s?(?:元|[0-9]{1,3})\s?年\s?[0-9]{1,2}\s?月\s?[0-9]{1,2}\s?日"


class _Date:
    """Takes the parts of a date in any order."""

    def __init__(self) -> None:
        self.parts: dict[str, int] = {}
        self._year_words: list[int] = []
        self._tens = 0

    def take_number(self, value: int, width: int) -> bool:
        if width == 4:
            return 1900 <= value <= 2035 and self._put("year", value)
        if 1 <= value <= 31 and "day" not in self.parts:
            return self._put("day", value)
        return (1 <= value <= 12 and self._put("month", value)) or (width == 2 and self._put("year", value))

    def take_word(self, word: str) -> bool:
        """Whether a word is a part of it, or may stand between."""
        if word in _BETWEEN:
            return True
        if word in _ORDINALS:
            day = self._tens + _ORDINALS[word]
            self._tens, self._year_words = 0, []
            return 1 <= day <= 31 and self._put("day", day)
        month = _MONTHS.get(word[:3]) or _MONTHS.get(word[:4]) or _MONTHS.get(word)
        if month is not None and len(word) <= _MONTH_LONGEST and fold(word).text not in VALUES:
            return self._put("month", month)
        if word in _ROMAN and "day" in self.parts:
            return self._put("month", _ROMAN[word])
        value = VALUES.get(fold(word).text)
        if value is None:
            return word in HUNDREDS or word in ("mil", "mille", "thousand", "tausend")
        self._tens = value if value in (20, 30) else 0
        self._year_words.append(value)
        return True

    def _put(self, part: str, value: int) -> bool:
        if part in self.parts:
            return False
        self.parts[part] = value
        self._tens = 0
        return True

    @property
    def size(self) -> int:
        """How many parts and words of a year it has."""
        return len(self.parts) + len(self._year_words)

    @property
    def begun(self) -> bool:
        return self.size > 0

    @property
    def whole(self) -> bool:
        """Whether it has a day, a month and a year, that in words maybe: nineteen forty-nine, noventa y cuatro."""
        said = (
            sum(self._year_words[1:]) if self._year_words and self._year_words[0] in (19, 20) else sum(self._year_words)
        )
        return {"day", "month"} <= set(self.parts) and ("year" in self.parts or said >= 20)


def read_birth(text: str, start: int) -> tuple[int, int] | None:
    """Where the date stands that begins within `_BEFORE` of ``start``."""
    date, first, end = _Date(), -1, -1
    for token in _TOKEN.finditer(text, start, start + _REACH):
        kind, begun, before = token.lastgroup, date.begun, date.size
        if kind == "number":
            fits = date.take_number(int(token["number"]), len(token["number"]))
        elif kind == "word":
            fits = date.take_word(token[0].lower())
        else:
            fits = kind == "sign" and token[0] not in "@#<>"
        if begun and not fits:
            break
        if not begun and date.begun:
            first = token.start()
        if not begun and not date.begun and token.end() - start > _BEFORE:
            return None
        if date.size > before and date.whole:
            end = token.end() - token[0].endswith(".")
    return (first, end) if first >= 0 and end > first and date.whole else None


def check_birth(text: str, start: int, end: int) -> Verdict | None:
    """A date after a label."""
    place = read_birth(text, end)
    if place is None or text[place[1] : place[1] + 1].isalnum():
        return None
    return Verdict(place[0], place[1], _SCORE, ENTITY)


def birth_recognizers(wanted: frozenset[str]) -> list[Recognizer]:
    """All of this file, where dates of birth are in ``wanted``."""
    if ENTITY not in wanted:
        return []
    return [
        Recognizer(VIEW, _LABEL.pattern, lambda text, start, end, more: check_birth(text, start, end), whole=True),
        Recognizer(ENTITY, _ERA, lambda text, start, end, more: Verdict(start, end, _SCORE), near=_LABEL, whole=True),
    ]
