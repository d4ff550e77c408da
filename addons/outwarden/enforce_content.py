"""Addon: refuse or flag what a content rule names, in requests and replies."""

from collections.abc import Callable, Sequence
from typing import Literal

from mitmproxy import http

from outwarden.content import Inspector
from outwarden.flow.guard import answer, fail_closed
from outwarden.flow.session import Said
from outwarden.flow.state import CallState, open_state, state_of
from outwarden.flow.texts import Inspected, TextRefused, rewrite_body
from outwarden.load_rules import Shelf
from outwarden.wire.format import Refusal


class EnforceContent:
    """Show every text to the inspector: a request's before anything else happens to it, a reply's as it comes."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    @fail_closed
    def request(self, flow: http.HTTPFlow) -> None:
        state = open_state(flow)
        inspector = self._shelf.services.engines.inspector
        if state is None or state.body is None:
            return
        if inspector.watches("response"):
            state.inspect_reply = looking(inspector, state, "response")
        if not inspector.watches("request"):
            return
        content_type = flow.request.headers.get("content-type", "")
        rules = state.format.text_rules(state.operation)
        try:
            rewrite_body(state.body, content_type, rules, Inspected(looking(inspector, state, "request")))
        except TextRefused as refused:
            state.refuse(refused.refusal, "refused")
            answer(flow, refused.refusal)

    @fail_closed
    def websocket_start(self, flow: http.HTTPFlow) -> None:
        state = state_of(flow)
        if state and state.session:
            state.session.add_stage(self._look_at, reads=True)

    def _look_at(self, said: Said) -> None:
        inspector = self._shelf.services.engines.inspector
        if inspector.watches("request"):
            rules = said.call.format.text_rules(said.call.operation)
            rewrite_body(said.body, "", rules, Inspected(looking(inspector, said.call, "request")))


def looking(
    inspector: Inspector, state: CallState, direction: Literal["request", "response"]
) -> Callable[[Sequence[str]], None]:
    """Return a look at texts that flags, or raises TextRefused."""

    def look(texts: Sequence[str]) -> None:
        finding = inspector.inspect(texts, direction)
        if finding is None:
            return
        if finding.action == "refuse":
            state.rule = finding.rule
            message = f"The {direction} was refused by the content rule {finding.rule!r} (content.yml)."
            raise TextRefused(Refusal(403, "content_refused", message))
        state.flagged[finding.rule] += 1

    return look
