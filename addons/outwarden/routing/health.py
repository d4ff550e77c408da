"""How upstreams do: one breaker for each, what probes and other processes say, and how long the first content took."""

from collections import OrderedDict, deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Literal, NamedTuple

from outwarden.routing.routes import Breaker, Probes

UPSTREAMS_MAX = 1024  # hosts that callers aim at are kept here too, and they are as many as callers like
RETURN_SHARE = 1 / 3  # of the cooldown: over so long a time an upstream that is back gets more and more calls
RETURN_LEAST = 0.1  # the share of calls that it gets at once
WAITS_MAX, WAITS_S = 64, 300.0  # what an upstream did longer ago says little: routers of providers move by the minute
ASKED_MAX_S = 300.0  # of a Retry-After: some say a day, and are back within the minute
# Who was told by another process waits so much longer: that one probes first, and what it finds is known within 1 s.
TOLD_LONGER_S = 2.0

# Begins the name of a place as one caller's own key finds it: others are served there all the same.
OWN = "own "

Why = Literal["open", "unhealthy"]


class Rest(NamedTuple):
    """An upstream is left alone until then, because its calls failed (``open``) or its probes (``unhealthy``)."""

    until: float
    why: Why


@dataclass(slots=True)
class _Record:
    """What is known of one upstream.

    ``outcomes``: (when, ok), newest last. ``rest``: it is left alone, then it is probed. ``told``: another
    process says so; ``heard``: one did, when it began. ``returns_from``: a probe went well then, and it gets a growing
    share of calls. ``fails`` and ``passes``: of active probes, in a row. ``ok_at``: when a call or a probe last went
    well. ``waits``: (when, seconds to the first content).
    """

    outcomes: deque[tuple[float, bool]] = field(default_factory=deque)
    rest: Rest | None = None
    told: bool = False
    heard: bool = False
    returns_from: float | None = None
    fails: int = 0
    passes: int = 0
    ok_at: float | None = None
    waits: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=WAITS_MAX))

    def leave_alone(self, rest: Rest, *, told: bool = False) -> None:
        self.rest, self.told, self.returns_from = rest, told, None
        self.heard = self.heard or told
        self.outcomes.clear()

    def come_back(self, now: float) -> None:
        self.rest, self.told, self.heard, self.returns_from = None, False, False, now
        self.outcomes.clear()


class Health:
    """Breakers and waits by name of upstream, or of a model at one.

    Closed: calls go through. It opens when ``max_fails`` of the last ``2 * max_fails`` calls failed ``within`` seconds:
    calls skip the upstream for ``cooldown`` seconds. Then it is half open: one call may probe it, the others still skip
    it. The probe's success lets calls return, a tenth at once and all after a third of the cooldown; a failure opens it
    again; a probe that never reports lapses after another ``cooldown``. ``now`` is any monotonic clock, in seconds.

    Active probes leave an upstream alone, too, and end what they began; what other processes found counts as if it had
    been found here; and what somebody has drained is never tried.
    """

    def __init__(self) -> None:
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._drained: frozenset[str] = frozenset()

    def record(
        self,
        upstream: str,
        ok: bool,
        now: float,
        breaker: Breaker = Breaker(),  # noqa: B008
        asked_s: float | None = None,
    ) -> None:
        """Take note of how an attempt ended. ``ok``: it was answered, if only with an error of the caller's own.

        ``asked_s``: for how long the upstream asks to be left alone; heeded where it is, up to `ASKED_MAX_S`.
        """
        record = self._remembered(upstream)
        if ok:
            record.ok_at = now
            if record.rest is not None:
                record.come_back(now)
        record.outcomes.append((now, ok))
        while len(record.outcomes) > 2 * breaker.max_fails or now - record.outcomes[0][0] > breaker.within:
            record.outcomes.popleft()
        if ok:
            return
        fails = sum(not was_ok for _, was_ok in record.outcomes)
        if record.rest is not None or record.returns_from is not None or fails >= breaker.max_fails:
            rest_s = max(breaker.cooldown, min(asked_s or 0.0, ASKED_MAX_S))
            record.leave_alone(Rest(now + rest_s, "open"))

    def probed(self, upstream: str, ok: bool, now: float, probes: Probes) -> None:
        """Take note of what an active probe found.

        A good answer ends what probes began, not what calls found: a list of models may come where no model answers.
        """
        record = self._remembered(upstream)
        record.fails, record.passes = (0, record.passes + 1) if ok else (record.fails + 1, 0)
        if not ok and record.fails >= probes.max_fails:
            until = now + probes.believed_s
            if record.rest is None or record.rest.why == "unhealthy" or record.rest.until < until:
                record.leave_alone(Rest(until, "unhealthy"))
        elif ok and record.passes >= probes.passes:
            record.ok_at = now
            if record.rest is not None and record.rest.why == "unhealthy":
                record.come_back(now)

    def hear(self, upstream: str, rest: Rest, since: float, now: float) -> None:
        """Take over what another process found; ``since``: when we first heard it say so.

        Not where it went well here since then, or failed here as well: each believes its own eyes.
        """
        record = self._remembered(upstream)
        known = record.rest
        if (record.ok_at is not None and record.ok_at > since) or (known and not record.told and known.until > now):
            return
        until = rest.until + TOLD_LONGER_S
        if until > now and (known is None or known.until < rest.until):
            record.leave_alone(Rest(until, rest.why), told=True)

    def unhear(self, upstream: str, now: float) -> None:
        """The other process has found that it is back."""
        record = self._records.get(upstream)
        if record is not None and record.told:
            record.come_back(now)

    def found(self) -> dict[str, Rest]:
        """What is left alone because of what was found here, for others to hear; over or not."""
        return {name: record.rest for name, record in self._shared() if record.rest and not record.told}

    def discovered(self) -> frozenset[str]:
        """What is left alone and was found failing here first: news that no other process tells."""
        return frozenset(name for name, record in self._shared() if record.rest and not record.heard)

    def drain(self, upstreams: Collection[str]) -> None:
        """These, and no others, are drained from now on: no attempt goes there."""
        self._drained = frozenset(upstreams)

    def is_drained(self, upstream: str) -> bool:
        """Whether somebody has ordered that no call goes there."""
        return upstream in self._drained

    def open_until(self, upstream: str, now: float) -> float | None:
        """Until when the upstream is left alone; None: it may be tried."""
        record = self._records.get(upstream)
        if record is None or record.rest is None or record.rest.until <= now:
            return None
        return record.rest.until

    def admit(self, upstream: str, now: float, breaker: Breaker = Breaker(), draw: float = 0.0) -> bool:  # noqa: B008
        """Tell whether a call may go to the upstream now; takes the probe where the breaker is half open.

        ``draw`` from [0, 1) chooses the calls that go to an upstream which returns.
        """
        record = self._records.get(upstream)
        if upstream in self._drained:
            return False
        if record is None:
            return True
        if record.rest is None:
            return draw < _share(record, now, breaker)
        if record.rest.until > now:
            return False
        record.rest, record.told = record.rest._replace(until=now + breaker.cooldown), False
        return True

    def waited(self, upstream: str, seconds: float, now: float) -> None:
        """Take note of how long the first content of an answer took."""
        self._remembered(upstream).waits.append((now, seconds))

    def usual_wait(self, upstream: str, now: float) -> float | None:
        """The median wait for the first content, of the last 64 answers within five minutes; None: not known."""
        record = self._records.get(upstream)
        lately = [seconds for at, seconds in record.waits if now - at <= WAITS_S] if record else []
        return median(lately) if lately else None

    def states(self, now: float) -> Mapping[str, str]:
        """``closed``, ``returning``, ``open``, ``unhealthy``, ``half-open`` or ``drained``.

        Of each upstream that failed lately, or is drained.
        """
        failed = {name: _state(record, now) for name, record in self._shared() if _has_failed(record)}
        return failed | dict.fromkeys(sorted(self._drained), "drained")

    def knows(self, upstream: str) -> bool:
        """Whether anything is kept under this name."""
        return upstream in self._records

    def _shared(self) -> Iterator[tuple[str, _Record]]:
        """What is everybody's business."""
        return ((name, record) for name, record in self._records.items() if not name.startswith(OWN))

    def _remembered(self, upstream: str) -> _Record:
        record = self._records.get(upstream)
        if record is None:
            record = self._records[upstream] = _Record()
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
    resting = record.rest is not None or record.returns_from is not None
    return resting or not all(ok for _, ok in record.outcomes)


def _state(record: _Record, now: float) -> str:
    if record.rest is None:
        return "closed" if record.returns_from is None else "returning"
    return record.rest.why if record.rest.until > now else "half-open"
