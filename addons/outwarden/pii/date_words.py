"""Words in which dates are said, in some twenty languages: months, ordinal and other numbers, also put together.

`neunzehnhundertsechsundsiebzig`, `mil novecientos setenta y seis`, `the twenty-first`, `dwudziestego`, `quatre-vingt-dix`.
"""

from collections.abc import Sequence
from functools import lru_cache
from types import MappingProxyType

from outwarden.pii.folding import fold
from outwarden.pii.tongues import HUNDREDS, ONE_HUNDRED, VALUES, WEAK, weak_in


def _plainly(word: str) -> str:
    return fold(word).text


# --- months

# How their names begin, in Latin letters: what stands between a day and a year needs no more, be it misspelled.
_MONTH_STARTS = frozenset(
    """
    jan gen ene ápr már sze feb fév fev mar mär maa mrt apr avr abr may mai mag maj máj mei jun juin juni giu jul juil juli lug aug aoû aou
    ago avg sep set oct okt ott out oko nov dec dez dic déc des joulu huhti touko kesä heinä elok syys loka marras tammi helmi
    maalis styc stycz luty lute kwie maja czer lipc lip sier wrze paźd paz list grud ledn únor břez dub květ červ čvc srp září
    říj pros sij velj ožuj trav svib lipn kolo ruj stud ocak şub sub nis haz tem ağu agu eyl eki kas ara ian iul noi haziran
    """.split()
)
_MONTH_LONGEST, _MONTH_SHORTEST = 12, 3
_MONTHS_WIDE = """
    янв фев мар апр мая май июн июл авг сен окт ноя дек січ лют бер кві тра чер лип сер вер жов лис гру ιαν φεβ μαρ απρ μαΐ μαι
    ιουν ιουλ αυγ σεπ οκτ νοε δεκ يناير فبراير مارس أبريل ابريل إبريل مايو يونيو يوليو أغسطس اغسطس سبتمبر أكتوبر اكتوبر نوفمبر ديسمبر كانون شباط آذار نيسان
    أيار حزيران تموز آب أيلول تشرين فروردین اردیبهشت خرداد تیر مرداد شهریور مهر آبان آذر دی بهمن اسفند ינואר פברואר מרץ מרס אפריל מאי
    יוני יולי אוגוסט ספטמבר אוקטובר נובמבר דצמבר जनवरी फरवरी फ़रवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर सितम्बर अक्टूबर अक्तूबर नवंबर नवम्बर
    दिसंबर दिसम्बर มกรา กุมภา มีนา เมษา พฤษภา มิถุนา กรกฎา สิงหา กันยา ตุลา พฤศจิกา ธันวา
""".split()


_WIDE = tuple(_plainly(start) for start in _MONTHS_WIDE)


def is_month(word: str) -> bool:
    """Whether a word (in small letters, as `fold` reads it) is the name of a month, or begins as one does."""
    if not word.isascii() and word.removeprefix("ב").startswith(_WIDE):
        return True
    if not _MONTH_SHORTEST <= len(word) <= _MONTH_LONGEST:
        return False
    return any(word[:size] in _MONTH_STARTS for size in (3, 4, 5)) and _plainly(word) not in VALUES


ROMAN = MappingProxyType(
    {roman: value for value, roman in enumerate("i ii iii iv v vi vii viii ix x xi xii".split(), 1)}
)

# --- numbers

HUNDRED, THOUSAND = -100, -1000
_THOUSANDS = """
    thousand tausend mille mila mil duizend tusen tusind tysiąc tysiac tisíc bin тысяча тысячи тисяча ezer mie mii ribu χίλια
""".split()
_ORDINALS_BY_ONE = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth",
    "ersten zweiten dritten vierten fünften sechsten siebten achten neunten zehnten elften zwölften dreizehnten vierzehnten "
    "fünfzehnten sechzehnten siebzehnten achtzehnten neunzehnten zwanzigsten",
    "eerste tweede derde vierde vijfde zesde zevende achtste negende tiende elfde twaalfde dertiende veertiende vijftiende "
    "zestiende zeventiende achttiende negentiende twintigste",
    "premier deuxième troisième quatrième cinquième sixième septième huitième neuvième dixième",
    "primero segundo tercero cuarto quinto sexto séptimo octavo noveno décimo",
    "primo secondo terzo quarto quinto sesto settimo ottavo nono decimo",
    "primeiro segundo terceiro quarto quinto sexto sétimo oitavo nono décimo",
    "pierwszego drugiego trzeciego czwartego piątego szóstego siódmego ósmego dziewiątego dziesiątego jedenastego dwunastego "
    "trzynastego czternastego piętnastego szesnastego siedemnastego osiemnastego dziewiętnastego dwudziestego",
    "první druhého třetího čtvrtého pátého šestého sedmého osmého devátého desátého jedenáctého dvanáctého třináctého "
    "čtrnáctého patnáctého šestnáctého sedmnáctého osmnáctého devatenáctého dvacátého",
    "första andra tredje fjärde femte sjätte sjunde åttonde nionde tionde elfte tolfte trettonde fjortonde femtonde sextonde "
    "sjuttonde artonde nittonde tjugonde",
    "første anden tredje fjerde femte sjette syvende ottende niende tiende ellevte tolvte trettende fjortende femtende "
    "sekstende syttende attende nittende tyvende",
    "первого второго третьего четвертого пятого шестого седьмого восьмого девятого десятого одиннадцатого двенадцатого "
    "тринадцатого четырнадцатого пятнадцатого шестнадцатого семнадцатого восемнадцатого девятнадцатого двадцатого",
)
_ORDINALS_BY_TEN = (  # from the thirtieth on
    "thirtieth",
    "dreißigsten",
    "dertigste",
    "trzydziestego czterdziestego pięćdziesiątego sześćdziesiątego siedemdziesiątego osiemdziesiątego dziewięćdziesiątego",
    "třicátého čtyřicátého padesátého šedesátého sedmdesátého osmdesátého devadesátého",
    "trettionde",
    "tredivte",
    "тридцатого сорокового пятидесятого шестидесятого семидесятого восьмидесятого девяностого",
)
_JOINERS = ("und", "and", "en", "ën", "og", "och", "et", "e", "y", "i")
JOINERS = frozenset(_JOINERS)
"""Words between two of one number."""

_WORD_LONGEST = 48


def _said() -> dict[str, int]:
    weak = {word: value for tongue in ("it", "nl", "pt", "sv", "da", "no") for word, value in _weak(tongue).items()}
    found = {word: value for word, value in weak.items() if len(word) > 2} | dict(VALUES)
    found |= {_plainly(word): value for names in _ORDINALS_BY_ONE for value, word in enumerate(names.split(), 1)}
    tens = ((at, word) for names in _ORDINALS_BY_TEN for at, word in enumerate(names.split(), 3))
    found |= {_plainly(word): at * 10 for at, word in tens}
    found |= dict.fromkeys(HUNDREDS | ONE_HUNDRED, HUNDRED)
    return found | {_plainly(word): THOUSAND for word in _THOUSANDS}


def _weak(tongue: str) -> dict[str, int]:
    return {word: value for word, value in weak_in(frozenset({tongue})).items() if word in WEAK}


_SAID = _said()
_BEGINNING = 3
_BEGINNINGS = frozenset(word[:_BEGINNING] for word in _SAID)
# What an ordinal ends with behind the word of its number: einundzwanzigsten, twenty-first is two words.
_ORDINAL_ENDS = ("sten", "ster", "ste", "ten", "ter", "te", "de", "st", "nd", "rd", "th", "ième")


@lru_cache(maxsize=2048)
def values_of(word: str) -> tuple[int, ...]:
    """What a word (in small letters) says, piece by piece, with `HUNDRED` and `THOUSAND`; nothing where it is none."""
    if len(word) > _WORD_LONGEST:
        return ()
    plain = _plainly(word)
    if plain in _SAID:
        return (_SAID[plain],)
    for end in _ORDINAL_ENDS:
        if plain.endswith(end) and len(plain) > 3 + len(end) and plain[: -len(end)] in _SAID:
            return (_SAID[plain[: -len(end)]],)
    if plain[:_BEGINNING] not in _BEGINNINGS:
        return ()
    return _pieces(plain) or next(
        filter(None, (_pieces(plain.removesuffix(end)) for end in _ORDINAL_ENDS if plain.endswith(end))), ()
    )


def _pieces(word: str) -> tuple[int, ...]:
    """The number words that a word is put together of, read from its end with the longest first."""
    best: list[tuple[int, ...] | None] = [None] * len(word) + [()]
    for at in range(len(word) - 1, -1, -1):
        for end in range(len(word), at + 1, -1):
            rest, piece = best[end], word[at:end]
            if rest is None:
                continue
            if piece in _SAID:
                best[at] = (_SAID[piece], *rest)
                break
            if piece in JOINERS and at and rest:
                best[at] = rest
                break
    found = best[0] or ()
    return found if len(found) > 1 and len(word) > 5 else ()


def goes_on(values: Sequence[int], value: int) -> bool:
    """Whether a value may stand behind others in one number: 20 and 4, 19 and 80, 1000 and 900, 60 and 17."""
    last = values[-1]
    if value in (HUNDRED, THOUSAND) or last in (HUNDRED, THOUSAND):
        return True
    if last >= 100:
        return value < 100
    if max(values) < 10 and value < 10 and min(values) >= 0:
        return True  # digit by digit
    if 0 < value < 10:
        return last in (20, 30, 40, 50, 60, 70, 80, 90) or (last == 10 and value > 6) or (last == 0 and len(values) > 1)
    if last in (18, 19, 20) and len(values) == 1:
        return value == 0 or value >= 10
    return (
        (last in (60, 80) and 10 <= value < 20) or (last == 4 and value == 20) or (last == 20 and values[-2:-1] == [4])
    )


def number_of(values: Sequence[int]) -> tuple[int, int]:
    """(the number that values say, how many figures it has where each is said by itself, else 0)."""
    if len(values) > 1 and max(values) < 10 and min(values) >= 0:
        return int("".join(map(str, values))), len(values)
    total = now = 0
    for value in values:
        if value == THOUSAND:
            total, now = total + max(now, 1) * 1000, 0
        elif value == HUNDRED:
            now = max(now, 1) * 100
        elif value == 20 and now % 100 == 4:
            now += 76  # quatre-vingt
        elif now in (18, 19, 20) and (value == 0 or value >= 10):
            now = now * 100 + value
        else:
            now += value
    return total + now, 0
