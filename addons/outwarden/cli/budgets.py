"""`outwarden budgets`: spend against limits."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from outwarden.cli.options import JsonOption, RulesOption, StateOption, open_rules, open_state, print_json, printable
from outwarden.cli.orders import pause, reset, resume, top_up

if TYPE_CHECKING:
    from outwarden.budget import BudgetState
    from outwarden.budget.limits import BudgetRules

BAR_CELLS = 24
WARN_SHARE = 0.8  # from here on a bar is yellow

budgets_app = typer.Typer(name="budgets", help="Show spend against limits.", invoke_without_command=True)
budgets_app.command("pause")(pause)
budgets_app.command("resume")(resume)
budgets_app.command("top-up")(top_up)
budgets_app.command("reset")(reset)


@budgets_app.callback()
def budgets(
    context: typer.Context, rules: RulesOption = None, state: StateOption = None, json: JsonOption = False
) -> None:
    """Show what each budget has spent and holds, of how much."""
    if context.invoked_subcommand is not None:
        return
    url = open_state(state).database_url
    states = [each.as_json() for each in read_states(url, open_rules(rules).budgets)]
    if json:
        print_json(states)
        return
    print_table(states)
    for target in read_pauses(url):
        print(f"paused: {printable(target)}")


def read_states(url: str, rules: "BudgetRules | None" = None) -> "list[BudgetState]":
    """The accounts in the database at ``url``, with the limits of ``rules``; none where it was never made.

    Raises StateError, StoreUnavailable.
    """
    from outwarden.budget import Ledger, open_store

    if not is_there(url):
        return []
    ledger = Ledger(open_store(url))
    try:
        return ledger.states(rules)
    finally:
        ledger.close()


def read_pauses(url: str) -> list[str]:
    """What is paused: keys, budgets, accounts."""
    from outwarden.budget import open_store

    if not is_there(url):
        return []
    store = open_store(url)
    try:
        return store.pauses()
    finally:
        store.close()


def is_there(url: str) -> bool:
    """Whether there is a database: reading must not make one."""
    return not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).exists()


def print_table(states: list[dict[str, Any]]) -> None:
    """The states with a bar each."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from outwarden.observe.metrics import used_share

    if not states:
        print("no call has counted against a budget yet")
        return
    table = Table("budget", "for", "used", "", "spent", "held", "limit", "until", "state")
    for state in states:
        share = used_share(state)
        unit = next((each for each in ("usd", "tokens", "requests") if state.get(f"limit_{each}") is not None), "usd")
        debt = state.get(f"debt_{unit}")
        owed = f" + {debt} debt" if debt and float(debt) else ""
        cells = (
            state["name"],
            f"{state['scope']} {state['id']}",
            bar(share),
            f"{share:.0%}",
            f"{state.get(f'posted_{unit}')}{owed}",
            state.get(f"pending_{unit}"),
            f"{state.get(f'limit_{unit}')} {unit}",
            state.get("window_end") or ("for ever" if state["window"] == "lifetime" else state["window"]),
            state["state"],
        )
        tone = "red" if share >= 1 or state["state"] == "paused" else "yellow" if share >= WARN_SHARE else "green"
        table.add_row(*(Text(printable(cell), style=tone if at == 2 else "") for at, cell in enumerate(cells)))
    Console().print(table)


def bar(share: float) -> str:
    """A bar of `BAR_CELLS` cells; anything spent shows, only a full budget looks full."""
    filled = min(BAR_CELLS, int(share * BAR_CELLS))
    if share > 0:
        filled = max(1, filled)
    return "█" * filled + "░" * (BAR_CELLS - filled)
