"""Addon: hold money before a call leaves, settle it from what the provider reports."""

from dataclasses import replace

from mitmproxy import http

from outwarden.flow.body import plain_content, replace_content
from outwarden.flow.guard import fail_closed
from outwarden.flow.money import Purse
from outwarden.flow.session import Said, Session
from outwarden.flow.session import estimate as estimate_in_session
from outwarden.flow.session import may_be_billed as may_be_billed_in_session
from outwarden.flow.state import CallState, open_state, state_of
from outwarden.flow.transcriptions import INCLUDED
from outwarden.flow.trip import Trip
from outwarden.load_rules import Shelf
from outwarden.wire.format import Refusal
from outwarden.wire.formats import ask_for_usage, may_be_asked, sends_usage
from outwarden.wire.usage import Usage

# What a caller says between two responses: 10 tokens a second at OpenAI, 25 at Google (Realtime and Live guides), so
# 13 or 5 minutes without a pause. What it is in truth stands in the usage; beyond this it becomes debt.
SPEECH_TOKENS = 8_000
# What is written down of it: five tokens a second, where fast speech has three words.
TRANSCRIPT_TOKENS = 4_000
# The status of a response over a WebSocket: that of its connection.
SOCKET = 101


class ChargeBudget:
    """One hold per call, taken when the first upstream is chosen, resolved exactly once."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    @fail_closed
    def request(self, flow: http.HTTPFlow) -> None:
        state = open_state(flow)
        if state is None or state.is_socket or not is_billable(flow.request, state):
            return
        services = self._shelf.services
        state.purse = Purse(state, services.engines, services)
        provider = state.host.provider
        silent = state.facts.stream and not state.facts.wants_usage and not sends_usage(provider)
        if silent and state.may_change and flow.request.raw_content:
            body = plain_content(flow.request)
            asking = ask_for_usage(body) if may_be_asked(provider, flow.request.path, body) else None
            if asking:
                replace_content(flow.request, asking)
                state.asked_for_usage = True

    @fail_closed
    def response(self, flow: http.HTTPFlow) -> None:
        state = state_of(flow)
        if state and state.explains(flow.response):  # the client is told the cost, so it waits for it
            settle(flow, state)

    @fail_closed
    def call_end(self, flow: http.HTTPFlow) -> None:
        settle(flow, state_of(flow))

    @fail_closed
    def error(self, flow: http.HTTPFlow) -> None:
        settle(flow, state_of(flow))

    @fail_closed
    def websocket_start(self, flow: http.HTTPFlow) -> None:
        state = state_of(flow)
        if state is None or state.session is None:
            return
        session = state.session
        session.add_stage(lambda said: self._hold(session, said))
        session.end_stages.append(settle_response)
        if state.host.provider not in INCLUDED:
            session.transcriptions.pay = lambda call: self._hold_transcription(session, call)

    def _hold(self, session: Session, said: Said) -> None:
        """One hold per response: for what the provider has of the conversation already, what is new, and the answer."""
        call = said.call
        call.spoken = call.spoken or said.facts.begins == "maybe"
        if said.facts.begins == "maybe" and not call.refusal:
            unpaid = session.transcriptions.hear(len(said.body.data))
            if unpaid and unpaid.refusal:
                call.refuse(unpaid.refusal, "refused", unpaid.rule)
        if not said.begins or call.refusal:
            return
        if said.joins is not None:
            hold_more(said.joins, call)
            return
        call.body_tokens += session.context_tokens + (SPEECH_TOKENS if call.spoken else 0)
        self._pay(session, call)

    def _hold_transcription(self, session: Session, call: CallState) -> None:
        """One hold per piece of speech, for as much as a caller says between two."""
        call.body_tokens = SPEECH_TOKENS
        call.facts = replace(call.facts, output_limit=TRANSCRIPT_TOKENS)
        self._pay(session, call)

    def _pay(self, session: Session, call: CallState) -> None:
        """Take the hold of a call on this connection, or note why there is none."""
        services = self._shelf.services
        call.trip = session.call.trip.response(call.model) if session.call.trip else None
        call.purse = purse = Purse(call, services.engines, services)
        if not purse.pay(call.trip.upstream if call.trip else None):
            refuse_unpaid(call, purse)


def hold_more(response: CallState, call: CallState) -> None:
    """A response goes on with what ``call`` holds: more input, and as much output again; or the message is refused."""
    purse = response.purse
    if purse and not purse.pay_more(call):
        refuse_unpaid(call, purse)


def refuse_unpaid(call: CallState, purse: Purse) -> None:
    """Note which budget, or what else, left no hold for what the message asks for."""
    purse.refused()
    refusal = purse.refusal or Refusal(502, "outwarden_error", "The hold could not be taken.")
    call.refuse(refusal, "refused", purse.denied_by or refusal.code)


def settle_response(call: CallState) -> None:
    """Resolve the hold of a response that has ended, well or not."""
    if call.trip:
        note_end(call, call.trip)
    if call.purse:
        try:
            guess = estimate_in_session(call)
            call.purse.settle(call.usage, may_be_billed=may_be_billed_in_session(call), estimate=guess)
        except Exception as error:  # neither the hold nor the answer may hang on it
            call.purse.charge_held(error)


def note_end(call: CallState, trip: Trip) -> None:
    """Close the response's attempt; an upstream that broke it off, or answered it well, is known by that."""
    if call.verdict == "failed":
        trip.fail_at_last("stream_error", SOCKET)
    elif call.client_gone or call.reply_error or not call.answered:
        trip.stop("client gone" if call.client_gone else call.reply_error or "ok", SOCKET)
    else:
        trip.succeed(SOCKET)


def is_billable(request: http.Request, state: CallState) -> bool:
    """Whether tokens are charged; an unknown path that posts a model may well be an inference, so it counts."""
    if state.operation.known:
        return state.operation.billable
    return request.method == "POST" and state.model is not None


def settle(flow: http.HTTPFlow, state: CallState | None) -> None:
    """Resolve the call's hold from what is known of its end."""
    if state is None or state.purse is None:
        return
    try:
        guess = estimate(flow, state)
        torn = is_torn(state)
        usage = None if torn else state.usage
        state.purse.settle(usage, may_be_billed=torn or may_be_billed(state), estimate=guess)
    except Exception as error:  # as in a session
        state.purse.charge_held(error)


def may_be_billed(state: CallState) -> bool:
    """Whether a provider that reported no usage may have charged for the call all the same."""
    trip = state.trip
    if trip is None or not trip.sent or state.reply_error:
        return False
    if state.reply and state.reply.heard:
        return state.reply.began or state.reply.error is None
    return trip.may_have_billed


def is_torn(state: CallState) -> bool:
    """Whether a stream reported usage and broke off later: Anthropic's first event tells the input, and no output."""
    return bool(state.reply and state.usage and not state.reply.ended and state.reply.counted_since)


def estimate(flow: http.HTTPFlow, state: CallState) -> Usage:
    """What was seen: the counted input, and one output token per byte of text, within the call's own limit.

    What a stream reported before it broke off holds, and what came since is added. Of work whose results are fetched
    later (a batch, a run, a response in the background) nobody tells this call what it used: all that it may write.
    """
    assert state.purse
    seen = state.purse.used_output(0)  # what was thought in silence, where the model does that
    if state.reply and state.usage and is_torn(state):
        more = state.purse.used_output(state.reply.counted_since)
        return replace(state.usage, output_tokens=state.usage.output_tokens + more)
    if state.reply:
        seen = state.purse.used_output(state.reply.counted)
    elif flow.response and not flow.response.stream and state.refusal is None:
        seen = state.purse.output_tokens if state.operation.keeps else len(flow.response.raw_content or b"")
    return Usage(input_tokens=state.purse.sent_tokens, output_tokens=min(seen, state.purse.output_tokens))
