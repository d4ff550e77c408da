"""Text that was written as its bytes: in base 2, 8, 10, 16, 32 and 64, or letter by letter as escapes of escapes.

A run of such is unpacked, and what is found in it makes the whole run a finding: half of an encoding says nothing. The
patterns propose the beginning of a run only, and the check follows it for at most `RUN_MAX` code points: an automaton
that counts to a thousand has a state for each count, and searched 200 KB of base64 for 20 seconds.
"""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass

from outwarden.pii.hidden_digits import number_of
from outwarden.pii.named_secrets import is_random_run
from outwarden.pii.passwords import Sure, is_password
from outwarden.pii.reading import VIEW, Look, whole_run
from outwarden.pii.recognizer import LOOK_BACK, UNDECIDED, Recognizer, Verdict

RUN_MAX = 1920
_OVERLAP = 128  # characters at the end of a run of the longest kind that are read again with what follows
UNREADABLE = re.compile(r"[^\t\n\r\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class Packing:
    """One way of writing bytes.

    ``row``: how each run begins (RE2). ``run``: how it goes on from there (`re`, without going back). ``unpack``: what
    a run says (ValueError: nothing). ``pending``: so many code points may be the beginning of one more unit.
    ``torn``: at its end some bytes may be of what follows. ``streamed``: looked for in streams too.
    """

    row: str
    run: re.Pattern[str]
    unpack: Callable[[str], bytes]
    pending: int = 0
    torn: int = 0
    streamed: bool = False


_KINDS_MIN = 4  # characters: no value has fewer, and AAAA over and over unpacks to the like of itself


def check_packed(packing: Packing, look: Look, text: str, start: int, more: bool) -> Verdict | None:
    """What the run says that begins at ``start``; without a finding the search goes on behind it."""
    limit = start + RUN_MAX
    followed = packing.run.match(text, start, limit)
    if followed is None:
        return None
    end = followed.end()
    if more and end + packing.pending >= len(text) < limit:
        return UNDECIDED
    try:
        said = packing.unpack(followed[0]).decode("ascii", "replace")
    except ValueError:
        said = "\0" * (packing.torn + 1)
    readable = UNREADABLE.search(said[: len(said) - packing.torn]) is None and len(set(said)) >= _KINDS_MIN
    if readable and (
        found := whole_run(look, text, start, end, said)
        or _secret(text, start, end, said, more)
        or (None if packing.streamed else _number(start, end, said))
    ):
        return found
    behind = end - _OVERLAP if end - start > RUN_MAX - _OVERLAP else end
    return Verdict(behind, behind, 0.0)


def _number(start: int, end: int, said: str) -> Verdict | None:
    """A telephone or card number that is all that a run says."""
    entity = number_of(said.strip()) if said.strip().isdecimal() else None
    return Verdict(start, end, 0.7, entity) if entity else None


_AROUND = 100
_TOLD = re.compile(r"log_?in|logon|sign_?in|passw|\bpwd\b|\bpass\b|_pass\b", re.IGNORECASE)
_KEY_TOLD = re.compile(
    r"(?:api|access|secret|private|account)[_ \-]?key|token|api-schlüssel|authenticate", re.IGNORECASE
)


def _secret(text: str, start: int, end: int, said: str, more: bool) -> Verdict | None:
    """A password or key in a run that something beside it calls one: a comment behind, a call that logs in."""
    said = said.strip().rstrip("\0\ufffd")
    key = is_random_run(said)
    password = " " not in said and any(map(str.isalpha, said)) and is_password(said, Sure.RAW)
    if not (key or password):
        return None
    if more and len(text) < end + _AROUND:
        return UNDECIDED
    around = text[max(0, start - LOOK_BACK) : start] + "\n" + text[end : end + _AROUND]
    if key and _KEY_TOLD.search(around):
        return Verdict(start, end, 0.7, "API_KEY")
    return Verdict(start, end, 0.7, "PASSWORD") if password and _TOLD.search(around) else None


# --- base 64

# A group of four whose three bytes are ASCII: each of its first three characters has a bit that is 0. Random letters
# keep to that in one group of eight, so a row of groups is text, and the alignment is right.
_DIGITS_64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def _class_64(keep: Callable[[int], bool]) -> str:
    letters = "".join(letter for value, letter in enumerate(_DIGITS_64) if keep(value))
    return f"[{letters}{'+-' if keep(62) else ''}{'/_' if keep(63) else ''}]".replace("+-", r"+\-")


_ANY_64 = r"[A-Za-z0-9+/_\-]"
GROUP_64 = _class_64(lambda v: v < 32) + _class_64(lambda v: not v & 8) + _class_64(lambda v: not v & 2) + _ANY_64
# The same of UTF-16 with its low byte first: every other byte is 0.
_WIDE_64 = _class_64(lambda v: v < 32) + rf"[AQgw][AB]{_ANY_64}A[A-H]{_class_64(lambda v: not v & 3)}A"

_GROUPS_64 = rf"(?:{GROUP_64}){{3,}}+{_ANY_64}{{0,3}}"
_WIDES_64 = rf"(?:{_WIDE_64}){{2,}}+{_ANY_64}{{0,7}}"


def _base64(run: str) -> bytes:
    run = run.rstrip("=").replace("-", "+").replace("_", "/")
    run = run[: len(run) - (len(run) % 4 == 1)]
    return base64.b64decode(run + "=" * (-len(run) % 4), validate=True)


def _wide_base64(run: str) -> bytes:
    data = _base64(run)
    return data[: len(data) - len(data) % 2].decode("utf-16-le").encode()


# --- other bases

_CODE = re.compile(r"[0-9]+")
_HEX_CODE = re.compile(r"(?:0[xX]|U\+00)?([2-7][0-9A-Fa-f])")
_ESCAPED_CODE = re.compile(r"(?:u00|u\{0{0,4}|x|%(?:25)*|#[xX]0{0,4})([2-7][0-9A-Fa-f])|#0{0,4}([0-9]{2,3})")


def _octal(run: str) -> bytes:
    return bytes(int(code, 8) for code in _CODE.findall(run))


def _binary(run: str) -> bytes:
    return bytes(int(code, 2) for code in _CODE.findall(run))


def _decimal(run: str) -> bytes:
    return bytes(map(int, _CODE.findall(run)))


def _hex(run: str) -> bytes:
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
_CALLED = r"(?i:unichar|unichr|chrw|chr|char)\$?(?:\[|\()\s?(?:3[2-9]|[4-9][0-9]|1[01][0-9]|12[0-6])\s?[)\]]"
_HEX = "[2-7][0-9A-Fa-f]"
_BYTE = rf"(?:0[xX]|U\+00){_HEX}"
_ESCAPE = (
    rf"(?:\\{{1,4}}(?:u00{_HEX}|x{_HEX}|u\{{0{{0,4}}{_HEX}\}})"
    rf"|&(?:amp;){{0,3}}#(?:[xX]0{{0,4}}{_HEX}|0{{0,4}}(?:[3-9][0-9]|1[0-2][0-9]));?|%(?:25){{0,3}}{_HEX})"
)


def _run(first: str, joint: str, unit: str, least: int) -> re.Pattern[str]:
    return re.compile(rf"{first}{unit}(?:{joint}{unit}){{{least - 1},}}+")


PACKINGS = (
    Packing(rf"(?:{GROUP_64}){{3}}", re.compile(rf"{_GROUPS_64}={{0,2}}"), _base64, torn=3, streamed=True),
    Packing(rf"{_HEX}(?:[ :]?{_HEX}){{8}}", _run("", "[ :]?", _HEX, 9), _hex, pending=2, torn=3, streamed=True),
    Packing(rf"(?:{_WIDE_64}){{2}}", re.compile(rf"{_WIDES_64}={{0,2}}"), _wide_base64, torn=3),
    Packing(rf"\b{_BYTE}(?:[,; ]{{1,2}}{_BYTE}){{4}}", _run("", r"[,; ]{1,2}(?:\r?\n[ \t]{0,16})?", _BYTE, 5), _hex),
    Packing(rf"\b{_HEX}(?:-{_HEX}){{6}}", _run("", "-", _HEX, 7), _hex),
    Packing(rf"(?:{_OCTAL}){{7}}", _run("", "", _OCTAL, 7), _octal),
    Packing(rf"\b{_BITS}(?:[ ,_]?{_BITS}){{6}}", _run("", "[ ,_]?", _BITS, 7), _binary),
    Packing(
        rf"\b{_DECIMAL}(?:[,;] ?{_DECIMAL}|[ .\-]{_DECIMAL}){{6}}\b",
        _run("", r"(?:[,;] ?|[ .\-])", rf"{_DECIMAL}(?![0-9])", 7),
        _decimal,
    ),
    Packing(rf"\b{_CALLED}(?:[ .+&,|]{{0,5}}{_CALLED}){{5}}", _run("", r"[ .+&,|]{0,5}\s?", _CALLED, 6), _decimal),
    Packing(r"(?:=[2-7][0-9A-F]){7}", re.compile(r"(?:=[2-7][0-9A-F]){7,}+"), _hex),
    Packing(rf"(?:{_ESCAPE}){{6}}", _run("", "", _ESCAPE, 6), _escapes),
    Packing(r"\b[A-Z2-7]{14}", re.compile(r"[A-Z2-7]{14,}+={0,6}"), _base32),
)  # fmt: skip


# --- base 64 over several lines, as mail and PEM break it: each line is one token and nothing else follows on it

_WRAPPED_ROW = rf"{_ANY_64}{{16}}\\?\r?\n[ \t>]{{0,16}}{_ANY_64}{{2}}"
_WRAPPED = re.compile(
    rf"{_ANY_64}{{16,}}+(?:\\?\r?\n[ \t>]{{0,16}}{_ANY_64}++={{0,2}}(?=[ \t]{{0,4}}(?:\r?\n|\Z|[\"'\\,;)<])))++"
)
_IN_LINE = re.compile(_ANY_64)
_ASCII_GROUPS = re.compile(_GROUPS_64)


def check_wrapped(look: Look, text: str, start: int) -> Verdict | None:
    """What the lines around ``start`` say, read on from one to the next."""
    first = start
    while first > max(0, start - RUN_MAX) and _IN_LINE.match(text, first - 1):
        first -= 1
    followed = _WRAPPED.match(text, first, first + RUN_MAX)
    if followed is None:
        return None
    end = followed.end()
    places = [at for at in range(first, end) if _IN_LINE.match(text, at)]
    groups = _ASCII_GROUPS.match("".join(text[at] for at in places))
    if groups is None:
        return Verdict(end, end, 0.0)
    said = _base64(groups[0]).decode("ascii", "replace")
    found = None if UNREADABLE.search(said[:-3]) else whole_run(look, text, first, end, said)
    return found._replace(end=places[groups.end() - 1] + 1) if found else Verdict(end, end, 0.0)


def packed_recognizers(look: Look) -> list[Recognizer]:
    """What finds all that ``look`` does in texts that were packed."""
    whole = [packing for packing in PACKINGS if not packing.streamed]

    def check(text: str, start: int, end: int, more: bool) -> Verdict | None:
        verdicts = [check_packed(packing, look, text, start, more) for packing in whole]
        return max((verdict for verdict in verdicts if verdict), key=lambda one: (one.score, one.end), default=None)

    def check_lines(text: str, start: int, end: int, more: bool) -> Verdict | None:
        return check_wrapped(look, text, start)

    # One pattern for all but the streamed ones: each in the gate costs every text.
    rows = "|".join(packing.row for packing in whole)
    return [
        *(_recognizer(packing, look) for packing in PACKINGS if packing.streamed),
        Recognizer(VIEW, f"(?:{rows})", check, whole=True, bare=True),
        Recognizer(VIEW, _WRAPPED_ROW, check_lines, whole=True, ungated=True),
    ]


def _recognizer(packing: Packing, look: Look) -> Recognizer:
    def check(text: str, start: int, end: int, more: bool) -> Verdict | None:
        return check_packed(packing, look, text, start, more)

    # Base 64 counts in fours from each character on.
    # `bare`: in what was unpacked, runs are not looked for in the words before it, which may be runs themselves.
    return Recognizer(VIEW, packing.row, check, ungated=packing.unpack is _base64, bare=True)
