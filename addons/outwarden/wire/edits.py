"""What a rewriter of text is to the wire: the border between knowing where text is and knowing what is in it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace ``text[start:end]`` (code points) by ``replacement``; ``None`` leaves it and only reports it.

    ``entity`` and ``action`` say why: ``("EMAIL_ADDRESS", "pseudonymize")``, ``("EMAIL_ADDRESS", "restore")``.
    """

    start: int
    end: int
    replacement: str | None = field(repr=False)  # a restored value is a person's
    entity: str = ""
    action: str = ""


class ChannelRewriter(Protocol):
    """Rewrites one text that arrives in pieces. Offsets are code points from the start of the channel."""

    def feed(self, text: str) -> tuple[int, Sequence[Edit]]:
        """Take the next piece; return (offset up to which all is decided, edits newly decided, in order).

        Every returned edit ends at or before that offset, and none begins before an offset returned earlier.
        """

    def finish(self) -> Sequence[Edit]:
        """No more text: decide the rest."""


class TextRewriter(Protocol):
    """Rewrites whole texts, and opens channels for texts that arrive in pieces."""

    def edits(self, texts: Sequence[str]) -> list[Sequence[Edit]]:
        """Per text its edits, sorted, not overlapping. No side effect, so the answer may be remembered.

        Unless the rewriter has an attribute ``complete`` that says False: then it had no time for all of them.
        """

    def note(self, found: Iterable[tuple[Edit, str]]) -> None:
        """Take note of edits that apply, each with the original text of its span (vault, counts, refusal)."""

    def channel(self) -> ChannelRewriter:
        """Open a channel; for channels the rewriter takes note itself."""


class KnownValues(Protocol):
    """What was found in a document, to be looked for in all of it."""

    @property
    def key(self) -> bytes:
        """Differs where the edits of a text may."""

    def may_stand_in(self, body: bytes) -> bool:
        """Tell, with false alarms only, whether a value can still be read in a rewritten document."""

    def edits(self, texts: Sequence[str]) -> list[Sequence[Edit]]:
        """As `TextRewriter.edits`, with the values that it did not find by itself."""


FindKnown = Callable[[Iterable[tuple[Edit, str]]], KnownValues | None]


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """Return ``text`` with ``edits`` (sorted, not overlapping) done."""
    if not edits:
        return text
    parts: list[str] = []
    at = 0
    for edit in edits:
        if edit.replacement is not None:
            parts += (text[at : edit.start], edit.replacement)
            at = edit.end
    parts.append(text[at:])
    return "".join(parts)
