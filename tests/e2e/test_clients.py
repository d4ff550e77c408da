"""Real SDKs and HTTP clients through the running interceptor: what leaves is clean, what comes back is whole."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from interceptor import (
    ANTHROPIC,
    CARD,
    EMAIL,
    EMAIL_2,
    GEMINI,
    IBAN,
    OLLAMA,
    OPENAI,
    RECORD,
    Interceptor,
    assert_clean,
    chat,
    contents,
    message,
    program_environment,
    rules_for,
    run_async,
    until,
)

from outwarden.simulate import HEADER, Script, SimulatedProvider, ToolCall

SAID = f"Please tell {EMAIL} and {EMAIL_2} that card {CARD}, account {IBAN} and patient {RECORD} are “fine” 🙂 <ok>."
TOOL = ToolCall("send_mail", json.dumps({"to": EMAIL, "text": 'say "hi"\n\\done', "card": CARD}))
TOOL_BODY: dict[str, Any] = {"type": "object", "properties": {"to": {"type": "string"}}}


@pytest.fixture(scope="module")
def outwarden(primary: SimulatedProvider, start: Any) -> Interceptor:
    """One interceptor for this module."""
    return start(rules_for(primary))


@pytest.fixture(autouse=True)
def clean_afterwards(provider: SimulatedProvider) -> Iterator[None]:
    """No test of this module lets a planted value out."""
    yield
    assert_clean(provider)


# --- OpenAI


def test_openai_chat(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """The echo comes back as it was said, the audit has the provider's usage and a cost, and counts what was found."""
    raw = outwarden.openai().chat.completions.with_raw_response.create(**chat(SAID))
    answer = raw.parse()

    assert answer.choices[0].message.content == SAID
    record = outwarden.record(raw)
    assert answer.usage is not None
    assert record["usage"]["input_tokens"] == answer.usage.prompt_tokens
    assert record["usage"]["output_tokens"] == answer.usage.completion_tokens
    assert record["usage_source"] == "provider"
    assert float(record["cost_usd"]) > 0
    assert record["redactions"]["request"]["EMAIL_ADDRESS"] == 2
    assert record["redactions"]["request"]["MEDICAL_RECORD_NUMBER"] == 1
    assert record["restored"] >= 5
    assert (record["provider"], record["operation"], record["model"]) == ("openai", "chat", "gpt-4o")


@pytest.mark.parametrize("piece_chars", [0, 1, 3])
@pytest.mark.parametrize("include_usage", [False, True])
def test_openai_chat_streaming(
    outwarden: Interceptor, provider: SimulatedProvider, piece_chars: int, include_usage: bool
) -> None:
    """A stream restores values split over deltas; the audit has usage whether the client asked for it or not."""
    provider.queue(Script(piece_chars=piece_chars))
    options: dict[str, Any] = {"stream_options": {"include_usage": True}} if include_usage else {}
    before = outwarden.count_records()

    chunks = list(outwarden.openai().chat.completions.create(**chat(SAID), stream=True, **options))

    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == SAID
    with_usage = [chunk.usage for chunk in chunks if chunk.usage]
    assert len(with_usage) == include_usage
    assert all(chunk.choices for chunk in chunks[: len(chunks) - include_usage])
    (record,) = outwarden.new_records(before)
    assert record["stream"] is True
    assert record["usage"]["output_tokens"] > 10
    if include_usage:
        assert record["usage"]["output_tokens"] == with_usage[0].completion_tokens


@pytest.mark.parametrize("stream", [False, True])
def test_openai_chat_tools(outwarden: Interceptor, provider: SimulatedProvider, stream: bool) -> None:
    """Tool arguments that name the caller's values come back restored, as JSON that still parses."""
    arguments = json.dumps({"echo": 1})
    first = outwarden.openai().chat.completions.create(**chat(f"{EMAIL} {CARD}"))
    assert first.choices[0].message.content == f"{EMAIL} {CARD}"
    seen = provider.requests[-1].json()["messages"][0]["content"]
    mail, card = seen.split(" ", 1)
    arguments = json.dumps({"to": mail, "text": 'say "hi"\n\\done', "card": card})
    provider.queue(Script(tool_calls=(ToolCall("send_mail", arguments),), piece_chars=2))
    tools = [{"type": "function", "function": {"name": "send_mail", "parameters": TOOL_BODY}}]

    if stream:
        chunks = outwarden.openai().chat.completions.create(**chat(f"{EMAIL} {CARD}", tools=tools), stream=True)
        joined = "".join(
            call.function.arguments or ""
            for chunk in chunks
            for call in chunk.choices[0].delta.tool_calls or []
            if call.function
        )
    else:
        answer = outwarden.openai().chat.completions.create(**chat(f"{EMAIL} {CARD}", tools=tools))
        joined = answer.choices[0].message.tool_calls[0].function.arguments  # type: ignore[index,union-attr]

    assert json.loads(joined) == {"to": EMAIL, "text": 'say "hi"\n\\done', "card": CARD}


def test_openai_tool_history_leaves_clean(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Values in earlier tool calls and their results are taken out too, and the arguments stay JSON."""
    call = {"id": "call_1", "type": "function", "function": {"name": "send_mail", "arguments": TOOL.arguments}}
    messages = [
        {"role": "system", "content": f"You serve {EMAIL_2}."},
        {"role": "user", "content": "Send it."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": json.dumps({"sent_to": EMAIL, RECORD: "done"})},
    ]
    answer = outwarden.openai().chat.completions.create(model="gpt-4o", messages=messages)  # type: ignore[arg-type]

    sent = provider.requests[-1].json()["messages"]
    assert sent[2]["tool_calls"][0]["id"] == "call_1"
    assert json.loads(sent[2]["tool_calls"][0]["function"]["arguments"])["text"] == 'say "hi"\n\\done'
    assert json.loads(answer.choices[0].message.content or "") == {"sent_to": EMAIL, RECORD: "done"}


@pytest.mark.parametrize("stream", [False, True])
def test_openai_responses(outwarden: Interceptor, provider: SimulatedProvider, stream: bool) -> None:
    """Every copy of the final text in a Responses stream is restored; instructions are echoed as they were given."""
    client = outwarden.openai()
    request: dict[str, Any] = {"model": "gpt-5", "input": SAID, "instructions": f"Write as {EMAIL_2}."}
    before = outwarden.count_records()

    if stream:
        events = list(client.responses.create(**request, stream=True))
        final = events[-1].response  # type: ignore[union-attr]
        assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == SAID
        assert [e.text for e in events if e.type == "response.output_text.done"] == [SAID]
        assert [e.part.text for e in events if e.type == "response.content_part.done"] == [SAID]  # type: ignore[union-attr]
    else:
        final = client.responses.create(**request)

    assert final.output_text == SAID
    assert final.instructions == request["instructions"]
    (record,) = outwarden.new_records(before)
    assert record["usage"]["output_tokens"] == final.usage.output_tokens  # type: ignore[union-attr]
    assert record["operation"] == "responses"


def test_openai_embeddings_and_models(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Embedding inputs are cleaned and charged; a listing passes."""
    client = outwarden.openai()
    before = outwarden.count_records()

    embedded = client.embeddings.create(model="text-embedding-3-small", input=[SAID, "plain"], dimensions=8)
    listed = client.models.list()

    assert len(embedded.data) == 2
    assert provider.requests[-2].json()["input"][1] == "plain"
    assert "gpt-4o" in {model.id for model in listed}
    record = outwarden.new_records(before)[0]
    assert record["usage"]["input_tokens"] == embedded.usage.prompt_tokens


def test_async_openai_many_at_once(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Forty concurrent streams and whole answers each get their own values back, never another call's."""

    async def one(client: Any, number: int) -> tuple[str, str]:
        said = f"mail person{number}@brightquill-mail.com about MRN-{1_000_000 + number}"
        if number % 2:
            answer = await client.chat.completions.create(**chat(said))
            return said, answer.choices[0].message.content
        stream = await client.chat.completions.create(**chat(said), stream=True)
        return said, "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])

    async def all_of_them() -> list[tuple[str, str]]:
        import asyncio

        async with outwarden.async_openai() as client:
            return await asyncio.gather(*(one(client, number) for number in range(40)))

    for said, got in run_async(all_of_them()):
        assert got == said
    assert_clean(provider, [f"person{number}@" for number in range(40)])


# --- Anthropic


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_messages(outwarden: Interceptor, provider: SimulatedProvider, stream: bool) -> None:
    """Thinking, text and tool input come back; usage in the audit is the final one."""
    client = outwarden.anthropic()
    before = outwarden.count_records()
    request = message(SAID, system=[{"type": "text", "text": f"You serve {EMAIL_2}."}])

    if stream:
        with client.messages.stream(**request) as opened:
            answer: Any = opened.get_final_message()
    else:
        answer = client.messages.create(**request)

    assert answer.content[0].text == SAID
    (record,) = outwarden.new_records(before)
    assert record["usage"]["output_tokens"] == answer.usage.output_tokens
    assert record["usage"]["input_tokens"] == answer.usage.input_tokens
    assert (record["provider"], record["operation"]) == ("anthropic", "messages")


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_tools(outwarden: Interceptor, provider: SimulatedProvider, stream: bool) -> None:
    """Tool input names the caller's values again, whole and streamed in fragments."""
    client = outwarden.anthropic()
    client.messages.create(**message(f"{EMAIL} {CARD}"))
    mail, card = provider.requests[-1].json()["messages"][0]["content"].split(" ", 1)
    tool = ToolCall("send_mail", json.dumps({"to": mail, "card": card, "n": 12345678901234567890}))
    provider.queue(Script(text="Sending.", tool_calls=(tool,), piece_chars=2))
    request = message(f"{EMAIL} {CARD}", tools=[{"name": "send_mail", "input_schema": TOOL_BODY}])

    if stream:
        with client.messages.stream(**request) as opened:
            answer: Any = opened.get_final_message()
    else:
        answer = client.messages.create(**request)

    assert answer.content[1].input == {"to": EMAIL, "card": CARD, "n": 12345678901234567890}


def test_anthropic_signed_thinking_is_never_changed(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Thinking that carries a signature passes byte for byte, also where it looks like personal data."""
    client = outwarden.anthropic()
    thinking = "The record is MRN-4455667 and the mail is cy.lamb@brightquill-mail.com."
    provider.queue(Script(text="Done.", thinking=thinking))
    with client.messages.stream(**message("Think.")) as opened:
        answer: Any = opened.get_final_message()

    assert answer.content[0].thinking == thinking
    block = {"type": "thinking", "thinking": thinking, "signature": answer.content[0].signature}
    turns = [
        {"role": "user", "content": "Think."},
        {"role": "assistant", "content": [block, {"type": "text", "text": "Done."}]},
        {"role": "user", "content": "Go on."},
    ]
    client.messages.create(**message("x") | {"messages": turns})
    assert provider.requests[-1].json()["messages"][1]["content"][0] == block


def test_anthropic_count_tokens(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Counting is free: no cost in the audit."""
    before = outwarden.count_records()
    body = message(SAID)
    counted = outwarden.anthropic().messages.count_tokens(model=body["model"], messages=body["messages"])

    assert counted.input_tokens > 5
    (record,) = outwarden.new_records(before)
    assert float(record["cost_usd"] or 0) == 0


def test_async_anthropic_streaming(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """The asynchronous SDK streams through."""

    async def ask() -> str:
        async with outwarden.async_anthropic() as client, client.messages.stream(**message(SAID)) as opened:
            return "".join([text async for text in opened.text_stream])

    assert run_async(ask()) == SAID


# --- Gemini


@pytest.mark.parametrize("stream", [False, True])
def test_gemini(outwarden: Interceptor, provider: SimulatedProvider, stream: bool) -> None:
    """CRLF events and whole answers restore alike; usage is the last one."""
    client = outwarden.gemini()
    before = outwarden.count_records()

    if stream:
        chunks = list(client.models.generate_content_stream(model="gemini-2.5-flash", contents=SAID))
        assert "".join(chunk.text or "" for chunk in chunks) == SAID
        usage = chunks[-1].usage_metadata
    else:
        answer = client.models.generate_content(model="gemini-2.5-flash", contents=SAID)
        assert answer.text == SAID
        usage = answer.usage_metadata

    (record,) = outwarden.new_records(before)
    assert usage is not None
    assert record["usage"]["input_tokens"] == usage.prompt_token_count
    assert record["usage"]["output_tokens"] == usage.candidates_token_count
    assert record["model"] == "gemini-2.5-flash"


def test_gemini_function_call(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Arguments are an object there, and are restored inside it; the signature stays."""
    client = outwarden.gemini()
    client.models.generate_content(model="gemini-2.5-flash", contents=EMAIL)
    mail = provider.requests[-1].json()["contents"][0]["parts"][0]["text"]
    tool = ToolCall("send_mail", json.dumps({"to": [mail], "n": 1.50}))
    provider.queue(Script(tool_calls=(tool,)), Script(tool_calls=(tool,)))

    whole = client.models.generate_content(model="gemini-2.5-flash", contents=EMAIL)
    streamed = list(client.models.generate_content_stream(model="gemini-2.5-flash", contents=EMAIL))

    for answer in (whole, streamed[-1]):
        assert answer.function_calls
        assert answer.function_calls[0].args == {"to": [EMAIL], "n": 1.5}
        assert answer.candidates[0].content.parts[0].thought_signature  # type: ignore[index,union-attr]


def test_async_gemini(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """The asynchronous client streams through."""

    async def ask() -> str:
        client = outwarden.gemini()
        stream = await client.aio.models.generate_content_stream(model="gemini-2.5-flash", contents=SAID)
        return "".join([chunk.text or "" async for chunk in stream])

    assert run_async(ask()) == SAID


def test_gemini_embeddings(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Embedding inputs leave clean."""
    client = outwarden.gemini()
    embedded = client.models.embed_content(model="gemini-embedding-001", contents=SAID)

    assert len(embedded.embeddings[0].values or []) == 768  # type: ignore[index]


def test_gemini_json_array_stream(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """A stream without alt=sse stays one JSON array, restored."""
    with outwarden.http() as client:
        url = f"https://{GEMINI}/v1beta/models/gemini-2.5-flash:streamGenerateContent"
        answer = client.post(url, json=contents(SAID), headers={"x-goog-api-key": "simulated"})

    parts = [each["candidates"][0]["content"]["parts"][0]["text"] for each in answer.json()]
    assert "".join(parts) == SAID
    assert outwarden.record(answer)["usage"]["output_tokens"] > 5


# --- Ollama and plain HTTP


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
@pytest.mark.parametrize("path", ["/api/chat", "/api/generate"])
def test_ollama_lines(outwarden: Interceptor, provider: SimulatedProvider, http2: bool, path: str) -> None:
    """JSON lines restore across lines, and the last line's counts are the usage."""
    body = {"model": "llama3.2:1b", "messages": chat(SAID)["messages"], "prompt": SAID}
    with outwarden.http(http2=http2) as client:
        answer = client.post(f"https://{OLLAMA}{path}", json=body)

    lines = [json.loads(line) for line in answer.text.splitlines()]
    texts = [line["message"]["content"] if path == "/api/chat" else line["response"] for line in lines]
    assert "".join(texts) == SAID
    assert lines[-1]["done"] is True
    usage = outwarden.record(answer)["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (lines[-1]["prompt_eval_count"], lines[-1]["eval_count"])


async def side_by_side(outwarden: Interceptor, bodies: list[dict[str, Any]], http2: bool) -> list[httpx.Response]:
    """Send chat calls at once; not from threads, which httpx's HTTP/2 connections do not bear (EAGAIN)."""
    url = f"https://{OPENAI}/v1/chat/completions"
    async with httpx.AsyncClient(
        proxy=outwarden.url, verify=outwarden.trust(http2=http2), http2=http2, timeout=30
    ) as client:
        first = await client.post(url, json=bodies[0])  # with its connection open, the others share it
        return [first, *await asyncio.gather(*(client.post(url, json=body) for body in bodies[1:]))]


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
@pytest.mark.parametrize("stream", [False, True])
def test_both_http_versions(outwarden: Interceptor, provider: SimulatedProvider, http2: bool, stream: bool) -> None:
    """HTTP/2 clients are served as HTTP/1.1 ones are, many streams side by side on one connection."""
    texts = [f"{number} {SAID}" for number in range(24)]
    answers = run_async(side_by_side(outwarden, [chat(text, stream=stream) for text in texts], http2))

    for said, answer in zip(texts, answers, strict=True):
        assert answer.status_code == 200
        assert answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
        if stream:
            events = [line[6:] for line in answer.text.splitlines() if line.startswith("data: {")]
            choices = [json.loads(event)["choices"] for event in events]
            assert "".join(c[0]["delta"].get("content") or "" for c in choices if c) == said
            assert answer.text.endswith("data: [DONE]\n\n")
        else:
            assert answer.json()["choices"][0]["message"]["content"] == said


def test_untouched_bodies_leave_and_return_as_they_are(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Without a finding not a byte of the body changes, nor does its length or the headers that matter."""
    body = b'{ "model":"gpt-4o" , "messages":[{"role":"user","content":"caf\\u00e9 \\/ na\xc3\xafve"}],\n '
    body += b'"seed":12345678901234567890, "temperature":1.50 }\n'
    headers = {"content-type": "application/json", "x-custom": "kept", "authorization": "Bearer simulated-key"}
    direct_headers = {HEADER: "{}"}
    with outwarden.http() as client:
        url = f"https://{OPENAI}/v1/chat/completions?trace=%20a"
        answer = client.post(url, content=body, headers=headers | direct_headers)

    seen = provider.requests[-1]
    assert seen.body == body
    assert seen.path == "/v1/chat/completions?trace=%20a"
    assert (seen.host, seen.server_name) == (OPENAI, OPENAI)
    assert [seen.header(name) for name in ("x-custom", "authorization")] == ["kept", "Bearer simulated-key"]
    until(lambda: provider.requests[-1].sent_bytes == len(answer.content))  # it counts once all has been sent
    assert answer.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize("chunking", ["bytes:1", "random:4:50", "whole"])
@pytest.mark.parametrize("host", [OPENAI, ANTHROPIC, GEMINI, OLLAMA])
def test_chunking_changes_nothing(
    outwarden: Interceptor, provider: SimulatedProvider, host: str, chunking: str
) -> None:
    """However the provider's bytes are cut, the client gets the same bytes, restored."""
    path, body = {
        OPENAI: ("/v1/chat/completions", chat(SAID, stream=True)),
        ANTHROPIC: ("/v1/messages", message(SAID, stream=True)),
        GEMINI: ("/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", contents(SAID)),
        OLLAMA: ("/api/chat", {"model": "llama3.2:1b", "messages": chat(SAID)["messages"]}),
    }[host]
    provider.queue(Script(), Script(chunking=chunking))
    with outwarden.http() as client:
        plain, cut = (client.post(f"https://{host}{path}", json=body) for _ in range(2))

    assert plain.status_code == 200
    assert cut.content == plain.content
    assert EMAIL.encode() not in provider.requests[-1].body


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("stream", [False, True])
def test_encoded_replies(outwarden: Interceptor, provider: SimulatedProvider, encoding: str, stream: bool) -> None:
    """A provider that compresses its reply, asked or not, is read all the same."""
    provider.queue(Script(encoding=encoding))
    with outwarden.http() as client:
        body = chat(SAID, stream=stream)
        answer = client.post(f"https://{OPENAI}/v1/chat/completions", json=body)

    if stream:
        events = [line[6:] for line in answer.text.splitlines() if line.startswith("data: {")]
        choices = [json.loads(event)["choices"] for event in events]
        assert "".join(c[0]["delta"].get("content") or "" for c in choices if c) == SAID
    else:
        assert answer.json()["choices"][0]["message"]["content"] == SAID
    assert outwarden.record(answer)["usage"]["output_tokens"] > 5


def test_streams_stay_streams(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """The first piece reaches the client long before the last one was sent."""
    import time

    provider.queue(Script(text="red green blue white black brown", event_delay_s=0.15))
    began = time.monotonic()
    stamps = []
    for chunk in outwarden.openai().chat.completions.create(**chat("go"), stream=True):
        if chunk.choices and chunk.choices[0].delta.content:
            stamps.append(time.monotonic() - began)

    assert len(stamps) > 4
    assert stamps[-1] - stamps[0] > 0.5


def test_upstream_errors_pass_in_the_provider_s_own_words(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """An error without a route is the client's to see, with its status, body and Retry-After."""
    provider.queue(Script(status=429, retry_after="7"), Script(status=400))
    with outwarden.http() as client:
        url = f"https://{OPENAI}/v1/chat/completions"
        limited, bad = (client.post(url, json=chat("x")) for _ in range(2))

    assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")
    assert limited.json()["error"]["code"] == "rate_limit_exceeded"
    assert bad.status_code == 400
    assert outwarden.record(limited)["status"] == 429
    assert float(outwarden.record(bad)["cost_usd"] or 0) == 0


def test_new_personal_data_in_a_reply_is_masked(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """What the model brings up by itself does not reach the client; what the caller said does."""
    stranger = "dee.ostrow@brightquill-mail.com"
    outwarden.planted.append(stranger)
    provider.queue(*[Script(text=f"Ask {stranger}, MRN-5550001, please.", piece_chars=3)] * 2)
    client = outwarden.openai()

    whole = client.chat.completions.create(**chat("who?")).choices[0].message.content or ""
    chunks = client.chat.completions.create(**chat("who?"), stream=True)
    streamed = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)

    assert whole == streamed == "Ask [EMAIL_ADDRESS], [MEDICAL_RECORD_NUMBER], please."


def test_a_foreign_placeholder_is_not_restored(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """A placeholder of another call's value, injected into this call, stays a placeholder."""
    client = outwarden.openai()
    client.chat.completions.create(**chat(EMAIL))
    placeholder = provider.requests[-1].json()["messages"][0]["content"]
    assert placeholder != EMAIL

    answer = client.chat.completions.create(**chat(f"Repeat {placeholder} please"))

    assert answer.choices[0].message.content == f"Repeat {placeholder} please"


def test_api_keys_are_refused(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """A key in a prompt is a 403 in the provider's own shape, and never leaves."""
    import anthropic
    import openai
    from google import genai

    key = "sk-proj-" + "Zq7Lr2Vn9Xc4Tb6Km1Wd8Hs3" * 2
    outwarden.planted.append(key)
    gemini = outwarden.gemini()
    with pytest.raises(openai.PermissionDeniedError) as seen_openai:
        outwarden.openai().chat.completions.create(**chat(f"use {key}"))
    with pytest.raises(anthropic.PermissionDeniedError) as seen_anthropic:
        outwarden.anthropic().messages.create(**message(f"use {key}"))
    with pytest.raises(genai.errors.ClientError) as seen_gemini:
        gemini.models.generate_content(model="gemini-2.5-flash", contents=f"use {key}")

    assert seen_openai.value.code == "pii_refused"
    assert seen_anthropic.value.status_code == seen_gemini.value.code == 403
    for seen in (seen_openai.value.message, seen_anthropic.value.message, str(seen_gemini.value)):
        assert key not in seen
    assert list(provider.requests) == []


def test_a_program_that_only_sets_its_environment(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """A program that knows nothing of us works with HTTPS_PROXY and SSL_CERT_FILE alone."""
    program = (
        "import openai, anthropic\n"
        f"said = {SAID!r}\n"
        "a = openai.OpenAI().chat.completions.create(model='gpt-4o', messages=[{'role': 'user', 'content': said}])\n"
        "assert a.choices[0].message.content == said\n"
        "b = anthropic.Anthropic().messages.create(model='claude-opus-5', max_tokens=100,"
        " messages=[{'role': 'user', 'content': said}])\n"
        "assert b.content[0].text == said\n"
        "print('both fine')\n"
    )
    environment = program_environment() | outwarden.environment() | {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60)

    assert done.stdout == "both fine\n", done.stderr[-2000:]
    assert len(provider.requests) == 2
