"""Dates of birth and street addresses that are laid out: fields, lines, cells, one sign for each space.

`day: 15` over `month: April`, `26;monat=3;jahr=1989`, `133|Rue|des|Tanneurs,|68000|Colmar`, `Storgatan_17_411_24_Lund`.
"""

import re

from outwarden.pii.folding import Folded, fold, rewrite, unchanged
from outwarden.pii.particulars import BIRTH, MONTHS
from outwarden.pii.reading import VIEW, Look
from outwarden.pii.recognizer import Context, Recognizer, Verdict

_SCORE = 0.8

# --- dates of birth in fields

_BEFORE, _WITHIN = 48, 90
_PART = (
    r"day|month|year|tag|monat|jahr|jour|mois|ann[ée]e|d[íi]a|mes|a[ñn]o|giorno|mese|anno|m[êe]s|dag|maand|jaar|d|m|y"
)
_TOKENS = re.compile(
    rf"(?P<month>(?:{MONTHS})(?![a-z]))|(?P<number>[0-9]{{1,4}})(?:st|nd|rd|th)?(?![\w])"
    rf"|(?P<part>(?:{_PART})(?![a-zà-ÿ]))"
    r"|(?P<filler>(?:birth|dob|of|the|is|was|in|on|and|de|el|le|den|y)_?(?![a-z]))|(?P<sign>[^\w]|_)",
    re.IGNORECASE,
)

_BEGINS = re.compile(rf"(?<![A-Za-z0-9])(?:[0-9]|(?:{MONTHS})(?![a-z])|(?:{_PART})[\"']?\s?[:= ])", re.IGNORECASE)


def check_birth(text: str, start: int, end: int, more: bool) -> Verdict | None:
    """Day, month and year in any order behind a word for a birth, with what names them between."""
    values: list[tuple[str, tuple[int, int]]] = []
    named = 0
    first = _BEGINS.search(text, end, end + _BEFORE)
    if first is None:
        return None
    at = end = first.start()
    while len(values) < 3 and at < end + _WITHIN and (token := _TOKENS.match(text, at)):
        at = token.end()
        named += token["part"] is not None
        if token["month"] or token["number"]:
            values.append((token["month"] or token["number"], token.span("month" if token["month"] else "number")))
    if len(values) < 3 or not (named or any(value[0].isalpha() for value, _ in values)):
        return None
    numbers = [int(value) for value, _ in values if value.isdecimal()]
    years = [number for number in numbers if 1900 <= number <= 2035]
    rest = [number for number in numbers if not 1900 <= number <= 2035]
    if len(years) != 1 or not all(1 <= number <= 31 for number in rest):
        return None
    if len(numbers) == 3 and (min(rest) > 12 or named < 2):
        return None
    return Verdict(values[0][1][0], values[2][1][1], _SCORE, "DATE_OF_BIRTH")


# --- street addresses

_LABEL = Context(
    r"addr(?:ess)?e?\w{0,2}\b|anschrift|lieferadresse|adresse|direcci[oó]n|adres\b|indirizzo|endere[cç]o"
    r"|lives? at|deliver to|ship to|served at|invitations to|come by|pickup|taxi at|line1|street\b|maps",
    wide=r"адрес|住所|地址|주소|عنوان",
)
_LENGTH = 150
_SIGNS = ("|", "_", "+", "#", "\\n", " // ", "/")
_CAMEL = re.compile(r"(?<=[a-zß-ÿ])(?=[A-Z0-9])|(?<=[0-9])(?=[A-Z][a-z])|(?<=[A-Za-zß-ÿ])(?=[0-9])")
_RUN = re.compile(r"[^\s\"'<>{}()\[\];]{12,120}")
_BREAKS = re.compile(r"\s*[\"']\s*,\s*[\"']\w{1,12}[\"']\s*:\s*[\"']|,?\s*(?:\r?\n|\u2028)(?:[> ]{0,4}|\w{1,12}: )|;")
_POST_CODE = re.compile(r"[0-9]{4,6}|[0-9]{2,4}[\- ][0-9]{2,3}|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}")
_TOWN_LINE = re.compile(r"[\"';,\s]{0,6}(?:[\"']?\w{0,10}[\"']?\s?:\s?[\"']?)?(?:\w{1,4}: )?(?:[^\n\"']{0,40})")


class _Streets:
    """Reads what stands behind a word for an address."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def __call__(self, text: str, start: int, end: int, more: bool) -> Verdict | None:
        for low, run in self._runs(text, end):
            for read in _readings(run):
                if self._is_street(read.text) or _has_parts(read.text):
                    return Verdict(low, low + len(run), _SCORE, "STREET_ADDRESS")
        return self._over_lines(text, end)

    def _runs(self, text: str, end: int) -> list[tuple[int, str]]:
        runs = []
        for found in _RUN.finditer(text, end, min(len(text), end + _LENGTH)):
            run = found[0].rstrip(".,:!?")
            if any(map(str.isdecimal, run)) and not run.startswith("//"):
                runs.append((found.start(), run))
            if len(runs) == 2:
                break
        return runs

    def _over_lines(self, text: str, end: int) -> Verdict | None:
        region = text[end : end + _LENGTH]
        if _BREAKS.search(region) is None:
            return None
        read = rewrite(unchanged(region), _BREAKS, lambda mark: ", ")
        for candidate in self._look(read.text):
            low, high = read.span(candidate.start, candidate.end)
            if candidate.entity == "STREET_ADDRESS" and _BREAKS.search(region, low, high + 24):
                if town := _POST_CODE.search(region, high, high + 48):
                    line = region.find("\n", town.end())
                    high = line if 0 <= line <= town.end() + 24 else min(town.end() + 12, len(region))
                return Verdict(end + low, end + high, _SCORE, "STREET_ADDRESS")
        return None

    def _is_street(self, read: str) -> bool:
        return any(candidate.entity == "STREET_ADDRESS" for candidate in self._look(read))


def _has_parts(read: str) -> bool:
    """Whether a name, a house number, a post code and a town are there, and little more."""
    words = read.replace(",", " ").split()
    capitals = sum(word[0].isupper() and len(word) > 2 for word in words)
    numbers = [word for word in words if word[0].isdecimal()]
    code = any(len(_DIGITS.findall(word)) >= 4 for word in numbers) or _SPLIT_CODE.search(read) is not None
    return len(words) <= 12 and capitals >= 2 and len(numbers) >= 2 and code


_DIGITS = re.compile("[0-9]")
_SPLIT_CODE = re.compile(r"\b[0-9]{3} [0-9]{2}\b")


def _readings(run: str) -> list[Folded]:
    """A run with a space for the sign that stands for one, or where its words begin."""
    folded = fold(run)
    found = [
        rewrite(folded, re.compile(re.escape(sign) + "+"), lambda mark: " ")
        for sign in _SIGNS
        if folded.text.count(sign) >= 2
    ]
    if not found and "." not in run[:4] and len(_CAMEL.findall(run)) >= 3:
        found.append(rewrite(unchanged(run), _CAMEL, lambda mark: " "))
    return [Folded(re.sub(" +", " ", read.text).strip(), [], []) for read in found]


def laid_out_recognizers(look: Look, wanted: frozenset[str]) -> list[Recognizer]:
    """What finds dates of birth and street addresses in layouts, where they are in ``wanted``."""
    found = []
    if "DATE_OF_BIRTH" in wanted:
        found.append(Recognizer(VIEW, BIRTH.pattern.replace(r"\w*", ""), check_birth, whole=True))
    if "STREET_ADDRESS" in wanted:
        found.append(Recognizer(VIEW, _LABEL.pattern, _Streets(look), whole=True))
    return found
