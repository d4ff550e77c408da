"""Number words of some twenty languages: what each says, and which of them mean something else in another language.

`VALUES` are those that say a number wherever they stand. The others (Danish "to" and "fire", Italian "sei", Portuguese
"um") count only among words of their own language: `weak_in`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from outwarden.pii.folding import fold

# Zero to nine, with other ways of saying one after a slash; ten to nineteen; twenty to ninety; hundreds from 100 on.
# A word with a star means something else elsewhere.
_TONGUES: Mapping[str, tuple[str, ...]] = {
    "en": (
        "zero/oh/nought one two three four five six seven eight nine",
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
        "twenty thirty forty/fourty fifty sixty seventy eighty ninety",
    ),
    "de": (
        "null eins/eine zwei/zwo drei vier fünf/fuenf sechs sieben acht neun",
        "zehn elf zwölf/zwoelf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn",
        "zwanzig dreißig/dreissig vierzig fünfzig sechzig siebzig achtzig neunzig",
    ),
    "fr": (
        "zéro un/une deux trois quatre cinq six sept huit neuf",
        "dix onze douze treize quatorze quinze seize",
        "vingt/vingts trente quarante cinquante soixante septante huitante nonante",
    ),
    "es": (
        "cero uno dos tres cuatro cinco seis siete ocho nueve",
        "diez once doce trece catorce quince dieciséis/dieciseis diecisiete dieciocho diecinueve",
        "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
        "cien/ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos",
    ),
    "it": (
        "zero uno *due tre quattro cinque *sei sette *otto nove",
        "dieci undici dodici tredici quattordici quindici sedici diciassette diciotto diciannove",
        "venti trenta quaranta cinquanta sessanta settanta ottanta novanta",
        "cento duecento trecento quattrocento cinquecento seicento settecento ottocento novecento",
    ),
    "nl": (
        "nul *een/één twee drie vier vijf zes zeven acht negen",
        "tien elf twaalf dertien veertien vijftien zestien zeventien achttien negentien",
        "twintig dertig veertig vijftig zestig zeventig tachtig negentig",
    ),
    "pt": (
        "zero *um/*uma dois/duas três quatro cinco seis/*meia sete oito nove",
        "dez onze doze treze catorze/quatorze quinze dezasseis/dezesseis dezassete/dezessete dezoito dezanove/dezenove",
        "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa",
        "cem/cento duzentos trezentos quatrocentos quinhentos seiscentos setecentos oitocentos novecentos",
    ),
    "pl": (
        "zero jeden dwa trzy cztery pięć/*piec sześć/szesc siedem osiem dziewięć/dziewiec",
        "dziesięć jedenaście dwanaście trzynaście czternaście piętnaście szesnaście siedemnaście osiemnaście dziewiętnaście",
        "dwadzieścia trzydzieści czterdzieści pięćdziesiąt sześćdziesiąt siedemdziesiąt osiemdziesiąt dziewięćdziesiąt",
        "*sto dwieście trzysta czterysta pięćset sześćset siedemset osiemset dziewięćset",
    ),
    "sv": (
        "noll *ett/*en två tre fyra *fem *sex sju åtta nio",
        "*tio elva tolv tretton fjorton femton sexton sjutton arton nitton",
        "tjugo trettio fyrtio femtio sextio sjuttio åttio nittio",
    ),
    "da": (
        "nul *en/*et *to tre *fire *fem seks syv otte *ni",
        "*ti elleve tolv tretten fjorten femten seksten sytten atten nitten",
        "tyve tredive fyrre halvtreds tres halvfjerds firs halvfems",
    ),
    "no": (
        "null *en/*ett *to tre *fire *fem seks sju/syv åtte *ni",
        "*ti elleve tolv tretten fjorten femten seksten sytten atten nitten",
        "tjue tretti førti femti seksti sytti åtti nitti",
    ),
    "fi": ("nolla yksi kaksi kolme neljä viisi kuusi seitsemän kahdeksan yhdeksän", "", ""),
    "cs": (
        "nula jedna/jeden dva/dvě tři/tri čtyři/ctyri pět/*pet šest sedm osm devět/devet",
        "deset jedenáct dvanáct třináct čtrnáct patnáct šestnáct sedmnáct osmnáct devatenáct",
        "dvacet třicet čtyřicet padesát šedesát sedmdesát osmdesát devadesát",
    ),
    "tr": (
        "sıfır/sifir bir iki üç/*uc dört/dort beş/*bes altı/alti yedi sekiz dokuz",
        "*on",
        "yirmi otuz kırk elli altmış yetmiş seksen doksan",
    ),
    "ru": (
        "ноль/нуль один/одна два/две три четыре пять шесть семь восемь девять",
        "десять одиннадцать двенадцать тринадцать четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать",
        "двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто",
        "сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот",
    ),
    "uk": (
        "нуль один два три чотири п'ять/пять шість сім вісім дев'ять/девять",
        "",
        "двадцять тридцять сорок п'ятдесят шістдесят сімдесят вісімдесят дев'яносто",
        "сто двісті триста чотириста п'ятсот шістсот сімсот вісімсот дев'ятсот",
    ),
    "hi": ("शून्य एक दो तीन चार पांच/पाँच/पाच छह/छः/छे सात आठ नौ", "", ""),
    "hi-Latn": ("shunya/shoonya *ek *do *teen/tin *char/chaar paanch/panch chhah/chhe/chheh saat aath nau", "", ""),
    "ro": ("*zero unu doi trei patru cinci șase/sase șapte/sapte *opt nouă/noua", "", ""),
    "hu": ("nulla egy kettő/két három négy öt *hat hét nyolc kilenc", "", ""),
    "el": ("μηδέν ένα δύο τρία τέσσερα πέντε έξι επτά/εφτά οκτώ/οχτώ εννέα/εννιά", "", ""),
    "id": ("nol/kosong satu dua tiga empat *lima enam tujuh delapan sembilan", "", ""),
    "ar": ("صفر واحد اثنان/اثنين ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة", "", ""),
}  # fmt: skip

Words = Mapping[str, int]


def _read(text: str) -> str:
    """As the text is read in which they are looked for."""
    return fold(text.lower()).text


# "nine hundred"; of the second kind also a hundred by itself.
_HUNDREDS = "hundred hundert honderd hundra hundre hundrede stě", "cent cents yüz yuz"
HUNDREDS = frozenset(_read(word) for words in _HUNDREDS for word in words.split())
ONE_HUNDRED = frozenset(_read(word) for word in _HUNDREDS[1].split()) - {"cents"}
_TIMES = {
    2: "double doppel doble dubbel doppio doppia duplo dubbla podwójne çift dvakrát дважды डबल",
    3: "triple treble triplo tripla dreimal трижды ट्रिपल",
    4: "quadruple",
}
TIMES: Words = MappingProxyType({_read(word): times for times, words in _TIMES.items() for word in words.split()})
"""double five, triple two."""


def _tables() -> tuple[dict[str, int], dict[str, dict[str, int]], dict[str, set[str]]]:
    values: dict[str, int] = {}
    weak: dict[str, dict[str, int]] = {}
    tongues: dict[str, set[str]] = {}
    for tongue, (units, teens, tens, *hundreds) in _TONGUES.items():
        own = {
            **_numbered(units, 0, 1),
            **_numbered(teens, 10, 1),
            **_numbered(tens, 20, 10),
            **_numbered("".join(hundreds), 100, 100),
        }
        own |= _COMPOUNDS[tongue](own) if tongue in _COMPOUNDS else {}
        for word, value in own.items():
            if word.startswith("*"):
                weak.setdefault(tongue, {})[_read(word[1:])] = value
            else:
                values.setdefault(_read(word), value)
                tongues.setdefault(_read(word), set()).add(tongue)
    return values, weak, tongues


def _numbered(words: str, first: int, step: int) -> dict[str, int]:
    return {word: first + step * at for at, said in enumerate(words.split()) for word in said.split("/")}


def _pairs(own: Words) -> Iterable[tuple[str, int, str, int]]:
    """Each word for tens with each for a unit, without their stars."""
    tens = [(word, value) for word, value in own.items() if 20 <= value < 100 and not value % 10]
    units = [(word.lstrip("*"), value) for word, value in own.items() if 0 < value < 10]
    return ((ten, tens_value, unit, value) for ten, tens_value in tens for unit, value in units)


def _german(own: Words) -> dict[str, int]:
    return {f"{'ein' if v == 1 else unit}und{ten}": t + v for ten, t, unit, v in _pairs(own)}


def _dutch(own: Words) -> dict[str, int]:
    return {f"{unit}{'ën' if unit.endswith('e') else 'en'}{ten}": t + v for ten, t, unit, v in _pairs(own)}


def _danish(own: Words) -> dict[str, int]:
    return {f"{unit}og{ten}": t + v for ten, t, unit, v in _pairs(own)}


def _nordic(own: Words) -> dict[str, int]:
    return {f"{ten}{unit}": t + v for ten, t, unit, v in _pairs(own)}


def _italian(own: Words) -> dict[str, int]:
    found = {f"{ten[:-1] if v in (1, 8) else ten}{unit}": t + v for ten, t, unit, v in _pairs(own)}
    return found | {f"{ten}tré": t + 3 for ten, t, _, v in _pairs(own) if v == 3}


def _spanish(own: Words) -> dict[str, int]:
    found = {f"veinti{unit}": 20 + v for _, t, unit, v in _pairs(own) if t == 20}
    return found | {"veintidós": 22, "veintitrés": 23, "veintiséis": 26, "veintiún": 21}


_COMPOUNDS = {
    "de": _german, "nl": _dutch, "da": _danish, "no": _nordic, "sv": _nordic, "it": _italian, "es": _spanish,
}  # fmt: skip

_VALUES, _WEAK, _TONGUES_OF = _tables()
VALUES: Words = MappingProxyType(_VALUES)
"""What number words say, in the spelling that `fold` makes of them."""

WEAK = frozenset(word for words in _WEAK.values() for word in words)
"""Words that say a number among others of their language only."""

PLAIN_UNITS: Words = MappingProxyType(
    {word: value for tongue in ("en", "de", "fr", "es") for word, value in _numbered(_TONGUES[tongue][0], 0, 1).items()}
)
"""Digits in the four languages that are spelled letter by letter most."""


def _digit_words() -> Words:
    said = [*VALUES.items(), *(pair for tongue in ("it", "pt", "nl", "pl") for pair in _WEAK.get(tongue, {}).items())]
    values: defaultdict[str, set[int]] = defaultdict(set)
    for word, value in said:
        values[word].add(value)
    return {
        word: min(of)
        for word, of in values.items()
        if len(of) == 1 and max(of) < 10 and word.isalpha() and len(word) > 2
    }


DIGIT_WORDS: Words = MappingProxyType({**_digit_words(), **PLAIN_UNITS})
"""Digits in all languages, but for words that say another one elsewhere: for what is spelled one by one."""

UNITS_EN = tuple(said.split("/")[0] for said in _TONGUES["en"][0].split())
_OWN_WORDS_MIN = 2


@lru_cache(maxsize=256)
def weak_in(tongues: frozenset[str]) -> Words:
    """What the other words of these languages say."""
    return {word: value for tongue in sorted(tongues) for word, value in _WEAK.get(tongue, {}).items()}


def tongues_of(words: Iterable[str]) -> frozenset[str]:
    """The languages of which there are two words and more, and the most, in some text."""
    counts: dict[str, int] = {}
    for word in words:
        for tongue in _TONGUES_OF.get(word, ()):
            counts[tongue] = counts.get(tongue, 0) + 1
    most = max(counts.values(), default=0)
    return frozenset(tongue for tongue, count in counts.items() if count == most >= _OWN_WORDS_MIN)


def _written() -> list[str]:
    """The words as people write them: a pattern sees a text before it is read. Without compounds."""
    tables = (*(said for tongue in _TONGUES.values() for said in tongue), *_TIMES.values())
    words = (word for said in tables for one in said.split() for word in one.split("/"))
    return sorted({word for word in words if not word.startswith("*")}, key=lambda word: (-len(word), word))


def _pattern() -> str:
    """RE2 knows the edge of a word in ASCII only."""
    words = _written()
    whole = "|".join(word for word in words if word[0].isascii() and word[-1].isascii())
    open_end = "|".join(word for word in words if word[0].isascii() and not word[-1].isascii())
    wide = "|".join(word for word in words if not word[0].isascii())
    first = rf"(?:{whole})(?:(?:und|en|ën|og|y)?(?:{whole}))?|(?:einund|eenen)(?:{whole})"
    return rf"(?i:\b(?:{first})\b|\b(?:{open_end})|(?:{wide}))"


WORD = _pattern()
"""RE2: a number word that counts anywhere, also put together: einundvierzig, quarantotto."""
