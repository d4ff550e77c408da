"""A request on its way in: bounded in bytes and in time, and refused as soon as it is known that it will be.

mitmproxy invites a body (``100 Continue``) and gathers it before anyone may say no. Here a call of ours that is refused
by its head is answered before its body is read, and one whose body grows too long, or comes too slowly, in the middle
of it. What the client still sends then is thrown away, within a bound: a client reads its answer more surely from a
connection that is not closed in its face, and the next call may follow on it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mitmproxy import flow as mflow
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import DropStream, HttpStream, SendHttp, validate_request
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestData,
    RequestEndOfMessage,
    RequestHeaders,
    RequestProtocolError,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._hooks import HttpErrorHook, HttpRequestHeadersHook, HttpResponseHeadersHook

from outwarden.flow.framing import CONTINUE, announced_bytes, fault_of, header_of
from outwarden.flow.guard import answer_whatever_happens
from outwarden.flow.room import fits, no_room
from outwarden.flow.state import CallState, state_of
from outwarden.flow.waits import Ticks, Waits
from outwarden.wire.format import Refusal

if TYPE_CHECKING:
    from outwarden.flow.call_layer import CallLayer

Commands = layer.CommandGenerator[None]

# An upload may take a minute, and longer as long as it keeps this pace on the whole: a slow line is served, a client
# that sends a byte a second does not keep memory and a connection for as long as it likes (Apache's
# mod_reqtimeout asks for half of it, https://httpd.apache.org/docs/2.4/mod/mod_reqtimeout.html).
UPLOAD_S = 60.0
UPLOAD_BYTES_PER_S = 1024
# What is read of an upload after its refusal, and for how long; then the connection ends.
DISCARD_BYTES = 64 << 20
DISCARD_S = 30.0


class Tick(commands.RequestWakeup):
    """A wake-up for all streams of a connection that wait for something; ``ticks`` are those of its layer."""

    def __init__(self, delay: float, ticks: Ticks) -> None:
        super().__init__(delay)
        self.ticks = ticks
        self.at = ticks.next_at


class Upload(HttpStream):
    """The half of a stream that receives the request; what happens to it then is `CallStream`'s."""

    def __init__(self, context: Context, stream_id: int, parent: CallLayer) -> None:
        super().__init__(context, stream_id)
        self._parent = parent
        self._waits = Waits(parent.ticks)
        self._body = bytearray()  # one buffer, because a list of one-byte chunks takes forty times their bytes
        self._discarded_bytes = 0

    # -- the head -----------------------------------------------------------------------------------------------------

    def state_wait_for_request_headers(self, event: RequestHeaders) -> Commands:
        """Let the hooks see the head; refuse what they refuse before a body is invited."""
        invited = header_of(event.request, b"expect").lower() == "100-continue"
        if invited:  # mitmproxy would invite the body of a refused call, too
            del event.request.headers["expect"]
        yield from super().state_wait_for_request_headers(event)
        if event.end_stream or self.client_state not in (
            self.state_consume_request_body,
            self.state_stream_request_body,
        ):
            return
        call = state_of(self.flow)
        if call and not call.unread:
            announced = announced_bytes(event.request)
            self._refuse_length(call, announced)
            if announced and not call.refusal and not fits(announced, call.rules.traffic.max_in_flight_bytes):
                call.refuse(no_room("this request"), "refused", "max_in_flight_mib")
            if call.refusal:
                yield from self._refuse_upload(call.refusal, close=invited)
                return
            yield from self._await("upload", UPLOAD_S)
        if invited and event.request.http_version != "HTTP/1.0":  # RFC 9110 §15.2: no 1xx to HTTP/1.0
            yield SendHttp(ResponseHeaders(self.stream_id, CONTINUE.copy()), self.context.client)

    def check_invalid(self, request: bool) -> layer.CommandGenerator[bool]:
        """Refuse a request whose framing or headers two readers could read in two ways."""
        if not request:
            return (yield from super().check_invalid(request))
        options = self.context.options
        fault = fault_of(self.flow.request)
        if fault is None and validate_request(self.mode, self.flow.request, options.validate_inbound_headers):
            fault = "its headers or its framing are malformed"
        if fault is None:
            return False
        self.client_state = self.server_state = self.state_errored
        self.flow.request.stream = False
        yield HttpRequestHeadersHook(self.flow)
        call = state_of(self.flow)
        refusal = Refusal(400, "bad_request", f"The request was refused: {fault}.")
        if call:
            call.refuse(refusal, "refused", "framing")
            yield from self._refuse_upload(refusal, close=True)
            yield from self._cut_off()
        else:
            self.flow.error = mflow.Error(refusal.message)
            yield HttpErrorHook(self.flow)
            error = ResponseProtocolError(self.stream_id, refusal.message, ErrorCode.REQUEST_VALIDATION_FAILED)
            yield SendHttp(error, self.context.client)
            self.flow.live = False
        return True

    # -- the body -----------------------------------------------------------------------------------------------------

    def state_consume_request_body(self, event: events.Event) -> Commands:
        """Gather the body of a call of ours within its bounds; trailers, which nobody scans, are dropped."""
        call = state_of(self.flow)
        if call is None:
            yield from super().state_consume_request_body(event)
        elif isinstance(event, RequestData):
            self._body += event.data
            self._waits.lengthen("upload", len(event.data) / UPLOAD_BYTES_PER_S)
            self._refuse_length(call, len(self._body))
            if not call.refusal and not call.share.take(len(event.data), call.rules.traffic.max_in_flight_bytes):
                call.refuse(no_room("this request"), "refused", "max_in_flight_mib")
            if call.refusal:
                yield from self._refuse_upload(call.refusal)
        elif isinstance(event, RequestEndOfMessage):
            self._waits.end()
            body, self._body = bytes(self._body), bytearray()
            self.request_body_buf += body
            yield from super().state_consume_request_body(event)

    def handle_protocol_error(self, event: RequestProtocolError | ResponseProtocolError) -> Commands:
        """Note who broke off: a client that leaves in the middle of its upload is no failure of ours."""
        self._waits.end()
        call = state_of(self.flow) if isinstance(event, RequestProtocolError) else None
        if call:
            call.client_gone = True
        yield from super().handle_protocol_error(event)
        self._give_back()

    def _refuse_length(self, call: CallState, length: int | None) -> None:
        """Note that a body of ``length`` bytes (None: it does not say) is too long, if it is."""
        max_bytes = call.rules.traffic.max_body_bytes
        if length is not None and length > max_bytes and not call.refusal:
            text = f"The request body is longer than {max_bytes} bytes (max_body_mib)."
            call.refuse(Refusal(413, "body_too_large", text), "refused", "max_body_mib")

    def _refuse_upload(self, refusal: Refusal, *, close: bool = False) -> Commands:
        """Answer in the middle of a request; ``close``: what comes then cannot be told from another request."""
        self._body = bytearray()
        if call := state_of(self.flow):
            call.share.give_back()
        length = announced_bytes(self.flow.request)
        answer_whatever_happens(self.flow, refusal)
        assert self.flow.response
        self.flow.response.timestamp_start = time.time()
        if close or (length or 0) > DISCARD_BYTES:
            self.flow.response.headers["connection"] = "close"
        self.client_state = self._state_discard
        yield HttpResponseHeadersHook(self.flow)
        if (yield from self.check_killed(True)):
            return
        yield from self.send_response()
        yield SendHttp(ResponseEndOfMessage(self.stream_id), self.context.client)
        self.flow.live = False
        yield from self._await("discard", DISCARD_S)

    def _state_discard(self, event: events.Event) -> Commands:
        """The answer is given: read what else the client sends, without keeping it."""
        if isinstance(event, RequestData):
            self._discarded_bytes += len(event.data)
            if self._discarded_bytes > DISCARD_BYTES:
                yield from self._cut_off()
        elif isinstance(event, RequestEndOfMessage):
            self._waits.end()
            self.client_state = self.state_done
            yield from self._drop()

    def _cut_off(self) -> Commands:
        """Read no more: end the connection, or the one stream of it."""
        self._waits.end()
        self.client_state = self.state_errored
        error = ResponseProtocolError(self.stream_id, "the upload goes on after its refusal", ErrorCode.CANCEL)
        yield SendHttp(error, self.context.client)
        yield from self._drop()

    # -- its end ------------------------------------------------------------------------------------------------------

    def flow_done(self) -> Commands:
        """The exchange is over."""
        self._give_back()
        yield from super().flow_done()

    def _drop(self) -> Commands:
        self._give_back()
        yield DropStream(self.stream_id)

    def _give_back(self) -> None:
        """Nothing is held any more of a stream that is dropped, however it ended."""
        if call := state_of(self.flow):
            call.share.give_back()

    # -- time ---------------------------------------------------------------------------------------------------------

    def _await(self, phase: str, seconds: float) -> Sequence[commands.Command]:
        """Wait for something else from now on; returns what has to be asked for that."""
        self._waits.begin(phase, seconds)
        return self._arm()

    def _arm(self) -> Sequence[commands.Command]:
        delay = self._waits.next_tick()
        return () if delay is None else (Tick(delay, self._parent.ticks),)

    def _on_upload_tick(self) -> Commands:
        overdue = self._waits.overdue()
        call = state_of(self.flow)
        if overdue == "upload" and call:
            text = f"The request body came too slowly (less than {UPLOAD_BYTES_PER_S} bytes a second)."
            refusal = Refusal(408, "upload_timeout", text)
            call.refuse(refusal, "refused", "upload_timeout")
            yield from self._refuse_upload(refusal, close=True)
        elif overdue:
            yield from self._cut_off()
        elif self._waits.phase:
            yield from self._arm()
