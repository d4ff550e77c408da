"""A first look that spares the network: units in which every word is an ordinary one hold no person's name.

Which words are ordinary was learned with the network (``scripts/training/ordinary.py``): frequent forms of words, as
they are written, that the network never takes for the only sign of a name.
"""

import re
from collections.abc import Sequence

# Below this score of a person the gate was not learned: whoever asks for so unsure findings gets all units read.
GATE_SCORE = 0.3
LETTERS = re.compile(r"[^\W\d_]+")


class Gate:
    """Knows ordinary words. Serves all threads."""

    def __init__(self, ordinary: frozenset[str] = frozenset()) -> None:
        self._ordinary = ordinary

    def __repr__(self) -> str:
        return f"<Gate {len(self._ordinary)} words>"

    def may_name(self, words: Sequence[str]) -> bool:
        """Whether a word may be a person's name: one with letters that are not ordinary, as they are written."""
        others = set(words).difference(self._ordinary)  # numbers and signs among them
        return any(not self._ordinary.issuperset(LETTERS.findall(other)) for other in others)

    def knows(self, word: str) -> bool:
        """Whether ``word`` is an ordinary one, as it is written or in lower case."""
        return word in self._ordinary or word.lower() in self._ordinary
