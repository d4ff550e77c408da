"""What a call waits for, and until when.

mitmproxy's wake-ups cannot be cancelled, so a call wakes up at least every `TICK_S` seconds instead of once at its
deadline; what it asked for before it was done costs nothing then.

A wake-up that comes late says that this process was busy, not that an upstream is silent: what came meanwhile has not
been read yet. Such time counts for the limit in all, but against no upstream; else an hour of too many calls would look
like an outage of every provider, and be answered with more calls.
"""

import math
import time

TICK_S = 1.0
# A wake-up that comes this much before the next deadline is early enough to serve it, too.
_SAME_S = 0.005
# A wake-up that comes this much after its time was held up here.
LATE_S = 0.05


class Waits:
    """One phase at a time, and a limit in all.

    Phases: ``upload``, ``discard``; ``pause``, ``connect``, ``first_byte``, ``first_content``, ``idle``.
    """

    def __init__(self) -> None:
        self.phase = ""  # empty: nothing is awaited
        self._deadline = 0.0
        self._since = 0.0  # from when on the phase, or the last sign of life in it, counts
        self._looked_again = False  # whether what came while this process was busy had its chance to be read
        self._total_deadline = math.inf
        self._tick_at: float | None = None

    def limit(self, seconds: float) -> None:
        """Set the time for the whole call; a later limit never lengthens it."""
        end = time.monotonic() + seconds
        self._total_deadline = min(self._total_deadline, end)

    def begin(self, phase: str, seconds: float) -> None:
        """Wait for something else from now on."""
        self.phase = phase
        self._since, self._looked_again = time.monotonic(), False
        self._deadline = self._since + seconds

    def again(self, phase: str, seconds: float) -> None:
        """Something came: wait as long again, if ``phase`` is what is waited for."""
        if self.phase == phase:
            self.begin(phase, seconds)

    def lengthen(self, phase: str, seconds: float) -> None:
        """Wait that much longer, if ``phase`` is what is waited for."""
        if self.phase == phase:
            self._deadline += seconds

    def end(self) -> None:
        """Nothing is awaited any more."""
        self.phase = ""

    def next_tick(self) -> float | None:
        """The delay of the wake-up to ask for now; None where the one asked for before is early enough."""
        now = time.monotonic()
        due = min(self._deadline, self._total_deadline, now + TICK_S)
        if self._tick_at is not None and due >= self._tick_at - _SAME_S:
            return None
        self._tick_at = due
        return max(0.0, due - now)

    def overdue(self) -> str | None:
        """At a wake-up: the phase that is over its time, or ``total``; None where there is time left."""
        now = time.monotonic()
        late_s = min(now - self._tick_at if self._tick_at else 0.0, now - self._since)
        self._tick_at = None
        if late_s > LATE_S and self.phase != "pause":  # a pause waits for nobody
            self._deadline += late_s
            if now >= self._deadline and not self._looked_again:
                self._looked_again, self._deadline = True, now + LATE_S
        if not self.phase:
            return None
        if now >= self._total_deadline:
            return "total"
        return self.phase if now >= self._deadline else None
