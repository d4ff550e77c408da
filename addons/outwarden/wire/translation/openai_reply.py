"""OpenAI's whole chat completions, and its errors, and the neutral reply (openai SDK 3.54, ``ChatCompletion``)."""

import json
from typing import Any

from outwarden.errors import NotTranslatable
from outwarden.wire.formats.values import count, mapping
from outwarden.wire.translation.neutral import Reply, Spent, Stop, ToolCall, arguments_of, array, need, obj, string

STOPS: dict[str, Stop] = {"stop": "end", "length": "length", "tool_calls": "tool_calls", "content_filter": "refusal"}
REASONS: dict[Stop, str] = {stop: reason for reason, stop in STOPS.items()} | {"stop_sequence": "stop"}


def read_reply(body: object) -> Reply:
    """Read a whole answer. Raises NotTranslatable."""
    source = obj(body, "the reply")
    choices = array(source.get("choices"), "'choices'")
    need(len(choices) == 1, "the reply has not one choice")
    choice = obj(choices[0], "a choice")
    message = obj(choice.get("message"), "'message'")
    need(not message.get("audio"), "sound in a reply has no counterpart")
    need(not message.get("function_call"), "'function_call' of a reply has no counterpart")
    refused = string(message.get("refusal") or "", "'refusal'")
    calls = tuple(_read_call(call) for call in array(message.get("tool_calls"), "'tool_calls'"))
    return Reply(
        id=string(source.get("id") or "", "'id'"),
        model=string(source.get("model") or "", "'model'"),
        text=string(message.get("content") or "", "'content'") + refused,
        calls=calls,
        stop="refusal" if refused else read_stop(choice.get("finish_reason"), calls=bool(calls)),
        spent=read_spent(source.get("usage")),
    )


def read_stop(reason: object, *, calls: bool) -> Stop:
    """Read a ``finish_reason``. Raises NotTranslatable.

    OpenAI says ``stop`` of a call to the one tool that the request named, others of any; Anthropic's clients would not
    run a tool at the end of a turn.
    """
    if not isinstance(reason, str) or reason not in STOPS:
        raise NotTranslatable("this 'finish_reason' has no counterpart")
    return "tool_calls" if calls and reason == "stop" else STOPS[reason]


def read_spent(usage: object) -> Spent:
    """Read ``usage``; what is missing is 0."""
    source = mapping(usage)
    asked, said = mapping(source.get("prompt_tokens_details")), mapping(source.get("completion_tokens_details"))
    return Spent(
        input_tokens=count(source.get("prompt_tokens")),
        cached_tokens=count(asked.get("cached_tokens")),
        cache_write_tokens=count(asked.get("cache_write_tokens")),
        output_tokens=count(source.get("completion_tokens")),
        reasoning_tokens=count(said.get("reasoning_tokens")),
    )


def _read_call(call: object) -> ToolCall:
    source = obj(call, "a tool call")
    need(source.get("type") in (None, "function"), "a tool call of another type than 'function' has no counterpart")
    function = obj(source.get("function"), "the function of a tool call")
    arguments = arguments_of(string(function.get("arguments") or "", "the arguments of a tool call"))
    return ToolCall(
        string(source.get("id"), "a call's 'id'"), string(function.get("name"), "a tool's 'name'"), arguments
    )


def write_reply(reply: Reply, created: int) -> dict[str, Any]:
    """Write a whole answer; ``created``: when, in seconds since 1970."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None, "refusal": None}
    if reply.calls:
        message["tool_calls"] = [_write_call(call) for call in reply.calls]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": REASONS[reply.stop]}
    return {
        "id": reply.id,
        "object": "chat.completion",
        "created": created,
        "model": reply.model,
        "choices": [choice],
        "usage": write_spent(reply.spent),
    }


def write_spent(spent: Spent) -> dict[str, Any]:
    """Write ``usage``."""
    return {
        "prompt_tokens": spent.input_tokens,
        "completion_tokens": spent.output_tokens,
        "total_tokens": spent.input_tokens + spent.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": spent.cached_tokens,
            "cache_write_tokens": spent.cache_write_tokens,
        },
        "completion_tokens_details": {"reasoning_tokens": spent.reasoning_tokens},
    }


def _write_call(call: ToolCall) -> dict[str, Any]:
    arguments = json.dumps(call.arguments, separators=(",", ":"), ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}
