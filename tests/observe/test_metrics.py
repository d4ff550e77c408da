"""Each audit record counts once, in the right series, and nothing of a caller gets into a label."""

from typing import Any

import pytest

from outwarden.observe import Metrics
from outwarden.observe.metrics import MODELS_MAX, used_share

RECORD: dict[str, Any] = {
    "ts": "2026-11-21T10:00:00Z",
    "call_id": "c1",
    "caller": {"user": "alice", "team": "support", "api_key_id": "sha256:00", "source": "10.0.0.9"},
    "provider": "openai",
    "model": "gpt-4o",
    "served": {"upstream": "onprem", "provider": "vllm", "model": "mixtral"},
    "attempts": [
        {"upstream": "original", "outcome": "5xx", "status": 503, "ms": 12.0},
        {"upstream": "original", "outcome": "connect", "status": None, "ms": 1.0},
        {"upstream": "onprem", "outcome": "ok", "status": 200, "ms": 90.0},
    ],
    "status": 200,
    "verdict": "allowed",
    "usage": {"input_tokens": 100, "cached_input_tokens": 60, "output_tokens": 20},
    "cost_usd": "0.00125",
    "redactions": {"request": {"EMAIL_ADDRESS": 2, "PERSON": 1}, "response": {"EMAIL_ADDRESS": 1}},
    "restored": 2,
    "ms": {"overhead": 3.5, "first_content": 40.0, "total": 95.0},
}


def samples(metrics: Metrics, budgets: list[dict[str, Any]] | None = None) -> dict[str, str]:
    lines = metrics.text(budgets or ()).splitlines()
    return {line.rsplit(" ", 1)[0]: line.rsplit(" ", 1)[1] for line in lines if not line.startswith("#")}


def test_a_record_counts_in_every_family() -> None:
    """One moved call with findings: calls, cost, tokens, redactions, attempts, failovers and overhead each say so."""
    metrics = Metrics()
    metrics.record(RECORD)

    shown = samples(metrics)
    expected = {
        'outwarden_calls_total{provider="vllm",model="mixtral",verdict="allowed"}': "1",
        'outwarden_cost_usd_total{provider="vllm",model="mixtral"}': "0.00125",
        'outwarden_tokens_total{provider="vllm",model="mixtral",kind="input"}': "100",
        'outwarden_tokens_total{provider="vllm",model="mixtral",kind="cached_input"}': "60",
        'outwarden_tokens_total{provider="vllm",model="mixtral",kind="output"}': "20",
        'outwarden_redactions_total{entity="EMAIL_ADDRESS",direction="request"}': "2",
        'outwarden_redactions_total{entity="PERSON",direction="request"}': "1",
        'outwarden_redactions_total{entity="EMAIL_ADDRESS",direction="response"}': "1",
        "outwarden_restored_total": "2",
        'outwarden_attempts_total{upstream="original",outcome="5xx"}': "1",
        'outwarden_attempts_total{upstream="onprem",outcome="ok"}': "1",
        'outwarden_failovers_total{from="original",to="onprem"}': "1",
        'outwarden_overhead_seconds_bucket{le="0.0025"}': "0",
        'outwarden_overhead_seconds_bucket{le="0.005"}': "1",
        "outwarden_overhead_seconds_count": "1",
    }
    assert expected == {key: shown[key] for key in expected}


def test_nothing_of_the_caller_is_shown() -> None:
    """User, team, key id, address and call id stay in the audit file."""
    metrics = Metrics()
    metrics.record(RECORD)

    text = metrics.text()
    assert not [word for word in ("alice", "support", "sha256:00", "10.0.0.9", "c1") if word in text]


def test_a_refused_caller_cannot_invent_models() -> None:
    """A model that no provider answered for is ``other``, however many are named."""
    metrics = Metrics()
    for number in range(1000):
        metrics.record({"provider": "openai", "model": f"junk-{number}", "status": 429, "verdict": "refused"})

    assert samples(metrics)['outwarden_calls_total{provider="openai",model="other",verdict="refused"}'] == "1000"
    assert "junk" not in metrics.text()


def test_answered_models_are_bounded_too() -> None:
    """Even answered models stop getting labels of their own at the bound."""
    metrics = Metrics()
    for number in range(MODELS_MAX + 50):
        metrics.record({"provider": "generic", "model": f"m-{number}", "status": 200, "verdict": "allowed"})

    shown = samples(metrics)
    assert sum(key.startswith("outwarden_calls_total") for key in shown) == MODELS_MAX + 1
    assert shown['outwarden_calls_total{provider="generic",model="other",verdict="allowed"}'] == "50"


def test_an_empty_record_is_counted_as_a_call() -> None:
    """A record whose fields are null is a call of nobody, at no cost, without an overhead."""
    metrics = Metrics()
    metrics.record({"usage": None, "attempts": None, "redactions": None, "ms": None, "cost_usd": None})

    shown = samples(metrics)
    assert shown['outwarden_calls_total{provider="none",model="none",verdict="none"}'] == "1"
    assert shown["outwarden_overhead_seconds_count"] == "0"


def test_a_broken_cost_is_not_taken_for_zero() -> None:
    """A cost that is no number is a fault of ours and is said."""
    with pytest.raises(ValueError, match="cost_usd"):
        Metrics().record({"cost_usd": "a lot"})


@pytest.mark.parametrize(
    ("state", "share"),
    [
        ({"limit_usd": "10", "posted_usd": "2.5", "pending_usd": "2.5", "debt_usd": "0"}, 0.5),
        ({"limit_usd": "10", "posted_usd": "10", "pending_usd": "0", "debt_usd": "5"}, 1.5),
        ({"limit_usd": "0", "posted_usd": "0", "pending_usd": "0", "debt_usd": "0"}, 1.0),
        ({"limit_tokens": 100, "posted_tokens": 25, "pending_tokens": 0}, 0.25),
        ({"limit_requests": 4, "posted_requests": 1}, 0.25),
    ],
)
def test_the_used_share_counts_pending_and_debt(state: dict[str, Any], share: float) -> None:
    """What is held or owed is used; a limit of zero is full from the start."""
    assert used_share(state) == share


def test_budget_gauges_show_the_fullest_account_and_no_account_name() -> None:
    """Per budget one ratio and one count per state, whoever the accounts belong to."""
    budgets = [
        {"name": "key-day", "id": "sha256:aa", "limit_usd": "10", "posted_usd": "1", "state": "ok"},
        {"name": "key-day", "id": "sha256:bb", "limit_usd": "10", "posted_usd": "9", "state": "warn"},
    ]
    shown = samples(Metrics(), budgets)

    assert shown['outwarden_budget_used_ratio{budget="key-day"}'] == "0.9"
    assert shown['outwarden_budget_accounts{budget="key-day",state="ok"}'] == "1"
    assert shown['outwarden_budget_accounts{budget="key-day",state="warn"}'] == "1"
    assert "sha256" not in Metrics().text(budgets)


def test_refusals_count_by_their_rule() -> None:
    """Only those; and what bodies hold is told where it is known."""
    metrics = Metrics()
    metrics.record(RECORD | {"verdict": "refused", "rule": "max_in_flight_mib"})
    metrics.record(RECORD | {"verdict": "allowed", "rule": "clamp_output 100"})

    found = {name: value for name, value in samples(metrics).items() if "refusals" in name}
    assert found == {'outwarden_refusals_total{rule="max_in_flight_mib"}': "1"}
    assert "outwarden_bodies_in_flight_bytes" not in metrics.text()
    assert "outwarden_bodies_in_flight_bytes 1234" in metrics.text((), 1234)
