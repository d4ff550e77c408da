"""A breaker opens, probes and closes by an injected clock."""

from outwarden.routing import Breaker, Health

QUICK = Breaker(max_fails=3, within=30, cooldown=30)


def failing(health: Health, *times: float, upstream: str = "onprem") -> None:
    for now in times:
        health.record(upstream, False, now, QUICK)


def test_it_opens_after_so_many_failures() -> None:
    """Two are not enough, three are; then it rests for the cooldown."""
    health = Health()
    failing(health, 0, 1)
    assert health.open_until("onprem", 1, QUICK) is None
    failing(health, 2)

    assert health.open_until("onprem", 2, QUICK) == 32
    assert not health.admit("onprem", 31.9, QUICK)


def test_old_failures_are_forgotten() -> None:
    """Three failures in more than the window are three accidents."""
    health = Health()
    failing(health, 0, 20, 31)

    assert health.open_until("onprem", 31, QUICK) is None


def test_a_success_between_begins_anew() -> None:
    """Only failures in a row count."""
    health = Health()
    failing(health, 0, 1)
    health.record("onprem", True, 2, QUICK)
    failing(health, 3, 4)

    assert health.open_until("onprem", 4, QUICK) is None


def test_after_the_cooldown_one_call_probes() -> None:
    """The others still skip it, until the probe has reported."""
    health = Health()
    failing(health, 0, 1, 2)

    assert health.admit("onprem", 32, QUICK)
    assert not health.admit("onprem", 32, QUICK)
    health.record("onprem", True, 33, QUICK)
    assert health.admit("onprem", 33, QUICK)
    assert health.admit("onprem", 33, QUICK)


def test_a_failed_probe_opens_it_again() -> None:
    """One failure is enough then."""
    health = Health()
    failing(health, 0, 1, 2)
    assert health.admit("onprem", 32, QUICK)
    failing(health, 35)

    assert health.open_until("onprem", 35, QUICK) == 65


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
