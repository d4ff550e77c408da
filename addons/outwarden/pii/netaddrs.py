"""IP and hardware addresses that are laid out in another way: other signs, words or lines between their parts.

Four octets or six bytes with the same between them each time, near a word of a network; octets in a host's name, IPv6
with its colons spaced or said. A number alone is one right behind a word only.
"""

import ipaddress
import re

from outwarden.pii.hosts import address_of, is_counted
from outwarden.pii.reading import VIEW
from outwarden.pii.recognizer import Check, Context, Recognizer, Verdict, word_after, word_before
from outwarden.pii.reserved import is_reserved_ipv4, is_reserved_ipv6

_SCORE = 0.8
_NEAR = 56  # code points between the word and what it names

# --- hardware addresses

_BYTE = r"(?:0[xX])?[0-9A-Fa-f]{2}"
_MAC_WORDS = Context(
    r"mac\b|macs\b|mac.?addr|hw.?addr|hardware.?addr|ether\b|ethernet|arp\b|dhcp\w{0,8}|bssid|ssid|lladdr|wi-?fi|wlan"
    r"|bluetooth|station(?:\W{1,3}(?:0x)?[0-9a-f]{2}\b|[ _\-]?(?:mac|id\b|addr))|nic\b|physical addr"
)
_JOINT = r"(?:[^A-Za-z0-9\n]{0,4}|\n| (?:colon|dash|dot|space) )"
_MAC = re.compile(
    rf"{_BYTE}(?P<joint>{_JOINT}){_BYTE}(?P=joint){_BYTE}(?P<middle>(?P=joint)|[^\n]{{1,24}}?){_BYTE}(?P=joint){_BYTE}(?P=joint){_BYTE}"
)
_SAID_AFTER = r"(?i:joined|associated|ssid|via eth|on wlan)"
_MAC_BEFORE = rf"\b{_BYTE}" + rf"[ :.,\-_/]{{0,2}}{_BYTE}" * 3 + rf"[^\n]{{0,48}}{_SAID_AFTER}"
_MAC_AFTER = re.compile(rf"\W{{0,4}}[bB]?{_SAID_AFTER}")
_USUAL_JOINTS = frozenset(":-")
_KINDS_MIN = 4


def _check_mac(text: str, start: int, end: int, more: bool) -> Verdict | None:
    """Six bytes behind a word for them, or before what is said of stations only."""
    at = max(start, end - 2)  # the word may be one only where a first byte is behind it: "station 3f"
    for _ in range(3):
        found = _MAC.search(text, at, at + _NEAR + 64)
        if found is None or found.start() > at + _NEAR:
            return None
        if _is_mac(text, found):
            return Verdict(found.start(), found.end(), _SCORE, "MAC_ADDRESS")
        at = found.start() + 1
    return None


def _is_mac(text: str, found: re.Match[str]) -> bool:
    if word_before(text, found.start()) or word_after(text, found.end()):
        return False
    if found["joint"] in _USUAL_JOINTS and found["middle"] == found["joint"]:
        return False
    digits = "".join(filter(str.isalnum, re.sub(r"0[xX]|colon|dash|dot|space", "", found[0])))
    digits = digits if found["joint"] == found["middle"] else ""
    pieces = re.findall(r"(?<![A-Za-z])(?:0[xX])?([0-9A-Fa-f]{2})(?![a-z])", found[0])
    kinds = len(set(digits.lower() or "".join(pieces).lower()))
    return kinds >= _KINDS_MIN and (
        found["joint"] not in ("", " ", ", ") or _HEX_LETTER.search(found[0]) is not None or len(digits) == 12
    )


_HEX_LETTER = re.compile("[A-Fa-f]")


def _check_mac_before(text: str, start: int, end: int, more: bool) -> Verdict | None:
    found = _MAC.match(text, start)
    if found is None or not _is_mac(text, found) or not _MAC_AFTER.match(text, found.end()):
        return None
    return Verdict(start, found.end(), _SCORE, "MAC_ADDRESS")


# --- IPv4

_IP_WORDS = Context(
    r"ips?\b|ipv4|ip.?addr|octets|x-forwarded-for|forwarded|pinged|ping\b|peer"
    r"|(?:server|client|host|source|remote)[ _\-]?addr|(?:server|host)-?adresse|dirección ip|adresse ip"
    r"|firewall|security group|whitelist|blocked|login from|allow\b|inet_ntoa\b|client\b|logon\b"
)
_OCTET, _HEX_OCTET = "[0-9]{1,3}", "(?:0[xX])?[0-9A-Fa-f]{2}"
_SAME, _HEX_SAME = rf"(?P=joint){_OCTET}", rf"(?P=joint){_HEX_OCTET}"
_OCTETS = re.compile(
    rf"(?<![\w.]){_OCTET}(?P<joint>[^A-Za-z0-9\n]{{1,5}}|\r?\n[ \t\-*>]{{0,4}}| (?:dot|and|point|punkt) )"
    rf"{_OCTET}{_SAME}{_SAME}(?![\w.]?[0-9]|\w)"
)
_HEX_OCTETS = re.compile(
    rf"(?<!\w){_HEX_OCTET}(?P<joint>[ .:,\-]{{1,2}}){_HEX_OCTET}{_HEX_SAME}{_HEX_SAME}"
    rf"(?!\w|[ .:,\-]{{1,2}}{_HEX_OCTET}\b)"
)
_ONE = re.compile(r"(?<![\w.])(?:0[xX][0-9A-Fa-f]{8}|[0-9]{9,10})(?![\w.]*[0-9])")
_DIGITS_MIN = 7
_ONE_WITHIN = 20
_HEX_SAID = re.compile("hex|0x", re.IGNORECASE)


def _check_ip(text: str, start: int, end: int, more: bool) -> Verdict | None:
    if (found := _OCTETS.search(text, end, end + _NEAR + 24)) and _is_named(text, end, found) and _is_ip(found):
        return Verdict(found.start(), found.end(), _SCORE, "IP_ADDRESS")
    if _HEX_SAID.search(text, start, end + _NEAR) and (found := _HEX_OCTETS.search(text, end, end + _NEAR)):
        return Verdict(found.start(), found.end(), _SCORE, "IP_ADDRESS")
    found = _ONE.search(text, end, end + _NEAR)
    if found is None or (found.start() > end + _ONE_WITHIN and not found[0].startswith("0")):
        return None
    if not found[0].startswith("0") and is_counted(text, found.start()):
        return None
    address = address_of(found[0])
    if address is None or is_reserved_ipv4(address):
        return None
    return Verdict(found.start(), found.end(), _SCORE, "IP_ADDRESS")


def _is_named(text: str, end: int, found: re.Match[str]) -> bool:
    """Whether the word is near; right before it where the numbers stand as those of a list do."""
    listed = " " in found["joint"] and not found["joint"].strip(" -,;:/")
    return found.start() <= end + _NEAR and not (listed and _WORDS.search(text, end, found.start()))


_WORDS = re.compile(r"(?!(?:is|was|ist|est|es|addr(?:ess)?)\b)(?<![A-Za-z])[A-Za-z]+")


def _is_ip(found: re.Match[str]) -> bool:
    parts = re.findall("[0-9]+", found[0])
    padded = any(part[0] == "0" and len(part) == 3 for part in parts)
    if found["joint"] == "." and not padded:
        return False  # others look at the usual form
    if max(map(int, parts)) > 255 or sum(map(len, parts)) < _DIGITS_MIN:
        return False
    return not is_reserved_ipv4(int.from_bytes(bytes(map(int, parts)), "big"))


_IN_NAME = (
    r"\b(?i:ip|dyn(?:amic)?|static|host|pool|cust(?:omer)?|a?dsl|ppp(?:oe)?|cpe|node|client|cable|dhcp|nat|ec2)[\-_.](?:ip[\-_.])?"
    r"[0-9]{1,3}(?:[\-_][0-9]{1,3}){3}\b|\b(?i:dyn|pool|host|static)[\-_][0-9]{1,3}(?:_[0-9]{1,3}){3}"
    r"|\b[0-9]{1,3}(?:-[0-9]{1,3}){3}\.(?i:nip\.io|sslip\.io|xip\.io)\b"  # names that resolve to what they say
)
_NAME_OCTETS = re.compile(r"[0-9]{1,3}(?P<joint>[\-_])[0-9]{1,3}(?P=joint)[0-9]{1,3}(?P=joint)[0-9]{1,3}")


def _check_name(text: str, start: int, end: int, more: bool) -> Verdict | None:
    found = _NAME_OCTETS.search(text, start, end)
    if found is None or not _is_ip(found):
        return None
    return Verdict(found.start(), found.end(), _SCORE, "IP_ADDRESS")


# --- IPv6

_SPACED = r"\b[0-9a-fA-F]{1,4}(?:(?: ?: | : ?| (?i:colon) )[0-9a-fA-F]{0,4}){4,9}"


def _check_ip6(text: str, start: int, end: int, more: bool) -> Verdict | None:
    value = re.sub(r"\s+", "", text[start:end].lower().replace("colon", ":"))
    try:
        address = ipaddress.IPv6Address(value)
    except ValueError:
        return None
    if is_reserved_ipv6(int(address)) or not re.search("[a-f]|[0-9]{4}", value):
        return None
    return Verdict(start, end, _SCORE, "IP_ADDRESS")


# What each match holds, for the gate: counters cost it a state each.
_IN_NAME_HINT = r"[0-9][\-_][0-9]{1,3}[\-_][0-9]{1,3}[\-_][0-9]"
_IP6_HINT = r"[0-9a-fA-F](?: ?: | : ?| (?i:colon) )[0-9a-fA-F]{1,4}(?: ?: | : ?| (?i:colon) )"


def netaddr_recognizers(wanted: frozenset[str]) -> list[Recognizer]:
    """What finds addresses of networks that are laid out in another way, of the entities in ``wanted``."""
    kinds: list[tuple[str, str, Check, str]] = [
        ("MAC_ADDRESS", _MAC_WORDS.pattern, _check_mac, ""),
        ("MAC_ADDRESS", _MAC_BEFORE, _check_mac_before, _SAID_AFTER),
        ("IP_ADDRESS", _IP_WORDS.pattern, _check_ip, ""),
        ("IP_ADDRESS", _IN_NAME, _check_name, _IN_NAME_HINT),
        ("IP_ADDRESS", _SPACED, _check_ip6, _IP6_HINT),
    ]
    return [
        Recognizer(VIEW, pattern, check, whole=True, names=frozenset({entity}), hint=hint)
        for entity, pattern, check, hint in kinds
        if entity in wanted
    ]
