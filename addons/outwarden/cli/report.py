"""`outwarden report`: who spent what, from the audit records."""

import csv
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import typer

from outwarden.cli.options import JsonOption, RulesOption, StateOption, fail, open_state, print_json, printable

COLUMNS = ("name", "calls", "refused", "failed", "input_tokens", "output_tokens", "redactions", "cost_usd")
HEADS = ("calls", "refused", "failed", "input", "output", "redacted", "cost $")  # of COLUMNS, after the name
NOBODY = "(none)"


class By(StrEnum):
    """What calls are grouped by."""

    team = "team"
    user = "user"
    project = "project"
    organization = "organization"
    session = "session"
    api_key_id = "api_key_id"
    model = "model"
    provider = "provider"
    upstream = "upstream"
    verdict = "verdict"


@dataclass(slots=True)
class Row:
    """The sums of one group."""

    name: str
    calls: int = 0
    refused: int = 0
    failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    redactions: int = 0
    cost_usd: Decimal = Decimal()

    def add(self, record: Mapping[str, Any]) -> None:
        """Count one record."""
        usage, redactions = record.get("usage") or {}, record.get("redactions") or {}
        self.calls += 1
        self.refused += record.get("verdict") == "refused"
        self.failed += record.get("verdict") in ("failed", "error")
        self.input_tokens += int(usage.get("input_tokens") or 0)
        self.output_tokens += int(usage.get("output_tokens") or 0)
        self.redactions += sum(sum((redactions.get(way) or {}).values()) for way in ("request", "response"))
        self.cost_usd += Decimal(str(record.get("cost_usd") or 0))

    def cells(self) -> dict[str, Any]:
        """The row by column; money as a decimal string."""
        return {name: getattr(self, name) for name in COLUMNS[:-1]} | {"cost_usd": format(self.cost_usd, "f")}


def report(
    by: Annotated[By, typer.Option("--by", help="Group calls by this.")] = By.team,
    month: Annotated[str | None, typer.Option("--month", metavar="YYYY-MM", help="This month, in UTC.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    rules: RulesOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Add up calls, tokens, redactions and cost from the audit records, the dearest group first."""
    from outwarden.audit import read

    begin = first_of(month) if month else None
    records = read(open_state(state).audit, begin)
    if begin:
        records = (record for record in records if str(record.get("ts")).startswith(f"{begin:%Y-%m}"))
    rows = sum_up(records, by)
    if json:
        print_json([row.cells() for row in rows])
    elif as_csv:
        writer = csv.DictWriter(sys.stdout, COLUMNS)
        writer.writeheader()
        writer.writerows({**row.cells(), "name": _cell(row.name)} for row in rows)
    else:
        _print_table(rows, by)


def first_of(month: str) -> datetime:
    """The first moment of ``YYYY-MM`` in UTC; ends with exit code 2 where it is none."""
    try:
        return datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        fail(f"--month {month!r} is not YYYY-MM", 2)


def sum_up(records: Iterable[Mapping[str, Any]], by: By) -> list[Row]:
    """One row per group, dearest first, then by name."""
    rows: dict[str, Row] = {}
    for record in records:
        if "call_id" not in record:
            continue  # a note of the audit log itself
        name = group_of(record, by)
        rows.setdefault(name, Row(name)).add(record)
    return sorted(rows.values(), key=lambda row: (-row.cost_usd, row.name))


def group_of(record: Mapping[str, Any], by: By) -> str:
    """Which group a record belongs to; a call counts for the model and provider that served it."""
    served = record.get("served") or {}
    if by in (By.model, By.provider):
        value = served.get(by) or record.get(by)
    elif by is By.upstream:
        value = served.get("upstream")
    elif by is By.verdict:
        value = record.get("verdict")
    else:
        value = (record.get("caller") or {}).get(by)
    return NOBODY if value in (None, "") else str(value)


def _cell(text: str) -> str:
    """A name that a spreadsheet would run as a formula is quoted (OWASP: CSV injection)."""
    text = printable(text)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def _print_table(rows: list[Row], by: By) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        print("no calls")
        return
    table = Table(by.value, *HEADS)
    table.columns[0].overflow = "fold"
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for row in rows:
        table.add_row(*(Text(printable(value)) for value in row.cells().values()))
    Console().print(table)
