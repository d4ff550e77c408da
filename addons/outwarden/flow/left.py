"""What is left behind by an attempt that another follows: what it cost, what it said, a budget that was exceeded."""

from dataclasses import dataclass, replace

from outwarden.budget import Account, Amounts
from outwarden.wire.usage import Usage

NOTHING = Usage()


@dataclass(frozen=True, slots=True)
class Left:
    """What an answer cost that was left after it had begun, and what it used."""

    cost: Amounts
    usage: Usage


@dataclass(frozen=True, slots=True)
class Taken:
    """What an attempt goes on with: the beginning of an answer, in tokens and at most.

    ``output_limit``: what is left of the caller's own (None: it has none). ``used``: by those that began the answer.
    """

    input_tokens: int = 0
    input_bound: int = 0
    output_limit: int | None = None
    used: Usage = NOTHING


def waived(account: Account, to: str | None) -> Account:
    """The account as it counts a call that was sent to ``to`` because of it: it only warns."""
    budget, ruling = account.budget, (account.rate_of or account).budget
    if ruling.reroute_to != to or ruling.on_exceeded == "refuse":
        return account
    rule = replace(budget.projected, action="warn") if budget.projected else None
    watched = waived(account.rate_of, to) if account.rate_of else None
    return replace(account, budget=replace(budget, on_exceeded="warn", projected=rule), rate_of=watched)
