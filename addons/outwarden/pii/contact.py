"""E-mail addresses, IP addresses and hardware addresses."""

import ipaddress
import re

from outwarden.pii.recognizer import (
    EDGE,
    LOOK_BACK,
    UNDECIDED,
    Context,
    Recognizer,
    Verdict,
    after_escape,
    joined_after,
    skip_edge,
    word_after,
    word_before,
)
from outwarden.pii.reserved import is_reserved_domain, is_reserved_ipv4, is_reserved_ipv6, is_reserved_mac

# Latin, Greek and Cyrillic letters. Scripts written without spaces are left out: there the words around an address
# would become part of it.
_LETTER = r"A-Za-zÀ-ɏͰ-ӿ"
# One counted run for all labels: every counter is a state that a stream's tail has to carry.
_EMAIL = (
    rf"[{_LETTER}0-9._%+'\-]{{1,64}}@[{_LETTER}0-9\-][{_LETTER}0-9.\-]{{0,120}}"
    rf"\.(?:[Xx][Nn]--[A-Za-z0-9\-]{{2,59}}|[{_LETTER}]{{2,24}})"
)
# git@ is the user of every SSH remote (git@github.com:owner/repository); nobody reads or owns the others.
_NOBODY = frozenset({"git", "noreply", "no-reply", "donotreply", "do-not-reply"})
_ALGORITHM_DOMAINS = frozenset({"openssh.com", "libssh.org"})  # aes256-gcm@openssh.com
_URL_LOGIN = re.compile(r"://[^\s@/]*:[^\s@/]*\Z")
_RETINA_IMAGE = re.compile(r"[1-9]x\.[a-z]+", re.IGNORECASE)  # icon@2x.png
_IPV4 = EDGE + r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}"
_HEX = r"[0-9A-Fa-f]{1,4}"
_IPV6 = (
    rf"(?:{EDGE}(?:{_HEX}:){{7}}{_HEX}"
    rf"|{EDGE}(?:{_HEX}:){{1,6}}:(?:{_HEX}(?::{_HEX}){{0,5}})?"
    rf"|::{_HEX}(?::{_HEX}){{0,6}})"
)
# What stands right before a version or section number that looks like an address.
_NUMBERED = re.compile(
    r"(?:(?<![a-z])(?:version|ver\.?|v\d?|release|build|firmware|fw|bios|bootloader|driver|kernel|image|revision"
    r"|(?:sub)?sections?|(?:sub)?clauses?|chapter|paragraph|annex|appendix|anhang|schema|edition|oid|identifier\()"
    r"[_\s:=\"']*|[=~<>]=\s*|[§^]\s*)\Z"
)
_VERSION_WIDTH = 20
# Farther before a number with small parts, as those of versions are; in one address of fifty they are all so small.
_PART_MAX = 99
_VERSIONED = Context(
    r"versions?\b|firmware|bootloader|drivers?\b|kernel|bios\b|release[sd]?\b|changelog"
    r"|(?:sub)?clauses?\b|(?:sub)?sections?\b"
    r"|paragraphs?\b|annex|anhang|appendix"
    r"|standard\b|editions?\b|replaces|supersedes|installed over|rolled back|pinned|yanked"
)
_HOST_WORDS = Context(
    r"ips?\b|ipv4|ip.?addr|addr|hosts?\b|from\b|servers?\b|peer|ping|client|listen|connect|bind|dns|gateway|route"
)
# A change of versions: "upgraded libfoo from 1.2.3.4 to".
_UPGRADED = Context(r"upgrad|downgrad|bump(?:s|ed)?\b|libs?\b|package")
_ARCHIVE = re.compile(r"v?\d+(?:\.\d+)+\.[a-z]{2,4}", re.IGNORECASE)  # left-pad@1.3.0.tgz


def _check_email(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = after_escape(text, start, end)
    while text[start] in ".'-%+":
        start += 1
    if _URL_LOGIN.search(text, max(0, start - LOOK_BACK), start):
        return None  # the password of a URL and its host
    local, _, domain = text[start:end].partition("@")
    if ".." in domain:  # jane@acme.com...and so on
        domain = domain.partition("..")[0]
        end = start + len(local) + 1 + len(domain)
    if not local or "." not in domain or _RETINA_IMAGE.fullmatch(domain) or _ARCHIVE.fullmatch(domain):
        return None
    if local.lower() in _NOBODY or domain in _ALGORITHM_DOMAINS:
        return None
    return Verdict(start, end, -0.95 if is_reserved_domain(domain) else 0.95)


def _check_ipv4(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    if (address := _ipv4(text[start:end])) is None:
        return None
    if word_after(text, end) or text[start - 1 : start] == "." or word_before(text, start):
        return None
    if _NUMBERED.search(text[max(0, start - _VERSION_WIDTH) : start].lower()) or _UPGRADED.before(text, start):
        return None
    if _is_version(text, start, end):
        return None
    longer = joined_after(text, end, ".-+", more)
    if longer is None:
        return UNDECIDED
    if longer and (text[end] == "." or not text[end + 1].isdigit()):
        return None  # 1.2.3.4.5, 1.2.3.4-rc1
    return Verdict(start, end, -0.9 if is_reserved_ipv4(address) else 0.9)


def _is_version(text: str, start: int, end: int) -> bool:
    """Whether words before say that small numbers are a version's or section's, and none says that a host has them."""
    if text[end : end + 1] in (":", "/") or max(map(int, text[start:end].split("."))) > _PART_MAX:
        return False
    return _VERSIONED.before(text, start) and not _HOST_WORDS.before(text, start)


def _ipv4(value: str) -> int | None:
    """Return the address as a number, None if it is none (a part over 255, or with a leading zero)."""
    number = 0
    for part in value.split("."):
        if (octet := int(part)) > 255 or (part[0] == "0" and len(part) > 1):
            return None
        number = number << 8 | octet
    return number


def _check_ipv6(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    if word_before(text, start) or text[start - 1 : start] in (":", "."):
        return None
    if word_after(text, end) or text[end : end + 1] == ":":
        return None
    if not _looks_like_address(text[start:end]):
        return None
    longer = joined_after(text, end, ".", more)  # ::ffff:1.2.3.4 is found by its last part
    if longer is None:
        return UNDECIDED
    try:
        address = ipaddress.IPv6Address(text[start:end])
    except ValueError:
        return None
    if longer:
        return None
    return Verdict(start, end, -0.9 if is_reserved_ipv6(int(address)) else 0.9)


def _looks_like_address(value: str) -> bool:
    """Tell 2a02::1 from the a::b of source code."""
    groups = [group for group in value.split(":") if group]
    digits = any(character.isdigit() for character in value)
    slice_like = value.startswith("::") and len(groups) < 2  # a[::1000]
    return digits and not slice_like and (len(groups) >= 3 or len(groups[0]) >= 3)


_MAC = (
    EDGE
    + r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}|"
    + EDGE
    + r"(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}|"
    + EDGE
    + (r"(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}")
)


def _check_mac(text: str, start: int, end: int, more: bool) -> Verdict | None:
    start = skip_edge(text, start)
    if word_before(text, start) or word_after(text, end) or text[start - 1 : start] in (":", "-", "."):
        return None
    if text[end : end + 1] in (":", "-"):
        return None  # a fingerprint, or a longer row of bytes
    digits = "".join(filter(str.isalnum, text[start:end]))
    if len(set(digits.lower())) == 1:
        return None  # all zeros, broadcast
    return Verdict(start, end, -0.85 if is_reserved_mac(digits) else 0.85)


RECOGNIZERS = (
    Recognizer("EMAIL_ADDRESS", _EMAIL, _check_email, hint="@"),
    Recognizer("IP_ADDRESS", _IPV4, _check_ipv4),
    Recognizer("IP_ADDRESS", _IPV6, _check_ipv6),
    Recognizer("MAC_ADDRESS", _MAC, _check_mac),
)
