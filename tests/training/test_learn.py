"""The gradients that are written by hand are those of the loss."""

import numpy as np
import pytest

from outwarden.pii.names.features import COLUMNS
from outwarden.pii.names.network import LABELS, PADS
from training import learn
from training.learn import Trainer, Unit, Words, batches, laid_out, shifted, unwindowed, windows


class Given(Words):
    """Five words with features of their own; row 0 is the padding."""

    def __init__(self) -> None:
        rng = np.random.default_rng(1)
        self.ids = rng.integers(0, 5, (6, len(COLUMNS))).astype(np.int32)
        self.flags = rng.random((6, len(learn.FLAGS))).astype(np.float32)
        self.vectors = rng.random((6, learn.VECTOR)).astype(np.float32)


UNITS = [
    Unit(np.array([1, 2, 3, 1], np.int32), np.array([0, 1, 2, 0], np.int8)),
    Unit(np.array([4, 5], np.int32), np.array([3, 6], np.int8)),
]


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> Trainer:
    """In double precision and without chance, so that a difference is a difference."""
    for name in ("DROP_E", "DROP_1", "DROP_2", "HIDE_FLAGS", "HIDE_VECTOR", "DECAY"):
        monkeypatch.setattr(learn, name, 0.0)
    monkeypatch.setattr(learn, "HIDE", {})
    monkeypatch.setattr(learn, "dropped", lambda rng, shape, share: np.ones(shape, np.float32))
    return Trainer(norms=5, clusters=5, seed=3)


def loss(trainer: Trainer, words: Words) -> float:
    seen = trainer._forward(UNITS, words)
    real = seen.mask[:, 0] > 0
    return float(-np.log(seen.likely[real, seen.labels[real]].astype(np.float64)).mean())


@pytest.mark.parametrize("name", ["w1", "b1", "w2", "b2", "w3", "b3", "w4", "b4", "norm", "shape"])
def test_gradients(trainer: Trainer, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Compared with what a small step really changes."""
    words = Given()
    parameter = trainer.tables[name] if name in trainer.tables else getattr(trainer, name)
    told: dict[int, np.ndarray] = {}

    def record(
        self: learn.Parameter, gradient: np.ndarray, rate: float, rows: object = slice(None), decay: float = 0
    ) -> None:
        full = np.zeros(self.value.shape, np.float64)
        full[rows] = gradient  # type: ignore[index]
        told[id(self)] = full

    monkeypatch.setattr(learn.Parameter, "step", record)
    trainer.step(UNITS, words, 0.0)
    gradient = told[id(parameter)]
    large = np.abs(gradient) >= np.sort(np.abs(gradient).ravel())[-min(60, gradient.size)]  # few: no unit must switch
    direction = (np.sign(gradient) * large).astype(np.float32)
    step = np.float32(1e-3)
    before = parameter.value.copy()
    parameter.value = before + step * direction
    up = loss(trainer, words)
    parameter.value = before - step * direction
    down = loss(trainer, words)

    assert (up - down) / (2 * step) == pytest.approx(np.abs(gradient[large]).sum(), rel=0.05, abs=1e-3)


def test_it_learns(trainer: Trainer) -> None:
    """The loss falls."""
    words = Given()
    first = trainer.step(UNITS, words, 0.01)
    for _ in range(40):
        last = trainer.step(UNITS, words, 0.01)

    assert last < 0.1 * first


def test_units_lie_apart() -> None:
    """As far as a window looks."""
    words, labels, owner = laid_out(UNITS)

    assert len(words) == len(labels) == len(owner) == 6 + 2 * PADS
    assert (words[owner < 0] == 0).all()
    assert labels.max() < len(LABELS)


@pytest.mark.parametrize("offset", [-2, -1, 0, 1, 2])
def test_windows_are_undone(offset: int) -> None:
    """What a window gathers its gradient gives back to where it came from."""
    rows = np.arange(12, dtype=np.float32).reshape(6, 2)
    to, of = shifted(6, offset)

    assert (windows(rows, [offset])[to] == rows[of]).all()
    assert (unwindowed(windows(rows, [offset]), [offset], 2)[of] == rows[of]).all()


def test_batches_hold_all() -> None:
    """Each unit once."""
    units = [UNITS[0]] * 2000
    found = list(batches(units, np.random.default_rng(1)))

    assert sum(map(len, found)) == 2000
    assert len(found) > 1
