"""RE2 behaves as the rest of the room relies on."""

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.regexp import PatternSet, Regexp
from outwarden.pii.syntax import PatternError


@pytest.mark.parametrize("pattern", [r"(?=a)", r"(a", r"a{2000}", r"\1", r"a**", r"(?<!a)b", "[z-a]"])
def test_what_re2_cannot_take_is_refused_with_its_reason(pattern: str, capfd: pytest.CaptureFixture[str]) -> None:
    """As our own error, and nothing is printed."""

    with pytest.raises(PatternError, match=r"\w+"):
        Regexp(pattern)
    assert capfd.readouterr() == ("", "")


def test_a_pattern_ends_with_its_last_user() -> None:
    """Values of a call are made into patterns; the library must not keep them for later."""
    kept = re2._Regexp._make.cache_info().currsize

    assert Regexp("ada quill").matches(b"ada quill")
    assert re2._Regexp._make.cache_info().currsize == kept


def test_no_pattern_crosses_the_separator() -> None:
    """Byte FF is in no text in UTF-8, and no class, dot or negation matches it."""

    for pattern in (r"(?s)a.*b", r"a[^x]*b", r"a[\s\S]*b", r"a\W*b"):
        assert Regexp(pattern).search(b"a\xffb") is None


def test_assertions_see_the_text_around_a_search() -> None:
    """A search that resumes in a text judges boundaries as a search of the whole."""

    assert Regexp(r"\bb").search(b"ab", 1) is None
    assert Regexp("^b").search(b"ab", 1) is None
    assert Regexp("a$").matches(b"a")


def test_a_set_says_which_patterns_occur() -> None:
    """By index; nothing is an empty set, not an unknown."""
    patterns = PatternSet(["abc", r"\d+", "x"])

    assert patterns.present(b"..abc..x") == {0, 2}
    assert patterns.present(b"..") == set()


@given(st.integers(1, 60), st.text("abcdefghij", max_size=40))
def test_a_set_of_many_says_the_same(count: int, text: str) -> None:
    """However many automata it takes."""
    patterns = [f"{chr(97 + number % 10)}{chr(97 + number // 10)}" for number in range(count)]

    assert PatternSet(patterns).present(text.encode()) == {i for i, pattern in enumerate(patterns) if pattern in text}


@given(st.sampled_from(["a+b?", "(?P<x>a)|(b)", r"\bab\b", "[^b]{2}"]), st.binary(max_size=12), st.integers(0, 12))
def test_we_read_spans_as_the_library_does(pattern: str, data: bytes, start: int) -> None:
    """The short way to a match gives what the public one gives."""
    start = min(start, len(data))
    match = re2.compile(pattern).search(data, start)

    assert Regexp(pattern).search(data, start) == (match and match.span())
    assert Regexp(pattern).matches(data) == (re2.compile(pattern).fullmatch(data) is not None)
