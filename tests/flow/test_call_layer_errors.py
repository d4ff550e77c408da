"""Kills, refusals and bugs in our HTTP layer: one clear end each, and no value in any of them."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from mitmproxy import http
from mitmproxy.proxy.layers.http import GetHttpConnectionCompleted
from playbook import OPENAI, Playbook, request, response
from talk import DONE, EMAIL, PATH, ROLE, asks, chat, error_of, piece, record, said

from outwarden.flow.call_layer import CallLayer
from outwarden.flow.services import Services
from outwarden.flow.trip import Trip
from outwarden.wire.stream import StreamRewriter

CALL_HOOKS = ["requestheaders", "request", "responseheaders", "response", "call_end"]

# -- kills and refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hook", ["requestheaders", "request", "responseheaders", "response"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_killed_flow_ends_once(play: Playbook, services: Services, hook: str, stream: bool) -> None:
    """Another addon may kill a flow in any hook: the client's connection is torn, and the call ends once."""

    def kill(name: str, flow: http.HTTPFlow) -> None:
        if name == hook and flow.killable:
            flow.kill()

    play.before = kill
    play.says(asks(stream=stream))
    if play.upstreams and stream:
        play.upstream.streams(ROLE, piece("hi"), DONE, b"")
    elif play.upstreams:
        play.upstream.says(response(200, said("hi")))

    assert play.client_closed
    assert play.ended == 1
    assert play.hooks.count("call_end") == play.hooks.count("response")
    assert sum(state.pending for state in services.ledger.states()) == 0
    assert not play.answer.complete


def test_a_refused_call_leaves_nothing(play: Playbook, services: Services) -> None:
    """An answer of ours goes out through the same hooks; no connection is opened."""
    play.says(asks(text="my key is sk-proj-" + "aB3" * 16))

    assert play.answer.status == 403
    assert json.loads(play.answer.body)["error"]["code"] == "pii_refused"
    assert play.upstreams == []
    assert play.hooks == CALL_HOOKS
    assert record(services)["verdict"] == "refused"


# -- our own errors ---------------------------------------------------------------------------------------------------


def raising(*args: Any, **kwargs: Any) -> Any:
    """Fail as a bug would, with a value in the text that must not be shown."""
    raise RuntimeError(EMAIL)


@pytest.mark.parametrize(
    ("owner", "method"), [(Trip, "apply"), (Trip, "target"), (StreamRewriter, "feed"), (Trip, "succeed")]
)
def test_an_error_of_ours_is_an_answer(
    play: Playbook, services: Services, monkeypatch: pytest.MonkeyPatch, caplog: Any, owner: type, method: str
) -> None:
    """A bug before anything was sent to the client becomes an error in the provider's shape, and says no value."""
    monkeypatch.setattr(owner, method, raising)
    with caplog.at_level(logging.DEBUG):
        play.says(asks(stream=True))
        if play.upstreams and method == "succeed":
            play.upstream.says(response(200, said("hi")))
        elif play.upstreams:
            play.upstream.streams(ROLE, piece("hi"), DONE, b"")

    assert play.answer.status == 502
    assert json.loads(play.answer.body)["error"]["code"] == "outwarden_error"
    assert play.ended == 1
    assert record(services)["verdict"] == "error"
    assert EMAIL not in caplog.text


@pytest.mark.parametrize("host", [OPENAI, "else.example"])
def test_a_request_that_nobody_saw_is_stopped(play: Playbook, host: str) -> None:
    """Where the chain was not asked (an addon before it raised), no request leaves, ours or not."""
    play.skipped = {"requestheaders"}
    play.says(request(PATH, chat(text=f"to {EMAIL}"), host=host))

    assert play.upstreams == []
    assert play.client_got.startswith(b"HTTP/1.1 502 ")
    assert play.ended == 1


def test_a_call_that_lost_its_way_is_stopped(play: Playbook, services: Services) -> None:
    """A call whose steps were not taken is not sent as it is."""
    play.skipped = {"request"}
    play.says(asks(text=f"to {EMAIL}"))

    assert play.upstreams == []
    assert play.answer.status == 502
    assert json.loads(play.answer.body)["error"]["code"] == "outwarden_error"
    assert record(services)["verdict"] == "error"


def test_an_addon_may_answer_instead(play: Playbook) -> None:
    """A hook that replaces a stream's answer is obeyed, and the upstream is left."""

    def replace(name: str, flow: http.HTTPFlow) -> None:
        if name == "responseheaders":
            flow.response = http.Response.make(451, b"not here")

    play.before = replace
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("one "))

    assert (play.answer.status, play.answer.body) == (451, b"not here")
    assert play.upstream.closed
    assert play.ended == 1


def test_an_error_of_ours_in_a_stream_is_its_last_event(
    play: Playbook, services: Services, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """A bug after the commit ends the stream with the format's error event and no clean end."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("one "), piece("two "))
    monkeypatch.setattr(StreamRewriter, "feed", raising)
    play.upstream.chunk(piece("three"))

    assert error_of(play.answer.body) == "outwarden_error"
    assert play.answer.complete
    assert b"[DONE]" not in play.answer.body
    assert b"three" not in play.answer.body
    assert play.upstream.closed
    assert play.ended == 1
    assert record(services)["verdict"] == "error"
    assert EMAIL not in caplog.text


def test_an_error_at_the_end_of_a_stream_is_its_last_event(play: Playbook, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails when the rest is let go ends the stream in the same way."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("one "), piece("two "))
    monkeypatch.setattr(StreamRewriter, "flush", raising)
    play.upstream.chunk(b"")

    assert error_of(play.answer.body) == "outwarden_error"
    assert play.answer.complete
    assert play.ended == 1


def test_the_last_resort_is_a_torn_connection(play: Playbook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even an error can be written, the connection is torn; the client never waits."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("one "), piece("two "))
    monkeypatch.setattr(StreamRewriter, "feed", raising)
    monkeypatch.setattr(Trip, "stop", raising)
    play.upstream.chunk(piece("three"))

    assert play.client_closed
    assert not play.answer.complete
    assert play.ended == 1


def test_a_layer_that_fails_ends_every_call(
    open_play: Callable[..., Playbook], services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where mitmproxy's layer fails the client's connection is closed, and each call on it ends, settled."""

    def failing(self: CallLayer, command: Any) -> Any:
        waiting = self.waiting_for_establishment.pop(command.connection)
        stream = self.command_sources.pop(waiting[0])
        yield from self.event_to_child(stream, GetHttpConnectionCompleted(waiting[0], (command.connection, None)))
        raise KeyError(1)

    monkeypatch.setattr(CallLayer, "register_connection", failing)
    play = open_play(http2=True)
    assert play.h2
    play.connects = lambda address: "silence"
    for text in ("one", "two", "three"):
        play.h2.asks(PATH, chat(text=text))
    play.accept(play.silent[0])
    assert play.client_closed
    play.upstream.says(response(200, said("one")))
    play.passes(60)

    assert play.ended == 3
    assert sum(state.pending for state in services.ledger.states()) == 0
