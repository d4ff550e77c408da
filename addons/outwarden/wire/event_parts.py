"""Parts of a stream event: the pieces of text that its deltas point at, and a usage that says nothing."""

import re
from collections.abc import Sequence
from typing import Any

from outwarden.wire.format import Delta, Json
from outwarden.wire.json_document import Marks
from outwarden.wire.json_text import Splice

# The member with the comma that joins it to others. A quote inside of a string has a backslash before it.
_NULL_USAGE = re.compile(rb',\s*"usage"\s*:\s*null|"usage"\s*:\s*null\s*,\s*')


def delta_texts(deltas: Sequence[Delta]) -> list[str | None]:
    """The strings that the deltas point at; None for what is no string."""
    found: list[str | None] = []
    for delta in deltas:
        text: Any = delta.parent[delta.key]  # type: ignore[index]
        found.append(text if isinstance(text, str) else None)
    return found


def marks_of(deltas: Sequence[Delta], texts: Sequence[str | None]) -> Marks:
    """Where the deltas that are ``texts`` stand."""
    pairs = zip(deltas, texts, strict=True)
    return {(id(delta.parent), delta.key): n for n, (delta, text) in enumerate(pairs) if text is not None}


def null_usage(data: bytes, tree: Json) -> list[Splice]:
    """What leaves out a ``"usage":null`` of an event (``data``, parsed: ``tree``); nothing where it has none."""
    if not isinstance(tree, dict) or tree.get("usage", tree) is not None or data.count(b'"usage"') != 1:
        return []
    said = _NULL_USAGE.search(data)
    return [(*said.span(), b"")] if said else []
