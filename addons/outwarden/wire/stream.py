"""Rewrite a streamed reply event by event: hold an event only while its text may still become a finding.

Per channel (an answer, a tool call's arguments, a reasoning text) the pieces go through one rewriter. An event leaves
when each of its pieces is decided, in the order they came; an edit goes into the strings of the events, the replacement
where the found span begins. Without a finding the bytes are the same.
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

import orjson

from outwarden.errors import BodyError
from outwarden.wire.aws_events import AwsEventsCodec
from outwarden.wire.body import ask, rewrite_json
from outwarden.wire.edits import Edit, TextRewriter
from outwarden.wire.event_parts import delta_texts, marks_of, null_usage
from outwarden.wire.event_shapes import Shape, Shapes
from outwarden.wire.events import Codec, Event, StreamEvent, too_long
from outwarden.wire.format import EventFacts, Format, Framing, Json, Operation, SessionFacts, Transcription
from outwarden.wire.hold import Channel, Held, Piece, plain_splices
from outwarden.wire.json_array import JsonArrayCodec
from outwarden.wire.json_document import Document
from outwarden.wire.json_text import Splice, escapes_non_ascii, scannable
from outwarden.wire.json_tree import BOM, parse_all, read_json
from outwarden.wire.json_walk import read_tree
from outwarden.wire.messages import MessageCodec
from outwarden.wire.ndjson import NdjsonCodec
from outwarden.wire.offsets import Offsets, Record, Target, Whole
from outwarden.wire.splice import Answers, leaves, leaves_of, splice_document, text_edits
from outwarden.wire.sse import SseCodec
from outwarden.wire.token_lists import TokenList, may_have_token_lists, token_lists
from outwarden.wire.usage import Usage

# Rewriters bound their own hold to a few hundred characters; these bounds only stop a stream that sends no text at all
# between two pieces (padding, pings). The longest recorded stream has about 5,000 events.
HELD_EVENTS_MAX = 4096
HELD_BYTES_MAX = 4 * 2**20
# A reply has a few; beyond this the provider makes up a new one for each event. All are then finished and forgotten.
CHANNELS_MAX = 4096
# Field names, ids and roles come back in every event; texts up to this length without a finding are not asked again.
_CLEAN_CHARACTERS_MAX = 64
_CLEAN_TEXTS_MAX = 1024

_CODECS: dict[Framing, Callable[[int], Codec]] = {
    "sse": SseCodec,
    "ndjson": NdjsonCodec,
    "json-array": JsonArrayCodec,
    "messages": MessageCodec,
    "aws-event-stream": AwsEventsCodec,
}


class StreamRewriter:
    """Bytes in, rewritten bytes out, and what the stream said about itself.

    ``began``: first output was seen (before it, a call may still be moved elsewhere). ``error``: the kind of the first
    in-stream error. ``ended``: the stream said that it is complete. ``usage`` and ``model``: as reported last.
    ``output_text_bytes``: UTF-8 bytes of output text so far. ``counted``: all output so far, in what ``count`` makes of
    a text (None: bytes); ``counted_since``: the part of it that no usage covers yet. ``events``: events with data.
    ``malformed``: events that began like JSON and were none. ``drop_usage_only``: read, but do not send on, the event
    that only tells the usage (for a client that did not ask for it); ``drop_null_usage``: leave ``"usage":null`` out.

    Framing ``messages``: use ``feed_message`` and ``flush_messages``; each message stays one. ``session`` and
    ``transcriptions``: what was said of those and not yet taken, by whoever reads them. Memory stays flat over
    any number of replies: what ends a reply (``closes="all"``) ends what is remembered of its texts.

    A queue beyond HELD_EVENTS_MAX or HELD_BYTES_MAX is let go: all channels are finished, what is found so far is
    replaced, and a finding across that place is missed. Raises BodyError where an event exceeds ``max_event_bytes``.
    """

    def __init__(
        self,
        format: Format,
        operation: Operation,
        framing: Framing,
        rewriter: TextRewriter,
        *,
        max_event_bytes: int = 8 * 2**20,
        drop_usage_only: bool = False,
        drop_null_usage: bool = False,
        count: Callable[[str], int] | None = None,
    ) -> None:
        self._begin()
        self.session: SessionFacts | None = None
        self.transcriptions: list[Transcription] = []
        self._format = format
        self._operation = operation
        self._rules = format.text_rules(operation)
        self._rewriter = rewriter
        self._codec: Codec = _CODECS[framing](max_event_bytes)
        self._max_event_bytes = max_event_bytes
        self._drop_usage_only = drop_usage_only
        self._drop_null_usage = drop_null_usage
        self._count = count
        self._framing = framing
        self._whole = False
        self._head: bytearray | None = bytearray() if framing == "sse" else None
        self._channels: dict[Hashable, Channel] = {}
        self._queue: deque[Held] = deque()
        self._held_bytes = 0
        self._clean: set[str] = set()
        self._shapes = Shapes(self._rules.padding)
        self._found_whole = False  # in the strings of the last event that are no pieces, be it only to report

    def _begin(self) -> None:
        self.began = False
        self.error: str | None = None
        self.ended = False
        self._usage: Usage | None = None
        self._usage_is_shared = False
        self.model: str | None = None
        self.output_text_bytes = 0
        self.counted = self._counted_before = self._reported = 0
        self.events = 0
        self.malformed = 0

    @property
    def usage(self) -> Usage | None:
        """What was used, as reported last."""
        if self._usage_is_shared and self._usage is not None and self._usage.raw is not None:
            own = orjson.loads(orjson.dumps(self._usage.raw))  # the next event is written into the shape's tree
            self._usage = self._usage.with_raw(own)
        self._usage_is_shared = False
        return self._usage

    @property
    def counted_since(self) -> int:
        """Output that came since usage was reported last, as ``counted``."""
        return self.counted - self._counted_before

    def feed(self, data: bytes) -> bytes:
        """Take bytes as they come; return those that can leave."""
        if self._head is not None:
            self._head += data
            if self._is_whole():
                return b""
            data, self._head = bytes(self._head), None
        return b"".join(self._feed(data))

    def feed_message(self, data: bytes) -> list[bytes]:
        """Take one message; return those that can leave now, in order."""
        return self._feed(data)

    def flush_messages(self) -> list[bytes]:
        """Return the messages that are left. More may be fed after it: what is held then leaves at once."""
        self._close("all")
        return self._release()

    def forget(self) -> None:
        """A reply is over and its facts were read: those of the next one on the same connection begin anew.

        Its texts are finished too; what they hold back leaves with the next message."""
        self._close("all")
        self._begin()

    def flush(self) -> bytes:
        """The upstream has ended: return all that is left."""
        if self._head is not None:
            whole, self._head = bytes(self._head), None
            return self._rewrite_whole(whole) if self._whole else whole
        for event in self._codec.flush():
            self._take(event)
        self._close("all")
        return b"".join(self._release())

    def _feed(self, data: bytes) -> list[bytes]:
        for event in self._codec.feed(data):
            self._take(event)
        return self._release()

    def _is_whole(self) -> bool:
        """Tell whether this is no SSE, but one JSON body (errors come so), or too short to tell."""
        head = self._head or bytearray()
        cut_in_bom = len(head) <= len(BOM) and BOM.startswith(bytes(head))
        if not self._whole and not cut_in_bom:
            first = head.removeprefix(BOM).lstrip()[:1]
            self._whole = bytes(first) in (b"{", b"[")
            return not first or self._whole
        if len(head) > self._max_event_bytes:
            raise too_long(self._max_event_bytes)
        return True

    def _rewrite_whole(self, body: bytes) -> bytes:
        try:
            tree = read_json(body)
        except BodyError:  # cut short, or not JSON after all: an event without a name
            self._take(Event(body, body, None, ((0, len(body)),)))
            self._close("all")
            return b"".join(self._release())
        facts = self._format.read_reply(self._operation, tree, {})
        self._usage, self.model, self.error = facts.usage, facts.model, facts.error
        self.began = self.ended = facts.error is None
        return rewrite_json(body, self._rules, self._rewriter).body

    def _take(self, event: StreamEvent) -> None:
        held = Held(event)
        if event.data is not None:
            self.events += 1
            self._take_data(held, event.data)
        if event.remarks:
            held.remarks = self._remark_splices(event)
        self._queue.append(held)
        self._held_bytes += len(event.raw)

    def _take_data(self, held: Held, data: bytes) -> None:
        shape = self._shapes.find(data)
        if shape is not None and self._take_shaped(held, data, shape):
            return
        try:
            tree, spelled = orjson.loads(data), False
        except orjson.JSONDecodeError:
            try:
                tree, spelled = parse_all(data), True
            except BodyError:
                self._take_text(held, data)
                return
        facts = self._format.read_event(self._operation, held.event.name, tree)
        texts = delta_texts(facts.deltas)
        marks = marks_of(facts.deltas, texts)
        document = read_tree(data, tree, self._rules, marks, spelled=spelled)
        if document is None:  # repeated keys, or a long number among the caller's own data
            tree = parse_all(data)
            facts = self._format.read_event(self._operation, held.event.name, tree)
            texts = delta_texts(facts.deltas)
            document = read_tree(data, tree, self._rules, marks_of(facts.deltas, texts), spelled=True)
        if document is None:
            raise AssertionError("parse_all gives every string")
        self._learn(facts)
        held.dropped = facts.usage_only and self._drop_usage_only
        held.document = document
        for number, token in document.marked.items():
            held.pieces.append(self._piece(facts.deltas[number].channel, texts[number] or "", token))
        if isinstance(tree, str) and document.tokens[0]:  # bare strings, one after the other, are one text
            document.tokens[0] = None
            document.nested.clear()
            held.pieces.append(self._plain_piece(held, tree, 0))
        if self._rules.offsets is not None and self._rules.offsets.may_stand_in(data):
            held.own, held.targets = self._edits_of, list(self._targets(self._rules.offsets, tree, facts))
        if may_have_token_lists(data):
            held.lists = [self._list(tokens, held.pieces) for tokens in token_lists(tree, 1)]
        copies = self._copies(document)
        held.pieces += copies
        if facts.content and not facts.deltas and not copies:  # a call whole at once, thoughts that are signed
            self.counted += len(data) if facts.other_bytes is None else facts.other_bytes
        self._note_usage(facts)
        if facts.closes:
            self._close(facts.closes)
        held.splices = self._whole_splices(document)
        if not (copies or held.splices or held.targets or held.lists or document.has_numbers or self._found_whole):
            self._shapes.learn(tree, document, facts.deltas, marks)
        if self._drop_null_usage:
            held.splices = [*held.splices, *null_usage(data, tree)]

    def _take_shaped(self, held: Held, data: bytes, shape: Shape) -> bool:
        """Take an event whose shape is known, and so its texts; False where the Format reads other pieces in it."""
        facts = self._format.read_event(self._operation, held.event.name, shape.tree)
        texts = delta_texts(facts.deltas)
        if marks_of(facts.deltas, texts) != shape.marks:
            return False
        self._learn(facts)
        held.dropped = facts.usage_only and self._drop_usage_only
        held.document = shape.document
        for number, token in shape.document.marked.items():
            held.pieces.append(self._piece(facts.deltas[number].channel, texts[number] or "", token))
        for length in {channel.fed for channel in self._channels.values()} & shape.texts.keys():
            held.pieces += filter(None, (self._copy(token, text) for token, text in shape.texts[length]))
        self._note_usage(facts)
        if facts.closes:
            self._close(facts.closes)
        if self._drop_null_usage:
            held.splices = null_usage(data, shape.tree)
        return True

    def _take_text(self, held: Held, data: bytes) -> None:
        """Take data that is no JSON: a literal such as ``[DONE]``, or text that has its own channel."""
        text = data.decode("utf-8", "surrogateescape")
        facts = self._format.read_event(self._operation, held.event.name, text.strip())
        if held.event.name == "error" and facts.error is None:  # of a gateway that tells it in words
            facts = replace(facts, error="error", closes="all")
        self._learn(facts)
        self.malformed += text.startswith("{")
        if facts.content or not facts.end:  # all but a mark of the end: of some APIs any event may be the last
            held.pieces.append(self._plain_piece(held, text, -1))
        if facts.closes:
            self._close(facts.closes)

    def _learn(self, facts: EventFacts) -> None:
        self.began |= facts.content
        self.ended |= facts.end
        self.error = self.error or facts.error
        self.model = facts.model or self.model
        if self._framing == "messages":
            self.session = facts.session or self.session
            self.transcriptions += (facts.transcription,) if facts.transcription else ()
        if facts.usage is not None:
            self._usage_is_shared = True
            known = self._usage or Usage()
            self._usage = known.plus(facts.usage) if facts.usage_adds else known.latest(facts.usage)

    def _note_usage(self, facts: EventFacts) -> None:
        """A report covers all output up to its event, if it tells more of it: some repeat the input alone."""
        if facts.usage is not None and facts.usage.output_tokens > self._reported:
            self._reported, self._counted_before = facts.usage.output_tokens, self.counted

    def _plain_piece(self, held: Held, text: str, token: int) -> Piece:
        key = (_PLAIN, held.event.name)
        piece = self._piece(key, text, token)
        if self._framing == "messages":  # a message is whole, and no later one may be what lets it go
            self._close([key])
        return piece

    def _piece(self, key: Hashable, text: str, token: int) -> Piece:
        size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
        self.output_text_bytes += size
        self.counted += self._count(text) if self._count else size
        channel = self._channels.get(key)
        if channel is None:
            if len(self._channels) >= CHANNELS_MAX:
                self._close("all")
            channel = self._channels[key] = Channel(self._rewriter)
        start, end = channel.feed(text)
        return Piece(channel, start, end, token, text)

    def _copies(self, document: Document) -> list[Piece]:
        """Find strings that repeat all that a channel said so far; they show what its pieces show."""
        lengths = {channel.fed for channel in self._channels.values()}
        copies: list[Piece] = []
        for token, text in enumerate(document.tokens):
            if text and len(text) in lengths and (copy := self._copy(token, text)) is not None:
                copies.append(copy)
        for copy in copies:
            document.tokens[copy.token] = None
            document.nested.pop(copy.token, None)
        return copies

    def _copy(self, token: int, text: str) -> Piece | None:
        channel = next((channel for channel in self._channels.values() if channel.says(text)), None)
        return None if channel is None else Piece(channel, 0, channel.fed, token, text)

    def _targets(self, offsets: Offsets, tree: Json, facts: EventFacts) -> Iterator[tuple[Record, Target]]:
        """Find the records of offsets in an event, each with what it points into: a channel, or a text beside it."""
        pieces = {(id(delta.parent), delta.key) for delta in facts.deltas}
        for record in offsets.records(tree):
            text = record.text(lambda parent, key: (parent, key) in pieces)
            if text is not None:
                said = next((channel for channel in self._channels.values() if channel.says(text)), None)
                yield record, said or Whole(text, self._edits_of)
            elif record.rule.channel is not None:
                key = record.rule.channel(tree, record.owner, record.value)
                if (channel := self._channels.get(key)) is not None:
                    yield record, channel

    def _list(self, tokens: TokenList, pieces: Sequence[Piece]) -> tuple[TokenList, Piece | Sequence[Edit]]:
        """Find the piece, or the whole text of a channel, that a list of tokens says once more; else its own edits."""
        text = tokens.text
        whole = (Piece(channel, 0, channel.fed, -1, text) for channel in self._channels.values() if channel.says(text))
        piece = next((piece for piece in pieces if piece.text == text), None) or next(whole, None)
        return tokens, piece or self._edits_of(scannable(text))

    def _edits_of(self, text: str) -> Sequence[Edit]:
        return text_edits(text, self._ask(leaves_of(text)))

    def _whole_splices(self, document: Document) -> list[Splice]:
        answers = self._ask(leaves(document))
        self._found_whole = bool(answers)
        if not answers:
            return []
        found: list[tuple[Edit, str]] = []
        ascii_only = escapes_non_ascii(document.raw)
        splices = splice_document(document, answers, ascii_only=ascii_only, found=found)
        self._rewriter.note(found)
        return splices

    def _remark_splices(self, event: StreamEvent) -> list[Splice]:
        splices: list[Splice] = []
        for start, end in event.remarks:
            text = event.raw[start:end].decode("utf-8", "surrogateescape")
            edits = self._ask([scannable(text)]).get(scannable(text), ())
            self._rewriter.note([(edit, text[edit.start : edit.end]) for edit in edits])
            splices += [(a, b, b" ".join(new.splitlines())) for a, b, new in plain_splices(text, edits, start)]
        return splices

    def _ask(self, texts: Iterable[str]) -> Answers:
        new = [text for text in texts if text not in self._clean]
        answers = ask(self._rewriter, new)
        if len(self._clean) >= _CLEAN_TEXTS_MAX:
            self._clean.clear()
        self._clean.update(t for t in new if len(t) <= _CLEAN_CHARACTERS_MAX and t not in answers)
        return answers

    def _close(self, keys: Sequence[Hashable] | Literal["all"]) -> None:
        """Finish channels; after all of them no copy of their texts is awaited, so they are forgotten."""
        if keys == "all":
            self._finish(self._channels.values())
            self._channels.clear()
        else:
            self._finish(channel for key in keys if (channel := self._channels.get(key)) is not None)

    def _finish(self, channels: Iterable[Channel]) -> None:
        for channel in channels:
            channel.finish()

    def _release(self) -> list[bytes]:
        out = list(self._decided())
        if len(self._queue) > HELD_EVENTS_MAX or self._held_bytes > HELD_BYTES_MAX:
            self._finish(self._channels.values())
            out += self._decided()
        return out

    def _decided(self) -> Iterator[bytes]:
        while self._queue and self._queue[0].is_decided():
            held = self._queue.popleft()
            self._held_bytes -= len(held.event.raw)
            if not held.dropped:
                yield held.bytes()


_PLAIN = object()
