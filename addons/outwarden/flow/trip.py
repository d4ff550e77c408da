"""One call's way through its upstreams: where it is now, what failed so far, where it goes next.

The decisions are `routing`'s; this module applies them to the request that mitmproxy is about to send.
"""

import random
import time
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

from mitmproxy import http

from outwarden.budget.accounts import bounded_id
from outwarden.flow.body import plain_content, replace_content
from outwarden.flow.signing import cannot_change, sign_as, signature_of, still_fits
from outwarden.flow.tongues import Tongues, write_translated
from outwarden.pricing.outputs import context_window
from outwarden.routing import (
    ORIGINAL,
    Attempt,
    Auth,
    Failure,
    GiveUp,
    Health,
    Known,
    Outcome,
    Route,
    Sticky,
    Timeouts,
    Upstream,
    next_attempt,
    ordered,
    original_at,
    resolve_secret,
    rewrite_model,
)
from outwarden.routing.aws import without_signature
from outwarden.routing.paths import upstream_path, without_key
from outwarden.wire.aws_signature import Signature
from outwarden.wire.format import Refusal
from outwarden.wire.top_level import replace_string, value_spans
from outwarden.wire.traffic import Host
from outwarden.wire.translation import Translation

# Where callers put their key; none of these may follow a call to a provider it was not meant for (WIRE.md §8).
CREDENTIAL_HEADERS = (
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "cookie",
    "x-amz-security-token",
    "openai-organization",
    "openai-project",
)
# Browsers cannot set headers on a WebSocket: OpenAI takes the key as the name of a protocol (Realtime guide).
BROWSER_KEY = "openai-insecure-api-key."
DEFAULT_ROUTE = Route(name="")
# Ends of an attempt that brought no answer; all others (silence, a reply broken off or left) may cost money.
NEVER_BILLED = frozenset({"connect", "429", "5xx", "budget", "client gone", "context_length", "not_translatable"})


@dataclass(frozen=True, slots=True)
class Target:
    """What a connection is opened to: ``dial``, with ``sni``, verified against ``trust`` (None: system roots)."""

    dial: tuple[str, int]
    tls: bool
    sni: str
    trust: Path | None = None


def target_of_host(host: Host, scheme: str, name: str, port: int) -> Target:
    """Where a call connects to that goes where its caller aimed."""
    return Target(host.connect_to or (name, port), scheme == "https", name, host.trust)


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


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The request as the caller aimed it, before any upstream rewrote it."""

    scheme: str
    host: str
    port: int
    path: str
    authority: str
    headers: http.Headers
    content: bytes | None


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
    ) -> None:
        self._aimed = Snapshot(
            request.scheme,
            request.host,
            request.port,
            request.path,
            request.authority,
            request.headers.copy(),
            request.raw_content,
        )
        self._host = host
        self._tongues = Tongues(request, format_name, operation_name)
        self._requested_model = model
        self._upstreams = upstreams
        self._health = health
        self._may_take = may_take
        self._signature = signature
        # "original" is another place for each host.
        self._original = original_at(request.host)
        route = route or DEFAULT_ROUTE
        self._route = route
        self._known = Known(
            wait=lambda name: health.usual_wait(self._health_names(name)[-1], time.monotonic()),
            cost=lambda name: cost_at(upstreams.get(name)),
            fits=lambda name: fits(upstreams.get(name)),
            caller=caller or {},
        )
        self._outcomes: list[Outcome] = []
        self._attempt: Attempt | None = None
        self._rewritten = False  # whether an attempt has changed the request
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
        """The place of a target, and the model there where the call names one: each has its own breaker."""
        place = self._original if target == ORIGINAL else target
        model = self.model_at(self._upstreams.get(target))
        return (place, f"{place} {bounded_id(model)}") if model else (place,)

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
        targets = tuple(filter(self._speaks, ordered(self._route, self._known, random.random)))
        self._route = replace(self._route, targets=targets, groups={}, strategy="priority")
        return self._choose() if targets else GiveUp("no upstream can be told what the call says")

    def begin_again(self, request: http.Request) -> Attempt | GiveUp:
        """Choose the first attempt anew, for a body that was changed since."""
        self._aimed = replace(self._aimed, headers=request.headers.copy(), content=request.raw_content)
        self._tongues.translate_again(request)
        self._outcomes.clear()
        self.steps.clear()
        return self._choose() if self._route.targets else GiveUp("no upstream can be told what the call says")

    def response(self, model: str | None) -> "Trip":
        """The way of one response over the connection that this trip opened: the same upstream, a step of its own."""
        trip = copy(self)
        trip._requested_model = model
        trip.steps = [Step(self.upstream_name, time.monotonic())]
        return trip

    def fail(self, failure: Failure, status: int | None = None, retry_after_s: float | None = None) -> Attempt | GiveUp:
        """Note that the current attempt failed and choose the next, if one may follow."""
        self._end(failure, status, retry_after_s)
        return self._choose()

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
        names = self._health_names(step.upstream)
        # A place that cannot be reached is closed for all its models; what else fails may be the one model's.
        for name in names if failure is None else names[:1] if failure == "connect" else names[-1:]:
            self._health.record(name, failure in (None, "context_length"), time.monotonic(), self._route.breaker)

    def content_began(self, status: int) -> None:
        """Note that the current attempt brings the first content of its answer; an error says nothing of its speed."""
        if self._running() and status < 400:
            step, now = self.steps[-1], time.monotonic()
            paused = self._attempt.delay_s if self._attempt else 0.0
            self._health.waited(self._health_names(step.upstream)[-1], now - step.started_s - paused, now)

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
                self._attempt = choice
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

    def target(self) -> Target:
        """Where the current attempt connects to."""
        upstream = self.upstream
        if upstream:
            return Target((upstream.host, upstream.port), upstream.scheme == "https", upstream.host, upstream.trust)
        return target_of_host(self._host, self._aimed.scheme, self._aimed.host, self._aimed.port)

    def apply(self, request: http.Request) -> Refusal | None:
        """Rewrite ``request`` for the current attempt, always from the caller's own request.

        Returns why it cannot be sent, where a signature on it no longer fits and nobody may sign it again.
        """
        self._rewrite(request)
        return self._sign(request)

    def _rewrite(self, request: http.Request) -> None:
        aimed, upstream = self._aimed, self.upstream
        if upstream is None and not self._rewritten:
            return
        self._rewritten = True
        request.headers = aimed.headers.copy()
        request.scheme, request.host, request.port = aimed.scheme, aimed.host, aimed.port
        request.path, request.authority = aimed.path, aimed.authority
        if request.raw_content is not aimed.content:
            request.raw_content = aimed.content
        if upstream is None:
            request.headers = aimed.headers.copy()  # setting host above rewrote the Host header
            return
        request.scheme, request.host, request.port = upstream.scheme, upstream.host, upstream.port
        if translation := self.translation:
            request.path = upstream_path(upstream, translation.target, None)
            write_translated(request, translation)
            self._sign_in(request, upstream)
            return
        request.path = upstream_path(upstream, aimed.path, self.model)
        if self.model and self.model != self._requested_model and request.query.get("model"):
            request.query["model"] = self.model
        self._sign_in(request, upstream)
        if self.model and self.model != self._requested_model and request.raw_content:
            replace_content(request, replace_model(plain_content(request), self.model))

    def _sign_in(self, request: http.Request, upstream: Upstream) -> None:
        auth = upstream.auth
        if auth.kind == "keep" if auth else upstream.provider == self._host.provider:
            return
        for name in CREDENTIAL_HEADERS:
            request.headers.pop(name, None)
        protocols = request.headers.get("sec-websocket-protocol", "")
        if BROWSER_KEY in protocols:
            kept = [name for name in protocols.split(",") if not name.strip().startswith(BROWSER_KEY)]
            request.headers["sec-websocket-protocol"] = ",".join(kept)
        request.path = without_signature(without_key(request.path))
        if auth:
            sign_in_as(auth, request)

    def _sign(self, request: http.Request) -> Refusal | None:
        """The last step, because nothing may change after it."""
        auth = self.upstream.auth if self.upstream else None
        if auth and auth.identity:
            sign_as(auth.identity, request)
            return None
        signature = self._signature
        if signature is None or not signature_of(request) or still_fits(signature, request):
            return None
        if self.upstream:
            return cannot_change(f"The call moves to {self.upstream.name} (routes.yml), which has no auth of its own")
        if self._host.sign is None:
            return cannot_change("A rule changed the call")
        sign_as(self._host.sign, request, signature)
        return None


def sign_in_as(auth: Auth, request: http.Request) -> None:
    """Put our own secret on a request, where ``auth`` is one. Raises StateError, which names the reference only."""
    if auth.kind in ("bearer", "header"):
        secret = resolve_secret(auth)
        request.headers[auth.header] = f"Bearer {secret}" if auth.kind == "bearer" else secret


def replace_model(body: bytes, model: str) -> bytes:
    """Name another model in a request body that names one; a body that names none (Gemini) stays."""
    spans = value_spans(body)
    return replace_string(body, "model", model) if "model" in spans else body
