"""`rescue: continue`: a stream that breaks off is one whole message to real SDKs, and to the books."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import anthropic
import httpx
import openai
import pytest
from interceptor import (
    ANTHROPIC,
    EMAIL,
    EMAIL_2,
    OPENAI,
    Interceptor,
    assert_clean,
    chat,
    in_parallel,
    message,
    rules_for,
    trusted,
)

from outwarden.simulate import Certificates, Script, SimulatedProvider, provider_thread
from outwarden.simulate.script import ToolCall

TIMEOUTS = {"connect": "1s", "first_byte": "2s", "first_content": "2s", "idle": "1s", "total": "20s"}
TEXT = "Red, green and blue.\n\nThen a gap,  and ünïcode: 𝄞.\nThe end."
CLAUDE, NEWER = "claude-haiku-4-5", "claude-opus-5"


@pytest.fixture(scope="module")
def spare_thread(certificates: Certificates) -> Iterator[SimulatedProvider]:
    """Who goes on."""
    with provider_thread(certificates) as provider:
        yield provider


@pytest.fixture
def spare(spare_thread: SimulatedProvider) -> SimulatedProvider:
    """The spare provider with nothing remembered."""
    spare_thread.clear()
    return spare_thread


def upstream(provider: SimulatedProvider, name: str, format: str = "openai", **more: Any) -> dict[str, Any]:
    """An upstream at a simulated provider."""
    url = f"https://127.0.0.1:{provider.port}" + ("/v1" if format == "openai" else "")
    own = {"url": url, "provider": name, "format": format, "price": {"input_mtok": 0.2, "output_mtok": 0.4}}
    auth = {"bearer": "env:HOME"} if format == "openai" else {"header": {"x-api-key": "env:HOME"}}
    return own | {"auth": auth, "trust": str(trusted(provider))} | more


def route(name: str, model: str, *targets: str, **more: Any) -> dict[str, Any]:
    """A route with short times and a breaker that stays out of the way."""
    breaker = {"max_fails": 1000, "within": "1s", "cooldown": "1s"}
    named = {"name": name, "match": {"model": model}, "targets": list(targets), "rescue": "continue"}
    return named | {"timeouts": TIMEOUTS, "breaker": breaker} | more


@pytest.fixture(scope="module")
def outwarden(primary: SimulatedProvider, spare_thread: SimulatedProvider, start: Any) -> Interceptor:
    """One interceptor; the model says who goes on."""
    rules = rules_for(primary)
    rules["routes"] = {
        "upstreams": {
            "vllm": upstream(spare_thread, "vllm", model="spare-model"),
            "mistral": upstream(spare_thread, "mistral", model="spare-model"),
            "own": upstream(spare_thread, "gateway", model="spare-model", prefill=True),
            "plain": upstream(spare_thread, "openai", model="spare-model"),
            "claude": upstream(spare_thread, "anthropic", "anthropic", model=CLAUDE),
            "newer": upstream(spare_thread, "anthropic", "anthropic", model=NEWER),
            "told": upstream(spare_thread, "anthropic", "anthropic", model=NEWER, prefill=True),
        },
        "routes": [
            route("vllm", "gpt-4o", "original", "plain", "vllm"),
            route("mistral", "gpt-4o-mini", "original", "mistral"),
            route("own", "gpt-4.1", "original", "own"),
            route("crossing", "gpt-4.1-mini", "original", "claude"),
            route("declined", "gpt-4.1-nano", "original", "told", "vllm"),
            route("claude", "claude-opus-4-5", "original", "newer", "claude"),
            route("from-claude", "claude-sonnet-4-5", "original", "vllm"),
            route("back", "claude-sonnet-4-0", "newer", "original"),
        ],
    }
    rules["budgets"] = {"budgets": [{"name": "all", "scope": "all", "limit_usd": 1000, "window": "lifetime"}]}
    return start(rules)


BREAKS = {
    "cut": {"cut_after": 5},
    "late": {"cut_after": 12},
    "one": {"cut_after": 1},
    "error": {"error_after": 6},
    "malformed": {"malformed_after": 7},
    "truncated": {"truncate_after": 8},
    "stall": {"stall_after": 9},
}
CHAT_MODELS = ["gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano"]
CLAUDE_MODELS = ["claude-opus-4-5", "claude-sonnet-4-5", "claude-sonnet-4-0"]


def ask_openai(outwarden: Interceptor, model: str, text: str = "Go.", **more: Any) -> tuple[Any, str]:
    """The message as the OpenAI SDK puts it together, and the call's id."""
    client = outwarden.openai()
    with client.chat.completions.stream(
        model=model, messages=chat(text)["messages"], stream_options={"include_usage": True}, **more
    ) as stream:
        for _ in stream:
            pass
        return stream.get_final_completion(), stream._response.headers["x-outwarden-call-id"]


def ask_anthropic(outwarden: Interceptor, model: str, text: str = "Go.", **more: Any) -> tuple[Any, str]:
    """The message as the Anthropic SDK puts it together, and the call's id."""
    asked: Any = {"model": model, "max_tokens": 500, "messages": message(text)["messages"]} | more
    with outwarden.anthropic().messages.stream(**asked) as stream:
        final = stream.get_final_message()
    return final, stream.response.headers["x-outwarden-call-id"]


def assert_paid(outwarden: Interceptor, call_id: str, usage: tuple[int, int]) -> dict[str, Any]:
    """The record tells both attempts, and the sum that the client was told; nothing stays held."""
    record = outwarden.record(call_id)
    assert [attempt["outcome"] for attempt in record["attempts"]][-1] == "ok"
    assert record["verdict"] == "allowed"
    assert (record["usage"]["input_tokens"], record["usage"]["output_tokens"]) == usage
    assert 0 < float(record["cost_usd"]) <= float(record["hold_usd"])
    return record


@pytest.mark.parametrize("how", BREAKS)
@pytest.mark.parametrize("model", CHAT_MODELS)
def test_the_openai_sdk_sees_one_message(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider, model: str, how: str
) -> None:
    """The uncut text, whoever goes on; one id, one choice, one reason, usage."""
    provider.queue(Script(text=TEXT, **BREAKS[how]))  # type: ignore[arg-type]
    refused = (Script(text=TEXT),) if model == "gpt-4.1-nano" else ()  # "told" is, by its model
    spare.queue(*refused, Script(text=TEXT, echoes=model == "gpt-4o-mini", goes_on=model == "gpt-4.1"))
    final, call_id = ask_openai(outwarden, model)
    (choice,) = final.choices

    assert choice.message.content == TEXT
    assert choice.finish_reason == "stop"
    assert choice.message.role == "assistant"
    assert final.id.startswith("chatcmpl-")
    assert final.usage
    record = assert_paid(outwarden, call_id, (final.usage.prompt_tokens, final.usage.completion_tokens))
    assert record["served"]["model"] == (CLAUDE if model == "gpt-4.1-mini" else "spare-model")
    asked = json.loads(spare.requests[-1].body)["messages"][-1]
    assert asked["role"] == "assistant"
    assert TEXT.startswith(asked["content"])
    assert asked["content"] == asked["content"].rstrip()
    assert len(spare.requests) == 1 + len(refused)


@pytest.mark.parametrize("how", BREAKS)
@pytest.mark.parametrize("model", CLAUDE_MODELS)
def test_the_anthropic_sdk_sees_one_message(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider, model: str, how: str
) -> None:
    """One block, one reason; the same the other way round, where the caller's own place goes on."""
    first, second = (spare, provider) if model == "claude-sonnet-4-0" else (provider, spare)
    first.queue(Script(text=TEXT, **BREAKS[how]))  # type: ignore[arg-type]
    second.queue(Script(text=TEXT))
    final, call_id = ask_anthropic(outwarden, model)
    (block,) = final.content

    assert block.text == TEXT
    assert final.stop_reason == "end_turn"
    assert final.id.startswith("msg_")
    used = final.usage
    assert_paid(outwarden, call_id, (used.input_tokens, used.output_tokens))
    assert len(second.requests) == 1


@pytest.mark.parametrize("at", range(1, 18))
@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4.1-mini"])
def test_values_are_restored_over_the_seam(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider, model: str, at: int
) -> None:
    """Wherever a placeholder is cut; no value reaches an upstream, in either part."""
    said = f"Write to {EMAIL}, or to {EMAIL_2} ."
    provider.queue(Script(cut_after=at))  # echoes what it was sent
    final, call_id = ask_openai(outwarden, model, said)

    assert final.choices[0].message.content == said
    assert_clean(provider)
    assert_clean(spare)
    assert len(spare.requests) == 1
    assert outwarden.record(call_id)["restored"] == 2


def test_what_goes_on_may_call_a_tool(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider
) -> None:
    """Behind the text; its arguments are restored like any."""
    schema = {"type": "object", "properties": {"to": {"type": "string"}}}
    for ask, tool in (
        (ask_openai, {"type": "function", "function": {"name": "send", "parameters": schema}}),
        (ask_anthropic, {"name": "send", "input_schema": schema}),
    ):
        provider.queue(Script(text=TEXT, cut_after=4))
        spare.queue(Script(text=TEXT, tool_calls=(ToolCall("send", json.dumps({"to": "x"})),)))
        final, _ = ask(outwarden, "gpt-4o" if ask is ask_openai else "claude-opus-4-5", tools=[tool])
        if ask is ask_openai:
            (choice,) = final.choices
            (call,) = choice.message.tool_calls
            assert (choice.message.content, choice.finish_reason) == (TEXT, "tool_calls")
            assert (call.function.name, json.loads(call.function.arguments)) == ("send", {"to": "x"})
        else:
            text, use = final.content
            assert (text.text, use.input, final.stop_reason) == (TEXT, {"to": "x"}, "tool_use")


def test_a_limit_is_one_for_both_parts(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider
) -> None:
    """What was said counts; the reason to stop is the continuation's."""
    provider.queue(Script(text=TEXT, cut_after=10))
    spare.queue(Script(text=TEXT))
    with pytest.raises(openai.LengthFinishReasonError) as ended:
        ask_openai(outwarden, "gpt-4o", max_completion_tokens=12)
    limit = json.loads(spare.requests[0].body)["max_completion_tokens"]
    said = ended.value.completion.choices[0].message.content

    assert 1 <= limit < 12
    assert said
    assert TEXT.startswith(said)


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
@pytest.mark.parametrize(
    "fault", [{"status": 400}, {"status": 503}, {"reset": True}, {"silence": True}, {"cut_after": 0}]
)
def test_nobody_goes_on(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider, fault: dict[str, Any], http2: bool
) -> None:
    """The SDKs raise; the stream never ends as if it were whole."""
    for host, path, body, error, end in (
        (OPENAI, "/v1/chat/completions", chat("Go.", stream=True), '"error":', "[DONE]"),
        (
            ANTHROPIC,
            "/v1/messages",
            message("Go.", model="claude-opus-4-5", stream=True),
            "event: error",
            "message_stop",
        ),
    ):
        provider.queue(Script(text=TEXT, cut_after=5))
        spare.queue(Script(text=TEXT, **fault))
        with outwarden.http(http2=http2) as client:
            answer = client.post(f"https://{host}{path}", json=body)
        assert error in answer.text
        assert end not in answer.text
        record = outwarden.record(answer)
        assert record["verdict"] == "failed"
        assert float(record["cost_usd"]) > 0


def test_the_sdks_raise_where_nobody_goes_on(
    outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider
) -> None:
    """On what cannot be gone on with."""
    provider.queue(Script(text=TEXT, cut_after=5), Script(text=TEXT, cut_after=5))
    with pytest.raises(openai.APIError):
        ask_openai(outwarden, "gpt-4o", response_format={"type": "json_object"})
    with pytest.raises(anthropic.APIError):
        ask_anthropic(outwarden, "claude-opus-4-5", tools=[{"type": "web_search_20250305", "name": "web_search"}])

    assert not spare.requests


def books(outwarden: Interceptor) -> tuple[int, int, int]:
    """Posted, pending and debt in nano-dollars."""
    state = next(iter(outwarden.budgets()), {})
    posted, pending, debt = (round(float(state.get(f"{name}_usd", 0)) * 1e9) for name in ("posted", "pending", "debt"))
    return posted, pending, debt


def test_nothing_stays_held(outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider) -> None:
    """After many calls at once, cut anywhere, some of them for good, the books are the sum of the records."""
    seen, before = outwarden.count_records(), books(outwarden)
    spare.script = Script(text=TEXT)
    provider.script = lambda received: Script(text=TEXT, cut_after=len(provider.requests) % 16)

    def call(number: int) -> str:
        with outwarden.http() as client:
            body = chat("Go.", stream=True, **({"n": 2} if number % 5 == 0 else {}))
            try:
                return client.post(f"https://{OPENAI}/v1/chat/completions", json=body).text
            except httpx.HTTPError as error:
                return f"{error!r}"

    try:
        answers = in_parallel(call, 40, 8)
        records = outwarden.new_records(seen, 40)
        after = books(outwarden)
    finally:
        spare.script = provider.script = Script()

    whole = [answer for answer in answers if "[DONE]" in answer]
    assert len(whole) >= 30
    assert all('"error":' in answer for answer in answers if answer not in whole)
    posted = sum(round(float(record["cost_usd"]) * 1e9) for record in records)
    assert after == (before[0] + posted, 0, before[2])


FATES: tuple[dict[str, Any], ...] = (
    *({}, {}, {"status": 503}, {"status": 400}, {"reset": True}, {"silence": True}, {"first_content_delay_s": 3.0}),
    *(
        {kind: at}
        for kind in ("cut_after", "error_after", "malformed_after", "truncate_after", "stall_after")
        for at in (1, 4, 9)
    ),
)


def said_by(answer: str) -> str:
    """The text of a stream of either format."""
    found = []
    for line in answer.splitlines():
        if line.startswith("data: {"):
            event = json.loads(line[6:])
            delta = (event.get("choices") or [event])[0].get("delta") or {}
            found.append(delta.get("content") or delta.get("text") or "")
    return "".join(found)


def test_whatever_happens(outwarden: Interceptor, provider: SimulatedProvider, spare: SimulatedProvider) -> None:
    """Either part may fail in any way: a whole answer, or an explicit error behind a true beginning; all is paid."""
    seen, before, chance = outwarden.count_records(), books(outwarden), Random(7)
    drawn = [(chance.choice(FATES), chance.choice(FATES)) for _ in range(80)]
    fates = [iter([Script(text=TEXT, **fate[side]) for fate in drawn * 4]) for side in (0, 1)]
    provider.script, spare.script = (lambda received: next(fates[0])), (lambda received: next(fates[1]))

    def call(number: int) -> tuple[int, str]:
        with outwarden.http(http2=number % 4 == 3) as client:
            if number % 2:
                asked = client.post(f"https://{OPENAI}/v1/chat/completions", json=chat("Go.", stream=True))
            else:
                body = message("Go.", model="claude-opus-4-5", stream=True)
                asked = client.post(f"https://{ANTHROPIC}/v1/messages", json=body)
            return asked.status_code, asked.text

    try:
        answers = in_parallel(call, len(drawn), 12)
        records = outwarden.new_records(seen, len(drawn))
        after = books(outwarden)
    finally:
        spare.script = provider.script = Script()

    for status, answer in answers:
        whole = answer.count("[DONE]") + answer.count("event: message_stop") == 1
        assert whole != ('"error"' in answer)
        if whole:
            assert said_by(answer) == TEXT
        elif status == 200:
            assert TEXT.startswith(said_by(answer))
        assert answer.count("event: message_start") + answer.count('"role":"assistant","content":""') <= 1
    assert sum('"error"' not in answer for _, answer in answers) > len(drawn) // 10
    posted = sum(round(float(record["cost_usd"]) * 1e9) for record in records)
    assert after == (before[0] + posted, 0, before[2])
