"""Findings are sorted, do not overlap, respect the policy, and are the same one by one and all at once."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pii_texts import FRAGMENTS, texts

from outwarden.pii import Allowance, CustomEntity, Detector, FinderChannel, PiiPolicy, Span
from outwarden.pii import detect as detect_module
from outwarden.pii.detect import Merger, merge
from outwarden.pii.matching import Candidate

everything = Detector(PiiPolicy())


def candidate(start: int, end: int, entity: str, score: float = 0.5) -> Candidate:
    return Candidate(start, int(entity != ""), end, entity, score, start)


@settings(max_examples=60)
@given(st.lists(texts(), max_size=5))
def test_texts_do_not_touch_each_other(many: list[str]) -> None:
    """All texts of a call are searched at once, each as if it were alone."""

    assert everything.find(many) == [everything.find([text])[0] for text in many]


@settings(max_examples=100)
@given(texts())
def test_findings_are_sorted_and_apart(text: str) -> None:
    """And never empty."""
    spans = everything.find([text])[0]

    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(one.end <= next_one.start for one, next_one in pairwise(spans))


def test_context_does_not_cross_texts() -> None:
    """A phone word in one message says nothing about digits in the next."""

    assert everything.find(["my phone", "6466135259"]) == [[], []]


def test_only_the_entities_asked_for() -> None:
    """The policy's list decides; custom ones come on top."""
    policy = PiiPolicy(entities=frozenset({"EMAIL_ADDRESS"}), custom=(CustomEntity("CASE_ID", r"CASE-\d+"),))
    detector = Detector(policy)

    assert [s.entity for s in detector.find(["jane@acme.com 281-44-0067 CASE-7"])[0]] == ["EMAIL_ADDRESS", "CASE_ID"]
    assert detector.entities == {"EMAIL_ADDRESS", "CASE_ID"}


@pytest.mark.parametrize("entry", ["jane@acme.com", r"re:[a-z]+@acme\.com", r"re:^jane@acme\.com$"])
def test_allowed_values_are_left(entry: str) -> None:
    """Exactly, or by a pattern of the whole value."""
    detector = Detector(PiiPolicy(allow=(entry,)))

    found = detector.find(["jane@acme.com jane@acme.com.de jane.doe@acme.com"])[0]

    assert [(s.start, s.end) for s in found] == [(14, 30), (31, 48)]


def test_our_own_placeholders_are_never_scanned() -> None:
    """Not their digits beside a phone word, not by a custom pattern, not cut by a finding around them."""
    detector = Detector(PiiPolicy(custom=(CustomEntity("BRACKETS", r"<.*>"),)))
    text = "phone [PHONE_NUMBER_12345678ab123456] <jane [EMAIL_ADDRESS_3f9a1c] x>"

    assert [text[s.start : s.end] for s in detector.find([text])[0]] == ["<jane ", " x>"]


def test_a_fake_placeholder_hides_nothing() -> None:
    """Brackets around a card number do not make it one of ours."""

    assert len(everything.find(["[API_KEY_4013601861911289]"])[0]) == 1


def test_the_strictest_names_an_overlap() -> None:
    """Then the surest, then the longest; the span covers all that was found."""
    outer, inner = candidate(0, 20, "OUTER", 0.9), candidate(5, 25, "INNER", 0.5)

    assert merge([outer, inner], {}) == [Span(0, 25, "OUTER", 0.9)]
    assert merge([outer, inner], {"INNER": 1}) == [Span(0, 25, "INNER", 0.5)]
    assert merge([inner, candidate(5, 30, "LONGER", 0.5)], {}) == [Span(5, 30, "LONGER", 0.5)]


def test_neighbours_stay_apart() -> None:
    """Spans that touch do not overlap."""

    assert [s[:2] for s in merge([candidate(0, 5, "A"), candidate(5, 9, "B")], {})] == [(0, 5), (5, 9)]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20), st.sampled_from(["", "A", "B"])), max_size=12))
def test_merged_spans_cover_what_was_found(raw: list[tuple[int, int, str]]) -> None:
    """Every code point of a finding is in a span, spans are sorted and apart, placeholders stay whole."""
    placed: list[Candidate] = []
    for start, length, entity in raw:
        if entity or all(c.entity or start + length <= c.start or c.end <= start for c in placed):
            placed.append(candidate(start, start + length, entity))

    spans = merge(placed, {"B": 1})

    covered = {at for span in spans for at in range(span.start, span.end)}
    assert covered == {at for c in placed for at in range(c.start, c.end)}
    assert all(one.end <= other.start for one, other in pairwise(spans))
    assert {(c.start, c.end) for c in placed if not c.entity} == {(s.start, s.end) for s in spans if not s.entity}


def test_a_chain_of_overlaps_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Overlapping findings without end do not make a span without end, and nothing of them is left out."""
    monkeypatch.setattr(detect_module, "CHAIN_MAX", 10)
    merger = Merger({})
    for start in range(0, 100, 3):
        merger.add(candidate(start, start + 5, "A"))
    merger.close()

    assert max(span.end - span.start for span in merger.done) < 20
    assert {at for span in merger.done for at in range(span.start, span.end)} == set(range(104))


def test_a_finder_adds_its_findings() -> None:
    """A model's spans join those of the patterns."""

    class Names:
        entities = frozenset({"PERSON"})
        version = b"1"

        def find(self, texts: Sequence[str], allowance: Allowance) -> list[list[Span]]:
            return [[Span(t.index("Jane"), t.index("Jane") + 4, "PERSON", 0.8)] if "Jane" in t else [] for t in texts]

        def channel(self) -> FinderChannel:
            raise AssertionError("these texts are whole")

    detector = Detector(PiiPolicy(), [Names()])

    assert [s.entity for s in detector.find(["Jane, jane@acme.com"])[0]] == ["PERSON", "EMAIL_ADDRESS"]
    assert "PERSON" in detector.entities


@pytest.mark.parametrize("text", ["", " ", "\x00", "\ud800", "\ufffe@\ud83d", "é" * 5000, *FRAGMENTS[:3]])
def test_odd_texts_do_no_harm(text: str) -> None:
    """Empty, control characters, half of a surrogate pair."""

    assert all(0 <= s.start < s.end <= len(text) for s in everything.find([text])[0])


def test_a_surrogate_moves_no_offset() -> None:
    """Findings after one are where they are."""

    assert everything.find(["\ud800é jane@acme.com"])[0][0][:2] == (3, 16)
