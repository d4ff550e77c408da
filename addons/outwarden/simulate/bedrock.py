"""Amazon Bedrock: Converse and invoke, whole and as AWS event streams, each frame padded as the real ones are."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from outwarden.simulate import anthropic
from outwarden.simulate.aws_frames import broken_frame, event_frame, exception_frame
from outwarden.simulate.reply import Call, Part, Reply, Said, compact, overlaid, say
from outwarden.simulate.script import Script
from outwarden.simulate.text import last_spoken, pieces

_MODEL = re.compile(r"/model/(.+)/[a-z-]+$")
_PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_EVENT_STREAM = "application/vnd.amazon.eventstream"
# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
_EXCEPTIONS = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}


def converse(call: Call) -> Reply:
    """Answer POST /model/{id}/converse."""
    said = _said(call)
    answer: dict[str, Any] = {
        "metrics": {"latencyMs": 638},
        "output": {"message": {"content": _blocks(call, said), "role": "assistant"}},
        "stopReason": _stop_reason(call, said),
    }
    return _json(answer if call.script.no_usage else answer | {"usage": _usage(call, said)})


def converse_stream(call: Call) -> Reply:
    """Answer POST /model/{id}/converse-stream."""
    return _streamed(call, lambda: _events(call, _said(call)), lambda name, data: _padded(call, name, data))


def invoke(call: Call) -> Reply:
    """Answer POST /model/{id}/invoke, as the family whose request it is; the counts stand in headers, too."""
    family = _family(call)
    said = _said(call)
    if family == "anthropic":
        reply = anthropic.messages(call)
        answer = json.loads(reply.parts[0].data)
    else:
        answer = _WHOLE[family](call, said)
    headers = () if call.script.no_usage else _counts(said)
    return _json(answer, headers)


def invoke_stream(call: Call) -> Reply:
    """Answer POST /model/{id}/invoke-with-response-stream: the family's own events, each in base64."""
    said = _said(call)
    family = _family(call)
    events = {"anthropic": _anthropic_events, "nova": _nova_events}.get(family, _simple_events)
    return _streamed(call, lambda: events(call, said), lambda name, data: _wrapped(call, data))


def count_tokens(call: Call) -> Reply:
    """Answer POST /model/{id}/count-tokens."""
    inner = call.body.get("input", {})
    prompt = inner.get("converse") or inner.get("invokeModel") or {}
    return _json(overlaid({"inputTokens": say(call, "", prompt, None).input_tokens}, call.script))


def error(script: Script, status: int) -> Reply:
    """The error as a reply: the exception's name in a header."""
    return refusal(status, f"The simulated provider was told to answer {status}.", script.error)


def refusal(status: int, message: str, name: str | None = None) -> Reply:
    """An error with this message."""
    kind = name or _EXCEPTIONS.get(status, "InternalServerException")
    headers = (("content-type", "application/json"), ("x-amzn-errortype", kind))
    return Reply(status, headers, (Part(compact({"message": message}).encode()),))


def _json(answer: Any, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    data = compact(answer).encode("utf-8", "backslashreplace")
    return Reply(200, (("content-type", "application/json"), *headers), (Part(data, "content"),))


def _model(call: Call) -> str:
    found = _MODEL.search(call.path)
    return found[1] if found else ""


def _family(call: Call) -> str:
    if "anthropic_version" in call.body:
        return "anthropic"
    if "inputText" in call.body:
        return "titan"
    return "nova" if "messages" in call.body else "llama"


def _limit(call: Call) -> Any:
    places = ("inferenceConfig", "textGenerationConfig")
    inside = next((call.body[place] for place in places if isinstance(call.body.get(place), dict)), call.body)
    names = ("maxTokens", "max_new_tokens", "maxTokenCount", "max_tokens", "max_gen_len")
    return next((inside[name] for name in names if name in inside), None)


def _said(call: Call) -> Said:
    body = call.body
    plain = body.get("inputText") or body.get("prompt")
    prompt = [body.get("system"), body.get("messages"), body.get("toolConfig"), plain]
    return say(call, str(plain) if plain else last_spoken(body.get("messages")), prompt, _limit(call))


def _usage(call: Call, said: Said) -> dict[str, Any]:
    total = said.input_tokens + said.output_tokens
    counted = {"inputTokens": said.input_tokens, "outputTokens": said.output_tokens, "totalTokens": total}
    return overlaid(counted, call.script)


def _counts(said: Said) -> tuple[tuple[str, str], ...]:
    counts = {"input": said.input_tokens, "output": said.output_tokens}
    return tuple((f"x-amzn-bedrock-{side}-token-count", str(count)) for side, count in counts.items())


def _metrics(said: Said) -> dict[str, Any]:
    counts = {"inputTokenCount": said.input_tokens, "outputTokenCount": said.output_tokens}
    return {"amazon-bedrock-invocationMetrics": counts | {"invocationLatency": 851, "firstByteLatency": 354}}


def _stop_reason(call: Call, said: Said) -> str:
    if said.cut:
        return "max_tokens"
    return "tool_use" if call.script.tool_calls else "end_turn"


def _signature(call: Call) -> str:
    return base64.b64encode(call.random.randbytes(96)).decode()


def _blocks(call: Call, said: Said) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if said.thinking is not None:
        text = {"text": said.thinking, "signature": _signature(call)}
        blocks.append({"reasoningContent": {"reasoningText": text}})
    if said.text is not None:
        blocks.append({"text": said.text})
    for tool in call.script.tool_calls:
        use = {"toolUseId": call.id("tooluse_", 22), "name": tool.name, "input": json.loads(tool.arguments)}
        blocks.append({"toolUse": use})
    return blocks


# --- streams: (name of the event, its data, what kind of part it is)

Event = tuple[str, dict[str, Any], Any]


def _streamed(call: Call, events: Callable[[], Iterator[Event]], frame: Callable[[str, Any], bytes]) -> Reply:
    name = call.script.error or "throttlingException"
    message = compact({"message": "Too many requests, please wait before trying again."}).encode()
    return Reply(
        200,
        (("content-type", _EVENT_STREAM),),
        tuple(Part(frame(name, data), kind) for name, data, kind in events()),
        streamed=True,
        error_data=exception_frame(name, message),
        malformed_data=broken_frame(b'{"contentBlockIndex":0,"delta":{"text":"x"}}'),
    )


def _padding(call: Call) -> str:
    return _PADDING[: call.random.randrange(len(_PADDING))]


def _padded(call: Call, name: str, data: dict[str, Any]) -> bytes:
    """Keys in alphabetical order, the padding among them."""
    return event_frame(name, _spell(dict(sorted((data | {"p": _padding(call)}).items()))))


def _wrapped(call: Call, data: dict[str, Any]) -> bytes:
    return event_frame("chunk", _spell({"bytes": base64.b64encode(_spell(data)).decode(), "p": _padding(call)}))


def _spell(data: Any) -> bytes:
    return compact(data).encode("utf-8", "backslashreplace")


def _events(call: Call, said: Said) -> Iterator[Event]:
    """Converse's events."""
    yield "messageStart", {"role": "assistant"}, "lifecycle"
    for index, deltas in enumerate(_deltas(call, said)):
        at = {"contentBlockIndex": index}
        for delta in deltas:
            if "start" in delta:
                yield "contentBlockStart", at | delta, "lifecycle"
            else:
                yield "contentBlockDelta", at | {"delta": delta}, "content"
        yield "contentBlockStop", at, "lifecycle"
    yield "messageStop", {"stopReason": _stop_reason(call, said)}, "lifecycle" if not call.script.no_usage else "end"
    if not call.script.no_usage:
        yield "metadata", {"metrics": {"latencyMs": 481}, "usage": _usage(call, said)}, "end"


def _deltas(call: Call, said: Said) -> Iterator[list[dict[str, Any]]]:
    """The deltas of each block."""
    size = call.script.piece_chars
    if said.thinking is not None:
        thoughts = [{"reasoningContent": {"text": piece}} for piece in pieces(said.thinking, size)]
        yield [*thoughts, {"reasoningContent": {"signature": _signature(call)}}]
    if said.text is not None:
        yield [{"text": piece} for piece in pieces(said.text, size)]
    for tool in call.script.tool_calls:
        start = {"start": {"toolUse": {"name": tool.name, "toolUseId": call.id("tooluse_", 22)}}}
        yield [start, *({"toolUse": {"input": piece}} for piece in pieces(tool.arguments, size))]


def _nova_events(call: Call, said: Said) -> Iterator[Event]:
    """Converse's events, each under its name."""
    for name, data, kind in _events(call, said):
        more = _metrics(said) if name == "metadata" else {}
        yield name, {name: data} | more, kind


def _anthropic_events(call: Call, said: Said) -> Iterator[Event]:
    """Anthropic's own events without their framing; no pings."""
    call.body["stream"] = True
    for part in anthropic.messages(call).parts:
        data = part.data.partition(b"\ndata: ")[2]
        event = json.loads(data)
        if event["type"] != "ping":
            yield "chunk", event | (_metrics(said) if event["type"] == "message_stop" else {}), part.kind


def _simple_events(call: Call, said: Said) -> Iterator[Event]:
    """Titan's and Llama's: pieces of one text, the last with the counts."""
    titan = _family(call) == "titan"
    cut = pieces(said.text or "", call.script.piece_chars) or [""]
    for number, piece in enumerate(cut):
        last = number == len(cut) - 1
        count = said.output_tokens if last else None
        reason = ("FINISH" if titan else "stop") if last else None
        if titan:
            data = {"outputText": piece, "index": 0, "totalOutputTextTokenCount": count, "completionReason": reason}
            data |= {"inputTextTokenCount": None if number else said.input_tokens}
        else:
            data = {"generation": piece, "prompt_token_count": None if number else said.input_tokens}
            data |= {"generation_token_count": number + 1, "stop_reason": reason}
        yield "chunk", data | (_metrics(said) if last else {}), "end" if last else "content"


# --- whole answers of the families


def _titan(call: Call, said: Said) -> Any:
    result = {"tokenCount": said.output_tokens, "outputText": said.text, "completionReason": "FINISH"}
    return {"inputTextTokenCount": said.input_tokens, "results": [result]}


def _llama(call: Call, said: Said) -> Any:
    counts = {"prompt_token_count": said.input_tokens, "generation_token_count": said.output_tokens}
    return {"generation": said.text, **counts, "stop_reason": "length" if said.cut else "stop"}


def _nova(call: Call, said: Said) -> Any:
    message = {"content": _blocks(call, said), "role": "assistant"}
    return {"output": {"message": message}, "stopReason": _stop_reason(call, said), "usage": _usage(call, said)}


_WHOLE = {"titan": _titan, "llama": _llama, "nova": _nova}
