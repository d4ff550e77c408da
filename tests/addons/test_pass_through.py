"""Only known hosts are opened: the rest passes as it is, or is refused where the rules say so."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy import http
from mitmproxy.test import tflow
from playbook import Playbook, request, response
from talk import EMAIL

from outwarden.flow.services import Services
from outwarden.load_rules import Shelf
from outwarden.pass_through import PassThrough


def addon(services: Services) -> PassThrough:
    """The addon around these services."""
    shelf = Shelf()
    shelf.fill(services)
    return PassThrough(shelf)


@pytest.fixture(scope="module")
def strict(open_services: Callable[..., Services]) -> Services:
    """Services that refuse other traffic, and know a host that is not ours to open."""
    return open_services(
        traffic={
            "otherwise": "refuse",
            "intercept": [{"hosts": ["plain.example"], "provider": "openai", "format": "openai"}],
        }
    )


@pytest.mark.parametrize(
    ("address", "sni", "opened"),
    [
        ("api.openai.com", "api.openai.com", True),
        ("api.openai.com", None, True),
        ("203.0.113.7", "api.openai.com", True),
        ("api.openai.com", "else.example", True),
        ("else.example", "else.example", False),
        ("203.0.113.7", None, False),
        (None, None, False),
        ("api.openai.com.evil.example", "notapi.openai.com.example", False),
    ],
)
def test_which_connections_are_opened(services: Services, address: str | None, sni: str | None, opened: bool) -> None:
    """The address that is dialled or the name that is asked for: either makes it ours."""
    server = SimpleNamespace(address=(address, 443) if address else None)
    data: Any = SimpleNamespace(
        context=SimpleNamespace(server=server), client_hello=SimpleNamespace(sni=sni), ignore_connection=False
    )
    addon(services).tls_clienthello(data)

    assert data.ignore_connection is not opened


@pytest.mark.parametrize("host", ["else.example", "api.openai.com"])
def test_a_connect_to_an_unknown_host(services: Services, strict: Services, host: str) -> None:
    """``otherwise: refuse`` refuses at CONNECT already; ``tunnel`` lets it be."""
    flow = tflow.tflow(req=http.Request.make("CONNECT", f"https://{host}/"))
    flow.request.host = host
    addon(services).http_connect(flow)
    assert flow.response is None

    addon(strict).http_connect(flow)
    assert (flow.response is None) is (host == "api.openai.com")
    if flow.response:
        assert flow.response.status_code == 403
        assert b"otherwise: refuse" in (flow.response.content or b"")


def test_plain_requests_are_refused_as_well(open_play: Callable[..., Playbook], strict: Services) -> None:
    """Without TLS there is no CONNECT; the rule is the same."""
    play = open_play(strict)
    play.says(request("/", EMAIL.encode(), host="else.example"))

    assert play.answer.status == 403
    assert play.upstreams == []


def test_other_traffic_is_streamed(play: Playbook) -> None:
    """Both ways: nothing of it is kept here."""
    head, _, body = request("/upload", b"x" * 5000, host="else.example").partition(b"\r\n\r\n")
    play.says(head + b"\r\n\r\n" + body[:10])
    assert play.upstream.got.endswith(body[:10])
    play.says(body[10:])
    play.upstream.says(response(200, b"y" * 100)[:-50])

    assert play.answer.body == b"y" * 50
    assert play.flow
    assert not play.flow.request.raw_content


def test_our_own_calls_are_not_streamed_by_it(play: Playbook) -> None:
    """A call of ours is held until it was read."""
    play.says(request("/v1/chat/completions", b'{"model": "gpt-4o", "messages": []}')[:-5])

    assert play.upstreams == []
