"""The stand-in texts: how they look, and which name a value gets.

``[EMAIL_ADDRESS]`` masks; ``[EMAIL_ADDRESS_3f9a1c]`` names a value by a keyed hash (HMAC-SHA256 of entity and canonical
value), so the same value has the same name for ever and nobody without the secret can test a guess.
"""

import hmac
import ipaddress
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import quote, unquote

from outwarden.pii.surrogates import surrogate

NAME_DIGITS = 6  # 24 bits: readable; two values of one call that fall together are told apart by a longer name
LONG_NAME_DIGITS = 16
HASH_DIGITS = 32
SURROGATE_TRIES = 8
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

    __slots__ = ("_digits", "_entities", "_labels", "_secret")

    def __init__(
        self, secret: bytes, digits: int = NAME_DIGITS, labels: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """``labels``: entity -> what its placeholders are called instead."""
        self._secret = secret
        self._digits = digits
        self._labels = labels
        self._entities = {label: entity for entity, label in labels.items()}

    def __repr__(self) -> str:
        return "<Names>"

    def mask(self, entity: str) -> str:
        """Return the placeholder that says only what was there."""
        return mask(self._labels.get(entity, entity))

    def entity_in(self, placeholder: str) -> str:
        """The entity of what a placeholder with a name stands for."""
        label = placeholder[1:-1].rpartition("_")[0]
        return self._entities.get(label, label)

    def candidates(self, entity: str, value: str) -> Iterable[str]:
        """Yield the names for ``value``: the usual one, then longer ones for when that is taken by another text.

        A longer name begins like the usual one and goes on with a hash of the exact spelling.
        """
        short = self._hash(entity, canonical(entity, value))[: self._digits]
        label = self._labels.get(entity, entity)
        yield f"[{label}_{short}]"
        spelling = self._hash(f"{entity} spelling", value)
        longer = (short + spelling[: digits - self._digits] for digits in _DIGITS_OF_LONGER_NAMES)
        yield from (f"[{label}_{name}]" for name in longer if not name.isdecimal())

    def surrogates(self, entity: str, value: str) -> Iterable[str]:
        """Yield stand-ins in the form of ``value``: the usual one, then others for when that is taken."""
        for attempt in range(SURROGATE_TRIES):
            message = f"{entity} surrogate {attempt}\0{canonical(entity, value)}".encode("utf-8", "surrogatepass")
            parts = hmac.digest(self._secret, f"parts of surrogates {attempt}".encode(), "sha256")
            yield surrogate(entity, value, hmac.digest(self._secret, message, "sha256"), parts, attempt)

    def hashed(self, entity: str, value: str) -> str:
        """Return the placeholder of the action ``hash``: longer, and never restored."""
        return f"[{self._labels.get(entity, entity)}_{self._hash(entity, canonical(entity, value))[:HASH_DIGITS]}]"

    def _hash(self, entity: str, value: str) -> str:
        message = f"{entity}\0{value}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, message, "sha256").hex()


# What a model makes of an underscore: Markdown escapes it, prose has a space or a hyphen.
_JOINT = r"(?:\\?_|[ \-])"
_PAIRS = ((r"\[ ?", r" ?\]"), (r"\\\[ ?", r" ?\\\]"), ("%5[Bb]", "%5[Dd]"))
_BRACKETS = re.compile(r"\\|%5[BDbd]|[\[\]]")
_NAMED = re.compile(r"(?P<entity>.+?)[ _\-]+(?P<hash>[0-9A-Fa-f]{6,64})")
_JOINTS = re.compile(r"[ _\-]+")


def placeholder_pattern(entities: Iterable[str]) -> str:
    """Return the pattern of every placeholder of ``entities``, and of what models make of one that has a name."""
    known = sorted(entities)
    names = "|".join(known)
    loose = "|".join(name.replace("_", _JOINT) for name in known)
    sizes = (*reversed(_DIGITS_OF_LONGER_NAMES), NAME_DIGITS)
    hashes = "|".join(f"[0-9a-f]{{{digits}}}" for digits in sizes)
    loose_hashes = "|".join(f"[0-9A-Fa-f]{{{digits}}}" for digits in sizes)
    paired = "|".join(rf"{opened}(?i:{loose}){_JOINT}{{1,2}}(?:{loose_hashes}){closed}" for opened, closed in _PAIRS)
    return (
        rf"(?:\[(?:{names})(?:_(?:{hashes}))?\]|{paired}"
        rf"|\[?(?:{loose}){_JOINT}(?:{loose_hashes})\]?)"
    )


def placeholder_hint(entities: Iterable[str]) -> str:
    """What all of them hold: a mask, or a name's last letter and the first digits of its hash."""
    return rf"\[(?:{'|'.join(sorted(entities))})\]|[A-Za-z0-9]{_JOINT}{{1,2}}[0-9A-Fa-f]{{{NAME_DIGITS}}}"


def is_placeholder(text: str) -> bool:
    """Whether ``text``, which has the shape, may be ours; a card number in its place (or any long number) is not."""
    name = meant(text)[1:-1].rpartition("_")[2]
    if len(name) > NAME_DIGITS or meant(text) != text:
        return not name.isdecimal()
    return True


def meant(text: str) -> str:
    """Return the placeholder that ``text``, which has the shape, was before a model wrote it in its own way."""
    named = _NAMED.fullmatch(_BRACKETS.sub("", text).strip())
    return f"[{_JOINTS.sub('_', named['entity']).upper()}_{named['hash'].lower()}]" if named else text


def is_closed(text: str) -> bool:
    """Whether brackets tell where a text of the shape begins and ends; else the characters around it do."""
    return _opens(text) and text.endswith(("]", "%5D", "%5d"))


def _opens(text: str) -> bool:
    return text.startswith(("[", "\\[", "%5B", "%5b"))


def spelled_like(placeholder: str, value: str) -> str:
    """Return ``value`` as it has to be written where ``placeholder`` stood: in a URL, percent-encoded."""
    return quote(value, safe="") if placeholder[:3].upper() == "%5B" else value


def value_spelled_like(placeholder: str, text: str) -> str:
    """The way back from `spelled_like`: the value that ``text`` spells where ``placeholder`` is to stand."""
    return unquote(text) if placeholder[:3].upper() == "%5B" else text
