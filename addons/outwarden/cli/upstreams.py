"""`outwarden upstreams`, `drain` and `enable`: how upstreams do, and which of them calls may take.

What is drained, and what interceptors found failing, is read from the store, where all processes say it within a
second. Figures come from the audit log: it has every attempt with its outcome, time and cost already, so nothing more
is written for them per call, and they do not end with a process. They are those of this state folder's calls.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outwarden.cli.audit import moment
from outwarden.cli.options import (
    JsonOption,
    RulesOption,
    StateOption,
    fail,
    open_rules,
    open_state,
    print_json,
    printable,
)
from outwarden.cli.orders import given_orders
from outwarden.cli.upstream_figures import Figures, figures_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from outwarden.budget.store import RestRow
    from outwarden.rules import Rules

_NAME = typer.Argument(metavar="NAME", help="An upstream of routes.yml, or a host of traffic.yml that callers aim at.")
_TONES = {"ok": "green", "partly open": "yellow", "half-open": "yellow"}


def upstreams(
    since: Annotated[
        str, typer.Option("--since", metavar="AGE|TIME", help="Figures from then on, such as 15m, 2h, 2026-11-21.")
    ] = "1h",
    rules: RulesOption = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Show how upstreams do: state, breakers, errors, time to the first content, spend."""
    from outwarden.audit import recent

    now = datetime.now(UTC)
    ruled, folder = open_rules(rules), open_state(state)
    drained, rests = read_health(folder.database_url)
    figures = figures_of(recent(folder.audit, moment(since, now)))
    rows = rows_of(ruled, drained, rests, figures, now)
    if json:
        print_json(rows)
    else:
        _print_table(rows)


def drain(
    name: Annotated[str, _NAME], rules: RulesOption = None, state: StateOption = None, json: JsonOption = False
) -> None:
    """Send no further call to an upstream; those under way end in peace. Interceptors obey within two seconds."""
    place = place_in(name, open_rules(rules))
    if place is None:
        fail(f"{name!r} is neither an upstream of routes.yml nor a host of traffic.yml", 2)
    with given_orders(state) as orders:
        done = orders.drain(place)
    _tell(json, "drain", place, done.number, done.changed, "is drained" if done.changed else "was drained already")


def enable(
    name: Annotated[str, _NAME], rules: RulesOption = None, state: StateOption = None, json: JsonOption = False
) -> None:
    """Let calls go to a drained upstream again."""
    drained, _ = read_health(open_state(state).database_url)
    place = name if name in drained else place_in(name, open_rules(rules))
    if place is None:
        fail(f"{name!r} is neither an upstream of routes.yml, nor a host of traffic.yml, nor drained", 2)
    with given_orders(state) as orders:
        done = orders.enable(place)
    _tell(json, "enable", place, done.number, done.changed, "is enabled" if done.changed else "was not drained")


def place_in(name: str, rules: "Rules") -> str | None:
    """The name that health keeps a place under: an upstream, or ``original HOST``; None for what is neither."""
    from outwarden.routing import ORIGINAL, original_at

    if name in rules.routes.upstreams:
        return name
    host = name.removeprefix(f"{ORIGINAL} ")
    return original_at(host) if rules.traffic.find(host) else None


def read_health(url: str) -> "tuple[frozenset[str], list[RestRow]]":
    """What is drained, and what processes leave alone; nothing where there is no database. Raises StateError."""
    from outwarden.budget import open_store
    from outwarden.cli.budgets import is_there

    if not is_there(url):
        return frozenset(), []
    store = open_store(url)
    try:
        return frozenset(store.drained()), store.rests()
    finally:
        store.close()


def rows_of(
    rules: "Rules",
    drained: "frozenset[str]",
    rests: "Iterable[RestRow]",
    figures: "Mapping[tuple[str, str], Figures]",
    now: datetime,
) -> list[dict[str, Any]]:
    """One row for each upstream of the rules, for each provider that callers aimed at, and what else is told of."""
    breakers: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    closed: dict[tuple[str, str], list[str]] = {}
    for rest in rests:
        found = breakers.setdefault(_row_of(rest.name, rules), {})
        if rest.name not in found or found[rest.name]["until"] < rest.until:
            state = rest.why if rest.until > now else "half-open"
            found[rest.name] = {"name": rest.name, "state": state, "until": rest.until}
    for name in sorted(drained):
        closed.setdefault(_row_of(name, rules), []).append(name)
    ruled = [(name, "") for name in rules.routes.upstreams]
    return [
        {
            "name": key[0],
            "provider": key[1] or _provider(key[0], rules),
            "state": _state(key[0], breakers.get(key, {}), closed.get(key, [])),
            "drained": closed.get(key, []),
            "breakers": [
                {**each, "until": each["until"].isoformat(timespec="seconds")}
                for _, each in sorted(breakers.get(key, {}).items())
            ],
            **figures.get(key, Figures()).as_json(),
        }
        for key in dict.fromkeys([*ruled, *sorted(figures), *sorted(breakers), *sorted(closed)])
    ]


def _row_of(name: str, rules: "Rules") -> tuple[str, str]:
    """The row that a name of health (a place, or a model at one) belongs to, as `figures_of` names it."""
    from outwarden.routing import ORIGINAL

    place, _, rest = name.partition(" ")
    host = rules.traffic.known(rest.partition(" ")[0]) if place == ORIGINAL else None
    return place, host.provider if host else ""


def _provider(name: str, rules: "Rules") -> str | None:
    upstream = rules.routes.upstreams.get(name)
    return upstream.provider if upstream else None


def _state(name: str, breakers: "Mapping[str, Mapping[str, Any]]", drained: list[str]) -> str:
    """The state of the place as a whole; a model's own breaker, or one of several hosts, closes a part of it."""
    if name in drained:
        return "drained"
    if name in breakers:
        return str(breakers[name]["state"])
    return "partly drained" if drained else "partly open" if breakers else "ok"


def _tell(as_json: bool, order: str, place: str, number: int, changed: int, sentence: str) -> None:
    if as_json:
        print_json({"order": order, "target": place, "number": number, "changed": changed})
    else:
        print(f"{place} {sentence}")


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        print("there are no upstreams in routes.yml, and no call was made")
        return
    table = Table("upstream", "provider", "state", "calls", "errors", "first content p50 / p95", "spent")
    for row in rows:
        share, ms = row["error_rate"], row["first_content_ms"]
        times = f"{ms['p50']:.0f} / {ms['p95']:.0f} ms" if ms else ""
        errors = "" if share is None else f"{share:.1%}"
        tone = _TONES.get(row["state"], "red")
        cells = (row["name"], row["provider"] or "", row["state"], row["calls"], errors, times, f"${row['spend_usd']}")
        table.add_row(*(Text(printable(cell), style=tone if at == 2 else "") for at, cell in enumerate(cells)))
    Console().print(table)
    for row in rows:
        for each in row["breakers"]:
            print(printable(f"{each['state']} until {each['until']}: {each['name']}"))
        for name in row["drained"]:
            print(printable(f"drained: {name}"))
