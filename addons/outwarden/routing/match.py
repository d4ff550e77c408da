"""Which route a call takes, and what an upstream is asked for."""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from outwarden.errors import StateError
from outwarden.routing.order import members
from outwarden.routing.routes import ORIGINAL, Auth, Route, RouteRules, Upstream

_SECRET_BYTES_MAX = 64 * 1024
_PRINTABLE = re.compile(r"[\x21-\x7e]+")  # what may stand in a header; a line break would begin another


def match_route(rules: RouteRules, fields: Mapping[str, str | None]) -> Route | None:
    """The first route whose patterns all match ``fields`` (model, provider, caller fields), or None.

    ``*`` alone matches an absent field too; every other pattern needs a value. ``api_key`` in a rule is the caller's
    ``api_key_id``. Models and providers match in any case.
    """
    for route in rules.routes:
        if all(_field_matches(name, pattern, fields) for name, pattern in route.match.items()):
            return route
    return None


def reroute(rules: RouteRules, to: str, route: Route | None) -> Route:
    """The route named ``to``, or one to the upstream of that name, with what ``route`` says of time and failures.

    Raises KeyError where there is neither.
    """
    for other in rules.routes:
        if other.name == to:
            return other
    base = route or Route(name="")
    target = rules.upstreams[to].name
    return replace(base, name=to, strategy="priority", targets=(target,), weights={}, sticky=None, groups={})


def original_at(host: str) -> str:
    """The name under which health and drains keep the place where a caller aimed."""
    return f"{ORIGINAL} {host.lower().rstrip('.')}"


def places(route: Route) -> frozenset[str]:
    """All upstreams a route may lead to, nested routes included."""
    return frozenset(place for target in route.targets for place in members(route, target))


def rewrite_model(upstream: Upstream, requested: str | None) -> str | None:
    """The model to ask ``upstream`` for: an exact entry, else the first pattern that matches, else as requested."""
    if requested is not None and requested in upstream.model:
        return upstream.model[requested]
    for pattern, served in upstream.model.items():
        if _matches(pattern, requested):
            return served
    return requested


def resolve_secret(auth: Auth) -> str:
    """The secret that ``auth`` refers to; empty for ``keep``. Raises StateError, which names the reference only."""
    if auth.kind == "keep":
        return ""
    return resolve_reference(auth.secret)


def resolve_reference(reference: str) -> str:
    """What ``env:NAME`` or ``file:PATH`` refers to. Raises StateError, which names the reference only."""
    kind, _, name = reference.partition(":")
    try:
        secret = (os.environ.get(name, "") if kind == "env" else _read(Path(name))).strip()
    except (OSError, UnicodeDecodeError):
        raise StateError(f"{reference}: cannot be read") from None
    if not _PRINTABLE.fullmatch(secret):
        raise StateError(f"{reference}: not set, or not one line of printable characters")
    return secret


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_SECRET_BYTES_MAX).decode()


def _field_matches(name: str, pattern: str, fields: Mapping[str, str | None]) -> bool:
    value = fields.get("api_key_id" if name == "api_key" else name)
    if name in ("model", "provider"):
        return _matches(pattern.lower(), value and value.lower())
    return _matches(pattern, value)


def _matches(pattern: str, value: str | None) -> bool:
    """Only ``*`` is special (model names hold brackets: ``claude-sonnet[1m]``), and time is linear in ``value``."""
    if pattern == "*":
        return True
    first, *rest = pattern.split("*")
    if value is None or not rest:
        return value == pattern
    *middle, last = rest
    at = len(first)
    if not value.startswith(first):
        return False
    for part in middle:
        found = value.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(value) - len(last) >= at and value.endswith(last)
