"""Text that was written as its bytes: in base 2, 8, 10, 16, 32 and 64, or letter by letter as escapes of escapes.

A run of such is unpacked, and what is found in it makes the whole run a finding: half of an encoding says nothing.
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass

from outwarden.pii.reading import Look, whole_run
from outwarden.pii.recognizer import Verdict

UNREADABLE = re.compile(r"[^\t\n\r\x20-\x7e]")
_CODE = re.compile(r"[0-9]+")
_HEX_CODE = re.compile(r"[2-7][0-9A-Fa-f]")
_ESCAPED_CODE = re.compile(r"(?:u00|x|%(?:25)*|#[xX])([2-7][0-9A-Fa-f])|#([0-9]{2,3})")

# No more than so many characters in one run: as in `views`, no wider than a block of `matching`.
_BYTES_MAX = 120


@dataclass(frozen=True, slots=True)
class Packing:
    """One way of writing bytes: the pattern of a run, what every run holds, and how to read it (ValueError: not so)."""

    pattern: str
    hint: str
    unpack: Callable[[str], bytes]


def _octal(run: str) -> bytes:
    return bytes(int(code, 8) for code in _CODE.findall(run))


def _binary(run: str) -> bytes:
    return bytes(int(code, 2) for code in _CODE.findall(run))


def _decimal(run: str) -> bytes:
    return bytes(map(int, _CODE.findall(run)))


def _quoted(run: str) -> bytes:
    return bytes.fromhex("".join(_HEX_CODE.findall(run)))


def _escapes(run: str) -> bytes:
    return bytes(int(code, 16) if code else int(number) for code, number in _ESCAPED_CODE.findall(run))


def _base32(run: str) -> bytes:
    run = run.rstrip("=")
    return base64.b32decode(run[: len(run) - len(run) % 8] + _last_32(run[len(run) - len(run) % 8 :]))


def _last_32(rest: str) -> str:
    """The last group, as long as whole bytes take (RFC 4648, section 6)."""
    used = max(size for size in (0, 2, 4, 5, 7) if size <= len(rest))
    return rest[:used] + "=" * (8 - used) if used else ""


# Of printable ASCII the first bit is 0 and one of the next two is 1.
_OCTAL = r"\\{1,2}(?:0?[4-7][0-7]|1[0-7][0-7])"
_BITS = r"0(?:1[01]|01)[01]{5}"
_DECIMAL = r"(?:3[2-9]|[4-9][0-9]|1[01][0-9]|12[0-6])"
_HEX = "[2-7][0-9A-Fa-f]"
_ESCAPE = rf"(?:\\{{1,4}}(?:u00|x){_HEX}|&(?:amp;){{0,3}}#(?:[xX]{_HEX}|[0-9]{{2,3}});|%(?:25){{0,3}}{_HEX})"

PACKINGS = (
    Packing(rf"(?:{_OCTAL}){{7,{_BYTES_MAX}}}", rf"(?:{_OCTAL}){{4}}", _octal),
    Packing(rf"\b{_BITS}(?:[ ,_]?{_BITS}){{6,{_BYTES_MAX}}}", rf"{_BITS}[ ,_]?{_BITS}[ ,_]?{_BITS}", _binary),
    Packing(
        rf"\b{_DECIMAL}(?:[,;] ?{_DECIMAL}|[ .\-]{_DECIMAL}){{6,{_BYTES_MAX}}}\b",
        rf"(?:{_DECIMAL}[,;.\- ] ?){{6}}",
        _decimal,
    ),
    Packing(rf"(?:=[2-7][0-9A-F]){{7,{_BYTES_MAX}}}", r"(?:=[2-7][0-9A-F]){4}", _quoted),
    Packing(rf"(?:{_ESCAPE}){{6,110}}", rf"{_ESCAPE}{_ESCAPE}{_ESCAPE}", _escapes),
    Packing(r"\b[A-Z2-7]{14,400}={0,6}", r"[A-Z2-7]{14}", _base32),
)


def check_packed(packing: Packing, look: Look, text: str, start: int, end: int) -> Verdict | None:
    """What a run says that ``packing`` describes."""
    try:
        said = packing.unpack(text[start:end]).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return None if UNREADABLE.search(said) else whole_run(look, text, start, end, said)
