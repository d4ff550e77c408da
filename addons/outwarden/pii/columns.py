"""Tables in text: rows of cells between commas, semicolons, tabs or pipes under a row that names the columns.

What a cell holds is what its column is called; nothing in the cell itself need tell.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

# Rows of tables are short; a longer line is prose with commas, or data that nobody wrote.
_ROW_MAX, _COLUMNS_MAX = 2000, 64
_DELIMITERS = "\t|;,"
_LINE = re.compile(r"[^\r\n]+")
_RULE = re.compile(r"[\s|:+=-]+")  # the line below the head of a Markdown table
_AROUND = " \t\"'"
_HEAD_CHARACTERS = 40  # of a cell that names a column


class Cell(NamedTuple):
    """``text[start:end]`` stands in the column ``head`` (without quotes and space around) under the row ``line``."""

    start: int
    end: int
    head: str
    line: str


def cells(text: str, heads: re.Pattern[str]) -> Iterator[Cell]:
    """Yield the cells of the columns whose name ``heads`` matches in full, without quotes; linear in the text."""
    columns: Sequence[str] = ()  # the names of the columns, those that are not asked for empty
    delimiter = named = ""
    for line in _LINE.finditer(text):
        if line.end() - line.start() > _ROW_MAX:
            columns = ()
            continue
        if columns:
            parts = _split(text, line.start(), line.end(), delimiter)
            if len(parts) == len(columns) or _RULE.fullmatch(text, line.start(), line.end()):
                for (start, end), head in zip(parts, columns, strict=False):
                    if head and start < end and not _RULE.fullmatch(text, start, end):
                        yield Cell(start, end, head, named)
                continue
        columns, delimiter = _head(text, line.start(), line.end(), heads)
        named = line[0]


def _head(text: str, start: int, end: int, heads: re.Pattern[str]) -> tuple[Sequence[str], str]:
    """The wanted columns that a line names, and what stands between them; none if it is no head of a table."""
    line = text[start:end]
    for delimiter in _DELIMITERS:
        if not 0 < line.count(delimiter) < _COLUMNS_MAX:
            continue
        if not any(heads.fullmatch(cell.strip(_AROUND)) for cell in line.split(delimiter)):
            continue
        names = [text[low:high] for low, high in _split(text, start, end, delimiter)]
        if max(map(len, names)) > _HEAD_CHARACTERS or any(map(str.isdigit, "".join(names))):
            continue
        wanted = [name if heads.fullmatch(name) else "" for name in names]
        if any(wanted) and len(wanted) > 1:
            return wanted, delimiter
    return (), ""


def _split(text: str, start: int, end: int, delimiter: str) -> list[tuple[int, int]]:
    """Where the cells of a row begin and end, without space and quotes around; quoted ones may hold the delimiter."""
    places, at, quoted = [], start, False
    for here in range(start, end):
        if text[here] == '"':
            quoted = not quoted
        elif text[here] == delimiter and not quoted:
            places.append(_bare(text, at, here))
            at = here + 1
    places.append(_bare(text, at, end))
    if delimiter == "|":  # a row may begin and end with one
        places = places[places[0][0] == places[0][1] and len(places) > 2 :]
        places = places[:-1] if len(places) > 2 and places[-1][0] == places[-1][1] else places
    return places


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in _AROUND:
        start += 1
    while start < end and text[end - 1] in _AROUND:
        end -= 1
    return start, end
