"""`outwarden check` says what is wrong, where, and with which exit code."""

import json
from pathlib import Path

from typer.testing import CliRunner

from outwarden.cli.app import app


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["check", *arguments])
    return result.exit_code, result.stdout


def test_good_rules_are_ok(tmp_path: Path) -> None:
    """One line that begins with ok and counts what is in force; missing files are the shipped ones."""
    (tmp_path / "budgets.yml").write_text("budgets:\n  - {name: a, scope: all, limit_usd: 1}\n")
    code, text = run(str(tmp_path))

    assert code == 0
    assert text.startswith("ok: ")
    assert "1 budgets" in text


def test_each_problem_is_a_line_with_its_place(tmp_path: Path) -> None:
    """Two mistakes in two files: two lines `file:line: message` on stdout, exit code 1."""
    (tmp_path / "budgets.yml").write_text("budgets:\n  - {name: a, scope: everyone, limit_usd: 1}\n")
    (tmp_path / "pii.yml").write_text("restore: true\nentites: all\n")
    code, text = run("--rules", str(tmp_path))
    lines = sorted(text.splitlines())

    assert code == 1
    assert lines[0].startswith(f"{tmp_path}/budgets.yml:2: ")
    assert lines[1].startswith(f"{tmp_path}/pii.yml:2: ")
    assert "entites" in lines[1]


def test_problems_as_json(tmp_path: Path) -> None:
    """The same for programs."""
    (tmp_path / "pii.yml").write_text("entites: all\n")
    code, text = run("--json", str(tmp_path))
    told = json.loads(text)

    assert (code, told["ok"]) == (1, False)
    assert told["problems"][0]["line"] == 1
    assert json.loads(run("--json")[1])["ok"] is True


def test_a_folder_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    """A wrong path is never taken for the shipped rules."""
    code, text = run(str(tmp_path / "nothing"))

    assert code == 1
    assert "no such folder" in text
