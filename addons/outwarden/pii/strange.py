"""Stretches of text in strange characters, read as a whole: an address in mathematical letters, a key with a mark that
nobody sees after each letter, a date whose digits are those of another script, a token in percent escapes.

A stretch goes on as long as the next strange character is near, over spaces and ends of lines, so that values of many
words are found in it; it is read once, and all that is found there and was not written plainly is a finding.
"""

import re

from outwarden.pii.folding import Folded, fold
from outwarden.pii.reading import DISCOUNT, VIEW, Look
from outwarden.pii.recognizer import LOOK_BACK, Recognizer, Verdict

_INVISIBLE = (
    r"\x{AD}\x{34F}\x{61C}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{180B}-\x{180F}\x{200B}-\x{200F}\x{202A}-\x{202E}"
    r"\x{2060}-\x{206F}\x{2800}\x{3164}\x{FE00}-\x{FE0F}\x{FEFF}\x{FFA0}\x{E0020}-\x{E007E}"
)
_ON_LETTERS = r"\x{300}-\x{36F}\x{483}-\x{489}\x{1AB0}-\x{1AFF}\x{1DC0}-\x{1DFF}\x{20D0}-\x{20FF}\x{FE20}-\x{FE2F}"
# Full-width, mathematical, circled, boxed, small capital, Roman; digits of other scripts.
_LETTERS = (
    r"\x{283C}\x{FF10}-\x{FF19}\x{FF20}-\x{FF3A}\x{FF41}-\x{FF5A}\x{1D400}-\x{1D7FF}\x{2460}-\x{24FF}\x{2776}-\x{2793}"
    r"\x{1F100}-\x{1F10A}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189}\x{1F1E6}-\x{1F1FF}\x{1D00}-\x{1D7F}"
    r"\x{250}-\x{2AF}\x{2100}-\x{214F}\x{2160}-\x{217F}\x{13A0}-\x{13FF}\x{AB70}-\x{ABBF}\x{A4D0}-\x{A4FF}\x{1FBF0}-\x{1FBF9}"
    r"\x{660}-\x{669}\x{6F0}-\x{6F9}\x{7C0}-\x{7C9}\x{966}-\x{96F}\x{9E6}-\x{9EF}\x{A66}-\x{A6F}\x{AE6}-\x{AEF}"
    r"\x{B66}-\x{B6F}\x{BE6}-\x{BEF}\x{C66}-\x{C6F}\x{CE6}-\x{CEF}\x{D66}-\x{D6F}\x{DE6}-\x{DEF}\x{E50}-\x{E59}"
    r"\x{ED0}-\x{ED9}\x{F20}-\x{F29}\x{1040}-\x{1049}\x{1090}-\x{1099}\x{17E0}-\x{17E9}\x{1810}-\x{1819}\x{1946}-\x{194F}"
    r"\x{19D0}-\x{19DA}\x{1A80}-\x{1A99}\x{1B50}-\x{1B59}\x{1BB0}-\x{1BB9}\x{1C40}-\x{1C49}\x{1C50}-\x{1C59}\x{A620}-\x{A629}"
    r"\x{A8D0}-\x{A8D9}\x{A900}-\x{A909}\x{A9D0}-\x{A9D9}\x{A9F0}-\x{A9F9}\x{AA50}-\x{AA59}\x{ABF0}-\x{ABF9}\x{104A0}-\x{104A9}"
    r"\x{10D30}-\x{10D39}\x{11066}-\x{1106F}\x{11136}-\x{1113F}\x{1E140}-\x{1E149}\x{1E2F0}-\x{1E2F9}\x{1E950}-\x{1E959}"
)
_MIXED = r"\p{Cyrillic}\p{Greek}\p{Armenian}\p{Coptic}\p{Deseret}\p{Canadian_Aboriginal}"
_ESCAPE = (
    r"(?:&(?:amp;){0,3}(?:#[0-9]{2,8}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});?|%(?:25){0,3}[0-9A-Fa-f]{2}|=[2-7][0-9A-F]|%u[0-9A-Fa-f]{4}"
    r"|\\'[0-9A-Fa-f]{2}|\\{1,4}(?:u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|u\{[0-9A-Fa-f]{1,6}\}|x[0-9A-Fa-f]{2}|N\{[A-Z -]{4,24}\})|<wbr ?/?>)"
)
# One alone is enough of the sign that makes an address.
_AT = (
    r"(?:\\{1,4}(?:u0040|u\{0{0,4}40\}|x40|U00000040|N\{COMMERCIAL AT\}|(?:40|064|100|0{1,4}40 ?)[A-Za-z0-9\-]{1,40}(?:\.|\\{1,4}(?:0{0,4}2[eE] ?|056))[A-Za-z])"
    r"|\\'40|\\symbol\{64\}|%u0040|&(?:amp;){1,3}(?:#0{0,5}64|#[xX]0{0,5}40|commat);)"
)
_TERMINAL = (  # colours, characters struck over others, the upper half of UTF-16
    r"(?:\x{1B}|\\{1,2}(?:033|x1[bB]|e|u001[bB]))\[[0-9;]{0,12}[A-Za-z]|[A-Za-z0-9@.]\x{08}|[A-Za-z0-9@.]\x{00}[A-Za-z0-9@.]"
)
_SIGN = (
    rf"(?:[A-Za-z0-9@.:+_\-][{_INVISIBLE}{_ON_LETTERS}]|[{_LETTERS}]"
    rf"|[A-Za-z0-9@][{_MIXED}]|[{_MIXED}][A-Za-z0-9@]|(?:{_ESCAPE}[^\x00-\x20]{{0,2}}){{2}}{_ESCAPE}|{_AT}|{_TERMINAL})"
)
_PYTHON = re.compile(r"\\x\{([0-9A-F]+)\}")


def _for_python(pattern: str) -> str:
    """The same for `re`, which knows no scripts by name: the ranges of those that are mixed in most."""
    ranges = "\u0370-\u052f\u0531-\u058f\u1400-\u167f\u2c80-\u2cff\U00010400-\U0001044f"
    return _PYTHON.sub(lambda code: f"\\U{int(code[1], 16):08x}", pattern.replace(_MIXED, ranges))


_NEXT = re.compile(_for_python(_SIGN))
_NEAR = 48  # code points up to the next one of the same stretch
_MOST = 1200
_VALUE = 64  # so many plain ones before the first, and behind the last, may be part of a value
_OVERLAP = 160  # of a stretch that is longer, so many are read again with what follows


def check_strange(look: Look, text: str, start: int) -> list[Verdict] | None:
    """What stands in the stretch that begins at ``start`` and could not be seen there."""
    end, limit = start + 1, start + _MOST
    while (found := _NEXT.search(text, end, min(limit, end + _NEAR))) is not None:
        end = found.end()
    first = max(0, start - _VALUE)
    low, high = max(0, first - LOOK_BACK), min(len(text), end + _VALUE)
    read = fold(text[low:high])
    behind = end - _OVERLAP if end >= limit - _NEAR else end
    if read.text == text[low:high]:  # all of it is written plainly, as far as anybody here can tell
        return [Verdict(behind, behind, 0.0)]
    return [*findings(look, text, read, low, first, start), Verdict(behind, behind, 0.0)]


def findings(look: Look, text: str, read: Folded, low: int, first: int, sign: int) -> list[Verdict]:
    """What `look` finds in ``read`` (the text from ``low`` on) from ``first`` on, where it is written otherwise."""
    skipped = next((at for at, place in enumerate(read.starts) if place >= first - low), 0)
    found = []
    for one in look(read.text, skipped):
        start, end = read.span(one.start, one.end)
        start, end = low + start, low + end
        if start >= first and end > sign and text[start:end] != read.text[one.start : one.end]:
            found.append(Verdict(start, end, one.score * DISCOUNT, one.entity))
    return found


def strange_recognizers(look: Look) -> list[Recognizer]:
    """What finds all that ``look`` does in stretches of strange characters."""
    return [Recognizer(VIEW, _SIGN, lambda text, start, end, more: check_strange(look, text, start), whole=True)]
