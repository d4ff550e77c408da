"""Documents that stand in a string each, read as one list: many small ones take a tenth of the time so."""

from collections.abc import Callable, Iterator, Sequence
from itertools import compress

import numpy as np

from outwarden.errors import BodyError
from outwarden.wire.json_bulk import are_json, is_json
from outwarden.wire.json_document import Document, Joined
from outwarden.wire.json_text import Spans, scannable

_MANY = 16  # fewer are read faster one by one
_SMALL = 4096  # bytes, as spelled
_OPENS = np.isin(np.arange(256), list(b"{["))

Read = Callable[[bytes, int], Document]
"""Reads the list, which is in so many documents. Raises BodyError."""


def join_small(document: Document, nesting: int, read: Read) -> None:
    """Read the small documents in the strings of a large one, where there are many."""
    spans = document.spans()
    if not isinstance(spans, Spans):
        return
    begin = spans.begin_with(document.raw, _OPENS)
    places, texts = _small(document.tokens, begin[spans.sizes()[begin] < _SMALL].tolist())
    is_lone = np.ones(len(document.tokens), np.bool_)
    for joined in _join(places, texts, nesting, read):
        document.nested[joined.places[0]] = joined
        is_lone[joined.places] = False
        document.lone = is_lone.tobytes()


def _small(tokens: Sequence[str | None], places: Sequence[int]) -> tuple[Sequence[int], Sequence[str]]:
    """Those of ``places`` where there is an object or a list, but for the insides of its strings; and these."""
    texts = [tokens[at] or "" for at in places]
    if len(texts) < _MANY or are_json(texts):
        return places, texts
    good = list(map(is_json, texts))
    return list(compress(places, good)), list(compress(texts, good))


def _join(places: Sequence[int], texts: Sequence[str], nesting: int, read: Read) -> Iterator[Joined]:
    """By halves where one of them keeps the others from it."""
    if len(places) < _MANY:
        return
    joined = scannable("[" + ",".join(texts) + "]")
    raw = joined.encode()
    try:
        document = read(raw, nesting)
    except BodyError:
        half = len(places) // 2
        yield from _join(places[:half], texts[:half], nesting, read)
        yield from _join(places[half:], texts[half:], nesting, read)
        return
    spelled = texts if len(raw) == len(joined) else [text.encode("utf-8", "surrogatepass") for text in texts]
    ends = np.cumsum(np.fromiter(map(len, spelled), np.intp, len(texts)) + 1)
    yield Joined(document, places, [1, *(ends + 1).tolist()])
