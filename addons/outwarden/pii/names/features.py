"""What the network knows of a word by itself: its form, the lists it is in, how often and how others write it."""

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]

# Rows of the tables of word forms; two forms that share a row are told apart by the other features.
PREFIX_ROWS, SUFFIX2_ROWS, SUFFIX_ROWS, SHAPE_ROWS = 2048, 1024, 4096, 1024
USE_ROWS = 64
FLAGS = (
    "first_english",
    "first_elsewhere",
    "last_frequent",
    "last_census",
    "last_elsewhere",
    "chinese_japanese",
    "city",
    "country",
    "person_first",
    "person_last",
    "place",
    "organisation",
)
COLUMNS = ("norm", "cluster", "cluster_title", "prefix", "suffix2", "suffix", "shape", "use")
CODES = 16  # bytes that name a word's vector


def key_of(word: str) -> int:
    """Name a word in the tables."""
    return crc32(word.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True)
class Lexicon:
    """Sorted keys of words in lower case, and what is known of each; of words as written, their cluster."""

    keys: NDArray[np.uint32]
    norm: NDArray[np.uint16]
    use: NDArray[np.uint8]
    flags: NDArray[np.uint16]
    codes: NDArray[np.uint8]
    cluster_keys: NDArray[np.uint32]
    cluster: NDArray[np.uint16]

    def rows(self, keys: Sequence[int]) -> Ids:
        """Return the row of each word, -1 for none."""
        return _find(self.keys, keys)

    def clusters(self, keys: Sequence[int]) -> Ids:
        """Return the cluster of each word as it is written, 0 for none."""
        rows = _find(self.cluster_keys, keys)
        return np.where(rows < 0, 0, self.cluster[rows]).astype(np.int32)


def _find(table: NDArray[np.uint32], keys: Sequence[int]) -> Ids:
    wanted = np.array(keys, dtype=np.uint32)
    at = np.searchsorted(table, wanted)
    at[at == len(table)] = 0
    return np.where(table[at] == wanted, at, -1).astype(np.int32)


@dataclass(frozen=True)
class Features:
    """Per word one id for each of COLUMNS, its flags as numbers, and the codes of its vector (all 0: none)."""

    ids: Ids
    flags: NDArray[np.float32]
    codes: NDArray[np.uint8]


def features_of(words: Sequence[str], lexicon: Lexicon) -> Features:
    """Look up all ``words`` at once."""
    lower = [word.lower() for word in words]
    rows = lexicon.rows([key_of(word) for word in lower])
    known = rows >= 0
    ids = np.empty((len(words), len(COLUMNS)), dtype=np.int32)
    ids[:, 0] = np.where(known, lexicon.norm[rows], 0)
    ids[:, 1] = lexicon.clusters([key_of(word) for word in words])
    ids[:, 2] = lexicon.clusters([key_of(word[:1].upper() + word[1:]) for word in lower])
    ids[:, 3] = [key_of(word[:3]) % PREFIX_ROWS for word in lower]
    ids[:, 4] = [key_of(word[-2:]) % SUFFIX2_ROWS for word in lower]
    ids[:, 5] = [key_of(word[-4:]) % SUFFIX_ROWS for word in lower]
    ids[:, 6] = [key_of(shape_of(word)) % SHAPE_ROWS for word in words]
    ids[:, 7] = np.where(known, lexicon.use[rows], 0)
    bits = np.where(known, lexicon.flags[rows], 0)
    flags = ((bits[:, None] >> np.arange(len(FLAGS))) & 1).astype(np.float32)
    codes = np.where(known[:, None], lexicon.codes[rows], 0).astype(np.uint8)
    return Features(ids, flags, codes)


def shape_of(word: str) -> str:
    """Return the form of a word: "Smith" Xxx5, "SMITH" X5, "McKay" XxXx5, "gpt4" xd; a sign is its own form."""
    if word.isalpha() and word.isascii() and (usual := _usual_shape(word)):
        return usual
    if not word[0].isalnum():
        kind = word[0] if len(word) < 3 else word[0] + "…"
        return kind if kind.isascii() else "·"
    if len(word) > 8 and ("/" in word or "\\" in word):
        return "://" if "://" in word[:8] else "/"
    if "@" in word:
        return "a@b"
    shape = ""
    for character in word[:16]:
        if character.islower():
            kind = "x"
        elif character.isupper():
            kind = "X"
        elif character.isdigit():
            kind = "d"
        elif character.isalpha():
            kind = "z"  # of a script without case
        else:
            kind = character if character in "_'-." else "\u2019"
        if not shape.endswith(kind * 2):
            shape += kind
    return f"{shape}{min(len(word), 5)}"


def _usual_shape(word: str) -> str:
    """The shape of "smith", "Smith", "SMITH"; empty for others."""
    if word.islower():
        shape = "xx"
    elif word.isupper():
        shape = "XX"
    elif word.istitle():
        shape = "Xxx"
    else:
        return ""
    return f"{shape[: len(word)]}{min(len(word), 5)}"
