"""The one folder that holds what outlives a run: database, audit file, certificate authority, secret."""

import fcntl
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from outwarden.errors import StateError
from outwarden.rules.key_ring import KEY_BYTES, KeyRing, read_ring

_FILE_BYTES_MAX = 4096  # a full ring has some 900
_OWN_FILES = frozenset({"outwarden.db", "audit.jsonl", "ca", "secret.key"})


def default_state_folder() -> Path:
    """``OUTWARDEN_STATE``, else the per-user place of the system for data that a program keeps."""
    if named := os.environ.get("OUTWARDEN_STATE"):
        return Path(named)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "outwarden"
    state_home = os.environ.get("XDG_STATE_HOME", "")
    # The XDG specification asks to ignore a relative path.
    return (Path(state_home) if os.path.isabs(state_home) else Path.home() / ".local" / "state") / "outwarden"


class StateFolder:
    """A state folder, created (0700) where it is missing. Raises StateError, which names the path.

    A folder that others may read is closed to them, if it is empty or already ours; otherwise it is refused, so that
    ``--state .`` cannot take somebody's folder away from them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        with _explained(self.path):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._close_to_others()
            if not os.access(self.path, os.R_OK | os.W_OK | os.X_OK):
                raise StateError(f"{self.path}: this user may not write to the state folder")

    @property
    def database_url(self) -> str:
        """``OUTWARDEN_DATABASE``, which several interceptors may share (and which may hold a password), else a file."""
        if named := os.environ.get("OUTWARDEN_DATABASE"):
            return named
        return f"sqlite:///{self.path / 'outwarden.db'}"

    @property
    def audit(self) -> Path:
        return self.path / "audit.jsonl"

    @property
    def ca(self) -> Path:
        """The folder of the certificate authority."""
        return self.path / "ca"

    def secret(self) -> bytes:
        """The key of all pseudonyms (32 bytes) that is in use."""
        return self.keys().current(_now()).secret

    def keys(self) -> KeyRing:
        """The keys of all pseudonyms; the first is made once, processes that start together agree on one."""
        path = self.path / "secret.key"
        with _explained(path), _locked(self.path):
            return self._keys(path)

    def rotate_key(self, overlap: timedelta) -> KeyRing:
        """Let a new key take over soon; what the present one named stays known for ``overlap``. Returns the new ring.

        Raises StateError where a key was made just now, or too many former ones are still in their overlap.
        """
        path = self.path / "secret.key"
        with _explained(path), _locked(self.path):
            try:
                ring = self._keys(path).rotated(secrets.token_bytes(KEY_BYTES), overlap, _now())
            except ValueError as error:
                raise StateError(f"{path}: {error}") from None
            _write_private(path, ring.to_bytes())
            return ring

    def keys_stamp(self) -> tuple[int, int]:
        """Differs where the keys may; costs a stat."""
        found = os.stat(self.path / "secret.key")
        return found.st_mtime_ns, found.st_ino

    def _keys(self, path: Path) -> KeyRing:
        """Read the keys, or make the first; what has expired is forgotten for good. The folder is locked."""
        if not path.exists():
            _write_private(path, secrets.token_bytes(KEY_BYTES))
        ring = _read_private(path)
        needed = ring.without_expired(_now())
        if needed != ring:
            _write_private(path, needed.to_bytes())
        return needed

    def _close_to_others(self) -> None:
        if not stat.S_IMODE(self.path.stat().st_mode) & 0o077:
            return
        inside = set(os.listdir(self.path))
        if inside and not inside & _OWN_FILES:
            raise StateError(f"{self.path}: holds other files and is open to others; name a folder of its own")
        self.path.chmod(0o700)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the system refuses into a StateError that names the path."""
    try:
        yield
    except OSError as error:
        raise StateError(f"{path}: {error.strerror or type(error).__name__}") from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of ``folder`` against other processes."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read; it is there whole or not at all, also after a crash."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)  # of somebody who died here; we hold the lock
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.replace(path)


def _read_private(path: Path) -> KeyRing:
    """Read the keys; a file that others could read is closed to them, one that holds something else is refused."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        if os.fstat(descriptor).st_mode & 0o077:
            os.fchmod(descriptor, 0o600)
        data = os.read(descriptor, _FILE_BYTES_MAX)
    finally:
        os.close(descriptor)
    try:
        return read_ring(data)
    except ValueError:
        said = f"expected {KEY_BYTES} bytes, or a ring of keys"
        raise StateError(f"{path}: {said}; restore it, or remove it to get new pseudonyms") from None


def _now() -> datetime:
    return datetime.now(UTC)
