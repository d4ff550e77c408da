"""What a label names, and what a text must be to be that: `named_values` brings both together."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from outwarden.pii.bank import IBAN_LENGTHS, IBAN_WORDS, is_card, passes_mod_97
from outwarden.pii.beside import without_common
from outwarden.pii.named_readings import Reading, scanned, six_bytes
from outwarden.pii.national import NUMBERS, Number, context_of
from outwarden.pii.numbering import is_assigned, is_assigned_with_trunk
from outwarden.pii.person_numbers import SSN_WORDS, is_valid_area
from outwarden.pii.recognizer import Context
from outwarden.pii.reserved import is_reserved_ipv4, is_reserved_mac, is_reserved_phone
from outwarden.pii.spelled import is_count
from outwarden.pii.wallets import is_wallet

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
class Kind:
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


def _kind(words: str, judge: Judge, *entities: str, wide: str = "", **more: Any) -> Kind:
    return Kind(Context(words, wide=wide), judge, frozenset(entities), **more)


# A label ends with a word, a sign of a name (mrn_b64), or right before the first digit.
_END = r"(?:s?\b|_|[0-9]|nr|num|#)"
_NATIONAL_NAMES = frozenset(number.entity for number in _NUMBERS)
KINDS = (
    _kind(
        r"zip|post(?:al)?[ _\-\n]?code|pin[ _]?code|eircode|plz|postleitzahl|cod(?:e|ice)[ _]postal|c[oó]digo[ _]postal"
        rf"|cap{_END}|cep{_END}|codice postale|kod pocztowy|postnummer|postnr",
        _post_code,
        "POSTAL_CODE",
        wide=r"〒|郵便|邮编|郵遞|邮政编码|우편번호|индекс",
        also=(scanned,),
        rare=True,
    ),
    _kind(
        r"passport|passeport|pasaporte|reisepass|passaporto|paspoort|passnummer|paszport",
        _shape("US_PASSPORT", _PASSPORT),
        "US_PASSPORT",
        wide=r"旅券|护照|護照|パスポート|여권|паспорт",
        also=(scanned,),
        rare=True,
    ),
    _kind(
        rf"driv\w{{0,4}}'?s?.?lic|driver (?:no|num)|dln{_END}|dl[ _]?(?:no|nr|num|#)|führerschein"
        r"|permis de cond|permiso de cond|patente di guida|rijbewijs|carta de condu|licencia de cond",
        _shape("US_DRIVER_LICENSE", _LICENSE),
        "US_DRIVER_LICENSE",
        wide=r"運転免許|驾驶证|운전면허|водительск",
        also=(scanned,),
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
        also=(six_bytes,),
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
    Kind(
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
