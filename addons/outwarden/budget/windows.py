"""When a window begins and ends: calendar windows in a time zone, daylight saving included.

A day is a day of the wall clock (23 or 25 hours when the clocks change), a week begins on Monday, an hour and a
minute are those the wall clock shows. Windows are half-open: the end belongs to the next one.

Other windows move with the clock and have no bounds: ``rolling 10m`` (what was spent in the last ten minutes) and
``refill 1h`` (a bucket that fills up again within an hour). What that means for a balance is in `ageing`.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple, cast
from zoneinfo import ZoneInfo

LIFETIME = "lifetime"
MOVING_MAX_S = 366 * 86_400  # a year, as the longest calendar window
_MOVING = re.compile(r"(rolling|refill|rate) +([1-9][0-9]{0,8})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

Bounds = tuple[datetime, datetime]

_latest: dict[tuple[str, str], Bounds] = {}  # the last answer per window and zone: nearly always still right


class Moving(NamedTuple):
    """A window without bounds. ``rate``: a rolling one that only measures, for `Projected`."""

    kind: Literal["rolling", "refill", "rate"]
    length_s: int

    @property
    def rolls(self) -> bool:
        """Whether what was charged leaves it after its length, so that it has to be remembered."""
        return self.kind != "refill"


@lru_cache(1024)
def moving(window: str) -> Moving | None:
    """Read ``rolling 10m`` and the like; None for a calendar window, ``lifetime``, and what is longer than a year."""
    found = _MOVING.fullmatch(window)
    if found is None:
        return None
    length_s = int(found[2]) * _SECONDS[found[3]]
    return Moving(cast(Literal["rolling", "refill", "rate"], found[1]), length_s) if length_s <= MOVING_MAX_S else None


def window_at(window: str, timezone: str, at: datetime) -> Bounds | tuple[None, None]:
    """Find the window that holds ``at`` (aware), as UTC; (None, None) for ``lifetime`` and for moving windows.

    Raises ValueError for a window that is not built, ZoneInfoNotFoundError for an unknown zone.
    """
    if window == LIFETIME or moving(window):
        return None, None
    known = _latest.get((window, timezone))
    if known is None or not known[0] <= at < known[1]:
        known = _latest[window, timezone] = _bounds(window, ZoneInfo(timezone), at)
    return known


def _bounds(window: str, zone: ZoneInfo, at: datetime) -> Bounds:
    local = at.astimezone(zone)
    if window in _CLOCK:
        length, elapsed = _CLOCK[window]
        start = at.astimezone(UTC) - elapsed(local)
        return start, start + length
    if window not in _CALENDAR:
        raise ValueError(f"no such window: {window!r}")
    first, following = _CALENDAR[window](local.date())
    return _midnight(first, zone), _midnight(following, zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day. Where the clocks skip midnight, that is the moment they jump."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _minute_elapsed(local: datetime) -> timedelta:
    return timedelta(seconds=local.second, microseconds=local.microsecond)


def _hour_elapsed(local: datetime) -> timedelta:
    return timedelta(minutes=local.minute) + _minute_elapsed(local)


def _day(day: date) -> tuple[date, date]:
    return day, day + timedelta(days=1)


def _week(day: date) -> tuple[date, date]:
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=7)


def _month(day: date) -> tuple[date, date]:
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def _year(day: date) -> tuple[date, date]:
    first = day.replace(month=1, day=1)
    return first, first.replace(year=first.year + 1)


_CLOCK: dict[str, tuple[timedelta, Callable[[datetime], timedelta]]] = {
    "minute": (timedelta(minutes=1), _minute_elapsed),
    "hour": (timedelta(hours=1), _hour_elapsed),
}
_CALENDAR: dict[str, Callable[[date], tuple[date, date]]] = {
    "day": _day,
    "week": _week,
    "month": _month,
    "year": _year,
}
