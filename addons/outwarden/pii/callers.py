"""What a caller's earlier calls replaced, for calls that read what the provider kept of them.

Threads, conversations, stored responses, files, batches and caches live at the provider: a reply can name what an
earlier request of the same caller carried. Each caller (by the id of its key) has a map of its own; nobody's values are
ever looked up for another. In memory only, bounded, and forgotten a day after they were last used.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NoReturn

from outwarden.pii.vault import Vault

# Batches and cached contents are done within a day (OpenAI's completion_window is 24h); what is asked for later comes
# back with its placeholders.
AGE_MAX_S = 24 * 3600.0
# About 100,000 values; a caller may take a quarter, so that nobody makes the others forget.
BYTES_MAX = 32 * 1024 * 1024
_ENTRY_BYTES = 300  # an entry of the dictionaries with its key and tuple, measured with sys.getsizeof, rounded up

_Key = tuple[str, str]  # ("", placeholder) or (entity, canonical value)


class CallerVaults:
    """The maps of all callers. Serves all threads."""

    def __init__(
        self, bytes_max: int = BYTES_MAX, age_max_s: float = AGE_MAX_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._bytes_max = bytes_max
        self._age_max_s = age_max_s
        self._clock = clock
        self._callers: OrderedDict[str, _Earlier] = OrderedDict()
        self._lock = threading.RLock()  # of all maps together: what they hold is bounded together

    def __repr__(self) -> str:
        return f"<CallerVaults of {len(self._callers)} callers>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("vaults are never pickled")

    @property
    def bytes(self) -> int:
        """About how much memory all maps take."""
        return sum(earlier.bytes for earlier in self._callers.values())

    def open(self, caller: str | None) -> Vault:
        """Open a vault that knows, and adds to, what ``caller`` sent before; None is nobody, who is not remembered."""
        if caller is None:
            return Vault()
        with self._lock:
            earlier = self._callers.get(caller)
            if earlier is None:
                limits = (self._bytes_max // 4, self._age_max_s)
                earlier = self._callers[caller] = _Earlier(*limits, self._clock, self._lock)
            self._callers.move_to_end(caller)
            self._tidy()
            return Vault(earlier)

    def _tidy(self) -> None:
        now, total = self._clock(), 0
        for caller, earlier in reversed(list(self._callers.items())):
            earlier.forget(now)
            total += earlier.bytes + _ENTRY_BYTES
            if total > self._bytes_max or earlier.touched + self._age_max_s < now:
                del self._callers[caller]  # the callers before it were here even longer ago


class _Earlier:
    """One caller's map, least recently used entries first."""

    def __init__(self, bytes_max: int, age_max_s: float, clock: Callable[[], float], lock: threading.RLock) -> None:
        self._bytes_max = bytes_max
        self._age_max_s = age_max_s
        self._clock = clock
        self._entries: OrderedDict[_Key, tuple[str | None, float]] = OrderedDict()
        self._lock = lock
        self.bytes = 0
        self.touched = clock()

    def __repr__(self) -> str:
        return f"<{len(self._entries)} earlier values>"

    def get(self, key: _Key) -> str | None:
        """What was put under ``key``, None where nothing (or two things) was."""
        with self._lock:
            self.touched = now = self._clock()
            self.forget(now)
            found = self._entries.get(key)
            if found is None:
                return None
            self._entries[key] = (found[0], now)
            self._entries.move_to_end(key)
            return found[0]

    def put(self, key: _Key, value: str | None) -> None:
        """Remember ``value``, or by None that the key stands for more than one."""
        with self._lock:
            self.touched = now = self._clock()
            if key in self._entries:
                before = self._entries[key][0]
                self.bytes -= _size(key, before)
                value = None if before is None else value  # what stood for two once is never sure again
            self.bytes += _size(key, value)
            self._entries[key] = (value, now)
            self._entries.move_to_end(key)
            self.forget(now)

    def forget(self, now: float) -> None:
        """Drop what is too old or too much."""
        while self._entries:
            key, (value, at) = next(iter(self._entries.items()))
            if self.bytes <= self._bytes_max and at + self._age_max_s >= now:
                return
            del self._entries[key]
            self.bytes -= _size(key, value)


def _size(key: _Key, value: str | None) -> int:
    return _ENTRY_BYTES + 2 * (len(key[0]) + len(key[1]) + len(value or ""))
