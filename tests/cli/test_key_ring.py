"""Keys are shown by id, and rotated with a record of it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from outwarden.audit import read, verify
from outwarden.cli.app import app
from outwarden.rules import StateFolder


def run(state: Path, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["keys", *arguments, "--state", str(state)])
    return result.exit_code, result.stdout, result.stderr


def test_the_first_key_is_the_only_one(tmp_path: Path) -> None:
    """No key itself is printed."""
    code, out, _ = run(tmp_path / "state", "--json")
    secret = StateFolder(tmp_path / "state").secret()

    assert code == 0
    assert [one["state"] for one in json.loads(out)] == ["in use"]
    assert secret.hex() not in out


def test_a_rotation_is_recorded(tmp_path: Path) -> None:
    """What takes over from what, when, and until when; the chain holds; `audit` and `report` can read it."""
    state = tmp_path / "state"
    before = StateFolder(state).secret()

    code, out, _ = run(state, "rotate", "--overlap", "2d", "--json")
    folder = StateFolder(state)
    former, new = folder.keys().keys
    (record,) = read(folder.audit)

    assert code == 0
    assert former.secret == before
    assert [one["state"] for one in json.loads(out)] == ["in use", "next"]
    assert (record["event"], record["key"], record["former_key"]) == ("key_rotated", new.id, former.id)
    assert verify(folder.audit) == []
    assert former.secret.hex() not in folder.audit.read_text()
    assert "takes over from" in CliRunner().invoke(app, ["audit", "--state", str(state)]).stdout
    assert CliRunner().invoke(app, ["report", "--state", str(state)]).exit_code == 0


def test_a_second_rotation_at_once_is_refused(tmp_path: Path) -> None:
    """With the reason, and the ring as it was."""
    run(tmp_path / "state", "rotate")
    ring = StateFolder(tmp_path / "state").keys()
    result = CliRunner().invoke(app, ["keys", "rotate", "--state", str(tmp_path / "state")])

    assert result.exit_code == 1
    assert "not in use yet" in str(result.exception)
    assert StateFolder(tmp_path / "state").keys() == ring


@pytest.mark.parametrize("overlap", ["", "d", "-1d", "2", "2y", "٢d", "99999d"])
def test_an_overlap_is_an_age(overlap: str, tmp_path: Path) -> None:
    """Anything else ends with exit code 2, before anything is touched."""
    code, _, error = run(tmp_path / "state", "rotate", "--overlap", overlap)

    assert code == 2
    assert "--overlap" in error
    assert not (tmp_path / "state").exists()
