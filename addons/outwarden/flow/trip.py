"""One call's way through its upstreams: where it is now, what failed so far, where it goes next.

The decisions are `routing`'s; this module applies them to the request that mitmproxy is about to send.
"""

import random
import time
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace

from mitmproxy import http

from outwarden.budget.accounts import bounded_id
from outwarden.flow.aiming import Aim, Beginning, Errand, Target
from outwarden.flow.tongues import Tongues
from outwarden.pricing.outputs import context_window
from outwarden.routing import (
    ORIGINAL,
    Attempt,
    Care,
    Failure,
    GiveUp,
    Health,
    Known,
    Outcome,
    Route,
    Sticky,
    Timeouts,
    Upstream,
    homes,
    next_attempt,
    ordered,
    original_at,
    rewrite_model,
)
from outwarden.routing.health import OWN
from outwarden.routing.prefills import way_at, way_of
from outwarden.wire.aws_signature import Signature
from outwarden.wire.continuation import Way, obstacle
from outwarden.wire.format import Refusal
from outwarden.wire.signed import reads_signed
from outwarden.wire.traffic import Host
from outwarden.wire.translation import Translation

DEFAULT_ROUTE = Route(name="")
# Ends of an attempt that brought no answer; all others (silence, a reply broken off or left) may cost money.
NEVER_BILLED = frozenset(
    {"connect", "429", "5xx", "budget", "client gone", "context_length", "not_translatable", "prefill_refused"}
    | {"foreign_signature"}
)


@dataclass(slots=True)
class Step:
    """One attempt as the audit record shows it."""

    upstream: str
    started_s: float
    outcome: str = "pending"
    status: int | None = None
    ms: float = 0.0

    def end(self, outcome: str, status: int | None) -> None:
        """Note how the attempt ended."""
        self.outcome, self.status, self.ms = outcome, status, (time.monotonic() - self.started_s) * 1000


class Trip:
    """The attempts of one call: `begin` first, then `fail` until it gives up, or `succeed`."""

    def __init__(
        self,
        request: http.Request,
        host: Host,
        format_name: str,
        model: str | None,
        route: Route | None,
        upstreams: Mapping[str, Upstream],
        health: Health,
        may_take: Callable[[Upstream | None], bool],
        signature: Signature | None = None,
        *,
        operation_name: str = "",
        caller: Mapping[Sticky, str | None] | None = None,
        cost_at: Callable[[Upstream | None], int | None] = lambda upstream: None,
        fits: Callable[[Upstream | None], bool] = lambda upstream: True,
        care: Care = Care(),  # noqa: B008
    ) -> None:
        self._aim = Aim(request, host, model, signature, format_name)
        self._format_name = format_name
        self._beginning: Beginning | None = None  # of the answer, if another upstream began it
        self._host = host
        self._tongues = Tongues(request, format_name, operation_name)
        self._operation_name = operation_name
        self._requested_model = model
        self._upstreams = upstreams
        self._health = health
        self._may_take = may_take
        # "original" is another place for each host.
        self._original = original_at(request.host)
        route = route or DEFAULT_ROUTE
        self._route = route
        self._retries = route.retries
        self._known = Known(
            wait=lambda name: health.usual_wait(self._shared_names(name)[-1], time.monotonic()),
            cost=lambda name: cost_at(upstreams.get(name)),
            fits=lambda name: fits(upstreams.get(name)),
            caller=caller or {},
        )
        self._care = care
        self._key = (caller or {}).get("api_key")
        self._unsigned = False  # whether what only its own provider reads is left out of the request
        self._dispatched = False  # whether the current upstream was given the request
        self._names: dict[str, tuple[str, ...]] = {}  # of targets, as health knows them
        self._outcomes: list[Outcome] = []
        self._attempt: Attempt | None = None
        self.sent = False  # whether any upstream was given the request
        self.steps: list[Step] = []

    def _speaks(self, name: str) -> bool:
        """Whether this target reads the call, as it is or translated; one that does not is in the record."""
        upstream = self._upstreams.get(name)
        if upstream is None or self._tongues.speaks(upstream, self.model_at(upstream)):
            return True
        if name in self._tongues.refused:
            self.steps.append(Step(name, time.monotonic()))
            self.steps[-1].end("not_translatable", None)
        return False

    @property
    def unread(self) -> Refusal | None:
        """Why no target is left that could read the call; None where one is."""
        return None if self._route.targets else self._tongues.refusal(self.route_name)

    @property
    def translation(self) -> Translation | None:
        """How the call and its reply are translated for the current attempt; None: its upstream reads it as it is."""
        return self._tongues.translations.get(self.upstream.name) if self.upstream else None

    def _health_names(self, target: str) -> tuple[str, ...]:
        """The place of a target, the model there (where the call names none, what it is for: files that fail are no
        outage of the models), and these as the caller's own key finds them where that is what goes there: each has its
        own breaker.
        """
        if names := self._names.get(target):
            return names
        shared = self._shared_names(target)
        own = (f"{OWN}{shared[-1]} {self._key}",) if self._key and self._takes_key(target) else ()
        names = self._names[target] = (*shared, *own)
        return names

    def _shared_names(self, target: str) -> tuple[str, ...]:
        place = self._original if target == ORIGINAL else target
        part = self.model_at(self._upstreams.get(target)) or self._operation_name
        return (place, f"{place} {bounded_id(part)}") if part else (place,)

    def _takes_key(self, target: str) -> bool:
        """Whether the caller's own key signs in there."""
        upstream = self._upstreams.get(target)
        if upstream is None:
            return True
        return upstream.auth.kind == "keep" if upstream.auth else upstream.provider == self._host.provider

    @property
    def route_name(self) -> str:
        """The route in force; empty where none matched."""
        return self._route.name

    @property
    def timeouts(self) -> Timeouts:
        """The time limits of the route."""
        return self._route.timeouts

    @property
    def buffers(self) -> bool:
        """Whether the route delivers whole answers only."""
        return self._route.rescue == "buffer"

    @property
    def continues(self) -> bool:
        """Whether the route lets another upstream go on with an answer that broke off."""
        return self._route.rescue == "continue"

    @property
    def obstacle(self) -> str | None:
        """Why nobody may be asked to go on with the answer to this request; None: somebody may."""
        return obstacle(self._format_name, self._aim.path, self._aim.plain())

    @property
    def way(self) -> Way | None:
        """How the upstream of the current attempt is asked to go on with an answer; None: it is not to be asked."""
        return self._way_at(self.upstream_name)

    @property
    def upstream(self) -> Upstream | None:
        """The upstream of the current attempt; None where the caller aimed itself."""
        return self._upstreams.get(self._attempt.upstream) if self._attempt else None

    @property
    def upstream_name(self) -> str:
        """The current upstream as records show it."""
        return self._attempt.upstream if self._attempt else ORIGINAL

    @property
    def provider(self) -> str:
        """The provider of the current attempt."""
        return self.upstream.provider if self.upstream else self._host.provider

    @property
    def model(self) -> str | None:
        """The model that the current attempt asks for."""
        return self.model_at(self.upstream)

    def model_at(self, upstream: Upstream | None) -> str | None:
        """The model that ``upstream`` (None: where the caller aimed) is asked for."""
        return rewrite_model(upstream, self._requested_model) if upstream else self._requested_model

    def is_ours_to_mend(self, status: int) -> bool:
        """Whether the current upstream refuses what the rules, not the caller, chose: the key, or the model."""
        upstream = self.upstream
        if upstream is None:
            return False
        if status == 404:
            return self.model is not None and self.model != self._requested_model
        return status in (401, 403) and upstream.auth is not None and upstream.auth.kind != "keep"

    @property
    def is_for_the_caller(self) -> bool:
        """Whether a connection that failed is the caller's to open again, as it would without us: nobody else was
        asked, and the call may be made twice.
        """
        return len(self.steps) == 1 and not self._care.once

    @property
    def may_have_billed(self) -> bool:
        """Whether the upstream of the last attempt was given the request and may have done work for it."""
        last = self.steps[-1] if self.steps else None
        if last is None or not self.sent:
            return False
        return (last.status or 0) < 400 if last.outcome == "ok" else last.outcome not in NEVER_BILLED

    def begin(self) -> Attempt | GiveUp:
        """Put the targets of the route in order, for this call, and choose the first attempt.

        A call that no target reads goes nowhere: where it was aimed may be what the route keeps calls from.
        """
        care, route = self._care, self._route
        targets = tuple(filter(self._speaks, homes(route) if care.kept else ordered(route, self._known, random.random)))
        targets = targets[:1] if care.kept or care.bound else targets
        if targets != route.targets or route.strategy != "priority":
            self._route = replace(route, targets=targets, groups={}, strategy="priority")
        return self._choose() if targets else GiveUp("no upstream can be told what the call says")

    def dispatch(self) -> None:
        """Note that the current upstream is given the request."""
        self.sent = self._dispatched = True

    def begin_again(self, request: http.Request) -> Attempt | GiveUp:
        """Choose the first attempt anew, for a body that was changed since."""
        self._aim.change(request)
        self._tongues.translate_again(request)
        self._outcomes.clear()
        self.steps.clear()
        return self._choose() if self._route.targets else GiveUp("no upstream can be told what the call says")

    def response(self, model: str | None) -> "Trip":
        """The way of one response over the connection that this trip opened: the same upstream, a step of its own."""
        trip = copy(self)
        trip._requested_model, trip._names = model, {}
        trip.steps, trip._outcomes = [Step(self.upstream_name, time.monotonic())], []
        return trip

    def fail(self, failure: Failure, status: int | None = None, retry_after_s: float | None = None) -> Attempt | GiveUp:
        """Note that the current attempt failed and choose the next, if one may follow."""
        self._end(failure, status, retry_after_s)
        if self._care.forbids_more(self._outcomes[-1], dispatched=self._dispatched):
            return GiveUp("the upstream may have done what it was asked for, and that is not to be done twice")
        return self._choose()

    def go_on(
        self, beginning: Beginning, failure: Failure, status: int | None = None, retry_after_s: float | None = None
    ) -> Attempt | GiveUp:
        """Note that the current attempt broke off, and choose who is to go on with what was said, if one may."""
        able = tuple(target for target in self._route.targets if self._way_at(target))
        retries = self._retries if self.upstream_name in able else 0
        self._route = replace(self._route, targets=able, retries=retries)
        self._beginning = beginning
        return self.fail(failure, status, retry_after_s)

    def unsign(self, status: int) -> bool:
        """Ask the current upstream again, without what it cannot read of the history because another provider signed or
        sealed it; False: that was done already, or there is nothing of the kind.
        """
        if self._unsigned or self._attempt is None or not self._aim.may_unsign():
            return False
        self._unsigned = True
        self.stop("foreign_signature", status)
        self.steps.append(Step(self.upstream_name, time.monotonic()))
        self._attempt = Attempt(self._attempt.upstream)
        return True

    def decline(self, status: int | None) -> Attempt | GiveUp:
        """Note that the current upstream does not go on with what another began, whoever knew better; choose the next.

        It is none of its failures: what it is asked otherwise, it may answer well.
        """
        self.stop("prefill_refused", status)
        self._route = replace(
            self._route, targets=tuple(name for name in self._route.targets if name != self.upstream_name)
        )
        return self._choose()

    def _way_at(self, target: str) -> Way | None:
        upstream = self._upstreams.get(target)
        model = self.model_at(upstream)
        if upstream:
            return way_of(upstream, model)
        return way_at(self._format_name, self._host.provider, model, self._aim.path)

    def fail_at_last(self, failure: Failure, status: int | None) -> None:
        """Note that the current attempt failed after the client had begun to see its answer."""
        if self._running():
            self._end(failure, status, None)

    def succeed(self, status: int | None) -> None:
        """Note that the current attempt brought the answer."""
        if self._running():
            self._end(None, status, None)

    def stop(self, outcome: str, status: int | None = None) -> None:
        """Close the current attempt without blaming the upstream (client gone, stopped by us)."""
        if self._running():
            self.steps[-1].end(outcome, status)

    def _running(self) -> bool:
        return bool(self.steps) and self.steps[-1].outcome == "pending"

    def _end(self, failure: Failure | None, status: int | None, retry_after_s: float | None) -> None:
        assert self._attempt
        step = self.steps[-1]
        step.end(failure or "ok", status)
        self._outcomes.append(Outcome(self._attempt.upstream, failure, status, step.ms, retry_after_s))
        names, shared = self._health_names(step.upstream), self._shared_names(step.upstream)
        # A place that cannot be reached is closed for all its models; a share that is used up is the key's, if that is
        # the caller's own; what else fails may be the one model's.
        fails = {"connect": shared[:1], "429": names[-1:]}.get(failure or "", shared[-1:])
        known = (*shared, *(name for name in names[len(shared) :] if self._health.knows(name)))
        ok, now = failure in (None, "context_length"), time.monotonic()
        for name in known if failure is None else fails:
            self._health.record(name, ok, now, self._route.breaker, retry_after_s)

    def content_began(self, status: int) -> None:
        """Note that the current attempt brings the first content of its answer; an error says nothing of its speed."""
        if self._running() and status < 400:
            step, now = self.steps[-1], time.monotonic()
            paused = self._attempt.delay_s if self._attempt else 0.0
            self._health.waited(self._shared_names(step.upstream)[-1], now - step.started_s - paused, now)

    def _choose(self) -> Attempt | GiveUp:
        while True:
            choice = next_attempt(
                self._route,
                self._outcomes,
                self._health,
                now=time.monotonic(),
                random=random.random,
                names=self._health_names,
                holds_more=self._holds_more,
            )
            if isinstance(choice, GiveUp):
                return choice
            self.steps.append(Step(choice.upstream, time.monotonic()))
            if self._may_take(self._upstreams.get(choice.upstream)):
                self._attempt, self._dispatched = choice, False
                return choice
            self.steps[-1].end("budget", None)
            self._outcomes.append(Outcome(choice.upstream, "budget", None, 0.0))

    def _holds_more(self, than: str, target: str) -> bool:
        """Whether a call that is too long for one model may fit another, as far as the catalogue knows."""
        (provider, model), (other, larger) = self._asked_at(than), self._asked_at(target)
        if (provider, model) == (other, larger):
            return False
        window, more = context_window(provider, model), context_window(other, larger)
        return window is None or more is None or more > window

    def _asked_at(self, target: str) -> tuple[str, str | None]:
        upstream = self._upstreams.get(target)
        return (upstream.provider if upstream else self._host.provider), self.model_at(upstream)

    def let_go(self) -> None:
        """No other attempt follows."""
        self._known = Known()

    def target(self) -> Target:
        """Where the current attempt connects to."""
        return self._aim.target(self.upstream)

    def apply(self, request: http.Request) -> Refusal | None:
        """Rewrite ``request`` for the current attempt; returns why it cannot be sent, as `Aim.apply` does."""
        beginning = self._beginning
        way = self._way_at(self.upstream_name) if beginning else None
        crosses = not reads_signed(self._format_name, self._host.provider, self.provider)
        errand = Errand(self.upstream, self.model, self.translation, beginning, way, unsigned=crosses or self._unsigned)
        return self._aim.apply(request, errand)
