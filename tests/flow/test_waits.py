"""What a call waits for is told in time, with as few wake-ups as a second has ticks."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.flow import waits
from outwarden.flow.waits import TICK_S, Ticks, Waits


class Clock:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of `waits`."""
    clock = Clock()
    monkeypatch.setattr(waits, "time", clock)
    return clock


def told(one: Waits) -> str | None:
    """What is overdue at the tick that comes now."""
    assert one._ticks.came(one._ticks.next_at)
    return one.overdue()


def started(phase: str, seconds: float, total: float = 100.0) -> Waits:
    """Something that is waited for."""
    one = Waits(Ticks())
    one.limit(total)
    one.begin(phase, seconds)
    return one


def test_a_near_deadline_is_met_to_the_moment(clock: Clock) -> None:
    """The first wake-up comes at the deadline itself where that is nearer than a tick."""
    one = started("connect", 0.3)

    assert one.next_tick() == pytest.approx(0.3)
    clock.now += 0.3
    assert told(one) == "connect"


def test_a_far_deadline_costs_one_wakeup_a_tick(clock: Clock) -> None:
    """Until the deadline a call wakes up once a tick, and asks for nothing while a wake-up is pending."""
    one = started("first_byte", 2.5)

    assert one.next_tick() == TICK_S
    assert one.next_tick() is None
    for _ in range(2):
        clock.now += TICK_S
        assert told(one) is None
        assert one.next_tick() is not None
    clock.now += 0.5
    assert told(one) == "first_byte"


def test_a_nearer_deadline_asks_for_an_earlier_wakeup(clock: Clock) -> None:
    """What is waited for next may be due before the wake-up that was asked for."""
    one = started("first_byte", 30)
    one.next_tick()
    one.begin("first_content", 0.2)

    assert one.next_tick() == pytest.approx(0.2)


def test_the_limit_in_all_goes_before_the_phase(clock: Clock) -> None:
    """A call may not live longer than its total, and a later limit never lengthens it."""
    one = started("idle", 50, total=10)
    one.limit(60)
    clock.now += 10

    assert one.overdue() == "total"


def test_what_came_prolongs_its_own_phase_only(clock: Clock) -> None:
    """Each piece of a stream starts its idle time anew; it does not prolong another phase."""
    one = started("idle", 5)
    clock.now += 4
    one.again("idle", 5)
    one.again("first_byte", 500)
    clock.now += 4

    assert one.overdue() is None
    clock.now += 1
    assert one.overdue() == "idle"


def test_nothing_is_overdue_when_nothing_is_awaited(clock: Clock) -> None:
    """A wake-up that comes after the end means nothing."""
    one = started("idle", 1)
    one.end()
    clock.now += 500

    assert one.overdue() is None


def test_time_in_which_nobody_listened_counts_against_no_upstream(clock: Clock) -> None:
    """A wake-up that comes late gives the upstream the time by which it is late; the limit in all stays as it is."""
    one = started("first_byte", 0.5, total=3.0)
    one.next_tick()

    clock.now += 2.5  # two seconds late: what came meanwhile is yet to be read
    assert told(one) is None
    assert one.next_tick() == pytest.approx(waits.LATE_S)
    clock.now += waits.LATE_S
    assert told(one) == "first_byte"

    one.begin("idle", 0.5)
    one.next_tick()
    clock.now += 2.0
    assert told(one) == "total"


def test_being_late_lengthens_no_phase_that_had_not_begun(clock: Clock) -> None:
    """What is waited for since a moment ago gains no more than that moment."""
    one = started("connect", 0.5)
    one.next_tick()
    clock.now += 2.5
    one.begin("first_byte", 0.3)
    clock.now += 0.2
    assert told(one) is None

    assert one.next_tick() == pytest.approx(0.3)  # 0.3 from its beginning, and 0.2 in which nobody listened
    clock.now += 0.3
    assert told(one) == "first_byte"


def test_a_pause_is_not_lengthened(clock: Clock) -> None:
    """It waits for nobody, so nobody was missed."""
    one = started("pause", 0.5)
    one.next_tick()
    clock.now += 2.0

    assert told(one) == "pause"


@given(seconds=st.floats(0.1, 10), late=st.lists(st.floats(0, 5), min_size=1))
def test_however_late_each_wakeup_is_a_phase_ends(seconds: float, late: list[float]) -> None:
    """Not before its upstream was listened to for as long, and at the second look at the latest."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waits, "time", clock)
        one = started("first_byte", seconds, total=1e9)
        listened = unnoticed = 0.0
        for late_s in itertools.cycle(late):
            delay = one.next_tick()
            assert delay is not None
            listened += delay
            unnoticed += late_s if late_s <= waits.LATE_S else 0.0
            clock.now += delay + late_s
            if told(one):
                break

    assert seconds - unnoticed - 1e-6 <= listened <= seconds + waits.LATE_S + 1e-6


def test_calls_of_one_connection_share_their_ticks(clock: Clock) -> None:
    """While one is on its way nobody asks for a second, unless a deadline is nearer; what was overtaken is no tick."""
    ticks = Ticks()
    first, second = Waits(ticks), Waits(ticks)
    first.begin("first_byte", 30)
    assert first.next_tick() == TICK_S
    second.begin("first_byte", 30)
    assert second.next_tick() is None
    second.begin("pause", 0.3)
    assert second.next_tick() == pytest.approx(0.3)

    asked_first, at = clock.now + TICK_S, ticks.next_at
    clock.now += 0.3
    assert ticks.came(at)
    assert [first.overdue(), second.overdue()] == [None, "pause"]
    assert first.next_tick() == TICK_S
    clock.now += 0.7
    assert not ticks.came(asked_first)  # another is due in 0.3 s, and one chain is enough
    assert ticks.came(ticks.next_at)  # too early, as a coarse clock may give it: they look, and ask again
    assert first.overdue() is None
    assert first.next_tick() == TICK_S
    assert not ticks.came(at)
