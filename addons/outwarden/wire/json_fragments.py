"""A whole text that begins like a JSON document and then breaks (cut short, or not JSON after all).

It is read as a stream of it would be: strings as far as the grammar holds, the rest as plain text. So the same text has
the same findings whether it came whole or in pieces.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import orjson

from outwarden.wire.edits import Edit
from outwarden.wire.json_channel import JsonChannel
from outwarden.wire.json_text import are_inside, are_quotes

if TYPE_CHECKING:
    from outwarden.wire.json_document import Document

_SHORT = 4096
_IS_BRACKET = np.isin(np.arange(256), list(b"{}[]"))
_CLOSED_BY = bytes.maketrans(b"{[", b"}]")


class Fragments:
    """The texts in such a text, in their order.

    ``begun``: its begin as a document of its own (`whole_part`), ``within`` the brackets that are open behind it; its
    texts and edits are not those of this object. ``at``: where it ends.
    """

    def __init__(self, text: str, nesting: int, begun: "Document | None" = None, within: str = "", at: int = 0) -> None:
        self.begun = begun
        self._rest = text[at:]
        self._nesting = nesting
        self._within = within
        self._at = at
        recorder = _Reader({})
        self._run(recorder)
        self.texts = recorder.texts

    def edits(self, answers: Mapping[str, Sequence[Edit]], found: list[tuple[Edit, str]]) -> list[Edit]:
        """Fold the edits of its texts back into edits of the whole text; add what was found to ``found``."""
        if answers.keys().isdisjoint(self.texts):
            return []
        reader = _Reader(answers)
        edits = self._run(reader)
        found += reader.found
        return edits

    def _run(self, reader: "_Reader") -> list[Edit]:
        channel = JsonChannel(reader, self._nesting, within=self._within, at=self._at)
        _, edits = channel.feed(self._rest)
        return [*edits, *channel.finish()]


def whole_part(text: str) -> tuple[bytes, str, int] | None:
    """Cut a broken document at the last comma before it breaks, and close what is open there.

    Return (that document, the brackets that were open, where in ``text`` the comma stands); None where it is not worth
    it. Nearly always a broken document is one cut short: its begin is read a hundred times faster as a whole.
    """
    if len(text) < _SHORT:
        return None
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raw = text[: error.pos].encode()
    else:
        return None  # the strict parser has another reason
    codes = np.frombuffer(raw, np.uint8)
    outside = ~are_inside(are_quotes(raw))
    commas = np.flatnonzero((codes == ord(",")) & outside)
    if not len(commas):
        return None
    end = int(commas[-1])
    brackets = codes[:end][outside[:end] & _IS_BRACKET[codes[:end]]].tobytes()
    while (shorter := brackets.replace(b"[]", b"").replace(b"{}", b"")) != brackets:
        brackets = shorter
    if not brackets:
        return None
    closing = brackets[::-1].translate(_CLOSED_BY)
    return raw[:end] + closing, brackets.decode(), len(raw[:end].decode())


class _Reader:
    """Stands in for a rewriter: remembers which texts there are, and answers for each once it is whole."""

    def __init__(self, answers: Mapping[str, Sequence[Edit]]) -> None:
        self._answers = answers
        self.texts: list[str] = []
        self.found: list[tuple[Edit, str]] = []

    def edits(self, texts: Sequence[str]) -> list[Sequence[Edit]]:
        self.texts += texts
        return [self._answers.get(text, ()) for text in texts]

    def note(self, found: Iterable[tuple[Edit, str]]) -> None:
        self.found += found

    def channel(self) -> "_ReaderChannel":
        return _ReaderChannel(self)


class _ReaderChannel:
    def __init__(self, reader: _Reader) -> None:
        self._reader = reader
        self._texts: list[str] = []

    def feed(self, text: str) -> tuple[int, Sequence[Edit]]:
        self._texts.append(text)
        return 0, ()

    def finish(self) -> Sequence[Edit]:
        text = "".join(self._texts)
        edits = self._reader.edits([text])[0] if text else ()
        self._reader.note([(edit, text[edit.start : edit.end]) for edit in edits])
        return edits
