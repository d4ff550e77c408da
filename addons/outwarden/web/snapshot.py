"""What the page shows, at one moment."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

CALLS_MAX = 100  # one screen or two; the audit file has all of them
CALLER_SHOWN = ("team", "project", "user")  # not the key's id, the session or the address: everyone may read the page

HIDDEN = frozenset({"prev", "hash", "budgets"})


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of the interceptor.

    ``budgets``: budget states as the contract's JSON. ``recent``: what `RecentCalls` kept, newest
    first (audit records; what is not for everyone is left out when they are shown). ``rules``: as
    `summarize` gives it. ``upstreams``: ``{name, state}`` and, where it is left alone, ``open_s`` (seconds).
    """

    version: str
    started_at: datetime
    now: datetime
    budgets: Sequence[Mapping[str, Any]] = ()
    recent: Sequence[Mapping[str, Any]] = ()
    upstreams: Sequence[Mapping[str, Any]] = ()
    rules: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The snapshot in JSON types."""
        return {
            "version": self.version,
            "started_at": self.started_at.isoformat(),
            "now": self.now.isoformat(),
            "budgets": [dict(state) for state in self.budgets],
            "recent": [shown_call(record) for record in self.recent],
            "upstreams": [dict(upstream) for upstream in self.upstreams],
            "rules": dict(self.rules),
        }


def shown_call(record: Mapping[str, Any]) -> dict[str, Any]:
    """An audit record without what only the auditor needs: chain hashes, key ids, sessions, addresses."""
    caller = record.get("caller") or {}
    call = {key: value for key, value in record.items() if key not in HIDDEN}
    return call | {"caller": {key: caller[key] for key in CALLER_SHOWN if caller.get(key)}}


class RecentCalls:
    """The last calls; what is not for everyone is left out when they are asked for, and not with each call."""

    def __init__(self, limit: int = CALLS_MAX) -> None:
        self._calls: deque[Mapping[str, Any]] = deque(maxlen=limit)

    def add(self, record: Mapping[str, Any]) -> None:
        """Keep an audit record; the oldest leaves when the room is full."""
        self._calls.appendleft(record)

    def newest_first(self) -> list[Mapping[str, Any]]:
        """The calls kept."""
        return [shown_call(record) for record in self._calls]
