"""What is said over a connection for a day: each response is held for and settled once, and memory stays flat."""

import gc
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from sessions import Speak, Talk, pending, responses
from talk import EMAIL

from outwarden.audit import read
from outwarden.flow.services import Services
from outwarden.flow.session import OPEN_MAX, Refused

LIVE = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=abc"
GOOGLE = "generativelanguage.googleapis.com"
SETUP = {"setup": {"model": "models/gemini-2.5-flash", "generationConfig": {"maxOutputTokens": 100}}}
TURN_END = {"serverContent": {"turnComplete": True}}


@pytest.fixture
def live(talk: Speak, services: Services) -> Talk:
    """A session of Google's, set up."""
    return begun(talk(services, LIVE, GOOGLE))


def begun(live: Talk) -> Talk:
    live.client(SETUP)
    live.server({"setupComplete": {}})
    return live


def turn(text: str = "hello", *, complete: bool = True) -> dict[str, Any]:
    return {"client_content": {"turns": [{"role": "user", "parts": [{"text": text}]}], "turnComplete": complete}}


def tool_call(number: int = 0, **args: Any) -> dict[str, Any]:
    return {"toolCall": {"functionCalls": [{"name": "look", "args": args, "id": f"function-call-{number}"}]}}


def tool_answer(number: int = 0, output: str = "found") -> dict[str, Any]:
    answer = {"id": f"function-call-{number}", "name": "look", "response": {"output": output}}
    return {"tool_response": {"functionResponses": [answer]}}


def says(text: str) -> dict[str, Any]:
    return {"serverContent": {"modelTurn": {"parts": [{"text": text}]}}}


def turn_end(prompt: int = 10, made: int = 4) -> dict[str, Any]:
    usage = {"promptTokenCount": prompt, "responseTokenCount": made, "totalTokenCount": prompt + made}
    return TURN_END | {"usageMetadata": usage}


# -- answers of tools -------------------------------------------------------------------------------------------------


def test_the_answer_of_a_tool_goes_on_with_the_turn(live: Talk, services: Services) -> None:
    """As recorded: one end and one usage for a turn, however many tools it calls; so it is one response."""
    free, seen = pending(services), len(responses(services))
    live.client(turn(f"I am {EMAIL}"))
    held = pending(services)
    live.server(tool_call())
    (sent,) = live.client(tool_answer(output=f"{EMAIL} is there"))
    assert EMAIL not in json.dumps(sent)
    assert pending(services) > held, "as much output may follow again, and that is held before the answer leaves"
    live.server(says("It is there."), turn_end(30, 12))

    (record,) = responses(services, seen)
    assert record["usage"] == {"input_tokens": 30, "output_tokens": 12}
    assert record["redactions"]["request"] == {"EMAIL_ADDRESS": 2}
    assert record["usage_source"] == "provider"
    assert pending(services) == free
    assert not live.session.is_waiting


def test_a_day_of_tools_in_one_turn(live: Talk, services: Services) -> None:
    free, seen = pending(services), len(responses(services))
    live.client(turn())
    for number in range(500):
        live.server(tool_call(number))
        live.client(tool_answer(number))
    live.server(says("done"), turn_end(9000, 700))

    (record,) = responses(services, seen)
    assert record["usage"] == {"input_tokens": 9000, "output_tokens": 700}
    assert pending(services) == free


@pytest.mark.parametrize("end_first", [True, False])
def test_a_model_that_ends_its_turn_with_the_call(live: Talk, services: Services, *, end_first: bool) -> None:
    """Some models do; what follows on the tool's answer is then a response of its own, whichever came first."""
    free, seen = pending(services), len(responses(services))
    for number in range(500):
        live.client(turn())
        live.server(tool_call(number))
        if end_first:
            live.server(turn_end(10, 2))
            live.client(tool_answer(number))
        else:
            live.client(tool_answer(number))
            live.server(turn_end(10, 2))
        live.server(says("found"), turn_end(20, 3))

    found = [record["usage"] for record in responses(services, seen)]
    assert found == [{"input_tokens": 10, "output_tokens": 2}, {"input_tokens": 20, "output_tokens": 3}] * 500
    assert pending(services) == free


def test_a_tool_that_answers_silently(live: Talk, services: Services) -> None:
    """A tool may answer when nothing is under way, and the model say nothing to it: nothing is left open for that."""
    free = pending(services)
    for number in range(500):
        live.client(turn())
        live.server(tool_call(number), says("I will look."), turn_end())
        live.client(tool_answer(number))
    live.client(turn())
    live.server(says("well"), turn_end())

    assert pending(services) == free


def test_a_turn_on_top_of_one_that_has_not_begun(live: Talk, services: Services) -> None:
    """Google answers them as one; where it ends the first without a word, the other still has its hold."""
    free, seen = pending(services), len(responses(services))
    for _ in range(100):
        live.client(turn("one"), turn("two"))
        live.server(says("both"), turn_end())
    live.client(turn("one"), turn("two"))
    held = pending(services)
    live.server({"serverContent": {"interrupted": True}}, TURN_END)
    assert pending(services) == held
    live.server(says("the second"), turn_end())

    assert len(responses(services, seen)) == 101
    assert pending(services) == free


def test_a_turn_that_interrupts_another(live: Talk, services: Services) -> None:
    """Both have their end, and each its record."""
    free, seen = pending(services), len(responses(services))
    live.client(turn("one"))
    live.server(says("well, "))
    live.client(turn("two"))
    live.server({"serverContent": {"interrupted": True}}, turn_end(10, 1), says("the other"), turn_end(20, 2))

    assert [r["usage"]["input_tokens"] for r in responses(services, seen)] == [10, 20]
    assert pending(services) == free


def test_a_budget_ends_a_turn_that_goes_on(open_services: Any, talk: Speak) -> None:
    """What a turn may cost grows with each tool's answer; the one that no budget covers does not leave."""
    budget = {"name": "small", "scope": "all", "limit_tokens": 3000, "window": "day"}
    services = open_services(budgets={"budgets": [budget]})
    live = begun(talk(services, LIVE, GOOGLE))
    live.client(turn())

    def work() -> None:
        for number in range(100):
            live.server(tool_call(number))
            live.client(tool_answer(number))

    with pytest.raises(Refused) as refused:
        work()
    assert refused.value.refusal.code == "budget_exceeded"
    assert pending(services) <= 3000
    live.session.finish(client_gone=False)
    assert pending(services) == 0
    assert [record["verdict"] for record in responses(services)] == ["refused", "failed"]


@pytest.mark.parametrize("answer", [[], [{"type": "response.created", "response": {}}]], ids=["none", "half"])
def test_what_a_provider_leaves_unanswered_has_failed(talk: Speak, services: Services, answer: list[Any]) -> None:
    """Whether it closes before its answer or within it; where its client goes first, that is what the record says."""
    for client_gone, told in ((False, ("failed", "stream_error")), (True, ("client_gone", "client gone"))):
        realtime = talk(services, "/v1/realtime?model=gpt-realtime")
        realtime.client({"type": "response.create"})
        realtime.server(*answer)
        realtime.session.finish(client_gone=client_gone)
        record = list(read(services.state.audit))[-1]
        assert (record["verdict"], record["attempts"][0]["outcome"]) == told


def test_speech_that_nobody_has_to_answer_has_not_failed(talk: Speak, services: Services) -> None:
    """A provider may end a session in which its client only talks."""
    before = len(list(read(services.state.audit)))
    realtime = talk(services, "/v1/realtime?model=gpt-realtime")
    realtime.client({"type": "input_audio_buffer.append", "audio": "AAAA" * 40})
    realtime.session.finish(client_gone=False)
    assert {record["verdict"] for record in list(read(services.state.audit))[before:]} <= {"allowed"}


def test_too_many_responses_at_once_are_refused_one_by_one(talk: Speak, services: Services) -> None:
    """The connection goes on, and so does the next response once there is room."""
    free = pending(services)
    realtime = talk(services, "/v1/realtime?model=gpt-realtime")
    realtime.client(*[{"type": "response.create"}] * OPEN_MAX)
    held = pending(services)
    with pytest.raises(Refused) as refused:
        realtime.client({"type": "response.create"})
    assert refused.value.refusal.code == "too_many_responses"
    assert pending(services) == held

    realtime.server({"type": "response.done", "response": {"usage": {"input_tokens": 1, "output_tokens": 1}}})
    realtime.client({"type": "response.create"})
    realtime.session.finish(client_gone=True)
    assert pending(services) == free


# -- errors of ours at the end of a response --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bug",
    [
        "outwarden.pricing.price.Price.cost",
        "outwarden.charge_budget.estimate_in_session",
        "outwarden.flow.money.Purse.settle",
    ],
)
def test_a_bug_in_settling_costs_the_hold_and_no_more(
    live: Talk, services: Services, monkeypatch: pytest.MonkeyPatch, bug: str
) -> None:
    """The session goes on, nothing stays pending, and the record says what happened."""
    free, seen = pending(services), len(responses(services))
    monkeypatch.setattr(bug, raising)
    live.client(turn())
    assert live.server(says("well"), turn_end()) == [says("well"), turn_end()]

    assert pending(services) == free
    (record,) = [r for r in read(services.state.audit) if r["flagged"]][-1:]
    assert record["flagged"] == {"cost_unknown": 1}
    assert record["cost_usd"] == record["hold_usd"]
    assert len(responses(services)) - seen <= 1
    live.client(turn())


def test_a_bug_in_another_stage_leaves_no_hold_open(
    live: Talk, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes after it is done all the same; then the session ends, because it is not known what was missed."""
    free, seen = pending(services), len(responses(services))
    live.client(turn())
    with monkeypatch.context() as patch:
        patch.setattr("outwarden.pii.engine.ReplyRewriter.part", raising)
        with pytest.raises(RuntimeError):
            live.server(says("well"), turn_end())

    assert pending(services) == free
    (record,) = responses(services, seen)
    assert record["verdict"] == "error"
    assert record["usage"] == {"input_tokens": 10, "output_tokens": 4}


def raising(*args: Any, **more: Any) -> Any:
    """A bug of ours."""
    raise RuntimeError("a text that may quote a body")


# -- a day ------------------------------------------------------------------------------------------------------------

USAGE = {"input_tokens": 20, "output_tokens": 5, "total_tokens": 25}
PIECES = 6


def told(number: int) -> str:
    """What a tool says: a value that is new in each 50th round, and comes back in the others."""
    return f"{number // 50}@kestrel-freight.com"


def realtime_round(number: int) -> Iterator[tuple[bool, Any]]:
    """A response that calls a function, and the one that follows on its output: (of the client, message)."""
    item = {"type": "function_call_output", "call_id": f"call_{number}", "output": told(number)}
    yield True, {"type": "input_audio_buffer.append", "audio": "AAAA" * 40}
    yield True, {"type": "conversation.item.create", "item": item}
    yield True, {"type": "response.create"}
    for event in openai_answer(f"resp_{number}", "response.done"):
        yield False, event


def responses_round(number: int) -> Iterator[tuple[bool, Any]]:
    output = {"type": "function_call_output", "call_id": f"call_{number}", "output": told(number)}
    yield (
        True,
        {
            "type": "response.create",
            "model": "gpt-4o",
            "previous_response_id": f"resp_{number - 1}",
            "input": [output],
            "max_output_tokens": 100,
        },
    )
    for event in openai_answer(f"resp_{number}", "response.completed"):
        yield False, event


def openai_answer(response_id: str, end: str) -> Iterator[dict[str, Any]]:
    head = {"id": response_id, "model": "gpt-4o", "status": "in_progress"}
    yield {"type": "response.created", "response": head}
    place = {"response_id": response_id, "item_id": f"i_{response_id}", "output_index": 0, "content_index": 0}
    for piece in range(PIECES):
        yield {"type": "response.output_text.delta", **place, "delta": f" word {piece}"}
    text = "".join(f" word {piece}" for piece in range(PIECES))
    yield {"type": "response.output_text.done", **place, "text": text}
    call = {"type": "function_call", "call_id": f"call_{response_id}", "name": "look", "arguments": "{}"}
    yield {"type": end, "response": head | {"status": "completed", "output": [call], "usage": USAGE}}


def live_round(number: int) -> Iterator[tuple[bool, Any]]:
    if number % 50 == 0:
        yield True, turn(f"I am {number}@kestrel-freight.com")
    for piece in range(PIECES):
        yield False, says(f" word {piece}")
    yield False, tool_call(number, word="quiet")
    yield True, tool_answer(number, told(number))
    if number % 50 == 49:
        yield False, says("done")
        yield False, turn_end()


DAYS = {
    "live": (LIVE, GOOGLE, live_round, 8),
    "realtime": ("/v1/realtime?model=gpt-realtime", "api.openai.com", realtime_round, 12),
    "responses": ("/v1/responses", "api.openai.com", responses_round, 10),
}
MESSAGES = 16_000
VALUE_BYTES = 6_000  # of a value that is looked for and restored: its pattern, its names, its places in tables


@pytest.mark.parametrize("name", DAYS)
def test_memory_stays_flat_over_a_day(name: str, talk: Speak, services: Services) -> None:
    """16,000 messages: what the second half adds to memory is its new values and no more.

    Those are bounded by their number (2,000 to look for, 50,000 to restore), so in the end nothing grows.
    """
    path, host, round_of, messages = DAYS[name]
    session = talk(services, path, host)
    if name == "live":
        begun(session)
    rounds = MESSAGES // messages // 50 * 50

    def play(first: int, last: int) -> None:
        for number in range(first, last):
            for is_clients, message in round_of(number):
                (session.client if is_clients else session.server)(message)

    quarter = rounds // 4
    play(0, quarter)
    tracemalloc.start()  # from here on, so that what is kept of the last calls was traced when it is replaced
    play(quarter, 2 * quarter)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    play(2 * quarter, rounds)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()

    print(f"{name}: {rounds * messages} messages, {grown} bytes in the second half")
    assert grown < 2 * quarter // 50 * VALUE_BYTES
    session.session.finish(client_gone=True)
    assert not session.session.is_waiting
