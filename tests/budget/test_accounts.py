"""Which counters a call counts in."""

from datetime import UTC, datetime

import pytest

from outwarden.budget import Account, Budget, BudgetRules, Caller, Scope, accounts
from outwarden.budget.accounts import bounded_id

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ALICE = Caller("sha256:aa", "alice", "support", "chatbot", "acme", "run-1", "10.0.0.1")


def found(*budgets: Budget, caller: Caller = ALICE, model: str | None = "gpt-4o") -> tuple[Account, ...]:
    return accounts(BudgetRules(budgets), caller, provider="openai", model=model, call_id="call-1", at=NOW)


@pytest.mark.parametrize(
    ("scope", "known", "unknown"),
    [
        ("request", "call-1", "call-1"),
        ("session", "run-1", "unknown"),
        ("api_key", "sha256:aa", "unknown"),
        ("user", "alice", "unknown"),
        ("team", "support", "unknown"),
        ("project", "chatbot", "unknown"),
        ("organization", "acme", "unknown"),
        ("model", "gpt-4o", "unknown"),
        ("all", "all", "all"),
    ],
)
def test_every_scope_counts_somewhere(scope: Scope, known: str, unknown: str) -> None:
    """Each scope has its id, and a caller who does not say is counted with all who do not say, never skipped."""
    assert [account.id for account in found(Budget("b", scope, 1))] == [known]
    assert [account.id for account in found(Budget("b", scope, 1), caller=Caller(), model=None)] == [unknown]


def test_accounts_follow_the_rules_order() -> None:
    """One account per budget, in the order of the rules, each with its own window."""
    first, second = found(Budget("day", "team", 1, window="day"), Budget("life", "all", 1))
    assert (first.budget.name, second.budget.name) == ("day", "life")
    assert first.window_start == datetime(2026, 11, 21, tzinfo=UTC)
    assert first.window_end == datetime(2026, 11, 22, tzinfo=UTC)
    assert second.window_start is second.window_end is None


@pytest.mark.parametrize(
    ("only", "applies"),
    [
        ({}, True),
        ({"model": "gpt-4*"}, True),
        ({"model": "GPT-4*"}, True),
        ({"model": "claude*"}, False),
        ({"provider": "openai"}, True),
        ({"provider": "azure"}, False),
        ({"team": "support", "model": "gpt-4*"}, True),
        ({"team": "support", "model": "claude*"}, False),
        ({"api_key": "sha256:aa"}, True),
        ({"user": "bob"}, False),
        ({"project": "*"}, True),
        ({"source": "10.*"}, True),
    ],
)
def test_only(only: dict[str, str], applies: bool) -> None:
    """A budget counts the calls whose fields all match its patterns; model and provider in any case."""
    assert bool(found(Budget("b", "all", 1, only=only))) is applies


def test_only_on_a_field_the_caller_does_not_fill() -> None:
    """A star matches also who does not say; a name does not."""
    nobody = Caller()
    assert found(Budget("b", "all", 1, only={"team": "*"}), caller=nobody)
    assert not found(Budget("b", "all", 1, only={"team": "support"}), caller=nobody)


def test_model_scope_ignores_case() -> None:
    """GPT-4o and gpt-4o are one counter, since some providers take both."""
    assert found(Budget("b", "model", 1), model="GPT-4o")[0].id == "gpt-4o"


def test_long_ids_are_bounded_and_stay_apart() -> None:
    """An id of a header's length is kept short without two becoming one."""
    first, second = bounded_id("x" * 5000 + "1"), bounded_id("x" * 5000 + "2")
    assert len(first) == len(second) == 200
    assert first != second
    assert bounded_id("alice") == "alice"


def test_every_database_keeps_an_id() -> None:
    """What no column takes (NUL in PostgreSQL, half a surrogate pair anywhere) is named otherwise, each differently."""
    written = ["a\0b", "a\0c", "a\0", "a?", "\ud800", "\udfff", "\0" * 300]
    kept = [bounded_id(value) for value in written]
    assert kept[3] == "a?"
    assert len(set(kept)) == len(written)
    for value in kept:
        assert "\0" not in value.encode().decode()
        assert len(value) <= 200
