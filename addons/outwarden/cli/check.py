"""`outwarden check`."""

from pathlib import Path
from typing import Annotated

import typer

from outwarden.cli.options import JsonOption, RulesOption, StateOption, print_json, rules_folder


def check(
    folder: Annotated[Path | None, typer.Argument(metavar="[RULES]", help="Folder of rule files.")] = None,
    rules: RulesOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Check the rule files and run the examples in them; exit code 1 and `file:line: message` for each problem."""
    from outwarden.errors import RulesError
    from outwarden.rules import load_rules

    place = rules_folder(folder or rules)
    try:
        loaded = load_rules(place)
    except RulesError as error:
        if json:
            problems = [{"file": p.file, "line": p.line, "message": p.message} for p in error.problems]
            print_json({"ok": False, "rules": str(place), "problems": problems})
        else:
            print(error)
        raise typer.Exit(1) from None
    counts = {
        "hosts": sum(len(entry.hosts) for entry in loaded.traffic.intercept),
        "callers": len(loaded.callers.callers),
        "custom_entities": len(loaded.pii.custom),
        "budgets": len(loaded.budgets.budgets),
        "upstreams": len(loaded.routes.upstreams),
        "routes": len(loaded.routes.routes),
        "prices": len(loaded.prices),
    }
    if json:
        print_json({"ok": True, "rules": str(place), "problems": [], **counts})
    else:
        print(f"ok: {place}: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()))
