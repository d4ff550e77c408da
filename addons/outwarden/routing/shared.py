"""What several processes know of upstreams together, through the store: what each found failing, what was drained.

No call waits for it: what was found is gathered, exchanged with the store (which may take its time, in a thread of its
own) and taken in, in three steps. While the store does not answer each process goes on with what it knows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from outwarden.budget.store import RestRow, Store
from outwarden.routing.health import Health, Rest, Why

# A rest that is over says that the next call tries the upstream; after so long a silence, it says nothing.
FORGET_AFTER = timedelta(minutes=5)
FORGET_EVERY_S = 60.0

type _Key = tuple[str, str]  # name and owner


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, by the clock of the world and by a monotonic one (seconds), for which `Health` keeps its times."""

    at: datetime
    now: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What the store says."""

    drained: frozenset[str]
    rows: tuple[RestRow, ...]


@dataclass(frozen=True, slots=True)
class _Told:
    """What another process says: ``since`` we hear of it at all, and its rest by our own clock."""

    since: float
    until: datetime
    rest: Rest


class SharedHealth:
    """The exchange of one process. ``may_tell``: whether a name is fit to be kept (callers choose those of models)."""

    def __init__(self, health: Health, store: Store, owner: str, may_tell: Callable[[str], bool]) -> None:
        self._health = health
        self._store = store
        self._owner = owner
        self._may_tell = may_tell
        self._untellable: frozenset[str] = frozenset()
        self._written: dict[str, Rest] = {}
        self._heard: dict[_Key, _Told] | None = None
        self._forgot_at = float("-inf")

    def found(self) -> dict[str, Rest]:
        """What this process has to say."""
        found = self._health.found()
        known = self._untellable | self._written.keys()
        untellable = {name for name in found if name not in known and not self._may_tell(name)}
        self._untellable = frozenset((self._untellable & found.keys()) | untellable)
        return {name: rest for name, rest in found.items() if name not in self._untellable}

    def exchange(self, found: Mapping[str, Rest], moment: Moment) -> Heard:
        """Write what changed, read what others wrote. Raises StoreUnavailable; the next exchange makes up for it."""
        for name, rest in found.items():
            if self._written.get(name) != rest and (name in self._written or rest.until > moment.now):
                until = moment.at + timedelta(seconds=rest.until - moment.now)
                self._store.keep_rest(RestRow(name, self._owner, rest.why, until, moment.at))
                self._written[name] = rest
        for name in self._written.keys() - found.keys():
            self._store.end_rest(name, self._owner)
            del self._written[name]
        if moment.now - self._forgot_at > FORGET_EVERY_S:
            self._store.forget_rests(moment.at - FORGET_AFTER)
            self._forgot_at = moment.now
        others = (row for row in self._store.rests() if row.owner != self._owner)
        return Heard(frozenset(self._store.drained()), tuple(others))

    def take_in(self, heard: Heard, moment: Moment) -> None:
        """Let this process act on it."""
        self._health.drain(heard.drained)
        before = self._heard or {}
        told = {(row.name, row.owner): self._believed(row, moment) for row in heard.rows}
        for (name, _), each in told.items():
            self._health.hear(name, each.rest, each.since, moment.now)
        for name in {name for name, _ in before} - {name for name, _ in told}:
            self._health.unhear(name, moment.now)
        self._heard = told

    def _believed(self, row: RestRow, moment: Moment) -> _Told:
        """The rest by our own clock: one that was just written begins now, whatever the clocks of machines say.

        Of what was there before we came nobody knows how old it is: there the clocks have to do.
        """
        known = (self._heard or {}).get((row.name, row.owner))
        if known and known.until == row.until:
            return known
        seconds = (row.until - row.written).total_seconds()
        if self._heard is None:
            seconds = min(seconds, (row.until - moment.at).total_seconds())
        why: Why = "unhealthy" if row.why == "unhealthy" else "open"
        return _Told(known.since if known else moment.now, row.until, Rest(moment.now + seconds, why))
