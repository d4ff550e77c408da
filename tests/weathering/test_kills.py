"""What the books may say after a kill, and what they may not; and one kill, for real."""

from collections import Counter
from dataclasses import replace

import pytest

from outwarden.budget import BudgetState
from weathering.kills import COST, Round, Setting, run, wrong_with

SETTING = Setting("sqlite", interceptors=2)


def state(name: str, posted: int, limit: int) -> BudgetState:
    return BudgetState(name, "api_key", "k", None, None, limit, posted, 0, 0, "usd", "ok")


def found(answered: int = 10, seen: int = 12, requests: int = 13, money: int = 14 * COST) -> Round:
    """A key's calls: the dead may have sent one more than came in."""
    return Round("k", answered, seen, state("calls", requests, SETTING.room), state("money", money, 100 * COST))


def test_what_the_dead_sent_is_charged_and_may_not_have_come_in() -> None:
    assert wrong_with(found(), SETTING, Counter({"200": 10, "429": 3, "gone": 2}), killed=True) == []


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (found(answered=13), "13 answered"),
        (found(requests=11), "12 came in, 11 charged"),
        (found(requests=SETTING.room + 1), "room for"),
        (found(money=12 * COST - 1), "nano-dollars charged"),
        (found(money=101 * COST), "the cap is"),
        (found()._replace(requests=replace(found().requests, pending=1)), "1 still held"),
        (found()._replace(money=replace(found().money, debt=1)), "1 in debt"),
    ],
)
def test_what_cannot_be(one: Round, said: str) -> None:
    """A call that came in and was not charged, a cap that was passed, what is held for ever."""
    (wrong,) = wrong_with(one, SETTING, Counter({"200": 10}), killed=True)
    assert said in wrong


def test_without_a_kill_the_books_are_what_came_in() -> None:
    """To the nano-dollar; nobody is left without an answer."""
    exact = found(12, 12, 12, 12 * COST)
    assert wrong_with(exact, SETTING, Counter({"200": 12, "429": 3}), killed=False) == []
    assert wrong_with(found(), SETTING, Counter({"200": 12}), killed=False)
    assert wrong_with(exact, SETTING, Counter({"200": 12, "gone": 1}), killed=False)
    assert wrong_with(exact, SETTING, Counter({"200": 12, "502": 1}), killed=True)


def test_an_interceptor_is_killed() -> None:
    """Two that share a file and lease, of which one is killed while calls run: nothing is wrong."""
    outcome = run(Setting("sqlite", kills=1, seed=5, leased=True, interceptors=2, say=lambda line: None))

    assert outcome.wrong == []
    assert outcome.kills >= 1
    assert [one.seen > 0 for one in outcome.rounds] == [True, True]
