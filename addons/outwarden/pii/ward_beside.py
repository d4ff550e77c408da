"""Medical record numbers that no name of such a number tells: in a text that speaks of a ward, beside a patient's name
(`Nakamura (70833668) - DKA`), behind a word for any number, card or file (`nr kartoteki K/2212`, `Ref UHB5628404`), and as
the identifier of a patient in FHIR's JSON.
"""

import re

from outwarden.pii.people import FIRST, LAST, is_name
from outwarden.pii.recognizer import Recognizer, Verdict, skip_edge, word_after, word_before
from outwarden.pii.record_numbers import OTHER_FORM
from outwarden.pii.wards import words_of_ward

ENTITY = "MEDICAL_RECORD_NUMBER"
_SCORE, _SCORE_BESIDE, _SCORE_BARE = 0.7, 0.6, 0.5
_WARD_WORDS = 2  # so many different ones: "dr" and "echo" alone stand in any text
_SOLID = r"[A-Z]{0,4}\d{5,10}(?:-\d)?"
_GROUPED = r"\d{4,6}/\d{2}(?:\d{2})?|\d{2,3}(?:[.\-]\d{2,6}){1,3}|[A-Z]{1,5}[/\-]\d{2,6}(?:[/\-]\d{2,4})?|\d{4}-\d{2}"

# --- beside a name: a sign between, and one behind

_SPACED = r"\d{3,4} \d{3,4}|\d{2,4}-\d{2}-\d{2,4}"
_BESIDE = rf"(?:\p{{L}}|\.)\s{{0,2}}[(\[/,|–\-#][ ]{{0,2}}(?:{_SOLID}|{_SPACED})"
_NAME = re.compile(
    r"(?:^|[^\w])((?:[^\W\d_][\w’'\-]*\.?(?:,? |\s)){0,3}[^\W\d_][\w’'\-]*\.?)\s{0,2}[(\[/,|–\-#][ ]{0,2}\Z"
)
_NAME_WITHIN = 72
_PATIENT = re.compile(
    r"(?:pt|pat|patient|patiente?|paciente|pacjent\w*|pac|bn|px|client|resident)[.:]?\s", re.IGNORECASE
)
_NO_NAMES = re.compile(
    r"(?i)\b(?:tel|phone|fax|call|bleep|pager|ext|mobile|cell|accession|acc|bed|form|lot|batch|serial|room|order|invoice|study|trial|page|step"
    r"|ticket|licen[cs]e|pin|gmc|nmc|npi|dea|order|code|icd|snomed|cpt|isbn|doi|pmid|nct|version|build|postcode|zip|total|count|wbc|plt|plts"
    r"|platelets?|ferritin|bnp|troponin|ck|dose|units?|iu|cfu|copies|viral load|cost|price|budget|population|patients|people|cases)\W*\Z"
)

# --- right before or behind a known name, with nothing between but an age and a sex

_ROW_NUMBER = r"[A-Z]{0,4}\d{6,10}"
_YEARS_OLD = r"(?:[ ]{1,3}\d{1,3} ?[yY]?[MFmf]?)?"
_NAMED = (
    rf"\p{{Lu}}[\p{{L}}'’\-]{{2,20}}{_YEARS_OLD}[ ]{{1,4}}{_ROW_NUMBER}|\d{{6,10}}[ _]{{1,2}}\p{{Lu}}\p{{L}}{{2,20}}"
    r"|\p{Lu}\p{L}{1,20}/\p{Lu}\p{L}{1,20}/\d{6,10}"
)
_NAME_OF_ROW = re.compile(r"[^\W\d_][\w'’\-]*[^\W\d_]|[^\W\d_]")
_NUMBER_OF_ROW = re.compile(r"(?<![A-Za-z])[A-Z]{0,4}\d{6,10}")
# A number before the name, or a bed, makes it a row of a list, whose names nobody need know.
_ROW = re.compile(
    r"(?:^|[\n.;])[ \t]*(?:(?:bed|bay|room|rm|side room)[ ]?)?\d{1,3}[A-Za-z]?[.):]?[ ]+(?:[^\W\d_]['’\w.,\-]*[ ]+){0,2}\Z",
    re.IGNORECASE,
)
_ROW_WIDTH = 64
_ROW_HEAD = re.compile(r"(?i)\b(?:bed|room|rm)[ ]?\d{1,3}[A-Za-z]?\b")
_WORD_BEFORE = re.compile(r"(?<![\w'’\-])([^\W\d_]{2,20})[ ]\Z")

# --- behind a word for any number

_ANY_NUMBER = (
    r"n[°ºª]\.?|n[ro]s?\.?|num(?:ber|[ée]ro|ero)?\.?|id|ident\w{0,10}|#|ref(?:erence)?\.?|card|cart[ãa]o|carte|tarjeta|kart\w{0,8}|file|folder|dossier"
    r"|exp(?:ediente|te)?\.?|h\.? ?c\.?(?: ?n[°º])?|hist(?:oria|\.)?|pront(?:u[áa]rio)?\.?|reg(?:istro|ister|istration|\.)?|record|folio|ficha|s[ốo]|m[ãa]|c[oó]d\w{0,4}\.?"
    r"|akte?\w{0,8}|fall\w{0,6}|journal\w{0,6}|matr[íi]cula|label|band|wristband|sticker|chart|csn|fin|sks|sag\w{0,4}|br\.|krankenblatt|aufn\w{0,6}\.?(?:-?nr\.?)?|stay|s[ée]jour|namba|nomor|p(?:ati[eë]n)?t_?id|resident|label|tag|regn|cht|chi|pmi|epi|h&c"
    r"|\p{L}{3,16}(?:-?nr\.?|nummer|num[ae]ro|num[ae]ras[ıi]|sz[aá]m|numer|zahl)"
)
_WIDE_NUMBER = r"μητρώου|नं|नंबर|номер|№|رقم|번호|号|號|番号|เลขที่|หมายเลข|αριθ"
_TOLD = rf"(?i:(?:\b(?:{_ANY_NUMBER})|{_WIDE_NUMBER})(?:[ .:]{{1,2}}\p{{L}}[\p{{L}}\p{{M}}.]{{1,14}}){{0,2}}[ .:#=№°º]{{1,4}}(?-i:{_GROUPED}|{_SOLID}))"
_TOLD_VALUE = re.compile(rf"(?:{_GROUPED}|{_SOLID})\Z")
_OTHER_LABELS = re.compile(
    r"(?i)\b(?:tel|phone|fax|accession|acc|bed|form|lot|batch|serial|room|ext|pager|bleep|order|invoice|study|trial|version|page|step|ticket|licen[cs]e"
    r"|pin|grant|protocol version|nct|isbn|doi|pmid|icd|loinc|snomed|cpt|credit|bank|account|ref(?:erence)? range|registered charity|company)\b"
)

# --- behind the patient, what the wrist shows, and what is done with records

_WHO = (
    r"pts?|pat|patiente?s?|paciente|pacient|pasien|patsient|pacjent(?:a|ka|ki)?|pac|px|bn|hasta|mgonjwa|resident|client"
)
_SHOWN = (
    r"(?:wrist ?band|arm ?band|id ?band|bracelet|patient label)s?(?: [a-z]{2,8}){0,2} (?:reads?|says?|shows?|is|as|has)"
)
_DONE = r"(?:mis)?filed|registered|look(?:ed)? up|quote|she(?:['’]s| is)|he(?:['’]s| is)|indexed|charted|scanned|merged?|released?|pull(?:ed)?|open(?:ed)?|transferred"
_HANDLED = (
    rf"(?i:\b(?:(?:{_WHO})[.:?]{{0,2}}[ ]{{0,2}}#?|{_SHOWN}|(?:{_DONE})(?: (?:under|as|into|to|with|by|in|of)){{0,2}}"
    rf"(?: (?:chart|record|number))?)[ ]{{0,2}}(?-i:{_SOLID})(?:[,;/]?(?: (?:and|or|not|to|into|with|vs\\.?|from|&)){{1,3}} (?-i:{_SOLID}))?)"
)
_SAID_OF_ONE = re.compile(r"(?i)(?:\bs?he['’]s|\bquote|\bpts?[.:]?) #?\Z")
_GOES_ON = re.compile(r"[-/%]|\.\d")
_PATIENT_SAID = re.compile(r"(?i)\b(?:patiente?|paciente|pacient)\W{0,4}\Z")
_HANDLED_DIGITS_MIN = 6
_COUNTED = re.compile(r"(?i)(?:per|each|every|all|of|than|cost|an?)[ ]\Z")
_AMOUNT = re.compile(
    r"(?i)[ ]?(?:%|€|\$|£|(?:usd|eur|gbp|inr|ml|mg|mcg|kg|iu|n?m|kn|kw|hz|units?|cells|copies|visits|records|rows|people|patients|times|bytes|users)\b)"
)

# --- a number that nothing explains, in a text that is a ward's through and through

_BARE = r"(?:[A-Z]{0,3}\d{6,10}|[A-Z]{1,3}[\-/]?\d{5,9}|\d{2,3}-\d{2}-\d{2,4})"
_TIED_BEFORE = re.compile(r"[.\-+&=@$€£_]\Z|\d[ /:,]\Z")
_TIED_AFTER = re.compile(r"[%@_]|[.,:/\-]\d|-\w|[ ]\d{3}\b")
_LAST_CLAUSE = re.compile(r"[.;|\n]")
_BARE_WORDS = 3
_ROW_WORDS = 1  # in a line with an age and a sex, or by itself at the end
_ALONE_BEFORE, _ALONE_AFTER = re.compile(r"[.!?)\n]\s{1,3}\Z"), re.compile(r"\.?\s*\Z")
_AGE_AND_SEX = re.compile(
    r"(?<![\w.])(?:\d{1,3} ?(?i:(?:y/?o?|yrs?|yo?|a|j|ans|años|anni|år|yrs? old)[ /,|]{0,3}[MFmf]|[/,|]? ?(?-i:[MF])|[mf])|[MF][ /,|]{1,3}\d{1,3} ?(?i:y|yrs?|yo)?)(?!\w)"
)
# A field of a message says by its number what it is (HL7 v2): what is a patient's is found by that.
_SEGMENT = re.compile(r"(?<![^\r\n])[A-Z][A-Z0-9]{2}\|[^\r\n]*\Z")
_SEGMENT_WIDTH = 300
_LINE_WIDTH = 90
_CLAUSE = 40  # so far before it another label explains a number, unless a sign ends the clause
_COUNT = re.compile(r"[ ](?!(?:was|is|has|says|this|his|hers|pts|its|as|yes|does|dtrs)\b)[a-z]{2,}s\b")
_YEARS = re.compile(r"(?:19|20)\d\d(?:0\d|1[0-2])(?:[0-2]\d|3[01])|(?:[0-2]\d|3[01])(?:0\d|1[0-2])(?:19|20)?\d\d")

# --- identifiers of a patient in FHIR

_FHIR = r"\"identifier\"\s{0,4}:\s{0,4}\[[^\]]{0,300}?\"value\"\s{0,4}:\s{0,4}\"[A-Za-z0-9][A-Za-z0-9./\-]{3,24}\""
_FHIR_VALUE = re.compile(r"\"value\"\s*:\s*\"(?P<value>[^\"]*)\"\Z")
_FHIR_WIDTH = 400


def _is_ward(text: str, start: int, end: int) -> bool:
    return words_of_ward(text, start, end) >= _WARD_WORDS


def _check_beside(text: str, start: int, end: int, more: bool) -> Verdict | None:
    value = _SOLID_VALUE.search(text, start, end)
    if value is None or not _ENDS.match(text, value.end()):
        return None
    low, high = value.span()
    before = text[max(0, low - _NAME_WITHIN) : low]
    name = _NAME.search(before)
    if name is None or _NO_NAMES.search(name[1]) or text[high : high + 2].strip(". ")[:1] == "%":
        return None
    words = [word for word in name[1].split() if len(word.rstrip(".,")) > 1]
    if not words:
        return None  # a letter of the number's own
    last = words[-1]
    patient = _PATIENT.search(before) is not None
    if not (last[0].isupper() or patient) or OTHER_FORM.fullmatch(value[0]):
        return None
    enough = 1 if patient or any(map(_is_known, words)) else _WARD_WORDS
    if words_of_ward(text, low, high) < enough:
        return None
    return Verdict(low, high, _SCORE_BESIDE, ENTITY)


_ENDS = re.compile(r"[)\]/,;:|.\s]|\Z")
_SOLID_VALUE = re.compile(rf"(?<![\w])(?:{_SPACED}|{_SOLID})(?![\w])")


def _is_known(word: str) -> bool:
    return word[0].isupper() and is_name(word.strip(".,'"), (*FIRST, *LAST))


def _check_named(text: str, start: int, end: int, more: bool) -> Verdict | None:
    name, number = _NAME_OF_ROW.search(text, start, end), _NUMBER_OF_ROW.search(text, start, end)
    if name is None or number is None or word_before(text, start) or word_after(text, end):
        return None
    low, high = number.span()
    if _TIED_AFTER.match(text, high) or _TIED_BEFORE.search(text, max(0, low - 2), low):
        return None
    if _YEARS.fullmatch(number[0]) or _AMOUNT.match(text, high):
        return None
    if _OTHER_LABELS.search(_ROW_HEAD.sub("", text[max(0, low - _CLAUSE) : low])):
        return None
    known = is_name(name[0], (*FIRST, *LAST)) or (low > start and _is_known_before(text, start))
    words = words_of_ward(text, start, end)
    if words and (known or (words >= _WARD_WORDS and _ROW.search(text, max(0, start - _ROW_WIDTH), start))):
        return Verdict(low, high, _SCORE_BESIDE, ENTITY)
    return None


def _is_known_before(text: str, start: int) -> bool:
    """Whether the word before is a first name: MEENAKSHI CHAUDHARY."""
    before = _WORD_BEFORE.search(text, max(0, start - _NAME_WITHIN), start)
    return before is not None and is_name(before[1], FIRST)


def _check_told(text: str, start: int, end: int, more: bool) -> Verdict | None:
    value = _TOLD_VALUE.search(text, start, end)
    if value is None or word_before(text, skip_edge(text, start)) or word_after(text, end):
        return None
    label = text[max(0, start - 16) : value.start()]
    if _OTHER_LABELS.search(label) or OTHER_FORM.fullmatch(value[0]) or text[end : end + 1] in ("-", "/", "%"):
        return None
    if sum(map(str.isdecimal, value[0])) < 4 or not _is_ward(text, start, end):
        return None
    return Verdict(value.start(), end, _SCORE, ENTITY)


def _check_handled(text: str, start: int, end: int, more: bool) -> Verdict | list[Verdict] | None:
    values = [*_SOLID_VALUE.finditer(text, start, end)]
    if not values or word_after(text, end) or _GOES_ON.match(text, end) or _AMOUNT.match(text, end):
        return None
    if any(sum(map(str.isdecimal, value[0])) < _HANDLED_DIGITS_MIN for value in values):
        return None
    if _COUNTED.search(text, max(0, start - 8), skip_edge(text, start)):
        return None
    first = values[0].start()
    enough = 1 if _SAID_OF_ONE.search(text, max(0, first - 12), first) else _WARD_WORDS
    if _PATIENT_SAID.search(text, max(0, start - 1), first) or words_of_ward(text, first, end) >= enough:
        return [Verdict(*value.span(), _SCORE, ENTITY) for value in values]
    return None


def _check_bare(text: str, start: int, end: int, more: bool) -> Verdict | None:
    value = text[start:end]
    if word_before(text, start) or word_after(text, end) or _TIED_BEFORE.search(text, max(0, start - 2), start):
        return None
    if _TIED_AFTER.match(text, end) or OTHER_FORM.fullmatch(value) or _YEARS.fullmatch(value):
        return None
    if _SEGMENT.search(text, max(0, start - _SEGMENT_WIDTH), start):
        return None
    clause = text[max(0, start - _CLAUSE) : start]
    if _NO_NAMES.search(clause) or _OTHER_LABELS.search(_LAST_CLAUSE.split(clause)[-1]):
        return None
    if _COUNTED.search(text, max(0, start - 8), start) or _AMOUNT.match(text, end) or _COUNT.match(text, end):
        return None
    alone = _ALONE_AFTER.match(text, end) and _ALONE_BEFORE.search(text, max(0, start - 4), start)
    enough = _ROW_WORDS if alone or _AGE_AND_SEX.search(_line(text, start, end)) else _BARE_WORDS
    return Verdict(start, end, _SCORE_BARE, ENTITY) if words_of_ward(text, start, end) >= enough else None


def _line(text: str, start: int, end: int) -> str:
    """The line around, as far as it is near, without what stands at ``start``."""
    low = max(text.rfind("\n", 0, start) + 1, start - _LINE_WIDTH)
    stop = text.find("\n", end, end + _LINE_WIDTH)
    return f"{text[low:start]}\n{text[end : end + _LINE_WIDTH if stop < 0 else stop]}"


def _check_fhir(text: str, start: int, end: int, more: bool) -> Verdict | None:
    value = _FHIR_VALUE.search(text, start, end)
    if value is None or '"Patient"' not in text[max(0, start - _FHIR_WIDTH) : end + _FHIR_WIDTH]:
        return None
    return Verdict(*value.span("value"), _SCORE, ENTITY) if any(map(str.isdecimal, value["value"])) else None


RECOGNIZERS = (
    Recognizer(ENTITY, _BESIDE, _check_beside, whole=True, retry=True),
    Recognizer(ENTITY, _NAMED, _check_named, whole=True, retry=True),
    Recognizer(ENTITY, _TOLD, _check_told, whole=True, retry=True),
    Recognizer(ENTITY, _HANDLED, _check_handled, whole=True, retry=True),
    Recognizer(ENTITY, _BARE, _check_bare, whole=True, retry=True),
    Recognizer(ENTITY, _FHIR, _check_fhir, whole=True),
)
