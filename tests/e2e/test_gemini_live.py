"""Google's Live API through the running interceptor, spoken by the real google-genai SDK."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from interceptor import CARD, EMAIL, EMAIL_2, Interceptor, assert_clean, rules_for, until

from outwarden.simulate import Script, SimulatedProvider, ToolCall

MODEL = "gemini-2.5-flash-native-audio-preview-09-2025"
SECRET = f"Write to {EMAIL}, the card is {CARD}."
KEY = "sk-proj-" + "aB3" * 16
SPEECH, SILENCE = b"\x01\x02" * 1600, b"\0\0" * 1600  # 100 ms at 16 kHz
TEXT: Any = {"response_modalities": ["TEXT"]}
ALOUD: Any = {"response_modalities": ["AUDIO"], "output_audio_transcription": {}, "input_audio_transcription": {}}
# The model's own output is text here and sound there; neither is priced the same everywhere.
PRICES = {"prices": [{"provider": "google", "model": "gemini*", "input_mtok": 1, "output_mtok": 2}]}


@pytest.fixture(scope="module")
def outwarden(primary: SimulatedProvider, start: Any) -> Interceptor:
    """An interceptor without budgets in the way."""
    return start(rules_for(primary, prices=PRICES))  # type: ignore[no-any-return]


@asynccontextmanager
async def session(outwarden: Interceptor, config: Any = None) -> AsyncIterator[Any]:
    """A session through the interceptor, set up."""
    options = types.HttpOptions(async_client_args={"ssl": outwarden.trust(), "proxy": outwarden.url})
    client = genai.Client(api_key="simulated-key", http_options=options)
    async with client.aio.live.connect(model=MODEL, config=config or TEXT) as live:
        yield live


async def ask(live: Any, text: str) -> str:
    """One turn in text: what was said."""
    await live.send_client_content(turns={"role": "user", "parts": [{"text": text}]})
    return "".join([message.text or "" async for message in live.receive()])


def of_responses(outwarden: Interceptor, seen: int, count: int) -> list[dict[str, Any]]:
    """The records of responses after the first ``seen`` records; each connection has one of its own beside them."""

    def found() -> list[dict[str, Any]]:
        return [each for each in outwarden.records()[seen:] if each["usage_source"] or each["verdict"] != "allowed"]

    return until(lambda: found() if len(found()) >= count else None, 10)


async def test_text_both_ways(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Values leave as names and come back as values, turn after turn; each turn has a record with the usage told."""
    seen = outwarden.count_records()
    config = TEXT | {"system_instruction": f"The customer is {EMAIL_2}."}
    async with session(outwarden, config) as live:
        history = {"role": "user", "parts": [{"text": f"I am {EMAIL_2}."}]}
        await live.send_client_content(turns=history, turn_complete=False)
        for turn in range(2):
            assert await ask(live, f"{turn}: {SECRET}") == f"{turn}: {SECRET}"

    assert_clean(provider)
    for record in of_responses(outwarden, seen, 2):
        assert (record["operation"], record["model"], record["usage_source"]) == ("live", MODEL, "provider")
        assert record["usage"]["output_tokens"] > 0
        assert float(record["cost_usd"]) > 0
        assert record["restored"] >= 2


async def test_speech_passes_and_its_words_are_read(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Sound goes on byte for byte; what the provider heard and says in words is text like any other."""
    seen = outwarden.count_records()
    async with session(outwarden, ALOUD) as live:
        assert await ask(live, SECRET) == ""
        provider.queue(Script(transcript=f"My mail is {EMAIL_2}.", text=f"Is it {EMAIL_2}?"))
        for sound in (SPEECH, SILENCE):
            await live.send_realtime_input(audio=types.Blob(data=sound, mime_type="audio/pcm;rate=16000"))
        found = [message.server_content async for message in live.receive() if message.server_content]

    heard = "".join(one.input_transcription.text or "" for one in found if one.input_transcription)
    said = "".join(one.output_transcription.text or "" for one in found if one.output_transcription)
    assert heard == "My mail is [EMAIL_ADDRESS]."
    assert said == "Is it [EMAIL_ADDRESS]?"
    sent = "".join(map(str, provider.requests[-1].messages))
    assert types.Blob(data=SPEECH).model_dump(mode="json")["data"].replace("-", "+").replace("_", "/") in sent
    assert_clean(provider, [EMAIL, CARD])
    assert [each["usage_source"] for each in of_responses(outwarden, seen, 2)] == ["provider", "provider"]


async def test_the_words_of_an_answer_aloud_are_restored(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """What is spoken cannot be changed, its words are: the caller's values are back in them."""
    async with session(outwarden, ALOUD) as live:
        await live.send_client_content(turns={"role": "user", "parts": [{"text": SECRET}]})
        found = [message.server_content async for message in live.receive() if message.server_content]

    assert "".join(one.output_transcription.text or "" for one in found if one.output_transcription) == SECRET
    assert_clean(provider)


async def test_tools(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """A tool is called with the caller's own value, and what it answers leaves without any."""
    async with session(outwarden) as live:
        await ask(live, SECRET)
        name = next(word for word in str(provider.requests[-1].messages).split() if "[EMAIL_ADDRESS_" in word)
        provider.queue(Script(tool_calls=(ToolCall("mail", f'{{"to": "{name.strip(",")}"}}'),)))
        await live.send_client_content(turns={"role": "user", "parts": [{"text": "Send it."}]})
        (call,) = (await live._receive()).tool_call.function_calls
        answer = types.FunctionResponse(id=call.id, name=call.name, response={"output": f"Sent, copy to {EMAIL_2}."})
        await live.send_tool_response(function_responses=answer)
        told = "".join([message.text or "" async for message in live.receive()])

    assert call.args == {"to": EMAIL}
    assert EMAIL_2 in told
    assert_clean(provider)


async def test_a_session_of_many_tools(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """More rounds than responses may be open at once (64), in one turn: it has one record, and the session goes on."""
    seen = outwarden.count_records()
    async with session(outwarden) as live:
        for number in range(100):
            provider.queue(Script(tool_calls=(ToolCall("look", f'{{"page": {number}}}'),)))
        await live.send_client_content(turns={"role": "user", "parts": [{"text": "Read all pages."}]})
        for number in range(100):
            (call,) = (await live._receive()).tool_call.function_calls
            assert call.args == {"page": number}
            answer = types.FunctionResponse(id=call.id, name=call.name, response={"output": f"{number}: {EMAIL}"})
            await live.send_tool_response(function_responses=answer)
        assert f"99: {EMAIL}" in "".join([message.text or "" async for message in live.receive()])
        assert await ask(live, "Thank you.") == "Thank you."

    assert_clean(provider)
    reading, thanking = of_responses(outwarden, seen, 2)
    assert reading["redactions"]["request"]["EMAIL_ADDRESS"] == 100
    assert [record["usage_source"] for record in (reading, thanking)] == ["provider", "provider"]


async def test_a_refusal_is_a_close(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """The API has no error message: the SDK raises with the rule's name as the reason, and the text did not leave."""
    seen = outwarden.count_records()
    async with session(outwarden) as live:
        with pytest.raises(errors.APIError, match="pii") as closed:
            await ask(live, f"My key is {KEY}.")

    assert closed.value.code == 1008
    assert_clean(provider, [KEY])
    assert [each["verdict"] for each in of_responses(outwarden, seen, 1)] == ["refused"]


async def test_an_exceeded_budget_is_a_close(primary: SimulatedProvider, start: Any) -> None:
    """Two turns are within the limit, the third is not, and it never reaches the provider."""
    budget = {"name": "two", "scope": "all", "limit_requests": 2, "window": "day"}
    outwarden: Interceptor = start(rules_for(primary, prices=PRICES, budgets={"budgets": [budget]}))
    primary.clear()
    async with session(outwarden) as live:
        for turn in range(2):
            assert await ask(live, f"turn {turn}") == f"turn {turn}"
        with pytest.raises(errors.APIError, match="budget_exceeded") as closed:
            await ask(live, "turn 2")

    assert closed.value.code == 1008
    assert "turn 2" not in "".join(map(str, primary.requests[-1].messages))
    (state,) = outwarden.budgets()
    assert (state["posted_requests"], state["pending_requests"]) == ("2", "0")
