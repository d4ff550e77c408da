"""The sums are those of the records, exact, in every form."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from outwarden.audit import AuditLog
from outwarden.cli.app import app
from outwarden.cli.report import By, sum_up


def record(team: str | None, cost: str | None, **changes: Any) -> dict[str, Any]:
    return {
        "ts": "2026-11-21T10:00:00.000Z",
        "call_id": "c",
        "caller": {"team": team},
        "provider": "openai",
        "model": "gpt-4o",
        "served": {"upstream": "original", "provider": "openai", "model": "gpt-4o-2026"},
        "verdict": "allowed",
        "usage": {"input_tokens": 10, "output_tokens": 5},
        "cost_usd": cost,
        "redactions": {"request": {"EMAIL_ADDRESS": 1}, "response": {"PERSON": 2}},
        **changes,
    }


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Records of two teams, two months and one refusal."""
    tmp_path.chmod(0o700)
    log = AuditLog(tmp_path / "audit.jsonl")
    log.append(record("support", "0.1", ts="2026-10-31T23:59:59.999Z"))
    log.append(record("support", "0.2"))
    log.append(record("research", "0.7"))
    log.append(record("\ud800\x1b[2J", "0", ts="2026-09-01T00:00:00.000Z", verdict="failed"))
    log.append(record("=cmd()", None, verdict="refused", usage=None, served=None))
    log.close()
    return tmp_path


def run(state: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["report", "--state", str(state), *arguments])
    return result.exit_code, result.stdout


def test_teams_are_summed_and_the_dearest_comes_first(state: Path) -> None:
    """Calls, refusals, tokens, findings and exact money per team."""
    rows = json.loads(run(state, "--json")[1])

    assert [row["name"] for row in rows] == ["research", "support", "=cmd()", "\ud800\x1b[2J"]
    assert rows[1] == {
        "name": "support",
        "calls": 2,
        "refused": 0,
        "failed": 0,
        "input_tokens": 20,
        "output_tokens": 10,
        "redactions": 6,
        "cost_usd": "0.3",
    }
    assert (rows[2]["refused"], rows[2]["failed"]) == (1, 0)
    assert (rows[3]["refused"], rows[3]["failed"]) == (0, 1)


def test_a_month_is_a_month_in_utc(state: Path) -> None:
    """The last moment of October is not November."""
    rows = json.loads(run(state, "--json", "--month", "2026-11")[1])

    assert {row["name"]: row["cost_usd"] for row in rows}["support"] == "0.2"


def test_a_month_without_its_zero_is_that_month_alone(state: Path) -> None:
    """What is read as January is not October to December, whose numbers begin with the same figure."""
    assert json.loads(run(state, "--json", "--month", "2026-1")[1]) == []


def test_csv_runs_nothing_in_a_spreadsheet(state: Path) -> None:
    """A team that looks like a formula is quoted; everything else is as in the JSON."""
    rows = list(csv.DictReader(io.StringIO(run(state, "--csv")[1])))

    assert [row["name"] for row in rows] == ["research", "support", "'=cmd()", "??[2J"]
    assert rows[0]["cost_usd"] == "0.7"


def test_the_model_is_the_one_that_served(state: Path) -> None:
    """Where a call was served by another model, it counts there; a refused one for what was asked."""
    rows = json.loads(run(state, "--json", "--by", "model")[1])

    assert {row["name"]: row["calls"] for row in rows} == {"gpt-4o-2026": 4, "gpt-4o": 1}


@pytest.mark.parametrize("arguments", [["--month", "November"], ["--month", "2026-13"], ["--by", "shoe-size"]])
def test_a_wrong_question_ends_with_2(arguments: list[str], state: Path) -> None:
    """Nothing is summed for what was not understood."""
    assert run(state, *arguments) == (2, "")


def test_the_table_and_the_empty_report(state: Path, tmp_path: Path) -> None:
    """People get a table, or the sentence that there is nothing."""
    assert "research" in run(state)[1]
    assert run(tmp_path / "new") == (0, "no calls\n")


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 10**12)), max_size=20))
def test_no_money_is_lost_by_grouping(calls: list[tuple[str | None, int]]) -> None:
    """The sum over the groups is the sum over the records, to the nano-dollar."""
    records = [record(team, format(Decimal(nano).scaleb(-9), "f")) for team, nano in calls]
    rows = sum_up(records, By.team)

    assert sum((row.cost_usd for row in rows), Decimal()) == Decimal(sum(n for _, n in calls)).scaleb(-9)
    assert sum(row.calls for row in rows) == len(calls)


def test_notes_of_the_log_itself_are_no_calls() -> None:
    """A repaired line is told by `audit`, and is nobody's call."""
    assert sum_up([{"ts": "2026-11-21T10:00:00Z", "repaired": "the line before this one was torn"}], By.team) == []
