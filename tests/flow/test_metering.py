"""Streams whose holds grow with them: cut at the cap by their format's own last event, charged for what came."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from fixtures import SPARE
from playbook import OPENAI, Playbook, request, response
from sessions import Speak
from sockets import Ends
from talk import BILL, DONE, PATH, ROLE, STOP, asks, chat, event, record, said

from outwarden.audit import read
from outwarden.errors import StoreUnavailable
from outwarden.flow.body import classify
from outwarden.flow.metering import is_text
from outwarden.flow.services import Services
from outwarden.flow.state import CallState
from outwarden.pricing import LearntOf
from outwarden.simulate.aws_frames import event_frame
from outwarden.wire.format import RequestFacts
from outwarden.wire.formats import format_named
from outwarden.wire.traffic import Host

NANO = 10**9
SLICE = 100
OUTPUT_RATE = 10_000  # nano-dollars a token: $10 per million
WORDS = "one two three four five six seven eight nine ten "  # ten tokens of o200k, 49 bytes
PROVIDERS = ("openai", "anthropic", "google", "aws", "cohere", "ollama")
PRICES = {"prices": [{"provider": name, "model": "*", "input_mtok": 1, "output_mtok": 10} for name in PROVIDERS]}
TRAFFIC = {"intercept": [{"hosts": ["ollama.example"], "provider": "ollama", "format": "ollama"}]}


class Api(NamedTuple):
    """One streaming API: how it is asked, how a stream begins, what a piece of text looks like, how it is told off."""

    host: str
    path: str
    body: dict[str, Any]
    content_type: str
    begins: bytes
    piece: Callable[[str], bytes]
    told: Callable[[bytes], bool]


def sse(kind: str, data: dict[str, Any]) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind} | data)}\n\n".encode()


def last_event(body: bytes) -> Any:
    """The data of the last event of SSE."""
    return json.loads(body.rstrip().rpartition(b"data: ")[2])


USER = [{"role": "user", "content": "hello"}]
ASKS = {"model": "gpt-4o", "stream": True}
BEDROCK = {"messages": [{"role": "user", "content": [{"text": "hello"}]}]}
STARTED = {"message": {"id": "m", "model": "claude-opus-5", "usage": {"input_tokens": 9, "output_tokens": 1}}}
APIS = {
    "chat": Api(
        OPENAI, PATH, ASKS | {"messages": USER}, "text/event-stream", ROLE,
        lambda text: event({"model": "gpt-4o", "choices": [{"index": 0, "delta": {"content": text}}]}),
        lambda body: last_event(body)["error"]["code"] == "budget_exceeded",
    ),
    "tool": Api(
        OPENAI, PATH, ASKS | {"messages": USER}, "text/event-stream", ROLE,
        lambda text: event({"choices": [{"index": 0, "delta": {"tool_calls": [
            {"index": 0, "function": {"arguments": text}}]}}]}),
        lambda body: last_event(body)["error"]["code"] == "budget_exceeded",
    ),
    "responses": Api(
        OPENAI, "/v1/responses", ASKS | {"input": "hello"}, "text/event-stream",
        sse("response.created", {"response": {"id": "r", "model": "gpt-4o"}}),
        lambda text: sse("response.output_text.delta", {"output_index": 0, "content_index": 0, "delta": text}),
        lambda body: b"budget_exceeded" in body and last_event(body)["type"] in ("error", "response.failed"),
    ),
    "messages": Api(
        "api.anthropic.com", "/v1/messages",
        {"model": "claude-opus-5", "max_tokens": 30_000, "stream": True, "messages": USER}, "text/event-stream",
        sse("message_start", STARTED),
        lambda text: sse("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": text}}),
        lambda body: last_event(body)["type"] == "error" and body.rstrip().rpartition(b"event: ")[2].startswith(b"err"),
    ),
    "thinking": Api(
        "api.anthropic.com", "/v1/messages",
        {"model": "claude-opus-5", "max_tokens": 30_000, "stream": True, "messages": USER}, "text/event-stream",
        sse("message_start", STARTED),
        lambda text: sse("content_block_delta", {"index": 0, "delta": {"type": "thinking_delta", "thinking": text}}),
        lambda body: last_event(body)["error"]["message"].startswith("budget_exceeded"),
    ),
    "gemini": Api(
        "generativelanguage.googleapis.com", "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
        {"contents": [{"parts": [{"text": "hello"}]}]}, "text/event-stream", b"",
        lambda text: event({"candidates": [{"index": 0, "content": {"parts": [{"text": text}]}}]}),
        lambda body: last_event(body)["error"]["status"] == "RESOURCE_EXHAUSTED",
    ),
    "gemini-array": Api(
        "generativelanguage.googleapis.com", "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
        {"contents": [{"parts": [{"text": "hello"}]}]}, "application/json", b"[{}",
        lambda text: b"," + json.dumps({"candidates": [{"content": {"parts": [{"text": text}]}}]}).encode(),
        lambda body: json.loads(body)[-1]["error"]["status"] == "RESOURCE_EXHAUSTED",
    ),
    "gemini-calls": Api(
        "generativelanguage.googleapis.com", "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
        {"contents": [{"parts": [{"text": "hello"}]}]}, "text/event-stream", b"",
        lambda text: event({"candidates": [{"content": {"parts": [{"functionCall": {"args": {"a": text}}}]}}]}),
        lambda body: last_event(body)["error"]["status"] == "RESOURCE_EXHAUSTED",
    ),
    "converse": Api(
        "bedrock-runtime.us-east-1.amazonaws.com", "/model/us.amazon.nova-pro-v1:0/converse-stream", BEDROCK,
        "application/vnd.amazon.eventstream", event_frame("messageStart", b'{"role": "assistant"}'),
        lambda text: event_frame(
            "contentBlockDelta", json.dumps({"contentBlockIndex": 0, "delta": {"text": text}}).encode()
        ),
        lambda body: b":exception-type" in body and b"budget_exceeded" in body,
    ),
    "ollama": Api(
        "ollama.example", "/api/chat", {"model": "llama", "messages": USER}, "application/x-ndjson", b"",
        lambda text: json.dumps({"message": {"content": text}, "done": False}).encode() + b"\n",
        lambda body: "budget_exceeded" in json.loads(body.splitlines()[-1])["error"],
    ),
    "cohere": Api(
        "api.cohere.com", "/v2/chat", {"model": "command-a", "stream": True, "messages": USER}, "text/event-stream",
        sse("message-start", {}),
        lambda text: sse("content-delta", {"index": 0, "delta": {"message": {"content": {"text": text}}}}),
        lambda body: last_event(body)["delta"]["finish_reason"] == "ERROR",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def metered(open_services: Callable[..., Services]) -> Callable[..., Services]:
    """Services with metered holds and one budget for everybody."""

    def begin(limit_usd: float, unit: str = "limit_usd", **metering: Any) -> Services:
        budget = {"name": "cap", "scope": "all", unit: limit_usd, "window": "lifetime"}
        rules = {"budgets": [budget], "hold": "metered", "metered": {"slice_tokens": SLICE} | metering}
        return open_services(budgets=rules, prices=PRICES, traffic=TRAFFIC, routes={"routes": []})

    return begin


def standing(services: Services) -> tuple[int, int, int]:
    """Posted, pending and debt of the one account there is; of none before the first call."""
    states = services.ledger.states()
    return (states[0].posted, states[0].pending, states[0].debt) if states else (0, 0, 0)


def head(content_type: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n".encode()


def begins(play: Playbook, api: Api) -> None:
    """A client asks, the provider begins."""
    play.says(request(api.path, json.dumps(api.body).encode(), host=api.host))
    assert play.upstreams, play.client_got
    play.upstream.streams(*filter(None, [api.begins]), head=head(api.content_type))


def until_cut(play: Playbook, api: Api, text: str = WORDS, most: int = 2000) -> int:
    """The provider speaks until it is cut; returns how many pieces that took."""
    for number in range(1, most):
        play.upstream.chunk(api.piece(text))
        if play.upstream.closed:
            return number
    raise AssertionError("nobody stopped it")


@pytest.mark.parametrize("name", APIS)
def test_a_stream_is_cut_at_the_cap(open_play: Any, metered: Callable[..., Services], name: str) -> None:
    """In every format: a proper last event, the upstream let go, what came charged, the cap never passed."""
    api, services = APIS[name], metered(0.03)
    play = open_play(services)
    begins(play, api)
    held = standing(services)[1]
    assert held < 0.03 * NANO / 2, "input and a slice, not the worst case"

    pieces = until_cut(play, api)

    assert play.answer.status == 200
    assert play.answer.complete
    assert api.told(play.answer.body), play.answer.body[-500:]
    assert play.answer.body.count(b"three") == pieces, "what was paid for is the client's"
    posted, pending, debt = standing(services)
    assert pending == debt == 0
    assert 0.03 * NANO * 0.5 < posted <= 0.03 * NANO
    entry = record(services)
    assert (entry["verdict"], entry["rule"], entry["status"]) == ("refused", "cap", 200)
    assert entry["hold"]["kind"] == "metered"
    assert entry["hold"]["steps"] > 3
    assert entry["overshoot_usd"] == "0"
    assert entry["usage_source"] == "estimate"
    assert entry["attempts"][0]["outcome"] == "budget_exceeded"
    assert play.ended == 1


def test_a_stream_that_fits_ends_well(open_play: Any, metered: Callable[..., Services]) -> None:
    """The hold grows by the slice as tokens come; the provider's own usage is charged and the rest given back."""
    services = metered(1)
    play = open_play(services)
    play.says(asks(stream=True))
    play.upstream.streams(ROLE)
    first, steps = standing(services)[1], set()
    for _ in range(100):
        play.upstream.chunk(APIS["chat"].piece(WORDS))
        steps.add(standing(services)[1] - first)
    for last in (STOP, BILL, DONE, b""):
        play.upstream.chunk(last)

    assert max(steps) <= (1000 + SLICE) * OUTPUT_RATE, "a thousand tokens came, at most a slice lies ahead"
    assert len(steps) == record(services)["hold"]["steps"] + 1 > 10
    assert play.answer.body.endswith(DONE)
    assert standing(services) == (9 * 1000 + 2 * OUTPUT_RATE, 0, 0)
    assert record(services)["verdict"] == "allowed"


def test_a_limit_of_tokens_cuts_too(open_play: Any, metered: Callable[..., Services]) -> None:
    """Budgets count in any unit."""
    services = metered(3000, "limit_tokens")
    play = open_play(services)
    begins(play, APIS["chat"])
    until_cut(play, APIS["chat"])

    posted, pending, debt = standing(services)
    assert pending == debt == 0
    assert posted <= 3000


def test_never_more_is_held_than_the_worst_case(open_play: Any, metered: Callable[..., Services]) -> None:
    """The caller's own limit ends the growing; a provider that ignores it passes the hold, which is shown."""
    services = metered(1)
    play = open_play(services)
    play.says(asks(stream=True, max_tokens=150))
    play.upstream.streams(ROLE)
    before = standing(services)[1]
    for _ in range(50):
        play.upstream.chunk(APIS["chat"].piece(WORDS))
    assert standing(services)[1] - before == 50 * OUTPUT_RATE
    usage = {"prompt_tokens": 9, "completion_tokens": 5000, "total_tokens": 5009}
    for last in (STOP, event({"choices": [], "usage": usage}), DONE, b""):
        play.upstream.chunk(last)

    entry = record(services)
    overshoot = float(entry["overshoot_usd"])
    assert overshoot == pytest.approx(float(entry["cost_usd"]) - float(entry["hold_usd"]))
    assert standing(services)[2] == round(overshoot * NANO) > 0


def test_what_one_read_brings_is_paid_for(open_play: Any, metered: Callable[..., Services]) -> None:
    """A piece larger than half a slice came before anybody could ask; its excess is debt, and shown."""
    services = metered(0.006)
    play = open_play(services)
    begins(play, APIS["chat"])
    play.upstream.chunk(APIS["chat"].piece("hi"))
    play.upstream.chunk(APIS["chat"].piece(WORDS * 60))

    assert play.upstream.closed
    posted, pending, debt = standing(services)
    assert pending == 0
    assert 0 < debt <= 600 * OUTPUT_RATE
    assert record(services)["overshoot_usd"] != "0"
    assert APIS["chat"].told(play.answer.body)
    assert posted <= 0.006 * NANO


def test_nothing_was_shown_yet(open_play: Any, metered: Callable[..., Services]) -> None:
    """Before the commit it is an error answer, with when to come back."""
    services = metered(0.004)
    play = open_play(services)
    begins(play, APIS["chat"])
    play.upstream.chunk(APIS["chat"].piece(WORDS * 60))

    assert play.answer.status == 429
    assert json.loads(play.answer.body)["error"]["code"] == "budget_exceeded"
    assert standing(services)[0] > 0


def test_a_client_that_left_pays_on(open_play: Any, metered: Callable[..., Services]) -> None:
    """What drains is held for like any stream, and let go at the cap."""
    services = metered(0.02)
    play = open_play(services)
    begins(play, APIS["chat"])
    play.upstream.chunk(APIS["chat"].piece(WORDS))
    play.leaves()
    until_cut(play, APIS["chat"])

    posted, pending, debt = standing(services)
    assert (pending, debt) == (0, 0)
    assert posted <= 0.02 * NANO
    assert play.ended == 1


def test_the_store_falls_silent(open_play: Any, metered: Callable[..., Services], monkeypatch: Any) -> None:
    """What is held may still be said; then the stream ends, because nobody knows whether there is money."""
    services = metered(1)
    play = open_play(services)
    begins(play, APIS["chat"])

    def silent(*args: Any) -> Any:
        raise StoreUnavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(services.ledger, "grow", silent)
        assert until_cut(play, APIS["chat"]) > 3

    assert last_event(play.answer.body)["error"]["code"] == "budget_store_unavailable"
    assert record(services)["rule"] == "budget_store_unavailable"
    assert standing(services)[1] == 0


def test_an_answer_that_comes_whole(open_play: Any, metered: Callable[..., Services]) -> None:
    """It was to be streamed: nobody can follow it, so its worst case is held, or it is let go."""
    services = metered(0.05)
    play = open_play(services)
    play.says(asks(stream=True, max_tokens=2000))
    first = standing(services)[1]
    play.upstream.says(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 400\r\n\r\n")
    assert standing(services)[1] - first == 1900 * OUTPUT_RATE
    play = open_play(services)
    play.says(asks(stream=True, max_tokens=9000))
    play.upstream.says(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 400\r\n\r\n")

    assert play.answer.status == 429
    assert play.upstream.closed


def test_the_spare_is_followed_as_well(open_play: Any, open_services: Callable[..., Services]) -> None:
    """A call that moves before its first content keeps its hold; the stream of the spare grows it and is cut."""
    budget = {"name": "cap", "scope": "all", "limit_usd": 0.02, "window": "lifetime"}
    rules = {"budgets": [budget], "hold": "metered", "metered": {"slice_tokens": SLICE}}
    services = open_services(budgets=rules, prices=PRICES, routes={
        "upstreams": {"spare": SPARE | {"price": {"input_mtok": 1, "output_mtok": 20}}},
        "routes": [{"name": "all", "match": {"model": "*"}, "targets": ["original", "spare"]}],
    })  # fmt: skip
    play = open_play(services)
    play.says(asks(stream=True))
    first = standing(services)[1]
    play.upstream.says(response(503, b"{}"))
    assert play.upstream.address == ("spare.example", 8080)
    assert standing(services)[1] > first, "a token costs more there"
    play.upstream.streams(ROLE)
    until_cut(play, APIS["chat"])

    assert APIS["chat"].told(play.answer.body)
    posted, pending, debt = standing(services)
    assert pending == debt == 0
    assert 0.01 * NANO < posted <= 0.02 * NANO
    assert [each["outcome"] for each in record(services)["attempts"]] == ["5xx", "budget_exceeded"]


def test_a_clamped_stream_needs_no_more(open_play: Any, open_services: Callable[..., Services]) -> None:
    """Where not even a slice fits, the call is given what does fit as its limit, and is held for that."""
    budget = {"name": "cap", "scope": "all", "limit_usd": 0.004, "window": "lifetime"}
    rules = {"budgets": [budget], "hold": "metered", "clamp_output": True}
    services = open_services(budgets=rules, prices=PRICES, routes={"routes": []})
    play = open_play(services)
    play.says(asks(stream=True, max_tokens=5000))
    _, _, body = play.upstream.got.partition(b"\r\n\r\n")
    limit = json.loads(body)["max_tokens"]
    play.upstream.streams(ROLE, *[APIS["chat"].piece(WORDS)] * 30)

    assert 16 <= limit < 256
    assert not play.upstream.closed
    assert standing(services)[1] <= 0.004 * NANO


# -- calls that do not stream -----------------------------------------------------------------------------------------


def whole_hold(open_play: Any, services: Services, **more: Any) -> int:
    """What is held for the output of a call that does not stream, which is then answered."""
    before = standing(services)[1]
    play = open_play(services)
    play.says(asks(**more))
    tokens = (standing(services)[1] - before) // OUTPUT_RATE
    play.upstream.says(response(200, said("hi")))
    return tokens


def test_whole_answers_are_held_in_full(open_play: Any, metered: Callable[..., Services]) -> None:
    """Whatever was learnt, unless the rules want it otherwise."""
    services = metered(100)
    learn(services, [50] * 200)

    assert whole_hold(open_play, services, max_tokens=5000) >= 5000
    assert record(services)["hold"] == {"kind": "full", "steps": 0}


def test_whole_answers_are_held_as_learnt(open_play: Any, metered: Callable[..., Services]) -> None:
    """In full until a hundred were seen, then what one in a hundred passes, never more than the caller's own limit."""
    services = metered(100, whole="learnt")
    assert whole_hold(open_play, services, max_tokens=5000) >= 5000
    learn(services, [700] * 99 + [4000])
    input_tokens = whole_hold(open_play, services, max_tokens=0)

    assert whole_hold(open_play, services, max_tokens=5000) == pytest.approx(700 + input_tokens, abs=2)
    assert record(services)["hold"] == {"kind": "learnt", "steps": 0}
    assert whole_hold(open_play, services, max_tokens=300) == pytest.approx(300 + input_tokens, abs=2)


def test_calls_teach(open_play: Any, metered: Callable[..., Services]) -> None:
    """Every answer that reports its usage, streamed or not."""
    services = metered(100, whole="learnt")
    for _ in range(60):
        whole_hold(open_play, services)
        play = open_play(services)
        play.says(asks(stream=True))
        play.upstream.streams(ROLE, APIS["chat"].piece("hi"), STOP, BILL, DONE, b"")

    assert services.learnt.output(LearntOf("openai", "gpt-4o", "o200k_base")) == 2


def test_hidden_thoughts_are_held_from_the_start(open_play: Any, metered: Callable[..., Services]) -> None:
    """What a model thinks and does not show is held beside the first slice once it was seen."""
    services = metered(100)
    thought = {"prompt_tokens": 9, "completion_tokens": 4000, "completion_tokens_details": {"reasoning_tokens": 3998}}
    first = stream_hold(open_play, services, thought)

    assert record(services)["overshoot_usd"] != "0"
    second = stream_hold(open_play, services, thought)
    assert second - first == pytest.approx(3999 * OUTPUT_RATE, abs=2 * OUTPUT_RATE)
    assert record(services)["overshoot_usd"] == "0"


def test_silence_of_a_thinker_is_held_for(open_play: Any, metered: Callable[..., Services]) -> None:
    """Longer thoughts than were seen before: the hold grows with the silence, before and after the first word."""
    services = metered(100)
    stream_hold(open_play, services, {"prompt_tokens": 9, "completion_tokens": 500})
    before = standing(services)[1]
    play = open_play(services)
    play.says(asks(stream=True))
    first = standing(services)[1] - before
    play.passes(10)
    waited = standing(services)[1] - before - first
    play.upstream.streams(ROLE, APIS["chat"].piece("hi"))
    for _ in range(20):
        play.passes(0.5)
        play.upstream.chunk(APIS["chat"].piece("hi"))
    spoken = standing(services)[1] - before - first

    assert 8 * 200 * OUTPUT_RATE <= waited + 500 * OUTPUT_RATE <= (10 * 200 + SLICE) * OUTPUT_RATE
    assert spoken - waited <= SLICE * OUTPUT_RATE, "a stream that speaks does not think unseen"


def test_silence_of_others_is_no_thought(open_play: Any, metered: Callable[..., Services]) -> None:
    """A model that was never seen to think unseen is slow, no more."""
    services = metered(100)
    play = open_play(services)
    play.says(asks(stream=True))
    first = standing(services)[1]
    play.passes(10)

    assert standing(services)[1] == first


def test_thoughts_without_end_are_cut(open_play: Any, metered: Callable[..., Services]) -> None:
    """Where there is no money for more of them: an error answer, charged for what was thought by then."""
    services = metered(0.05)
    stream_hold(open_play, services, {"prompt_tokens": 9, "completion_tokens": 500})
    before = standing(services)[0]
    play = open_play(services)
    play.says(asks("gpt-4o", stream=True))
    play.upstream.streams(ROLE)
    play.passes(29)

    assert play.answer.status == 429
    assert play.upstream.closed
    posted, pending, debt = standing(services)
    assert pending == 0
    assert before + 3000 * OUTPUT_RATE < posted + debt <= 0.05 * NANO


def test_silence_before_the_first_byte_is_charged(open_play: Any, metered: Callable[..., Services]) -> None:
    """Some providers say nothing at all until they have thought; whoever is cut then has cost that."""
    services = metered(0.05)
    stream_hold(open_play, services, {"prompt_tokens": 9, "completion_tokens": 500})
    before = standing(services)[0]
    play = open_play(services)
    play.says(asks(stream=True))
    play.passes(29)

    assert play.answer.status == 429
    assert standing(services)[1] == 0
    assert before + 3000 * OUTPUT_RATE < standing(services)[0] <= 0.05 * NANO
    assert record(services)["usage_source"] == "estimate"


def stream_hold(open_play: Any, services: Services, usage: dict[str, Any]) -> int:
    """What is held when a stream begins, which then ends with this usage."""
    before = standing(services)[1]
    play = open_play(services)
    play.says(asks(stream=True))
    held = standing(services)[1] - before
    play.upstream.streams(ROLE, APIS["chat"].piece("hi"), STOP, event({"choices": [], "usage": usage}), DONE, b"")
    return held


def learn(services: Services, outputs: list[int]) -> None:
    for output in outputs:
        services.learnt.note(LearntOf("openai", "gpt-4o", "o200k_base"), output)


# -- what is no text --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "more", "expected"),
    [
        ("/v1/chat/completions", {}, True),
        ("/v1/chat/completions", {"modalities": ["text", "audio"], "audio": {"voice": "alloy"}}, False),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": '{"modalities": 1}'}]}, True),
        ("/v1/responses", {"tools": [{"type": "image_generation"}]}, False),
        ("/v1/audio/speech", {"stream_format": "sse"}, False),
        ("/v1/threads/t/runs", {}, False),
        ("/v1/unheard-of", {}, False),
    ],
)
def test_what_is_metered(metered: Callable[..., Services], path: str, more: dict[str, Any], expected: bool) -> None:
    """Streams that are all text; what else costs tokens cannot be counted as it comes, and is held in full."""
    format_ = format_named("openai")
    state = CallState(
        metered(1).engines.rules, Host((OPENAI,), "openai", "openai"), format_, format_.identify("POST", path)
    )
    state.body = classify(json.dumps({"model": "gpt-4o", "stream": True} | more).encode(), "application/json")
    state.facts = RequestFacts(model="gpt-4o", stream=True)

    assert is_text(state) is expected


# -- WebSockets -------------------------------------------------------------------------------------------------------


def delta_message(text: str) -> dict[str, Any]:
    return {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": text}


def test_a_response_over_a_websocket_is_cut(open_play: Any, metered: Callable[..., Services]) -> None:
    """As Codex speaks: the error event of the API, then the connection is closed, with nothing left open."""
    services = metered(0.03)
    ends = Ends(open_play(services), "/v1/responses")
    ends.client_says({"type": "response.create", "model": "gpt-4o", "input": "hello"})
    assert 0 < standing(services)[1] < 0.03 * NANO / 2
    ends.server_says({"type": "response.created", "response": {"id": "r", "model": "gpt-4o"}})
    said = 0
    while ends.play.flow and not ends.play.upstream.closed and said < 2000:
        ends.server_says(delta_message(WORDS))
        said += 1

    seen = [json.loads(each.data) for each in ends.client_saw if hasattr(each, "data")]
    assert seen[-1]["type"] == "error"
    assert seen[-1]["error"]["code"] == "budget_exceeded"
    assert len(seen) == said + 2
    posted, pending, debt = standing(services)
    assert pending == debt == 0
    assert 0.03 * NANO * 0.5 < posted <= 0.03 * NANO
    found = [entry for entry in records(services) if entry["rule"] == "cap"]
    assert [entry["hold"]["kind"] for entry in found] == ["metered"]


def test_speech_is_held_in_full(talk: Speak, metered: Callable[..., Services]) -> None:
    """Realtime speaks, and sound shows no tokens."""
    services = metered(100)
    session = talk(services, "/v1/realtime?model=gpt-realtime")
    session.client({"type": "response.create"})
    for _ in range(50):
        session.server({"type": "response.output_audio_transcript.delta", "response_id": "r", "delta": WORDS})

    held = standing(services)[1]
    assert held > 1000 * OUTPUT_RATE


def records(services: Services) -> list[dict[str, Any]]:
    return list(read(services.state.audit))


def test_full_is_full(open_play: Any, open_services: Callable[..., Services]) -> None:
    """Without the rule a stream is held for its worst case, and nothing grows."""
    budget = {"name": "cap", "scope": "all", "limit_usd": 100, "window": "lifetime"}
    services = open_services(budgets={"budgets": [budget]}, prices=PRICES, routes={"routes": []})
    play = open_play(services)
    play.says(request(PATH, chat(stream=True, max_tokens=3000)))
    held = standing(services)[1]
    assert held > 3000 * OUTPUT_RATE
    play.upstream.streams(ROLE, *[APIS["chat"].piece(WORDS)] * 50)
    assert standing(services)[1] == held
