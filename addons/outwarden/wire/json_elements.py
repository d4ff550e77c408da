"""Read the elements of a list one by one, or many small ones together: so each takes a fifth of the time."""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np

from outwarden.errors import BodyError
from outwarden.wire.format import TextRules
from outwarden.wire.json_document import Document
from outwarden.wire.json_text import Spans, without_strings
from outwarden.wire.json_walk import MANY, SMALL, find_nested, read_document, read_strings

# What they are together is told apart by the strings alone.
_NUMBER = re.compile(rb"[0-9]")


def read_elements(raws: Sequence[bytes], rules: TextRules, key: str) -> list[Document]:
    """Read elements of the list under ``key``, each as `read_document` would; many small ones of text as one list."""
    small = [at for at, raw in enumerate(raws) if len(raw) < SMALL and _NUMBER.search(without_strings(raw)) is None]
    found = dict(zip(small, _read_together([raws[at] for at in small], rules, key), strict=True))
    return [found.get(at) or read_document(raw, rules, inside=key) for at, raw in enumerate(raws)]


def _read_together(raws: Sequence[bytes], rules: TextRules, key: str) -> list[Document]:
    """By halves where one keeps the others from it."""
    if len(raws) < MANY:
        return [read_document(raw, rules, inside=key) for raw in raws]
    try:
        whole = read_strings(b"[" + b",".join(raws) + b"]", rules, key, False)
    except BodyError:
        whole = None
    if whole is None or whole.has_numbers or whole.unread or whole.media_bytes or whole.number_tokens:
        half = len(raws) // 2
        return _read_together(raws[:half], rules, key) + _read_together(raws[half:], rules, key)
    return list(_apart(whole, raws))


def _apart(whole: Document, raws: Sequence[bytes]) -> Iterator[Document]:
    """The documents that ``whole`` is a list of."""
    spans = whole.spans()
    opening = spans.opening if isinstance(spans, Spans) else [start for start, _ in spans]
    starts = list(accumulate((len(raw) + 1 for raw in raws), initial=1))
    bounds = np.searchsorted(opening, starts).tolist()
    skipped = 0
    for raw, first, last in zip(raws, bounds, bounds[1:], strict=False):
        document = Document(raw)
        document.tokens = whole.tokens[first:last]
        document.skipped = whole.skipped[skipped : skipped + document.tokens.count(None)]
        skipped += len(document.skipped)
        if whole.nested:
            document.nested = {at - first: whole.nested[at] for at in range(first, last) if at in whole.nested}
        find_nested(document, 0)
        yield document
