"""What is called as a person is: diseases, animals, dishes, brands, titles (Alzheimer's disease, Earl Grey, Jane Eyre).

The phrases were collected with the network (``scripts/training/known.py``), without those that somebody may well be
called: of each at least one word is hardly a name. Kept as hashes, as the lexicon's words are.
"""

import re
from collections.abc import Iterable, Sequence

from outwarden.pii.names.features import key_of
from outwarden.pii.names.spans import Found

# The longest phrase, in words as `words` cuts them ("'s" is one).
WORDS_MAX = 6
# Who is addressed or spoken of so is a person, whatever a disease is called.
_TITLES = frozenset(
    title
    for some in (
        "mr mrs ms miss mx dr prof professor sir madam nurse officer judge coach",
        "patient pt dear hi hello name rn md",
    )
    for title in some.split()
)
_POSSESSIVE = re.compile(r"(\w)'s\b")  # "'s" is a word of its own, but not in capitals
_PLURAL = re.compile(r"(?<=\w\w[^\Ws])s\Z")


class Things:
    """Knows phrases. Serves all threads."""

    def __init__(self, keys: Iterable[int] = ()) -> None:
        self._keys = frozenset(keys)

    def __repr__(self) -> str:
        return f"<Things {len(self._keys)} phrases>"

    def without(self, words: Sequence[str], found: Iterable[Found]) -> list[Found]:
        """Leave out the persons that are part of a known phrase, unless a title stands before them."""
        return [one for one in found if one.entity != "PERSON" or not self._holds(words, one.first, one.last)]

    def _holds(self, words: Sequence[str], first: int, last: int) -> bool:
        if not self._keys or last - first >= WORDS_MAX or _is_titled(words, first):
            return False
        starts = range(max(0, last + 1 - WORDS_MAX), first + 1)
        return any(
            phrase_key(words[start:end]) in self._keys
            for start in starts
            for end in range(max(last + 1, start + 2), min(len(words), start + WORDS_MAX) + 1)
        )


def _is_titled(words: Sequence[str], first: int) -> bool:
    """Whether one of the titles stands before a name ("Dr. ")."""
    before = first - 2 if first and words[first - 1] in (".", ":") else first - 1
    return before >= 0 and words[before].lower() in _TITLES


def phrase_key(words: Sequence[str]) -> int:
    """Name a phrase, in any case, its last word in singular or plural."""
    said = _POSSESSIVE.sub(r"\1 's", " ".join(words).lower().replace("\u2019", "'"))
    return key_of(_PLURAL.sub("", said))
