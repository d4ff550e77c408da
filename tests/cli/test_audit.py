"""Records are shown since a moment, and the proof says when one was changed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from outwarden.audit import AuditLog
from outwarden.cli.app import app
from outwarden.cli.audit import line, moment

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def record(ts: str, **changes: Any) -> dict[str, Any]:
    return {
        "ts": ts,
        "call_id": "c",
        "caller": {"team": "support"},
        "provider": "openai",
        "model": "gpt-4o",
        "served": {"upstream": "standby"},
        "status": 200,
        "verdict": "allowed",
        "usage": {"input_tokens": 12, "output_tokens": 3},
        "cost_usd": "0.0001",
        "redactions": {"request": {"EMAIL_ADDRESS": 2}, "response": {}},
        **changes,
    }


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder with three records of three days."""
    tmp_path.chmod(0o700)
    log = AuditLog(tmp_path / "audit.jsonl")
    for day in (19, 20, 21):
        log.append(record(f"2026-11-{day}T10:00:00.000Z"))
    log.close()
    return tmp_path


def run(state: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["audit", "--state", str(state), *arguments])
    return result.exit_code, result.stdout


def test_json_is_a_list_with_one_record_per_line(state: Path) -> None:
    """The records as they are in the file, hashes too; a list for programs, lines for line tools."""
    code, text = run(state, "--json")
    shown = json.loads(text)

    assert code == 0
    assert [each["ts"][:10] for each in shown] == ["2026-11-19", "2026-11-20", "2026-11-21"]
    assert shown[1]["prev"] == shown[0]["hash"]
    assert len([each for each in text.splitlines() if '"call_id"' in each]) == 3


def test_since_leaves_out_what_is_older(state: Path) -> None:
    """A date means its first moment in UTC."""
    _, text = run(state, "--json", "--since", "2026-11-20")

    assert [each["ts"][:10] for each in json.loads(text)] == ["2026-11-20", "2026-11-21"]


def test_a_whole_file_verifies_and_a_changed_one_does_not(state: Path) -> None:
    """One changed digit is found, with its line, and the exit code is 1."""
    good = run(state, "--verify")
    path = state / "audit.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"0.0001"', b'"0.0002"', 1))
    bad = run(state, "--verify")

    assert good[0] == 0
    assert bad[0] == 1
    assert "line 1" in bad[1]
    assert json.loads(run(state, "--verify", "--json")[1])["ok"] is False


def test_a_file_that_is_gone_is_a_problem(tmp_path: Path) -> None:
    """Removing the whole file does not make the proof succeed."""
    assert run(tmp_path / "new", "--verify")[0] == 1


def test_no_calls_yet_is_an_empty_list(tmp_path: Path) -> None:
    """Nothing to show is no error."""
    assert run(tmp_path / "new", "--json") == (0, "[]\n")
    assert run(tmp_path / "new") == (0, "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15m", NOW - timedelta(minutes=15)),
        ("2h", NOW - timedelta(hours=2)),
        ("7d", NOW - timedelta(days=7)),
        ("1w", NOW - timedelta(weeks=1)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T10:00:00+02:00", datetime(2026, 11, 20, 8, tzinfo=UTC)),
    ],
)
def test_ages_dates_and_moments_are_read(text: str, expected: datetime) -> None:
    """Each spelling is one moment."""
    assert moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "-2h", "h", "2y", "99999999999d", "2026-13-01"])
def test_other_spellings_are_refused(text: str, state: Path) -> None:
    """What is no moment shows nothing and ends with 2, also where it would mean for ever."""
    assert run(state, "--since", text) == (2, "")


def test_a_line_for_people_cannot_move_the_cursor() -> None:
    """Control characters in a model's name are shown as question marks."""
    shown = line(record("2026-11-21T10:00:00Z", model="gpt\x1b[2J\r\n4"))

    assert "\x1b" not in shown
    assert "\n" not in shown
    assert "2 redacted" in shown
    assert "via standby" in shown
