"""Train the network: plain NumPy, one thread, the same weights for the same seed."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from outwarden.pii.names.features import (
    CODES,
    COLUMNS,
    FLAGS,
    PREFIX_ROWS,
    SHAPE_ROWS,
    SUFFIX2_ROWS,
    SUFFIX_ROWS,
    USE_ROWS,
    Lexicon,
    features_of,
)
from outwarden.pii.names.network import LABELS, OFFSETS, OFFSETS_2, OFFSETS_3, PADS

Array = NDArray[np.float32]

WIDTHS = {
    "norm": 40,
    "cluster": 24,
    "cluster_title": 20,
    "prefix": 12,
    "suffix2": 6,
    "suffix": 16,
    "shape": 20,
    "use": 10,
}
HIDDEN_1, HIDDEN_2, HIDDEN_3 = 128, 80, 64
VECTOR = CODES * 3
# How often a feature of a word is hidden in training, so that none is relied on: names are mostly new.
HIDE = {"norm": 0.25, "cluster": 0.15, "cluster_title": 0.15, "suffix": 0.1, "prefix": 0.1, "use": 0.1}
HIDE_FLAGS, HIDE_VECTOR = 0.2, 0.15
DROP_E, DROP_1, DROP_2 = 0.1, 0.25, 0.25
DECAY = 1e-3
BATCH_WORDS = 1800


@dataclass(frozen=True)
class Unit:
    """Words of one unit by their index in the word list, and a label for each."""

    words: NDArray[np.int32]
    labels: NDArray[np.int8]


class Words:
    """All words seen in training with their features; 0 is the padding."""

    def __init__(self, lexicon: Lexicon, book: Array) -> None:
        self.index: dict[str, int] = {}
        self._new: list[str] = []
        self._lexicon = lexicon
        self._book = book
        self.ids = np.zeros((1, len(COLUMNS)), dtype=np.int32)
        self.flags = np.zeros((1, len(FLAGS)), dtype=np.float32)
        self.vectors = np.zeros((1, VECTOR), dtype=np.float32)

    def add(self, word: str) -> int:
        at = self.index.get(word)
        if at is None:
            at = self.index[word] = len(self.index) + 1
            self._new.append(word)
        return at

    def look_up(self) -> None:
        """Compute the features of the words added since."""
        for start in range(0, len(self._new), 50_000):
            found = features_of(self._new[start : start + 50_000], self._lexicon)
            self.ids = np.concatenate([self.ids, found.ids])
            self.flags = np.concatenate([self.flags, found.flags])
            vectors = self._book[np.arange(CODES), found.codes].reshape(-1, VECTOR)
            self.vectors = np.concatenate([self.vectors, vectors.astype(np.float32)])
        self._new = []


@dataclass
class Parameter:
    """A matrix with the two moments of Adam."""

    value: Array
    first: Array = field(init=False)
    second: Array = field(init=False)

    def __post_init__(self) -> None:
        self.first = np.zeros_like(self.value)
        self.second = np.zeros_like(self.value)

    def step(
        self, gradient: Array, rate: float, rows: NDArray[np.int64] | slice = slice(None), decay: float = 0.0
    ) -> None:
        first = 0.9 * self.first[rows] + 0.1 * gradient
        second = 0.995 * self.second[rows] + 0.005 * gradient * gradient
        self.first[rows], self.second[rows] = first, second
        value = self.value[rows]
        self.value[rows] = value - rate * (first / (np.sqrt(second) + 1e-7) + decay * value)


@dataclass(frozen=True)
class _Pass:
    """What the way forward leaves for the way back: inputs (x), sums (z), what dropout kept, in the order of layers."""

    labels: NDArray[np.int64]
    owner: NDArray[np.int64]
    counts: Array
    inverse: NDArray[np.int64]
    ids: NDArray[np.int32]
    is_pad: NDArray[np.bool_]
    mask: Array
    embedded: Array
    keep_e: Array
    z1: Array
    keep1: Array
    x2: Array
    z2: Array
    keep2: Array
    x3: Array
    z3: Array
    h3: Array
    likely: Array


class Trainer:
    """The network with its gradients."""

    def __init__(self, norms: int, clusters: int, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        rows = {
            "norm": norms,
            "cluster": clusters,
            "cluster_title": clusters,
            "prefix": PREFIX_ROWS,
            "suffix2": SUFFIX2_ROWS,
            "suffix": SUFFIX_ROWS,
            "shape": SHAPE_ROWS,
            "use": USE_ROWS,
        }
        self.tables = {name: Parameter(self._random((rows[name], WIDTHS[name]), 0.3)) for name in COLUMNS}
        width = sum(WIDTHS.values()) + len(FLAGS) + VECTOR
        self.w1 = Parameter(self._scaled(width, len(OFFSETS) * HIDDEN_1, width * 3))
        self.b1 = Parameter(np.zeros(HIDDEN_1, np.float32))
        self.w2 = Parameter(self._scaled(HIDDEN_1 * len(OFFSETS_2), HIDDEN_2))
        self.b2 = Parameter(np.zeros(HIDDEN_2, np.float32))
        self.w3 = Parameter(self._scaled(HIDDEN_2 * (len(OFFSETS_3) + 1), HIDDEN_3))
        self.b3 = Parameter(np.zeros(HIDDEN_3, np.float32))
        self.w4 = Parameter(self._scaled(HIDDEN_3, len(LABELS)))
        self.b4 = Parameter(np.zeros(len(LABELS), np.float32))

    def _random(self, shape: tuple[int, ...], scale: float) -> Array:
        return (self.rng.standard_normal(shape) * scale).astype(np.float32)

    def _scaled(self, inputs: int, outputs: int, fan: int | None = None) -> Array:
        return self._random((inputs, outputs), (2.0 / (fan or inputs)) ** 0.5)

    def embedded(self, ids: NDArray[np.int32], flags: Array, vectors: Array) -> Array:
        return np.concatenate(
            [*(self.tables[n].value[ids[:, at]] for at, n in enumerate(COLUMNS)), flags, vectors], axis=1
        )

    def step(self, units: Sequence[Unit], words: Words, rate: float) -> float:
        """Learn from one batch; return its loss per word."""
        seen = self._forward(units, words)
        gradient = seen.likely.copy()
        gradient[np.arange(len(gradient)), seen.labels] -= 1
        gradient *= seen.mask / seen.mask.sum()
        real = seen.mask[:, 0] > 0
        loss = -np.log(seen.likely[real, seen.labels[real]] + 1e-9).mean()
        self._back_words(seen, self._back_layers(seen, gradient, rate), rate)
        return float(loss)

    def _forward(self, units: Sequence[Unit], words: Words) -> "_Pass":
        rng = self.rng
        sequence, labels, owner = laid_out(units)
        different, inverse = np.unique(sequence, return_inverse=True)
        ids = words.ids[different].copy()
        for at, name in enumerate(COLUMNS):
            if name in HIDE:
                ids[rng.random(len(ids)) < HIDE[name], at] = 0
        flags = words.flags[different] * (rng.random((len(ids), 1)) > HIDE_FLAGS)
        vectors = words.vectors[different] * (rng.random((len(ids), 1)) > HIDE_VECTOR)
        embedded = self.embedded(ids, flags.astype(np.float32), vectors.astype(np.float32))
        embedded[different == 0] = 0
        keep_e = dropped(rng, embedded.shape, DROP_E)
        embedded *= keep_e
        given = (embedded @ self.w1.value).reshape(len(different), len(OFFSETS), HIDDEN_1)
        z1 = np.tile(self.b1.value, (len(sequence), 1))
        for at, offset in enumerate(OFFSETS):
            to, of = shifted(len(sequence), offset)
            z1[to] += given[inverse[of], at]
        mask = (owner >= 0)[:, None].astype(np.float32)
        keep1 = dropped(rng, z1.shape, DROP_1) * mask
        x2 = windows(np.maximum(z1, 0) * keep1, OFFSETS_2)
        z2 = x2 @ self.w2.value + self.b2.value
        keep2 = dropped(rng, z2.shape, DROP_2) * mask
        h2 = np.maximum(z2, 0) * keep2
        counts = np.array([len(unit.words) for unit in units], np.float32)[:, None]
        mean = np.add.reduceat(h2, first_of(owner), axis=0) / counts
        x3 = np.concatenate([windows(h2, OFFSETS_3), mean[np.maximum(owner, 0)] * mask], axis=1)
        z3 = x3 @ self.w3.value + self.b3.value
        h3 = np.maximum(z3, 0)
        scores = h3 @ self.w4.value + self.b4.value
        likely = np.exp(scores - scores.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        return _Pass(
            labels,
            owner,
            counts,
            inverse,
            ids,
            different == 0,
            mask,
            embedded,
            keep_e,
            z1,
            keep1,
            x2,
            z2,
            keep2,
            x3,
            z3,
            h3,
            likely,
        )

    def _back_layers(self, seen: "_Pass", gradient: Array, rate: float) -> Array:
        """Move the upper layers; return the gradient at the first one."""
        d3 = (gradient @ self.w4.value.T) * (seen.z3 > 0)
        self.w4.step(seen.h3.T @ gradient, rate, decay=DECAY)
        self.b4.step(gradient.sum(axis=0), rate)
        dx3 = d3 @ self.w3.value.T
        self.w3.step(seen.x3.T @ d3, rate, decay=DECAY)
        self.b3.step(d3.sum(axis=0), rate)
        near = HIDDEN_2 * len(OFFSETS_3)
        dmean = np.add.reduceat(dx3[:, near:] * seen.mask, first_of(seen.owner), axis=0) / seen.counts
        dh2 = unwindowed(dx3[:, :near], OFFSETS_3, HIDDEN_2) + dmean[np.maximum(seen.owner, 0)]
        d2 = dh2 * seen.keep2 * (seen.z2 > 0)
        dx2 = d2 @ self.w2.value.T
        self.w2.step(seen.x2.T @ d2, rate, decay=DECAY)
        self.b2.step(d2.sum(axis=0), rate)
        return unwindowed(dx2, OFFSETS_2, HIDDEN_1) * seen.keep1 * (seen.z1 > 0)

    def _back_words(self, seen: "_Pass", d1: Array, rate: float) -> None:
        """Move the first layer and the tables of word features."""
        self.b1.step(d1.sum(axis=0), rate)
        order = np.argsort(seen.inverse, kind="stable")
        bounds = np.searchsorted(seen.inverse[order], np.arange(len(seen.embedded)))
        dgiven = np.zeros((len(seen.embedded), len(OFFSETS), HIDDEN_1), np.float32)
        for at, offset in enumerate(OFFSETS):
            to, of = shifted(len(d1), offset)
            moved = np.zeros_like(d1)
            moved[of] = d1[to]
            dgiven[:, at] = np.add.reduceat(moved[order], bounds, axis=0)
        flat = dgiven.reshape(len(seen.embedded), -1)
        dembedded = (flat @ self.w1.value.T) * seen.keep_e
        dembedded[seen.is_pad] = 0
        self.w1.step(seen.embedded.T @ flat, rate, decay=DECAY)
        at = 0
        for column, name in enumerate(COLUMNS):
            part = dembedded[:, at : at + WIDTHS[name]]
            at += WIDTHS[name]
            by_row = np.argsort(seen.ids[:, column], kind="stable")
            touched, first = np.unique(seen.ids[by_row, column], return_index=True)
            self.tables[name].step(np.add.reduceat(part[by_row], first, axis=0), rate, touched)

    def arrays(self) -> dict[str, Array]:
        """All weights by name."""
        named = {f"table_{name}": table.value for name, table in self.tables.items()}
        return named | {name: getattr(self, name).value for name in ("w1", "b1", "w2", "b2", "w3", "b3", "w4", "b4")}


def dropped(rng: np.random.Generator, shape: tuple[int, ...], share: float) -> Array:
    """A factor for each number: 0 for a ``share`` of them, and what makes up for it for the others."""
    return (rng.random(shape, dtype=np.float32) > share) / np.float32(1 - share)


def laid_out(units: Sequence[Unit]) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
    """Units one after the other with padding between: words, labels, and whose each place is (-1: padding)."""
    words, labels, owner = [], [], []
    gap = np.zeros(PADS, np.int32)
    for at, unit in enumerate(units):
        words += [unit.words, gap]
        labels += [unit.labels, gap]
        owner += [np.full(len(unit.words), at), gap - 1]
    return np.concatenate(words), np.concatenate(labels).astype(np.int64), np.concatenate(owner)


def first_of(owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each unit begins."""
    return np.flatnonzero((owner >= 0) & (np.concatenate([[-1], owner[:-1]]) != owner))


def shifted(n: int, offset: int) -> tuple[slice, slice]:
    """Slices (to, of): place i takes what stands at i + offset."""
    return slice(max(0, -offset), n - max(0, offset)), slice(max(0, offset), n - max(0, -offset))


def windows(rows: Array, offsets: Sequence[int]) -> Array:
    """Beside each row those at ``offsets``."""
    n, width = rows.shape
    wide = np.zeros((n, width * len(offsets)), np.float32)
    for at, offset in enumerate(offsets):
        to, of = shifted(n, offset)
        wide[to, at * width : (at + 1) * width] = rows[of]
    return wide


def unwindowed(wide: Array, offsets: Sequence[int], width: int) -> Array:
    """The gradient of `windows`."""
    n = len(wide)
    rows = np.zeros((n, width), np.float32)
    for at, offset in enumerate(offsets):
        to, of = shifted(n, offset)
        rows[of] += wide[to, at * width : (at + 1) * width]
    return rows


def batches(units: Sequence[Unit], rng: np.random.Generator) -> Iterator[list[Unit]]:
    """Shuffle and cut into batches of about BATCH_WORDS."""
    batch: list[Unit] = []
    size = 0
    for at in rng.permutation(len(units)):
        batch.append(units[at])
        size += len(units[at].words)
        if size >= BATCH_WORDS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def train(
    trainer: Trainer,
    words: Words,
    epoch_units: Callable[[int], Sequence[Unit]],
    epochs: int,
    after: Callable[[int], str],
    rate: float = 1.5e-3,
) -> None:
    """Run all epochs; the rate falls to nothing along a cosine. ``after`` says how the network does."""
    steps = None
    done = 0
    for epoch in range(epochs):
        units = epoch_units(epoch)
        words.look_up()
        steps = steps or epochs * sum(len(unit.words) for unit in units) / BATCH_WORDS
        losses, started = [], time.process_time()
        for batch in batches(units, trainer.rng):
            now = rate * min(1.0, (done + 1) / 200) * max(0.01, 0.5 + 0.5 * np.cos(np.pi * min(1.0, done / steps)))
            losses.append(trainer.step(batch, words, float(now)))
            done += 1
        seconds = time.process_time() - started
        print(
            f"epoch {epoch + 1}: {len(losses)} steps, loss {np.mean(losses):.4f}, {seconds:.0f} s; {after(epoch)}",
            flush=True,
        )
