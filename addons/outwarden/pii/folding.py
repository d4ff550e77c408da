"""Read a text as a person or a program would who undoes its spelling, and keep the way back to its own offsets.

Undone are escapes (HTML, percent, JSON and string literals, quoted-printable, inline tags), also one inside another,
and characters that look like ASCII or like nothing: full-width and mathematical letters, the digits of other scripts,
Cyrillic and Greek look-alikes, zero-width and bidirectional marks.
"""

import base64
import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from outwarden.pii.look_alikes import LIKE

# An escape in an escape in an escape (a URL in JSON in HTML) is deeper than anything recorded; each costs a pass.
LAYERS_MAX = 3

# The tags that stand inside a word without ending it.
TAG = r"</?(?:b|i|u|s|em|strong|span|font|mark|small|sup|sub|wbr|code|tt)(?:\s[^<>]{0,60})?/?>|<!--[^<>]{0,40}-->"

_ESCAPES = (
    # Without the semicolon only those that nobody takes for a field of a query: &section=2 is no paragraph sign.
    r"(?P<html>&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8}(?=;)|(?:amp|lt|gt|quot|nbsp|shy)(?![A-Za-z=]));?)"
    r"|(?P<percent>(?:%[0-9A-Fa-f]{2})+)"
    r"|%u(?P<utf16>[0-9A-Fa-f]{4})|\\'(?P<rtf>[0-9A-Fa-f]{2})|\\symbol\{(?P<symbol>[0-9]{2,3})\}"
    r"|\\{1,4}(?:(?-i:u)(?P<unicode>[0-9A-Fa-f]{4})|u\{(?P<point>[0-9A-Fa-f]{1,6})\}|(?-i:U(?P<long>[0-9A-Fa-f]{8}))"
    r"|x(?P<hex>[0-9A-Fa-f]{2})|(?-i:N)\{(?P<named>[A-Z][A-Z0-9 \-]{1,40})\})"
    # An @ in hexadecimal (LDAP, CSS), decimal (DNS) and octal digits; signs between letters as CSS and octal have them.
    r"|(?<=[\w.+\-])\\(?P<at>40|064|100|0{1,4}40 ?)(?=[A-Za-z0-9\-]{1,40}\.[A-Za-z]{2})"
    r"|(?<=[\w+\-])\\(?P<css>0{0,4}2[bdeBDE]|0{1,4}5[fF]) ?(?=[A-Za-z0-9])"
    r"|(?<=\w)\\(?P<octal>05[3-6]|137)(?=[A-Za-z0-9])"
    r"|\+A(?P<utf7>[A-H][AEIMQUYcgkosw048])-"
    # Colours of a terminal, a character struck over another, the upper half of UTF-16.
    r"|(?P<unseen>(?:\x1b|\\{1,2}(?:033|x1b|e|u001b))\[[0-9;]{0,12}[A-Za-z]|.\x08|\x00)"
    rf"|(?P<tag>{TAG})"
)
_ESCAPE = re.compile(_ESCAPES, re.IGNORECASE)
_FIRST_OF_ESCAPES = "&%\\<=+\x1b\x08\x00"  # 60 times as fast to look for in 500 characters as an escape
# What joins two pieces of one word in source code, quoted mail and Markdown, and stands for nothing.
_CONCATENATED = r"(?:[+.&~]|\|\||\.\.|<<)"
STRINGS = (  # "a" + "b", "a" "b", "a" \ and "b" on the next line
    rf"[\"'] {{0,2}}(?:{_CONCATENATED}? ?\\?\r?\n[ \t]{{0,12}}{_CONCATENATED}? ?|{_CONCATENATED} {{0,2}}| )"
    r"[fbru]?[\"']"
)
_AROUND_AT = r"(?<=[\"']@)[\"'] ?, ?[\"']|[\"'] ?, ?[\"'](?=@[\"'])"
JOINT = re.compile(rf"\*\*|~~|(?<=\w)`|`(?=\w)|{STRINGS}|{_AROUND_AT}|\\\r?\n[ \t]{{0,8}}|\r?\n>[> ]{{0,4}}")
_BRACKETED = r"[\[({<]{1,2} ?(?:(?P<sign>[.:@_/\-])|(?P<dot>(?i:dot|punkt|punto|point))) ?[\])}>]{1,2}"
_MARKS = re.compile(rf"(?P<joint>{JOINT.pattern})|\\(?P<marked>[_.@+~\-])|{_BRACKETED}")
# A sign of equality before digits is read like one (key=66) before it is read as quoted-printable.
_QUOTED = re.compile(rf"(?P<soft>=\r?\n)|(?P<quoted>(?:=[0-9A-F]{{2}})+)|{_ESCAPES}", re.IGNORECASE)

_DASHES = frozenset("‐‑‒–—―−⁃﹘﹣－")
_DOTS = frozenset("。．｡․﹒·•")
_SPACES = frozenset("\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000")


# Letters and signs of which nothing can be seen: Hangul's fillers, the braille cell without dots.
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800")


@dataclass(frozen=True, slots=True)
class Folded:
    """``text[i]`` was made of the original from ``starts[i]`` up to ``ends[i]``."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def __repr__(self) -> str:
        return f"<Folded {len(self.text)} code points>"

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where the (non-empty) ``text[start:end]`` stands in the original."""
        return self.starts[start], self.ends[end - 1]


def fold(text: str, *, quoted: bool = False, joined: bool = False) -> Folded:
    """Undo the escapes of ``text``, then its characters.

    ``quoted``: those of quoted-printable as well. ``joined``: first what joins the pieces of a word, and marks it.
    """
    escape = _QUOTED if quoted else _ESCAPE
    folded = unchanged(text)
    if joined and _MARKS.search(text):
        folded = rewrite(folded, _MARKS, _meant)
    for _ in range(LAYERS_MAX):
        if not any(sign in folded.text for sign in _FIRST_OF_ESCAPES) or escape.search(folded.text) is None:
            break
        before, folded = folded, rewrite(folded, escape, _unescape)
        if folded.text == before.text:
            break
    return folded if folded.text.isascii() else _plainly(folded)


def _meant(mark: re.Match[str]) -> str:
    return mark["marked"] or mark["sign"] or ("." if mark["dot"] else "")


def unchanged(text: str) -> Folded:
    """A text as it stands."""
    return Folded(text, range(len(text)), range(1, len(text) + 1))


def rewrite(folded: Folded, pattern: re.Pattern[str], read: Callable[[re.Match[str]], str]) -> Folded:
    """Replace each match; its whole original becomes that of every character put in its place."""
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for match in pattern.finditer(folded.text):
        low, high = match.span()
        piece = read(match)
        if at < low:
            pieces.append(folded.text[at:low])
            starts.extend(folded.starts[at:low])
            ends.extend(folded.ends[at:low])
        pieces.append(piece)
        for _ in piece:
            starts.append(folded.starts[low])
            ends.append(folded.ends[high - 1])
        at = high
    pieces.append(folded.text[at:])
    starts += folded.starts[at:]
    ends += folded.ends[at:]
    return Folded("".join(pieces), starts, ends)


def _unescape(match: re.Match[str]) -> str:
    kind, said = match.lastgroup, match[0]
    if kind == "html" and said[1] == "#" and (number := said[2:].rstrip(";")).isdecimal() and 32 <= int(number) < 127:
        return chr(int(number))
    if kind == "html":
        return html.unescape(said if said.endswith(";") else said + ";") if said[1] == "#" else html.unescape(said)
    if kind == "percent":
        return _decoded(said.replace("%", ""), said)
    if kind == "quoted":
        return _decoded(said.replace("=", ""), said)
    if kind in ("tag", "soft", "unseen"):
        return ""
    if kind == "utf7":  # one character of ASCII in UTF-16, in base64
        return base64.b64decode(f"A{match['utf7']}=").decode("utf-16-be")
    if kind == "at":
        return "@"
    if kind == "named":
        return _named(match["named"], said)
    code = int(match[str(kind)], {"symbol": 10, "octal": 8}.get(str(kind), 16))
    if code == 0:
        return ""
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else said


def _named(name: str, said: str) -> str:
    try:
        return unicodedata.lookup(name)
    except KeyError:
        return said


def _decoded(digits: str, said: str) -> str:
    try:
        return bytes.fromhex(digits).decode()
    except ValueError:
        return said


# Single tags among letters that can be seen are noise; in a row they say something.
_LONE_TAG = re.compile("(?<![\U000e0020-\U000e007e])[\U000e0020-\U000e007e]{1,2}(?![\U000e0020-\U000e007e])")


# Behind its number sign braille has the first ten letters for digits.
_BRAILLE_NUMBER = "\u283c"
_BRAILLE = re.compile("\u283c[\u2801\u2803\u2809\u2819\u2811\u280b\u281b\u2813\u280a\u281a]+")
_BRAILLE_DIGITS = str.maketrans("\u2801\u2803\u2809\u2819\u2811\u280b\u281b\u2813\u280a\u281a", "1234567890")


def _plainly(folded: Folded) -> Folded:
    """Each character as `plain` reads it."""
    if _BRAILLE_NUMBER in folded.text:
        folded = rewrite(folded, _BRAILLE, lambda number: number[0][1:].translate(_BRAILLE_DIGITS))
    text = folded.text
    if max(text) >= "\U000e0020" and _LONE_TAG.search(text):
        folded = rewrite(folded, _LONE_TAG, lambda tag: "")
        text = folded.text
    read = [character if character < "\x80" else plain(character) for character in text]
    if all(len(one) == 1 for one in read):
        return Folded("".join(read), folded.starts, folded.ends)
    places = [at for at, one in enumerate(read) for _ in one]
    starts, ends = folded.starts, folded.ends
    return Folded("".join(read), [starts[at] for at in places], [ends[at] for at in places])


@lru_cache(maxsize=4096)
def plain(character: str) -> str:
    """The ASCII that ``character`` looks like, nothing for what cannot be seen, else itself."""
    if character in _DASHES:
        return "-"
    if character in _DOTS:
        return "."
    if character in _SPACES:
        return " "
    if character in _BLANKS:
        return ""
    if (letter := _letter(character)) is not None:
        return letter
    category = unicodedata.category(character)
    if category in ("Cf", "Mn", "Me"):  # format characters, marks on the letter before
        return ""
    if category in ("Nd", "No") and (digit := unicodedata.digit(character, None)) is not None:
        return str(digit)
    if category == "Cs":
        return character
    simple = unicodedata.normalize("NFKC", character).translate(LIKE)
    return simple if simple.isascii() else character


# Letters in brackets, boxes, circles and flags: the first of each row. And the tags that nobody sees.
_ROWS = ((0x249C, "a"), (0x1F130, "a"), (0x1F150, "a"), (0x1F170, "a"), (0x1F1E6, "a"))
_TAGS = range(0xE0020, 0xE007F)


def _letter(character: str) -> str | None:
    point = ord(character)
    if point in _TAGS:
        return chr(point - 0xE0000)
    for first, letter in _ROWS:
        if first <= point < first + 26:
            return chr(ord(letter) + point - first)
    return None
