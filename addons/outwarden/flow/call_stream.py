"""A stream of mitmproxy's HTTP layer with our own way of sending a call: hold, fail over, stream, drain.

mitmproxy's streaming commits to the client with the first header, has no retry, and forwards a client's disconnect
upstream at once (DESIGN.md §3.3). `CallStream` replaces what happens between the `request` hook and the end of the
flow for calls of ours, and is plain `HttpStream` for all other traffic.

The life of a call in here: dial → send → wait for the head → hold until first content → commit → stream → complete.
Before the commit any failure may move the call to another upstream; after it the stream ends in the format's error
event. A client that leaves while the upstream works does not stop the upstream: the reply is drained within a bound,
so that its true cost is known.

Each attempt talks to its upstream under a stream id of its own (negative, so that no client can have it): what a
connection that was left behind still says finds no stream, and is dropped.
"""

import asyncio
import itertools
import logging
import time

from mitmproxy import flow as mflow
from mitmproxy import http
from mitmproxy.connection import Server
from mitmproxy.proxy import events, layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import (
    DropStream,
    GetHttpConnectionCompleted,
    HttpLayer,
    SendHttp,
)
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestData,
    RequestEndOfMessage,
    RequestHeaders,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
    ResponseTrailers,
)
from mitmproxy.proxy.layers.http._hooks import HttpErrorHook, HttpResponseHeadersHook, HttpResponseHook
from mitmproxy.proxy.layers.websocket import WebsocketStartHook
from mitmproxy.websocket import WebSocketData

from outwarden.errors import BodyError
from outwarden.flow import drain
from outwarden.flow.body import is_media
from outwarden.flow.dial import Dial
from outwarden.flow.drain import begin_drain
from outwarden.flow.framing import DIGESTS, check_reply, fit
from outwarden.flow.guard import broken, last_words, where
from outwarden.flow.hooks import CallEndHook
from outwarden.flow.relay import Relay
from outwarden.flow.room import no_room
from outwarden.flow.state import CallState, state_of, was_seen
from outwarden.flow.trip import Trip, target_of_host
from outwarden.flow.upgrade import Upgraded, is_accepted
from outwarden.flow.upload import Commands, Upload
from outwarden.routing import Failure, GiveUp, failure_of_status
from outwarden.wire.encodings import codings
from outwarden.wire.format import Refusal

logger = logging.getLogger(__name__)

# A reply is held for its first content up to this many bytes; lifecycle events are far smaller.
MAX_HELD_BYTES = 256 * 1024

_attempt_ids = itertools.count(1)


class CallStream(Upload):
    """One request and its reply."""

    def __init__(self, context: Context, stream_id: int, parent: HttpLayer) -> None:
        super().__init__(context, stream_id)
        self._parent = parent
        self._call: CallState | None = None
        self._dial: Dial | None = None
        self._attempt_id = 0
        self._head: ResponseHeaders | None = None
        self._mode = ""  # whole, stream, pass, socket
        self._held = bytearray()  # one buffer, because a list of one-byte chunks takes forty times their bytes
        self._committed = False
        self._finished = False
        self._client_gone = False
        self._head_sent = False
        self._told = False  # whether the addons were told of the end: each flow ends once
        self._closed = False  # whether they were told that the answer is out
        self._drain_done: asyncio.Event | None = None
        self._upgraded: Upgraded | None = None

    # -- events -----------------------------------------------------------------------------------------------------

    def _handle_event(self, event: events.Event) -> Commands:
        """Nothing is held any more of a stream that is dropped, however it ended."""
        steps, reply = self._take_event(event), None
        while True:
            try:
                command = steps.send(reply)
            except StopIteration:
                return
            if isinstance(command, DropStream) and (call := state_of(self.flow)):
                call.share.give_back()
            reply = yield command

    def _take_event(self, event: events.Event) -> Commands:
        if self._upgraded is not None:
            yield from self._upgraded.handle(event)
        elif self._call is None and isinstance(event, events.Wakeup):
            yield from self._shielded(self._on_upload_tick())
        elif self._call is None or self._finished:
            if not isinstance(event, (events.Wakeup, GetHttpConnectionCompleted)):
                yield from self._shielded(super()._handle_event(event))
        else:
            yield from self._guarded(self._dispatch(event))

    def _shielded(self, steps: Commands) -> Commands:
        """Where no call of ours is in our hands yet, or no longer: an error tears the stream."""
        try:
            yield from steps
        except Exception as error:  # mitmproxy would log it and leave the client waiting
            logger.error("HTTP stream failed: %s", where(error))
            yield from self._tear()

    def _guarded(self, steps: Commands) -> Commands:
        """While a call is in our hands: an error ends it with an answer."""
        try:
            yield from steps
        except Exception as error:  # an error of ours must not leave the client waiting
            logger.error("call layer failed: %s", where(error))
            yield from self._fail_internally()

    def _dispatch(self, event: events.Event) -> Commands:
        if isinstance(event, events.Wakeup):
            yield from self._on_tick()
        elif isinstance(event, GetHttpConnectionCompleted):
            yield from self._on_dialled(event)
        elif isinstance(event, RequestProtocolError):
            yield from self._on_client_gone()
        elif isinstance(event, ResponseProtocolError):
            yield from self._on_upstream_lost()
        elif isinstance(event, ResponseHeaders):
            yield from self._on_head(event)
        elif isinstance(event, ResponseData):
            yield from self._on_data(event.data)
        elif isinstance(event, ResponseTrailers):
            pass  # as with the request's
        elif isinstance(event, ResponseEndOfMessage):
            yield from self._on_end()
        else:
            yield from self.client_state(event)

    # -- an attempt -------------------------------------------------------------------------------------------------

    def make_server_connection(self) -> layer.CommandGenerator[bool]:
        """Called once the `request` hooks have let the call pass: from here on the call is in our hands."""
        call = state_of(self.flow)
        if not was_seen(self.flow):
            text = "Outwarden did not see this request, because an addon before it failed; it was stopped."
            error = ResponseProtocolError(self.stream_id, text, ErrorCode.GENERIC_SERVER_ERROR)
            yield from self.handle_protocol_error(error)
            return False
        if call is None or (call.trip is None and call.let_through):
            return (yield from self._connect_unread(call) if call and call.unread else super().make_server_connection())
        self._call = call
        if call.trip is None:
            yield from self._guarded(self._answer(broken("chain")))
            return False
        self._waits.limit(call.trip.timeouts.total)
        yield from self._guarded(self._start())
        return False

    def _connect_unread(self, call: CallState) -> layer.CommandGenerator[bool]:
        """Connect to where the caller aimed, and let mitmproxy pass the bytes in both directions as they come."""
        request = self.flow.request
        target = target_of_host(call.host, request.scheme, request.host, request.port)
        connection, error = yield Dial(target, None)
        if error is not None:
            failure = ResponseProtocolError(self.stream_id, "connection failed", ErrorCode.CONNECT_FAILED)
            yield from self.handle_protocol_error(failure)
            return False
        self.context.server = self.flow.server_conn = connection
        return True

    @property
    def _trip(self) -> Trip:
        assert self._call and self._call.trip
        return self._call.trip

    def _moves_on(
        self, failure: Failure, status: int | None, retry_after_s: float | None = None
    ) -> layer.CommandGenerator[bool]:
        """Note that this attempt failed; leave it for the next, if the route has one. Tells whether it had."""
        choice = self._trip.fail(failure, status, retry_after_s)
        if isinstance(choice, GiveUp):
            return False
        yield from self._abandon()
        if choice.delay_s > 0:
            yield from self._await("pause", choice.delay_s)
        else:
            yield from self._start()
        return True

    def _start(self) -> Commands:
        assert self._call
        self._forget_attempt()
        self._call.reply = None  # what an attempt before this one said counts no more
        refusal = self._trip.apply(self.flow.request)
        if refusal:
            self._call.refuse(refusal, "refused", "sign")
            yield from self._break_off(refusal)
            return
        self._dial = Dial(self._trip.target(), self)
        dial = self._dial
        yield from self._await("connect", self._trip.timeouts.connect)
        yield dial  # answered by GetHttpConnectionCompleted, perhaps before this line returns

    def _on_dialled(self, event: GetHttpConnectionCompleted) -> Commands:
        if event.command is not self._dial:
            return  # an attempt that was left
        self._dial = None
        connection, error = event.reply
        if error is not None:
            self._note_connect_error(error)
            yield from self._fail("connect")
            return
        assert isinstance(connection, Server)
        self.context.server = self.flow.server_conn = connection
        yield from self._send()

    def _note_connect_error(self, error: str) -> None:
        kind = "certificate" if "certificate" in error.lower() else "connection"
        logger.warning("upstream %s: %s failed", self._trip.upstream_name, kind)
        self._connect_error = kind

    _connect_error = "connection"

    def _send(self) -> Commands:
        self._trip.sent = True
        request = self.flow.request
        self._attempt_id = -next(_attempt_ids)
        self._parent.streams[self._attempt_id] = self
        yield from self._await("first_byte", self._trip.timeouts.first_byte)
        content = request.raw_content
        server = self.context.server
        yield SendHttp(RequestHeaders(self._attempt_id, request, not content), server)
        if content:
            yield SendHttp(RequestData(self._attempt_id, content), server)
        # Trailers stay here: nobody has scanned them, and mitmproxy's HTTP/1 fails on them.
        yield SendHttp(RequestEndOfMessage(self._attempt_id), server)

    def _forget_attempt(self) -> None:
        if self._call and self._mode == "whole":
            self._call.share.give_back(len(self._held))
        self._parent.streams.pop(self._attempt_id, None)
        self._attempt_id = 0
        self._head = None
        self._held.clear()

    def _abandon(self) -> Commands:
        """Leave the current upstream: reset its stream, or close its connection where it has only one."""
        attempt_id, self._dial = self._attempt_id, None
        self._forget_attempt()
        if attempt_id:
            error = RequestProtocolError(attempt_id, "abandoned", ErrorCode.CANCEL)
            yield SendHttp(error, self.context.server)

    def _fail(self, failure: Failure) -> Commands:
        """This attempt failed before anything reached the client: the next, or an error of ours."""
        if self._client_gone:
            yield from self._end_drain(failure)
            return
        if not (yield from self._moves_on(failure, None)):
            yield from self._abandon()
            yield from self._answer(self._last_words(failure))

    def _last_words(self, failure: Failure) -> Refusal:
        name = self._trip.upstream_name
        if failure == "timeout":
            return Refusal(504, "upstream_timeout", f"The upstream {name} did not answer in time.")
        if failure == "connect":
            return Refusal(502, "upstream_unreachable", f"The upstream {name}: {self._connect_error} failed.")
        return Refusal(502, "upstream_failed", f"The upstream {name} broke off before it answered ({failure}).")

    # -- the reply --------------------------------------------------------------------------------------------------

    def _on_head(self, event: ResponseHeaders) -> Commands:
        call = self._call
        assert call
        if event.response.status_code == 101:
            self._head, self._mode = event, "socket"
            return
        status = event.response.status_code
        failure = None if self._client_gone else failure_of_status(status)
        if failure and (yield from self._moves_on(failure, status, retry_after(event.response))):
            return
        self._head = event
        try:
            check_reply(event.response)
            self._mode = self._choose_mode(event)
        except BodyError as error:  # a framing or an encoding that we do not read
            yield from self._break_off(stopped(str(error)))
            return
        if self._mode == "stream":
            yield from self._await("first_content", self._trip.timeouts.first_content)
        else:
            yield from self._await("idle", self._trip.timeouts.idle)

    def _on_upgrade(self, response: http.Response) -> Commands:
        """The call becomes a WebSocket; from here on the relay has it."""
        call = self._call
        assert call
        if self._client_gone or not call.is_socket or not is_accepted(self.flow.request, response):
            yield from self._fail("stream_error")
            return
        self._waits.end()
        self._trip.succeed(101)
        self.flow.response, self.flow.websocket = response, WebSocketData()
        yield HttpResponseHeadersHook(self.flow)
        yield WebsocketStartHook(self.flow)
        if self.flow.response is not response or call.session is None:  # a hook failed, or an addon answers itself
            self.flow.websocket = None
            yield from self._abandon()
            if self.flow.response is response:
                yield from self._answer(broken("WebSocket"))
            else:
                yield from self._finish_with(self.send_response())
            return
        self._told = self._closed = True
        yield HttpResponseHook(self.flow)
        yield CallEndHook(self.flow)
        relay = Relay(call, call.session, self.flow.websocket)
        self._upgraded = Upgraded(
            self.flow, relay, self.stream_id, self._attempt_id, self.context.client, self.context.server
        )
        yield SendHttp(ResponseHeaders(self.stream_id, response, end_stream=True), self.context.client)
        yield SendHttp(ResponseEndOfMessage(self.stream_id), self.context.client)

    def _choose_mode(self, event: ResponseHeaders) -> str:
        call = self._call
        assert call
        response = event.response
        if event.end_stream or response.status_code >= 400:
            return "whole"
        call.reply = call.open_reply(response) if call.open_reply else None
        if call.reply:
            return "stream"
        # Encoded media could be anything.
        unencoded = not codings(response.headers.get("content-encoding", ""))
        return "pass" if unencoded and is_media(response.headers.get("content-type", "")) else "whole"

    def _on_data(self, data: bytes) -> Commands:
        if self._mode == "stream":
            yield from self._on_stream_data(data)
            return
        self._touch()
        if self._mode == "pass" and not self._committed:
            if data.lstrip()[:1] in (b"{", b"["):  # its type says sound or picture, and it is neither
                self._mode = "whole"
            else:
                yield from self._commit()
        if self._mode == "pass":
            if not self._client_gone and not self._finished:
                yield SendHttp(ResponseData(self.stream_id, data), self.context.client)
            return
        self._held += data
        assert self._call
        traffic = self._call.rules.traffic
        if len(self._held) > traffic.max_body_bytes:
            yield from self._stop_collecting(
                Refusal(502, "reply_too_large", "The reply is longer than max_body_mib allows.")
            )
        elif not self._call.share.take(len(data), traffic.max_in_flight_bytes):
            self._call.rule = "max_in_flight_mib"
            yield from self._stop_collecting(no_room("the reply"))

    def _stop_collecting(self, refusal: Refusal) -> Commands:
        yield from self._abandon()
        self._trip.stop("too long")
        yield from self._answer(refusal)

    def _on_stream_data(self, data: bytes) -> Commands:
        assert self._call and self._call.reply
        reply = self._call.reply
        out = reply.feed(data)
        if reply.broken:
            yield from self._on_stream_broken(reply.broken)
            return
        if self._committed:
            self._touch()
            if out and not self._client_gone:
                yield SendHttp(ResponseData(self.stream_id, out), self.context.client)
            return
        self._held += out
        if reply.error and not reply.began and (yield from self._leave_failed_stream()):
            return
        if reply.began or reply.error or len(self._held) > MAX_HELD_BYTES:
            yield from self._commit()

    def _on_stream_broken(self, reason: str) -> Commands:
        """A stage stopped the stream; where that is the upstream's fault and nothing was shown, another may serve."""
        assert self._call and self._call.reply
        if not self._call.reply.upstream_fault:
            yield from self._break_off(self._call.reply.refusal or stopped(reason))
        elif self._committed:
            self._trip.fail_at_last("stream_error", None)
            yield from self._break_off(Refusal(502, "upstream_malformed", f"The reply was stopped: {reason}."))
        else:
            yield from self._fail("stream_error")

    def _leave_failed_stream(self) -> layer.CommandGenerator[bool]:
        """An error came before the first content: move on if the route allows it, else let the client see it."""
        if self._client_gone:
            return False
        return (yield from self._moves_on("stream_error", self._head.response.status_code if self._head else None))

    def _commit(self) -> Commands:
        """From here on the client sees this reply, and no other."""
        call = self._call
        assert self._head and call
        if self._committed:
            return
        self._committed = True
        call.first_content_ms = (time.perf_counter() - call.started_s) * 1000
        response = self.flow.response = self._head.response
        self._trip.content_began(response.status_code)
        response.stream = True
        if self._mode == "stream":
            make_chunked(response, self.flow.request)
        elif self.flow.request.http_version == "HTTP/1.0":
            response.headers.pop("transfer-encoding", None)  # the end of the connection is the end
        if not self._client_gone:
            yield HttpResponseHeadersHook(self.flow)
            if (yield from self.check_killed(True)):
                yield from self._abandon()
                self._finish()
                return
            if self.flow.response is not response:  # a hook failed, or an addon answers itself
                yield from self._abandon()
                self._trip.stop("replaced")
                yield from self._finish_with(self.send_response())
                return
            self._head_sent = True
            yield SendHttp(ResponseHeaders(self.stream_id, response, end_stream=False), self.context.client)
            if held := self._take_held():
                yield SendHttp(ResponseData(self.stream_id, held), self.context.client)
        yield from self._await("idle", self._trip.timeouts.idle)

    def _take_held(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held

    def _on_end(self) -> Commands:
        call = self._call
        if self._head is None:
            return  # of an answer that was left
        assert call
        if self._mode == "socket":
            yield from self._on_upgrade(self._head.response)
            return
        if self._mode == "stream":
            assert call.reply
            rest = call.reply.finish()
            if call.reply.broken:
                yield from self._on_stream_broken(call.reply.broken)
                return
            if not self._committed:
                self._held += rest
                rest = b""
                if call.reply.error and not call.reply.began and (yield from self._leave_failed_stream()):
                    return
                if call.reply.began or call.reply.complete:
                    yield from self._commit()
            if rest and not self._client_gone and not self._finished:
                yield SendHttp(ResponseData(self.stream_id, rest), self.context.client)
            if not call.reply.complete and not self._finished:  # a body that ends well in the middle of an answer
                yield from self._on_upstream_lost()
                return
        elif self._mode == "whole" and (yield from self._leave_error_body()):
            return
        if not self._finished:
            yield from self._complete()

    def _leave_error_body(self) -> layer.CommandGenerator[bool]:
        """A 200 whose body is only an error (OpenRouter does that) is a failure: move on if the route allows it."""
        call = self._call
        assert call
        assert self._head
        error_of = call.error_of
        if self._client_gone or error_of is None or not error_of(self._head.response, bytes(self._held)):
            return False
        return (yield from self._moves_on("5xx", self._head.response.status_code))

    def _complete(self) -> Commands:
        """The reply is whole and well."""
        call = self._call
        assert call and self._head
        head = self._head
        self._waits.end()
        if not self._committed:
            self._trip.content_began(head.response.status_code)
        if self._mode == "stream" and call.reply and call.reply.error:
            self._trip.fail_at_last("stream_error", head.response.status_code)
        else:
            self._trip.succeed(head.response.status_code)
        self._parent.streams.pop(self._attempt_id, None)
        if not self._committed:
            self.flow.response = head.response
            self.flow.response.data.content = self._take_held()
        if self._client_gone:
            yield from self._end_drain("ok")
            return
        if self._committed:
            yield from self._finish_with(self.send_response(already_streamed=True))
            return
        yield HttpResponseHeadersHook(self.flow)
        yield from self._finish_with(self.send_response())

    def check_killed(self, emit_error_hook: bool) -> layer.CommandGenerator[bool]:
        """A flow that somebody else ended is over."""
        killed = yield from super().check_killed(emit_error_hook)
        if killed and (call := state_of(self.flow)):
            call.share.give_back()
        return killed

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
        yield SendHttp(ResponseHeaders(self.stream_id, response, not content), self.context.client)
        if content:
            yield SendHttp(ResponseData(self.stream_id, content), self.context.client)

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

    # -- the ways it can end otherwise ------------------------------------------------------------------------------

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
        yield DropStream(self.stream_id)

    def _abandon_now(self) -> Commands:
        head = self._head
        yield from self._abandon()
        self._head = head

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

    def _on_upstream_lost(self) -> Commands:
        self._parent.streams.pop(self._attempt_id, None)
        self._attempt_id = 0
        if self._committed:
            self._trip.fail_at_last("stream_error", None)
            text = f"The upstream {self._trip.upstream_name} broke off in the middle of its answer."
            yield from self._break_off(Refusal(502, "upstream_cut", text))
        else:
            # Once the client has left it may be we who ended the connection; the upstream had its time to work.
            yield from self._fail("stream_error" if self._head or self._client_gone else "connect")

    # -- the client leaves ------------------------------------------------------------------------------------------

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

    # -- time -------------------------------------------------------------------------------------------------------

    def _await(self, phase: str, seconds: float) -> Commands:
        self._waits.begin(phase, seconds)
        yield from self._arm()

    def _touch(self) -> None:
        self._waits.again("idle", self._trip.timeouts.idle)

    def _on_tick(self) -> Commands:
        overdue = self._waits.overdue()
        if overdue:
            yield from self._out_of_time(overdue)
        elif self._waits.phase:
            yield from self._arm()

    def _out_of_time(self, phase: str) -> Commands:
        if phase == "pause":
            yield from self._start()
        elif self._client_gone:
            yield from self._abandon_now()
            yield from self._end_drain("drain limit")
        elif self._committed or phase == "total":
            self._trip.fail_at_last("timeout", None)
            text = f"The upstream {self._trip.upstream_name} ran out of time ({phase})."
            yield from self._break_off(Refusal(504, "upstream_timeout", text))
        elif phase == "connect":
            self._connect_error = "connection in time"
            yield from self._fail("connect")
        else:
            yield from self._fail("timeout")


def stopped(reason: str) -> Refusal:
    """A reply that we could not read or rewrite safely."""
    return Refusal(502, "outwarden_error", f"The reply was stopped: {reason}.")


def verdict_of(refusal: Refusal) -> str:
    """How the record tells rules and our own failures from the upstreams'."""
    ours = {"outwarden_error": "error", "content_refused": "refused", "too_many_bodies": "refused"}
    return ours.get(refusal.code, "failed")


def retry_after(response: http.Response) -> float | None:
    """The seconds of a Retry-After header, if it gives seconds."""
    value = response.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() else None


def make_chunked(response: http.Response, request: http.Request) -> None:
    """Let a streamed reply have any length: what comes out of the stages is not what the header promised."""
    response.headers.pop("content-length", None)
    response.headers.pop("content-encoding", None)
    response.headers.pop("transfer-encoding", None)
    for name in DIGESTS:
        response.headers.pop(name, None)
    if request.http_version == "HTTP/1.1":  # older clients know no chunks: the end of the connection is the end
        response.headers["transfer-encoding"] = "chunked"
