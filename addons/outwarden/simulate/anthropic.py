"""Anthropic messages and count_tokens: named events, a ping, padding spaces before the closing brace."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from outwarden.simulate.prefill import rest
from outwarden.simulate.reply import Call, Part, Reply, Said, compact, event, overlaid, say
from outwarden.simulate.script import Script
from outwarden.simulate.text import last_spoken, pieces

HEADERS = (("request-id", "req_011CSimulatedSimulated"), ("anthropic-organization-id", "simulated"))

# https://docs.anthropic.com/en/api/errors
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
    529: "overloaded_error",
}


def messages(call: Call) -> Reply:
    """Answer POST /v1/messages."""
    said = _said(call)
    blocks = _blocks(call, said)
    if call.body.get("stream"):
        return _streamed(call, said, blocks)
    answer = _message(call) | {"content": blocks, "stop_reason": _stop_reason(call, said), "stop_sequence": None}
    if not call.script.no_usage:
        answer["usage"] = _usage(call, said, said.output_tokens)
    return _json(answer)


def count_tokens(call: Call) -> Reply:
    """Answer POST /v1/messages/count_tokens."""
    return _json(overlaid({"input_tokens": _said(call).input_tokens}, call.script))


def error_object(script: Script, status: int) -> dict[str, Any]:
    """The error as a JSON value."""
    kind = script.error or _KINDS.get(status, "api_error")
    message = script.message or f"The simulated provider was told to answer {status}."
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": HEADERS[0][1]}


def error(script: Script, status: int) -> Reply:
    """The error as a reply."""
    data = compact(error_object(script, status)).encode()
    return Reply(status, (*HEADERS, ("content-type", "application/json")), (Part(data),))


def _said(call: Call) -> Said:
    body = call.body
    prompt = [body.get("system"), body.get("messages"), body.get("tools")]
    echo, limit = last_spoken(body.get("messages")), body.get("max_tokens")
    return say(call, echo, prompt, limit, lambda text: rest(call, text, anthropic=True))


def _json(answer: dict[str, Any]) -> Reply:
    data = compact(answer).encode("utf-8", "backslashreplace")
    return Reply(200, (*HEADERS, ("content-type", "application/json")), (Part(data, "content"),))


def _message(call: Call) -> dict[str, Any]:
    model = call.script.model or str(call.body.get("model"))
    return {"model": model, "id": call.id("msg_01", 22), "type": "message", "role": "assistant"}


def _stop_reason(call: Call, said: Said) -> str:
    if call.script.finish:
        return call.script.finish
    if said.cut:
        return "max_tokens"
    return "tool_use" if call.script.tool_calls else "end_turn"


def _usage(call: Call, said: Said, output_tokens: int) -> dict[str, Any]:
    counted = {
        "input_tokens": said.input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output_tokens,
        "service_tier": "standard",
    }
    return overlaid(counted, call.script)


def _blocks(call: Call, said: Said) -> list[dict[str, Any]]:
    """The content blocks in their final form."""
    blocks: list[dict[str, Any]] = []
    if said.thinking is not None:
        signature = base64.b64encode(call.random.randbytes(96)).decode()
        blocks.append({"type": "thinking", "thinking": said.thinking, "signature": signature})
    if said.text is not None:
        blocks.append({"type": "text", "text": said.text})
    for tool in call.script.tool_calls:
        # A whole answer carries the arguments as an object, so here they have to parse.
        arguments = json.loads(tool.arguments) if not call.body.get("stream") else tool.arguments
        blocks.append({"type": "tool_use", "id": call.id("toolu_01", 22), "name": tool.name, "input": arguments})
    return blocks


def _streamed(call: Call, said: Said, blocks: list[dict[str, Any]]) -> Reply:
    return Reply(
        200,
        (*HEADERS, ("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache")),
        tuple(_stream(call, said, blocks)),
        streamed=True,
        error_data=event(compact(error_object(call.script, 529)), "error"),
        malformed_data=b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"del\n\n',
    )


def _padded(call: Call, data: dict[str, Any]) -> bytes:
    """An event with spaces before its last brace, as 90 % of the recorded ones have."""
    text = compact(data)
    return event(text[:-1] + " " * call.random.randrange(16) + text[-1], data["type"])


def _stream(call: Call, said: Said, blocks: list[dict[str, Any]]) -> Iterator[Part]:
    start = _message(call) | {"content": [], "stop_reason": None, "stop_sequence": None}
    end: dict[str, Any] = {"stop_reason": _stop_reason(call, said), "stop_sequence": None}
    finish: dict[str, Any] = {"type": "message_delta", "delta": end}
    if not call.script.no_usage:
        # The first report is not final; the last one is cumulative.
        start["usage"] = _usage(call, said, min(said.output_tokens, 1))
        finish["usage"] = overlaid({"output_tokens": said.output_tokens}, call.script)
    yield Part(_padded(call, {"type": "message_start", "message": start}))
    for index, block in enumerate(blocks):
        yield Part(_padded(call, {"type": "content_block_start", "index": index, "content_block": _empty(block)}))
        if index == 0:
            yield Part(event('{"type": "ping"}', "ping"))
        for delta in _deltas(call, block):
            yield Part(_padded(call, {"type": "content_block_delta", "index": index, "delta": delta}), "content")
        yield Part(_padded(call, {"type": "content_block_stop", "index": index}))
    yield Part(_padded(call, finish))
    yield Part(_padded(call, {"type": "message_stop"}), "end")


def _empty(block: dict[str, Any]) -> dict[str, Any]:
    if block["type"] == "thinking":
        return block | {"thinking": "", "signature": ""}
    empty: dict[str, Any] = {"text": ""} if block["type"] == "text" else {"input": {}}
    return block | empty


def _deltas(call: Call, block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    size = call.script.piece_chars
    if block["type"] == "text":
        yield from ({"type": "text_delta", "text": piece} for piece in pieces(block["text"], size))
    elif block["type"] == "thinking":
        yield from ({"type": "thinking_delta", "thinking": piece} for piece in pieces(block["thinking"], size))
        yield {"type": "signature_delta", "signature": block["signature"]}
    else:
        yield {"type": "input_json_delta", "partial_json": ""}
        yield from ({"type": "input_json_delta", "partial_json": piece} for piece in pieces(block["input"], size))
