"""Dates of birth in tables, where the name of a column tells that its dates are such: `name;mrn;dob` over rows."""

import re
from collections.abc import Iterator

from outwarden.pii.births import ENTITY, read_birth
from outwarden.pii.columns import cells
from outwarden.pii.finder import Span
from outwarden.pii.page import Page, texts_with
from outwarden.pii.regexp import Regexp

_SCORE = 0.85
_NAMES = (
    r"(?:(?:patient|pt|client|member|customer|employee|subscriber|child|student)(?:'?s)?[ _.\-]?)?"
    r"(?:d\.?o\.?b\.?|(?:date[ _\-]?of[ _\-]?)?birth(?:[ _\-]?(?:date|day|dt))?|born(?:[ _]on)?"
    r"|geb(?:oren|urtsdatum|urtstag|\.|\.?[ _\-]?(?:dat(?:um|\.)?|am))?|(?:date[ _]de[ _])?naissance|ddn|n[ée]e?[ _]le"
    r"|(?:fecha[ _](?:de[ _])?)?nac(?:imiento|\.)|f\.?[ _]?nac\.?|fdn|(?:data[ _]di[ _])?nascita|nat[oa][ _]il"
    r"|(?:data[ _]de[ _])?nascimento|geboortedatum|(?:data[ _])?urodzenia"
    r"|f[öo]delse(?:datum|dag)|f[øo]dsels(?:dato|dag)"
    r"|syntym[äa]aika|do[ğg]um[ _]tarihi|datum[ _](?:narozen[íi]|narodenia|rojstva|ro[đd]enja)"
    r"|sz[üu]let[ée]si[ _](?:d[áa]tum|id[őo])"
    r"|data[ _]na[șs]terii)"
)
_HEADS = re.compile(f"(?i){_NAMES}")
_HINT = Regexp(rf"(?i)\b{_NAMES}[\"']?[ ]*[,;|\t]|[,;|\t][ ]*[\"']?{_NAMES}(?:[\"'\s]|$)")


class BirthColumns:
    """Finds dates in the columns that are called after birth."""

    entities = frozenset({ENTITY})

    def __repr__(self) -> str:
        return "<BirthColumns>"

    def find(self, page: Page) -> dict[int, list[Span]]:
        """The findings in each text with any; most texts have no such column."""
        return {
            index: [Span(start, end, ENTITY, _SCORE) for start, end in _find(page.texts[index])]
            for index in texts_with(_HINT.search, page)
        }


def _find(text: str) -> Iterator[tuple[int, int]]:
    for cell in cells(text, _HEADS):
        date = read_birth(text[cell.start : cell.end], 0)
        if date is not None:
            yield cell.start + date[0], cell.start + date[1]
