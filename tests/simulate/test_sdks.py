"""The vendors' own SDKs read the simulated provider as they read the real one."""

import asyncio
import json
import ssl
from typing import Any

import anthropic
import httpx
import httpx2
import openai
import pytest
from google import genai
from google.genai import types

from outwarden.simulate import HEADER, Script, SimulatedProvider, ToolCall

SAID = "Write to Ada Quill at ada.quill@corp.example — “soon”, or call 🙂."
TOOL = ToolCall("send_mail", json.dumps({"to": "ada.quill@corp.example", "text": 'say "hi"\n\\done'}))


def openai_client(base: str, trust: ssl.SSLContext) -> openai.OpenAI:
    return openai.OpenAI(
        base_url=f"{base}/v1", api_key="sk-simulated", http_client=httpx2.Client(verify=trust), max_retries=0
    )


def anthropic_client(base: str, trust: ssl.SSLContext) -> anthropic.Anthropic:
    return anthropic.Anthropic(
        base_url=base, api_key="simulated", http_client=httpx2.Client(verify=trust), max_retries=0
    )


def gemini_client(base: str, trust: ssl.SSLContext) -> genai.Client:
    options = types.HttpOptions(
        base_url=base,
        client_args={"verify": trust},
        async_client_args={"verify": trust},
        retry_options=types.HttpRetryOptions(attempts=1),
    )
    return genai.Client(api_key="simulated", http_options=options)


def asked(text: str = SAID) -> list[Any]:
    return [{"role": "system", "content": "Repeat."}, {"role": "user", "content": text}]


@pytest.mark.parametrize("piece_chars", [0, 1, 7])
def test_openai_chat_streams_what_it_says_whole(
    provider: SimulatedProvider, base: str, trust: ssl.SSLContext, piece_chars: int
) -> None:
    """The deltas of a stream join to the whole answer's text, and both report the same usage."""
    client = openai_client(base, trust)
    provider.queue(Script(piece_chars=piece_chars), Script(piece_chars=piece_chars))

    whole = client.chat.completions.create(model="gpt-4o", messages=asked())
    chunks = list(
        client.chat.completions.create(
            model="gpt-4o", messages=asked(), stream=True, stream_options={"include_usage": True}
        )
    )

    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert whole.choices[0].message.content == said == SAID
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert whole.usage is not None
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens > 0


def test_openai_chat_reports_usage_in_a_stream_only_when_asked(
    provider: SimulatedProvider, base: str, trust: ssl.SSLContext
) -> None:
    """Without include_usage no chunk has usage, and none has an empty list of choices."""
    chunks = list(openai_client(base, trust).chat.completions.create(model="gpt-4o", messages=asked(), stream=True))

    assert all(chunk.usage is None and chunk.choices for chunk in chunks)


def test_openai_chat_tool_arguments_come_in_fragments(
    provider: SimulatedProvider, base: str, trust: ssl.SSLContext
) -> None:
    """Streamed fragments of arguments join to the scripted JSON, and the whole answer has it too."""
    client = openai_client(base, trust)
    provider.queue(Script(tool_calls=(TOOL, TOOL)), Script(tool_calls=(TOOL, TOOL)))

    whole = client.chat.completions.create(model="gpt-4o", messages=asked())
    joined: dict[int, str] = {}
    fragments = 0
    for chunk in client.chat.completions.create(model="gpt-4o", messages=asked(), stream=True):
        for call in chunk.choices[0].delta.tool_calls or []:
            assert call.function is not None
            joined[call.index] = joined.get(call.index, "") + (call.function.arguments or "")
            fragments += 1

    calls = whole.choices[0].message.tool_calls or []
    assert [call.function.arguments for call in calls if call.type == "function"] == [TOOL.arguments] * 2
    assert joined == {0: TOOL.arguments, 1: TOOL.arguments}
    assert fragments > 10
    assert whole.choices[0].finish_reason == "tool_calls"


def test_openai_honours_output_limit_and_choices(provider: SimulatedProvider, base: str, trust: ssl.SSLContext) -> None:
    """A limit cuts the answer, the usage stays within it, and n gives n choices."""
    answer = openai_client(base, trust).chat.completions.create(
        model="gpt-4o", messages=asked("one two three four five"), max_tokens=3, n=2
    )

    assert [choice.message.content for choice in answer.choices] == ["one two three"] * 2
    assert [choice.finish_reason for choice in answer.choices] == ["length"] * 2
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 6


def test_openai_responses_say_the_same_in_every_copy(
    provider: SimulatedProvider, base: str, trust: ssl.SSLContext
) -> None:
    """Deltas, the three closing events and the final response of a stream agree; the numbering has no gap."""
    client = openai_client(base, trust)
    script = Script(text=SAID, thinking="Let me see.", tool_calls=(TOOL,))
    provider.queue(script, script)

    whole = client.responses.create(model="gpt-5", input=SAID, instructions="Repeat.")
    events = list(client.responses.create(model="gpt-5", input=SAID, instructions="Repeat.", stream=True))

    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type == "response.completed"
    deltas = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    final = events[-1].response
    assert deltas == final.output_text == whole.output_text == SAID
    assert [event.text for event in events if event.type == "response.output_text.done"] == [SAID]
    arguments = "".join(event.delta for event in events if event.type == "response.function_call_arguments.delta")
    assert arguments == TOOL.arguments
    assert final.usage == whole.usage


def test_openai_responses_repeat_the_final_text_four_times(
    provider: SimulatedProvider, base: str, trust: ssl.SSLContext
) -> None:
    """As in 133 of 141 recorded streams, the text stands in four events after the deltas."""
    with httpx.Client(verify=trust) as client:
        body = {"model": "gpt-5", "input": "unmistakable", "stream": True}
        text = client.post(f"{base}/v1/responses", json=body).text

    assert text.count("unmistakable") == 4


def test_openai_embeddings_and_models(provider: SimulatedProvider, base: str, trust: ssl.SSLContext) -> None:
    """Vectors come as base64 or as numbers, equal for equal texts, in the wanted length; models are listed."""
    client = openai_client(base, trust)

    packed = client.embeddings.create(model="text-embedding-3-small", input=["a", "b", "a"], dimensions=8)
    plain = client.embeddings.create(model="text-embedding-3-small", input="a", dimensions=8, encoding_format="float")

    assert packed.data[0].embedding == packed.data[2].embedding != packed.data[1].embedding
    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding, abs=1e-6)
    assert len(plain.data[0].embedding) == 8
    assert packed.usage.total_tokens == 3
    assert "gpt-4o" in {model.id for model in client.models.list()}


def test_anthropic_streams_what_it_says_whole(provider: SimulatedProvider, base: str, trust: ssl.SSLContext) -> None:
    """The SDK's accumulated stream equals the whole message: thinking with signature, text, tool input, usage."""
    client = anthropic_client(base, trust)
    script = Script(text=SAID, thinking="Let me see.", tool_calls=(TOOL,))
    provider.queue(script, script)
    request: dict[str, Any] = {"model": "claude-simulated", "max_tokens": 500, "messages": asked()[1:]}

    whole = client.messages.create(**request)
    with client.messages.stream(**request) as stream:
        final = stream.get_final_message()

    assert [block.type for block in final.content] == ["thinking", "text", "tool_use"]
    assert final.content[1].text == whole.content[1].text == SAID  # type: ignore[union-attr]
    assert final.content[0].thinking == whole.content[0].thinking == "Let me see."  # type: ignore[union-attr]
    assert final.content[0].signature  # type: ignore[union-attr]
    assert final.content[2].input == whole.content[2].input == json.loads(TOOL.arguments)  # type: ignore[union-attr]
    assert final.stop_reason == whole.stop_reason == "tool_use"
    assert final.usage.output_tokens == whole.usage.output_tokens > 1
    assert final.usage.input_tokens == whole.usage.input_tokens


def test_anthropic_stream_has_pings_padding_and_an_early_usage(
    provider: SimulatedProvider, base: str, trust: ssl.SSLContext
) -> None:
    """The stream's spelling is Anthropic's: a ping with a space, padded events, a first output count not final."""
    body = {"model": "claude-simulated", "max_tokens": 500, "messages": asked()[1:], "stream": True}
    with httpx.Client(verify=trust) as client:
        text = client.post(f"{base}/v1/messages", json=body).text

    assert 'event: ping\ndata: {"type": "ping"}\n\n' in text
    assert text.count(" }\n\n") > 5
    assert '"output_tokens":1,' in text
    assert text.rstrip().startswith("event: message_start\n")
    assert json.loads(text.rstrip().rpartition("data: ")[2]) == {"type": "message_stop"}


def test_anthropic_counts_tokens_as_it_charges_them(
    provider: SimulatedProvider, base: str, trust: ssl.SSLContext
) -> None:
    """count_tokens tells the input tokens that the message then costs."""
    client = anthropic_client(base, trust)
    request: dict[str, Any] = {"model": "claude-simulated", "messages": asked()[1:], "system": "Be brief."}

    counted = client.messages.count_tokens(**request)
    message = client.messages.create(**request, max_tokens=100)

    assert counted.input_tokens == message.usage.input_tokens


def test_gemini_streams_what_it_says_whole(provider: SimulatedProvider, base: str, trust: ssl.SSLContext) -> None:
    """Pieces join to the whole text; usage totals include thinking, the output count does not."""
    client = gemini_client(base, trust)
    script = Script(text=SAID, thinking="Let me see.", tool_calls=(TOOL,))
    provider.queue(script, script)

    whole = client.models.generate_content(model="gemini-2.5-flash", contents=SAID)
    chunks = list(client.models.generate_content_stream(model="gemini-2.5-flash", contents=SAID))

    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]  # type: ignore[index,union-attr]
    assert "".join(part.text or "" for part in parts if not part.thought) == SAID
    assert whole.candidates[0].content.parts[1].text == SAID  # type: ignore[index,union-attr]
    assert [call.args for call in whole.function_calls or []] == [json.loads(TOOL.arguments)]
    assert chunks[-1].usage_metadata == whole.usage_metadata
    usage = whole.usage_metadata
    assert usage is not None
    assert usage.total_token_count == sum(
        (usage.prompt_token_count or 0, usage.candidates_token_count or 0, usage.thoughts_token_count or 0)
    )


def test_gemini_stream_uses_crlf_or_a_json_array(provider: SimulatedProvider, base: str, trust: ssl.SSLContext) -> None:
    """With alt=sse every line ends in CRLF; without it the body is one JSON array under application/json."""
    body = {"contents": [{"role": "user", "parts": [{"text": "a <b> & c"}]}]}
    url = f"{base}/v1beta/models/gemini-2.5-flash:streamGenerateContent"
    with httpx.Client(verify=trust) as client:
        sse = client.post(f"{url}?alt=sse", json=body)
        array = client.post(url, json=body)

    assert sse.text.endswith("\r\n\r\n")
    assert sse.text.count("\n") == sse.text.count("\r\n")
    assert "\\u003c" in sse.text
    assert "<" not in sse.text
    assert array.headers["content-type"].startswith("application/json")
    assert "".join(each["candidates"][0]["content"]["parts"][0]["text"] for each in array.json()) == "a <b> & c"


def test_gemini_embeds_and_counts(provider: SimulatedProvider, base: str, trust: ssl.SSLContext) -> None:
    """embed_content gives vectors and count_tokens what generating then charges."""
    client = gemini_client(base, trust)

    embedded = client.models.embed_content(model="gemini-embedding-001", contents="a")
    counted = client.models.count_tokens(model="gemini-2.5-flash", contents=SAID)
    answer = client.models.generate_content(model="gemini-2.5-flash", contents=SAID)

    assert len(embedded.embeddings[0].values or []) == 768  # type: ignore[index]
    assert counted.total_tokens == answer.usage_metadata.prompt_token_count  # type: ignore[union-attr]


@pytest.mark.parametrize("path", ["/api/chat", "/api/generate"])
def test_ollama_streams_lines_unless_told_otherwise(
    provider: SimulatedProvider, base: str, trust: ssl.SSLContext, path: str
) -> None:
    """JSON lines by default, one object with stream: false, the same text and counts in both."""
    body = {"model": "llama3.2:1b", "messages": asked(), "prompt": SAID}
    with httpx.Client(verify=trust) as client:
        lines = [json.loads(line) for line in client.post(base + path, json=body).text.splitlines()]
        whole = client.post(base + path, json=body | {"stream": False}).json()

    def text(answer: Any) -> str:
        return answer["message"]["content"] if path == "/api/chat" else answer["response"]

    assert "".join(map(text, lines)) == text(whole) == SAID
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    assert lines[-1]["eval_count"] == whole["eval_count"] > 0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_errors_are_the_sdk_s_own_exceptions(
    provider: SimulatedProvider, base: str, trust: ssl.SSLContext, status: int
) -> None:
    """A scripted status is seen by each SDK as its exception for that status, with Retry-After."""
    provider.queue(*[Script(status=status, retry_after="7")] * 3)
    gemini = gemini_client(base, trust)  # it closes itself when nobody holds it

    with pytest.raises(openai.APIStatusError) as seen_openai:
        openai_client(base, trust).chat.completions.create(model="gpt-4o", messages=asked())
    with pytest.raises(anthropic.APIStatusError) as seen_anthropic:
        anthropic_client(base, trust).messages.create(model="claude", max_tokens=5, messages=asked()[1:])
    with pytest.raises(genai.errors.APIError) as seen_gemini:
        gemini.models.generate_content(model="gemini-2.5-flash", contents="x")

    assert [seen_openai.value.status_code, seen_anthropic.value.status_code, seen_gemini.value.code] == [status] * 3
    assert seen_openai.value.response.headers["retry-after"] == "7"
    assert seen_gemini.value.status not in (None, "UNKNOWN")


def test_in_band_errors_are_the_sdk_s_own_exceptions(
    provider: SimulatedProvider, base: str, trust: ssl.SSLContext
) -> None:
    """An error event after two pieces of content raises in each SDK that knows one."""
    provider.queue(*[Script(error_after=2)] * 3)

    with pytest.raises(openai.APIError):
        list(openai_client(base, trust).chat.completions.create(model="gpt-4o", messages=asked(), stream=True))
    events = list(openai_client(base, trust).responses.create(model="gpt-4o", input=SAID, stream=True))
    assert events[-1].type == "error"
    assert "response.completed" not in {event.type for event in events}
    with (
        pytest.raises(anthropic.APIError),
        anthropic_client(base, trust).messages.stream(model="claude", max_tokens=5, messages=asked()[1:]) as stream,
    ):
        stream.get_final_message()


def test_a_request_may_bring_its_own_script(provider: SimulatedProvider, base: str, trust: ssl.SSLContext) -> None:
    """The header wins over what is queued, which stays for the next request."""
    client = openai_client(base, trust)
    provider.queue(Script(text="queued"))

    own = client.chat.completions.create(
        model="gpt-4o", messages=asked(), extra_headers={HEADER: json.dumps({"text": "own"})}
    )
    next_one = client.chat.completions.create(model="gpt-4o", messages=asked())

    assert [own.choices[0].message.content, next_one.choices[0].message.content] == ["own", "queued"]


def test_fifty_calls_at_once(provider: SimulatedProvider, base: str, trust: ssl.SSLContext) -> None:
    """Concurrent async calls each get their own answer."""

    async def all_of_them() -> list[str | None]:
        async with openai.AsyncOpenAI(
            base_url=f"{base}/v1", api_key="sk-simulated", http_client=httpx2.AsyncClient(verify=trust)
        ) as client:
            answers = await asyncio.gather(
                *(client.chat.completions.create(model="gpt-4o", messages=asked(f"number {n}")) for n in range(50))
            )
        return [answer.choices[0].message.content for answer in answers]

    assert asyncio.run(all_of_them()) == [f"number {n}" for n in range(50)]
