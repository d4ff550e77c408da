"""Addon: choose the upstream a call goes to first, with the money for it in hand."""

from dataclasses import replace

from mitmproxy import http

from outwarden.flow.aiming import replace_model
from outwarden.flow.body import plain_content, replace_content
from outwarden.flow.guard import answer, fail_closed
from outwarden.flow.session import Said
from outwarden.flow.state import CallState, open_state, state_of
from outwarden.flow.trip import Trip
from outwarden.load_rules import Shelf
from outwarden.routing import GiveUp, Route, care_of, match_route, places, reroute
from outwarden.wire.format import Refusal
from outwarden.wire.top_level import replace_inside, value_spans
from outwarden.wire.translation import is_translated

NONE_LEFT = Refusal(502, "upstream_failed", "No upstream can take this call.")
DRAINED = Refusal(
    503,
    "upstream_drained",
    "Every upstream that this call may go to has been drained by whoever runs this proxy (outwarden enable NAME).",
)

# Where a call that names no output limit would name one, by API and operation.
LIMIT_KEYS = {
    ("openai", "chat"): "max_tokens",
    ("openai", "completions"): "max_tokens",
    ("openai", "responses"): "max_output_tokens",
    ("gemini", "generate_content"): "generationConfig.maxOutputTokens",
    ("gemini", "code_assist"): "request.generationConfig.maxOutputTokens",
    ("bedrock", "converse"): "inferenceConfig.maxTokens",
    ("cohere", "chat"): "max_tokens",
    ("ollama", "chat"): "options.num_predict",
    ("ollama", "generate"): "options.num_predict",
}


class RouteCall:
    """Set off: from here on the call layer follows the route."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    @fail_closed
    def request(self, flow: http.HTTPFlow) -> None:
        state = open_state(flow)
        if state is None:
            return
        route = self._route(state)
        state.trip = self._trip(flow.request, state, route)
        choice = state.trip.begin()
        if isinstance(choice, GiveUp) and (elsewhere := self._elsewhere(state, route)):
            denied = state.trip.steps
            state.trip = self._trip(flow.request, state, elsewhere)
            state.trip.steps = denied
            choice = state.trip.begin()
        while isinstance(choice, GiveUp) and clamp(flow.request, state):
            choice = state.trip.begin_again(flow.request)
        if isinstance(choice, GiveUp):
            refuse(flow, state, DRAINED if choice.drained else NONE_LEFT)

    def _route(self, state: CallState) -> Route | None:
        """The route of the rules, or the one that a budget has sent all its calls to by now."""
        routes = state.rules.routes
        caller = state.caller
        fields = {name: getattr(caller, name) for name in caller.__slots__}
        route = match_route(routes, fields | {"model": state.model, "provider": state.host.provider})
        to = state.purse.reroute_to() if state.purse else None
        elsewhere = reroute(routes, to, route) if to else None
        return elsewhere if elsewhere and speaks(state, elsewhere) else route

    def _elsewhere(self, state: CallState, route: Route | None) -> Route | None:
        """Where a call goes that an exceeded budget sends away; None where nobody there reads its format."""
        budget = state.purse.denied.account.budget if state.purse and state.purse.denied else None
        if budget is None or budget.on_exceeded != "reroute" or budget.reroute_to is None:
            return None
        elsewhere = reroute(state.rules.routes, budget.reroute_to, route)
        return elsewhere if speaks(state, elsewhere) and state.purse and state.purse.waive() else None

    def _trip(self, request: http.Request, state: CallState, route: Route | None) -> Trip:
        return Trip(
            request=request,
            host=state.host,
            format_name=format_of(state),
            operation_name=state.operation.name,
            model=state.model,
            route=route,
            upstreams=state.rules.routes.upstreams,
            health=self._shelf.services.health,
            may_take=state.purse.pay if state.purse else lambda upstream: True,
            signature=state.signature,
            caller={
                "session": state.caller.session,
                "user": state.caller.user,
                "api_key": state.caller.api_key_id,
                "team": state.caller.team,
            },
            cost_at=state.purse.cost_at if state.purse else lambda upstream: None,
            fits=state.purse.fits if state.purse else lambda upstream: True,
            care=care_of(request.method, state.operation, state.facts),
        )

    @fail_closed
    def websocket_start(self, flow: http.HTTPFlow) -> None:
        state = state_of(flow)
        if state and state.session:
            state.session.add_stage(rename_model)


def format_of(state: CallState) -> str:
    """The API that a call speaks; a host may speak several."""
    return state.operation.dialect or state.format.name


def speaks(state: CallState, route: Route) -> bool:
    """Whether an upstream that a route leads to reads the call's format, or one that such calls are translated to."""
    upstreams, own = state.rules.routes.upstreams, format_of(state)
    formats = {upstreams[place].format for place in places(route) if place in upstreams}
    return own in formats or any(is_translated(own, other, state.operation.name) for other in formats)


def rename_model(said: Said) -> None:
    """Ask for the model that the upstream of this connection knows, where the message names one."""
    trip = said.call.trip
    if said.begins and trip and trip.model and trip.model != said.call.model and not said.call.refusal:
        said.body = replace(said.body, data=replace_model(said.body.data, trip.model))


def clamp(request: http.Request, state: CallState) -> bool:
    """Lower the output limits in the body to what the budget affords, where the rules say so; one is added if none is.

    Tells whether it did: a budget that asks for less than another allowed is asked again.
    """
    purse = state.purse if state.may_change and state.rules.budgets.clamp_output else None
    affordable = purse.affordable_output() if purse else None
    if purse is None or affordable is None or not request.raw_content:
        return False
    body, per_choice = plain_content(request), affordable // max(1, state.facts.choices)
    keys = [key for key, limit in state.facts.output_limits if limit > per_choice]
    if not state.facts.output_limits and (key := default_limit_key(state, body)):
        keys = [key]
    if not keys or per_choice < state.facts.output_least:
        return False
    for key in keys:
        body = replace_inside(body, key, str(per_choice).encode())
    replace_content(request, body)
    named = {**dict(state.facts.output_limits), **dict.fromkeys(keys, per_choice)}
    state.facts = replace(state.facts, output_limit=per_choice, output_limits=tuple(named.items()))
    purse.output_tokens = per_choice * max(1, state.facts.choices)
    state.rule = f"clamp_output {per_choice}"
    return True


def default_limit_key(state: CallState, body: bytes) -> str | None:
    """How a call that names no output limit would name one; None where we cannot say."""
    operation = state.operation
    key = LIMIT_KEYS.get((operation.dialect, operation.name))
    if operation.dialect == "openai" and operation.name == "chat" and state.host.provider in ("openai", "azure"):
        return "max_completion_tokens"  # their reasoning models refuse max_tokens; others may not know the newer name
    if key and operation.dialect == "gemini" and "generation_config" in value_spans(body):
        return key.replace("generationConfig", "generation_config")  # either spelling, but not both at once
    return key


def refuse(flow: http.HTTPFlow, state: CallState, otherwise: Refusal) -> None:
    """No upstream is affordable; ``otherwise``: none is left to try."""
    refusal, denied_by = (state.purse.refusal, state.purse.denied_by) if state.purse else (None, None)
    if state.purse:
        state.purse.refused()
    if refusal is None and state.trip:
        refusal = state.trip.unread
    rule = denied_by or (refusal.code if refusal else otherwise.code if otherwise is DRAINED else "route")
    state.refuse(refusal or otherwise, "refused", rule)
    answer(flow, state.refusal)  # type: ignore[arg-type]
