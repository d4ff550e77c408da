"""A call in the words of upstreams that read another format than its caller's (`outwarden.wire.translation`).

The request is translated after its redaction, so that nothing personal is in it, and before it is sent. The reply is
read, metered and restored in the upstream's own format, by what knows that format best, and only then translated: what
is charged is the usage that the provider reported, and a placeholder is found wherever the provider put it.
"""

from mitmproxy import http

from outwarden.errors import BodyError, NotTranslatable
from outwarden.flow.body import plain_content, replace_content
from outwarden.flow.state import CallState
from outwarden.routing import Upstream
from outwarden.wire.format import Format, Operation, Refusal
from outwarden.wire.formats import format_named
from outwarden.wire.top_level import value_spans, without
from outwarden.wire.translation import Translation, is_translated, translation

# Headers that mean something to the provider that the caller aimed at, and nothing to another.
_OWN_HEADERS = ("anthropic-", "openai-", "x-goog-api-client", "x-goog-user-project", "x-stainless-")


class Tongues:
    """One request, translated for each upstream that needs it.

    ``translations`` by name of upstream; ``refused``: why the request cannot be said there.
    """

    def __init__(self, request: http.Request, format_name: str, operation_name: str) -> None:
        self._request = request
        self._target = request.path  # which says the model and more at Google's; an attempt rewrites it
        self._format_name = format_name
        self._operation_name = operation_name
        self._models: dict[str, tuple[Upstream, str | None]] = {}
        self.translations: dict[str, Translation] = {}
        self.refused: dict[str, str] = {}

    def speaks(self, upstream: Upstream, model: str | None) -> bool:
        """Whether ``upstream`` reads the request, as it is or translated (then asking for ``model``)."""
        if upstream.refuse and not self._takes(upstream):
            return False
        if upstream.format == self._format_name:
            return True
        if not is_translated(self._format_name, upstream.format, self._operation_name):
            return False
        self._models[upstream.name] = upstream, model
        try:
            body = without_dropped(plain_content(self._request), upstream)
            self.translations[upstream.name] = translation(
                self._format_name, upstream.format, self._operation_name, self._target, body, model, upstream.provider
            )
        except NotTranslatable as reason:
            self.refused[upstream.name] = str(reason)
            return False
        return True

    def _takes(self, upstream: Upstream) -> bool:
        """Whether no parameter stands in the request that the rules keep from this upstream."""
        if reason := refused_by(upstream, plain_content(self._request)):
            self.refused[upstream.name] = reason
        return reason is None

    def refusal(self, route_name: str) -> Refusal:
        """What a call is told that no target of its route reads: its own fault, or the route's."""
        if reason := next(iter(self.refused.values()), None):
            message = f"No upstream of the route {route_name} can take this call: {reason}."
            return Refusal(400, "not_translatable", message)
        said = f"{self._operation_name or 'this operation'} of {self._format_name}"
        message = f"No upstream of the route {route_name} reads {said}, and nothing translates it for them."
        return Refusal(503, "upstream_format", message)

    def translate_again(self, request: http.Request) -> None:
        """The request was changed since, in its limits only."""
        self._request = request
        for name in self.translations:
            self.speaks(*self._models[name])


def refused_by(upstream: Upstream, body: bytes) -> str | None:
    """Why a request does not go there, by a parameter in it that the rules keep from this upstream; None: it may."""
    try:
        spans = value_spans(body) if upstream.refuse else {}
    except BodyError:
        return None  # a form, or nothing: it has no such parameters
    refused = next((name for name in upstream.refuse if name in spans), None)
    return f"{upstream.name} does not take '{refused}' (routes.yml)" if refused else None


def without_dropped(body: bytes, upstream: Upstream) -> bytes:
    """The body without the parameters that the upstream is not to get, by the rules."""
    try:
        return without(body, upstream.drop) if upstream.drop else body
    except BodyError:
        return body  # of a form, or nothing: it has no such parameters


def write_translated(request: http.Request, translated: Translation) -> None:
    """Put the translated request in place of the caller's; path and key are the trip's."""
    for name in [name for name in request.headers if name.lower().startswith(_OWN_HEADERS)]:
        del request.headers[name]
    request.headers["content-type"] = "application/json"
    for name, value in translated.upstream.headers.items():
        request.headers[name] = value
    replace_content(request, translated.body)


def translation_of(state: CallState) -> Translation | None:
    """How the current attempt at a call is translated; None where it is not."""
    return state.trip.translation if state.trip else None


def spoken(state: CallState) -> tuple[Format, Operation]:
    """The format in which the upstream of the current attempt answers, and what it was asked for."""
    translated = translation_of(state)
    if translated is None:
        return state.format, state.operation
    format_ = format_named(translated.upstream.name)
    return format_, format_.identify("POST", translated.target.partition("?")[0])
