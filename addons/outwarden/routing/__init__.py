"""The routing room: from a route and the outcomes so far to the next attempt.

It knows upstreams, targets, their order, retries, breakers, and what probes and other processes say of them. It sends
nothing, sleeps nowhere and reads no clock: the caller brings the time and the chance. What a failure is on the wire,
and whether the reply had begun, is left to ``wire`` and ``flow``; whether money is there, to ``budget``.
"""

from outwarden.routing.care import Care, care_of
from outwarden.routing.choose import Attempt, GiveUp, Outcome, failure_of_error, failure_of_status, next_attempt
from outwarden.routing.health import Health, Rest
from outwarden.routing.match import (
    match_route,
    original_at,
    places,
    reroute,
    resolve_reference,
    resolve_secret,
    rewrite_model,
)
from outwarden.routing.order import Known, homes, ordered
from outwarden.routing.retry_after import retry_after
from outwarden.routing.routes import (
    GROUP,
    ORIGINAL,
    Auth,
    Breaker,
    Failure,
    Probes,
    Route,
    RouteRules,
    Sticky,
    Strategy,
    Timeouts,
    Upstream,
)

__all__ = [
    "GROUP",
    "ORIGINAL",
    "Attempt",
    "Auth",
    "Breaker",
    "Care",
    "Failure",
    "GiveUp",
    "Health",
    "Known",
    "Outcome",
    "Probes",
    "Rest",
    "Route",
    "RouteRules",
    "Sticky",
    "Strategy",
    "Timeouts",
    "Upstream",
    "care_of",
    "failure_of_error",
    "failure_of_status",
    "homes",
    "match_route",
    "next_attempt",
    "ordered",
    "original_at",
    "places",
    "reroute",
    "resolve_reference",
    "resolve_secret",
    "retry_after",
    "rewrite_model",
]
