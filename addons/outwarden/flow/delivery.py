"""A reply on its way to the client: held until its first content, committed, streamed or collected, completed.

mitmproxy's streaming commits to the client with the first header and has no retry (DESIGN.md §3.3). Here any failure
before the first content may move the call to another upstream; after it the client sees this reply and no other.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mitmproxy import http
from mitmproxy.proxy import layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import (
    SendHttp,
)
from mitmproxy.proxy.layers.http._events import (
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
)
from mitmproxy.proxy.layers.http._hooks import HttpResponseHeadersHook, HttpResponseHook
from mitmproxy.proxy.layers.websocket import WebsocketStartHook
from mitmproxy.websocket import WebSocketData

from outwarden.errors import BodyError
from outwarden.flow.body import is_media
from outwarden.flow.ending import Ending, stopped
from outwarden.flow.framing import DIGESTS, check_reply, header_of
from outwarden.flow.guard import broken
from outwarden.flow.hooks import CallEndHook
from outwarden.flow.http1 import ResponseBegins
from outwarden.flow.money import Purse
from outwarden.flow.relay import Relay
from outwarden.flow.room import no_room
from outwarden.flow.upgrade import Upgraded, is_accepted
from outwarden.flow.upload import Commands
from outwarden.routing import failure_of_error, failure_of_status, retry_after
from outwarden.wire.begins import BEGIN_BYTES_MAX
from outwarden.wire.encodings import codings
from outwarden.wire.format import Refusal

if TYPE_CHECKING:
    from outwarden.flow.call_layer import CallLayer

# A reply is held for its first content up to this many bytes; lifecycle events are far smaller.
MAX_HELD_BYTES = 256 * 1024
# A stream that is to be delivered whole (rescue: buffer) is held up to this many bytes; from there on it is delivered
# as it comes. Answers of 64 k tokens take about 16 MB as events of OpenAI's, with 250 bytes around each token.
BUFFER_BYTES_MAX = 16 * 1024 * 1024
# Phases in which the provider has the request.
THINKING = ("first_byte", "first_content", "idle")


class Delivery(Ending):
    """A stream that brings an upstream's reply to the client."""

    def __init__(self, context: Context, stream_id: int, parent: CallLayer) -> None:
        super().__init__(context, stream_id, parent)
        self._upgraded: Upgraded | None = None
        self._noted = False  # whether the first content of this attempt was taken note of
        self._buffers = False  # whether this stream is held until it is whole

    # -- its head -----------------------------------------------------------------------------------------------------

    def _on_head(self, event: ResponseHeaders) -> Commands:
        call = self._call
        assert call
        if event.response.status_code == 101:
            self._head, self._mode = event, "socket"
            return
        status = event.response.status_code
        failure = None if self._client_gone else failure_of_status(status)
        if failure and (yield from self._moves_on(failure, status, retry_after(event.response.headers, time.time()))):
            return
        self._head = event
        try:
            check_reply(event.response)
            self._mode = self._choose_mode(event)
        except BodyError as error:  # a framing or an encoding that we do not read
            yield from self._break_off(stopped(str(error)))
            return
        self._noted, self._buffers = False, False
        if self._mode == "stream":
            yield from self._await_content()
        elif status < 400 and call.purse and not call.purse.hold_whole():
            yield from self._stop_unpaid(call.purse)
        else:
            yield from self._await("idle", self._trip.timeouts.idle)

    def _await_content(self) -> Commands:
        self._buffers = self._trip.buffers
        yield from self._await("first_content", self._trip.timeouts.first_content)

    def _choose_mode(self, event: ResponseHeaders) -> str:
        call = self._call
        assert call
        response = event.response
        if event.end_stream or response.status_code >= 400:
            return "whole"
        call.reply = call.open_reply(response, b"") if call.open_reply else None
        if call.reply:
            return "stream"
        # Encoded media could be anything.
        unencoded = not codings(header_of(response, b"content-encoding"))
        return "pass" if unencoded and is_media(header_of(response, b"content-type")) else "whole"

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

    # -- its body -----------------------------------------------------------------------------------------------------

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
        assert self._call
        if self._turns_out_a_stream(data):
            self._call.share.give_back(len(self._held))
            self._mode = "stream"
            yield from self._await_content()
            yield from self._on_stream_data(self._take_held() + data)
            return
        self._held += data
        traffic = self._call.rules.traffic
        if len(self._held) > traffic.max_body_bytes:
            yield from self._stop_collecting(
                Refusal(502, "reply_too_large", "The reply is longer than max_body_mib allows.")
            )
        elif not self._call.share.take(len(data), traffic.max_in_flight_bytes):
            self._call.rule = "max_in_flight_mib"
            yield from self._stop_collecting(no_room("the reply"))

    def _turns_out_a_stream(self, data: bytes) -> bool:
        """Whether this is the stream that was asked for, though its type does not say so."""
        call = self._call
        if not call or not call.open_reply or not self._head or len(self._held) > BEGIN_BYTES_MAX:
            return False
        response, asked = self._head.response, call.facts.stream or call.operation.stream
        if not asked or response.status_code >= 400 or codings(header_of(response, b"content-encoding")):
            return False
        call.reply = call.open_reply(response, bytes(self._held) + data)
        return call.reply is not None

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
        else:
            self._held += out
        if (purse := self._call.purse) and purse.metering:
            purse.metering.hear(time.monotonic(), said=True)
        if purse and not reply.complete and not purse.follow(reply.counted):
            yield from self._stop_unpaid(purse)
            return
        if self._committed:
            return
        if self._buffers and reply.began and (yield from self._holds_back(out)):
            return
        if reply.error and not reply.began and (yield from self._leave_failed_stream()):
            return
        if reply.began or reply.error or len(self._held) > MAX_HELD_BYTES:
            yield from self._commit()

    def _holds_back(self, out: bytes) -> layer.CommandGenerator[bool]:
        """Of a stream that is to be delivered whole: whether it waits for more; False: it is whole, or too long."""
        assert self._call and self._call.reply
        if self._noted:
            self._touch()
        else:
            self._note_content()
            yield from self._await("idle", self._trip.timeouts.idle)
        if self._call.reply.error and not self._is_refused:
            yield from self._fail("stream_error")
            return True
        room = self._call.share.take(len(out), self._call.rules.traffic.max_in_flight_bytes)
        self._lent += len(out) if room else 0
        self._buffers = room and len(self._held) <= BUFFER_BYTES_MAX
        return self._buffers and not self._call.reply.complete

    def _note_content(self) -> None:
        if not self._noted and self._head:
            self._noted = True
            self._trip.content_began(self._head.response.status_code)

    def _pays_for_silence(self) -> layer.CommandGenerator[bool]:
        """A model that says nothing may think, which is billed: whether there is money for more of that."""
        purse = self._call.purse if self._call else None
        if purse is None or self._waits.phase not in THINKING or purse.wait(time.monotonic()):
            return True
        yield from self._stop_unpaid(purse)
        return False

    def _stop_unpaid(self, purse: Purse) -> Commands:
        """There is no money for more of this answer; what came of it was paid for, and is the client's."""
        assert self._call
        yield from self._break_off(purse.stop(self._call))

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
        assert self._head
        status = self._head.response.status_code
        failure = None if self._client_gone else failure_of_error(self._kind() or "error", status)
        if failure is None:
            return False
        return (yield from self._moves_on("stream_error" if failure == "5xx" else failure, status))

    @property
    def _is_refused(self) -> bool:
        """Whether the error that came is a refusal of what the caller asks for, which nobody else is to be asked."""
        return self._kind() == "content_filter"

    def _kind(self) -> str | None:
        return self._call.reply.error if self._call and self._call.reply else None

    def _commit(self) -> Commands:
        """From here on the client sees this reply, and no other."""
        call = self._call
        assert self._head and call
        if self._committed:
            return
        self._committed = True
        call.first_content_ms = (time.perf_counter() - call.started_s) * 1000
        response = self.flow.response = self._head.response
        self._note_content()
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
            held = self._take_held()
            kind = ResponseBegins if held else ResponseHeaders
            yield SendHttp(kind(self.stream_id, response, end_stream=False), self.context.client)
            if held:
                yield SendHttp(ResponseData(self.stream_id, held), self.context.client)
        yield from self._await("idle", self._trip.timeouts.idle)

    def _take_held(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        if self._call:
            self._call.share.give_back(self._lent)
        self._lent = 0
        return held

    # -- its end ------------------------------------------------------------------------------------------------------

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
                if call.reply.error and self._buffers and not self._is_refused:
                    yield from self._fail("stream_error")
                    return
                if call.reply.complete or (call.reply.began and not self._buffers):
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
        """A 200 whose body is only an error (OpenRouter does that) is a failure: move on if the route allows it.

        So is what an error body tells of the upstream and not of the request: a larger model may take a prompt that is
        too long, another account is not empty. All other refusals are the client's.
        """
        call = self._call
        assert call
        assert self._head
        status, error_of = self._head.response.status_code, call.error_of
        if self._client_gone:
            return False
        kind = error_of(self._head.response, bytes(self._held)) if error_of else None
        if kind == "foreign_signature" and status >= 400 and self._trip.unsign(status):
            yield from self._abandon()
            yield from self._await("pause", 0.0)  # its connection is not free before this end has been dealt with
            return True
        failure = failure_of_error(kind, status) if kind else None
        if failure is None and kind != "content_filter" and self._trip.is_ours_to_mend(status):
            yield from self._leave_misled(status)
            return True
        return failure is not None and (yield from self._moves_on(failure, status))

    def _leave_misled(self, status: int) -> Commands:
        """What the rules say of this upstream is wrong: its key, or its model. Of that the caller is told nothing but
        that the call failed: it has no part in the key, and a client that hears of one believes it is its own.
        """
        if not (yield from self._moves_on("5xx", status)):
            yield from self._abandon()
            yield from self._answer(misled(self._trip.upstream_name, status))

    def _complete(self) -> Commands:
        """The reply is whole and well."""
        call = self._call
        assert call and self._head
        head = self._head
        self._waits.end()
        if not self._committed:
            self._note_content()
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


def misled(upstream: str, status: int) -> Refusal:
    """The upstream does not take what the rules give it."""
    what = "model that routes.yml names for it" if status == 404 else "key that routes.yml names for it"
    return Refusal(502, "upstream_refused", f"The upstream {upstream} does not take the {what} (status {status}).")


def make_chunked(response: http.Response, request: http.Request) -> None:
    """Let a streamed reply have any length: what comes out of the stages is not what the header promised."""
    response.headers.pop("content-length", None)
    response.headers.pop("content-encoding", None)
    response.headers.pop("transfer-encoding", None)
    for name in DIGESTS:
        response.headers.pop(name, None)
    if request.http_version == "HTTP/1.1":  # older clients know no chunks: the end of the connection is the end
        response.headers["transfer-encoding"] = "chunked"
