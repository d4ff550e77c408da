"""How upstreams do: one breaker for each, and how long the first content took lately. In one process."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from statistics import median

from outwarden.routing.routes import Breaker

UPSTREAMS_MAX = 1024  # hosts that callers aim at are kept here too, and they are as many as callers like
RETURN_SHARE = 1 / 3  # of the cooldown: over so long a time an upstream that is back gets more and more calls
RETURN_LEAST = 0.1  # the share of calls that it gets at once
WAITS_MAX, WAITS_S = 64, 300.0  # what an upstream did longer ago says little: routers of providers move by the minute


@dataclass(slots=True)
class _Record:
    """``outcomes``: (when, ok), newest last. ``rests_until``: it is left alone; then it is probed. ``returns_from``: a
    probe went well then, and it gets a growing share of calls. ``waits``: (when, seconds to the first content)."""

    outcomes: deque[tuple[float, bool]] = field(default_factory=deque)
    rests_until: float | None = None
    returns_from: float | None = None
    waits: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=WAITS_MAX))


class Health:
    """Breakers and waits by name of upstream, or of a model at one.

    Closed: calls go through. It opens when ``max_fails`` of the last ``2 * max_fails`` calls failed ``within`` seconds:
    calls skip the upstream for ``cooldown`` seconds. Then it is half open: one call may probe it, the others still skip
    it. The probe's success lets calls return, a tenth at once and all after a third of the cooldown; a failure opens it
    again; a probe that never reports lapses after another ``cooldown``. ``now`` is any monotonic clock, in seconds.
    """

    def __init__(self) -> None:
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def record(self, upstream: str, ok: bool, now: float, breaker: Breaker = Breaker()) -> None:  # noqa: B008
        """Take note of how an attempt ended. ``ok``: it was answered, if only with an error of the caller's own."""
        record = self._remembered(upstream)
        if ok and record.rests_until is not None:
            record.rests_until, record.returns_from = None, now
            record.outcomes.clear()
        record.outcomes.append((now, ok))
        while len(record.outcomes) > 2 * breaker.max_fails or now - record.outcomes[0][0] > breaker.within:
            record.outcomes.popleft()
        if ok:
            return
        fails = sum(not was_ok for _, was_ok in record.outcomes)
        if record.rests_until is not None or record.returns_from is not None or fails >= breaker.max_fails:
            record.rests_until, record.returns_from = now + breaker.cooldown, None
            record.outcomes.clear()

    def open_until(self, upstream: str, now: float) -> float | None:
        """Until when the upstream is left alone; None: it may be tried."""
        record = self._records.get(upstream)
        if record is None or record.rests_until is None or record.rests_until <= now:
            return None
        return record.rests_until

    def admit(self, upstream: str, now: float, breaker: Breaker = Breaker(), draw: float = 0.0) -> bool:  # noqa: B008
        """Tell whether a call may go to the upstream now; takes the probe where the breaker is half open.

        ``draw`` from [0, 1) chooses the calls that go to an upstream which returns.
        """
        record = self._records.get(upstream)
        if record is None:
            return True
        if record.rests_until is None:
            return draw < _share(record, now, breaker)
        if record.rests_until > now:
            return False
        record.rests_until = now + breaker.cooldown
        return True

    def waited(self, upstream: str, seconds: float, now: float) -> None:
        """Take note of how long the first content of an answer took."""
        self._remembered(upstream).waits.append((now, seconds))

    def usual_wait(self, upstream: str, now: float) -> float | None:
        """The median wait for the first content, of the last 64 answers within five minutes; None: not known."""
        record = self._records.get(upstream)
        lately = [seconds for at, seconds in record.waits if now - at <= WAITS_S] if record else []
        return median(lately) if lately else None

    def states(self, now: float) -> dict[str, str]:
        """``closed``, ``returning``, ``open`` or ``half-open`` of each upstream that failed lately."""
        return {name: _state(record, now) for name, record in self._records.items() if _has_failed(record)}

    def _remembered(self, upstream: str) -> _Record:
        record = self._records.setdefault(upstream, _Record())
        self._records.move_to_end(upstream)
        if len(self._records) > UPSTREAMS_MAX:
            self._records.popitem(last=False)
        return record


def _share(record: _Record, now: float, breaker: Breaker) -> float:
    """The share of calls that an upstream gets: all, unless it returns."""
    if record.returns_from is None:
        return 1.0
    done = (now - record.returns_from) / (breaker.cooldown * RETURN_SHARE)
    if done >= 1:
        record.returns_from = None
        return 1.0
    return max(RETURN_LEAST, done)


def _has_failed(record: _Record) -> bool:
    resting = record.rests_until is not None or record.returns_from is not None
    return resting or not all(ok for _, ok in record.outcomes)


def _state(record: _Record, now: float) -> str:
    if record.rests_until is None:
        return "closed" if record.returns_from is None else "returning"
    return "open" if record.rests_until > now else "half-open"
