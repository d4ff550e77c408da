"""`outwarden budgets`: spend against limits."""

from typing import TYPE_CHECKING, Any

import typer

from outwarden.cli.later import later
from outwarden.cli.options import JsonOption, RulesOption, StateOption, open_rules, open_state, print_json, printable

if TYPE_CHECKING:
    from outwarden.budget import BudgetState
    from outwarden.budget.limits import BudgetRules

BAR_CELLS = 24
WARN_SHARE = 0.8  # from here on a bar is yellow

budgets_app = typer.Typer(name="budgets", help="Show spend against limits.", invoke_without_command=True)
for _name in ("pause", "resume", "top-up", "reset"):
    budgets_app.command(
        _name, hidden=True, context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
    )(later(f"budgets {_name}"))


@budgets_app.callback()
def budgets(
    context: typer.Context, rules: RulesOption = None, state: StateOption = None, json: JsonOption = False
) -> None:
    """Show what each budget has spent and holds, of how much."""
    if context.invoked_subcommand is not None:
        return
    states = [each.as_json() for each in read_states(open_state(state).database_url, open_rules(rules).budgets)]
    if json:
        print_json(states)
    else:
        print_table(states)


def read_states(url: str, rules: "BudgetRules | None" = None) -> "list[BudgetState]":
    """The accounts in the database at ``url``, with the limits of ``rules``; none where it was never made.

    Raises StateError, StoreUnavailable.
    """
    from pathlib import Path

    from outwarden.budget import Ledger, open_store

    file = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not file.exists():
        return []  # reading must not make a database
    ledger = Ledger(open_store(url))
    try:
        return ledger.states(rules)
    finally:
        ledger.close()


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
        tone = "red" if share >= 1 else "yellow" if share >= WARN_SHARE else "green"
        table.add_row(*(Text(printable(cell), style=tone if at == 2 else "") for at, cell in enumerate(cells)))
    Console().print(table)


def bar(share: float) -> str:
    """A bar of `BAR_CELLS` cells; anything spent shows, only a full budget looks full."""
    filled = min(BAR_CELLS, int(share * BAR_CELLS))
    if share > 0:
        filled = max(1, filled)
    return "█" * filled + "░" * (BAR_CELLS - filled)
