"""The prefix pattern of a pattern matches every beginning of every match, and says how long a match can be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.detect import BUILT_IN
from outwarden.pii.page import encode
from outwarden.pii.regexp import Regexp
from outwarden.pii.syntax import PatternError, read_shape

PATTERNS = [
    r"MRN-\d{7}",
    r"(?i)ab(c|d)*e+f",
    r"a{0}b|c{2}|d{1,}e",
    r"\Qa.b\E+c",
    r"[]a]x|y(?P<n>z|[^\]])",
    r"(?:a|(?i)b|c)d",
    r"a.*b",
    r"(?s:a.{2,3}b)|\x41\x{42}\101",
    r"x{,3}",
    r"\pL+\p{Greek}{2,}[[:digit:]]",
    r"((a|b){1,3}c){2}",
    r"(?i:é)[à-ü]+?",
]


@given(st.sampled_from(PATTERNS), st.data())
def test_every_beginning_of_a_match_is_a_prefix(pattern: str, data: st.DataObject) -> None:
    """Whatever a match is, each cut of it is kept."""
    compiled, prefixes = Regexp(pattern), Regexp(read_shape(pattern).prefixes)
    text = data.draw(st.text("abcdefxyzABMRN-0123456789.,{}]àéαβ ", max_size=14))
    match = compiled.search(encode(text))

    if match is not None:
        start, end = match
        assert all(prefixes.matches(encode(text)[start:cut]) for cut in _whole_characters(text, start, end))


def _whole_characters(text: str, start: int, end: int) -> list[int]:
    cuts = [len(encode(text[:at])) for at in range(len(text) + 1)]
    return [cut for cut in cuts if start <= cut <= end]


@pytest.mark.parametrize(
    ("pattern", "kept", "dropped"),
    [
        (r"MRN-\d{7}", ["M", "MRN-12"], ["R", "MRN-x", "MRN-12345678"]),
        (r"a(b|cd)e", ["a", "ab", "ac", "acd"], ["ad", "abc"]),
        (r"(ab){2}", ["a", "ab", "aba"], ["abb", "ababa"]),
        (r"\bfoo\b", ["f", "fo"], ["of"]),
    ],
)
def test_nothing_else_is_a_prefix(pattern: str, kept: list[str], dropped: list[str]) -> None:
    """The language is no wider than it must be: what cannot become a match is let go."""
    prefixes = Regexp(read_shape(pattern).prefixes)

    assert [text for text in kept if not prefixes.matches(text.encode())] == []
    assert [text for text in dropped if prefixes.matches(text.encode())] == []


@pytest.mark.parametrize(
    ("pattern", "width"),
    [(r"MRN-\d{7}", 11), (r"a|bcd", 3), (r"(ab){2,5}", 10), (r"a*", None), (r"^\bab$", 2), (r"a{3,}", None), ("", 0)],
)
def test_width(pattern: str, width: int | None) -> None:
    """The most characters a match can have; None where there is no bound."""

    assert read_shape(pattern).width == width


@pytest.mark.parametrize(("pattern", "anchored"), [("^a", True), (r"a\z", True), (r"[\^$]", False), (r"\$\ba", False)])
def test_anchors_are_seen(pattern: str, anchored: bool) -> None:
    """A pattern that asks for the edges of a text is known, one that names their signs is not taken for it."""

    assert read_shape(pattern).anchored is anchored


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"a\Cb", "half a character"),
        ("(" * 60 + "a" + ")" * 60, "deeply"),
        ("a" * 25_000, "longer"),
        ("(" * 40 + r"\p{Greek}" * 700 + "){2}" * 40, "large"),
        ("a)", "never opened"),
    ],
)
def test_what_cannot_be_streamed_is_refused(pattern: str, reason: str) -> None:
    """With a reason the author of a rule can act on."""

    with pytest.raises(PatternError, match=reason):
        read_shape(pattern)


def test_all_our_own_patterns_are_bounded() -> None:
    """A stream can hold every built-in candidate."""

    assert [recognizer.entity for recognizer in BUILT_IN if read_shape(recognizer.pattern).width is None] == []
