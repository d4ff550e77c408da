"""What one process found, the others act on within one exchange each; by several clocks, and with the store down."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from outwarden.budget import Orders, Store, open_store
from outwarden.routing import Breaker, Health, Probes, Rest
from outwarden.routing.shared import FORGET_AFTER, FORGET_EVERY_S, Moment, SharedHealth

QUICK = Breaker(max_fails=1, within=30, cooldown=30)
START = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'outwarden.db'}")
    yield opened
    opened.close()


class Process:
    """An interceptor's health, and its exchange at a given second. ``ahead_s``: how wrong its clock is."""

    def __init__(self, store: Store, name: str, ahead_s: float = 0, may_tell: Callable[[str], bool] = bool) -> None:
        self.health = Health()
        self.shared = SharedHealth(self.health, store, name, may_tell)
        self._ahead = timedelta(seconds=ahead_s)

    def exchange(self, now: float) -> None:
        moment = Moment(START + timedelta(seconds=now) + self._ahead, now)
        self.shared.take_in(self.shared.exchange(self.shared.found(), moment), moment)

    def fail(self, now: float, upstream: str = "onprem") -> None:
        self.health.record(upstream, False, now, QUICK)

    def state(self, now: float, upstream: str = "onprem") -> str | None:
        return self.health.states(now).get(upstream)


@pytest.mark.parametrize("ahead_s", [0, 3600, -3600])
def test_an_outage_is_found_once(store: Store, ahead_s: float) -> None:
    """The other leaves the upstream alone without a failure of its own, and hears of the end, whatever its clock."""
    one, other = Process(store, "one"), Process(store, "other", ahead_s)
    for process in (one, other):
        process.exchange(0)
    one.fail(1)
    one.exchange(1)
    other.exchange(1.5)
    assert other.state(1.5) == "open"
    assert not other.health.admit("onprem", 31, QUICK)  # the first to ask again is who found it

    assert one.health.admit("onprem", 31, QUICK)
    one.exchange(31)
    other.exchange(31.5)
    assert not other.health.admit("onprem", 40, QUICK)  # while that call is under way, too
    one.health.record("onprem", True, 41, QUICK)
    one.exchange(41)
    other.exchange(41.5)
    assert (one.state(41.5), other.state(41.5)) == ("returning", "returning")


def test_who_comes_later_believes_no_old_word(store: Store) -> None:
    """What is over by the clocks is over; what is not, counts for what is left of it."""
    one = Process(store, "one")
    one.fail(0)
    one.exchange(0)
    soon, late = Process(store, "soon"), Process(store, "late")
    soon.exchange(10)
    late.exchange(300)
    assert soon.health.open_until("onprem", 10) == pytest.approx(32)
    assert late.state(300) is None


def test_a_process_that_died_is_forgotten(store: Store) -> None:
    """Its word lapses by itself, and goes from the store in the end."""
    dead, other = Process(store, "dead"), Process(store, "other")
    other.exchange(0)
    dead.fail(0)
    dead.exchange(0)
    other.exchange(1)
    assert other.health.admit("onprem", 40, QUICK)  # half open
    later = 30 + FORGET_AFTER.total_seconds() + FORGET_EVERY_S
    other.exchange(later)
    assert [row for row in store.rests() if row.owner == "dead"] == []


def test_of_two_words_one_is_enough(store: Store) -> None:
    """Where one of two takes its word back, the other's still counts."""
    one, two, three = (Process(store, name) for name in ("one", "two", "three"))
    for process in (one, two):
        process.fail(0)
        process.exchange(0)
    three.exchange(1)
    one.health.record("onprem", True, 2, QUICK)
    one.exchange(2)
    three.exchange(3)
    assert three.state(3) == "open"


def test_probes_are_told_too(store: Store) -> None:
    """With what they are; good probes of one's own count more than another's bad ones."""
    probes = Probes("/models", every=10, max_fails=1, passes=1)
    one, other = Process(store, "one"), Process(store, "other")
    other.exchange(0)
    one.health.probed("onprem", False, 1, probes)
    one.exchange(1)
    other.exchange(2)
    assert other.state(2) == "unhealthy"
    other.health.probed("onprem", True, 3, probes)
    other.exchange(4)
    assert other.state(4) == "returning"


def test_what_is_drained_is_drained_everywhere(store: Store) -> None:
    """From the next exchange on, in a process that starts later too, until it is enabled."""
    orders = Orders(store, "root")
    one = Process(store, "one")
    one.exchange(0)
    orders.drain("onprem")
    late = Process(store, "late")
    for process in (one, late):
        process.exchange(1)
        assert not process.health.admit("onprem", 1, QUICK)
    orders.enable("onprem")
    one.exchange(2)
    assert one.health.admit("onprem", 2, QUICK)
    assert [order.step for order in store.orders()] == ["drain", "enable"]


def test_names_that_are_not_fit_stay_here(store: Store) -> None:
    """A caller may ask for a model by any name; it is asked once per outage whether it may be told."""
    asked: list[str] = []

    def may_tell(name: str) -> bool:
        asked.append(name)
        return "@" not in name

    one = Process(store, "one", may_tell=may_tell)
    for name in ("onprem", "onprem ada@brightquill-mail.com"):
        one.fail(0, name)
    one.exchange(0)
    one.exchange(1)
    assert [row.name for row in store.rests()] == ["onprem"]
    assert sorted(asked) == ["onprem", "onprem ada@brightquill-mail.com"]


def test_what_a_store_missed_it_is_told_later(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exchange that failed half way is made up for by the next."""
    one, other = Process(store, "one"), Process(store, "other")
    other.exchange(0)
    one.fail(0)
    with monkeypatch.context() as broken:
        broken.setattr(type(store), "keep_rest", failing)
        with pytest.raises(RuntimeError):
            one.exchange(0)
    one.exchange(1)
    other.exchange(1)
    assert other.state(1) == "open"
    assert one.health.found() == {"onprem": Rest(30, "open")}


def failing(*_: object) -> None:
    raise RuntimeError("down")
