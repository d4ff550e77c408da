"""Addresses of hosts in forms that only programs read: one number, hexadecimal and octal parts, arpa and UNC names."""

import ipaddress
import re

from outwarden.pii.hosts import is_counted
from outwarden.pii.reading import VIEW, Look
from outwarden.pii.recognizer import Context, Recognizer, Verdict, word_after, word_before

ENTITY = "IP_ADDRESS"
_SCORE = 0.8
# What names an address; "ip" alone stands in many words.
_WORDS = Context(
    r"ips?\b|ip.?addr\w*|ip.?v4|remote.?addr|client.?ip|source.?ip|x-forwarded-for|x-real-ip|forwarded.for|ping\w*|server-adresse"
    r"|direcci[óo]n ip|adresse ip|indirizzo ip|endereço ip|ip-adresse|vpn.?peer|peer\b|whitelist\w*|blocked|banned|login from|host\b"
    r"|firewall|allow\b|deny\b|sshd|traceroute|nmap|resolves? to",
    wide="айпи",
)
_HEX_PART = r"0[xX][0-9A-Fa-f]{1,2}"
_ODD_V4 = rf"\b(?:0[xX][0-9A-Fa-f]{{8}}|{_HEX_PART}(?:\.{_HEX_PART}){{3}}|[0-9]{{1,4}}(?:\.[0-9]{{1,4}}){{3}}|[0-9A-Fa-f]{{2}}(?: [0-9A-Fa-f]{{2}}){{3}}|[1-4]?[0-9]{{9}})\b"
_ARPA = r"\b(?:[0-9A-Fa-f]\.){16,32}(?i:ip6\.arpa)"
_UNC = r"\b[0-9A-Fa-f]{0,4}(?:-[0-9A-Fa-f]{0,4}){2,7}(?:s[0-9a-z]{1,8})?(?i:\.ipv6-literal\.net)"


def _reading(said: str) -> str | None:
    """What address of version 4 is written so, if it is none in the usual form."""
    if said.isdecimal():
        return str(ipaddress.IPv4Address(int(said))) if 1 << 24 <= int(said) < 1 << 32 else None
    if "." not in said:
        parts = re.findall(r"[0-9A-Fa-f]{2}", said[2:] if said[1] in "xX" else said)
    else:
        parts = said.split(".")
        if not said.startswith(("0x", "0X")):
            if not any(part[0] == "0" and len(part) > 1 for part in parts):
                return None  # others look at those
            octal = all(set(part) <= set("01234567") for part in parts) and any(len(part) == 4 for part in parts)
            values = [int(part, 8 if octal else 10) for part in parts]
            return ".".join(map(str, values)) if max(values) < 256 else None
    return ".".join(str(int(part, 16)) for part in parts)


def check_v4(look: Look, text: str, start: int, end: int) -> Verdict | None:
    """An address in another form, where the one that it says is somebody's."""
    if word_before(text, start) or word_after(text, end) or text[start - 1 : start] in (".", "-", "_"):
        return None
    if text[start:end].isdecimal() and is_counted(text, start):
        return None
    said = _reading(text[start:end])
    if said is None or said.startswith(("0.", "127.", "255.")):
        return None
    return Verdict(start, end, _SCORE, ENTITY) if any(one.entity == ENTITY for one in look(said)) else None


def _check_name(text: str, start: int, end: int, more: bool) -> Verdict | None:
    return Verdict(start, end, _SCORE, ENTITY)


def written_host_recognizers(look: Look, wanted: frozenset[str]) -> list[Recognizer]:
    """All of this file, where addresses of hosts are in ``wanted``."""
    if ENTITY not in wanted:
        return []
    return [
        Recognizer(
            VIEW, _ODD_V4, lambda text, start, end, more: check_v4(look, text, start, end), near=_WORDS, whole=True
        ),
        Recognizer(VIEW, f"(?:{_ARPA}|{_UNC})", _check_name, whole=True, hint=r"(?i:\.ip6\.arpa|\.ipv6-literal\.net)"),
    ]
