"""The money of one call: held before it is sent, topped up for a dearer upstream, settled once, never lost."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from outwarden.budget import Caller
from outwarden.errors import StoreUnavailable
from outwarden.flow.body import classify
from outwarden.flow.money import Purse
from outwarden.flow.services import Services
from outwarden.flow.state import CallState
from outwarden.pricing import Price, PriceBook, PriceRule, unseen
from outwarden.routing import Upstream
from outwarden.wire.format import RequestFacts
from outwarden.wire.formats import format_named
from outwarden.wire.traffic import Host
from outwarden.wire.usage import Usage

NANO = 10**9
BODY = b'{"model": "gpt-4o", "messages": []}'
INPUT = 1000 + unseen(BODY).tokens  # what was counted, and what providers add to it
RULES = {"prices": [{"provider": "openai", "model": "gpt-4o", "input_mtok": 1, "output_mtok": 10}]}
Begin = Callable[..., tuple[Services, CallState, Purse]]


def budget(limit: float, name: str = "all", **more: Any) -> dict[str, Any]:
    """A budget for everybody."""
    return {"name": name, "scope": "all", "limit_usd": limit, "window": "lifetime"} | more


@pytest.fixture
def begin(open_services: Callable[..., Services]) -> Begin:
    """Open services with these budgets and a purse for a call of 1,000 counted and at most 100 output tokens."""

    def start(*budgets: dict[str, Any], **facts: Any) -> tuple[Services, CallState, Purse]:
        files = {"routes": facts.pop("routes")} if "routes" in facts else {}
        services = open_services(budgets={"budgets": list(budgets)} | facts.pop("rules", {}), prices=RULES, **files)
        return services, *another(services, **facts)

    return start


def another(services: Services, **facts: Any) -> tuple[CallState, Purse]:
    """A call and its purse."""
    format_ = format_named("openai")
    state = CallState(
        services.engines.rules,
        Host(("api.openai.com",), "openai", "openai"),
        format_,
        format_.identify("POST", "/v1/chat/completions"),
        Caller(),
    )
    state.body = classify(BODY, "application/json")
    state.body_tokens = 1000
    state.facts = RequestFacts(**({"model": "gpt-4o", "output_limit": 100} | facts))
    return state, Purse(state, services.engines, services)


def upstream(price: tuple[str, str] | None, **more: Any) -> Upstream:
    """An upstream with its own price per million tokens."""
    fields = {"scheme": "https", "host": "spare.example", "port": 443, "path": "", "provider": "vllm"}
    cost = (Decimal(price[0]), Decimal(price[1])) if price else None
    return Upstream(**({"name": "spare", "format": "openai", "price": cost} | fields | more))


def standing(services: Services) -> tuple[int, int, int]:
    """Posted, pending and debt of the one account there is."""
    (state,) = services.ledger.states()
    return state.posted, state.pending, state.debt


def settle(purse: Purse, usage: Usage | None, may_be_billed: bool = False) -> None:
    """Settle with an estimate of what was counted."""
    purse.settle(usage, may_be_billed=may_be_billed, estimate=Usage(input_tokens=purse.counted_tokens, output_tokens=7))


USAGE = Usage(input_tokens=900, output_tokens=20)
COST = 900 * 1000 + 20 * 10_000  # nano-dollars: $1 and $10 per million tokens


def test_the_bound_is_held_and_the_cost_is_posted(begin: Begin) -> None:
    """Before the call its worst case is held; after it what the provider reports is posted, and nothing stays held."""
    services, state, purse = begin(budget(1))
    assert purse.pay(None)
    worst = INPUT * 1000 + 100 * 10_000
    assert standing(services) == (0, worst, 0)

    settle(purse, USAGE)

    assert standing(services) == (COST, 0, 0)
    assert (state.cost, state.usage, state.usage_source) == (COST, USAGE, "provider")
    assert state.budgets[0].posted == COST


def test_searches_are_part_of_the_bound(begin: Begin) -> None:
    """A search costs more than all the tokens of a cheap model: as many as the call allows are held."""
    services, state, _ = begin(budget(1))
    state.body = classify(
        b'{"model": "gpt-4o", "tools": [{"type": "web_search"}], "max_tool_calls": 3}', "application/json"
    )
    purse = Purse(state, services.engines, services)
    assert purse.pay(None)
    assert purse.held
    tokens = purse.input_tokens * 1000 + 100 * 10_000
    search = services.engines.prices.price("openai", "gpt-4o").web_search
    assert purse.held.usd == tokens + 3 * search
    settle(purse, replace(USAGE, web_searches=3))
    assert state.overshoot == 0


SOLD_OTHERWISE = [
    # path, model, asked, the most, used, cost
    ("/v1/audio/speech", "tts-1", Usage(characters=2000), 30_000_000, None, 30_000_000),
    ("/v1/images/generations", "pictures", Usage(images=2), 80_000_000, Usage(images=1), 40_000_000),
    ("/v1/audio/transcriptions", "whisper-1", None, 60_000_000, Usage(input_audio_ms=90_000), 9_000_000),
    ("/v1/audio/transcriptions", "whisper-1", None, 60_000_000, None, 60_000_000),
    # whatever it counts in tokens has no price there: what can be told without them holds
    ("/v1/audio/transcriptions", "whisper-1", None, 60_000_000, Usage(input_tokens=5), 60_000_000),
]


@pytest.mark.parametrize(("path", "model", "asked", "most", "used", "cost"), SOLD_OTHERWISE)
def test_what_is_sold_by_other_units(
    begin: Begin, path: str, model: str, asked: Usage | None, most: int, used: Usage | None, cost: int
) -> None:
    """Characters, pictures and time of sound are held and charged, from the reply or from the request."""
    services, *_ = begin(budget(1))
    pictures = PriceRule("openai", "pictures", units={"image": Decimal("0.04")})
    state, _ = another(services, model=model, output_limit=None, asks=asked)
    state.operation = state.format.identify("POST", path)
    state.media_bytes = 1_200_000  # ten minutes at 2,000 bytes a second
    purse = Purse(state, replace(services.engines, prices=PriceBook((pictures,))), services)
    assert purse.pay(None)
    assert standing(services)[1] == most

    settle(purse, used, may_be_billed=True)

    assert standing(services) == (cost, 0, 0)
    assert state.flagged["usage_unpriced"] == (used == Usage(input_tokens=5))


def test_what_has_no_price_is_never_for_nothing(begin: Begin) -> None:
    """Pages that nobody prices are charged as the tokens that were counted, and flagged."""
    services, state, purse = begin(budget(1))
    purse.pay(None)
    settle(purse, Usage(pages=3))

    assert standing(services) == (purse.counted_tokens * 1000 + 7 * 10_000, 0, 0)
    assert state.flagged["usage_unpriced"] == 1


def test_a_model_sold_by_time_is_unknown_to_a_chat(begin: Begin) -> None:
    """Its tokens have no price, so the call does not leave."""
    services, *_ = begin(budget(1))
    _, purse = another(services, model="whisper-1")
    assert not purse.pay(None)
    assert purse.refusal is not None
    assert purse.refusal.code == "price_unknown"


def test_settling_happens_once(begin: Begin) -> None:
    """However often the end is told, the first telling counts."""
    services, state, purse = begin(budget(1))
    purse.pay(None)
    settle(purse, USAGE)
    settle(purse, Usage(input_tokens=5, output_tokens=5))
    settle(purse, None)

    assert standing(services) == (COST, 0, 0)
    assert state.usage == USAGE


def test_a_call_that_was_not_billed_gives_all_back(begin: Begin) -> None:
    """No usage, and the provider did nothing: the hold is void."""
    services, state, purse = begin(budget(1))
    purse.pay(None)
    settle(purse, None)

    assert standing(services) == (0, 0, 0)
    assert (state.cost, state.usage, state.usage_source) == (0, None, "")


def test_a_call_that_may_have_been_billed_costs_its_estimate(begin: Begin) -> None:
    """No usage, but work may have been done: what was seen is charged, never zero."""
    services, state, purse = begin(budget(1))
    purse.pay(None)
    settle(purse, None, may_be_billed=True)

    assert standing(services) == (1000 * 1000 + 7 * 10_000, 0, 0)
    assert state.usage_source == "estimate"


def test_a_reported_zero_is_a_value(begin: Begin) -> None:
    """A provider that says zero is believed, not estimated."""
    services, state, purse = begin(budget(1))
    purse.pay(None)
    settle(purse, Usage(), may_be_billed=True)

    assert standing(services) == (0, 0, 0)
    assert state.usage_source == "provider"


def test_a_cost_above_the_hold_is_debt(begin: Begin) -> None:
    """What a call cost beyond its hold and its limit is visible, and blocks."""
    services, _, purse = begin(budget(0.004))
    assert purse.pay(None)
    settle(purse, Usage(input_tokens=1_000_000, output_tokens=0))

    posted, pending, debt = standing(services)
    assert posted + debt == NANO
    assert debt > 0
    assert pending == 0
    assert not another(services)[1].pay(None)


def test_what_does_not_fit_is_denied(begin: Begin) -> None:
    """The refusal names the budget, what is needed and what is left, as 429 ``budget_exceeded``."""
    services, _, purse = begin(budget(0.0015, "tight"))

    assert not purse.pay(None)
    assert purse.refusal
    assert (purse.refusal.status, purse.refusal.code) == (429, "budget_exceeded")
    assert "'tight'" in purse.refusal.message
    assert f"${(INPUT * 1000 + 100 * 10_000) / NANO}" in purse.refusal.message
    assert "$0.0015 of $0.0015 is left" in purse.refusal.message
    assert [state.pending for state in services.ledger.states()] in ([], [0])


def test_a_budget_that_warns_is_flagged(begin: Begin) -> None:
    """The call goes on, and its record says which budget it was beyond."""
    _, state, purse = begin(budget(0.0001, on_exceeded="warn", name="soft"), budget(5))

    assert purse.pay(None)
    assert (state.rule, dict(state.flagged)) == ("soft", {"budget_exceeded": 1})


def test_a_budget_that_is_spent_too_fast(begin: Begin) -> None:
    """Refused with the reason: which rate, and when it would be gone."""
    services, _, purse = begin(budget(0.01, name="day", projected={"within": "1d"}))
    assert purse.pay(None)
    settle(purse, Usage(input_tokens=900, output_tokens=300))
    _, second = another(services)

    assert not second.pay(None)
    assert second.refusal
    assert (second.refusal.status, second.refusal.code) == (429, "budget_exceeded")
    assert "is spent too fast: at the rate of the last 600 s it would be gone in" in second.refusal.message
    assert second.refusal.retry_after_s in (600, 601)


def test_a_budget_that_is_watched_only_warns(begin: Begin) -> None:
    """With ``action: warn`` the record says it, and nothing is refused."""
    services, _, purse = begin(budget(0.01, name="day", projected={"within": "1d", "action": "warn"}))
    purse.pay(None)
    settle(purse, Usage(input_tokens=900, output_tokens=300))
    state, second = another(services)

    assert second.pay(None)
    assert (state.rule, dict(state.flagged)) == ("day", {"budget_running_out": 1})


def test_who_is_waived(begin: Begin) -> None:
    """Of the budgets that send a call to one place, those that say so refuse it no more; their rates warn only."""
    watched = {"projected": {"within": "1h"}, "reroute_to": "onprem", "reroute_at": 0.9}
    keys = {"upstreams": {"onprem": {"url": "http://o.example", "provider": "vllm", "format": "openai"}}}
    _, _, purse = begin(
        budget(0, name="sends", on_exceeded="reroute", **watched),
        budget(1, name="refuses", **watched),
        budget(1, name="other"),
        routes=keys,
    )
    assert not purse.pay(None)
    assert purse.waive() == "onprem"
    found = [(a.budget.name, a.rate_of is not None, a.budget.on_exceeded, a.budget.projected) for a in purse.accounts]
    assert [(name, rate, rule.action if rule else None) for name, rate, _, rule in found] == [
        ("sends", False, "warn"),
        ("sends", True, "warn"),
        ("refuses", False, "refuse"),
        ("refuses", True, "refuse"),
        ("other", False, None),
    ]
    assert [action for _, rate, action, _ in found if not rate] == ["warn", "refuse", "refuse"]
    assert purse.pay(None)
    assert purse.waive() is None


def test_all_accounts_or_none(begin: Begin) -> None:
    """One budget that is full leaves the others untouched."""
    services, _, purse = begin(budget(1, "wide"), budget(0.0001, "tight"))

    assert not purse.pay(None)
    assert purse.denied
    assert purse.denied.account.budget.name == "tight"
    assert all(state.pending == 0 for state in services.ledger.states())
    settle(purse, None)


def test_the_price_of_an_unknown_model_is_never_zero(begin: Begin) -> None:
    """A call that nobody can price is refused, with the rule that could change it."""
    _, _, purse = begin(budget(1), model="model-nobody-knows")

    assert not purse.pay(None)
    assert purse.refusal
    assert (purse.refusal.status, purse.refusal.code) == (403, "price_unknown")
    assert "unknown_price" in purse.refusal.message


def test_work_in_files_is_refused(begin: Begin) -> None:
    """Its price is known, and not of how much; whoever sets a price for the unknown takes the risk."""
    _, _, purse = begin(budget(1), unbounded=True)
    assert not purse.pay(None)
    assert purse.refusal
    assert purse.refusal.code == "price_unknown"


def test_a_batch_is_paid_by_its_own_price_list(begin: Begin) -> None:
    """Where a provider sells work that may take a day for less; the hold covers the standard price."""
    services, state, _ = begin(budget(100), model="claude-sonnet-4-5", output_limit=4000)
    state.host, state.format = Host(("api.anthropic.com",), "anthropic", "anthropic"), format_named("anthropic")
    state.operation = state.format.identify("POST", "/v1/messages/batches")
    purse = Purse(state, services.engines, services)
    assert purse.pay(None)
    settle(purse, Usage(output_tokens=4000))
    assert purse.held
    assert state.cost * 2 == 4000 * 15_000 < purse.held.usd


def test_an_unknown_price_may_have_a_stand_in(begin: Begin) -> None:
    """``unknown_price`` with two numbers: the call is held and charged by them."""
    stand_in = {"unknown_price": {"input_mtok": 15, "output_mtok": 75}}
    services, _, purse = begin(budget(1), model="model-nobody-knows", rules=stand_in)

    assert purse.pay(None)
    assert standing(services)[1] == INPUT * 15_000 + 100 * 75_000


def test_tokens_need_no_price(begin: Begin) -> None:
    """Where nobody counts dollars, an unknown price is no obstacle."""
    tokens = {"name": "tokens", "scope": "all", "limit_tokens": 5000, "window": "lifetime"}
    services, state, purse = begin(tokens, model="model-nobody-knows")

    assert purse.pay(None)
    assert standing(services) == (0, INPUT + 100, 0)
    settle(purse, USAGE)
    assert standing(services) == (920, 0, 0)
    assert state.cost == 0


def test_requests_count_one_each(begin: Begin) -> None:
    """A limit of requests takes one per call, and gives it back for a call that was not made."""
    services, _, purse = begin({"name": "two", "scope": "all", "limit_requests": 2, "window": "lifetime"})
    second, third = another(services)[1], another(services)[1]
    assert [purse.pay(None), second.pay(None), third.pay(None)] == [True, True, False]
    assert third.affordable_output() is None

    settle(second, None)
    assert another(services)[1].pay(None)


def test_without_a_budget_the_cost_is_known_all_the_same(begin: Begin) -> None:
    """No limit: nothing is held, the record says what it cost."""
    services, state, purse = begin()
    assert purse.pay(None)
    settle(purse, USAGE)

    assert state.cost == COST
    assert services.ledger.states() == []


def test_a_dearer_upstream_tops_the_hold_up(begin: Begin) -> None:
    """One hold over all attempts: it grows by the difference, and is settled at the price that was paid."""
    services, state, purse = begin(budget(1))
    purse.pay(None)
    assert purse.pay(upstream(("5", "50")))
    assert standing(services)[1] == INPUT * 5000 + 100 * 50_000

    settle(purse, USAGE)
    assert state.cost == 900 * 5000 + 20 * 50_000
    assert standing(services) == (state.cost, 0, 0)


def test_a_cheaper_upstream_keeps_the_hold(begin: Begin) -> None:
    """Nothing is given back before the end, and the end has the cheaper price."""
    services, state, purse = begin(budget(1))
    purse.pay(None)
    before = standing(services)
    assert purse.pay(upstream(("0.1", "0.1")))
    assert standing(services) == before

    settle(purse, USAGE)
    assert state.cost == 920 * 100


def test_an_upstream_that_is_too_dear_is_not_taken(begin: Begin) -> None:
    """A denied top-up leaves the hold, and the price of the attempt before, which may have been billed."""
    services, state, purse = begin(budget(0.004))
    assert purse.pay(None)
    before = standing(services)
    assert not purse.pay(upstream(("500", "500")))
    assert standing(services) == before

    settle(purse, None, may_be_billed=True)
    assert state.cost == 1000 * 1000 + 7 * 10_000


def test_an_upstream_nobody_can_price_is_not_taken(begin: Begin) -> None:
    """An upstream without a price of its own is priced by its provider and model, or refused."""
    _, state, purse = begin(budget(1))
    purse.pay(None)

    assert not purse.pay(upstream(None, provider="provider-nobody-knows"))
    settle(purse, USAGE)
    assert state.cost == COST


def test_an_upstream_with_another_tokenizer_is_held_for_its_bytes(begin: Begin) -> None:
    """A token is a byte at least: where the count was made for another model, the body's length is the bound."""
    services, state, purse = begin(budget(1))
    state.body = classify(BODY[:-1] + b' , "x": "' + b"y" * 5000 + b'"}', "application/json")
    purse.pay(None)
    assert standing(services)[1] == INPUT * 1000 + 100 * 10_000
    assert purse.pay(upstream(("1", "10")))

    assert standing(services)[1] == len(state.body.data) * 1000 + 100 * 10_000


def test_a_call_without_a_limit_is_held_for_the_models_maximum(begin: Begin) -> None:
    """No ``max_tokens``: the model's own maximum, for each choice; an upstream's model has its own."""
    services, state, purse = begin(budget(1000), output_limit=None, choices=2)
    state.trip = SimpleNamespace(model_at=lambda upstream: "gpt-5" if upstream else "gpt-4o")  # type: ignore[assignment]
    assert purse.pay(None)
    assert purse.output_tokens == 2 * 16_384  # gpt-4o's
    first = standing(services)[1]
    assert purse.pay(upstream(("1", "10"), provider="openai"))

    assert purse.output_tokens > 2 * 16_384
    assert standing(services)[1] > first


@pytest.mark.parametrize(("limit", "expected"), [(0, 0), (1, 1), (100, 100)])
def test_a_limit_is_a_limit(begin: Begin, limit: int, expected: int) -> None:
    """0 is a value."""
    assert begin(budget(1), output_limit=limit)[2].output_tokens == expected


def test_a_limit_that_does_not_bound_thoughts(begin: Begin) -> None:
    """Held for both, and lowering the limit would not make it cheaper."""
    services, state, _ = begin(budget(0.01), rules={"unknown_price": {"input_mtok": 1, "output_mtok": 1}})
    state.host = Host(("api.x.ai",), "x-ai", "openai")
    state.facts = RequestFacts(model="grok-3-mini-fast-latest", output_limit=10)
    purse = Purse(state, services.engines, services)

    assert purse.output_tokens == 10 + 131_072
    assert not purse.pay(None)
    assert purse.affordable_output() is None


def test_embeddings_write_nothing(begin: Begin) -> None:
    """An operation without output is held for its input alone."""
    services, state, _ = begin(budget(1), output_limit=None)
    state.operation = state.format.identify("POST", "/v1/embeddings")

    assert Purse(state, services.engines, services).output_tokens == 0


def test_how_much_output_is_affordable(begin: Begin) -> None:
    """The most output that fits, exactly: that much is held, one more would not be."""
    _, state, purse = begin(budget((INPUT * 1000 + 50 * 10_000) / NANO), output_limit=1000)
    assert purse.affordable_output() is None  # nothing was denied yet
    assert not purse.pay(None)
    fits = purse.affordable_output()

    assert fits == 50
    state.facts = RequestFacts(model="gpt-4o", output_limit=fits)
    purse.output_tokens = fits + 1
    assert not purse.pay(None)
    purse.output_tokens = fits
    assert purse.pay(None)


@pytest.mark.parametrize("limit", [0, 0.0009, INPUT * 1000 / NANO, (INPUT * 1000 + 15 * 10_000) / NANO])
def test_too_little_for_any_answer_is_not_clamped(begin: Begin, limit: float) -> None:
    """Where less than sixteen tokens fit, refusing is kinder than an answer of three words."""
    _, _, purse = begin(budget(limit), output_limit=1000)

    assert not purse.pay(None)
    assert purse.affordable_output() is None


def test_a_store_that_is_down_refuses(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed by default: no store, no call; when it is back, so are the calls."""
    services, _, purse = begin(budget(1))

    def down(*args: Any) -> Any:
        raise StoreUnavailable("down")

    with monkeypatch.context() as patch:
        patch.setattr(services.ledger, "hold", down)
        assert not purse.pay(None)
    assert purse.refusal
    assert (purse.refusal.status, purse.refusal.code) == (503, "budget_store_unavailable")
    assert purse.pay(None)


def test_a_store_that_is_down_at_the_end_loses_nothing(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost is posted once the store is back; until then the hold stands."""
    services, state, purse = begin(budget(1))
    purse.pay(None)
    held = standing(services)

    def down(*args: Any) -> Any:
        raise StoreUnavailable("down")

    with monkeypatch.context() as patch:
        patch.setattr(services.ledger, "post", down)
        settle(purse, USAGE)
        with pytest.raises(StoreUnavailable):
            services.tend()
    assert state.cost == COST
    assert standing(services) == held

    services.tend()
    assert standing(services) == (COST, 0, 0)
    services.tend()
    assert standing(services) == (COST, 0, 0)


STATED = replace(USAGE, stated_usd=Decimal("0.0000012345"))


def test_what_the_provider_states_is_posted(begin: Begin) -> None:
    """To the nano-dollar, rounded up, though our price of the same usage differs; both are on record."""
    services, state, purse = begin(budget(1), model="gpt-4o-mini")
    purse.pay(None)
    settle(purse, STATED)

    assert (state.cost, state.cost_source) == (1235, "provider")
    assert state.priced == 900 * 150 + 20 * 600
    assert standing(services) == (1235, 0, 0)


def test_a_stated_cost_above_the_hold_is_debt(begin: Begin) -> None:
    """It is what will be billed: visible, blocking, never dropped."""
    services, _, purse = begin(budget(1), model="gpt-4o-mini")
    purse.pay(None)
    settle(purse, replace(USAGE, stated_usd=Decimal("1.5")))
    posted, pending, debt = standing(services)

    assert (posted + debt, pending) == (1_500_000_000, 0)
    assert debt


@pytest.mark.parametrize("stated", [None, Decimal(0)])
def test_without_a_word_on_the_cost_the_price_holds(begin: Begin, stated: Decimal | None) -> None:
    """Zero beside tokens that have a price is no word either: nothing is free that nobody gave away."""
    _, state, purse = begin(budget(1), model="gpt-4o-mini")
    purse.pay(None)
    settle(purse, replace(USAGE, stated_usd=stated))

    assert (state.cost, state.cost_source) == (900 * 150 + 20 * 600, "price")


def test_a_rule_of_the_users_own_speaks_before_the_provider(begin: Begin) -> None:
    """prices.yml says what this model costs here; so does the price of an upstream."""
    _, state, purse = begin(budget(1))
    purse.pay(None)
    settle(purse, STATED)
    assert (state.cost, state.cost_source) == (COST, "price")

    services, state, purse = begin(budget(1), model="gpt-4o-mini")
    purse.pay(upstream(("3", "4")))
    settle(purse, STATED)
    assert (state.cost, state.cost_source) == (900 * 3000 + 20 * 4000, "price")
    assert standing(services)[0] == state.cost


@pytest.mark.parametrize(
    ("asked", "served", "rates"),
    [
        ("gpt-4o-mini", "gpt-4o-mini-2024-07-18", (150, 600)),
        ("gpt-4o-mini", None, (150, 600)),
        ("gpt-4o-mini", "a name that nobody knows", (150, 600)),
        ("gpt-4o-mini", "gpt-4.1", (2000, 8000)),
        ("gpt-4.1", "gpt-4o-mini", (2000, 8000)),
    ],
)
def test_of_two_models_the_dearer_is_paid(begin: Begin, asked: str, served: str | None, rates: tuple[int, int]) -> None:
    """The one that was asked for and the one that the reply names: aliases, fallbacks, fast variants."""
    _, state, purse = begin(budget(1), model=asked)
    purse.pay(None)
    state.served_model = served
    settle(purse, USAGE)

    assert state.cost == 900 * rates[0] + 20 * rates[1]


def test_what_other_models_used_is_paid_at_their_price(begin: Begin) -> None:
    """A model that draws, beside the one that was asked; one that nobody knows is paid like that one."""
    drawn = ("gpt-image-1", Usage(input_tokens=10, output_tokens=4000))
    unknown = ("a name that nobody knows", Usage(output_tokens=100))
    services, state, purse = begin(budget(1), model="gpt-4o-mini")
    purse.pay(None)
    settle(purse, replace(USAGE, others=(drawn, unknown)))

    assert state.cost == 900 * 150 + 20 * 600 + 10 * 10_000 + 4000 * 40_000 + 100 * 600
    posted, _, debt = standing(services)
    assert posted + debt == state.cost


def test_a_deployments_name_is_paid_as_the_model_it_serves(begin: Begin) -> None:
    """Nobody knows the price of such a name; the fallback held for it gives way to what the reply names."""
    unknown = {"unknown_price": {"input_mtok": 15, "output_mtok": 75}}
    _, state, purse = begin(budget(1), model="our-own-deployment", rules=unknown)
    purse.pay(None)
    state.served_model = "gpt-4o-mini"
    settle(purse, USAGE)
    assert state.cost == 900 * 150 + 20 * 600

    _, state, purse = begin(budget(1), model="our-own-deployment", rules=unknown)
    purse.pay(None)
    settle(purse, USAGE)
    assert state.cost == 900 * 15_000 + 20 * 75_000


@pytest.mark.parametrize(("tier", "rates"), [("", (75, 300)), ("flex", (75, 300)), ("default", (150, 600))])
def test_the_tier_that_the_reply_names_is_paid(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, tier: str, rates: tuple[int, int]
) -> None:
    """Asked for flex and served at the standard price: the standard price."""
    _, state, purse = begin(budget(1), model="gpt-4o-mini")
    purse._tariff._tier = "flex"
    cheaper = Price.flat(Decimal("0.075"), Decimal("0.3"))
    known = purse._tariff._prices.known
    monkeypatch.setattr(
        purse._tariff._prices, "known", lambda *names, service_tier, units: cheaper if service_tier else known(*names)
    )
    purse.pay(None)
    settle(purse, replace(USAGE, tier=tier))

    assert state.cost == 900 * rates[0] + 20 * rates[1]


def test_what_is_gone_on_with_is_paid_with_the_rest(begin: Begin) -> None:
    """The beginning is input to who goes on, and part of the limit; both parts are one cost and one usage."""
    services, state, purse = begin(budget(1))
    assert purse.pay(None)
    left = purse.leave(None, 30)
    before = purse.take_up("word " * 30, left.usage)
    assert purse.taken.output_limit is not None
    assert 60 <= purse.taken.output_limit < 80
    assert purse.pay(upstream(("2", "20")))
    first = 1000 * 1000 + 30 * 10_000
    worst = (INPUT + 150) * 2000 + purse.taken.output_limit * 20_000
    assert standing(services) == (0, first + worst, 0)
    settle(purse, USAGE)

    assert standing(services) == (first + 900 * 2000 + 20 * 20_000, 0, 0)
    assert state.usage == Usage(input_tokens=1000 + 900, output_tokens=30 + 20)
    assert state.usage_source == "estimate"
    assert before.used == Usage()


def test_where_nobody_goes_on_nothing_was_taken_up(begin: Begin) -> None:
    """The attempt that broke off is settled as the last, as it stands."""
    services, state, purse = begin(budget(1))
    assert purse.pay(None)
    left = purse.leave(None, 30)
    purse.put_back(purse.take_up("word " * 30, left.usage))
    purse.stay(left)
    settle(purse, USAGE)

    assert standing(services) == (COST, 0, 0)
    assert (state.usage, state.usage_source) == (USAGE, "provider")
    assert purse.sent_tokens == purse.counted_tokens


def test_a_continuation_that_cannot_be_paid_is_not_taken(begin: Begin) -> None:
    """The cap is never passed; what was said is paid."""
    services, _, purse = begin(budget(0.01))
    assert purse.pay(None)
    left = purse.leave(None, 30)
    before = purse.take_up("word " * 30, left.usage)
    assert not purse.pay(upstream(("20", "200")))
    purse.put_back(before)
    purse.stay(left)
    purse.settle(None, may_be_billed=True, estimate=Usage(input_tokens=1000, output_tokens=30))

    assert standing(services) == (1000 * 1000 + 30 * 10_000, 0, 0)


def test_nobody_answers_who_goes_on(begin: Begin) -> None:
    """What was said before is paid and told all the same."""
    services, state, purse = begin(budget(1))
    assert purse.pay(None)
    left = purse.leave(None, 30)
    purse.take_up("word " * 30, left.usage)
    assert purse.pay(upstream(("2", "20")))
    settle(purse, None)

    assert standing(services) == (1000 * 1000 + 30 * 10_000, 0, 0)
    assert state.usage == Usage(input_tokens=1000, output_tokens=30)
