"""Find personal data in a text that arrives in pieces, with the same result as in the whole text, at every cut.

Of the text seen so far, the longest end is held back that could still grow into a match of some pattern (`syntax`
derives that from the patterns themselves), that a check cannot judge yet, or that overlaps such an end. All before it
is decided. The hold is bounded: a pattern has an upper length or is searched in windows, a check follows a secret for
`SECRET_MAX` code points, and a chain of overlapping findings is cut after `CHAIN_MAX`. What is longer than its bound is
found up to there, in the whole text too.
"""

import heapq
from types import MappingProxyType
from typing import NamedTuple

from outwarden.pii.credentials import SECRET_MAX
from outwarden.pii.detect import CHAIN_MAX, Detector, Merger, Strictness, candidates_of
from outwarden.pii.finder import Span
from outwarden.pii.matching import BLOCK_BYTES, Candidate, Matcher, Pattern, Sweep, sweep
from outwarden.pii.page import Page, count_points, encode
from outwarden.pii.recognizer import LOOK_BACK

# A row of so many ASCII characters without a space is base64, hex or minified: nobody reads along, and what it may
# become is open for so long that looking at each piece of it took 14 ms. It is looked at in portions.
_BLOB, _BLOB_PORTION = 256, 512

HOLD_MAX = CHAIN_MAX + SECRET_MAX + 2 * BLOCK_BYTES
"""More code points than this are never held back."""


class Found(NamedTuple):
    """A span (from the start of the stream) with the text in it."""

    span: Span
    text: str

    def __repr__(self) -> str:
        return f"Found({self.span!r})"


class Scanner:
    """Finds spans in one text that arrives in pieces."""

    __slots__ = (
        "_also",
        "_base",
        "_base_bytes",
        "_channels",
        "_decided",
        "_detector",
        "_front",
        "_merger",
        "_pending",
        "_resume",
        "_row",
        "_settled",
        "_text",
        "_unseen",
    )

    def __init__(
        self,
        detector: Detector,
        strictness: Strictness = MappingProxyType({}),
        also: Matcher | None = None,
    ) -> None:
        """``also``: patterns of a call's own, as `Detector.spans` takes them."""
        self._detector = detector
        self._also = also
        self._merger = Merger(strictness)
        self._text = ""  # from `_base` on: the look-back and all that is not decided
        self._base = self._base_bytes = 0
        self._front = 0  # every candidate with an origin before it is known
        self._resume: dict[Pattern, int] = {}  # patterns whose last match reaches over the front
        self._pending: list[Candidate] = []  # known, but starting behind it
        self._channels = [finder.channel() for finder in detector.asked(strictness)]
        self._settled = [0] * len(self._channels)
        self._decided = 0
        self._unseen = 0  # code points that came since the last look
        self._row = 0  # ASCII characters since the last space

    def __repr__(self) -> str:
        return f"<Scanner {len(self._text)} code points held>"

    def feed(self, text: str) -> tuple[int, list[Found]]:
        """Take the next piece; return (offset up to which all is decided, what was found before it)."""
        self._text += text
        self._unseen += len(text)
        self._row = _row(text, self._row)
        if self._unseen < _BLOB_PORTION and self._row > _BLOB:
            return self._decided, []
        return self._advance(more=True)

    def finish(self) -> list[Found]:
        """No more text: return the rest of the findings."""
        return self._advance(more=False)[1]

    def _advance(self, *, more: bool) -> tuple[int, list[Found]]:
        self._unseen = 0
        page = Page((self._text,))
        horizon = self._horizon(page, more)
        horizon = self._find(page, horizon, more)
        found = [self._found(span) for span in self._merge(horizon, more)]
        self._front = horizon
        opened = self._merger.open_from
        decided = max(horizon if opened is None else opened, self._merger.floor)
        self._forget(min(decided, horizon) - LOOK_BACK)
        self._decided = decided
        return decided, found

    def _horizon(self, page: Page, more: bool) -> int:
        """Return the offset from which the text may still grow into a finding."""
        if not more:
            return self._base + len(self._text)
        front = self._byte(self._front)
        reach = self._detector.matcher.reach
        if reach is not None and self._row > _BLOB:
            horizon = max(self._front, self._base + len(self._text) - reach)
        else:
            held = self._detector.matcher.open_from(page.data, front, self._base_bytes)
            horizon = self._front + count_points(page.data[front:held])
        if self._also is not None:
            held = self._also.open_from(page.data, front, self._base_bytes)
            horizon = min(horizon, self._front + count_points(page.data[front:held]))
        return horizon

    def _find(self, page: Page, horizon: int, more: bool) -> int:
        """Queue the candidates before ``horizon``; return it, moved back to the first that cannot be judged yet."""
        horizon, queued = self._ask_finders(horizon, more)
        sweeps: list[tuple[Pattern, Sweep]] = []
        present = self._detector.matcher.present(page.data)
        if self._also is not None:
            present = [*present, *self._also.present(page.data)]
        if not (present or queued or self._resume):
            return horizon
        for pattern in present:
            start = self._byte(self._resume.get(pattern, self._front))
            if result := sweep(pattern, page, start, more=more, block_offset=self._base_bytes).get(0):
                sweeps.append((pattern, result))
                if result.undecided is not None:
                    horizon = min(horizon, self._base + result.undecided)
        resumed: dict[Pattern, int] = {}
        for pattern, result in sweeps:
            queued += [c for c in result.candidates if self._base + c.origin < horizon]
            steps = [self._base + step for origin, step in result.steps if self._base + origin < horizon]
            if steps and steps[-1] > horizon:
                resumed[pattern] = steps[-1]
        self._resume = {p: at for p, at in self._resume.items() if at > horizon} | resumed
        for candidate in self._detector.admitted(self._text, queued):
            moved = candidate._replace(start=candidate.start + self._base, end=candidate.end + self._base)
            heapq.heappush(self._pending, moved)
        return horizon

    def _ask_finders(self, horizon: int, more: bool) -> tuple[int, list[Candidate]]:
        """Let each finder see what has not settled for it yet."""
        queued: list[Candidate] = []
        for index, channel in enumerate(self._channels):
            offset = self._settled[index] - self._base
            settled, spans = channel.feed(self._text[offset:], more=more)
            queued += candidates_of(s._replace(start=s.start + offset, end=s.end + offset) for s in spans)
            self._settled[index] += settled
            horizon = min(horizon, self._settled[index])
        return horizon, queued

    def _merge(self, horizon: int, more: bool) -> list[Span]:
        while self._pending and (self._pending[0].start < horizon or not more):
            self._merger.add(heapq.heappop(self._pending))
        self._merger.close(horizon if more else None)
        done, self._merger.done = self._merger.done, []
        return done

    def _found(self, span: Span) -> Found:
        return Found(span, self._text[span.start - self._base : span.end - self._base])

    def _byte(self, offset: int) -> int:
        before = self._text[: offset - self._base]
        return len(before) if before.isascii() else len(encode(before))

    def _forget(self, offset: int) -> None:
        """Drop the text before ``offset``; matches and checks look back no further."""
        offset = min([offset, *self._settled])
        if offset > self._base:
            self._base_bytes = self._base_bytes + self._byte(offset)
            self._text = self._text[offset - self._base :]
            self._base = offset


def _row(text: str, before: int) -> int:
    """How many ASCII characters without a space stand at the end, if ``before`` stood ahead of ``text``."""
    last = text.split()[-1:] if text[-1:].strip() else []
    if not last or not last[0].isascii():
        return 0
    return before + len(text) if len(last[0]) == len(text) else len(last[0])
