"""Read what somebody says digit by digit and pair by pair, with whatever stands between: words, cells, keys.

A text is walked token by token: digits and number words (English, German, French, Spanish, up to ninety-nine) are said,
signs, tags, keys of JSON, beginnings of chat lines and words of hesitation stand between, any other word ends it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from outwarden.pii.folding import Folded

# English, German, French, Spanish.
UNITS = (
    "zero one two three four five six seven eight nine",
    "null eins zwei drei vier fünf sechs sieben acht neun",
    "zéro un deux trois quatre cinq six sept huit neuf",
    "cero uno dos tres cuatro cinco seis siete ocho nueve",
)
TEENS = (
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
    "zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn",
    "dix onze douze treize quatorze quinze seize",
    "diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve",
)
TENS = (
    "twenty thirty forty fifty sixty seventy eighty ninety",
    "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "vingt trente quarante cinquante soixante septante huitante nonante",
    "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
)
_OTHERS = {"oh": 0, "nought": 0, "zero": 0, "zwo": 2, "fuenf": 5, "zwoelf": 12, "dreissig": 30, "une": 1, "eine": 1}
_OTHERS |= {"cero": 0, "dieciseis": 16, "veintidos": 22, "veintitres": 23, "veintiseis": 26, "vingts": 20}
_VEINTI = "veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve"


def _values() -> dict[str, int]:
    values = dict(_OTHERS)
    for units, teens, tens in zip(UNITS, TEENS, TENS, strict=True):
        values |= {word: value for value, word in enumerate(units.split())}
        values |= {word: 10 + value for value, word in enumerate(teens.split())}
        values |= {word: 20 + 10 * value for value, word in enumerate(tens.split())}
    values |= {word: 21 + value for value, word in enumerate(_VEINTI.split())}
    for value, unit in enumerate(["ein", *UNITS[1].split()[2:]], 1):
        values |= {f"{unit}und{tens}": 20 + 10 * at + value for at, tens in enumerate(TENS[1].split())}
    return values


VALUES = _values()
"""What number words say."""

TIMES = {"double": 2, "triple": 3, "treble": 3, "doppel": 2, "doble": 2}
_BETWEEN = frozenset(
    """
    uh um er erm hmm ehm ähm äh euh eh and und et y then dann puis luego next after that first second third part last
    space dash hyphen minus plus más mas slash comma pause strich bindestrich tiret guion guión espace espacio
    leerzeichen dot point punkt punto
    """.split()  # noqa: SIM905 - one word each reads better than quotes
)
TOGETHER = "(?:plus)?(?:" + "|".join(UNITS[0].split()) + "){2,24}"
"""English digits without anything between."""
_TOGETHER = re.compile(TOGETHER)
_UNIT = re.compile("|".join(UNITS[0].split()))
# What scanners make of digits, beside others: 4l5 86Z.
_SCANNED = str.maketrans("OolISBZ", "0011582")
_LIKE_DIGITS = frozenset("OolISBZ")

_TOKEN = re.compile(
    r"(?P<between>[\"'][A-Za-z_]{1,16}[0-9]?[\"'][ ]?:[ ]?"
    r"|\n[> ]{0,4}\[?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?\]?[ ]\w{1,20}:[ ]"
    r"|</?[A-Za-z][A-Za-z0-9]{0,9}(?:\s[^<>]{0,24})?/?>|&nbsp;|\\[nrt])"
    r"|(?P<scanned>[0-9OolISBZ]*[0-9][0-9OolISBZ]*(?![A-Za-z]))|(?P<digits>[0-9]+)|(?P<word>[^\W\d_]+)|(?P<sign>.)",
    re.DOTALL,
)
_SIGNS_MAX = 8  # between two that are said
DIGITS_MAX = 24


@dataclass(frozen=True, slots=True)
class Said:
    """Characters that were said: each with its place, and where each group of them begins.

    ``end``: how far was listened.
    """

    text: str
    places: Sequence[tuple[int, int]]
    groups: Sequence[int]
    words: int
    plus: bool
    end: int

    def __repr__(self) -> str:
        return f"<{len(self.text)} characters said>"

    def sizes(self) -> list[int]:
        """How long each group is."""
        if not self.text:
            return []
        return [end - start for start, end in zip(self.groups, [*self.groups[1:], len(self.text)], strict=True)]


class _Listener:
    """Takes tokens, as long as they go on with what is said."""

    def __init__(self, letters: int) -> None:
        self._letters = letters
        self.said: list[str] = []
        self.places: list[tuple[int, int]] = []
        self.groups: list[int] = []
        self.words = 0
        self.plus = False
        self._times = 1
        self._value: int | None = None  # of the number word right before
        self._between = 0

    def take(self, kind: str, said: str, place: tuple[int, int]) -> bool:
        """Take one token; False where it ends what is said."""
        if kind in ("sign", "between"):
            self.plus = self.plus or (said == "+" and not self.said)
            self._between += 1
            return self._between <= _SIGNS_MAX
        if kind in ("digits", "scanned"):
            self._say(said.translate(_SCANNED) if kind == "scanned" else said, place)
            return True
        return self._take_word(said, place)

    def _take_word(self, token: str, place: tuple[int, int]) -> bool:
        lower = token.lower()
        if len(self.said) < self._letters and token.isupper() and token.isascii() and len(token) <= 6:
            self._say(token, place)
        elif lower in VALUES:
            self._say_value(VALUES[lower], place)
        elif lower in TIMES:
            self._times = TIMES[lower]
        elif lower in _BETWEEN:
            self.plus = self.plus or (lower in ("plus", "más", "mas") and not self.said)
            self._between += 1
            return self._between <= _SIGNS_MAX
        elif _TOGETHER.fullmatch(lower):
            self.plus = self.plus or (lower.startswith("plus") and not self.said)
            for unit in _UNIT.findall(lower):
                self._say_value(VALUES[unit], place)
        elif self.said and len(token) <= 4 and _LIKE_DIGITS.issuperset(token) and len(token) > 1:
            self._say(token.translate(_SCANNED), place)
        else:
            return False
        return True

    def _say_value(self, value: int, place: tuple[int, int]) -> None:
        before, self.words = self._value, self.words + 1
        joined = before is not None and self._between <= 3
        if joined and before == 4 and value == 20 and self.said[-1] == "4":  # quatre-vingt
            self._replace(80, place)
        elif joined and before is not None and before >= 20 and not before % 10 and 0 < value < _room(before):
            self._replace(before + value, place)
        elif joined and before == 10 and 7 <= value <= 9:  # dix-sept
            self._replace(10 + value, place)
        else:
            times, self._times = self._times, 1
            self._say(str(value) * times, place)
            self._value = value if times == 1 else None

    def _replace(self, value: int, place: tuple[int, int]) -> None:
        """Say something else than the number word right before."""
        at = self.groups[-1]
        first = self.places[at][0]
        del self.said[at:], self.places[at:], self.groups[-1:]
        self._say(str(value), (first, place[1]))
        self._value = value

    def _say(self, characters: str, place: tuple[int, int]) -> None:
        if self._between or not self.said or place[0] > self.places[-1][1] or self._value is not None:
            self.groups.append(len(self.said))
        start, end = place
        alone = end - start == len(characters)
        self.places += [(start + at, start + at + 1) if alone else place for at in range(len(characters))]
        self.said += characters
        self._between, self._value, self._times = 0, None, 1


def goes_on(word: str) -> bool:
    """Whether a number may go on with a word."""
    lower = word.lower()
    return lower in VALUES or lower in TIMES or lower in _BETWEEN or _LIKE_DIGITS.issuperset(word)


def _room(tens: int) -> int:
    """How far the number after a word for tens may go: soixante-dix-neuf, quatre-vingt-onze, else forty-nine."""
    return 20 if tens in (60, 80) else 10


def listen(read: Folded, start: int, most: int, *, letters: int = 0) -> Said:
    """What is said in ``read`` from ``start`` on, up to ``most`` characters; of the first ``letters`` also capitals."""
    listener, end = _Listener(letters), start
    for token in _TOKEN.finditer(read.text, start):
        kind, end = str(token.lastgroup), token.end()
        if not listener.take(kind, token[0], token.span()) or len(listener.said) >= most:
            break
    places = [read.span(low, high) for low, high in listener.places]
    return Said("".join(listener.said), places, listener.groups, listener.words, listener.plus, end)


Judge = Callable[[Said, int], float]
"""How sure the first so many characters of what was said are a value; 0: not at all."""


def best_end(said: Said, judge: Judge) -> tuple[int, float]:
    """After how many of the characters a value ends, longest first, and how sure that is (0, 0.0: none does)."""
    for end in [len(said.text), *reversed(said.groups[1:])] if said.text else []:
        if score := judge(said, end):
            return end, score
    return 0, 0.0
