"""The table of a replay, and its JSON."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from replaying.comparing import CHECKS, Outcome
from replaying.reading import Unplayed

LISTED_MAX = 200
NAMED_MAX = 4
JsonObject = dict[str, Any]
Row = tuple[str, str, str]


@dataclass
class Counts:
    """One row: different exchanges, how many of them are recorded byte for byte, and each check's good and all."""

    exchanges: set[str] = field(default_factory=set)
    exact: set[str] = field(default_factory=set)
    good: Counter[str] = field(default_factory=Counter)
    all: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count one exchange played in one way; what is explained does not count against a row."""
        self.exchanges.add(outcome.exchange.id)
        if outcome.exchange.exact:
            self.exact.add(outcome.exchange.id)
        if outcome.reason:
            return
        for check, (good, of) in outcome.checks.items():
            self.good[check] += good
            self.all[check] += of


def rows(outcomes: Iterable[Outcome]) -> dict[Row, Counts]:
    """Counts by provider x endpoint x streaming, sorted."""
    found: dict[Row, Counts] = defaultdict(Counts)
    for outcome in outcomes:
        found[outcome.exchange.row].add(outcome)
    return dict(sorted(found.items()))


def unexplained(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """What differs and has no reason."""
    return [each for each in outcomes if each.problems and not each.reason]


def explained(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """What differs for a reason, and what was done on purpose."""
    return [each for each in outcomes if each.reason or each.note]


def line(outcome: Outcome) -> str:
    """One outcome as a line of a list."""
    provider, endpoint, stream = outcome.exchange.row
    what = outcome.reason or "; ".join(outcome.problems) or outcome.note
    return f"{outcome.exchange.id} {provider} {endpoint}{' stream' if stream else ''} ({outcome.variant}): {what}"


def show(
    console: Console, outcomes: Sequence[Outcome], unplayed: Sequence[Unplayed], failed: Sequence[str], title: str
) -> None:
    """Print the table, what was not played, what differs with a reason (counted), and what without one (listed)."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in ("provider", "endpoint", ""):
        table.add_column(name, overflow="fold")
    for name in ("played", "exact", *CHECKS):
        table.add_column(name, justify="right", no_wrap=True)
    total = Counts()
    for (provider, endpoint, stream), counts in rows(outcomes).items():
        table.add_row(provider, endpoint, stream, *_cells(counts))
    for outcome in outcomes:
        total.add(outcome)
    table.add_section()
    table.add_row("all", "", "", *_cells(total), style="bold")
    console.print(table)
    _show_unplayed(console, unplayed)
    _show_explained(console, outcomes)
    wrong = unexplained(outcomes)
    console.print(f"[{'red' if wrong else 'green'}]{len(wrong)} differ without a reason[/]")
    for outcome in wrong[:LISTED_MAX]:
        console.print("  " + line(outcome), markup=False, highlight=False)
    for problem in failed:
        console.print("a way could not be played: " + problem, markup=False, highlight=False, style="red")


def _show_explained(console: Console, outcomes: Sequence[Outcome]) -> None:
    reasons = Counter(
        (each.reason or each.note, each.exchange.provider, each.exchange.endpoint) for each in explained(outcomes)
    )
    for (reason, provider, endpoint), count in sorted(reasons.items()):
        console.print(f"  {count:5} x {provider} {endpoint}: {reason}", markup=False, highlight=False)


def _show_unplayed(console: Console, unplayed: Sequence[Unplayed]) -> None:
    """Each with its name where they are few; where a whole kind was left out, how many of which row."""
    reasons: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    for each in unplayed:
        reasons[each.reason, each.way, each.provider, each.endpoint].add(each.id)
    if reasons:
        console.print("not played:")
    for (reason, way, provider, endpoint), names in sorted(reasons.items()):
        listed = ", ".join(sorted(names)[:NAMED_MAX]) + (", ..." if len(names) > NAMED_MAX else "")
        where = f" ({way})" if way else ""
        console.print(
            f"  {len(names):5} x {provider} {endpoint}{where}: {reason}: {listed}", markup=False, highlight=False
        )


def as_json(outcomes: Sequence[Outcome], unplayed: Sequence[Unplayed] = (), failed: Sequence[str] = ()) -> JsonObject:
    """The same, for programs."""
    return {
        "rows": [
            {
                "provider": provider,
                "endpoint": endpoint,
                "streaming": bool(stream),
                "played": len(counts.exchanges),
                "exact": len(counts.exact),
                "checks": {check: [counts.good[check], counts.all[check]] for check in CHECKS if counts.all[check]},
            }
            for (provider, endpoint, stream), counts in rows(outcomes).items()
        ],
        "unplayed": [asdict(each) for each in unplayed],
        "explained": [line(each) for each in explained(outcomes)],
        "unexplained": [line(each) for each in unexplained(outcomes)],
        "failed_ways": list(failed),
    }


def _cells(counts: Counts) -> list[str]:
    cells = [str(len(counts.exchanges)), str(len(counts.exact))]
    for check in CHECKS:
        good, of = counts.good[check], counts.all[check]
        cell = f"{good}/{of}" if of else ""
        cells.append(f"[red]{cell}[/]" if good < of else cell)
    return cells
