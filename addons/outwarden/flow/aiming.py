"""The request as its caller aimed it, and as each upstream gets it: path, model, key, translation, signature."""

import sys
from dataclasses import dataclass
from pathlib import Path

from mitmproxy import http

from outwarden.flow.body import plain_content, replace_content
from outwarden.flow.signing import cannot_change, sign_as, signature_of, still_fits
from outwarden.flow.tongues import write_translated
from outwarden.routing import Auth, Upstream, resolve_secret
from outwarden.routing.aws import without_signature
from outwarden.routing.paths import upstream_path, without_key
from outwarden.wire.aws_signature import Signature
from outwarden.wire.continuation import Way, lower_limit, with_prefill
from outwarden.wire.encodings import decode
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

    ``beginning``: of the answer, if that was begun elsewhere, and the ``way`` to be asked to go on with it.
    """

    upstream: Upstream | None
    model: str | None
    translation: Translation | None = None
    beginning: Beginning | None = None
    way: Way | None = None


class Aim:
    """One request before any upstream rewrote it. ``model``: the one that its caller asked for."""

    def __init__(self, request: http.Request, host: Host, model: str | None, signature: Signature | None) -> None:
        self.scheme, self.host, self.port = request.scheme, request.host, request.port
        self.path, self.authority = request.path, request.authority
        self._fields = request.headers.fields
        self.content = request.raw_content
        self.model = model
        self._host = host
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
        if errand.beginning and errand.way:
            body = with_prefill(plain_content(request), errand.beginning.text, errand.way)
            limit = errand.beginning.output_limit
            replace_content(request, body if limit is None else lower_limit(body, limit))
        return self._sign(request, errand.upstream)

    def _rewrite(self, request: http.Request, errand: Errand) -> None:
        upstream = errand.upstream
        if upstream is None and not self._rewritten and not errand.beginning:
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
            self._sign_in(request, upstream)
            return
        model = errand.model if errand.model != self.model else None
        request.path = upstream_path(upstream, self.path, errand.model)
        if model and request.query.get("model"):
            request.query["model"] = model
        self._sign_in(request, upstream)
        if model and request.raw_content:
            replace_content(request, replace_model(plain_content(request), model))

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
    if auth.kind in ("bearer", "header"):
        secret = resolve_secret(auth)
        request.headers[auth.header] = f"Bearer {secret}" if auth.kind == "bearer" else secret


def replace_model(body: bytes, model: str) -> bytes:
    """Name another model in a request body that names one; a body that names none (Gemini) stays."""
    spans = value_spans(body)
    return replace_string(body, "model", model) if "model" in spans else body
