"""``routes.yml``: where a call may go, in which order, and when it moves on."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import get_args

from outwarden.routing import places
from outwarden.routing.prefills import why_none_continues
from outwarden.routing.routes import (
    GROUP,
    ORIGINAL,
    Breaker,
    Failure,
    Rescue,
    Route,
    RouteRules,
    Sticky,
    Strategy,
    Timeouts,
    Upstream,
)
from outwarden.rules import nodes
from outwarden.rules.nodes import Node, NodeError, Scalar
from outwarden.rules.read_budgets import MATCHABLE
from outwarden.rules.read_upstreams import read_upstreams
from outwarden.rules.values import (
    Keys,
    Reader,
    duration,
    list_of,
    map_of,
    number,
    one_of,
    shown,
    suggest,
    text,
    unique_list_of,
    whole,
)
from outwarden.wire.translation import callers_of

FAILURES: tuple[Failure, ...] = get_args(Failure)
RESCUES: tuple[Rescue, ...] = get_args(Rescue)
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
STICKY: tuple[Sticky, ...] = get_args(Sticky)
WEIGHT_MAX = 1_000_000
RETRIES_MAX = 5  # six tries of one call in all, the most that any upstream should see
MAX_FAILS_MAX = 1000

type Upstreams = Mapping[str, Upstream]


def read_routes(node: Node, folder: Path) -> RouteRules:
    """Read the file. Raises `NodeError`."""
    keys = Keys(node)
    upstreams = keys.get("upstreams", read_upstreams(folder), {} if "upstreams" not in keys else None)
    routes = keys.get("routes", _read_all(upstreams), ())
    keys.done()
    return RouteRules(upstreams or {}, routes)


def _read_all(upstreams: Upstreams | None) -> Reader[tuple[Route, ...]]:
    """Read the list of routes and put those that others name as targets into these.

    A route that another names, and that matches nothing of its own, is a part of that other alone.
    """

    def read(node: Node) -> tuple[Route, ...]:
        names = frozenset(_names(node))
        routes = unique_list_of(_read_route(upstreams, names), lambda route: route.name)(node)
        by_name = {route.name: route for route in routes}
        parts = {target.removeprefix(GROUP) for route in routes for target in route.targets if target.startswith(GROUP)}
        whole_ones = [_with_groups(route, by_name, upstreams or {}, node.line) for route in routes]
        return tuple(route for route in whole_ones if route.match or route.name not in parts)

    return read


def _names(node: Node) -> Iterator[str]:
    """What the routes call themselves; for their targets, before any is read."""
    for route in node.items if isinstance(node, nodes.Listing) else [node]:
        name = route.entries.get("name") if isinstance(route, nodes.Mapping) else None
        if name and isinstance(name[1], Scalar):
            yield name[1].text


def _with_groups(
    route: Route, by_name: Mapping[str, Route], upstreams: Upstreams, line: int, above: tuple[str, ...] = ()
) -> Route:
    """The route with those it names as targets; they keep what is below its ``min_quality`` out, too."""
    if route.name in above:
        raise NodeError((line, f"route '{route.name}' is a part of itself"))
    groups: dict[str, Route] = {}
    for target in route.targets:
        if target.startswith(GROUP):
            group = by_name[target.removeprefix(GROUP)]
            least = max(route.min_quality, group.min_quality)
            if least and (unknown := [t for t in group.targets if t in upstreams and upstreams[t].quality is None]):
                raise NodeError((line, f"upstream '{unknown[0]}' has no quality to compare with min_quality"))
            group = replace(group, targets=tuple(t for t in group.targets if _quality(t, upstreams) >= least))
            if not group.targets:
                raise NodeError((line, f"route '{route.name}': no target of '{group.name}' reaches its min_quality"))
            group = replace(group, min_quality=least)
            groups[target] = _with_groups(group, by_name, upstreams, line, (*above, route.name))
    whole = replace(route, groups=groups)
    if groups and (apart := _apart(places(whole), upstreams)):
        raise NodeError((line, f"route '{route.name}': {apart}"))
    if groups and (why := _why_none_continues(whole, upstreams)):
        raise NodeError((line, why))
    return whole


def _apart(targets: Collection[str], upstreams: Upstreams) -> str | None:
    """Which two upstreams no call can have as its targets both, because of their formats; None where there are none."""
    formats = {upstreams[target].format: target for target in sorted(targets) if target in upstreams}
    if callers_of(formats):
        return None
    (one, first), (other, second) = next(
        pair for pair in combinations(formats.items(), 2) if not callers_of(dict(pair))
    )
    return f"no call reaches both '{first}' ({one}) and '{second}' ({other}): nothing translates it for both"


def _quality(target: str, upstreams: Upstreams) -> float:
    return (upstreams[target].quality or 0.0) if target in upstreams else 1.0


def _read_route(upstreams: Upstreams | None, names: Collection[str]) -> Reader[Route]:
    """Read one route; ``upstreams`` is None where they could not be read, and targets cannot be checked."""

    def read(node: Node) -> Route:
        keys = Keys(node)
        name = keys.need("name", text)
        match = keys.get("match", map_of(text, MATCHABLE, "field"), {})
        strategy: Strategy = keys.get("strategy", one_of(STRATEGIES), STRATEGIES[0])
        min_quality = keys.get("min_quality", number(0, 1), 0.0)
        weighed = keys.get(
            "targets", unique_list_of(_target(upstreams, names), lambda one: one[0]), ((ORIGINAL, None),)
        )
        targets = tuple(target for target, _ in weighed)
        weights = {target: weight for target, weight in weighed if weight is not None}
        sticky = keys.get("sticky", one_of(STICKY), None)
        fail_over_on = keys.get("fail_over_on", list_of(_failure), tuple(Route("").fail_over_on))
        timeouts = keys.get("timeouts", _read_timeouts, Timeouts())
        retries = keys.get("retries", whole(0, RETRIES_MAX), 0)
        breaker = keys.get("breaker", _read_breaker, Breaker())
        rescue: Rescue = keys.get("rescue", one_of(RESCUES), RESCUES[0])
        if strategy != "weighted" and (weights or sticky):
            keys.wrong("targets" if weights else "sticky", "weights and 'sticky' are for strategy: weighted")
        if targets and not any(weights.get(target, 1) for target in targets):
            keys.wrong("targets", "every weight is 0")
        good = _good_enough(keys, targets, upstreams or {}, min_quality)
        if apart := _apart(good, upstreams or {}):
            keys.wrong("targets", apart)
        route = Route(
            name=name,
            match=match,
            strategy=strategy,
            targets=good,
            weights=weights,
            sticky=sticky,
            min_quality=min_quality,
            fail_over_on=frozenset(fail_over_on),
            timeouts=timeouts,
            retries=retries,
            breaker=breaker,
            rescue=rescue,
        )
        if upstreams is not None and (why := _why_none_continues(route, upstreams)):
            keys.wrong("rescue", why)
        keys.done()
        return route

    return read


def _why_none_continues(route: Route, upstreams: Upstreams) -> str | None:
    """Why nobody could do what ``rescue: continue`` asks for; of a route with others in it, once they are known."""
    if route.rescue != "continue" or any(
        target.startswith(GROUP) and target not in route.groups for target in route.targets
    ):
        return None
    why = why_none_continues(route, sorted(places(route)), upstreams)
    return f"rescue 'continue' of route '{route.name}': {why}" if why else None


type _Weighed = tuple[str, float | None]


def _target(upstreams: Upstreams | None, routes: Collection[str]) -> Reader[_Weighed]:
    """Read a target: the name of an upstream, ``{name: onprem, weight: 3}`` or ``{route: other, weight: 2}``."""

    def known(node: Node) -> str:
        name = text(node)
        if upstreams is not None and name not in (ORIGINAL, *upstreams):
            raise NodeError((node.line, f"unknown upstream{shown(name)}{suggest(name, (ORIGINAL, *upstreams))}"))
        return name

    def route(node: Node) -> str:
        name = text(node)
        if name not in routes:
            raise NodeError((node.line, f"unknown route{shown(name)}{suggest(name, routes)}"))
        return GROUP + name

    def read(node: Node) -> _Weighed:
        if not isinstance(node, nodes.Mapping):
            return known(node), None
        keys = Keys(node)
        name = keys.get("route", route, None) if "route" in keys else keys.need("name", known)
        weight = keys.get("weight", number(0, WEIGHT_MAX), None)
        keys.done("key", ("name",))
        return name or "", weight

    return read


def _good_enough(keys: Keys, targets: tuple[str, ...], upstreams: Upstreams, min_quality: float) -> tuple[str, ...]:
    """The targets that reach ``min_quality``; ``original`` always does, being what the caller chose."""
    good: list[str] = []
    for target in targets:
        if target in upstreams and upstreams[target].quality is None and min_quality:
            keys.wrong("min_quality", f"upstream '{target}' has no quality to compare with min_quality")
        elif _quality(target, upstreams) >= min_quality:
            good.append(target)
    if not good:
        keys.wrong("targets", "no target is left: the list is empty, or all are below min_quality")
    return tuple(good)


def _failure(node: Node) -> Failure:
    return one_of(FAILURES)(node)


def _read_timeouts(node: Node) -> Timeouts:
    keys = Keys(node)
    defaults = Timeouts()
    timeouts = Timeouts(
        connect=keys.get("connect", duration, defaults.connect),
        first_byte=keys.get("first_byte", duration, defaults.first_byte),
        first_content=keys.get("first_content", duration, defaults.first_content),
        idle=keys.get("idle", duration, defaults.idle),
        total=keys.get("total", duration, defaults.total),
    )
    keys.done()
    return timeouts


def _read_breaker(node: Node) -> Breaker:
    keys = Keys(node)
    defaults = Breaker()
    breaker = Breaker(
        max_fails=keys.get("max_fails", whole(1, MAX_FAILS_MAX), defaults.max_fails),
        within=keys.get("within", duration, defaults.within),
        cooldown=keys.get("cooldown", duration, defaults.cooldown),
    )
    keys.done()
    return breaker
