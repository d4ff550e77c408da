"""Addon: replace personal data and secrets before a call leaves."""

from dataclasses import replace

from mitmproxy import http

from outwarden.errors import BodyError
from outwarden.flow.aside import Work, aside, names_unread
from outwarden.flow.body import Body, replace_content
from outwarden.flow.envelope import rewrite_headers, rewrite_target
from outwarden.flow.guard import answer, fail_closed
from outwarden.flow.session import Said, Session
from outwarden.flow.signing import cannot_change
from outwarden.flow.state import CallState, open_state, state_of
from outwarden.flow.texts import rewrite_body
from outwarden.load_rules import Shelf
from outwarden.pii import RequestRewriter, Vault
from outwarden.wire.body import Rewritten, rewrite_text
from outwarden.wire.edits import FindKnown
from outwarden.wire.format import Refusal


class RedactPii:
    """Rewrite the texts of a request; what was replaced stays in the call's vault, in memory, for the way back."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    @fail_closed
    async def request(self, flow: http.HTTPFlow) -> None:
        state = open_state(flow)
        if state is None or state.body is None:
            return
        await aside(self._shelf.services, lambda: self._request(flow, state), len(state.body.data))

    def _request(self, flow: http.HTTPFlow, state: CallState) -> None:
        if not state.operation.known and state.rules.traffic.unknown_path == "pass":
            return
        engine = self._shelf.services.engines.pii_for(state.caller)
        state.vault = self._shelf.services.vaults.open(state.caller.api_key_id) if reaches_back(state) else Vault()
        state.request_rewriter = rewriter = engine.request(state.vault)
        try:
            self._rewrite(flow.request, state, rewriter)
        except BodyError as error:
            state.refuse(Refusal(400, "body_unreadable", f"The request body was refused: {error}."), "refused", "body")
        if state.refusal:
            answer(flow, state.refusal)
            return
        if rewriter.refused:
            refuse(flow, state, rewriter.refused, rewriter.refused_by)
        elif not rewriter.complete:
            names_unread(state)
            if state.refusal:
                answer(flow, state.refusal)

    def _rewrite(self, request: http.Request, state: CallState, rewriter: RequestRewriter) -> None:
        target = rewrite_target(request.path, rewriter)
        fields = rewrite_headers(request.headers.fields, rewriter)
        if (target, fields) != (request.path, request.headers.fields):
            if not state.may_change:
                refuse_signed(state, "path or headers")
                return
            request.path, request.headers.fields = target, fields
        self._name_model(state)
        assert state.body
        rewritten = self._rewrite_texts(
            state, state.body, request.headers.get("content-type", ""), rewriter, rewriter.known
        )
        state.body_tokens, state.media_bytes = rewritten.tokens, rewritten.media_bytes
        if rewritten.unread:
            unread(state, rewritten.unread)
        if rewritten.edits and not state.may_change and not rewriter.refused:
            refuse_signed(state, "body")
        elif rewritten.edits:
            replace_content(request, rewritten.body)

    def _rewrite_texts(
        self,
        state: CallState,
        body: Body,
        content_type: str,
        rewriter: RequestRewriter,
        find_known: FindKnown,
    ) -> Rewritten:
        """Rewrite all texts of a body and count its tokens, as far as they are not remembered."""
        services = self._shelf.services
        encoding = services.tokens.encoding(state.host.provider, state.model)
        return rewrite_body(
            body,
            content_type,
            state.format.text_rules(state.operation),
            rewriter,
            memory=services.memory,
            memory_key=services.engines.pii_for(state.caller).version + encoding.encode(),
            count=lambda text: services.tokens.count(encoding, text),
            find_known=find_known,
        )

    @fail_closed
    def websocket_start(self, flow: http.HTTPFlow) -> None:
        state = state_of(flow)
        if state and state.session:
            session = state.session
            session.add_stage(lambda said: self._rewrite_message(said, session), reads=True)
            engine = self._shelf.services.engines.pii_for(state.caller)
            session.read_remark[True] = lambda text: rewrite_text(text, engine.request(session.vault))

    async def read_aside(self, work: Work) -> None:
        """Read a long message beside the event loop; what is not done here is done where it is asked for."""
        await aside(self._shelf.services, work.do, work.size)

    def _rewrite_message(self, said: Said, session: Session) -> None:
        """As a request's body; what is known is the session's, because later messages may quote earlier ones."""
        call = said.call
        if call.request_rewriter is None:
            call.vault = session.vault
            call.request_rewriter = self._shelf.services.engines.pii_for(call.caller).request(session.vault)
        rewriter = call.request_rewriter
        if said.begins:
            self._name_model(call)
        if said.facts.begins == "maybe" and not call.spoken:
            unread(call, 1)  # speech: one flag for all of it
        rewritten = self._rewrite_texts(
            call, said.body, "", rewriter, lambda found: session.known.with_found(found, rewriter)
        )
        said.body = replace(said.body, data=rewritten.body)
        if rewritten.unread:
            unread(call, rewritten.unread)
        if said.facts.begins != "maybe":  # speech has an allowance of its own (charge_budget)
            call.body_tokens += rewritten.tokens
            call.media_bytes += rewritten.media_bytes
        if rewriter.refused:
            call.refuse(refusal_of(rewriter.refused, rewriter.refused_by), "refused", f"pii {rewriter.refused}")
        elif not rewriter.complete:
            names_unread(call)

    def _name_model(self, state: CallState) -> None:
        """From here on the model is named as the upstream gets it: records and counters keep nothing personal."""
        shown = self._shelf.services.engines.shown
        if (name := shown(state.facts.model)) != state.facts.model:
            state.facts = replace(state.facts, model=name)
        if (name := shown(state.operation.model)) != state.operation.model:
            state.operation = replace(state.operation, model=name)


def refusal_of(entity: str, rule: str) -> Refusal:
    """This entity may not leave; ``rule`` says so."""
    message = f"The request holds {entity}, which may not leave (pii.yml{rule}: refuse)."
    return Refusal(403, "pii_refused", message)


def refuse(flow: http.HTTPFlow, state: CallState, entity: str, rule: str) -> None:
    """Answer that this entity may not leave; ``rule`` says so."""
    state.refuse(refusal_of(entity, rule), "refused", f"pii {entity}")
    answer(flow, state.refusal)  # type: ignore[arg-type]


def reaches_back(state: CallState) -> bool:
    """Whether the provider keeps what this call carries, or the call reads what it kept of earlier ones."""
    return state.operation.keeps or state.facts.stored or state.facts.unseen_input


def unread(state: CallState, parts: int) -> None:
    """Note that parts of the body (sound, a PDF, an unknown charset) were not read, or refuse the call for it."""
    state.flagged["unread_body"] += parts
    if state.rules.traffic.unread_body == "refuse":
        message = "The request holds a file that this proxy cannot read (traffic.yml, unread_body: refuse)."
        state.refuse(Refusal(403, "unread_body_refused", message), "refused", "unread_body")


def refuse_signed(state: CallState, part: str) -> None:
    """Note that what would have to be replaced cannot be."""
    refusal = cannot_change(f"Personal data stands in the request's {part}, which pii.yml replaces")
    state.refuse(refusal, "refused", "sign")
