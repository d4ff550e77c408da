"""The long-lived services: opened together, rules swapped whole, the last good ones kept, nothing lost at the end."""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from outwarden.budget import Amounts, Caller, Orders, Target, accounts, open_store
from outwarden.errors import HoldPosted, RulesError, StateError, StoreUnavailable
from outwarden.flow.services import Services
from outwarden.observe import Webhooks
from outwarden.pii import Vault
from outwarden.routing import Rest
from outwarden.wire.edits import apply_edits

Open = Callable[..., Services]


def rules_folder(services: Services) -> Path:
    """Where the rule files lie."""
    return services._file.folder


def write(services: Services, name: str, content: Any) -> None:
    """Replace a rule file, as an editor does."""
    path = rules_folder(services) / f"{name}.yml"
    new = path.with_suffix(".new")
    new.write_text(content if isinstance(content, str) else json.dumps(content))
    os.replace(new, path)


def test_changed_rules_are_taken_into_force_whole(open_services: Open) -> None:
    """A reload swaps rules and engines together; what is not changed is not compiled again."""
    services = open_services()
    before = services.engines
    services.reload()
    assert services.engines is before

    write(services, "pii", {"request": {"default": "mask"}, "ner": {"model": "off"}})
    services.reload()
    assert services.engines is not before
    assert services.engines.rules.pii.action("EMAIL_ADDRESS", "request") == "mask"
    assert services.engines.pii.policy is services.engines.rules.pii
    assert services.engines.pii.version != before.pii.version


@pytest.mark.parametrize("content", ["entities: [NO_SUCH_ENTITY]", "{", "reqest: {}", "request: {default: burn}"])
def test_broken_rules_leave_the_last_good_ones(open_services: Open, caplog: Any, content: str) -> None:
    """A mistake is logged with its place, once, and the rules stay as they were until it is mended."""
    services = open_services()
    before = services.engines
    write(services, "pii", content)
    services.reload()
    services.reload()
    assert services.engines is before
    assert caplog.text.count("pii.yml") == 1
    assert "last good ones stay in force" in caplog.text

    write(services, "pii", {"request": {"default": "mask"}, "ner": {"model": "off"}})
    services.reload()
    assert services.engines is not before


def test_rules_that_cannot_be_compiled_leave_the_last_good_ones(
    open_services: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error while compiling does not leave half of the new rules in force."""
    services = open_services()
    before = services.engines
    write(services, "budgets", {"budgets": []})

    def raising(*args: Any) -> Any:
        raise ValueError("bug")

    with monkeypatch.context() as patch:
        patch.setattr("outwarden.flow.services.PriceBook", raising)
        with pytest.raises(ValueError, match="bug"):
            services.reload()
    assert services.engines is before
    assert services.engines.rules.budgets.budgets


def test_the_same_state_gives_the_same_names(open_services: Open, tmp_path: Path) -> None:
    """The secret that names are made with outlives a restart."""
    first = open_services()
    second = Services(rules_folder(first), first.state.path)
    other = Services(rules_folder(first), tmp_path / "other")
    try:
        assert first.engines.pii.version == second.engines.pii.version
        assert first.engines.pii.version != other.engines.pii.version
    finally:
        second.close()
        other.close()


def said_by(services: Services, text: str) -> tuple[str, Vault]:
    """What leaves for ``text``, and the vault of the call."""
    vault = Vault()
    rewriter = services.engines.pii.request(vault)
    (edits,) = rewriter.edits([text])
    rewriter.note([(edit, text[edit.start : edit.end]) for edit in edits])
    return apply_edits(text, edits), vault


def restored_by(services: Services, vault: Vault, text: str) -> str:
    """What the client gets for ``text``."""
    (edits,) = services.engines.pii.reply(vault).edits([text])
    return apply_edits(text, edits)


@pytest.mark.parametrize("action", ["pseudonymize", "surrogate"])
def test_a_new_key_takes_over_in_all_processes_at_once(
    open_services: Open, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    """Two that run, and one that starts later, agree at every moment; each restores what any of them named."""
    moment = [datetime.now(UTC)]
    monkeypatch.setattr("outwarden.flow.services.datetime", Mock(now=lambda zone: moment[0]))
    first = open_services(pii={"request": {"default": action}, "ner": {"model": "off"}})
    second = Services(rules_folder(first), first.state.path)
    mail = "jonas.weber@quarzbach.de"
    former, _ = said_by(first, mail)

    ring = first.state.rotate_key(timedelta(days=1))
    first.reload()
    second.reload()
    assert said_by(first, mail)[0] == said_by(second, mail)[0] == former

    moment[0] = ring.keys[-1].since
    first.reload()
    new, vault = said_by(first, mail)
    assert new != former
    assert restored_by(second, said_by(second, mail)[1], f"{new}, {former}") == f"{mail}, {mail}"
    second.reload()
    third = Services(rules_folder(first), first.state.path)
    assert {said_by(each, mail)[0] for each in (first, second, third)} == {new}
    assert restored_by(third, said_by(third, mail)[1], f"{new}, {former}") == f"{mail}, {mail}"
    assert restored_by(first, Vault(), f"{new}, {former}") == f"{new}, {former}"  # nobody else's

    moment[0] += timedelta(days=1)
    first.reload()
    assert restored_by(first, said_by(first, mail)[1], f"{new}, {former}") == f"{mail}, {former}"
    second.close()
    third.close()
    assert vault.restores


def test_what_is_wrong_is_said_at_the_start(tmp_path: Path) -> None:
    """Wrong rules and a state folder that is none are errors of their own kinds."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError):
        Services(rules, tmp_path / "file")
    (rules / "pii.yml").write_text("nonsense: 1")
    with pytest.raises(RulesError, match=r"pii\.yml:1"):
        Services(rules, tmp_path / "state")


def held(services: Services, hold_id: str) -> None:
    """Hold a dollar's thousandth on the one budget there is."""
    from datetime import UTC, datetime

    from outwarden.budget import Caller, accounts

    rules = services.engines.rules.budgets
    found = accounts(rules, Caller(), provider="p", model="m", call_id=hold_id, at=datetime.now(UTC))
    services.ledger.hold(hold_id, found, Amounts(1_000_000, 10, 1))


def test_what_the_store_would_not_take_is_tried_again(open_services: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each hold that could not be resolved is resolved later, once, in its own way, whatever becomes of the others."""
    services = open_services()
    for name in ("posted", "voided", "resolved elsewhere"):
        held(services, name)

    def down(*args: Any) -> Any:
        raise StoreUnavailable("down")

    with monkeypatch.context() as patch:
        patch.setattr(services.ledger, "post", down)
        patch.setattr(services.ledger, "void", down)
        for name, amounts in (
            ("posted", Amounts(500, 5, 1)),
            ("resolved elsewhere", Amounts(700, 7, 1)),
            ("voided", None),
        ):
            with pytest.raises(StoreUnavailable):
                services.resolve(name, amounts)
        with pytest.raises(StoreUnavailable):
            services.tend()
    services.ledger.post("resolved elsewhere", Amounts(900, 9, 1))
    services.tend()

    (state,) = services.ledger.states()
    assert (state.posted, state.pending, state.debt) == (1400, 0, 0)
    with pytest.raises(HoldPosted):
        services.resolve("posted", Amounts(500, 5, 1))
    services.tend()
    assert services.ledger.states()[0].posted == 1400


def test_a_stop_offers_the_store_what_it_would_not_take(open_services: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the next start would post the whole hold, which is more than the call cost."""
    services = open_services()
    held(services, "late")

    def down(*args: Any) -> Any:
        raise StoreUnavailable("down")

    with monkeypatch.context() as patch:
        patch.setattr(services.ledger, "post", down)
        with pytest.raises(StoreUnavailable):
            services.resolve("late", Amounts(500, 5, 1))
    posted: list[int] = []
    monkeypatch.setattr(
        services.ledger, "close", lambda: posted.extend(each.posted for each in services.ledger.states())
    )
    services.close()
    monkeypatch.undo()

    assert posted == [500]


def test_what_waits_is_bounded(open_services: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that stays away does not fill the memory; the next start posts what was not remembered."""
    services = open_services()
    monkeypatch.setattr("outwarden.flow.services.UNRESOLVED_MAX", 3)

    def down(*args: Any) -> Any:
        raise StoreUnavailable("down")

    monkeypatch.setattr(services.ledger, "post", down)
    for number in range(10):
        with pytest.raises(StoreUnavailable):
            services.resolve(f"hold {number}", Amounts(1, 1, 1))

    assert len(services._unresolved) == 3


@pytest.mark.parametrize("name", ["gpt-4o", "anthropic/claude-opus-5", None])
def test_a_models_name_is_shown_as_it_is(open_services: Open, name: str | None) -> None:
    """Names of models are for records."""
    assert open_services().engines.shown(name) == name


def test_a_name_that_is_a_person_is_not_shown(open_services: Open) -> None:
    """Somebody else chose that name: what is personal in it, or without end, does not come on record."""
    engines = open_services().engines

    assert "brightquill" not in (engines.shown("ft:gpt-4o:ada.quill@brightquill-mail.com") or "")
    assert len(engines.shown("m" * 100_000) or "") <= 200


HOOK = {"url": "http://127.0.0.1:9/", "on": ["warn", "exceeded", "paused", "breaker"]}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What would be sent to webhooks."""
    sent: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(Webhooks, "tell", lambda self, event, text, fields: sent.append((event, dict(fields))))
    return sent


def test_settling_tells_what_was_crossed(open_services: Open, told: list[tuple[str, dict[str, Any]]]) -> None:
    """The post that passes a mark, and the one that uses the budget up."""
    budget = {"name": "calls", "scope": "all", "limit_requests": 2, "warn_at": [0.5]}
    services = open_services(budgets={"budgets": [budget], "webhooks": [HOOK]})
    (counted,) = accounts(
        services.engines.rules.budgets, Caller(), provider="p", model="m", call_id="c", at=services.started_at
    )
    for number in range(2):
        services.ledger.hold(f"h{number}", [counted], Amounts(0, 0))
        services.resolve(f"h{number}", Amounts(0, 0))
    assert [(event, fields["budget"], fields["posted_requests"]) for event, fields in told] == [
        ("warn", "calls", "1"),
        ("exceeded", "calls", "2"),
    ]


def test_a_round_tells_what_leases_crossed(open_services: Open, told: list[tuple[str, dict[str, Any]]]) -> None:
    """Calls that are paid in memory are told of when the store knows what they cost, each mark once."""
    budget = {"name": "calls", "scope": "all", "limit_requests": 1000, "warn_at": [0.02], "lease": True}
    services = open_services(budgets={"budgets": [budget], "webhooks": [HOOK]})
    (counted,) = accounts(
        services.engines.rules.budgets, Caller(), provider="p", model="m", call_id="c", at=services.started_at
    )
    for number in range(30):
        services.ledger.hold(f"h{number}", [counted], Amounts(0, 0))
        services.resolve(f"h{number}", Amounts(0, 0))
    for _ in range(3):
        services.settle_leases()
    assert [(event, fields["budget"]) for event, fields in told] == [("warn", "calls")]
    state = services.ledger.state(counted)
    assert (state.posted, state.pending) == (30, 0)


def test_orders_are_told_once(open_services: Open, told: list[tuple[str, dict[str, Any]]]) -> None:
    """By the process that takes it on; one that nobody could tell of for an hour is news no more."""
    services = open_services(budgets={"webhooks": [HOOK]})
    store = open_store(services.state.database_url)
    Orders(store, "root", clock=lambda: datetime.now(UTC) - timedelta(hours=2)).pause(Target("budget", "old"))
    Orders(store, "root").pause(Target("budget", "new"))
    for _ in range(2):
        services.notify()
    store.close()
    assert told == [("paused", {"order": "pause", "target": "budget new", "by": "root"})]


def test_a_breaker_that_opens_is_told_once(open_services: Open, told: list[tuple[str, dict[str, Any]]]) -> None:
    """And again when it opens anew after it was closed."""
    services = open_services(budgets={"webhooks": [HOOK]})
    for _ in range(2):
        for number in range(5):
            services.health.record("onprem", False, time.monotonic() + number / 1000)
        services.notify()
        services.notify()
        services.health.record("onprem", True, time.monotonic())
        services.notify()
    assert told == [("breaker", {"upstream": "onprem"})] * 2


def test_what_another_process_found_is_told_by_that_one(
    open_services: Open, told: list[tuple[str, dict[str, Any]]]
) -> None:
    """Ten interceptors send one message."""
    services = open_services(budgets={"webhooks": [HOOK]})
    now = time.monotonic()
    services.health.hear("onprem", Rest(now + 30, "open"), since=now, now=now)
    services.notify()
    assert told == []


async def test_a_store_that_is_down_leaves_each_on_its_own(
    open_services: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What is known stays in force, nothing fails, and one message says so; then the exchange goes on."""
    services = open_services()
    store = open_store(services.state.database_url)
    orders = Orders(store, "root")
    orders.drain("onprem")
    await services.share_health()
    with monkeypatch.context() as broken:
        broken.setattr(services.shared._store, "rests", Mock(side_effect=StoreUnavailable("down")))
        orders.enable("onprem")
        for _ in range(3):
            await services.share_health()
        assert services.health.is_drained("onprem")
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    await services.share_health()
    assert not services.health.is_drained("onprem")
    store.close()


def test_what_was_drained_before_is_drained_from_the_first_call_on(open_services: Open) -> None:
    """A process that starts knows it before it takes a call."""
    services = open_services()
    Orders(services.shared._store, "root").drain("onprem")
    later = Services(rules_folder(services), services.state.path)
    try:
        assert later.health.is_drained("onprem")
    finally:
        later.close()


def test_names_of_models_that_hold_something_personal_stay_here(open_services: Open) -> None:
    """The database of all gets names of upstreams, hosts and models, and nothing else."""
    services = open_services()
    assert services.may_tell("original api.openai.com gpt-4o")
    assert not services.may_tell("onprem ada.quill@brightquill-mail.com")


def test_webhooks_of_changed_rules(open_services: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the rules in force are told."""
    services = open_services()
    assert services.webhooks._lines == {}
    write(services, "budgets", {"webhooks": [HOOK]})
    services.reload()
    assert [hook.url for hook in services.webhooks._lines] == [HOOK["url"]]
