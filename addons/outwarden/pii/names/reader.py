"""The bundled network as a reader of English prose."""

import re
import threading
from collections.abc import Mapping, Sequence

from outwarden.pii.finder import Span
from outwarden.pii.names.gate import GATE_SCORE, Gate
from outwarden.pii.names.model import Model
from outwarden.pii.names.network import ENTITIES
from outwarden.pii.names.words import WORD

_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_LETTER = re.compile(r"[^\W\d_]")


class NetworkReader:
    """Finds the entities in ``floors`` (entity: how sure the network must be)."""

    def __init__(self, model: Model, floors: Mapping[str, float]) -> None:
        self._model = model
        self._floors = dict(floors)
        self._gate = model.gate if _is_gated(floors) else Gate()
        self.is_word = model.gate.knows
        self.is_first_name = model.evidence.is_first_name
        self.is_last_name = model.evidence.is_last_name
        self._lock = threading.Lock()  # the network keeps what it computed of words
        self.entities = frozenset(floors) & frozenset(ENTITIES)
        self.version = model.version + repr(sorted(floors.items())).encode()

    def __repr__(self) -> str:
        return f"<NetworkReader {sorted(self.entities)}>"

    def read(self, units: Sequence[str]) -> list[list[Span]]:
        """Per unit its findings."""
        found: list[list[Span]] = [[] for _ in units]
        numbers, words = [], []
        for number, unit in enumerate(units):
            said = WORD.findall(unit) if is_latin(unit) else ()
            if self._gate.may_name(said):
                numbers.append(number)
                words.append(said)
        with self._lock:
            names = list(self._model.find(words, self._floors))
        for at, kept in names:
            number = numbers[at]
            places = [match.span() for match in WORD.finditer(units[number])]
            found[number] = [Span(places[n.first][0], places[n.last][1], n.entity, n.score) for n in kept]
        return found


def _is_gated(floors: Mapping[str, float]) -> bool:
    return set(floors) == {"PERSON"} and floors["PERSON"] >= GATE_SCORE


def is_latin(unit: str) -> bool:
    """Whether most letters are of the script that the network learned."""
    return unit.isascii() or 2 * len(_LATIN.findall(unit)) >= len(_LETTER.findall(unit))
