"""What a JSON document is to who rewrites it: its strings in the order of the bytes, and what stands inside of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from outwarden.wire.json_text import count_strings, find_tokens
from outwarden.wire.packed import Packed

if TYPE_CHECKING:
    from outwarden.wire.json_fragments import Fragments

Marks = Mapping[tuple[int, str | int], int]
"""(id of the parent, key or index) -> number of a delta: such a string is a piece of a longer text."""


class Document:
    """A JSON document as the list of its string tokens, in the order of the bytes.

    ``tokens[i]`` is the i-th string (keys too; numbers too where ``has_numbers``), None where it is not text.
    ``nested``: the documents, whole or broken, and text files that stand inside some of them; of documents that are
    read as one, at the first. ``lone``: a byte for each token, zero where it holds one of these; empty: none does.
    ``marked``: number of a delta -> index of its token. ``skipped``: strings that are not text, but tokens for the
    provider: one for each None, unless that is media or a number. ``media_bytes``: base64 characters of media.
    ``unread``: how many files and media nobody here reads. ``number_tokens``: an upper bound for the tokens of numbers
    (one for each token id).
    """

    __slots__ = (
        "_spans",
        "has_numbers",
        "lone",
        "marked",
        "media_bytes",
        "nested",
        "number_tokens",
        "raw",
        "skipped",
        "tokens",
        "unread",
    )

    def __init__(self, raw: bytes, *, has_numbers: bool = False) -> None:
        self.raw = raw
        self.has_numbers = has_numbers
        self.tokens: list[str | None] = []
        self.nested: dict[int, Nested] = {}
        self.lone = b""
        self.marked: dict[int, int] = {}
        self.skipped: list[str] = []
        self.media_bytes = 0
        self.unread = 0
        self.number_tokens = 0
        self._spans: Sequence[tuple[int, int]] | None = None

    def spans(self) -> Sequence[tuple[int, int]]:
        """Where the tokens stand in ``raw``: (start, end), quotes included."""
        if self._spans is None:
            self._spans = find_tokens(self.raw, numbers=self.has_numbers)
        return self._spans

    def count_strings(self) -> int:
        """How many of them ``raw`` has, without numbers."""
        return count_strings(self.raw) if self._spans is None else len(self._spans)


@dataclass(frozen=True, slots=True)
class File:
    """A text file in base64 that stands in a string; ``inner``: the document that it is, if it is one."""

    packed: Packed
    inner: "Document | Fragments | None"


@dataclass(frozen=True, slots=True)
class Joined:
    """Documents that stand in a string each, read as one list, ``document``, each different one once.

    ``places``: the strings, ascending; ``numbers``: which document each holds; ``starts[number]``: where that begins,
    one byte behind where the one before ends.
    """

    document: Document
    places: NDArray[np.intp]
    numbers: NDArray[np.intp]
    starts: NDArray[np.intp]


type Nested = Document | Fragments | File | Joined
