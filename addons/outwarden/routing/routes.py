"""What ``routes.yml`` says, checked and frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Literal

from outwarden.routing.google import GoogleIdentity
from outwarden.wire.aws_signature import AwsIdentity

ORIGINAL = "original"  # the target that means: where the caller aimed
GROUP = "route "  # begins a target that names another route; no name of an upstream has a space
Failure = Literal["connect", "timeout", "429", "5xx", "stream_error", "budget", "context_length"]
Strategy = Literal["priority", "weighted", "latency", "cost"]
Rescue = Literal["off", "buffer", "continue"]
Sticky = Literal["session", "user", "api_key", "team"]


@dataclass(frozen=True, slots=True)
class Auth:
    """How we sign in at an upstream: ``keep`` the caller's own, a ``bearer`` / ``header`` secret of ours, by an AWS
    signature (``aws``) with the credentials of ``identity``, or by a token of Google Cloud's (``google``) for
    ``account``.

    ``secret`` is a reference (``env:NAME`` or ``file:PATH``), resolved when used; it is never logged.
    """

    kind: Literal["keep", "bearer", "header", "aws", "google"] = "keep"
    header: str = "authorization"
    secret: str = ""
    identity: AwsIdentity | None = None
    account: GoogleIdentity | None = None


@dataclass(frozen=True, slots=True)
class Probes:
    """An upstream is asked for ``path`` (below its url) ``every`` so many seconds, each time for ``timeout`` at most.

    ``max_fails`` failures in a row and calls skip it; ``passes`` good answers in a row and they return, bit by bit.
    """

    path: str
    every: float = 15.0
    timeout: float = 5.0
    max_fails: int = 2
    passes: int = 2

    @property
    def believed_s(self) -> float:
        """How long a failure counts where no further probe says anything: those of three rounds."""
        return 3 * (self.every + self.timeout)


@dataclass(frozen=True, slots=True)
class Upstream:
    """A place a call may go. ``model``: replaces the requested one; a map from requested (``*`` patterns) to served.

    ``auth`` None: the rules do not say; the caller's own key goes along to the provider it was meant for, to no other.
    ``prefill``: whether it goes on with an answer that was begun; None: as `prefills` knows its provider. ``query``:
    parameters of its URL, which go before the caller's (``api-version=…``). ``drop``: top-level parameters that are
    taken out of what it is sent; ``refuse``: a call with one of them does not go there.
    """

    name: str
    scheme: Literal["http", "https"]
    host: str
    port: int
    path: str  # prefix, without trailing slash; "/v1" for https://host/v1
    provider: str
    format: str
    model: Mapping[str, str] = field(default_factory=dict)
    auth: Auth | None = None
    quality: float | None = None
    price: tuple[Decimal, Decimal] | None = None  # input, output in USD per million tokens
    trust: Path | None = None
    health: Probes | None = None
    prefill: bool | None = None
    query: str = ""
    drop: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. ``first_content``: until the first token of a stream; ``idle``: between two chunks."""

    connect: float = 5.0
    first_byte: float = 300.0
    first_content: float = 300.0
    idle: float = 120.0
    total: float = 900.0


@dataclass(frozen=True, slots=True)
class Breaker:
    """After ``max_fails`` failures ``within`` seconds, an upstream is left alone for ``cooldown`` seconds."""

    max_fails: int = 5
    within: float = 30.0
    cooldown: float = 30.0


@dataclass(frozen=True, slots=True)
class Route:
    """Which upstreams a call may take, in which order, and when it moves on.

    A target that begins with `GROUP` names another route, one of ``groups``: its targets stand there, in the order of
    its own strategy. ``weights`` (1 where absent) and ``sticky`` (calls of one such caller keep to one target) are for
    ``weighted``. ``rescue`` ``buffer``: a stream is held until it is whole, and may begin elsewhere
    until then; ``continue``: one that breaks off is gone on with by the next target that can (`prefills`).
    """

    name: str
    match: Mapping[str, str] = field(default_factory=dict)  # model, provider, caller fields; * patterns
    strategy: Strategy = "priority"
    targets: tuple[str, ...] = (ORIGINAL,)
    weights: Mapping[str, float] = field(default_factory=dict)
    sticky: Sticky | None = None
    groups: Mapping[str, "Route"] = field(default_factory=dict)
    min_quality: float = 0.0
    fail_over_on: frozenset[Failure] = frozenset({"connect", "timeout", "429", "5xx", "stream_error", "context_length"})
    timeouts: Timeouts = Timeouts()
    retries: int = 0
    breaker: Breaker = Breaker()
    rescue: Rescue = "off"


@dataclass(frozen=True)
class RouteRules:
    """``routes.yml`` as a whole; the first route that matches wins, no match means ``original`` alone."""

    upstreams: Mapping[str, Upstream] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
