"""Digits that are spelled out, taken apart or labelled: read back into what they say.

Number words of English, German, French and Spanish, "double five", other digits, with anything between them that a
person may put there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from outwarden.pii.folding import TAG, Folded, fold
from outwarden.pii.saying import goes_on, hear
from outwarden.pii.tongues import WORD

# Words between digits, and the sign that each stands for.
_SIGN_WORDS = {
    **dict.fromkeys(["dash", "hyphen", "minus", "bindestrich", "strich", "tiret", "guion", "guión"], "-"),
    **dict.fromkeys(["dot", "period", "point", "punkt", "punto"], "."),
    **dict.fromkeys(["slash", "stroke"], "/"),
    **dict.fromkeys(["space", "leerzeichen", "espace", "espacio", "then"], " "),
    "plus": "+",
}
_SYMBOLS = (  # arrows, boxes, dingbats, emoji; without digits in circles
    r"\x{2190}-\x{245F}\x{2500}-\x{2775}\x{2794}-\x{27FF}\x{2900}-\x{2BFF}\x{FE0F}\x{1F300}-\x{1FAFF}"
)
_SIGN_WORDS_PATTERN = "|".join(sorted(_SIGN_WORDS, key=len, reverse=True))
_INVISIBLE = r"\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{FEFF}"
_OTHER_DIGITS = (  # all digits of Unicode (category Nd) but ASCII's, and what folds to one
    r"\x{B2}\x{B3}\x{B9}\x{2070}\x{2074}-\x{2079}\x{2080}-\x{2089}\x{2460}-\x{2468}\x{24EA}\x{FF10}-\x{FF19}"
    r"\x{660}-\x{669}\x{6F0}-\x{6F9}\x{7C0}-\x{7C9}\x{966}-\x{96F}\x{9E6}-\x{9EF}\x{A66}-\x{A6F}\x{AE6}-\x{AEF}"
    r"\x{B66}-\x{B6F}\x{BE6}-\x{BEF}\x{C66}-\x{C6F}\x{CE6}-\x{CEF}\x{D66}-\x{D6F}\x{E50}-\x{E59}\x{ED0}-\x{ED9}"
    r"\x{F20}-\x{F29}\x{1040}-\x{1049}\x{17E0}-\x{17E9}\x{1810}-\x{1819}\x{1D7CE}-\x{1D7FF}"
)
_FIGURE = rf"[0-9{_OTHER_DIGITS}]|&#(?:[0-9]{{2}}|[xX]3[0-9]);?|%3[0-9]|\\(?:u003|x3)[0-9]|=3[0-9]"
_GLUE = (
    rf"(?:[ \t\r\n\-./,()_*|~+{_INVISIBLE}{_SYMBOLS}\x{{A0}}\x{{2000}}-\x{{2015}}\x{{202F}}\x{{3000}}\x{{30FB}}"
    r"\x{FF08}\x{FF09}\x{FF0D}-\x{FF0F}]"
    rf"|\[[.\-]\]|</?[a-z]{{1,6}}/?>|&nbsp;|\\[nrt]|(?i:{_SIGN_WORDS_PATTERN}))"
)


# RE2 takes nested repeats of up to 1,000 in all; none at the end of a word begins a number: word0, v2.
DIGITS = rf"[+\x{{FF0B}}]?(?:{_FIGURE.replace('[0-9', r'\b[0-9]|[', 1)})(?:{_GLUE}{{0,6}}(?:{_FIGURE})){{6,23}}"
# What tells such a run from plain digits: one that is not of ASCII, or what nobody puts after a digit of a plain
# number. (Each digit of a run may stand alone: 4 9 2 9.)
DIGITS_SIGN = (
    rf"\x{{FF0B}}?[{_OTHER_DIGITS}]|&#(?:[0-9]{{2}}|[xX]3[0-9])|%3[0-9]|\\(?:u003|x3)[0-9]|=3[0-9]"
    rf"|[0-9][_*|~,/\t\r\n<\[&\\{_INVISIBLE}{_SYMBOLS}\x{{A0}}\x{{2000}}-\x{{2015}}\x{{202F}}\x{{3000}}\x{{30FB}}\x{{FF08}}-\x{{FF0F}}]"
    rf"|[0-9][ \-.()+]{{0,3}}(?i:{_SIGN_WORDS_PATTERN})"
    r"|[0-9][ \-.()+][ \-.()+\r\n]|[0-9] [0-9] [0-9] [0-9]"
)
WORDS = rf"(?:{WORD}|[0-9]){_GLUE}{{1,6}}{WORD}"
"""Two of a number that is said, the second of them in a word."""

_DIGIT_TOKEN = re.compile(
    rf"(?P<digit>[0-9])|(?P<sign_word>{_SIGN_WORDS_PATTERN})"
    rf"|(?P<tag>{TAG}|</?[a-z]{{1,6}}/?>)|(?P<escape>\\[nrt])|(?P<sign>.)",
    re.IGNORECASE | re.DOTALL,
)
_LONGER_TOKEN = re.compile(r"[^\W\d_]|[<\\]")
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

    def grouped(self, origin: int = 0) -> Folded:
        """The digits with one plain sign where a strong one or a gap stood; offsets from ``origin`` on."""
        text: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        for digit, (start, end), sign in zip(self.digits, self.spans, self.signs, strict=True):
            written = sign + digit
            text.append(written)
            starts += [start - origin] * len(written)
            ends += [end - origin] * len(written)
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
    return _read_tokens(folded) if _LONGER_TOKEN.search(folded.text) else _read_characters(folded)


def _read_characters(folded: Folded) -> Digits:
    """Of a text without words, tags and escapes, where each character is a token."""
    text, starts, ends = folded.text, folded.starts, folded.ends
    digits: list[str] = []
    spans: list[tuple[int, int]] = []
    signs: list[str] = []
    at = first = 0
    for figures in _FIGURES.finditer(text):
        low, high = figures.span()
        first = first if digits else low
        signs.append(_strongest(text[at:low]))
        signs += [""] * (high - low - 1)
        spans += zip(starts[low:high], ends[low:high], strict=True)
        digits.append(figures[0])
        at = high
    if signs and signs[0] == "+":
        spans[0] = (starts[first - 1], ends[first])
    return Digits("".join(digits), spans, signs, 0)


_FIGURES = re.compile("[0-9]+")


@lru_cache(maxsize=1024)
def _strongest(between: str) -> str:
    """The sign that says most of those between two digits."""
    sign = ""
    for said in between:
        sign = _stronger(sign, _sign("sign", said))
    return sign


def _read_tokens(folded: Folded) -> Digits:
    digits: list[str] = []
    spans: list[tuple[int, int]] = []
    signs: list[str] = []
    sign, plus = "", 0
    for token in _DIGIT_TOKEN.finditer(folded.text):
        kind, said, low, high = token.lastgroup, token[0].lower(), token.start(), token.end()
        if kind != "digit":
            sign = _stronger(sign, _sign(kind, said))
            plus = folded.starts[low]
            continue
        place = folded.span(low, high)
        if sign == "+" and not digits:
            place = (plus, place[1])
        digits.append(said)
        spans.append(place)
        signs.append(sign)
        sign = ""
    return Digits("".join(digits), spans, signs, 0)


_LOOK_LEFT = 120
_SAYABLE = re.compile(r"(?P<word>(?:[^\W\d_]|[\u0900-\u094F])+)|[0-9]+|(?P<end>[^\w\s\-.,/()+|*'\"])")


def begin_of(text: str, start: int) -> int:
    """Where a number in words begins of which two words at ``start`` are part: before it may stand weaker ones."""
    low = max(0, start - _LOOK_LEFT)
    begin = start
    for token in reversed(list(_SAYABLE.finditer(text, low, start))):
        if token["end"] or (token["word"] and not goes_on(token["word"])):
            return begin
        begin = token.start()
    return start if low else begin  # a row without end is read in parts


def read_words(text: str, begin: int) -> tuple[Digits, int]:
    """Read a number in words from ``begin`` on; also how far was listened."""
    said, end = hear(text, begin)
    signs = ["+" if said.plus and not at else sign for at, sign in enumerate(said.signs)]
    return Digits(said.text, said.places, signs, said.words), end


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
    return other if _RANK[other] > _RANK[sign] else sign


_RANK = {sign: rank for rank, sign in enumerate(("", " ", ",", "/", ".", "-", "+"))}


_COUNT_MIN = 3
# What is counted in other steps, and recited: Fibonacci, primes, squares, powers of two, even and odd, pi, e.
_KNOWN_ROWS = tuple(
    """
    01123581321345589144 1123581321345589144 23571113171923293137 1491625364964811001 12481632641282565121024
    24681012141618 1357911131517 314159265358979323846 271828182845904523536 1361015212836455566 10203040506070
    """.split()  # noqa: SIM905 - one row each reads better than quotes
)
_ALL_KNOWN_ROWS = " ".join(_KNOWN_ROWS)
_ROW_MIN = 18  # no telephone, and of cards the rarest only, are so long


def is_count(digits: str) -> bool:
    """Whether somebody counts (1234567, 987654, 12345678910, 123 123 123) or repeats the same digits over and over."""
    if digits in _ALL_KNOWN_ROWS or digits.startswith(_KNOWN_ROWS):
        return True
    if len(digits) >= _ROW_MIN and any(digits[at:] == digits[:-at] for at in range(1, len(digits) // 3 + 1)):
        return True
    if len(digits) > 3 and "10" in (digits[:2], digits[-2:]):
        digits = digits[2:] if digits.startswith("10") else digits[:-2]
    rows, step = [1], None
    for a, b in pairwise(digits):
        if (new := ord(b) - ord(a)) in (-1, 0, 1) and step in (None, new):
            rows[-1], step = rows[-1] + 1, new
        else:
            rows.append(1)
            step = None
    return min(rows) >= _COUNT_MIN or len(rows) == 1
