"""The simulated provider on a WebSocket: handshake, frames, pings, close codes, with a client that is not ours."""

import json
import ssl
from itertools import pairwise
from typing import Any

import httpx
import pytest
from chatting import Connection, connected, create, events, said, talk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus
from websockets.frames import Frame, Opcode

from outwarden.simulate import Script, SimulatedProvider


@pytest.mark.parametrize("compression", ["deflate", None])
def test_messages_are_compressed_where_the_client_offers_it(
    provider: SimulatedProvider, trust: ssl.SSLContext, compression: str | None
) -> None:
    """`permessage-deflate` is agreed on when offered, and what arrives is recorded as text either way."""
    with talk(provider, trust, compression=compression) as client:
        client.send(create("grüß dich"))
        answer = events(client)

    seen = provider.requests[-1]
    assert said(answer) == "grüß dich"
    assert seen.extensions.startswith("permessage-deflate") == (compression is not None)
    assert [json.loads(message)["input"] for message in seen.messages] == ["grüß dich"]
    assert (seen.method, seen.path, seen.host) == ("GET", "/v1/responses", f"localhost:{provider.port}")
    assert seen.complete
    assert seen.close_code == 1000


def test_compression_can_be_declined(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """A script may keep the server from compressing."""
    with talk(provider, trust, {"deflate": False}) as client:
        client.send(create("plain"))

        assert said(events(client)) == "plain"
    assert provider.requests[-1].extensions == ""


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=40), st.integers(1, 9), st.lists(st.integers(1, 200), max_size=3))
def test_fragments_carry_the_same_message(
    provider: SimulatedProvider, trust: ssl.SSLContext, text: str, size: int, cuts: list[int]
) -> None:
    """However either side cuts its messages into fragments, the text is the same."""
    message = create(text)
    borders = [0, *sorted(cuts), len(message)]
    with talk(provider, trust, {"chunking": f"bytes:{size}"}) as client:
        client.send([message[start:end] for start, end in pairwise(borders)])
        answer = events(client)

    assert json.loads(provider.requests[-1].messages[-1])["input"] == text
    assert said(answer) == answer[-1]["response"]["output"][0]["content"][0]["text"]


def test_fragments_are_frames(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """A message cut into fragments arrives in more than one frame."""
    with talk(provider, trust, {"chunking": "bytes:50"}, compression=None) as client:
        client.send(create("one"))
        fragments = list(client.recv_streaming())

    assert len(fragments) > 1
    assert json.loads("".join(fragments))["type"] == "response.created"


def test_pings_go_both_ways(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """The client's ping is answered; the server sends its own where the script says so."""
    pinged = []

    class Noting(Connection):
        def process_event(self, event: Any) -> None:
            if isinstance(event, Frame) and event.opcode is Opcode.PING:
                pinged.append(bytes(event.data))
            super().process_event(event)

    with talk(provider, trust, {"ping_every": 2}, create_connection=Noting) as client:
        assert client.ping().wait(5)
        client.send(create("one two"))
        answer = events(client)

    assert pinged == [b"simulated"] * (len(answer) // 2)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ({"truncate_after": 1}, 1011),
        ({"truncate_after": 1, "close_code": 1001}, 1001),
        ({"close_code": 4000}, 4000),
    ],
)
def test_a_script_closes(provider: SimulatedProvider, trust: ssl.SSLContext, script: Any, code: int) -> None:
    """The close code is the script's; in mid-response the answer stays incomplete."""
    with talk(provider, trust, script) as client:
        client.send(create("one two three"))
        with pytest.raises(ConnectionClosed) as closed:
            events(client, "never")

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code
    assert provider.requests[-1].complete == ("truncate_after" not in script)


@pytest.mark.parametrize("script", [{"cut_after": 2}, {"reset": True}])
def test_a_lost_connection_says_no_goodbye(provider: SimulatedProvider, trust: ssl.SSLContext, script: Any) -> None:
    """The connection breaks without a close frame."""
    with talk(provider, trust, script) as client:
        client.send(create("one two three"))
        with pytest.raises(ConnectionClosedError) as closed:
            events(client, "never")

    assert closed.value.rcvd is None


def test_silence_is_silence(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """Nothing is answered, and the connection stays open: pings still are."""
    with talk(provider, trust, {"silence": True}) as client:
        client.send(create("hello"))
        with pytest.raises(TimeoutError):
            client.recv(0.2)

        assert client.ping().wait(5)


def test_a_huge_message_is_one_message(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """Three megabytes go out as one delta, and come in as one message."""
    text = "word " * 600_000
    with talk(provider, trust, {"piece_chars": len(text)}) as client:
        client.send(create(text))
        deltas = [event for event in events(client) if event["type"] == "response.output_text.delta"]

    assert [delta["delta"] for delta in deltas] == [text]
    assert len(provider.requests[-1].messages[0]) > len(text)


@pytest.mark.parametrize("status", [401, 426, 429, 503])
def test_the_handshake_can_be_refused(provider: SimulatedProvider, trust: ssl.SSLContext, status: int) -> None:
    """A refused upgrade is an ordinary answer in the API's own shape."""
    with pytest.raises(InvalidStatus) as refused, talk(provider, trust, {"upgrade": status}):
        pass

    assert refused.value.response.status_code == status
    assert refused.value.response.body is not None
    assert "error" in json.loads(refused.value.response.body)


def test_no_such_path_is_404(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """A WebSocket to anywhere else is not found."""
    url = f"wss://localhost:{provider.port}/v1/chat/completions"
    with pytest.raises(InvalidStatus) as refused, connected(url, ssl=trust):
        pass

    assert refused.value.response.status_code == 404


def test_half_a_handshake_is_a_bad_request(base: str, trust: ssl.SSLContext) -> None:
    """An upgrade without a key is refused."""
    headers = {"upgrade": "websocket", "connection": "upgrade"}

    assert httpx.get(f"{base}/v1/responses", headers=headers, verify=trust).status_code == 400


def test_a_frame_that_is_none_closes_with_its_code(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """A reserved bit that nobody agreed on is a protocol error: 1002."""
    with talk(provider, trust, compression=None) as client:
        client.socket.sendall(b"\xf1\x80\x00\x00\x00\x00")
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(5)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1002
    assert provider.requests[-1].close_code is None


def test_held_answers_wait_on_a_websocket_too(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """While answers are held a message is recorded and not answered."""
    assert provider.thread is not None
    with talk(provider, trust) as client:
        provider.thread.hold_answers()
        client.send(create("hello"))
        with pytest.raises(TimeoutError):
            client.recv(0.2)
        provider.thread.release_answers()

        assert said(events(client)) == "hello"


def test_a_script_may_be_a_function_of_the_message(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """A message is shown to it as a request of its own."""

    def choose(seen: Any) -> Script:
        return Script(text=f"{seen.method} {seen.json()['input'][-1]['content']}") if seen.body else Script()

    before, provider.script = provider.script, choose
    try:
        with talk(provider, trust) as client:
            client.send(create("hello"))
            answer = said(events(client))
    finally:
        provider.script = before

    assert answer == "WEBSOCKET hello"
