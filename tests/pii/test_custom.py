"""A user's own pattern works as the built-in ones do, or is refused at load with a reason."""

import time

import pytest

from outwarden.pii import CustomEntity, Detector, PatternError, PiiPolicy, check_allow, check_custom
from outwarden.pii.custom import custom_recognizer

MEDICAL = CustomEntity("CASE_ID", r"CASE-\d{7}", ("patient",), ("CASE-1234567",), ("CASE-12",))


def test_a_custom_entity_is_found() -> None:
    """Under its own name, surer beside one of its words."""
    detector = Detector(PiiPolicy(entities=frozenset(), custom=(MEDICAL,)))

    plain, named = detector.find(["see CASE-1234567", "patient CASE-1234567"])

    assert [(span.start, span.end, span.entity) for span in plain] == [(4, 16, "CASE_ID")]
    assert named[0].score > plain[0].score


def test_good_examples_have_no_problems() -> None:
    """A rule that keeps its promises is accepted."""

    assert check_custom(MEDICAL) == []


@pytest.mark.parametrize(
    ("custom", "problem"),
    [
        (CustomEntity("X", r"(?=a)b"), "invalid perl operator"),
        (CustomEntity("X", r"(a+)\1"), "invalid escape"),
        (CustomEntity("X", r"a{5000}"), "repetition"),
        (CustomEntity("X", r"a\Cb"), "half a character"),
        (CustomEntity("X", r"a*"), "everywhere"),
        (CustomEntity("X", r"a|"), "everywhere"),
        (CustomEntity("X", r"\s"), "everywhere"),
        (CustomEntity("bad name", r"abc"), "upper-case"),
        (CustomEntity("X", r"abc", match=("abd",)), "match: example 1 is not found"),
        (CustomEntity("X", r"abc", no_match=("x", "xabcx")), "no_match: example 2 is found"),
    ],
)
def test_problems_are_named(custom: CustomEntity, problem: str) -> None:
    """In the words of the person who wrote the rule."""
    (said,) = check_custom(custom)

    assert problem in said


def test_an_unusable_pattern_raises_where_it_was_not_checked() -> None:
    """A detector never runs with a part of its policy missing."""

    with pytest.raises(PatternError):
        Detector(PiiPolicy(custom=(CustomEntity("X", "("),)))
    with pytest.raises(PatternError):
        custom_recognizer(CustomEntity("X", "("))


def test_allow_entries_are_checked() -> None:
    """Exact values always pass, patterns must be RE2."""

    assert check_allow("a(b@acme.com") is None
    assert check_allow(r"re:^ticket-[0-9]+@acme\.com$") is None
    assert check_allow("re:(?=a)") is not None


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|aa)+b", r"a.*a.*a.*b", r"([a-z]+)*x"])
def test_a_hostile_pattern_stays_linear(pattern: str) -> None:
    """Patterns that take a backtracking engine for ever are done in a moment."""
    detector = Detector(PiiPolicy(entities=frozenset(), custom=(CustomEntity("X", pattern),)))
    started = time.process_time()

    detector.find(["a" * 20_000 + "!"])

    assert time.process_time() - started < 2
