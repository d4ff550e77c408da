"""The bundled network as a reader of English prose."""

import re
import threading
from collections.abc import Mapping, Sequence

from outwarden.pii.finder import Span
from outwarden.pii.names.network import ENTITIES, Network
from outwarden.pii.names.spans import spans_of
from outwarden.pii.names.words import WORD

_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_LETTER = re.compile(r"[^\W\d_]")


class NetworkReader:
    """Finds the entities in ``floors`` (entity: how sure the network must be)."""

    def __init__(self, network: Network, version: bytes, floors: Mapping[str, float]) -> None:
        self._network = network
        self._floors = dict(floors)
        self._lock = threading.Lock()  # the network keeps what it computed of words
        self.entities = frozenset(floors) & frozenset(ENTITIES)
        self.version = version + repr(sorted(floors.items())).encode()

    def __repr__(self) -> str:
        return f"<NetworkReader {sorted(self.entities)}>"

    def read(self, units: Sequence[str]) -> list[list[Span]]:
        """Per unit its findings."""
        found: list[list[Span]] = [[] for _ in units]
        numbers, words, places = [], [], []
        for number, unit in enumerate(units):
            matches = list(WORD.finditer(unit)) if is_latin(unit) else ()
            if matches:
                numbers.append(number)
                words.append([match[0] for match in matches])
                places.append([match.span() for match in matches])
        with self._lock:
            likely = self._network.likelihoods(words)
        for number, one, said, where in zip(numbers, likely, words, places, strict=True):
            found[number] = [Span(*span) for span in spans_of(one, said, where, self._floors)]
        return found


def is_latin(unit: str) -> bool:
    """Whether most letters are of the script that the network learned."""
    return unit.isascii() or 2 * len(_LATIN.findall(unit)) >= len(_LETTER.findall(unit))
