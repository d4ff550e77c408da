"""Read what somebody says digit by digit and pair by pair, with whatever stands between: words, cells, keys.

A text is walked token by token: digits and number words (of the languages in `tongues`, up to 999) are said, signs,
tags, keys of JSON, beginnings of chat lines and words of hesitation stand between, any other word ends it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from outwarden.pii.folding import Folded, fold
from outwarden.pii.tongues import HUNDREDS, ONE_HUNDRED, TIMES, UNITS_EN, VALUES, WEAK, Words, tongues_of, weak_in

# Words between the digits of one number, and the sign that each stands for.
_BETWEEN = {
    **dict.fromkeys(["dash", "hyphen", "minus", "bindestrich", "strich", "tiret", "guion", "guión", "trattino"], "-"),
    **dict.fromkeys(["streepje", "traço", "hífen", "myślnik", "kreska", "bindestreck", "tire", "тире", "дефис"], "-"),
    **dict.fromkeys(["dot", "period", "point", "punkt", "punto", "ponto", "punt", "kropka", "nokta", "точка"], "."),
    **dict.fromkeys(["slash", "stroke"], "/"),
    **dict.fromkeys(["plus", "più", "piu", "más", "mas", "mais", "arti", "плюс"], "+"),
    **dict.fromkeys(
        """
        uh um er erm hmm mhm mm uhuh yep yup yeah right gotcha
        ehm ähm äh euh eh and und et y then dann puis luego next after that first second third part
        last space comma pause espace espacio leerzeichen e en och og i ja и ve aur poi dan depois potem sedan sonra
        потом затем allora daarna così spazio spatie espaço
        """.split(),  # noqa: SIM905 - one word each reads better than quotes
        " ",
    ),
}
_BETWEEN_READ = {fold(word).text: sign for word, sign in _BETWEEN.items()}
TOGETHER = "(?:plus)?(?:" + "|".join(UNITS_EN) + "){2,24}"
"""English digits without anything between."""
_TOGETHER = re.compile(TOGETHER)
_UNIT = re.compile("|".join(UNITS_EN))
# What scanners make of digits, beside others: 4l5 86Z.
_SCANNED = str.maketrans("OolISBZ", "0011582")
_LIKE_DIGITS = frozenset("OolISBZ")

_TOKEN = re.compile(
    r"(?P<between>[\"'][A-Za-z_]{1,16}[0-9]?[\"'][ ]?:[ ]?"
    r"|\n[> ]{0,4}\[?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?\]?[ ]\w{1,20}:[ ]"
    r"|</?[A-Za-z][A-Za-z0-9]{0,9}(?:\s[^<>]{0,24})?/?>|&nbsp;|\\[nrt])"
    r"|(?P<scanned>[0-9OolISBZ]*[0-9][0-9OolISBZ]*(?![A-Za-z]))|(?P<digits>[0-9]+)|(?P<word>(?:[^\W\d_]|[\u0900-\u094F])+(?:'[^\W\d_]+)?)|(?P<sign>.)",
    re.DOTALL,
)
_WORD = re.compile(r"(?:[^\W\d_]|[\u0900-\u094F])+(?:'[^\W\d_]+)?")
_SIGNS_MAX = 8  # between two that are said
# A number that is told in parts: "the first four are 4111, then 1111", in items of a list, in turns of a talk, in
# fields of a form. What names the parts stands between them; and what counts their digits says none.
_PARTS_OF = (
    r"first|second|third|fourth|fifth|last|next|middle|final|other|remaining|erste[nrs]?|letzte[nrs]?|nächste[nrs]?"
)
_TOLD = re.compile(
    rf"(?i:\b(?:{_PARTS_OF})\s+(?:two|three|four|five|six|[2-6])\b(?:\s+(?:digits?|numbers?|ones|figures)\b)?)"
    r"|\n\s{0,8}(?:[-*•+]|\(?[0-9a-z][.)])\s{1,3}"
    r"|\n[> ]{0,4}(?:\[?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?\]?\s)?\w{1,20}:\s|\|?\s?\n\|[-: |]{3,80}\|\s?\n\|"
    r"|&\w{1,16}=|[\"']?\b[a-z]{1,12}_[a-z0-9]{1,12}[\"']?\s?[:=]"
)
_TELLING = frozenset(
    fold(word).text
    for word in """
    are is it it's its ends end ending with begins begin starts start beginning group block part parts middle
    prefix line suffix exchange followed by finally lastly afterwards the of in on that goes continues ist sind
    endet mit beginnt zuerst dann letzten ersten zuletzt please okay ok yes got what's what final was
    """.split()  # noqa: SIM905 - one word each reads better than quotes
)
_PART_MAX = 16
# No word that labels a number is here: what stands behind a label is read once.
_TOLD_MAX = 28  # as `_SIGNS_MAX`, of one that is told in parts
# Around a word of which only its neighbours tell what it says.
_WORDS_BEFORE, _WORDS_AFTER = 40, 120
DIGITS_MAX = 24


@dataclass(frozen=True, slots=True)
class Said:
    """Characters that were said: each with its place, where each group of them begins, and the sign before each.

    ``end``: how far was listened.
    """

    text: str
    places: Sequence[tuple[int, int]]
    groups: Sequence[int]
    words: int
    plus: bool
    end: int
    signs: Sequence[str] = ()

    def __repr__(self) -> str:
        return f"<{len(self.text)} characters said>"

    def sizes(self) -> list[int]:
        """How long each group is."""
        if not self.text:
            return []
        return [end - start for start, end in zip(self.groups, [*self.groups[1:], len(self.text)], strict=True)]


_SIGNS = ("", " ", ",", "/", ".", "-", "+")
_LIKE_SPACE = frozenset("()[]_*|~")


def _sign(said: str) -> str:
    if said in _SIGNS:
        return said
    return " " if said.isspace() or len(said) > 1 or said in _LIKE_SPACE else ","


class _Listener:
    """Takes tokens, as long as they go on with what is said."""

    def __init__(self, read: str, start: int, letters: int, told: bool) -> None:
        self._read = read, start
        self._told = told
        self._letters = letters
        self.said: list[str] = []
        self.places: list[tuple[int, int]] = []
        self.groups: list[int] = []
        self.signs: list[str] = []
        self.words = 0
        self.plus = False
        self._times = 1
        self._value: int | None = None  # of the number word right before
        self._between = 0
        self._sign = ""
        self._teen_from = 10  # what may join a ten that was said
        self._by_twenties = False  # whether sixty or eighty that was said goes on up to nineteen
        self._weak: Words | None = None

    def take(self, kind: str, said: str, place: tuple[int, int]) -> bool:
        """Take one token; False where it ends what is said."""
        if kind in ("sign", "between"):
            return self._pause(_sign(said))
        if kind in ("digits", "scanned"):
            self._say(said.translate(_SCANNED) if kind == "scanned" else said, place)
            return True
        return self._take_word(said, place)

    def _pause(self, sign: str) -> bool:
        """Take what stands between two that are said."""
        self.plus = self.plus or (sign == "+" and not self.said)
        self._sign = max(self._sign, sign, key=_SIGNS.index)
        self._between += 1
        return self._between <= (_TOLD_MAX if self._told else _SIGNS_MAX)

    def _take_word(self, token: str, place: tuple[int, int]) -> bool:
        lower = token.lower()
        if len(self.said) < self._letters and token.isupper() and token.isascii() and len(token) <= 6:
            self._say(token, place)
        elif (value := self._value_of(lower)) is not None:
            self._say_value(value, place)
            self._by_twenties = lower in _BY_TWENTIES
            if value == 10:
                self._teen_from = _TEENS_FROM.get(lower, 10)
        elif lower in HUNDREDS:
            return self._take_hundred(lower, place)
        elif lower in TIMES:
            self._times = TIMES[lower]
        elif lower in _BETWEEN_READ:
            return self._pause(_BETWEEN_READ[lower])
        elif _TOGETHER.fullmatch(lower):
            self.plus = self.plus or (lower.startswith("plus") and not self.said)
            for unit in _UNIT.findall(lower):
                self._say_value(VALUES[unit], place)
        elif self.said and len(token) <= 4 and _LIKE_DIGITS.issuperset(token) and len(token) > 1:
            self._say(token.translate(_SCANNED), place)
        else:
            return self._told and lower in _TELLING and self._pause(" ")
        return True

    def _value_of(self, word: str) -> int | None:
        value = VALUES.get(word)
        if value is None and word in WEAK:
            if self._weak is None:
                text, start = self._read
                near = _WORD.findall(text.lower(), max(0, start - _WORDS_BEFORE), start + _WORDS_AFTER)
                self._weak = weak_in(tongues_of(near))
            return self._weak.get(word)
        return value

    def _take_hundred(self, word: str, place: tuple[int, int]) -> bool:
        before = self._value
        if before is not None and 0 < before < 100 and before % 10 and self._between <= 2:
            self._replace(before * 100, place)
        elif word in ONE_HUNDRED:
            self._say_value(100, place)
        else:
            return False
        return True

    def _say_value(self, value: int, place: tuple[int, int]) -> None:
        before, self.words = self._value, self.words + 1
        joined = before is not None and self._between <= 3
        if joined and before == 4 and value == 20 and self.said[-1] == "4":  # quatre-vingt
            self._replace(80, place)
            self._by_twenties = True
        elif (
            joined and before is not None and _goes_with(before, value, self._teen_from, by_twenties=self._by_twenties)
        ):
            self._replace(before + value, place)
        else:
            times, self._times = self._times, 1
            self._say(str(value) * times, place)
            self._value = value if times == 1 else None

    def _replace(self, value: int, place: tuple[int, int]) -> None:
        """Say something else than the number word right before."""
        at = self.groups[-1]
        first, sign = self.places[at][0], self.signs[at]
        del self.said[at:], self.places[at:], self.groups[-1:], self.signs[at:]
        self._sign = sign
        self._say(str(value), (first, place[1]))
        self._value = value

    def _say(self, characters: str, place: tuple[int, int]) -> None:
        if self._between or not self.said or place[0] > self.places[-1][1] or self._value is not None:
            self.groups.append(len(self.said))
        start, end = place
        alone = end - start == len(characters)
        self.places += [(start + at, start + at + 1) if alone else place for at in range(len(characters))]
        self.signs += [self._sign, *[""] * (len(characters) - 1)]
        self.said += characters
        self._between, self._value, self._times, self._sign = 0, None, 1, ""


def goes_on(word: str, *, told: bool = False) -> bool:
    """Whether a number may go on with a word; ``told``: one that is told in parts."""
    lower = word.lower()
    read = lower if lower.isascii() else fold(lower).text
    known = read in VALUES or read in WEAK or lower in TIMES or read in _BETWEEN_READ or lower in HUNDREDS
    return known or (told and read in _TELLING) or _LIKE_DIGITS.issuperset(word)


def told_from(text: str, start: int, first: int) -> int:
    """Where a part of a number begins whose first digit or word stands at ``first``: what names or counts it."""
    for part in _TOLD.finditer(text, start, first + _PART_MAX):
        if part.start() <= first < part.end():
            return part.start()
    return first


def goes_on_told(text: str, at: int) -> bool:
    """Whether the next part of a number is named right there."""
    return _TOLD.match(text, at) is not None


# "ten seven" are two numbers, but dix-sept and on sekiz are one.
_TEENS_FROM = {"dix": 7, "on": 1}


_BY_TWENTIES = frozenset({"soixante", "vingt", "vingts"})


def _goes_with(before: int, value: int, teen_from: int, *, by_twenties: bool) -> bool:
    """Whether two words say one number: three hundred five, soixante-dix-neuf, quatre-vingt-onze, forty-nine."""
    below = before % 100
    if not before or not value:
        return False
    if not below:
        return value < 100
    if below == 10:
        return teen_from <= value <= 9
    return not below % 10 and value < (20 if below in (60, 80) and by_twenties else 10)


def listen(read: Folded, start: int, most: int, *, letters: int = 0, told: bool = False) -> Said:
    """What is said in ``read`` from ``start`` on, up to ``most`` characters; of the first ``letters`` also capitals.

    ``told``: in parts, with words that name the parts.
    """
    listener, end = _Listener(read.text, start, letters, told), start
    while token := (told and _TOLD.match(read.text, end)) or _TOKEN.match(read.text, end):
        kind, end = str(token.lastgroup or "between"), token.end()
        if not listener.take(kind, token[0], token.span()) or len(listener.said) >= most:
            break
    places = [read.span(low, high) for low, high in listener.places]
    text = "".join(listener.said)
    return Said(text, places, listener.groups, listener.words, listener.plus, end, listener.signs)


_CUT_WORD_MAX = 20  # so near the end of a window the last word may be half of one ("дев'|ять")
_WINDOWS = 96, 420  # most end within the first; nineteen digits in words with something between within the second


def hear(text: str, start: int, *, told: bool = False) -> tuple[Said, int]:
    """What is said in ``text`` from ``start`` on, with its places there, and where it was listened to."""
    for window in _WINDOWS:
        read = fold(text[start : start + window])
        said = listen(read, 0, DIGITS_MAX, told=told)
        if said.end < len(read.text) - _CUT_WORD_MAX or start + window >= len(text):
            break
    places = [(start + low, start + high) for low, high in said.places]
    return replace(said, places=places), start + (read.ends[said.end - 1] if said.end else 0)


Judge = Callable[[Said, int], float]
"""How sure the first so many characters of what was said are a value; 0: not at all."""


def best_end(said: Said, judge: Judge) -> tuple[int, float]:
    """After how many of the characters a value ends, longest first, and how sure that is (0, 0.0: none does)."""
    for end in [len(said.text), *reversed(said.groups[1:])] if said.text else []:
        if score := judge(said, end):
            return end, score
    return 0, 0.0
