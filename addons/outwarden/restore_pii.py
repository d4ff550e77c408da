"""Addon: read replies, put the caller's own values back, and mask personal data that is new in them."""

from contextlib import suppress

from mitmproxy import http

from outwarden.errors import BodyError, NotTranslatable
from outwarden.flow.aside import aside, names_unread
from outwarden.flow.body import Body, classify, is_media, plain_headers
from outwarden.flow.guard import answer, fail_closed
from outwarden.flow.reply import ReplyStream, Tongue
from outwarden.flow.state import CallState, open_state, state_of
from outwarden.flow.texts import Inspected, TextRefused, rewrite_body
from outwarden.flow.tongues import spoken, translation_of
from outwarden.load_rules import Shelf
from outwarden.pii import Vault
from outwarden.wire.begins import type_by_begin
from outwarden.wire.body import read_json, rewrite_text
from outwarden.wire.continuation import Answer
from outwarden.wire.edits import TextRewriter, apply_edits
from outwarden.wire.encodings import accepts, codings, decode
from outwarden.wire.format import Operation, Refusal
from outwarden.wire.formats import says_null_when_asked, sends_usage
from outwarden.wire.formats.errors import error_kind
from outwarden.wire.stream import StreamRewriter
from outwarden.wire.usage import Usage

# Dialects that stream in one framing only: a reply that names no type can be nothing else.
_STREAMS_AS_SSE = frozenset({"openai", "mistral", "anthropic"})


class RestorePii:
    """Rewrite the texts of replies, whole or streamed."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    @fail_closed
    def request(self, flow: http.HTTPFlow) -> None:
        state = open_state(flow)
        if state:
            request = flow.request  # a state that knew its flow would keep it for ever
            state.open_reply = lambda response, begin: self._open(request, response, state, begin)
            state.resume_reply = lambda response, sent, spent: self._resume(request, response, state, sent, spent)
            state.as_sent = lambda text: self._as_sent(text, state)
            state.error_of = lambda response, content: error_of(response, content, state)

    def _rewriter(self, state: CallState) -> TextRewriter:
        """A fresh rewriter for each attempt: what a failed one restored does not count."""
        engine = self._shelf.services.engines.pii_for(state.caller)
        state.reply_rewriter = engine.reply(Vault() if state.vault is None else state.vault)
        if state.inspect_reply:
            return Inspected(state.inspect_reply, state.reply_rewriter)
        return state.reply_rewriter

    @fail_closed
    def websocket_start(self, flow: http.HTTPFlow) -> None:
        state = state_of(flow)
        if state is None or state.session is None:
            return
        session, state.vault = state.session, state.session.vault
        rewriter = self._rewriter(state)
        session.rewriter = StreamRewriter(state.format, state.operation, "messages", rewriter, count=session.count)
        session.read_remark[False] = lambda text: rewrite_text(text, rewriter)
        session.end_stages.append(lambda call: self._end_response(call, state))

    def _end_response(self, call: CallState, connection: CallState) -> None:
        """What was found in the connection's messages since the response before belongs to this one."""
        if connection.reply_rewriter:
            call.reply_rewriter = connection.reply_rewriter.part()
        self._hide_names(call)

    def _open(
        self, request: http.Request, response: http.Response, state: CallState, begin: bytes
    ) -> ReplyStream | None:
        """The stream that a reply is by its type or, as far as its body came, by its ``begin``; None: none, so far."""
        tongue, translation = tongue_of(state), translation_of(state)
        name, format_, operation = tongue
        content_type = type_by_begin(begin, name) if begin else type_of(response, state, operation)
        if content_type is None:
            return None
        reason = format_.unsupported(operation, content_type)
        if reason:
            raise BodyError(reason)
        framing = format_.framing(operation, content_type, request.path)
        if framing is None:
            return None
        unasked = state.asked_for_usage and translation is None
        rewriter = StreamRewriter(
            format_,
            operation,
            framing,
            self._rewriter(state),
            drop_usage_only=unasked,
            drop_null_usage=unasked and says_null_when_asked(provider_of(state)),
            count=state.purse.count if state.purse and state.purse.metering else None,
        )
        encoding = encoding_of(response)
        answer = answer_of(state, tongue) if framing == "sse" else None
        if translation is None:
            return ReplyStream(rewriter, encoding, state.format, state.operation, framing, answer=answer)
        response.headers["content-type"] = translation.content_type
        stages = translation.stream(asked_for_usage=state.asked_for_usage)
        asked = translation.asked.framing
        return ReplyStream(rewriter, encoding, state.format, state.operation, asked, stages, answer)

    def _resume(
        self, request: http.Request, response: http.Response, state: CallState, sent: str, spent: Usage
    ) -> bool:
        """Let another upstream go on with the reply; False where this is no stream that could."""
        tongue, way = tongue_of(state), state.trip.way if state.trip else None
        name, format_, operation = tongue
        framing = format_.framing(operation, type_of(response, state, operation), request.path)
        if state.reply is None or way is None or framing != "sse" or not Answer.is_for(name, operation.name):
            return False
        state.reply.resume(tongue, encoding_of(response), way, sent, spent)
        return True

    def _as_sent(self, text: str, state: CallState) -> str | None:
        """What an upstream said so far, as another may be sent it; None: by the rules it may not.

        The caller's values are still placeholders in it. What is personal and new is what the client gets for it, or
        what would be sent for it, had the client said it.
        """
        engine = self._shelf.services.engines.pii_for(state.caller)
        vault = Vault() if state.vault is None else state.vault
        reply, request = engine.reply(vault), engine.request(vault)
        new = [edit for edit in reply.edits([text])[0] if edit.action != "restore"]
        shown = apply_edits(text, new)
        known = vault.surrogates
        left = [edit for edit in request.edits([shown])[0] if shown[edit.start : edit.end] not in known]
        refused = any(edit.action == "refuse" for edit in (*new, *left))
        return None if refused or not (reply.complete and request.complete) else apply_edits(shown, left)

    @fail_closed
    async def response(self, flow: http.HTTPFlow) -> None:
        state = state_of(flow)
        if state is None or flow.response is None or state.refusal:
            return
        if flow.response.stream:
            read_stream(state)
            self._hide_names(state)
            return
        response = flow.response
        size = len(response.raw_content or b"")
        await aside(self._shelf.services, lambda: self._response(flow, response, state), size)

    def _response(self, flow: http.HTTPFlow, response: http.Response, state: CallState) -> None:
        try:
            self._whole(response, state)
            undo_encoding(flow.request, response, state)
            if state.reply_rewriter and not state.reply_rewriter.complete:
                names_unread(state)
                if state.refusal:
                    answer(flow, state.refusal)
        except TextRefused as refused:
            state.refuse(refused.refusal, "refused")
            answer(flow, refused.refusal)
        except (BodyError, NotTranslatable) as error:
            state.refuse(Refusal(502, "reply_unreadable", f"The reply was stopped: {error}."), "error")
            answer(flow, state.refusal)  # type: ignore[arg-type]

    def _whole(self, response: http.Response, state: CallState) -> None:
        body = read_reply(response, state)
        read_facts(response, state, body)
        self._hide_names(state)
        translation = translation_of(state)
        data = body.data
        if body.kind not in ("empty", "binary"):
            content_type = response.headers.get("content-type", "")
            format_, operation = spoken(state)
            rewritten = rewrite_body(body, content_type, format_.text_rules(operation), self._rewriter(state))
            data = rewritten.body
            if rewritten.edits:
                state.reply_body = data
        if translation:
            status = response.status_code
            state.reply_body = translation.error(data, status) if status >= 400 else translation.reply(data)
            response.headers["content-type"] = "application/json"

    def _hide_names(self, state: CallState) -> None:
        state.served_model = self._shelf.services.engines.shown(state.served_model)

    @fail_closed
    def error(self, flow: http.HTTPFlow) -> None:
        state = state_of(flow)
        if state is None:
            return
        read_stream(state)
        if flow.response and not flow.response.stream and state.usage is None and not state.refusal:
            with suppress(BodyError):  # an answer that nobody can read any more says nothing of its cost
                read_facts(flow.response, state, read_reply(flow.response, state))
        self._hide_names(state)


def tongue_of(state: CallState) -> Tongue:
    """What the upstream of the current attempt speaks: the format by name and by itself, and what it was asked for."""
    format_, operation = spoken(state)
    return operation.dialect or format_.name, format_, operation


def provider_of(state: CallState) -> str:
    """Whose upstream answers the current attempt."""
    return state.trip.provider if state.trip else state.host.provider


def type_of(response: http.Response, state: CallState, operation: Operation) -> str:
    """The content type of a reply; where it names none: what was asked for."""
    content_type: str = response.headers.get("content-type", "")
    if not content_type.strip() and state.facts.stream and operation.dialect in _STREAMS_AS_SSE:
        return "text/event-stream"  # JSON that comes all the same is read as such
    return content_type


def encoding_of(response: http.Response) -> str:
    """How the body of a reply is encoded."""
    encoding: str = response.headers.get("content-encoding", "")
    return encoding.strip().lower()


def answer_of(state: CallState, tongue: Tongue) -> Answer | None:
    """The answer to a call whose route lets others go on with it; None where nobody can."""
    name, format_, operation = tongue
    trip = state.trip
    if trip is None or not trip.continues or not Answer.is_for(name, operation.name):
        return None
    asked = state.facts.wants_usage or state.asked_for_usage or trip.translation is not None
    return Answer(name, format_, operation, tells_usage=asked or sends_usage(trip.provider))


def undo_encoding(request: http.Request, response: http.Response, state: CallState) -> None:
    """Send a reply as it is, where its Content-Encoding is none that was asked for; anybody can read that."""
    encoding = response.headers.get("content-encoding", "")
    if state.reply_body is not None or not response.raw_content or not codings(encoding):
        return
    if not accepts(request.headers.get("accept-encoding", ""), encoding):
        state.reply_body = decode(response.raw_content, encoding, state.rules.traffic.max_body_bytes)


# An error body is short; a longer one is an answer that may well speak of errors.
ERROR_BYTES_MAX = 16 * 1024


def error_of(response: http.Response, content: bytes, state: CallState) -> str | None:
    """The kind of error that is all there is in a whole reply, or None."""
    if len(content) > ERROR_BYTES_MAX:
        return None
    try:
        content = decode(content, response.headers.get("content-encoding", ""), ERROR_BYTES_MAX)
        failed = response.status_code >= 400
        if not failed and b'"error"' not in content:
            return None
        format_, operation = spoken(state)
        body = read_json(content)
        kind = format_.read_reply(operation, body, plain_headers(response)).error
        return kind or (error_kind(body) if failed else None)
    except BodyError:
        return None  # what it is, if not JSON, is decided when the whole reply is read


def read_stream(state: CallState) -> None:
    """Take over what the streamed reply said of itself."""
    if state.reply:
        state.usage = state.reply.usage
        state.served_model = state.reply.model


def read_reply(response: http.Response, state: CallState) -> Body:
    """The reply's body, decoded; an error page that claims to be JSON and is not is read as text."""
    encoding = response.headers.get("content-encoding", "")
    data = decode(response.raw_content or b"", encoding, state.rules.traffic.max_body_bytes)
    content_type = response.headers.get("content-type", "")
    if response.status_code >= 400 and not is_media(content_type):
        content_type = "text/plain"
    return classify(data, content_type)


def read_facts(response: http.Response, state: CallState, body: Body) -> None:
    """Read usage and model of a whole reply."""
    if body.kind != "json" and not response.headers.get("x-amzn-bedrock-output-token-count"):
        return
    format_, operation = spoken(state)
    facts = format_.read_reply(operation, body.json, plain_headers(response))
    state.usage, state.served_model, state.reply_error = facts.usage, facts.model, facts.error
