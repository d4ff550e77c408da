"""`outwarden audit`: the records, or the proof that none was changed."""

import json as json_module
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from outwarden.cli.options import JsonOption, RulesOption, StateOption, age_in, fail, open_state, print_json, printable

SinceOption = Annotated[
    str | None,
    typer.Option("--since", metavar="WHEN", help="A date, a moment (ISO 8601), or an age such as 15m, 2h, 7d."),
]


def audit(
    since: SinceOption = None,
    verify: Annotated[bool, typer.Option("--verify", help="Check the chain of hashes instead.")] = False,
    rules: RulesOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Show the audit records; --verify proves that none was changed, removed or moved."""
    from outwarden.audit import read
    from outwarden.audit import verify as problems_of

    path = open_state(state).audit
    if verify:
        _verify(problems_of(path), str(path), json)
        return
    begin = moment(since, datetime.now(UTC)) if since is not None else None
    if json:
        _print_list(read(path, begin))
        return
    for record in read(path, begin):
        print(line(record))


def _print_list(records: Iterable[Mapping[str, Any]]) -> None:
    """One JSON list, one record per line: the file may be larger than memory, and line tools work too."""
    begin = "["
    for record in records:
        print(begin, json_module.dumps(record), sep="\n", end="")
        begin = ","
    print("[]" if begin == "[" else "\n]")


def moment(text: str, now: datetime) -> datetime:
    """Read ``2h`` (before ``now``), ``2026-11-21`` or a moment with time; without a zone it is UTC. Ends with 2."""
    try:
        if (age := age_in(text)) is not None:
            return now - age
        read = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        fail(f"--since {text!r} is neither a date, a moment, nor an age such as 2h", 2)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def line(record: dict[str, Any]) -> str:
    """One record for people; control characters of a model's name cannot move the cursor."""
    if "repaired" in record:
        return f"{record.get('ts')}  repaired: {record['repaired']}"
    if "order" in record:
        units = ("usd", "tokens", "requests")
        amount = "".join(f" {record[f'amount_{unit}']} {unit}" for unit in units if f"amount_{unit}" in record)
        return printable(
            f"{record.get('ts')}  order: {record['order']} {record.get('target')}{amount} by {record['by']}"
        )
    if record.get("event") == "key_rotated":
        return printable(f"{record.get('ts')}  key {record.get('key')} takes over from {record.get('former_key')}")
    caller, usage, served = record.get("caller") or {}, record.get("usage") or {}, record.get("served") or {}
    redactions = record.get("redactions") or {}
    taken = sum(sum((redactions.get(direction) or {}).values()) for direction in ("request", "response"))
    parts = (
        record.get("ts"),
        record.get("verdict"),
        record.get("status"),
        caller.get("user") or caller.get("team") or "-",
        f"{record.get('provider')}/{record.get('model')}",
        f"via {served['upstream']}" if served.get("upstream") not in (None, "original") else "",
        f"{usage.get('input_tokens', 0)}+{usage.get('output_tokens', 0)} tokens" if usage else "",
        f"${record['cost_usd']}" if record.get("cost_usd") is not None else "",
        f"{taken} redacted" if taken else "",
        f"rule {record['rule']}" if record.get("rule") else "",
    )
    shown = "  ".join(str(part) for part in parts if part not in (None, ""))
    return printable(shown)


def _verify(problems: list[str], path: str, as_json: bool) -> None:
    if as_json:
        print_json({"ok": not problems, "file": path, "problems": problems})
    else:
        print("\n".join(problems) if problems else f"ok: {path}: every record is as it was written")
    if problems:
        raise typer.Exit(1)
