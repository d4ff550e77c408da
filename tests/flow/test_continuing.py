"""A stream that breaks off after its first content is gone on with elsewhere, and its client sees one message."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from fixtures import SPARE, Open, route
from playbook import Playbook, Upstream, response, response_head
from talk import BILL, DONE, EMAIL, FAULT, ROLE, STOP, asks, attempts, delta, error_of, event, piece, record, text_of

from outwarden.flow.continuing import CONTINUATIONS_MAX
from outwarden.flow.services import Services
from outwarden.routing import Health

NANO = 10**9
CLAUDE = {
    "url": "http://claude.example:8080",
    "provider": "anthropic",
    "format": "anthropic",
    "model": "claude-haiku-4-5",
    "price": {"input_mtok": 1, "output_mtok": 5},
}
ROUTES = {
    "upstreams": {
        "spare": SPARE,
        "third": SPARE | {"url": "http://third.example:8080/v1"},
        "unable": SPARE | {"url": "http://unable.example:8080/v1", "prefill": False},
        "claude": CLAUDE,
    },
    "routes": [
        route("crossing", "gpt-4.1", ["original", "claude"], rescue="continue"),
        route("again", "gpt-4.1-mini", ["spare"], rescue="continue", retries=1),
        route("rest", "*", ["original", "unable", "spare", "third"], rescue="continue"),
    ],
}


@pytest.fixture(scope="module")
def module_services(open_services: Open) -> Services:
    """Services under rules that let others go on."""
    return open_services(routes=ROUTES)


def begins(play: Playbook, *texts: str, **more: Any) -> Upstream:
    """A call whose answer has begun with these texts."""
    play.says(asks(stream=True, **more))
    play.upstream.streams(ROLE, *map(piece, texts))
    assert text_of(play.answer.body)
    return play.upstream


def sent(upstream: Upstream) -> dict[str, Any]:
    """The body of the request that an upstream got."""
    return dict(json.loads(upstream.got.partition(b"\r\n\r\n")[2]))


def resets(upstream: Upstream, play: Playbook) -> None:
    upstream.breaks()


def ends_early(upstream: Upstream, play: Playbook) -> None:
    upstream.chunk(b"")


def fails_in_band(upstream: Upstream, play: Playbook) -> None:
    upstream.chunk(FAULT)


def garbles(upstream: Upstream, play: Playbook) -> None:
    upstream.chunk(b'data: {"choices": [{"ind\n\n')


def stalls(upstream: Upstream, play: Playbook) -> None:
    play.passes(16)


BREAKS: dict[str, tuple[Callable[[Upstream, Playbook], None], str]] = {
    "reset": (resets, "stream_error"),
    "ended early": (ends_early, "stream_error"),
    "in-band error": (fails_in_band, "stream_error"),
    "malformed": (garbles, "stream_error"),
    "stall": (stalls, "timeout"),
}


@pytest.mark.parametrize("how", BREAKS)
@pytest.mark.parametrize("stream_options", [None, {"include_usage": True}])
def test_another_upstream_goes_on(play: Playbook, services: Services, how: str, stream_options: Any) -> None:
    """Of those that can, the next: it is sent what was said, and what it says is more of the same message."""
    break_off, outcome = BREAKS[how]
    first = begins(play, "One, ", "two, ", **({"stream_options": stream_options} if stream_options else {}))
    break_off(first, play)
    second = play.upstream
    assert second.address == ("spare.example", 8080)
    asked = sent(second)
    assert asked["messages"][-1] == {"role": "assistant", "content": "One, two,"}
    assert (asked["continue_final_message"], asked["add_generation_prompt"]) == (True, False)
    second.streams(ROLE, piece(" three."), STOP, BILL, DONE, b"")

    body = play.answer.body
    assert text_of(body) == "One, two, three."
    assert (body.count(b'"role"'), body.count(b"[DONE]"), body.count(b'"usage": {')) == (1, 1, 0)
    assert body.count(b'"completion_tokens"') == (stream_options is not None)
    assert play.answer.complete
    assert error_of(body) is None
    assert play.ended == 1
    assert attempts(services) == [("original", outcome, None), ("spare", "ok", 200)]
    told = record(services)
    assert told["served"]["upstream"] == "spare"
    assert (told["verdict"], told["usage_source"]) == ("allowed", "estimate")


def standing(services: Services) -> tuple[int, int, int]:
    (state,) = services.ledger.states()
    return state.posted, state.pending, state.debt


def test_both_parts_are_paid_once(play: Playbook, services: Services) -> None:
    """One hold over both; the client, the record and the books know the sum; nothing stays held."""
    before = standing(services)
    first = begins(play, "One, ", "two, ", stream_options={"include_usage": True}, max_completion_tokens=50)
    resets(first, play)
    assert standing(services)[1] > before[1]
    assert sent(play.upstream)["max_completion_tokens"] < 50
    play.upstream.streams(ROLE, piece(" three."), STOP, BILL, DONE, b"")
    told, after = record(services), standing(services)

    cost = round(float(told["cost_usd"]) * NANO)
    assert after == (before[0] + cost, before[1], before[2])
    assert cost <= round(float(told["hold_usd"]) * NANO)
    usage = json.loads(play.answer.body.split(b"\n\n")[-3].removeprefix(b"data: "))["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (
        told["usage"]["input_tokens"],
        told["usage"]["output_tokens"],
    )
    assert usage["completion_tokens"] > 2
    assert usage["prompt_tokens"] > 9
    of_the_second = (9 + 2) * 200  # nano-dollars: both prices of the spare are $0.2 per million
    assert cost > of_the_second


def test_values_are_restored_over_the_seam(play: Playbook, services: Services) -> None:
    """A placeholder may be cut in two: nobody is sent the value, the client sees nothing but it."""
    first = begins(play, "Write to ", text=f"My address is {EMAIL}.")
    placeholder = sent(first)["messages"][0]["content"].removeprefix("My address is ").removesuffix(".")
    assert placeholder.startswith("[EMAIL_ADDRESS_")
    first.chunk(piece(f"{placeholder} or {placeholder[:9]}"))
    resets(first, play)
    second = play.upstream
    assert sent(second)["messages"][-1]["content"] == f"Write to {placeholder} or {placeholder[:9]}"
    second.streams(ROLE, piece(placeholder[9:14]), piece(f"{placeholder[14:]} soon."), STOP, DONE, b"")

    assert text_of(play.answer.body) == f"Write to {EMAIL} or {EMAIL} soon."
    assert EMAIL.encode() not in first.got + second.got
    assert record(services)["restored"] == 2


def test_what_is_new_and_personal_is_not_passed_around(play: Playbook, services: Services) -> None:
    """The next upstream is sent what the client was shown for it."""
    first = begins(play, "Ask bo.fennick@brightquill-mail.com about ", "it, ")
    resets(first, play)

    assert b"bo.fennick" not in play.upstream.got
    assert sent(play.upstream)["messages"][-1]["content"] == "Ask [EMAIL_ADDRESS] about it,"


def test_a_continuation_may_break_off_itself(play: Playbook, services: Services) -> None:
    """Then the next goes on with both parts; what refuses a beginning is left alone, and blamed for nothing."""
    resets(begins(play, "One, "), play)
    second = play.upstream
    second.streams(ROLE, piece(" two, "))
    second.breaks()
    third = play.upstream
    assert third.address == ("third.example", 8080)
    assert sent(third)["messages"][-1]["content"] == "One, two,"
    third.streams(ROLE, piece(" three."), STOP, DONE, b"")

    assert text_of(play.answer.body) == "One, two, three."
    assert [each[:2] for each in attempts(services)] == [
        ("original", "stream_error"),
        ("spare", "stream_error"),
        ("third", "ok"),
    ]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (response(400, b'{"error": {"message": "no prefill"}}'), "prefill_refused"),
        (response(503, b'{"error": {}}'), "5xx"),
        (response(200, b'{"choices": []}'), "stream_error"),
        (
            response(200, b"data: {}\n\n", {"content-type": "text/event-stream", "content-encoding": "x"}),
            "stream_error",
        ),
    ],
    ids=["400", "503", "a whole body", "an unknown encoding"],
)
def test_who_does_not_go_on_is_left_for_the_next(
    play: Playbook, services: Services, answer: bytes, outcome: str
) -> None:
    """Whatever it answers instead."""
    resets(begins(play, "One, "), play)
    play.upstream.says(answer)
    assert play.upstream.address == ("third.example", 8080)
    play.upstream.streams(ROLE, piece(" two."), STOP, DONE, b"")

    assert text_of(play.answer.body) == "One, two."
    assert [each[:2] for each in attempts(services)][1:] == [("spare", outcome), ("third", "ok")]


@pytest.mark.parametrize("how", ["refused", "400", "503", "silence", "stall", "error", "malformed", "reset"])
def test_nobody_goes_on(play: Playbook, services: Services, how: str) -> None:
    """The stream ends with an error, in time, and never as if it were whole; nothing stays held."""
    pending = standing(services)[1]
    play.connects = lambda address: "refused" if how == "refused" and "example" in address[0] else None
    resets(begins(play, "One, "), play)
    for upstream in () if how == "refused" else ("spare", "third"):
        assert play.upstream.address[0] == f"{upstream}.example"
        if how == "silence":
            play.passes(31)
        elif how == "stall":
            play.upstream.streams(ROLE)
            play.passes(21)
        elif how in ("400", "503"):
            play.upstream.says(response(int(how), b"{}"))
        else:
            play.upstream.streams(
                ROLE, *([b"data: {\n\n"] if how == "malformed" else [FAULT] if how == "error" else [])
            )
            if how == "reset":
                play.upstream.breaks()

    assert text_of(play.answer.body) == "One, "
    assert error_of(play.answer.body)
    assert b"[DONE]" not in play.answer.body
    assert play.answer.complete
    assert play.ended == 1
    told = record(services)
    assert told["verdict"] == "failed"
    assert len(told["attempts"]) == 3
    assert float(told["cost_usd"]) > 0
    assert standing(services)[1] == pending


OBSTACLES: dict[str, tuple[dict[str, Any], bytes]] = {
    "a schema": ({"response_format": {"type": "json_object"}}, b""),
    "several answers": ({"n": 2}, b""),
    "probabilities": ({"logprobs": True}, b""),
    "a beginning of the caller's": ({"messages": [{"role": "assistant", "content": "x"}]}, b""),
    "a field that nobody knows": ({"guided_regex": "x"}, b""),
    "a tool call": ({}, delta(tool_calls=[{"index": 0, "id": "c", "function": {"name": "f", "arguments": ""}}])),
    "a refusal": ({}, delta(refusal="No.")),
}


@pytest.mark.parametrize("obstacle", OBSTACLES)
@pytest.mark.parametrize("how", ["reset", "in-band error", "malformed", "stall"])
def test_what_cannot_be_gone_on_with_ends_as_ever(play: Playbook, services: Services, obstacle: str, how: str) -> None:
    """With the format's error event."""
    more, said = OBSTACLES[obstacle]
    first = begins(play, "One, ", **more)
    if said:
        first.chunk(said)
    BREAKS[how][0](first, play)
    if how == "in-band error":
        first.chunk(b"")

    assert len(play.upstreams) == 1
    assert error_of(play.answer.body)
    assert b"[DONE]" not in play.answer.body
    assert play.answer.complete
    assert play.ended == 1
    assert attempts(services)[0][0] == "original"
    assert attempts(services)[0][1] in ("stream_error", "timeout")


def test_formats_are_crossed(play: Playbook, services: Services) -> None:
    """Anthropic goes on with an answer of OpenAI's, in its own words; the client reads OpenAI's throughout."""
    first = begins(play, "One, ", "two,\n\n", model="gpt-4.1")
    resets(first, play)
    second = play.upstream
    assert second.address == ("claude.example", 8080)
    asked = sent(second)
    assert asked["messages"][-1] == {"role": "assistant", "content": "One, two,"}
    assert asked["model"] == "claude-haiku-4-5"
    start = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "content": []}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    end = {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 5}}
    second.streams(
        event({"type": "message_start", "message": start | {"usage": {"input_tokens": 20, "output_tokens": 1}}}),
        event(block),
        *(
            event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": t}})
            for t in ("\n", "\nx")
        ),
        event({"type": "content_block_stop", "index": 0}),
        event(end),
        event({"type": "message_stop"}),
        b"",
    )

    assert text_of(play.answer.body) == "One, two,\n\nx"
    assert b'"finish_reason":"length"' in play.answer.body
    assert play.answer.body.endswith(DONE)
    told = record(services)
    assert told["served"] == {"upstream": "claude", "provider": "anthropic", "model": "claude-haiku-4-5"}
    assert told["usage"]["output_tokens"] > 5


def test_the_same_upstream_may_go_on(play: Playbook, services: Services) -> None:
    """Where the route tries again there, after its pause, and it can."""
    play.says(asks("gpt-4.1-mini", stream=True))
    play.upstream.streams(ROLE, piece("One, "))
    play.upstream.breaks()
    assert len(play.upstreams) == 1
    play.passes(1)
    assert sent(play.upstream)["messages"][-1]["content"] == "One,"
    play.upstream.streams(ROLE, piece("two."), STOP, DONE, b"")

    assert text_of(play.answer.body) == "One, two."


def test_the_same_upstream_is_asked_over_another_connection(play: Playbook, services: Services) -> None:
    """Where its answer ends early, and well for HTTP/1, that end is still being dealt with when it is asked again."""
    first = begins(play, "One, ", model="gpt-4.1-mini")
    ends_early(first, play)
    play.passes(2)
    second = play.upstream
    assert second is not first
    assert first.closed
    second.streams(ROLE, piece(" two."), STOP, BILL, DONE, b"")

    assert text_of(play.answer.body) == "One, two."
    assert play.answer.complete
    assert attempts(services) == [("spare", "stream_error", None), ("spare", "ok", 200)]


def test_an_encoded_continuation_is_read(play: Playbook, services: Services) -> None:
    """Each upstream has its own encoding."""
    resets(begins(play, "One, "), play)
    head = {"content-type": "text/event-stream", "transfer-encoding": "chunked", "content-encoding": "gzip"}
    play.upstream.streams(gzip.compress(ROLE + piece("two.") + STOP + DONE), b"", head=response_head(200, head))

    assert text_of(play.answer.body) == "One, two."
    assert play.answer.complete


def test_a_client_that_leaves_needs_nobody_to_go_on(play: Playbook, services: Services) -> None:
    """What was broken off while nobody reads is settled as it is."""
    pending = standing(services)[1]
    first = begins(play, "One, ")
    play.leaves()
    first.breaks()

    assert len(play.upstreams) == 1
    assert record(services)["verdict"] == "client_gone"
    assert standing(services)[1] == pending


@pytest.mark.parametrize("when", ["connect", "head", "content"])
def test_a_client_may_leave_while_another_goes_on(play: Playbook, services: Services, when: str) -> None:
    """The call ends once, both parts are paid, nothing stays held."""
    pending = standing(services)[1]
    play.connects = lambda address: "silence" if when == "connect" and address[0] == "spare.example" else None
    resets(begins(play, "One, "), play)
    if when == "content":
        play.upstream.streams(ROLE, piece("two, "))
    play.leaves()
    if when != "connect":
        second = play.upstream
        second.streams(
            *([ROLE] if when == "head" else []), piece("three."), STOP, BILL, DONE, b""
        ) if when == "head" else [second.chunk(each) for each in (piece("three."), STOP, BILL, DONE, b"")]

    told = record(services)
    assert told["verdict"] == "client_gone"
    assert float(told["cost_usd"]) > 0
    assert standing(services)[1] == pending
    assert play.ended == 1


def test_the_time_of_a_call_is_one(play: Playbook, services: Services) -> None:
    """Whoever goes on has what is left of it."""
    first = begins(play, "One, ")
    for _ in range(9):
        play.passes(10)
        first.chunk(piece("on "))
    resets(first, play)
    play.passes(11)

    assert error_of(play.answer.body) == "upstream_timeout"
    assert record(services)["attempts"][-1]["outcome"] == "timeout"


def test_there_is_an_end_to_it(open_services: Open, open_play: Callable[..., Playbook]) -> None:
    """So many may go on, and no more."""
    names = [f"s{number}" for number in range(CONTINUATIONS_MAX + 2)]
    upstreams = {name: SPARE | {"url": f"http://{name}.example:8080/v1"} for name in names}
    rules = {"upstreams": upstreams, "routes": [route("all", "*", ["original", *names], rescue="continue")]}
    services = open_services(routes=rules)
    services.health = Health()
    play = open_play(services)
    resets(begins(play, "on "), play)
    for _ in range(CONTINUATIONS_MAX):
        play.upstream.streams(ROLE, piece(" on "))
        play.upstream.breaks()

    assert len(play.upstreams) == CONTINUATIONS_MAX + 1
    assert text_of(play.answer.body) == "on " * (CONTINUATIONS_MAX + 1)
    assert error_of(play.answer.body) == "upstream_cut"
