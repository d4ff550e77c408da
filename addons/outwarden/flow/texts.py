"""Run a text rewriter over a whole message body, whatever kind of body it is."""

import re
from collections.abc import Callable, Iterable, Sequence

from outwarden.errors import BodyError
from outwarden.flow.body import Body, is_text
from outwarden.wire.body import Memory, Rewritten, rewrite_json, rewrite_text
from outwarden.wire.edits import ChannelRewriter, Edit, TextRewriter
from outwarden.wire.format import Refusal, TextRules

Count = Callable[[str], int]

# How far back a content rule sees in a streamed text; a longer match over several pieces is not seen.
WINDOW_CHARACTERS = 1000

_BOUNDARY = re.compile(r'boundary="?([^";,]{1,70})"?', re.IGNORECASE)  # RFC 2046 §5.1.1: at most 70 characters


def rewrite_body(
    body: Body,
    content_type: str,
    rules: TextRules,
    rewriter: TextRewriter,
    *,
    memory: Memory | None = None,
    memory_key: bytes = b"",
    count: Count | None = None,
) -> Rewritten:
    """Rewrite every text of ``body``; the same bytes object where nothing changes. Raises BodyError."""
    if body.kind == "json":
        return rewrite_json(body.data, rules, rewriter, memory=memory, memory_key=memory_key, count=count)
    if body.kind == "lines":
        return _joined(body.data, body.data.splitlines(keepends=True), lambda line: _line(line, rules, rewriter), count)
    if body.kind == "multipart":
        return _joined(body.data, _parts(body.data, content_type), lambda part: _plain(part, rewriter), count)
    if body.kind == "text":
        return _joined(body.data, [body.data], lambda text: _plain(text, rewriter), count)
    return Rewritten(body.data, 0)


def _joined(data: bytes, parts: Iterable[bytes], rewrite: Callable[[bytes], bytes], count: Count | None) -> Rewritten:
    before = list(parts)
    after = [rewrite(part) for part in before]
    edits = sum(old is not new and old != new for old, new in zip(before, after, strict=True))
    tokens = sum(count(part.decode("utf-8", "replace")) for part in after) if count else 0
    return Rewritten(b"".join(after) if edits else data, edits, tokens)


def _line(line: bytes, rules: TextRules, rewriter: TextRewriter) -> bytes:
    return rewrite_json(line, rules, rewriter).body if line.strip() else line


def _plain(data: bytes, rewriter: TextRewriter) -> bytes:
    if not is_text(data):
        return data
    text = data.decode("utf-8", "surrogateescape")
    rewritten = rewrite_text(text, rewriter)
    return data if rewritten == text else rewritten.encode("utf-8", "surrogateescape")


def _parts(data: bytes, content_type: str) -> Sequence[bytes]:
    """Cut at the boundaries, which stay with the part before them, so that joined parts are the body again."""
    found = _BOUNDARY.search(content_type)
    if not found:
        raise BodyError("multipart without a boundary")
    mark = b"--" + found.group(1).encode()
    pieces = data.split(mark)
    return [piece + mark for piece in pieces[:-1]] + [pieces[-1]]


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
