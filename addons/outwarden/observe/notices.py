"""What is worth telling about budgets, once each: from the states of a step, a refusal, or an order to a message."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from outwarden.budget import BudgetState, Denied
from outwarden.budget.store import Order
from outwarden.budget.webhooks import Event
from outwarden.pricing.price import usd

TOLD_MAX = 10_000  # accounts whose refusals were told
AGAIN_AFTER_S = 3600.0  # a budget without a window that ends is told of again after so long

NO_WINDOW = "None"
ORDERED = {"pause": "is paused", "resume": "goes on", "drain": "is drained", "enable": "is enabled"}

Tell = Callable[[Event, str, Mapping[str, Any]], None]


class Notices:
    """Chooses and words messages. ``tell`` sends them; ``clock`` is any monotonic one."""

    def __init__(self, tell: Tell, clock: Callable[[], float]) -> None:
        self._tell = tell
        self._clock = clock
        self._told: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def settled(self, state: BudgetState) -> None:
        """A call was settled: tell which marks it crossed. Of several at once the highest says it all."""
        highest = max(state.crossed, default=0.0)
        if highest >= 1 and not self._was_told(_key(state)):
            self._tell("exceeded", f"{_whose(state)} is used up: {_spent(state)}", _fields(state))
        if 0 < highest < 1 and not self._hovers(state, f"{highest:.6f}"):
            self._tell("warn", f"{_whose(state)} has passed {highest:.0%}: {_spent(state)}", _fields(state))
        if state.runs_out == "now" and not self._hovers(state, "too fast"):
            self._tell("warn", f"{_whose(state)} is being spent too fast: {_spent(state)}", _fields(state))

    def denied(self, denied: Denied) -> None:
        """A call was refused: tell it once per account and window."""
        account, budget = denied.account, denied.account.budget
        if budget.scope == "request" or self._was_told((budget.name, account.id, str(account.window_start))):
            return
        left, limit = _amount(budget.unit, denied.left), _amount(budget.unit, denied.limit)
        why = "is spent too fast" if denied.gone_in_s is not None else "has no room for a call"
        whose = f"Budget '{budget.name}' ({budget.scope} {account.id}, {budget.window})"
        fields = {"budget": budget.name, "scope": budget.scope, "id": account.id, "window": budget.window}
        fields |= {f"left_{budget.unit}": left.lstrip("$"), f"limit_{budget.unit}": limit.lstrip("$")}
        self._tell("exceeded", f"{whose} {why}: {left} of {limit} is left", fields)

    def ordered(self, order: Order) -> None:
        """Somebody has paused or resumed something, or drained or enabled an upstream."""
        if done := ORDERED.get(order.step):
            fields = {"order": order.step, "target": order.target, "by": order.by}
            self._tell("paused", f"{order.target} {done} (by {order.by})", fields)

    def opened(self, upstream: str) -> None:
        """An upstream fails and is left alone."""
        self._tell("breaker", f"Upstream '{upstream}' fails and is left alone for a while", {"upstream": upstream})

    def _hovers(self, state: BudgetState, mark: str) -> bool:
        """Whether a mark of an account was told lately that has no window to end, or that a rate comes back to."""
        comes_back = state.window_start is None or mark == "too fast"
        return comes_back and self._was_told((f"{state.name} {mark}", state.id, NO_WINDOW))

    def _was_told(self, key: tuple[str, str, str]) -> bool:
        now, told = self._clock(), self._told.get(key)
        if told is not None and (key[2] != NO_WINDOW or now - told < AGAIN_AFTER_S):
            return True
        self._told[key] = now
        self._told.move_to_end(key)
        if len(self._told) > TOLD_MAX:
            self._told.popitem(last=False)
        return False


def _key(state: BudgetState) -> tuple[str, str, str]:
    return state.name, state.id, str(state.window_start)


def _whose(state: BudgetState) -> str:
    return f"Budget '{state.name}' ({state.scope} {state.id}, {state.window})"


def _spent(state: BudgetState) -> str:
    return f"{_amount(state.unit, state.posted + state.debt)} of {_amount(state.unit, state.limit)} is spent"


def _amount(unit: str, amount: int) -> str:
    return f"${usd(amount)}" if unit == "usd" else f"{amount} {unit}"


def _fields(state: BudgetState) -> dict[str, Any]:
    shown = state.as_json()
    return {"budget": shown.pop("name"), **shown}
