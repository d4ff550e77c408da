"""What every recogniser of the second view shares: ask the ordinary recognisers what is in a text read another way."""

from collections.abc import Sequence
from typing import Protocol

from outwarden.pii.folding import Folded
from outwarden.pii.matching import Candidate, Matcher, sweep
from outwarden.pii.page import Page, encode
from outwarden.pii.recognizer import BARE_BEFORE, LOOK_BACK, PLACEHOLDER, Verdict

VIEW = "(view)"
"""The entity of these recognisers: each of their verdicts names its own."""

# Reading something into a text is less sure than seeing it there.
DISCOUNT = 0.9


class Look(Protocol):
    """Find what is in a text (of one code point or more)."""

    def __call__(self, text: str, start: int = 0) -> Sequence[Candidate]:
        """What begins at ``start`` or behind it is asked for; what stands before is context, and may be found too."""


# What the patterns without an upper length (private keys, tokens) find is longer than this.
_LONG_SECRET = 24


def looker(matcher: Matcher) -> Look:
    """Return what finds all that ``matcher`` knows, by where it begins."""

    def look(text: str, start: int = 0) -> list[Candidate]:
        page = Page((text,))
        bare_from = len(encode(text[: max(0, start - BARE_BEFORE)]))
        return sorted(
            candidate
            for pattern in matcher.present(page.data)
            if not (pattern.alone and len(text) < _LONG_SECRET)
            for result in sweep(pattern, page, bare_from if pattern.recognizer.bare else 0).values()
            for candidate in result.candidates
            if candidate.entity != PLACEHOLDER
        )

    return look


def first_in(look: Look, text: str, start: int, end: int, read: Folded) -> Verdict | None:
    """The first finding in a run, read as ``read`` between the text before it and the one character after it."""
    before = text[max(0, start - LOOK_BACK) : start]
    shift = len(before)
    for candidate in look(before + read.text + text[end : end + 1], shift):
        low, high = candidate.start - shift, min(candidate.end - shift, len(read.text))
        if low < 0 or low >= high:
            continue
        first, last = read.span(low, high)
        return Verdict(start + first, start + last, candidate.score * DISCOUNT, candidate.entity)
    return None


def whole_run(look: Look, text: str, start: int, end: int, said: str) -> Verdict | None:
    """The surest finding in ``said``, which is what all of a run says: half of it would say nothing to anybody."""
    before = text[max(0, start - LOOK_BACK) : start]
    first = len(before) + 1
    found = [candidate for candidate in look(f"{before} {said}", first) if candidate.end > first]
    if not found:
        return None
    best = max(found, key=lambda candidate: candidate.score)
    return Verdict(start, end, best.score * DISCOUNT, best.entity)
