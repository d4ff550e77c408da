"""The state folder is its owner's alone, and its secret is made once."""

import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from outwarden.errors import StateError
from outwarden.rules import StateFolder, default_state_folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_is_closed_to_others(tmp_path: Path) -> None:
    """0700 from its first moment, whatever the umask, with its parents."""
    folder = StateFolder(tmp_path / "a" / "state")

    assert mode(folder.path) == 0o700


def test_where_things_are(tmp_path: Path) -> None:
    """As the contract names them."""
    folder = StateFolder(tmp_path / "state")

    assert folder.database_url == f"sqlite:///{tmp_path}/state/outwarden.db"
    assert folder.audit == tmp_path / "state" / "audit.jsonl"
    assert folder.ca == tmp_path / "state" / "ca"


def test_the_secret_is_made_once(tmp_path: Path) -> None:
    """32 bytes, 0600, the same for ever; another folder has another."""
    secret = StateFolder(tmp_path / "state").secret()

    assert len(secret) == 32
    assert StateFolder(tmp_path / "state").secret() == secret
    assert StateFolder(tmp_path / "other").secret() != secret
    assert mode(tmp_path / "state" / "secret.key") == 0o600
    assert os.listdir(tmp_path / "state") == ["secret.key"]


def test_all_who_start_together_agree_on_one_secret(tmp_path: Path) -> None:
    """Whoever comes first makes it, the others read it whole. (Each locks a descriptor of its own, as processes do.)"""
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: StateFolder(tmp_path / "state").secret(), range(64)))

    assert len(found) == 1


def test_a_draft_that_a_crash_left_is_no_obstacle(tmp_path: Path) -> None:
    """The next start makes the secret all the same."""
    StateFolder(tmp_path / "state")
    (tmp_path / "state" / ".secret.key.new").write_bytes(b"half")

    assert len(StateFolder(tmp_path / "state").secret()) == 32
    assert os.listdir(tmp_path / "state") == ["secret.key"]


def test_an_empty_folder_that_is_open_is_closed(tmp_path: Path) -> None:
    """So is one that is already ours."""
    (tmp_path / "state").mkdir(mode=0o755)
    StateFolder(tmp_path / "state").secret()
    assert mode(tmp_path / "state") == 0o700

    (tmp_path / "state").chmod(0o777)
    StateFolder(tmp_path / "state")
    assert mode(tmp_path / "state") == 0o700


def test_a_folder_of_other_things_is_not_taken(tmp_path: Path) -> None:
    """``--state .`` neither closes a project to its readers nor keeps secrets where they can be read."""
    (tmp_path / "project").mkdir(mode=0o755)
    (tmp_path / "project" / "README.md").touch()

    with pytest.raises(StateError, match="project: holds other files"):
        StateFolder(tmp_path / "project")
    assert mode(tmp_path / "project") == 0o755


def test_a_secret_that_others_could_read_is_closed(tmp_path: Path) -> None:
    """It stays the same: pseudonyms must not change because somebody copied a folder."""
    secret = StateFolder(tmp_path / "state").secret()
    (tmp_path / "state" / "secret.key").chmod(0o644)

    assert StateFolder(tmp_path / "state").secret() == secret
    assert mode(tmp_path / "state" / "secret.key") == 0o600


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_a_secret_of_the_wrong_length_is_refused(tmp_path: Path, content: bytes) -> None:
    """It is never overwritten: the old one may be in a backup."""
    StateFolder(tmp_path / "state")
    (tmp_path / "state" / "secret.key").write_bytes(content)

    with pytest.raises(StateError, match=r"secret\.key: expected 32 bytes"):
        StateFolder(tmp_path / "state").secret()
    assert (tmp_path / "state" / "secret.key").read_bytes() == content


def test_a_secret_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """Nobody leads us to another file."""
    StateFolder(tmp_path / "state")
    (tmp_path / "elsewhere").write_bytes(b"x" * 32)
    (tmp_path / "state" / "secret.key").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StateError, match=r"secret\.key"):
        StateFolder(tmp_path / "state").secret()


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    """With its path."""
    (tmp_path / "state").touch()

    with pytest.raises(StateError, match="state"):
        StateFolder(tmp_path / "state")


def test_the_default_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """OUTWARDEN_STATE first, then what the system says; a relative XDG path is ignored, as its specification asks."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("OUTWARDEN_STATE", "/srv/outwarden")
    assert default_state_folder() == Path("/srv/outwarden")

    monkeypatch.delenv("OUTWARDEN_STATE")
    assert default_state_folder() == tmp_path / "xdg" / "outwarden"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert default_state_folder() == tmp_path / ".local" / "state" / "outwarden"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert default_state_folder() == tmp_path / "Library" / "Application Support" / "outwarden"


def test_the_ledger_may_be_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the folder, unless the environment names a database."""
    folder = StateFolder(tmp_path / "state")
    assert folder.database_url == f"sqlite:///{tmp_path / 'state' / 'outwarden.db'}"
    monkeypatch.setenv("OUTWARDEN_DATABASE", "postgresql+psycopg://me@db.example/ledger")
    assert folder.database_url == "postgresql+psycopg://me@db.example/ledger"
