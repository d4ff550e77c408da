"""Spend against limits is shown as it is in the database, and looking makes no database."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from outwarden.budget import Amounts, Ledger, accounts, open_store
from outwarden.budget.callers import Caller
from outwarden.budget.limits import Budget, BudgetRules
from outwarden.cli.app import app
from outwarden.cli.budgets import bar

RULES = BudgetRules((Budget("team-cap", "team", 2_000_000_000), Budget("calls", "all", 10, unit="requests")))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder in which one call was charged and one is held."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    ledger = Ledger(open_store(f"sqlite:///{folder / 'outwarden.db'}"))
    at = datetime.now(UTC)
    for call_id in ("posted", "held"):
        counted = accounts(RULES, Caller(team="support"), provider="openai", model="m", call_id=call_id, at=at)
        ledger.hold(call_id, counted, Amounts(500_000_000, 10))
    ledger.post("posted", Amounts(250_000_000, 5))
    ledger.close()
    return folder


def run(state: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["budgets", "--state", str(state), *arguments])
    return result.exit_code, result.stdout


def test_json_is_the_contract(state: Path) -> None:
    """Exact decimal strings: what was posted, what is pending, what is owed."""
    code, text = run(state, "--json")
    found = {each["name"]: each for each in json.loads(text)}

    assert code == 0
    assert {
        key: found["team-cap"][key] for key in ("scope", "id", "limit_usd", "posted_usd", "pending_usd", "debt_usd")
    } == {
        "scope": "team",
        "id": "support",
        "limit_usd": "2",
        "posted_usd": "0.25",
        "pending_usd": "0.5",
        "debt_usd": "0",
    }
    assert found["calls"]["posted_requests"] == "1"


def test_a_table_for_people(state: Path) -> None:
    """A bar and a share per account."""
    code, text = run(state)

    assert code == 0
    assert "38%" in text
    assert "█" in text


def test_looking_makes_no_database(tmp_path: Path) -> None:
    """A state folder without one has no spend, and still no database afterwards."""
    assert run(tmp_path / "new", "--json") == (0, "[]\n")
    assert not (tmp_path / "new" / "outwarden.db").exists()


@pytest.mark.parametrize(("share", "filled"), [(0.0, 0), (0.0001, 1), (0.5, 12), (0.9999, 23), (1.0, 24), (7.0, 24)])
def test_only_a_full_budget_looks_full(share: float, filled: int) -> None:
    """Anything spent shows; the last cell is for the last cent."""
    assert bar(share).count("█") == filled
    assert len(bar(share)) == 24
