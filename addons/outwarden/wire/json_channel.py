"""Rewrite a text in pieces that may be a JSON document: its strings are texts of their own, its grammar stays.

Tool arguments arrive so, and answers to a request with a schema. A document is recognised by its first character and
read by the grammar; nothing is given away before the next token has proved that it still is one. The first token that
does not fit makes the rest a plain text, from the last place that was not given away.
"""

import re
from collections.abc import Sequence

from outwarden.wire.edits import ChannelRewriter, Edit, TextRewriter, apply_edits
from outwarden.wire.json_string import StringChannel
from outwarden.wire.json_text import LONG_NUMBER, escape
from outwarden.wire.json_tree import MAX_DEPTH, MAX_NESTING

# A string that is there as a whole and needs no decoding, nor begins a document of its own.
_PLAIN_STRING = re.compile(r'"([^"\\ \t\r\n\[{][^"\\]*)?"')
_SPACE = re.compile(r"[ \t\r\n]*")
_FIRST = re.compile(r"[\[{][ \t\r\n]*(?:([A-Za-z0-9+.\-]+)|(.?))", re.DOTALL)
_SCALAR = re.compile(r"[A-Za-z0-9+.\-]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NUMBER_SO_FAR = re.compile(r"-?[0-9]*(?:\.[0-9]*)?(?:[eE][+-]?[0-9]*)?")
_WORDS = ("true", "false", "null", "NaN", "Infinity", "-Infinity")
# The longest double has 767 significant digits; a "number" beyond that is text that happens to be digits.
_SCALAR_CHARACTERS_MAX = 800

_VALUE, _VALUE_OR_END, _KEY, _KEY_OR_END, _COLON, _AFTER, _END = range(7)


class JsonChannel:
    """A channel over a text that is read as JSON objects and arrays (JSON lines are several) for as long as it is that.

    ``nesting`` counts the documents around it, itself included: a string of a document may be a document again.
    ``within``: the brackets that are open behind a value of a document, which is read and ends at ``at``.
    """

    def __init__(self, rewriter: TextRewriter, nesting: int = 1, *, within: str = "", at: int = 0) -> None:
        self._rewriter = rewriter
        self._nesting = nesting
        self._plain: ChannelRewriter | None = None
        self._string: StringChannel | None = None
        self._string_at = 0  # offset of the first character inside that string
        self._base = at  # offset of the first character of ``_text`` in the channel
        self._text = ""
        self._given = 0  # ``_text`` is decided up to here
        self._at = 0  # and read up to here
        self._open: list[str] = [*within]
        self._state = _AFTER if within else _VALUE

    def feed(self, text: str) -> tuple[int, Sequence[Edit]]:
        """Take the next piece; return (offset up to which all is decided, edits newly decided)."""
        if self._plain is not None:
            decided, found = self._plain.feed(text)
            return self._base + decided, _moved(found, self._base) if self._base else found
        self._text += text
        edits: list[Edit] = []
        while self._plain is None and self._read(edits):
            pass
        self._base += self._given
        self._text = self._text[self._given :]
        self._at -= self._given
        self._given = 0
        if self._plain is not None:
            decided, more = self._feed_plain(self._plain, self._text)
            self._text = ""
            return decided, edits + more
        return self._string_at + self._string.decided if self._string else self._base, edits

    def finish(self) -> Sequence[Edit]:
        """No more text: what never became a whole document is plain text."""
        if self._string is not None:
            return _moved(self._string.finish(), self._string_at)
        edits: list[Edit] = []
        if self._plain is None and self._text:
            self._plain = self._rewriter.channel()
            edits = self._feed_plain(self._plain, self._text)[1]
        return edits + _moved(self._plain.finish(), self._base) if self._plain is not None else edits

    def _feed_plain(self, plain: ChannelRewriter, text: str) -> tuple[int, list[Edit]]:
        decided, edits = plain.feed(text)
        return self._base + decided, _moved(edits, self._base)

    def _read(self, edits: list[Edit]) -> bool:
        return self._read_token(edits) if self._string is None else self._read_string(self._string, edits)

    def _read_string(self, string: StringChannel, edits: list[Edit]) -> bool:
        end, ended, new = string.feed(self._text, self._at)
        edits += _moved(new, self._string_at)
        self._at = self._given = end + ended
        if ended:
            self._string = None
            self._after_string()
        return ended

    def _after_string(self) -> None:
        self._state = _COLON if self._state in (_KEY, _KEY_OR_END) else _AFTER

    def _read_token(self, edits: list[Edit]) -> bool:
        """Read the next token of the grammar; return whether there was one. No token fits: plain from here on."""
        self._at = _end_of(_SPACE, self._text, self._at)
        if self._at == len(self._text):
            return False
        character = self._text[self._at]
        if character == '"' and self._open and self._state in (_VALUE, _VALUE_OR_END, _KEY, _KEY_OR_END):
            self._enter_string(edits)
        elif character in "{[" and self._state in (_VALUE, _VALUE_OR_END, _END) and len(self._open) < MAX_DEPTH:
            self._enter(character)
        elif self._ends(character):
            self._leave()
        elif character == "," and self._state == _AFTER:
            self._pass(_KEY if self._open[-1] == "{" else _VALUE)
        elif character == ":" and self._state == _COLON:
            self._pass(_VALUE)
        elif self._open and self._state in (_VALUE, _VALUE_OR_END):
            return self._read_scalar(edits)
        else:
            self._give_up()
        return True

    def _enter_string(self, edits: list[Edit]) -> None:
        plain = _PLAIN_STRING.match(self._text, self._at)
        if plain is not None:
            if plain[1]:
                channel = self._rewriter.channel()
                edits += _moved(_spelled([*channel.feed(plain[1])[1], *channel.finish()]), self._base + self._at + 1)
            self._at = self._given = plain.end()
            self._after_string()
            return
        self._at += 1
        self._given = self._at
        inner = self._nesting + 1
        self._string_at = self._base + self._at
        self._string = StringChannel(
            JsonChannel(self._rewriter, inner) if inner <= MAX_NESTING else self._rewriter.channel()
        )

    def _enter(self, bracket: str) -> None:
        """Keep the bracket itself back: a placeholder begins like an array, only what follows tells."""
        self._given = self._at
        self._at += 1
        self._open.append(bracket)
        self._state = _KEY_OR_END if bracket == "{" else _VALUE_OR_END

    def _ends(self, character: str) -> bool:
        if not self._open or character != ("}" if self._open[-1] == "{" else "]"):
            return False
        return self._state in (_AFTER, _KEY_OR_END, _VALUE_OR_END)

    def _leave(self) -> None:
        self._open.pop()
        self._pass(_AFTER if self._open else _END)

    def _pass(self, state: int) -> None:
        self._at += 1
        self._given = self._at
        self._state = state

    def _read_scalar(self, edits: list[Edit]) -> bool:
        """Read a number or a word; it counts once a comma or bracket behind it proves the grammar."""
        end = _end_of(_SCALAR, self._text, self._at)
        scalar = self._text[self._at : end]
        follower = _end_of(_SPACE, self._text, end)
        if follower == len(self._text) and len(scalar) < _SCALAR_CHARACTERS_MAX:
            if not _may_become_scalar(scalar) or (end < follower and not _is_scalar(scalar)):
                self._give_up()
                return True
            return False
        start = self._at
        self._state = _AFTER
        after = self._text[follower : follower + 1]
        if not _is_scalar(scalar) or not (after == "," or self._ends(after)):
            self._give_up()
            return True
        edits += self._number_edits(scalar, self._base + start)
        self._at = self._given = end
        return True

    def _number_edits(self, number: str, at: int) -> list[Edit]:
        if not LONG_NUMBER.match(number):
            return []
        found = self._rewriter.edits([number])[0]
        self._rewriter.note([(edit, number[edit.start : edit.end]) for edit in found])
        if all(edit.replacement is None for edit in found):
            return []
        spelled = escape(apply_edits(number, found), ascii_only=False).decode()
        return [Edit(at, at + len(number), f'"{spelled}"', found[0].entity, found[0].action, found[0].rule)]

    def _give_up(self) -> None:
        self._plain = self._rewriter.channel()


def is_plain(text: str) -> bool:
    """Whether what follows the bracket that a text begins with can be in no document: then it is one plain text."""
    first = _FIRST.match(text)
    if first is None:
        return False
    scalar, other = first.groups()
    if scalar:
        return text[0] == "{" or not _is_scalar(scalar)
    return other not in ({"", '"', "}"} if text[0] == "{" else {"", '"', "]", "{", "["})


def _moved(edits: Sequence[Edit], by: int) -> list[Edit]:
    return [Edit(e.start + by, e.end + by, e.replacement, e.entity, e.action, e.rule) for e in edits]


def _spelled(edits: Sequence[Edit]) -> list[Edit]:
    return [
        Edit(e.start, e.end, escape(e.replacement, ascii_only=False).decode(), e.entity, e.action, e.rule)
        for e in edits
        if e.replacement is not None
    ]


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _is_scalar(text: str) -> bool:
    return text in _WORDS or _NUMBER.fullmatch(text) is not None


def _may_become_scalar(text: str) -> bool:
    return _NUMBER_SO_FAR.fullmatch(text) is not None or any(word.startswith(text) for word in _WORDS)
