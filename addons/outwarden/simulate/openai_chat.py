"""OpenAI chat completions and the legacy completions, whole and streamed."""

from collections.abc import Iterator
from typing import Any

from outwarden.simulate.openai_errors import HEADERS, error_object
from outwarden.simulate.prefill import rest
from outwarden.simulate.reply import Call, Json, Part, Reply, Said, compact, event, overlaid, pretty, say
from outwarden.simulate.text import last_spoken, pieces

_DONE = Part(b"data: [DONE]\n\n", "end")
MAX_CHOICES = 128  # the API's own maximum for n


def chat(call: Call) -> Reply:
    """Answer POST /v1/chat/completions."""
    body = call.body
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    echo, prompt = last_spoken(body.get("messages")), [body.get("messages"), body.get("tools")]
    said = say(call, echo, prompt, limit, lambda text: rest(call, text, anthropic=False))
    if body.get("stream"):
        return _streamed(call, tuple(_chat_stream(call, said)))
    choices = [_choice(call, said, index) for index in range(_choices(call))]
    return _whole(call, "chat.completion", "chatcmpl-", choices, said)


def completions(call: Call) -> Reply:
    """Answer POST /v1/completions."""
    prompt = call.body.get("prompt")
    echo = prompt if isinstance(prompt, str) else "\n".join(p for p in prompt or [] if isinstance(p, str))
    said = say(call, echo, prompt, call.body.get("max_tokens", 16))  # 16: the API's own default
    if call.body.get("stream"):
        return _streamed(call, tuple(_completion_stream(call, said)))
    choice = {"text": said.text or "", "index": 0, "logprobs": None, "finish_reason": _finish(call, said)}
    return _whole(call, "text_completion", "cmpl-", [choice], said)


def usage(call: Call, said: Said) -> dict[str, Any]:
    """The usage object of a chat answer."""
    output = said.output_tokens * _choices(call)
    counted = {
        "prompt_tokens": said.input_tokens,
        "completion_tokens": output,
        "total_tokens": said.input_tokens + output,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": said.thinking_tokens * _choices(call),
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
    return overlaid(counted, call.script)


def _choices(call: Call) -> int:
    wanted = call.body.get("n")
    return min(wanted, MAX_CHOICES) if isinstance(wanted, int) and wanted > 0 else 1


def _model(call: Call) -> str:
    return call.script.model or str(call.body.get("model"))


def _finish(call: Call, said: Said) -> str:
    if call.script.finish:
        return call.script.finish
    if said.cut:
        return "length"
    return "tool_calls" if call.script.tool_calls else "stop"


def _whole(call: Call, kind: str, prefix: str, choices: list[Json], said: Said) -> Reply:
    answer = {
        "id": call.id(prefix, 29),
        "object": kind,
        "created": int(call.now),
        "model": _model(call),
        "choices": choices,
        "usage": usage(call, said),
        "service_tier": "default",
        "system_fingerprint": None,
    }
    if call.script.no_usage:
        del answer["usage"]
    return Reply(200, (*HEADERS, ("content-type", "application/json")), (Part(pretty(answer), "content"),))


def _choice(call: Call, said: Said, index: int) -> Json:
    message: dict[str, Any] = {"role": "assistant", "content": said.text, "refusal": None, "annotations": []}
    if call.script.tool_calls:
        message["tool_calls"] = [
            {"id": call.id("call_", 24), "type": "function", "function": {"name": t.name, "arguments": t.arguments}}
            for t in call.script.tool_calls
        ]
    return {"index": index, "message": message, "logprobs": None, "finish_reason": _finish(call, said)}


def _streamed(call: Call, parts: tuple[Part, ...]) -> Reply:
    return Reply(
        200,
        (*HEADERS, ("content-type", "text/event-stream; charset=utf-8")),
        parts,
        streamed=True,
        error_data=event(compact(error_object(call.script, 500))),
        malformed_data=b'data: {"id":"chatcmpl-","choices":[{"index":0,"delta":{"content":"\n\n',
    )


def _chunk(call: Call, identifier: str, choices: list[Json], more: dict[str, Json]) -> bytes:
    chunk = {
        "id": identifier,
        "object": "chat.completion.chunk",
        "created": int(call.now),
        "model": _model(call),
        "service_tier": "default",
        "system_fingerprint": None,
        "choices": choices,
    }
    return event(compact(chunk | more | {"obfuscation": call.padding(16)}))


def _wants_usage(call: Call) -> bool:
    options = call.body.get("stream_options")
    return isinstance(options, dict) and bool(options.get("include_usage")) and not call.script.no_usage


def _chat_stream(call: Call, said: Said) -> Iterator[Part]:
    identifier = call.id("chatcmpl-", 29)
    # Without include_usage there is no usage key at all; with it every chunk but the last says null.
    none: dict[str, Json] = {"usage": None} if _wants_usage(call) else {}

    def delta(index: int, change: Json, finish: str | None = None) -> bytes:
        choice = {"index": index, "delta": change, "logprobs": None, "finish_reason": finish}
        return _chunk(call, identifier, [choice], none)

    for index in range(_choices(call)):
        opening = {"role": "assistant", "content": None if said.text is None else "", "refusal": None}
        yield Part(delta(index, opening))
        for piece in said.text_pieces(call.script):
            yield Part(delta(index, {"content": piece}), "content")
        for change in _tool_deltas(call):
            yield Part(delta(index, change), "content")
        yield Part(delta(index, {}, _finish(call, said)))
    if _wants_usage(call):
        yield Part(_chunk(call, identifier, [], {"usage": usage(call, said)}))
    yield _DONE


def _tool_deltas(call: Call) -> Iterator[Json]:
    for index, tool in enumerate(call.script.tool_calls):
        function = {"name": tool.name, "arguments": ""}
        opening = {"index": index, "id": call.id("call_", 24), "type": "function", "function": function}
        yield {"tool_calls": [opening]}
        for piece in pieces(tool.arguments, call.script.piece_chars):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _completion_stream(call: Call, said: Said) -> Iterator[Part]:
    identifier = call.id("cmpl-", 29)

    def chunk(text: str, finish: str | None) -> bytes:
        choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}
        return _chunk(call, identifier, [choice], {"object": "text_completion"})

    for piece in said.text_pieces(call.script):
        yield Part(chunk(piece, None), "content")
    yield Part(chunk("", _finish(call, said)))
    if _wants_usage(call):
        yield Part(_chunk(call, identifier, [], {"object": "text_completion", "usage": usage(call, said)}))
    yield _DONE
