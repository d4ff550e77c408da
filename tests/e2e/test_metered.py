"""Metered holds through the running interceptor: a long stream is cut at the cap, and the real SDKs say why."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from interceptor import GEMINI, OPENAI, Interceptor, chat, contents, in_parallel, message, rules_for

from outwarden.simulate import Script, SimulatedProvider

CAP_USD = Decimal("0.05")
SLICE_USD = Decimal("0.01")  # 256 tokens of the dearest model here, and what one read may bring
LONG = " ".join(f"word{number}" for number in range(30_000))
SLOW = Script(text=LONG, event_delay_s=0.001)  # as providers do; at once, one read would bring it all
RULES = {
    "budgets": [{"name": "cap", "scope": "user", "limit_usd": str(CAP_USD), "window": "lifetime"}],
    "hold": "metered",
}
PRICES = [
    {"provider": name, "model": "*", "input_mtok": 1, "output_mtok": 20}
    for name in ("openai", "anthropic", "google", "ollama")
]
CALLERS = {"callers": [{"match": {"header": {"x-user": "^(?P<user>[a-z-]+)$"}}}]}


@pytest.fixture(scope="module")
def metered(primary: SimulatedProvider, start: Any) -> Interceptor:
    """An interceptor under which every user has five cents, and holds grow."""
    rules = rules_for(primary, budgets=RULES, callers=CALLERS) | {"prices": {"prices": PRICES}}
    return start(rules)  # type: ignore[no-any-return]


def charged(outwarden: Interceptor, user: str) -> dict[str, Any]:
    """The record of the one call of a user; what it cost stands in the ledger, and nothing more."""
    (record,) = [each for each in outwarden.records() if each["caller"]["user"] == user]
    (state,) = [each for each in outwarden.budgets() if each["id"] == user]
    posted, pending, debt = (Decimal(state[f"{name}_usd"]) for name in ("posted", "pending", "debt"))
    assert pending == 0
    assert posted <= CAP_USD
    assert debt <= SLICE_USD
    assert debt == Decimal(record["overshoot_usd"])
    assert posted + debt == Decimal(record["cost_usd"]) > CAP_USD / 2
    assert record["hold"]["kind"] == "metered"
    assert record["hold"]["steps"] > 1
    assert (record["verdict"], record["rule"]) == ("refused", "cap")
    return record


def texts_until(error: type[Exception], pieces: Iterator[str]) -> tuple[str, Any]:
    """What a stream says before it raises, and what it raises."""
    said = ""
    try:
        for piece in pieces:
            said += piece
    except error as raised:
        return said, raised
    raise AssertionError("the stream ended as if it were whole")


def test_openai_s_sdk_raises(metered: Interceptor, provider: SimulatedProvider) -> None:
    """What was paid for is delivered, then APIError with our code, not a clean end."""
    provider.queue(SLOW)
    client = metered.openai(default_headers={"x-user": "chat"})
    stream = client.chat.completions.create(**chat("tell me all", stream=True))
    said, error = texts_until(openai.APIError, (each.choices[0].delta.content or "" for each in stream if each.choices))

    assert error.code == "budget_exceeded"
    assert "'cap'" in str(error)
    assert "The answer was stopped" in str(error)
    assert len(said) > 1000
    assert LONG.startswith(said)
    metered.count_records()
    charged(metered, "chat")


def test_openai_s_responses_raise(metered: Interceptor, provider: SimulatedProvider) -> None:
    """The same for the Responses API: its error event, on which the SDK raises or which it hands out."""
    provider.queue(SLOW)
    client = metered.openai(default_headers={"x-user": "responses"})
    events: list[Any] = []
    try:
        for each in client.responses.create(model="gpt-4o", input="tell me all", stream=True):
            events.append(each)
        told = events[-1].model_dump_json()
        assert events[-1].type in ("error", "response.failed")
    except openai.APIError as error:
        told = str(error)

    assert "budget_exceeded" in told
    assert sum(each.type == "response.output_text.delta" for each in events) > 100
    metered.count_records()
    charged(metered, "responses")


def test_anthropic_s_sdk_raises(metered: Interceptor, provider: SimulatedProvider) -> None:
    """APIStatusError with our code; the input that the first event reported is charged with the text that came."""
    provider.queue(SLOW)
    client = metered.anthropic(default_headers={"x-user": "messages"})
    with client.messages.stream(**message("tell me all", max_tokens=60_000)) as stream:
        said, error = texts_until(anthropic.APIStatusError, stream.text_stream)

    assert "budget_exceeded" in str(error)
    assert "'cap'" in str(error)
    assert LONG.startswith(said)
    assert len(said) > 500
    metered.count_records()
    record = charged(metered, "messages")
    assert record["usage_source"] == "estimate"
    assert record["usage"]["output_tokens"] >= len(said) > 8 * record["usage"]["input_tokens"]


def test_google_s_sdk_raises(metered: Interceptor, provider: SimulatedProvider) -> None:
    """ClientError with Google's own word for it."""
    provider.queue(SLOW)
    with metered.http(headers={"x-user": "gemini"}) as client:
        answer = client.post(
            f"https://{GEMINI}/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", json=contents("all")
        )
    assert "RESOURCE_EXHAUSTED" in answer.text.rstrip().rpartition("data: ")[2]
    metered.count_records()
    charged(metered, "gemini")
    provider.queue(SLOW)
    google = metered.gemini()
    stream = google.models.generate_content_stream(model="gemini-2.5-flash", contents="all")
    _, error = texts_until(genai.errors.ClientError, (each.text or "" for each in stream))

    assert (error.code, error.status) == (429, "RESOURCE_EXHAUSTED")


def test_a_call_that_fits_is_untouched(metered: Interceptor, provider: SimulatedProvider) -> None:
    """A full hold would have refused it: the model's own maximum costs more than the cap."""
    client = metered.openai(default_headers={"x-user": "modest"})
    stream = client.chat.completions.create(**chat("a few words", stream=True))
    said = "".join(each.choices[0].delta.content or "" for each in stream if each.choices)
    with pytest.raises(openai.RateLimitError):
        client.chat.completions.create(**chat("a few words"))  # comes whole, so its worst case is held

    assert said
    metered.count_records()
    first, second = (each for each in metered.records() if each["caller"]["user"] == "modest")
    assert (first["verdict"], first["hold"]) == ("allowed", {"kind": "metered", "steps": 0})
    assert first["overshoot_usd"] == "0"
    assert (second["verdict"], second["rule"]) == ("refused", "cap")


def test_many_streams_share_a_cap(metered: Interceptor, provider: SimulatedProvider) -> None:
    """Eight at once on one cap: together they pass it by no more than a slice each, and nothing stays held."""
    provider.queue(*[SLOW] * 8)

    def one(number: int) -> str:
        with metered.http(headers={"x-user": "crowd"}, timeout=60) as client:
            answer = client.post(f"https://{OPENAI}/v1/chat/completions", json=chat(f"all, {number}", stream=True))
        return answer.text

    assert all("budget_exceeded" in text for text in in_parallel(one, 8, threads=8))
    metered.count_records()
    (state,) = [each for each in metered.budgets() if each["id"] == "crowd"]
    assert Decimal(state["pending_usd"]) == 0
    assert Decimal(state["posted_usd"]) <= CAP_USD
    assert Decimal(state["debt_usd"]) <= 8 * SLICE_USD
