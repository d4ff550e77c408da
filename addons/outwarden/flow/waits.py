"""What calls wait for, and until when; one clock that ticks for all calls of a client's connection.

mitmproxy's wake-ups cannot be cancelled and cost a task each, so calls share them: while anything is awaited the clock
ticks at least every `TICK_S` seconds, and earlier where a deadline is nearer. A tick that was overtaken by an earlier
one is passed over.

A tick that comes late says that this process was busy, not that an upstream is silent: what came meanwhile has not
been read yet. Such time counts for the limit in all, but against no upstream; else an hour of too many calls would look
like an outage of every provider, and be answered with more calls.
"""

import math
import time

TICK_S = 1.0
# A tick that comes this much before the next deadline is early enough to serve it, too.
_SAME_S = 0.005
# A tick that comes this much after its time was held up here.
LATE_S = 0.05


class Ticks:
    """When the next tick is due (``next_at``, None: never). ``late_s``: by how much the last one was late."""

    def __init__(self) -> None:
        self.late_s = 0.0
        self.next_at: float | None = None

    def ask(self, at: float) -> float | None:
        """The delay of a wake-up to ask for, so that there is a tick at ``at``; None where one is early enough."""
        if self.next_at is not None and at >= self.next_at - _SAME_S:
            return None
        self.next_at = at
        return max(0.0, at - time.monotonic())

    def came(self, asked_at: float | None) -> bool:
        """The wake-up came that was asked for ``asked_at``: whether it is the tick, or was overtaken by an earlier."""
        if self.next_at is None or asked_at != self.next_at:
            return False
        self.late_s, self.next_at = max(0.0, time.monotonic() - self.next_at), None
        return True


class Waits:
    """One phase at a time, and a limit in all.

    Phases: ``upload``, ``discard``; ``pause``, ``connect``, ``first_byte``, ``first_content``, ``idle``.
    """

    def __init__(self, ticks: Ticks) -> None:
        self._ticks = ticks
        self.phase = ""  # empty: nothing is awaited
        self._deadline = 0.0
        self._since = 0.0  # from when on the phase, or the last sign of life in it, counts
        self._looked_again = False  # whether what came while this process was busy had its chance to be read
        self._total_deadline = math.inf

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
        """The delay of the wake-up to ask for now; None where a tick comes early enough."""
        return self._ticks.ask(min(self._deadline, self._total_deadline, time.monotonic() + TICK_S))

    def overdue(self) -> str | None:
        """At a tick: the phase that is over its time, or ``total``; None where there is time left."""
        now = time.monotonic()
        late_s = min(self._ticks.late_s, now - self._since)
        if late_s > LATE_S and self.phase != "pause":  # a pause waits for nobody
            self._deadline += late_s
            if now >= self._deadline and not self._looked_again:
                self._looked_again, self._deadline = True, now + LATE_S
        if not self.phase:
            return None
        if now >= self._total_deadline:
            return "total"
        return self.phase if now >= self._deadline else None
