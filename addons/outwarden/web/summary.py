"""The rules in force, as everyone they apply to may read them: no secret, no key id, no address of a person."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from outwarden.budget.limits import Budget
from outwarden.pii.policy import PiiPolicy
from outwarden.pricing.price import NANO
from outwarden.routing.routes import GROUP, Route

if TYPE_CHECKING:  # the page needs no YAML reader
    from outwarden.rules import Rules


def summarize(rules: Rules) -> dict[str, Any]:
    """What the page says about ``rules``, in JSON types."""
    return {
        "traffic": {
            "hosts": sorted({host for entry in rules.traffic.intercept if not entry.tunnel for host in entry.hosts}),
            "otherwise": rules.traffic.otherwise,
            "unknown_path": rules.traffic.unknown_path,
            "on_error": rules.traffic.on_error,
        },
        "pii": _pii(rules.pii),
        "budgets": [_budget(budget) for budget in rules.budgets.budgets],
        "routes": [_route(route) for route in rules.routes.routes],
    }


def _pii(policy: PiiPolicy) -> dict[str, Any]:
    return {
        "request": dict(policy.request),
        "response": dict(policy.response),
        "restore": policy.restore,
        "entities": "all" if policy.entities is None else sorted(policy.entities),
        "custom": sorted(custom.entity for custom in policy.custom),
    }


def _budget(budget: Budget) -> dict[str, Any]:
    burst = {} if budget.burst is None else {f"burst_{budget.unit}": _amount(budget, budget.burst)}
    return {
        "name": budget.name,
        "scope": budget.scope,
        f"limit_{budget.unit}": _amount(budget, budget.limit),
        **burst,
        "window": budget.window,
        "identical": budget.identical,
        "timezone": budget.timezone,
        "only": dict(budget.only),
        "warn_at": list(budget.warn_at),
        "on_exceeded": budget.on_exceeded,
        "reroute_at": budget.reroute_at,
        "reroute_to": budget.reroute_to,
        "projected": asdict(budget.projected) if budget.projected else None,
    }


def _amount(budget: Budget, amount: int) -> int | str:
    if budget.unit != "usd":
        return amount
    return f"{amount // NANO}.{amount % NANO:09d}".rstrip("0").rstrip(".")


def _route(route: Route) -> dict[str, Any]:
    return {
        "name": route.name,
        "match": dict(route.match),
        "strategy": route.strategy,
        "targets": [target.removeprefix(GROUP) for target in route.targets],
        "fail_over_on": sorted(route.fail_over_on),
        "retries": route.retries,
    }
