"""A breaker opens, probes and closes by an injected clock."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.routing import Breaker, Health, Probes, Rest

QUICK = Breaker(max_fails=3, within=30, cooldown=30)


def failing(health: Health, *times: float, upstream: str = "onprem") -> None:
    for now in times:
        health.record(upstream, False, now, QUICK)


def test_it_opens_after_so_many_failures() -> None:
    """Two are not enough, three are; then it rests for the cooldown."""
    health = Health()
    failing(health, 0, 1)
    assert health.open_until("onprem", 1) is None
    failing(health, 2)

    assert health.open_until("onprem", 2) == 32
    assert not health.admit("onprem", 31.9, QUICK)


def test_old_failures_are_forgotten() -> None:
    """Three failures in more than the window are three accidents."""
    health = Health()
    failing(health, 0, 20, 31)

    assert health.open_until("onprem", 31) is None


def test_an_upstream_that_fails_half_its_calls_is_left_alone() -> None:
    """Successes between do not make it a healthy one; a few failures among many successes do not make it a bad one."""
    health = Health()
    for now in range(3):
        failing(health, now)
        health.record("onprem", True, now, QUICK)
    assert health.open_until("onprem", 3) is None  # the third failure came with the fourth of six outcomes gone well
    failing(health, 3)
    assert health.open_until("onprem", 3) == 33

    seldom = Health()
    for number in range(1000):
        seldom.record("onprem", number % 10 != 0, number / 100, QUICK)
    assert seldom.open_until("onprem", 10) is None


def test_after_the_cooldown_one_call_probes() -> None:
    """The others still skip it, until the probe has reported."""
    health = Health()
    failing(health, 0, 1, 2)

    assert health.admit("onprem", 32, QUICK)
    assert not health.admit("onprem", 32, QUICK)
    health.record("onprem", True, 33, QUICK)
    assert health.admit("onprem", 33, QUICK)
    assert health.admit("onprem", 33, QUICK)


def test_after_a_good_probe_calls_return_step_by_step() -> None:
    """A tenth at once, all after a third of the cooldown; a failure meanwhile opens it again."""
    health = Health()
    failing(health, 0, 1, 2)
    assert health.admit("onprem", 32, QUICK)
    health.record("onprem", True, 33, QUICK)

    assert health.states(33) == {"onprem": "returning"}
    draws = [number / 100 for number in range(100)]
    admitted = {now: sum(health.admit("onprem", now, QUICK, draw) for draw in draws) for now in (33, 38, 42, 43)}
    assert admitted == {33: 10, 38: 50, 42: 90, 43: 100}
    assert health.states(43) == {}

    again = Health()
    failing(again, 0, 1, 2)
    assert again.admit("onprem", 32, QUICK)
    again.record("onprem", True, 33, QUICK)
    failing(again, 34)
    assert again.states(35) == {"onprem": "open"}


def test_the_usual_wait_is_that_of_the_last_minutes() -> None:
    """The median, so that one slow answer says little; what is old says nothing."""
    health = Health()
    assert health.usual_wait("onprem", 0) is None
    for now, seconds in enumerate((0.2, 9.0, 0.3)):
        health.waited("onprem", seconds, now)

    assert health.usual_wait("onprem", 3) == 0.3
    assert health.usual_wait("onprem", 301.5) == 0.3
    assert health.usual_wait("onprem", 303) is None
    for now in range(100):
        health.waited("onprem", 1.0, 400 + now)
    assert health.usual_wait("onprem", 500) == 1.0


def test_a_failed_probe_opens_it_again() -> None:
    """One failure is enough then."""
    health = Health()
    failing(health, 0, 1, 2)
    assert health.admit("onprem", 32, QUICK)
    failing(health, 35)

    assert health.open_until("onprem", 35) == 65


def test_a_probe_that_never_reports_lapses() -> None:
    """A client that hangs up in the middle of the probe does not close the upstream for ever."""
    health = Health()
    failing(health, 0, 1, 2)
    assert health.admit("onprem", 32, QUICK)

    assert not health.admit("onprem", 61, QUICK)
    assert health.admit("onprem", 62, QUICK)


def test_a_flapping_upstream_is_back_within_30_s_of_recovery() -> None:
    """It fails for a minute, with a call each second: the breaker opens, probes, and returns in time."""
    health, served = Health(), []
    for second in range(120):
        if health.admit("onprem", second, QUICK):
            ok = second >= 60
            health.record("onprem", ok, second, QUICK)
            served += [second] * ok

    assert served[0] <= 90
    assert served == list(range(served[0], 120))


def test_upstreams_do_not_share_a_breaker() -> None:
    """Each is judged by itself."""
    health = Health()
    failing(health, 0, 1, 2)

    assert health.admit("cloud", 3, QUICK)
    assert health.states(3) == {"onprem": "open"}
    assert health.states(40) == {"onprem": "half-open"}


def test_the_memory_is_bounded() -> None:
    """Callers choose which hosts there are; the longest unheard of is forgotten."""
    health = Health()
    for number in range(3000):
        failing(health, 0, upstream=f"host{number}")

    assert len(health.states(0)) == 1024
    assert "host2999" in health.states(0)


PROBES = Probes("/models", every=10, timeout=5, max_fails=2, passes=2)


def test_failed_probes_leave_an_upstream_alone_until_good_ones_bring_it_back() -> None:
    """One failure is an accident, two are not; one good answer is not enough, two are; then calls return by and by."""
    health = Health()
    health.probed("onprem", False, 0, PROBES)
    assert health.admit("onprem", 0, QUICK)
    health.probed("onprem", False, 10, PROBES)
    assert health.open_until("onprem", 10) == 10 + PROBES.believed_s
    assert health.states(10) == {"onprem": "unhealthy"}

    health.probed("onprem", True, 20, PROBES)
    assert not health.admit("onprem", 20, QUICK)
    health.probed("onprem", True, 30, PROBES)
    assert health.states(30) == {"onprem": "returning"}
    assert health.admit("onprem", 30, QUICK, draw=0.05)
    assert not health.admit("onprem", 30, QUICK, draw=0.5)


def test_what_a_probe_said_lapses_when_no_other_follows() -> None:
    """The rule was taken away, or the prober hangs: one call finds out."""
    health = Health()
    for now in (0, 10):
        health.probed("onprem", False, now, PROBES)
    after = 10 + PROBES.believed_s

    assert health.states(after) == {"onprem": "half-open"}
    assert health.admit("onprem", after, QUICK)
    assert not health.admit("onprem", after, QUICK)


def test_good_probes_do_not_close_what_calls_opened() -> None:
    """A list of models may come where no model answers."""
    health = Health()
    failing(health, 0, 1, 2)
    for now in range(3, 10):
        health.probed("onprem", True, now, PROBES)

    assert health.open_until("onprem", 10) == 32


def test_drained_is_never_tried() -> None:
    """Neither as a probe nor otherwise, until it is enabled; what is known of it stays."""
    health = Health()
    health.drain({"onprem"})
    assert health.is_drained("onprem")
    assert not health.admit("onprem", 0, QUICK)
    assert health.states(0) == {"onprem": "drained"}
    health.drain(())
    assert health.admit("onprem", 0, QUICK)


def test_what_was_heard_is_not_told_on() -> None:
    """Or two processes would keep each other's word alive for ever."""
    health = Health()
    health.hear("onprem", Rest(30, "open"), since=0, now=0)

    assert not health.admit("onprem", 30, QUICK)  # who found it probes first
    assert health.found() == {}
    assert health.admit("onprem", 32, QUICK)
    assert health.found() == {"onprem": Rest(62, "open")}  # the probe under way is ours to tell of


def test_an_outage_is_news_of_one() -> None:
    """Who heard of it, then probed and failed as well, did not discover it; the next outage is another."""
    health = Health()
    health.hear("onprem", Rest(30, "open"), since=0, now=0)
    health.admit("onprem", 32, QUICK)
    health.record("onprem", False, 33, QUICK)
    assert health.found() == {"onprem": Rest(63, "open")}
    assert health.discovered() == frozenset()
    health.record("onprem", True, 64, QUICK)
    health.record("onprem", False, 65, QUICK)
    assert health.discovered() == {"onprem"}


def test_what_was_heard_ends_with_its_word() -> None:
    """The other process found that it is back; what was found here stays."""
    health = Health()
    health.hear("a", Rest(30, "open"), since=0, now=0)
    failing(health, 0, 1, 2, upstream="b")
    for name in ("a", "b", "never heard of"):
        health.unhear(name, 5)

    assert health.states(5) == {"a": "returning", "b": "open"}


def test_own_eyes_are_believed() -> None:
    """Where a call went well since, another's word counts no more; where it failed here, the own rest stays."""
    health = Health()
    health.hear("onprem", Rest(30, "open"), since=0, now=0)
    health.record("onprem", True, 1, QUICK)
    health.hear("onprem", Rest(60, "open"), since=0, now=2)
    assert health.open_until("onprem", 2) is None
    health.hear("onprem", Rest(60, "open"), since=2, now=2)  # it failed there anew
    assert health.open_until("onprem", 2) == 62

    failing(health, 0, 1, 2, upstream="own")
    health.hear("own", Rest(99, "open"), since=0, now=3)
    assert health.found() == {"own": Rest(32, "open")}


@given(st.lists(st.tuples(st.sampled_from(["ok", "fail", "good", "bad", "hear", "unhear", "ask"]), st.floats(0, 40))))
def test_every_rest_ends(steps: list[tuple[str, float]]) -> None:
    """Whatever calls, probes and others say: a while after the last word, a call may try the upstream."""
    health, now = Health(), 0.0
    for step, wait in steps:
        now += wait
        match step:
            case "ok" | "fail":
                health.record("onprem", step == "ok", now, QUICK)
            case "good" | "bad":
                health.probed("onprem", step == "good", now, PROBES)
            case "hear":
                health.hear("onprem", Rest(now + 30, "open"), since=now, now=now)
            case "unhear":
                health.unhear("onprem", now)
            case _:
                health.admit("onprem", now, QUICK)
    later = now + max(30 + 2, PROBES.believed_s) + 0.001

    assert health.admit("onprem", later, QUICK)


@pytest.mark.parametrize(("asked_s", "rest_s"), [(None, 30), (5.0, 30), (60.0, 60), (86_400.0, 300), (math.inf, 300)])
def test_an_upstream_is_left_alone_for_as_long_as_it_asks(asked_s: float | None, rest_s: float) -> None:
    """Once it is left alone at all; within reason."""
    health, breaker = Health(), Breaker(max_fails=2, within=10.0, cooldown=30.0)
    health.record("a", False, 100.0, breaker, asked_s)
    assert health.open_until("a", 100.0) is None
    health.record("a", False, 101.0, breaker, asked_s)

    assert health.open_until("a", 101.0) == 101.0 + rest_s
