"""The audit file: records appended to one chain, by any number of threads and processes."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from outwarden.audit.chain import LINE_BYTES_MAX, NO_HASH, hash_of, seal
from outwarden.errors import StateError


class AuditLog:
    """An audit file, open for appending. Construction and `append` raise StateError where it cannot be written.

    Durability: a record is handed to the operating system as one write before `append` returns, so it outlives this
    process; it is not forced to the disk (an fsync costs milliseconds), so a power cut may cost the last seconds. A
    line that was torn by a crash stays where it is, and the next `append` ends it and adds a record that says so.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._descriptor = -1
        self._size = -1  # of the file after our last write: the same size means that nobody else wrote
        self._last = NO_HASH
        with self._explained():
            self._reopen()

    def append(self, record: Mapping[str, Any]) -> None:
        """Append ``record`` with ``ts`` (now, UTC, where it has none), ``prev`` and ``hash``.

        Raises ValueError or TypeError for what is no record (see `chain.seal`).
        """
        stamped = record if "ts" in record else {"ts": _now(), **record}
        with self._lock, self._explained(), self._exclusive():
            self._catch_up()
            self._write(stamped)

    def close(self) -> None:
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1

    def _reopen(self) -> None:
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._size = -1

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Hold the file against other processes."""
        if self._descriptor < 0:
            raise StateError(f"{self.path}: the audit file was closed")
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _catch_up(self) -> None:
        """Learn the hash to go on from, where another process wrote since; end a line that a crash has torn."""
        size = os.fstat(self._descriptor).st_size
        if size == self._size:
            return
        self._size = size
        self._last, torn_bytes = _end_of(self._descriptor, size)
        if torn_bytes:
            self._put(b"\n")
            self._write({"ts": _now(), "repaired": "the line before this one was torn", "torn_bytes": torn_bytes})

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

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StateError(f"{self.path}: {error.strerror or type(error).__name__}") from error


def _end_of(descriptor: int, size: int) -> tuple[str, int]:
    """The hash of the last whole line (`NO_HASH` where there is none), and the bytes of a torn line after it."""
    tail = os.pread(descriptor, 2 * LINE_BYTES_MAX, max(0, size - 2 * LINE_BYTES_MAX))
    whole, _, torn = tail.rpartition(b"\n")
    for line in reversed(whole.split(b"\n")):
        if digest := hash_of(line + b"\n"):
            return digest, len(torn)
    return NO_HASH, len(torn)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
