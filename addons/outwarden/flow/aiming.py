"""The request as its caller aimed it, and as each upstream gets it: path, model, key, translation, signature."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from mitmproxy import http

from outwarden.flow.body import plain_content, replace_content
from outwarden.flow.framing import header_of
from outwarden.flow.signing import cannot_change, sign_as, signature_of, still_fits
from outwarden.flow.tongues import without_dropped, write_translated
from outwarden.routing import Auth, Upstream, resolve_secret
from outwarden.routing.aws import without_signature
from outwarden.routing.google import find_token
from outwarden.routing.paths import upstream_path, without_key
from outwarden.wire.aws_signature import Signature
from outwarden.wire.continuation import Way, lower_limit, with_prefill
from outwarden.wire.encodings import decode
from outwarden.wire.format import Refusal
from outwarden.wire.multipart import boundary_of, with_field
from outwarden.wire.signed import without_signed
from outwarden.wire.top_level import replace_string, value_spans
from outwarden.wire.traffic import Host
from outwarden.wire.translation import Translation
from outwarden.wire.translation.anthropic_request import VERSION as ANTHROPIC_VERSION
from outwarden.wire.vertex import from_vertex, is_vertex, to_vertex

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


@dataclass(frozen=True, slots=True)
class Beginning:
    """What an upstream is asked to go on with, by at most ``output_limit`` tokens (None: as many as were asked for)."""

    text: str
    output_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Errand:
    """What one attempt asks for: of whom (None: where the caller aimed), for which model, in whose words.

    ``unsigned``: without what only the provider can read that made it. ``beginning``: of the answer, if that was begun
    elsewhere, and the ``way`` to be asked to go on with it.
    """

    upstream: Upstream | None
    model: str | None
    translation: Translation | None = None
    beginning: Beginning | None = None
    way: Way | None = None
    unsigned: bool = False


class Aim:
    """One request before any upstream rewrote it. ``model``: the one that its caller asked for."""

    def __init__(
        self, request: http.Request, host: Host, model: str | None, signature: Signature | None, format_name: str = ""
    ) -> None:
        self.scheme, self.host, self.port = request.scheme, request.host, request.port
        self.path, self.authority = request.path, request.authority
        self._fields = request.headers.fields
        self.content = request.raw_content
        self.model = model
        self._host = host
        self._format_name = format_name
        self._signature = signature
        self._rewritten = False  # whether an attempt has changed the request

    def change(self, request: http.Request) -> None:
        """The body was changed since, and what tells of it."""
        self._fields, self.content = request.headers.fields, request.raw_content

    @property
    def headers(self) -> http.Headers:
        """The headers that the caller sent, to be changed at will."""
        return http.Headers(self._fields)

    def plain(self) -> bytes:
        """The body without its Content-Encoding."""
        return decode(self.content or b"", self.headers.get("content-encoding", ""), sys.maxsize >> 1)

    def target(self, upstream: Upstream | None) -> Target:
        """Where an attempt connects to."""
        if upstream:
            return Target((upstream.host, upstream.port), upstream.scheme == "https", upstream.host, upstream.trust)
        return target_of_host(self._host, self.scheme, self.host, self.port)

    def apply(self, request: http.Request, errand: Errand) -> Refusal | None:
        """Rewrite ``request`` for one attempt, always from the caller's own request.

        Returns why it cannot be sent, where a signature on it no longer fits and nobody may sign it again.
        """
        self._rewrite(request, errand)
        if errand.unsigned and not errand.translation:
            _change(request, self.unsigned)
        if errand.beginning and errand.way:
            body = with_prefill(plain_content(request), errand.beginning.text, errand.way)
            limit = errand.beginning.output_limit
            replace_content(request, body if limit is None else lower_limit(body, limit))
        return self._sign(request, errand.upstream)

    def _rewrite(self, request: http.Request, errand: Errand) -> None:
        upstream = errand.upstream
        if upstream is None and not self._rewritten and not errand.beginning and not errand.unsigned:
            return
        self._rewritten = True
        request.headers = self.headers
        request.scheme, request.host, request.port = self.scheme, self.host, self.port
        request.path, request.authority = self.path, self.authority
        if request.raw_content is not self.content:
            request.raw_content = self.content
        if upstream is None:
            request.headers = self.headers  # setting host above rewrote the Host header
            return
        request.scheme, request.host, request.port = upstream.scheme, upstream.host, upstream.port
        if errand.translation:
            request.path = upstream_path(upstream, errand.translation.target, None)
            write_translated(request, errand.translation)
            self._spell(request, upstream, errand.translation.target, errand.model)
            self._sign_in(request, upstream)
            _drop(request, upstream)
            return
        model = errand.model if errand.model != self.model else None
        request.path = upstream_path(upstream, self.path, errand.model)
        if model and request.query.get("model"):
            request.query["model"] = model
        self._sign_in(request, upstream)
        if asked := errand.model if model or self._names_deployment else None:
            add = self._names_deployment and upstream.format == "openai"
            content_type = header_of(request, b"content-type")
            _change(request, lambda body: rename(body, content_type, asked, add=add))
        self._spell(request, upstream, self.path, errand.model)
        _drop(request, upstream)

    def _spell(self, request: http.Request, upstream: Upstream, path: str, model: str | None) -> None:
        """Write a message of Anthropic's as Vertex AI reads it, or one for Vertex as all others do."""
        there = is_vertex(upstream.path)
        if upstream.format != "anthropic" or model is None or not request.raw_content or not (there or is_vertex(path)):
            return
        written = (to_vertex if there else from_vertex)(path, plain_content(request), model)
        below = replace(upstream, format="generic") if there else upstream  # what follows its base is whole as it is
        request.path = upstream_path(below, written.path, None)
        replace_content(request, written.body)
        request.headers.pop("anthropic-version", None)
        if not there:
            request.headers["anthropic-version"] = ANTHROPIC_VERSION

    @property
    def _names_deployment(self) -> bool:
        """Whether the path names the model, where others have it in the body (Azure)."""
        return "/openai/deployments/" in self.path

    def unsigned(self, body: bytes) -> bytes:
        """A body of the caller's format without what only its provider reads."""
        return without_signed(self._format_name, body)

    def may_unsign(self) -> bool:
        """Whether there is something of the kind, and the body may be changed."""
        return (self._signature is None or self._host.sign is not None) and self.unsigned(body := self.plain()) != body

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

    def _sign(self, request: http.Request, upstream: Upstream | None) -> Refusal | None:
        """The last step, because nothing may change after it."""
        auth = upstream.auth if upstream else None
        if auth and auth.identity:
            sign_as(auth.identity, request)
            return None
        signature = self._signature
        if signature is None or not signature_of(request) or still_fits(signature, request):
            return None
        if upstream:
            return cannot_change(f"The call moves to {upstream.name} (routes.yml), which has no auth of its own")
        if self._host.sign is None:
            return cannot_change("A rule changed the call")
        sign_as(self._host.sign, request, signature)
        return None


def sign_in_as(auth: Auth, request: http.Request) -> None:
    """Put our own secret on a request, where ``auth`` is one. Raises StateError, which names the reference only."""
    if auth.account:
        request.headers["authorization"] = f"Bearer {find_token(auth.account)}"
    elif auth.kind in ("bearer", "header"):
        secret = resolve_secret(auth)
        request.headers[auth.header] = f"Bearer {secret}" if auth.kind == "bearer" else secret


def replace_model(body: bytes, model: str, *, add: bool = False) -> bytes:
    """Name another model in a request body that names one; a body that names none (Gemini) stays, unless to ``add``."""
    spans = value_spans(body)
    return replace_string(body, "model", model) if add or "model" in spans else body


def rename(body: bytes, content_type: str, model: str, *, add: bool = False) -> bytes:
    """As `replace_model`, also in a form (sound to be transcribed, pictures to be edited)."""
    if content_type.lower().startswith("multipart/"):
        return with_field(body, boundary_of(content_type), "model", model)
    return replace_model(body, model, add=add) if body.lstrip()[:1] == b"{" else body


def _drop(request: http.Request, upstream: Upstream) -> None:
    """Take out the parameters and headers that the upstream does not know, by the rules."""
    for name in upstream.drop:
        request.headers.pop(name, None)
    if upstream.drop:
        _change(request, lambda body: without_dropped(body, upstream))


def _change(request: http.Request, change: Callable[[bytes], bytes]) -> None:
    """Send another body where ``change`` makes one."""
    if request.raw_content and (changed := change(body := plain_content(request))) != body:
        replace_content(request, changed)
