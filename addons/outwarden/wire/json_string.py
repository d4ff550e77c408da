"""The inside of one JSON string that arrives in pieces: decode it, have it rewritten, spell the edits back."""

import re
from array import array
from bisect import bisect_right
from collections.abc import Sequence

from outwarden.wire.edits import ChannelRewriter, Edit
from outwarden.wire.json_text import escape

_HEX = "[0-9a-fA-F]"
_PAIR = rf"\\u([dD][89abAB]{_HEX}{{2}})\\u([dD][c-fC-F]{_HEX}{{2}})"
# A run of plain characters, a surrogate pair, one code unit, or any other escape.
_UNIT = re.compile(rf'([^"\\]+)|{_PAIR}|\\u({_HEX}{{4}})|\\(.)', re.DOTALL)
# An escape that may still grow: cut in itself, or the first half of a surrogate pair.
_UNFINISHED = re.compile(rf"\\(?:u{_HEX}{{0,3}})?|\\u[dD][89abAB]{_HEX}{{2}}(?:\\(?:u(?:[dD](?:[c-fC-F]{_HEX}?)?)?)?)?")
_UNFINISHED_CHARACTERS_MAX = 11
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class StringChannel:
    """Offsets are characters of the spelled string, from behind its opening quote."""

    def __init__(self, inner: ChannelRewriter) -> None:
        self.decided = 0
        self._inner = inner
        self._read = 0  # characters of the spelling that are decoded
        self._points = 0  # code points that they are
        # Where runs of plain characters, and escapes, begin: in code points and in the spelling. Arrays, because a
        # broken document in a large body is one long string.
        self._run_points = array("q")
        self._run_places = array("q")

    def feed(self, text: str, at: int) -> tuple[int, bool, list[Edit]]:
        """Read ``text`` from ``at`` to the closing quote or the last whole escape.

        Return (where it stopped, whether the quote is there, edits newly decided).
        """
        decoded, end = self._decode(text, at)
        ended = text[end : end + 1] == '"'
        decided, edits = self._inner.feed("".join(decoded)) if decoded else (None, ())
        spelled = self._spell(edits)
        if ended:
            spelled += self.finish()
        elif decided is not None:
            self._forget(decided)
        return end, ended, spelled

    def finish(self) -> list[Edit]:
        """The string is complete, or will never be."""
        spelled = self._spell(self._inner.finish())
        self._forget(self._points)
        return spelled

    def _decode(self, text: str, at: int) -> tuple[list[str], int]:
        decoded: list[str] = []
        for unit in _UNIT.finditer(text, at):
            start, end = unit.span()
            if start != at:
                break  # the closing quote is between
            is_near_end = len(text) - start <= _UNFINISHED_CHARACTERS_MAX
            if is_near_end and unit[1] is None and _UNFINISHED.fullmatch(text, start):
                break
            piece = unit[1] or _unescape(unit)
            self._run_points.append(self._points)
            self._run_places.append(self._read)
            decoded.append(piece)
            self._points += len(piece)
            self._read += end - start
            at = end
        return decoded, at

    def _spell(self, edits: Sequence[Edit]) -> list[Edit]:
        return [
            Edit(
                self._place(edit.start),
                self._place(edit.end),
                escape(edit.replacement, ascii_only=False).decode(),
                edit.entity,
                edit.action,
            )
            for edit in edits
            if edit.replacement is not None
        ]

    def _place(self, point: int) -> int:
        if point >= self._points:
            return self._read
        run = bisect_right(self._run_points, point) - 1
        return self._run_places[run] + point - self._run_points[run]

    def _forget(self, decided: int) -> None:
        self.decided = self._place(decided)
        passed = max(bisect_right(self._run_points, decided) - 1, 0)
        del self._run_points[:passed], self._run_places[:passed]


def _unescape(unit: re.Match[str]) -> str:
    """Decode one escape; an unknown one stands for its own character, half a surrogate pair for U+FFFD."""
    if unit[2] is not None:
        return chr(0x10000 + ((int(unit[2], 16) - 0xD800) << 10) + (int(unit[3], 16) - 0xDC00))
    if unit[4] is not None:
        code = int(unit[4], 16)
        return "\ufffd" if 0xD800 <= code < 0xE000 else chr(code)
    return _SHORT.get(unit[5], unit[5])
