"""WebSockets through the running interceptor: real clients, the Responses and Realtime APIs, money and memory."""

import base64
import json
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import openai
import pytest
from chatting import connected
from interceptor import CARD, EMAIL, EMAIL_2, OPENAI, Interceptor, assert_clean, rules_for, until
from websockets.exceptions import ConnectionClosed

from outwarden.simulate import HEADER, Script, SimulatedProvider

SPEECH, SILENCE = (base64.b64encode(sample * 24_000).decode() for sample in (b"\x01\x02", b"\0\0"))  # 1 s at 24 kHz
SECRET = f"Write to {EMAIL}, the card is {CARD}."


@pytest.fixture(scope="module")
def outwarden(primary: SimulatedProvider, start: Any) -> Interceptor:
    """An interceptor without budgets in the way."""
    return start(rules_for(primary))  # type: ignore[no-any-return]


@contextmanager
def talk(outwarden: Interceptor, script: Any = None, *, trust: ssl.SSLContext | None = None) -> Iterator[Any]:
    """A connection to the Responses API; the client offers compression, as all do."""
    headers = {"authorization": "Bearer simulated-key"} | ({HEADER: json.dumps(script)} if script else {})
    options: Any = {"ssl": trust or outwarden.trust(), "proxy": outwarden.url, "additional_headers": headers}
    with connected(f"wss://{OPENAI}/v1/responses", open_timeout=20, close_timeout=1, **options) as client:
        yield client


def ask(client: Any, text: str, **more: Any) -> list[dict[str, Any]]:
    """One turn: what came for it."""
    client.send(json.dumps({"type": "response.create", "model": "gpt-4o", "input": text, **more}))
    found = [json.loads(client.recv(20))]
    while found[-1]["type"] not in ("response.completed", "error"):
        found.append(json.loads(client.recv(20)))
    return found


def until_closed(client: Any) -> list[dict[str, Any]]:
    """One turn that ends with the connection: what came before."""
    client.send(json.dumps({"type": "response.create", "model": "gpt-4o", "input": "x"}))
    found: list[dict[str, Any]] = []
    with suppress(ConnectionClosed):  # raised for anything but a good end
        found.extend(json.loads(message) for message in client)
    return found


def said(found: list[dict[str, Any]]) -> str:
    """The text of a turn's deltas."""
    return "".join(event["delta"] for event in found if event["type"] == "response.output_text.delta")


def of_responses(outwarden: Interceptor, seen: int, count: int) -> list[dict[str, Any]]:
    """The records of responses after the first ``seen`` records; the connection has one of its own."""
    return until(
        lambda: (
            found
            if len(found := [r for r in outwarden.records()[seen:] if r["usage_source"] or r["verdict"] != "allowed"])
            >= count
            else None
        ),
        10,
    )


@pytest.mark.parametrize("chunking", ["event", "bytes:3"])
def test_a_conversation_over_one_connection(outwarden: Interceptor, provider: SimulatedProvider, chunking: str) -> None:
    """Values leave as names and come back as values, in every turn and every copy of the text."""
    seen = outwarden.count_records()
    with talk(outwarden, {"chunking": chunking, "ping_every": 3}) as client:
        for turn in range(3):
            found = ask(client, f"Turn {turn}. {SECRET}")
            assert said(found) == f"Turn {turn}. Write to {EMAIL}, the card is {CARD}."
            whole = [event["text"] for event in found if event["type"] == "response.output_text.done"]
            assert whole == [said(found)]
            assert found[-1]["response"]["output"][-1]["content"][0]["text"] == said(found)

    assert_clean(provider)
    records = of_responses(outwarden, seen, 3)
    for record in records:
        assert record["operation"] == "responses"
        assert record["usage_source"] == "provider"
        assert record["redactions"]["request"] == {"CREDIT_CARD": 1, "EMAIL_ADDRESS": 1}
        assert record["restored"] >= 2
    assert len(list(provider.requests)) == 1


def test_the_openai_sdk_speaks_realtime(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """The real SDK: an item, a response, its text with the value, its usage on record."""
    seen = outwarden.count_records()
    client = openai.OpenAI(api_key="simulated-key")
    options: Any = {"ssl": outwarden.trust(), "proxy": outwarden.url}
    with client.realtime.connect(model="gpt-realtime", websocket_connection_options=options) as connection:
        connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        content: Any = [{"type": "input_text", "text": SECRET}]
        connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
        connection.response.create()
        text = ""
        for event in connection:
            text += event.delta if event.type == "response.output_text.delta" else ""
            if event.type == "response.done":
                assert event.response.usage
                break

    assert text == SECRET
    assert_clean(provider)
    (record,) = of_responses(outwarden, seen, 1)
    assert record["operation"] == "realtime"
    assert record["model"] == "gpt-realtime"
    assert record["usage"]["output_tokens"] > 0
    assert record["caller"]["api_key_id"]


@pytest.mark.parametrize(("model", "key"), [("whisper-1", "input_audio_ms"), ("gpt-4o-transcribe", "input_tokens")])
def test_the_openai_sdk_has_speech_written_down(
    outwarden: Interceptor, provider: SimulatedProvider, model: str, key: str
) -> None:
    """A session for transcription: what was heard is read, and each piece is paid for by its own usage."""
    seen = outwarden.count_records()
    client = openai.OpenAI(api_key="simulated-key")
    options: Any = {"ssl": outwarden.trust(), "proxy": outwarden.url}
    for _ in range(2):
        provider.queue(Script(transcript=f"My mail is {EMAIL_2}."))
    query = {"intent": "transcription"}
    with client.realtime.connect(extra_query=query, websocket_connection_options=options) as connection:
        transcription: Any = {"type": "transcription", "audio": {"input": {"transcription": {"model": model}}}}
        connection.session.update(session=transcription)
        heard = []
        for sound in (SPEECH, SILENCE) * 2:
            connection.input_audio_buffer.append(audio=sound)
        for event in connection:
            if event.type == "conversation.item.input_audio_transcription.completed":
                heard.append(event.transcript)
                if len(heard) == 2:
                    break

    assert heard == ["My mail is [EMAIL_ADDRESS]."] * 2
    records = of_responses(outwarden, seen, 2)
    assert {(record["operation"], record["model"]) for record in records} == {("realtime_transcription", model)}
    assert all(record["usage"][key] > 0 and float(record["cost_usd"]) > 0 for record in records)


def test_a_client_that_speaks_http_2_elsewhere(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """It asks for HTTP/1.1 where it wants a WebSocket, and gets it, though both sides know HTTP/2."""
    with outwarden.http(http2=True) as other:
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}
        assert other.post(f"https://{OPENAI}/v1/chat/completions", json=body).http_version == "HTTP/2"
        trust = outwarden.trust()
        trust.set_alpn_protocols(["http/1.1"])
        with talk(outwarden, trust=trust) as client:
            assert said(ask(client, SECRET)) == SECRET
    assert_clean(provider)


def test_the_providers_faults_reach_the_client(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """A cut, a bad message, an error, a refused handshake: the client is told, and no hold stays."""
    seen = outwarden.count_records()
    with talk(outwarden, {"text": "one two three four five", "cut_after": 2}) as client:
        found = until_closed(client)
        assert found[-1]["type"] == "error"
        assert found[-1]["error"]["code"] == "upstream_cut"
    with talk(outwarden, {"text": "one two three four five", "malformed_after": 2}) as client:
        assert until_closed(client)[-1]["error"]["code"] == "message_unreadable"
    with talk(outwarden, {"status": 429, "error": "rate_limit_exceeded"}) as client:
        assert ask(client, "x")[-1]["type"] == "error"
    with pytest.raises(Exception, match="503"), talk(outwarden, {"upgrade": 503}):
        pass
    records = of_responses(outwarden, seen, 2)
    assert [r["usage_source"] for r in records[:2]] == ["estimate", "estimate"]
    assert [r["verdict"] for r in records[:2]] == ["failed", "error"]
    assert [step["outcome"] for step in records[0]["attempts"]] == ["stream_error"]
    refused = [r for r in outwarden.records()[seen:] if r["attempts"] and r["attempts"][0]["outcome"] == "rate_limit"]
    assert [r["cost_usd"] for r in refused] == ["0"], "an error before any answer costs nothing"


def test_concurrent_responses_never_pass_a_cap(primary: SimulatedProvider, start: Any) -> None:
    """Forty at once and room for seven: exactly seven get through, the others hear why and keep their connection."""
    budget = {"name": "seven", "scope": "all", "limit_requests": 7, "window": "day"}
    outwarden: Interceptor = start(rules_for(primary, budgets={"budgets": [budget]}))

    def one(number: int) -> str:
        with talk(outwarden) as client:
            last = ask(client, f"call {number}")[-1]
            assert last["type"] == "response.completed" or last["error"]["code"] == "budget_exceeded"
            assert last.get("status") in (None, 429)
            client.ping().wait(10)
            return str(last["type"])

    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(one, range(40)))

    assert outcomes.count("response.completed") == 7
    (state,) = outwarden.budgets()
    assert (state["posted_requests"], state["pending_requests"]) == ("7", "0")


def test_a_crash_in_the_middle_of_a_response_is_charged_once(primary: SimulatedProvider, start: Any) -> None:
    """kill -9 while the provider answers: the next start posts the hold, the one after changes nothing."""
    budget = {"name": "day", "scope": "all", "limit_usd": 10, "window": "lifetime"}
    outwarden: Interceptor = start(rules_for(primary, budgets={"budgets": [budget]}))
    with talk(outwarden, {"text": "a b c d e f", "stall_after": 2}) as client:
        client.send(json.dumps({"type": "response.create", "model": "gpt-4o", "input": "x", "max_output_tokens": 99}))
        client.recv(20)
        pending = until(lambda: outwarden.budgets()[0]["pending_usd"])
        outwarden.kill()
    for _ in range(2):
        outwarden.start()
        (state,) = outwarden.budgets()
        assert (state["posted_usd"], state["pending_usd"]) == (pending, "0")
        assert outwarden.stop() == 0


def resident_kib(outwarden: Interceptor) -> int:
    """The memory that the process holds."""
    assert outwarden._process
    status = Path(f"/proc/{outwarden._process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_memory_stays_flat_over_a_long_session(outwarden: Interceptor, primary: SimulatedProvider) -> None:
    """What a thousand turns leave behind on one connection is next to nothing: a day-long session must not grow."""
    with talk(outwarden) as client:
        for turn in range(300):
            ask(client, f"warm {turn}, {EMAIL}")
        primary.clear()
        before = resident_kib(outwarden)
        for turn in range(700):
            ask(client, f"turn {turn}, {EMAIL}")
        grown = resident_kib(outwarden) - before
    assert grown < 4 * 1024, f"{grown} KiB more after 700 turns"
