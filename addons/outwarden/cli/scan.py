"""`outwarden scan`: JSON lines in, redacted JSON lines out; or files and folders, and what would become of them."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outwarden.cli.options import RulesOption, StateOption, open_rules, open_state

if TYPE_CHECKING:
    from outwarden.cli.scanner import Scanner

PathsArgument = Annotated[list[Path] | None, typer.Argument(help="Files and folders; none: JSON lines on stdin.")]
DiffOption = Annotated[bool, typer.Option("--diff", help="Show the lines before and after (personal data, too).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Counts and line numbers as JSON lines.")]
ReplyOption = Annotated[bool, typer.Option("--reply", help="By the rules for replies, not for requests.")]


def scan(
    paths: PathsArgument = None,
    diff: DiffOption = False,
    as_json: JsonOption = False,
    reply: ReplyOption = False,
    rules: RulesOption = None,
    state: StateOption = None,
) -> None:
    """Redact texts: stdin has lines `{"text": ..., "direction": "request"}`, stdout one line for each, in order.

    A line that cannot be read gives `{"error": ...}`, and the exit code is 1 at the end. With paths: count what would
    be taken out of each file, and tell which rule is slowest.
    """
    from outwarden.cli.scanner import Scanner, answers

    scanner = Scanner(open_rules(rules).pii, open_state(state).secret())
    if paths:
        scan_paths(scanner, paths, diff=diff, as_json=as_json, reply=reply)
        return
    failed = False
    for answer in answers(scanner, sys.stdin.buffer):
        failed |= "error" in answer
        print(json.dumps(answer), flush=True)  # whoever writes one line and waits for its answer gets it
    if failed:
        raise typer.Exit(1)


def scan_paths(scanner: "Scanner", paths: list[Path], *, diff: bool, as_json: bool, reply: bool) -> None:
    """Scan every file; exit with 1 where one cannot be read."""
    from rich.console import Console

    from outwarden.cli.scan_files import files_in, scan_file, show

    scans = [scan_file(scanner, path, "response" if reply else "request") for path in files_in(paths)]
    if as_json:
        for one in scans:
            print(json.dumps(one.as_json()))
    else:
        show(Console(highlight=False, soft_wrap=True), scans, scanner.slowest([one.text for one in scans]), diff=diff)
    if any(one.problem for one in scans):
        raise typer.Exit(1)
