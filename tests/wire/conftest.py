"""A rewriter and an API that are simple enough to be seen to be right."""

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from outwarden.wire.edits import Edit
from outwarden.wire.format import (
    Delta,
    ErrorReply,
    EventFacts,
    Framing,
    Json,
    Operation,
    Refusal,
    RequestFacts,
    ResponseFacts,
    TextRules,
)
from outwarden.wire.usage import Usage

sys.path.insert(0, str(Path(__file__).parent))  # `broken` is shared; importlib mode adds no folder by itself

_WORD = re.compile(r"[\w@.+-]+", re.ASCII)
_OPEN_WORD = re.compile(r"[\w@.+-]+\Z", re.ASCII)
_CARD = re.compile(r"[0-9]{16}")


class WordRewriter:
    """Finds words with an ``@`` inside and 16-digit numbers; reports the word ``flag``; a word is open until it ends.

    Its replacement is as nasty as a restored value can be: quotes, a line end, non-ASCII, a surrogate pair.
    """

    replacement = '<"É\n😀\\>'

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.noted: list[tuple[str, str]] = []

    def edits(self, texts: Sequence[str]) -> list[Sequence[Edit]]:
        self.asked += texts
        for text in texts:
            text.encode()  # no detector can read a lone surrogate
        return [self._edits(text) for text in texts]

    def note(self, found: Iterable[tuple[Edit, str]]) -> None:
        self.noted += [(edit.entity, original) for edit, original in found]

    def channel(self) -> "WordChannel":
        return WordChannel(self)

    @property
    def counts(self) -> Counter[str]:
        return Counter(entity for entity, _ in self.noted)

    def _edits(self, text: str) -> list[Edit]:
        return [edit for word in _WORD.finditer(text) if (edit := self._edit(word)) is not None]

    def _edit(self, word: re.Match[str]) -> Edit | None:
        if "@" in word[0][1:-1]:
            return Edit(*word.span(), self.replacement, "EMAIL_ADDRESS", "mask")
        if _CARD.fullmatch(word[0]):
            return Edit(*word.span(), "[CARD]", "CREDIT_CARD", "mask")
        return Edit(*word.span(), None, "FLAGGED", "flag") if word[0] == "flag" else None


class WordChannel:
    """Holds the last word back while it may still grow."""

    def __init__(self, owner: WordRewriter) -> None:
        self._owner = owner
        self._at = 0
        self._open = ""

    def feed(self, text: str) -> tuple[int, Sequence[Edit]]:
        self._open += text
        open_word = _OPEN_WORD.search(self._open)
        end = open_word.start() if open_word is not None else len(self._open)
        return self._decide(end)

    def finish(self) -> Sequence[Edit]:
        return self._decide(len(self._open))[1]

    def _decide(self, end: int) -> tuple[int, Sequence[Edit]]:
        ready, self._open = self._open[:end], self._open[end:]
        ready.encode()
        edits = self._owner._edits(ready)
        self._owner.note([(edit, ready[edit.start : edit.end]) for edit in edits])
        moved = [Edit(e.start + self._at, e.end + self._at, e.replacement, e.entity, e.action) for e in edits]
        self._at += end
        return self._at, moved


class SmallFormat:
    """An API with one kind of event: ``{"type", "at", "text" | "json", "whole", "done", "usage"}``."""

    name = "small"
    rules: ClassVar[TextRules] = TextRules(
        opaque=frozenset({"type", "signature"}),
        ids=frozenset({"id"}),
        free=frozenset({"input", "schema"}),
        opaque_in=lambda node: frozenset({"data"}) if node.get("type") == "base64" else frozenset(),
        remember=frozenset({"messages"}),
    )

    def identify(self, method: str, path: str) -> Operation:
        return Operation("small")

    def framing(self, operation: Operation, content_type: str, path_query: str) -> Framing | None:
        return "sse"

    def unsupported(self, operation: Operation, content_type: str) -> str | None:
        return None

    def read_request(self, operation: Operation, body: Json) -> RequestFacts:
        return RequestFacts()

    def text_rules(self, operation: Operation) -> TextRules:
        return self.rules

    def read_reply(self, operation: Operation, body: Json, headers: Mapping[str, str]) -> ResponseFacts:
        error = "rate_limit" if isinstance(body, dict) and "error" in body else None
        return ResponseFacts("small-1", None, error)

    def read_event(self, operation: Operation, name: str | None, data: Json) -> EventFacts:
        if not isinstance(data, dict):
            return EventFacts(end=data == "[DONE]")
        at: Any = data.get("at", 0)
        deltas = [
            Delta(data, key, (at, key), "json" if key == "json" else "text") for key in ("text", "json") if key in data
        ]
        usage = Usage(output_tokens=data["usage"]) if isinstance(data.get("usage"), int) else None
        return EventFacts(
            deltas=deltas,
            closes="all" if data.get("done") is True else [(at, "text"), (at, "json")] if "whole" in data else (),
            content=bool(deltas),
            usage=usage,
            model=data.get("model"),
            error="overloaded" if "error" in data else None,
            usage_only=usage is not None and len(data) == 1,
        )

    def refuse(self, refusal: Refusal, operation: Operation | None = None) -> ErrorReply:
        return ErrorReply(refusal.status, {}, b"{}")

    def refuse_event(self, operation: Operation, framing: Framing, refusal: Refusal) -> bytes:
        return b"data: {}\n\n"


@pytest.fixture(scope="session")
def word_rewriter() -> type[WordRewriter]:
    return WordRewriter


@pytest.fixture(scope="session")
def small_format() -> SmallFormat:
    return SmallFormat()


@pytest.fixture(scope="session")
def rules() -> TextRules:
    return SmallFormat.rules


@pytest.fixture(scope="session")
def rewritten_text(word_rewriter):
    """Rewrite a text in the plain way: what every cleverer way must agree with."""

    def rewrite(text: str) -> str:
        return _WORD.sub(lambda w: _replaced(w), text)

    def _replaced(word: re.Match[str]) -> str:
        edit = word_rewriter()._edit(word)
        return word[0] if edit is None or edit.replacement is None else edit.replacement

    return rewrite


class Pairs(list):
    """An object as its pairs: two keys may become the same placeholder, and both must be there."""


def _parse(text: str) -> Any:
    return json.loads(text, object_pairs_hook=Pairs)


@pytest.fixture(scope="session")
def view(rewritten_text):
    """Parse a document for comparison: objects as pairs, documents in strings parsed too, texts rewritten if asked."""

    def view(raw: bytes | str, *, rewritten: bool) -> Any:
        return _view(_parse(raw if isinstance(raw, str) else raw.decode()), rewritten_text if rewritten else str)

    return view


def _view(node: Any, text: Callable[[str], str]) -> Any:
    if isinstance(node, str):
        inner = _document(node)
        return text(node) if inner is None else ("document", _view(inner, text))
    if isinstance(node, Pairs):
        return [(_view(key, text), _view(value, text)) for key, value in node]
    return [_view(child, text) for child in node] if isinstance(node, list) else node


def _document(text: str) -> Any:
    try:
        tree = _parse(text)
    except ValueError:
        return None
    return tree if isinstance(tree, list) else None
