"""Keys of a large document compared by their bytes: to look at each as a string takes longer than to parse them."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from outwarden.wire.json_text import Spans

_WORD = 8  # bytes
# What is left of a word of which so many bytes count.
_FIRST = np.array([(1 << 8 * size) - 1 for size in range(_WORD + 1)], np.uint64)
# Objects rarely have more keys: each is compared with its neighbours sooner than all are sorted.
_NEAR = 8
# 2^64 by the golden ratio, and the next prime: neighbours end far apart.
_MIX, _MIX_TAIL = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x9E3779B97F4A7C55)


class Names:
    """Strings of a document (``at``: which) by their two ends and their length: equal strings have equal ones.

    ``tokens``: all strings, unescaped; asked where the bytes do not tell.
    """

    def __init__(self, raw: bytes, spans: Spans, at: NDArray[np.intp], tokens: Sequence[str]) -> None:
        self._at, self._tokens = at, tokens
        opening, closing = spans.opening[at], spans.closing[at]
        words = np.ndarray((len(raw) + 1,), "<u8", raw + bytes(_WORD), strides=(1,))  # the one that begins at each byte
        self._sizes = closing - opening - 1
        self._heads = words[opening + 1] & _FIRST[np.minimum(self._sizes, _WORD)]
        self._tails = np.zeros(len(at), np.uint64)
        long = np.flatnonzero(self._sizes > _WORD)
        self._tails[long] = words[closing[long] - _WORD]
        self._are_escaped = np.zeros(len(at), np.bool_)
        if b"\\" in raw:
            escapes = np.flatnonzero(np.frombuffer(raw, np.uint8) == ord("\\"))
            self._are_escaped = np.searchsorted(escapes, opening) != np.searchsorted(escapes, closing)

    def are_in(self, wanted: Iterable[str]) -> NDArray[np.bool_]:
        """Which of them are among ``wanted``, a few names."""
        names = frozenset(wanted)
        found = np.zeros(len(self._at), np.bool_)
        unsure = self._are_escaped
        for data in map(str.encode, names):
            head = int.from_bytes(data[:_WORD], "little")
            tail = int.from_bytes(data[-_WORD:], "little") if len(data) > _WORD else 0
            same = (self._sizes == len(data)) & (self._heads == head) & (self._tails == tail)
            if len(data) <= 2 * _WORD:
                found |= same
            else:
                unsure = unsure | same
        for one in np.flatnonzero(unsure).tolist():
            found[one] = self._tokens[self._at[one]] in names
        return found

    def repeat(self, objects: NDArray[np.intp]) -> bool:
        """Whether two of them are the same and stand in the same of ``objects``, of which each has its own.

        Those of one object stand next to each other.
        """
        if not self._are_escaped.any():
            codes = self._heads ^ self._tails * _MIX_TAIL ^ self._sizes.astype(np.uint64)
            if not _are_twice(objects, codes):
                return False
        exact = (hash(self._tokens[at]) for at in self._at.tolist())
        return _are_twice(objects, np.fromiter(exact, np.int64, len(self._at)).view(np.uint64))


def _are_twice(objects: NDArray[np.intp], codes: NDArray[np.uint64]) -> bool:
    for by in range(1, _NEAR):
        same = objects[by:] == objects[:-by]
        if not same.any():
            return False
        if (same & (codes[by:] == codes[:-by])).any():
            return True
    mixed = np.sort(objects.astype(np.uint64) * _MIX ^ codes)
    return bool((mixed[1:] == mixed[:-1]).any())
