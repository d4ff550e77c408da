"""The inside of one JSON string that arrives in pieces: decode it, have it rewritten, spell the edits back."""

import re
from collections.abc import Sequence

from outwarden.wire.edits import ChannelRewriter, Edit
from outwarden.wire.json_text import escape

_RUN = re.compile(r'[^"\\]+')
_HEX = "[0-9a-fA-F]"
_PAIR = re.compile(rf"\\u([dD][89abAB]{_HEX}{{2}})\\u([dD][c-fC-F]{_HEX}{{2}})")
_POINT = re.compile(rf"\\u({_HEX}{{4}})")
# An escape that may still grow: cut in itself, or the first half of a surrogate pair.
_UNFINISHED = re.compile(rf"\\(?:u{_HEX}{{0,3}})?|\\u[dD][89abAB]{_HEX}{{2}}(?:\\(?:u(?:[dD](?:[c-fC-F]{_HEX}?)?)?)?)?")
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class StringChannel:
    """Offsets are characters of the spelled string, from behind its opening quote."""

    def __init__(self, inner: ChannelRewriter) -> None:
        self.decided = 0
        self._inner = inner
        self._read = 0  # characters of the spelling that are decoded
        self._starts: list[int] = []  # where each decoded and undecided code point begins in the spelling
        self._base = 0  # how many code points came before these

    def feed(self, text: str, at: int) -> tuple[int, bool, list[Edit]]:
        """Read ``text`` from ``at`` to the closing quote or the last whole escape.

        Return (where it stopped, whether the quote is there, edits newly decided).
        """
        decoded, end = self._decode(text, at)
        ended = text[end : end + 1] == '"'
        decided, edits = self._inner.feed("".join(decoded)) if decoded else (self._base, ())
        spelled = self._spell(edits)
        if ended:
            spelled += self.finish()
        else:
            self._forget(decided)
        return end, ended, spelled

    def finish(self) -> list[Edit]:
        """The string is complete, or will never be."""
        spelled = self._spell(self._inner.finish())
        self._forget(self._base + len(self._starts))
        return spelled

    def _decode(self, text: str, at: int) -> tuple[list[str], int]:
        decoded: list[str] = []
        while at < len(text) and text[at] != '"':
            run = _RUN.match(text, at)
            if run is not None:
                piece, end = run[0], run.end()
                self._starts += range(self._read, self._read + len(piece))
            elif _UNFINISHED.fullmatch(text, at):
                break
            else:
                piece, end = _unescape(text, at)
                self._starts.append(self._read)
            decoded.append(piece)
            self._read += end - at
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
        index = point - self._base
        return self._starts[index] if index < len(self._starts) else self._read

    def _forget(self, decided: int) -> None:
        self.decided = self._place(decided)
        del self._starts[: decided - self._base]
        self._base = decided


def _unescape(text: str, at: int) -> tuple[str, int]:
    """Decode the escape at ``at``; an unknown one stands for its own character, half a pair for U+FFFD."""
    if pair := _PAIR.match(text, at):
        high, low = int(pair[1], 16), int(pair[2], 16)
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)), pair.end()
    if point := _POINT.match(text, at):
        code = int(point[1], 16)
        return "\ufffd" if 0xD800 <= code < 0xE000 else chr(code), point.end()
    return _SHORT.get(text[at + 1], text[at + 1]), at + 2
