"""Strings as programs write them: pieces that are joined, lists of characters, escapes; and what they say in the end.

`'a' + "b"`, `"a" "b"` over lines, `'a'\\''b'`, `"a" & "b"`, `["a", "b"].join("")`, `.append("a").append("b")`.
"""

import re
from dataclasses import dataclass

_PIECES_MAX, _PIECE_MAX = 160, 200
_PREFIX = r"(?:[bBrRfFuULN@$]{1,2}(?=[\"'`]))?"
_OPEN = re.compile(rf"{_PREFIX}(?P<quote>\"\"\"|'''|[\"'`])")
_INSIDE = {
    quote: re.compile(rf"(?:[^{quote}\\\r\n]|\\(?:\r?\n[ \t]{{0,16}}|.))*+")
    for quote in ("\"", "'", "`")
}  # fmt: skip
_LONG = {
    mark: re.compile(rf"(?:[^\\{mark[0]}]|\\.|{mark[0]}(?!{mark[0]}{{2}}))*+", re.DOTALL) for mark in ('"""', "'''")
}
# What joins two strings, in any language: an operator, a line's end, a call, nothing at all. And what only lists them.
_OPERATOR = r"(?:\+\+?|\.\.?|&|~|\|\||<<|<>|\^)"
_JOINT = re.compile(
    rf"[ \t]{{0,4}}(?:\\?\r?\n[ \t+\-]{{0,24}})?(?:{_OPERATOR}=?|\.?(?:append|concat|add)\)?[ \t]?\(|\)\.(?:append|concat|add|\+)\(|_)?"
    rf"[ \t]{{0,4}}(?:\\?\r?\n[ \t+\-]{{0,24}})?(?={_PREFIX}[\"'`])|\\(?=['\"])"
)
_LIST = re.compile(rf"[ \t]{{0,2}},\s{{0,12}}(?={_PREFIX}[\"'])")


@dataclass(frozen=True, slots=True)
class Literal:
    """What a string says, piece by piece, where each piece stands, and where the last quotation mark ends."""

    pieces: tuple[str, ...]
    places: tuple[tuple[int, int], ...]
    end: int
    listed: bool

    def __repr__(self) -> str:
        return f"<Literal of {len(self.pieces)} pieces>"

    @property
    def text(self) -> str:
        """All pieces."""
        return "".join(self.pieces)

    @property
    def span(self) -> tuple[int, int]:
        """From the first character to the last."""
        full = [place for place in self.places if place[0] < place[1]]
        return (full[0][0], full[-1][1]) if full else (self.end, self.end)


def read_literal(text: str, start: int, *, listed: bool = False) -> Literal | None:
    """The string that begins at ``start`` with its quotation mark, and all that are joined to it.

    ``listed``: those that commas join, instead.
    """
    pieces: list[str] = []
    places: list[tuple[int, int]] = []
    joint = _LIST if listed else _JOINT
    at = end = start
    while len(pieces) < _PIECES_MAX and (opened := _OPEN.match(text, at)):
        low = opened.end()
        quote = opened["quote"]
        inside = _LONG[quote] if len(quote) == 3 else _INSIDE[quote]
        high = inside.match(text, low, low + _PIECE_MAX).end()  # type: ignore[union-attr]  # matches always
        if not text.startswith(quote, high):
            break
        pieces.append(text[low:high])
        places.append((low, high))
        end = high + len(quote)
        following = joint.match(text, end)
        if following is None:
            break
        at = following.end()
    return Literal(tuple(pieces), tuple(places), end, listed) if pieces else None
