"""Medical record numbers, under whatever name a hospital gives them.

They have no form and no check digit: the words before them tell. An abbreviation of the thing itself ("MRN") vouches
for four digits right after it; its other names, in some thirty languages, for what has a number's form right after
them; names that files of all kinds have ("chart", "folder", "case no") only after a word of the ward.
"""

import re

from outwarden.pii.recognizer import (
    EDGE,
    LOOK_BACK,
    UNDECIDED,
    Check,
    Context,
    Recognizer,
    Verdict,
    digits_of,
    joined_after,
    skip_edge,
    word_after,
    word_before,
)

_PERSONAL = (
    r"med(?:ical)?\.?.?rec(?:ord)?s?|mrns?(?:\b|_)|m\.r\.n|m\.?r\.? ?#|mr[ ._]no\b|emr\b|ehr\b"
    r"|patient.{0,2}(?:id|no|num|#|record|identifier|file)"
    r"|pt\.?.(?:id|no|num|#)|pat\.?.?(?:id|nr)|chart.{0,2}(?:id|no|num|#|:)|hospital.(?:id|no|num|#)"
    r"|record.(?:id|no|num|#)|unit.(?:no|num|#)|uhid|encounter.{0,2}(?:id|no|num|#|:)|admission.(?:id|no|num|#)"
    r"|visit.(?:id|no|num|#)|patienten.?(?:nr|nummer|id)|fallnummer|dossier.(?:m[ée]dical|patient)"
    r"|historia cl[ií]nica"
)
RECORD_WORDS = Context(rf"{_PERSONAL}|accession")
_RECORDS_OF_PERSONS, _ACCESSION = Context(_PERSONAL), Context("accession")
# Letters tied to a number are its own prefix: NM_608207. Those of a label are words: mrn_608207, record_id_608207.
_IDENTIFIER = re.compile(r"(?<![A-Za-z_])(?!MRN|MR|ID|PID|HN)[A-Z]{1,4}_\Z")
_IDENTIFIER_WIDTH = 8
_GROUPS = r"\d{2}-\d{2}-\d{2}(?:-\d{1,2})?|\d{3}[\- ]\d{2,3}[\- ]\d{3,4}|\d{2}-\d{5,8}"
_RECORD_BODY = rf"(?:[A-Z]{{0,5}}[\-#]?\d{{5,12}}(?:-\d{{1,6}})?[A-Z]?|{_GROUPS})"
# Right after the abbreviation itself four digits will do.
_RECORD = (
    r"(?i)(?:(?:\b|_|\\[nrt])M\.?R\.?(?:N\.?(?:_id\b)?| ?#|[ ._]No\b)|\b(?:M R N|em are en)\b)"
    r"(?:[ \t:#=\-\"'/]{0,4}|[ _]?(?:no|number|num|is|id|of)\.?[ :#=\-]{1,3}){1,2}"
    rf"(?:[A-Z]{{0,5}}[\-#]?\d{{4,12}}(?:-\d{{1,6}})?[A-Z]?|{_GROUPS})"
)
# MRN-2014231 and MRN2014231 are written so; what stands off from its number is a label.
_RECORD_LABEL = re.compile(
    r"(?i)(?:M\.?R\.?(?:N\.?(?:_id)?| ?#|[ ._]No)|M R N|em are en)(?!-?[A-Z]{0,5}\d)"
    r"(?:[^A-Z\d]|(?:no|number|num|is|id|of)(?![A-Z\d]))*"
)
_RECORD_NUMBER = EDGE + _RECORD_BODY
# Right after its label a number may stand in any even groups: 335-84-55, 224 7123.
_GROUPED_RECORD = RECORD_WORDS.pattern + (
    r"[ \t:#=\-\"'./\])]{0,5}(?:(?:no|number|num|nr|is|id|of)\b[ \t:#=\-\"'.]{0,4})?"
    r"(?:\d{2,4}(?:-\d{2,4}){1,3}|\d{3,4}[ ]\d{3,4}|\d{2}(?:[ ]\d{2}){2,3})"
)
_GROUPED = re.compile(r"\d{2,4}(?:-\d{2,4}|[ ]\d{2,4})+\Z")
_RECORD_DIGITS_MIN = 6  # in groups; years and pairs of small numbers have fewer
_DAY, _MONTH = r"(?:0?[1-9]|[12][0-9]|3[01])", r"(?:0?[1-9]|1[0-2])"
_DAY_MONTH = rf"{_DAY}(?P<a>[/.\-]){_MONTH}(?P=a)|{_MONTH}(?P<b>[/.\-]){_DAY}(?P=b)"
_DATE = re.compile(rf"(?:19|20)[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}|(?:{_DAY_MONTH})[0-9]{{4}}")
# Other names, as hospitals write them; what begins with a letter outside of ASCII stands apart (`Context`).
NUMBER = r"[ ._\-]{0,2}(?:number|num|nos?|nr|n[º°]|n\.[º°]?|ref|id|#|№)"
_NAMED = (
    # English
    rf"mrns?|m\.r\.n\.|mr ?#|(?:acct|account|fin|csn) ?/ ?mrn?|nhi(?:{NUMBER})?\b"
    r"|(?:ed|a&e|ae|casualty) (?:no|num(?:ber)?|#)"
    rf"|(?:rio|emis|systm ?one|lorenzo|meditech|cerner){NUMBER}"
    rf"|hosp(?:ital)?\.?[ _]?(?:(?:unit|card|file|reg\.?|registration)[ _]?)?{NUMBER}"
    rf"|(?:in-?patient|out-?patient|ipd|opd|mr[dnu]|chart|casualty(?: card)?|case (?:record|sheet))\.?{NUMBER}"
    rf"|(?:hospital|medical|health|patient|clinical|hosp|med|pt)\.?'?s?[ _\-]?(?:rec(?:ord)?s?|chart|folder)\.?"
    rf"(?:{NUMBER})?"
    rf"|case[ \-]?notes?(?:{NUMBER})?|casualty card|uhid|client id"
    # German, Dutch, Nordic, Finnish
    r"|(?:kranken|patienten)?akten?(?:nummer|nr|zeichen)|(?:fall|aufnahme|patient(?:en)?)[ \-]?(?:nummer|nr|id)|piz"
    r"|(?:pati[eë]nt(?:en)?|ziekenhuis)[ \-]?(?:nummer|nr)|pat\.? ?nr|(?:patient|pasient)?journal(?:nummer|nr)"
    r"|(?:patient|pasient)(?:nummer|nr)|potilas(?:numero|nro|tunnus)|sj[uú]kraskr[aá](?:rn[uú]mer)?(?: nr)?"
    # French, Spanish, Portuguese, Italian, Romanian
    r"|ipp|n[o°º]\.? (?:de )?(?:dossier|patient|s[eé]jour)|dossier (?:m[eé]dical|patient)"
    r"|nhc|historia cl[ií]nica|n[o°º]\.? ?h\.?c\.?"
    r"|prontu[aá]rio|processo cl[ií]nico|utente|cartella(?: clinica)?|nosologico|foaie de observa[tț]ie"
    # Slavic, Baltic and Hungarian in Latin letters
    r"|hist(?:orii|\.)? ?chor(?:oby|\.)|ks(?:i[eę]gi|\.) g[lł](?:[oó]wnej|\.)|(?:nr|numer) (?:karty|pacjenta)"
    r"|chorobopisu?"
    r"|(?:istorije|povijesti) bolesti|broj (?:bolesnika|pacijenta)|ligos istorijos|haigusl(?:ugu|oo)|t[oö]rzssz[aá]m"
    # Turkish, Indonesian, Vietnamese
    r"|hasta (?:dosya )?no|protokol no|rekam medis|no\.? rm|m[aã] (?:ba|bn|b[eệ]nh [aá]n)"
)
_NAMED_WIDE = (
    r"истори[яи] болезни|и/б|ист\.? ?бол\.?|медкарт[аы]|(?:медицинск|амбулаторн)[а-я]{2,3} карт[аы]|карт[аы] пациента"
    r"|病[历歷]号|病歷號|病案[号號]|住院[号號]|[门門][诊診][号號]|患者(?:ID|番号)|診察券番号|カルテ番号"
    r"|(?:차트|등록|병록|환자) ?번호|מספר תיק|رقم الملف|شماره پرونده"
)
RECORD_NAMES = Context(_NAMED, wide=_NAMED_WIDE)
# What files of any kind are called. A word of the ward has to stand before them.
_FILE = (
    rf"(?:(?:chart|folder|file|case(?: file)?|record|rec|notes|med\.?|ed|cr|hrn|urn?|rn|hn|pcn|epr|reg|admission|dosya)"
    rf"\.?(?:{NUMBER})?|expediente|dossier|cart\.? n)"
)
WARD_WORDS = Context(
    r"patient|pt\b|ward\b|dr\b|mrs?\b|ms\b|miss\b|mme\b|frau\b|herr\b|nurse|clinic|admi(?:tted|ssion)|dob\b|y/?o\b"
    r"|[0-9]{1,3}[ \-]?(?:y/?o?|yrs?|f|m)\b|icu\b|pacient|paciente|hosp|surg|doctor|physio|midwife"
    r"|baby (?:boy|girl)|seen\b"
)
# A number's form: letters before or behind, groups behind any sign; in groups behind spaces figures alone.
VALUE = (
    r"(?P<value>(?:[A-Z]{1,5}[0-9]{0,2}[/.\- ]?)?[0-9][0-9A-Z]{0,11}"
    r"(?:(?:[/.\-][0-9A-Z]{0,3}[0-9][0-9A-Z]{0,7}){1,4}|(?:[ ][0-9]{1,4}){1,4})?(?-i:[/\-][A-Z]{1,3}\b)?)"
)
THEN = (
    r"(?:[ ._\-]{0,2}(?:(?:number|num|no|nr|is|ist|est|es)\b|n\.?[º°]|n\.|#|№))?"
    r"[ \t:;.=#*|\-\"'\[(：№º°]{1,6}"
)
_NAMED_RECORD = rf"(?:{RECORD_NAMES.pattern})(?i:{THEN}{VALUE})"
_FILED_RECORD = rf"(?i:\b{_FILE}{THEN}{VALUE})"
_NAMED_AND_VALUE, _FILE_AND_VALUE = (
    re.compile(pattern.replace("(?i)", ""), re.IGNORECASE) for pattern in (_NAMED_RECORD, _FILED_RECORD)
)
_NAMED_DIGITS = range(4, 15)
# Dates, clocks, decimals: a form of its own, and no record's.
OTHER_FORM = re.compile(
    rf"(?:{_DAY_MONTH})(?:[0-9]{{2}}){{1,2}}"
    r"|[0-9]{4}(?P<year>[/.\-])[0-9]{2}(?P=year)[0-9]{2}"
    r"|[0-9]+\.[0-9]{1,2}|(?:[a-z]+ )?(?:19|20)[0-9]{2}",
    re.IGNORECASE,
)
# A time of the day in four figures, behind what says so: "RN at 0650".
_CLOCK = re.compile(r"(?:[01]\d|2[0-3])[0-5]\d")
_TIME_BEFORE = re.compile(
    r"(?i)(?:\b(?:at|by|til|till|until|since|from|around|to|rn|lpn|md|hrs|time|notes?|entry|round|um|à|alle|om|kl)\.?"
    r"|@|~)[ ]?\Z"
)
_TIME_WIDTH = 8
# What stands between a label and another word's number: "RN at 0650", "hosp no in bed 2210".
_OTHER_WORD = re.compile(r"(?:at|by|in|on|to|for|of|and|or|was|bed|room|rm|until|since|from)[ ]", re.IGNORECASE)
# The third field of a message's patient segment is the list of identifiers (HL7 v2, 3.4.2.3).
_HL7 = r"\bPID\|[^|\r\n]{0,8}\|[^|\r\n]{0,40}\|[A-Z]{0,5}-?[0-9][0-9A-Z\-]{3,19}"


def _check_record(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    tied = joined_after(text, end, "-", more)
    if tied is None:
        return UNDECIDED
    if tied or word_after(text, end):
        return None
    label = _RECORD_LABEL.match(text, start, end)
    return Verdict(start if label is None else label.end(), end, 0.95)


def _check_record_number(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    tied = joined_after(text, end, "-", more)
    if tied is None:
        return UNDECIDED
    if tied or word_before(text, start) or word_after(text, end):
        return None
    if _IDENTIFIER.search(text, max(0, start - _IDENTIFIER_WIDTH), start) or _is_specimen(text, start):
        return None
    return Verdict(start, end, 0.75)


def _is_specimen(text: str, start: int) -> bool:
    """Whether only "accession" stands before, which genes and museum pieces have as well, and no word of a ward."""
    if not _ACCESSION.before(text, start, LOOK_BACK):
        return False
    return not _RECORDS_OF_PERSONS.before(text, start, LOOK_BACK) and not WARD_WORDS.before(text, start, LOOK_BACK)


def _check_grouped_record(text: str, start: int, end: int, more: bool) -> Verdict | None:
    tied = joined_after(text, end, "- ", more)
    if tied is None:
        return UNDECIDED
    if word_after(text, end) or (tied and (text[end] == "-" or text[end + 1].isdecimal())):
        return None
    value = _GROUPED.search(text, start, end)
    if value is None or _DATE.fullmatch(value[0]) or len(digits_of(value[0])) < _RECORD_DIGITS_MIN:
        return None
    return Verdict(value.start(), end, 0.9)


def _named(whole: "re.Pattern[str]") -> Check:
    """Judges what stands right after a name that ``whole`` knows."""

    def check(text: str, start: int, end: int, more: bool) -> Verdict | None:
        tied = joined_after(text, end, "-", more)
        if tied is None:
            return UNDECIDED
        found = whole.match(text, start, end)
        if tied or found is None or word_after(text, end):
            return None
        value = found["value"]
        if _OTHER_WORD.match(value) or is_clock(text, found.start("value"), end):
            return None
        if len(digits_of(value)) not in _NAMED_DIGITS or OTHER_FORM.fullmatch(value):
            return None
        return Verdict(found.start("value"), found.end("value"), 0.8)

    return check


def is_clock(text: str, start: int, end: int) -> bool:
    """Whether ``text[start:end]`` is a time of the day."""
    if end - start != 4 or _CLOCK.fullmatch(text, start, end) is None:
        return False
    return _TIME_BEFORE.search(text, max(0, start - _TIME_WIDTH), start) is not None


def _check_hl7(text: str, start: int, end: int, more: bool) -> Verdict | None:
    if end == len(text) and more:
        return UNDECIDED
    return None if word_after(text, end) else Verdict(text.rindex("|", start, end) + 1, end, 0.9)


RECOGNIZERS = (
    Recognizer("MEDICAL_RECORD_NUMBER", _RECORD, _check_record),
    Recognizer("MEDICAL_RECORD_NUMBER", _GROUPED_RECORD, _check_grouped_record),
    Recognizer("MEDICAL_RECORD_NUMBER", _HL7, _check_hl7),
    Recognizer("MEDICAL_RECORD_NUMBER", _NAMED_RECORD, _named(_NAMED_AND_VALUE), retry=True, hint=RECORD_NAMES.pattern),
    Recognizer("MEDICAL_RECORD_NUMBER", _FILED_RECORD, _named(_FILE_AND_VALUE), near=WARD_WORDS, retry=True),
    Recognizer("MEDICAL_RECORD_NUMBER", _RECORD_NUMBER, _check_record_number, near=RECORD_WORDS),
)
