"""A small network that labels the words of a unit: two windows over what each word contributes.

What a word contributes to the first layer depends on the word alone (Chen and Manning 2014 add it up from a table), so
it is computed once and kept for the words used most; a known word costs five additions of a row. Everything is NumPy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outwarden.pii.names.features import CODES, Lexicon, features_of

Array = NDArray[np.float32]

ENTITIES = ("PERSON", "LOCATION", "ORGANIZATION")
LABELS = ("O", *(f"{mark}-{entity}" for entity in ENTITIES for mark in "BI"))
OFFSETS = (-2, -1, 0, 1, 2)
OFFSETS_2 = (-1, 0, 1)
OFFSETS_3 = (-1, 0, 1)
PADS = 2  # as far as the widest window looks: units beside each other do not touch
# Words whose contribution is kept: 2.5 KB each. A conversation of 30,000 words uses about 4,000 different ones.
KEPT_WORDS = 16_000
# Layers are computed for so many words at once: their rows stay in the cache of the processor.
BLOCK_WORDS = 1024


@dataclass(frozen=True)
class Weights:
    """The trained numbers."""

    tables: Sequence[Array]
    book: Array
    w1: Array
    b1: Array
    w2: Array
    b2: Array
    w3: Array
    b3: Array
    w4: Array
    b4: Array


class Network:
    """Labels words. One thread at a time."""

    def __init__(self, lexicon: Lexicon, weights: Weights) -> None:
        self._lexicon = lexicon
        self._weights = weights
        self._hidden = len(weights.b1)
        self._rows: dict[str, int] = {}
        self._space = _Space()
        near = weights.w2.shape[1] * len(OFFSETS_3)
        self._w2 = _by_place(weights.w2, len(OFFSETS_2))
        self._w3, self._w3_mean = _by_place(weights.w3[:near], len(OFFSETS_3)), weights.w3[near:]
        self._given = np.zeros((len(OFFSETS), KEPT_WORDS + 1, self._hidden), np.float32)  # row 0: padding

    def __repr__(self) -> str:
        return f"<Network {len(self._rows)} words kept>"

    def learn(self, words: Sequence[str]) -> None:
        """Compute what ``words`` contribute now, before a text needs them."""
        self._rows_of([words])

    def likelihoods(self, units: Sequence[Sequence[str]]) -> list[Array]:
        """Per unit and word, how likely each of LABELS is."""
        found: list[Array] = []
        block: list[Sequence[str]] = []
        size = 0
        for unit in units:
            block.append(unit)
            size += len(unit)
            if size >= BLOCK_WORDS:
                found += self._block(block)
                block, size = [], 0
        return found + self._block(block) if block else found

    def _block(self, units: Sequence[Sequence[str]]) -> list[Array]:
        rows = self._rows_of(units)
        sequence: list[int] = []
        starts: list[int] = []
        for unit in units:
            starts.append(len(sequence))
            sequence += map(rows.__getitem__, unit)
            sequence += (0,) * PADS
        ids = np.array(sequence)
        likely = self._layers(ids, np.array(starts), np.array([len(unit) for unit in units]))
        return [likely[start : start + len(unit)] for start, unit in zip(starts, units, strict=True)]

    def _rows_of(self, units: Sequence[Sequence[str]]) -> dict[str, int]:
        """The row of each word in the kept contributions; new words get theirs."""
        different = {word for unit in units for word in unit}
        new = sorted(different.difference(self._rows))
        if len(self._rows) + len(new) > KEPT_WORDS:
            self._rows.clear()
            new = sorted(different)
        if len(new) > KEPT_WORDS:
            raise ValueError("too many words in a block")
        if new:
            start = len(self._rows) + 1
            given = self._contributions(new)
            self._given[:, start : start + len(new)] = given.transpose(1, 0, 2)
            self._rows.update(zip(new, range(start, start + len(new)), strict=True))
        return self._rows

    def _contributions(self, words: Sequence[str]) -> Array:
        features = features_of(words, self._lexicon)
        tables = [table[features.ids[:, at]] for at, table in enumerate(self._weights.tables)]
        vectors = self._weights.book[np.arange(CODES), features.codes].reshape(len(words), -1)
        embedded = np.concatenate([*tables, features.flags, vectors], axis=1, dtype=np.float32)
        return (embedded @ self._weights.w1).reshape(len(words), len(OFFSETS), self._hidden)

    def _layers(self, ids: NDArray[np.int64], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> Array:
        weights, space, n = self._weights, self._space, len(ids)
        pads = np.flatnonzero(ids == 0)
        h1, part = space.rows("h1", n, self._hidden), space.rows("part1", n, self._hidden)
        h1[:] = weights.b1
        for at, offset in enumerate(OFFSETS):
            to, of = _shifted(n, offset)
            np.take(self._given[at], ids[of], axis=0, out=part[to], mode="clip")  # else it takes a copy
            h1[to] += part[to]
        np.maximum(h1, 0, out=h1)
        h1[pads] = 0
        h2 = self._window("2", h1, OFFSETS_2, self._w2)
        h2 += weights.b2
        np.maximum(h2, 0, out=h2)
        h2[pads] = 0
        mean = np.add.reduceat(h2, starts, axis=0) / np.maximum(lengths, 1)[:, None].astype(np.float32)
        h3 = self._window("3", h2, OFFSETS_3, self._w3)
        h3 += np.repeat(mean @ self._w3_mean, lengths + PADS, axis=0)
        h3 += weights.b3
        np.maximum(h3, 0, out=h3)
        scores = np.ascontiguousarray((h3 @ weights.w4 + weights.b4).T)  # long rows are faster than long columns
        scores -= scores.max(axis=0)
        likely: Array = np.exp(scores, out=scores)
        likely /= likely.sum(axis=0)
        return likely.T

    def _window(self, name: str, rows: Array, offsets: Sequence[int], matrix: Array) -> Array:
        """Multiply each row, with those at ``offsets`` beside it, by a matrix as `_by_place` has it.

        Each row is multiplied for all its places in windows at once; then the products are added where they belong.
        """
        n, width = len(rows), matrix.shape[1] // len(offsets)
        total, parts = (
            self._space.rows(what + name, n, w) for what, w in (("total", width), ("parts", matrix.shape[1]))
        )
        np.matmul(rows, matrix, out=parts)
        total[:] = 0
        for at, offset in enumerate(offsets):
            to, of = _shifted(n, offset)
            total[to] += parts[of, at * width : (at + 1) * width]
        return total


def _by_place(matrix: Array, places: int) -> Array:
    """Put the parts of a matrix that belong to places of a window side by side instead of one below the other."""
    return np.concatenate(np.split(matrix, places), axis=1)


class _Space:
    """Memory for a block's rows, kept: fresh memory costs more to get than most layers cost to compute."""

    def __init__(self) -> None:
        self._arrays: dict[str, Array] = {}

    def rows(self, name: str, n: int, width: int) -> Array:
        """An array of ``n`` rows; what it holds is anything."""
        array = self._arrays.get(name)
        if array is None or len(array) < n:
            array = self._arrays[name] = np.empty((max(n, 2 * BLOCK_WORDS), width), np.float32)
        return array[:n]


def _shifted(n: int, offset: int) -> tuple[slice, slice]:
    """Slices (to, of): row i takes what stands at i + offset."""
    return slice(max(0, -offset), n - max(0, offset)), slice(max(0, offset), n - max(0, -offset))
