"""What is said over one WebSocket: each response that a client asks for is a call of its own, with hold and record.

The addons put their stages in when the connection opens (`websocket_start`): each message of the client goes through
those of `add_stage`, each response that has ended through `end_stages`; what the server says goes through one
`StreamRewriter`. A stage that raises ends the connection: nothing goes on unread.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from math import ceil
from operator import itemgetter

from outwarden.errors import BodyError
from outwarden.flow.aside import Steps, Work, readable_bytes
from outwarden.flow.body import Body
from outwarden.flow.guard import where
from outwarden.flow.state import CallState, begin_alone, end
from outwarden.flow.texts import TextRefused
from outwarden.flow.transcriptions import Transcriptions
from outwarden.pii import KnownInSession, Vault
from outwarden.wire.format import Json, MessageFacts, Refusal, SessionFacts
from outwarden.wire.stream import StreamRewriter
from outwarden.wire.usage import SOUND_TOKENS_PER_S, Usage

logger = logging.getLogger(__name__)

# A client whose messages are refused one after the other (speech, 50 a second) is told once in this time.
TOLD_EVERY_S = 10.0
# No API has more than a handful of responses at work on one connection.
OPEN_MAX = 64
CUT = Refusal(502, "upstream_cut", "The upstream broke off in the middle of its answer.")


@dataclass(slots=True)
class Said:
    """One message of the client's on its way. ``call``: the response that it belongs to; ``body`` is what is sent.

    ``begins``: it asks for a response; ``joins``: by going on with this one, which is open.
    """

    body: Body
    call: CallState
    facts: MessageFacts = field(default_factory=MessageFacts)
    begins: bool = False
    joins: CallState | None = None

    @property
    def json(self) -> Json:
        """The message, where it is JSON."""
        return self.body.json


ClientStage = Callable[[Said], None]
EndStage = Callable[[CallState], None]


class Session:
    """The messages of one connection, both ways. ``call`` is the upgrade itself; ``vault`` serves all its responses."""

    def __init__(
        self, call: CallState, new_call: Callable[[], CallState], new_transcription: Callable[[str], CallState]
    ) -> None:
        self.call = call
        self.vault = Vault()
        self.known = KnownInSession()
        self._client_stages: list[tuple[ClientStage, bool]] = []
        self.end_stages: list[EndStage] = []
        self.rewriter: StreamRewriter | None = None
        self.read_remark: dict[bool, Callable[[str], str]] = {}  # by whether it is the client that says it
        self.detects_turns = self.answers = True
        self.transcriptions = Transcriptions(new_transcription, self._end)
        self.context_tokens = 0  # what the provider already has, as of the last usage
        self._new_call = new_call
        self._next: CallState | None = None
        self._open: deque[CallState] = deque()
        self._joined_silently = 0  # how many messages joined the response that has not begun to answer
        self._told_at = -TOLD_EVERY_S
        self._failed = False

    @property
    def next_call(self) -> CallState:
        """The response that the client's next messages belong to; it begins with the message that asks for it."""
        if self._next is None:
            self._next = self._new_call()
        return self._next

    @property
    def is_waiting(self) -> bool:
        """Whether a response was asked for and has not ended."""
        return bool(self._open)

    @property
    def is_answering(self) -> bool:
        """Whether the provider works on a response: its true cost is still to come."""
        return self.transcriptions.is_awaited or any(call.answered for call in self._open)

    def learn(self, facts: SessionFacts) -> None:
        """Take over what either side says of the session."""
        self.detects_turns = self.detects_turns if facts.detects_turns is None else facts.detects_turns
        self.answers = self.answers if facts.answers is None else facts.answers
        self.transcriptions.learn(facts)

    def joined_by(self, facts: MessageFacts) -> CallState | None:
        """The open response that a message goes on with; None: it begins one of its own."""
        if facts.joins == "any":
            return next(iter(self._open), None)  # the one that is answered called the tool
        last = self._open[-1] if self._open else None
        return last if facts.joins == "silent" and last and last.first_content_ms is None else None

    def add_stage(self, stage: ClientStage, *, reads: bool = False) -> None:
        """Let the client's messages go through one more stage; one that ``reads`` their texts may take its time."""
        self._client_stages.append((stage, reads))

    def remark(self, text: str, *, by_client: bool) -> str:
        """A text that stands in no message (why a side closes), as it may go on: as nothing, if it cannot be read."""
        if not text:
            return ""
        try:
            return self.read_remark[by_client](text)
        except Exception as error:
            logger.error("a remark could not be read: %s", where(error))
            return ""

    def count(self, text: str) -> int:
        """Count a piece of the answer, where its hold follows it; bytes where it does not."""
        purse = self._open[0].purse if self._open else None
        return purse.count(text) if purse and purse.metering else len(text.encode("utf-8", "replace"))

    # -- the client speaks ------------------------------------------------------------------------------------------

    def from_client(self, body: Body) -> Steps[bytes]:
        """Return the message as it may go on. Raises Refused, or BodyError for one that cannot be read."""
        said = Said(body, self.next_call)
        try:
            for reads, stages in groupby(self._client_stages, key=itemgetter(1)):
                work = Work(partial(run_stages, said, [stage for stage, _ in stages]), self._size(body) if reads else 0)
                yield work
                work.outcome()
        except TextRefused as refused:
            said.call.refuse(refused.refusal, "refused")
        if said.begins and said.joins is None and len(self._open) >= OPEN_MAX and not said.call.refusal:
            text = f"No more than {OPEN_MAX} responses are answered on one connection at once."
            said.call.refuse(Refusal(429, "too_many_responses", text), "refused", "too_many_responses")
        if said.call.refusal:
            self._refuse(said)
        if said.joins is not None:
            self._join(said.joins, said)
        elif said.begins:
            self._begin(said.call)
        return said.body.data

    def _size(self, body: Body) -> int:
        """How much there is to read; where no model reads, nothing takes long."""
        return readable_bytes(body.data) if body.kind != "binary" and self.call.rules.pii.ner else 0

    def _refuse(self, said: Said) -> None:
        """The message stays here, and with it all that was to be one response."""
        self._next = None
        refusal, now = said.call.refusal, time.monotonic()
        assert refusal
        told = said.facts.begins == "maybe" and now - self._told_at < TOLD_EVERY_S
        if not told:
            self._told_at = now if said.facts.begins == "maybe" else self._told_at
            self._end(said.call)
        raise Refused(refusal, said.json, silent=told)

    def _begin(self, call: CallState) -> None:
        self._open.append(begin_alone(call))
        self._next = None

    def _join(self, response: CallState, said: Said) -> None:
        """What was noted of the message, and of those before it, is the open response's."""
        response.take_over(said.call)
        self._joined_silently += said.facts.joins == "silent"
        self._next = None

    # -- the server speaks ------------------------------------------------------------------------------------------

    def from_server(self, data: bytes) -> Steps[list[bytes]]:
        """Return the messages that may go on to the client. Raises BodyError, Refused."""
        rewriter = self.rewriter
        if rewriter is None:
            return [data]
        out: list[bytes] = []
        work = Work(lambda: out.extend(rewriter.feed_message(data)), self._size(Body("text", data)))
        yield work
        work.outcome()
        if rewriter.malformed:
            raise BodyError("a message is not JSON")
        if rewriter.session or rewriter.transcriptions:
            self._note_session(rewriter)
        if rewriter.began or rewriter.ended or rewriter.usage:
            self._note_answer(rewriter)
        elif self._open and not self._open[0].spoken and not rewriter.error:
            self._open[0].answered = True  # it thinks, and that is billed; what speech began shows with its first word
        if rewriter.error and not rewriter.ended:
            self._note_error(rewriter)
        self._pay_on(rewriter, out)
        return out

    def _pay_on(self, rewriter: StreamRewriter, out: list[bytes]) -> None:
        """Hold the next slice of the response that is answered; where there is no money for it the connection ends."""
        call = self._open[0] if self._open else None
        if call and call.purse and not call.purse.follow(rewriter.counted):
            raise Refused(call.purse.stop(call), None, said=out)

    def _note_answer(self, rewriter: StreamRewriter) -> None:
        """The oldest open response is the one that is answered: providers answer in order."""
        if not self._open:
            if not rewriter.began:
                return
            self._begin_unasked()
        call = self._open[0]
        if self._joined_silently and rewriter.ended and not rewriter.began and not rewriter.usage:
            self._joined_silently -= 1  # the end of the message before, of which the provider said nothing
            rewriter.forget()
            return
        call.answered = True
        if call.first_content_ms is None:
            call.first_content_ms = (time.perf_counter() - call.started_s) * 1000
        if rewriter.ended:
            self._close(call, rewriter)
            rewriter.forget()

    def _note_session(self, rewriter: StreamRewriter) -> None:
        if rewriter.session:
            self.learn(rewriter.session)
            rewriter.session = None
        for event in rewriter.transcriptions:
            refused = self.transcriptions.take(event)
            if refused and refused.refusal:
                self._end(refused)
                raise Refused(refused.refusal, None)
        rewriter.transcriptions.clear()

    def _note_error(self, rewriter: StreamRewriter) -> None:
        """An error ends the response that it answers; one that nobody works on yet cost nothing."""
        call = next((call for call in self._open if call.first_content_ms is None), None)
        if call is None and self.call.operation.name != "realtime" and self._open:
            call = self._open[0]  # Responses: an error is the end of the one response
        if call is not None:
            call.reply_error = rewriter.error
            self._close(call, rewriter)
        rewriter.forget()

    def _begin_unasked(self) -> None:
        """The provider begins a response that no message asked for: it is held for now, or the connection ends."""
        said = Said(Body("empty", b""), self.next_call, MessageFacts(begins="now"))
        run_stages(said, [stage for stage, _ in self._client_stages])
        if said.call.refusal:
            self._refuse(said)
        self._begin(said.call)

    def _close(self, call: CallState, rewriter: StreamRewriter) -> None:
        call.usage = rewriter.usage
        call.served_model = rewriter.model or self.call.served_model
        call.output_text_bytes = rewriter.output_text_bytes
        if rewriter.usage:
            self.context_tokens = rewriter.usage.input_tokens + rewriter.usage.output_tokens
        self._open.remove(call)
        self._joined_silently = 0
        self._end(call)

    def fail(self, refusal: Refusal) -> None:
        """The connection ends by a rule, or by a failure of ours: so the response at work ends on record.

        What was held back stays here: it may be what the rule refuses."""
        self._failed = True
        if self._open:
            verdict = {"outwarden_error": "error", "message_unreadable": "error"}.get(refusal.code, "refused")
            self._open[0].refuse(refusal, verdict)

    # -- the end ----------------------------------------------------------------------------------------------------

    def finish(self, *, client_gone: bool) -> list[bytes]:
        """The connection is over: resolve what is open, in money and on record; return what was held back."""
        rest = self.rewriter.flush_messages() if self.rewriter else []
        while self._open:
            call = self._open.popleft()
            if self.rewriter and call.answered:
                call.usage, call.output_text_bytes = self.rewriter.usage, self.rewriter.output_text_bytes
            call.client_gone = client_gone
            if not (client_gone or self._failed) and (call.answered or not call.spoken):  # speech asks for nothing yet
                call.refuse(CUT, "failed")
            self._end_at_last(call)
        for call in self.transcriptions.finish(client_gone=client_gone):
            self._end_at_last(call)
        left, self._next = self._next, None
        if left is not None and (left.purse or (left.request_rewriter and left.request_rewriter.counts)):
            self._end(left)  # on record, too: what was taken out of messages that no response followed, a hold not used
        return [] if self._failed else rest

    def _end_at_last(self, call: CallState) -> None:
        try:
            self._end(call)
        except Exception as error:  # the others still end; this one's hold is resolved by the next start
            logger.error("a response could not be closed: %s", where(error))

    def _end(self, call: CallState) -> None:
        """All stages see the end, whichever fails: a hold must not stay open for an error elsewhere."""
        failed: Exception | None = None
        for stage in self.end_stages:
            try:
                stage(call)
            except Exception as error:  # raised below
                failed = failed or error
                call.verdict = "error"
        end(call)  # the stage that would do it may be the one that failed
        if failed is not None:
            raise failed


def run_stages(said: Said, stages: Sequence[ClientStage]) -> None:
    """Let a message go through stages."""
    for stage in stages:
        stage(said)


class Refused(Exception):
    """A message stays here; ``refusal`` names the rule. ``silent``: the client was told a moment ago.

    ``said``: what the server said before, which is still the client's.
    """

    def __init__(self, refusal: Refusal, message: Json, *, silent: bool = False, said: Sequence[bytes] = ()) -> None:
        super().__init__(refusal.code)
        self.said = said
        self.refusal = refusal
        self.message = message
        self.silent = silent


def may_be_billed(call: CallState) -> bool:
    """Whether a response that reported no usage may have cost something: once the provider worked on it."""
    return call.answered and call.reply_error is None


def estimate(call: CallState) -> Usage:
    """What was seen: the counted input, and one output token per byte of text, within the call's own limit.

    Of a transcription: the speech that was sent for it.
    """
    assert call.purse
    counted = call.purse.counted_tokens
    if call.sound_s:
        counted = min(counted, ceil(call.sound_s * SOUND_TOKENS_PER_S))
    metering = call.purse.metering
    seen = metering.counted if metering and metering.kind == "metered" else call.output_text_bytes
    return Usage(input_tokens=counted, output_tokens=call.purse.used_output(seen))
