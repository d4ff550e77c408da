"""Addon: one record per call, and nothing of its content."""

import logging
import time
from collections import deque
from typing import Any
from urllib.parse import unquote

from mitmproxy import http

from outwarden.errors import StateError
from outwarden.flow.envelope import is_credential
from outwarden.flow.guard import fail_closed, where
from outwarden.flow.state import CallState, end, state_of
from outwarden.load_rules import Shelf
from outwarden.pricing import usd
from outwarden.wire.format import Refusal

logger = logging.getLogger(__name__)

# Credentials go out with the request; in a flow that someone saves or looks at they have no place.
HIDDEN = b"[hidden]"

# How many records are kept while the log cannot be written: calls that were under way, and refusals after them.
OWED_MAX = 10_000


class WriteAudit:
    """Write the record when the client has its answer; it comes last in the chain, after the money is settled."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._owed: deque[dict[str, Any]] = deque(maxlen=OWED_MAX)  # records that could not be written yet

    @fail_closed
    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """While the record of a call before this one cannot be written, no further call goes out unrecorded."""
        state = state_of(flow)
        if state is None or not self._owed or flow.response:
            return
        try:
            self._pay_up()
        except (OSError, StateError):
            text = "The audit log cannot be written; calls are refused until it can."
            state.refuse(Refusal(503, "audit_unavailable", text), "refused", "audit")

    @fail_closed
    def response(self, flow: http.HTTPFlow) -> None:
        state = state_of(flow)
        if state is None or flow.response is None:
            return
        hide_credentials(flow.request)  # here, because mitmproxy saves flows in this hook
        flow.comment = annotation(state)
        if state.explains(flow.response):
            flow.response.headers.update(explanation(state))

    @fail_closed
    def call_end(self, flow: http.HTTPFlow) -> None:
        state = state_of(flow)
        if state is not None:
            self._write(flow, state)

    @fail_closed
    def error(self, flow: http.HTTPFlow) -> None:
        state = state_of(flow)
        if state is not None:
            self._write(flow, state)

    @fail_closed
    def websocket_start(self, flow: http.HTTPFlow) -> None:
        state = state_of(flow)
        if state and state.session:
            state.session.end_stages.append(self._write_response)

    def _write_response(self, call: CallState) -> None:
        """A response in a session is a call: 101 is the status of all that came over the connection."""
        end(call)
        charge_unsettled(call)
        self._keep(record(call, 101))
        call.let_go()

    def _write(self, flow: http.HTTPFlow, state: CallState) -> None:
        end(state)
        charge_unsettled(state)
        entry = record(state, flow.response.status_code if flow.response else None)
        hide_credentials(flow.request)
        flow.comment = annotation(state)
        self._keep(entry)
        state.let_go()

    def _keep(self, entry: dict[str, Any]) -> None:
        services = self._shelf.services
        self._owed.append(entry)
        self._pay_up()
        services.recent.add(entry)
        try:
            services.metrics.record(entry)
        except Exception as error:  # a counter must not spoil a call that is on record
            logger.error("metrics failed: %s", where(error))

    def _pay_up(self) -> None:
        """Write what is owed, oldest first; what cannot be written stays owed, what is no record does not."""
        while self._owed:
            try:
                self._shelf.services.audit.append(self._owed[0])
            except (ValueError, TypeError):
                self._owed.popleft()
                raise
            self._owed.popleft()


def charge_unsettled(state: CallState) -> None:
    """What should have settled the call failed before it did: its hold must not stay open."""
    if state.purse and not state.purse.settled:
        state.purse.charge_held(RuntimeError("nobody settled it"))


def record(state: CallState, status: int | None) -> dict[str, Any]:
    """The audit record of the contract (DESIGN.md §4): counts and names, no text, no value, no key."""
    trip, caller = state.trip, state.caller
    elapsed_ms = (time.perf_counter() - state.started_s) * 1000
    upstream_ms = sum(step.ms for step in trip.steps) if trip else 0.0
    return {
        "call_id": state.call_id,
        "caller": {name: getattr(caller, name) for name in caller.__slots__},
        "provider": state.host.provider,
        "format": state.format.name,
        "operation": state.operation.name,
        "model": state.model,
        "served": {
            "upstream": trip.upstream_name if trip and trip.sent else None,
            "provider": trip.provider if trip and trip.sent else None,
            "model": state.served_model,
        },
        "attempts": [
            {"upstream": s.upstream, "outcome": s.outcome, "status": s.status, "ms": round(s.ms, 3)}
            for s in (trip.steps if trip else ())
        ],
        "stream": bool(state.reply) or state.facts.stream,
        "status": state.refusal.status if state.refusal and status in (None, 101) else status,
        "verdict": verdict(state),
        "rule": state.rule,
        "usage": state.usage.counts() if state.usage else {},
        "usage_source": state.usage_source,
        "cost_usd": usd(state.cost),
        "cost_source": state.cost_source,
        "priced_usd": usd(state.priced),
        "hold_usd": usd(state.purse.held.usd) if state.purse and state.purse.held else "0",
        "hold": hold_entry(state),
        "overshoot_usd": usd(state.overshoot),
        "budgets": [budget_entry(b) for b in state.budgets],
        "redactions": {
            "request": dict(state.request_rewriter.counts) if state.request_rewriter else {},
            "response": dict(state.reply_rewriter.counts) if state.reply_rewriter else {},
        },
        "flagged": dict(state.flagged),
        "restored": state.reply_rewriter.restored if state.reply_rewriter else 0,
        "ms": {
            "overhead": round(max(0.0, elapsed_ms - upstream_ms), 3),
            "first_content": None if state.first_content_ms is None else round(state.first_content_ms, 3),
            "total": round(elapsed_ms, 3),
        },
    }


def hold_entry(state: CallState) -> dict[str, Any]:
    """How the hold was made (``full``, ``metered``, ``learnt``), and how often it grew with the answer."""
    metering = state.purse.metering if state.purse else None
    return {"kind": metering.kind if metering else "full", "steps": metering.steps if metering else 0}


def verdict(state: CallState) -> str:
    """``allowed``, ``refused``, ``failed`` (no upstream answered), ``error`` (ours) or ``client_gone``."""
    return "client_gone" if state.client_gone and state.verdict == "allowed" else state.verdict


def budget_entry(b: Any) -> dict[str, Any]:
    """How a budget stands after the call."""
    state = b.as_json()
    unit = b.unit
    spent = usd(b.posted + b.debt) if unit == "usd" else str(b.posted + b.debt)
    return {
        "name": b.name,
        "scope": b.scope,
        "id": b.id,
        f"spent_{unit}": spent,
        f"limit_{unit}": state[f"limit_{unit}"],
    }


def explanation(state: CallState) -> dict[str, str]:
    """The headers of ``explain_headers: true``."""
    counts = state.request_rewriter.counts if state.request_rewriter else {}
    headers = {
        "x-outwarden-cost-usd": usd(state.cost),
        "x-outwarden-redactions": ", ".join(f"{entity}={n}" for entity, n in sorted(counts.items())) or "none",
    }
    if state.trip and state.trip.sent:
        headers["x-outwarden-upstream"] = state.trip.upstream_name
    return headers


def annotation(state: CallState) -> str:
    """What mitmweb shows beside the flow: counts and names, never a value."""
    parts = [f"{verdict(state)}" + (f" ({state.rule})" if state.rule else "")]
    if state.request_rewriter and state.request_rewriter.counts:
        parts.append("taken out " + ", ".join(f"{entity} {n}" for entity, n in state.request_rewriter.counts.items()))
    if state.reply_rewriter and state.reply_rewriter.restored:
        parts.append(f"restored {state.reply_rewriter.restored}")
    if state.purse and state.purse.settled:
        parts.append(f"${usd(state.cost)}")
    if state.trip and state.trip.sent:
        parts.append(f"via {state.trip.upstream_name}")
    return " · ".join(parts)


def hide_credentials(request: http.Request) -> None:
    """Blank the caller's keys, in headers and in the URL, in a flow whose request is sent."""
    fields = request.headers.fields
    hidden = [is_credential(name.decode("latin-1")) for name, _ in fields]
    if any(hidden):
        request.headers.fields = tuple(
            (name, HIDDEN if hide else value) for (name, value), hide in zip(fields, hidden, strict=True)
        )
    if "?" in request.path:
        path, _, query = request.path.partition("?")
        request.path = f"{path}?{'&'.join(map(hide_parameter, query.split('&')))}"


def hide_parameter(parameter: str) -> str:
    """A parameter of a query without its credential."""
    name, mark, _ = parameter.partition("=")
    return f"{name}={HIDDEN.decode()}" if mark and is_credential(unquote(name)) else parameter
