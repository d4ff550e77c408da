"""What the rules would do with a request, asked room by room in the order of a call's life."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from outwarden.budget import accounts, identify
from outwarden.budget.callers import Caller, Evidence
from outwarden.cli.request_file import RequestFile
from outwarden.content import Inspector
from outwarden.errors import BodyError, PriceUnknown
from outwarden.pii import PiiEngine, RequestRewriter, Vault
from outwarden.pricing import PriceBook, TokenCounter, media_tokens, output_maximum
from outwarden.pricing.price import NANO
from outwarden.routing import match_route
from outwarden.routing.routes import ORIGINAL
from outwarden.rules import Rules, StateFolder
from outwarden.wire.body import read_json, rewrite_json
from outwarden.wire.format import Format, Operation, RequestFacts
from outwarden.wire.formats import format_named
from outwarden.wire.traffic import Host

# Where callers put their key: OpenAI and most others, Anthropic, Azure, Gemini.
KEY_HEADERS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")


def explain_request(request: RequestFile, rules: Rules, state: StateFolder) -> dict[str, Any]:
    """One fact per key, in the order the rules act; a ``verdict`` at the end, or early where nothing more would happen.

    No value of the request is in it: findings are counts, the key is its id. Raises StateError.
    """
    host = rules.traffic.find(request.host)
    if host is None:
        verdict = "tunnelled unread" if rules.traffic.otherwise == "tunnel" else "refused"
        return {"host": f"{request.host} is not in traffic.yml", "verdict": f"{verdict} (traffic.yml otherwise)"}
    format_ = format_named(host.format)
    operation = format_.identify(request.method, request.path)
    told: dict[str, Any] = {
        "host": f"{request.host} is in traffic.yml",
        "provider": host.provider,
        "format": host.format,
        "operation": operation.name
        if operation.known
        else f"{operation.name} (unknown_path: {rules.traffic.unknown_path})",
    }
    caller = _caller(request, rules, told)
    if not operation.known and rules.traffic.unknown_path != "scan":
        refused = rules.traffic.unknown_path == "refuse"
        return told | {"verdict": "refused (traffic.yml unknown_path)" if refused else "passed on unread"}
    try:
        told |= _acts(request, rules, state, _Call(host, format_, operation, caller))
    except BodyError as error:
        told["verdict"] = f"refused: {error}"
    return told


class _Call:
    """What is known of the call once its sender is."""

    def __init__(self, host: Host, format_: Format, operation: Operation, caller: Caller) -> None:
        self.host, self.format, self.operation, self.caller = host, format_, operation, caller
        self.facts = RequestFacts()

    @property
    def model(self) -> str | None:
        return self.facts.model or self.operation.model

    def fields(self) -> dict[str, str | None]:
        caller = self.caller
        named = {name: getattr(caller, name) for name in ("api_key_id", "user", "team", "project", "organization")}
        return {**named, "session": caller.session, "model": self.model, "provider": self.host.provider}


def _acts(request: RequestFile, rules: Rules, state: StateFolder, call: _Call) -> dict[str, Any]:
    body = read_json(request.body) if request.body.strip() else None
    call.facts = call.format.read_request(call.operation, body)
    counter = TokenCounter()
    encoding = counter.encoding(call.host.provider, call.model)
    rewriter, texts, tokens = _redact(request, rules, state, call, lambda text: counter.count(encoding, text))
    told: dict[str, Any] = {"model": call.model, "stream": call.facts.stream}
    finding = Inspector(rules.content).inspect(texts, "request")
    told["content"] = "nothing found" if finding is None else f"{finding.action}: {finding.rule} (content.yml)"
    told["redactions"] = [_redaction(entity, count, rules) for entity, count in sorted(rewriter.counts.items())]
    told["price"] = _price(rules, call, tokens)
    told["budgets"] = _budgets(rules, call)
    told["route"] = _route(rules, call)
    if finding is not None and finding.action == "refuse":
        told["verdict"] = f"refused: content ({finding.rule})"
    elif rewriter.refused:
        told["verdict"] = f"refused: {rewriter.refused} (pii.yml request)"
    else:
        told["verdict"] = "sent, if the budgets have room"
    return told


def _caller(request: RequestFile, rules: Rules, told: dict[str, Any]) -> Caller:
    evidence = Evidence(api_key=_key(request.headers), source="127.0.0.1", proxy_user=None, headers=request.headers)
    caller, stripped = identify(rules.callers, evidence)
    fields = {
        name: getattr(caller, name) for name in ("user", "team", "project", "organization", "session", "api_key_id")
    }
    told["caller"] = {name: value for name, value in fields.items() if value} or "nobody known (callers.yml)"
    if stripped:
        told["not forwarded"] = f"headers {', '.join(sorted(stripped))} (callers.yml)"
    return caller


def _key(headers: Mapping[str, str]) -> str | None:
    for name in KEY_HEADERS:
        if value := headers.get(name, ""):
            scheme, _, rest = value.partition(" ")
            return rest.strip() if scheme.lower() == "bearer" else value
    return None


class _Texts:
    """A TextRewriter that passes everything on to another one and keeps the texts it saw."""

    def __init__(self, inner: RequestRewriter) -> None:
        self._inner = inner
        self.seen: list[str] = []

    def edits(self, texts: Any) -> Any:
        self.seen.extend(texts)
        return self._inner.edits(texts)

    def note(self, found: Any) -> None:
        self._inner.note(found)

    def channel(self) -> Any:
        return self._inner.channel()


def _redact(
    request: RequestFile, rules: Rules, state: StateFolder, call: _Call, count: Callable[[str], int]
) -> tuple[RequestRewriter, list[str], int]:
    rewriter = PiiEngine(rules.pii, state.secret()).request(Vault())
    texts = _Texts(rewriter)
    tokens = 0
    if request.body.strip():
        tokens = rewrite_json(request.body, call.format.text_rules(call.operation), texts, count=count).tokens
    return rewriter, texts.seen, tokens


def _redaction(entity: str, count: int, rules: Rules) -> str:
    action = rules.pii.action(entity, "request")
    named = entity if entity in rules.pii.request else "default"
    return f"{entity} x {count}: {action} (pii.yml request.{named})"


def _price(rules: Rules, call: _Call, input_tokens: int) -> str:
    if not call.operation.billable:
        return "nothing is charged for this operation"
    provider, model = call.host.provider, call.model
    try:
        price = PriceBook(rules.prices, rules.budgets.unknown_price).price(provider, model)
    except PriceUnknown as error:
        return f"{error}: refused (budgets.yml unknown_price)"
    tokens = input_tokens + media_tokens(call.facts.media_bytes)
    limit = call.facts.output_limit
    output = (output_maximum(provider, model) if limit is None else limit) * call.facts.choices
    bound = price.upper_bound(tokens, output)
    return f"at most ${bound / NANO:.6f} for about {tokens} input and {output} output tokens"


def _budgets(rules: Rules, call: _Call) -> list[str]:
    found = accounts(
        rules.budgets,
        call.caller,
        provider=call.host.provider,
        model=call.model,
        call_id="explained",
        at=datetime.now(UTC),
    )
    return [f"{each.budget.name}: scope {each.budget.scope}, account {each.id} (budgets.yml)" for each in found]


def _route(rules: Rules, call: _Call) -> str:
    route = match_route(rules.routes, call.fields())
    if route is None:
        return f"{ORIGINAL} (no route of routes.yml matches)"
    matched = ", ".join(f"{name}={pattern}" for name, pattern in route.match.items()) or "everything"
    return f"{route.name}: {', then '.join(route.targets)} (routes.yml, matches {matched})"
