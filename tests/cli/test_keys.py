"""The id of a key is printed, the key is not."""

import hashlib
import json

import pytest
from typer.testing import CliRunner

from outwarden.cli.app import app
from outwarden.pii import hash_of

KEY = "sk-invented-0123456789"


def run(stdin: str, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["key-id", *arguments], input=stdin)
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("stdin", [KEY, f"{KEY}\n", f"  {KEY}\r\n"])
def test_the_id_is_what_callers_yml_wants(stdin: str) -> None:
    """`sha256:` and the hash of the key itself, without the line end of a pipe."""
    expected = "sha256:" + hashlib.sha256(KEY.encode()).hexdigest()

    assert run(stdin) == (0, f"{expected}\n", "")
    assert json.loads(run(stdin, "--json")[1]) == {"key_id": expected}


@pytest.mark.parametrize("stdin", ["", "\n", "two words", f"{KEY}\nsecond line", "k" * 20_000])
def test_what_is_no_key_is_refused(stdin: str) -> None:
    """Exit code 2, no id, and no word of what was typed."""
    code, out, error = run(stdin)

    assert (code, out) == (2, "")
    assert "sk-" not in error
    assert "second" not in error


def test_a_key_on_the_command_line_is_not_taken() -> None:
    """It would be in the history and in the process list."""
    code, out, error = run("", KEY)

    assert (code, out) == (2, "")
    assert hashlib.sha256(KEY.encode()).hexdigest() not in error


def test_a_value_is_hashed_for_the_lists() -> None:
    """In the form that pii.yml takes; in any case of letters the same."""
    first, second = (
        CliRunner().invoke(app, ["hash"], input=said) for said in ("Project Bluebird\n", "project bluebird")
    )

    assert first.exit_code == 0
    assert first.stdout == second.stdout == hash_of("Project Bluebird") + "\n"


@pytest.mark.parametrize("stdin", ["", "\n", "abc", "two\nlines", "v" * 5000])
def test_what_cannot_be_listed_is_not_hashed(stdin: str) -> None:
    """Exit code 2 and the reason."""
    result = CliRunner().invoke(app, ["hash"], input=stdin)

    assert result.exit_code == 2
    assert result.stdout == ""
