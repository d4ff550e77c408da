"""Medical record numbers in whole texts: by what surrounds them on both sides, nearer or farther.

A file's label where the text is a ward's ("Chart DX-2280", "reg.nr"), a label that follows its number, an
identifier of FHIR or of HL7 in XML of the type MR, the column of a table, and the other numbers of one series.
"""

import re
from collections.abc import Iterator, Sequence

from outwarden.pii.columns import cells
from outwarden.pii.finder import Span
from outwarden.pii.messages import repetitions
from outwarden.pii.page import Page, Ruler, count_points, encode, texts_with
from outwarden.pii.record_numbers import NUMBER, OTHER_FORM, RECORD_NAMES, RECORD_WORDS, THEN, is_clock
from outwarden.pii.regexp import Regexp
from outwarden.pii.repeats import Repeats
from outwarden.pii.wards import is_ward

ENTITY = "MEDICAL_RECORD_NUMBER"
_SCORE, _SCORE_NEAR = 0.8, 0.7
_DIGITS = range(4, 15)
_DIGITS_AFTER_WORDS = 5  # "notes say 1500 ml"
# What any file, chart or register is called, in many languages; the text around it must be a ward's.
_FILES = (
    r"(?i:\b(?:charts?|folder|file|case(?: ?(?:file|rec(?:ord)?|sheet|number))?|record|rec|med(?:ical)?\.? ?rec(?:ord)?s?|notes?"
    r"|dossiers?(?:nr|nummer)?|our (?:ref|no)|(?:temp(?:orary)?|local|legacy|old|new|district|ref(?:erence)?) (?:id|no|num(?:ber)?)"
    r"|(?:facility|clinic|cent(?:re|er)|client|unit|agency|service|practice|institution|department|dept|caseload|member|local|house)"
    r"[ _]?(?:rec(?:ord)?|file|chart|no|num(?:ber)?|id|ref)|(?:pati[eë]nt(?:en)?|fall|aufnahme|protokoll)(?:zahl|kennung)|akten?(?:zeichen|zahl)?"
    r"|identifier(?: \(local\))?|reg(?:istration|ister|istr)?|admission|episode|attendance|kart(?:a|ei|ens?|oteka|u|y|ya)?"
    r"|kartes|journal|jrnl|expediente|cartella|cart|scheda|pratica|fascicolo|processo|prontu[aá]rio|registro|matr[ií]cula"
    r"|ficha(?: cl[ií]nica)?|fiche|fi[sș][aăeă]|hist(?:oria|orii)?|dosya|arşiv|protokol|napl[oó]|popis|spisu|berkas|faili"
    r"|hồ sơ|s[oố] (?:ba|bệnh án)|m[aã] (?:bn|ba|hs|y tế)|karton|utente(?: interno)?|epic|emis|cerner|meditech"
    r"|hrn|pcn|nip|crn|urn|uhid|bht|rghc))"
    r"|\b(?:HN|AN|CR|NDA|NDP|IEP|EPR|EMR|EHR|UR|IPN|OPN|IPD|OPD|IP|OP|MR|MRD|MRU|MPI|EMPI|HID|RN|FO|PID|FID|ZIS|KIS|PAS"
    r"|NHI|HC|SAME|FIN|CSN|HAR|VISIT|CHI|PMI|EPI|CHT|SIP|[A-Z]{2,4} (?:no|No|NO))\b"
    r"|(?i:α\.?μ\.?|φ[αά]κελ[οό][ςυ]|αριθμ[οό]ς μητρ|карт[аыкі]и?|и\.?з\.?|иб|досие|справа|амб\.|ایم آر نمبر|شماره پرونده"
    r"|رقم (?:الملف|المريض)|תיק|मरीज (?:नं|संख्या)|पंजीकरण|यूएचआईडी|রেজি|পেশেন্ট|பதிவு எண்|నమోదు|เลขที่|เอชเอ็น"
    r"|病[历歷案]号|档案号|就诊号|登[记記]号|カルテ|차트|등록)"
)
_LABEL = Regexp(
    rf"{RECORD_NAMES.pattern}|{RECORD_WORDS.pattern}|{_FILES}|\b(?:PID|MRG|QRD)\||<patientRole|Patient/[0-9]|\(0010,0020\)|REF\*EA\*"
)
# Labels that say by themselves what a number is, wherever they stand.
_SURE = re.compile(RECORD_NAMES.pattern)
_PLURAL = Regexp(r"(?i)\b(?:mrns|(?:rec(?:ord)?|hosp(?:ital)?|chart|patient|case|file|folder) ?(?:nos|numbers|nums))\b")
# A number's form: letters before or behind, groups behind any sign; digits of any script.
_VALUE = (
    r"(?P<value>(?:[A-Za-z]{1,5}\d{0,2}[/.\-]?|[A-Z]{1,5}\d{0,2}[ ])?\d[\dA-Z]{0,11}"
    r"(?:(?:[/.\-][\dA-ZА-Я]{0,3}\d[\dA-Z]{0,7}|[/.\-][A-ZА-Я]{1,4}[/.\-]\d{1,8}){1,4}|(?:[ ]\d{1,4}){1,4})?(?:[/\- ][A-Z]{1,3}\b)?)"
)
_NUMBER = rf"(?i:{NUMBER}|[ ._\-]{{0,2}}(?:n0|নং|नं|எண்|సంఖ్య|หมายเลข))?(?:[ ]?\([^()\n]{{1,20}}\))?"
_STOP = rf"(?:\??[ ]?(?i:{THEN})|[ ]{{1,3}}|[ \t.]{{1,10}}:[ ]?|(?<=[#№]))"
_AFTER = re.compile(rf"{_NUMBER}{_STOP}{_VALUE}")
# "hospital number on the letter: DK22190"
_AFTER_WORDS = re.compile(rf"{_NUMBER}(?:[?:]?[ ][^\s\d.,;:()|/\-]{{2,12}}){{1,4}}{_NUMBER}{_STOP}{_VALUE}")
# "Medical Record Number:", and the number on the next line
_BELOW = re.compile(rf"{_NUMBER}[ \t]{{0,4}}:?[ \t]{{0,4}}\r?\n[ \t]{{0,12}}{_VALUE}(?=[ \t]{{0,8}}(?:[\r\n]|\Z))")
_BEHIND = re.compile(
    rf"{_VALUE}\*?[ \t]{{0,3}}(?P<tie>[=|(\[\-–:,]{{1,2}}[ \t]{{0,2}})?"
    r"(?i:(?P<words>(?:(?:is|as|was|the|our|her|his|their|[a-z]{2,12}(?:'s)?) ){0,3}))\Z"
)
# The same, but for edges of words, for RE2: it reads what ends at a place from there, `re` from each place before it.
_BEHIND_BEGINS = Regexp(_BEHIND.pattern.replace(r"\d", r"\p{Nd}").replace(r"\b", "").replace(r"\Z", r"\z"))
_BEHIND_CHARACTERS = 72
_AFTER_CHARACTERS = 160  # the longest way to a number after a label is shorter
# What else has a number on a ward; and what is called a record but is none ("code record 0447").
_OTHER_BEFORE = re.compile(
    r"(?i)\b(?:(?:lab|film|specimen|sample|slide|block|req(?:uisition)?|order|batch|lot|unit)[ ]?(?:no|nr|num(?:ber)?|id|#)\.?|acc(?:ession)?|code record)"
    r"[ :#.]{0,3}\Z"
)
_OTHER_WIDTH = 24
_DIGIT = re.compile(r"\d")
_BEFORE_VALUE = re.compile(r"[\w.\-/+]\Z")
_MR = re.compile(
    rf"(?i)\"MR\"[^{{}}]{{0,200}}[\]}}]{{1,4}},?\s*(?:\"(?:system|use)\"\s*:\s*\"[^\"]{{0,120}}\",\s*)?\"value\"\s*:\s*\"{_VALUE}\""
    rf"|\"reference\"\s{{0,4}}:\s{{0,4}}\"(?:[^\"\s]{{0,120}}/)?Patient/{_VALUE.replace('value', 'value4')}\""
    rf"|\(0010,0020\)[^\[\r\n]{{0,12}}\[{_VALUE.replace('value', 'value5')}\s?\]|\bREF\*EA\*{_VALUE.replace('value', 'value6')}(?=[*~])"
    rf"|<patientRole\b[^<>]{{0,80}}>\s{{0,24}}<id\b[^<>]{{0,120}}?extension=\"{_VALUE.replace('value', 'value3')}\""
    rf"|<CX\.1>{_VALUE.replace('value', 'value2')}</CX\.1>(?=[^\r\n]{{0,400}}<CX\.5>(?:MR|PI|PT)<)"
)
# Fields of HL7 v2 that identify patients: in PID external, internal, alternate and account; in MRG those of before; in
# QRD whom a query is about.
_SEGMENT = re.compile(r"(?<![A-Za-z0-9])(PID|MRG|QRD)\|[^\r\n]{0,1000}")
_IDENTIFIER = re.compile(r"[\w.\-/]{4,24}")
_FIELDS = {"PID": frozenset({2, 3, 4, 18}), "MRG": frozenset({1, 2, 3, 4}), "QRD": frozenset({8})}
_HEAD = (
    r"(?:mrn|mr ?(?:no|#|num(?:ber)?)|med(?:ical)?[ _]rec(?:ord)?(?:[ _](?:no|num(?:ber)?|id))?|uhid|nhc|ipp|urn?|hrn"
    r"|(?:hosp(?:ital)?|patient|chart|record|pat|pt)[ _.]?(?:no|nr|num(?:ber)?|id|#)\.?|fall(?:nummer|nr)|patient(?:en)?nr)"
)
_HEADS = re.compile(rf"(?i)(?:.{{0,12}}\b)?{_HEAD}\.?")
_ANY_HEAD = Regexp(rf"(?i)\b{_HEAD}")  # one search instead of one for each cell of each line
_TOKEN = re.compile(
    r"(?<![\w.\-/+])(?P<letters>[A-Za-z]{1,4}[-/.]?|[A-Z]{1,4}[ ])?"
    r"(?P<figures>\d[\dA-Z]*(?:[-/. ]\d[\dA-Z]*){0,4})(?![\w/]|-\w)"
)
_STAMP = re.compile(r"(?:19|20)\d\d(?:0\d|1[0-2])(?:[0-2]\d|3[01])(?:\d{2,6})?")
_JOINT = re.compile(
    r"[ ]?[,;/&+]?[ ]?(?:(?:and|or|not|to|with|into|und|oder|et|ou|y|o|e|vs\.?|&|→|->|als|from)[ ]){0,3}"
)
_JOINED_WIDTH, _JOINED_DIGITS_MIN = 16, 5
_SERIES_WIDTH = 600  # code points from the labelled number to the others


class WardRecords:
    """Finds them; a `Finder` of whole texts. Serves all threads."""

    entities = frozenset({ENTITY})

    def __repr__(self) -> str:
        return "<WardRecords>"

    def find(self, page: Page) -> dict[int, list[Span]]:
        """The findings in each text with any; most texts hold no label."""
        return {index: _find(page.texts[index]) for index in texts_with(_LABEL.search, page)}


def _find(text: str) -> list[Span]:
    page = Page((text,))
    label = _LABEL.search(page.data)
    if label is None:
        return []
    ruler = Ruler(page)
    beside = Repeats(text, lambda low, high: list(_beside(text, low, high)), _moved)
    found: list[Span] = []
    while label is not None:
        _, low, high = ruler.locate(*label)
        found += beside.judge(low, high)
        label = _LABEL.search(page.data, label[1])
    found += _typed(text)
    found += _in_segments(text)
    if _ANY_HEAD.search(page.data):
        found += (_span(c.start, c.end, _SCORE) for c in cells(text, _HEADS) if _is_number(text[c.start : c.end]))
    found += _series(page, found)
    return found


def _beside(text: str, low: int, high: int) -> Iterator[Span]:
    """The number right after a label, else the one right before it."""
    if _DIGIT.search(text, max(0, low - _BEHIND_CHARACTERS), high + _AFTER_CHARACTERS) is None:
        return
    sure = _SURE.match(text, low) is not None
    if sure and (below := _BELOW.match(text, high)) is not None and _is_number(below["value"]):
        yield _span(*below.span("value"), _SCORE)
        return
    for form, least in ((_AFTER, _DIGITS.start), (_AFTER_WORDS, _DIGITS_AFTER_WORDS)):
        after = form.match(text, high)
        if after is not None and _is_number(after["value"], least) and _ends(text, after.end("value")):
            if _is_other(text, *after.span("value")):
                return
            if (sure and form is _AFTER) or is_ward(text, low, after.end()):
                yield _span(*after.span("value"), _SCORE)
            return
    if low == 0:
        return
    first = max(0, low - _BEHIND_CHARACTERS)
    behind = _number_before(text[first:low]) if _DIGIT.search(text, first, low) else None
    if behind is None or not (behind["tie"] or (behind["words"] and sure) or sure):
        return
    start, end = first + behind.start("value"), first + behind.end("value")
    free = start == 0 or _BEFORE_VALUE.search(text, max(0, start - 1), start) is None
    told = sure and behind["tie"] and behind["tie"][0] != "," and not behind["words"]
    if not free or not _is_number(behind["value"]) or _is_other(text, start, end):
        return
    if told or is_ward(text, start, end):
        yield _span(start, end, _SCORE_NEAR)


def _number_before(before: str) -> re.Match[str] | None:
    """The number that ends ``before``, with what ties it to what follows."""
    data = encode(before)
    begun = _BEHIND_BEGINS.search(data)
    return None if begun is None else _BEHIND.search(before, count_points(data[: begun[0]]))


def _moved(spans: list[Span], by: int) -> list[Span]:
    return [span._replace(start=span.start + by, end=span.end + by) for span in spans]


def _typed(text: str) -> Iterator[Span]:
    """Identifiers of the type MR in FHIR's JSON and in the XML of HL7 v2; patients' in CDA, DICOM and X12."""
    for found in _MR.finditer(text):
        group = next(name for name, value in found.groupdict().items() if value)
        if _is_number(found[group]):
            yield _span(*found.span(group), 0.9)


def _in_segments(text: str) -> Iterator[Span]:
    """Identifiers of patients in the segments of HL7 v2."""
    for segment in _SEGMENT.finditer(text) if "|" in text else ():
        for number, said, at in repetitions(segment[0], segment.start()):
            told = said.partition("^")[0]
            if number in _FIELDS[segment[1]] and _IDENTIFIER.fullmatch(told) and _is_number(told):
                yield _span(at, at + len(told), 0.9)


def _series(page: Page, found: Sequence[Span]) -> Iterator[Span]:
    """Numbers of the same form and the same begin near one that is found; those that a plural label speaks of."""
    if not found:
        yield from _spoken_of(page)
        return
    text = page.texts[0]
    values = [text[span.start : span.end] for span in found]
    forms = {_form(value) for value in (*values, *(value.partition(" ")[2] for value in values if value[0].isalpha()))}
    first, last = min(span.start for span in found), max(span.end for span in found)
    for token in _tokens(text, first - _SERIES_WIDTH, last + _SERIES_WIDTH):
        if not is_clock(text, *token) and (_form(text[slice(*token)]) in forms or _is_joined(text, token, found)):
            yield _span(*token, _SCORE_NEAR)


def _is_joined(text: str, token: tuple[int, int], found: Sequence[Span]) -> bool:
    """Whether "and", "or", "not to" alone join a number to one that is found right before or behind it, of one shape."""
    start, end = token
    shape = _DIGIT.sub("0", text[start:end])
    if sum(map(str.isdecimal, shape)) < _JOINED_DIGITS_MIN:
        return False
    for span in found:
        low, high = (end, span.start) if end <= span.start else (span.end, start)
        if low <= high <= low + _JOINED_WIDTH and _DIGIT.sub("0", text[span.start : span.end]) == shape:
            return _JOINT.fullmatch(text, low, high) is not None
    return False


def _spoken_of(page: Page) -> Iterator[Span]:
    """Of the numbers around a label in the plural ("MRNs as in the list") those of the form that most of them have."""
    if (label := _PLURAL.search(page.data)) is None:
        return
    text = page.texts[0]
    _, low, high = Ruler(page).locate(*label)
    if not is_ward(text, low, high):
        return
    kinds: dict[str, list[tuple[int, int]]] = {}
    for token in _tokens(text, low - _SERIES_WIDTH, high + _SERIES_WIDTH):
        kinds.setdefault(_form(text[slice(*token)]), []).append(token)
    most = max(kinds.values(), key=len, default=[])
    if len(most) > 1:
        yield from (_span(*token, _SCORE_NEAR) for token in most)


def _tokens(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where something stands that has a number's form; one behind letters and a space with and without them."""
    for token in _TOKEN.finditer(text, max(0, start), min(len(text), end)):
        if _is_number(token[0]):
            yield token.span()
            if token["letters"] and token["letters"].endswith(" "):
                yield token.span("figures")


def _form(value: str) -> str:
    """Letters as they are, the first two digits, and a 0 for each digit more; signs as they are."""
    digits = 0
    form = []
    for character in value.upper():
        if character.isdecimal():
            digits += 1
            form.append(character if digits <= 2 else "0")
        else:
            form.append(character)
    return "".join(form)


def _is_other(text: str, start: int, end: int) -> bool:
    """Whether what stands right before says that this is a time or another number."""
    return is_clock(text, start, end) or _OTHER_BEFORE.search(text, max(0, start - _OTHER_WIDTH), start) is not None


def _is_number(value: str, least: int = _DIGITS.start) -> bool:
    digits = sum(map(str.isdecimal, value))
    return least <= digits < _DIGITS.stop and OTHER_FORM.fullmatch(value) is None and _STAMP.fullmatch(value) is None


def _ends(text: str, end: int) -> bool:
    return not text[end : end + 1].isalnum() and not (text[end : end + 1] == "-" and text[end + 1 : end + 2].isalnum())


def _span(start: int, end: int, score: float) -> Span:
    return Span(start, end, ENTITY, score)
