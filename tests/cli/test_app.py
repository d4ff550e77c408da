"""The command line as a whole: fast where it must be, clear where it refuses, the same options everywhere."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from outwarden.cli.app import app

ADDONS = Path(__file__).parents[2] / "addons"


def python(*arguments: str, **options: object) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(ADDONS)}
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=60, **options
    )


def test_version_needs_no_heavy_module() -> None:
    """The version is there in a moment: neither typer, rich, nor any room but the command itself is imported."""
    code = (
        "import sys; sys.argv = ['outwarden', 'version']; from outwarden.cli import main; main(); "
        "heavy = {'typer', 'rich', 'yaml', 'mitmproxy', 'spacy', 'sqlalchemy', 'outwarden.rules'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    began = time.monotonic()
    shown = python("-c", code)

    assert shown.stdout.splitlines()[1] == "[]"
    assert time.monotonic() - began < 3, "0.3 s when the machine is idle"


def test_python_m_outwarden_is_outwarden() -> None:
    """The module starts the same commands; nobody needs the script on the path."""
    shown = python("-m", "outwarden", "version")

    assert shown.returncode == 0
    assert shown.stdout.strip()


@pytest.mark.parametrize("command", [["top"], ["setup"]])
def test_what_is_not_built_is_refused(command: list[str]) -> None:
    """One sentence, exit code 2, and not in the help."""
    result = CliRunner().invoke(app, command)
    help_text = CliRunner().invoke(app, [*command[:-1], "--help"]).stdout

    assert result.exit_code == 2
    assert result.stderr == f"outwarden: `{' '.join(command)}` is not built yet\n"
    assert f" {command[-1]} " not in help_text


def test_every_command_takes_rules_and_state() -> None:
    """A script need not know which command reads which folder."""
    command = typer.main.get_command(app)
    commands = getattr(command, "commands")  # noqa: B009  # a group of commands, whatever its class is called
    lacking = {
        name: missing
        for name, each in commands.items()
        if not each.hidden
        and (missing := {"--rules", "--state"} - {option for parameter in each.params for option in parameter.opts})
    }

    assert lacking == {}


def test_a_state_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    """An error raised on purpose is no traceback."""
    (tmp_path / "file").write_text("x")
    shown = python("-m", "outwarden", "audit", "--state", str(tmp_path / "file"))

    assert shown.returncode == 1
    assert shown.stderr.startswith("outwarden: ")
    assert "Traceback" not in shown.stderr


def test_no_command_shows_the_help() -> None:
    """Somebody new sees the commands."""
    shown = python("-m", "outwarden")

    assert "doctor" in shown.stdout + shown.stderr
