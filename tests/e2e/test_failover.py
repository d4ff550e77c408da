"""A failing provider behind the interceptor: before the first content a call moves, after it never silently."""

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from interceptor import (
    ANTHROPIC,
    CARD,
    EMAIL,
    OPENAI,
    Interceptor,
    assert_clean,
    chat,
    message,
    rules_for,
    trusted,
)

from outwarden.simulate import Certificates, Script, SimulatedProvider, provider_thread

TIMEOUTS = {"connect": "1s", "first_byte": "1s", "first_content": "1s", "idle": "1s", "total": "20s"}
IN_TIME_S = 15  # less than all the time that a call has; these machines are slow at times
FAIL_OVER_ON = ["connect", "timeout", "429", "5xx", "stream_error", "context_length"]
SAID = f"red green blue white black brown grey pink {EMAIL} {CARD}"
SPARE_SAID = "from the spare"


@pytest.fixture(scope="module")
def spare_thread(certificates: Certificates) -> Iterator[SimulatedProvider]:
    """Where calls go when the first fails."""
    with provider_thread(certificates, script=Script(text=SPARE_SAID)) as provider:
        yield provider


@pytest.fixture
def spare(spare_thread: SimulatedProvider) -> SimulatedProvider:
    """The spare provider with nothing remembered."""
    spare_thread.clear()
    return spare_thread


@pytest.fixture(scope="module")
def deaf_port() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        yield server.getsockname()[1]


@pytest.fixture(scope="module")
def closed_port() -> int:
    """A port that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def route(name: str, targets: list[str], **more: Any) -> dict[str, Any]:
    """A route with short times and a breaker that stays out of the way."""
    return {
        "name": name,
        "match": {"model": "*"},
        "strategy": "priority",
        "targets": targets,
        "fail_over_on": FAIL_OVER_ON,
        "timeouts": TIMEOUTS,
        "retries": 0,
        "breaker": {"max_fails": 1000, "within": "1s", "cooldown": "1s"},
    } | more


def upstream(provider: SimulatedProvider, format_: str, **more: Any) -> dict[str, Any]:
    """An upstream at a simulated provider."""
    return {
        "url": f"https://127.0.0.1:{provider.port}/v1",
        "provider": "vllm",
        "format": format_,
        "auth": {"bearer": "env:PATH"} if format_ == "openai" else "keep",
        "price": {"input_mtok": 0.2, "output_mtok": 0.2},
        "trust": str(trusted(provider)),
    } | more


def failing_rules(primary: SimulatedProvider, spare: SimulatedProvider, deaf: int, closed: int) -> dict[str, Any]:
    """Two spares of different formats, and hosts behind a deaf and a closed port."""
    rules = rules_for(primary)
    for host, port in (("deaf.example", deaf), ("closed.example", closed), ("flaky.example", primary.port)):
        entry = {"hosts": [host], "provider": "openai", "format": "openai", "connect_to": f"127.0.0.1:{port}"}
        rules["traffic"]["intercept"].append(entry | {"trust": str(trusted(primary))})
    rules["routes"] = {
        "upstreams": {
            "spare-openai": upstream(spare, "openai", model="spare-model"),
            "spare-anthropic": upstream(spare, "anthropic"),
        },
        "routes": [
            route("claude", ["original", "spare-anthropic"], match={"model": "claude*"}),
            route("alone", ["original"], match={"model": "gpt-4o-mini"}),
            route("stubborn", ["original", "spare-openai"], match={"model": "gpt-4.1"}, retries=1),
            route(
                "touchy",
                ["original", "spare-openai"],
                match={"model": "gpt-4"},
                breaker={"max_fails": 2, "within": "30s", "cooldown": "2s"},
            ),
            route("whole", ["original", "spare-openai"], match={"model": "gpt-4.1-mini"}, rescue="buffer"),
            route("rest", ["original", "spare-openai"]),
        ],
    }
    return rules


@pytest.fixture(scope="module")
def outwarden(
    primary: SimulatedProvider, spare_thread: SimulatedProvider, deaf_port: int, closed_port: int, start: Any
) -> Interceptor:
    """One interceptor whose calls may move."""
    return start(failing_rules(primary, spare_thread, deaf_port, closed_port))


@dataclass(frozen=True)
class Api:
    """One API's streams as a test needs to know them."""

    host: str
    path: str
    body: dict[str, Any]
    end: str  # what only a complete stream has
    error: str  # what an in-format error event has

    def ask(self, client: httpx.Client, host: str | None = None, **more: Any) -> httpx.Response:
        """Send the call."""
        return client.post(f"https://{host or self.host}{self.path}", json=self.body | more)

    def text(self, answer: httpx.Response) -> str:
        """What the stream says."""
        said = []
        for line in answer.text.splitlines():
            if line.startswith("data: {"):
                event = json.loads(line[6:])
                choices = event.get("choices") or [{}]
                delta = choices[0].get("delta") or event.get("delta") or {}
                said.append(delta if isinstance(delta, str) else delta.get("content") or delta.get("text") or "")
        return "".join(said)


APIS = {
    "chat": Api(OPENAI, "/v1/chat/completions", chat(SAID, stream=True), "[DONE]", '"error":'),
    "responses": Api(
        OPENAI, "/v1/responses", {"model": "gpt-5", "input": SAID, "stream": True}, "response.completed", "event: error"
    ),
    "messages": Api(ANTHROPIC, "/v1/messages", message(SAID, stream=True), "message_stop", "event: error"),
}


@pytest.fixture(params=list(APIS))
def api(request: pytest.FixtureRequest) -> Api:
    """Each API that streams events."""
    return APIS[request.param]


BEFORE_CONTENT = {
    "503": Script(status=503),
    "500": Script(status=500),
    "429": Script(status=429, retry_after="1"),
    "429-long": Script(status=429, retry_after="60"),
    "reset": Script(reset=True),
    "silence": Script(silence=True),
    "no-first-content": Script(stall_after=0),
    "error-event": Script(error_after=0),
    "cut": Script(cut_after=0),
    "empty-end": Script(truncate_after=0),
}


@pytest.mark.parametrize("fault", list(BEFORE_CONTENT))
@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_before_the_first_content_the_call_moves(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider, api: Api, fault: str, http2: bool
) -> None:
    """The client gets the spare's whole stream, once, in time, and the audit names both attempts."""
    provider.queue(BEFORE_CONTENT[fault])
    began = time.monotonic()
    with outwarden.http(http2=http2) as client:
        answer = api.ask(client)

    assert answer.status_code == 200
    assert api.text(answer) == SPARE_SAID
    assert answer.text.count(api.end) >= 1
    assert api.error not in answer.text
    for opening in ("event: message_start\n", "event: response.created\n", '"role":"assistant","content":""'):
        assert answer.text.count(opening) <= 1
    assert time.monotonic() - began < IN_TIME_S
    assert (len(provider.requests), len(spare.requests)) == (1, 1)
    record = outwarden.record(answer)
    assert record["attempts"][0]["upstream"] == "original"
    assert record["attempts"][0]["outcome"] != "ok"
    assert record["attempts"][-1]["outcome"] == "ok"
    assert record["served"]["provider"] == "vllm"
    assert_clean(spare)


@pytest.mark.parametrize("host", ["closed.example", "deaf.example"])
def test_a_dead_address_is_left(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider, host: str
) -> None:
    """Refused or unanswered connections move the call; the client notices nothing but the time."""
    began = time.monotonic()
    with outwarden.http() as client:
        answer = APIS["chat"].ask(client, host)

    assert APIS["chat"].text(answer) == SPARE_SAID
    assert time.monotonic() - began < 4
    assert outwarden.record(answer)["attempts"][0]["outcome"] in ("connect", "timeout")


@pytest.mark.parametrize("fault", ["503", "429", "reset", "silence", "error-event", "cut"])
def test_whole_answers_move_too(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider, fault: str
) -> None:
    """A call that does not stream moves on the same failures, a body that breaks off included."""
    provider.queue(BEFORE_CONTENT[fault])
    with outwarden.http() as client:
        answer = APIS["chat"].ask(client, stream=False)

    assert answer.json()["choices"][0]["message"]["content"] == SPARE_SAID
    assert (len(provider.requests), len(spare.requests)) == (1, 1)


AFTER_CONTENT = {
    "cut": Script(cut_after=4),
    "error-event": Script(error_after=4),
    "stall": Script(stall_after=4),
    "truncated": Script(truncate_after=4),
}


@pytest.mark.parametrize("fault", list(AFTER_CONTENT))
@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_after_the_first_content_nothing_is_hidden(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider, api: Api, fault: str, http2: bool
) -> None:
    """The stream ends with the format's error event, in time, and never as if it were complete; it is charged."""
    provider.queue(AFTER_CONTENT[fault])
    began = time.monotonic()
    with outwarden.http(http2=http2) as client:
        answer = api.ask(client)

    assert answer.status_code == 200
    assert SAID.startswith(api.text(answer))
    assert len(api.text(answer)) > 3
    assert api.error in answer.text
    assert api.end not in answer.text
    assert answer.text.endswith("\n\n")
    assert time.monotonic() - began < IN_TIME_S
    assert (len(provider.requests), len(spare.requests)) == (1, 0)
    record = outwarden.record(answer)
    assert record["attempts"][-1]["outcome"] != "ok"
    assert float(record["cost_usd"]) > 0


@pytest.mark.parametrize("fault", [*AFTER_CONTENT, "malformed"])
@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_a_route_that_buffers_delivers_whole_answers(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider, fault: str, http2: bool
) -> None:
    """A stream that breaks after its first content begins elsewhere, unseen; what the first one said costs, too."""
    provider.queue(AFTER_CONTENT.get(fault, Script(malformed_after=4)))
    with outwarden.http(http2=http2) as client:
        answer = APIS["chat"].ask(client, model="gpt-4.1-mini")

    assert APIS["chat"].text(answer) == SPARE_SAID
    assert answer.text.count("[DONE]") == 1
    assert APIS["chat"].error not in answer.text
    record = outwarden.record(answer)
    assert [attempt["outcome"] for attempt in record["attempts"]][1:] == ["ok"]
    assert record["served"]["upstream"] == "spare-openai"
    used = record["usage"]
    assert float(record["cost_usd"]) > 0.2e-6 * (used["input_tokens"] + used["output_tokens"])


def test_where_no_upstream_is_left_a_buffered_call_shows_nothing(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider
) -> None:
    """Both break off: an error answer, no half of either."""
    provider.queue(Script(cut_after=4))
    spare.queue(Script(cut_after=1))
    with outwarden.http() as client:
        answer = APIS["chat"].ask(client, model="gpt-4.1-mini")

    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "upstream_failed"
    assert float(outwarden.record(answer)["cost_usd"]) > 0


TOO_LONG = Script(status=400, error="context_length_exceeded", message="This model's maximum context length is 8192.")


def test_a_call_that_is_too_long_goes_to_another_model(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider
) -> None:
    """Once to each model; where the route has no other, the client sees the provider's own words."""
    provider.queue(TOO_LONG, TOO_LONG)
    with outwarden.http() as client:
        moved = APIS["chat"].ask(client, model="gpt-4.1")
        alone = APIS["chat"].ask(client, model="gpt-4o-mini")

    assert APIS["chat"].text(moved) == SPARE_SAID
    assert outwarden.record(moved)["attempts"][0]["outcome"] == "context_length"
    assert (alone.status_code, alone.json()["error"]["code"]) == (400, "context_length_exceeded")
    assert (len(provider.requests), len(spare.requests)) == (2, 1)


def test_a_malformed_event_is_never_passed_as_text(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider, api: Api
) -> None:
    """An event that does not parse in mid-stream ends it with an error; a client's parser never meets it."""
    provider.queue(Script(malformed_after=4))
    with outwarden.http() as client:
        answer = api.ask(client)

    for line in answer.text.splitlines():
        if line.startswith("data: ") and line != "data: [DONE]":
            json.loads(line[6:])
    assert (api.error in answer.text) != (api.text(answer) == SAID)


def test_a_stream_without_its_end_marker_finishes(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider
) -> None:
    """All was said and the finish reason given, only [DONE] is missing: the text arrives, promptly, usage kept."""
    provider.queue(Script(end_marker=False))
    began = time.monotonic()
    with outwarden.http() as client:
        answer = APIS["chat"].ask(client, stream_options={"include_usage": True})

    assert APIS["chat"].text(answer) == SAID
    assert time.monotonic() - began < 3
    assert outwarden.record(answer)["usage_source"] == "provider"


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_the_caller_s_own_mistakes_do_not_move(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider, status: int
) -> None:
    """A bad request stays where it is, and the client sees the provider's words."""
    provider.queue(Script(status=status))
    with outwarden.http() as client:
        answer = APIS["chat"].ask(client)

    assert answer.status_code == status
    assert "told to answer" in answer.text
    assert (len(provider.requests), len(spare.requests)) == (1, 0)


FOREIGN = Script(status=400, message="messages.1.content.0: Invalid `signature` in `thinking` block")


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
def test_a_history_with_a_fallbacks_signatures_goes_on(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider, http2: bool
) -> None:
    """Where the first upstream does not take what another signed, it is asked again without, over a new connection."""
    thinking = {"type": "thinking", "thinking": "hm", "signature": "c3BhcmU="}
    history = [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": [thinking, {"type": "text", "text": "well"}]},
        {"role": "user", "content": SAID},
    ]
    provider.queue(FOREIGN)
    with outwarden.http(http2=http2) as client:
        answer = APIS["messages"].ask(client, messages=history)
        again = APIS["messages"].ask(client)

    assert (APIS["messages"].text(answer), APIS["messages"].text(again)) == (SAID, SAID)
    assert (len(provider.requests), len(spare.requests)) == (3, 0)
    assert b"c3BhcmU=" in provider.requests[0].body
    assert b"c3BhcmU=" not in provider.requests[1].body
    outcomes = [attempt["outcome"] for attempt in outwarden.record(answer)["attempts"]]
    assert outcomes == ["foreign_signature", "ok"]


def test_an_upstreams_refusal_of_our_key_is_not_the_callers(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider
) -> None:
    """Both are tried, and the client hears of an upstream, not of a key."""
    provider.queue(Script(status=503))
    spare.queue(Script(status=401, error="invalid_api_key", message="Incorrect API key provided: sk-inv***."))
    with outwarden.http() as client:
        answer = APIS["chat"].ask(client)

    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_refused")
    assert "sk-" not in answer.text
    assert (len(provider.requests), len(spare.requests)) == (1, 1)


def test_what_is_kept_at_a_provider_is_not_looked_for_elsewhere(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider
) -> None:
    """The client sees that its provider is busy, not that its file is gone."""
    provider.queue(Script(status=503))
    with outwarden.http() as client:
        answer = client.get(f"https://{OPENAI}/v1/files/file-1")

    assert answer.status_code == 503
    assert (len(provider.requests), len(spare.requests)) == (1, 0)


@pytest.mark.parametrize(("fault", "status"), [("503", 503), ("429", 429), ("reset", 502), ("silence", 504)])
def test_without_another_upstream_the_failure_is_told(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider, fault: str, status: int
) -> None:
    """Alone on its route a failed call is an error in the provider's shape, within the time limits, never a hang."""
    provider.queue(BEFORE_CONTENT[fault])
    began = time.monotonic()
    with outwarden.http() as client:
        answer = APIS["chat"].ask(client, model="gpt-4o-mini")

    assert time.monotonic() - began < 5
    assert answer.status_code in (status, 502, 503, 504)
    assert answer.json()["error"]
    assert (len(provider.requests), len(spare.requests)) == (1, 0)
    assert outwarden.record(answer)["verdict"] != "allowed" or answer.status_code >= 429


def test_without_another_upstream_its_own_error_event_is_seen(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider
) -> None:
    """Alone on its route an upstream's error event reaches the client, and no good end follows it."""
    provider.queue(BEFORE_CONTENT["error-event"])
    with outwarden.http() as client:
        answer = APIS["chat"].ask(client, model="gpt-4o-mini")

    assert APIS["chat"].error in answer.text
    assert APIS["chat"].end not in answer.text
    assert len(provider.requests) == 1


def test_when_every_upstream_fails_it_is_told(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider
) -> None:
    """Both fail: one error, both attempts on record, nothing charged as an answer."""
    provider.queue(Script(status=503))
    spare.queue(Script(status=500))
    with outwarden.http() as client:
        answer = APIS["chat"].ask(client)

    assert answer.status_code >= 500
    assert answer.json()["error"]
    assert len(outwarden.record(answer)["attempts"]) == 2


def test_a_retry_goes_to_the_same_upstream_first(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider
) -> None:
    """With one retry a single 500 is tried again where it happened; the spare is not needed."""
    provider.queue(Script(status=500), Script(text="second try"))
    with outwarden.http() as client:
        answer = APIS["chat"].ask(client, model="gpt-4.1")

    assert APIS["chat"].text(answer) == "second try"
    assert (len(provider.requests), len(spare.requests)) == (2, 0)


def test_a_persistent_429_is_not_hammered(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider
) -> None:
    """At most two tries at the limited upstream, then the spare."""
    provider.queue(*[Script(status=429)] * 10)
    with outwarden.http() as client:
        answer = APIS["chat"].ask(client, model="gpt-4.1")

    assert APIS["chat"].text(answer) == SPARE_SAID
    assert len(provider.requests) <= 2


def test_the_spare_gets_its_own_model_and_key(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider
) -> None:
    """The moved call names the spare's model and carries the spare's key; the caller's key goes nowhere else."""
    provider.queue(Script(status=503))
    headers = {"authorization": "Bearer callers-own-key"}
    with outwarden.http(headers=headers) as client:
        APIS["chat"].ask(client)

    moved = spare.requests[0]
    assert moved.json()["model"] == "spare-model"
    assert moved.path == "/v1/chat/completions"
    assert "callers-own-key" not in repr(moved.headers)
    assert provider.requests[0].header("authorization") == "Bearer callers-own-key"


def test_values_are_restored_from_the_spare_too(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider
) -> None:
    """The vault belongs to the call and not to the attempt."""
    provider.queue(Script(status=503))
    spare.queue(Script())
    with outwarden.http() as client:
        answer = APIS["chat"].ask(client)

    assert APIS["chat"].text(answer) == SAID
    assert_clean(provider)
    assert_clean(spare)


def test_a_paused_provider_comes_back(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider
) -> None:
    """While the provider is down, calls move; once it is back they stay, without a restart."""
    assert provider.thread is not None
    with outwarden.http() as client:
        provider.thread.pause()
        try:
            during = [APIS["chat"].text(APIS["chat"].ask(client)) for _ in range(3)]
        finally:
            provider.thread.resume()
        time.sleep(1.2)  # the breaker's cooldown
        after = APIS["chat"].text(APIS["chat"].ask(client))

    assert during == [SPARE_SAID] * 3
    assert after == SAID


def test_an_open_breaker_spares_the_dead(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider
) -> None:
    """After enough failures calls skip the failing upstream, and try it again after the cooldown."""
    provider.queue(*[Script(status=503)] * 2)
    ask = APIS["chat"].ask
    with outwarden.http() as client:
        said = [APIS["chat"].text(ask(client, "flaky.example", model="gpt-4")) for _ in range(6)]
        tried = len(provider.requests)
        time.sleep(2.2)
        probe = APIS["chat"].text(ask(client, "flaky.example", model="gpt-4"))
        time.sleep(0.8)  # calls return over a third of the cooldown
        back = APIS["chat"].text(ask(client, "flaky.example", model="gpt-4"))

    assert said == [SPARE_SAID] * 6
    assert tried == 2
    assert (probe, back) == (SAID, SAID)
