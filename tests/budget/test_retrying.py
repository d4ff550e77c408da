"""A step is done again as long as that is safe and of use, and no longer."""

import pytest

from outwarden.budget.retrying import ATTEMPTS_MAX, retried
from outwarden.errors import HoldPosted, StepUndone, StepUnknown, StoreUnavailable


class Step:
    """Raises what it is given, in turn; then returns how often it was called."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.told: list[bool] = []

    def __call__(self, again: bool) -> int:
        self.told.append(again)
        if self.errors:
            raise self.errors.pop(0)
        return len(self.told)


def run(step: Step) -> tuple[int, list[float]]:
    waits: list[float] = []
    return retried(step, waits.append), waits


def test_what_was_undone_is_done_again() -> None:
    """After waits that grow, each of another length; an attempt is told whether one before it may have happened."""
    step = Step(StepUndone("x"), StepUndone("x"), StepUnknown("x"), StepUndone("x"))
    done, waits = run(step)
    assert done == 5
    assert step.told == [False, False, False, True, True]
    assert all(0 <= wait <= 0.005 * 2**number for number, wait in enumerate(waits))
    assert len(set(waits)) == 4


@pytest.mark.parametrize("error", [StoreUnavailable("down"), HoldPosted("over"), ValueError("ours")])
def test_everything_else_is_raised_at_once(error: Exception) -> None:
    """A store that is down will be in a moment, too; a wrong step stays wrong."""
    step = Step(error)
    with pytest.raises(type(error)):
        run(step)
    assert step.told == [False]


def test_there_is_an_end() -> None:
    """The last error comes out."""
    step = Step(*(StepUndone("x") for _ in range(ATTEMPTS_MAX)))
    with pytest.raises(StepUndone):
        run(step)
    assert len(step.told) == ATTEMPTS_MAX == 5


@pytest.mark.parametrize("then", [StoreUnavailable("down"), StepUndone("x")])
def test_what_may_have_happened_is_never_forgotten(then: StoreUnavailable) -> None:
    """If it cannot be looked up any more, its caller must know that it is unknown."""
    with pytest.raises(StepUnknown):
        run(Step(StepUnknown("x"), *[then] * (ATTEMPTS_MAX - 1)))
