"""Values that a program puts together: from strings, lists of characters, formats, variables, character codes.

`"".join(["ada", "@web.de"])`, `new StringBuilder("ada").append("@web.de")`, `a = "+40"` and `dial(a + b)`. What is put
together is read with the words before it, and where those say nothing, with what the name of a call says: what is
handed to `dial` is a telephone number, what logs in is a password.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from outwarden.pii.literals import read_literal
from outwarden.pii.passwords import WORDS as PASSWORD_WORDS
from outwarden.pii.passwords import Sure, is_password
from outwarden.pii.reading import VIEW, Look
from outwarden.pii.recognizer import Recognizer, Verdict

_SCORE = 0.85
_LEAST, _MOST = 6, 400


@dataclass(frozen=True, slots=True)
class Assembled:
    """What pieces of a text say together, and where each stands."""

    pieces: tuple[str, ...]
    places: tuple[tuple[int, int], ...]
    joint: str = ""

    def __repr__(self) -> str:
        return f"<Assembled of {len(self.pieces)} pieces>"

    @property
    def text(self) -> str:
        """The pieces with what is put between them."""
        return self.joint.join(self.pieces)

    def span(self, start: int, end: int) -> tuple[int, int, int] | None:
        """Where the pieces stand that make up ``text[start:end]``, and how many they are."""
        at = 0
        touched: list[tuple[int, int]] = []
        for piece, place in zip(self.pieces, self.places, strict=True):
            if piece and at < end and start < at + len(piece):
                touched.append((max(place[0], place[0] + start - at), place[1]))
            at += len(piece) + len(self.joint)
        return (touched[0][0], touched[-1][1], len(touched)) if touched else None


# --- what a call does with it

_USES = (
    ("phone", re.compile(r"\b(?:dial|call|sms|phone|whats\w{0,4}|tel|mobile|ring|voip|msisdn)", re.IGNORECASE)),
    ("card", re.compile(r"charge|tokeni[sz]e|\bcard|\bpay|stripe|\bpan\b", re.IGNORECASE)),
    ("ip", re.compile(r"firewall|\bip\b|_ip\b|block\w{0,5}\(|\bban\b|ping|whois|connect", re.IGNORECASE)),
    ("iban", re.compile(r"iban|transfer|sepa|payout", re.IGNORECASE)),
    ("ssn", re.compile(r"\bssn|_ssn", re.IGNORECASE)),
)  # fmt: skip
_LOGS_IN = re.compile(r"log_?in|logon|sign_?in|auth|sudo|unlock|passw|passwd", re.IGNORECASE)
_NEAR_BEFORE, _NEAR_AFTER = 48, 120


def _found(look: Look, text: str, read: Assembled, *, single: bool = False) -> Verdict | None:
    """What is found in ``read`` over more than one piece."""
    said = read.text
    if not _LEAST <= len(said) <= _MOST:
        return None
    low, high = read.places[0][0], read.places[-1][1]
    before, after = text[max(0, low - _NEAR_BEFORE) : low], text[high : high + _NEAR_AFTER]
    around = before + after
    prefixes = [before + " ", *(f"{word}: " for word, use in _USES if use.search(around))]
    for prefix in prefixes:
        for one in look(prefix + said):
            start, end = one.start - len(prefix), one.end - len(prefix)
            if start < 0 or (place := read.span(start, end)) is None or (place[2] < 2 and not single):
                continue
            if one.entity == "IP_ADDRESS" and not _USES[2][1].search(around):
                continue  # four numbers of anything
            return Verdict(place[0], place[1], _SCORE * one.score, one.entity)
    named = PASSWORD_WORDS.before(text, low) or _LOGS_IN.search(around)
    if named and " " not in said and is_password(said, Sure.RAW) and any(map(str.isalpha, said)):
        return Verdict(low, high, 0.7, "PASSWORD")
    return None


# --- strings

_QUOTE = re.compile(r"[\"'`]")


def _literal(text: str, at: int, *, listed: bool, joint: str = "") -> Assembled | None:
    literal = read_literal(text, at, listed=listed)
    if literal is None or len(literal.pieces) < 2:
        return None
    return Assembled(literal.pieces, literal.places, joint)


_OPENED = re.compile(r"[\"'`][^\"'`\n]{0,120}(?:[\"'`][ \t)]{0,3}\.?)?\Z")


def _string_before(text: str, start: int) -> int | None:
    """Where the string begins in which, or at whose end, ``start`` stands."""
    low = max(text.rfind("\n", 0, start) + 1, start - 124)
    opened = _OPENED.search(text, low, start)
    return opened.start() if opened else None


_JOIN = re.compile(
    r"(?:(?P<q>[\"'])(?P<glue>[^\"'\n]{0,2})(?P=q)\.join\(\s{0,4}\[?|(?:implode|join)\(\s?(?:(?P<q2>[\"'])(?P<glue2>[^\"'\n]{0,2})(?P=q2)\s?,\s?)?[\[(]?|array\()\s{0,12}(?=[\"'])"
)
_JOINED_AFTER = re.compile(r"\s{0,4}[\])]{1,2}\.join\(\s?(?:(?P<q>[\"'`])(?P<glue>[^\"'`\n]{0,2})(?P=q))?")


def _strings(text: str, start: int, end: int) -> Iterator[Assembled]:
    """Strings that an operator or a call joins, from the first one on."""
    opened = _string_before(text, start)
    for at in (opened, start):
        if at is None or (found := _QUOTE.match(text, at)) is None:
            continue
        if read := _literal(text, found.start(), listed=False):
            yield read
        if (several := _literal(text, found.start(), listed=True)) is None:
            continue
        joined = _JOINED_AFTER.match(text, several.places[-1][1] + 1)
        if joined:
            yield Assembled(several.pieces, several.places, joined["glue"] or "")
        elif len(several.pieces) >= _LEAST and all(len(piece) == 1 for piece in several.pieces):
            yield several


def _joined(text: str, start: int, end: int) -> Iterator[Assembled]:
    """A list of strings in a call that joins them."""
    if (call := _JOIN.search(text, max(0, start - 6), end + 40)) is None:
        return
    if read := _literal(text, call.end(), listed=True, joint=call["glue"] or call["glue2"] or ""):
        yield read


# --- formats

_FORMAT = re.compile(
    r"(?P<q>[\"'])(?P<format>(?:[^\"'\n{}%]{0,24}(?:%[sd]|\{\w{0,12}\})){2,8}[^\"'\n{}%]{0,24})(?P=q)"
    r"(?:\s?%\s?\(|\.format\(|\s?,\s?)(?P<arguments>[^()\n]{3,160})"
)
_HOLE = re.compile(r"%[sd]|\{\w{0,12}\}")
_ARGUMENT = re.compile(
    r"\s?(?:\w{1,12}\s?=\s?)?(?:(?P<q>[\"'])(?P<string>[^\"'\n]{0,64})(?P=q)|(?P<number>\d{1,8}))\s?(?:,|\Z|(?=\)))"
)


def _formatted(text: str, start: int, end: int) -> Iterator[Assembled]:
    """What a format makes of its arguments: its own text goes with the argument before it."""
    at = text.rfind("\n", 0, start) + 1
    found = _FORMAT.search(text, max(at, start - 60), end + 300)
    if found is None:
        return
    parts = _HOLE.split(found["format"])
    pieces: list[str] = []
    places: list[tuple[int, int]] = []
    at = found.start("arguments")
    for between in parts[1:]:
        argument = _ARGUMENT.match(text, at)
        if argument is None:
            return
        group = "string" if argument["q"] else "number"
        pieces.append(argument[group] + between)
        places.append(argument.span(group))
        at = argument.end()
    pieces[0] = parts[0] + pieces[0]
    yield Assembled(tuple(pieces), tuple(places))


# --- a part that is replaced

_REPLACED = re.compile(
    r"(?P<q>[\"'`])(?P<text>[^\"'`\n]{3,120})(?P=q)(?:\.(?:replace|replaceAll|gsub|sub|tr)\(|,\s?)"
    r"\s?(?P<q2>[\"'`/])(?P<old>[^\"'`\n/]{1,16})(?P=q2)g?\s?,\s?(?P<q3>[\"'`])(?P<new>[^\"'`\n]{0,4})(?P=q3)"
)


def _replaced(text: str, start: int, end: int) -> Iterator[Assembled]:
    """A string of which every part that stands for another is replaced."""
    opened = _string_before(text, start)
    found = _REPLACED.match(text, opened) if opened is not None else None
    if found is None or found["old"] not in found["text"]:
        return
    pieces, at = found["text"].split(found["old"]), found.start("text")
    places = []
    for piece in pieces:
        places.append((at, at + len(piece)))
        at += len(piece) + len(found["old"])
    yield Assembled(tuple(pieces), tuple(places), found["new"])


# --- variables

_ADDED = re.compile(
    r"\(?(?:(?:this|self)\.)?\$?(?P<a>\w{1,24}) ?(?:\+|\.\.?|&|\|\|) ?\$?(?P<b>\w{1,24})\b|\$\{?(?P<c>\w{1,24})\}?\$\{?(?P<d>\w{1,24})|%(?P<e>\w{1,24})%%(?P<f>\w{1,24})%|\{(?P<g>\w{1,24})\}\$?\{(?P<h>\w{1,24})\}"
)
_ASSIGNS = r"(?:^|[\s;$])(?:(?:set|let|var|const|export|my|local|val|final|auto|string|String|str|static|char \*) ?)*\$?{name}\s?(?::\s?\w+\s?)?:?=\s?"
_VARIABLE_BACK = 400
_VALUE = re.compile(r"[\"'`](?P<quoted>[^\"'`\n]{0,120})[\"'`]|(?P<bare>[^\s\"';]{1,120})")


def _variables(text: str, start: int, end: int) -> Iterator[Assembled]:
    """Two variables that are joined where they are used, each with a string of its own above."""
    used = _ADDED.match(text, start)
    if used is None:
        return
    names = [name for name in used.groups() if name]
    low = max(0, start - _VARIABLE_BACK)
    pieces: list[str] = []
    places: list[tuple[int, int]] = []
    for name in names:
        above = list(re.finditer(_ASSIGNS.replace("{name}", re.escape(name)), text[low:start], re.MULTILINE))
        value = _VALUE.match(text, low + above[-1].end()) if above else None
        if value is None:
            return
        group = "quoted" if value["quoted"] is not None else "bare"
        pieces.append(value[group])
        places.append(value.span(group))
    if places == sorted(places):
        yield Assembled(tuple(pieces), tuple(places))


# --- codes and characters, each in a call or line by itself

_CODES = re.compile(r"(?:cha?r(?:code|w)?\(\s?(\d{2,3})\s?\)[\s+.|&,]{0,4}){5,}", re.IGNORECASE)
_CODE = re.compile(r"\((?:\s?)(\d{2,3})")
_LINES = re.compile(r"(?:[^\n\"]{0,24}\"(?:\\?[^\"\n])\"[^\n\"]{0,24}(?:\n|\Z)){5,}")
_LINE = re.compile(r"\"(\\?[^\"\n])\"")


def _codes(text: str, start: int, end: int) -> Iterator[Assembled]:
    for run, one, read in ((_CODES, _CODE, lambda code: chr(int(code))), (_LINES, _LINE, str)):
        at = start if run is _CODES else text.rfind("\n", 0, start) + 1
        if (found := run.match(text, at, at + 2400)) is None:
            continue
        parts = list(one.finditer(text, at, found.end()))
        places = [part.span() if run is _CODES else part.span(1) for part in parts]
        if run is _CODES:
            places[0] = (found.start(), places[0][1])
            places[-1] = (places[-1][0], text.find(")", places[-1][1]) + 1)
        yield Assembled(tuple(read(part[1]) for part in parts), tuple(places))


_BEGINNINGS = (
    (
        r"(?i:append|concat)\(\s?[\"']|[A-Za-z0-9@._\-][\"'][ \t]?\\?\r?\n[ \t+\-]{1,16}[\"'][A-Za-z0-9@._\-]|[A-Za-z0-9@._](?:\"'|'\")[A-Za-z0-9@._]",
        _strings,
    ),
    (r"[\"'][^\"'\\\n][\"'], ?[\"'][^\"'\\\n][\"'], ?[\"']|[\"'], ?[\"'][^\"'\n]{1,40}[\"']\s?[\])]\.join", _strings),
    (r"(?i:join|implode)\(\s?[\[(]?\s?[\"']", _joined),
    (r"\.(?:replace|replaceAll|gsub|sub|tr)\(\s?[\"'`/]", _replaced),
    (r"(?:%[sd]|\{\w{0,6}\})[^\"'\n{}%]{0,3}(?:%[sd]|\{\w{0,6}\})", _formatted),
    (
        r"\(\$?[a-z_A-Z]\w{0,23} (?:\+|\.|&|\.\.|\|\|) \$?[a-zA-Z_]\w{0,23}\b|\$\{?\w{1,24}\}?\$\{?\w|%\w{1,24}%%|\{\w{1,24}\}\$?\{",
        _variables,
    ),
    (
        r"(?i:cha?rw?)\(\s?\d{2,3}\s?\)[\s+.|&,]{0,4}(?i:cha?rw?)\(|\"[^\"\n\\]\"[^\"\n]{0,24}\n[^\"\n]{0,24}\"[^\"\n\\]\"",
        _codes,
    ),
)
_BEGINS = "|".join(begins for begins, _ in _BEGINNINGS)
_KINDS = tuple((re.compile(begins), read) for begins, read in _BEGINNINGS)


def assembled_recognizers(look: Look) -> list[Recognizer]:
    """What finds all that ``look`` does, and passwords, in what a program puts together."""

    def check(text: str, start: int, end: int, more: bool) -> Verdict | None:
        for begins, read in _KINDS:
            if begins.match(text, start, end):
                for one in read(text, start, end):
                    if found := _found(look, text, one):
                        return found
                    behind = one.places[-1][1]
                    if read is not _variables and behind > end:
                        return Verdict(behind, behind, 0.0)
        return None

    return [Recognizer(VIEW, f"(?:{_BEGINS})", check, whole=True)]
