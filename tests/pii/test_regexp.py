"""RE2 behaves as the rest of the room relies on."""

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.regexp import Alternatives, PatternSet, Regexp
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
    patterns = PatternSet({0: "abc", 1: r"\d+", 2: "x"})

    assert patterns.present(b"..abc..x") == {0, 2}
    assert patterns.present(b"..") == set()


@given(st.integers(1, 60), st.text("abcdefghij", max_size=40))
def test_a_set_of_many_says_the_same(count: int, text: str) -> None:
    """However many automata it takes."""
    patterns = [f"{chr(97 + number % 10)}{chr(97 + number // 10)}" for number in range(count)]

    wanted = {number for number, pattern in enumerate(patterns) if pattern in text}

    assert PatternSet(dict(enumerate(patterns)), together=range(0, count, 3)).present(text.encode()) == wanted


def test_a_set_tells_all_that_have_the_same_pattern() -> None:
    """Which is looked for once."""
    assert PatternSet({1: "a", 2: "b", 5: "a"}, together=[5]).present(b"xa") == {1, 5}


@given(st.text("ab1 ", max_size=30), st.integers(0, 12))
def test_alternatives_are_searched_as_their_alternation(text: str, start: int) -> None:
    """From match to match, where two begin together the first of them."""
    parts, data = ("a{3}", "[ab]{2}1", "a+", "b1?|1a"), text.encode()
    search, position, found = Alternatives(parts).searcher(data), min(start, len(data)), []
    one_by_one, wanted = position, []
    while (match := search(position)) is not None:
        found.append(match)
        position = match[1]
    while (match := Regexp("|".join(parts)).search(data, one_by_one)) is not None:
        wanted.append(match)
        one_by_one = match[1]

    assert found == wanted


@given(st.sampled_from(["a+b?", "(?P<x>a)|(b)", r"\bab\b", "[^b]{2}"]), st.binary(max_size=12), st.integers(0, 12))
def test_we_read_spans_as_the_library_does(pattern: str, data: bytes, start: int) -> None:
    """The short way to a match gives what the public one gives."""
    start = min(start, len(data))
    match = re2.compile(pattern).search(data, start)

    assert Regexp(pattern).search(data, start) == (match and match.span())
    assert Regexp(pattern).matches(data) == (re2.compile(pattern).fullmatch(data) is not None)
