"""IP and hardware addresses in the forms that programs take beside the usual ones.

An IPv4 address may be one number, hexadecimal, octal, of two or three parts (`inet_aton` reads them all), in bits, or
turned around before in-addr.arpa; a hardware address may stand with any sign or none between its bytes. Only right
behind a word that says so, or in a URL: everywhere else these are numbers.
"""

import re

from outwarden.pii.recognizer import (
    EDGE,
    UNDECIDED,
    Context,
    Recognizer,
    Verdict,
    joined_after,
    skip_edge,
    word_after,
    word_before,
)
from outwarden.pii.reserved import is_reserved_ipv4

_SCORE = 0.85
_IP_WORDS = Context(r"ip\b|ips\b|ipv4|ip.?addr|octets|(?:h..ps?|ftp)(?:\[?:\]?)//")
_IP_BEFORE = re.compile(
    r"(?:(?<![a-z])(?:ip(?:v4)?s?|octets)(?:[ _\-]?addr(?:ess)?)?(?:[ _\-]?octets)?[^\w\n]{0,4}"
    r"(?:(?:is|was|ist|est|es)[ :=]{1,3})?"
    r"|(?:h..ps?|ftp)\[?:\]?//(?:[^\s@/]{0,40}@)?)\Z",
    re.IGNORECASE,
)
_BEFORE_WIDTH = 60
_PART = r"(?:0[xX][0-9A-Fa-f]{1,8}|[0-9]{1,12})"
_NUMBER = rf"{EDGE}{_PART}(?:\.{_PART}){{0,3}}"
_LIST = rf"{EDGE}[0-9]{{1,3}}(?:(?:[_\-]|,? and |, ?)[0-9]{{1,3}}){{3}}"
_PARTS = re.compile(r"0[xX][0-9A-Fa-f]+|[0-9]+")
_PLAIN = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}")
_OCTETS = re.compile(r"[0-9]{1,3}(?:(?:[_\-]|,? and |, ?)[0-9]{1,3}){3}")
_FORM = re.compile(rf"{_PART}(?:\.{_PART}){{0,3}}")
_BITS = re.compile(r"[01]{8}(?:\.[01]{8}){3}")
_OCTET_DIGITS_MIN = 7  # with fewer they are a list: octets 1, 2, 3 and 4
_ONE_MIN = 1 << 24  # less than 1.0.0.0 is a number of something
_SHORTEST = 8  # digits that it has as one number; octal has more


def address_of(said: str) -> int | None:
    """The IPv4 address that a number or up to four parts are, as `inet_aton` reads them; None: it is none."""
    parts = _PARTS.findall(said)
    if _BITS.fullmatch(said):
        return int("".join(parts), 2)
    if _OCTETS.fullmatch(said) and sum(map(len, parts)) >= _OCTET_DIGITS_MIN:
        values = [int(part) for part in parts]
    elif _FORM.fullmatch(said):
        values = [_value(part) for part in parts]
    else:
        return None
    *first, last = values
    if any(not 0 <= value <= 0xFF for value in first) or not 0 <= last < 1 << (8 * (5 - len(values))):
        return None
    number = last
    for at, value in enumerate(first):
        number |= value << (24 - 8 * at)
    return number if number >= _ONE_MIN else None


# A number that the word right before it counts or names: bucket 3021345678. Those that name an address are left out.
_COUNTED = re.compile(
    r"(?<![\w.])(?!(?:is|was|ist|est|son|adr\w*|addr\w*|direcci[oó]n|indirizzo|endere[cç]o|octets|integer|int|long|decimal|number|as|from"
    r"|for|to|at|by|and|ips?|ipv4|host|hosts|peer|client|source|remote|server|pinged|ping|login|blocked|banned|allow|deny|allowed|denied"
    r"|nmap|traceroute|whitelist\w*|firewall|sshd|inet|the|value|was|us|me)\b)[a-z]{2,} \Z"
)
_COUNTED_WIDTH = 24


def is_counted(text: str, start: int) -> bool:
    """Whether the word right before a plain number says that it is something else than an address."""
    return _COUNTED.search(text, max(0, start - _COUNTED_WIDTH), start) is not None


def _value(part: str) -> int:
    if part[:2].lower() == "0x":
        return int(part, 16)
    if part[0] == "0" and len(part) > 1:
        return int(part, 8) if part.strip("01234567") == "" else -1
    return int(part)


def _check_number(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    if word_before(text, start) or word_after(text, end):
        return None
    if (longer := joined_after(text, end, ".-_", more)) is None:
        return UNDECIDED
    said = text[start:end]
    if len(said) < _SHORTEST and "." not in said and said.isdecimal():
        return None
    if longer or _PLAIN.fullmatch(said) or not _IP_BEFORE.search(text, max(0, start - _BEFORE_WIDTH), start):
        return None  # others look at the usual form
    address = address_of(said)
    return None if address is None else _verdict(start, end, address)


def _verdict(start: int, end: int, address: int) -> Verdict:
    return Verdict(start, end, -_SCORE if is_reserved_ipv4(address) else _SCORE)


_REVERSE = rf"{EDGE}(?:[0-9]{{1,3}}\.){{4}}(?i:in-addr\.arpa)"


def _check_reverse(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    parts = text[start:end].split(".")[3::-1]
    address = address_of(".".join(part.lstrip("0") or "0" for part in parts))
    return (
        None if address is None or word_before(text, start) or word_after(text, end) else _verdict(start, end, address)
    )


# --- hardware addresses

_MAC_WORDS = Context(r"mac\b|macs\b|mac.?addr|hw.?addr|ether\b|bssid|hardware.addr|lladdr|ethernet")
_MAC_BEFORE = re.compile(
    r"(?<![a-z])(?:macs?|hw|hardware|ether(?:net)?|bssid|lladdr)(?:[ _\-]?addr(?:ess)?)?[^\w\n]{0,4}"
    r"(?:(?:is|was)[ :=]{1,3})?\Z",
    re.IGNORECASE,
)
_BYTE = "(?:0[xX])?[0-9A-Fa-f]{2}"
_MAC = rf"{EDGE}{_BYTE}(?:[ ,]{{0,2}}[ :_.\-,]?{_BYTE}){{5}}"
_USUAL_MAC = re.compile(r"[0-9A-Fa-f]{2}([:\-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}")
_KINDS_MIN = 3  # different digits: no 000000000000, no counter


def _check_mac(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    said = text[start:end]
    if word_before(text, start) or word_after(text, end) or _USUAL_MAC.fullmatch(said):
        return None
    if (longer := joined_after(text, end, ":-._ ", more)) is None:
        return UNDECIDED
    tied = longer and text[end] != " "
    named = _MAC_BEFORE.search(text, max(0, start - _BEFORE_WIDTH), start)
    kinds = set(filter(str.isalnum, said.lower().replace("0x", "")))
    return Verdict(start, end, _SCORE) if named and not tied and len(kinds) >= _KINDS_MIN else None


RECOGNIZERS = (
    Recognizer("IP_ADDRESS", _NUMBER, _check_number, near=_IP_WORDS, retry=True),
    Recognizer("IP_ADDRESS", _LIST, _check_number, near=_IP_WORDS, retry=True, whole=True),
    Recognizer("IP_ADDRESS", _REVERSE, _check_reverse),
    Recognizer("MAC_ADDRESS", _MAC, _check_mac, near=_MAC_WORDS),
)
