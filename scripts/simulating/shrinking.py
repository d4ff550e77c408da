"""Make a failing history short: leave out what is not needed for it to fail."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from simulating.histories import History, Step


def shortest(history: History, fails: Callable[[History], bool], seconds: float = 60) -> History:
    """A history that fails with as few steps, faults and budgets as can be found in so many ``seconds``."""
    end = time.monotonic() + seconds

    def still(tried: History) -> bool:
        return time.monotonic() < end and fails(tried)

    while True:
        before = history
        history = _fewer_steps(history, still)
        for name in list(history.rules):
            tried = replace(history, rules={n: rule for n, rule in history.rules.items() if n != name})
            history = tried if still(tried) else history
        for at, step in enumerate(history.steps):
            if step.fault:
                tried = replace(history, steps=_with(history.steps, at, replace(step, fault=None)))
                history = tried if still(tried) else history
        if history == before:
            return history


def _fewer_steps(history: History, fails: Callable[[History], bool]) -> History:
    """Leave out steps in runs: half of all, then ever shorter ones, down to single steps."""
    length = max(1, len(history.steps) // 2)
    while True:
        at = len(history.steps) - length
        while at > -length:
            start = max(0, at)
            tried = replace(history, steps=[*history.steps[:start], *history.steps[start + length :]])
            if len(tried.steps) < len(history.steps) and fails(tried):
                history = tried
            at -= length
        if length == 1:
            return history
        length //= 2


def _with(steps: Sequence[Step], at: int, step: Step) -> list[Step]:
    return [*steps[:at], step, *steps[at + 1 :]]
