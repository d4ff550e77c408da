"""A folder of recordings (``*.jsonl.gz``): what can be played, by kind, and what cannot, each with its reason."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from replaying.exchanges import Exchange, Unplayable, exchange, label, provider_name
from replaying.grpc_calls import grpc_call
from replaying.sessions import Session, session

# What marks exchanges with hosts that are no model APIs: their file, or their provider.
NEGATIVES, NOT_A_MODEL = "negatives", "not-an-llm-api"


@dataclass(frozen=True, slots=True)
class Unplayed:
    """A record, or what it was to be played as (``way``; empty for every way), that was not played."""

    id: str
    provider: str
    endpoint: str
    reason: str
    way: str = ""


@dataclass(slots=True)
class Recording:
    """What a folder holds. ``calls`` are gRPC, ``sessions`` WebSockets, ``negatives`` with hosts that are no models."""

    exchanges: list[Exchange] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    calls: list[Exchange] = field(default_factory=list)
    negatives: list[Exchange] = field(default_factory=list)
    unplayed: list[Unplayed] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many records can be played."""
        return len(self.exchanges) + len(self.sessions) + len(self.calls) + len(self.negatives)

    @property
    def to_read(self) -> list[Exchange | Session]:
        """All but the negatives."""
        return [*self.exchanges, *self.calls, *self.sessions]

    @property
    def hosts(self) -> dict[str, str]:
        """The hosts that are to be read, each with a provider's label for where the shipped table lacks it."""
        return {each.host: provider_name(each.provider) for each in self.to_read}

    def keep(self, wanted: Callable[[Any], bool]) -> None:
        """Keep the records that are wanted."""
        for name in ("exchanges", "sessions", "calls", "negatives", "unplayed"):
            setattr(self, name, [each for each in getattr(self, name) if wanted(each)])


def read(folder: Path) -> Recording:
    """Read every ``*.jsonl.gz`` of a folder. Raises FileNotFoundError where there is none."""
    files = sorted(folder.glob("*.jsonl.gz"))
    if not files:
        raise FileNotFoundError(f"no *.jsonl.gz in {folder}")
    recording = Recording()
    for file in files:
        for name, line in _lines(file, recording):
            _add(recording, file, name, line)
    return recording


def _lines(file: Path, recording: Recording) -> Iterator[tuple[str, bytes]]:
    """The lines of a file, each with a name; a file that breaks off is told of after those before."""
    number = 0
    try:
        with gzip.open(file) as lines:
            for number, line in enumerate(lines, 1):
                yield f"{file.name}:{number}", line
    except (OSError, EOFError, zlib.error) as problem:
        reason = f"the file cannot be read from here on ({type(problem).__name__})"
        recording.unplayed.append(Unplayed(f"{file.name}:{number + 1}", "unknown", "unknown", reason))


def _add(recording: Recording, file: Path, name: str, line: bytes) -> None:
    record: Any = None
    try:
        record = json.loads(line)
        if not isinstance(record, dict):
            raise Unplayable("it is no JSON object")
        record.setdefault("id", name)
        if "messages" in record:
            recording.sessions.append(session(record))
        elif "request_pb_b64" in record:
            recording.calls.append(grpc_call(record))
        elif file.name.startswith(NEGATIVES) or record.get("provider") == NOT_A_MODEL:
            recording.negatives.append(exchange(record))
        else:
            recording.exchanges.append(exchange(record))
    except Unplayable as problem:
        recording.unplayed.append(_unplayed(record, name, str(problem)))
    except (ValueError, RecursionError):
        recording.unplayed.append(_unplayed(record, name, "it is no JSON"))


def _unplayed(record: Any, name: str, reason: str) -> Unplayed:
    if not isinstance(record, dict):
        return Unplayed(name, "unknown", "unknown", reason)
    return Unplayed(label(record, "id"), label(record, "provider"), label(record, "endpoint"), reason)
