"""Invented values in the form of real ones, for programs that check what they are given.

The same value has the same stand-in for ever: all choices come from a keyed hash of it, or of its parts, so that the
address jonas.weber@… goes with the person Jonas Weber. A card keeps its network and passes its check digit, an IBAN
keeps its country and passes the checks of that, a phone number keeps country, area and kind, a person culture and
gender, a national number its check where one is known. Addresses (mail, IP) and North American phone numbers belong to
nobody (RFC 2606, RFC 2544, RFC 3849, 555-01xx).
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from stdnum import iban

from outwarden.pii.bank import is_card, passes_luhn, passes_mod_97
from outwarden.pii.national import NUMBERS
from outwarden.pii.numbering import is_assigned_with_trunk, kind_of, split_code
from outwarden.pii.people import FIRST, LAST, invented_names, invented_person, is_name, last_name, plain
from outwarden.pii.reserved import CARDS

_DIGITS, _UPPER, _LOWER = "0123456789", "ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghjkmnpqrstuvwxyz"
_CHECK_TRIES = 1000  # one in 97 random numbers passes the strictest check
_PHONE_TRIES = 40  # for each number of digits kept; a try takes 0.1 ms
_KEPT_OF_PHONE = 3  # national digits after which only the subscriber's own follow, as far as a form tells
# 555-0100 to 555-0199 belong to nobody (ATIS-0300115): a hundred for each area. Whose are all taken gets another one.
_FICTION_ATTEMPTS = 3
_STREETS = [
    "Alder",
    "Ash",
    "Beech",
    "Birch",
    "Cedar",
    "Elder",
    "Hazel",
    "Juniper",
    "Larch",
    "Linden",
    "Maple",
    "Rowan",
    "Spruce",
    "Willow",
]
_PLACES = ["ford", "ham", "bridge", "field", "haven", "brook", "stead", "mouth", "dale", "wick", "hurst", "bury"]
_BUSINESSES = ["Systems", "Logistics", "Partners", "Foods", "Labs", "Trading", "Works", "Health", "Energy", "Media"]
_DOMAINS = [f"{street.lower()}{place}" for street in _STREETS for place in _PLACES]
_NAMED = {number.entity: number for number in NUMBERS if number.stdnum}


class _Choice:
    """Draws from a keyed hash: the same draws for the same value; by `named`, the same for the same part of values."""

    def __init__(self, key: bytes, parts_key: bytes = b"", attempt: int = 0) -> None:
        self._bytes = self._stream(key)
        self._parts_key = parts_key
        self.attempt = attempt

    @staticmethod
    def _stream(key: bytes) -> Iterator[int]:
        block = 0
        while True:
            yield from hashlib.sha256(key + block.to_bytes(4, "big")).digest()
            block += 1

    def below(self, limit: int) -> int:
        return (next(self._bytes) << 8 | next(self._bytes)) % limit

    def of(self, options: Sequence[str]) -> str:
        return options[self.below(len(options))]

    def own(self, word: str, options: Sequence[str]) -> str:
        """Draw for the value alone."""
        return self.of(options)

    def named(self, word: str, options: Sequence[str]) -> str:
        """Draw for ``word``, which is a part of the value."""
        key = hmac.digest(self._parts_key, word.encode("utf-8", "surrogatepass"), "sha256")
        return options[int.from_bytes(key[:4], "big") % len(options)]


def surrogate(entity: str, value: str, key: bytes, parts_key: bytes = b"parts", attempt: int = 0) -> str:
    """Invent a stand-in for ``value``; ``key`` is a keyed hash of entity, value and ``attempt``.

    ``parts_key`` is the same for all values of an attempt: what stands for a person's name goes with the address.
    """
    choice = _Choice(key, parts_key, attempt)
    if entity in _NAMED:
        return _checked(value, choice, _NAMED[entity].is_valid)
    return _MAKERS.get(entity, _alike)(value, choice)


def _alike(value: str, choice: _Choice) -> str:
    """Digits for digits, letters for letters of the same case; signs and spaces stay."""
    return "".join(_like(character, choice) for character in value)


def _like(character: str, choice: _Choice) -> str:
    if character.isdecimal():
        return choice.of(_DIGITS)
    if character.isupper():
        return choice.of(_UPPER)
    return choice.of(_LOWER) if character.isalpha() else character


def _checked(value: str, choice: _Choice, is_valid: Callable[[str], bool]) -> str:
    """As `_alike`, with a right check where the value has one."""
    other = _alike(value, choice)
    if not is_valid(value):
        return other
    for _ in range(_CHECK_TRIES):
        if is_valid(other):
            break
        other = _alike(value, choice)
    return other


def _with_digits(value: str, digits: str) -> str:
    """``value`` with its digits replaced, in order."""
    rest = iter(digits)
    return "".join(next(rest) if character.isdecimal() else character for character in value)


# What of a number tells its network (`bank`): two digits, or four where the first two are shared.
_TWO_DIGIT_NETWORKS = re.compile(r"4|5[1-9]|50|3[46789]|62|81")


def _card(value: str, choice: _Choice) -> str:
    """Of the same network and form, with a right check digit; no published test number."""
    digits = "".join(filter(str.isdecimal, value))
    kept = 1 if digits[0] == "4" else 2 if _TWO_DIGIT_NETWORKS.match(digits) else 4
    is_like_real = is_card(digits) or digits in CARDS
    for _ in range(_CHECK_TRIES):
        body = digits[:kept] + "".join(choice.of(_DIGITS) for _ in digits[kept + 1 :])
        other = body + next(digit for digit in _DIGITS if passes_luhn(body + digit))
        if is_card(other) or not is_like_real:
            break
    return _with_digits(value, other)


def _iban(value: str, choice: _Choice) -> str:
    """Of the same country and form, with right check digits, those inside the account number included."""
    compact = "".join(filter(str.isalnum, value)).upper()
    is_valid = iban.is_valid(compact)
    for _ in range(_CHECK_TRIES):
        body = "".join(_like(character, choice) for character in compact[4:])
        check = next((f"{n:02d}" for n in range(2, 99) if passes_mod_97(f"{compact[:2]}{n:02d}{body}")), compact[2:4])
        if not is_valid or iban.is_valid(compact[:2] + check + body):
            break
    rest = iter(compact[:2] + check + body)
    return "".join(next(rest) if character.isalnum() else character for character in value)


_EXTENSION = re.compile(r" ?(?:x|ext)", re.IGNORECASE)
_FICTION = re.compile(r"(1?[2-79]\d\d)[2-9]\d{6}")  # toll-free areas (8xx) have one such number only


def _phone(value: str, choice: _Choice) -> str:
    """Of the same country and area, as far as its form tells them; assigned, if it is."""
    number = _EXTENSION.split(value, maxsplit=1)[0]
    if len(number) < len(value):
        return _phone(number, choice) + _alike_digits(value[len(number) :], choice)
    digits = "".join(filter(str.isdecimal, number))
    north_american = _FICTION.fullmatch(digits) if not number.startswith(("+", "0")) or digits[0] == "1" else None
    if north_american and choice.attempt < _FICTION_ATTEMPTS:
        other = f"{north_american[1]}55501{choice.below(100):02d}"
        if kind_of(other if len(other) == 11 else f"1{other}") is not None or kind_of(digits) is None:
            return _with_digits(value, other)
    is_right = _phone_check(number, digits)
    least = _kept_of_phone(number, digits)
    for kept in range(least, max(least, len(digits) - 4) + 1):  # in small plans more digits tell the kind
        for _ in range(_PHONE_TRIES):
            other = digits[:kept] + "".join(choice.of(_DIGITS) for _ in digits[kept:])
            if is_right(other):
                return _with_digits(value, other)
    return _with_digits(value, other)


def _alike_digits(value: str, choice: _Choice) -> str:
    return "".join(choice.of(_DIGITS) if character.isdecimal() else character for character in value)


def _kept_of_phone(number: str, digits: str) -> int:
    """How many digits tell country, area and kind; at least four are left to the subscriber."""
    code = next((mark for mark in ("00", "011") if not number.startswith("+") and digits.startswith(mark)), "")
    country = split_code(digits[len(code) :]) if code or number.startswith("+") else None
    before = len(digits) - len(country[1]) if country else 0
    return max(0, min(max(before + _KEPT_OF_PHONE, len(digits) - 7), len(digits) - 4))


def _phone_check(number: str, digits: str) -> Callable[[str], bool]:
    """Whether digits are a number of the same kind as ``number``; where that is none, all are right."""
    code = 0 if number.startswith("+") else 2 if digits.startswith("00") else 3 if digits.startswith("011") else None
    if code is not None and (kind := kind_of(digits[code:])) is not None:
        return lambda other: kind_of(other[code:]) == kind
    if digits.startswith("0") and is_assigned_with_trunk(digits):
        return is_assigned_with_trunk
    return lambda other: other != digits


def _ssn(value: str, choice: _Choice) -> str:
    """In the ranges that are given out."""
    area = f"{choice.below(899) + 1:03d}"
    area = "667" if area == "666" else area
    return _with_digits(value, f"{area}{choice.below(99) + 1:02d}{choice.below(9999) + 1:04d}")


_LOCAL_PARTS = re.compile(r"[^\W\d_]+|\d+")


def _mail(value: str, choice: _Choice) -> str:
    """As its person is called, at a domain that RFC 2606 keeps for nobody; one domain stays one."""
    local, _, domain = value.lower().partition("@")
    words = [word for word in _LOCAL_PARTS.findall(local) if not word.isdecimal()]
    named = len(words) > 1 or (len(words) == 1 and is_name(words[0], (*FIRST, *LAST)))
    if named:
        names = iter(invented_names(words, last_name(words), choice.named))
        other = _LOCAL_PARTS.sub(lambda m: _alike(m[0], choice) if m[0].isdecimal() else plain(next(names)), local)
    else:
        other = plain(invented_person("Anna Weber", choice.own).replace(" ", ".")) + str(choice.below(1000))
    return f"{other}@{choice.named(domain, _DOMAINS)}.example.{choice.named(domain + ' end', ('com', 'net', 'org'))}"


def _ip(value: str, choice: _Choice) -> str:
    """In the ranges for benchmarks (RFC 2544) and documentation (RFC 3849)."""
    if ":" in value:
        return "2001:db8:" + ":".join(f"{choice.below(65535) + 1:x}" for _ in range(6))
    return f"198.{18 + choice.below(2)}.{choice.below(256)}.{choice.below(254) + 1}"


def _mac(value: str, choice: _Choice) -> str:
    """Locally administered, so of no maker."""
    return "02" + _hex_like(value, choice)[2:]


def _hex_like(value: str, choice: _Choice) -> str:
    digits = "0123456789ABCDEF" if any(c.isupper() for c in value) else "0123456789abcdef"
    return "".join(choice.of(digits) if character.isalnum() else character for character in value)


def _person(value: str, choice: _Choice) -> str:
    """Of the same culture and gender, as far as its words tell, as many names in the same case."""
    return invented_person(value, choice.named)


def _place(value: str, choice: _Choice) -> str:
    return _in_case(value, f"{choice.of(_STREETS)}{choice.of(_PLACES)}")


def _organization(value: str, choice: _Choice) -> str:
    return _in_case(value, f"{choice.of(_STREETS)} {choice.of(_BUSINESSES)}")


def _in_case(value: str, other: str) -> str:
    return other.upper() if value.isupper() else other.lower() if value.islower() else other


_DATE_PART = re.compile(r"\d+")


def _date(value: str, choice: _Choice) -> str:
    """Another day and year in the same form; a month in words stays."""

    def part(match: re.Match[str]) -> str:
        said = match[0]
        if len(said) == 8:
            return f"{1940 + choice.below(65)}{choice.below(12) + 1:02d}{choice.below(28) + 1:02d}"
        if len(said) == 4:
            return str(1940 + choice.below(65))
        return f"{choice.below(12) + 1:0{len(said)}d}"  # fits a day and a month

    return _DATE_PART.sub(part, value)


def _street(value: str, choice: _Choice) -> str:
    """Another number and name; nothing of the place stays."""
    return f"{choice.below(899) + 1} {choice.of(_STREETS)} Street"


_MAKERS: Mapping[str, Callable[[str, _Choice], str]] = {
    "CREDIT_CARD": _card,
    "IBAN_CODE": _iban,
    "PHONE_NUMBER": _phone,
    "US_SSN": _ssn,
    "EMAIL_ADDRESS": _mail,
    "IP_ADDRESS": _ip,
    "MAC_ADDRESS": _mac,
    "PERSON": _person,
    "LOCATION": _place,
    "ORGANIZATION": _organization,
    "DATE_OF_BIRTH": _date,
    "STREET_ADDRESS": _street,
    "CRYPTO": lambda value, choice: (
        "0x" + _hex_like(value[2:], choice) if value.startswith("0x") else _alike(value, choice)
    ),
}
