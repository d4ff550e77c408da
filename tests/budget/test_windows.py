"""When windows begin and end, told by clock times."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.budget.windows import window_at

WINDOWS = ["minute", "hour", "day", "week", "month", "year"]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "America/Havana", "Asia/Kathmandu", "Australia/Lord_Howe"]
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))


def bounds(window: str, zone: str, at: str) -> tuple[str, str]:
    start, end = window_at(window, zone, datetime.fromisoformat(at).replace(tzinfo=ZoneInfo(zone)))
    assert start is not None
    assert end is not None
    return tuple(moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M %a") for moment in (start, end))


@pytest.mark.parametrize(
    ("window", "start", "end"),
    [
        ("minute", "2026-11-21 13:45 Sat", "2026-11-21 13:46 Sat"),
        ("hour", "2026-11-21 13:00 Sat", "2026-11-21 14:00 Sat"),
        ("day", "2026-11-21 00:00 Sat", "2026-11-22 00:00 Sun"),
        ("week", "2026-11-16 00:00 Mon", "2026-11-23 00:00 Mon"),
        ("month", "2026-11-01 00:00 Sun", "2026-12-01 00:00 Tue"),
        ("year", "2026-01-01 00:00 Thu", "2027-01-01 00:00 Fri"),
    ],
)
def test_windows_by_the_clock(window: str, start: str, end: str) -> None:
    """Each window that holds 21 November 2026, 13:45:30 in Berlin."""
    assert bounds(window, "Europe/Berlin", "2026-11-21 13:45:30") == (start, end)


def test_december_ends_with_the_year() -> None:
    """The month after December is January of the next year."""
    assert bounds("month", "UTC", "2026-12-31 23:59:59") == ("2026-12-01 00:00 Tue", "2027-01-01 00:00 Fri")


def test_lifetime_has_no_bounds() -> None:
    """A lifetime budget never begins nor ends."""
    assert window_at("lifetime", "UTC", datetime(2026, 1, 1, tzinfo=UTC)) == (None, None)


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-03-29 12:00", 23), ("2026-10-25 12:00", 25), ("2026-10-26 12:00", 24)],
)
def test_days_when_the_clocks_change(day: str, hours: int) -> None:
    """A day in Berlin has 23 hours in March and 25 in October."""
    start, end = window_at(
        "day", "Europe/Berlin", datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("Europe/Berlin"))
    )
    assert start is not None
    assert end is not None
    assert end - start == timedelta(hours=hours)


def test_midnight_that_does_not_exist() -> None:
    """In Havana the clocks jump from 00:00 to 01:00: the day begins at 01:00, and the one before ends there."""
    assert bounds("day", "America/Havana", "2026-03-08 12:00")[0] == "2026-03-08 01:00 Sun"
    assert bounds("day", "America/Havana", "2026-03-07 12:00")[1] == "2026-03-08 01:00 Sun"


def test_midnight_that_comes_twice() -> None:
    """In Havana 00:00 to 01:00 happens twice in November; both belong to the new day."""
    zone = ZoneInfo("America/Havana")
    first = datetime(2026, 11, 1, 0, 30, tzinfo=zone)
    second = first.replace(fold=1)
    assert first.astimezone(UTC) != second.astimezone(UTC)
    assert window_at("day", "America/Havana", first) == window_at("day", "America/Havana", second)


def test_the_end_belongs_to_the_next_window() -> None:
    """One microsecond before the end is this window, the end itself the next."""
    _, end = window_at("day", "Europe/Berlin", datetime(2026, 11, 21, 12, tzinfo=UTC))
    assert end is not None
    assert window_at("day", "Europe/Berlin", end - timedelta(microseconds=1))[1] == end
    assert window_at("day", "Europe/Berlin", end)[0] == end


@given(st.sampled_from(WINDOWS), st.sampled_from(ZONES), MOMENTS)
def test_every_moment_lies_in_its_window(window: str, zone: str, at: datetime) -> None:
    """For all zones and moments: start <= at < end, and the start lies in the same window."""
    start, end = window_at(window, zone, at)
    assert start is not None
    assert end is not None
    assert start <= at < end
    assert window_at(window, zone, end - timedelta(microseconds=1))[1] == end


@given(st.sampled_from(["day", "week", "month", "year"]), st.sampled_from(ZONES), MOMENTS)
def test_calendar_windows_leave_no_gap(window: str, zone: str, at: datetime) -> None:
    """The next window begins where this one ends."""
    start, end = window_at(window, zone, at)
    assert start is not None
    assert end is not None
    assert window_at(window, zone, end)[0] == end
    assert window_at(window, zone, start) == (start, end)


def test_a_window_that_is_not_built() -> None:
    """A window nobody built is an error, not a lifetime."""
    with pytest.raises(ValueError, match="fortnight"):
        window_at("fortnight", "UTC", datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(ZoneInfoNotFoundError):
        window_at("day", "Mars/Olympus", datetime(2026, 1, 1, tzinfo=UTC))
