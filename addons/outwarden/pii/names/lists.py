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
