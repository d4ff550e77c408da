"""Digits that are spelled out, taken apart or labelled: read back into what they say.

Number words of English, German, French and Spanish, "double five", other digits, with anything between them that a
person may put there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from outwarden.pii.folding import TAG, Folded, fold
from outwarden.pii.saying import TEENS, TENS, UNITS

_UNITS = {word: str(value) for units in UNITS for value, word in enumerate(units.split())}
_UNITS |= {"oh": "0", "nought": "0", "zwo": "2", "fuenf": "5"}
_TEENS, _TENS = TEENS[0].split(), TENS[0].split()  # English alone
_TIMES = {"double": 2, "triple": 3, "doppel": 2, "doble": 2}

_NUMBER_WORDS = sorted({*_UNITS, *_TEENS, *_TENS, *_TIMES}, key=len, reverse=True)
# Words between digits, and the sign that each stands for.
_SIGN_WORDS = {
    **dict.fromkeys(["dash", "hyphen", "minus", "bindestrich", "strich", "tiret", "guion", "guión"], "-"),
    **dict.fromkeys(["dot", "period", "point", "punkt", "punto"], "."),
    **dict.fromkeys(["slash", "stroke"], "/"),
    **dict.fromkeys(["space", "leerzeichen", "espace", "espacio", "then"], " "),
    "plus": "+",
}
_SIGN_WORDS_PATTERN = "|".join(sorted(_SIGN_WORDS, key=len, reverse=True))
_INVISIBLE = r"\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{FEFF}"
_OTHER_DIGITS = (  # all digits of Unicode (category Nd) but ASCII's, and what folds to one
    r"\x{B2}\x{B3}\x{B9}\x{2070}\x{2074}-\x{2079}\x{2080}-\x{2089}\x{2460}-\x{2468}\x{24EA}\x{FF10}-\x{FF19}"
    r"\x{660}-\x{669}\x{6F0}-\x{6F9}\x{7C0}-\x{7C9}\x{966}-\x{96F}\x{9E6}-\x{9EF}\x{A66}-\x{A6F}\x{AE6}-\x{AEF}"
    r"\x{B66}-\x{B6F}\x{BE6}-\x{BEF}\x{C66}-\x{C6F}\x{CE6}-\x{CEF}\x{D66}-\x{D6F}\x{E50}-\x{E59}\x{ED0}-\x{ED9}"
    r"\x{F20}-\x{F29}\x{1040}-\x{1049}\x{17E0}-\x{17E9}\x{1810}-\x{1819}\x{1D7CE}-\x{1D7FF}"
)
_FIGURE = rf"[0-9{_OTHER_DIGITS}]|&#(?:[0-9]{{2}}|[xX]3[0-9]);?|%3[0-9]|\\(?:u003|x3)[0-9]|=3[0-9]"
_WORD = rf"\b(?i:{'|'.join(_NUMBER_WORDS)})\b"
_GLUE = (
    rf"(?:[ \t\r\n\-./,()_*|~+{_INVISIBLE}\x{{A0}}\x{{2000}}-\x{{2015}}\x{{202F}}\x{{3000}}\x{{30FB}}"
    r"\x{FF08}\x{FF09}\x{FF0D}-\x{FF0F}]"
    rf"|\[[.\-]\]|</?[a-z]{{1,6}}/?>|&nbsp;|\\[nrt]|(?i:{_SIGN_WORDS_PATTERN}))"
)


def _digits(digit: str) -> str:
    """The pattern of a run of seven digits and more: RE2 takes nested repeats of up to 1,000 in all."""
    first = digit.replace("[0-9", r"\b[0-9]|[", 1)  # none at the end of a word begins a number: word0, v2
    return rf"[+\x{{FF0B}}]?(?:{first})(?:{_GLUE}{{0,6}}(?:{digit})){{6,23}}"


DIGITS = _digits(_FIGURE)
DIGITS_IN_WORDS = _digits(f"{_FIGURE}|{_WORD}")
# What tells such a run from plain digits: one that is not of ASCII, or what nobody puts after a digit of a plain
# number. (Each digit of a run may stand alone: 4 9 2 9.)
DIGITS_SIGN = (
    rf"\x{{FF0B}}?[{_OTHER_DIGITS}]|&#(?:[0-9]{{2}}|[xX]3[0-9])|%3[0-9]|\\(?:u003|x3)[0-9]|=3[0-9]"
    rf"|[0-9][_*|~,/\t\r\n<\[&\\{_INVISIBLE}\x{{A0}}\x{{2000}}-\x{{2015}}\x{{202F}}\x{{3000}}\x{{30FB}}\x{{FF08}}-\x{{FF0F}}]"
    rf"|[0-9][ \-.()+]{{0,3}}(?i:{_SIGN_WORDS_PATTERN})"
    r"|[0-9][ \-.()+][ \-.()+\r\n]|[0-9] [0-9] [0-9] [0-9]"
)
WORDS_SIGN = rf"{_WORD}{_GLUE}{{1,6}}(?:{_FIGURE}|{_WORD})"

_DIGIT_TOKEN = re.compile(
    rf"(?P<digit>[0-9])|(?P<word>\b(?:{'|'.join(_NUMBER_WORDS)})\b)|(?P<sign_word>{_SIGN_WORDS_PATTERN})"
    rf"|(?P<tag>{TAG}|</?[a-z]{{1,6}}/?>)|(?P<escape>\\[nrt])|(?P<sign>.)",
    re.IGNORECASE | re.DOTALL,
)
_STRONG = frozenset("-./+")
_LIKE_SPACE = frozenset("()[]_*|~")


@dataclass(frozen=True, slots=True)
class Digits:
    """A number read out of a run: its digits, where each stood, the sign before each, and how many were words."""

    digits: str
    spans: Sequence[tuple[int, int]]
    signs: Sequence[str]
    words: int

    def __repr__(self) -> str:
        return f"<{len(self.digits)} digits>"

    def grouped(self) -> Folded:
        """The digits with one plain sign where a strong one or a gap stood."""
        text: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        for digit, (start, end), sign in zip(self.digits, self.spans, self.signs, strict=True):
            if sign:
                text.append(sign)
                starts.append(start)
                ends.append(end)
            text.append(digit)
            starts.append(start)
            ends.append(end)
        return Folded("".join(text), starts, ends)

    def signed(self) -> "Digits":
        """The same with the weak signs left out, where strong ones tell the groups."""
        return Digits(self.digits, self.spans, [sign if sign in _STRONG else "" for sign in self.signs], self.words)

    def solid(self) -> "Digits":
        """The same without any sign but a leading plus."""
        first = "+" if self.signs[0] == "+" else ""
        return Digits(self.digits, self.spans, [first, *[""] * (len(self.digits) - 1)], self.words)

    def groups(self) -> list[int]:
        """How many digits stand between two signs."""
        sizes = [0]
        for at, sign in enumerate(self.signs):
            if sign and at:
                sizes.append(0)
            sizes[-1] += 1
        return sizes


def read_digits(run: str) -> Digits:
    """Read a run that `DIGITS` found."""
    folded = fold(run)
    digits: list[str] = []
    spans: list[tuple[int, int]] = []
    signs: list[str] = []
    words = 0
    sign, plus, times, tens = "", 0, 1, False
    for token in _DIGIT_TOKEN.finditer(folded.text):
        kind, said = token.lastgroup, token[0].lower()
        if kind not in ("digit", "word"):
            sign, tens = _stronger(sign, _sign(kind, said)), tens and said in "- "
            plus = folded.starts[token.start()]
            continue
        if said in _TIMES:
            times = _TIMES[said]
            continue
        value = said if kind == "digit" else _value(said)
        place = folded.span(*token.span())
        words += kind == "word"
        if tens and kind == "word" and said in _UNITS:  # forty-nine
            digits[-1], spans[-1] = value, (spans[-1][0], place[1])
        else:
            if sign == "+" and not digits:
                place = (plus, place[1])
            repeated = value * times
            digits += repeated
            spans += [place] * len(repeated)
            signs += [sign, *[""] * (len(repeated) - 1)]
        sign, times, tens = "", 1, said in _TENS
    return Digits("".join(digits), spans, signs, words)


def _value(word: str) -> str:
    if word in _TEENS:
        return str(10 + _TEENS.index(word))
    if word in _TENS:
        return str(20 + 10 * _TENS.index(word))
    return _UNITS[word]


def _sign(kind: str | None, said: str) -> str:
    if kind == "sign_word":
        return _SIGN_WORDS[said]
    if kind in ("tag", "escape"):
        return " "
    if said in _STRONG:
        return said
    return " " if said.isspace() or said in _LIKE_SPACE else ","


def _stronger(sign: str, other: str) -> str:
    """Of two signs between the same digits the one that says more."""
    order = ("", " ", ",", "/", ".", "-", "+")
    return max(sign, other, key=order.index)


def is_count(digits: str) -> bool:
    """Whether somebody counts (1234567, 987654, 12345678910) or repeats one digit."""
    if len(digits) > 3 and "10" in (digits[:2], digits[-2:]):
        digits = digits[2:] if digits.startswith("10") else digits[:-2]
    steps = {ord(b) - ord(a) for a, b in pairwise(digits)}
    return len(steps) == 1 and steps <= {-1, 0, 1}
