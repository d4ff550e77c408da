"""Run a text rewriter over a whole message body, whatever kind of body it is."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from outwarden.errors import BodyError
from outwarden.flow.body import Body, classify, is_text
from outwarden.wire.body import Memory, Rewritten, ask, rewrite_json, rewrite_lines, rewrite_text, rewrite_texts
from outwarden.wire.edits import ChannelRewriter, Edit, FindKnown, KnownValues, PlacedRewriter, TextRewriter, within
from outwarden.wire.format import Refusal, TextRules
from outwarden.wire.multipart import Piece, boundary_of, pieces, with_length
from outwarden.wire.splice import Answers
from outwarden.wire.urlencoded import rewrite_pairs

Count = Callable[[str], int]

# How far back a content rule sees in a streamed text; a longer match over several pieces is not seen.
WINDOW_CHARACTERS = 1000

# Where a call's media goes and how it is secured (RFC 8866): without these lines there is no call. The others are text.
_SDP_TRANSPORT = re.compile(
    rb"[vobtmkc]=|a=(?:candidate|rtcp|remote-candidates|ice-|fingerprint|crypto|ssrc|msid|rtpmap|fmtp|extmap|group|setup)"
)
# Headers of a part that say how it is cut and read; the others (a file's name) are text.
_PART_FRAMING = re.compile(rb"content-(?:type|length|transfer-encoding)[ \t]*:", re.IGNORECASE)
# Of a unit, such as a part of a form; a longer one is worth a question of its own.
_SHORT_BYTES = 4096
# A part may be a multipart body itself (batch APIs of Google send whole requests in one).
_NESTED_PARTS_MAX = 3


def rewrite_body(
    body: Body,
    content_type: str,
    rules: TextRules,
    rewriter: TextRewriter,
    *,
    memory: Memory | None = None,
    memory_key: bytes = b"",
    count: Count | None = None,
    find_known: FindKnown | None = None,
) -> Rewritten:
    """Rewrite every text of ``body``; the same bytes object where nothing changes. Raises BodyError.

    ``find_known``: what was found anywhere in it, in one line or part, is looked for in all of it.
    """
    if body.kind == "json":
        done = rewrite_json(
            body.data, rules, rewriter, memory=memory, memory_key=memory_key, count=count, find_known=find_known
        )
    elif body.kind == "lines":
        done = rewrite_lines(body.data, rules, rewriter, count=count, find_known=find_known)
    else:
        done = _rewrite_units(body, content_type, rules, count, rewriter, find_known)
    return _in_charset(done, body.charset, body.data)


def _rewrite_units(
    body: Body,
    content_type: str,
    rules: TextRules,
    count: Count | None,
    rewriter: TextRewriter,
    find_known: FindKnown | None,
) -> Rewritten:
    """Read all units; then again those with a finding, and those in which one of any other can still be read."""
    units = _Units(rewriter, are_many=body.kind == "multipart")
    build = _Plan(rules, count, units.add).body(body, content_type, 0)
    units.read()
    known = find_known(units.found()) if find_known is not None else None
    if known is not None:
        units.know(known)
    rewriter.note(units.found())
    return build()


Rewrite = Callable[[TextRewriter], Rewritten]
Build = Callable[[], Rewritten]


class _Unit:
    """A document or text of a body: ``done`` is how it was rewritten last, by ``collecting``."""

    __slots__ = ("collecting", "done", "rewrite", "size")

    def __init__(self, rewrite: Rewrite, size: int) -> None:
        self.rewrite, self.size = rewrite, size
        self.done = _NOT_YET
        self.collecting = _NO_ONE

    def do(self, rewriter: "TextRewriter | KnownValues | _Answered") -> None:
        """Rewrite it, from the beginning."""
        self.collecting = _Collecting(rewriter)
        self.done = self.rewrite(self.collecting)

    def build(self) -> Rewritten:
        """What became of it."""
        return self.done


class _Units:
    """The documents and texts that a body is made of, in their order.

    A rewriter has much to do before it looks at a text; so all short units of many are asked for at once, unless it
    matters in which field a text stands.
    """

    def __init__(self, rewriter: TextRewriter, *, are_many: bool) -> None:
        self._rewriter = rewriter
        self._asks_together = are_many and not getattr(rewriter, "by_field", False)
        self._units: list[_Unit] = []

    def add(self, rewrite: Rewrite, size: int) -> Build:
        """Take a unit of ``size`` bytes; say where to ask what became of it."""
        unit = _Unit(rewrite, size)
        self._units.append(unit)
        return unit.build

    def found(self) -> list[tuple[Edit, str]]:
        """All edits so far, each with what stood there."""
        return [pair for unit in self._units for pair in unit.collecting.found]

    def read(self) -> None:
        """Rewrite all; those that are asked for together once it is known which of them have edits."""
        later = _Answered({})
        for unit in self._units:
            unit.do(self._rewriter if unit.size >= _SHORT_BYTES or not self._asks_together else later)
        answers = ask(self._rewriter, (text for unit in self._units for text in unit.collecting.unasked))
        for unit in self._units if answers else ():
            if not answers.keys().isdisjoint(unit.collecting.unasked):
                unit.do(_Answered(answers))

    def know(self, known: KnownValues) -> None:
        """Rewrite those again in which a value of others can still be read; of very many, hardly ever one is."""
        has_files = any(unit.done.has_files for unit in self._units)
        if not has_files and not known.may_stand_in(b"\n".join(unit.done.body for unit in self._units)):
            return
        for unit in self._units:
            if unit.done.has_files or known.may_stand_in(unit.done.body):
                unit.do(known)


class _Answered:
    """Stands in for a rewriter that was asked before; what it was not asked for has no edits."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def edits(self, texts: Sequence[str]) -> list[Sequence[Edit]]:
        return [self._answers.get(text, ()) for text in texts]


class _Collecting:
    """A rewriter whose findings are noted later, all at once. ``unasked``: texts that nobody has looked at yet."""

    def __init__(self, inner: TextRewriter | KnownValues | _Answered) -> None:
        self._inner = inner
        self.by_field = bool(getattr(inner, "by_field", False))
        self.found: list[tuple[Edit, str]] = []
        self.unasked: list[str] = []

    def edits_in(self, texts: Sequence[str], places: Mapping[str, frozenset[str]]) -> list[Sequence[Edit]]:
        return cast(PlacedRewriter, self._inner).edits_in(texts, places)

    def edits(self, texts: Sequence[str]) -> list[Sequence[Edit]]:
        if isinstance(self._inner, _Answered):
            self.unasked += texts
        return self._inner.edits(texts)

    def note(self, found: Iterable[tuple[Edit, str]]) -> None:
        self.found += found

    def channel(self) -> ChannelRewriter:
        raise TypeError("a whole body has no channels")


# What a unit holds until it is rewritten; the same for all, as there may be thousands.
_NOT_YET = Rewritten(b"", 0)
_NO_ONE = _Collecting(_Answered({}))


@dataclass(frozen=True, slots=True)
class _Plan:
    """Bodies of every kind but one whole JSON document, taken apart once; each answers with how to put it together.

    ``unit`` takes each document and each text (its size in bytes is told).
    """

    rules: TextRules
    count: Count | None
    unit: Callable[[Rewrite, int], Build]

    def body(self, body: Body, content_type: str, depth: int) -> Build:
        data = body.data
        if body.kind == "json":
            return self.unit(lambda rewriter: rewrite_json(data, self.rules, rewriter, count=self.count), len(data))
        if body.kind == "lines":
            return self.unit(lambda rewriter: rewrite_lines(data, self.rules, rewriter, count=self.count), len(data))
        if body.kind == "multipart":
            if depth >= _NESTED_PARTS_MAX:
                raise BodyError("multipart within multipart, too deep")
            built = [self.piece(piece, depth) for piece in pieces(data, boundary_of(content_type))]
            return lambda: _joined(data, [part for build in built for part in build()])
        if body.kind == "sdp":
            return self.sdp(data)
        if body.kind == "form":
            return self.form(data)
        if body.kind == "text":
            return self.text(data, field="file" if depth else "message")
        return _as_it_is(_unread(data) if body.kind == "binary" else Rewritten(data, 0))

    def form(self, data: bytes) -> Build:
        def rewrite(rewriter: TextRewriter) -> Rewritten:
            done = self._text(data, lambda text: rewrite_pairs(text, lambda plain: rewrite_texts(plain, rewriter)))
            return replace(done, has_files=b"%" in data or b"+" in data)  # a value may be spelled in another way

        return self.unit(rewrite, len(data))

    def text(self, data: bytes, field: str = "message") -> Build:
        return self.unit(
            lambda rewriter: self._text(data, lambda text: rewrite_text(text, within(rewriter, field))), len(data)
        )

    def _text(self, data: bytes, rewrite: Callable[[str], str]) -> Rewritten:
        text = data.decode("utf-8", "surrogateescape")
        rewritten = rewrite(text)
        tokens = self.count(rewritten.encode("utf-8", "replace").decode()) if self.count else 0
        if rewritten == text:
            return Rewritten(data, 0, tokens)
        return Rewritten(rewritten.encode("utf-8", "surrogateescape"), 1, tokens)

    def sdp(self, data: bytes) -> Build:
        lines = data.splitlines(keepends=True)
        said = [at for at, line in enumerate(lines) if not _SDP_TRANSPORT.match(line)]

        def rewrite(rewriter: TextRewriter) -> Rewritten:
            texts = [lines[at].decode("utf-8", "surrogateescape") for at in said]
            new = rewrite_texts(texts, rewriter)
            tokens = self.count("".join(new).encode("utf-8", "replace").decode()) if self.count else 0
            whole = lines.copy()
            for at, text in zip(said, new, strict=True):
                whole[at] = text.encode("utf-8", "surrogateescape")
            return Rewritten(b"".join(whole) if new != texts else data, int(new != texts), tokens)

        return self.unit(rewrite, len(data))

    def piece(self, piece: Piece, depth: int) -> Callable[[], list[Rewritten]]:
        if not piece.is_part and not (piece.content and is_text(piece.content)):
            kept = [Rewritten(piece.head + piece.content, 0)]
            return lambda: kept
        if not piece.is_part:
            rest = self.text(piece.content)
            return lambda: [Rewritten(piece.head, 0), rest()]
        part, part_head = self.part(piece, depth), self.part_head(piece.head)

        def build() -> list[Rewritten]:
            done, head = part(), part_head()
            if len(done.body) != len(piece.content):
                head = replace(head, body=with_length(head.body, len(done.body)), edits=head.edits + 1)
            return [head, done]

        return build

    def part_head(self, head: bytes) -> Build:
        if not head or head.isspace():
            return _as_it_is(Rewritten(head, 0))
        lines = [self.part_header(line) for line in head.splitlines(keepends=True)]
        return lambda: _joined(head, [line() for line in lines])

    def part_header(self, line: bytes) -> Build:
        is_framing = not line.strip() or _PART_FRAMING.match(line) or not is_text(line)
        return _as_it_is(Rewritten(line, 0)) if is_framing else self.text(line, field="file_name")

    def part(self, piece: Piece, depth: int) -> Build:
        content_type = piece.header("content-type")
        if piece.header("content-transfer-encoding").lower() in ("base64", "quoted-printable"):
            return _as_it_is(_unread(piece.content))  # RFC 7578 §4.7 does without it, and so do all SDKs
        try:
            body = classify(piece.content, content_type)
        except BodyError:
            if not is_text(piece.content):
                raise
            body = Body("text", piece.content)  # some SDKs call any file application/json
        inner = self.body(body, content_type, depth + 1)
        return inner if body.charset == "utf-8" else lambda: _in_charset(inner(), body.charset, piece.content)


def _as_it_is(done: Rewritten) -> Build:
    return lambda: done


def _unread(data: bytes) -> Rewritten:
    """What nobody here reads; for the bound of its price it is media (counted in characters of base64)."""
    return Rewritten(data, 0, media_bytes=len(data) * 4 // 3, unread=1)


def _in_charset(done: Rewritten, charset: str, original: bytes) -> Rewritten:
    """``done`` as its body came; raises BodyError where what was put in has no place in the charset."""
    if charset == "utf-8":
        return done
    if not done.edits:
        return replace(done, body=original)
    try:
        return replace(done, body=done.body.decode().encode(charset))
    except UnicodeError:
        raise BodyError(f"its changed text does not fit its charset {charset}") from None


def _joined(data: bytes, parts: Sequence[Rewritten]) -> Rewritten:
    edits = sum(part.edits for part in parts)
    return Rewritten(
        b"".join(part.body for part in parts) if edits else data,
        edits,
        sum(part.tokens for part in parts),
        sum(part.media_bytes for part in parts),
        sum(part.unread for part in parts),
    )


class TextRefused(BodyError):
    """A text met a rule that refuses it. ``refusal`` is the answer to the client; it names the rule, never the text."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class Inspected:
    """A rewriter in front of another (or of none) that shows each text to ``look`` before it is rewritten.

    ``look`` raises what must end the reply. Of a text that comes in pieces it sees a window that slides on.
    """

    def __init__(self, look: Callable[[Sequence[str]], None], inner: TextRewriter | None = None) -> None:
        self._look = look
        self._inner = inner
        self.by_field = bool(getattr(inner, "by_field", False))

    def edits_in(self, texts: Sequence[str], places: Mapping[str, frozenset[str]]) -> list[Sequence[Edit]]:
        """As `edits`, for an inner rewriter that asks where texts stand."""
        self._look(texts)
        return cast(PlacedRewriter, self._inner).edits_in(texts, places)

    def edits(self, texts: Sequence[str]) -> list[Sequence[Edit]]:
        """Show ``texts``, then ask the inner rewriter."""
        self._look(texts)
        return self._inner.edits(texts) if self._inner else [() for _ in texts]

    def note(self, found: Iterable[tuple[Edit, str]]) -> None:
        """Pass on what was found."""
        if self._inner:
            self._inner.note(found)

    def channel(self) -> ChannelRewriter:
        """Open a channel that shows what passes."""
        if self._inner is None:
            raise TypeError("a channel needs an inner rewriter")
        return _InspectedChannel(self._look, self._inner.channel())


class _InspectedChannel:
    def __init__(self, look: Callable[[Sequence[str]], None], inner: ChannelRewriter) -> None:
        self._look = look
        self._inner = inner
        self._window = ""

    def feed(self, text: str) -> tuple[int, Sequence[Edit]]:
        self._window = (self._window + text)[-WINDOW_CHARACTERS - len(text) :]
        self._look([self._window])
        return self._inner.feed(text)

    def finish(self) -> Sequence[Edit]:
        return self._inner.finish()
