"""Byte offsets of joined texts find their way back to code points."""

from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.page import Page, Ruler, encode, texts_with
from outwarden.pii.regexp import Regexp

anything = st.text(st.characters() | st.just("\0"), max_size=20)  # lone surrogates too


@given(st.lists(anything, min_size=1, max_size=6), st.data())
def test_every_offset_is_found_again(texts: list[str], data: st.DataObject) -> None:
    """In rising order, in every text, whatever characters it has."""
    asked = sorted(
        data.draw(st.lists(st.integers(0, len(texts) - 1).flatmap(lambda i: _span(i, texts[i])), max_size=5))
    )
    page = Page(texts)
    ruler = Ruler(page)

    for index, start, end in asked:
        base = page.starts[index]
        low, high = (base + len(encode(texts[index][:at])) for at in (start, end))
        assert ruler.locate(low, high) == (index, start, end)


def _span(index: int, text: str) -> st.SearchStrategy[tuple[int, int, int]]:
    at = st.integers(0, max(0, len(text) - 1))
    return st.tuples(at, at).map(lambda pair: (index, min(pair), max(pair))) if text else st.just((index, 0, 0))


def test_a_page_shows_no_text() -> None:
    """Not even in its repr."""

    assert "jane" not in repr(Page(["jane@acme.com"]))


@given(st.lists(st.text("ab\0é\udcff", max_size=5), min_size=1, max_size=6))
def test_texts_with_something_are_named_once(texts: list[str]) -> None:
    """However often it stands in one, and none that is empty or has half of it."""
    found = list(texts_with(Regexp("ab|b").search, Page(texts)))

    assert found == [index for index, text in enumerate(texts) if "b" in text]
