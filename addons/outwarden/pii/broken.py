"""Keys and tokens that are broken: by spaces, over lines, told in two halves, turned around or shifted by 13 letters.

A key is put together again from where it begins, as long as what follows looks like more of it; what is said to stand
backwards or in ROT13 is read so.
"""

import codecs
import re

from outwarden.pii.credentials import KEY_BEGINS, is_key
from outwarden.pii.reading import VIEW, Look
from outwarden.pii.recognizer import Recognizer, Sign, Verdict, skip_edge, word_before

_SCORE = 0.9
_GAP = r"(?:,? (?:and |then ){1,2}(?:continues|goes on|ends)(?: with)?:? | {1,2}|\\?\r?\n[ \t>]{0,12})"
_ROW = rf"{KEY_BEGINS}[A-Za-z0-9_\-+/=.]{{0,120}}{_GAP}[A-Za-z0-9_\-]{{2}}|\bA[KSBC][IC]A[\-._ ]"
_PIECE = re.compile(r"[A-Za-z0-9_\-+/=.]+")
_GAP_NEXT = re.compile(_GAP)
_PIECES_MAX, _KEY_MAX = 16, 400
_AWS = re.compile(r"A[KSBC][IC]A(?:[\-._ ]?[A-Z0-9]){16}(?![A-Za-z0-9])")


def check_broken(text: str, start: int) -> Verdict | None:
    """The key that begins at ``start`` and is longer than its first piece."""
    start = skip_edge(text, start)
    if word_before(text, start):
        return None
    if aws := _AWS.match(text, start):
        compact = re.sub(r"[^A-Z0-9]", "", aws[0])
        told = compact != aws[0] and sum(map(str.isdecimal, compact)) >= 2
        return Verdict(start, aws.end(), _SCORE, "API_KEY") if told else None
    ends, joined = _pieces(text, start)
    for count in range(len(ends), 1, -1):
        if is_key("".join(joined[:count])):
            return Verdict(start, ends[count - 1], _SCORE, "API_KEY")
    return None


def _pieces(text: str, start: int) -> tuple[list[int], list[str]]:
    """The pieces of what may be one key, and where each ends."""
    ends: list[int] = []
    pieces: list[str] = []
    at, limit = start, start + _KEY_MAX
    while len(pieces) < _PIECES_MAX and (piece := _PIECE.match(text, at, limit)):
        said = piece[0] if not pieces else piece[0].rstrip(".")
        if pieces and not _goes_on(said):
            break
        pieces.append(said)
        ends.append(at + len(said))
        gap = _GAP_NEXT.match(text, piece.end())
        if gap is None:
            break
        at = gap.end()
    return ends, pieces


def _goes_on(piece: str) -> bool:
    """Whether it is no word of a sentence: w2Vd, Xq7Lw2, never "then" or "2024"."""
    return (
        any(map(str.isdecimal, piece)) and any(map(str.isalpha, piece)) and not piece.endswith(("st", "nd", "rd", "th"))
    )


# --- a token with spaces or ends of lines around its dots

_JWT_ROW = r"\beyJ[A-Za-z0-9_\-]{8}"
_JWT = re.compile(r"eyJ[\w-]{8,}+(?:\s{0,2}\.\s{0,2}[\w-]{8,2000}){2}")


def check_spaced_token(text: str, start: int) -> Verdict | None:
    """A signed token of three parts."""
    found = _JWT.match(text, start)
    if found is None or re.search(r"\s", found[0]) is None:
        return None
    return Verdict(start, found.end(), _SCORE, "API_KEY")


# --- what is said to be backwards or in ROT13

_RUN = r"[A-Za-z0-9._%+\-@:/=]{8,80}"
BACKWARDS = r"revers|backward|rückwärts|rueckwaerts|envers|al rev[eé]s"
_SAYS = rf"(?i:rot[ \-]?13|{BACKWARDS}|al contrario)"
_SAID_BEHIND = rf"[\"'`]?[ ,(\[\-]{{1,4}}(?:(?:in|it|is|read|this|the|spelled|written|but) ){{0,3}}{_SAYS}"
_BEHIND = rf"\b{_RUN}{_SAID_BEHIND}"
# A run may begin at any word's edge in it: searched from its end.
BEHIND_SIGN = Sign(_SAID_BEHIND, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+-@:/=", most=80)
_BEFORE = rf"{_SAYS}[a-z]{{0,4}}[^\w\n]{{1,4}}(?:\w{{1,10}}[^\w\n]{{1,4}}){{0,3}}?{_RUN}"
_READ = re.compile(_RUN)
_IN_ROT13 = re.compile(r"rot[ \-]?13", re.IGNORECASE)
_BEFORE_TOKEN = 40


def check_told(look: Look, text: str, start: int, end: int) -> Verdict | None:
    """The first token beside the word that says how to read it, read so."""
    for token in _READ.finditer(text, start, end):
        said = codecs.encode(token[0], "rot13") if _IN_ROT13.search(text, start, end) else token[0][::-1]
        before = text[max(0, token.start() - _BEFORE_TOKEN) : token.start()]
        for candidate in look(f"{before} {said}"):
            if candidate.start > len(before):
                return Verdict(token.start(), token.end(), candidate.score * _SCORE, candidate.entity)
    return None


def broken_recognizers(look: Look, wanted: frozenset[str]) -> list[Recognizer]:
    """All of this file; keys only where they are in ``wanted``."""

    def told(text: str, start: int, end: int, more: bool) -> Verdict | None:
        return check_told(look, text, start, end)

    found = [
        Recognizer(VIEW, _BEHIND, told, whole=True, hint=_SAYS, sign=BEHIND_SIGN),
        Recognizer(VIEW, _BEFORE, told, whole=True, hint=_SAYS),
    ]
    if "API_KEY" in wanted:
        found += [
            Recognizer(VIEW, _ROW, lambda text, start, end, more: check_broken(text, start), whole=True),
            Recognizer(VIEW, _JWT_ROW, lambda text, start, end, more: check_spaced_token(text, start), whole=True),
        ]
    return found
