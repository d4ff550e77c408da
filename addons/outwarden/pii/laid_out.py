"""Street addresses that are laid out: fields, lines, cells, one sign for each space.

`133|Rue|des|Tanneurs,|68000|Colmar`, `Storgatan_17_411_24_Lund`.
"""

import re

from outwarden.pii.folding import Folded, fold, rewrite, unchanged
from outwarden.pii.reading import VIEW, Look
from outwarden.pii.recognizer import Context, Recognizer, Verdict

_SCORE = 0.8

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
_NO_ADDRESS = re.compile(r"//|[A-Z][A-Z0-9]{2}\|")  # a path, a segment of a message (HL7)
_BREAKS = re.compile(r"\s*[\"']\s*,\s*[\"']\w{1,12}[\"']\s*:\s*[\"']|,?\s*(?:\r?\n|\u2028)(?:[> ]{0,4}|\w{1,12}: )|;")
_POST_CODE = re.compile(r"[0-9]{4,6}|[0-9]{2,4}[\- ][0-9]{2,3}|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}")


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
            if any(map(str.isdecimal, run)) and not _NO_ADDRESS.match(run):
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


# --- a street and its number in fields of their own

_HOUSE_FIELD = (
    r"(?:house|street|str|bldg|building)[ _\-]?(?:no|nr|num|number)|haus(?:nummer|nr)|huisnummer|numero_civico|civico"
    r"|num(?:ero)?_(?:calle|via|rue)"
)
_STREET_FIELD = r"(?:street|road|str|strasse|stra(?:ß|ss)e|straat|rue|calle|via|rua)(?:[ _\-]?name)?"
_FIELD_IS = r"[\"']?\s?[:=]\s?[\"']?"
_THEN = r"[\"']?\s?[,;&]?\s{0,8}[\"']?"
_HOUSE, _ROAD = r"[0-9]{1,5}[A-Za-z]?", r"[A-ZÀ-Þ][^\"'&;,=:\n{}]{2,40}"
_FIELDS_OF_STREET = (
    rf"(?i:\b(?:{_HOUSE_FIELD}){_FIELD_IS}){_HOUSE}(?i:{_THEN}(?:{_STREET_FIELD}){_FIELD_IS}){_ROAD}"
    rf"|(?i:\b(?:{_STREET_FIELD}){_FIELD_IS}){_ROAD}(?i:{_THEN}(?:{_HOUSE_FIELD}){_FIELD_IS}){_HOUSE}\b"
)
_FIELD_VALUE = re.compile(r"[:=]\s?[\"']?(?=[0-9A-ZÀ-Þ])")


def _check_fields(text: str, start: int, end: int, more: bool) -> Verdict | None:
    value = _FIELD_VALUE.search(text, start, end)
    return Verdict(value.end(), end, _SCORE, "STREET_ADDRESS") if value else None


def laid_out_recognizers(look: Look, wanted: frozenset[str]) -> list[Recognizer]:
    """What finds street addresses in layouts, where they are in ``wanted``."""
    if "STREET_ADDRESS" not in wanted:
        return []
    return [
        Recognizer(VIEW, _LABEL.pattern, _Streets(look), whole=True),
        Recognizer(VIEW, _FIELDS_OF_STREET, _check_fields, whole=True, hint=rf"(?i:\b(?:{_HOUSE_FIELD})[\"']?\s?[:=])"),
    ]
