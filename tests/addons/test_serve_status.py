"""The status page: through the proxy under its own name, for no other host, with counts and names only."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy import ctx, exceptions
from playbook import Playbook, request, response
from talk import EMAIL, asks, said

from outwarden.flow.services import Services
from outwarden.load_rules import Shelf
from outwarden.serve_status import ServeStatus, parse_address
from outwarden.web import INTERNAL_HOST


@pytest.fixture
def running(play: Playbook, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Playbook:
    """A client of a proxy whose page is up."""
    monkeypatch.setattr(ctx, "options", SimpleNamespace(confdir=str(tmp_path), outwarden_admin=""), raising=False)
    for addon in play.addons:
        if isinstance(addon, ServeStatus):
            addon.running()
    return play


def test_the_page_is_served_through_the_proxy(running: Playbook) -> None:
    """Nobody is asked for it: no connection is opened."""
    running.says(request("/", b"", method="GET", host=INTERNAL_HOST))

    assert running.answer.status == 200
    assert b"<html" in running.answer.body.lower()
    assert running.upstreams == []


@pytest.mark.parametrize("path", ["/status.json", "/metrics"])
def test_it_shows_counts_and_names(running: Playbook, path: str) -> None:
    """After a call with personal data, neither the page nor the metrics hold any of it."""
    running.says(asks(text=f"to {EMAIL}", headers={"authorization": "Bearer invented-key"}))
    running.upstream.says(response(200, said("hi")))
    running.client_got = b""
    running.says(request(path, b"", method="GET", host=INTERNAL_HOST))

    assert running.answer.status == 200
    assert EMAIL.encode() not in running.answer.body
    assert b"invented-key" not in running.answer.body
    if path.endswith(".json"):
        shown = json.loads(running.answer.body)
        assert shown["recent"]
        assert shown["budgets"][0]["name"] == "everything"


def test_other_hosts_never_see_it(running: Playbook) -> None:
    """The page's paths at other hosts are those hosts' own."""
    running.says(request("/status.json", b"", method="GET", host="else.example"))

    assert running.upstream.address == ("else.example", 80)


def test_before_it_runs_there_is_no_page(open_play: Callable[..., Playbook], services: Services) -> None:
    """Asked too early, the name is an ordinary host, which nobody can reach."""
    play = open_play(services)
    play.connects = lambda address: "Name or service not known"
    play.says(request("/", b"", method="GET", host=INTERNAL_HOST))

    assert play.answer.status == 502


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:8081", ("127.0.0.1", 8081)), ("[::1]:0", ("::1", 0)), (":9090", ("127.0.0.1", 9090))],
)
def test_an_address(text: str, address: tuple[str, int]) -> None:
    """HOST:PORT, with brackets for IPv6; the loopback where no host is named."""
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["8081", "localhost", "localhost:", "localhost:http", "h:65536", "h:-1", ""])
def test_what_is_no_address_is_a_wrong_option(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused when the option is set, not when the port is opened."""
    with pytest.raises(exceptions.OptionsError, match="HOST:PORT"):
        parse_address(text)
    if text:
        monkeypatch.setattr(ctx, "options", SimpleNamespace(outwarden_admin=text), raising=False)
        with pytest.raises(exceptions.OptionsError):
            ServeStatus(Shelf()).configure({"outwarden_admin"})


async def test_a_port_that_is_taken_ends_the_start(
    services: Services, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """The reason is one line, and the proxy does not run without the page it was told to serve."""
    import socket

    stopped: list[bool] = []
    shelf = Shelf()
    shelf.fill(services)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        chosen = SimpleNamespace(confdir=str(tmp_path), outwarden_admin=f"127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.setattr(ctx, "options", chosen, raising=False)
        monkeypatch.setattr(ctx, "master", SimpleNamespace(shutdown=lambda: stopped.append(True)), raising=False)
        addon = ServeStatus(shelf)
        addon.running()
        await addon.done()

    assert stopped == [True]
    assert "cannot be used" in caplog.text


async def test_the_admin_port_opens_and_closes(
    services: Services, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the option names a port, the page is there, too, until the end."""
    shelf = Shelf()
    shelf.fill(services)
    chosen = SimpleNamespace(confdir=str(tmp_path), outwarden_admin="127.0.0.1:0")
    monkeypatch.setattr(ctx, "options", chosen, raising=False)
    addon = ServeStatus(shelf)
    addon.running()
    assert addon._server
    await addon.done()
