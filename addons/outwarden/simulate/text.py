"""Text as a provider sees it: what was said last, how many tokens it is, how it is cut into pieces."""

import re
from collections.abc import Iterator
from typing import Any

# Coarser than any real tokenizer's own pre-split, so that a count from here never exceeds a real one.
_TOKEN = re.compile(r"\s*\w+|\s*[^\w\s]+|\s+")
# Deltas are tiny: a median of 3 to 4 characters, some single, few long (measured on recorded streams).
_SIZES = (4, 3, 1, 5, 2, 4, 7, 3, 1, 6)
MAX_DEPTH = 100


def count_tokens(text: str) -> int:
    """Count the simulated tokens of a text."""
    return sum(1 for _ in _TOKEN.finditer(text))


def first_tokens(text: str, limit: int | None) -> tuple[str, bool]:
    """Cut a text after ``limit`` tokens (None: never); tell whether anything was cut off."""
    if limit is None:
        return text, False
    for number, match in enumerate(_TOKEN.finditer(text)):
        if number == limit:
            return text[: match.start()], True
    return text, False


def pieces(text: str, piece_chars: int = 0) -> list[str]:
    """Cut a text into the pieces of a stream; their concatenation is the text."""
    found: list[str] = []
    start = 0
    while start < len(text):
        size = piece_chars or _SIZES[len(found) % len(_SIZES)]
        found.append(text[start : start + size])
        start += size
    return found


def strings(value: Any, depth: int = 0) -> Iterator[str]:
    """Every string value in a JSON value, but no media. Raises ValueError beyond MAX_DEPTH."""
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        if not value.startswith("data:"):
            yield value
    elif isinstance(value, list):
        for each in value:
            yield from strings(each, depth + 1)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key != "data":  # base64 media and signatures
                yield from strings(each, depth + 1)


def spoken(content: Any) -> str:
    """The text of a message's content: a string, or parts with ``text`` or nested ``content`` (tool results)."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(filter(None, map(spoken, content)))
    if isinstance(content, dict):
        return spoken(content.get("text") or content.get("content") or content.get("output"))
    return ""


def last_spoken(messages: Any) -> str:
    """What was said last by a user or a tool, in a list of messages of any API."""
    if isinstance(messages, str):
        return messages
    for message in reversed(messages if isinstance(messages, list) else []):
        if not isinstance(message, dict) or message.get("role") in ("assistant", "model", "system", "developer"):
            continue
        if said := spoken(message.get("content") or message.get("parts") or message.get("output")):
            return said
    return ""
