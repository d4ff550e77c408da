"""A streamed reply on its way to the client: decode, read, redact, restore; nothing may raise out of it."""

import logging
from collections.abc import Callable

from outwarden.errors import BodyError, NotTranslatable
from outwarden.flow.guard import where
from outwarden.flow.texts import TextRefused
from outwarden.wire.continuation import Answer, Way
from outwarden.wire.encodings import Decoder, codings
from outwarden.wire.format import Format, Framing, Operation, Refusal
from outwarden.wire.stream import StreamRewriter
from outwarden.wire.translation import StreamTranslation
from outwarden.wire.usage import Usage

logger = logging.getLogger(__name__)

# The largest reply a stream may bring, decoded; a stream of 1 M tokens stays well below it.
MAX_STREAM_BYTES = 1 << 30
# What one piece of an encoded stream (64 KiB, mostly) may unfold to; text unfolds to a tenth of it.
MAX_PIECE_BYTES = 8 << 20


type Tongue = tuple[str, Format, Operation]  # the name of an upstream's format, the format, what it was asked for


def _decoder(encoding: str) -> Decoder | None:
    return Decoder(encoding, MAX_STREAM_BYTES, MAX_PIECE_BYTES) if codings(encoding) else None


class ReplyStream:
    """Bytes of the upstream in, bytes for the client out.

    ``broken`` names our own failure, after which nothing more comes out: the caller ends the stream by `refusal`.

    With an ``answer`` several upstreams may give this reply, one after the other: what breaks off stops the stream
    (`cut`), until either another goes on (`pause`, `resume`) or nobody does (`release`). Then ``began``, ``usage``,
    ``model``, ``counted`` and ``counted_since`` are those of the current upstream; ``heard``: it has begun to answer.
    """

    def __init__(
        self,
        rewriter: StreamRewriter,
        encoding: str,
        format: Format,
        operation: Operation,
        framing: Framing,
        translation: StreamTranslation | None = None,
        answer: Answer | None = None,
    ):
        self.rewriter = rewriter
        self.framing: Framing = framing
        self.broken: str | None = None
        self.refusal: Refusal | None = None  # the rule that broke it, if it was one
        self.upstream_fault = False  # what broke it is the upstream's, so another may do better
        self.heard = True
        self.answer = answer
        self._format = format
        self._operation = operation
        self._translation = translation  # from the upstream's format, which the rewriter reads, to ``format``
        self._decoder = _decoder(encoding)
        self._counted_before = 0  # output of the upstreams before the current one
        self._counted_reported = 0  # output when the current one last reported its usage
        self._closed = False

    @property
    def _next(self) -> Answer | None:
        """The answer, where it is not the first upstream's stream any more."""
        return self.answer if self.answer and (self.answer.continues or not self.heard) else None

    @property
    def began(self) -> bool:
        """Whether first content has come."""
        return self.heard and (self._next.began if self._next else self.rewriter.began)

    @property
    def ended(self) -> bool:
        """Whether the stream said that it is complete."""
        return self.rewriter.ended

    @property
    def usage(self) -> Usage | None:
        """What was used, as reported last."""
        if not self.heard:
            return None
        return self._next.usage if self._next else self.rewriter.usage

    @property
    def model(self) -> str | None:
        """The model that answers, as it says itself."""
        return self._next.model if self._next and self.heard else self.rewriter.model

    @property
    def counted(self) -> int:
        """Output so far (see `StreamRewriter`)."""
        return self.rewriter.counted - self._counted_before

    @property
    def counted_since(self) -> int:
        """Output that came since usage was reported last."""
        return self.rewriter.counted - self._counted_reported if self._next else self.rewriter.counted_since

    @property
    def error(self) -> str | None:
        """The kind of an in-band error, if one came."""
        return self.rewriter.error

    @property
    def complete(self) -> bool:
        """Whether the stream said that it is over, well or not; a body that ends before that was cut."""
        return self.rewriter.ended or self.rewriter.error is not None

    @property
    def cut(self) -> bool:
        """Whether the current upstream broke off, and somebody has to decide who goes on, if anybody does."""
        return self.heard and self.answer is not None and bool(self.answer.cut) and self.broken is None

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the upstream, return what may go on to the client."""
        if self.broken:
            return b""
        try:  # as `_guarded`, without a step between: this is done for each event
            return self._rewrite(self._read(data) if self._decoder or self.answer else data)
        except Exception as error:
            return self._break("stream", error)

    def close(self) -> bytes:
        """The upstream has ended: return what it said whole. Something may be left, for `finish`."""
        return self._guarded("stream end", self._close)

    def finish(self) -> bytes:
        """The upstream has ended, and so has the reply: return the rest."""
        return self._guarded("stream end", self._finish)

    def release(self) -> bytes:
        """Nobody goes on with a stream that was cut: return what it said from there on."""
        return self._guarded("stream", self._release)

    def pause(self) -> None:
        """The current upstream is left; another is asked to go on with what it said."""
        self.heard = False
        self._counted_before = self._counted_reported = self.rewriter.counted

    def resume(self, tongue: Tongue, encoding: str, way: Way, sent: str, spent: Usage) -> None:
        """The next upstream begins to answer: it was asked, in this ``way``, to go on with ``sent``.

        ``spent``: what all before it used.
        """
        assert self.answer
        self.answer.resume(*tongue, way, sent, spent)
        self.heard, self._closed = True, False
        self._decoder = _decoder(encoding)

    def _read(self, data: bytes) -> bytes:
        plain = self._decoder.feed(data) if self._decoder else data
        if self.answer is None:
            return plain
        reports = self.answer.usage_reports
        events = self.answer.feed(plain)
        if self.answer.usage_reports > reports:  # an upstream tells its use with the last of its output, or behind it
            self._counted_reported = self.rewriter.counted
        return events

    def _rewrite(self, events: bytes) -> bytes:
        out = self.rewriter.feed(events)
        self._stop_at_malformed()
        return self._translation.feed(out) if self._translation else out

    def _close(self) -> bytes:
        if self._closed:
            return b""
        self._closed = True
        if self._decoder and not self.ended:  # a coding that is cut behind the end of the answer has lost nothing of it
            self._decoder.finish()
        return self._rewrite(self.answer.finish()) if self.answer else b""

    def _finish(self) -> bytes:
        out = self._close() + self._release()
        rest = self.rewriter.flush()
        self._stop_at_malformed()
        return out + (self._finish_translation(rest) if self._translation else rest)

    def _release(self) -> bytes:
        if self.answer is None:
            return b""
        withheld = self.answer.release()
        if not self.answer.continues:
            self.answer = None  # what follows passes as it comes
        return self._rewrite(withheld) if withheld else b""

    def _finish_translation(self, rest: bytes) -> bytes:
        assert self._translation
        if rest and not self.rewriter.events:
            raise BodyError("it is no event stream")
        return self._translation.feed(rest) + self._translation.flush()

    def _guarded(self, step: str, work: Callable[[], bytes]) -> bytes:
        if self.broken:
            return b""
        try:
            return work()
        except Exception as error:  # a stage that raises would leave the client hanging (DESIGN.md §3.1)
            return self._break(step, error)

    def _stop_at_malformed(self) -> None:
        """An event that is no JSON would break the client's parser, and hides text from ours."""
        if self.rewriter.malformed:
            raise BodyError("an event of the stream is not JSON")

    def _break(self, step: str, error: Exception) -> bytes:
        told = isinstance(error, BodyError | NotTranslatable)
        reason = str(error) if told else "an internal error"
        logger.error("reply %s stopped: %s", step, reason if told else where(error))
        self.broken = reason
        self.refusal = error.refusal if isinstance(error, TextRefused) else None
        # Frames with false checksums or lengths, what is no JSON or does not unpack: bytes that the upstream sent.
        self.upstream_fault = told and self.refusal is None
        return b""

    def refuse(self, refusal: Refusal) -> bytes:
        """The format's error event for ``refusal``, to end a stream that has begun."""
        event = self._format.refuse_event(self._operation, self.framing, refusal)
        unbegun = self.framing == "json-array" and self._translation and not self._translation.wrote
        return b"[" + event.removeprefix(b",") if unbegun else event
