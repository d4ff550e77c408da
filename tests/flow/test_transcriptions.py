"""What a provider writes down of speech is a call of its own: held for before the sound, settled by its own usage."""

from typing import Any

import pytest
from sessions import Speak, Talk, pending, responses

from outwarden.flow.services import Services
from outwarden.flow.session import Refused
from outwarden.flow.transcriptions import ASKED_MAX
from outwarden.pricing import usd

SOUND = {"type": "input_audio_buffer.append", "audio": "AAAA" * 4000}  # 12,000 bytes: a quarter of a second
NAME = "conversation.item.input_audio_transcription"
SECONDS = {"type": "duration", "seconds": 3}
TOKENS = {"type": "tokens", "input_tokens": 30, "output_tokens": 5, "input_token_details": {"audio_tokens": 30}}


def session(transcriber: str | None = "whisper-1", kind: str = "transcription") -> dict[str, Any]:
    """A session's settings, as client and server tell them."""
    transcription = {"model": transcriber} if transcriber else None
    return {
        "type": kind,
        "audio": {"input": {"transcription": transcription, "turn_detection": {"type": "server_vad"}}},
    }


def update(*args: Any) -> dict[str, Any]:
    return {"type": "session.update", "session": session(*args)}


def committed(item: str = "a") -> dict[str, Any]:
    return {"type": "input_audio_buffer.committed", "item_id": item}


def completed(item: str = "a", usage: Any = SECONDS) -> dict[str, Any]:
    told = {} if usage is None else {"usage": usage}
    return {"type": f"{NAME}.completed", "item_id": item, "content_index": 0, "transcript": "Hello."} | told


@pytest.fixture
def realtime(talk: Speak, services: Services) -> Talk:
    """A connection on which responses and transcriptions can be had."""
    return talk(services, "/v1/realtime?model=gpt-realtime")


@pytest.mark.parametrize(
    ("model", "usage", "counts", "cost"),
    [
        ("whisper-1", SECONDS, {"input_tokens": 0, "output_tokens": 0, "input_audio_ms": 3000}, "0.0003"),
        ("gpt-4o-transcribe", TOKENS, {"input_tokens": 30, "output_tokens": 5, "input_audio_tokens": 30}, "0.00023"),
    ],
)
def test_a_session_for_transcription(
    realtime: Talk, services: Services, model: str, usage: Any, counts: dict[str, int], cost: str
) -> None:
    """$0.36 an hour; $6 a million tokens of sound and $10 of text. Each piece has its hold and its record."""
    free, seen = pending(services), len(responses(services))
    realtime.client(update(model))
    for item in ("a", "b", "c"):
        realtime.client(SOUND, SOUND)
        assert pending(services) > free, "held before the sound is sent"
        realtime.server(committed(item), completed(item, usage))
        assert pending(services) == free

    found = responses(services, seen)
    assert [record["usage"] for record in found] == [counts] * 3
    assert [record["cost_usd"] for record in found] == [cost] * 3
    assert {record["model"] for record in found} == {model}
    assert {record["operation"] for record in found} == {"realtime_transcription"}
    assert {record["usage_source"] for record in found} == {"provider"}


def test_sound_goes_on_before_what_came_is_written_down(realtime: Talk, services: Services) -> None:
    """Each piece that the provider has keeps its hold; they may be written down in any order."""
    free, seen = pending(services), len(responses(services))
    realtime.client(update(), SOUND)
    one = pending(services) - free
    realtime.server(committed("a"))
    realtime.client(SOUND)
    assert pending(services) - free == 2 * one
    realtime.server(committed("b"), completed("b", SECONDS | {"seconds": 1}))
    assert pending(services) - free == one
    realtime.server(completed("a"))

    assert pending(services) == free
    assert [record["usage"]["input_audio_ms"] for record in responses(services, seen)] == [1000, 3000]


def test_a_conversation_pays_for_both(realtime: Talk, services: Services) -> None:
    """The response and the transcription beside it are two calls, each with its own model, in whatever order."""
    free, seen = pending(services), len(responses(services))
    usage = {"input_tokens": 20, "output_tokens": 5, "total_tokens": 25}
    done = {"type": "response.done", "response": {"usage": usage}}
    realtime.client(update("whisper-1", "realtime"))
    for events in ((completed(), done), (done, completed())):
        realtime.client(SOUND)
        realtime.server(committed(), {"type": "response.created", "response": {}}, *events)
        assert pending(services) == free

    found = [(record["model"], record["usage"].get("input_audio_ms")) for record in responses(services, seen)]
    assert found == [("whisper-1", 3000), ("gpt-realtime", None), ("gpt-realtime", None), ("whisper-1", 3000)]


@pytest.mark.parametrize(
    "told",
    [
        {"type": "session.created", "session": session()},
        {"type": "session.updated", "session": session()},
        {"type": "transcription_session.updated", "session": {"input_audio_transcription": {"model": "whisper-1"}}},
    ],
)
def test_what_the_server_says_of_the_session_counts(realtime: Talk, services: Services, told: Any) -> None:
    """A key for one session may carry its settings: the client says nothing then."""
    free, seen = pending(services), len(responses(services))
    realtime.server(told)
    realtime.client(SOUND)
    assert pending(services) > free
    realtime.server(committed(), completed())

    assert [record["model"] for record in responses(services, seen)] == ["whisper-1"]
    assert pending(services) == free


def test_a_connection_for_transcription_gives_no_responses(talk: Speak, services: Services) -> None:
    """By the query alone: speech is held for once, by the model that writes it down."""
    free = pending(services)
    realtime = talk(services, "/v1/realtime?intent=transcription")
    realtime.client(SOUND)
    assert pending(services) == free
    realtime.server({"type": "transcription_session.created", "session": {"input_audio_transcription": None}})
    realtime.client(SOUND)
    assert pending(services) == free, "nobody writes anything down"


def test_a_transcription_that_fails_costs_nothing(realtime: Talk, services: Services) -> None:
    free, seen = pending(services), len(responses(services))
    realtime.client(update(), SOUND)
    realtime.server(committed(), {"type": f"{NAME}.failed", "item_id": "a", "error": {"code": "audio_unintelligible"}})

    assert pending(services) == free
    assert responses(services, seen) == []


def test_a_transcription_without_usage_is_estimated_by_its_sound(realtime: Talk, services: Services) -> None:
    """Four pieces of a quarter of a second: ten tokens, and some for the messages' own bytes."""
    free, seen = pending(services), len(responses(services))
    realtime.client(update(), *[SOUND] * 4)
    realtime.server(committed(), completed(usage=None))

    (record,) = responses(services, seen)
    assert record["usage_source"] == "estimate"
    assert 10 <= record["usage"]["input_tokens"] <= 11
    assert record["usage"]["output_tokens"] == len("Hello.")
    assert pending(services) == free


def test_what_is_open_at_the_end(realtime: Talk, services: Services) -> None:
    """What the provider has may have been billed; sound that it did not take up was not."""
    free, seen = pending(services), len(responses(services))
    realtime.client(update(), SOUND)
    realtime.server(committed())
    realtime.client(SOUND)
    assert realtime.session.is_answering, "a client that leaves now is waited for"
    realtime.session.finish(client_gone=True)

    assert pending(services) == free
    assert [record["usage_source"] for record in responses(services, seen)] == ["estimate", ""]


def test_a_piece_that_nobody_sent_as_sound(realtime: Talk, services: Services) -> None:
    """Speech in an item is written down, too; its hold is taken when that shows."""
    free, seen = pending(services), len(responses(services))
    realtime.client(update())
    realtime.server(completed("x"))

    assert [record["usage_source"] for record in responses(services, seen)] == ["provider"]
    assert pending(services) == free


def test_pieces_that_are_never_written_down_end(realtime: Talk, services: Services) -> None:
    """No more than a few are kept; the oldest is charged by its sound."""
    seen = len(responses(services))
    realtime.client(update())
    for number in range(ASKED_MAX + 3):
        realtime.client(SOUND)
        realtime.server(committed(f"item {number}"))

    assert [record["usage_source"] for record in responses(services, seen)] == ["estimate"] * 3
    realtime.session.finish(client_gone=True)


def test_without_a_transcriber_nothing_is_held(realtime: Talk, services: Services) -> None:
    free, seen = pending(services), len(responses(services))
    realtime.client(update(None), SOUND)
    realtime.server(committed(), completed(usage=None))

    assert (pending(services), responses(services, seen)) == (free, [])


def test_xai_writes_down_in_the_price_of_the_session(talk: Speak, services: Services) -> None:
    free, seen = pending(services), len(responses(services))
    realtime = talk(services, "/v1/realtime?intent=transcription", "api.x.ai")
    realtime.client(update("grok-transcribe"), SOUND)
    realtime.server(committed(), completed(usage=None))

    assert (pending(services), responses(services, seen)) == (free, [])


@pytest.mark.parametrize(
    ("limit", "model", "code"),
    [({"limit_requests": 1}, "whisper-1", "budget_exceeded"), ({"limit_usd": 5}, "nobody-knows", "price_unknown")],
)
def test_speech_that_cannot_be_paid_for_stays_here(
    open_services: Any, talk: Speak, limit: dict[str, int], model: str, code: str
) -> None:
    services = open_services(budgets={"budgets": [{"name": "b", "scope": "all", "window": "day"} | limit]})
    realtime = talk(services, "/v1/realtime?model=gpt-realtime")
    realtime.client(update(model))
    if code == "budget_exceeded":
        realtime.client(SOUND)
        realtime.server(committed(), completed())
    with pytest.raises(Refused) as refused:
        realtime.client(SOUND)

    assert refused.value.refusal.code == code
    assert pending(services) == 0


def test_a_rule_prices_speech_by_the_token(open_services: Any, talk: Speak) -> None:
    """Ten tokens a second, so $20 a million are $0.0006 for three seconds."""
    price = {"provider": "openai", "model": "whisper-1", "input_mtok": 20, "output_mtok": 0}
    services = open_services(prices={"prices": [price]})
    realtime = talk(services, "/v1/realtime?model=gpt-realtime")
    realtime.client(update(), SOUND)
    realtime.server(committed(), completed())

    assert responses(services)[-1]["cost_usd"] == "0.0006"
    assert sum(state.posted for state in services.ledger.states()) == 600_000
    assert usd(600_000) == "0.0006"
