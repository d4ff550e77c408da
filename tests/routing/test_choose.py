"""What follows on what happened: each test is the transcript of one call. Nobody sleeps, nothing is sent."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.routing import (
    Attempt,
    Breaker,
    Failure,
    GiveUp,
    Health,
    Outcome,
    Route,
    failure_of_error,
    failure_of_status,
    next_attempt,
)

EVERYTHING: frozenset[Failure] = frozenset({"connect", "timeout", "429", "5xx", "stream_error", "budget"})
NOW = 1000.0


def route(*targets: str, retries: int = 0, fail_over_on: frozenset[Failure] = EVERYTHING) -> Route:
    return Route("gpt", targets=targets or ("original",), retries=retries, fail_over_on=fail_over_on)


def ended(
    upstream: str, failure: Failure | None, status: int | None = None, retry_after_s: float | None = None
) -> Outcome:
    return Outcome(upstream, failure, status, ms=20, retry_after_s=retry_after_s)


def follow(
    route: Route,
    *outcomes: Outcome,
    health: Health | None = None,
    chance: float = 0.0,
    names: Callable[[str], tuple[str, ...]] = lambda target: (target,),
) -> Attempt | GiveUp:
    health = Health() if health is None else health
    return next_attempt(route, outcomes, health, now=NOW, random=lambda: chance, names=names)


def broken(*upstreams: str, at: float = NOW - 1) -> Health:
    """A health in which the breakers of ``upstreams`` opened at ``at``."""
    health = Health()
    for upstream in upstreams:
        for _ in range(Breaker().max_fails):
            health.record(upstream, False, at)
    return health


def test_a_call_begins_at_the_first_target() -> None:
    """Without a word on anything, the order of the route decides, and nothing waits."""
    assert follow(route("original", "onprem")) == Attempt("original", 0.0)


@pytest.mark.parametrize("failure", sorted(EVERYTHING))
def test_a_failure_that_the_route_names_moves_the_call_on(failure: Failure) -> None:
    """The next target is tried at once."""
    assert follow(route("original", "onprem"), ended("original", failure)) == Attempt("onprem", 0.0)


@pytest.mark.parametrize("failure", sorted(EVERYTHING))
def test_a_failure_that_the_route_does_not_name_ends_the_call(failure: Failure) -> None:
    """Neither the next target nor the same one is tried."""
    others = route("original", "onprem", retries=3, fail_over_on=EVERYTHING - {failure})

    assert isinstance(follow(others, ended("original", failure)), GiveUp)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_an_answer_that_no_upstream_can_mend_ends_the_call(status: int) -> None:
    """The caller's own mistake, or a content filter, is never sent again; the reason is kept."""
    choice = follow(route("original", "onprem", retries=3), ended("original", failure_of_status(status), status))

    assert choice == GiveUp(f"answered with status {status}")


def test_500_once_is_tried_again_at_the_same_place() -> None:
    """One retry after a wait with jitter; then the next target."""
    patient = route("original", "onprem", retries=1)

    first = follow(patient, ended("original", "5xx", 500))
    second = follow(patient, ended("original", "5xx", 500), ended("original", "5xx", 500))

    assert first == Attempt("original", 0.25)
    assert second == Attempt("onprem", 0.0)


def test_the_jitter_spreads_the_retries() -> None:
    """The wait lies between half and the whole of what doubles with each try."""
    patient = route(retries=5)
    once = [ended("original", "5xx", 503)]

    assert follow(patient, *once, chance=0.0) == Attempt("original", 0.25)
    assert follow(patient, *once, chance=0.999) == Attempt("original", pytest.approx(0.5, abs=0.001))
    assert follow(patient, *once * 2, chance=0.0) == Attempt("original", 0.5)
    assert follow(patient, *once * 3, chance=0.0) == Attempt("original", 1.0)


def test_429_with_retry_after_waits_as_long_as_asked() -> None:
    """Never earlier than the upstream said, and a little later, because all its callers were told the same."""
    limited = ended("original", "429", 429, retry_after_s=2)

    assert follow(route("original", "onprem", retries=1), limited, chance=0.0) == Attempt("original", 2.0)
    assert follow(route("original", "onprem", retries=1), limited, chance=0.9) == Attempt(
        "original", pytest.approx(2.18)
    )


def test_429_that_asks_for_too_long_moves_on() -> None:
    """A client that waits for half a minute is worse off than one that is served elsewhere, or told."""
    limited = ended("original", "429", 429, retry_after_s=30)

    assert follow(route("original", "onprem", retries=1), limited) == Attempt("onprem", 0.0)
    assert isinstance(follow(route("original", retries=1), limited), GiveUp)


def test_the_silent_one_is_not_asked_again() -> None:
    """Accepted, never answered: after one time-out the call moves on, however many retries the route allows."""
    assert follow(route("original", "onprem", retries=5), ended("original", "timeout")) == Attempt("onprem", 0.0)
    assert isinstance(follow(route("original", retries=5), ended("original", "timeout")), GiveUp)


def test_what_the_budget_cannot_pay_is_not_asked_again() -> None:
    """A dearer fallback is left out, whatever the retries, and the one after it is tried."""
    three = route("original", "dear", "cheap", retries=5)

    assert follow(three, ended("original", "timeout"), ended("dear", "budget")) == Attempt("cheap")


def test_the_last_target_is_the_last() -> None:
    """When all have failed, the call gives up and says after what."""
    both = [ended("original", "connect"), ended("onprem", "5xx", 503)]

    assert follow(route("original", "onprem"), *both) == GiveUp("no upstream is left after 5xx")


def test_an_open_breaker_is_skipped_at_the_start() -> None:
    """A call does not begin where the last ones failed."""
    assert follow(route("original", "onprem"), health=broken("original")) == Attempt("onprem")


def test_an_open_breaker_is_skipped_on_the_way() -> None:
    """Nor does it move to such a place, nor back to one that has just become one."""
    three = route("original", "onprem", "cloud", retries=1)

    assert follow(route("a", "b", "c"), ended("a", "connect"), health=broken("b")) == Attempt("c")
    assert follow(three, ended("original", "5xx", 500), health=broken("original")) == Attempt("onprem")


def test_when_all_rest_one_attempt_shows_why() -> None:
    """The caller gets the upstream's own error, from the one that is to be tried soonest."""
    health = broken("original", at=NOW - 2)
    for _ in range(Breaker().max_fails):
        health.record("onprem", False, NOW - 10)

    assert follow(route("original", "onprem"), health=health) == Attempt("onprem")
    assert isinstance(follow(route("original", "onprem"), ended("onprem", "5xx", 500), health=health), GiveUp)


def test_original_rests_by_its_host() -> None:
    """One provider's outage does not close the way to another, though both are the caller's original aim."""
    health = broken("api.openai.com")

    def at(host: str) -> Attempt | GiveUp:
        place = {"original": host}
        return follow(route("original", "onprem"), health=health, names=lambda target: (place.get(target, target),))

    assert at("api.openai.com") == Attempt("onprem")
    assert at("api.anthropic.com") == Attempt("original")


def test_a_model_rests_alone_and_a_place_with_all_its_models() -> None:
    """Either closes the way; the probe of one is not spent where the other stands in the way."""

    def first(health: Health, model: str) -> Attempt | GiveUp:
        two = route("original", "onprem")
        return follow(two, health=health, names=lambda target: (target, f"{target} {model}"))

    assert first(broken("original big"), "big") == Attempt("onprem")
    assert first(broken("original big"), "small") == Attempt("original")
    assert first(broken("original"), "small") == Attempt("onprem")
    mixed = broken("original", at=NOW - Breaker().cooldown)  # half open, but its model rests
    for _ in range(Breaker().max_fails):
        mixed.record("original big", False, NOW - 1)
    assert first(mixed, "big") == Attempt("onprem")
    assert first(mixed, "small") == Attempt("original")


def test_an_upstream_that_returns_gets_a_part_of_the_calls() -> None:
    """The others go where they went; chance decides which."""
    health = broken("original", at=NOW - Breaker().cooldown - 1)
    health.record("original", True, NOW)

    assert follow(route("original", "onprem"), health=health, chance=0.05) == Attempt("original")
    assert follow(route("original", "onprem"), health=health, chance=0.5) == Attempt("onprem")
    assert follow(route("original"), health=health, chance=0.5) == Attempt("original")


def test_429_for_ever_is_not_hammered() -> None:
    """A limited upstream that fails at once sees at most 4 tries in 3 s, and 6 in all."""
    starts, outcomes, clock = [0.0], [Outcome("original", "429", 429, 1.0)], 0.001
    while isinstance(choice := follow(route(retries=5), *outcomes), Attempt):
        clock += choice.delay_s
        starts.append(clock)
        outcomes.append(Outcome("original", "429", 429, 1.0))
        clock += 0.001

    assert len(starts) == 6
    assert len([start for start in starts if start <= 3.0]) == 4


@given(
    st.lists(st.sampled_from([f"u{number}" for number in range(8)]), min_size=1, max_size=8, unique=True),
    st.integers(0, 5),
    st.lists(st.tuples(st.sampled_from(sorted(EVERYTHING)), st.none() | st.floats(0, 60)), min_size=12, max_size=12),
    st.floats(0, 0.999),
)
def test_no_call_hammers(
    targets: list[str], retries: int, failures: list[tuple[Failure, float | None]], chance: float
) -> None:
    """Whatever fails and however: at most 6 attempts, the 5th at least 3 s after the first, the silent never twice."""
    outcomes: list[Outcome] = []
    starts: list[float] = []
    clock = 0.0
    for failure, retry_after_s in failures:
        choice = follow(route(*targets, retries=retries), *outcomes, chance=chance)
        if isinstance(choice, GiveUp):
            break
        clock += choice.delay_s
        starts.append(clock)
        outcomes.append(Outcome(choice.upstream, failure, None, 5.0, retry_after_s))
        clock += 0.005

    assert len(starts) <= 6
    assert len([start for start in starts if start < 3.0 - 1e-6]) <= 4
    for upstream in targets:
        tries = [outcome.failure for outcome in outcomes if outcome.upstream == upstream]
        assert len(tries) <= retries + 1
        assert not {"timeout", "budget"} & set(tries[:-1])


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (200, None), (204, None), (302, None), (400, None), (401, None), (403, None), (404, None), (408, "5xx"),
        (413, None), (422, None), (429, "429"), (500, "5xx"), (501, None), (502, "5xx"), (503, "5xx"), (504, "5xx"),
        (520, "5xx"), (524, "5xx"), (529, "5xx"), (530, None), (511, None),
    ],
)  # fmt: skip
def test_which_failure_a_status_is(status: int, failure: Failure | None) -> None:
    """What another upstream may do better is a failure; what is wrong with the request is none."""
    assert failure_of_status(status) == failure


def drained(*upstreams: str, health: Health | None = None) -> Health:
    health = health or Health()
    health.drain(upstreams)
    return health


def test_a_drained_upstream_is_skipped_by_all() -> None:
    """By the first attempt, by those that follow on a failure, and by a retry."""
    patient = route("original", "onprem", "spare", retries=3)

    assert follow(patient, health=drained("original")) == Attempt("onprem")
    assert follow(patient, ended("original", "timeout"), health=drained("onprem")) == Attempt("spare")
    assert follow(patient, ended("original", "5xx", 500), health=drained("original")) == Attempt("onprem")


def test_where_all_is_drained_nothing_is_tried() -> None:
    """Not even once, as it is where all fail; a model may be drained by the name of its place."""
    both = drained("original", "onprem")
    one = follow(route("original", "onprem"), health=both)

    assert isinstance(one, GiveUp)
    assert one.drained
    assert follow(route("original"), health=drained("original"), names=lambda t: (t, f"{t} gpt-4o")) == one
    assert follow(route("original", "onprem"), health=drained("onprem", health=broken("original"))) == Attempt(
        "original"
    )


@pytest.mark.parametrize(
    ("kind", "status", "failure"),
    [
        ("context_length", 400, "context_length"),
        ("context_length", 200, "context_length"),
        ("content_filter", 200, None),
        ("content_filter", 400, None),
        ("quota", 400, "429"),
        ("rate_limit", 413, "429"),
        ("invalid_request", 400, None),
        ("authentication", 401, None),
        ("error", 200, "5xx"),
        ("overloaded", 200, "5xx"),
    ],
)
def test_an_error_body_may_say_more_than_its_status(kind: str, status: int, failure: str | None) -> None:
    """What a filter refused is nobody else's, what the caller did wrong is its own."""
    assert failure_of_error(kind, status) == failure
