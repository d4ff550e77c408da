"""Hold stream events back until all their pieces of text are decided, then put the edits into them."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from outwarden.wire.edits import Edit, TextRewriter
from outwarden.wire.events import StreamEvent
from outwarden.wire.json_channel import JsonChannel
from outwarden.wire.json_document import Document
from outwarden.wire.json_places import with_values
from outwarden.wire.json_text import Splice, escapes_non_ascii, find_tokens, scannable
from outwarden.wire.offsets import EditsOf, Record, Target, with_changes
from outwarden.wire.splice import splice_token
from outwarden.wire.token_lists import TokenList

# A channel keeps its text to recognise later copies of it (OpenAI's responses repeat theirs four times, Perplexity's
# every event). Outputs end below 200,000 tokens; a longer text is no longer compared, its copies are scanned again.
_COPY_CHARACTERS_MAX = 2**20


class Channel:
    """One text that arrives in pieces: what was fed, what is decided, and the edits so far, all from its start."""

    def __init__(self, rewriter: TextRewriter) -> None:
        self.fed = 0
        self.decided = 0
        self._edits: list[Edit] = []
        self._rewriter = rewriter
        self._part: JsonChannel | None = None
        self._part_at = 0
        self._texts: list[str] = []

    def feed(self, text: str) -> tuple[int, int]:
        """Take the next piece; return its place."""
        if self._part is None:
            self._part, self._part_at = JsonChannel(self._rewriter), self.fed
        start = self.fed
        self.fed += len(text)
        self._texts.append(text)
        if self.fed > _COPY_CHARACTERS_MAX:
            self._texts.clear()
        decided, edits = self._part.feed(scannable(text))
        self._take(edits)
        self.decided = max(self.decided, self._part_at + decided)
        return start, self.fed

    def finish(self) -> None:
        """All that was fed is complete; what may still come is a text of its own."""
        if self._part is not None:
            self._take(self._part.finish())
            self._part = None
        self.decided = self.fed

    def says(self, text: str) -> bool:
        """Tell whether all that was fed is ``text``."""
        if len(text) != self.fed or not self._texts:
            return False
        self._texts = ["".join(self._texts)]
        return self._texts[0] == text

    def so_far(self) -> tuple[str, Sequence[Edit]] | None:
        """All that was fed, with the edits decided so far; None where it was too long to keep."""
        if self.fed and not self._texts:
            return None
        self._texts = ["".join(self._texts)]
        return self._texts[0], self._edits

    def edits_in(self, start: int, end: int) -> list[Edit]:
        """The edits within a piece, in its own offsets: a replacement goes where its span begins."""
        found: list[Edit] = []
        for edit in self._edits[bisect_right(self._edits, start, key=_end) :]:
            if edit.start >= end:
                break
            new = edit.replacement if edit.start >= start else ""
            found.append(Edit(max(edit.start, start) - start, min(edit.end, end) - start, new))
        return found

    def let_go(self, end: int) -> None:
        """A piece that ends at ``end`` has left. No copy of a very long text is awaited: its edits are forgotten."""
        if end > _COPY_CHARACTERS_MAX:
            del self._edits[: bisect_right(self._edits, end, key=_end)]

    def _take(self, edits: Sequence[Edit]) -> None:
        for edit in edits:
            if edit.replacement is not None:
                self._edits.append(Edit(edit.start + self._part_at, edit.end + self._part_at, edit.replacement))


def _end(edit: Edit) -> int:
    return edit.end


@dataclass(slots=True)
class Piece:
    """A string of an event that shows ``channel[start:end]``. ``token`` is its place in the document; -1: all data."""

    channel: Channel
    start: int
    end: int
    token: int
    text: str


@dataclass(slots=True)
class Held:
    """An event in the queue with what is known of its edits.

    ``targets``: its records of offsets, each with the text it points into; ``own`` gives the edits of a whole string.
    ``lists``: its lists of tokens, each with the piece that says the same, or with its own edits.
    """

    event: StreamEvent
    document: Document | None = None
    pieces: list[Piece] = field(default_factory=list)
    splices: list[Splice] = field(default_factory=list)
    remarks: list[Splice] = field(default_factory=list)
    targets: Sequence[tuple[Record, Target]] = ()
    own: EditsOf | None = None
    lists: Sequence[tuple[TokenList, Piece | Sequence[Edit]]] = ()
    dropped: bool = False

    def is_decided(self) -> bool:
        """Tell whether nothing that may still come can change this event."""
        return all(piece.channel.decided >= piece.end for piece in self.pieces)

    def bytes(self) -> bytes:
        """The event with its edits; the same bytes where there are none."""
        splices = self.splices + [splice for piece in self.pieces for splice in self._piece_splices(piece)]
        if self.lists:
            lists = ((tokens, self._list_edits(tokens, said)) for tokens, said in self.lists)
            values = dict(change for tokens, edits in lists for change in tokens.changes(edits))
            splices = with_values(self.event.data or b"", splices, values)
        if self.targets and self.own is not None and self.event.data is not None:
            splices = with_changes(self.event.data, splices, self.targets, self.own)
        if not splices and not self.remarks:
            return self.event.raw
        return self.event.spliced(splices, self.remarks)

    def _list_edits(self, tokens: TokenList, said: Piece | Sequence[Edit]) -> Sequence[Edit]:
        """Tokens that are cut in another way than the text of their event go as soon as that changes."""
        if isinstance(said, Piece):
            return said.channel.edits_in(said.start, said.end)
        changed = any(piece.channel.edits_in(piece.start, piece.end) for piece in self.pieces)
        return [Edit(0, len(tokens.text), "")] if changed else said

    def _piece_splices(self, piece: Piece) -> list[Splice]:
        edits = piece.channel.edits_in(piece.start, piece.end)
        piece.channel.let_go(piece.end)
        data = self.event.data
        if not edits or data is None:
            return []
        if self.document is None:
            return plain_splices(piece.text, edits)
        span = find_tokens(data, numbers=self.document.has_numbers)[piece.token]
        return list(splice_token(data, span, piece.text, edits, ascii_only=escapes_non_ascii(data)))


def plain_splices(text: str, edits: Sequence[Edit], at: int = 0) -> list[Splice]:
    """Turn edits of a text decoded with ``surrogateescape`` into splices of its bytes, which begin at ``at``."""
    splices: list[Splice] = []
    seen = 0
    for edit in edits:
        if edit.replacement is not None:
            start = at + len(text[seen : edit.start].encode("utf-8", "surrogateescape"))
            at = start + len(text[edit.start : edit.end].encode("utf-8", "surrogateescape"))
            seen = edit.end
            splices.append((start, at, edit.replacement.encode("utf-8", "replace")))
    return splices
