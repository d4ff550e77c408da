"""Rules and stores: found by the contract's defaults, opened whole or not at all, kept fresh, closed at the end."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import exceptions
from mitmproxy.test import taddons

from outwarden import load_rules
from outwarden.load_rules import LoadRules, Shelf, chosen_folders, every
from outwarden.rules import default_state_folder, shipped_rules


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, str]:
    """The two options, aimed at new folders."""
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "pii.yml").write_text(json.dumps({"ner": {"model": "off"}}))
    return {"outwarden_rules": str(rules), "outwarden_state": str(tmp_path / "state")}


async def test_the_shelf_is_filled_once_the_options_are_known(folders: dict[str, str]) -> None:
    """Before that there is nothing, and a call that asks is refused; at the end it is empty again."""
    shelf = Shelf()
    addon = LoadRules(shelf)
    with taddons.context(addon) as tctx:
        with pytest.raises(RuntimeError, match="not loaded"):
            _ = shelf.services
        tctx.configure(addon, **folders)
        services = shelf.services
        assert services.engines.rules.traffic.find("api.openai.com")

        tctx.configure(addon, outwarden_rules=folders["outwarden_rules"])
        assert shelf.services is services  # the same folders are not opened again
        addon.done()
    assert not shelf.filled


async def test_wrong_rules_are_wrong_options(folders: dict[str, str]) -> None:
    """mitmproxy shows the message and keeps what it had; so do we."""
    shelf = Shelf()
    addon = LoadRules(shelf)
    with taddons.context(addon) as tctx:
        tctx.configure(addon, **folders)
        good = shelf.services
        wrong = Path(folders["outwarden_rules"]).parent / "wrong"
        wrong.mkdir()
        (wrong / "pii.yml").write_text("nonsense: 1")
        with pytest.raises(exceptions.OptionsError, match=r"pii\.yml:1"):
            tctx.configure(addon, outwarden_rules=str(wrong))
        assert shelf.services is good
        addon.done()


async def test_other_folders_take_the_place_of_the_first(folders: dict[str, str], tmp_path: Path) -> None:
    """The first services are closed when others are opened."""
    shelf = Shelf()
    addon = LoadRules(shelf)
    with taddons.context(addon) as tctx:
        tctx.configure(addon, **folders)
        first = shelf.services
        closed: list[bool] = []
        original = first.close
        first.close = lambda: (closed.append(True), original())[1]  # type: ignore[method-assign]
        tctx.configure(addon, outwarden_state=str(tmp_path / "elsewhere"))
        assert closed == [True]
        assert shelf.services is not first
        addon.done()


async def test_changed_rules_count_while_it_runs(folders: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked at again and again; connections are lazy, or a dead primary would fail at CONNECT."""
    monkeypatch.setattr(load_rules, "RELOAD_EVERY_S", 0.01)
    shelf = Shelf()
    addon = LoadRules(shelf)
    with taddons.context(addon) as tctx:
        tctx.options.add_option("connection_strategy", str, "eager", "as mitmproxy's proxy server has it")
        tctx.configure(addon, **folders)
        services, before, changed = shelf.services, shelf.services.engines, asyncio.Event()
        reload = services.reload

        def noted() -> None:
            reload()
            if services.engines is not before:
                changed.set()

        services.reload = noted  # type: ignore[method-assign]
        addon.running()
        assert tctx.options.connection_strategy == "lazy"
        new = Path(folders["outwarden_rules"]) / "new"
        new.write_text(json.dumps({"ner": {"model": "off"}, "request": {"default": "mask"}}))
        os.replace(new, new.with_name("pii.yml"))
        await asyncio.wait_for(changed.wait(), 20)
        addon.done()
        await asyncio.sleep(0)
        assert all(task.cancelled() or task.cancelling() for task in addon._tasks)


def test_the_defaults_of_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``./rules`` where there is one, else the shipped ones; a state folder per user."""
    monkeypatch.chdir(tmp_path)
    assert chosen_folders("", "") == (shipped_rules(), default_state_folder())
    (tmp_path / "rules").mkdir()
    assert chosen_folders("", "")[0] == Path("rules")
    assert chosen_folders("/r", "/s") == (Path("/r"), Path("/s"))
    assert "~" not in str(chosen_folders("", "~/state")[1])


async def test_work_that_fails_goes_on(caplog: Any) -> None:
    """An error in a round is logged without its text, and the next round comes."""
    rounds: list[int] = []
    enough = asyncio.Event()

    def work() -> None:
        rounds.append(1)
        if len(rounds) > 3:
            enough.set()
        raise ValueError("ada.quill@brightquill-mail.com")

    task = asyncio.create_task(every(0.001, work))
    await asyncio.wait_for(enough.wait(), 20)
    task.cancel()

    assert "periodic work failed: ValueError" in caplog.text
    assert "brightquill" not in caplog.text
