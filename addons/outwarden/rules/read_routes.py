"""``routes.yml``: where a call may go, in which order, and when it moves on."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

from outwarden.routing import places
from outwarden.routing.aws import region_of
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
from outwarden.rules import nodes
from outwarden.rules.files import path_in, secret_in
from outwarden.rules.nodes import Node, NodeError, Scalar
from outwarden.rules.read_aws import aws_identity
from outwarden.rules.read_budgets import MATCHABLE
from outwarden.rules.read_callers import header_name
from outwarden.rules.read_costs import read_costs
from outwarden.rules.read_traffic import FORMATS, provider_name
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
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
STICKY: tuple[Sticky, ...] = get_args(Sticky)
WEIGHT_MAX = 1_000_000
RETRIES_MAX = 5  # six tries of one call in all, the most that any upstream should see
MAX_FAILS_MAX = 1000
PROBE_EVERY_LEAST = 1.0  # seconds

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*/?")

type Upstreams = Mapping[str, Upstream]


def read_routes(node: Node, folder: Path) -> RouteRules:
    """Read the file. Raises `NodeError`."""
    keys = Keys(node)
    upstreams = keys.get("upstreams", _read_upstreams(folder), {} if "upstreams" not in keys else None)
    routes = keys.get("routes", _read_all(upstreams), ())
    keys.done()
    return RouteRules(upstreams or {}, routes)


def _read_upstreams(folder: Path) -> Reader[dict[str, Upstream] | None]:
    def read(node: Node) -> dict[str, Upstream]:
        table = Keys(node)
        upstreams = {name: table.need(name, _read_upstream(name, folder)) for name in table.names}
        for name in table.names:
            if name == ORIGINAL or not _NAME.fullmatch(name):
                table.wrong(name, f"not a name for an upstream; '{ORIGINAL}' is where the caller aimed")
        table.done()
        return upstreams

    return read


def _read_upstream(name: str, folder: Path) -> Reader[Upstream]:
    def read(node: Node) -> Upstream:
        keys = Keys(node)
        scheme, host, port, path = keys.need("url", _url) or ("https", "", 0, "")
        upstream = Upstream(
            name=name,
            scheme="http" if scheme == "http" else "https",
            host=host,
            port=port,
            path=path,
            provider=keys.need("provider", provider_name),
            format=keys.need("format", one_of(FORMATS)),
            model=keys.get("model", _read_model, {}),
            auth=keys.get("auth", _read_auth(folder), None),
            quality=keys.get("quality", number(0, 1), None),
            price=keys.get("price", _read_price, None),
            trust=keys.get("trust", path_in(folder), None),
            health=keys.get("health", _read_probes, None),
        )
        identity = upstream.auth.identity if upstream.auth else None
        if identity and not (identity.region or region_of(host)):
            keys.wrong("auth", "key 'region' is missing: the url names no AWS region")
        keys.done()
        return upstream

    return read


def _read_probes(node: Node) -> Probes:
    keys = Keys(node)
    defaults = Probes("/")
    probes = Probes(
        path=keys.need("path", _probe_path) or defaults.path,
        every=keys.get("every", duration, defaults.every),
        timeout=keys.get("timeout", duration, defaults.timeout),
        max_fails=keys.get("max_fails", whole(1, MAX_FAILS_MAX), defaults.max_fails),
        passes=keys.get("passes", whole(1, MAX_FAILS_MAX), defaults.passes),
    )
    if probes.every < PROBE_EVERY_LEAST:
        keys.wrong("every", f"expected {PROBE_EVERY_LEAST:.0f}s or more: each interceptor asks so often")
    keys.done()
    return probes


def _probe_path(node: Node) -> str:
    path = text(node)
    if not path.startswith("/") or not _PATH.fullmatch(path):
        raise NodeError((node.line, "expected a path below the url, such as /models"))
    return path


def _url(node: Node) -> tuple[str, str, int, str]:
    """Scheme, host, port and path prefix of a base URL."""
    try:
        url = urlsplit(text(node))
        host, port = url.hostname, url.port
    except ValueError:
        raise NodeError((node.line, "not a URL")) from None
    if url.username is not None:
        raise NodeError((node.line, "a URL with a user in it; write the secret under 'auth', as env:NAME or file:PATH"))
    if url.scheme not in ("http", "https") or not host or url.query or url.fragment or not _PATH.fullmatch(url.path):
        raise NodeError((node.line, "expected http:// or https://, a host, perhaps a port and a path"))
    return url.scheme, host, port or (443 if url.scheme == "https" else 80), url.path.rstrip("/")


def _read_model(node: Node) -> dict[str, str]:
    """One model for every call, or a map from the requested one (``*`` patterns) to the served one."""
    return {"*": text(node)} if isinstance(node, Scalar) else map_of(text)(node)


def _read_auth(folder: Path) -> Reader[Auth]:
    def read(node: Node) -> Auth:
        if isinstance(node, Scalar):
            one_of(("keep",))(node)
            return Auth()
        keys = Keys(node)
        bearer = keys.get("bearer", _keep_or(secret_in(folder)), None)
        headers = keys.get("header", map_of(secret_in(folder)), {})
        identity = keys.get("aws", aws_identity(folder), None)
        if len(keys.names) != 1 or len(headers) > 1:
            expected = "expected keep, one 'bearer', one 'header', or 'aws'"
            keys.wrong(keys.names[0] if keys.names else "bearer", expected)
        keys.done()
        if identity:
            return Auth("aws", identity=identity)
        if bearer == "keep":
            return Auth()
        if bearer:
            return Auth("bearer", secret=bearer)
        ((name, secret),) = headers.items()
        return Auth("header", header_name(Scalar(keys.line_of("header"), name, True)), secret)

    return read


def _keep_or(secret: Reader[str]) -> Reader[str | None]:
    return lambda node: "keep" if isinstance(node, Scalar) and node.text == "keep" else secret(node)


def _read_price(node: Node) -> tuple[Decimal, Decimal]:
    keys = Keys(node)
    price = read_costs(keys, None)
    keys.done()
    assert price is not None  # `done` raises where it is
    return price


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
        rescue = keys.get("rescue", one_of(("off", "buffer", "continue")), "off")
        if rescue == "continue":
            keys.wrong("rescue", "rescue 'continue' is not supported yet; 'buffer' delivers whole answers only")
        if strategy != "weighted" and (weights or sticky):
            keys.wrong("targets" if weights else "sticky", "weights and 'sticky' are for strategy: weighted")
        if targets and not any(weights.get(target, 1) for target in targets):
            keys.wrong("targets", "every weight is 0")
        good = _good_enough(keys, targets, upstreams or {}, min_quality)
        if apart := _apart(good, upstreams or {}):
            keys.wrong("targets", apart)
        keys.done()
        return Route(
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
            rescue="buffer" if rescue == "buffer" else "off",
        )

    return read


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
