"""Names in records rather than prose: the fields of HL7 v2 segments, and names written LAST^FIRST^MIDDLE as in DICOM.

What such a field means follows from its segment and its number, so no model is asked, and none of its words is needed.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from outwarden.pii.finder import Span

# Segment: its fields that name persons (HL7 v2.5.1, data types XPN, XCN, CN and NDL, of chapters 2 to 11).
PERSON_FIELDS: dict[str, frozenset[int]] = {
    segment: frozenset(map(int, fields.split()))
    for segment, fields in (
        line.split(": ")
        for line in (
            "PID: 5 6 9",
            "PD1: 4",
            "NK1: 2 26 30",
            "PV1: 7 8 9 17 52",
            "PV2: 13",
            "MRG: 7",
            "GT1: 3 4 42 45",
            "IN1: 6 16",
            "IN2: 9 40 49",
            "IN3: 14",
            "ORC: 10 11 12 19",
            "OBR: 10 16 28 32 33 34 35",
            "OBX: 16 25",
            "DG1: 16",
            "PR1: 8 11 12",
            "ROL: 4",
            "AIP: 3",
            "SCH: 12 16 20",
            "TXA: 5 9 10 11 22",
            "EVN: 5",
            "STF: 3",
            "PRD: 2",
            "CTD: 2",
            "FT1: 20 21",
            "RXO: 14 15",
            "RXE: 13 14",
            "RXA: 10",
            "RXD: 10",
        )
    )
}
_SCORE = 0.95  # the standard says what the field is
_FORM_SCORE = 0.85
# Family, given and further names, suffix, prefix, degree.
_PARTS = 6
_SEGMENT = re.compile(rf"(?<![A-Za-z0-9])(?P<name>{'|'.join(PERSON_FIELDS)})\|")
_HEADER = re.compile(rf"{_SEGMENT.pattern}|(?:^|[\r\n\x0b])[A-Z][A-Z0-9]{{2}}\|[^|\r\n]*\|")
_LINE = re.compile(r"[^\r\n]+")
_FIELD = re.compile(r"[^|\r\n]*\||[^|\r\n]+")
_SPACES_MIN = 3  # a street or a test has fewer
_CAPITAL = r"(?=[^\W_a-zß-öø-ÿ])"
_PART = rf"{_CAPITAL}[^\W\d_]+(?:['\u2019.\-]{{1,2}}[^\W\d_]+|\.? {_CAPITAL}[^\W\d_]+){{0,3}}"
# Two parts at least, each of two letters or more; what follows may be an initial, a title, or nothing.
_FORM = re.compile(
    rf"(?<![\w^&|.])(?P<name>(?=[^\W\d_]['\u2019]?[^\W\d_]){_PART}\^(?=[^\W\d_]['\u2019]?[^\W\d_]){_PART}"
    rf"(?:\^(?:{_PART}\.?)?){{0,4}})(?![\w(]|\^\w)"
)


def is_record(unit: str) -> bool:
    """Whether a unit holds segments, whose fields `names_in` reads."""
    return "|" in unit and _HEADER.search(unit) is not None


def prose_of(unit: str) -> str:
    """A unit with blanks for all of its segments but the fields in which somebody wrote sentences (notes, results)."""
    if not is_record(unit):
        return unit
    return _FIELD.sub(lambda field: field[0] if field[0].count(" ") >= _SPACES_MIN else " " * len(field[0]), unit)


def names_in(unit: str, is_word: Callable[[str], bool] = bool) -> list[Span]:
    """The names that stand in fields of segments, or are written with ^ between their parts; linear in the unit.

    ``is_word``: whether a word may be something else than a name. Segments written by hand often have a field too many
    or too few, so a field of another number counts if both its parts can only be names.
    """
    if is_record(unit):
        return [span for line in _LINE.finditer(unit) for span in _in_segment(unit, line.start(), line.end(), is_word)]
    if "^" not in unit:
        return []
    found = (match.span("name") for match in _FORM.finditer(unit))
    return [Span(start, _trimmed(unit, start, end), "PERSON", _FORM_SCORE) for start, end in found]


def _in_segment(unit: str, start: int, end: int, is_word: Callable[[str], bool]) -> Iterator[Span]:
    segment = _SEGMENT.search(unit, start, end)
    if segment is None:
        return
    wanted = PERSON_FIELDS[segment["name"]]
    at = segment.end()
    for number, field in enumerate(unit[at:end].split("|"), 1):
        if field:
            near = not wanted.isdisjoint((number - 1, number + 1))
            yield from _in_field(unit, at, field, None if number in wanted else partial(_only_name, is_word, near))
        at += len(field) + 1


def _in_field(unit: str, at: int, field: str, admits: Callable[[Sequence[str]], bool] | None) -> Iterator[Span]:
    """The names in a field: one, or several with ~ between; each may begin with an id. ``admits``: which of them."""
    for value in field.split("~"):
        first = value.partition("^")[0]
        mark = "&" if "&" in first else "^"  # a name may be a part by itself (NDL)
        parts = (first if mark == "&" else value).split(mark)
        skipped = 1 if len(parts) > 1 and (not parts[0] or any(map(str.isdigit, parts[0]))) else 0
        parts_of_name = parts[skipped : skipped + _PARTS]
        if _is_name(parts_of_name) and (admits is None or admits(parts_of_name)):
            start = at + sum(len(part) + 1 for part in parts[:skipped])
            end = start + len(mark.join(parts_of_name))
            yield Span(start, _trimmed(unit, start, end), "PERSON", _SCORE)
        at += len(value) + 1


def _is_name(parts: Sequence[str]) -> bool:
    return sum(map(str.isalpha, "".join(parts))) > 1 and not any(map(str.isdigit, parts[0]))


def _only_name(is_word: Callable[[str], bool], near: bool, parts: Sequence[str]) -> bool:
    """Whether a given name, and a family name unless a field of names is ``near``, are hardly anything else: the parts
    of SPO^Spouse are a code and what it means.
    """
    said = [part.split() for part in parts[:2]]
    if len(said) < 2 or not all(said) or len(said[0][0]) < 3 - near or len(said[1][0]) < 3:
        return False
    told = said[1][:1] if near else [*said[0], *said[1][:1]]
    return all(map(str.isalpha, said[0] + said[1])) and not any(map(is_word, told))


def _trimmed(unit: str, start: int, end: int) -> int:
    """``end`` without empty parts before it."""
    return start + len(unit[start:end].rstrip("^& "))
