"""The rules in force are shown in plain values, secrets and key ids left out."""

import json
from decimal import Decimal
from types import SimpleNamespace

from outwarden.budget.limits import Budget, BudgetRules
from outwarden.pii.policy import PiiPolicy
from outwarden.routing.routes import Auth, Route, RouteRules, Upstream
from outwarden.web import summarize
from outwarden.wire.traffic import Host, Traffic


def test_a_summary_is_json_and_names_no_secret() -> None:
    """Hosts, actions, limits in dollars, routes; where a secret is kept is nobody's business."""
    upstream = Upstream(
        name="onprem",
        scheme="https",
        host="llm.corp.example",
        port=443,
        path="/v1",
        provider="vllm",
        format="openai",
        auth=Auth("bearer", secret="env:VLLM_KEY"),
        price=(Decimal(1), Decimal(2)),
    )
    rules = SimpleNamespace(
        traffic=Traffic((Host(("api.openai.com",), "openai", "openai"),)),
        pii=PiiPolicy(),
        budgets=BudgetRules((Budget("key-day", "api_key", 2_500_000_000), Budget("calls", "all", 30, unit="requests"))),
        routes=RouteRules({"onprem": upstream}, (Route("gpt", {"model": "gpt-*"}, targets=("original", "onprem")),)),
    )
    summary = summarize(rules)  # type: ignore[arg-type]

    assert summary["traffic"]["hosts"] == ["api.openai.com"]
    assert [b.get("limit_usd", b.get("limit_requests")) for b in summary["budgets"]] == ["2.5", 30]
    assert summary["routes"][0]["targets"] == ["original", "onprem"]
    assert "VLLM_KEY" not in json.dumps(summary)
