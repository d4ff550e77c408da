"""Where somebody lives and when somebody was born: street addresses in six languages, post codes and dates after a word
that says what they are.
"""

import re

from outwarden.pii.recognizer import (
    EDGE,
    UNDECIDED,
    Context,
    Recognizer,
    Verdict,
    joined_after,
    skip_edge,
    word_after,
    word_before,
)

_SCORE = 0.7

# --- street addresses

_NAME = r"[A-ZÀ-ÞŒ][\w'’.\-À-ɏ]{1,24}"
_UNIT = r"(?:,? (?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|Room|Rm|#)\.? ?#?[A-Za-z0-9\-]{1,6})?"
_TOWN = r"[A-ZÀ-Þ][a-zß-ɏ][A-Za-z'’.\-À-ɏ]{0,20}"
_CITY = rf"(?:,? {_TOWN}(?: {_TOWN}){{0,2}})?"
_STATE_ZIP = (
    r"(?:,? [A-Z]{2}\b)?(?:,? (?:\d{6}|\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z0-9]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d))?"
)
_KINDS_EN = (
    r"(?:Street|Str|St|Avenue|Ave|Av|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace|Ter|Way"
    r"|Parkway|Pkwy|Circle|Cir|Highway|Hwy|Trail|Trl|Close|Crescent|Cres|Row|Mews|Gardens|Gdns|Grove|Alley|Walk|Hill"
    r"|Loop|Pike|Turnpike|Plaza|Broadway|View|Ridge|Path|Bend|Crossing)"
)
_EN = (
    rf"{EDGE}\d{{1,6}}(?:[A-Za-z]|-\d{{1,4}})? (?:[NSEW]\.? |North |South |East |West )?"
    rf"(?:(?:{_NAME}|\d{{1,3}}(?:st|nd|rd|th)) ){{1,3}}{_KINDS_EN}\b\.?{_UNIT}{_CITY}{_STATE_ZIP}"
)
_ONE_WORD = (  # 2280 Kingsway, 12 Lindenstraße
    rf"{EDGE}\d{{1,5}}[A-Za-z]? [A-ZÀ-Þ][\w\-À-ɏ]{{2,24}}(?:way|gate|stra(?:ß|ss)e|straat|laan|weg){_UNIT}{_CITY}{_STATE_ZIP}"
)
# A flat on the way, a post code as it stands in Europe, the town: /7, 31-147 Kraków; , 3º B, 28013 Madrid.
_ZIP_CITY = (
    r"(?:/\d{1,4})?(?:, ?\d{1,2} ?[ºª°]\.? ?[A-Za-z]{0,4})?"
    r"(?:,? ?\n?(?:\d{4}-\d{3}|\d{2}-\d{3}|\d{3} \d{2}|\d{4,5}(?: ?[A-Z]{2})?) [A-ZÀ-Þ][\w.\-À-ɏ]{1,24})?"
)
_DE_ENDS = (
    r"(?:stra(?:ß|ss)e|str\.|weg|platz|gasse|allee|ring|damm|ufer|chaussee|straat|laan|plein"
    r"|gracht|kade|singel|steenweg|gatan|vägen|vej|gade|gata) \d"
)
_DE = rf"[A-ZÄÖÜ][\w.\-À-ɏ]{{1,30}}{_DE_ENDS}\d{{0,3}} ?[a-zA-Z]?{_ZIP_CITY}"
_DE_TWO_ENDS = r" (?:Stra(?:ß|ss)e|Str\.|Weg|Platz|Gasse|Allee|Ring|Damm) \d"
_DE_TWO = rf"[A-ZÄÖÜ][\w.\-À-ɏ]{{1,24}}{_DE_TWO_ENDS}\d{{0,3}} ?[a-zA-Z]?{_ZIP_CITY}"
_FR = (
    rf"{EDGE}\d{{1,4}}(?: ?(?:bis|ter))?,? (?i:rue|avenue|av\.|boulevard|bd|place|all[ée]e|chemin|impasse|quai|cours|route|square|passage)"
    rf" (?:(?:de|du|des|la|le|les|d'|l'|d’|l’)[ ]?){{0,3}}{_NAME}(?: (?:de |du |des |la )?{_NAME}){{0,3}}(?:{_ZIP_CITY[:-1]}|{_CITY}{_STATE_ZIP})"
)
_ES_IT = (
    rf"(?:Calle|C/|Avenida|Avda\.?|Plaza|Paseo|Camino|Rua|Via|Viale|Piazza|Corso|Largo|ul\.|ulica) ?"
    rf"(?:(?:de|del|de la|los|las|da|das|do|dos|delle|della|dei|di) ){{0,2}}{_NAME}(?: {_NAME}){{0,3}},? ?(?:n[ºo°.]{{1,2}} ?)?\d{{1,4}}[a-zA-Z]?{_ZIP_CITY}"
)
_NOT_STREETS = re.compile(
    r"(?:Chapter|Section|Version|Figure|Table|Page|Step|Class|Grade|Level)\b|(?:[aeiouyäöü]|\b[Ss][tp])ring \d"
)


# Opdatering 13.20.8: no house has such a number. Nouns of action end as rings do; few streets have a vowel there.
_NUMBERED_VERSION = re.compile(r"\.\d")


def _check_street(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    if word_before(text, start) or text[start - 1 : start] in ("-", "/", "_", "$") or word_after(text, end):
        return None
    if _NOT_STREETS.search(text, start, end) or _NUMBERED_VERSION.match(text, end):
        return None
    return Verdict(start, end - (text[end - 1] == "." and not text[:end].endswith(("St.", "tr.", "Ave."))), _SCORE)


# --- dates of birth

BIRTH = Context(  # a word's end is free: "geboren", "birthday"
    r"d\.?o\.?b(?:\b|_|[0-9]{6})|d\.? ?o\.? ?b\b|date.{1,5}birth|birth(?:\b|_|(?-i:[A-Z])|.?da|dt\b)|b.?day(?:\b|_)|born(?:\b|_)|geboren|geb\b|gebdat|geburt|n[ée]\(?e?s?\)? le"
    r"|n[ée]{1,2}e?s? (?:le|en)\b|naissance|nacimiento|naci(?:d[oa]|[óo]\b)?|nac[íi]|nac\.|f\.? ?nac|nat[oa] il|nascit|data nasc|nasc\b|nascid|nascim"
    r"|nasci\b|geboorte|gebdatum|urodz|ur\.|(?-i:[Uu]r\b)|f[øo]dt|f[øo]dsels|född|födelse|syntyn|syntymä|synt\.|narozen|narodil|nar\.|naroden"
    r"|ro[đd]en|do[ğg]um|d\.t\.|szület|szül\.|n[ăa]scut|na[șs]terii|lahir|sinh ng[àa]y|ng[àa]y sinh|kuzaliwa|alizaliwa|kapanganakan"
    r"|ipinanganak|gim(?:ęs|imo)|dzim(?:is|usi|šanas)|sündinud|sünni|fædd|dat[ëe]lindja|lindur",
    wide=r"生年月日|出生|生日|生于|生於|誕生日|生まれ|рожд|родил|народ(?:ж|ил)|роден|рођен|생년월일|출생|생일|태어"
    r"|γεννήθ|γέννησ|γεννησ|ημ\. ?γεν|الميلاد|مواليد|وُ?لد(?:ت)?|تولد|תאריך לידה|נולד|जन्म|জন্ম|பிறந்த|పుట్టిన|ಜನ್ಮ|วันเกิด|เกิด(?:วัน|เมื่อ)",
)
MONTHS = (
    r"(?:Jan(?:uar[yi]?)?|Feb(?:ruar[yi]?)?|Mar(?:ch|s)?|Apr(?:il)?|May|Mai|June?i?|July?i?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|O[ck]t(?:ober)?|Nov(?:ember)?|De[cz](?:ember)?|janvier|f[ée]vrier|mars|avril|juin|juillet|ao[uû]t|septembre"
    r"|octobre|novembre|d[ée]cembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre"
    r"|diciembre|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre|März|M[äa]erz)"
)
_DAY_WORD = r"[a-zà-ÿ\-]{2,20}(?:st|nd|rd|th|ten|ter)"
_YEAR_WORD = r"(?:(?:nineteen|twenty|two thousand|neunzehnhundert|zweitausend)[a-zà-ÿ \-]{0,24}|mil(?:le)?(?: [a-zà-ÿ\-]{1,14}){2,5})"
_ROMAN = r"(?:I{1,3}|IV|VI{0,3}|IX|XI{0,2})"
_DATE = EDGE + (
    r"(?:\d{1,2} ?[./\-] ?\d{1,2} ?[./\-] ?(?:19|20)?\d\d|(?:19|20)\d\d ?[./\-] ?\d{1,2} ?[./\-] ?\d{1,2}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.|er)?(?: of)?[ \-](?i:{MONTHS})\.?,?[ \-](?:de |del )?(?:19|20)?\d\d"
    rf"|\d{{1,2}} de (?i:{MONTHS}) (?:de|del) (?:19|20)\d\d|\d{{1,2}}[./ \-]{_ROMAN}[./ \-](?:19|20)\d\d"
    rf"|(?i:{MONTHS})\.? \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d\d|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d|(?:19|20)\d\d年\d{1,2}月\d{1,2}日)"
    r"|(?:明治|大正|昭和|平成|令和)\d{1,2}年\d{1,2}月\d{1,2}日"
)
# In words it may begin with any, so only in whole texts.
_YEAR_SAID = rf"(?:(?:19|20)\d\d|{_YEAR_WORD})"
_TENS_ES = r"(?:veinti[a-zé]{2,6}|(?:treinta|cuarenta|cincuenta|sesenta|setenta|ochenta|noventa)(?: y [a-z]{3,6})?)"
_DATE_IN_WORDS = (
    rf"\b(?i:{_DAY_WORD}(?: of)? {MONTHS},? {_YEAR_SAID}|{MONTHS} {_DAY_WORD},? {_YEAR_SAID}"
    rf"|\d{{1,2}} de {MONTHS} del? {_TENS_ES}|[a-zà-ÿ\-]{{3,20}} (?:de )?{MONTHS} (?:de |del )?{_YEAR_WORD})"
)


def _check_birth(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    return None if word_before(text, start) or word_after(text, end) else Verdict(start, end, 0.8)


# --- post codes alone, after the word

_POSTAL = Context(
    r"zip|post(?:al)?[ _\-]?code|pin[ _]?code|eircode|plz\b|postleitzahl|code[ _]postal|c[oó]digo[ _]postal|\bcap\b|cep\b"
    r"|postcode|kod pocztowy|postnummer|postnr"
)
_POST_CODE = EDGE + (
    r"(?:\d{5}[\-\x{2013}]\d{4}|\d{5}-\d{3}|\d{3}-\d{4}|\d{2}-\d{3}|\d{3} \d{2}|\d{6}|\d{5}|\d{4} ?[A-Z]{2}|\d{4}"
    r"|(?i:[A-Z]{1,2}\d[A-Z0-9]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d|[A-Z]\d{2} ?[A-Z0-9]{4}))"
)
# What may stand between the word and its code.
_POSTAL_BEFORE = re.compile(
    r"(?<![.A-Za-z0-9])(?:zip(?:\+4)?|(?:zip|post(?:al)?|pin)[ _\-]?code|plz|postleitzahl|code[ _]postal|c[oó]digo[ _]postal|cap|cep"
    r"|eircode|kod pocztowy|postnummer|postnr)s?[\"']?"
    r"(?:\s?(?:is|ist|est|es|of|number|nr|no)\b\.?)?[\s:=#\"'(\-]{0,4}\Z",
    re.IGNORECASE,
)
_POSTAL_WIDTH = 32


def _check_post_code(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    if word_before(text, start) or text[start - 1 : start] in ("-", "/", ".") or word_after(text, end):
        return None
    tied = joined_after(text, end, "-./:", more)
    if tied is None:
        return UNDECIDED
    if tied or not _POSTAL_BEFORE.search(text[max(0, start - _POSTAL_WIDTH) : start]):
        return None
    return Verdict(start, end, _SCORE)


RECOGNIZERS = (
    Recognizer("STREET_ADDRESS", _EN, _check_street),
    Recognizer("STREET_ADDRESS", _ONE_WORD, _check_street),
    Recognizer("STREET_ADDRESS", _DE, _check_street, hint=_DE_ENDS),
    Recognizer("STREET_ADDRESS", _DE_TWO, _check_street, whole=True, hint=_DE_TWO_ENDS),
    Recognizer("STREET_ADDRESS", _FR, _check_street),
    Recognizer("STREET_ADDRESS", _ES_IT, _check_street),
    Recognizer("POSTAL_CODE", _POST_CODE, _check_post_code, near=_POSTAL, retry=True),
    Recognizer("DATE_OF_BIRTH", _DATE, _check_birth, near=BIRTH),
    Recognizer("DATE_OF_BIRTH", _DATE_IN_WORDS, _check_birth, near=BIRTH, whole=True),
)
