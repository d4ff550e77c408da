"""What is listed is found, whatever else the rules say, and a hash of it is enough."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pii_texts import cuts

from outwarden.pii import Detector, Listed, PiiEngine, PiiPolicy, Scanner, Vault, check_allow, check_listed, hash_of
from outwarden.pii.listed import LENGTHS_MAX
from outwarden.wire.edits import apply_edits

SECRET = b"a secret for tests only"
VALUES = ("Project Bluebird", "KD-4711-0815", r"re:BB-\d{4}")
HASHED = tuple(map(hash_of, ("Operation Zephyr", "Q7-4471", "Müllerstraße 9")))


def detector(*values: str, **more: object) -> Detector:
    listed = Listed("CODE_NAME", values)
    return Detector(PiiPolicy(entities=frozenset(), always=(listed,), **more))  # type: ignore[arg-type]


def found(text: str, *values: str, **more: object) -> list[str]:
    return [text[span.start : span.end] for span in detector(*values, **more).find([text])[0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("about Project Bluebird.", ["Project Bluebird"]),
        ("PROJECT bluebird's", ["PROJECT bluebird"]),
        ("ProjectProject Bluebird, Project Bluebirds", []),
        ("kd-4711-0815/KD-4711-08155", ["kd-4711-0815"]),
        ("(BB-1234)", ["BB-1234"]),
        ("operation zephyr and Q7-4471!", ["operation zephyr", "Q7-4471"]),
        ("Operation  Zephyr, Q7-44711, xQ7-4471, Q7_4471", []),
        ("in der Müllerstraße 9", ["Müllerstraße 9"]),
        ("_Q7-4471_", ["Q7-4471"]),
        ("pr​oject bluebird", ["pr​oject bluebird"]),
    ],
)
def test_whole_values_in_any_case(text: str, expected: list[str]) -> None:
    """Exact ones, patterns and hashes; parts of longer words are none."""
    assert found(text, *VALUES, *HASHED) == expected


def test_what_is_listed_wins() -> None:
    """Over the allow list (exact, pattern, hash), and over what is kept for examples."""
    policy = PiiPolicy(
        always=(Listed("PARTNER", ("ops@example.com", hash_of("cto@example.com"))),),
        allow=("ops@example.com", r"re:.*@example\.com", hash_of("cto@example.com"), hash_of("max@acme.com")),
    )
    engine = PiiEngine(policy, SECRET)
    text = "ops@example.com, cto@example.com, eve@example.com, max@acme.com"
    left = apply_edits(text, engine.request(Vault()).edits([text])[0])

    assert "ops@" not in left
    assert "cto@" not in left
    assert left.endswith("eve@example.com, max@acme.com")


@given(
    st.lists(st.sampled_from(["Project", "Bluebird", "Operation", "Zephyr", "Q7-4471", " ", ", ", "BB-12", "34"])),
    st.data(),
)
def test_streams_find_the_same(words: list[str], data: st.DataObject) -> None:
    """At every cut."""
    text = " ".join(words)
    one = detector(*VALUES, *HASHED)
    scanner = Scanner(one)
    spans = [found.span for piece in cuts(text, data) for found in scanner.feed(piece)[1]]
    spans += [found.span for found in scanner.finish()]

    assert spans == one.find([text])[0]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (("abc",), "4 to 256 characters"),
        ((" padded ",), "no space around"),
        (("re:(",), "missing"),
        (("re:.*",), "would match everywhere"),
        (("sha256:" + "0" * 64,), "`outwarden hash` prints"),
        (("sha256:" + "0" * 64 + "/3",), "4 to 256"),
        (("sha256:Project",), "expected sha256:"),
        (tuple(hash_of("v" * length) for length in range(4, 5 + LENGTHS_MAX)), "different lengths"),
    ],
)
def test_what_cannot_be_listed(values: tuple[str, ...], problem: str) -> None:
    """Each with its reason."""
    (said,) = check_listed(Listed("CODE_NAME", values))

    assert problem in said


def test_examples_are_tried() -> None:
    """Those that are not found, and those that are."""
    listed = Listed("CODE_NAME", HASHED, match=("Operation Zephyr", "Operation X"), no_match=("Q7-4471 too", "fine"))

    assert check_listed(listed) == ["match: example 2 is not found", "no_match: example 1 is found"]
    assert check_allow("sha256:1") is not None
    assert check_allow(hash_of("Project Bluebird")) is None


@pytest.mark.parametrize("text", ["word ", "a b c d ", "x", "4711 "])
def test_hashes_take_linear_time(text: str) -> None:
    """Ten times the text, ten times as long, whatever stands in it."""
    one = detector(*(hash_of("v" * length) for length in range(4, 4 + LENGTHS_MAX)))

    def seconds(size: int) -> float:
        said = [(text * size)[:size]]
        began = time.process_time()
        one.find(said)
        return time.process_time() - began

    short = min(seconds(20_000) for _ in range(3))
    assert min(seconds(200_000) for _ in range(2)) < 25 * short + 0.05


def test_nothing_listed_is_shown() -> None:
    """Values may be secrets."""
    assert "Bluebird" not in repr(Listed("CODE_NAME", VALUES))
    assert "Bluebird" not in repr(PiiPolicy(always=(Listed("CODE_NAME", VALUES),)))
