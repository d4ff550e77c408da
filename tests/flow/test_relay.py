"""WebSocket through our HTTP layer: texts both ways, a hold and a record per response, and every way it can end."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playbook import Playbook
from sockets import CloseConnection, Ends, Ping, Pong, accepted, upgrade
from talk import EMAIL
from wsproto.events import TextMessage

from outwarden.audit import read
from outwarden.flow import drain
from outwarden.flow.services import Services

RESPONSES, REALTIME = "/v1/responses", "/v1/realtime?model=gpt-realtime"
USAGE = {"input_tokens": 20, "output_tokens": 5, "total_tokens": 25}
APPEND = {"type": "input_audio_buffer.append", "audio": "AAAA" * 400}

Play = Callable[..., Playbook]


def create(text: str = "hello", **more: Any) -> dict[str, Any]:
    """A turn of Codex's."""
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    return {"type": "response.create", "model": "gpt-4o", "input": [item], "max_output_tokens": 100} | more


def created() -> dict[str, Any]:
    return {"type": "response.created", "response": {"id": "resp_1", "model": "gpt-4o", "status": "in_progress"}}


def delta(text: str) -> dict[str, Any]:
    return {"type": "response.output_text.delta", "item_id": "i", "output_index": 0, "content_index": 0, "delta": text}


def done(text: str) -> dict[str, Any]:
    return {"type": "response.output_text.done", "item_id": "i", "output_index": 0, "content_index": 0, "text": text}


def completed(kind: str = "response.completed", usage: Any = USAGE) -> dict[str, Any]:
    return {"type": kind, "response": {"id": "resp_1", "model": "gpt-4o-2024", "status": "completed", "usage": usage}}


def answer(*pieces: str) -> list[dict[str, Any]]:
    """A whole response."""
    return [created(), *map(delta, pieces), done("".join(pieces)), completed()]


def text_in(messages: list[Any]) -> str:
    """The text that a client puts together from the pieces."""
    return "".join(m["delta"] for m in messages if str(m.get("type")).endswith("text.delta"))


def responses(services: Services) -> list[dict[str, Any]]:
    """The records of responses, without those of connections; this session's are told apart by their number."""
    return [entry for entry in read(services.state.audit) if entry["usage_source"] or entry["verdict"] != "allowed"]


def spent(services: Services) -> tuple[int, int]:
    """(posted, pending) over all budgets."""
    states = services.ledger.states(services.engines.rules.budgets)
    return sum(s.posted for s in states), sum(s.pending for s in states)


def test_the_handshake_reaches_the_upstream_without_extensions(play: Playbook) -> None:
    ends = Ends(
        play, RESPONSES, headers={"sec-websocket-extensions": "permessage-deflate", "authorization": "Bearer x"}
    )

    assert ends.asked.startswith("GET /v1/responses HTTP/1.1")
    assert "extensions" not in ends.asked.lower()
    assert "authorization: Bearer x" in ends.asked
    assert ends.answered.startswith("HTTP/1.1 101")
    assert "x-outwarden-call-id" in ends.answered
    assert play.hooks == ["requestheaders", "request", "responseheaders", "websocket_start", "response", "call_end"]


def test_values_are_taken_out_and_put_back(play: Playbook, services: Services) -> None:
    ends = Ends(play, RESPONSES)
    ends.client_says(create(f"Write to {EMAIL}."))

    (sent,) = ends.at_server
    text = sent["input"][0]["content"][0]["text"]
    name = re.search(r"\[EMAIL_ADDRESS_\w+\]", text)
    assert name
    assert EMAIL not in json.dumps(sent)

    whole = f"I wrote to {name[0]}, as you said."
    ends.server_says(*answer(*re.findall("...?", whole)))

    assert text_in(ends.at_client) == whole.replace(name[0], EMAIL)
    assert ends.at_client[-2]["text"] == whole.replace(name[0], EMAIL)
    entry = responses(services)[-1]
    assert entry["redactions"]["request"] == {"EMAIL_ADDRESS": 1}
    assert entry["restored"] >= 1
    assert entry["usage"] == {"input_tokens": 20, "output_tokens": 5}
    assert entry["usage_source"] == "provider"
    assert entry["served"]["model"] == "gpt-4o-2024"
    assert entry["status"] == 101


def test_untouched_messages_are_the_same_bytes(play: Playbook) -> None:
    ends = Ends(play, RESPONSES)
    odd = '{"type" : "response.create","model":"gpt-4o",  "input":"caf\\u00e9 \\/ 1.0","max_output_tokens":50, "x":1e2}'
    ends.client_says(odd)
    ends.server_says('{"type": "codex.rate_limits" , "n": 1.50}')

    assert ends.server_saw[0].data == odd  # type: ignore[attr-defined]
    assert ends.client_saw[0].data == '{"type": "codex.rate_limits" , "n": 1.50}'  # type: ignore[attr-defined]


def test_each_response_has_its_hold_and_record(play: Playbook, services: Services) -> None:
    before, count = spent(services), len(responses(services))
    ends = Ends(play, RESPONSES)
    assert spent(services)[1] == before[1], "the connection itself costs nothing"
    for turn in range(3):
        ends.client_says(create(f"turn {turn}"))
        assert spent(services)[1] > before[1], "held before it is sent"
        ends.server_says(*answer("well"))
        assert spent(services)[1] == before[1]

    records = responses(services)[count:]
    assert len(records) == 3
    assert len({entry["call_id"] for entry in records}) == 3
    assert spent(services)[0] > before[0]


def test_a_later_turn_restores_what_an_earlier_one_sent(play: Playbook) -> None:
    ends = Ends(play, RESPONSES)
    ends.client_says(create(f"I am {EMAIL}"))
    name = re.search(r"\[EMAIL_ADDRESS_\w+\]", json.dumps(ends.at_server[0]))
    assert name
    ends.server_says(*answer("hello"))
    ends.client_says(create("who am I?", previous_response_id="resp_1"))
    ends.server_says(*answer("You are ", name[0]))

    assert text_in(ends.at_client[4:]) == f"You are {EMAIL}"


def test_a_value_that_an_earlier_message_explained_is_known_in_a_later_one(play: Playbook) -> None:
    """Nothing around the bare number says what it is; the message before did."""
    ends = Ends(play, RESPONSES)
    ends.client_says(create("my ssn is 281440067"))
    ends.server_says(*answer("noted"))
    ends.client_says(create("thanks"), create("so it was 281440067 / again 281440067x"))

    first, _, later = (message["input"][0]["content"][0]["text"] for message in ends.at_server)
    name = first.removeprefix("my ssn is ")
    assert "281" not in name
    assert later == f"so it was {name} / again 281440067x"


def test_a_refused_budget_is_an_error_event_and_the_connection_stays(open_services: Any, open_play: Play) -> None:
    services = open_services(
        budgets={"budgets": [{"name": "tiny", "scope": "all", "limit_requests": 1, "window": "day"}]}
    )
    ends = Ends(open_play(services), RESPONSES)
    ends.client_says(create("one"))
    ends.server_says(*answer("fine"))
    ends.client_says(create("two", event_id="mine"))

    assert len(ends.at_server) == 1
    refused = ends.at_client[-1]
    assert refused["type"] == "error"
    assert refused["status"] == 429
    assert refused["error"]["code"] == "budget_exceeded"
    assert refused["error"]["event_id"] == "mine"
    assert refused["headers"]["x-should-retry"] == "false"
    assert int(refused["headers"]["retry-after"]) > 0
    assert ends.client_close is None
    assert responses(services)[-1]["verdict"] == "refused"
    assert responses(services)[-1]["rule"] == "tiny"


def test_a_refused_value_stays_here(play: Playbook, services: Services) -> None:
    ends = Ends(play, RESPONSES)
    ends.client_says(create("my key is sk-proj-Zq8vTn4LrXw2YbHs6KdMj9PfGc3RaEu7"))

    assert ends.at_server == []
    assert ends.at_client[-1]["error"]["code"] == "pii_refused"
    assert responses(services)[-1]["rule"] == "pii API_KEY"
    ends.client_says(create("and now without"))
    assert len(ends.at_server) == 1


def test_speech_is_held_for_before_it_is_sent(play: Playbook, services: Services) -> None:
    """The provider begins a response when it hears the end of a sentence: the first piece of speech takes the hold."""
    before = spent(services)[1]
    ends = Ends(play, REALTIME)
    ends.client_says({"type": "session.update", "session": {"instructions": "be brief"}})
    assert spent(services)[1] == before
    ends.client_says(APPEND, APPEND)
    held = spent(services)[1]
    assert held > before
    assert [m["type"] for m in ends.at_server] == ["session.update"] + ["input_audio_buffer.append"] * 2

    ends.server_says(created(), delta("yes?"), completed("response.done"))
    assert spent(services)[1] == before
    ends.client_says(APPEND)
    assert spent(services)[1] > before


def test_speech_without_detection_is_not_held_for(play: Playbook, services: Services) -> None:
    before = spent(services)[1]
    ends = Ends(play, REALTIME)
    ends.client_says({"type": "session.update", "session": {"audio": {"input": {"turn_detection": None}}}}, APPEND)
    assert spent(services)[1] == before
    ends.client_says({"type": "response.create"})
    assert spent(services)[1] > before


def test_refused_speech_is_told_once(open_services: Any, open_play: Play) -> None:
    services = open_services(
        budgets={"budgets": [{"name": "none", "scope": "all", "limit_requests": 0, "window": "day"}]}
    )
    ends = Ends(open_play(services), REALTIME)
    ends.client_says(*[APPEND] * 50)

    assert ends.at_server == []
    assert [m["error"]["code"] for m in ends.at_client] == ["budget_exceeded"]


def test_an_error_of_the_provider_gives_the_hold_back(play: Playbook, services: Services) -> None:
    before = spent(services)
    ends = Ends(play, REALTIME)
    ends.client_says({"type": "response.create"})
    ends.server_says({"type": "error", "error": {"type": "invalid_request_error", "code": "bad", "message": "no"}})

    assert spent(services) == before
    assert ends.at_client[-1]["type"] == "error"


def test_events_of_two_responses_do_not_mix(play: Playbook) -> None:
    """Out-of-band responses of Realtime come at once; each text is put together by its own response's id."""
    ends = Ends(play, REALTIME)
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": EMAIL}]}
    ends.client_says({"type": "conversation.item.create", "item": item}, {"type": "response.create"})
    name = ends.at_server[0]["item"]["content"][0]["text"]
    assert name.startswith("[EMAIL_ADDRESS_")
    ends.server_says(*(delta(name[:8]) | {"response_id": "a"}, delta("other") | {"response_id": "b"}))
    ends.server_says(delta(name[8:] + ".") | {"response_id": "a"}, delta(" text.") | {"response_id": "b"})
    ends.server_says(completed("response.done"))

    by_id: dict[str, str] = {}
    for message in ends.at_client:
        if "delta" in message:
            by_id[message["response_id"]] = by_id.get(message["response_id"], "") + message["delta"]
    assert by_id == {"a": EMAIL + ".", "b": "other text."}


def test_binary_audio_passes(play: Playbook) -> None:
    ends = Ends(play, REALTIME)
    sound = bytes(range(256)) * 4
    ends.client_says(sound)
    ends.server_says(sound)

    assert ends.at_server == [sound]
    assert ends.at_client == [sound]


def test_fragments_are_joined(play: Playbook) -> None:
    ends = Ends(play, RESPONSES)
    text = json.dumps(create(f"mail {EMAIL} now"))
    cut = text.index(EMAIL) + 4
    ends.client_sends(TextMessage(text[:cut], message_finished=False))
    assert ends.at_server == []
    ends.client_sends(TextMessage(text[cut:]))

    assert EMAIL not in json.dumps(ends.at_server)
    assert len(ends.at_server) == 1


def test_pings_and_pongs_pass(play: Playbook) -> None:
    ends = Ends(play, RESPONSES)
    ends.client_sends(Ping(b"a"))
    ends.server_sends(Pong(b"a"))
    ends.server_sends(Ping(b"b"))

    assert [type(e) for e in ends.server_saw] == [Ping]
    assert [type(e) for e in ends.client_saw] == [Pong, Ping]


def test_a_personal_ping_is_answered_here(play: Playbook) -> None:
    """It reaches nobody; the client hears what it waits for."""
    ends = Ends(play, RESPONSES)
    for frame in (Ping(EMAIL.encode()), Pong(EMAIL.encode()), Ping(b"1790000000.123")):
        ends.client_sends(frame)

    assert [(type(e), bytes(e.payload)) for e in ends.client_saw] == [(Pong, EMAIL.encode())]
    assert [(type(e), bytes(e.payload)) for e in ends.server_saw] == [(Ping, b"1790000000.123")]


def test_why_the_client_closes_is_read(play: Playbook) -> None:
    """A reason is a text as any other: values leave as names."""
    ends = Ends(play, RESPONSES)
    ends.client_sends(CloseConnection(4000, f"bye, {EMAIL}"))

    assert ends.server_close
    assert ends.server_close.code == 4000
    assert (ends.server_close.reason or "").startswith("bye, [EMAIL_ADDRESS_")


def test_why_the_provider_closes_is_read(play: Playbook) -> None:
    """The caller's own value comes back, and what is new and personal is masked."""
    ends = Ends(play, RESPONSES)
    ends.client_sends(TextMessage(json.dumps(create(f"to {EMAIL}"))))
    (name,) = re.findall(r"\[EMAIL_ADDRESS_\w+\]", json.dumps(ends.at_server))
    ends.server_sends(CloseConnection(1008, f"neither {name} nor new.one@quarzbach-mail.com"))

    assert ends.client_close
    assert (ends.client_close.code, ends.client_close.reason) == (1008, f"neither {EMAIL} nor [EMAIL_ADDRESS]")


def test_a_reason_that_cannot_be_read_is_left_out(play: Playbook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Closed when in doubt, and closed it is."""

    def fail(self: Any, texts: Any) -> Any:
        raise RuntimeError

    ends = Ends(play, RESPONSES)
    monkeypatch.setattr("outwarden.pii.rewriters.RequestRewriter.edits", fail)
    ends.client_sends(CloseConnection(1000, "nobody knows what"))

    assert ends.server_close
    assert (ends.server_close.code, ends.server_close.reason or "") == (1000, "")


@pytest.mark.parametrize("code", [1000, 1001, 4000])
def test_a_close_of_the_provider_is_passed_on(play: Playbook, code: int) -> None:
    ends = Ends(play, RESPONSES)
    ends.server_sends(CloseConnection(code, "bye"))

    assert ends.client_close
    assert (ends.client_close.code, ends.client_close.reason) == (code, "bye")
    assert play.client_closed
    assert play.upstream.closed
    assert play.hooks[-1] == "websocket_end"


def test_a_close_of_the_client_is_passed_on(play: Playbook) -> None:
    ends = Ends(play, RESPONSES)
    ends.client_sends(CloseConnection(1000, "done"))

    assert ends.server_close
    assert ends.server_close.code == 1000
    assert play.upstream.closed
    assert play.client_closed


def test_an_upstream_that_breaks_off_is_told(play: Playbook, services: Services) -> None:
    pending = spent(services)[1]
    ends = Ends(play, RESPONSES)
    ends.client_says(create())
    ends.server_says(created(), delta("half an"))
    play.upstream.breaks()
    ends._read()

    assert ends.at_client[-1]["error"]["code"] == "upstream_cut"
    assert ends.client_close
    assert ends.client_close.code == 1011
    entry = responses(services)[-1]
    assert (entry["usage_source"], entry["verdict"], entry["status"]) == ("estimate", "failed", 502)
    assert [attempt["outcome"] for attempt in entry["attempts"]] == ["stream_error"]
    assert spent(services)[1] == pending


def test_an_upstream_that_breaks_off_again_and_again_is_left_alone(
    open_play: Callable[..., Playbook], open_services: Callable[..., Services]
) -> None:
    """Responses count for its breaker, each by itself: what went well before does not hide an outage."""
    services = open_services(routes={"routes": []})  # so with the breaker that calls have without a route
    name, states = "original api.openai.com gpt-4o", []
    for _ in range(5):
        play = open_play(services)
        ends = Ends(play, RESPONSES)
        ends.client_says(create())
        ends.server_says(*answer("well"))
        ends.client_says(create())
        ends.server_says(created(), delta("half an"))
        states.append(services.health.states(play.clock.now).get(name, "closed"))
        play.upstream.breaks()

    assert states == ["closed"] * 5
    assert services.health.states(play.clock.now)[name] == "open"


def test_a_client_that_leaves_while_it_is_answered_is_charged_in_truth(play: Playbook, services: Services) -> None:
    pending = spent(services)[1]
    ends = Ends(play, RESPONSES)
    ends.client_says(create())
    ends.server_says(created(), delta("half an"))
    play.leaves()
    assert not play.upstream.closed
    play.upstream.says(b"".join(ends._server.send(TextMessage(json.dumps(m))) for m in (delta(" answer"), completed())))

    assert play.upstream.closed
    entry = responses(services)[-1]
    assert entry["usage_source"] == "provider"
    assert entry["usage"] == {"input_tokens": 20, "output_tokens": 5}
    assert spent(services)[1] == pending


def test_an_upstream_that_breaks_off_while_it_thinks_may_have_billed(play: Playbook, services: Services) -> None:
    pending = spent(services)[1]
    ends = Ends(play, RESPONSES)
    ends.client_says(create())
    ends.server_says(created())
    play.upstream.breaks()

    assert responses(services)[-1]["usage_source"] == "estimate"
    assert spent(services)[1] == pending


def test_the_drain_ends(play: Playbook, services: Services) -> None:
    pending = spent(services)[1]
    ends = Ends(play, RESPONSES)
    ends.client_says(create())
    ends.server_says(created(), delta("and on"))
    play.leaves()
    play.passes(drain.DRAIN_S + 1)

    assert play.upstream.closed
    assert responses(services)[-1]["usage_source"] == "estimate"
    assert responses(services)[-1]["verdict"] == "client_gone"
    assert spent(services)[1] == pending


def test_a_message_over_the_bound_ends_the_connection(open_services: Any, open_play: Play) -> None:
    services = open_services(traffic={"max_body_mib": 1})
    ends = Ends(open_play(services), RESPONSES)
    ends.client_sends(TextMessage("x" * 600_000, message_finished=False))
    ends.client_sends(TextMessage("x" * 600_000))

    assert ends.client_close
    assert ends.client_close.code == 1009
    assert ends.at_server == []


def test_a_server_message_that_is_no_json_ends_the_connection(play: Playbook) -> None:
    ends = Ends(play, RESPONSES)
    ends.server_says('{"type": "response.crea')

    assert ends.client_close
    assert play.upstream.closed


def test_a_stage_that_fails_after_the_hold_gives_it_back(
    play: Playbook, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError(EMAIL)

    monkeypatch.setattr("outwarden.route_call.rename_model", fail)
    before = spent(services)
    ends = Ends(play, RESPONSES)
    ends.client_says(create())

    assert ends.at_server == []
    assert ends.client_close
    assert spent(services) == before


def test_a_failing_stage_lets_nothing_through(play: Playbook, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = Ends(play, RESPONSES)
    assert play.flow

    def fail(*args: Any, **more: Any) -> Any:
        raise RuntimeError(EMAIL)

    monkeypatch.setattr("outwarden.redact_pii.rewrite_body", fail)
    ends.client_says(create(EMAIL))

    assert ends.at_server == []
    assert ends.at_client[-1]["error"]["code"] == "outwarden_error"
    assert ends.client_close
    assert play.upstream.closed
    assert not any(EMAIL in line for line in play.logged)


def test_an_upstream_that_refuses_the_handshake_answers_for_itself(play: Playbook) -> None:
    play.says(upgrade(RESPONSES))
    play.upstream.says(b'HTTP/1.1 401 X\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n{"error": {}}')

    assert play.answer.status == 401


@pytest.mark.parametrize(
    "wrong", [{"sec-websocket-accept": "nonsense"}, {"sec-websocket-extensions": "permessage-deflate"}]
)
def test_a_wrong_handshake_is_a_failed_upstream(open_play: Play, wrong: dict[str, str]) -> None:
    play = open_play()
    play.says(upgrade("/v1/realtime?model=gpt-4o-mini"))  # a model whose route has one target
    play.upstream.says(accepted(wrong))

    assert play.answer.status == 502


def test_a_dead_upstream_is_left_for_the_next(play: Playbook) -> None:
    play.connects = lambda address: "refused" if address[0] == "api.openai.com" else None
    play.says(upgrade(REALTIME))

    assert play.upstream.address[0] == "spare.example"
    assert b"GET /v1/realtime?model=spare-model " in play.upstream.got


@pytest.mark.parametrize("path", ["/v1/files", "/v1/chat/completions", "/nobody/knows"])
def test_what_nobody_described_is_refused(play: Playbook, path: str) -> None:
    play.says(upgrade(path))

    assert play.answer.status == 426
    assert play.upstreams == []


def test_a_key_in_the_protocols_names_the_caller_and_is_hidden(play: Playbook, services: Services) -> None:
    key = "sk-browser-0123456789"
    ends = Ends(play, REALTIME, headers={"sec-websocket-protocol": f"realtime, openai-insecure-api-key.{key}, x"})

    assert key in ends.asked
    *_, entry = read(services.state.audit)
    assert entry["caller"]["api_key_id"].startswith("sha256:")
    assert play.flow
    assert key not in str(play.flow.get_state())


def test_mitmweb_sees_the_last_messages_as_the_provider_does(play: Playbook) -> None:
    ends = Ends(play, RESPONSES)
    for turn in range(60):
        ends.client_says(create(f"{turn} {EMAIL}"))
        ends.server_says(*answer("ok"))
    assert play.flow
    assert play.flow.websocket
    assert 0 < len(play.flow.websocket.messages) <= 100
    assert EMAIL not in str(play.flow.get_state())


def test_gemini_live_in_both_directions(play: Playbook, services: Services) -> None:
    path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=abc"
    ends = Ends(play, path, host="generativelanguage.googleapis.com")
    setup = {"setup": {"model": "models/gemini-2.5-flash", "generationConfig": {"maxOutputTokens": 100}}}
    turn = {"clientContent": {"turns": [{"role": "user", "parts": [{"text": EMAIL}]}], "turnComplete": True}}
    ends.client_says(json.dumps(setup).encode(), turn)  # Google's SDK sends text, Google itself binary frames
    ends.server_says(b'{"setupComplete": {}}')
    name = ends.at_server[1]["clientContent"]["turns"][0]["parts"][0]["text"]
    assert name.startswith("[EMAIL_ADDRESS_")
    for piece in re.findall("....?", f"To {name}, then."):
        ends.server_says(json.dumps({"serverContent": {"outputTranscription": {"text": piece}}}).encode())
    usage = {"promptTokenCount": 10, "responseTokenCount": 4, "totalTokenCount": 14}
    ends.server_says(json.dumps({"serverContent": {"turnComplete": True}, "usageMetadata": usage}).encode())

    said = "".join(m["serverContent"]["outputTranscription"]["text"] for m in ends.at_client[1:-1])
    assert said == f"To {EMAIL}, then."
    entry = responses(services)[-1]
    assert entry["usage"] == {"input_tokens": 10, "output_tokens": 4}
    assert entry["model"] == "gemini-2.5-flash"


# -- long messages ----------------------------------------------------------------------------------------------------

PROSE = "Ada Quill went to the station and read the report on the quiet river. " * 40


@pytest.fixture
def reading(open_services: Any) -> Services:
    """With the bundled model for names."""
    return open_services(pii={"ner": {"model": "bundled"}})  # type: ignore[no-any-return]


def test_a_long_message_is_read_aside(reading: Services, open_play: Play) -> None:
    """In both directions; names are taken out and put back as ever."""
    play = open_play(reading)
    ends = Ends(play, RESPONSES)
    ends.client_says(create(PROSE))
    assert play.hooks.count("read_aside") == 1
    (sent,) = ends.at_server
    text = sent["input"][0]["content"][0]["text"]
    assert "Ada Quill" not in text
    ends.server_says(created(), delta(text), done(text))
    assert text_in(ends.at_client) == PROSE
    assert play.hooks.count("read_aside") == 3


def test_what_is_short_or_no_text_is_read_at_once(reading: Services, services: Services, open_play: Play) -> None:
    """The way to another thread costs more than reading it; without a model nothing takes long."""
    play = open_play(reading)
    ends = Ends(play, REALTIME)
    ends.client_says(create("Ada Quill is here."), APPEND, {**APPEND, "audio": "AbC+/" * 20_000})
    ends.server_says({"type": "response.output_audio.delta", "delta": "AbC+/" * 20_000})
    plain = open_play(services)
    Ends(plain, RESPONSES).client_says(create(PROSE))

    assert "read_aside" not in play.hooks + plain.hooks


def test_messages_keep_their_order_while_one_is_read(reading: Services, open_play: Play) -> None:
    """What comes meanwhile from either side waits for it."""
    play = open_play(reading)
    ends = Ends(play, RESPONSES)
    arrived: list[int] = []

    def meanwhile(name: str, data: Any) -> None:
        if name == "read_aside" and not arrived:
            arrived.append(1)
            for number in range(3):
                play.says(ends._client.send(TextMessage(json.dumps(create(f"short {number}")))))
            play.upstream.says(ends._server.send(TextMessage(json.dumps({"type": "codex.rate_limits"}))))

    play.before = meanwhile
    ends.client_says(create(PROSE), create("last"))

    assert arrived
    texts = [message["input"][0]["content"][0]["text"][:7] for message in ends.at_server]
    assert texts == ["[PERSON", "short 0", "short 1", "short 2", "last"]
    assert [message["type"] for message in ends.at_client] == ["codex.rate_limits"]


def test_what_fails_aside_lets_nothing_through(
    reading: Services, open_play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = open_play(reading)
    ends = Ends(play, RESPONSES)

    def fail(*args: Any, **more: Any) -> Any:
        raise RuntimeError(EMAIL)

    monkeypatch.setattr("outwarden.redact_pii.rewrite_body", fail)
    ends.client_says(create(PROSE))

    assert play.hooks.count("read_aside") == 1
    assert ends.at_server == []
    assert ends.at_client[-1]["error"]["code"] == "outwarden_error"
    assert ends.client_close


def test_a_hook_that_nobody_answers_leaves_the_message_to_be_read_here(reading: Services, open_play: Play) -> None:
    """mitmproxy skips our addon where one before it fails."""
    play = open_play(reading)
    play.skipped = {"read_aside"}
    ends = Ends(play, RESPONSES)
    ends.client_says(create(PROSE))

    assert "Ada Quill" not in json.dumps(ends.at_server)
    assert len(ends.at_server) == 1
