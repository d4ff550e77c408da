"""`outwarden scan`: JSON lines in, redacted JSON lines out."""

import json
import sys

import typer

from outwarden.cli.options import RulesOption, StateOption, open_rules, open_state


def scan(rules: RulesOption = None, state: StateOption = None) -> None:
    """Redact texts: stdin has lines `{"text": ..., "direction": "request"}`, stdout one line for each, in order.

    A line that cannot be read gives `{"error": ...}`, and the exit code is 1 at the end.
    """
    from outwarden.cli.scanner import Scanner, answers

    scanner = Scanner(open_rules(rules).pii, open_state(state).secret())
    failed = False
    for answer in answers(scanner, sys.stdin.buffer):
        failed |= "error" in answer
        print(json.dumps(answer), flush=True)  # whoever writes one line and waits for its answer gets it
    if failed:
        raise typer.Exit(1)
