"""Where names are looked for: in prose, not in fences of code, diffs, keys and certificates, nor in source (`code`).

A text is read from left to right and falls into units (`words`); what is decided of a unit depends on the text before
it alone. So a text that arrives in pieces falls into the same units.
"""

import re
from typing import NamedTuple

from outwarden.pii.names.code import Judge
from outwarden.pii.names.records import is_record, names_in
from outwarden.pii.names.words import unit_ends

# At the beginning of a line: what is no prose until its end.
_BLOCK = re.compile(
    r"^(?:[ \t>]{0,12}(?:[-*][ \t]{1,3})?(?P<fence>`{3,16}|~{3,16})"
    r"|(?P<key>-----BEGIN [A-Z])"
    r"|(?P<diff>diff --git |@@ -\d))",
    re.MULTILINE,
)
_KEY_END = re.compile(r"^-----END [^\n]{0,80}", re.MULTILINE)
_DIFF_END = re.compile(
    r"^(?![ +\-@\\]|diff |index |new file|deleted file|old mode|new mode|similarity|rename |Binary )", re.MULTILINE
)
# So much of a line tells whether it ends a block.
_LINE_KNOWN = 100


class Unit(NamedTuple):
    """``text[start:end]`` is to be looked at."""

    start: int
    end: int


class Prose:
    """Finds the units of one text, fed from left to right."""

    __slots__ = ("_closing", "_judge", "_line_start")

    def __init__(self) -> None:
        self._closing: re.Pattern[str] | None = None  # what ends the block that is open
        self._judge = Judge()
        self._line_start = True

    def units(self, text: str, *, more: bool) -> tuple[int, list[Unit]]:
        """Take all text that has not settled; return how much settles now, and the units in it.

        ``more``: text may follow. Without, all of it settles.
        """
        units: list[Unit] = []
        at = 0
        while at < len(text):
            line_start = self._line_start if at == 0 else text[at - 1] == "\n"
            closing = self._closing
            if closing is not None:
                end = self._skip(text, at, line_start, more)
            else:
                end = self._read(text, at, line_start, more, units)
            if end == at and self._closing is closing:
                break  # the rest waits for more
            at = end
        if at:
            self._line_start = text[at - 1] == "\n"
        return at, [unit for unit in units if self._is_wanted(text[unit.start : unit.end])]

    def _is_wanted(self, said: str) -> bool:
        return is_record(said) or bool(names_in(said)) or self._judge.wants(said)

    def _skip(self, text: str, at: int, line_start: bool, more: bool) -> int:
        """Pass over a block; return where what is known of it ends."""
        closing = self._closing
        assert closing is not None
        found = _at_line(closing, text, at, line_start)
        if found is not None:
            if more and _may_change(found, text):
                return found.start()
            self._closing = None
            return found.end()
        if not more:
            self._closing = None
            return len(text)
        last = max(at, text.rfind("\n", at) + 1)  # the last line may turn out to be the end
        return last if len(text) - last < _LINE_KNOWN else len(text)

    def _read(self, text: str, at: int, line_start: bool, more: bool, units: list[Unit]) -> int:
        """Read prose up to the next block; return where what is known ends."""
        found = _at_line(_BLOCK, text, at, line_start)
        end = len(text) if found is None else found.start()
        start = at
        for stop in unit_ends(text[at:end]):
            units.append(Unit(start, at + stop))
            start = at + stop
        if found is None:
            if more:
                return start
        elif more and found.end() == len(text):
            return start  # the fence may grow
        if start < end:
            units.append(Unit(start, end))
        if found is not None:
            self._closing = _closing(found)
            return found.end()
        return end


def _at_line(pattern: re.Pattern[str], text: str, at: int, line_start: bool) -> re.Match[str] | None:
    """Search from ``at``; the pattern's line begin counts there only if one is."""
    found = pattern.search(text, at)
    if found is not None and found.start() == at and not line_start:
        found = pattern.search(text, at + 1)
    return found


def _may_change(found: re.Match[str], text: str) -> bool:
    """Whether the line that ends a block is not all there yet."""
    rest = text[found.start() : found.start() + _LINE_KNOWN]
    return len(rest) < _LINE_KNOWN and "\n" not in rest


def _closing(found: re.Match[str]) -> re.Pattern[str]:
    if found["fence"]:
        mark = re.escape(found["fence"])
        return re.compile(rf"^[ \t>]{{0,12}}{mark}[`~]{{0,16}}[ \t]{{0,16}}(?:\n|\Z)", re.MULTILINE)
    return _KEY_END if found["key"] else _DIFF_END
