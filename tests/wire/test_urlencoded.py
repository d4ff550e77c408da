"""Names and values are read decoded; what does not change keeps its spelling."""

from urllib.parse import parse_qsl, unquote_plus, urlencode

from hypothesis import given
from hypothesis import strategies as st

from outwarden.wire.urlencoded import rewrite_pairs


@given(st.text(st.sampled_from("ab=&%+4zé\udcff~ "), max_size=30))
def test_nothing_to_change_is_the_same(encoded: str) -> None:
    """Even where it is no valid encoding."""
    assert rewrite_pairs(encoded, lambda texts: texts) == encoded


@given(st.lists(st.tuples(st.text(min_size=1, max_size=5), st.text(max_size=9)), max_size=5))
def test_what_is_changed_reads_as_it_was_meant(pairs: list[tuple[str, str]]) -> None:
    """Values get their new text, names too."""
    done = rewrite_pairs(urlencode(pairs), lambda texts: [text + "é&=" for text in texts])

    expected = [(name + "é&=", value + "é&=" if value else "") for name, value in pairs]
    assert parse_qsl(done, keep_blank_values=True) == expected


@given(st.lists(st.text(st.sampled_from("ab=%"), max_size=4), min_size=1, max_size=6))
def test_each_name_and_value_is_asked_for_as_often_as_it_stands_there(pairs: list[str]) -> None:
    """In their order, also where a pair has no sign of equality, or several."""
    asked: list[str] = []

    rewrite_pairs("&".join(pairs), lambda texts: asked.extend(texts) or texts)

    cut = [part for pair in pairs for part in pair.partition("=")[::2]]
    assert asked == [unquote_plus(part, errors="surrogateescape") for part in cut if part]


def test_some_values_are_kept() -> None:
    """A credential's, whatever its name is spelled like; of nothing, nothing is asked."""
    done = rewrite_pairs("ke%79=s%20x&q=s%20x&&z=", lambda texts: [text.upper() for text in texts], frozenset({"key"}))

    assert done == "KEY=s%20x&Q=S+X&&Z="
