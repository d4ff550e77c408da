"""What is known of a word by its form and from the tables."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.pii.names import features
from outwarden.pii.names.features import CODES, COLUMNS, FLAGS, Lexicon, features_of, key_of, shape_of


@pytest.fixture
def lexicon() -> Lexicon:
    """It knows `jane` (first row of two by key) and the cluster of `Jane`."""
    keys = sorted((key_of("jane"), key_of("oslo")))
    jane = keys.index(key_of("jane"))
    return Lexicon(
        keys=np.array(keys, np.uint32),
        norm=np.array([7 if at == jane else 8 for at in range(2)], np.uint16),
        use=np.array([3, 3], np.uint8),
        flags=np.array([0b101 if at == jane else 0 for at in range(2)], np.uint16),
        codes=np.full((2, CODES), 9, np.uint8),
        cluster_keys=np.array([key_of("Jane")], np.uint32),
        cluster=np.array([5], np.uint16),
    )


def test_a_known_word(lexicon: Lexicon) -> None:
    """However it is written; its cluster is that of the spelling, and of the one with a capital."""
    found = features_of(["Jane", "jane", "JANE"], lexicon)

    assert found.ids[:, COLUMNS.index("norm")].tolist() == [7, 7, 7]
    assert found.ids[:, COLUMNS.index("cluster")].tolist() == [5, 0, 0]
    assert found.ids[:, COLUMNS.index("cluster_title")].tolist() == [5, 5, 5]
    assert found.flags[0].tolist() == [1, 0, 1] + [0] * (len(FLAGS) - 3)
    assert (found.codes == 9).all()


@pytest.mark.parametrize("word", ["zzyzx", "\ud800", "字", "x" * 5000])
def test_an_unknown_word(word: str, lexicon: Lexicon) -> None:
    """Only its form speaks."""
    found = features_of([word], lexicon)

    assert found.ids[0, :3].tolist() == [0, 0, 0]
    assert not found.flags.any()
    assert not found.codes.any()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Smith", "Jones", True),
        ("Smith", "SMITH", False),
        ("Smith", "McKay", False),
        ("smith", "gpt4", False),
        ("jane@acme.com", "x.y@z.org", True),
        ("https://a.com/b", "https://longer.org/x/y", True),
        ("Li", "Smithson", False),
        ("字", "a", False),
    ],
)
def test_shapes(one: str, other: str, same: bool) -> None:
    """Capitals, digits, signs and length, not letters."""
    assert (shape_of(one) == shape_of(other)) is same


@given(st.text("abXYßЖ字9'-_.", min_size=1, max_size=20))
def test_usual_words_have_the_shape_that_their_letters_have(word: str) -> None:
    """The short cut for words of plain letters says the same as the long way."""
    with patch.object(features, "_usual_shape", return_value=""):
        slow = shape_of(word)

    assert shape_of(word) == slow
