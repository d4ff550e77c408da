"""What may be meant by what stands behind a label, in each known way to write a value."""

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, product

from outwarden.pii.atoms import ROMAN, ROMANS
from outwarden.pii.dictated import LETTERS
from outwarden.pii.folding import Folded, rewrite
from outwarden.pii.saying import Said, listen
from outwarden.pii.tongues import VALUES

_FIRST_WITHIN = 40  # code points behind a label, in which the value begins
_STARTS_MAX = 8  # tokens with which it may begin


@dataclass(frozen=True, slots=True)
class Meant:
    """What a stretch says in one reading; ``evident``: the writing tells that it is one value, and no list."""

    said: str
    start: int
    end: int
    evident: bool = True


Reading = Callable[[Folded], Iterator[Meant]]
"""What may be meant by what stands behind a label."""

_SOUNDS = re.compile(rf"(?<![^\W_])(?:{'|'.join(sorted(LETTERS, key=len, reverse=True))})(?![^\W_])", re.IGNORECASE)
_SMALL = re.compile(r"(?<![\w'])[b-np-z](?![\w'])|(?<![\w'])a(?= [A-Za-z] )")
_TOKEN = re.compile(r"[A-Za-z0-9]+")
_SAID_MAX = 44
_PREFIX_MAX, _SIGNS_OF_NUMBERS = 3, frozenset(".-/")  # pm.18.31.00.b


def spoken(read: Folded) -> Iterator[Meant]:
    """Digits in words, letters by themselves or in a phonetic alphabet."""
    sounded = rewrite(read, _SOUNDS, lambda word: LETTERS[word[0].lower()].upper())
    told = rewrite(sounded, _SMALL, lambda letter: letter[0].upper())
    for at in _starts(told.text):
        said = listen(told, at, _SAID_MAX, letters=_SAID_MAX)
        for stop in [len(said.text), *reversed(said.groups[1:])][:12] if said.text else []:
            low, high = said.places[0][0], said.places[stop - 1][1]
            pieces = _TOKEN.findall(read.text, *_inside(read, low, high))
            if len(pieces) > 2 and (any(map(_is_word, pieces)) or max(map(len, pieces)) == 1):
                yield Meant(said.text[:stop], low, high)
                if said.words >= _OCTETS and len(said.groups) == _OCTETS and stop == len(said.text):
                    yield Meant(".".join(_groups(said)), low, high)


_OCTETS = 4


def _groups(said: Said) -> Iterator[str]:
    ends = [*said.groups[1:], len(said.text)]
    return (said.text[first:last] for first, last in zip(said.groups, ends, strict=True))


def _is_word(piece: str) -> bool:
    return len(piece) > 1 and piece.isalpha() and not piece.isupper()


def _starts(text: str) -> Iterator[int]:
    """Where a value may begin: with a digit, a letter, or a word for one."""
    tokens = (token for token in _TOKEN.finditer(text, 0, _FIRST_WITHIN) if _may_begin(text, token))
    return (token.start() for token in islice(tokens, _STARTS_MAX))


def _may_begin(text: str, token: re.Match[str]) -> bool:
    said = token[0]
    if said.isupper() or said.lower() in VALUES or any(map(str.isdecimal, said)):
        return True
    if said[0].isupper() and len(said) <= _PREFIX_MAX and not _ALIKE.keys().isdisjoint(said):
        return True
    return len(said) <= _PREFIX_MAX and text[token.end() : token.end() + 1] in _SIGNS_OF_NUMBERS


def _inside(read: Folded, low: int, high: int) -> tuple[int, int]:
    """The indexes of ``read`` for what stands in the original from ``low`` up to ``high``."""
    first = next((at for at, place in enumerate(read.starts) if place >= low), len(read.starts))
    last = next((at for at, place in enumerate(read.starts) if place >= high), len(read.starts))
    return first, last


_PART = re.compile(
    r"[0-9]+(?![A-Za-z])|[A-Z]{1,6}(?![A-Za-z0-9])|[A-Za-z](?![A-Za-z0-9])|(?=[A-Za-z]*[0-9])[A-Za-z0-9]+"
)
_GAP = re.compile(r"[^A-Za-z0-9\n]{1,6}|[^A-Za-z0-9]{0,6}\n[^A-Za-z0-9]{0,6}")
# Such a sign joins the parts of a number; others also those of a list.
_JOINING = re.compile(r"[*~|_#^·•→➡>=+\"'`]|[^\x00-\x7f]")
_PARTS_MAX = 40


def apart(read: Folded) -> Iterator[Meant]:
    """Characters and groups with any signs between."""
    for at in _starts(read.text.replace("_", " ")):
        parts: list[re.Match[str]] = []
        gaps: list[str] = []
        place = at
        while len(parts) < _PARTS_MAX and (part := _PART.match(read.text, place)):
            parts.append(part)
            gap = _GAP.match(read.text, part.end())
            if gap is None:
                break
            gaps.append(gap[0])
            place = gap.end()
        for count in range(len(parts), 1, -1):
            own = gaps[: count - 1]
            sizes = {len(part[0]) for part in parts[:count]}
            joining = len(set(own)) == 1 and (sizes == {1} or (count > 2 and _JOINING.search(own[0]) is not None))
            low, high = read.span(parts[0].start(), parts[count - 1].end())
            yield Meant("".join(part[0] for part in parts[:count]), low, high, evident=joining and "," not in own[0])
            if count > 12:
                continue


_PACKED = re.compile(r"(?<![A-Za-z0-9+/])(?=[A-Z0-9+/]*[a-z]|[A-Za-z0-9+/]*=)[A-Za-z0-9+/]{6,}={0,2}(?![A-Za-z0-9+/])")
_CODED = re.compile(r"(?i:b64|base.?64|enc)")
_SIZES = (6, 4)  # bytes: of a hardware address, of IPv4


def packed(read: Folded) -> Iterator[Meant]:
    """A token in base 64: of text, or of the bytes of an address."""
    for token in islice(_PACKED.finditer(read.text), 3):
        try:
            data = base64.b64decode(token[0] + "=" * (-len(token[0]) % 4), validate=True)
        except ValueError:
            continue
        low, high = read.span(token.start(), token.end())
        if data.isascii() and (said := data.decode().strip()).isprintable() and len(said) > 4:
            yield Meant(said, low, high)
        elif (len(data) == 6 or token[0].endswith("==")) and len(data) in _SIZES and _CODED.search(read.text):
            yield Meant(data.hex() if len(data) == 6 else ".".join(map(str, data)), low, high)


_FORMATTED = re.compile(
    r"(?<![\w.,])(?:(?P<thousands>[0-9]{1,3}(?:(?P<sign>[,.' ])[0-9]{3})(?:(?P=sign)[0-9]{3}){1,4})(?:[.,]0+)?"
    r"|(?P<whole>[0-9]{7,17})[.,]0{1,2}|(?P<first>[0-9])[.,](?P<rest>[0-9]{6,16})[eE]\+?(?P<power>[0-9]{1,2}))(?![\w.,]*[0-9])"
)


def formatted(read: Folded) -> Iterator[Meant]:
    """A number as a spreadsheet or a program shows an amount: with a fraction, a power of ten, thousands apart."""
    for number in islice(_FORMATTED.finditer(read.text), 2):
        if number["power"]:
            said = (number["first"] + number["rest"]).ljust(int(number["power"]) + 1, "0")
        else:
            said = "".join(filter(str.isdecimal, number["thousands"] or number["whole"]))
        yield Meant(said, *read.span(number.start(), number.end()))


# The bytes of a hardware address: in decimal with points, in halves, with any one sign.
_SIX_BYTES = re.compile(
    r"(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){5}(?![\w.])"
    r"|(?<![A-Za-z0-9])[0-9A-Fa-f]{6}[\-:. _][0-9A-Fa-f]{6}(?![A-Za-z0-9])"
    r"|(?<![A-Za-z0-9])[0-9A-Fa-f]{2}(?:(?P<sign>[ _.])[0-9A-Fa-f]{2})(?:(?P=sign)[0-9A-Fa-f]{2}){4}(?![A-Za-z0-9])"
)


def six_bytes(read: Folded) -> Iterator[Meant]:
    for found in islice(_SIX_BYTES.finditer(read.text), 3):
        parts = found[0].split(".")
        decimal = len(parts) == 6 and all(part.isdecimal() for part in parts)
        if decimal and max(map(int, parts)) > 255:
            continue
        said = (
            "".join(f"{int(part):02x}" for part in parts)
            if decimal
            else "".join(_TOKEN.findall(found[0].replace("_", " ")))
        )
        yield Meant(said, *read.span(found.start(), found.end()))


_ONE_BYTE = r"(?:0[xX][0-9A-Fa-f]{1,2}|[0-9]{1,3})"
# Four numbers in brackets, with their names or of a program; four bytes in hexadecimal.
_FOUR_BYTES = re.compile(
    rf"[\[({{<][\s\"']{{0,2}}(?P<list>{_ONE_BYTE}(?:[\"']?[,;][\s\"']{{0,3}}{_ONE_BYTE}){{3}})[\s\"']{{0,2}}[\])}}>]"
    rf"|(?P<named>(?:[\"']?\w{{1,8}}[\"']?\s?[:=]\s?[\"']?{_ONE_BYTE}[\"']?[,;}}\s]{{1,3}}){{4}})"
    r"|(?P<bits>(?<![01])[01]{8}(?:[. ][01]{8}){3}(?![01]))"
    r"|(?P<hex>(?<![\w.])0[xX][0-9A-Fa-f]{1,2}(?:[.,:; ]{1,2}0[xX][0-9A-Fa-f]{1,2}){3}(?![\w.])"
    r"|(?<![A-Za-z0-9:.])(?<![0-9A-Fa-f]{2} )[0-9A-Fa-f]{2}(?: [0-9A-Fa-f]{2}){3}(?! ?[A-Fa-f0-9]{2}\b)(?=\W))"
)
_BYTE_IN = re.compile(rf"(?<!\w){_ONE_BYTE}(?!\w)(?!\s?[:=])|(?<!\w)[0-9A-Fa-f]{{2}}(?!\w)")


def four_bytes(read: Folded) -> Iterator[Meant]:
    for found in islice(_FOUR_BYTES.finditer(read.text), 3):
        kind = str(found.lastgroup)
        parts = _BYTE_IN.findall(found[kind]) if kind != "bits" else re.findall("[01]+", found[kind])
        octets = [
            int(part, 2 if kind == "bits" else 16 if kind == "hex" or part[:2] in ("0x", "0X") else 10)
            for part in parts
        ]
        yield Meant(".".join(map(str, octets)), *read.span(*found.span(kind)))


_RUN = re.compile(r"[A-Za-z0-9]+(?:[ ./\-][A-Za-z0-9]+){0,5}")
_LEADING = re.compile(r"00[1-9][0-9]{8,13}(?=[A-Za-z])")  # a word stands right behind
BACKWARDS = re.compile(r"(?i:revers|backward|rückwärts|envers|al rev[eé]s|right to left|au contraire|al contrario)")
_ALIKE = {"O": "0", "o": "0", "0": "O", "l": "1", "I": "1", "1": "I", "S": "5", "5": "S", "B": "8", "8": "B", "Z": "2"}
_ALIKE_MAX, _SCANNED_MAX = 5, 18


def plain(read: Folded) -> Iterator[Meant]:
    """A run as it stands (in other characters than it seems, or right behind its label), or from its end."""
    backwards = BACKWARDS.search(read.text) is not None
    for at in _starts(read.text):
        run = _RUN.match(read.text, at)
        assert run is not None
        pieces = list(_TOKEN.finditer(read.text, at, run.end()))
        for count in range(len(pieces), 0, -1):
            low, high = at, pieces[count - 1].end()
            said = read.text[low:high]
            yield Meant(said, *read.span(low, high), evident=False)
            leading = _LEADING.match(said) if count == 1 else None
            if leading is not None:
                yield Meant(leading[0], *read.span(low, low + leading.end()))
            if backwards:
                yield Meant(said[::-1], *read.span(low, high))


def scanned(read: Folded) -> Iterator[Meant]:
    """A run in which a scanner took digits for letters, or letters for digits."""
    for at in islice(_starts(read.text), 3):
        run = _RUN.match(read.text, at)
        assert run is not None
        pieces = list(_TOKEN.finditer(read.text, at, run.end()))
        for count in range(min(len(pieces), 6), 0, -1):
            said = read.text[at : pieces[count - 1].end()]
            choices = [one + _ALIKE.get(one, "") for one in said]
            if len(said) <= _SCANNED_MAX and 0 < sum(len(one) > 1 for one in choices) <= _ALIKE_MAX:
                place = read.span(at, at + len(said))
                yield from (Meant("".join(one), *place, evident=False) for one in product(*choices))


def romans(read: Folded) -> Iterator[Meant]:
    """One Roman numeral for each digit."""
    for row in islice(ROMANS.finditer(read.text), 1):
        yield Meant("".join(ROMAN[one] for one in re.findall("[INVX]+", row[0])), *read.span(*row.span()))
