"""Where the string values of a JSON body stand; small and slow, and on purpose not the code under test."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str | int, ...]
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """A string value: its path, and where its bytes stand between the quotes."""

    path: Path
    start: int
    end: int


@dataclass(slots=True)
class _Open:
    """An object or array that has begun; ``key`` is where the next value stands."""

    is_object: bool
    key: Any = field(default=None)


def places(raw: bytes, at: int = 0, end: int | None = None) -> Iterator[Place]:
    """Every string value between two positions, in order; several documents one after the other are fine."""
    stack: list[_Open] = []
    for token in _TOKEN.finditer(raw, at, len(raw) if end is None else end):
        first = token[0][:1]
        if first in (b"{", b"["):
            stack.append(_Open(first == b"{", None if first == b"{" else 0))
        elif first in (b"}", b"]"):
            if stack:
                stack.pop()
        elif first == b",":
            if stack:
                stack[-1].key = None if stack[-1].is_object else stack[-1].key + 1
        elif first == b'"':
            if stack and stack[-1].is_object and stack[-1].key is None:
                stack[-1].key = json.loads(token[0].decode("utf-8", "replace"), strict=False)
            else:
                yield Place(tuple(each.key for each in stack), token.start() + 1, token.end() - 1)


def follow(tree: Any, path: Path) -> Any:
    """The value at a path of a parsed document."""
    for key in path:
        tree = tree[key]
    return tree
