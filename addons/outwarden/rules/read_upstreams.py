"""The upstreams of ``routes.yml``: where they are, whose they are, and how we sign in there."""

import re
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

from outwarden.routing.aws import region_of
from outwarden.routing.paths import without_key
from outwarden.routing.routes import ORIGINAL, Auth, Probes, Upstream
from outwarden.rules.files import path_in, secret_in
from outwarden.rules.nodes import Node, NodeError, Scalar
from outwarden.rules.read_aws import aws_identity
from outwarden.rules.read_callers import header_name
from outwarden.rules.read_costs import read_costs
from outwarden.rules.read_google import google_identity
from outwarden.rules.read_traffic import FORMATS, provider_name
from outwarden.rules.values import Keys, Reader, duration, flag, map_of, number, one_of, text, unique_list_of, whole
from outwarden.wire.continuation import CONTINUED

MAX_FAILS_MAX = 1000
PROBE_EVERY_LEAST = 1.0  # seconds

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_QUERY = re.compile(r"(?:[A-Za-z0-9._~-]+=[A-Za-z0-9._~:%-]+(?:&(?!$)|$))*")
_NEEDED = frozenset({"model", "messages", "input", "contents", "prompt", "stream", "max_tokens"})
_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*/?")


def read_upstreams(folder: Path) -> Reader[dict[str, Upstream] | None]:
    """Read the map of upstreams by name; paths in it are relative to ``folder``."""

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
        scheme, host, port, path, query = keys.need("url", _url) or ("https", "", 0, "", "")
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
            prefill=keys.get("prefill", flag, None),
            query=query,
            drop=keys.get("drop", _parameters, ()),
            refuse=keys.get("refuse", _parameters, ()),
        )
        if both := sorted({*upstream.drop} & {*upstream.refuse}):
            keys.wrong("refuse", f"'{both[0]}' is dropped as well: expected either")
        if upstream.prefill and upstream.format not in CONTINUED:
            keys.wrong("prefill", f"nothing asks an upstream of format {upstream.format} to go on with an answer")
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


def _url(node: Node) -> tuple[str, str, int, str, str]:
    """Scheme, host, port, path prefix and query of a base URL."""
    try:
        url = urlsplit(text(node))
        host, port = url.hostname, url.port
    except ValueError:
        raise NodeError((node.line, "not a URL")) from None
    if url.username is not None:
        raise NodeError((node.line, "a URL with a user in it; write the secret under 'auth', as env:NAME or file:PATH"))
    if url.scheme not in ("http", "https") or not host or url.fragment or not _PATH.fullmatch(url.path):
        raise NodeError((node.line, "expected http:// or https://, a host, perhaps a port and a path"))
    if not _QUERY.fullmatch(url.query):
        raise NodeError((node.line, "expected a query such as ?api-version=2024-10-21"))
    if url.query and without_key(f"?{url.query}") != f"?{url.query}":
        raise NodeError((node.line, "a URL with a key in it; write the secret under 'auth', as env:NAME or file:PATH"))
    return url.scheme, host, port or (443 if url.scheme == "https" else 80), url.path.rstrip("/"), url.query


def _parameters(node: Node) -> tuple[str, ...]:
    """Top-level parameters of a request, but for those without which it would be none."""
    names = unique_list_of(text, str)(node)
    if needed := sorted(_NEEDED.intersection(names)):
        raise NodeError((node.line, f"'{needed[0]}' is what the call is about"))
    return names


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
        account = keys.get("google", google_identity(folder), None)
        if len(keys.names) != 1 or len(headers) > 1:
            expected = "expected keep, one 'bearer', one 'header', 'aws' or 'google'"
            keys.wrong(keys.names[0] if keys.names else "bearer", expected)
        keys.done()
        if identity:
            return Auth("aws", identity=identity)
        if account:
            return Auth("google", account=account)
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
