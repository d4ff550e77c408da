"""`outwarden scan PATHS`: what would be taken out of files, where, and nothing of it unless it is asked for."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from outwarden.cli.app import app
from outwarden.cli.scan_files import files_in, scan_file
from outwarden.cli.scanner import Scanner
from outwarden.pii import PiiPolicy

EMAIL = "jonas.weber@quarzbach-logistik.de"
SCANNER = Scanner(PiiPolicy(), b"0" * 32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = tmp_path / "files"
    (files / "inner").mkdir(parents=True)
    (files / ".git").mkdir()
    (files / "a.txt").write_text(f"first line\nmail {EMAIL}\r\nlast\n")
    (files / "inner" / "b.log").write_text("nothing here\n")
    (files / ".git" / "c").write_text(EMAIL)
    return files


def run(*arguments: str, state: Path) -> Result:
    return CliRunner().invoke(app, ["scan", *arguments, "--state", str(state / "state")])


def test_files_are_counted_and_not_shown(folder: Path, tmp_path: Path) -> None:
    """Entities and lines; the value itself only with --diff."""
    plain, diff = run(str(folder), state=tmp_path), run(str(folder), "--diff", state=tmp_path)

    assert (plain.exit_code, diff.exit_code) == (0, 0)
    assert "EMAIL_ADDRESS 1" in plain.stdout
    assert "2 files read" in plain.stdout
    assert "slowest" in plain.stdout
    assert EMAIL not in plain.stdout
    assert f"- mail {EMAIL}" in diff.stdout
    assert "+ mail [EMAIL_ADDRESS_" in diff.stdout
    assert "a.txt:2" in diff.stdout


def test_json_has_counts_and_places(folder: Path, tmp_path: Path) -> None:
    """A line for each file, without text."""
    told = [json.loads(line) for line in run(str(folder), "--json", state=tmp_path).stdout.splitlines()]

    assert [one["entities"] for one in told] == [{"EMAIL_ADDRESS": 1}, {}]
    assert told[0]["lines"] == [2]


def test_what_cannot_be_read_is_said(folder: Path, tmp_path: Path) -> None:
    """And the others are scanned all the same; the exit code tells."""
    (folder / "picture.png").write_bytes(b"\x89PNG\xff\xfe")
    result = run(str(folder), str(folder / "missing"), state=tmp_path)

    assert result.exit_code == 1
    assert "no text in UTF-8" in result.stdout
    assert "No such file" in result.stdout
    assert "EMAIL_ADDRESS 1" in result.stdout


def test_folders_that_nobody_wrote_are_passed_over(folder: Path) -> None:
    """In order, with what lies inside."""
    assert [path.name for path in files_in([folder])] == ["a.txt", "b.log"]


def test_a_value_over_several_lines_is_one_change(tmp_path: Path) -> None:
    """A private key is shown from its first line on, and what follows keeps its number."""
    key = (
        "-----BEGIN PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEA1c7pad7OejecsQ0bu3aumtR5\n" * 3 + "-----END PRIVATE KEY-----"
    )
    file = tmp_path / "x"
    file.write_text(f"a\n{key}\nmail {EMAIL}\n")
    scan = scan_file(SCANNER, file, "request")

    assert [number for number, _, _ in scan.lines] == [2, 7]
    assert "MII" not in "".join(after for _, _, after in scan.lines)
