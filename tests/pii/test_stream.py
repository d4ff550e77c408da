"""Streamed text gives the findings of the whole text, at every cut, and is held back as little as possible."""

import base64
import random
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pii_texts import cuts, texts

from outwarden.pii import (
    HOLD_MAX,
    Allowance,
    CustomEntity,
    Detector,
    PiiPolicy,
    Scanner,
    Span,
    credentials,
    detect,
    matching,
)

CUSTOM = (
    CustomEntity("CASE_ID", r"CASE-\d{1,7}\b", ("record",)),
    CustomEntity("NOTE", r"note: .*x?"),
    CustomEntity("FIRST", r"^jane"),
    CustomEntity("LAST", r"fox$"),
    CustomEntity("LINE", r"(?m)^77.{0,9}$"),
    CustomEntity("ENDLESS", r"(?i)the [a-z ]+1"),
)
plain = Detector(PiiPolicy())
rich = Detector(PiiPolicy(custom=CUSTOM, allow=("jane.doe@acme.com",)))


def detector_of_small_windows() -> Detector:
    """A detector whose endless patterns look no further than a few characters."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "BLOCK_BYTES", 16)
        return Detector(PiiPolicy(custom=CUSTOM))


small = detector_of_small_windows()


def streamed(detector: Detector, pieces: list[str]) -> list[Span]:
    """Feed the pieces; check what every answer promises."""
    scanner, spans, before, text = Scanner(detector), [], 0, "".join(pieces)
    for piece in pieces:
        decided, found = scanner.feed(piece)
        assert decided >= before
        assert all(before <= one.span.start and one.span.end <= decided for one in found)
        before = decided
        spans += found
    rest = scanner.finish()
    assert all(before <= one.span.start for one in rest)
    assert all(one.text == text[one.span.start : one.span.end] for one in [*spans, *rest])
    return [one.span for one in [*spans, *rest]]


@settings(max_examples=150, deadline=None)
@given(texts(), st.data())
def test_streamed_is_whole_at_every_cut(text: str, data: st.DataObject) -> None:
    """With every built-in entity."""

    assert streamed(plain, cuts(text, data)) == list(plain.spans([text])[0])


@settings(max_examples=150, deadline=None)
@given(texts(), st.data())
def test_streamed_is_whole_with_custom_patterns(text: str, data: st.DataObject) -> None:
    """Bounded, endless, anchored; and with an allow list."""

    assert streamed(rich, cuts(text, data)) == list(rich.spans([text])[0])


BLOB = base64.b64encode(random.Random(4).randbytes(1500)).decode()
IN_BLOBS = ["jane@acme.com", "AKIAQ5X7XVJ6GOOCO6XN", "4013601861911289"]
IN_BLOBS.append(base64.b64encode(b"mail jane@acme.com now").decode())


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1200), st.sampled_from([*IN_BLOBS, " ", "\n", "=", "é", "/"])), max_size=6),
    st.integers(1, 40),
    st.integers(1, 900),
)
def test_streamed_is_whole_in_blobs(parts: list[tuple[int, str]], small: int, large: int) -> None:
    """Rows without a space are looked at in portions; what stands in them or behind them is found all the same."""
    text = "".join(BLOB[-size:] * (size > 0) + value for size, value in parts) + BLOB[:700]
    (whole,) = plain.spans([text])

    for size in (small, large):
        assert streamed(plain, [text[at : at + size] for at in range(0, len(text), size)]) == whole


def test_a_blob_costs_next_to_nothing() -> None:
    """4 characters at a time: 45 us each on a slow core, 14 ms when each was looked at."""
    scanner = Scanner(plain)
    started = time.process_time()
    for at in range(0, 2000, 4):
        scanner.feed(BLOB[at : at + 4])

    assert time.process_time() - started < 2


@settings(max_examples=80, deadline=None)
@given(texts(max_size=14), st.data())
def test_streamed_is_whole_beyond_every_bound(text: str, data: st.DataObject) -> None:
    """Where windows, chains and secrets reach their bounds, here set small, the answer is the same too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "BLOCK_BYTES", 16)
        patch.setattr(detect, "CHAIN_MAX", 24)
        patch.setattr(credentials, "SECRET_MAX", 48)
        assert streamed(small, cuts(text, data)) == list(small.spans([text])[0])


@pytest.mark.parametrize(
    "piece", ["hello ", "Hello, world. ", "a b c ", "x = f(y);\n", "Grüße aus Köln, ", "中文。", "### Title\n\n"]
)
def test_words_flow_on(piece: str) -> None:
    """Text in which nothing can begin is decided at once, up to the last word's end."""
    scanner = Scanner(plain)

    for count in range(1, 30):
        decided, found = scanner.feed(piece)
        assert (decided, found) == (count * len(piece), [])


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("hello", "hello"),
        ("hello world", "world"),
        ("see [1] and [", "["),
        ("see [E", "[E"),
        ("see [Ex", "Ex"),
        ("see [x", "x"),
        ("mail jane@acme.com", "jane@acme.com"),
        ("mail jane@acme.com,", ""),
        ("in 2024 we", "we"),
        ("card 4013 6018", "4013 6018"),
        ("card 4013 6018 y", "y"),
        ("is 281-44-0067.", "281-44-0067."),
        ("is 281-44-0067. A", "A"),
        ("DE75 8501 0510 3738 8815 15 and", "and"),
        ("a line\n", ""),
        ("中文字", ""),
        ("-----BEGIN CERT", "-----BEGIN CERT"),
        ("-----BEGIN cert", "cert"),
    ],
)
def test_only_the_end_that_may_matter_is_held(text: str, held: str) -> None:
    """The longest end that can still become a finding, and no more."""
    decided, _ = Scanner(plain).feed(text)

    assert text[decided:] == held


def test_context_reaches_over_cuts() -> None:
    """A word that was released long ago still says what the digits are."""

    assert [s.entity for s in streamed(plain, ["my phone", " number", " is, as said, ", "6466135", "259 ok"])] == [
        "PHONE_NUMBER"
    ]


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(["eyJ", "a", "1", "-----BEGIN PRIVATE KEY-----\n", "note: ", "the ", "4013 ", "jane@acme.", "A/+1"])
)
def test_the_hold_is_bounded(beginning: str) -> None:
    """Whatever comes, without end: never more than the bound is held."""
    scanner, fed = Scanner(rich), 0

    for piece in [beginning, *["abcDEF12" * 128] * 24]:
        fed += len(piece)
        decided, _ = scanner.feed(piece)
        assert fed - decided <= HOLD_MAX
    scanner.finish()


def test_one_character_at_a_time_is_quick() -> None:
    """A feed costs by what is held, not by what was seen."""
    scanner, started = Scanner(plain), time.process_time()

    for character in "The quick brown fox wrote to jane@acme.com on 2024-01-02. " * 40:
        scanner.feed(character)

    assert time.process_time() - started < 2


def test_a_scanner_shows_nothing() -> None:
    """Neither its text nor what it found."""
    scanner = Scanner(plain)
    _, found = scanner.feed("jane@acme.com jane@acme")

    assert "jane" not in f"{scanner!r} {found!r} {found}"


def test_a_finder_is_heard_in_streams_too() -> None:
    """Its findings come when its text has settled, and its text is held until then."""

    class Shouts:
        entities = frozenset({"SHOUT"})
        version = b"1"

        def find(self, texts: Sequence[str], allowance: Allowance) -> list[list[Span]]:
            return [self.feed(text, more=False)[1] for text in texts]

        def channel(self) -> "Shouts":
            return self

        def feed(self, text: str, *, more: bool) -> tuple[int, list[Span]]:
            settled = text.rfind(".") + 1 if more else len(text)
            return settled, [Span(at, at + 1, "SHOUT", 0.5) for at in range(settled) if text[at] == "!"]

    detector = Detector(PiiPolicy(), [Shouts()])
    text = "one! two. three! jane@acme.com. four!"

    assert streamed(detector, list(text)) == detector.spans([text])[0]
    assert Scanner(detector).feed("one! two")[0] == 0


def test_nobody_waits_for_what_is_allowed() -> None:
    """A finder whose every entity passes is not asked: its text leaves as if there were none."""

    class Never:
        entities = frozenset({"SHOUT"})
        version = b"1"

        def find(self, texts: Sequence[str], allowance: Allowance) -> list[list[Span]]:
            raise AssertionError("asked")

        def channel(self) -> "Never":
            raise AssertionError("asked")

    detector = Detector(PiiPolicy(), [Never()])
    allowed = {"SHOUT": 0}

    assert list(detector.spans(["one! two"], allowed)[0]) == []
    assert Scanner(detector, allowed).feed("one! two ")[0] == len("one! two ")
