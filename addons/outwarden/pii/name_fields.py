"""Names of persons in tables and records, where the name of a column or field tells what stands in it.

`surname,ward` over `Roe,4`; `"family": "Roe", "given": ["Ida"]` of FHIR; `<XPN.1>Roe` of HL7 v2 in XML; `"consultant": "Roe"`,
`pt_last = 'Roe'` and `NM1*IL*1*ROE*IDA` of X12. In whole texts only.
"""

import re
from collections.abc import Iterator

from outwarden.pii.columns import Cell, cells
from outwarden.pii.finder import Span
from outwarden.pii.page import Page, encode, texts_with
from outwarden.pii.regexp import Regexp

_ENTITY = "PERSON"
_SCORE = 0.8
# Columns of persons' names, whatever else the table has.
_SURE = (
    r"(?:patient|pt|client|customer|contact|employee|staff|member|full|first|last|middle|given|family|maiden|sur|fore|preferred|guest"
    r"|passenger|driver|tenant|student|teacher|doctor|nurse|surgeon|provider|mother|father|spouse|next[ _]of[ _]kin|card[ _]?holder)"
    r"[ _.\-]?names?|surnames?|forenames?|vornamen?|nachname|familienname|achternaam|voornaam|pr[eé]nom|nom de famille|apellidos?"
    r"|cognome|sobrenome|apelido|imi[eę]|nazwisko|jm[eé]no|p[rř][ií]jmen[ií]|f[oö]rnamn|efternamn|fornavn|etternavn|efternavn"
    r"|given|forenames|(?:pt|patient)[ _](?:first|last|given|family|full)"
    r"|sukunimi|etunimi|soyad[ıi]?|vezet[eé]kn[eé]v|keresztn[eé]v|prenume|prezime|priezvisko"
    r"|attending|surgeon|an(?:ae|e)sthetist|physician|consultant|registrar|nurse|midwife|next[ _]of[ _]kin|nok|carer|gp"
)
# Columns that hold persons where another one is about persons as well.
_LIKELY = (
    r"names?|nom|nombre|nome|naam|navn|namn|nimi|n[eé]v|nume|ime|last|first|middle|patient|client|doctor|contact|employee|mother"
    r"|father|spouse|guardian|manager|owner|teacher|student|operator|assistant|seen[ _]by|signed[ _]by|reported[ _]by|performed[ _]by|assigned[ _]to|reviewer|author"
)
_OTHERS = re.compile(
    r"(?i)\b(?:mrn|urn?|dob|d\.o\.b\.?|(?:date[ _]of[ _])?birth(?:[ _]?date|day)?|age|sex|gender|ward|bed|e-?mail|phone|tel|mobile|ssn|nhs(?:[ _]no)?"
    r"|salary|department|job[ _]title|attending|diagnosis|uhid|hosp(?:ital)?[ _.]?no|address|geburtsdatum|nacimiento|naissance)\b"
)
_HEADS = re.compile(rf"(?i)(?:{_SURE}|{_LIKELY})")
_SURE_HEAD = re.compile(rf"(?i)(?:{_SURE})")
_HINT_PATTERN = rf"(?i:\b(?:{_SURE}|{_LIKELY})\b[\"']?[ ]*[,;|\t]|[,;|\t][ ]*[\"']?(?:{_SURE}|{_LIKELY})\b)"
_HINT = Regexp(_HINT_PATTERN)
_WORD = r"[^\W\d_]+(?:['\u2019.\-][^\W\d_]+)*\.?"
_NAME = re.compile(rf"{_WORD}(?:,?[ ]{_WORD}){{0,4}}")
_NONE = re.compile(
    r"(?i)n/?a|none|null|nil|unknown|tb[cd]|yes|no|true|false|string|varchar|text|int|name|total|empty|vacant|various"
)
_VALUE = r"\"([^\"\\\d{}\[\]]{1,60})\""
_FIELDS = re.compile(
    rf"\"(?:family|given)\"\s{{0,4}}:\s{{0,4}}(?:{_VALUE}|\[((?:\s{{0,4}}{_VALUE},?){{1,6}}\s{{0,4}}\]))"
)
_QUOTED = re.compile(_VALUE)
_FHIR = re.compile(r"\"family\"\s{0,4}:|\"given\"\s{0,4}:\s{0,4}\[")
# The name of a resource as one text; a search by name. In what speaks of patients only.
_NAMED = re.compile(
    rf"\"name\"\s{{0,4}}:\s{{0,4}}\[?\s{{0,4}}\{{\s{{0,4}}(?:\"use\"\s{{0,4}}:\s{{0,4}}\"[a-z]{{1,12}}\",\s{{0,4}})?\"text\"\s{{0,4}}:\s{{0,4}}{_VALUE}"
    r"|[?&](?:family|given)=([^\W\d_][^\W\d_'\-]{1,40})(?=[&\s\"]|\Z)"
)
# A key that names persons, in JSON, SQL or a call: its value is in quotes.
_KEYS = (
    r"(?:(?:pt|patient)[ _]?)?(?:first|last|sur|fore|given|family|maiden)[ _]?names?|(?:pt|patient)[ _]?(?:first|last|name)|nachname"
    r"|vorname|apellidos?|attending|surgeon|an(?:ae|e)sthetist|physician|consultant|registrar|midwife|referring[ _]?physician"
)
_KEYED = re.compile(
    rf"(?i)(?<![\w-])[\"']?(?:{_KEYS})[\"']?[ ]{{0,2}}[:=][ ]{{0,2}}(?P<quote>[\"'])(?P<value>[^\"'\\\d{{}}\[\]\n]{{2,60}})(?P=quote)"
)
_KEYED_HINT_PATTERN = rf"(?i:(?:{_KEYS})[\"']?[ ]{{0,2}}[:=][ ]{{0,2}}[\"'])"
_KEYED_HINT = Regexp(_KEYED_HINT_PATTERN)
# A person in X12 (loop 2100, NM1): whose name it is, 1 for a person, last, first and further names.
_X12 = re.compile(r"\bNM1\*[A-Z0-9]{2,3}\*1\*(?P<name>[^*~\d]{2,40}\*[^*~\d]{2,30}(?:\*[^*~\d]{1,25})?)(?=[*~])")
_XML = re.compile(r"<(?:(?:XPN|XCN|CN)\.(?:[1-3])|FN\.1|given|family)(?: [^<>]{0,40})?>([^<>\d]{1,60})</")
_ANY_HINT = Regexp(rf'{_HINT_PATTERN}|{_KEYED_HINT_PATTERN}|"given"|"text"|family=|given=|NM1\*|</')


class NameFields:
    """Finds them; a `WholeFinder`. Serves all threads."""

    entities = frozenset({_ENTITY})

    def __repr__(self) -> str:
        return "<NameFields>"

    def find(self, page: Page) -> dict[int, list[Span]]:
        """The findings in each text with any; most texts have no such field."""
        return {
            index: [Span(start, end, _ENTITY, _SCORE) for start, end in _find(page.texts[index])]
            for index in texts_with(_ANY_HINT.search, page)
        }


def _find(text: str) -> Iterator[tuple[int, int]]:
    if _HINT.search(encode(text)):
        yield from _in_columns(text)
    if '"given"' in text and '"family"' in text:  # a font has a family, too
        for field in _FIELDS.finditer(text):
            values = (value.span(1) for value in _QUOTED.finditer(text, field.start() + 8, field.end()))
            yield from (span for span in values if _is_name(text[slice(*span)]))
    if '"text"' in text or "family=" in text or "given=" in text:
        for field in _NAMED.finditer(text) if "Patient" in text or "patient" in text else ():
            group = 1 if field[1] else 2
            if _is_name(field[group]):
                yield field.span(group)
    if _KEYED_HINT.search(encode(text)):
        for field in _KEYED.finditer(text):
            if _is_name(field["value"]) and field["value"][0].isupper():
                yield field.span("value")
    if "NM1*" in text:
        yield from (field.span("name") for field in _X12.finditer(text))
    if "</" in text:
        yield from (field.span(1) for field in _XML.finditer(text) if _is_name(field[1]))


def _in_columns(text: str) -> Iterator[tuple[int, int]]:
    for cell in cells(text, _HEADS):
        if (_SURE_HEAD.fullmatch(cell.head) or _is_about_persons(text, cell)) and _is_name(text[cell.start : cell.end]):
            yield cell.start, cell.end


def _is_about_persons(text: str, cell: Cell) -> bool:
    """Whether another column of the table tells something of persons."""
    return _OTHERS.search(cell.line) is not None or _SURE_HEAD.search(cell.line) is not None


def _is_name(said: str) -> bool:
    return len(said) > 1 and _NAME.fullmatch(said) is not None and _NONE.fullmatch(said) is None
