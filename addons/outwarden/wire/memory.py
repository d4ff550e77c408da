"""Remember what was found in a piece of a body, so that a conversation costs only its new messages."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from outwarden.wire.edits import Edit
from outwarden.wire.json_text import Splice

# One entry with its key, digest and tuples, measured with sys.getsizeof on CPython 3.13; rounded up.
_ENTRY_BYTES = 600
_SPLICE_BYTES = 300


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What one piece needs: splices relative to it, the edits with their originals, tokens after the edits.

    ``unread``: files and media in it that nobody here reads. ``has_files``: it holds text in base64.
    """

    splices: Sequence[Splice] = ()
    found: Sequence[tuple[Edit, str]] = ()
    tokens: int = 0
    media_bytes: int = 0
    unread: int = 0
    has_files: bool = False

    def __repr__(self) -> str:
        return f"Answer({len(self.splices)} splices, {len(self.found)} found, {self.tokens} tokens)"

    def size(self) -> int:
        """About how many bytes it takes in memory."""
        texts = sum(len(s[2]) for s in self.splices) + sum(4 * len(original) for _, original in self.found)
        return _ENTRY_BYTES + _SPLICE_BYTES * (len(self.splices) + len(self.found)) + texts


class Memory:
    """Answers by content, least recently used ones forgotten first. Keeps no body, but the values that were found.

    Pieces are known by a keyed hash with a key of this process, so nobody can prepare two that look the same.
    Serves all threads.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self._secret = secrets.token_bytes(32)
        self._answers: OrderedDict[Hashable, tuple[Answer, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._answers)

    def __repr__(self) -> str:
        return f"Memory({len(self)} pieces, {self.bytes} of {self.max_bytes} bytes)"

    def digest(self, raw: bytes) -> bytes:
        """Name a piece by its content."""
        return blake2b(raw, digest_size=16, key=self._secret).digest()

    def get(self, key: Hashable) -> Answer | None:
        """Look an answer up; it counts as used."""
        with self._lock:
            entry = self._answers.get(key)
            if entry is None:
                return None
            self._answers.move_to_end(key)
            return entry[0]

    def put(self, key: Hashable, answer: Answer) -> None:
        """Remember an answer; forget the oldest ones beyond ``max_bytes``."""
        size = answer.size()
        with self._lock:
            self.bytes += size - self._answers.pop(key, (answer, 0))[1]
            self._answers[key] = (answer, size)
            while self.bytes > self.max_bytes:
                self.bytes -= self._answers.popitem(last=False)[1][1]
