"""Which words are ordinary: what the network never takes for the only sign of a name."""

import pytest

from outwarden.pii.names.model import bundled
from training.ordinary import FREQUENT, ordinary_words

TIMES = 40


@pytest.fixture(scope="module")
def ordinary() -> frozenset[str]:
    sentences = [
        ["please", "send", "the", "report", "to", "the", "customer"],
        ["Ask", "Marta", "about", "the", "report"],
        ["Hi", "Will", ",", "the", "letter", "is", "here"],
    ]
    return ordinary_words(bundled().network, [*sentences * TIMES, ["rare", "word"]])


def test_words_that_are_never_names(ordinary: frozenset[str]) -> None:
    """As they are written."""
    assert {"the", "report", "customer", "send", "letter"} <= ordinary
    assert "The" not in ordinary


def test_names_and_rare_words_are_not_ordinary(ordinary: frozenset[str]) -> None:
    """A name, a word that is one here, and what was seen too seldom."""
    assert ordinary.isdisjoint({"Marta", "Will", "rare", "word"})
    assert FREQUENT > 1
