"""Find personal data in texts: which spans, of which entity, how sure."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from outwarden.pii import (
    ages,
    bank,
    contact,
    credentials,
    hosts,
    national,
    particulars,
    person_numbers,
    phones,
    record_numbers,
    streets,
    ward_beside,
)
from outwarden.pii.birth_columns import BirthColumns
from outwarden.pii.custom import custom_recognizer
from outwarden.pii.escaped import Escaped
from outwarden.pii.finder import Allowance, Finder, Span, WholeFinder
from outwarden.pii.listed import HASH, HashFinder, hash_of, listed_recognizers
from outwarden.pii.matching import Candidate, Matcher, sweep, sweep_all
from outwarden.pii.messages import ENTITIES as IN_MESSAGES
from outwarden.pii.messages import Messages
from outwarden.pii.name_fields import NameFields
from outwarden.pii.name_scripts import OtherScripts
from outwarden.pii.page import Page
from outwarden.pii.placeholders import is_closed, is_placeholder, placeholder_hint, placeholder_pattern
from outwarden.pii.policy import NAME_ENTITIES, PiiPolicy
from outwarden.pii.recognizer import PLACEHOLDER, Recognizer, Verdict, finding_reserved, word_after, word_before
from outwarden.pii.regexp import Regexp, quoted
from outwarden.pii.views import view_recognizers
from outwarden.pii.ward_records import WardRecords

BUILT_IN = (
    *contact.RECOGNIZERS,
    *hosts.RECOGNIZERS,
    *phones.RECOGNIZERS,
    *bank.RECOGNIZERS,
    *person_numbers.RECOGNIZERS,
    *record_numbers.RECOGNIZERS,
    *ward_beside.RECOGNIZERS,
    *particulars.RECOGNIZERS,
    *streets.RECOGNIZERS,
    *credentials.RECOGNIZERS,
)
# Looked for only where a rule names them.
ON_REQUEST = ages.RECOGNIZERS
ENTITIES = frozenset(recognizer.entity for recognizer in (*BUILT_IN, *ON_REQUEST)) | national.ENTITIES
"""The entities that are found without a rule of the user's own."""

# A chain of overlapping findings grows to one span up to this many code points; beyond it a new span begins.
CHAIN_MAX = 4096


Strictness = Mapping[str, int]
"""How strict the action for each entity is; where findings overlap the strictest decides. Absent: 0."""


class Detector:
    """Finds what a policy asks for. Immutable, so one serves all calls and threads."""

    def __init__(self, policy: PiiPolicy, finders: Sequence[Finder] = ()) -> None:
        """Compile the patterns of ``policy``. Raises PatternError for a custom pattern that cannot be used."""
        wanted = policy.entities
        recognizers = [r for r in BUILT_IN if wanted is None or r.entity in wanted]
        recognizers += [r for r in ON_REQUEST if r.entity in _named(policy)]
        recognizers += national.national_recognizers(wanted, policy.countries)
        recognizers = [_with_reserved(r) if r.entity in policy.find_reserved else r for r in recognizers]
        recognizers += [custom_recognizer(custom) for custom in policy.custom]
        recognizers += (always := [r for listed in policy.always for r in listed_recognizers(listed)])
        hashes = HashFinder(policy.always)
        self.finders = (*finders, hashes) if hashes.entities else tuple(finders)
        self._whole_finders: list[WholeFinder] = []
        if wanted is None or not WardRecords.entities.isdisjoint(wanted):
            self._whole_finders.append(WardRecords())
        if wanted is None or not BirthColumns.entities.isdisjoint(wanted):
            self._whole_finders.append(BirthColumns())
        names_persons = any("PERSON" in finder.entities for finder in finders)
        in_messages = {entity for entity in IN_MESSAGES if wanted is None or entity in wanted} - {"PERSON"}
        if in_messages:
            self._whole_finders.append(Messages(in_messages | ({"PERSON"} if names_persons else set())))
        beside = (NameFields(), OtherScripts()) if names_persons else ()
        self._whole_finders += beside
        names = (r.names or {r.entity} for r in recognizers)
        self.entities = frozenset().union(*names, *(finder.entities for finder in self.finders))
        plain = Matcher(recognizers)
        self._escaped = Escaped(plain, beside)
        if recognizers:
            recognizers += view_recognizers(plain)
        if self.entities:
            labels = self.entities.union(policy.placeholders.values())
            shape, hint = placeholder_pattern(labels), placeholder_hint(labels)
            recognizers.append(Recognizer(PLACEHOLDER, shape, _placeholder, hint=hint))
        self.matcher = Matcher(r for r in recognizers if not r.whole)
        self._whole = Matcher([*self.matcher.patterns, *(r for r in recognizers if r.whole)])
        self._allowed = frozenset(entry for entry in policy.allow if not entry.startswith("re:"))
        self._allow_patterns = [Regexp(entry[3:]) for entry in policy.allow if entry.startswith("re:")]
        self._allows_hashes = any(entry.startswith(HASH) for entry in policy.allow)
        self._always = [Regexp(recognizer.pattern) for recognizer in always]
        self._hashes = hashes

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        """Return per text its findings, sorted, not overlapping."""
        spans = self.spans(texts, whole=True)
        return [[span for span in found if span.entity != PLACEHOLDER] for found in spans]

    def spans(
        self,
        texts: Sequence[str],
        strictness: Strictness = MappingProxyType({}),
        allowance: Allowance | None = None,
        *,
        whole: bool = False,
        also: Matcher | None = None,
    ) -> list[Sequence[Span]]:
        """As `find`, with placeholders as spans of their own; overlaps are decided by ``strictness``, then by score.

        ``allowance``: how long the finders may take; None: as long as it takes. ``whole``: find as well what a
        `Scanner` would have to hold back every word for. ``also``: patterns of a call's own (`literal_placeholders`).
        """
        found: defaultdict[int, list[Candidate]] = defaultdict(list)  # a page may have a million texts without any
        page = Page(texts)
        present = (self._whole if whole else self.matcher).present(page.data)
        if also is not None:
            present += also.present(page.data)
        for index, candidates in sweep_all(present, page):
            found[index] += candidates
        for whole_finder in self._whole_finders if whole else ():
            for index, spans in whole_finder.find(page).items():
                found[index] += candidates_of(spans)
        allowance = allowance or Allowance()
        asked = self.asked(strictness)
        for finder in asked:
            for index, spans in enumerate(finder.find(texts, allowance)):
                if spans:
                    found[index] += candidates_of(spans)
        if whole:
            names = [finder for finder in asked if finder is not self._hashes]
            for index, spans in self._escaped.find(page, names, allowance).items():
                found[index] += candidates_of(spans)
        merged: list[Sequence[Span]] = [()] * len(texts)
        for index, candidates in found.items():
            merged[index] = merge(self.admitted(texts[index], candidates), strictness)
        return merged

    def times(self, text: str) -> Iterator[tuple[str, float]]:
        """How long each kind of pattern takes on a text, in seconds: which of one's own rules is slow."""
        page = Page((text,))
        for pattern in self._whole.present(page.data):
            began = time.perf_counter()
            sweep(pattern, page)
            yield pattern.recognizer.entity or "(placeholder)", time.perf_counter() - began

    def asked(self, strictness: Strictness) -> list[Finder]:
        """The finders of which a finding would count: what all is allowed need not be looked for, nor waited for."""
        return [finder for finder in self.finders if any(strictness.get(entity, 1) for entity in finder.entities)]

    def admitted(self, text: str, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
        """Leave out what the policy allows by value, and does not ask for all the same."""
        if not self._allowed and not self._allow_patterns:
            yield from candidates
            return
        for candidate in candidates:
            if not self._is_allowed(text[candidate.start : candidate.end]):
                yield candidate

    def _is_allowed(self, value: str) -> bool:
        data = value.encode("utf-8", "replace")
        allowed = (
            value in self._allowed
            or any(pattern.matches(data) for pattern in self._allow_patterns)
            or (self._allows_hashes and hash_of(value) in self._allowed)
        )
        return allowed and not self._hashes.knows(value) and not any(p.matches(data) for p in self._always)


def _named(policy: PiiPolicy) -> frozenset[str]:
    """The entities that a policy names, to look for or to say what is done with them."""
    special = (name for rule in policy.special for name in (*rule.request, *rule.response))
    return frozenset((*policy.request, *policy.response, *special, *(policy.entities or ())))


def literal_placeholders(texts: Iterable[str]) -> Matcher:
    """The matcher of placeholders that look like values; no part of a longer word or number is one."""
    pattern = "|".join(map(quoted, sorted(texts, key=lambda text: (-len(text), text))))
    return Matcher([Recognizer(PLACEHOLDER, f"(?:{pattern})", _literal, retry=True)])


def _literal(text: str, start: int, end: int, more: bool) -> Verdict | None:
    return None if word_before(text, start) or word_after(text, end) else Verdict(start, end, 1.0)


def candidates_of(spans: Iterable[Span]) -> Iterator[Candidate]:
    """Turn a finder's spans into candidates."""
    return (Candidate(span.start, 1, span.end, span.entity, span.score, span.start) for span in spans)


def _with_reserved(recognizer: Recognizer) -> Recognizer:
    return replace(recognizer, check=finding_reserved(recognizer.check))


def _placeholder(text: str, start: int, end: int, more: bool) -> Verdict | None:
    said = text[start:end]
    if not is_placeholder(said) or (not is_closed(said) and _is_part_of_a_word(text, start, end)):
        return None
    return Verdict(start, end, 1.0)


def _is_part_of_a_word(text: str, start: int, end: int) -> bool:
    return (
        word_before(text, start)
        or text[start - 1 : start] == "_"
        or word_after(text, end)
        or text[end : end + 1] == "_"
    )


class Merger:
    """Joins overlapping candidates, fed in their order, into spans.

    Findings that overlap become one span over all of them (nothing that was found stays in clear), named by the
    strictest, then by a pattern rather than a model for names, then the surest, then the longest. A placeholder cuts
    what it overlaps. Spans are appended to ``done``.
    """

    __slots__ = ("_best", "_held", "_strictness", "done", "floor")

    def __init__(self, strictness: Strictness) -> None:
        self._strictness = strictness
        self._held: Span | None = None
        self._best: Candidate | None = None  # what named the held span
        self.done: list[Span] = []
        self.floor = 0  # where the spans given out so far end

    @property
    def open_from(self) -> int | None:
        """Where the span begins that the next candidate may still change."""
        return None if self._held is None else self._held.start

    def add(self, candidate: Candidate) -> None:
        """Take the next candidate."""
        held, start = self._held, candidate.start
        if candidate.rest == 0:
            self._cut(candidate)
        elif held is not None and start < held.end and start - held.start < CHAIN_MAX:
            self._join(held, candidate)
        else:
            self.close()
            if (start := max(start, self.floor)) < candidate.end:
                self._held, self._best = Span(start, candidate.end, candidate.entity, candidate.score), candidate

    def close(self, before: int | None = None) -> None:
        """Finish the held span if no candidate from ``before`` on can touch it (None: no more will)."""
        held = self._held
        if held is not None and (before is None or held.end <= before):
            self.done.append(held)
            self._held, self.floor = None, held.end

    def _join(self, held: Span, candidate: Candidate) -> None:
        if self._best is None or self._strength(candidate) > self._strength(self._best):
            self._best = candidate
        self._held = Span(held.start, max(held.end, candidate.end), self._best.entity, self._best.score)

    def _strength(self, candidate: Candidate) -> tuple[int, bool, float, int]:
        strict, said = self._strictness.get(candidate.entity, 0), candidate.entity not in NAME_ENTITIES
        return strict, said, candidate.score, candidate.end - candidate.start

    def _cut(self, placeholder: Candidate) -> None:
        held = self._held
        if placeholder.start < self.floor:
            return  # part of a span that is given out already
        self._held = None
        if held is not None and held.start < placeholder.start:
            self.done.append(held._replace(end=min(held.end, placeholder.start)))
        self.done.append(Span(placeholder.start, placeholder.end, PLACEHOLDER, placeholder.score))
        self.floor = placeholder.end
        if held is not None and held.end > placeholder.end:
            self._held = held._replace(start=placeholder.end)


def merge(candidates: Iterable[Candidate], strictness: Strictness) -> list[Span]:
    """Join the candidates of one whole text into spans."""
    merger = Merger(strictness)
    for candidate in sorted(candidates):
        merger.add(candidate)
    merger.close()
    return merger.done
