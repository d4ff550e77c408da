"""A number over several lines of a talk or a film: `<ada> 617`, `[12:01] cust: 0596`, the cues of subtitles.

What heads a line (whose turn it is, the time, the number of a cue) is taken out, and what is then found over the end of
a line counts where the heads are alike: the same speaker goes on.
"""

import re

from outwarden.pii.folding import rewrite, unchanged
from outwarden.pii.reading import DISCOUNT, VIEW, Look
from outwarden.pii.recognizer import LOOK_BACK, Recognizer, Verdict

_TIME = r"[0-9]{1,2}[:.][0-9]{2}(?:[:.,][0-9]{2,3}){0,2}"
_CUE = rf"(?:\n[0-9]{{1,5}})?\n{_TIME} ?-->[^\n]{{1,60}}\n"
_STAMP = rf"\[[0-9][^\]\n]{{2,28}}\] ?|{_TIME}(?: ?[AaPp][Mm])?[ \-\u2013]{{1,3}}"
_NAME = r"<[^<>\n]{1,24}> |[^\W\d_~+][\w.\-]{0,20}(?: \w{1,12})?: |~: "
_HEAD = rf"\r?\n(?:{_CUE}|(?:{_STAMP})(?:{_NAME})?|(?:{_NAME})(?:{_STAMP})?)"
# RE2: the end of a line that ends with a digit, and one with nothing but digits behind its head.
_ROW = (
    r"[0-9][ \-.,…]{0,3}\r?\n(?:\r?\n?[0-9]{1,5}\r?\n[0-9:,.]{4,12} ?--> ?[0-9:,.]{4,12}[^\n]{0,24}\n"
    r"|(?:[\[<0-9~]|[A-Za-z][\w.\- ]{0,24}: )[^\n]{0,48}[ >\]])[+0-9(][0-9 ().\-]{1,24}"
)
_HEADS = re.compile(_HEAD)
_FIGURES = re.compile("[0-9]+")
_BEFORE, _REACH = 64, 260


def _check(look: Look, text: str, start: int, end: int) -> Verdict | None:
    if end < len(text) and text[end] not in "\r\n":
        return None  # the line says more
    heads = list(_HEADS.finditer(text, start, end + _REACH))
    if not heads or heads[0].start() > end:
        return None
    low = max(0, start - _BEFORE)
    read = rewrite(unchanged(text[low : end + _REACH]), _HEADS, lambda head: " ")
    before = text[max(0, low - LOOK_BACK) : low]
    for one in look(before + read.text):
        if one.start < len(before):
            continue
        first, last = read.span(one.start - len(before), one.end - len(before))
        inside = [head[0] for head in heads if low + first < head.start() and head.end() < low + last]
        if inside and len({_FIGURES.sub("", head) for head in inside}) == 1:
            return Verdict(low + first, low + last, one.score * DISCOUNT, one.entity)
    return None


def transcript_recognizers(look: Look) -> list[Recognizer]:
    """What finds all that ``look`` does over the ends of lines of a talk."""
    return [
        Recognizer(VIEW, _ROW, lambda text, start, end, more: _check(look, text, start, end), whole=True, retry=True)
    ]
