"""A call that has no money: what its caller is told."""

from dataclasses import replace

from outwarden.budget import Denied, Paused
from outwarden.pricing import usd
from outwarden.wire.format import Refusal


def refusal_of(denied: Denied) -> Refusal:
    """The contract's budget refusal: which budget, what is left, when it may fit again."""
    budget = denied.account.budget
    left, limit, needed = (amount_in(budget.unit, n) for n in (denied.left, denied.limit, denied.needed))
    if denied.gone_in_s is not None:
        return Refusal(429, "budget_exceeded", _too_fast(denied, left, limit), denied.retry_after_s)
    text = (
        f"Budget '{budget.name}' ({budget.scope}, {budget.window}) would be exceeded: "
        f"this call may take {needed}, {left} of {limit} is left."
    )
    return Refusal(429, "budget_exceeded", text, denied.retry_after_s)


def stopped(refusal: Refusal) -> Refusal:
    """The same for an answer that has begun and has no money to go on."""
    return replace(refusal, message=f"The answer was stopped. {refusal.message}")


def refusal_of_pause(paused: Paused) -> Refusal:
    """Somebody has stopped this caller or this budget: waiting does not help, and nobody needs to try again."""
    kind, _, name = paused.target.partition(" ")
    what = "The API key of this call" if kind == "key" else f"Budget '{name}'"
    return Refusal(403, "budget_paused", f"{what} is paused.")


def _too_fast(denied: Denied, left: str, limit: str) -> str:
    budget = denied.account.budget
    over_s = budget.projected.over_s if budget.projected else 0
    return (
        f"Budget '{budget.name}' ({budget.scope}, {budget.window}) is spent too fast: "
        f"at the rate of the last {over_s} s it would be gone in {denied.gone_in_s} s, {left} of {limit} is left."
    )


def amount_in(unit: str, amount: int) -> str:
    """Write an amount with its unit."""
    return f"${usd(amount)}" if unit == "usd" else f"{amount} {unit}"
