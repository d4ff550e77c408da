"""What is worth telling is told once, with what one needs to act on it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from outwarden.budget import Account, Budget, BudgetState, Denied
from outwarden.budget.store import Order
from outwarden.observe.notices import AGAIN_AFTER_S, TOLD_MAX, Notices

DOLLAR = 10**9
DAY = datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC)


class Told(list[tuple[str, str, dict[str, Any]]]):
    """What was told, and a clock."""

    now = 0.0

    def __call__(self, event: str, text: str, fields: Any) -> None:
        self.append((event, text, dict(fields)))

    @property
    def events(self) -> list[str]:
        return [event for event, _, _ in self]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def notices(told: Told) -> Notices:
    return Notices(told, lambda: told.now)


def state(*crossed: float, **changes: Any) -> BudgetState:
    given = {"name": "key-day", "scope": "api_key", "id": "sha256:aa", "window_start": DAY[0], "window_end": DAY[1],
             "limit": 2 * DOLLAR, "posted": DOLLAR, "pending": 0, "debt": DOLLAR // 2, "unit": "usd", "state": "warn",
             "crossed": crossed, "window": "day"}  # fmt: skip
    return BudgetState(**(given | changes))


def denied(window: str = "day", **changes: Any) -> Denied:
    budget = Budget("key-day", changes.pop("scope", "api_key"), 2 * DOLLAR, window=window)
    bounds = DAY if window == "day" else (None, None)
    return Denied(Account(budget, changes.pop("id", "sha256:aa"), *bounds), DOLLAR // 2, DOLLAR, 60, **changes)


def test_a_mark_that_is_crossed(notices: Notices, told: Told) -> None:
    """Which budget, for whom, how much of how much; of two marks at once the higher one."""
    notices.settled(state())
    notices.settled(state(0.5, 0.75))
    (only,) = told
    assert only[:2] == ("warn", "Budget 'key-day' (api_key sha256:aa, day) has passed 75%: $1.5 of $2 is spent")
    assert {key: only[2][key] for key in ("budget", "id", "limit_usd", "posted_usd", "debt_usd", "window_end")} == {
        "budget": "key-day", "id": "sha256:aa", "limit_usd": "2", "posted_usd": "1", "debt_usd": "0.5",
        "window_end": DAY[1].isoformat(),
    }  # fmt: skip


def test_exceeded_is_told_once_per_window(notices: Notices, told: Told) -> None:
    """By the call that used it up or by the first that found no room, not by each of a thousand refusals."""
    notices.denied(denied())
    for _ in range(1000):
        notices.denied(denied())
    notices.settled(state(1.0))
    notices.denied(denied(id="sha256:bb"))
    assert told.events == ["exceeded", "exceeded"]
    assert told[0][1] == "Budget 'key-day' (api_key sha256:aa, day) has no room for a call: $0.5 of $2 is left"
    assert told[0][2]["left_usd"] == "0.5"


def test_a_window_that_never_ends_is_told_again(notices: Notices, told: Told) -> None:
    """Each hour that it is still refused, or crosses a mark again and again as it rolls."""
    for hour in range(3):
        told.now = hour * AGAIN_AFTER_S
        for _ in range(10):
            notices.denied(denied("rolling 10m"))
            notices.settled(state(0.8, window_start=None, window="rolling 10m"))
            notices.settled(state(runs_out="now"))
    assert sorted(told.events) == ["exceeded"] * 3 + ["warn"] * 6


def test_spent_too_fast(notices: Notices, told: Told) -> None:
    """Told when it begins, and when it refuses."""
    notices.settled(state(runs_out="now"))
    notices.settled(state(runs_out="yes"))
    notices.denied(denied(gone_in_s=600))
    assert [text.partition(") ")[2] for _, text, _ in told] == [
        "is being spent too fast: $1.5 of $2 is spent",
        "is spent too fast: $0.5 of $2 is left",
    ]


def test_a_limit_per_call_is_nobodys_news(notices: Notices, told: Told) -> None:
    """The caller is told, call by call."""
    notices.denied(denied(scope="request"))
    assert told == []


def test_orders(notices: Notices, told: Told) -> None:
    """A pause and its end, an upstream drained and enabled, and who ordered them; a top-up is no alarm."""
    for step in ("pause", "resume", "top-up", "reset"):
        notices.ordered(Order(1, DAY[0], "root", step, "budget key-day", 0))
    for step in ("drain", "enable"):
        notices.ordered(Order(1, DAY[0], "root", step, "upstream onprem", 0))
    assert [text for _, text, _ in told] == [
        "budget key-day is paused (by root)",
        "budget key-day goes on (by root)",
        "upstream onprem is drained (by root)",
        "upstream onprem is enabled (by root)",
    ]
    assert told.events == ["paused"] * 4


def test_a_breaker(notices: Notices, told: Told) -> None:
    """Which upstream is left alone."""
    notices.opened("onprem")
    assert told == [("breaker", "Upstream 'onprem' fails and is left alone for a while", {"upstream": "onprem"})]


def test_memory_is_bounded(notices: Notices, told: Told) -> None:
    """However many accounts are refused."""
    for number in range(TOLD_MAX + 50):
        notices.denied(denied(id=str(number)))
    assert len(notices._told) == TOLD_MAX
