"""What lists tell of a word, as the rules beside a model ask for it."""

from typing import Protocol


class Lists(Protocol):
    """Which words are names, and which mean something else. Serves all threads."""

    def is_word(self, part: str) -> bool:
        """Whether a part of a person's name may as well mean something else."""

    def is_first_name(self, word: str) -> bool:
        """Whether ``word`` is known as a first name."""

    def is_last_name(self, word: str) -> bool:
        """Whether ``word`` is known as a last name."""


def words(said: str) -> frozenset[str]:
    """The words of a list as it is written."""
    return frozenset(said.split())


CAPITAL = r"(?=[^\W\d_a-zß-öø-ÿ])"
"""A look at a capital letter, or one of a script that has none."""
NAME = rf"{CAPITAL}[^\W\d_]{{2,24}}(?:['\u2019-][^\W\d_]{{2,24}})?"
"""A word that has the form of a part of a name."""
