"""A stream of mitmproxy's HTTP layer with our own way of sending a call: hold, fail over, stream, drain.

`CallStream` replaces what happens between the `request` hook and the end of the flow for calls of ours, and is plain
`HttpStream` for all other traffic. It is made of five parts, each on top of the one before:

    upload     the request on its way in
    attempt    dial → send; leave for the next upstream
    ending     an answer, an error, a torn connection; a client that left
    delivery   the head → hold until first content → commit → stream → complete
    continuing what broke off is gone on with elsewhere

Here is what joins them: which event goes where, what an error of ours becomes, and what happens when time runs out.
"""

import logging

from mitmproxy.proxy import events, layer
from mitmproxy.proxy.layers.http import (
    GetHttpConnectionCompleted,
)
from mitmproxy.proxy.layers.http._base import HttpEvent
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestProtocolError,
    ResponseData,
    ResponseEndOfMessage,
    ResponseHeaders,
    ResponseProtocolError,
    ResponseTrailers,
)

from outwarden.flow.aiming import target_of_host
from outwarden.flow.continuing import Continuing
from outwarden.flow.dial import Dial
from outwarden.flow.guard import broken, where
from outwarden.flow.state import CallState, state_of, was_seen
from outwarden.flow.upload import Commands
from outwarden.wire.format import Refusal

logger = logging.getLogger(__name__)


class CallStream(Continuing):
    """One request and its reply."""

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

    # -- events -------------------------------------------------------------------------------------------------------

    def _handle_event(self, event: events.Event) -> Commands:
        """An error of ours must not leave the client waiting: it ends a call in our hands with an answer.

        Where none is yet, or no longer, it tears the stream.
        """
        is_ours = self._call is not None and not self._finished and self._upgraded is None
        try:
            if not is_ours:
                yield from self._pass_on(event)
            elif not self._is_late(event):
                yield from self._steps(event)
        except Exception as error:  # mitmproxy would log it, and that is all
            if self._upgraded is not None and not is_ours:
                raise  # no HTTP is spoken any more: the layer around closes the connection
            logger.error("%s failed: %s", "call layer" if is_ours else "HTTP stream", where(error))
            yield from self._fail_internally() if is_ours else self._tear()

    def _is_late(self, event: events.Event) -> bool:
        """Whether an upstream says this that was left, or behind the end: it waited here while a hook ran."""
        if not isinstance(event, HttpEvent) or event.stream_id == self.stream_id:
            return False
        return self._finished or event.stream_id != self._attempt_id

    def _pass_on(self, event: events.Event) -> Commands:
        if self._upgraded is not None:
            yield from self._upgraded.handle(event)
            if self._upgraded.is_over:
                self._give_back()
        elif self._call is None and isinstance(event, events.Wakeup):
            yield from self._on_upload_tick()
        elif isinstance(event, (events.Wakeup, GetHttpConnectionCompleted)):
            return
        elif self._call is None or not self._is_late(event):
            yield from super()._handle_event(event)

    def _guarded(self, steps: Commands) -> Commands:
        """The first steps of a call that comes into our hands, in the middle of an event."""
        try:
            yield from steps
        except Exception as error:  # as in `_handle_event`
            logger.error("call layer failed: %s", where(error))
            yield from self._fail_internally()

    def _steps(self, event: events.Event) -> Commands:
        """What is to be done about an event; nothing is done here, so no generator stands between."""
        if isinstance(event, ResponseData):
            return self._on_data(event.data)
        if isinstance(event, events.Wakeup):
            return self._on_tick()
        if isinstance(event, GetHttpConnectionCompleted):
            return self._on_dialled(event)
        if isinstance(event, RequestProtocolError):
            return self._on_client_gone()
        if isinstance(event, ResponseProtocolError):
            return self._on_upstream_lost()
        if isinstance(event, ResponseHeaders):
            return self._on_head(event)
        if isinstance(event, ResponseEndOfMessage):
            return self._on_end()
        if isinstance(event, ResponseTrailers):
            return self._pass_over()  # as with the request's
        steps: Commands = self.client_state(event)
        return steps

    def _pass_over(self) -> Commands:
        yield from ()

    # -- time ---------------------------------------------------------------------------------------------------------

    @property
    def is_waiting(self) -> bool:
        """Whether it has to look at the time."""
        return bool(self._waits.phase) and self._upgraded is None

    def _on_tick(self) -> Commands:
        overdue = self._waits.overdue()
        if overdue:
            yield from self._out_of_time(overdue)
        elif self._waits.phase and (yield from self._pays_for_silence()):
            yield from self._arm()

    def _out_of_time(self, phase: str) -> Commands:
        if phase == "pause":
            yield from self._start()
        elif self._client_gone:
            yield from self._abandon_now()
            yield from self._end_drain("drain limit")
        elif phase != "total" and (yield from self._go_on("connect" if phase == "connect" else "timeout")):
            return
        elif self._committed or phase == "total":
            self._trip.fail_at_last("timeout", None)
            text = f"The upstream {self._trip.upstream_name} ran out of time ({phase})."
            yield from self._break_off(Refusal(504, "upstream_timeout", text))
        elif phase == "connect":
            self._connect_error = "connection in time"
            yield from self._fail("connect")
        else:
            yield from self._fail("timeout")
