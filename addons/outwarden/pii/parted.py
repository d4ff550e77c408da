"""Numbers in parts behind the word that names them, where a layout stands between: the same sign or word each time, the
heads of lines, or anything at all where check digits say what they are.

`phone 407 → 276 → 546`, `| 1 | 9053 |` over `| 2 | 9483 |`, `card: 5328 stop 6265 stop …`, a chunk of each line of a
log. Splitting a number so is evidence by itself: such a one needs no usual groups, and no plus before a country code.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, islice, pairwise, permutations

from outwarden.pii.bank import CARD_WORDS, IBAN_LENGTHS, IBAN_WORDS, PAY_WORDS, is_card, passes_mod_97
from outwarden.pii.national import NUMBERS, Number, context_of
from outwarden.pii.numbering import is_assigned, is_assigned_with_trunk
from outwarden.pii.page import encode
from outwarden.pii.person_numbers import SSN_WORDS, is_valid_area
from outwarden.pii.phone_words import PHONE_WORDS
from outwarden.pii.reading import VIEW
from outwarden.pii.recognizer import Context, Recognizer, Verdict
from outwarden.pii.regexp import Regexp
from outwarden.pii.reserved import is_reserved_phone
from outwarden.pii.spelled import is_count

_SCORE = 0.9
_FIRST_WITHIN = 72  # code points between a label and the first part
_NAMED_WITHIN = 80  # of them, in which a label is looked for
_LENGTH_MAX = 48  # of a value, with signs; no IBAN has more than 34 letters and digits
_WITHOUT_SIGNS = str.maketrans("", "", " .-")
_LINES_MAX = 24
_LINE_MAX = 96
_LABELS_MAX = 5  # the same word so often again within so many code points names no number in parts
_READ, _DIGITS_LEAST = 200, 4  # fewer digits within so many code points: a number of something
_SCATTERED_MIN = 9  # digits
_GAP_MAX = 44  # code points, of a gap that may be anything

_DIGITS = r"[0-9](?:[ .\-]?[0-9])*"
_CAPITALS = r"[A-Z0-9]+(?![a-z])"
_SIGNED_CAPITALS = r"[A-Z0-9][A-Z0-9+\-]*(?![a-z])|[+\-]"
_BETWEEN = r"[^{inside}\n]{{1,32}}?|[^{inside}\n]{{0,12}}\r?\n[^{inside}\n]{{0,16}}?"
_DIGITS_ROW, _CAPITALS_ROW, _SIGNED_ROW = (
    (
        re.compile(part),
        re.compile(rf"(?P<part>{part})(?P<gap>{_BETWEEN.format(inside=inside)})(?={part})"),
    )
    for part, inside in ((_DIGITS, "0-9"), (_CAPITALS, "A-Z0-9"), (_SIGNED_CAPITALS, "A-Z0-9"))
)
_FIRST_DIGIT = re.compile("[0-9]")
_FIRST_CAPITALS = re.compile(r"(?<![A-Za-z0-9])[A-Z0-9]+(?![A-Za-z0-9])")
_STARTS_MAX = 3
# What stands between the items of any list; numbers in even groups or one by one only are one number there.
_LISTING = frozenset(["", ",", ".", "/", "-", ":", ";", "+", "or", "to", "vs", "oder", "x", "*", "="])
_ONE_BY_ONE_MIN = 9
_VALUE_MIN, _VALUE_MAX = 7, 34  # letters and digits
_LIST_MIN = 60  # code points


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of what may be one value, where each stands, and whether a layout alone tells that they are one."""

    said: tuple[str, ...]
    places: tuple[tuple[int, int], ...]
    even: bool
    evident: bool
    sewn: bool = False  # quotation marks, tags or ends of lines stand between: two parts are enough

    @property
    def joined(self) -> str:
        """All parts, without what stands between."""
        return "".join(self.said)

    def only(self, at: int) -> "Parts":
        """One of the parts."""
        return Parts(self.said[at : at + 1], self.places[at : at + 1], self.even, self.evident)

    def up_to(self, count: int) -> "Parts":
        """The first parts."""
        return Parts(self.said[:count], self.places[:count], self.even, self.evident, self.sewn)


_SEAM = re.compile(r"[\"'`\n|]|>.*<|[)\]}].*[(\[{]")


def _parts(texts: Sequence[str], places: Sequence[tuple[int, int]], gap: str, *, line: bool = False) -> Parts:
    sizes = [len(text) for text in texts]
    even = len(set(sizes[:-1])) == 1 and sizes[-1] <= max(sizes[0], 4)
    bare = gap.strip(" \t\"'()[]{}<>|")
    evident = line or "\n" in gap or bare.lower() not in _LISTING or (bare == "" and gap.strip() != "")
    sewn = line or _SEAM.search(gap) is not None
    return Parts(tuple(texts), tuple(places), even, evident, sewn)


def read_row(text: str, at: int, row: tuple[re.Pattern[str], re.Pattern[str]]) -> tuple[Parts | None, int]:
    """Parts from ``at`` on with always the same between them, and how far that goes; too many of them are none."""
    part, first = row
    found = first.match(text, at)
    if found is None:
        return None, at
    gap = found["gap"]
    match, step = part.match, len(gap)
    places = [found.span("part")]
    end, length = places[0][1], 0
    while following := match(text, end + step):
        places.append(following.span())
        end = following.end()
        length += end - following.start()
        if length > _LENGTH_MAX:
            return None, end
        if not text.startswith(gap, end):
            break
    texts = [text[low:high] for low, high in places]
    if row is _DIGITS_ROW:
        texts = [said.translate(_WITHOUT_SIGNS) for said in texts]
    return _parts(texts, places, gap), end


_LAST_DIGITS = re.compile(rf"(?P<head>.{{0,64}}?)(?<![0-9/:,])(?P<part>{_DIGITS})(?P<tail>[^0-9]{{0,24}})\Z")
_LAST_CAPITALS = re.compile(
    r"(?P<head>.{0,64}?)(?P<part>(?<![A-Za-z0-9])[A-Z0-9]+(?![A-Za-z0-9]))(?P<tail>[^A-Z0-9]{0,24})\Z"
)
_ORDINALS = re.compile(r"\b(?:first|second|third|fourth|fifth|sixth|last|next)\b|(?<=[_ ])[a-f]\b|(?<=\b)[a-z](?=\b)")
_NUMBER = re.compile("[0-9]+")
_NAMES = re.compile(r"^[\[\]0-9:> ]{0,12}[A-Za-z]\w{0,15}: $")  # whose turn it is


def read_lines(text: str, at: int, last: re.Pattern[str]) -> Parts | None:
    """The last number of each line from ``at`` on, as long as the lines begin alike."""
    texts: list[str] = []
    places: list[tuple[int, int]] = []
    common: str | None = None  # the first line may begin with anything
    length = 0
    for low, high in _lines(text, at):
        found = last.match(text[low:high])
        if found is None:
            if not texts or high - low > 24:
                break
            continue
        head = _NUMBER.sub("0", found["head"])
        head = "name: " if _NAMES.match(head) else _ORDINALS.sub("0", head)
        if texts and common not in (None, head):
            break
        common = head if texts else None
        texts.append(found["part"].translate(_WITHOUT_SIGNS))
        places.append((low + found.start("part"), low + found.end("part")))
        if (length := length + len(texts[-1])) > _VALUE_MAX:
            return None
    if len(texts) < 2 or (len(texts) == 2 and not _is_mark(common or "")):
        return None
    return _parts(texts, places, "", line=True)


def _is_mark(head: str) -> bool:
    """Whether a head of a line only counts or names it."""
    return len(re.findall(r"[^\W\d_]+", head)) <= 2


def _lines(text: str, at: int) -> Iterator[tuple[int, int]]:
    for _ in range(_LINES_MAX):
        end = text.find("\n", at, at + _LINE_MAX)
        end = end if end >= 0 else min(len(text), at + _LINE_MAX)
        yield at, end - (text[end - 1 : end] == "\r")
        at = end + 1
        if at > len(text):
            return


_ANY_DIGITS = re.compile(rf"{_DIGITS}(?![A-Za-z])")
_ANY_CAPITALS = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Z]{0,6}[0-9][A-Z0-9]*|[A-Z]{1,2}|[A-Z]{3,4}(?=\W+[A-Z0-9]*[0-9]))(?![A-Za-z0-9])"
)


def read_scattered(text: str, at: int, part: re.Pattern[str]) -> Parts | None:
    """The parts from ``at`` on with anything between that is short."""
    texts: list[str] = []
    places: list[tuple[int, int]] = []
    end = at
    while len(texts) < 8 and (found := part.search(text, end, end + _GAP_MAX + 24)):
        if texts and found.start() - end > _GAP_MAX:
            break
        texts.append(found[0].translate(_WITHOUT_SIGNS))
        places.append(found.span())
        end = found.end()
    return Parts(tuple(texts), tuple(places), False, False) if len(texts) >= 2 else None


# --- what a number is

Judge = Callable[[Parts, str], str | None]
"""Take parts and the text before them; return the entity that they are."""


def _phone(parts: Parts, before: str) -> str | None:
    digits = parts.joined
    if not digits.isdecimal() or not 7 <= len(digits) <= 15 or is_reserved_phone(digits) or is_count(digits):
        return None
    ones = all(len(part) == 1 for part in parts.said)
    if not (parts.evident or (ones and len(digits) >= _ONE_BY_ONE_MIN) or (parts.even and len(parts.said[0]) >= 3)):
        return None
    if len(parts.said) == 2 and len(min(parts.said, key=len)) < 3:
        return None
    right = (
        is_assigned_with_trunk(digits)
        if digits.startswith("0") and not digits.startswith("00")
        else is_assigned(digits.removeprefix("00")) or re.fullmatch("[2-9][0-9]{2}[2-9][0-9]{6}", digits) is not None
    )
    return "PHONE_NUMBER" if right else None


def _ssn(parts: Parts, before: str) -> str | None:
    digits = parts.joined
    return "US_SSN" if len(digits) == 9 and digits.isdecimal() and is_valid_area(digits) else None


def _card(parts: Parts, before: str) -> str | None:
    if before.endswith("+"):
        return None  # a telephone's country code, and figures that stand behind it
    return "CREDIT_CARD" if parts.joined.isdecimal() and is_card(parts.joined) else None


def _iban(parts: Parts, before: str) -> str | None:
    value = parts.joined.upper()
    return "IBAN_CODE" if IBAN_LENGTHS.get(value[:2]) == len(value) and passes_mod_97(value) else None


class _National:
    """The kind that its label names, where the check digits are right."""

    def __init__(self, numbers: Sequence[Number]) -> None:
        self._numbers = numbers

    def __call__(self, parts: Parts, before: str) -> str | None:
        value = parts.joined
        if not 7 <= len(value) <= 20 or is_count(value):
            return None
        for number in self._numbers:
            if number.is_valid(value) and number.named.search(before):
                return number.entity
        return None


_MORE_CARDS = Context(
    r"kart[aieyu]?\b|kart numara|kort(?:et|nummer)?\b|kartenn",
    wide=r"卡号|卡號|信用卡|カード|카드|карт|بطاقة|כרטיס|कार्ड|บัตร",
)
_MORE_PHONES = Context(r"txt\b|zap\b|ring\b|direct line|numara|nomor|nummer", wide=r"điện thoại|sđt|☎|📞|📱")


@dataclass(frozen=True, slots=True)
class _Kind:
    words: tuple[Context, ...]
    judge: Judge
    checked: bool
    letters: bool


def _kinds(wanted: frozenset[str]) -> list[_Kind]:
    numbers = [number for number in NUMBERS if number.entity in wanted and number.stdnum]
    kinds = [
        ("CREDIT_CARD", _Kind((CARD_WORDS, PAY_WORDS, _MORE_CARDS), _card, checked=True, letters=False)),
        ("US_SSN", _Kind((SSN_WORDS,), _ssn, checked=False, letters=False)),
        ("IBAN_CODE", _Kind((IBAN_WORDS,), _iban, checked=True, letters=True)),
        ("PHONE_NUMBER", _Kind((PHONE_WORDS, _MORE_PHONES), _phone, checked=False, letters=False)),
    ]
    found = [kind for entity, kind in kinds if entity in wanted]
    if numbers:
        found.insert(0, _Kind((context_of(numbers),), _National(numbers), checked=True, letters=True))
    return found


# The digits of a placeholder, as a model spells it, are no parts: ..NUMBER\_1df611\], and [EMAIL-ADDRESS-d9621f].
_PLACEHOLDER_DIGITS = 6
_PLACEHOLDER = re.compile(
    rf"_[0-9a-f]{{{_PLACEHOLDER_DIGITS}}}(?![0-9A-Za-z])|[\- ](?=[0-9]*[a-f])[0-9a-f]{{6}}(?![0-9A-Za-z])"
)


class _Reader:
    """Reads what stands behind a label."""

    def __init__(self, kinds: Sequence[_Kind]) -> None:
        self._kinds = kinds
        self._labels = {kind: Regexp("|".join(words.pattern for words in kind.words)) for kind in kinds}

    def __call__(self, text: str, start: int, end: int, more: bool) -> Verdict | None:
        first = _FIRST_DIGIT.search(text, end, end + _FIRST_WITHIN)
        if first is None:
            return None
        digit = first.start()
        if text.count(text[start:end], end, end + _READ) >= _LABELS_MAX:
            return None
        if len(_FIRST_DIGIT.findall(text, digit, digit + _READ)) < _DIGITS_LEAST:
            return None
        readings, last = _rows(text, end, digit)
        if not readings and last > digit + _LIST_MIN:
            return Verdict(last, last, 0.0)  # a list without end
        named: Sequence[_Kind] | None = None
        for parts, letters, scattered in chain(readings, _lines_at(text, end, digit), _scattered(text, end)):
            if not _has_length(parts, scattered):
                continue
            if named is None and not (named := self._named(text, parts.places[0][0])):
                return None
            if found := _first_of(named or (), parts, text, letters, scattered):
                return None if _PLACEHOLDER.search(text, found.start - 1, found.end + _PLACEHOLDER_DIGITS) else found
        return None

    def _named(self, text: str, at: int) -> list[_Kind]:
        before = encode(text[max(0, at - _NAMED_WITHIN) : at])
        return [kind for kind in self._kinds if self._labels[kind].search(before) is not None]


_Reading = tuple[Parts, bool, bool]
"""Parts, whether they may have letters, and whether they are scattered: only check digits can tell what they are."""


def _rows(text: str, end: int, digit: int) -> tuple[list[_Reading], int]:
    """The rows that begin with the first digit or with capitals before it; also how far they were read."""
    found: list[_Reading] = []
    last = digit
    if digit == end or not text[digit - 1].isalnum():
        row, last = read_row(text, digit, _DIGITS_ROW)
        if row is not None:
            found.append((row, False, False))
    for token in islice(_FIRST_CAPITALS.finditer(text, end, digit + 1), _STARTS_MAX):
        for kind in (_CAPITALS_ROW, _SIGNED_ROW):
            row, stop = read_row(text, token.start(), kind)
            last = max(last, stop)
            if row is not None:
                found.append((row, True, False))
    return found, last


def _lines_at(text: str, end: int, digit: int) -> Iterator[_Reading]:
    if text.find("\n", digit, digit + _LINE_MAX) < 0:
        return
    line = max(text.rfind("\n", 0, digit) + 1, end)
    if lines := read_lines(text, line, _LAST_DIGITS):
        yield lines, False, False
    if lines := read_lines(text, line, _LAST_CAPITALS):
        yield lines, True, False


def _scattered(text: str, end: int) -> Iterator[_Reading]:
    if parts := read_scattered(text, end, _ANY_DIGITS):
        yield parts, False, True
    if parts := read_scattered(text, end, _ANY_CAPITALS):
        yield parts, True, True


def _has_length(parts: Parts, scattered: bool) -> bool:
    length = len(parts.joined)
    return length >= (_SCATTERED_MIN if scattered else _VALUE_MIN)


def _first_of(kinds: Sequence[_Kind], parts: Parts, text: str, letters: bool, scattered: bool) -> Verdict | None:
    told = scattered and _is_told(text, parts)
    if told:
        parts = Parts(parts.said, parts.places, parts.even, True)
    at = parts.places[0][0]
    before = text[max(0, at - _NAMED_WITHIN) : at]
    for kind in kinds:
        if (letters and not kind.letters) or (scattered and not (kind.checked or told)):
            continue
        if found := _judged(kind, parts, before, scattered):
            return found
    return None


def _judged(kind: _Kind, parts: Parts, before: str, scattered: bool) -> Verdict | None:
    """The longest row of the first parts that is a value."""
    lengths = list(accumulate(map(len, parts.said)))
    for count in range(len(parts.said), 1, -1):
        if not _VALUE_MIN <= lengths[count - 1] <= _VALUE_MAX:
            continue
        some = parts.up_to(count)
        sizes = [len(part) for part in some.said]
        if scattered and not _is_regular(sizes):
            continue
        if count == 2 and not (kind.checked or scattered or some.sewn):
            continue
        entity = kind.judge(some, before)
        if entity is None and scattered and kind.checked and not kind.letters and count <= 4:
            entity = next(filter(None, (kind.judge(turned, before) for turned in _turned(some))), None)
        if entity is not None:
            if any(kind.judge(some.only(at), before) for at in range(count)):
                return None  # others look at one that is whole
            return Verdict(some.places[0][0], some.places[-1][1], _SCORE, entity)
    return None


def _is_regular(sizes: Sequence[int]) -> bool:
    """Whether these are groups of a number that is told, and no dates, times and counts."""
    code = sizes[0] < 3 and len(sizes) > 3  # of a country
    return sum(sizes) >= _SCATTERED_MIN and min(sizes[code:-1]) >= 3 and len(sizes) <= 5


def _turned(parts: Parts) -> Iterator[Parts]:
    """The parts in every other order: the last four first, the middle at the end."""
    for order in permutations(parts.said):
        if order != parts.said:
            yield Parts(order, parts.places, False, False)


_TOLD = re.compile(
    r"(?<![A-Za-z])(?:begins?|starts?|ends?|last|first|next|then|rest|middle|finally|followed|wait|number|prefix|area|still|have"
    r"|exch(?:ange)?|line|suffix|subscriber|station|npa|nxx)(?![A-Za-z])",
    re.IGNORECASE,
)


def _is_told(text: str, parts: Parts) -> bool:
    """Whether each gap says that the number goes on."""
    gaps = [text[low[1] : high[0]] for low, high in pairwise(parts.places)]
    return all(_TOLD.search(gap) for gap in gaps)


def parted_recognizers(wanted: frozenset[str]) -> list[Recognizer]:
    """What finds numbers in parts, of the entities in ``wanted``."""
    kinds = _kinds(wanted)
    if not kinds:
        return []
    label = "|".join(f"(?:{words.pattern})" for kind in kinds for words in kind.words).replace(r"\w*", "")
    names = wanted & {"CREDIT_CARD", "US_SSN", "IBAN_CODE", "PHONE_NUMBER", *(number.entity for number in NUMBERS)}
    return [Recognizer(VIEW, label, _Reader(kinds), whole=True, names=frozenset(names))]
