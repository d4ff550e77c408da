"""Our HTTP layer takes the place of mitmproxy's, upstreams are verified by their rules, and forgotten in the end."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy import ctx
from mitmproxy.connection import Client, ConnectionState, Server
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers import TCPLayer
from mitmproxy.proxy.layers.http import HttpLayer, HTTPMode
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from playbook import Playbook, proxy_options, response
from talk import asks, said

from outwarden import stream_reply
from outwarden.flow.aiming import Target
from outwarden.flow.call_layer import CallLayer, Closed
from outwarden.flow.dial import target_of
from outwarden.stream_reply import StreamReply


def context() -> Context:
    """A client connection as mitmproxy's next_layer hook sees it."""
    client = Client(
        peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2), timestamp_start=0.0, state=ConnectionState.OPEN
    )
    return Context(client, proxy_options())


def choose(monkeypatch: pytest.MonkeyPatch, make: Any) -> layer.NextLayer:
    """Ask for the next layer where mitmproxy would choose what ``make`` makes."""

    def next_layer(nextlayer: layer.NextLayer) -> None:
        nextlayer.layer = make(nextlayer.context)

    addons = {"nextlayer": SimpleNamespace(next_layer=next_layer)}
    monkeypatch.setattr(ctx, "master", SimpleNamespace(addons=addons), raising=False)
    asked = layer.NextLayer(context())
    StreamReply().next_layer(asked)
    return asked


def test_a_client_may_have_as_many_connections_to_an_upstream_as_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """mitmproxy would let the sixth wait until one of five has ended."""
    handler = SimpleNamespace(max_conns=None)
    asked = layer.NextLayer(context())
    server = SimpleNamespace(connections={asked.context.client.id: handler})
    chosen = SimpleNamespace(next_layer=lambda each: setattr(each, "layer", HttpLayer(each.context, HTTPMode.regular)))
    addons = {"nextlayer": chosen, "proxyserver": server}
    monkeypatch.setattr(ctx, "master", SimpleNamespace(addons=addons), raising=False)

    StreamReply().next_layer(asked)

    assert handler.max_conns is not None
    assert handler.max_conns["api.openai.com", 443]._value == 100


@pytest.mark.parametrize("mode", list(HTTPMode))
def test_http_is_ours(monkeypatch: pytest.MonkeyPatch, mode: HTTPMode) -> None:
    """Where mitmproxy puts its HTTP layer, ours stands instead, in the same mode and alone."""
    asked = choose(monkeypatch, lambda context: HttpLayer(context, mode))

    assert type(asked.layer) is CallLayer
    assert asked.layer.mode is mode
    assert [type(each) for each in asked.context.layers] == [CallLayer]


def test_everything_else_is_mitmproxys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tunnels stay tunnels, and what was chosen before is not chosen again."""
    assert type(choose(monkeypatch, TCPLayer).layer) is TCPLayer
    asked = layer.NextLayer(context())
    asked.layer = chosen = CallLayer(asked.context, HTTPMode.regular)
    StreamReply().next_layer(asked)
    assert asked.layer is chosen


def test_a_layer_that_cannot_be_put_in_place_closes(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """mitmproxy's own layer knows nothing of stages: better no connection than that one."""

    def raising(asked: object) -> None:
        raise RuntimeError("ada.quill@brightquill-mail.com")

    monkeypatch.setattr(stream_reply, "take_over", raising)
    asked = layer.NextLayer(context())
    StreamReply().next_layer(asked)

    assert type(asked.layer) is Closed
    (command,) = asked.layer.handle_event(events.Start())
    assert isinstance(command, commands.CloseConnection)
    assert command.connection is asked.context.client
    assert list(asked.layer.handle_event(events.DataReceived(asked.context.client, b"x"))) == []
    assert "brightquill" not in caplog.text


@pytest.mark.parametrize(("trust", "started"), [(Path("ca.pem"), True), (None, False)])
def test_a_target_with_its_own_authority(monkeypatch: pytest.MonkeyPatch, trust: Path | None, started: bool) -> None:
    """``trust`` is used for the connection that it was written for; all others are mitmproxy's."""
    calls: list[Any] = []
    connection = Server(address=("llm.corp.example", 443))
    target = Target(("llm.corp.example", 443), True, "llm.corp.example", trust)
    monkeypatch.setattr(stream_reply, "start_trusted", lambda data, path: calls.append(path))
    monkeypatch.setattr(stream_reply, "target_of", lambda conn: target if conn is connection else None)
    for conn, ssl_conn in ((connection, None), (connection, object()), (Server(address=("h", 1)), None)):
        StreamReply().tls_start_server(SimpleNamespace(conn=conn, ssl_conn=ssl_conn))  # type: ignore[arg-type]

    assert calls == ([trust] if started else [])


def test_a_connection_that_ended_is_forgotten(play: Playbook) -> None:
    """What a connection was opened for is known while it is open, and no longer."""
    play.says(asks())
    connection = play.upstream.connection
    assert target_of(connection) == Target(("api.openai.com", 80), False, "api.openai.com")
    play.upstream.says(response(200, said("hi")))
    StreamReply().server_disconnected(ServerConnectionHookData(server=connection, client=play.client))

    assert target_of(connection) is None


def test_a_connection_that_failed_is_forgotten(play: Playbook) -> None:
    """The same for one that never came to be."""
    failed: list[Server] = []
    play.before = lambda name, data: None
    play.connects = lambda address: "Connection refused"
    original = play.refuse
    play.refuse = lambda command, error: (failed.append(command.connection), original(command, error))[1]  # type: ignore[method-assign]
    play.says(asks())

    assert len(failed) == 3
    assert [target_of(connection) for connection in failed] == [None, None, None]


async def test_a_client_that_left_nothing_behind(play: Playbook) -> None:
    """The hook that waits for replies ends at once where there is none to wait for."""
    await StreamReply().client_disconnected(play.client)
