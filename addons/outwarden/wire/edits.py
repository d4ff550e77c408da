"""What a rewriter of text is to the wire: the border between knowing where text is and knowing what is in it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace ``text[start:end]`` (code points) by ``replacement``; ``None`` leaves it and only reports it.

    ``entity`` and ``action`` say why: ``("EMAIL_ADDRESS", "pseudonymize")``, ``("EMAIL_ADDRESS", "restore")``; ``rule``
    says by which rule.
    """

    start: int
    end: int
    replacement: str | None = field(repr=False)  # a restored value is a person's
    entity: str = ""
    action: str = ""
    rule: str = ""


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


class PlacedRewriter(TextRewriter, Protocol):
    """A rewriter that may treat texts by the field of a request that they stand in (`wire.fields`)."""

    by_field: bool
    """Whether it does; else nobody needs to tell it."""

    def edits_in(self, texts: Sequence[str], places: Mapping[str, frozenset[str]]) -> list[Sequence[Edit]]:
        """As `edits`; ``places``: text -> the fields that it stands in."""


class KnownValues(Protocol):
    """What was found in a document, to be looked for in all of it."""

    @property
    def key(self) -> bytes:
        """Differs where the edits of a text may."""

    def may_stand_in(self, body: bytes) -> bool:
        """Tell, with false alarms only, whether a value can still be read in a rewritten document."""

    @property
    def by_field(self) -> bool:
        """As of the rewriter."""

    def edits(self, texts: Sequence[str]) -> list[Sequence[Edit]]:
        """As `TextRewriter.edits`, with the values that it did not find by itself."""

    def edits_in(self, texts: Sequence[str], places: Mapping[str, frozenset[str]]) -> list[Sequence[Edit]]:
        """As `PlacedRewriter.edits_in`."""


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


def within(rewriter: TextRewriter, field: str) -> TextRewriter:
    """The rewriter for texts that stand in ``field``; the same where that makes no difference."""
    return _Within(rewriter, frozenset({field})) if getattr(rewriter, "by_field", False) else rewriter


class _Within:
    by_field = False

    def __init__(self, rewriter: TextRewriter, fields: frozenset[str]) -> None:
        self._rewriter: PlacedRewriter = rewriter  # type: ignore[assignment]  # it said so
        self._fields = fields

    def edits(self, texts: Sequence[str]) -> list[Sequence[Edit]]:
        return self._rewriter.edits_in(texts, dict.fromkeys(texts, self._fields))

    def note(self, found: Iterable[tuple[Edit, str]]) -> None:
        self._rewriter.note(found)

    def channel(self) -> ChannelRewriter:
        return self._rewriter.channel()
