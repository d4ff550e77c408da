"""Street addresses that are written in HTML: <br> after lines, elements around parts, entities."""

import html
import re

from outwarden.pii.folding import rewrite, unchanged
from outwarden.pii.reading import DISCOUNT, VIEW, Look
from outwarden.pii.recognizer import Recognizer, Sign, Verdict

_BLOCK = r"(?i:</?(?:br|p|div|li|td|tr|address|dd|dt|section)(?:\s[^<>]{0,40})?/?>)"
_INLINE = r"(?i:</?(?:span|b|strong|i|em|a|font)(?:\s[^<>]{0,40})?/?>)"
_ENTITY = r"&(?:[A-Za-z]{2,8}|#[0-9]{2,5}|#[xX][0-9A-Fa-f]{2,4});"
_MARK = rf"(?:{_BLOCK}|{_INLINE}|{_ENTITY})"
_PLAIN = r"[^<>&]"
_RUN = rf"{_PLAIN}{{0,60}}(?:{_MARK}{_PLAIN}{{0,48}}){{1,12}}"
_SIGN = Sign(_MARK, bytes(byte for byte in range(1, 128) if byte not in b"<>&"))
_MARKS = re.compile(
    rf"(?P<block>[ \t]*(?:{_BLOCK}|{_INLINE}\s*{_BLOCK})(?:\s|{_BLOCK}|{_INLINE})*)"
    rf"|(?P<inline>{_INLINE})|(?P<entity>{_ENTITY})"
)
_ENTITY_OF = "STREET_ADDRESS"


def _read(mark: re.Match[str]) -> str:
    if mark.lastgroup == "block":
        return ", "
    return "" if mark.lastgroup == "inline" else html.unescape(mark[0]).replace("\xa0", " ")


def check_marked_up(look: Look, text: str, start: int, end: int) -> Verdict | None:
    """The first address in a run with marks in it that is one only without them."""
    read = rewrite(unchanged(text[start:end]), _MARKS, _read)
    for candidate in look(read.text):
        low, high = read.span(candidate.start, candidate.end)
        if candidate.entity == _ENTITY_OF and _MARKS.search(text, start + low, start + high):
            return Verdict(start + low, start + high, candidate.score * DISCOUNT, _ENTITY_OF)
    return None


def marked_up_recognizers(look: Look, wanted: frozenset[str]) -> list[Recognizer]:
    """What finds addresses in HTML, where they are in ``wanted``."""
    if _ENTITY_OF not in wanted:
        return []

    def check(text: str, start: int, end: int, more: bool) -> Verdict | None:
        return check_marked_up(look, text, start, end)

    return [Recognizer(VIEW, _RUN, check, sign=_SIGN, whole=True)]
