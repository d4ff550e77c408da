"""A stream that breaks off after its client has seen some of it: another upstream goes on, if the route says so.

`rescue: continue`. The client sees one message. What was said so far is asked for no second time: it is the beginning
of the assistant's turn in what the next upstream is sent, as the first one said it, so that nothing is in it that was
put back for the client. Whatever is in the way of that, the stream ends with an error, as it does without the rule.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from mitmproxy.proxy import layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import SendHttp
from mitmproxy.proxy.layers.http._events import ResponseData, ResponseHeaders

from outwarden.errors import BodyError
from outwarden.flow.aiming import Beginning
from outwarden.flow.delivery import Delivery
from outwarden.flow.framing import check_reply
from outwarden.flow.state import CallState
from outwarden.flow.upload import Commands
from outwarden.routing import Attempt as Choice
from outwarden.routing import Failure, GiveUp, failure_of_status, retry_after
from outwarden.wire.format import Refusal
from outwarden.wire.usage import Usage

if TYPE_CHECKING:
    from outwarden.flow.call_layer import CallLayer
    from outwarden.flow.reply import ReplyStream

logger = logging.getLogger(__name__)

# So often others may go on with one answer; each of them gets all that was said before, and is paid for it.
CONTINUATIONS_MAX = 3


class Continuing(Delivery):
    """A stream whose reply may be given by several upstreams, one after the other."""

    def __init__(self, context: Context, stream_id: int, parent: CallLayer) -> None:
        super().__init__(context, stream_id, parent)
        self._continuations = 0
        self._sent = ""  # what the current upstream was asked to go on with
        self._spent = Usage()  # by all before it

    @property
    def _reply(self) -> ReplyStream | None:
        """The reply that a client has seen some of, and that somebody may go on with."""
        reply = self._call.reply if self._call and self._committed and self._mode == "stream" else None
        return reply if reply and reply.answer and not self._client_gone and not self._finished else None

    @property
    def _resumes(self) -> bool:
        """Whether another upstream was asked to go on, and has not begun to answer."""
        return self._committed and bool(self._reply) and not self._reply.heard  # type: ignore[union-attr]

    def _begin_anew(self, call: CallState) -> None:
        if not self._committed:
            super()._begin_anew(call)

    # -- somebody is to go on -----------------------------------------------------------------------------------------

    def _go_on(
        self, failure: Failure, status: int | None = None, retry_after_s: float | None = None
    ) -> layer.CommandGenerator[bool]:
        """The current upstream broke off: ask the next to go on, if one may. Tells whether one was asked."""
        call, reply = self._call, self._reply
        if call is None or reply is None or (said := self._said(call, reply)) is None:
            return False
        purse = call.purse
        used = reply.usage or Usage()
        left = purse.leave(reply.usage, reply.counted) if purse and reply.began else None
        before = purse.take_up(said, left.usage if left else Usage()) if purse else None
        limit = purse.taken.output_limit if purse else None
        choice = self._trip.go_on(Beginning(said, limit), failure, status, retry_after_s)
        if isinstance(choice, GiveUp):
            if purse and before:
                purse.put_back(before)
            if purse and left:
                purse.stay(left)
            return False
        self._continuations += 1
        self._sent = said
        self._spent = purse.taken.used if purse else self._spent.plus(used)
        reply.pause()
        yield from self._set_out(choice)
        return True

    def _said(self, call: CallState, reply: ReplyStream) -> str | None:
        """What somebody may be asked to go on with; None: nobody may be asked."""
        assert reply.answer
        obstacle = reply.answer.obstacle
        if obstacle is None and not self._continuations:
            obstacle = self._trip.obstacle
        if obstacle is not None:
            logger.info("call %s cannot be gone on with: %s", call.call_id, obstacle)
        if obstacle is not None or self._continuations >= CONTINUATIONS_MAX or call.as_sent is None:
            return None
        return call.as_sent(reply.answer.beginning)

    def _set_out(self, choice: Choice) -> Commands:
        yield from self._abandon()
        if choice.delay_s > 0:
            yield from self._await("pause", choice.delay_s)
        else:
            yield from self._start()

    # -- it answers ---------------------------------------------------------------------------------------------------

    def _on_head(self, event: ResponseHeaders) -> Commands:
        if not self._resumes:
            yield from super()._on_head(event)
            return
        status = event.response.status_code
        failure = failure_of_status(status)
        if status >= 400 and failure is None:
            yield from self._decline(status)
        elif failure or not self._takes_up(event):
            asked = retry_after(event.response.headers, time.time())
            if not (yield from self._go_on(failure or "stream_error", status, asked)):
                yield from self._break_off(self._cut_short())
        else:
            self._head, self._noted = event, False
            yield from self._await("first_content", self._trip.timeouts.first_content)

    def _takes_up(self, event: ResponseHeaders) -> bool:
        """Whether this answer can be read, and written as more of what the client has."""
        call = self._call
        if event.end_stream or call is None or call.resume_reply is None:
            return False
        try:
            check_reply(event.response)
            return call.resume_reply(event.response, self._sent, self._spent)
        except BodyError:
            return False

    def _decline(self, status: int) -> Commands:
        """It does not take what it is asked for; another may."""
        choice = self._trip.decline(status)
        if isinstance(choice, GiveUp):
            yield from self._break_off(self._cut_short())
        else:
            yield from self._set_out(choice)

    def _cut_short(self) -> Refusal:
        text = (
            f"An upstream broke off in the middle of its answer, and {self._trip.upstream_name} did not go on with it."
        )
        return Refusal(502, "upstream_cut", text)

    # -- it breaks off ------------------------------------------------------------------------------------------------

    def _on_stream_data(self, data: bytes) -> Commands:
        yield from super()._on_stream_data(data)
        reply = self._reply
        if reply is None:
            return
        if self._waits.phase == "first_content" and reply.began:
            self._note_content()
            yield from self._await("idle", self._trip.timeouts.idle)
        if reply.cut and not (yield from self._go_on("stream_error")):
            yield from self._show_the_end(reply)

    def _show_the_end(self, reply: ReplyStream) -> Commands:
        """Nobody goes on: the client is shown how a first stream ended; a later one's end is in no words of its own."""
        assert reply.answer
        if reply.answer.continues:
            yield from self._break_off(self._cut_short())
            return
        out = reply.release()
        if reply.broken:
            yield from self._on_stream_broken(reply.broken)
        elif out:
            yield SendHttp(ResponseData(self.stream_id, out), self.context.client)

    def _on_end(self) -> Commands:
        if self._head and (reply := self._reply):
            out = reply.close()
            if out:
                yield SendHttp(ResponseData(self.stream_id, out), self.context.client)
            # Its connection is closed, as that of every attempt that is left: HTTP/1's is not free for the next before
            # this end of its answer has been dealt with.
            if reply.cut and (yield from self._go_on("stream_error")):
                return
        yield from super()._on_end()

    def _on_upstream_lost(self) -> Commands:
        reply = self._reply
        if reply and not reply.complete:
            self._has_ended()
            if (yield from self._go_on("stream_error" if reply.heard else "connect")):
                return
        yield from super()._on_upstream_lost()

    def _fail(self, failure: Failure) -> Commands:
        if not self._resumes:
            yield from super()._fail(failure)
        elif not (yield from self._go_on(failure)):
            yield from self._break_off(self._last_words(failure))
