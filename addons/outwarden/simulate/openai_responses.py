"""OpenAI responses, whole and streamed: named events, numbered, the final text repeated in four of them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from outwarden.simulate.openai_errors import HEADERS, error_object
from outwarden.simulate.reply import Call, Json, Part, Reply, Said, compact, event, overlaid, pretty, say
from outwarden.simulate.script import ToolCall
from outwarden.simulate.text import last_spoken, pieces
from outwarden.simulate.tools import offer_of


def responses(call: Call) -> Reply:
    """Answer POST /v1/responses."""
    body = call.body
    prompt = [body.get("instructions"), body.get("input"), body.get("tools")]
    said = say(call, last_spoken(body.get("input")), prompt, body.get("max_output_tokens"))
    items = _items(call, said)
    base = _response(call)
    if body.get("stream"):
        return _streamed(call, said, items, base)
    answer = pretty(_finished(call, said, items, base))
    return Reply(200, (*HEADERS, ("content-type", "application/json")), (Part(answer, "content"),))


def messages(call: Call, marks: dict[str, Any], *, generate: bool) -> tuple[Reply, dict[str, Any]]:
    """The events of a stream as WebSocket messages, and the finished response; without ``generate`` it is empty.

    ``marks`` are laid over each message.
    """
    body = call.body
    prompt = [body.get("instructions"), body.get("input"), body.get("tools")]
    said = say(call, last_spoken(body.get("input")), prompt, body.get("max_output_tokens"))
    if not generate:
        said = replace(said, text=None, thinking=None, output_tokens=0, thinking_tokens=0)
    items = _items(call, said) if generate else []
    base = _response(call)
    parts = [Part(_encoded(text | marks), kind) for text, kind in _numbered(_events(call, said, items, base))]
    failure = {"type": "error", "status": 500, "error": error_object(call.script, 500)["error"]}
    reply = Reply(
        200,
        (),
        tuple(parts),
        streamed=True,
        error_data=_encoded(failure | marks | {"sequence_number": len(parts)}),
        malformed_data=b'{"type":"response.output_text.delta","delta":"cut of',
    )
    return reply, _finished(call, said, items, base)


def usage(call: Call, said: Said) -> dict[str, Any]:
    """The usage object of a response."""
    counted = {
        "input_tokens": said.input_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": said.output_tokens,
        "output_tokens_details": {"reasoning_tokens": said.thinking_tokens},
        "total_tokens": said.input_tokens + said.output_tokens,
    }
    return overlaid(counted, call.script)


def _items(call: Call, said: Said) -> list[dict[str, Any]]:
    """The output items in their final form."""
    items: list[dict[str, Any]] = []
    if said.thinking is not None:
        summary = [{"type": "summary_text", "text": said.thinking}]
        items.append({"id": call.id("rs_", 48), "type": "reasoning", "summary": summary})
    if said.text is not None:
        part = {"type": "output_text", "annotations": [], "logprobs": [], "text": said.text}
        message = {"id": call.id("msg_", 48), "type": "message", "status": "completed", "content": [part]}
        items.append(message | {"role": "assistant"})
    items += [_tool_call(call, tool) for tool in call.script.tool_calls]
    return items


def _tool_call(call: Call, tool: ToolCall) -> dict[str, Any]:
    """A call of a tool, in the way the request offers it: with JSON arguments, or with free text."""
    offer = offer_of(call.body, tool.name)
    item: dict[str, Any] = {"id": call.id("ctc_" if offer.free else "fc_", 48), "status": "completed"}
    item |= {"type": "custom_tool_call", "input": tool.arguments} if offer.free else {
        "type": "function_call", "arguments": tool.arguments
    }  # fmt: skip
    place = {} if offer.namespace is None else {"namespace": offer.namespace}
    return item | {"call_id": call.id("call_", 24), "name": tool.name} | place


def _response(call: Call) -> dict[str, Any]:
    """A response object that has not begun, echoing what the caller sent, as the API does."""
    body = call.body
    return {
        "id": call.id("resp_", 48),
        "object": "response",
        "created_at": int(call.now),
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": call.script.model or str(body.get("model")),
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": body.get("prompt_cache_key"),
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": body.get("store", True),
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        "user": body.get("user"),
        "metadata": body.get("metadata") or {},
    }


def _finished(call: Call, said: Said, items: list[dict[str, Any]], base: dict[str, Any]) -> dict[str, Any]:
    done = base | {"status": "incomplete" if said.cut else "completed", "output": items}
    if said.cut:
        done["incomplete_details"] = {"reason": "max_output_tokens"}
    if not call.script.no_usage:
        done["usage"] = usage(call, said)
    return done


def _streamed(call: Call, said: Said, items: list[dict[str, Any]], base: dict[str, Any]) -> Reply:
    numbered = _numbered(_events(call, said, items, base))
    parts = [Part(event(compact(data), data["type"]), kind) for data, kind in numbered]
    # The event's own type is "error", so the error's type has no place in it.
    failure = error_object(call.script, 500)["error"] | {"type": "error", "sequence_number": len(parts)}
    return Reply(
        200,
        (*HEADERS, ("content-type", "text/event-stream; charset=utf-8")),
        tuple(parts),
        streamed=True,
        error_data=event(compact(failure), "error"),
        malformed_data=b'event: response.output_text.delta\ndata: {"type":"response.output_text.del\n\n',
    )


_Event = tuple[str, dict[str, Any], Any]


def _numbered(events: Iterator[_Event]) -> Iterator[tuple[dict[str, Any], Any]]:
    for number, (name, data, kind) in enumerate(events):
        yield {"type": name} | data | {"sequence_number": number}, kind


def _encoded(message: dict[str, Any]) -> bytes:
    return compact(message).encode("utf-8", "backslashreplace")


def _events(call: Call, said: Said, items: list[dict[str, Any]], base: dict[str, Any]) -> Iterator[_Event]:
    yield "response.created", {"response": base}, "lifecycle"
    yield "response.in_progress", {"response": base}, "lifecycle"
    for index, item in enumerate(items):
        yield from _STAGES[item["type"]](call, index, item)
        yield "response.output_item.done", {"item": item, "output_index": index}, "lifecycle"
    done = _finished(call, said, items, base)
    yield f"response.{done['status']}", {"response": done}, "end"


def _message_events(call: Call, index: int, item: dict[str, Any]) -> Iterator[_Event]:
    place = {"content_index": 0, "item_id": item["id"], "output_index": index}
    part = item["content"][0]
    opening = item | {"status": "in_progress", "content": []}
    yield "response.output_item.added", {"item": opening, "output_index": index}, "lifecycle"
    yield "response.content_part.added", place | {"part": part | {"text": ""}}, "lifecycle"
    for piece in pieces(part["text"], call.script.piece_chars):
        filler = {"delta": piece, "logprobs": [], "obfuscation": call.padding(16)}
        yield "response.output_text.delta", place | filler, "content"
    yield "response.output_text.done", place | {"logprobs": [], "text": part["text"]}, "lifecycle"
    yield "response.content_part.done", place | {"part": part}, "lifecycle"


def _call_events(call: Call, index: int, item: dict[str, Any]) -> Iterator[_Event]:
    place = {"item_id": item["id"], "output_index": index}
    free = item["type"] == "custom_tool_call"
    key, name = ("input", "custom_tool_call_input") if free else ("arguments", "function_call_arguments")
    opening = item | {"status": "in_progress", key: ""}
    yield "response.output_item.added", {"item": opening, "output_index": index}, "content"
    for piece in pieces(item[key], call.script.piece_chars):
        filler = {"delta": piece, "obfuscation": call.padding(16)}
        yield f"response.{name}.delta", place | filler, "content"
    yield f"response.{name}.done", place | {key: item[key]}, "lifecycle"


def _reasoning_events(call: Call, index: int, item: dict[str, Any]) -> Iterator[_Event]:
    place: dict[str, Json] = {"item_id": item["id"], "output_index": index, "summary_index": 0}
    part = item["summary"][0]
    yield "response.output_item.added", {"item": item | {"summary": []}, "output_index": index}, "lifecycle"
    yield "response.reasoning_summary_part.added", place | {"part": part | {"text": ""}}, "lifecycle"
    for piece in pieces(part["text"], call.script.piece_chars):
        filler = {"delta": piece, "obfuscation": call.padding(16)}
        yield "response.reasoning_summary_text.delta", place | filler, "content"
    yield "response.reasoning_summary_text.done", place | {"text": part["text"]}, "lifecycle"
    yield "response.reasoning_summary_part.done", place | {"part": part}, "lifecycle"


_STAGES = {
    "message": _message_events,
    "function_call": _call_events,
    "custom_tool_call": _call_events,
    "reasoning": _reasoning_events,
}
