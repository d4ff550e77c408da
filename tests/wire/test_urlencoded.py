"""Names and values are read decoded; what does not change keeps its spelling."""

from urllib.parse import parse_qsl, urlencode

from hypothesis import given
from hypothesis import strategies as st

from outwarden.wire.urlencoded import rewrite_pairs


@given(st.text(st.sampled_from("ab=&%+4zé\udcff~ "), max_size=30))
def test_nothing_to_change_is_the_same(encoded: str) -> None:
    """Even where it is no valid encoding."""
    assert rewrite_pairs(encoded, lambda name, text: text) == encoded


@given(st.lists(st.tuples(st.text(min_size=1, max_size=5), st.text(max_size=9)), max_size=5))
def test_what_is_changed_reads_as_it_was_meant(pairs: list[tuple[str, str]]) -> None:
    """Values get their new text, names too."""
    done = rewrite_pairs(urlencode(pairs), lambda name, text: text + "é&=")

    expected = [(name + "é&=", value + "é&=" if value else "") for name, value in pairs]
    assert parse_qsl(done, keep_blank_values=True) == expected


def test_the_name_is_told_with_the_value() -> None:
    """So that a key's value can be left alone."""
    done = rewrite_pairs("key=s%20x&q=s%20x", lambda name, text: text.upper() if name == "q" else text)

    assert done == "key=s%20x&q=S+X"
