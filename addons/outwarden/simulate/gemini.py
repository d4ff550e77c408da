"""Gemini generateContent, streamGenerateContent (SSE with CRLF, or one long JSON array), embedContent, countTokens."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from outwarden.simulate.openai_lists import vector
from outwarden.simulate.reply import Call, Json, Part, Reply, Said, event, html_safe, overlaid, pretty, say
from outwarden.simulate.script import Script
from outwarden.simulate.text import last_spoken, strings

HEADERS = (("server", "scaffolding on HTTPServer2"), ("vary", "Origin"), ("vary", "X-Origin"), ("vary", "Referer"))
DIMENSIONS = 768

# https://ai.google.dev/gemini-api/docs/troubleshooting
_KINDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def generate_content(call: Call) -> Reply:
    """Answer POST …:generateContent."""
    said = _said(call)
    return _json(_answer(call, said, _parts(call, said), _finish(said), said.output_tokens))


def stream_generate_content(call: Call) -> Reply:
    """Answer POST …:streamGenerateContent, with ``alt=sse`` as events, without as a JSON array."""
    chunks = _chunks(call, _said(call))
    failure = error_object(call.script, 503)
    if call.query.get("alt") == "sse":
        parts = tuple(Part(_sse(chunk), "content") for chunk in chunks)
        kind, malformed = "text/event-stream", b'data: {"candidates": [{"content": {"parts": [{"te\r\n\r\n'
        return _streamed(kind, _last_is_end(parts), _sse(failure), malformed)
    kind, malformed = "application/json; charset=UTF-8", b'\n,\n{"candidates": [{"content" "te'
    reply = _streamed(kind, tuple(_array(chunks)), b"\n,\n" + _indented(failure) + b"\n]", malformed)
    return replace(reply, first_error_data=b"[" + _indented(failure) + b"\n]")


def embed_content(call: Call) -> Reply:
    """Answer POST …:embedContent."""
    return _json({"embedding": {"values": _embedding(call.body)}})


def batch_embed_contents(call: Call) -> Reply:
    """Answer POST …:batchEmbedContents."""
    wanted = call.body.get("requests") or []
    return _json({"embeddings": [{"values": _embedding(each)} for each in wanted]})


def count_tokens_reply(call: Call) -> Reply:
    """Answer POST …:countTokens."""
    total = _said(call).input_tokens
    details = [{"modality": "TEXT", "tokenCount": total}]
    return _json({"totalTokens": total, "promptTokensDetails": details})


def models(call: Call) -> Reply:
    """Answer GET /v1beta/models."""
    return _json({"models": [{"name": f"models/{name}", "displayName": name} for name in ("gemini-2.5-flash",)]})


def error_object(script: Script, status: int) -> dict[str, Any]:
    """The error as a JSON value."""
    kind = script.error or _KINDS.get(status, "UNKNOWN")
    message = f"The simulated provider was told to answer {status}."
    return {"error": {"code": status, "message": message, "status": kind}}


def error(script: Script, status: int) -> Reply:
    """The error as a reply."""
    headers = (*HEADERS, ("content-type", "application/json; charset=UTF-8"))
    return Reply(status, headers, (Part(pretty(error_object(script, status))),))


def _said(call: Call) -> Said:
    body = call.body
    settings = body.get("generationConfig") or body.get("generation_config") or {}
    limit = settings.get("maxOutputTokens", settings.get("max_output_tokens"))
    system = body.get("systemInstruction") or body.get("system_instruction")
    contents = body.get("contents")
    echo = last_spoken([contents] if isinstance(contents, dict) else contents)
    return say(call, echo, [system, contents, body.get("tools")], limit)


def _json(answer: Json) -> Reply:
    headers = (*HEADERS, ("content-type", "application/json; charset=UTF-8"))
    data = html_safe(pretty(answer).decode()).encode("utf-8", "backslashreplace")
    return Reply(200, headers, (Part(data, "content"),))


def _streamed(kind: str, parts: tuple[Part, ...], error_data: bytes, malformed: bytes) -> Reply:
    headers = (*HEADERS, ("content-type", kind), ("content-disposition", "attachment"))
    return Reply(200, headers, parts, streamed=True, error_data=error_data, malformed_data=malformed)


def _finish(said: Said) -> str:
    return "MAX_TOKENS" if said.cut else "STOP"


def _parts(call: Call, said: Said) -> list[Json]:
    parts: list[Json] = []
    if said.thinking is not None:
        parts.append({"text": said.thinking, "thought": True})
    if said.text is not None:
        parts.append({"text": said.text})
    return parts + _tool_parts(call)


def _tool_parts(call: Call) -> list[Json]:
    parts: list[Json] = []
    for tool in call.script.tool_calls:
        # Arguments are an object in this API, so here they have to parse.
        parts.append({"functionCall": {"name": tool.name, "args": json.loads(tool.arguments)}})
    if parts:
        parts[0]["thoughtSignature"] = base64.b64encode(call.random.randbytes(96)).decode()
    return parts


def _usage(call: Call, said: Said, output_tokens: int | None) -> dict[str, Any]:
    """Usage so far: output excludes thinking, the total includes it; None: nothing was said yet."""
    counted: dict[str, Any] = {"promptTokenCount": said.input_tokens}
    if output_tokens is not None:
        counted["candidatesTokenCount"] = output_tokens - said.thinking_tokens
    counted["totalTokenCount"] = said.input_tokens + (output_tokens or 0)
    counted["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": said.input_tokens}]
    if said.thinking_tokens:
        counted["thoughtsTokenCount"] = said.thinking_tokens
    return overlaid(counted, call.script)


def _answer(call: Call, said: Said, parts: list[Json], finish: str | None, output_tokens: int | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    model = call.script.model or call.path.rpartition("/")[2].partition(":")[0]
    answer: dict[str, Any] = {"candidates": [candidate], "modelVersion": model, "responseId": "SimulatedResponseId"}
    if not call.script.no_usage:
        answer["usageMetadata"] = _usage(call, said, output_tokens)
    return answer


def _chunks(call: Call, said: Said) -> list[Json]:
    """The stream's objects: each whole, usage cumulative, tool calls unbroken, the last with a finish reason."""
    steps: list[list[Json]] = [[{"text": piece, "thought": True}] for piece in said.thinking_pieces(call.script)]
    steps += [[{"text": piece}] for piece in said.text_pieces(call.script)]
    if tools := _tool_parts(call):
        steps.append(tools)
    last = steps.pop() if steps else [{"text": ""}]
    early = [_answer(call, said, parts, None, None) for parts in steps]
    return [*early, _answer(call, said, last, _finish(said), said.output_tokens)]


def _sse(value: Json) -> bytes:
    text = html_safe(json.dumps(value, separators=(",", ": "), ensure_ascii=False))
    return event(text, line_end="\r\n")


def _last_is_end(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """A stream of one object is content; of several, the last one also ends it."""
    return parts if len(parts) < 2 else (*parts[:-1], Part(parts[-1].data, "end"))


def _indented(value: Json) -> bytes:
    text = html_safe(json.dumps(value, indent=2, ensure_ascii=False))
    return text.encode("utf-8", "backslashreplace")


def _array(chunks: list[Json]) -> Iterator[Part]:
    for number, chunk in enumerate(chunks):
        yield Part((b"\n,\n" if number else b"[") + _indented(chunk), "content")
    yield Part(b"\n]", "end")


def _embedding(request: dict[str, Any]) -> list[float]:
    wanted = request.get("outputDimensionality")
    text = "\n".join(strings(request.get("content")))
    return vector(text, wanted if isinstance(wanted, int) and 0 < wanted <= 3072 else DIMENSIONS)  # 3072: its largest
