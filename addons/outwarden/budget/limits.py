"""What ``budgets.yml`` says, checked and frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from outwarden.budget.webhooks import Webhook

Scope = Literal["request", "session", "api_key", "user", "team", "project", "organization", "model", "all"]
Unit = Literal["usd", "tokens", "requests"]

SLICE_TOKENS = 256  # of output, some seconds of a stream; a hold grows that often, and each time takes a transaction
RATE_OVER_S = 600  # long enough that one dear call is no rate, short enough to stop a runaway in minutes


@dataclass(frozen=True, slots=True)
class Projected:
    """Act while a budget, at the rate of the last ``over_s`` seconds, would be gone in less than ``within_s``."""

    within_s: int
    over_s: int = RATE_OVER_S
    action: Literal["refuse", "warn"] = "refuse"


@dataclass(frozen=True, slots=True)
class Budget:
    """One limit: for whom (``scope``), how much (``limit`` in ``unit``; nano-dollars for usd), per which ``window``.

    ``window``: ``minute hour day week month year`` (calendar, in ``timezone``), ``lifetime``, ``rolling 10m`` or
    ``refill 1h``: a bucket of ``burst`` (None: ``limit``) into which ``limit`` flows back per hour. ``only`` restricts
    the calls that count: caller fields, ``model``, ``provider``, each a ``*`` pattern. ``identical``: each body counts
    by itself, so that a loop is stopped and nobody else. ``on_exceeded``: whether what does not fit is refused, only
    counted, or sent to ``reroute_to`` (a route, or one upstream) and counted; ``reroute_at`` is the share of the limit
    from which on all calls go there. ``lease``: a busy process may pay from memory for a second (`leases`).
    """

    name: str
    scope: Scope
    limit: int
    unit: Unit = "usd"
    window: str = "lifetime"
    timezone: str = "UTC"
    only: Mapping[str, str] = field(default_factory=dict)
    warn_at: tuple[float, ...] = ()
    burst: int | None = None
    identical: bool = False
    on_exceeded: Literal["refuse", "warn", "reroute"] = "refuse"
    projected: Projected | None = None
    reroute_at: float | None = None
    reroute_to: str | None = None
    lease: bool = False

    @property
    def capacity(self) -> int:
        """The most that may be taken at once."""
        return self.limit if self.burst is None else self.burst


@dataclass(frozen=True, slots=True)
class Metered:
    """How holds follow what calls use, instead of covering the worst case from the start.

    A stream is held for its input and ``slice_tokens`` of output, grows its hold by as much while it runs, and is
    stopped when there is no money for more. ``whole``: what is held for a call that is answered at once, so that
    nobody can stop it: the worst case (``full``), or what such calls use (``learnt``, see `pricing.learnt`).
    """

    slice_tokens: int = SLICE_TOKENS
    whole: Literal["full", "learnt"] = "full"


@dataclass(frozen=True)
class BudgetRules:
    """``budgets.yml`` as a whole. ``unknown_price`` is ``refuse`` or (input, output) USD per million tokens.

    ``metered`` None: every call is held for its worst case.
    """

    budgets: tuple[Budget, ...] = ()
    clamp_output: bool = False  # a limit refuses unless the rules say that calls may be shortened
    unknown_price: Literal["refuse"] | tuple[Decimal, Decimal] = "refuse"
    webhooks: tuple[Webhook, ...] = ()
    metered: Metered | None = None
