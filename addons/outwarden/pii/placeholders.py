"""The stand-in texts: how they look, and which name a value gets.

``[EMAIL_ADDRESS]`` masks; ``[EMAIL_ADDRESS_3f9a1c]`` names a value by a keyed hash (HMAC-SHA256 of entity and canonical
value), so the same value has the same name for ever and nobody without the secret can test a guess.
"""

import hmac
import ipaddress
import re
from collections.abc import Iterable

NAME_DIGITS = 6  # 24 bits: readable; two values of one call that fall together are told apart by a longer name
LONG_NAME_DIGITS = 16
HASH_DIGITS = 32
_DIGITS_OF_LONGER_NAMES = (LONG_NAME_DIGITS, HASH_DIGITS, 64)

_NOT_DIGITS = re.compile(r"[^0-9]")
_GAPS = re.compile(r"[\s\-.]")


def canonical(entity: str, value: str) -> str:
    """Return the form in which two spellings of one value agree."""
    if entity == "EMAIL_ADDRESS":
        return value.lower()
    if entity in ("CREDIT_CARD", "US_SSN"):
        return _NOT_DIGITS.sub("", value)
    if entity == "PHONE_NUMBER":
        return _NOT_DIGITS.sub("", value.removeprefix("00") if value.startswith("00") else value)
    if entity == "IBAN_CODE":
        return _GAPS.sub("", value).upper()
    if entity == "IP_ADDRESS":
        return _canonical_ip(value)
    return value


def _canonical_ip(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:  # a span that grew by an overlapping finding
        return value


def mask(entity: str) -> str:
    """Return the placeholder that says only what was there."""
    return f"[{entity}]"


class Names:
    """Names values by keyed hashes. Holds the secret, so its repr is masked."""

    __slots__ = ("_digits", "_secret")

    def __init__(self, secret: bytes, digits: int = NAME_DIGITS) -> None:
        self._secret = secret
        self._digits = digits

    def __repr__(self) -> str:
        return "<Names>"

    def candidates(self, entity: str, value: str) -> Iterable[str]:
        """Yield the names for ``value``: the usual one, then longer ones for when that is taken by another text.

        A longer name begins like the usual one and goes on with a hash of the exact spelling.
        """
        short = self._hash(entity, canonical(entity, value))[: self._digits]
        yield f"[{entity}_{short}]"
        spelling = self._hash(f"{entity} spelling", value)
        longer = (short + spelling[: digits - self._digits] for digits in _DIGITS_OF_LONGER_NAMES)
        yield from (f"[{entity}_{name}]" for name in longer if not name.isdecimal())

    def hashed(self, entity: str, value: str) -> str:
        """Return the placeholder of the action ``hash``: longer, and never restored."""
        return f"[{entity}_{self._hash(entity, canonical(entity, value))[:HASH_DIGITS]}]"

    def _hash(self, entity: str, value: str) -> str:
        message = f"{entity}\0{value}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, message, "sha256").hex()


def placeholder_pattern(entities: Iterable[str]) -> str:
    """Return the pattern of every placeholder of ``entities``."""
    names = "|".join(sorted(entities))
    hashes = "|".join(f"[0-9a-f]{{{digits}}}" for digits in (*reversed(_DIGITS_OF_LONGER_NAMES), NAME_DIGITS))
    return rf"\[(?:{names})(?:_(?:{hashes}))?\]"


def is_placeholder(text: str) -> bool:
    """Whether ``text``, which has the shape, may be ours; a card number in its place (or any long number) is not."""
    name = text[1:-1].rpartition("_")[2]
    return len(name) <= NAME_DIGITS or not name.isdecimal()
