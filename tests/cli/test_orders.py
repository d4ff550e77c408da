"""Orders from the command line: carried out in the state that was named, on record, or refused in one sentence."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from outwarden.audit import read, verify
from outwarden.budget import Amounts, Budget, BudgetRules, Held, Ledger, Paused, Target, accounts, open_store
from outwarden.budget.callers import Caller
from outwarden.cli.app import app
from outwarden.cli.audit import line
from outwarden.cli.orders import target_in
from outwarden.rules import load_rules

KEY = "sha256:" + "ab" * 32
RULES = """
budgets:
  - {name: key-day, scope: api_key, limit_usd: 2, window: day}
  - {name: calls, scope: all, limit_requests: 3}
  - {name: key-day/late, scope: user, limit_tokens: 120, window: day}
  - {name: one-call, scope: request, limit_usd: 1}
  - {name: loops, scope: user, limit_requests: 5, window: rolling 60s, identical: true}
"""


@pytest.fixture
def place(tmp_path: Path) -> list[str]:
    """Options that name rules and state."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "budgets.yml").write_text(RULES)
    (tmp_path / "state").mkdir(mode=0o700)
    return ["--rules", str(tmp_path / "rules"), "--state", str(tmp_path / "state")]


def order(place: list[str], *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["budgets", *arguments, *place])
    return result.exit_code, result.stdout + result.stderr


def call(place: list[str], call_id: str) -> Any:
    """Hold $1.5 for a call of alice's with `KEY`, and post it, in a process of its own."""
    from datetime import UTC, datetime

    ledger = Ledger(open_store(f"sqlite:///{place[3]}/outwarden.db"))
    try:
        budgets = load_rules(Path(place[1])).budgets
        who = Caller(KEY, user="alice")
        counted = accounts(
            budgets, who, provider="openai", model="m", call_id=call_id, at=datetime.now(UTC), body_id=lambda: call_id
        )
        answer = ledger.hold(call_id, [each for each in counted if each.budget.name != "one-call"],
                             Amounts(1_500_000_000, 40), KEY)  # fmt: skip
        if isinstance(answer, Held):
            ledger.post(call_id, Amounts(1_500_000_000, 40))
        return answer
    finally:
        ledger.close()


@pytest.mark.parametrize("target", [KEY, "key-day", f"key-day/{KEY}", "calls/all", "key-day/late/alice"])
def test_pause_and_resume(place: list[str], target: str) -> None:
    """A key, a budget, an id of one; the first word of a name is not taken for the whole."""
    assert order(place, "pause", target)[0] == 0
    assert isinstance(call(place, "a"), Paused)
    assert "paused already" in order(place, "pause", target)[1]
    assert order(place, "resume", target)[0] == 0
    assert isinstance(call(place, "a"), Held)
    assert "was not paused" in order(place, "resume", target)[1]


def test_top_up_and_reset(place: list[str]) -> None:
    """Dollars to the nano-dollar; a budget for everybody needs no id."""
    call(place, "a")
    assert not isinstance(call(place, "b"), Held)
    assert order(place, "top-up", f"key-day/{KEY}", "1.000000001") == (
        0, f"account key-day/{KEY} may take 1.000000001 usd more\n",
    )  # fmt: skip
    assert isinstance(call(place, "b"), Held)
    assert order(place, "top-up", "calls", "1")[0] == 0
    assert order(place, "reset", "key-day") == (0, "budget key-day: begun anew (accounts: 1)\n")
    assert order(place, "reset", "calls/all", "--json")[1].startswith("{")
    assert isinstance(call(place, "c"), Held)


def test_ids_are_written_as_they_are_counted() -> None:
    """A model in any case; an id that is too long as its account has it."""
    rules = BudgetRules((Budget("per-model", "model", 1), Budget("session", "session", 1)))
    assert target_in("per-model/GPT-4o", rules) == Target("account", "per-model", "gpt-4o")
    assert len(target_in(f"session/{'x' * 5000}", rules).id) == 200


def test_options_before_the_command_count(place: list[str]) -> None:
    """State and rules may be named for the whole group; they are never forgotten for the default ones."""
    result = CliRunner().invoke(app, ["budgets", *place, "pause", "calls"])
    assert result.exit_code == 0
    assert isinstance(call(place, "a"), Paused)


def test_json(place: list[str]) -> None:
    """For programs: what was ordered, its number, how much it changed."""
    told = [json.loads(order(place, "pause", "calls", "--json")[1]) for _ in range(2)]
    assert told[0] == {"order": "pause", "target": "budget calls", "number": 1, "changed": 1}
    assert (told[1]["number"], told[1]["changed"]) == (2, 0)


def test_the_list_shows_what_is_paused(place: list[str]) -> None:
    """The account's state, and below the table keys and budgets that have no account."""
    call(place, "a")
    order(place, "pause", "calls")
    order(place, "pause", KEY)
    shown = json.loads(CliRunner().invoke(app, ["budgets", "--json", *place]).stdout)
    assert {each["name"]: each["state"] for each in shown}["calls"] == "paused"
    assert f"paused: key {KEY}" in CliRunner().invoke(app, ["budgets", *place]).stdout


def test_orders_are_in_the_audit_log(place: list[str], tmp_path: Path) -> None:
    """Chained with the records of calls; `report` counts none of them."""
    order(place, "pause", "calls")
    order(place, "top-up", "calls", "2")
    log = tmp_path / "state" / "audit.jsonl"
    first, second = read(log)
    assert (first["order"], first["target"], second["amount_requests"]) == ("pause", "budget calls", "2")
    assert first["by"]
    assert "order: top-up account calls/all 2 requests by" in line(second)
    assert verify(log) == []
    assert json.loads(CliRunner().invoke(app, ["report", "--json", *place]).stdout) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pause", "sk-live-hunter2"], "expected a key id"),
        (["pause", "sha256:abc"], "expected a key id"),
        (["reset", "unheard-of"], "or a budget of the rules: key-day, calls"),
        (["reset", KEY], "a key has no counter of its own"),
        (["reset", "one-call"], "has no counter"),
        (["top-up", "key-day", "5"], "name one, as in key-day/ID"),
        (["top-up", "loops/alice", "5"], "reset it instead"),
        (["top-up", "calls", "1.5"], "expected an amount of more than 0: whole requests"),
        (["top-up", "calls", "0"], "expected an amount"),
        (["top-up", "calls", "nan"], "expected an amount"),
        (["top-up", "calls", "1e99"], "expected an amount"),
        (["top-up", f"key-day/{KEY}", "0.0000000001"], "at most 9 decimal places"),
        (["top-up", f"key-day/{KEY}", "lots"], "expected an amount"),
    ],
)
def test_what_cannot_be_ordered(place: list[str], tmp_path: Path, arguments: list[str], said: str) -> None:
    """One sentence, exit code 2, no database made, and what may be a key is not repeated."""
    code, text = order(place, *arguments)
    assert code == 2
    assert said in text
    assert "hunter2" not in text
    assert not (tmp_path / "state" / "outwarden.db").exists()


def test_a_name_before_the_double_dash_is_no_option(place: list[str]) -> None:
    """A negative amount is no amount."""
    assert order(place, "top-up", "calls", "--", "-5")[0] == 2
