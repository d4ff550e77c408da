"""Find personal data in texts: which spans, of which entity, how sure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from outwarden.pii import bank, contact, person_numbers, phones, secrets
from outwarden.pii.custom import compile_allow, custom_recognizer
from outwarden.pii.matching import Candidate, Matcher, Page, sweep
from outwarden.pii.placeholders import placeholder_pattern
from outwarden.pii.policy import PiiPolicy
from outwarden.pii.recognizer import Recognizer, Verdict

BUILT_IN = (*contact.RECOGNIZERS, *phones.RECOGNIZERS, *bank.RECOGNIZERS, *person_numbers.RECOGNIZERS, *secrets.RECOGNIZERS)
ENTITIES = frozenset(recognizer.entity for recognizer in BUILT_IN)
"""The entities that are found without a rule of the user's own."""

PLACEHOLDER = ""
"""The entity of a placeholder of ours in a text; it is never scanned and never part of a finding."""

# A chain of overlapping findings grows to one span up to this many code points; beyond it a new span begins.
CHAIN_MAX = 4096


class Span(NamedTuple):
    """``text[start:end]`` (code points) is an ``entity``; ``score`` says how sure that is, from 0 to 1."""

    start: int
    end: int
    entity: str
    score: float


class Finder(Protocol):
    """Another source of findings, such as a language model.

    Cut where `settled` says, the parts of a text must have the findings of the whole.
    """

    @property
    def entities(self) -> frozenset[str]:
        """The entities it may find."""

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """Per text its findings, in any order; they may overlap those of others."""

    def settled(self, text: str) -> int:
        """Code points of ``text`` whose findings stay as they are whatever text follows (at a sentence's end, say)."""


Rank = Callable[[str], int]
"""How strict the action for an entity is; where findings overlap the stricter one decides."""


class Detector:
    """Finds what a policy asks for. Immutable, so one serves all calls and threads."""

    def __init__(self, policy: PiiPolicy, finders: Sequence[Finder] = ()) -> None:
        """Compile the patterns of ``policy``. Raises PatternError for a custom pattern that cannot be used."""
        wanted = policy.entities
        recognizers = [r for r in BUILT_IN if wanted is None or r.entity in wanted]
        recognizers += [custom_recognizer(custom) for custom in policy.custom]
        self.finders = tuple(finders)
        self.entities = frozenset(r.entity for r in recognizers).union(*(finder.entities for finder in finders))
        if self.entities:
            recognizers.append(Recognizer(PLACEHOLDER, placeholder_pattern(self.entities), _placeholder))
        self.matcher = Matcher(recognizers)
        self._allowed = frozenset(entry for entry in policy.allow if not entry.startswith("re:"))
        self._allow_patterns = [compile_allow(entry[3:]) for entry in policy.allow if entry.startswith("re:")]

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """Return per text its findings, sorted, not overlapping."""
        return [[span for span in spans if span.entity != PLACEHOLDER] for spans in self.spans(texts)]

    def spans(self, texts: Sequence[str], rank: Rank = lambda _entity: 0) -> list[list[Span]]:
        """As `find`, with placeholders as spans of their own; overlaps are decided by ``rank``, then by score."""
        found: list[list[Candidate]] = [[] for _ in texts]
        page = Page(texts)
        for pattern in self.matcher.present(page.data):
            pages = enumerate(map(_page_of_one, texts)) if pattern.alone else ((0, page),)
            for first, one in pages:
                for index, result in sweep(pattern, one).items():
                    found[first + index] += result.candidates
        for finder in self.finders:
            for index, spans in enumerate(finder.find(texts)):
                found[index] += candidates_of(spans)
        return [
            list(merge(sorted(self.admitted(text, candidates), key=order), rank)) if candidates else []
            for text, candidates in zip(texts, found, strict=True)
        ]

    def admitted(self, text: str, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
        """Leave out what the policy allows by value."""
        if not self._allowed and not self._allow_patterns:
            yield from candidates
            return
        for candidate in candidates:
            if not self._is_allowed(text[candidate.start : candidate.end]):
                yield candidate

    def _is_allowed(self, value: str) -> bool:
        return value in self._allowed or any(pattern.fullmatch(value.encode("utf-8", "replace")) for pattern in self._allow_patterns)


def candidates_of(spans: Iterable[Span]) -> Iterator[Candidate]:
    """Turn a finder's spans into candidates."""
    return (Candidate(span.start, span.start, span.end, span.entity, span.score) for span in spans)


def _page_of_one(text: str) -> Page:
    return Page((text,))


def _placeholder(text: str, start: int, end: int, more: bool) -> Verdict:
    return Verdict(start, end, 1.0)


def order(candidate: Candidate) -> tuple[int, bool, int, str, float]:
    """Return the sort key in which a `Merger` wants its candidates: by start, placeholders first, then the longest."""
    return candidate.start, candidate.entity != PLACEHOLDER, -candidate.end, candidate.entity, -candidate.score


class Merger:
    """Joins overlapping candidates, fed in the order of their starts, into spans.

    Findings that overlap become one span over all of them (nothing that was found stays in clear), named by the
    strictest, then the surest, then the longest. A placeholder cuts what it overlaps.
    """

    def __init__(self, rank: Rank) -> None:
        self._rank = rank
        self._floor = 0  # nothing before it is given out again
        self._open: Span | None = None
        self._best: tuple[int, float, int] = (0, 0.0, 0)

    @property
    def floor(self) -> int:
        """Where the spans given out so far end."""
        return self._floor

    @property
    def open_from(self) -> int | None:
        """Where the span begins that the next candidate may still change."""
        return None if self._open is None else self._open.start

    def add(self, candidate: Candidate) -> Iterator[Span]:
        """Take the next candidate; yield the spans that are complete by that."""
        if candidate.entity == PLACEHOLDER:
            yield from self._cut(candidate)
            return
        start, end = max(candidate.start, self._floor), candidate.end
        held = self._open
        if held is not None and (start >= held.end or start - held.start >= CHAIN_MAX):
            yield held
            start, self._open, self._floor = max(start, held.end), None, held.end
        if start < end:
            self._join(start, end, candidate)

    def close(self, before: int | None = None) -> Iterator[Span]:
        """Yield the open span if no candidate from ``before`` on can touch it (None: no more will come)."""
        held = self._open
        if held is not None and (before is None or held.end <= before):
            self._open, self._floor = None, held.end
            yield held

    def _join(self, start: int, end: int, candidate: Candidate) -> None:
        strength = (self._rank(candidate.entity), candidate.score, candidate.end - candidate.start)
        held = self._open
        if held is None or strength > self._best:
            self._best = strength
            self._open = Span(start, end, candidate.entity, candidate.score)
        if held is not None and self._open is not None:
            self._open = self._open._replace(start=held.start, end=max(held.end, end))

    def _cut(self, placeholder: Candidate) -> Iterator[Span]:
        if placeholder.start < self._floor:
            return  # part of a span that is given out already
        held, self._open = self._open, None
        if held is not None and held.start < placeholder.start:
            yield held._replace(end=min(held.end, placeholder.start))
        yield Span(placeholder.start, placeholder.end, PLACEHOLDER, placeholder.score)
        self._floor = placeholder.end
        if held is not None and held.end > placeholder.end:
            self._open = held._replace(start=placeholder.end)


def merge(candidates: Iterable[Candidate], rank: Rank) -> Iterator[Span]:
    """Join the candidates of one whole text (sorted by start) into spans."""
    merger = Merger(rank)
    for candidate in candidates:
        yield from merger.add(candidate)
    yield from merger.close()
