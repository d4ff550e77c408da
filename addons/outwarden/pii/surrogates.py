"""Invented values in the form of real ones, for programs that check what they are given.

The same value has the same stand-in for ever: all choices come from a keyed hash of it. A card keeps its network and
passes its check digit, an IBAN keeps its country, a phone number its country and area, a national number its check
where one is known. Addresses (mail, IP) lie in ranges that belong to nobody (RFC 2606, RFC 2544, RFC 3849).
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from outwarden.pii.bank import passes_luhn, passes_mod_97
from outwarden.pii.national import NUMBERS

_DIGITS, _UPPER, _LOWER = "0123456789", "ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghjkmnpqrstuvwxyz"
_CHECK_TRIES = 400  # one in 97 random numbers passes the strictest check
_KEPT_OF_PHONE = 3  # digits after which only the subscriber's own follow, as far as a form tells
_FIRST_NAMES = [
    "Alina",
    "Amara",
    "Anouk",
    "Ayla",
    "Bruna",
    "Carmen",
    "Chidi",
    "Dara",
    "Deniz",
    "Edda",
    "Elif",
    "Enzo",
    "Farid",
    "Freya",
    "Goran",
    "Hana",
    "Hugo",
    "Ines",
    "Ivo",
    "Jarek",
    "Jonas",
    "Kaia",
    "Kenji",
    "Lale",
    "Leif",
    "Lior",
    "Luca",
    "Maeve",
    "Mateo",
    "Mila",
    "Nadia",
    "Nils",
    "Noor",
    "Olek",
    "Otto",
    "Paulo",
    "Priya",
    "Quinn",
    "Rania",
    "Ravi",
    "Rosa",
    "Sanne",
    "Selma",
    "Soren",
    "Tariq",
    "Thea",
    "Tomas",
    "Uma",
    "Vera",
    "Wanda",
    "Xenia",
    "Yara",
    "Yusuf",
    "Zoran",
]
_LAST_NAMES = [
    "Abara",
    "Albrecht",
    "Amsel",
    "Banerji",
    "Bergan",
    "Brook",
    "Calder",
    "Castell",
    "Dahlin",
    "Demir",
    "Ekholm",
    "Eskola",
    "Falk",
    "Ferreira",
    "Garnier",
    "Halloran",
    "Haddad",
    "Ibarra",
    "Ilves",
    "Jansky",
    "Kestrel",
    "Kimura",
    "Kovac",
    "Lindqvist",
    "Lorca",
    "Maalouf",
    "Marsh",
    "Moreau",
    "Nakata",
    "Novotny",
    "Okafor",
    "Oster",
    "Paley",
    "Petrov",
    "Quist",
    "Rahimi",
    "Rowan",
    "Salo",
    "Serrano",
    "Takala",
    "Thorne",
    "Ueda",
    "Varga",
    "Vesely",
    "Weir",
    "Wren",
    "Yilmaz",
    "Zeller",
]
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
_NAMED = {number.entity: number for number in NUMBERS if number.stdnum}


class _Choice:
    """Draws from a keyed hash: the same draws for the same value."""

    def __init__(self, key: bytes) -> None:
        self._bytes = self._stream(key)

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


def surrogate(entity: str, value: str, key: bytes) -> str:
    """Invent a stand-in for ``value``; ``key`` is a keyed hash of entity, value and try."""
    choice = _Choice(key)
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


def _card(value: str, choice: _Choice) -> str:
    """Of the same network and form, with a right check digit."""
    digits = "".join(filter(str.isdecimal, value))
    kept = digits[:2]
    body = kept + "".join(choice.of(_DIGITS) for _ in digits[3:])
    check = next(digit for digit in _DIGITS if passes_luhn(body + digit))
    return _with_digits(value, body + check)


def _iban(value: str, choice: _Choice) -> str:
    """Of the same country and form, with right check digits."""
    compact = "".join(filter(str.isalnum, value)).upper()
    body = "".join(_like(character, choice) for character in compact[4:])
    check = next((f"{n:02d}" for n in range(2, 99) if passes_mod_97(f"{compact[:2]}{n:02d}{body}")), compact[2:4])
    rest = iter(compact[:2] + check + body)
    return "".join(next(rest) if character.isalnum() else character for character in value)


def _phone(value: str, choice: _Choice) -> str:
    """Of the same country and area, as far as its form tells them."""
    digits = "".join(filter(str.isdecimal, value))
    kept = max(len(digits) - 7, min(_KEPT_OF_PHONE, len(digits) - 4))
    first = choice.of("23456789") if len(digits) > kept else ""
    return _with_digits(value, digits[:kept] + first + "".join(choice.of(_DIGITS) for _ in digits[kept + 1 :]))


def _ssn(value: str, choice: _Choice) -> str:
    """In the ranges that are given out."""
    area = f"{choice.below(899) + 1:03d}"
    area = "667" if area == "666" else area
    return _with_digits(value, f"{area}{choice.below(99) + 1:02d}{choice.below(9999) + 1:04d}")


def _mail(value: str, choice: _Choice) -> str:
    """A name at a domain that RFC 2606 keeps for nobody."""
    name = f"{choice.of(_FIRST_NAMES)}.{choice.of(_LAST_NAMES)}{choice.below(1000)}".lower()
    return f"{name}@example.{choice.of(('com', 'net', 'org'))}"


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
    """As many names, in the same case."""
    words = value.split()
    names = [choice.of(_FIRST_NAMES if at < max(len(words) - 1, 1) else _LAST_NAMES) for at in range(len(words))]
    other = " ".join(names)
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
    "DATE_OF_BIRTH": _date,
    "STREET_ADDRESS": _street,
    "CRYPTO": lambda value, choice: (
        "0x" + _hex_like(value[2:], choice) if value.startswith("0x") else _alike(value, choice)
    ),
}
