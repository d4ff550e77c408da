"""Reading an audit file: its records, and whether the chain holds."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from outwarden.audit.chain import LINE_BYTES_MAX, NO_HASH, hash_of, true_hash


def verify(path: Path) -> list[str]:
    """What is wrong with the chain, each with its line number; empty where it holds from the first line to the last.

    Finds changed, missing, exchanged, added and torn lines. Whole lines cut off at the end leave a shorter chain that
    holds: whoever must know that, keeps the last hash elsewhere. A missing file is a problem. Raises OSError.
    """
    if not path.exists():
        return [f"{path}: no audit file"]
    problems: list[str] = []
    expected: str | None = NO_HASH
    for number, line in _lines(path):
        stated = hash_of(line)
        if stated is None:
            problems.append(f"line {number}: torn or not a record")
            continue  # the next record goes on from the last whole one
        if true_hash(line) != stated:
            problems.append(f"line {number}: changed after it was written")
        elif _prev(line) != expected:
            problems.append(f"line {number}: does not follow the line before it (one is missing, changed or misplaced)")
        expected = stated
    return problems


def read(path: Path, since: datetime | None = None) -> Iterator[dict[str, Any]]:
    """The records in order, those from ``since`` (a time with a zone) on.

    Torn lines are passed over; `verify` names them.
    """
    if not path.exists():
        return
    for _, line in _lines(path):
        if hash_of(line) is None:
            continue
        record = json.loads(line)
        if since is None or _time(record) >= since:
            yield record


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LINE_BYTES_MAX + 1):
            number += 1
            yield number, line


def _prev(line: bytes) -> object:
    record = json.loads(line)
    return record.get("prev") if isinstance(record, dict) else None


def _time(record: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(str(record["ts"])).astimezone(UTC)
