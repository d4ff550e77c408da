"""Text in rarer codes than those of `packed`: base 58 and 85, uuencode, gzip, Morse, dumps, ROT47 …

Nothing tells that a token is written so. It is decoded on trial, and only where readable text comes out of it in which
something is found it was so: of random letters one in thousands decodes to anything readable.
"""

import base64
import binascii
import re
import zlib

from outwarden.pii.packed import GROUP_64, UNREADABLE, Packing, check_packed
from outwarden.pii.reading import VIEW, Look
from outwarden.pii.recognizer import Recognizer, Verdict
from outwarden.pii.wallets import from_base58

_UNPACKED_MAX = 4096  # bytes out of gzip

# --- what each code says (ValueError: nothing)


def _base58(run: str) -> bytes:
    if run.isalpha() or run.upper() == run or run.lower() == run:
        raise ValueError("a word or a number")
    number = from_base58(run)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _ascii85(run: str) -> bytes:
    return base64.a85decode(run.removeprefix("<~").removesuffix("~>"))


def _base85(run: str) -> bytes:
    if UNREADABLE.search(base64.b85decode(run[:5]).decode("ascii", "replace")):  # a function of Python: 15 us a run
        raise ValueError("no text")
    return base64.b85decode(run)


def _uu(run: str) -> bytes:
    size = (ord(run[0]) - 32) & 63
    line = run[: 1 + (size + 2) // 3 * 4]
    if len(run.rstrip(" `")) not in range(len(line) - 3, len(line) + 1):
        raise ValueError("of another length")
    return binascii.a2b_uu(line)


def _spaced64(run: str) -> bytes:
    run = run.replace(" ", "").rstrip("=")
    return base64.b64decode(run + "=" * (-len(run) % 4), validate=True)


def _turned64(run: str) -> bytes:
    return _spaced64(run[::-1])


def _inflated(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=47).decompress(data, _UNPACKED_MAX)  # of gzip or zlib
    except zlib.error as error:
        raise ValueError("not compressed") from error


def _rot47(run: str) -> bytes:
    return bytes(33 + (ord(c) - 33 + 47) % 94 if c != " " else 32 for c in run)


def _hex(run: str) -> bytes:
    return bytes.fromhex("".join(re.findall(r"[2-7][0-9A-Fa-f]", run)))


def _wide_hex(run: str) -> bytes:
    data = bytes.fromhex(run)
    return data[1::2] if data[0] == 0 else data[::2]


def _masked(run: str) -> bytes:
    data = bytes.fromhex(run)
    return bytes(one ^ data[0] for one in data[1:])


_MORSE_CODES = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
    "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. .-.-.- .--.-. -....- ..--.- .-.-. --..-- -..-. ---..."
)
_MORSE = dict(zip(_MORSE_CODES.split(), "abcdefghijklmnopqrstuvwxyz0123456789.@-_+,/:", strict=True))
_MORSE_SIGNS = str.maketrans("·•∙_–—−", "...----")


def _morse(run: str) -> bytes:
    try:
        said = "".join(_MORSE[code] for code in re.split(r"[ /|]+", run.translate(_MORSE_SIGNS).strip(" /|")))
    except KeyError as error:
        raise ValueError("no letter") from error
    if "@" not in said and sum(map(str.isdecimal, said)) < _MORSE_DIGITS_MIN:
        raise ValueError("neither an address nor a number")
    return said.encode()


_MORSE_DIGITS_MIN = 7
_DUMP_LINE = r"[0-9A-Fa-f]{6,8}+:?[ \t]{1,3}+(?:[0-9A-Fa-f]{2,8}+[ \t]{1,3}+){2,16}+[^\n]{0,20}+"
_DUMPED = re.compile(
    r"[0-9A-Fa-f]{4,8}:?[ \t]{1,3}((?:[0-9A-Fa-f]{2,8}(?: |  (?=[0-9A-Fa-f]{2} )|$)){1,16})", re.MULTILINE
)


def _dump(run: str) -> bytes:
    data = b"".join(bytes.fromhex(line) for line in _DUMPED.findall(run))
    return _NOT_PRINTED.sub(b"\n", data)  # of a file with numbers among its text


_NOT_PRINTED = re.compile(rb"[^\t\n\r\x20-\x7e]")


_SIGN_85 = r"[0-9A-Za-z!#$%&()*+\-;<=>?@^_`{|}~]"
_MARK_85 = r"[!#$%&*+;<>?@^`{|}~]"
_ROT47 = r"[2-K_-h0\\Z]"
_PAIR = "[2-7][0-9A-Fa-f]"

_CODES = (
    Packing(r"\b[1-9A-HJ-NP-Za-km-z]{12}", re.compile(r"[1-9A-HJ-NP-Za-km-z]{14,140}(?![0-9A-Za-z_])"), _base58),
    Packing(r"<~[!-u]{8}", re.compile(r"<~[!-uz]{8,400}~>"), _ascii85),
    Packing(rf"(?:\b[0-9A-Za-z_]{{0,14}})?{_MARK_85}{_SIGN_85}{{9}}", re.compile(rf"{_SIGN_85}{{14,200}}(?![^\s\"',.)\]])"), _base85),
    Packing(r"[!-M][!-`]{14}", re.compile(r"[!-M][!-`]{4}[ -`]{12,60}"), _uu),
    Packing(r"\b[A-Za-z0-9+/]{6,11}=", re.compile(r"[A-Za-z0-9+/]{6,11}={1,2}(?![A-Za-z0-9=])"), _spaced64),
    Packing(
        rf"\b(?:{GROUP_64} ){{2}}[A-Za-z0-9+/]",
        re.compile(r"(?:[A-Za-z0-9+/]{4} ){2,60}(?:[A-Za-z0-9+/]{4}(?![A-Za-z0-9+/=])|[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)"),
        _spaced64,
    ),
    Packing(r"={1,2}[A-Za-z0-9+/]{7}", re.compile(r"={1,2}[A-Za-z0-9+/]{7,400}(?![A-Za-z0-9+/=])"), _turned64),
    Packing(
        r"\b(?:H4sI|eJ[wxyz])[A-Za-z0-9+/_\-]{12}",
        re.compile(r"(?:H4sI|eJ)[A-Za-z0-9+/_\-]{12,1800}={0,2}"),
        lambda run: _inflated(_spaced64(run.replace("-", "+").replace("_", "/"))),
    ),
    Packing(
        r"\b1[fF]8[bB]08[0-9A-Fa-f]{16}", re.compile(r"1[fF]8[bB]08[0-9A-Fa-f]{16,1800}"), lambda run: _inflated(bytes.fromhex(run))
    ),
    Packing(rf"\b(?:00{_PAIR}){{5}}|\b(?:{_PAIR}00){{5}}", re.compile(rf"(?:00{_PAIR}){{6,400}}|(?:{_PAIR}00){{6,400}}"), _wide_hex),
    Packing(rf"(?:\\0{{0,4}}{_PAIR} ?){{5}}", re.compile(rf"(?:\\0{{0,4}}{_PAIR} ?){{6,400}}(?<! )"), _hex),
    Packing(rf"[2-K_-h0\\Z\]]{{3,40}}o{_ROT47}{{2,40}}\]{_ROT47}{{2}}", re.compile(rf"[2-K_-h0\\Z\]]{{3,60}}o(?:{_ROT47}{{2,40}}\]){{1,4}}{_ROT47}{{2,12}}"), _rot47),
    Packing(r"(?:\bZ)?[_`a-h]{1,5}(?: [_`a-h]{1,5}){2}", re.compile(r"(?=[Za-h ]*[_`])Z?[_`a-h]{1,10}+(?:[ \\][_`a-h]{1,10}+){1,7}+(?![A-Za-z])"), _rot47),
    Packing(
        r"(?:[.\-·•∙_–—−]{1,7}[ /|]{1,3}){5}", re.compile(r"[.\-·•∙_–—−]{1,7}+(?:[ /|]{1,3}+[.\-·•∙_–—−]{1,7}+){5,80}+"), _morse
    ),
    Packing(r"\b[0-9A-Fa-f]{6,8}:?[ \t]{1,3}[0-9A-Fa-f]{2,8} [0-9A-Fa-f]{2,8} ", re.compile(rf"{_DUMP_LINE}(?:\n{_DUMP_LINE}){{0,24}}+"), _dump),
    Packing(r"\b[0-9a-f]{2}[0-9a-f]{18}", re.compile(r"[0-9a-f]{20,160}(?![0-9a-f])"), _masked),
)  # fmt: skip

_UU = next(at for at, code in enumerate(_CODES) if code.unpack is _uu)

# What a run of each may begin with: most characters begin few of them.
_FIRST = (
    "[1-9A-HJ-NP-Za-km-z]", "<", _SIGN_85, "[!-M]", "[A-Za-z0-9+/]", "[A-Za-z0-9+/]", "=", "[He]", "1", "[0-9A-Fa-f]",
    r"[\\2-7]", r"[2-K_-h0\\Z\]]", "[Z_`a-h]", r"[.\-·•∙_–—−]", "[0-9A-Fa-f]", "[0-9a-f]",
)  # fmt: skip
_BEGINNING = {
    character: tuple(code for code, first in zip(_CODES, _FIRST, strict=True) if re.match(first, character))
    for character in (*map(chr, range(33, 127)), *"·•∙–—−")
}

_MORSE_NUMBER = re.compile(rb"\+?[0-9]{7,15}")  # nobody writes any other number so
_MORSE_SCORE = 0.5


_HEX_WITHIN = re.compile(r"\b[0-9a-f]{2}")


def check_trial(look: Look, text: str, start: int, end: int) -> Verdict | None:
    """What a token that begins at ``start`` says in one of these codes."""
    within = _HEX_WITHIN.search(text, start + 1, end)  # behind the sign of another code: email-protection#7506…
    if within and (found := check_packed(_CODES[-1], look, text, within.start(), more=False)) and found.score > 0:
        return found
    for packing in _BEGINNING.get(text[start], ()):
        verdict = check_packed(packing, look, text, start, more=False)
        if verdict is not None and verdict.score > 0:
            return verdict
        if packing.unpack is _morse and verdict is not None and _is_number(text[start : verdict.end]):
            return Verdict(start, verdict.end, _MORSE_SCORE, "PHONE_NUMBER")
    return Verdict(end, end, 0.0)


def _is_number(run: str) -> bool:
    try:
        return _MORSE_NUMBER.fullmatch(_morse(run)) is not None
    except ValueError:
        return False


def trial_recognizers(look: Look) -> list[Recognizer]:
    """What finds all that ``look`` does in such codes."""

    def check(text: str, start: int, end: int, more: bool) -> Verdict | None:
        return check_trial(look, text, start, end)

    rows = [packing.row for packing in _CODES]
    # Those that begin at nearly any character of a token are searched by themselves: base 58 and 85; uuencode.
    parts = ("|".join(rows[:_UU]), rows[_UU], "|".join(rows[_UU + 1 :]))
    return [Recognizer(VIEW, f"(?:{'|'.join(rows)})", check, whole=True, ungated=True, parts=parts, bare=True)]
