"""Only root changes the system's store, and it is changed by the system's own means."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from outwarden.cli import trust as trust_module
from outwarden.cli.app import app
from outwarden.cli.trust import TrustStore


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder with a certificate."""
    folder = tmp_path / "state"
    (folder / "ca").mkdir(parents=True)
    (folder / "ca" / "outwarden-ca-cert.pem").write_text("our certificate")
    return folder


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """A Linux system of our own whose store is a folder; the commands that were run are noted."""
    ran: list[Sequence[str]] = []
    store = TrustStore("Test", tmp_path / "store" / "outwarden.crt", ("true",))
    monkeypatch.setattr(trust_module, "DEBIAN", store)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(trust_module, "_run", ran.append)
    return ran


@pytest.mark.parametrize("command", ["trust", "untrust"])
def test_others_than_root_are_told_how(command: str, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One clear sentence and exit code 1; nothing was tried."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    result = CliRunner().invoke(app, [command, "--state", str(state)])

    assert result.exit_code == 1
    assert f"sudo outwarden {command}" in result.stderr


def test_trust_and_untrust_undo_each_other(state: Path, commands: list[Sequence[str]], tmp_path: Path) -> None:
    """The certificate is put into the store, the store refreshed, and all is as before afterwards."""
    place = tmp_path / "store" / "outwarden.crt"
    assert CliRunner().invoke(app, ["trust", "--state", str(state)]).exit_code == 0
    assert place.read_text() == "our certificate"
    assert place.stat().st_mode & 0o777 == 0o644
    assert CliRunner().invoke(app, ["untrust", "--state", str(state)]).exit_code == 0
    assert not place.exists()
    assert commands == [("true",), ("true",)]


def test_untrust_twice_is_no_error(state: Path, commands: list[Sequence[str]]) -> None:
    """Nothing to take out is said, and nothing is run."""
    result = CliRunner().invoke(app, ["untrust", "--state", str(state)])

    assert (result.exit_code, commands) == (0, [])
    assert "was not in" in result.stdout


def test_without_a_certificate_nothing_is_trusted(tmp_path: Path, commands: list[Sequence[str]]) -> None:
    """Exit code 1, and what makes the certificate."""
    result = CliRunner().invoke(app, ["trust", "--state", str(tmp_path / "new")])

    assert (result.exit_code, commands) == (1, [])
    assert "outwarden run" in result.stderr


def test_an_unknown_system_is_refused(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no store is known, nothing is written anywhere."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("shutil.which", lambda _: None)
    result = CliRunner().invoke(app, ["trust", "--state", str(state)])

    assert result.exit_code == 2
    assert "update-ca-certificates" in result.stderr


def test_a_command_that_fails_is_said(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own tool failing is our exit code 1, not a success."""
    monkeypatch.setattr(trust_module, "DEBIAN", TrustStore("Test", tmp_path / "s" / "o.crt", ("false",)))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("sys.platform", "linux")
    result = CliRunner().invoke(app, ["trust", "--state", str(state)])

    assert result.exit_code == 1
    assert "`false` failed" in result.stderr
