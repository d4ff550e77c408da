"""One stream event at a time: which strings are pieces, of what, when they end, and what begins or breaks a reply."""

from collections.abc import Hashable
from typing import Any

import pytest

from outwarden.wire.format import EventFacts, Operation
from outwarden.wire.formats import format_named

OPENAI, ANTHROPIC, GEMINI = format_named("openai"), format_named("anthropic"), format_named("gemini")
OLLAMA, COHERE, GENERIC = format_named("ollama"), format_named("cohere"), format_named("generic")
CHAT = OPENAI.identify("POST", "/v1/chat/completions")
RESPONSES = OPENAI.identify("POST", "/v1/responses")
MESSAGES = ANTHROPIC.identify("POST", "/v1/messages")
GENERATE = GEMINI.identify("POST", "/v1beta/models/g:streamGenerateContent")


def pieces(facts: EventFacts) -> list[tuple[Hashable, str, str]]:
    return [(delta.channel, str(delta.parent[delta.key]), delta.kind) for delta in facts.deltas]  # type: ignore[index]


def chunk(delta: dict[str, Any], finish: str | None = None, index: int = 0, **more: Any) -> dict[str, Any]:
    return {"id": "c", "model": "m", "choices": [{"index": index, "delta": delta, "finish_reason": finish}], **more}


def chat(delta: dict[str, Any], finish: str | None = None, index: int = 0, **more: Any) -> EventFacts:
    return OPENAI.read_event(CHAT, None, chunk(delta, finish, index, **more))


@pytest.mark.parametrize(
    ("delta", "expected"),
    [
        ({"content": "Hel"}, [((0, "content"), "Hel", "text")]),
        ({"role": "assistant", "content": ""}, []),
        ({"content": None}, []),
        ({"reasoning": "hm", "content": ""}, [((0, "reasoning"), "hm", "text")]),
        ({"reasoning_content": "hm"}, [((0, "reasoning_content"), "hm", "text")]),
        ({"refusal": "no"}, [((0, "refusal"), "no", "text")]),
        ({"cot_summary": "hm"}, [((0, "cot_summary"), "hm", "text")]),
        ({"answer": "Hi", "channel": "final"}, [((0, "answer"), "Hi", "text")]),
        (
            {"type": "text", "content": "I", "content_list": [{"type": "text", "text": "I"}], "text": "I"},
            [((0, "text"), "I", "text"), ((0, "content"), "I", "text"), ((0, "content_list"), "I", "text")],
        ),
        ({"content": [{"type": "text", "text": "Bon"}]}, [((0, "content"), "Bon", "text")]),
        (
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
            [((0, "thinking"), "hm", "text")],
        ),
        (
            {"tool_calls": [{"index": 2, "function": {"arguments": '{"a'}}]},
            [((0, "tool", 2), '{"a', "json")],
        ),
        ({"tool_calls": [{"index": 0, "custom": {"input": "ls"}}]}, [((0, "tool", 0), "ls", "text")]),
        ({"function_call": {"arguments": "{"}}, [((0, "function_call"), "{", "json")]),
        ({"audio": {"id": "a", "transcript": "Hi", "data": "AAAA"}}, [((0, "transcript"), "Hi", "text")]),
        ({"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]}, [((0, "details"), "hm", "text")]),
        ({"reasoning_details": [{"type": "reasoning.text", "text": "hm", "format": "anthropic-claude-v1"}]}, []),
        ({"executed_tools": [{"index": 0, "type": "python", "output": "Hi"}]}, [((0, "others"), "Hi", "text")]),
        ({"provider_specific_fields": {"reasoning": "hm"}}, [((0, "others"), "hm", "text")]),
        ({"thinking_blocks": [{"type": "thinking", "thinking": "hm"}]}, []),
        ({"annotations": [{"url_citation": {"content": "Hi"}}]}, []),
    ],
)
def test_chat_pieces(delta: dict[str, Any], expected: list[Any]) -> None:
    """Every string that grows is a piece; what is signed or whole is none."""
    assert pieces(chat(delta)) == expected


def test_what_nobody_described_ends_where_the_answer_begins() -> None:
    """It must not hold the answer back."""
    assert (0, "others") in chat({"content": "Hi"}).closes
    assert (0, "others") not in chat({"content": "Hi", "provider_specific_fields": {"reasoning": "hm"}}).closes
    assert (0, "others") in chat({}, "stop").closes


def test_a_legacy_choice_may_think() -> None:
    """OpenRouter's completions: beside the text."""
    choice = {"index": 1, "text": "", "reasoning": "hm", "finish_reason": None}

    assert pieces(OPENAI.read_event(CHAT, None, {"choices": [choice]})) == [((1, "reasoning"), "hm", "text")]


def test_choices_without_a_delta() -> None:
    """Azure's old extensions stream messages in a choice: each is a text; what stands beside a delta is none."""
    old = {"choices": [{"index": 0, "messages": [{"index": 1, "delta": {"content": "Hi"}}]}]}
    ((channel, piece, _),) = pieces(OPENAI.read_event(CHAT, None, old))
    assert piece == "Hi"
    other = {"choices": [{"index": 0, "messages": [{"index": 2, "delta": {"content": "Hi"}}]}]}
    assert pieces(OPENAI.read_event(CHAT, None, other))[0][0] != channel


def test_vercels_own_protocol() -> None:
    """Its streams end with ``finish``, which tells the usage; the model is named at the begin."""
    operation = OPENAI.identify("POST", "/v3/ai/language-model")
    named = OPENAI.read_event(operation, None, {"type": "response-metadata", "modelId": "gpt-x"})
    assert (named.model, named.end) == ("gpt-x", False)
    finish = {"type": "finish", "usage": {"inputTokens": {"total": 3}, "outputTokens": {"total": 4}}}
    facts = OPENAI.read_event(operation, None, finish)
    assert facts.usage is not None
    assert (facts.usage.input_tokens, facts.usage.output_tokens, facts.end) == (3, 4, True)
    assert [piece for _, piece, _ in pieces(OPENAI.read_event(operation, None, {"textDelta": "Hi"}))] == ["Hi"]


def test_moonshot_tells_usage_in_a_choice() -> None:
    """In the last chunk, beside the finish."""
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    data = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": usage}]}
    facts = OPENAI.read_event(CHAT, None, data)
    assert facts.usage is not None
    assert (facts.usage.output_tokens, facts.usage_only) == (4, False)


def test_text_generation_servers_number_their_tokens() -> None:
    """All tokens are one text; the last event tells the usage."""
    operation = OPENAI.identify("POST", "/generate_stream")
    events = [{"index": n, "token": {"id": 5, "text": "a"}, "generated_text": None} for n in range(2)]
    first, second = (OPENAI.read_event(operation, None, event) for event in events)
    assert pieces(first) == pieces(second) == [(("token", "text"), "a", "text")]
    last = events[1] | {"details": {"generated_tokens": 2, "input_length": 4}}
    usage = OPENAI.read_event(operation, None, last).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (4, 2)


def test_chat_content() -> None:
    """A role and an empty string are no output; a call without arguments and hidden reasoning are."""
    assert not chat({"role": "assistant", "content": "", "refusal": None}).content
    assert not OPENAI.read_event(CHAT, None, {"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}).content
    assert chat({"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "f", "arguments": ""}}]}).content
    assert chat({"reasoning_details": [{"type": "reasoning.encrypted", "data": "AAAA"}]}).content
    assert chat({"content": " "}).content


def test_chat_closes() -> None:
    """Reasoning ends where text begins, text where a call begins, a choice where it finishes; others go on."""
    assert (0, "reasoning") in chat({"content": "a"}).closes
    assert (0, "content") not in chat({"content": "a"}).closes
    assert not chat({"reasoning": "a"}).closes
    started = chat({"tool_calls": [{"index": 1, "id": "c", "function": {"name": "f", "arguments": ""}}]}).closes
    assert {(0, "content"), (0, "tool", 0)} <= set(started)
    assert (0, "tool", 1) not in started
    finished = chat({}, "stop", index=1)
    assert {(1, "content"), (1, "tool", 5)} <= set(finished.closes)
    assert not any(channel[0] == 0 for channel in finished.closes)  # type: ignore[index]
    assert finished.end
    assert OPENAI.read_event(CHAT, None, "[DONE]").closes == "all"


def test_chat_errors() -> None:
    """An error chunk and a failed finish are no good end."""
    facts = OPENAI.read_event(CHAT, None, {"error": {"code": 429, "message": "slow down"}})
    assert (facts.error, facts.end) == ("rate_limit", False)
    assert chat({}, "error", error={"code": 502, "message": "x"}).end is False
    assert OPENAI.read_event(CHAT, "error", {"error": "something"}).error == "error"


def test_perplexity_copies_are_no_pieces() -> None:
    """The whole text beside each delta is not a piece of it."""
    choice = {"index": 0, "delta": {"content": "lo"}, "message": {"content": "Hello"}, "finish_reason": None}
    assert pieces(OPENAI.read_event(CHAT, None, {"choices": [choice]})) == [((0, "content"), "lo", "text")]


def test_usage_chunk() -> None:
    """Asked-for usage comes without choices and can be dropped; unasked usage beside text cannot."""
    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    assert OPENAI.read_event(CHAT, None, {"choices": [], "usage": usage}).usage_only
    assert not chat({"content": "x"}, usage=usage).usage_only
    assert not OPENAI.read_event(CHAT, None, {"choices": [], "usage": None}).usage_only
    groq = OPENAI.read_event(CHAT, None, chunk({}, "stop", x_groq={"id": "r", "usage": usage})).usage
    assert groq is not None
    assert (groq.input_tokens, groq.output_tokens) == (3, 4)


def responses(kind: str, **more: Any) -> EventFacts:
    return OPENAI.read_event(RESPONSES, kind, {"type": kind, "output_index": 1, **more})


@pytest.mark.parametrize(
    ("kind", "json_or_text"),
    [
        ("response.output_text.delta", "text"),
        ("response.refusal.delta", "text"),
        ("response.reasoning_text.delta", "text"),
        ("response.reasoning_summary_text.delta", "text"),
        ("response.function_call_arguments.delta", "json"),
        ("response.mcp_call_arguments.delta", "json"),
        ("response.custom_tool_call_input.delta", "text"),
        ("response.code_interpreter_call_code.delta", "text"),
        ("response.audio.transcript.delta", "text"),
        ("response.output_audio_transcript.delta", "text"),
        ("response.something_new.delta", "text"),
    ],
)
def test_responses_pieces(kind: str, json_or_text: str) -> None:
    """Every ``delta`` string is a piece, also of events that nobody knows yet; its ``.done`` closes the channel."""
    facts = responses(kind, delta="x", item_id="i", content_index=0)
    ((channel, piece, found),) = pieces(facts)

    assert (piece, found, facts.content) == ("x", json_or_text, True)
    done = responses(kind.replace(".delta", ".done"), text="x", item_id="other", content_index=0)
    assert list(done.closes) == [channel]
    assert done.deltas == []


def test_responses_audio_is_no_text() -> None:
    """Base64 audio is output, but no text."""
    facts = responses("response.output_audio.delta", delta="AAAA")
    assert (pieces(facts), facts.content) == ([], True)


def test_responses_life() -> None:
    """Created, in progress, an opened message or reasoning item are no output; a call is; three ways to end."""
    assert not responses("response.created", response={"model": "m", "usage": None}).content
    assert responses("response.created", response={"model": "m"}).model == "m"
    assert not responses("response.output_item.added", item={"type": "message"}).content
    assert not responses("response.output_item.added", item={"type": "reasoning"}).content
    assert responses("response.output_item.added", item={"type": "function_call"}).content
    usage = {"input_tokens": 1, "output_tokens": 2}
    output = [{"type": "web_search_call"}, {"type": "message"}, {"type": "web_search_call"}]
    done = responses("response.completed", response={"usage": usage, "output": output})
    assert (done.end, done.closes) == (True, "all")
    assert done.usage is not None
    assert done.usage.web_searches == 2
    assert responses("response.incomplete", response={"status": "incomplete"}).end
    failed = responses("response.failed", response={"status": "failed", "error": {"code": "server_error"}})
    assert (failed.end, failed.error, failed.closes) == (False, "server_error", "all")
    assert OPENAI.read_event(RESPONSES, "error", {"type": "error", "code": "rate_limit_exceeded"}).error == "rate_limit"


def test_runs() -> None:
    """Assistants' runs: text, code and what it prints in pieces, usage of the run but not of its steps, too."""
    runs = OPENAI.identify("POST", "/v1/threads/t/runs")
    printed = {"type": "code_interpreter", "index": 1, "code_interpreter": {"outputs": [{"index": 0, "logs": "ok"}]}}
    step = {"object": "thread.run.step.delta", "id": "s", "delta": {"step_details": {"tool_calls": [printed]}}}
    assert pieces(OPENAI.read_event(runs, "thread.run.step.delta", step)) == [(("s", "logs", 1, 0), "ok", "text")]
    text = {"object": "thread.message.delta", "id": "m", "delta": {"content": [{"index": 0, "text": {"value": "Hi"}}]}}
    assert pieces(OPENAI.read_event(runs, "thread.message.delta", text)) == [(("m", "text", 0), "Hi", "text")]
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    step = {"object": "thread.run.step", "status": "completed", "usage": usage}
    assert OPENAI.read_event(runs, "thread.run.step.completed", step).usage is None
    run = OPENAI.read_event(
        runs, "thread.run.completed", {"object": "thread.run", "status": "completed", "usage": usage}
    )
    assert run.usage is not None
    assert run.end


def claude(kind: str, **more: Any) -> EventFacts:
    return ANTHROPIC.read_event(MESSAGES, kind, {"type": kind, **more})


def test_anthropic_stream() -> None:
    """From message_start to message_stop."""
    start = claude("message_start", message={"model": "claude", "usage": {"input_tokens": 3, "output_tokens": 1}})
    assert (start.model, start.content) == ("claude", False)
    assert start.usage is not None
    resumed = {"model": "claude", "content": [{"type": "code_execution_tool_result", "content": {"stdout": "Hi"}}]}
    assert claude("message_start", message=resumed).content
    assert not claude("ping").content
    assert not claude("content_block_start", index=0, content_block={"type": "text", "text": ""}).content
    text = claude("content_block_delta", index=0, delta={"type": "text_delta", "text": "Hi"})
    assert (pieces(text), text.content) == ([((0, "text"), "Hi", "text")], True)
    assert claude("content_block_start", index=1, content_block={"type": "tool_use", "input": {}}).content
    hop = {"type": "fallback", "from": {"model": "claude-a"}, "to": {"model": "claude-b"}}
    fallback = claude("content_block_start", index=1, content_block=hop)
    assert (fallback.model, fallback.content) == ("claude-b", False)
    json_ = claude("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": '{"a":'})
    assert pieces(json_) == [((1, "partial_json"), '{"a":', "json")]
    assert (1, "partial_json") in claude("content_block_stop", index=1).closes
    assert claude("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 9}).closes == "all"
    assert claude("message_stop").end
    assert claude("error", error={"type": "overloaded_error", "message": "x"}).error == "overloaded"


def test_a_kind_of_delta_that_nobody_knows_is_read() -> None:
    """Its text is a piece under any usual word; what is thought stays as it is, for it may be signed."""
    facts = claude("content_block_delta", index=2, delta={"type": "new_delta", "output": "Hi"})
    assert (pieces(facts), facts.content) == ([((2, "output"), "Hi", "text")], True)
    assert (2, "output") in claude("content_block_stop", index=2).closes
    assert pieces(claude("content_block_delta", index=0, delta={"type": "new_delta", "thinking": "hm"})) == []
    assert pieces(claude("content_block_delta", index=0, delta={"type": [], "text": "Hi"})) == [
        ((0, "text"), "Hi", "text")
    ]


def test_anthropic_thinking_passes_as_it_is() -> None:
    """Thinking will be signed: output, but no piece, and no text either."""
    facts = claude("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "hm"})
    assert (pieces(facts), facts.content) == ([], True)
    rules = ANTHROPIC.text_rules(MESSAGES)
    assert rules.opaque_in is not None
    assert rules.opaque_in({"type": "thinking_delta", "thinking": "hm"}) == {"thinking"}


def gemini(parts: list[dict[str, Any]], **more: Any) -> EventFacts:
    return GEMINI.read_event(GENERATE, None, {"candidates": [{"content": {"parts": parts, "role": "model"}, **more}]})


def test_anthropic_compaction_passes_as_it_is() -> None:
    """The provider signs its summary: it is output, and no text of ours; the caller's earlier values are asked for."""
    event = {"type": "content_block_delta", "index": 0, "delta": {"type": "compaction_delta", "content": "So far …"}}
    facts = ANTHROPIC.read_event(MESSAGES, None, event)
    assert (pieces(facts), facts.content) == ([], True)
    block = {"type": "compaction", "content": "So far …", "signature": "c2ln"}
    body = {"model": "m", "messages": [{"role": "assistant", "content": [block]}]}
    assert ANTHROPIC.read_request(MESSAGES, body).unseen_input
    assert not ANTHROPIC.read_request(MESSAGES, {"model": "m", "messages": [{"content": "compaction"}]}).unseen_input


def test_pieces_of_an_agents_message() -> None:
    """What a managed agent is writing belongs together by event and place; any event may be the last."""
    stream = ANTHROPIC.identify("GET", "/v1/sessions/s/events/stream")
    delta = {"type": "content_delta", "index": 1, "content": {"type": "text", "text": "Hel"}}
    facts = ANTHROPIC.read_event(stream, "event_delta", {"type": "event_delta", "event_id": "e", "delta": delta})
    assert pieces(facts) == [(("e", 1), "Hel", "text")]
    whole = {"type": "agent.message", "id": "e", "content": [{"type": "text", "text": "Hello"}]}
    facts = ANTHROPIC.read_event(stream, "agent.message", whole)
    assert (pieces(facts), facts.content, facts.end) == ([], True, True)
    failed = ANTHROPIC.read_event(stream, "error", {"type": "error", "error": {"type": "overloaded_error"}})
    assert failed.error
    assert not failed.end


def test_gemini_stream() -> None:
    """Thoughts and answer are two texts; a call is output; the finish ends the stream."""
    assert pieces(gemini([{"text": "Hi"}])) == [((0, "text"), "Hi", "text")]
    assert pieces(gemini([{"text": "hm", "thought": True}])) == [((0, "thought"), "hm", "text")]
    assert pieces(gemini([{"text": "hm", "thought": True, "thoughtSignature": "AAAA"}])) == []
    assert (0, "thought") in gemini([{"text": "Hi"}]).closes
    call = gemini([{"functionCall": {"name": "f", "args": {"a": "b"}}}])
    assert (pieces(call), call.content) == ([], True)
    assert set(call.closes) == {(0, "thought"), (0, "text")}
    assert not gemini([{"text": "", "thoughtSignature": "AAAA"}]).content
    assert gemini([{"text": "."}], finishReason="STOP").end
    second = gemini([{"text": "b"}], index=1, finish_reason=1)
    assert pieces(second) == [((1, "text"), "b", "text")]
    assert second.end
    assert GEMINI.read_event(GENERATE, None, {"promptFeedback": {"blockReason": "SAFETY"}}).end
    error = GEMINI.read_event(GENERATE, None, {"error": {"code": 503, "status": "UNAVAILABLE", "message": "x"}})
    assert (error.error, error.end) == ("overloaded", False)


def test_gemini_arguments_that_stream() -> None:
    """Each argument of a call is a text of its own, until no other piece follows; in both spellings."""
    begun = gemini([{"functionCall": {"name": "f", "willContinue": True}}])
    assert (pieces(begun), begun.content) == ([], True)
    argument = {"jsonPath": "$.to", "stringValue": "New ", "willContinue": True}
    first = gemini([{"functionCall": {"partialArgs": [argument], "willContinue": True}}])
    channel = (0, "argument", "$.to")
    assert (pieces(first), channel in first.closes) == ([(channel, "New ", "text")], False)
    snake = {"json_path": "$.to", "string_value": "Delhi"}
    other = {"json_path": "$.n", "number_value": 3}
    last = gemini([{"function_call": {"partial_args": [snake, other]}}])
    assert (pieces(last), channel in last.closes) == ([(channel, "Delhi", "text")], True)


def test_gemini_wrapped_for_code_assist() -> None:
    """What Gemini CLI sends and gets with a Google account: the same, one level down."""
    operation = GEMINI.identify("POST", "/v1internal:streamGenerateContent")
    config = {"maxOutputTokens": 7, "candidateCount": 2}
    body = {"model": "gemini-x", "project": "p", "request": {"contents": [], "generationConfig": config}}
    facts = GEMINI.read_request(operation, body)
    assert (facts.model, facts.stream, facts.choices) == ("gemini-x", True, 2)
    assert facts.output_limits == (("request.generationConfig.maxOutputTokens", 7),)
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 4}
    parts = [{"text": "Hi", "thoughtSignature": "AAAA"}]
    inner = {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}], "usageMetadata": usage}
    chunk = {"response": inner | {"modelVersion": "gemini-x-001"}, "traceId": "t"}
    event = GEMINI.read_event(operation, None, chunk)
    assert (pieces(event), event.model, event.end) == ([((0, "text"), "Hi", "text")], "gemini-x-001", True)
    for usage_told in (event.usage, GEMINI.read_reply(operation, chunk, {}).usage):
        assert usage_told is not None
        assert (usage_told.input_tokens, usage_told.output_tokens) == (3, 4)
    assert "response" not in GEMINI.text_rules(operation).free  # or the signature would be text
    error = GEMINI.read_event(operation, None, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}})
    assert (error.error, error.closes, error.end) == ("rate_limit", "all", False)
    assert GEMINI.framing(operation, "application/json", "/v1internal:streamGenerateContent") == "json-array"


def test_interactions() -> None:
    """Answer, summary of a thought and arguments are texts of their step, which end with it."""
    operation = GEMINI.identify("POST", "/v1beta/interactions")

    def step(delta: dict[str, Any]) -> EventFacts:
        return GEMINI.read_event(operation, "step.delta", {"event_type": "step.delta", "index": 1, "delta": delta})

    assert pieces(step({"type": "text", "text": "Hi"})) == [((1, "text"), "Hi", "text")]
    thought = {"type": "thought_summary", "content": {"type": "text", "text": "hm"}}
    assert pieces(step(thought)) == [((1, "thought"), "hm", "text")]
    assert pieces(step({"type": "arguments_delta", "arguments": '{"a'})) == [((1, "arguments"), '{"a', "json")]
    assert not step({"type": "thought_signature", "signature": "AAAA"}).content
    stop = GEMINI.read_event(operation, "step.stop", {"event_type": "step.stop", "index": 1})
    assert set(stop.closes) >= {(1, "text"), (1, "thought"), (1, "arguments")}


def test_ollama_stream() -> None:
    """Pieces until ``done``; the counts come with it."""
    operation = OLLAMA.identify("POST", "/api/chat")
    piece = OLLAMA.read_event(operation, None, {"model": "m", "message": {"content": "Hi"}, "done": False})
    assert (pieces(piece), piece.end) == ([("text", "Hi", "text")], False)
    thought = OLLAMA.read_event(operation, None, {"message": {"thinking": "hm", "content": ""}, "done": False})
    assert pieces(thought) == [("thinking", "hm", "text")]
    other = OLLAMA.read_event(operation, None, {"model": "m", "text": "Hi", "done": False})
    assert pieces(other) == [(("text",), "Hi", "text")]
    last = OLLAMA.read_event(operation, None, {"message": {"content": ""}, "done": True, "eval_count": 4})
    assert (last.end, last.closes) == (True, "all")
    assert last.usage is not None
    assert OLLAMA.read_event(operation, None, {"error": "model requires more memory"}).error == "error"


def test_cohere_stream() -> None:
    """v2 events, and a stream that ends with an error."""
    operation = COHERE.identify("POST", "/v2/chat")

    def event(kind: str, message: dict[str, Any] | None = None, **more: Any) -> EventFacts:
        return COHERE.read_event(
            operation, kind, {"type": kind, "index": 0, "delta": {"message": message or {}}, **more}
        )

    assert pieces(event("content-delta", {"content": {"text": "Hi"}})) == [(("content", 0), "Hi", "text")]
    assert pieces(event("content-delta", {"content": {"thinking": "hm"}})) == [(("content", 0), "hm", "text")]
    assert pieces(event("tool-plan-delta", {"tool_plan": "I"})) == [("plan", "I", "text")]
    assert pieces(event("new-delta", {"answer": "I"})) == [(("answer",), "I", "text")]
    first = {"event_type": "tool-calls-chunk", "tool_call_delta": {"text": "I"}}
    assert pieces(COHERE.read_event(operation, None, first)) == [("plan", "I", "text")]
    call = event("tool-call-delta", {"tool_calls": {"function": {"arguments": "{"}}})
    assert pieces(call) == [(("call", 0), "{", "json")]
    assert event("content-end").closes == (("content", 0),)
    assert not event("message-start", {"content": [], "tool_plan": ""}).content
    end = {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "x"}}
    failed = COHERE.read_event(operation, "message-end", end)
    assert (failed.end, failed.error) == (False, "error")


@pytest.mark.parametrize(
    ("reason", "error"),
    [("COMPLETE", None), ("ERROR", "error"), ("ERROR_TOXIC", "content_filter"), ("ERROR_LIMIT", "context_length")],
)
def test_why_a_stream_of_coheres_failed(reason: str, error: str | None) -> None:
    """What its filter stopped is nobody else's to answer; what was too long may be a larger model's."""
    newer, older = COHERE.identify("POST", "/v2/chat"), COHERE.identify("POST", "/v1/chat")
    end = {"event_type": "stream-end", "finish_reason": reason}

    assert (
        COHERE.read_event(newer, "message-end", {"type": "message-end", "delta": {"finish_reason": reason}}).error
        == error
    )
    assert COHERE.read_event(older, None, end).error == error
    assert COHERE.read_event(older, None, end).end == (error is None)


def test_cohere_behind_a_gateway() -> None:
    """Its path says no more than that it is a chat; the events do."""
    chat = OPENAI.identify("POST", "/gateway/cohere/v2/chat")
    delta = {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hi"}}}}
    assert pieces(OPENAI.read_event(chat, None, delta)) == [(("content", 0), "Hi", "text")]
    usage = {"billed_units": {"input_tokens": 3, "output_tokens": 4}}
    end = {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": usage}}
    assert OPENAI.read_event(chat, None, end).usage
    v1 = {"event_type": "text-generation", "text": "Hi"}
    assert pieces(OPENAI.read_event(chat, None, v1)) == [("text", "Hi", "text")]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"value": "Hi"}, [(("value",), "Hi", "text")]),
        ({"token": {"text": "Hi", "id": 5}}, [(("token", "text"), "Hi", "text")]),
        ({"outputs": [{"index": 3, "text": "Hi"}]}, [(("outputs", 0, 3, "text"), "Hi", "text")]),
        ({"completion": "Hi", "stop_reason": None}, [(("completion",), "Hi", "text")]),
        ({"call": {"arguments": "{"}}, [(("call", "arguments"), "{", "json")]),
        ({"id": "x", "model": "m"}, []),
    ],
)
def test_unknown_shapes(event: dict[str, Any], expected: list[Any]) -> None:
    """Strings under the usual words are pieces of the text at that place; any event may be the last."""
    facts = GENERIC.read_event(Operation("generic"), None, event)

    assert pieces(facts) == expected
    assert facts.content == bool(expected)
    assert facts.end


def test_texts_side_by_side_have_channels_of_their_own() -> None:
    """Shell commands of one call, the two outputs of one event, and pieces that another key names (Mistral)."""
    dialect = format_named("openai")
    operation = dialect.identify("POST", "/v1/responses")

    def pieces(**data: Any) -> list[tuple[str, Any]]:
        found = dialect.read_event(operation, None, data).deltas
        return [(delta.parent[delta.key], delta.channel) for delta in found]  # type: ignore[call-overload, index]

    command = {"type": "response.shell_call_command.delta", "output_index": 0, "delta": "ls"}
    first, second = pieces(**command, command_index=0), pieces(**command, command_index=1)
    assert [text for text, _ in first] == ["ls"]
    assert first != second
    output = {"type": "response.shell_call_output_content.delta", "output_index": 0, "command_index": 0}
    both = pieces(**output, delta={"stdout": "a", "stderr": "b"})
    assert [text for text, _ in both] == ["a", "b"]
    assert both[0][1] != both[1][1]
    assert [text for text, _ in pieces(type="message.output.delta", id="m", content="Hel")] == ["Hel"]
    assert pieces(type="response.audio.delta", delta="AAAA") == []


def test_coheres_oldest_stream() -> None:
    """Its events have no type; the last repeats the whole."""
    operation = COHERE.identify("POST", "/v1/generate")
    assert pieces(COHERE.read_event(operation, None, {"text": "Hi", "is_finished": False})) == [("text", "Hi", "text")]
    units = {"billed_units": {"input_tokens": 3, "output_tokens": 4}}
    end = {"is_finished": True, "finish_reason": "COMPLETE", "response": {"generations": [], "meta": units}}
    last = COHERE.read_event(operation, None, end)
    assert (last.end, last.closes, last.error) == (True, "all", None)
    assert last.usage is not None
    assert (last.usage.input_tokens, last.usage.output_tokens) == (3, 4)


def test_an_interactions_delta_that_nobody_knows_is_read() -> None:
    """Under any usual word, until its step stops."""
    operation = GEMINI.identify("POST", "/v1beta/interactions")
    delta = {"event_type": "content.delta", "index": 1, "delta": {"type": "novel", "output": "Hi"}}
    assert pieces(GEMINI.read_event(operation, None, delta)) == [((1, "output"), "Hi", "text")]
    assert (1, "output") in GEMINI.read_event(operation, None, {"event_type": "content.stop", "index": 1}).closes
