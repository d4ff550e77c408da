"""`outwarden explain`: which rules would act on a request, and why. Nothing is sent, held or written."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from outwarden.cli.options import JsonOption, RulesOption, StateOption, open_rules, open_state, print_json, printable


def explain(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A raw HTTP request, or JSON with url, method, headers, body; - is stdin."),
    ],
    rules: RulesOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Show what would become of the request in FILE, and which rule says so; nothing is sent or held."""
    from outwarden.cli.explanation import explain_request
    from outwarden.cli.request_file import read_request, read_request_file

    request = read_request(sys.stdin.buffer.read()) if str(file) == "-" else read_request_file(file)
    told = explain_request(request, open_rules(rules), open_state(state))
    if json:
        print_json(told)
    else:
        print("\n".join(lines(told)))


def lines(told: dict[str, Any]) -> list[str]:
    """The explanation for people: one fact per line, what a fact is about in front."""
    shown = []
    for name, value in told.items():
        values = value if isinstance(value, list) else [value]
        for each in values or ["none"]:
            text = ", ".join(f"{key} {inner}" for key, inner in each.items()) if isinstance(each, dict) else str(each)
            shown.append(f"{name:<12} {text}")
            name = ""
    return [printable(line) for line in shown]
