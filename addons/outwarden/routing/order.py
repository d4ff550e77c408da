"""In which order a call tries the targets of its route: the strategies. Pure: chance and figures are given."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from math import inf, log

from outwarden.routing.routes import ORIGINAL, Route, Sticky, Strategy

EXPLORE_SHARE = 0.05  # of calls look how another target does: enough to see within minutes that one became faster


def _nothing_known(target: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the targets for one call.

    ``wait``: the usual seconds until the first content; ``cost``: the most the call may cost there, in nano-dollars
    (None: not known, of both). ``fits``: whether the call goes into the context window. ``caller``: what the call tells
    of its caller, for ``sticky``.
    """

    wait: Callable[[str], float | None] = _nothing_known
    cost: Callable[[str], int | None] = _nothing_known
    fits: Callable[[str], bool] = lambda target: True
    caller: Mapping[Sticky, str | None] = field(default_factory=dict)


def ordered(route: Route, known: Known, random: Callable[[], float]) -> tuple[str, ...]:
    """The upstreams of ``route`` as this call should try them, each once. ``random`` returns [0, 1)."""
    places: list[str] = []
    for target in _STRATEGIES[route.strategy](route, known, random):
        group = route.groups.get(target)
        places += ordered(group, known, random) if group else (target,)
    return tuple(dict.fromkeys(places))


def homes(route: Route) -> tuple[str, ...]:
    """The places of ``route`` where something may be kept, whatever the strategy: where the caller aimed goes first."""
    places = [place for target in route.targets for place in members(route, target)]
    return tuple(sorted(dict.fromkeys(places), key=lambda place: place != ORIGINAL))


def members(route: Route, target: str) -> tuple[str, ...]:
    """The upstreams that a target stands for: itself, or those of the group it names."""
    group = route.groups.get(target)
    return tuple(place for one in group.targets for place in members(group, one)) if group else (target,)


def _priority(route: Route, known: Known, random: Callable[[], float]) -> Sequence[str]:
    return route.targets


def _weighted(route: Route, known: Known, random: Callable[[], float]) -> Sequence[str]:
    """By chance: a target comes first as often as its weight is of the sum, and so on with the rest.

    Each target draws u and counts -ln(u) / weight, the least first (Efraimidis and Spirakis, 2006). Where the route is
    sticky, u is a hash of caller and target (rendezvous hashing): a caller keeps its target, and a target that comes or
    goes moves only its own callers. A weight of 0 comes last: it is for failures alone.
    """
    caller = known.caller.get(route.sticky) if route.sticky else None

    def drawn(target: str) -> float:
        weight = route.weights.get(target, 1.0)
        u = random() if caller is None else _hashed(route.name, caller, target)
        return -log(max(u, 1e-18)) / weight if weight else inf

    return sorted(route.targets, key={target: drawn(target) for target in route.targets}.__getitem__)


def _latency(route: Route, known: Known, random: Callable[[], float]) -> Sequence[str]:
    """The fastest first; one of which nothing is known counts as fast, so that it becomes known."""
    explores = len(route.targets) > 1 and random() < EXPLORE_SHARE
    fastest_first = sorted(route.targets, key=lambda target: _least(route, target, known.wait, default=0.0))
    if explores:
        chosen = 1 + int(random() * (len(fastest_first) - 1))
        fastest_first.insert(0, fastest_first.pop(chosen))
    return fastest_first


def _cost(route: Route, known: Known, random: Callable[[], float]) -> Sequence[str]:
    """The cheapest first, of those whose context window the call fits; the others last: what they say is the answer."""

    def key(target: str) -> tuple[bool, float]:
        unfit = not any(known.fits(place) for place in members(route, target))
        return unfit, _least(route, target, known.cost, default=inf)

    return sorted(route.targets, key=key)


def _least(route: Route, target: str, figure: Callable[[str], float | None], default: float) -> float:
    known: Collection[float] = [
        default if (value := figure(place)) is None else value for place in members(route, target)
    ]
    return min(known, default=default)


def _hashed(route: str, caller: str, target: str) -> float:
    """A number from (0, 1) that is the same for the same three."""
    digest = sha256("\0".join((route, caller, target)).encode("utf-8", "surrogatepass")).digest()
    return (int.from_bytes(digest[:8]) + 1) / (2**64 + 2)


_STRATEGIES: Mapping[Strategy, Callable[[Route, Known, Callable[[], float]], Sequence[str]]] = {
    "priority": _priority,
    "weighted": _weighted,
    "latency": _latency,
    "cost": _cost,
}
