"""How a provider spelled the placeholders that its client got back as values.

A model may write ``email address 3f9a1c`` for ``[EMAIL_ADDRESS_3f9a1c]``, or put two names side by side. The client
gets the values, and the next turn brings them as part of the history. There they leave again as the provider spelled
them, so that what it reads is byte for byte what it said, and its caches hold. For each text with restored values its
keyed hash is remembered, and where in it which placeholder stood: no value, and nothing that tells one.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

# About 30,000 texts with three values each. What is forgotten leaves by its usual name, and costs one miss of a cache.
BYTES_MAX = 16 * 1024 * 1024
# Of one text: a reply that restores more is a table, and read as any other text.
ECHOES_MAX = 1000
_ENTRY_BYTES, _ECHO_BYTES = 300, 250  # with keys and tuples, measured with sys.getsizeof, rounded up
_GAP_CHARACTERS_MAX = 64 * 1024


class Echo(NamedTuple):
    """``text[start:end]`` is a value that the provider spelled ``said``; offsets from the first non-space."""

    start: int
    end: int
    said: str
    entity: str


class Echoes:
    """The echoes of all texts, least recently used ones forgotten first. Serves all threads."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._texts: OrderedDict[bytes, tuple[Echo, ...]] = OrderedDict()
        self._lock = threading.Lock()
        self.bytes = 0
        """About how much memory they take."""

    def __repr__(self) -> str:
        return f"<Echoes of {len(self)} texts>"

    def __len__(self) -> int:
        return len(self._texts)

    def listen(self, key: bytes) -> "Listener":
        """Begin to take in a text; ``key`` differs where the placeholders of a value may."""
        return Listener(self, key)

    def of(self, key: bytes, text: str) -> Sequence[Echo]:
        """The echoes in ``text``, in its own offsets; empty where none are remembered."""
        stripped = text.strip()
        with self._lock:
            name = _hash(key, stripped).digest()
            found = self._texts.get(name, ())
            if found:
                self._texts.move_to_end(name)
        by = len(text) - len(text.lstrip())
        return [echo._replace(start=echo.start + by, end=echo.end + by) for echo in found] if by else found

    def put(self, name: bytes, echoes: Iterable[Echo]) -> None:
        """Remember the echoes of the text with the keyed hash ``name``; said again, the later ones count."""
        said = tuple(echoes)
        with self._lock:
            self.bytes += _size(said) - _size(self._texts.pop(name, None))
            self._texts[name] = said
            while self.bytes > self._bytes_max:
                self.bytes -= _size(self._texts.popitem(last=False)[1])


class Listener:
    """Takes in one text as the client gets it, in pieces; spaces at its begin and end do not count."""

    __slots__ = ("_echoes", "_gap", "_hash", "_length", "_said")

    def __init__(self, echoes: Echoes, key: bytes) -> None:
        self._echoes = echoes
        self._hash = _hash(key, "")
        self._length = 0
        self._gap = ""
        self._said: list[Echo] = []

    def take(self, text: str) -> None:
        """Go on by ``text``."""
        text = self._gap + text if self._length else text.lstrip()
        stripped = text.rstrip()
        self._gap = text[len(stripped) :][:_GAP_CHARACTERS_MAX]  # beyond: the text is not known again, and that is all
        self._hash.update(stripped.encode("utf-8", "surrogatepass"))
        self._length += len(stripped)

    def take_restored(self, said: str, value: str, entity: str) -> None:
        """Go on by ``value``, which stands where the provider wrote ``said``."""
        start = self._length + len(self._gap)
        self.take(value)
        if len(self._said) <= ECHOES_MAX:
            self._said.append(Echo(start, start + len(value), said, entity))

    def finish(self) -> None:
        """The text is complete: remember it, if a value was restored in it, and all of them are known."""
        if 0 < len(self._said) <= ECHOES_MAX:
            self._echoes.put(self._hash.digest(), self._said)


def _hash(key: bytes, text: str) -> "hashlib.blake2b":
    return hashlib.blake2b(
        text.encode("utf-8", "surrogatepass"), digest_size=16, key=key[: hashlib.blake2b.MAX_KEY_SIZE]
    )


def _size(echoes: Sequence[Echo] | None) -> int:
    return 0 if echoes is None else _ENTRY_BYTES + sum(_ECHO_BYTES + 2 * len(echo.said) for echo in echoes)
