"""Patterns are searched so that no match is lost, whatever way they are searched in, in linear time."""

import base64
import random
import re
import time
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from outwarden.pii import Detector, PiiPolicy, matching, spelled
from outwarden.pii.broken import BEHIND_SIGN
from outwarden.pii.detect import BUILT_IN
from outwarden.pii.matching import Matcher, Pattern, sweep
from outwarden.pii.named_secrets import SCHEME_SIGN
from outwarden.pii.page import Page
from outwarden.pii.recognizer import Context, Recognizer, Sign, Verdict
from outwarden.pii.regexp import Regexp

everything = Detector(PiiPolicy())


def take_all(text: str, start: int, end: int, more: bool) -> Verdict:
    return Verdict(start, end, 0.5)


def take_even(text: str, start: int, end: int, more: bool) -> Verdict | None:
    return Verdict(start, end, 0.5) if int(text[start:end]) % 2 == 0 else None


def spans(recognizer: Recognizer, text: str) -> list[str]:
    found = sweep(Pattern(recognizer), Page([text]))
    return [text[c.start : c.end] for c in found[0].candidates] if found else []


@given(st.text("ab12é ", max_size=40))
def test_plain_search_finds_what_re_finds(text: str) -> None:
    """Leftmost, without overlaps."""

    assert spans(Recognizer("X", r"[0-9]{1,3}b?", take_all), text) == re.findall(r"[0-9]{1,3}b?", text)


def test_a_failed_candidate_hides_none_behind_it() -> None:
    """With retry the search goes on inside it, without it goes on behind it."""

    assert spans(Recognizer("X", r"\d{2}", take_even, retry=True), "1232") == ["12", "32"]
    assert spans(Recognizer("X", r"\d{2}", take_even, retry=True), "312") == ["12"]
    assert spans(Recognizer("X", r"\d{2}", take_even), "312") == []


def test_near_search_finds_all_after_a_word() -> None:
    """Every match within reach of a word, none out of reach."""
    recognizer = Recognizer("X", r"\d{2}", take_all, near=Context("code|mark"))

    assert spans(recognizer, "11 code 22 33" + " " * 40 + "44 MARKS: 55") == ["22", "33", "55"]
    assert spans(recognizer, "code " + "é" * 38 + " 66") == ["66"]
    assert spans(recognizer, "code " + "é" * 39 + " 66") == []
    assert spans(recognizer, "barcode 77") == []


@given(
    st.lists(st.sampled_from([*"0149-.+ x\n_", "<is>", "&#49;", "%34"]), max_size=40).map("".join), st.integers(0, 40)
)
@example("x1.+4929 - 4128 - 3357", 3)
def test_a_search_around_signs_may_begin_anywhere(text: str, at: int) -> None:
    """What begins from there on is the same: no sign before a value hides how it begins."""
    sign = Sign(spelled.DIGITS_SIGN, b"0123456789 -.()+", inside=b" -.()", edge=True)
    pattern, page = Pattern(Recognizer("X", spelled.DIGITS, take_all, sign=sign)), Page([text])
    whole, later = sweep(pattern, page).get(0), sweep(pattern, page, min(at, len(text))).get(0)
    found = whole.candidates if whole else []

    if not any(one.start < at < one.end for one in found):  # a stream goes on after a match, not within
        assert (later.candidates if later else []) == [one for one in found if one.start >= at]


def test_windows_lose_no_match(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless pattern is found wherever it begins; a match ends with the block after its own at the latest."""
    monkeypatch.setattr(matching, "BLOCK_BYTES", 8)
    recognizer = Recognizer("X", r"<[a-z]*>", take_all)

    for offset in range(20):
        assert spans(recognizer, " " * offset + "<abcdef>") == ["<abcdef>"]
    assert spans(recognizer, "<" + "a" * 30 + ">" + "<b>") == ["<b>"]


def test_the_gate_names_what_occurs() -> None:
    """And only that; a text edge or an endless pattern it cannot judge is always tried."""
    matcher = Matcher(
        [Recognizer("A", "abc", take_all), Recognizer("B", "^x", take_all), Recognizer("C", r"\d+", take_all)]
    )

    assert [p.recognizer.entity for p in matcher.present(b"..abc")] == ["A", "B", "C"]
    assert [p.recognizer.entity for p in matcher.present(b"..")] == ["B", "C"]


def test_the_gate_lets_every_candidate_through() -> None:
    """Whatever one of our patterns finds alone, the gate has let through."""
    samples = [
        "jane@acme.com",
        "card 4013601861911289",
        "phone 6466135259",
        "1.2.3.4",
        "281-44-0067",
        "AKIAQ5X7XVJ6GOOCO6XN",
    ]

    for text in samples:
        present = {id(pattern) for pattern in everything.matcher.present(text.encode())}
        alone = [p for p in everything.matcher.patterns if sweep(p, Page([text]))]
        assert [p for p in alone if id(p) not in present] == []


PIECES = [
    "Lange Straße 5", "Lindenstraße 12a", "Marktplatz", " 7", "weg 3", "jane", "@", "acme.com", "://",
    "https", "user:pw", " at ", " dot ", "AT", "(at)", "[dot]", ".", " ", "gmail", "com", "sk-proj-",
    "AKIAQ5X7XVJ6GOOCO6XN", "x" * 30, "é", "\n", "amFuZUBhY21lLmNvbSBpcyBteSBtYWls",
    "6a616e654061636d652e636f6d20697320", "-----BEGIN", "eyJhbGciOiJIUzI1NiJ9", "12 34",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12))
@example(["Lange Straße 5"])
@example(["jane", " at ", "gmail", " dot ", "com"])
@example(["https", "://", "user:pw", "@", "acme.com"])
def test_what_a_pattern_finds_holds_its_hint(pieces: list[str]) -> None:
    """Else the gate, which looks for the hint, would hide a value."""
    data = "".join(pieces).encode()
    for pattern in everything._whole.patterns:
        hint = pattern.recognizer.hint
        if hint and (found := pattern.regexp.search(data)):
            assert Regexp(hint).search(data) is not None, (pattern, found)


SAID_PIECES = [
    "https", "s", "1", "://u:p@h", "://x", "a:b@h", "@", "+", "-", " ", "reverse", "rot13", "backwards", "(", "it is ",
    "abcdefgh", "token1234567890", "=", "'", ",", "é",
]  # fmt: skip


@given(st.lists(st.sampled_from(SAID_PIECES), max_size=16))
@example(["s", "https", "://u:p@h"])
@example(["token1234567890", " ", "it is ", "reverse"])
def test_a_search_around_signs_finds_what_a_plain_one_does(pieces: list[str]) -> None:
    """Of URLs with logins and of runs that are said to be backwards: those whose signs are a part of the pattern."""
    text = "".join(pieces)
    signed = [p for p in everything._whole.patterns if p.recognizer.sign in (SCHEME_SIGN, BEHIND_SIGN)]
    for pattern in signed:
        plain = replace(pattern.recognizer, check=take_all, sign=None)
        around = replace(pattern.recognizer, check=take_all)

        assert spans(around, text) == spans(plain, text)

    assert len(signed) == 2


HOSTILE = {
    "digits": "1" * 50_000,
    "digits and spaces": "1 " * 25_000,
    "dashes": "1-" * 25_000,
    "at signs": "a@" * 25_000,
    "dots": "a." * 25_000,
    "mail without end": "a@" + "b." * 25_000,
    "brackets": "[" * 50_000,
    "a file in base64": base64.b64encode(random.Random(1).randbytes(37_500)).decode(),
    "base64": "".join(random.Random(1).choices("abcdefABCDEF0123456789+/", k=50_000)),
    "tokens": "eyJ" * 16_000,
    "dotted tokens": "eyJabcdefgh." * 4_000,
    "key beginnings": "-----BEGIN PRIVATE KEY-----\n" * 1_800,
    "phone words": "call 12 " * 6_000,
    "plus signs": "+1 " * 16_000,
    "colons": "a:" * 25_000,
    "escapes": "\\n1" * 16_000,
    "brackets of ours": "[EMAIL_ADDRESS_" * 3_000,
    "cards": "4013 6018 6191 1280 " * 2_500,
    "ibans": "DE75 8501 0510 3738 8815 16 " * 1_800,
    "wide": "é1" * 25_000,
}


@pytest.mark.parametrize("shape", HOSTILE)
def test_hostile_texts_take_linear_time(shape: str) -> None:
    """Twice the text takes no more than some three times as long, and 50 kB never takes a second."""
    text = HOSTILE[shape]
    everything.find([text[:1000]])

    half, whole = (_seconds(text[: len(text) // part]) for part in (2, 1))

    assert whole < 3.5 * half + 0.05
    assert whole < 3


def _seconds(text: str) -> float:
    started = time.process_time()
    everything.find([text])
    return time.process_time() - started


def test_prose_costs_next_to_nothing() -> None:
    """2 kB of prose go through the gate only: 0.02 ms on an idle machine, under a millisecond on any."""
    prose = "The quick brown fox was not at home, so the team moved the meeting to a later day. " * 25
    everything.find([prose])

    assert min(_seconds(prose) for _ in range(20)) < 0.001


def test_every_built_in_pattern_compiles_alone() -> None:
    """None relies on another being there."""

    assert [Pattern(recognizer).recognizer for recognizer in BUILT_IN] == list(BUILT_IN)


def test_no_built_in_pattern_is_searched_text_by_text() -> None:
    """A match of any width would be: of 30,000 lines of a log each by itself, and that takes longer than all else."""
    assert [p.recognizer.pattern for p in Detector(PiiPolicy())._whole.patterns if p.alone] == []
