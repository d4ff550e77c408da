"""How upstreams do, for people and programs; what is drained stays so until it is enabled, and is on record."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from outwarden.audit import AuditLog, read
from outwarden.budget import open_store
from outwarden.budget.store import RestRow
from outwarden.cli.app import app

Run = Callable[..., tuple[int, str]]
ROUTES = {
    "upstreams": {
        "onprem": {"url": "http://127.0.0.1:1/v1", "provider": "vllm", "format": "openai"},
        "spare": {"url": "http://127.0.0.1:2/v1", "provider": "vllm", "format": "openai"},
    }
}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def run(tmp_path: Path, state: Path) -> Run:
    """Run a command under the rules above; its exit code and what it printed."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "routes.yml").write_text(json.dumps(ROUTES))
    place = ["--rules", str(tmp_path / "rules"), "--state", str(state)]

    def command(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, [*arguments, *place], env={"COLUMNS": "160"})
        return done.exit_code, done.stdout + done.stderr

    return command


def call(state: Path, attempts: list[tuple[str, str, float]], **more: Any) -> None:
    """Put a call on record: (upstream, outcome, ms) of each attempt."""
    log = AuditLog(state / "audit.jsonl")
    tried = [{"upstream": name, "outcome": outcome, "status": 200, "ms": ms} for name, outcome, ms in attempts]
    served = {"upstream": attempts[-1][0] if attempts else None, "provider": "whoever", "model": "m"}
    log.append({"call_id": "c", "provider": "openai", "served": served, "attempts": tried, "cost_usd": "0.25"} | more)
    log.close()


def test_nothing_yet(run: Run, state: Path) -> None:
    """Upstreams are listed before any call; reading makes no database."""
    code, said = run("upstreams", "--json")
    assert code == 0
    assert [(row["name"], row["state"], row["calls"], row["error_rate"]) for row in json.loads(said)] == [
        ("onprem", "ok", 0, None),
        ("spare", "ok", 0, None),
    ]
    assert not (state / "outwarden.db").exists()


def test_figures(run: Run, state: Path) -> None:
    """Each attempt counts for its own upstream, time without the attempts before it, money for who served."""
    call(state, [("original", "ok", 900)], ms={"first_content": 120})
    call(state, [("original", "5xx", 100), ("onprem", "ok", 40)], ms={"first_content": 130})
    call(state, [("onprem", "timeout", 100), ("spare", "ok", 50)], ms={"first_content": None})
    call(state, [("onprem", "client gone", 10)])
    call(state, [("onprem", "budget", 0)], served={})
    call(state, [("original", "5xx", 1)], ts="2020-01-01T00:00:00.000Z")
    shown = {(row["name"], row["provider"]): row for row in json.loads(run("upstreams", "--json")[1])}
    figures = {
        key: (row["calls"], row["attempts"], row["failed"], row["first_content_ms"], row["spend_usd"])
        for key, row in shown.items()
    }
    assert figures == {
        ("onprem", "vllm"): (2, 2, 1, {"p50": 30.0, "p95": 30.0}, "0.50"),
        ("spare", "vllm"): (1, 1, 0, {"p50": 50.0, "p95": 50.0}, "0.25"),
        ("original", "openai"): (1, 2, 1, {"p50": 120.0, "p95": 120.0}, "0.25"),
    }
    assert json.loads(run("upstreams", "--json", "--since", "2019-01-01")[1])[2]["attempts"] == 3
    table = run("upstreams")[1]
    assert "50.0%" in table
    assert "$0.50" in table


def test_breakers_are_what_any_process_says(run: Run, state: Path) -> None:
    """The place's own is its state; a model's, or one of several hosts', closes a part; what is over is half open."""
    store, now = open_store(f"sqlite:///{state}/outwarden.db"), datetime.now(UTC)
    for name, owner, seconds, why in [
        ("onprem", "one", 30, "unhealthy"),
        ("onprem", "two", 10, "open"),
        ("spare qwen3", "two", -5, "open"),
        ("original api.openai.com", "two", 30, "open"),
    ]:
        store.keep_rest(RestRow(name, owner, why, now + timedelta(seconds=seconds), now))
    store.close()
    rows = {row["name"]: row for row in json.loads(run("upstreams", "--json")[1])}
    assert {name: (row["state"], [each["state"] for each in row["breakers"]]) for name, row in rows.items()} == {
        "onprem": ("unhealthy", ["unhealthy"]),
        "spare": ("partly open", ["half-open"]),
        "original": ("partly open", ["open"]),
    }
    assert rows["original"]["provider"] == "openai"
    assert "half-open until" in run("upstreams")[1]


@pytest.mark.parametrize(("name", "place"), [("onprem", "onprem"), ("API.openai.com", "original api.openai.com")])
def test_drain_and_enable(run: Run, state: Path, name: str, place: str) -> None:
    """An upstream, or where callers aim; each order is on record, twice is no error, budgets are not concerned."""
    assert run("drain", name) == (0, f"{place} is drained\n")
    assert run("drain", name) == (0, f"{place} was drained already\n")
    (row,) = [row for row in json.loads(run("upstreams", "--json")[1]) if row["drained"]]
    assert row["drained"] == [place]
    assert row["state"] == ("drained" if name == "onprem" else "partly drained")
    assert f"drained: {place}" in run("upstreams")[1]
    assert "paused" not in run("budgets")[1]
    assert run("enable", name) == (0, f"{place} is enabled\n")
    assert json.loads(run("enable", name, "--json")[1])["changed"] == 0
    told = [(record["order"], record["target"]) for record in read(state / "audit.jsonl")]
    assert told == [(order, f"upstream {place}") for order in ("drain", "drain", "enable", "enable")]


def test_only_what_is_there_is_drained(run: Run, tmp_path: Path) -> None:
    """A name mistyped would drain nothing and say that it did; one that left the rules can still be enabled."""
    code, said = run("drain", "onprm")
    assert code == 2
    assert "neither an upstream" in said
    assert run("enable", "onprm")[0] == 2
    run("drain", "spare")
    (tmp_path / "rules" / "routes.yml").write_text("{}")
    assert run("enable", "spare") == (0, "spare is enabled\n")
