"""A streamed reply on its way to the client: decode, read, redact, restore; nothing may raise out of it."""

import logging

from outwarden.errors import BodyError, NotTranslatable
from outwarden.flow.guard import where
from outwarden.flow.texts import TextRefused
from outwarden.wire.encodings import Decoder, codings
from outwarden.wire.format import Format, Framing, Operation, Refusal
from outwarden.wire.stream import StreamRewriter
from outwarden.wire.translation import StreamTranslation

logger = logging.getLogger(__name__)

# The largest reply a stream may bring, decoded; a stream of 1 M tokens stays well below it.
MAX_STREAM_BYTES = 1 << 30
# What one piece of an encoded stream (64 KiB, mostly) may unfold to; text unfolds to a tenth of it.
MAX_PIECE_BYTES = 8 << 20


class ReplyStream:
    """Bytes of the upstream in, bytes for the client out.

    ``broken`` names our own failure, after which nothing more comes out: the caller ends the stream by `refusal`.
    """

    def __init__(
        self,
        rewriter: StreamRewriter,
        encoding: str,
        format: Format,
        operation: Operation,
        framing: Framing,
        translation: StreamTranslation | None = None,
    ):
        self.rewriter = rewriter
        self.framing: Framing = framing
        self.broken: str | None = None
        self.refusal: Refusal | None = None  # the rule that broke it, if it was one
        self.upstream_fault = False  # what broke it is the upstream's, so another may do better
        self._format = format
        self._operation = operation
        self._translation = translation  # from the upstream's format, which the rewriter reads, to ``format``
        self._decoder = Decoder(encoding, MAX_STREAM_BYTES, MAX_PIECE_BYTES) if codings(encoding) else None

    @property
    def began(self) -> bool:
        """Whether first content has come."""
        return self.rewriter.began

    @property
    def error(self) -> str | None:
        """The kind of an in-band error, if one came."""
        return self.rewriter.error

    @property
    def complete(self) -> bool:
        """Whether the stream said that it is over, well or not; a body that ends before that was cut."""
        return self.rewriter.ended or self.rewriter.error is not None

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the upstream, return what may go on to the client."""
        if self.broken:
            return b""
        try:
            out = self.rewriter.feed(self._decoder.feed(data) if self._decoder else data)
            self._stop_at_malformed()
            return self._translation.feed(out) if self._translation else out
        except Exception as error:  # a stage that raises would leave the client hanging (DESIGN.md §3.1)
            return self._break("stream", error)

    def finish(self) -> bytes:
        """The upstream has ended: return the rest."""
        if self.broken:
            return b""
        try:
            if self._decoder:
                self._decoder.finish()
            out = self.rewriter.flush()
            self._stop_at_malformed()
            return self._finish_translation(out) if self._translation else out
        except Exception as error:  # as in feed
            return self._break("stream end", error)

    def _finish_translation(self, rest: bytes) -> bytes:
        assert self._translation
        if rest and not self.rewriter.events:
            raise BodyError("it is no event stream")
        return self._translation.feed(rest) + self._translation.flush()

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
