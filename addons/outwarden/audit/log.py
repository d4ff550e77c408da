"""The audit file: records appended to one chain, by any number of threads and processes."""

import fcntl
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from outwarden.audit.chain import LINE_BYTES_MAX, NO_HASH, link, seal
from outwarden.errors import StateError

_TAIL_BYTES = 2 * LINE_BYTES_MAX  # holds the last whole line, even behind a torn one


class AuditLog:
    """An audit file, open for appending. Construction and `append` raise StateError where it cannot be written.

    Durability: a record is handed to the operating system in one write before `append` returns, so it outlives this
    process; it is not forced to the disk (an fsync costs milliseconds), so a power cut may cost the last seconds. A
    line that a crash has torn stays where it is; the next `append` ends it and adds a record that says so. A file that
    was moved away (log rotation) is followed by a new one with a chain of its own.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._name = str(path)  # for `os.stat`: a Path costs three times as much each time
        self._lock = Lock()
        self._descriptor = -1
        self._inode = -1
        self._size = -1  # of the file after our last write: the same size means that nobody else wrote
        self._last = NO_HASH
        try:
            self._open()
        except OSError as error:
            raise self._explained(error) from error

    def append(self, record: Mapping[str, Any]) -> None:
        """Append ``record`` with ``ts`` (now, UTC, where it has none), ``prev`` and ``hash``.

        Raises ValueError or TypeError for what is no record (see `chain.seal`).
        """
        stamped = record if "ts" in record else {"ts": _now(), **record}
        with self._lock:
            if self._descriptor < 0:
                raise StateError(f"{self.path}: the audit file was closed")
            try:
                self._append(stamped)
            except OSError as error:
                raise self._explained(error) from error

    def close(self) -> None:
        """Close the file; a later `append` raises StateError."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1

    def _append(self, record: Mapping[str, Any]) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)  # against other processes
        try:
            self._catch_up()
            self._write(record)
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _open(self) -> None:
        descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = descriptor
        self._inode = os.fstat(descriptor).st_ino
        self._size = -1

    def _catch_up(self) -> None:
        """Follow the path to its present file; where others wrote since, learn the hash to go on from."""
        size = self._present_size()
        if size == self._size:
            return
        self._size = size
        self._last, torn_bytes = _end_of(self._descriptor, size)
        if torn_bytes:
            self._put(b"\n")
            self._last, _ = _end_of(self._descriptor, self._size)  # the torn line may have lacked its line feed alone
            self._write({"ts": _now(), "repaired": "the line before this one was torn", "torn_bytes": torn_bytes})

    def _present_size(self) -> int:
        while True:
            try:
                found = os.stat(self._name)
            except FileNotFoundError:
                found = None
            if found and found.st_ino == self._inode:
                return found.st_size
            self._open()
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def _write(self, record: Mapping[str, Any]) -> None:
        line, digest = seal(record, self._last)
        self._put(line)
        self._last = digest

    def _put(self, data: bytes) -> None:
        """Write all of ``data`` or nothing."""
        written = os.write(self._descriptor, data)
        if written != len(data):  # the disk is full: take the piece back, so that no torn line stays
            os.ftruncate(self._descriptor, self._size)
            raise StateError(f"{self.path}: the disk is full")
        self._size += written

    def _explained(self, error: OSError) -> StateError:
        return StateError(f"{self.path}: {error.strerror or type(error).__name__}")


def _end_of(descriptor: int, size: int) -> tuple[str, int]:
    """The hash of the last whole line (`NO_HASH` where there is none), and the bytes of a torn line after it."""
    tail = os.pread(descriptor, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
    lines = tail.split(b"\n")
    torn = lines.pop()
    for line in reversed(lines):
        if found := link(line + b"\n"):
            return found.hash, len(torn)
    return NO_HASH, len(torn)


def _now() -> str:
    return f"{datetime.now(UTC).isoformat(timespec='milliseconds')[:-6]}Z"
