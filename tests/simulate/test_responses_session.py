"""Responses over a WebSocket: turns that build on each other, warming up, lanes, errors; with the real SDK too."""

import json
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import openai
import pytest
from chatting import create, events, said, talk

from outwarden.simulate import HEADER, Certificates, Script, SimulatedProvider, ToolCall


def test_turns_build_on_each_other(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """A later turn brings only what is new, and is answered and counted with all that went before."""
    provider.queue(Script(tool_calls=(ToolCall("look", '{"at": "it"}'),)), Script())
    with talk(provider, trust) as client:
        client.send(create("one two three"))
        first = events(client)[-1]["response"]
        result = {"type": "function_call_output", "call_id": first["output"][0]["call_id"], "output": "four"}
        client.send(json.dumps({"type": "response.processed", "response_id": first["id"]}))
        client.send(create("", input=[result], previous_response_id=first["id"]))
        second = events(client)

    assert (first["output"][0]["type"], first["output"][0]["name"]) == ("function_call", "look")
    assert said(second) == "four"
    assert second[-1]["response"]["previous_response_id"] == first["id"]
    assert second[-1]["response"]["id"] != first["id"]
    assert second[-1]["response"]["usage"]["input_tokens"] > first["usage"]["input_tokens"]
    assert [event["sequence_number"] for event in second] == list(range(len(second)))


def test_the_same_turn_twice_is_two_responses(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """Each has its own id, also where the messages are equal."""
    with talk(provider, trust) as client:
        client.send(create("hello"))
        client.send(create("hello"))
        ids = [events(client)[-1]["response"]["id"] for _ in range(2)]

    assert len(set(ids)) == 2


def test_an_unknown_previous_response_is_refused(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """What another connection answered is not known here; the connection goes on."""
    with talk(provider, trust) as client:
        client.send(create("hello", previous_response_id="resp_elsewhere"))
        error = json.loads(client.recv(5))
        client.send(create("again"))

        assert said(events(client)) == "again"
    assert (error["type"], error["status"]) == ("error", 400)
    assert error["error"]["code"] == "previous_response_not_found"


def test_warming_up_says_nothing_but_can_be_built_on(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """`generate: false` gives a response without output, whose id the first turn may name."""
    with talk(provider, trust) as client:
        client.send(create("be kind", generate=False))
        warm = events(client)
        client.send(create("hello", previous_response_id=warm[-1]["response"]["id"]))

        assert said(events(client)) == "hello"
    assert [event["type"] for event in warm] == ["response.created", "response.in_progress", "response.completed"]
    assert (warm[-1]["response"]["output"], warm[-1]["response"]["usage"]["output_tokens"]) == ([], 0)


def test_lanes_run_side_by_side(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """A stalled lane does not hold another one; each event names its lane."""
    provider.queue(Script(stall_after=1), Script())
    with talk(provider, trust) as client:
        client.send(create("slow slow", stream_id="a"))
        client.send(create("fast", stream_id="b"))
        found = events(client)

    assert {event["stream_id"] for event in found} == {"a", "b"}
    assert found[-1]["stream_id"] == "b"


@pytest.mark.parametrize(
    ("script", "status"),
    [({"status": 429, "retry_after": "7"}, 429), ({"error_after": 1}, 500), ({"status": 503}, 503)],
)
def test_errors_are_events(provider: SimulatedProvider, trust: ssl.SSLContext, script: Any, status: int) -> None:
    """A response that cannot be had is an `error` with its status, before it began or in its middle."""
    with talk(provider, trust, script) as client:
        client.send(create("one two three"))
        found = events(client, "error")

    assert found[-1]["status"] == status
    assert found[-1]["error"]["message"]
    assert found[-1].get("headers") == ({"retry-after": "7"} if "retry_after" in script else None)


@pytest.mark.parametrize("message", ["{", "[1]", '"hello"', '{"type": "response.steal"}', "{}", b"\xff"])
def test_what_is_no_request_is_refused(
    provider: SimulatedProvider, trust: ssl.SSLContext, message: str | bytes
) -> None:
    """Nonsense gets an error and costs nobody the connection."""
    with talk(provider, trust) as client:
        client.send(message)
        error = json.loads(client.recv(5))
        client.send(create("hello"))

        assert said(events(client)) == "hello"
    assert (error["type"], error["status"]) == ("error", 400)
    assert provider.requests[-1].messages[0] == message


def test_a_malformed_message_is_no_json(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """It comes in its place, and the stream goes on."""
    with talk(provider, trust, {"malformed_after": 0}) as client:
        client.send(create("hello"))
        texts = [client.recv(5) for _ in range(6)]

    def parses(text: str | bytes) -> bool:
        try:
            json.loads(text)
        except ValueError:
            return False
        return True

    assert [parses(text) for text in texts] == [True, True, True, True, False, True]


def test_the_sdk_speaks_it(provider: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """The real SDK connects, asks and reads every event."""
    client = openai.OpenAI(api_key="simulated-key", base_url=f"https://localhost:{provider.port}/v1")
    script = {HEADER: json.dumps({"text": "four", "thinking": "two and two"})}
    with client.responses.connect(
        extra_headers=script, websocket_connection_options={"ssl": trust, "proxy": None}
    ) as connection:
        connection.response.create(model="gpt-5", input="what is two and two?")
        found = []
        for event in connection:
            found.append(event)
            if event.type == "response.completed":
                break

    assert "".join(event.delta for event in found if event.type == "response.output_text.delta") == "four"
    assert found[-1].response.output_text == "four"
    assert found[-1].response.usage is not None


def test_a_handshake_that_is_not_answered_fails_in_time(certificates: Certificates, trust: ssl.SSLContext) -> None:
    """A server that stops in the middle of a TLS record costs a test its time-out, and not the whole run."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.chain, certificates.key)

    def begin_to_answer(listener: socket.socket) -> socket.socket:
        with context.wrap_socket(listener.accept()[0], server_side=True) as answering:
            answering.recv(65_536)
            plain = socket.socket(fileno=answering.detach())
        plain.send(b"\x17\x03\x03\x00\x50")  # the head of a record of 80 bytes
        return plain

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as server:
        answering = server.submit(begin_to_answer, listener)
        provider = cast(SimulatedProvider, SimpleNamespace(port=listener.getsockname()[1]))
        with pytest.raises(TimeoutError), talk(provider, trust, open_timeout=0.5):
            pass
        answering.result(5).close()
