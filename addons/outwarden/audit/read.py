"""Reading an audit file: its records, and whether the chain holds."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from os import SEEK_END
from pathlib import Path
from typing import Any

from outwarden.audit.chain import LINE_BYTES_MAX, NO_HASH, link, true_hash

ORDER = timedelta(minutes=1)


def verify(path: Path) -> list[str]:
    """What is wrong with the chain, each with its line number; empty where it holds from the first line to the last.

    Finds changed, missing, exchanged, added and torn lines. Whole lines cut off at the end leave a shorter chain that
    holds: who must know of that, keeps the last hash in another place. A missing file is a problem. Raises OSError.
    """
    if not path.exists():
        return [f"{path}: no audit file"]
    problems: list[str] = []
    last = NO_HASH
    for number, line in _lines(path):
        stated = link(line)
        if stated is None:
            problems.append(f"line {number}: torn, or not a record")
            continue  # the next record goes on from the last whole one
        if true_hash(line) != stated.hash:
            problems.append(f"line {number}: changed after it was written")
        elif stated.prev != last:
            problems.append(f"line {number}: does not follow the one before (missing, changed or out of place)")
        last = stated.hash
    return problems


def read(path: Path, since: datetime | None = None) -> Iterator[dict[str, Any]]:
    """The records in order, those from ``since`` on (UTC where it has no zone). A missing file has none.

    Lines that are torn or no JSON are passed over; `verify` names them.
    """
    begin = _utc(since) if since else None
    for _, line in _lines(path) if path.exists() else ():
        record = _record(line)
        if record is not None and (begin is None or _is_from(record, begin)):
            yield record


def recent(path: Path, since: datetime) -> Iterator[dict[str, Any]]:
    """The records from ``since`` on, as `read` has them, without reading the whole file.

    Looks for the place where they begin by halves, for which records have to be in order of time, within `ORDER`:
    processes take the time before they take their turn at the file.
    """
    begin = _utc(since)
    for _, line in _lines(path, _offset_of(path, begin - ORDER)) if path.exists() else ():
        record = _record(line)
        if record is not None and _is_from(record, begin):
            yield record


def _offset_of(path: Path, begin: datetime) -> int:
    """Where in the file a line begins before which all are older; 0 where the file is short."""
    with path.open("rb") as file:
        low, high = 0, file.seek(0, SEEK_END)
        while high - low > LINE_BYTES_MAX:
            middle = (low + high) // 2
            file.seek(middle)
            file.readline(LINE_BYTES_MAX + 1)  # the rest of the line that it fell into
            place, record = file.tell(), _record(file.readline(LINE_BYTES_MAX + 1))
            if record is None or place >= high or _is_from(record, begin):
                high = middle
            else:
                low = place
        return low


def _lines(path: Path, begin: int = 0) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as file:
        file.seek(begin)
        number = 0
        while line := file.readline(LINE_BYTES_MAX + 1):
            number += 1
            yield number, line


def _record(line: bytes) -> dict[str, Any] | None:
    if link(line) is None:
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def _is_from(record: dict[str, Any], begin: datetime) -> bool:
    """Tell whether the record was written at or after ``begin``; one without a readable time is shown."""
    try:
        return _utc(datetime.fromisoformat(str(record.get("ts")))) >= begin
    except ValueError:
        return True


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
