"""Several streams, one after the other, as one: what follows is written as more of the first, in its format."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Literal

import orjson

from outwarden.errors import BodyError
from outwarden.wire.continuation.prefill import CONTINUED, Way
from outwarden.wire.continuation.said import SaidSoFar
from outwarden.wire.continuation.seam import Seam
from outwarden.wire.events import StreamEvent
from outwarden.wire.format import EventFacts, Format, Operation
from outwarden.wire.json_tree import parse_all
from outwarden.wire.sse import SseCodec
from outwarden.wire.translation.anthropic_stream import Writer as AnthropicWriter
from outwarden.wire.translation.deltas import Began, Called, Failed, Over, Piece, Said, Stopped, Used
from outwarden.wire.translation.neutral import Spent, need
from outwarden.wire.translation.openai_stream import Writer as OpenaiWriter
from outwarden.wire.translation.tongue import TONGUES, Writer
from outwarden.wire.usage import Usage

MAX_EVENT_BYTES = 8 * 2**20  # as StreamRewriter

Cut = Literal["", "cut", "error", "malformed"]


class Answer:
    """One answer that several upstreams may give. Bytes of the current one in, events of the first one's format out.

    ``cut``: how the current stream broke off after its first content: by an in-band ``error``, by an event that is not
    JSON (``malformed``), or because it ended too early (``cut``, at `finish`). What it said from there on is withheld;
    `release` gives it after all, of a first stream. The rest is about the current stream alone: ``began`` (first
    content came), ``ended`` (it said that it is over), ``usage`` and ``model`` as reported, ``usage_reports``: how
    often its reported output grew.
    """

    def __init__(self, format_name: str, format: Format, operation: Operation, *, tells_usage: bool = True) -> None:
        self._format_name = format_name
        self._said = SaidSoFar(format_name)
        self._tells_usage = tells_usage
        self._source: _Source = _First(format, operation, self._said)
        self._writer: Writer | None = None
        self.continues = False  # whether the current stream is not the first

    @staticmethod
    def is_for(format_name: str, operation_name: str) -> bool:
        """Whether answers of this operation can be gone on with."""
        return CONTINUED.get(format_name) == operation_name

    @property
    def obstacle(self) -> str | None:
        """Why nobody may go on with what was said; None: somebody may."""
        return self._said.obstacle

    @property
    def beginning(self) -> str:
        """What was said so far, without the white space at its end: what another model is asked to go on with."""
        return self._said.text.rstrip()

    @property
    def cut(self) -> Cut:
        """As the class says; the others likewise."""
        return self._source.cut

    @property
    def began(self) -> bool:
        return self._source.began

    @property
    def ended(self) -> bool:
        return self._source.ended

    @property
    def usage(self) -> Usage | None:
        return self._source.usage

    @property
    def usage_reports(self) -> int:
        return self._source.usage_reports

    @property
    def model(self) -> str | None:
        return self._source.model

    def resume(self, format_name: str, format: Format, operation: Operation, way: Way, sent: str, spent: Usage) -> None:
        """From here on comes the stream of an upstream that was asked, in this ``way``, to go on with ``sent``.

        ``spent``: what all before it used; it is added to what this one reports.
        """
        text = self._said.text
        seam = Seam(text[len(text.rstrip()) :], sent if way.echoes else "")
        self._source = _Next(format_name, format, operation, self._said, seam, self._write_on(), spent_of(spent))
        self.continues = True

    def feed(self, data: bytes) -> bytes:
        """Take bytes of the current stream. Raises BodyError and NotTranslatable, where it cannot be read."""
        return self._source.feed(data)

    def finish(self) -> bytes:
        """The current stream has ended: return the rest."""
        return self._source.finish()

    def release(self) -> bytes:
        """Nobody goes on: return what was withheld of a first stream. What another said cannot be shown as it is."""
        return self._source.release()

    def _write_on(self) -> Writer:
        """A writer in the middle of the message: its beginning, which the reader has, is written to nobody."""
        if self._writer is None:
            said = self._said
            is_openai = self._format_name == "openai"
            self._writer = OpenaiWriter(self._tells_usage, said.created) if is_openai else AnthropicWriter()
            self._writer.write(Began(said.id, said.model, Spent()))
            if said.is_open:
                self._writer.write(Said(" "))
        return self._writer


def spent_of(usage: Usage) -> Spent:
    """Tokens as clients are told them."""
    return Spent(
        usage.input_tokens,
        usage.cached_input_tokens,
        usage.cache_write_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
    )


def _sum(one: Spent, other: Spent) -> Spent:
    return Spent(*(getattr(one, each.name) + getattr(other, each.name) for each in fields(Spent)))


class _Source(ABC):
    """One upstream's stream."""

    def __init__(self, format: Format, operation: Operation, said: SaidSoFar) -> None:
        self.cut: Cut = ""
        self.began = self.ended = False
        self.usage: Usage | None = None
        self.usage_reports = 0
        self.model: str | None = None
        self._format = format
        self._operation = operation
        self._said = said
        self._codec = SseCodec(MAX_EVENT_BYTES)
        self._withheld = bytearray()

    def feed(self, data: bytes) -> bytes:
        return b"".join(map(self._take, self._codec.feed(data)))

    def finish(self) -> bytes:
        """An event that no empty line ended counts where it is the last; of others nobody knows that they are whole."""
        rest = b""
        for event in self._codec.flush():
            if self.cut or self.ended or self._is_last(event):
                rest += self._take(event)
            else:
                self._withheld += event.raw
        if not self.cut and self._may_cut():
            self.cut = "cut"
        return rest

    def _is_last(self, event: StreamEvent) -> bool:
        if event.data is None:
            return not self.began  # no event stream, perhaps
        facts = self._format.read_event(self._operation, event.name, _tree(event.data))
        return facts.end or facts.error is not None

    def release(self) -> bytes:
        self._withheld += b"".join(event.raw for event in self._codec.flush())
        released, self._withheld = bytes(self._withheld), bytearray()
        return released

    def _take(self, event: StreamEvent) -> bytes:
        if self.cut:
            self._withheld += event.raw
            return b""
        if event.data is None:
            return self._pass(event, None)
        tree = _tree(event.data)
        malformed = isinstance(tree, str) and tree.startswith("{")
        facts = EventFacts() if malformed else self._format.read_event(self._operation, event.name, tree)
        failed = facts.error is not None and facts.error != "content_filter"  # what a filter stops, nobody goes on with
        if (malformed or failed) and self._may_cut():
            self.cut = "malformed" if malformed else "error"
            self._withheld += event.raw
            return b""
        self._learn(facts)
        return self._pass(event, tree)

    def _learn(self, facts: EventFacts) -> None:
        self.began |= facts.content
        self.ended |= facts.end or facts.error is not None
        self.model = facts.model or self.model
        if facts.usage is not None:
            known = self.usage or Usage()
            self.usage = known.latest(facts.usage)
            self.usage_reports += self.usage.output_tokens > known.output_tokens

    @abstractmethod
    def _may_cut(self) -> bool:
        """Whether what breaks off here is for another to go on with; else it passes as it is."""

    @abstractmethod
    def _pass(self, event: StreamEvent, tree: Any) -> bytes:
        """What of an event goes on to the reader; ``tree`` None: it carries no data."""


class _First(_Source):
    """The stream that began the answer passes as it came."""

    def _may_cut(self) -> bool:
        return self.began and not self.ended

    def _pass(self, event: StreamEvent, tree: Any) -> bytes:
        if tree is not None:
            self._said.take(event.name, tree)
        return event.raw


class _Next(_Source):
    """A stream that goes on with it is read, and written as more of the first."""

    def __init__(
        self,
        format_name: str,
        format: Format,
        operation: Operation,
        said: SaidSoFar,
        seam: Seam,
        writer: Writer,
        spent: Spent,
    ) -> None:
        super().__init__(format, operation, said)
        self._reader = TONGUES[format_name].reader()
        self._seam = seam
        self._writer = writer
        self._spent = spent
        self._stopped = self._over = False
        writer.write(Used(spent))  # should this one report nothing

    def finish(self) -> bytes:
        return super().finish() + (b"" if self.cut else self._write(self._reader.finish()))

    def release(self) -> bytes:
        super().release()
        return b""

    def _may_cut(self) -> bool:
        return not self.ended

    def _pass(self, event: StreamEvent, tree: Any) -> bytes:
        return b"" if tree is None else self._write(self._reader.read(event.name, tree))

    def _write(self, pieces: Iterator[Piece]) -> bytes:
        return b"".join(self._writer.write(joined) for piece in pieces for joined in self._joined(piece))

    def _joined(self, piece: Piece) -> Iterator[Piece]:
        if self._over:
            return
        match piece:
            case Began():
                return
            case Said():
                yield from self._more(self._seam.feed(piece.text))
                return
            case Used():
                yield Used(_sum(self._spent, piece.spent))
                return
            case Called():
                yield from self._more(self._seam.flush())
                self._said.hinder("a tool call has begun")
            case Stopped():
                yield from self._more(self._seam.flush())
                self._said.hinder("the answer is over")
                self._stopped = True
            case Over():
                need(self._stopped, "the stream ends, and does not say why")
                self._over = True
            case Failed():  # behind the end; before it that is a cut
                self._over = True
        yield piece

    def _more(self, text: str) -> Iterator[Piece]:
        if text:
            self._said.say(text)
            yield Said(text)


def _tree(data: bytes) -> Any:
    """The document of an event; what is none is a str."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            return parse_all(data)
        except BodyError:
            return data.decode("utf-8", "surrogateescape").strip()
