"""Ways in which people, programs and those who evade filters write a value so that it no longer looks like one.

Collected from what everybody can know: how people spell addresses in forums and on the telephone, what mail programs,
scanners, transcripts and spreadsheets do to numbers, and the tricks that papers on evading data-loss prevention name.
Written before its author had read the detector, which must not be tuned to single ways in here.
"""

import base64
import codecs
import random
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from evaluating.invented.values import Value

Write = Callable[[Value, random.Random], str]

_EN = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DE = ("null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun")
_FR = ("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf")
_ES = ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve")
_EN_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_EN_TEENS = (
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
_ES_TENS = (
    "",
    "",
    "veinti",
    "treinta y ",
    "cuarenta y ",
    "cincuenta y ",
    "sesenta y ",
    "setenta y ",
    "ochenta y ",
    "noventa y ",
)
_SAID = "alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec romeo sierra tango uniform victor whiskey xray yankee zulu"
_NATO = {word[0]: word for word in _SAID.split()}
_CYRILLIC: Mapping[int, int] = str.maketrans("aceopxyiAEKMHOPCTX", "асеорхуіАЕКМНОРСТХ")
_GREEK = str.maketrans("ovAEBHIKMNOPTXYZ", "ονΑΕΒΗΙΚΜΝΟΡΤΧΥΖ")
_SCANNED = str.maketrans("01582", "OlSBZ")


def _each(joint: str, of: Callable[[str], str] = str) -> Write:
    """Every character written by ``of``, with ``joint`` between."""
    return lambda value, rng: joint.join(of(c) for c in value.bare if c != " ")


def _groups(joint: str, before: str = "", after: str = "") -> Write:
    return lambda value, rng: joint.join(before + group + after for group in value.groups)


def _spell(words: tuple[str, ...], joint: str = " ", plus: str = "plus", dot: str = "dot") -> Write:
    def write(value: Value, rng: random.Random) -> str:
        text = (".".join(value.groups) if value.entity == "IP_ADDRESS" else value.bare).upper()
        return joint.join(words[int(c)] if c.isdigit() else {"+": plus, ".": dot}.get(c, c) for c in text)

    return write


def _hundred(number: int) -> str:
    tens, ones = divmod(number, 10)
    if tens == 0:
        return f"oh {_EN[ones]}" if ones else "double zero"
    if tens == 1:
        return _EN_TEENS[ones]
    return _EN_TENS[tens] + (f"-{_EN[ones]}" if ones else "")


def _hundred_es(number: int) -> str:
    tens, ones = divmod(number, 10)
    if tens < 2 or not ones:
        return f"{_ES[tens]} {_ES[ones]}"
    return _ES_TENS[tens] + _ES[ones]


def _hundred_de(number: int) -> str:
    tens = ("", "", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig")
    if number < 20:
        return f"{_DE[number // 10]} {_DE[number % 10]}"
    ones = {0: "", 1: "einund"}.get(number % 10, f"{_DE[number % 10]}und")
    return ones + tens[number // 10]


def _hundred_fr(number: int) -> str:
    small = (*_FR, "dix", "onze", "douze", "treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf")
    if number < 10:
        return f"zéro {_FR[number]}"
    if number < 20:
        return small[number]
    tens, ones = divmod(number, 10)
    if tens in (7, 9):
        tens, ones = tens - 1, ones + 10
    word = {2: "vingt", 3: "trente", 4: "quarante", 5: "cinquante", 6: "soixante", 8: "quatre-vingt"}[tens]
    if not ones:
        return word + ("s" if tens == 8 else "")
    return f"{word} et {small[ones]}" if ones in (1, 11) and tens != 8 else f"{word}-{small[ones]}"


def _pairs(hundred: Callable[[int], str], plus: str = "plus") -> Write:
    """Digits read two at a time, as telephone numbers often are."""

    def write(value: Value, rng: random.Random) -> str:
        number = value.bare.lstrip("+")
        said = [hundred(int(number[at : at + 2])) for at in range(0, len(number) - 1, 2)]
        last = [hundred(int(number[-1])).split()[-1]] if len(number) % 2 else []
        return " ".join([plus] * value.bare.startswith("+") + said + last)

    return write


def _doubled(value: Value, rng: random.Random) -> str:
    """One five, double seven, oh."""
    said, at, text = [], 0, value.bare.lstrip("+")
    while at < len(text):
        run = 2 if text[at : at + 2] == text[at] * 2 and text[at].isdigit() else 1
        word = "oh" if text[at] == "0" else _EN[int(text[at])] if text[at].isdigit() else text[at]
        said.append(f"double {word}" if run == 2 else word)
        at += run
    return " ".join(said)


def _mixed(value: Value, rng: random.Random) -> str:
    """Some digits as words, some not."""
    return " ".join(_EN[int(c)] if c.isdigit() and rng.random() < 0.5 else c for c in value.bare)


def _hesitating(value: Value, rng: random.Random) -> str:
    fillers = (", uh, ", " um ", ", ", " - ", " ... ", ", and then ")
    return "".join(" ".join(_EN[int(c)] if c.isdigit() else c for c in group.lstrip("+")) + rng.choice(fillers) for group in value.groups[:-1]) + " ".join(_EN[int(c)] if c.isdigit() else c for c in value.groups[-1])  # fmt: skip


def _nato(value: Value, rng: random.Random) -> str:
    text = value.text.replace(" ", "").lower()
    names = {"@": "at", ".": "dot", "_": "underscore", "-": "dash"}
    return " ".join(_NATO.get(c) or names.get(c) or (_EN[int(c)] if c.isdigit() else c) for c in text)


def _shift(zero: int, upper: int = 0, lower: int = 0) -> Write:
    """Digits and letters moved to where Unicode has such ones again; 0: left."""

    def move(c: str) -> str:
        if c.isascii() and c.isdigit() and zero:
            return chr(zero + int(c))
        if "A" <= c <= "Z" and upper:
            return chr(upper + ord(c) - 65)
        return chr(lower + ord(c) - 97) if "a" <= c <= "z" and lower else c

    return lambda value, rng: "".join(map(move, value.text))


def _table(digits: str) -> Write:
    return lambda value, rng: value.text.translate(str.maketrans("0123456789", digits))


def _between(mark: str) -> Write:
    return lambda value, rng: mark.join(value.text)


def _translate(table: Mapping[int, int | str]) -> Write:
    return lambda value, rng: value.text.translate(table)


def _encode(encode: Callable[[bytes], str], of: Callable[[Value], str] = lambda value: value.text) -> Write:
    return lambda value, rng: encode(of(value).encode())


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _percent(raw: bytes) -> str:
    return "".join(f"%{byte:02X}" for byte in raw)


def _sentence(value: Value) -> str:
    return f'{{"note": "{value.entity.lower().replace("_", " ")}: {value.text}", "ok": true}}'


def _dot_words(at: str, dot: str, solid: bool = False) -> Write:
    def write(value: Value, rng: random.Random) -> str:
        local, domain = value.groups
        written = domain.replace(".", dot)
        return (local if solid else local.replace(".", dot)) + at + written

    return write


def _cut(value: Value) -> tuple[str, str]:
    """In two, somewhere inside."""
    middle = len(value.text) // 2 + 1
    return value.text[:middle], value.text[middle:]


def _over(joint: str) -> Write:
    return lambda value, rng: joint.join(_cut(value))


def _lines(before: str) -> Write:
    return lambda value, rng: ("\n" + before).join(value.groups)


def _chat(value: Value, rng: random.Random) -> str:
    minute = rng.randint(10, 50)
    return "\n".join(
        [value.groups[0], *(f"[09:{minute + n}] noor: {group}" for n, group in enumerate(value.groups[1:]))]
    )


def _keys(value: Value, rng: random.Random) -> str:
    return "{" + ", ".join(f'"part{n}": "{group}"' for n, group in enumerate(value.groups, 1)) + "}"


def _labelled(value: Value, rng: random.Random) -> str:
    ordinals = ("first part", "then", "after that", "next", "and", "and", "and", "and")
    head = [f"{ordinals[n]} {group}" for n, group in enumerate(value.groups[:-1])]
    return ", ".join([*head, f"last part {value.groups[-1]}"])


def _emphasis(mark: str) -> Write:
    return lambda value, rng: value.text.replace(value.groups[-1], f"{mark}{value.groups[-1]}{mark}", 1)


def _html(value: Value, rng: random.Random) -> str:
    a, b = _cut(value)
    return f"<span>{a}</span><span class='x'>{b}</span>"


def _named_parts(value: Value, rng: random.Random) -> str:
    return f"user {value.groups[0]}, domain {value.groups[1]}"


def _soft_broken(value: Value, rng: random.Random) -> str:
    a, b = _cut(value)
    return f"{a}=\n{b}".replace("@", "=40")


def _query(value: Value, rng: random.Random) -> str:
    return f"https://app.nordhaven.io/cb?u={urllib.parse.quote(value.text, safe='')}&v=2".replace(".", "%2E")


_NUMBERS = ("phone", "card", "iban", "ssn", "record")
_DIGITS = ("phone", "card", "ssn", "record")
_ALL = ("email", "phone", "card", "iban", "ssn", "ip", "key", "record")
_TEXT = ("email", "iban", "key")
_PLAIN = ("email", "phone", "card", "iban", "ssn", "ip", "key")


@dataclass(frozen=True, slots=True)
class Way:
    """How ``kinds`` of values are written."""

    name: str
    kinds: tuple[str, ...]
    write: Write


def _ways() -> Iterator[tuple[str, tuple[str, ...], Write]]:
    yield "spaced out", (*_NUMBERS, "email", "key"), lambda v, rng: " ".join(v.text.replace(" ", ""))
    yield "dots between all", _NUMBERS, _each(".")
    yield "dashes between all", _NUMBERS, _each("-")
    yield "asterisks between all", _NUMBERS, _each("*")
    yield "commas between all", _DIGITS, _each(", ")
    yield "array of digits", _DIGITS, lambda v, rng: "[" + ", ".join(c for c in v.bare if c.isdigit()) + "]"
    yield "underscores", _NUMBERS, _groups("_")
    yield "slashes", _NUMBERS, _groups("/")
    yield "pipes", _NUMBERS, _groups(" | ")
    yield "bullets", _NUMBERS, _groups(" · ")
    yield "commas", _NUMBERS, _groups(", ")
    yield "brackets", _NUMBERS, _groups("", "[", "]")
    yield "parentheses", _NUMBERS, _groups(" ", "(", ")")
    yield "emoji between", _NUMBERS, _groups("\N{BLACK TELEPHONE}\ufe0f")
    yield "wide gaps", _NUMBERS, _groups("     ")
    yield "tabs", _NUMBERS, _groups("\t")
    yield "dashes of print", _NUMBERS, _groups("\u2013")
    yield "spaces of print", _NUMBERS, _groups("\u202f")
    yield "words en", (*_NUMBERS, "ip"), _spell(_EN)
    yield "words de", (*_NUMBERS, "ip"), _spell(_DE, dot="punkt")
    yield "words fr", (*_NUMBERS, "ip"), _spell(_FR, dot="point")
    yield "words es", (*_NUMBERS, "ip"), _spell(_ES, plus="más", dot="punto")
    yield "words en with dashes", _NUMBERS, _spell(_EN, "-")
    yield "words run together", _DIGITS, _spell(_EN, "")
    yield "words en upper", _DIGITS, lambda v, rng: _spell(_EN)(v, rng).upper()
    yield "pairs en", _DIGITS, _pairs(_hundred)
    yield "pairs de", _DIGITS, _pairs(_hundred_de)
    yield "pairs fr", _DIGITS, _pairs(_hundred_fr)
    yield "pairs es", _DIGITS, _pairs(_hundred_es, "más")
    yield "double and oh", _NUMBERS, _doubled
    yield "words and digits", _DIGITS, _mixed
    yield "hesitating", _DIGITS, _hesitating
    yield "phonetic alphabet", ("email", "iban"), _nato
    yield "scanned letters", ("phone", "card", "ssn"), _translate(_SCANNED)
    yield "full width", _ALL, _shift(0xFF10, 0xFF21, 0xFF41)
    yield "arabic digits", (*_DIGITS, "ip"), _shift(0x660)
    yield "devanagari digits", (*_DIGITS, "ip"), _shift(0x966)
    yield "bold letters", _ALL, _shift(0x1D7CE, 0x1D400, 0x1D41A)
    yield "typewriter letters", _ALL, _shift(0x1D7F6, 0x1D670, 0x1D68A)
    yield "superscripts", (*_DIGITS, "ip"), _table("⁰¹²³⁴⁵⁶⁷⁸⁹")
    yield "subscripts", _DIGITS, _table("₀₁₂₃₄₅₆₇₈₉")
    yield "circled", (*_DIGITS, "ip"), _table("⓪①②③④⑤⑥⑦⑧⑨")
    yield "circled letters", ("email",), _shift(0, 0x24B6, 0x24D0)
    yield "keycaps", _DIGITS, lambda v, rng: "".join(f"{c}\ufe0f\u20e3" for c in v.bare if c.isdigit())
    yield "zero width", _ALL, _between("\u200b")
    yield "joiners", _ALL, _between("\u2060")
    yield "soft hyphens", _ALL, _between("\u00ad")
    yield "struck through", _ALL, _between("\u0336")
    yield "cyrillic", _TEXT, _translate(_CYRILLIC)
    yield "greek", _TEXT, _translate(_GREEK)
    yield "reversed", _ALL, lambda v, rng: v.text[::-1]
    yield "right to left", _ALL, lambda v, rng: f"\u202e{v.text[::-1]}\u202c"
    yield "base64", _ALL, _encode(_b64)
    yield "base64 twice", _PLAIN, _encode(lambda raw: _b64(_b64(raw).encode()))
    yield "base64 of JSON", _ALL, _encode(_b64, _sentence)
    yield (
        "base64 for URLs of JSON",
        _ALL,
        _encode(lambda raw: _b64(raw).translate(str.maketrans("+/", "-_", "=")), _sentence),
    )
    yield "base32", _PLAIN, _encode(lambda raw: base64.b32encode(raw).decode())
    yield "base85", _PLAIN, _encode(lambda raw: base64.b85encode(raw).decode())
    yield "hex", _PLAIN, _encode(bytes.hex)
    yield "hex of JSON", _ALL, _encode(bytes.hex, _sentence)
    yield "hex in pairs", _PLAIN, _encode(lambda raw: raw.hex(" "))
    yield "hex escapes", _PLAIN, _encode(lambda raw: "".join(f"\\x{b:02x}" for b in raw))
    yield "octal escapes", _PLAIN, _encode(lambda raw: "".join(f"\\{b:03o}" for b in raw))
    yield "binary", _PLAIN, _encode(lambda raw: " ".join(f"{b:08b}" for b in raw))
    yield "codes of characters", _PLAIN, _encode(lambda raw: f"String.fromCharCode({','.join(map(str, raw))})")
    yield "percent all", _PLAIN, _encode(_percent)
    yield "percent twice", _PLAIN, _encode(lambda raw: _percent(raw).replace("%", "%25"))
    yield "in a query", _PLAIN, _query
    yield "entities", _PLAIN, _encode(lambda raw: "".join(f"&#{b};" for b in raw))
    yield "entities in hex", _PLAIN, _encode(lambda raw: "".join(f"&#x{b:x};" for b in raw))
    yield "entities twice", _PLAIN, _encode(lambda raw: "".join(f"&amp;#{b};" for b in raw))
    yield "JSON escapes", _PLAIN, _encode(lambda raw: "".join(f"\\u{b:04x}" for b in raw))
    yield "JSON escapes twice", _PLAIN, _encode(lambda raw: "".join(f"\\\\u{b:04x}" for b in raw))
    yield "quoted printable", _PLAIN, _encode(lambda raw: "".join(f"={b:02X}" for b in raw))
    yield "percent in base64", _PLAIN, _encode(lambda raw: _b64(_percent(raw).encode()))
    yield "rot13", ("email", "key", "iban"), lambda v, rng: codecs.encode(v.text, "rot13")
    yield "at dot", ("email",), _dot_words(" at ", " dot ")
    yield "AT DOT", ("email",), _dot_words(" AT ", " DOT ")
    yield "at dot, name kept", ("email",), _dot_words(" at ", " dot ", solid=True)
    yield "[at] [dot]", ("email",), _dot_words("[at]", "[dot]")
    yield "(at) (dot)", ("email",), _dot_words(" (at) ", " (dot) ")
    yield "{at} <dot>", ("email",), _dot_words("{at}", "{dot}")
    yield "-at- -dot-", ("email",), _dot_words("-at-", "-dot-")
    yield "_at_ _dot_", ("email",), _dot_words("_at_", "_dot_")
    yield "(a) (.)", ("email",), _dot_words("(a)", "(.)")
    yield "(@) [.]", ("email",), _dot_words("[@]", "[.]")
    yield "spaces about", ("email",), _dot_words(" @ ", " . ")
    yield "comma for dot", ("email",), _dot_words("@", ",", solid=True)
    yield "at dot de", ("email",), _dot_words(" ät ", " punkt ")
    yield "klammeraffe", ("email",), _dot_words(" klammeraffe ", " punkt ")
    yield "arobase", ("email",), _dot_words(" arobase ", " point ")
    yield "arroba", ("email",), _dot_words(" arroba ", " punto ")
    yield "defanged", ("ip",), _groups("[.]")
    yield "(dot) in address", ("ip",), _groups("(dot)")
    yield "dot in address", ("ip",), _groups(" dot ")
    yield "spaced address", ("ip",), _groups(" . ")
    yield "address as number", ("ip",), lambda v, rng: "0x" + "".join(f"{int(g):02x}" for g in v.groups)
    yield "user and domain", ("email",), _named_parts
    yield "emphasis", _PLAIN, _emphasis("**")
    yield "emphasis inside", _PLAIN, lambda v, rng: "**".join((*_cut(v), ""))
    yield "code marks", _NUMBERS, _groups(" ", "`", "`")
    yield "Markdown escapes", ("email", "phone", "ssn", "ip", "key"), _translate({ord(c): "\\" + c for c in "_.-"})
    yield "spans", _PLAIN, _html
    yield "comment inside", _PLAIN, _over("<!-- x -->")
    yield "wbr", _PLAIN, _over("<wbr>")
    yield "br between", _NUMBERS, _groups("<br/>")
    yield "bold tags", _NUMBERS, _groups(" ", "<b>", "</b>")
    yield "nbsp entities", _NUMBERS, _groups("&nbsp;")
    yield "cells of HTML", _NUMBERS, _groups("", "<td>", "</td>")
    yield "cells of Markdown", _NUMBERS, lambda v, rng: "| " + " | ".join(v.groups) + " |"
    yield "lines", _NUMBERS, _lines("")
    yield "quoted lines", _NUMBERS, _lines("> ")
    yield "broken line", _PLAIN, _over("\n")
    yield "broken quoted line", _PLAIN, _over("\n> ")
    yield "broken with backslash", _PLAIN, _over("\\\n")
    yield "soft broken line", _PLAIN, _soft_broken
    yield "chat lines", _NUMBERS, _chat
    yield "JSON keys", _NUMBERS, _keys
    yield "labelled pieces", _NUMBERS, _labelled
    yield "added strings", _PLAIN, lambda v, rng: '"{}" + "{}"'.format(*_cut(v))
    yield "adjacent strings", _PLAIN, lambda v, rng: "'{}' '{}'".format(*_cut(v))
    yield "list of strings", _NUMBERS, lambda v, rng: "[" + ", ".join(f'"{g}"' for g in v.groups) + "]"


WAYS: tuple[Way, ...] = tuple(Way(*way) for way in _ways())
