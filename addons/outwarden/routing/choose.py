"""The next step of a call: from what happened so far to one more attempt, or to giving up.

A policy of small questions, each a function: may this failure move on at all, is the same upstream tried again, how
long does it wait, which upstream is next. Nothing here sleeps, sends or looks at a clock.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from outwarden.routing.health import Health
from outwarden.routing.routes import Failure, Route

ATTEMPTS_MAX = 6  # of one call, over all upstreams
BURST_ATTEMPTS = 4  # at most so many attempts …
BURST_S = 3.0  # … in this time, counted from the first
RETRY_AFTER_MAX_S = 10.0  # what an upstream may ask us to wait; the client is waiting, too
BACKOFF_S = 0.5  # the longest first wait; doubled for each further try of the same upstream


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt ended. ``failure`` None: it was answered, maybe with an error that no other upstream can mend.

    ``ms``: how long it took. ``retry_after_s``: what the upstream asked for, None where it did not.
    """

    upstream: str
    failure: Failure | None
    status: int | None
    ms: float
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """Try ``upstream``, after ``delay_s`` seconds."""

    upstream: str
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No further attempt; ``reason`` names no host and no person. ``drained``: only because all was drained."""

    reason: str
    drained: bool = False


def next_attempt(
    route: Route,
    outcomes: Sequence[Outcome],
    health: Health,
    *,
    now: float,
    random: Callable[[], float],
    names: Callable[[str], Collection[str]] = lambda target: (target,),
    holds_more: Callable[[str, str], bool] = lambda than, target: than != target,
) -> Attempt | GiveUp:
    """Choose what follows on ``outcomes`` (oldest first).

    ``now`` is any monotonic clock, the one that ``health`` is kept by; ``random`` returns [0, 1). ``names`` tells under
    which names ``health`` keeps a target (the place, the model there): each must let the call through. May take the one
    probe of an upstream whose breaker half-opens; `Health` says when that lapses. ``holds_more(than, target)``: a call
    that is too long for the model at ``than`` may fit the one at ``target``.
    """
    patients = _Patients(health, now, route, random, names)
    if not outcomes:
        return _first(route, patients)
    last = outcomes[-1]
    if ended := _why_ended(route, outcomes):
        return GiveUp(ended)
    delay = _retry_delay(route, outcomes, random)
    if delay is not None and patients.open_until(last.upstream) is None and not patients.is_drained(last.upstream):
        return _attempt(last.upstream, delay, outcomes)
    tried = {outcome.upstream for outcome in outcomes}
    too_short = [outcome.upstream for outcome in outcomes if outcome.failure == "context_length"]
    for target in route.targets:
        if target not in tried and all(holds_more(one, target) for one in too_short) and patients.admit(target):
            return _attempt(target, 0.0, outcomes)
    return GiveUp(f"no upstream is left after {_told(last)}")


@dataclass(frozen=True, slots=True)
class _Patients:
    """The health of targets, each under all its names."""

    health: Health
    now: float
    route: Route
    random: Callable[[], float]
    names: Callable[[str], Collection[str]]

    def open_until(self, target: str) -> float | None:
        """Until when one of its names is left alone; None: none is."""
        ends = [end for name in self.names(target) if (end := self.health.open_until(name, self.now))]
        return max(ends, default=None)

    def is_drained(self, target: str) -> bool:
        """Whether somebody has ordered that no call goes there."""
        return any(self.health.is_drained(name) for name in self.names(target))

    def admit(self, target: str) -> bool:
        """Whether the call may go there now; takes a probe only if no other name stands in the way."""
        if self.is_drained(target) or self.open_until(target) is not None:
            return False
        draw = self.random()
        return all(self.health.admit(name, self.now, self.route.breaker, draw) for name in self.names(target))


def _first(route: Route, patients: _Patients) -> Attempt | GiveUp:
    """The first target that is not left alone. When all are, one attempt shows the caller what is wrong.

    What was drained is not even tried then.
    """
    for target in route.targets:
        if patients.admit(target):
            return Attempt(target)
    left = [target for target in route.targets if not patients.is_drained(target)]
    if not left:
        return GiveUp("every upstream of the route is drained", drained=True)
    return Attempt(min(left, key=lambda target: patients.open_until(target) or patients.now))


def _why_ended(route: Route, outcomes: Sequence[Outcome]) -> str | None:
    """Why no upstream may be tried any more, or None."""
    last = outcomes[-1]
    if last.failure is None:
        return f"answered with {_told(last)}"
    if last.failure not in route.fail_over_on:
        return f"the route does not move on after {_told(last)}"
    if len(outcomes) >= ATTEMPTS_MAX:
        return f"{ATTEMPTS_MAX} attempts are enough; the last: {_told(last)}"
    return None


def _retry_delay(route: Route, outcomes: Sequence[Outcome], random: Callable[[], float]) -> float | None:
    """How long to wait before the same upstream is tried again; None: not again.

    The wait doubles and has jitter in its upper half, so that the fifth try of one upstream comes 3.75 s after the
    first at the earliest. An upstream that was silent is not asked again, nor is one that the budget cannot pay, one
    that the call is too long for, or one that refuses what it will refuse again.
    """
    last = outcomes[-1]
    tries = sum(outcome.upstream == last.upstream for outcome in outcomes)
    refused = last.status is not None and 400 <= last.status < 500 and last.status not in _ANOTHER_TIME
    if refused or last.failure in ("timeout", "budget", "context_length") or tries > route.retries:
        return None
    backoff: float = BACKOFF_S * 2 ** (tries - 1) * (0.5 + random() / 2)
    asked = last.retry_after_s or 0.0
    if asked > RETRY_AFTER_MAX_S:
        return None
    return max(backoff, asked * (1 + random() / 10))  # a little later than asked: many callers were told the same


def _attempt(upstream: str, delay_s: float, outcomes: Sequence[Outcome]) -> Attempt:
    """An attempt that keeps within ``BURST_ATTEMPTS`` per ``BURST_S``, however fast the upstreams fail."""
    if len(outcomes) >= BURST_ATTEMPTS:
        delay_s = max(delay_s, BURST_S - sum(outcome.ms for outcome in outcomes) / 1000)
    return Attempt(upstream, delay_s)


def _told(outcome: Outcome) -> str:
    return str(outcome.failure or f"status {outcome.status}")


# 408, 425: the server did not read the request; 520-529: Cloudflare's, and Anthropic's 529 "overloaded".
_SERVER_FAILED = frozenset({408, 425, 500, 502, 503, 504, *range(520, 530)})
_ANOTHER_TIME = frozenset({408, 425, 429})
# 402: the account is empty, as OpenAI says by 429 (OpenRouter, DeepSeek).
_USED_UP = frozenset({402, 429})


def failure_of_status(status: int) -> Failure | None:
    """Which failure a status is; None where another upstream could not mend it (400, 401, 403, 404, 413, 422 …)."""
    if status in _USED_UP:
        return "429"
    return "5xx" if status in _SERVER_FAILED else None


def failure_of_error(kind: str, status: int) -> Failure | None:
    """Which failure the error in a body is, by its ``kind`` (`wire`'s word); None: it is for the caller, as it is.

    What a filter refused is asked of nobody else. A body may say more than its status: a prompt is too long (400), an
    account is empty (Anthropic, 400), a request is more than a minute's share (Groq, 413), all went well (200).
    """
    if kind == "context_length":
        return "context_length"
    if kind == "content_filter":
        return None
    if status < 400:
        return "5xx"
    return "429" if kind in ("quota", "rate_limit") else None
