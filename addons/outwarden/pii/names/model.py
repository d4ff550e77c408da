"""The bundled model: one file of numbers beside this one, trained by ``scripts/train_ner``."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from outwarden.pii.names.evidence import Calibration, Evidence
from outwarden.pii.names.features import COLUMNS, Lexicon
from outwarden.pii.names.gate import Gate
from outwarden.pii.names.network import Network, Weights
from outwarden.pii.names.spans import Found, spans_of
from outwarden.pii.names.things import Things

FOLDER = Path(__file__).parent / "english"
COMPONENT = "names"


class Model(NamedTuple):
    """A network, what spares it work, what is no person, what weighs its findings, and a name for all of it."""

    network: Network
    gate: Gate
    things: Things
    evidence: Evidence
    calibration: Calibration
    version: bytes

    def find(self, units: Sequence[Sequence[str]], floors: Mapping[str, float]) -> Iterator[tuple[int, list[Found]]]:
        """Yield, for each unit (its words) that has any, its number and its findings.

        ``floors``: the entities that are asked for, and how likely a finding must be one. One thread at a time.
        """
        likely = self.network.likelihoods(units)
        for number, found in spans_of(likely, units, self.calibration.floors(floors)):
            kept = self.things.without(units[number], found)
            if judged := self.calibration.judged(units[number], likely[number], kept, floors):
                yield number, judged


@cache
def bundled() -> Model:
    """Load it once."""
    return read_model(FOLDER / COMPONENT)


def read_model(folder: Path) -> Model:
    """Read a model from a component's folder. Raises OSError, ValueError or KeyError for one that is none."""
    path = folder / "weights.npz"
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    lexicon = Lexicon(**{name: arrays[name] for name in Lexicon.__dataclass_fields__})

    def numbers(name: str) -> NDArray[np.float32]:
        wide: NDArray[np.float32] = arrays[name].astype(np.float32)
        return wide

    layers = {name: numbers(name) for name in ("book", "w1", "b1", "w2", "b2", "w3", "b3", "w4", "b4")}
    weights = Weights(tables=[numbers(f"table_{column}") for column in COLUMNS], **layers)
    network = Network(lexicon, weights)
    frequent = bytes(arrays["frequent"]).decode().split("\n")
    network.learn([*frequent, *map(str.capitalize, frequent)])
    gate = Gate(frozenset(bytes(arrays["ordinary"]).decode().split("\n")))
    evidence = Evidence(lexicon, gate)
    calibration = Calibration(evidence, arrays.get("calibration", np.zeros(0, np.float32)))
    return Model(network, gate, Things(arrays["things"].tolist()), evidence, calibration, bytes(arrays["version"]))
