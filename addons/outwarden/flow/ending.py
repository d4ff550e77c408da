"""How a call ends: with its answer, with an error of ours, with a torn connection, or after its client has left.

Before the commit an error is an answer in the provider's own shape, after it the format's error event. A client that
leaves while the upstream works does not stop the upstream: the reply is drained within a bound, so that its true cost
is known. Each flow ends once, in `response` or in `error`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from mitmproxy import flow as mflow
from mitmproxy import http
from mitmproxy.proxy import layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import (
    SendHttp,
)
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._hooks import HttpErrorHook, HttpResponseHeadersHook, HttpResponseHook

from outwarden.flow import drain
from outwarden.flow.attempt import Attempt
from outwarden.flow.drain import begin_drain
from outwarden.flow.framing import DIGESTS, fit
from outwarden.flow.guard import broken, last_words, where
from outwarden.flow.hooks import CallEndHook
from outwarden.flow.http1 import ResponseBegins
from outwarden.flow.state import state_of
from outwarden.flow.upload import Commands
from outwarden.routing import Failure
from outwarden.wire.format import Refusal

if TYPE_CHECKING:
    from outwarden.flow.call_layer import CallLayer

logger = logging.getLogger(__name__)


class Ending(Attempt):
    """A stream whose call ends in one of these ways, whatever happens."""

    def __init__(self, context: Context, stream_id: int, parent: CallLayer) -> None:
        super().__init__(context, stream_id, parent)
        self._committed = False
        self._finished = False
        self._client_gone = False
        self._head_sent = False
        self._told = False  # whether the addons were told of the end: each flow ends once
        self._closed = False  # whether they were told that the answer is out
        self._drain_done: asyncio.Event | None = None

    # -- an answer ----------------------------------------------------------------------------------------------------

    def _answer(self, refusal: Refusal) -> Commands:
        """Nothing reached the client yet: answer with an error in the provider's own shape."""
        call = self._call
        assert call
        if self._client_gone:
            yield from self._end_drain(refusal.code)
            return
        if call.refusal is not refusal:
            call.refuse(refusal, verdict_of(refusal))
        reply = call.format.refuse(refusal, call.operation)
        self.flow.response = http.Response.make(reply.status, reply.body, dict(reply.headers))
        yield HttpResponseHeadersHook(self.flow)
        yield from self._finish_with(self.send_response())

    def send_response(self, already_streamed: bool = False) -> Commands:
        """Send what the addons made of the reply; personal data put back into it never enters the flow itself."""
        call = state_of(self.flow)
        self._told = True
        if call is None or already_streamed:
            yield from super().send_response(already_streamed)
            yield from self._end_call()
            return
        assert self.flow.response
        self.flow.response.timestamp_end = time.time()
        yield HttpResponseHook(self.flow)
        self.server_state = self.state_done
        if not (yield from self.check_killed(False)):
            yield from self._send_whole(self.flow.response, call.reply_body)
            if self.client_state == self.state_done:
                yield from self.flow_done()
        yield from self._end_call()

    def _send_whole(self, response: http.Response, changed: bytes | None) -> Commands:
        content = response.raw_content or b""
        if changed is not None:
            content = changed
            response = response.copy()
            for name in ("content-encoding", "transfer-encoding", *DIGESTS):
                response.headers.pop(name, None)
            response.headers["content-length"] = str(len(content))
        self._head_sent = True
        response = fit(response, self.flow.request, len(content))
        kind = ResponseBegins if content else ResponseHeaders
        yield SendHttp(kind(self.stream_id, response, not content), self.context.client)
        if content:
            yield SendHttp(ResponseData(self.stream_id, content), self.context.client)

    def check_killed(self, emit_error_hook: bool) -> layer.CommandGenerator[bool]:
        """A flow that somebody else ended is over.

        mitmproxy ends it, too, where the client left while a hook ran. Once the call is in our hands that is for
        `_on_client_gone`, which comes to it next: the upstream may be at work.
        """
        call = state_of(self.flow)
        if self._call and not (self.flow.error and self.flow.error.msg == mflow.Error.KILLED_MESSAGE):
            return False
        if call and any(isinstance(event, RequestProtocolError) for event in self._paused_event_queue):
            call.client_gone = True
            if call.trip:
                call.trip.stop("client gone")
        killed = yield from super().check_killed(emit_error_hook)
        if killed and call:
            call.share.give_back()
        return killed

    def _end_call(self) -> Commands:
        """The client has its answer: let the addons settle and record the call, which nobody waits for any more."""
        if self._told and not self._closed and not self.flow.websocket and state_of(self.flow):
            self._closed = True
            yield CallEndHook(self.flow)

    def _finish_with(self, generator: Commands) -> Commands:
        self._finish()
        yield from generator

    def _finish(self) -> None:
        self._finished = True
        self._waits.end()
        self._parent.streams.pop(self._attempt_id, None)
        self.server_state = self.state_done

    # -- an error -----------------------------------------------------------------------------------------------------

    def _fail(self, failure: Failure) -> Commands:
        """This attempt failed before anything reached the client: the next, or an error of ours."""
        if self._client_gone:
            yield from self._end_drain(failure)
            return
        if not (yield from self._moves_on(failure, None)):
            yield from self._abandon()
            yield from self._answer(self._last_words(failure))

    def _on_upstream_lost(self) -> Commands:
        self._has_ended()
        if self._committed:
            self._trip.fail_at_last("stream_error", None)
            text = f"The upstream {self._trip.upstream_name} broke off in the middle of its answer."
            yield from self._break_off(Refusal(502, "upstream_cut", text))
        else:
            # Once the client has left it may be we who ended the connection; the upstream had its time to work.
            yield from self._fail("stream_error" if self._head or self._client_gone else "connect")

    def _break_off(self, refusal: Refusal) -> Commands:
        """The reply cannot go on: an error answer before the commit, the format's error event after it."""
        call = self._call
        assert call
        self._trip.stop(refusal.code)
        yield from self._abandon_now()
        if not self._committed or self._client_gone:
            yield from self._answer(refusal)
            return
        last = call.reply.refuse(refusal) if self._mode == "stream" and call.reply else b""
        call.refuse(refusal, verdict_of(refusal))
        yield from self._end_with_error(refusal.code)
        if last:
            yield SendHttp(ResponseData(self.stream_id, last), self.context.client)
            yield SendHttp(ResponseEndOfMessage(self.stream_id), self.context.client)
        else:  # bytes that we do not read: only a torn connection tells the client
            error = ResponseProtocolError(self.stream_id, refusal.code, ErrorCode.GENERIC_SERVER_ERROR)
            yield SendHttp(error, self.context.client)

    def _end_with_error(self, message: str) -> Commands:
        self._finish()
        self.flow.live = False
        if not self._told:
            self._told = self._closed = True
            self.flow.error = mflow.Error(message)
            yield HttpErrorHook(self.flow)
        yield from self._end_call()
        yield from self._drop()

    def _fail_internally(self) -> Commands:
        if not self._finished:
            try:
                yield from self._break_off(broken("call layer"))
                return
            except Exception as error:  # nothing of ours may be asked any more
                logger.error("call layer could not end a call: %s", where(error))
        if self.flow.live:
            yield from self._tear()

    def _tear(self) -> Commands:
        """The last resort, which asks nothing of ours: an error, or a torn connection once there is a head."""
        if self._drain_done:
            self._drain_done.set()
        yield from self._end_with_error("outwarden_error")
        if self._head_sent or self._client_gone:
            torn = ResponseProtocolError(self.stream_id, "outwarden_error", ErrorCode.GENERIC_SERVER_ERROR)
            yield SendHttp(torn, self.context.client)
            return
        response = last_words(502)
        yield SendHttp(ResponseHeaders(self.stream_id, response, end_stream=False), self.context.client)
        yield SendHttp(ResponseData(self.stream_id, response.raw_content or b""), self.context.client)
        yield SendHttp(ResponseEndOfMessage(self.stream_id), self.context.client)

    # -- the client leaves --------------------------------------------------------------------------------------------

    def _on_client_gone(self) -> Commands:
        call = self._call
        assert call
        self.client_state = self.state_errored
        if self._client_gone:
            return
        self._client_gone = call.client_gone = True
        if self._waits.phase in ("pause", "connect"):
            yield from self._abandon()
            yield from self._end_drain("client gone")
            return
        self._drain_done = begin_drain(self.context.client.id)
        self._waits.limit(drain.DRAIN_S)
        yield from self._arm()

    def _end_drain(self, outcome: str) -> Commands:
        self._trip.stop(outcome)
        yield from self._end_with_error("client disconnected")
        if self._drain_done:
            self._drain_done.set()


def stopped(reason: str) -> Refusal:
    """A reply that we could not read or rewrite safely."""
    return Refusal(502, "outwarden_error", f"The reply was stopped: {reason}.")


def verdict_of(refusal: Refusal) -> str:
    """How the record tells rules and our own failures from the upstreams'."""
    ours = {"outwarden_error": "error", "content_refused": "refused", "too_many_bodies": "refused"}
    ours |= dict.fromkeys(("budget_exceeded", "budget_paused", "budget_store_unavailable"), "refused")
    return ours.get(refusal.code, "failed")
