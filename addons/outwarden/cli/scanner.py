"""One text in, its redacted form and its findings out."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import IO, Any

from outwarden.pii import Direction, PiiEngine, PiiPolicy, Vault, finders_for
from outwarden.wire.edits import Edit, apply_edits
from outwarden.wire.json_text import scannable

LINE_BYTES_MAX = 64 * 1024 * 1024  # twice the largest body the proxy takes


class LineError(Exception):
    """A line that asks for nothing we can do; the message never shows the line."""


class Scanner:
    """Redacts texts by one policy. Every text is a call of its own: no placeholder map is shared between two."""

    def __init__(self, policy: PiiPolicy, secret: bytes) -> None:
        self._engine = PiiEngine(policy, secret, finders_for(policy))

    def scan(self, text: str, direction: Direction) -> dict[str, Any]:
        """Return ``text`` redacted, and ``spans`` in its own code points; ``direction`` is request or response."""
        found = self.edits(text, direction)
        spans = [
            {"start": edit.start, "end": edit.end, "entity": edit.entity, "score": score, "action": edit.action}
            for edit, score in found
        ]
        return {"text": apply_edits(text, [edit for edit, _ in found]), "spans": spans}

    def edits(self, text: str, direction: Direction) -> list[tuple[Edit, float]]:
        """Return what would be done to ``text``, in order, each with how sure it is."""
        rewriter = self._engine.request(Vault()) if direction == "request" else self._engine.reply(Vault())
        clean = scannable(text)
        named: dict[str, str] = {}
        found = []
        strictness, whole = self._engine.actions(direction).strictness, direction == "request"
        for span in self._engine.detector.spans([clean], strictness, whole=whole)[0]:
            if edit := rewriter.edit(span, clean[span.start : span.end], named):
                found.append((edit, span.score))
        return found

    def slowest(self, texts: Sequence[str], count: int = 5) -> list[tuple[str, float]]:
        """Return the entities whose patterns take longest on ``texts``, with seconds."""
        seconds: dict[str, float] = defaultdict(float)
        for text in texts:
            for entity, took in self._engine.detector.times(scannable(text)):
                seconds[entity] += took
        return sorted(seconds.items(), key=lambda one: -one[1])[:count]


def answers(scanner: Scanner, stream: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Answer each line that is not blank, in order; ``{"error": …}`` with the line's number where it cannot be read."""
    number = 0
    while line := stream.readline(LINE_BYTES_MAX + 1):
        number += 1
        if not line.strip():
            continue
        try:
            yield scanner.scan(*read_line(line))
        except LineError as error:
            yield {"error": f"line {number}: {error}"}
        if len(line) > LINE_BYTES_MAX:
            return  # the rest of such a line is no line


def read_line(line: bytes) -> tuple[str, Direction]:
    """Read text and direction. Raises LineError."""
    if len(line) > LINE_BYTES_MAX:
        raise LineError(f"longer than {LINE_BYTES_MAX} bytes")
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        raise LineError("not JSON") from None
    if not isinstance(told, dict) or not isinstance(told.get("text"), str):
        raise LineError('expected an object with a string "text"')
    direction: Direction
    for direction in ("request", "response"):
        if told.get("direction", "request") == direction:
            return told["text"], direction
    raise LineError('"direction" is request or response')
