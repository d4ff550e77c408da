"""Which upstreams are left alone for a while: one breaker per upstream."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from outwarden.routing.routes import Breaker

UPSTREAMS_MAX = 1024  # hosts that callers aim at are kept here too, and they are as many as callers like


@dataclass(slots=True)
class _Record:
    """Failures since the last success, newest last; ``rests_until``: the upstream is left alone; then it is probed."""

    fails: deque[float] = field(default_factory=deque)
    rests_until: float | None = None


class Health:
    """Breakers by upstream, in one process.

    Closed: calls go through. After ``max_fails`` failures ``within`` seconds it opens: calls skip the upstream for
    ``cooldown`` seconds. Then it is half open: one call may probe it, the others still skip it. The probe's success
    closes it, its failure opens it again; a probe that never reports lapses after another ``cooldown``.
    ``now`` is any monotonic clock, in seconds.
    """

    def __init__(self) -> None:
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def record(self, upstream: str, ok: bool, now: float, breaker: Breaker = Breaker()) -> None:  # noqa: B008
        """Take note of how an attempt ended. ``ok``: it was answered, if only with an error of the caller's own."""
        if ok:
            self._records.pop(upstream, None)
            return
        record = self._remembered(upstream)
        record.fails.append(now)
        while len(record.fails) > breaker.max_fails or now - record.fails[0] > breaker.within:
            record.fails.popleft()
        if record.rests_until is not None or len(record.fails) >= breaker.max_fails:
            record.rests_until = now + breaker.cooldown
            record.fails.clear()

    def open_until(self, upstream: str, now: float, breaker: Breaker = Breaker()) -> float | None:  # noqa: B008
        """Until when the upstream is left alone; None: it may be tried."""
        record = self._records.get(upstream)
        if record is None or record.rests_until is None or record.rests_until <= now:
            return None
        return record.rests_until

    def admit(self, upstream: str, now: float, breaker: Breaker = Breaker()) -> bool:  # noqa: B008
        """Tell whether a call may go to the upstream now; takes the probe where the breaker is half open."""
        record = self._records.get(upstream)
        if record is None or record.rests_until is None:
            return True
        if record.rests_until > now:
            return False
        record.rests_until = now + breaker.cooldown
        return True

    def states(self, now: float) -> dict[str, str]:
        """``closed``, ``open`` or ``half-open`` of each upstream that failed since its last success."""
        return {upstream: _state(record, now) for upstream, record in self._records.items()}

    def _remembered(self, upstream: str) -> _Record:
        record = self._records.setdefault(upstream, _Record())
        self._records.move_to_end(upstream)
        if len(self._records) > UPSTREAMS_MAX:
            self._records.popitem(last=False)
        return record


def _state(record: _Record, now: float) -> str:
    if record.rests_until is None:
        return "closed"
    return "open" if record.rests_until > now else "half-open"
