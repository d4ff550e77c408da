"""Do a step again that the server undid for the sake of another, or whose answer was lost."""

import random
import time
from collections.abc import Callable

from outwarden.errors import StepUndone, StepUnknown, StoreUnavailable

ATTEMPTS_MAX = 5
_WAIT_S = 0.005  # doubled with each attempt, and jittered: two that met in a deadlock do not meet again; 75 ms in all

_random = random.SystemRandom()


def retried[T](step: Callable[[bool], T], sleep: Callable[[float], None] = time.sleep) -> T:
    """Run a step until it is neither undone nor unknown, `ATTEMPTS_MAX` times at most; then its error is raised.

    ``step`` is told whether an attempt before it may have happened. It has to be one transaction, which looks whether
    what it is to do is done already. Raises StepUnknown where that could not be looked up any more.
    """
    unknown: StepUnknown | None = None
    for attempt in range(ATTEMPTS_MAX):
        try:
            return step(unknown is not None)
        except StoreUnavailable as error:
            if isinstance(error, StepUnknown):
                unknown = error
            if attempt == ATTEMPTS_MAX - 1 or not isinstance(error, StepUndone | StepUnknown):
                raise (unknown or error) from None
        sleep(_random.uniform(0, _WAIT_S * 2**attempt))
    raise AssertionError("unreachable")
