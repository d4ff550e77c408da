"""Documents that stand in a string each, read as one list: many small ones take a tenth of the time so."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from outwarden.errors import BodyError
from outwarden.wire.json_bulk import are_json, is_json
from outwarden.wire.json_document import Document, Joined
from outwarden.wire.json_text import Spans, may_open, scannable

_MANY = 16  # fewer are read faster one by one
_SMALL = 4096  # bytes, as spelled
_OPENS = np.isin(np.arange(256), list(b"{["))

Read = Callable[[bytes, int], Document]
"""Reads the list, which is in so many documents. Raises BodyError."""


def join_small(document: Document, nesting: int, read: Read) -> None:
    """Read the small documents in the strings of a large one, where there are many; each different one once."""
    spans = document.spans()
    if not isinstance(spans, Spans):
        return
    places = spans.begin_with(document.raw, _OPENS)
    places = places[(spans.sizes()[places] < _SMALL) & may_open(document.raw, spans.opening[places])]
    if len(places) < _MANY:
        return
    texts = [document.tokens[at] for at in places.tolist()]
    different = list(filter(None, dict.fromkeys(texts)))
    if not are_json(different):
        different = list(filter(is_json, different))  # but for the insides of their strings
    if len(different) == len(texts):
        numbers = np.arange(len(texts))
    else:
        number_of: dict[str | None, int] = dict(zip(different, range(len(different)), strict=True))
        numbers = np.fromiter((number_of.get(text, -1) for text in texts), np.intp, len(texts))
    by_number = np.argsort(numbers, kind="stable")
    is_lone = np.ones(len(document.tokens), np.bool_)
    for first, joined, starts in _join(different, 0, nesting, read) if different else ():
        low, high = np.searchsorted(numbers, (first, first + len(starts) - 1), sorter=by_number)
        at = np.sort(by_number[low:high])
        document.nested[int(places[at[0]])] = Joined(joined, places[at], numbers[at] - first, starts)
        is_lone[places[at]] = False
    if not is_lone.all():
        document.lone = is_lone.tobytes()


def _join(
    texts: Sequence[str], first: int, nesting: int, read: Read
) -> Iterator[tuple[int, Document, NDArray[np.intp]]]:
    """Yield (number of the first, the list, where they begin in it), by halves where one keeps the others from it."""
    joined = scannable("[" + ",".join(texts) + "]")
    raw = joined.encode()
    try:
        document = read(raw, nesting)
    except BodyError:
        if (half := len(texts) // 2) >= _MANY:
            yield from _join(texts[:half], first, nesting, read)
            yield from _join(texts[half:], first + half, nesting, read)
        return
    spelled = texts if len(raw) == len(joined) else [text.encode("utf-8", "surrogatepass") for text in texts]
    starts = np.ones(len(texts) + 1, np.intp)
    starts[1:] += np.cumsum(np.fromiter(map(len, spelled), np.intp, len(texts)) + 1)
    yield first, document, starts
