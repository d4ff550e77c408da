"""Values with escapes in them: ``G&ouml;tz``, ``Wi\\u015bniewski``, ``Lindenstra=C3=9Fe 9``, ``=?utf-8?B?…?=``.

Mails, pages, JSON in logs and type-set text spell every letter so that is not ASCII, and names of people and streets
have such letters more often than any other word. What is around an escape is read as it is meant and shown to whoever
finds values in texts. (What is escaped from end to end, or within one word, is the business of `views`.)
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from email.errors import HeaderParseError
from email.header import decode_header, make_header

from outwarden.pii.finder import Allowance, Finder, Span, WholeFinder
from outwarden.pii.folding import Folded, fold, rewrite, unchanged
from outwarden.pii.matching import Candidate, Matcher, sweep_all
from outwarden.pii.page import Page, texts_with
from outwarden.pii.reading import DISCOUNT
from outwarden.pii.regexp import Regexp

# How much before and behind an escape may belong to its name, or say that it is one; no more than its line.
_AROUND = 120
_TEX = r"\\(?!'[0-9A-Fa-f]{2})[\"'`^~=.Hcuvkr](?:\{[A-Za-z]\}| ?[A-Za-z](?![A-Za-z])|(?<=[\"'`^~=.])[A-Za-z])"
_TEX_LETTERS = {
    "ss": "ß",
    "ae": "æ",
    "AE": "Æ",
    "oe": "œ",
    "OE": "Œ",
    "o": "ø",
    "O": "Ø",
    "l": "ł",
    "L": "Ł",
    "aa": "å",
}
_TEX_LETTERS |= {"AA": "Å", "i": "\u0131", "dh": "ð", "th": "þ"}
_TEX_ACCENTS = dict(
    zip("\"'`^~=.Hcuvkr", "\u0308\u0301\u0300\u0302\u0303\u0304\u0307\u030b\u0327\u0306\u030c\u0328\u030a", strict=True)
)
_ENCODED_WORDS = r"=\?[\w\-]{2,20}\?[bBqQ]\?[^?\s]{0,200}\?=(?:\s{1,3}=\?[\w\-]{2,20}\?[bBqQ]\?[^?\s]{0,200}\?=){0,8}"
_OWN = re.compile(
    rf"(?P<word>{_ENCODED_WORDS})|\{{(?P<braced>{_TEX})\}}|(?P<tex>{_TEX})"
    rf"|(?:\{{\\|\\)(?P<letter>{'|'.join(sorted(_TEX_LETTERS, key=len, reverse=True))})(?:\{{\}}|\}}| |(?![A-Za-z]))"
    r"|\\(?P<octal>3[0-7]{2})"
)
_QUOTED = re.compile(r"=[0-9A-F]{2}")
_UNSEEN = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff\u17b4\u17b5"
_OTHER_LETTERS = "\uff21-\uff3a\uff41-\uff5a\u1d00-\u1dbf\u2070-\u209c\u02b0-\u02b8\u02e1-\u02e4\u24b6-\u24e9"
_OTHER_LETTERS += "\U0001d400-\U0001d7ff\U0001f130-\U0001f189"
# Escapes that may stand for a letter; what stands for a space or a sign is no reason to look.
_SIGN = re.compile(
    r"&(?:#(?:[0-9]{2,6}|[xX][0-9A-Fa-f]{2,5})|[A-Za-z]{1,2}(?:acute|grave|circ|uml|tilde|cedil|ring|caron|slash|strok|lig"
    r"|breve|macr|ogon|dot|dblac)|[sS]zlig|eth|ETH|thorn|THORN|inodot);"
    r"|%(?:25)?(?:[46][1-9A-Fa-f]|[57][0-9Aa]|[cCdDeE][0-9A-Fa-f]%(?:25)?[89abAB][0-9A-Fa-f])"
    r"|=(?:[CDE][0-9A-F]=[89AB][0-9A-F]|\?[\w\-]{2,20}\?[bBqQ]\?)"
    r"|\\(?:u\{?[0-9A-Fa-f]{2,6}|x[4-7c-fC-F][0-9A-Fa-f]|N\{|3[0-7]{2}|'[c-fC-F][0-9A-Fa-f])"
    rf"|{_TEX}|\{{\\(?:{'|'.join(_TEX_LETTERS)})\b|\\(?:ss|aa|AA|ae|AE|o|O|l|L)(?:\{{\}}| )"
    rf"|[{_UNSEEN}{_OTHER_LETTERS}]"
)


# What any of them begins with, for a look at all texts at once.
_HINT = Regexp(rf"&[#A-Za-z]|%[2-7C-Ec-e]|=[C-E?]|\\[A-Za-z0-9'\"`^~=.{{]|[{_UNSEEN}{_OTHER_LETTERS}]")


class Escaped:
    """Shows others what texts say around their escapes."""

    def __init__(self, plain: Matcher, beside: Sequence[WholeFinder]) -> None:
        """``plain``: the patterns; ``beside``: who finds names without a model."""
        self._plain, self._beside = plain, beside

    def __repr__(self) -> str:
        return "<Escaped>"

    def find(self, page: Page, finders: Sequence[Finder], allowance: Allowance) -> dict[int, list[Span]]:
        """The values with an escape in them, of each text with any; ``finders``: those that are asked as well."""
        read = [
            (number, *stretch, _read(page.texts[number][slice(*stretch)]))
            for number in texts_with(_HINT.search, page)
            for stretch in stretches(page.texts[number])
        ]
        found: dict[int, list[Span]] = {}
        for at, spans in self._in([folded.text for *_, folded in read], finders, allowance) if read else ():
            number, start, end, folded = read[at]
            back = _back(page.texts[number][start:end], folded, spans)
            found.setdefault(number, []).extend(
                one._replace(start=start + one.start, end=start + one.end) for one in back
            )
        return found

    def _in(
        self, said: Sequence[str], finders: Sequence[Finder], allowance: Allowance
    ) -> Iterator[tuple[int, Iterable[Span]]]:
        page = Page(said)
        for at, candidates in sweep_all(self._plain.present(page.data), page):
            yield at, _spans(candidates)
        for whole in self._beside:
            yield from whole.find(page).items()
        for finder in finders:
            yield from enumerate(finder.find(said, allowance))


def _spans(candidates: Iterable[Candidate]) -> Iterator[Span]:
    for one in candidates:
        if one.score > 0:  # those of reserved values are below
            yield Span(one.start, one.end, one.entity, one.score * DISCOUNT)


def stretches(text: str) -> Iterator[tuple[int, int]]:
    """What stands around each escape, up to the ends of its line; what overlaps is one."""
    begin = end = -1
    for sign in _SIGN.finditer(text):
        low = max(sign.start() - _AROUND, text.rfind("\n", max(sign.start() - _AROUND, 0), sign.start()) + 1)
        high = min(sign.end() + _AROUND, len(text))
        if (line_end := text.find("\n", sign.end(), high)) >= 0:
            high = line_end
        if low <= end:
            end = max(end, high)
            continue
        if begin >= 0:
            yield begin, end
        begin, end = low, high
    if begin >= 0:
        yield begin, end


def _back(text: str, folded: Folded, spans: Iterable[Span]) -> Iterator[Span]:
    """The findings that have an escape in them, where they stand in the text; the others are seen as they stand."""
    for span in spans:
        if span.start < span.end:
            start, end = folded.span(span.start, span.end)
            if text[start:end] != folded.text[span.start : span.end]:
                yield span._replace(start=start, end=end)


def _read(text: str) -> Folded:
    own = rewrite(unchanged(text), _OWN, _meant)
    folded = fold(own.text, quoted=_QUOTED.search(own.text) is not None)
    if own.text == text:
        return folded
    starts, ends = own.starts, own.ends
    return Folded(folded.text, [starts[at] for at in folded.starts], [ends[at - 1] for at in folded.ends])


def _meant(match: re.Match[str]) -> str:
    if match["word"]:
        return _decoded(match["word"])
    if match["octal"]:
        return chr(int(match["octal"], 8))  # Latin-1, as in PDF and PostScript
    if match["letter"]:
        return _TEX_LETTERS[match["letter"]]
    said = match["braced"] or match["tex"]
    return unicodedata.normalize("NFC", said.rstrip("}")[-1] + _TEX_ACCENTS[said[1]])


def _decoded(word: str) -> str:
    try:
        return str(make_header(decode_header(word)))
    except (HeaderParseError, LookupError, ValueError):
        return word
