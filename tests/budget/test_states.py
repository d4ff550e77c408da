"""How an account stands, and how it is shown."""

from datetime import UTC, datetime

import pytest

from outwarden.budget import Account, Budget
from outwarden.budget.states import Amounts, Balance, state_of

NANO = 10**9


def test_json_has_the_contracts_fields() -> None:
    """A dollar budget is shown with decimal strings and times in UTC, exactly these keys."""
    start, end = datetime(2026, 11, 20, 23, tzinfo=UTC), datetime(2026, 11, 21, 23, tzinfo=UTC)
    account = Account(Budget("key-day", "api_key", 200 * NANO, window="day"), "sha256:aa", start, end)
    state = state_of(account, Balance(1_500_000_000, 50_000_000, 1))
    assert state.as_json() == {
        "name": "key-day",
        "scope": "api_key",
        "id": "sha256:aa",
        "window": "day",
        "window_start": "2026-11-20T23:00:00+00:00",
        "window_end": "2026-11-21T23:00:00+00:00",
        "limit_usd": "200",
        "posted_usd": "1.5",
        "pending_usd": "0.05",
        "debt_usd": "0.000000001",
        "state": "ok",
    }


def test_json_of_other_units() -> None:
    """Token and request budgets are shown in their own unit."""
    shown = state_of(Account(Budget("t", "all", 10, "tokens"), "all", None, None), Balance(3)).as_json()
    assert (shown["limit_tokens"], shown["posted_tokens"], shown["window_start"]) == ("10", "3", None)
    assert "limit_usd" not in shown


@pytest.mark.parametrize(
    ("balance", "word"),
    [
        (Balance(49, 0, 0), "ok"),
        (Balance(49, 51, 0), "ok"),  # held is not spent
        (Balance(50, 0, 0), "warn"),
        (Balance(40, 0, 10), "warn"),
        (Balance(99, 1, 0), "warn"),
        (Balance(100, 0, 0), "exceeded"),
        (Balance(60, 0, 60), "exceeded"),
    ],
)
def test_state_word(balance: Balance, word: str) -> None:
    """Spent money, debt included, decides between ok, warn and exceeded."""
    account = Account(Budget("b", "all", 100, warn_at=(0.8, 0.5)), "all", None, None)
    assert state_of(account, balance).state == word


def test_crossings() -> None:
    """A step names each fraction it crossed, the limit as 1.0, and none it did not."""
    account = Account(Budget("b", "all", 10, warn_at=(0.5, 0.1)), "all", None, None)
    assert state_of(account, Balance(1), Balance(0)).crossed == (0.1,)
    assert state_of(account, Balance(9), Balance(1)).crossed == (0.5,)
    assert state_of(account, Balance(9, 0, 1), Balance(9)).crossed == (1.0,)
    assert state_of(account, Balance(10), Balance(10)).crossed == ()


def test_amounts_by_unit() -> None:
    """Each budget counts the amount of its unit; a call is one request."""
    amounts = Amounts(7, 8)
    assert [amounts.of(unit) for unit in ("usd", "tokens", "requests")] == [7, 8, 1]
