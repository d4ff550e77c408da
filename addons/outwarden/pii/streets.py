"""Street addresses in any case and layout: small letters, capitals, one sign for each space, lines, cells, turns of a talk.

`birkenallee 276a 34117 kassel`, `187 PRIORY RD GALWAY H91 K3W8`, `Calle+de+la+Fuente+127%2C+72160+Puebla`. A kind of
street beside a number of a house begins one; a post code with its town, or words before that speak of an address, tell
that it is one. (`particulars` finds those that are written as usual without.)
"""

import re

from outwarden.pii.recognizer import EDGE, Context, Recognizer, Verdict, skip_edge, word_before

ENTITY = "STREET_ADDRESS"
_SCORE = 0.7

# --- kinds of streets

_BEHIND = (  # 12 Mill Lane
    r"street|str|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|place|pl|square|sq|terrace|ter|way|parkway|pkwy"
    r"|circle|cir|highway|hwy|trail|trl|close|crescent|cres|row|mews|gardens|gdns|grove|alley|walk|hill|loop|pike|turnpike|plaza"
    r"|view|ridge|path|bend|crossing|quay|wharf|rise|parade|pde|esplanade|green|meadows?|heights|hts|cove|glen|vale|croft|yard"
    r"|villas|chase|freeway|expressway|route|rte|bank|park|fields"
)
_FRENCH = (  # 12 bis rue …
    r"rue|avenue|av|boulevard|bd|bld|place|pl|all[ée]es?|chemin|ch|impasse|imp|quai|cours|route|rte|square|passage|sentier|villa"
    r"|faubourg|fbg|rond-point|esplanade|mont[ée]e|ruelle|venelle|lotissement|r[ée]sidence|hameau|clos|promenade|traverse"
)
_GLUED = (  # Birkenallee 12; letters stand right before
    r"stra(?:ß|ss)e|str|weg|platz|gasse|allee|ring|damm|ufer|chaussee|steig|graben|berg|markt|hof|tor|pfad|stieg|straat|laan|plein"
    r"|gracht|kade|singel|steenweg|dijk|gatan|v[äa]gen|gr[äa]nd|stigen|vej|gade|all[ée]|gata|veien|vegen|svingen|katu|tie|kuja|polku"
)
_APART = (  # Marktlaan apart: Kossuth utca 12
    r"stra(?:ß|ss)e|utca|[úu]tja|t[ée]r|k[öo]r[úu]t|krt|cadd?esi|cad|sokak|soka[ğg][ıi]|sok|bulvar[ıi]|caddesi|iela|gatv[ėe]|tänav|puiestee|gate|gata|vei|v[äa]g|n[áa]m[ěe]st[íi]|ulica|trg"
)
_BEFORE = (  # Calle … 12
    r"calle|c/|avenida|avda|avd|av\.|plaza|plza|paseo|camino|carrera|carretera|ronda|traves[íi]a|callej[óo]n|glorieta|cuesta|urbanizaci[óo]n"
    r"|travessa|rua|alameda|estrada|pra[çc]a|rodovia|ladeira|beco|via|viale|vicolo|corso|piazza|piazzale|largo|strada|contrada|salita"
    r"|ulica|ul|aleja|aleje|al\.|osiedle|plac|jalan|jln|jl\.?|đ[ưu][ờo]ng|ph[ốo]|ng[õo]|bulevardul|bd|calea|aleea|[șs]oseaua|trg|cesta"
    r"|n[áa]m[ěe]st[íi]|t[řr][íi]da|rruga|barangay|brgy|lorong"
)
_BEFORE_WIDE = r"улица|ул\.|проспект|пр-т|просп|переулок|пер|бульвар|б-р|шоссе|площадь|набережная|вулиця|вул|οδός|οδού|λεωφόρος|λεωφ|شارع|רחוב"

# Carrera 7 No. 71-21; scripts without spaces.
_GRID = r"\b(?:carrera|cra|kr|calle|cl|diagonal|transversal|avenida)\.? \d{1,3}[a-z]?(?: bis)? ?(?:no\.?|n[°º]|#|num\.?) ?\d{1,3}[a-z]? ?- ?\d{1,3}"
_HAN = (
    r"\p{Han}{2,14}(?:路|街|大道|巷|弄|胡同)\p{Han}{0,4}\d{1,5}号|\p{Han}{1,3}[都道府県]\p{Han}{1,8}[市区町村郡][\p{Han}ぁ-んァ-ヶ]{0,12}\d{1,4}"
    r"(?:丁目|[\-−]\d{1,4}){0,3}|[\p{Han}ァ-ヶー]{2,20}[0-9０-９]{1,3}丁目[0-9０-９]{1,3}番地?(?:[0-9０-９]{1,3}号)?|\p{Hangul}{1,8}[시도] (?:\p{Hangul}{1,8}[시구군읍면] ){1,3}\p{Hangul}{1,8}(?:로|길|동) ?\d{1,4}(?:-\d{1,4})?"
)
# --- what stands between, and words

_SIGNS = r"\s,;|+_~#.\-:/\"'•·()–"
_SIGNS_IN = r" .,;|+_~#\-"
_S = rf"(?:[{_SIGNS}]|%(?:25)?(?:20|2[Cc])|=2[Cc]|=20|\\[nt]|<[a-z/ ]{{2,8}}>)"
_NUMBERS = r"zero|oh|one|two|three|four|five|six|seven|eight|nine"
_TENS = (
    r"ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred"
)
_SAID_ABROAD = (  # up to 99 in German, Dutch, French, Spanish, Italian, Portuguese; without what says something else too
    r"(?:(?:ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun)und(?:zwan|drei|vier|fünf|sech|sieb|acht|neun)(?:zig|ßig|ssig)"
    r"|zwölf|(?:drei|vier|fünf|sech|sieb|acht|neun)zehn|(?:zwan|vier|fünf|sech|sieb|acht|neun)zig|dreißig"
    r"|(?:een|twee|drie|vier|vijf|zes|zeven|acht|negen)[eë]n(?:twin|der|veer|vijf|zes|zeven|tach|negen)tig"
    r"|twaalf|(?:der|veer|vijf|zes|zeven|acht|negen)tien|(?:twin|der|veer|vijf|zes|zeven|tach|negen)tig"
    r"|quatre-vingts?(?:-(?:un|deux|trois|quatre|cinq|six|sept|huit|neuf|dix(?:-(?:sept|huit|neuf))?|onze|douze|treize|quatorze|quinze|seize))?"
    r"|(?:vingt|trente|quarante|cinquante|soixante)(?:[ \-](?:et[ \-])?(?:une?|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize))?"
    r"|douze|treize|quatorze|quinze|seize|dix-(?:sept|huit|neuf)"
    r"|veinti(?:uno|d[oó]s|tr[eé]s|cuatro|cinco|s[eé]is|siete|ocho|nueve)|diecis[eé]is|dieci(?:siete|ocho|nueve)|catorce|quince|trece"
    r"|(?:treinta|cuarenta|cincuenta|sesenta|setenta|ochenta|noventa)(?: y (?:uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve))?"
    r"|(?:vent|trent|quarant|cinquant|sessant|settant|ottant|novant)(?:[ia]?(?:uno|due|tr[eé]|quattro|cinque|sei|sette|otto|nove)|i|a)"
    r"|undici|dodici|tredici|quattordici|quindici|sedici|diciassette|diciotto|diciannove"
    r"|(?:vinte|trinta|quarenta|cinquenta|sessenta|setenta|oitenta|noventa)(?: e (?:um|dois|tr[eê]s|quatro|cinco|seis|sete|oito|nove))?)"
)
_SAID = rf"(?:(?:{_NUMBERS}|{_TENS})(?:[ \-](?:{_NUMBERS}|{_TENS})){{1,4}}|{_SAID_ABROAD})"


def _patterns() -> tuple[str, ...]:
    """RE2: a number before its street; a kind behind a name, one before it, a post code, each with a number."""
    word = (
        r"[A-Za-z\x{A1}-\x{1FFF}\x{2019}]{1,20}"  # letters of any script, and what is made of them in the wrong charset
    )
    some = rf"(?:(?:{word}|\d{{1,3}}(?:st|nd|rd|th)){_S}{{1,4}})"
    number = rf"(?:\d{{1,5}}(?:[a-z]|-\d{{1,4}})?|{_SAID})"
    code = rf"[a-z]{{1,2}}\d[a-z\d]?{_S}?\d[a-z]{{2}}\b"
    first = (
        rf"(?i:{EDGE}{number}{_S}{{1,3}}(?:{some}{{1,5}}(?:(?:{_BEHIND})\b|{code})"
        rf"|(?:(?:bis|ter|quater)\b{_S}{{1,2}})?(?:{_FRENCH})\b{_S}{{1,3}}{word}))"
    )
    house = rf"(?:(?:n[ºo°r]?|num|n[uú]mero|hausnummer|number|nummer)\.?{_S}{{0,2}})?(?:\d{{1,5}}|{_SAID})"
    glued = rf"(?i:(?:{_GLUED})\.?[{_SIGNS_IN}]{{1,2}}(?:(?:nr|no|nummer|hausnummer)\.?[{_SIGNS_IN}]{{0,2}})?(?:\d{{1,4}}|{_SAID_ABROAD}\b)|\b(?:{_APART})\.?{_S}{{1,3}}{house})"
    before = rf"(?i:(?:\b(?:{_BEFORE})|{_BEFORE_WIDE}){_S}{{1,3}}{some}{{1,5}}{house}|{_GRID})"
    town = r"\b\d{1,3} ?[a-z]?(?:,|\n|, ?\n) ?\d{4,5} \p{Lu}\p{L}"
    return first, glued, before, town


_PATTERNS = _patterns()

# --- what tells that it is one

_LABEL = Context(
    r"addr(?:ess)?e?\w{0,2}\b|anschrift|adresse|direcci[oó]n|domicilio|adres\w{0,3}\b|indirizzo|endere[cç]o|morada|alamat|wohn(?:haft|t)|wohne"
    r"|liv(?:e|es|ing) (?:at|on|in)|i live|reside|moved to|deliver|ship(?:ping)?(?: to|:)|send (?:it|them|this) to|parcel|postal|mail(?:ing)? to"
    r"|geocode|maps|query|location|pick ?up|drop ?off|visit|home\b|house\b|line_?1|street\b|valuation|residen[ct]e?|property|lebt in|vive en|habite"
    r"|consegn|spedi(?:re|zion)|recapit|livr(?:er|aison)|entreg|liefer|bezorg|vivo en|wo?hnung|mieszka|zamieszk|bor på|bor i|abit[oi]\b|viv[oea]n?\b|lebe\b|i'?m (?:on|at) |drop (?:it|this|them|me)|meet (?:me|us) at|com(?:e|ing) (?:to|round|over|by)|stay(?:ing)? (?:at|on)"
    r"|collect|zustell|abhol|ritir|recog|ophal|rendez-vous|woon(?:t|achtig)|abita|mora (?:em|na)",
    wide=r"адрес|住所|地址|주소|عنوان|כתובת|प ता",
)
_LABEL_WIDTH, _LABEL_NEAR = 60, 16
_WORD = r"(?:[^\W\d_]|[’¡-¿\u0300-\u036f])(?:[^\W\d_]|[’¡-¿\u0300-\u036f])*"
_UNIT = r"(?:\d{1,3} ?Â?[ºª°]|\d{1,4}[a-z]?(?![\w-])|[a-z]\d{1,3})"
_CODE = (
    rf"(?:[a-z]{{1,2}}\d[a-z\d]?{_S}?\d[a-z]{{2}}|[a-z]\d[\dw]{_S}?[a-z\d]{{4}}|[a-z]\d[a-z]{_S}?\d[a-z]\d|\d{{5}}-\d{{3,4}}|\d{{4}}-\d{{3}}"
    rf"|\d{{2}}-\d{{3}}|\d{{3}}{_S}\d{{2}}|\d{{4}}{_S}?[a-z]{{2}}|\d{{4,6}}|(?:{_NUMBERS})(?:[ \-](?:{_NUMBERS})){{3,5}})(?![^\W_])"
)
_BETWEEN = rf"(?:{_S}{{1,8}}(?:{_WORD}|{_UNIT})){{0,7}}?"
_REST = re.compile(
    rf"[a-z]?(?:/\d{{1,4}})?(?P<between>{_BETWEEN}){_S}{{1,8}}(?P<code>{_CODE})(?P<town>(?:{_S}{{1,4}}{_WORD})?)",
    re.IGNORECASE,
)
_REST_MAX = 100
_UK_CODE = re.compile(rf"{_S}[a-z]{{1,2}}\d[a-z\d]?{_S}?\d[a-z]{{2}}\Z", re.IGNORECASE)
_NAME_AT = re.compile(
    r"(?:\b(?:am|an der|an den|im|in der|auf der|auf dem|zum|zur|unter den|[A-ZÀ-Þ][\w’'.\-]{1,30}) ){1,4}\Z"
)
_SURE = re.compile(rf"(?:{_BEFORE}|{_BEFORE_WIDE})\b|{_SAID}\b", re.IGNORECASE)
_GRID_OF = re.compile(_GRID, re.IGNORECASE)
# What words of other kinds end with too: string 1, motor 5.
_WEAK = re.compile(r"(?:ring|hof|tor|berg|markt|damm|steig|graben|pfad|kade|dijk|gate)\W{1,3}\d{1,5}\Z", re.IGNORECASE)
_ALONE = frozenset("str weg platz gasse ring damm tor hof berg markt tie katu gade gata vej".split())  # noqa: SIM905
_COUNTED = re.compile(r"([^\W\d_]{3,12}) \Z")
_AUSTRALIAN = frozenset("qld nsw vic tas act wa sa nt".split())  # noqa: SIM905 - one text of words reads best
_YEAR = re.compile(r"(?:19|20)\d\d")
# The town is told in a later turn: [19:30] agent: and the city? [17:59] customer: 4020 Linz
_TURNS = re.compile(
    rf"[a-z]?(?:\r?\n[^\n]{{0,80}}){{1,2}}\r?\n(?:[\[(][^\])\n]{{0,12}}[\])] ?)?[\w ]{{1,16}}: (?P<town>(?:{_WORD}[ ,]{{1,2}}){{0,3}})"
    rf"(?P<code>{_CODE})(?P<behind>(?: {_WORD}){{0,2}})\.?(?=\s*(?:\n|\Z))",
    re.IGNORECASE,
)
_TURNS_MAX = 220
_STRONG_CODE = re.compile(r"[A-Za-z]|-")
_STOPS = frozenset(
    """
    a about after all an and any are as at be before but by can did do does for from had has have he her his if in into is it
    its just like more most not of off on one only or our out over per she so some than that the their then there they this
    times to under up was we were when which while who will with would you your und mit von zu auf ist sind et est sont y con
    """.split()  # noqa: SIM905 - one text of words reads best
)
_NO_NAMES = frozenset(
    """
    chapter section version figure fig table page step class grade level room day week phone depression january february march april may june
    july august september october november december volume vol part item line note issue phase stage round unit lot
    """.split()  # noqa: SIM905 - one text of words reads best
)
_ANY_WORD = re.compile(_WORD)
_NUMBER_SAID = re.compile(rf"{_NUMBERS}|{_TENS}|{_SAID_ABROAD}|quatre|vingts?", re.IGNORECASE)
_SAID_FIRST = re.compile(rf"{_SAID}\b", re.IGNORECASE)
_NAME_BEFORE = re.compile(r"[^\W\d_][\w’'.\-]{0,30}\Z|(?:[A-ZÀ-Þ][\w’'.\-]{0,30} ){1,3}\Z")
_MAY_PRECEDE = re.compile(
    r"(?:flat|apt|apartment|unit|suite|am|an der|an den|im|in der|auf dem|zum|zur|unter den)[ .]{1,2}(?:\d{1,4}[a-z]?,?[ ])?\Z",
    re.IGNORECASE,
)


def _check(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = _begin(text, skip_edge(text, start))
    if word_before(text, start) and text[start - 1 : start] != "_":
        return None
    said = _SAID_FIRST.match(text, start, end)
    words = [
        word for word in _ANY_WORD.findall(text, said.end() if said else start, end) if not _NUMBER_SAID.fullmatch(word)
    ]
    if not words or words[0].lower() in _NO_NAMES or _is_counted(text, start):
        return None
    if _GRID_OF.match(text, start, end):
        return Verdict(start, end, _SCORE, ENTITY)
    named, clean = _is_named(words), not _STOPS.intersection(word.lower() for word in words)
    if clean and _UK_CODE.search(text, start, end):
        return Verdict(start, end, _SCORE, ENTITY)
    if not clean or (not named and (_WEAK.search(text, start, end) or words[0].lower() in _ALONE)):
        return None
    if (rest := _rest(text, end, named)) is not None:
        return Verdict(start, rest, _SCORE, ENTITY)
    sure = _SURE.match(text, start) is not None and len(words) > 1 and words[0][0].isupper()
    told = _LABEL.before(text, start, _LABEL_WIDTH if named else _LABEL_NEAR)
    return Verdict(start, end, _SCORE, ENTITY) if (told or (named and sure)) and _ends(text, end) else None


def _check_town(text: str, start: int, end: int, more: bool) -> Verdict | None:
    """A name and a number before a post code and its town: Am Mühlbach 27a, 34117 Kassel."""
    name = _NAME_AT.search(text, max(0, start - 64), start)
    if name is None or not name[0].strip()[0].isupper() or _is_counted(text, start):
        return None
    while end < len(text) and text[end].isalpha():
        end += 1
    return Verdict(name.start(), end, _SCORE, ENTITY) if len(name[0].split()[-1]) > 3 else None


def _is_counted(text: str, start: int) -> bool:
    """Whether the number is that of a chapter, a figure, a week."""
    before = _COUNTED.search(text, max(0, start - 16), start) if text[start].isdecimal() else None
    return before is not None and before[1].lower() in _NO_NAMES


def _begin(text: str, start: int) -> int:
    """Where the name of a street begins that ends with its kind; what a flat's number or a preposition adds."""
    if not text[start].isdecimal() and (name := _NAME_BEFORE.search(text, max(0, start - 32), start)):
        start = name.start()
    before = _MAY_PRECEDE.search(text, max(0, start - 24), start)
    return start if before is None else before.start()


def _ends(text: str, end: int) -> bool:
    return not text[end : end + 1].isalnum()


def _is_named(words: list[str]) -> bool:
    """Whether words are written as names: in capitals, or with one in front but for the little ones between."""
    large = [word for word in words if word[0].isupper()]
    return len(large) >= max(1, len([word for word in words if len(word) > 3]) - 1) and words[-1][0].isupper() | (
        len(large) > 1
    )


def _rest(text: str, end: int, named: bool) -> int | None:
    """Where an address ends that goes on with a post code and a town."""
    if found := _REST.match(text, end, end + _REST_MAX):
        between = [word.lower() for word in _ANY_WORD.findall(found["between"])]
        town, code = found["town"].strip(" ,;|+_~#.-:/\"'").lower(), found["code"]
        state = bool(between) and between[-1] in _AUSTRALIAN
        clean = not _STOPS.intersection([*between[:-1], town])
        right = named and _YEAR.fullmatch(code) is None
        right = right or len(code) > 4 or state or (not between and len(town) > 2 and _YEAR.fullmatch(code) is None)
        if clean and (town or any(len(word) > 2 for word in between)) and (right or _STRONG_CODE.search(code)):
            return found.end() if _is_town(found["town"], named) else found.end("code")
    if turns := _TURNS.match(text, end, end + _TURNS_MAX):
        return turns.end() if turns["town"] or turns["behind"] else None
    return None


def _is_town(said: str, named: bool) -> bool:
    words = _ANY_WORD.findall(said)
    return bool(words) and len(words[0]) > 2 and (words[0][0].isupper() or not named)


RECOGNIZERS = (
    *(Recognizer(ENTITY, pattern, _check, whole=True, retry=True) for pattern in _PATTERNS[:3]),
    Recognizer(ENTITY, _PATTERNS[3], _check_town, whole=True, retry=True),
    Recognizer(ENTITY, _HAN, lambda text, start, end, more: Verdict(start, end, _SCORE), whole=True),
)
