"""One attempt at an upstream: dial, send, leave for the next.

Each attempt talks to its upstream under a stream id of its own (negative, so that no client can have it): what a
connection that was left behind still says finds no stream, and is dropped.
"""

from __future__ import annotations

import itertools
import logging
from abc import abstractmethod
from typing import TYPE_CHECKING

from mitmproxy.connection import Server
from mitmproxy.proxy import layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import (
    GetHttpConnectionCompleted,
    SendHttp,
)
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestData,
    RequestEndOfMessage,
    RequestHeaders,
    RequestProtocolError,
    ResponseHeaders,
)

from outwarden.errors import StateError
from outwarden.flow.dial import Dial
from outwarden.flow.http1 import RequestBegins
from outwarden.flow.left import Left
from outwarden.flow.state import CallState
from outwarden.flow.trip import Trip
from outwarden.flow.upload import Commands, Upload
from outwarden.routing import Failure, GiveUp
from outwarden.wire.format import Refusal

if TYPE_CHECKING:
    from outwarden.flow.call_layer import CallLayer

logger = logging.getLogger(__name__)

_attempt_ids = itertools.count(1)


class Attempt(Upload):
    """A stream that may send its request again, elsewhere."""

    def __init__(self, context: Context, stream_id: int, parent: CallLayer) -> None:
        super().__init__(context, stream_id, parent)
        self._call: CallState | None = None
        self._dial: Dial | None = None
        self._attempt_id = 0
        self._connect_error = "connection"
        self._head: ResponseHeaders | None = None
        self._mode = ""  # whole, stream, pass, socket
        self._lent = 0  # bytes of a buffered stream that were taken of the room for bodies
        self._held = bytearray()  # one buffer, because a list of one-byte chunks takes forty times their bytes

    @property
    def _trip(self) -> Trip:
        assert self._call and self._call.trip
        return self._call.trip

    def _start(self) -> Commands:
        assert self._call
        self._forget_attempt()
        self._begin_anew(self._call)
        try:
            refusal = self._trip.apply(self.flow.request)
        except StateError as error:  # it names the reference to a secret, never the secret
            logger.warning("upstream %s: %s", self._trip.upstream_name, error)
            self._connect_error = "signing in"
            yield from self._fail("connect")
            return
        if refusal:
            self._call.refuse(refusal, "refused", "sign")
            yield from self._break_off(refusal)
            return
        self._dial = Dial(self._trip.target(), self)
        dial = self._dial
        yield from self._await("connect", self._trip.timeouts.connect)
        yield dial  # answered by GetHttpConnectionCompleted, perhaps before this line returns

    def _begin_anew(self, call: CallState) -> None:
        """What an attempt before this one said counts no more."""
        call.reply = None

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

    def _send(self) -> Commands:
        self._trip.dispatch()
        request = self.flow.request
        self._attempt_id = -next(_attempt_ids)
        self._parent.streams[self._attempt_id] = self
        yield from self._await("first_byte", self._trip.timeouts.first_byte)
        content = request.raw_content
        server = self.context.server
        kind = RequestBegins if content else RequestHeaders
        yield SendHttp(kind(self._attempt_id, request, not content), server)
        if content:
            yield SendHttp(RequestData(self._attempt_id, content), server)
        # Trailers stay here: nobody has scanned them, and mitmproxy's HTTP/1 fails on them.
        yield SendHttp(RequestEndOfMessage(self._attempt_id), server)

    def _moves_on(
        self, failure: Failure, status: int | None, retry_after_s: float | None = None
    ) -> layer.CommandGenerator[bool]:
        """Note that this attempt failed; leave it for the next, if the route has one. Tells whether it had."""
        left = self._pay_for_what_came()
        choice = self._trip.fail(failure, status, retry_after_s)
        if isinstance(choice, GiveUp):
            if left and self._call and self._call.purse:
                self._call.purse.stay(left)  # this attempt is the last, and settled as such
            return False
        yield from self._abandon()
        if choice.delay_s > 0:
            yield from self._await("pause", choice.delay_s)
        else:
            yield from self._start()
        return True

    def _pay_for_what_came(self) -> Left | None:
        """An answer that is left after it has begun is billed by its provider, beside the one that is to come."""
        call = self._call
        if call is None or call.purse is None or call.reply is None or not call.reply.began:
            return None
        return call.purse.leave(call.reply.usage, call.reply.counted)

    def _forget_attempt(self) -> None:
        if self._call:
            self._call.share.give_back(len(self._held) if self._mode == "whole" else self._lent)
        self._lent = 0
        self._parent.streams.pop(self._attempt_id, None)
        self._attempt_id = 0
        self._head = None
        self._held.clear()

    def _has_ended(self) -> None:
        """There is nothing to reset any more at the upstream: its connection is gone."""
        self._parent.streams.pop(self._attempt_id, None)
        self._attempt_id = 0

    def _abandon(self) -> Commands:
        """Leave the current upstream: reset its stream, or close its connection where it has only one."""
        attempt_id, dial, self._dial = self._attempt_id, self._dial, None
        self._forget_attempt()
        if dial:
            yield from self._parent.give_up(dial)
        if attempt_id:
            error = RequestProtocolError(attempt_id, "abandoned", ErrorCode.CANCEL)
            yield SendHttp(error, self.context.server)

    def _abandon_now(self) -> Commands:
        head = self._head
        yield from self._abandon()
        self._head = head

    def _last_words(self, failure: Failure) -> Refusal:
        name, final = self._trip.upstream_name, not self._trip.is_for_the_caller
        if failure == "timeout":
            return Refusal(504, "upstream_timeout", f"The upstream {name} did not answer in time.")
        if failure == "connect":
            text = f"The upstream {name}: {self._connect_error} failed."
            return Refusal(502, "upstream_unreachable", text, final=final)
        text = f"The upstream {name} broke off before it answered ({failure})."
        return Refusal(502, "upstream_failed", text, final=final)

    @abstractmethod
    def _fail(self, failure: Failure) -> Commands:
        """This attempt failed before anything reached the client: the next, or an error of ours."""

    @abstractmethod
    def _break_off(self, refusal: Refusal) -> Commands:
        """The call cannot go on."""

    # -- time ---------------------------------------------------------------------------------------------------------

    def _touch(self) -> None:
        self._waits.again("idle", self._trip.timeouts.idle)
