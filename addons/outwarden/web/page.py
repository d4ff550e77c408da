"""A snapshot as one HTML page: no script, nothing loaded from anywhere, every value escaped."""

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from outwarden.observe.metrics import used_share
from outwarden.web.snapshot import Snapshot, shown_call
from outwarden.web.style import STYLE

REFRESH_S = 5
WARN_SHARE = 0.8  # from here on a bar is amber

STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()


def page(snapshot: Snapshot) -> str:
    """The whole page."""
    parts = (
        _header(snapshot),
        _section("Budgets", _budgets(snapshot.budgets)),
        _section("Taken out, in the recent calls", _redactions(snapshot.recent)),
        _section("Upstreams", _upstreams(snapshot.upstreams)),
        _section("Recent calls", _calls(snapshot.recent)),
        _section("Rules in force", _rules(snapshot.rules)),
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Outwarden</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="refresh" content="{REFRESH_S}"><style>{STYLE}</style></head>'
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _header(snapshot: Snapshot) -> str:
    return (
        f'<header><h1>Outwarden</h1><span class="soft">{_e(snapshot.version)}, running since '
        f"{_e(snapshot.started_at.isoformat(timespec='seconds'))}, shown at "
        f"{_e(snapshot.now.isoformat(timespec='seconds'))}</span>"
        '<span><a href="/status.json">JSON</a> · <a href="/metrics">metrics</a> · <a href="/ca">CA certificate</a>'
        "</span></header>"
    )


def _section(title: str, inside: str) -> str:
    return f"<section><h2>{_e(title)}</h2>{inside}</section>"


def _budgets(states: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for state in states:
        share = used_share(state)
        unit = next((u for u in ("usd", "tokens", "requests") if state.get(f"limit_{u}") is not None), "usd")
        used = f"{_e(state.get(f'posted_{unit}'))} + {_e(state.get(f'pending_{unit}'))} pending"
        if _is_more_than_zero(state.get(f"debt_{unit}")):
            used += f' + <span class="bad">{_e(state.get(f"debt_{unit}"))} debt</span>'
        rows.append(
            (
                _e(state.get("name")),
                f"{_e(state.get('scope'))} <code>{_e(_short(str(state.get('id') or '')))}</code>",
                f'<meter min="0" max="1" high="{WARN_SHARE}" optimum="0" value="{min(share, 1.0):.4f}"></meter> '
                f"{share:.0%}",
                used,
                f"{_e(state.get(f'limit_{unit}'))} {_e(unit)}",
                _e(state.get("window_end") or state.get("window") or "never"),
                f'<span class="{_tone(str(state.get("state")))}">{_e(state.get("state"))}</span>',
            )
        )
    return _table(("budget", "for", "used", "spent", "limit", "starts anew", "state"), rows, "Nothing was spent yet.")


def _redactions(calls: Sequence[Mapping[str, Any]]) -> str:
    counts: dict[str, Counter[str]] = {"request": Counter(), "response": Counter()}
    for call in calls:
        for direction, counter in counts.items():
            counter.update((call.get("redactions") or {}).get(direction) or {})
    entities = sorted(set(counts["request"]) | set(counts["response"]))
    rows = [(_e(name), _e(counts["request"][name]), _e(counts["response"][name])) for name in entities]
    return _table(("entity", "in requests", "in replies"), rows, "Nothing was found.")


def _upstreams(upstreams: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for upstream in upstreams:
        state = str(upstream.get("state"))
        left_alone = f", for {_e(round(float(upstream['open_s'])))} s more" if upstream.get("open_s") else ""
        rows.append((_e(upstream.get("name")), f'<span class="{_tone(state)}">{_e(state)}</span>{left_alone}'))
    return _table(("upstream", "state"), rows, "No upstream failed lately.")


def _calls(calls: Sequence[Mapping[str, Any]]) -> str:
    head = ("time", "caller", "model", "served by", "verdict", "status", "tokens", "cost", "taken out", "overhead")
    return _table(head, [_call(shown_call(call)) for call in calls], "No call yet.")


def _call(call: Mapping[str, Any]) -> tuple[str, ...]:
    usage, redactions = call.get("usage") or {}, call.get("redactions") or {}
    caller, served = call.get("caller") or {}, call.get("served") or {}
    overhead = (call.get("ms") or {}).get("overhead")
    taken = sum(sum((redactions.get(direction) or {}).values()) for direction in ("request", "response"))
    rule = f" <code>{_e(call['rule'])}</code>" if call.get("rule") else ""
    cost = call.get("cost_usd")
    return (
        _e(call.get("ts")),
        _e(" / ".join(str(value) for value in caller.values())),
        _e(f"{call.get('provider') or ''} {call.get('model') or ''}"),
        _e(served.get("upstream")),
        f'<span class="{_tone(str(call.get("verdict")))}">{_e(call.get("verdict"))}</span>{rule}',
        _e(call.get("status")),
        _e(f"{usage.get('input_tokens', 0)} + {usage.get('output_tokens', 0)}" if usage else ""),
        _e(f"${cost}" if cost is not None else ""),
        _e(taken or ""),
        _e(f"{overhead:.1f} ms" if isinstance(overhead, int | float) else ""),
    )


def _rules(rules: Mapping[str, Any]) -> str:
    if not rules:
        return '<p class="soft">Not known.</p>'
    rows = [(_e(room), _value(value)) for room, value in rules.items()]
    return _table(("file", "rules"), rows, "")


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "<br>".join(f'<span class="soft">{_e(key)}:</span> {_value(inner)}' for key, inner in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        if any(isinstance(inner, Mapping) for inner in value):
            return "<br><br>".join(map(_value, value)) or '<span class="soft">none</span>'
        return _e(", ".join(map(str, value))) or '<span class="soft">none</span>'
    return _e(value)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], empty: str) -> str:
    """A table of cells that are HTML already."""
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    if not body:
        return f'<p class="soft">{_e(empty)}</p>'
    names = "".join(f"<th>{_e(name)}</th>" for name in head)
    return f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"


def _tone(word: str) -> str:
    """The colour of a verdict, of a budget's state or of a breaker's; a word we do not know is not good."""
    if word in ("allowed", "ok", "closed"):
        return "good"
    return "warn" if word in ("warn", "half-open", "returning", "drained", "client_gone") else "bad"


def _short(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:23]}…"


def _is_more_than_zero(value: object) -> bool:
    try:
        return float(str(value)) > 0
    except ValueError:
        return False


def _e(value: object) -> str:
    return "" if value is None else escape(str(value))
