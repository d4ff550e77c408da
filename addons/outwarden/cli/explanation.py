"""What the rules would do with a request: the interceptor's own functions, asked in the order of a call's life."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from outwarden.budget import accounts, identify, keyed_digest
from outwarden.budget.callers import Evidence
from outwarden.cli.request_file import RequestFile
from outwarden.content import Finding, Inspector
from outwarden.errors import BodyError, NotTranslatable, PriceUnknown
from outwarden.flow.body import classify
from outwarden.flow.bounds import body_id, input_bound, output_bound, unit_bound, unseen_of
from outwarden.flow.envelope import rewrite_headers, rewrite_target
from outwarden.flow.metering import metering_of
from outwarden.flow.state import CallState
from outwarden.flow.texts import Inspected, rewrite_body
from outwarden.flow.tongues import refused_by, without_dropped
from outwarden.identify_call import KEY_HEADERS
from outwarden.pii import PiiEngine, RequestRewriter, Vault, finders_for
from outwarden.pricing import BYTES, Learnt, LearntOf, PriceBook, TokenCounter, usd
from outwarden.route_call import format_of, speaks
from outwarden.routing import ORIGINAL, Route, Upstream, care_of, homes, match_route, places, rewrite_model
from outwarden.rules import Rules, StateFolder
from outwarden.wire.format import RequestFacts
from outwarden.wire.formats import format_named
from outwarden.wire.translation import translation

SOURCE = "127.0.0.1"  # a file comes from nowhere; rules by `source` are asked for this machine


def explain_request(request: RequestFile, rules: Rules, folder: StateFolder) -> dict[str, Any]:
    """One fact per key, in the order the rules act; ``verdict`` comes last, and early where nothing more would happen.

    No value of the request is in it: findings are counts, the key is its id. Raises StateError.
    """
    traffic = rules.traffic
    host = traffic.find(request.host)
    if host is None:
        why = "has tunnel: true in traffic.yml" if traffic.known(request.host) else "is not in traffic.yml"
        verdict = "tunnelled unread" if traffic.otherwise == "tunnel" else "refused"
        return {"host": f"{request.host} {why}", "verdict": f"{verdict} (traffic.yml, otherwise)"}
    format_ = format_named(host.format)
    operation = format_.identify(request.method, request.path)
    caller, stripped = identify(rules.callers, Evidence(_key(request), SOURCE, None, request.headers))
    state = CallState(rules, host, format_, operation, caller, call_id="explained")
    unknown = "" if operation.known else f" (not described: traffic.yml, unknown_path: {traffic.unknown_path})"
    told: dict[str, Any] = {
        "host": f"{request.host} (traffic.yml)",
        "provider": host.provider,
        "format": host.format,
        "operation": operation.name + unknown,
        "caller": {name: value for name, value in asdict(caller).items() if value and name != "source"} or "unknown",
    }
    if stripped:
        told["stripped"] = f"headers {', '.join(sorted(stripped))} are not forwarded (callers.yml)"
    if not operation.known and traffic.unknown_path != "scan":
        refused = traffic.unknown_path == "refuse"
        return told | {"verdict": "refused (traffic.yml, unknown_path)" if refused else "passed on unread"}
    try:
        return told | _acts(request, state, folder)
    except BodyError as error:
        return told | {"verdict": f"refused: {error}"}


def _key(request: RequestFile) -> str | None:
    return next((value.rpartition(" ")[2] for name in KEY_HEADERS if (value := request.headers.get(name))), None)


def _acts(request: RequestFile, state: CallState, folder: StateFolder) -> dict[str, Any]:
    rules = state.rules
    state.body = body = classify(request.body, request.headers.get("content-type", "application/json"))
    state.facts = RequestFacts() if body.json is None else state.format.read_request(state.operation, body.json)
    findings: list[Finding] = []
    rewriter = _redact(request, state, folder, _looking(Inspector(rules.content), findings))
    refused = next((found for found in findings if found.action == "refuse"), None)
    told: dict[str, Any] = {
        "model": state.model,
        "stream": state.facts.stream,
        "content": sorted({f"{found.action}: {found.rule} (content.yml)" for found in findings}),
        "redactions": [
            f"{count} x {entity}: {action} (pii.yml{rule})"
            for (entity, action, rule), count in sorted(rewriter.decided.items())
        ],
        "cost": _cost(state),
        "budgets": _budgets(state, folder),
        "route": _route(request.method, state),
    }
    if refused:
        told["verdict"] = f"refused: content_refused ({refused.rule})"
    elif rewriter.refused:
        told["verdict"] = f"refused: pii_refused ({rewriter.refused})"
    elif unread := _unread(request, state):
        told["verdict"] = f"refused: {unread}"
    else:
        told["verdict"] = "sent, if the budgets have room"
    return told


def _looking(inspector: Inspector, findings: list[Finding]) -> Callable[[Sequence[str]], None]:
    def look(texts: Sequence[str]) -> None:
        if found := inspector.inspect(texts, "request"):
            findings.append(found)

    return look


def _redact(
    request: RequestFile, state: CallState, folder: StateFolder, look: Callable[[Sequence[str]], None]
) -> RequestRewriter:
    engine = PiiEngine(state.rules.pii, folder.secret(), finders_for(state.rules.pii))
    rewriter = engine.for_caller(asdict(state.caller)).request(Vault())
    rewrite_target(quote(request.path) + ("?" + request.query if request.query else ""), rewriter)
    rewrite_headers(tuple((name.encode(), value.encode()) for name, value in request.headers.items()), rewriter)
    counter = TokenCounter()
    encoding = counter.encoding(state.host.provider, state.model)
    if state.body is not None:
        rewritten = rewrite_body(
            state.body,
            request.headers.get("content-type", ""),
            state.format.text_rules(state.operation),
            Inspected(look, rewriter),
            count=lambda text: counter.count(encoding, text),
            find_known=rewriter.known,
        )
        state.body_tokens, state.media_bytes = rewritten.tokens, rewritten.media_bytes
    return rewriter


def _cost(state: CallState) -> str:
    if state.operation.known and not state.operation.billable:
        return "nothing is charged for this operation"
    rules, provider = state.rules, state.host.provider
    try:
        price = PriceBook(rules.prices, rules.budgets.unknown_price).price(provider, state.model)
    except PriceUnknown as error:
        return f"{error} (budgets.yml, unknown_price: refused where a budget counts dollars)"
    more = unseen_of(state)
    input_tokens, units = input_bound(state, more), unit_bound(state, more)
    output_tokens = output_bound(state, provider, state.model)
    bound = usd(price.upper_bound(input_tokens, output_tokens, units=units))
    told = f"at most ${bound} for {input_tokens} input and {output_tokens} output tokens"
    metering = metering_of(state, LearntOf(provider, state.model or "", BYTES), Learnt())
    if metering is None or metering.covered >= output_tokens:
        return told
    first = usd(price.upper_bound(input_tokens, metering.covered, units=units))
    return f"{told}; ${first} is held at first, and more as the answer comes (budgets.yml, hold: metered)"


def _budgets(state: CallState, folder: StateFolder) -> list[str]:
    found = accounts(
        state.rules.budgets,
        state.caller,
        provider=state.host.provider,
        model=state.model,
        call_id=state.call_id,
        at=datetime.now(UTC),
        body_id=lambda: body_id(state, partial(keyed_digest, folder.secret())),
    )
    return [
        f"{each.budget.name}: {each.budget.scope} {each.id}, {each.budget.window} (budgets.yml)"
        + (", only warns" if each.budget.on_exceeded == "warn" else "")
        + (f", may send it to {each.budget.reroute_to}" if each.budget.reroute_to else "")
        for each in found
        if each.rate_of is None
    ]


def _matched(state: CallState) -> Route | None:
    fields = {**asdict(state.caller), "model": state.model, "provider": state.host.provider}
    return match_route(state.rules.routes, fields)


def _unread(request: RequestFile, state: CallState) -> str | None:
    """Why no upstream of the route reads the call, as it is or translated; None where one does."""
    route = _matched(state)
    if route is None or ORIGINAL in places(route):
        return None
    if not speaks(state, route):
        return f"upstream_format (routes.yml, {route.name}: no target reads such calls)"
    reasons = [_untranslated(request, state, state.rules.routes.upstreams[name]) for name in sorted(places(route))]
    why = next(filter(None, reasons), None)
    return f"not_translatable (routes.yml, {route.name}: {why})" if all(reasons) else None


def _untranslated(request: RequestFile, state: CallState, upstream: Upstream) -> str | None:
    """Why one upstream cannot be told what the call says; None where it can."""
    own, operation = format_of(state), state.operation.name
    data = state.body.data if state.body else b""
    if (refused := refused_by(upstream, data)) or upstream.format == own:
        return refused
    target = f"{request.path}?{request.query}"
    model = rewrite_model(upstream, state.model)
    try:
        asked = without_dropped(data, upstream)
        translation(own, upstream.format, operation, target, asked, model, upstream.provider)
    except NotTranslatable as reason:
        return str(reason)
    return None


def _route(method: str, state: CallState) -> str:
    route = _matched(state)
    if route is None:
        return f"{ORIGINAL} (no route of routes.yml matches)"
    matched = ", ".join(f"{name}: {pattern}" for name, pattern in route.match.items()) or "everything"
    care = care_of(method, state.operation, state.facts)
    targets = homes(route)[0] if care.kept else _targets(route)
    why = ", where it is kept" if care.kept else ", stays where it goes" if care.bound else ""
    return f"{targets} (routes.yml, {route.name}, matches {matched}{why}{', is not sent twice' if care.once else ''})"


def _targets(route: Route) -> str:
    """The targets and how their order is chosen; a nested route stands in brackets."""
    names = [f"[{_targets(route.groups[name])}]" if name in route.groups else name for name in route.targets]
    match route.strategy:
        case "priority":
            return " then ".join(names)
        case "weighted":
            shares = [
                f"{name} x{route.weights.get(target, 1):g}" for name, target in zip(names, route.targets, strict=True)
            ]
            return f"by chance, {' or '.join(shares)}" + (f", one {route.sticky} to one target" if route.sticky else "")
        case "latency":
            return f"the fastest of {', '.join(names)}"
        case "cost":
            return f"the cheapest of {', '.join(names)}"
