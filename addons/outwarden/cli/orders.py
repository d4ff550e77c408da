"""`outwarden budgets pause`, `resume`, `top-up` and `reset`: what people order, on record and in force at once."""

import getpass
import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outwarden.cli.options import JsonOption, RulesOption, StateOption, fail, open_rules, open_state, print_json

if TYPE_CHECKING:
    from outwarden.budget import Budget, Orders, Target
    from outwarden.budget.limits import BudgetRules
    from outwarden.budget.orders import Done

_KEY_ID = re.compile(r"sha256:[0-9a-f]{64}")
_PAUSABLE = typer.Argument(
    metavar="KEY|BUDGET[/ID]", help="A key id (`outwarden key-id`), a budget, or one of its ids."
)
_ACCOUNT = typer.Argument(metavar="BUDGET[/ID]", help="A budget of the rules, and for whom of its scope.")


def pause(
    context: typer.Context,
    target: Annotated[str, _PAUSABLE],
    rules: RulesOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Refuse every call of a key or a budget until it is resumed."""
    found = target_in(target, _budgets(context, rules))
    with _orders(context, state) as orders:
        done = orders.pause(found)
    _tell(json, "pause", found, done, f"{found} is paused" if done.changed else f"{found} was paused already")


def resume(
    context: typer.Context,
    target: Annotated[str, _PAUSABLE],
    rules: RulesOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Let the calls of a key or a budget go again."""
    found = target_in(target, _budgets(context, rules))
    with _orders(context, state) as orders:
        done = orders.resume(found)
    _tell(json, "resume", found, done, f"{found} goes on" if done.changed else f"{found} was not paused")


def top_up(
    context: typer.Context,
    target: Annotated[str, _ACCOUNT],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="US dollars, or tokens or requests.")],
    rules: RulesOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Let an account take so much more in its present window; of a rolling one for the window's length from now."""
    ruled = _budgets(context, rules)
    found = target_in(target, ruled)
    budget, id_ = _account(found, ruled)
    more = amount_in(amount, budget)
    with _orders(context, state) as orders:
        done = orders.top_up(budget, id_, more)
    _tell(json, "top-up", found, done, f"{found} may take {amount} {budget.unit} more")


def reset(
    context: typer.Context,
    target: Annotated[str, _ACCOUNT],
    rules: RulesOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Begin the window of an account (or of all of a budget) anew; what running calls hold stays held."""
    ruled = _budgets(context, rules)
    found = target_in(target, ruled)
    budget = _countable(found, ruled)
    with _orders(context, state) as orders:
        done = orders.reset(budget, found.id)
    _tell(json, "reset", found, done, f"{found}: begun anew (accounts: {done.changed})")


def target_in(text: str, rules: "BudgetRules") -> "Target":
    """Read a target: a key id, a budget of the rules, or a budget and an id behind a slash. Ends with 2 otherwise."""
    from outwarden.budget import Target
    from outwarden.budget.accounts import id_as_counted

    if _KEY_ID.fullmatch(text.lower()):
        return Target("key", text.lower())
    names = [budget.name for budget in rules.budgets if text == budget.name or text.startswith(f"{budget.name}/")]
    if not names:
        known = ", ".join(budget.name for budget in rules.budgets) or "none"
        # What was typed may be a key, which has no place on a screen.
        fail(f"expected a key id (sha256:…, see `outwarden key-id`) or a budget of the rules: {known}", 2)
    name = max(names, key=len)
    written = text[len(name) + 1 :]
    if not written:
        return Target("budget", name)
    budget = next(each for each in rules.budgets if each.name == name)
    return Target("account", name, id_as_counted(budget, written))


def amount_in(text: str, budget: "Budget") -> int:
    """Read an amount in a budget's unit; dollars become nano-dollars. Ends with 2 for what is none."""
    from outwarden.budget.orders import CREDIT_MAX
    from outwarden.pricing.price import NANO

    try:
        amount = Decimal(text.replace("_", "").removeprefix("$"))
        amount = amount * NANO if budget.unit == "usd" else amount
        if amount.is_finite() and 0 < amount <= CREDIT_MAX and amount == int(amount):
            return int(amount)
    except InvalidOperation:
        pass  # said below
    what = "dollars with at most 9 decimal places" if budget.unit == "usd" else f"whole {budget.unit}"
    fail(f"expected an amount of more than 0: {what}", 2)


def _countable(target: "Target", rules: "BudgetRules") -> "Budget":
    """The budget of a target that has a counter."""
    if target.kind == "key":
        fail("a key has no counter of its own; name a budget, and the key behind a slash", 2)
    budget = next(each for each in rules.budgets if each.name == target.name)
    if budget.scope == "request":
        fail(f"budget '{budget.name}' looks at each call by itself (scope: request); it has no counter", 2)
    return budget


def _account(target: "Target", rules: "BudgetRules") -> "tuple[Budget, str]":
    """The budget and the id of a target that is one counter."""
    budget = _countable(target, rules)
    if budget.identical:
        fail(f"budget '{budget.name}' has a counter for each body (identical); reset it instead", 2)
    if not target.id and budget.scope != "all":
        fail(f"budget '{budget.name}' has a counter for each {budget.scope}: name one, as in {budget.name}/ID", 2)
    return budget, target.id or "all"


def _budgets(context: typer.Context, given: Path | None) -> "BudgetRules":
    return open_rules(given or _of_group(context, "rules")).budgets


def _orders(context: typer.Context, given: Path | None) -> "AbstractContextManager[Orders]":
    return given_orders(given or _of_group(context, "state"))


@contextmanager
def given_orders(state: Path | None) -> "Iterator[Orders]":
    """The ledger to give orders to, each with a record in the audit log."""
    from outwarden.audit import AuditLog
    from outwarden.budget import Orders, open_store

    folder = open_state(state)
    audit = AuditLog(folder.audit)
    store = open_store(folder.database_url)
    try:
        yield Orders(store, _who(), audit.append)
    finally:
        store.close()
        audit.close()


def _of_group(context: typer.Context, name: str) -> Path | None:
    """An option that was given before the command: ``outwarden budgets --state DIR pause …``."""
    return context.parent.params.get(name) if context.parent else None


def _who() -> str:
    """Who gives the order, for the record: the user of the system."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in a container
        return f"uid {os.getuid()}"


def _tell(as_json: bool, order: str, target: "Target", done: "Done", sentence: str) -> None:
    if as_json:
        print_json({"order": order, "target": str(target), "number": done.number, "changed": done.changed})
    else:
        print(sentence)
