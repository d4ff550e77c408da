"""Whether the process that took a hold still lives. Age alone proves nothing: a stream may run for an hour."""

import os
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

SILENT_AFTER = timedelta(seconds=60)  # without a heartbeat, an owner we cannot look at counts as dead


@dataclass(frozen=True, slots=True)
class Owner:
    """A process that holds money. ``host`` names the machine, its boot and the process namespace; ``started`` tells a
    reused pid from the first one; it is empty where the system does not say."""

    id: str
    pid: int
    started: str
    host: str


def this_process() -> Owner:
    """Describe this process, under a new random id."""
    return Owner(secrets.token_hex(8), os.getpid(), _started(os.getpid()), _host())


class Watch:
    """Tells by our own clock how long an owner has been silent: the clocks of other machines may be anywhere."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._noticed: dict[str, tuple[datetime, float]] = {}

    def silent(self, beats: Mapping[str, datetime]) -> Mapping[str, timedelta]:
        """Since when each owner's last heartbeat is the same; zero for one that we see for the first time.

        ``beats``: of all owners there are; who is not among them is forgotten.
        """
        now = self._monotonic()
        before = self._noticed
        self._noticed = {
            owner: before[owner] if owner in before and before[owner][0] == beat else (beat, now)
            for owner, beat in beats.items()
        }
        return {owner: timedelta(seconds=now - since) for owner, (_, since) in self._noticed.items()}


def is_alive(owner: Owner, silent: timedelta) -> bool:
    """Say whether an owner may still settle its holds. ``silent``: for how long there was no new heartbeat (`Watch`).

    On our own host the process table answers, however long it was silent; elsewhere, and where the table cannot tell
    two processes with the same pid apart, the heartbeat does.
    """
    recent = silent <= SILENT_AFTER
    if owner.host != _host():
        return recent
    if not _exists(owner.pid):
        return False
    if not owner.started:
        return recent
    return _started(owner.pid) == owner.started


def _exists(pid: int) -> bool:
    if os.name != "posix":  # os.kill ends a process on Windows; there the heartbeat decides
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _started(pid: int) -> str:
    """The start of a process in clock ticks since boot (Linux, proc(5): field 22 of stat); "" where unknown.

    A zombie is dead to us: it will not settle anything.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()  # the name before it may hold spaces and brackets
    return "" if fields[0] in "ZX" else fields[19]


@cache
def _host() -> str:
    """Machine, boot and process namespace: only where all three agree do pids mean the same processes."""
    return "|".join((socket.gethostname(), _read("/proc/sys/kernel/random/boot_id"), _namespace()))


def _read(path: str) -> str:
    try:
        return Path(path).read_text("ascii").strip()
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
