"""When a window begins and ends: calendar windows in a time zone, daylight saving included.

A day is a day of the wall clock (23 or 25 hours when the clocks change), a week begins on Monday, an hour and a
minute are those the wall clock shows. Windows are half-open: the end belongs to the next one.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LIFETIME = "lifetime"

Bounds = tuple[datetime, datetime]

_latest: dict[tuple[str, str], Bounds] = {}  # the last answer per window and zone: nearly always still right


def window_at(window: str, timezone: str, at: datetime) -> Bounds | tuple[None, None]:
    """Find the window that holds ``at`` (aware), as UTC; (None, None) for ``lifetime``.

    Raises ValueError for a window that is not built, ZoneInfoNotFoundError for an unknown zone.
    """
    if window == LIFETIME:
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
