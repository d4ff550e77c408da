"""Values behind the word that names them, in whatever writing: read back in each known way, judged by what is named.

`postcode Lima Sierra two one …`, `zip: zwei sechs drei …`, `mrn_b64=NDE2…`, `phone 27821449932.0`, `PAN6011…`, `MAC
003de0-4609cc`, `📲 617🔸333🔸5086`. The readings know nothing of the kinds, and the kinds nothing of the readings: a
reading gives what may be meant, and the kind that the label names takes it as a whole or not at all.
"""

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import Any

from outwarden.pii.atoms import ROMAN, ROMANS
from outwarden.pii.bank import IBAN_LENGTHS, IBAN_WORDS, is_card, passes_mod_97
from outwarden.pii.beside import without_common
from outwarden.pii.dictated import LETTERS
from outwarden.pii.folding import Folded, fold, rewrite
from outwarden.pii.national import NUMBERS, Number, context_of
from outwarden.pii.numbering import is_assigned, is_assigned_with_trunk
from outwarden.pii.page import encode
from outwarden.pii.person_numbers import SSN_WORDS, is_valid_area
from outwarden.pii.reading import VIEW
from outwarden.pii.recognizer import Context, Recognizer, Verdict, word_after
from outwarden.pii.regexp import Regexp
from outwarden.pii.reserved import is_reserved_ipv4, is_reserved_mac, is_reserved_phone
from outwarden.pii.saying import Said, listen
from outwarden.pii.spelled import is_count
from outwarden.pii.tongues import DIGIT_WORDS, VALUES
from outwarden.pii.wallets import is_wallet

_SCORE = 0.85
_REACH = 112  # code points behind a label that are read
_FIRST_WITHIN = 40  # of them, in which the value begins
_READ, _LABELS_MAX = 160, 5  # the same word so often again within so many code points names no value
_STARTS_MAX = 8  # tokens with which it may begin


# Digits of Chinese, Japanese and Korean, as they are written and said one by one.
_HAN = str.maketrans("〇零一二三四五六七八九영공일이삼사오육칠팔구", "00123456789" + "00123456789")


# --- what may be meant


@dataclass(frozen=True, slots=True)
class Meant:
    """What a stretch says in one reading; ``evident``: the writing tells that it is one value, and no list."""

    said: str
    start: int
    end: int
    evident: bool = True


Reading = Callable[[Folded], Iterator[Meant]]
"""What may be meant by what stands behind a label."""

_SOUNDS = re.compile(rf"(?<![^\W_])(?:{'|'.join(sorted(LETTERS, key=len, reverse=True))})(?![^\W_])", re.IGNORECASE)
_SMALL = re.compile(r"(?<![\w'])[b-np-z](?![\w'])|(?<![\w'])a(?= [A-Za-z] )")
_TOKEN = re.compile(r"[A-Za-z0-9]+")
_SAID_MAX = 44
_PREFIX_MAX, _SIGNS_OF_NUMBERS = 3, frozenset(".-/")  # pm.18.31.00.b


def _spoken(read: Folded) -> Iterator[Meant]:
    """Digits in words, letters by themselves or in a phonetic alphabet."""
    sounded = rewrite(read, _SOUNDS, lambda word: LETTERS[word[0].lower()].upper())
    told = rewrite(sounded, _SMALL, lambda letter: letter[0].upper())
    for at in _starts(told.text):
        said = listen(told, at, _SAID_MAX, letters=_SAID_MAX)
        for stop in [len(said.text), *reversed(said.groups[1:])][:12] if said.text else []:
            low, high = said.places[0][0], said.places[stop - 1][1]
            pieces = _TOKEN.findall(read.text, *_inside(read, low, high))
            if len(pieces) > 2 and (any(map(_is_word, pieces)) or max(map(len, pieces)) == 1):
                yield Meant(said.text[:stop], low, high)
                if said.words >= _OCTETS and len(said.groups) == _OCTETS and stop == len(said.text):
                    yield Meant(".".join(_groups(said)), low, high)


_OCTETS = 4


def _groups(said: Said) -> Iterator[str]:
    ends = [*said.groups[1:], len(said.text)]
    return (said.text[first:last] for first, last in zip(said.groups, ends, strict=True))


def _is_word(piece: str) -> bool:
    return len(piece) > 1 and piece.isalpha() and not piece.isupper()


def _starts(text: str) -> Iterator[int]:
    """Where a value may begin: with a digit, a letter, or a word for one."""
    tokens = (token for token in _TOKEN.finditer(text, 0, _FIRST_WITHIN) if _may_begin(text, token))
    return (token.start() for token in islice(tokens, _STARTS_MAX))


def _may_begin(text: str, token: re.Match[str]) -> bool:
    said = token[0]
    if said.isupper() or said.lower() in VALUES or any(map(str.isdecimal, said)):
        return True
    if said[0].isupper() and len(said) <= _PREFIX_MAX and not _ALIKE.keys().isdisjoint(said):
        return True
    return len(said) <= _PREFIX_MAX and text[token.end() : token.end() + 1] in _SIGNS_OF_NUMBERS


def _inside(read: Folded, low: int, high: int) -> tuple[int, int]:
    """The indexes of ``read`` for what stands in the original from ``low`` up to ``high``."""
    first = next((at for at, place in enumerate(read.starts) if place >= low), len(read.starts))
    last = next((at for at, place in enumerate(read.starts) if place >= high), len(read.starts))
    return first, last


_PART = re.compile(
    r"[0-9]+(?![A-Za-z])|[A-Z]{1,6}(?![A-Za-z0-9])|[A-Za-z](?![A-Za-z0-9])|(?=[A-Za-z]*[0-9])[A-Za-z0-9]+"
)
_GAP = re.compile(r"[^A-Za-z0-9\n]{1,6}|[^A-Za-z0-9]{0,6}\n[^A-Za-z0-9]{0,6}")
# Such a sign joins the parts of a number; others also those of a list.
_JOINING = re.compile(r"[*~|_#^·•→➡>=+\"'`]|[^\x00-\x7f]")
_PARTS_MAX = 40


def _apart(read: Folded) -> Iterator[Meant]:
    """Characters and groups with any signs between."""
    for at in _starts(read.text.replace("_", " ")):
        parts: list[re.Match[str]] = []
        gaps: list[str] = []
        place = at
        while len(parts) < _PARTS_MAX and (part := _PART.match(read.text, place)):
            parts.append(part)
            gap = _GAP.match(read.text, part.end())
            if gap is None:
                break
            gaps.append(gap[0])
            place = gap.end()
        for count in range(len(parts), 1, -1):
            own = gaps[: count - 1]
            sizes = {len(part[0]) for part in parts[:count]}
            joining = len(set(own)) == 1 and (sizes == {1} or (count > 2 and _JOINING.search(own[0]) is not None))
            low, high = read.span(parts[0].start(), parts[count - 1].end())
            yield Meant("".join(part[0] for part in parts[:count]), low, high, evident=joining and "," not in own[0])
            if count > 12:
                continue


_PACKED = re.compile(r"(?<![A-Za-z0-9+/])(?=[A-Z0-9+/]*[a-z]|[A-Za-z0-9+/]*=)[A-Za-z0-9+/]{6,}={0,2}(?![A-Za-z0-9+/])")
_CODED = re.compile(r"(?i:b64|base.?64|enc)")
_SIZES = (6, 4)  # bytes: of a hardware address, of IPv4


def _packed(read: Folded) -> Iterator[Meant]:
    """A token in base 64: of text, or of the bytes of an address."""
    for token in islice(_PACKED.finditer(read.text), 3):
        try:
            data = base64.b64decode(token[0] + "=" * (-len(token[0]) % 4), validate=True)
        except ValueError:
            continue
        low, high = read.span(token.start(), token.end())
        if data.isascii() and (said := data.decode().strip()).isprintable() and len(said) > 4:
            yield Meant(said, low, high)
        elif (len(data) == 6 or token[0].endswith("==")) and len(data) in _SIZES and _CODED.search(read.text):
            yield Meant(data.hex() if len(data) == 6 else ".".join(map(str, data)), low, high)


_FORMATTED = re.compile(
    r"(?<![\w.,])(?:(?P<thousands>[0-9]{1,3}(?:(?P<sign>[,.' ])[0-9]{3})(?:(?P=sign)[0-9]{3}){1,4})(?:[.,]0+)?"
    r"|(?P<whole>[0-9]{7,17})[.,]0{1,2}|(?P<first>[0-9])[.,](?P<rest>[0-9]{6,16})[eE]\+?(?P<power>[0-9]{1,2}))(?![\w.,]*[0-9])"
)


def _formatted(read: Folded) -> Iterator[Meant]:
    """A number as a spreadsheet or a program shows an amount: with a fraction, a power of ten, thousands apart."""
    for number in islice(_FORMATTED.finditer(read.text), 2):
        if number["power"]:
            said = (number["first"] + number["rest"]).ljust(int(number["power"]) + 1, "0")
        else:
            said = "".join(filter(str.isdecimal, number["thousands"] or number["whole"]))
        yield Meant(said, *read.span(number.start(), number.end()))


# The bytes of a hardware address: in decimal with points, in halves, with any one sign.
_SIX_BYTES = re.compile(
    r"(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){5}(?![\w.])"
    r"|(?<![A-Za-z0-9])[0-9A-Fa-f]{6}[\-:. _][0-9A-Fa-f]{6}(?![A-Za-z0-9])"
    r"|(?<![A-Za-z0-9])[0-9A-Fa-f]{2}(?:(?P<sign>[ _.])[0-9A-Fa-f]{2})(?:(?P=sign)[0-9A-Fa-f]{2}){4}(?![A-Za-z0-9])"
)


def _six_bytes(read: Folded) -> Iterator[Meant]:
    for found in islice(_SIX_BYTES.finditer(read.text), 3):
        parts = found[0].split(".")
        decimal = len(parts) == 6 and all(part.isdecimal() for part in parts)
        if decimal and max(map(int, parts)) > 255:
            continue
        said = (
            "".join(f"{int(part):02x}" for part in parts)
            if decimal
            else "".join(_TOKEN.findall(found[0].replace("_", " ")))
        )
        yield Meant(said, *read.span(found.start(), found.end()))


_ONE_BYTE = r"(?:0[xX][0-9A-Fa-f]{1,2}|[0-9]{1,3})"
# Four numbers in brackets, with their names or of a program; four bytes in hexadecimal.
_FOUR_BYTES = re.compile(
    rf"[\[({{<][\s\"']{{0,2}}(?P<list>{_ONE_BYTE}(?:[\"']?[,;][\s\"']{{0,3}}{_ONE_BYTE}){{3}})[\s\"']{{0,2}}[\])}}>]"
    rf"|(?P<named>(?:[\"']?\w{{1,8}}[\"']?\s?[:=]\s?[\"']?{_ONE_BYTE}[\"']?[,;}}\s]{{1,3}}){{4}})"
    r"|(?P<bits>(?<![01])[01]{8}(?:[. ][01]{8}){3}(?![01]))"
    r"|(?P<hex>(?<![\w.])0[xX][0-9A-Fa-f]{1,2}(?:[.,:; ]{1,2}0[xX][0-9A-Fa-f]{1,2}){3}(?![\w.])"
    r"|(?<![A-Za-z0-9:.])(?<![0-9A-Fa-f]{2} )[0-9A-Fa-f]{2}(?: [0-9A-Fa-f]{2}){3}(?! ?[A-Fa-f0-9]{2}\b)(?=\W))"
)
_BYTE_IN = re.compile(rf"(?<!\w){_ONE_BYTE}(?!\w)(?!\s?[:=])|(?<!\w)[0-9A-Fa-f]{{2}}(?!\w)")


def _four_bytes(read: Folded) -> Iterator[Meant]:
    for found in islice(_FOUR_BYTES.finditer(read.text), 3):
        kind = str(found.lastgroup)
        parts = _BYTE_IN.findall(found[kind]) if kind != "bits" else re.findall("[01]+", found[kind])
        octets = [
            int(part, 2 if kind == "bits" else 16 if kind == "hex" or part[:2] in ("0x", "0X") else 10)
            for part in parts
        ]
        yield Meant(".".join(map(str, octets)), *read.span(*found.span(kind)))


_RUN = re.compile(r"[A-Za-z0-9]+(?:[ ./\-][A-Za-z0-9]+){0,5}")
_LEADING = re.compile(r"00[1-9][0-9]{8,13}(?=[A-Za-z])")  # a word stands right behind
# So near its label letters with digits are what it names; digits alone others look at.
_TIE = re.compile(
    r"(?: ?\([^()\n]{1,16}\))?[^A-Za-z0-9]{0,4}(?:(?:is|was|ist|est|es|number|no|nr|code)[^A-Za-z0-9]{1,3})?"
)
_BACKWARDS = re.compile(r"(?i:revers|backward|rückwärts|envers|al rev[eé]s|right to left|au contraire|al contrario)")
_ALIKE = {"O": "0", "o": "0", "0": "O", "l": "1", "I": "1", "1": "I", "S": "5", "5": "S", "B": "8", "8": "B", "Z": "2"}
_ALIKE_MAX, _SCANNED_MAX = 5, 18


def _plain(read: Folded) -> Iterator[Meant]:
    """A run as it stands (in other characters than it seems, or right behind its label), or from its end."""
    backwards = _BACKWARDS.search(read.text) is not None
    for at in _starts(read.text):
        run = _RUN.match(read.text, at)
        assert run is not None
        pieces = list(_TOKEN.finditer(read.text, at, run.end()))
        for count in range(len(pieces), 0, -1):
            low, high = at, pieces[count - 1].end()
            said = read.text[low:high]
            yield Meant(said, *read.span(low, high), evident=False)
            leading = _LEADING.match(said) if count == 1 else None
            if leading is not None:
                yield Meant(leading[0], *read.span(low, low + leading.end()))
            if backwards:
                yield Meant(said[::-1], *read.span(low, high))


def _scanned(read: Folded) -> Iterator[Meant]:
    """A run in which a scanner took digits for letters, or letters for digits."""
    for at in islice(_starts(read.text), 3):
        run = _RUN.match(read.text, at)
        assert run is not None
        pieces = list(_TOKEN.finditer(read.text, at, run.end()))
        for count in range(min(len(pieces), 6), 0, -1):
            said = read.text[at : pieces[count - 1].end()]
            choices = [one + _ALIKE.get(one, "") for one in said]
            if len(said) <= _SCANNED_MAX and 0 < sum(len(one) > 1 for one in choices) <= _ALIKE_MAX:
                place = read.span(at, at + len(said))
                yield from (Meant("".join(one), *place, evident=False) for one in product(*choices))


def _romans(read: Folded) -> Iterator[Meant]:
    """One Roman numeral for each digit."""
    for row in islice(ROMANS.finditer(read.text), 1):
        yield Meant("".join(ROMAN[one] for one in re.findall("[INVX]+", row[0])), *read.span(*row.span()))


# --- what is named

_SIGNS = re.compile(r"[ .\-/]")


def _compact(said: str) -> str:
    return _SIGNS.sub("", said).upper()


_POST_CODE = re.compile(
    r"[0-9]{5}(?:[0-9]{4})?|[0-9]{6}|[0-9]{4}[A-Z]{2}|[0-9]{7,8}|[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}"
    r"|[A-Z][0-9][A-Z][0-9][A-Z][0-9]|[A-Z][0-9]{2}[A-Z0-9]{4}"
)
_PASSPORT, _LICENSE = re.compile(r"[A-Z]{0,2}[0-9]{7,9}"), re.compile(r"(?=.*[0-9]{3})[A-Z0-9]{7,20}")
_ACCOUNT, _RECORD = re.compile(r"[0-9]{8,17}"), re.compile(r"[A-Z]{0,3}[0-9]{5,12}")
_BYTES_HEX = re.compile(r"[0-9A-F]{12}")
_NANP = re.compile(r"1?[2-9][0-9]{2}[2-9][0-9]{6}")


def _shape(entity: str, whole: re.Pattern[str]) -> "Judge":
    def judge(said: str, label: str) -> str | None:
        value = _compact(said)
        return entity if whole.fullmatch(value) and not is_count(value) else None

    return judge


def _post_code(said: str, label: str) -> str | None:
    value = _compact(said)
    right = "." not in said and _POST_CODE.fullmatch(value) is not None and not is_count(value)
    return "POSTAL_CODE" if right else None


def _phone(said: str, label: str) -> str | None:
    digits = _compact(said)
    if not digits.isdecimal() or not 9 <= len(digits) <= 15 or is_reserved_phone(digits) or is_count(digits):
        return None
    national = is_assigned_with_trunk(digits) or (
        _NANP.fullmatch(digits) is not None and is_assigned("1" + digits[-10:])
    )
    right = national or (len(digits) >= 10 and is_assigned(digits.removeprefix("00")))
    return "PHONE_NUMBER" if right else None


def _card(said: str, label: str) -> str | None:
    digits = _compact(said)
    return "CREDIT_CARD" if len(digits) > 12 and digits.isdecimal() and is_card(digits) else None


def _iban(said: str, label: str) -> str | None:
    value = _compact(said)
    return "IBAN_CODE" if IBAN_LENGTHS.get(value[:2]) == len(value) and passes_mod_97(value) else None


def _wallet(said: str, label: str) -> str | None:
    return "CRYPTO" if len(said) > _WALLET_MIN and is_wallet(said.lower()) else None


_WALLET_MIN = 25


def _ssn(said: str, label: str) -> str | None:
    digits = _compact(said)
    right = len(digits) == 9 and digits.isdecimal() and is_valid_area(digits) and not is_count(digits)
    return "US_SSN" if right else None


def _mac(said: str, label: str) -> str | None:
    value = _compact(said).replace(":", "")
    right = _BYTES_HEX.fullmatch(value) is not None and len(set(value)) > 3 and not is_reserved_mac(value.lower())
    return "MAC_ADDRESS" if right else None


def _ip(said: str, label: str) -> str | None:
    octets = said.split(".")
    if len(octets) != 4 or not all(octet.isdecimal() and int(octet) < 256 for octet in octets):
        return None
    return None if is_reserved_ipv4(int.from_bytes(bytes(map(int, octets)), "big")) else "IP_ADDRESS"


def _has_form(number: Number, value: str) -> bool:
    """Whether letters stand where such a number has them: with its name before it that is enough."""
    return sum(map(str.isalpha, value)) >= _FORM_LETTERS and number.whole.fullmatch(value) is not None


_FORM_LETTERS = 4
_NUMBERS = [number for number in NUMBERS if number.stdnum and number.country]


def _national(said: str, label: str) -> str | None:
    value = said.replace(" ", "").upper()
    for number in _NUMBERS:
        if number.named.search(label):
            for one in (value, _compact(value)):
                if (number.is_valid(one) or _has_form(number, one)) and not is_count(one):
                    return number.entity
    return None


Judge = Callable[[str, str], str | None]
"""Which entity a text is as a whole, given the label before it; None: none."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a label names.

    ``even``: it has no check of its own, so a list of numbers must not be taken for one. ``formatted``: it may stand as
    an amount does. ``also``: readings of its own. ``rare``: few texts have the label,
    so whatever stands behind is read.
    """

    words: Context
    judge: Judge
    entities: frozenset[str]
    even: bool = True
    formatted: bool = True
    also: Sequence[Reading] = ()
    rare: bool = False


def _kind(words: str, judge: Judge, *entities: str, wide: str = "", **more: Any) -> _Kind:
    return _Kind(Context(words, wide=wide), judge, frozenset(entities), **more)


# A label ends with a word, a sign of a name (mrn_b64), or right before the first digit.
_END = r"(?:s?\b|_|[0-9]|nr|num|#)"
_NATIONAL_NAMES = frozenset(number.entity for number in _NUMBERS)
_KINDS = (
    _kind(
        r"zip|post(?:al)?[ _\-\n]?code|pin[ _]?code|eircode|plz|postleitzahl|cod(?:e|ice)[ _]postal|c[oó]digo[ _]postal"
        rf"|cap{_END}|cep{_END}|codice postale|kod pocztowy|postnummer|postnr",
        _post_code,
        "POSTAL_CODE",
        wide=r"〒|郵便|邮编|郵遞|邮政编码|우편번호|индекс",
        also=(_scanned,),
        rare=True,
    ),
    _kind(
        r"passport|passeport|pasaporte|reisepass|passaporto|paspoort|passnummer|paszport",
        _shape("US_PASSPORT", _PASSPORT),
        "US_PASSPORT",
        wide=r"旅券|护照|護照|パスポート|여권|паспорт",
        also=(_scanned,),
        rare=True,
    ),
    _kind(
        rf"driv\w{{0,4}}'?s?.?lic|driver (?:no|num)|dln{_END}|dl[ _]?(?:no|nr|num|#)|führerschein"
        r"|permis de cond|permiso de cond|patente di guida|rijbewijs|carta de condu|licencia de cond",
        _shape("US_DRIVER_LICENSE", _LICENSE),
        "US_DRIVER_LICENSE",
        wide=r"運転免許|驾驶证|운전면허|водительск",
        also=(_scanned,),
        rare=True,
    ),
    _kind(
        rf"(?:bank|checking|savings?)[ _]?(?:account|acct)|acc(?:oun)?t[ _]?(?:no|num|nr|#|enc|b64)|account[ _]number"
        rf"|acct{_END}|konto|cuenta|compte|rekening|conto corrente",
        _shape("US_BANK_NUMBER", _ACCOUNT),
        "US_BANK_NUMBER",
        wide=r"口座番号|账号|帳號|계좌|счет|счёт",
    ),
    _kind(
        rf"mrns?{_END}|medical[ _]?rec|patient[ _]?(?:id|no|num)|fallnummer|patientennummer",
        _shape("MEDICAL_RECORD_NUMBER", _RECORD),
        "MEDICAL_RECORD_NUMBER",
        rare=True,
    ),
    _kind(
        rf"macs?{_END}|mac.?addr|hw.?addr|phys(?:ical)?[ _]?addr|ifphysaddress|bssid|lladdr|hex-string|port-security"
        r"|procurve|bluez|bluetooth|dev_",
        _mac,
        "MAC_ADDRESS",
        also=(_six_bytes,),
        rare=True,
    ),
    _kind(
        rf"ips?{_END}|ipv4|ip.?addr|addr{_END}"
        rf"|(?:src|dst){_END}|(?:host|peer|client|server|remote|router|source|dest)[ _](?:ip|addr)",
        _ip,
        "IP_ADDRESS",
    ),
    _kind(
        rf"card|c[bc]{_END}|credit|visa|master ?card|amex|pan{_END}|karte|kreditkart|tarjeta|carte"
        r"|carta di|cartão|kaart",
        _card,
        "CREDIT_CARD",
        even=False,
        wide=r"卡号|卡號|信用卡|カード|카드|карт|💳",
    ),
    _kind(IBAN_WORDS.words, _iban, "IBAN_CODE", even=False, wide=r"계좌|счет|счёт|账号"),
    _kind(r"wallet|metamask|crypto|eth(?:ereum)?\b|btc\b|bitcoin", _wallet, "CRYPTO", even=False),
    _kind(rf"{SSN_WORDS.words}|ssn[0-9]", _ssn, "US_SSN"),
    _Kind(
        context_of([replace(number, words=without_common(number.words)) for number in _NUMBERS]),
        _national,
        _NATIONAL_NAMES,
        even=False,
    ),
    _kind(
        rf"wa\.me/\+?[0-9]|phone|(?:tele)?fon|tel{_END}|mob(?:ile|il)?{_END}|cell{_END}|fax|whats ?app|sms{_END}|handy"
        r"|rufnummer|m[oó]vil|celular|fone|cellulare|telefoon|mobiel|telefono|t[eé]l[eé]phone|telem[oó]vel|portable|msisdn",
        _phone,
        "PHONE_NUMBER",
        wide=r"☎|📞|📱|📲|тел|моб|电话|電話|手机|手機|携帯|전화|휴대|هاتف|جوال|טלפון|फोन|โทร",
    ),
    _kind(
        rf"num(?:ber)?{_END}|(?:text|call|ring|dial)(?: (?:me|us|him|her|them))?(?: (?:at|on))? [0-9(+]"
        rf"|txt{_END}|dm{_END}|nummer|n[úu]mero",
        _phone,
        "PHONE_NUMBER",
        wide=r"номер|رقم",
        formatted=False,
    ),
)


class _Reader:
    """Reads what stands behind a label."""

    def __init__(self, kinds: Sequence[_Kind], wanted: frozenset[str]) -> None:
        self._kinds = kinds
        self._wanted = wanted

    def __call__(self, text: str, start: int, end: int, more: bool) -> Verdict | None:
        begin = end - (text[end - 1].isdecimal() or text[end - 1] in "(+")
        glued = begin < end and not text[begin - 1].isspace()
        region = text[begin : end + _REACH]
        readings = _readings_of(region)
        if not (readings or glued or _FIGURE.search(region, 0, _GLANCE)):
            return None
        named = [kind for kind in self._kinds if kind.words.is_at(text[start : end + 1])]
        if not (readings or glued) and not any(kind.rare for kind in named):
            return None
        if text.count(text[start:end], end, end + _READ) >= _LABELS_MAX:
            return None
        read = fold(region)
        if not read.text.isascii():
            read = Folded(read.text.translate(_HAN), read.starts, read.ends)
        for kind in named:
            all_readings = [*((_plain,) if glued else ()), *readings, *(kind.also if kind.rare else ())]
            if kind.rare:
                all_readings += [_plain, _apart]
            found = self._found(kind, dict.fromkeys(all_readings), read, _Label(text[start:begin], region, glued))
            if found is not None:
                low, high = begin + found.start, begin + found.end
                whole = glued or text.startswith("00", low) or not word_after(text, high)
                return found._replace(start=low, end=high) if whole else None
        return None

    def _found(self, kind: _Kind, readings: Iterable[Reading], read: Folded, label: "_Label") -> Verdict | None:
        for reading in readings:
            if reading is _formatted and not kind.formatted:
                continue
            for meant in reading(read):
                if kind.even and not (meant.evident or label.glued or _is_near(meant, label.region)):
                    continue
                if not meant.evident and _OTHER.search(label.region, 0, meant.start):
                    continue  # the first number is the one that is named
                entity = kind.judge(meant.said, label.said)
                if entity in self._wanted and not (label.glued and meant.start):
                    return Verdict(meant.start, meant.end, _SCORE, str(entity))
        return None


@dataclass(frozen=True, slots=True)
class _Label:
    """What names a value, what stands behind, and whether no sign stands between."""

    said: str
    region: str
    glued: bool


_FIGURE, _OTHER = re.compile("[0-9]"), re.compile("[0-9]{4}")


def _is_near(meant: Meant, region: str) -> bool:
    """Whether a value in strange characters, or of letters and digits right behind its label, is meant by that."""
    if not region[meant.start : meant.end].isascii():
        return True
    mixed = any(map(str.isalpha, meant.said)) and any(map(str.isdecimal, meant.said))
    return mixed and _TIE.fullmatch(region, 0, meant.start) is not None


# --- which readings are worth it, at a glance

_GLANCE = 80  # code points behind a label
_SPELT = frozenset(DIGIT_WORDS) | frozenset(LETTERS)
_SPELT_LEAST = 3
_LETTERS = re.compile(r"[^\W\d_]+")
_STRANGE = (
    r"[\x{2070}-\x{2089}\x{2460}-\x{24FF}\x{2776}-\x{2793}\x{2800}-\x{28FF}\x{FF10}-\x{FF19}\x{1F100}-\x{1F10A}]"
    r"|[〇零一二三四五六七八九영공일이삼사오육칠팔구]{4}|[0-9A-Za-z]\s?[^\x00-\x7f]{1,3}\s?[0-9]"
)
_SINGLES = r"\b[A-Za-z0-9](?:[^A-Za-z0-9\n]{1,4}[A-Za-z0-9]\b){4}"
_SIGNED = r"[0-9][*~_#^'\"`|=<>\\]{1,3}\s?[0-9]|[0-9]\n[0-9]"
_BYTES = (
    r"[\[({][\"']?[0-9]{1,3}[\"']?(?:, ?[\"']?[0-9]{1,3}[\"']?){3}[\])}]|0[xX][0-9A-Fa-f]{2}[.,:; ]{1,2}0[xX]"
    r"|[0-9A-Fa-f]{2} [0-9A-Fa-f]{2} [0-9A-Fa-f]{2} [0-9A-Fa-f]{2}"
    r"|[01]{8}[. ][01]{8}[. ]|:\s?[0-9]{1,3},[\"' \w]{1,12}:\s?[0-9]"
)
_AT_A_GLANCE: Sequence[tuple[Regexp, Sequence[Reading]]] = (
    (Regexp(_STRANGE), (_plain, _apart, _spoken)),
    (Regexp(_SINGLES), (_apart, _spoken)),
    (Regexp(_SIGNED), (_apart,)),
    (Regexp(_BYTES), (_four_bytes,)),
    (Regexp(r"^[^A-Za-z0-9]{0,2}00[1-9][0-9]{8}|[A-Za-z][.\-][0-9]{2}[.\-][0-9]{2}[.\-]"), (_plain,)),
    (Regexp(r"[0-9]\.0\b|[0-9][eE]\+[0-9]|[0-9][,.' ][0-9]{3}[,.' ][0-9]{3}"), (_formatted,)),
    (Regexp(r"[A-Za-z0-9+/]{6}=|[a-z][A-Z0-9][A-Za-z0-9+/]{4}|[A-Z0-9][a-z][A-Za-z0-9+/]{4}"), (_packed,)),
    (Regexp(r"\b[IVX]{1,4}(?:[ \-./,][INVX]{1,4}){5}"), (_romans,)),
    (Regexp(_BACKWARDS.pattern), (_plain,)),
)


def _readings_of(region: str) -> list[Reading]:
    """The readings in which something may be meant that nobody else reads."""
    glance = region[:_GLANCE]
    data = encode(glance)
    found = [reading for sign, readings in _AT_A_GLANCE if sign.search(data) is not None for reading in readings]
    if sum(word in _SPELT for word in _LETTERS.findall(glance.lower())) >= _SPELT_LEAST:
        found.append(_spoken)
    return list(dict.fromkeys(found))


def named_value_recognizers(wanted: frozenset[str]) -> list[Recognizer]:
    """What finds values behind their names, of the entities in ``wanted``."""
    kinds = [kind for kind in _KINDS if kind.entities & wanted]
    if not kinds:
        return []
    names = wanted.intersection(*[frozenset().union(*(kind.entities for kind in kinds))])
    label = "|".join(f"(?:{kind.words.pattern})" for kind in kinds).replace(r"\w*", "")
    return [Recognizer(VIEW, label, _Reader(kinds, wanted), whole=True, names=names)]
