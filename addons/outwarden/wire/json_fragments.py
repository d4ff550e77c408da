"""A whole text that begins like a JSON document and then breaks (cut short, or not JSON after all).

It is read as a stream of it would be: strings as far as the grammar holds, the rest as plain text. So the same text has
the same findings whether it came whole or in pieces.
"""

from collections.abc import Iterable, Mapping, Sequence

from outwarden.wire.edits import Edit
from outwarden.wire.json_channel import JsonChannel


class Fragments:
    """The texts in such a text, in their order."""

    def __init__(self, text: str, nesting: int) -> None:
        self._text = text
        self._nesting = nesting
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
        channel = JsonChannel(reader, self._nesting)
        _, edits = channel.feed(self._text)
        return [*edits, *channel.finish()]


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
