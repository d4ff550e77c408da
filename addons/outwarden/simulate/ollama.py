"""Ollama /api/chat, /api/generate, /api/embed and /api/tags: JSON lines, streaming unless told otherwise."""

import datetime
import json
from collections.abc import Iterator
from typing import Any

from outwarden.simulate.openai_lists import vector
from outwarden.simulate.reply import Call, Json, Part, Reply, Said, compact, html_safe, overlaid, say
from outwarden.simulate.script import Script
from outwarden.simulate.text import count_tokens, last_spoken

DIMENSIONS = 384


def chat(call: Call) -> Reply:
    """Answer POST /api/chat."""
    body = call.body
    said = say(call, last_spoken(body.get("messages")), [body.get("messages"), body.get("tools")], _limit(call))

    def spoken(text: str, **more: Json) -> Json:
        return {"message": {"role": "assistant", "content": text} | more}

    tools = [{"function": {"name": t.name, "arguments": json.loads(t.arguments)}} for t in call.script.tool_calls]
    return _reply(call, said, spoken, {"tool_calls": tools} if tools else {})


def generate(call: Call) -> Reply:
    """Answer POST /api/generate."""
    prompt = call.body.get("prompt")
    said = say(call, str(prompt or ""), [call.body.get("system"), prompt], _limit(call))

    def spoken(text: str, **more: Json) -> Json:
        return {"response": text} | more

    return _reply(call, said, spoken, {})


def embed(call: Call) -> Reply:
    """Answer POST /api/embed."""
    given = call.body.get("input")
    inputs = given if isinstance(given, list) else [given]
    counted = overlaid({"prompt_eval_count": sum(count_tokens(str(each)) for each in inputs)}, call.script)
    vectors = [vector(str(each), DIMENSIONS) for each in inputs]
    return _json({"model": _model(call), "embeddings": vectors, "total_duration": 14143917} | counted)


def tags(call: Call) -> Reply:
    """Answer GET /api/tags."""
    return _json({"models": [{"name": "llama3.2:1b", "model": "llama3.2:1b", "size": 1321098329}]})


def error(script: Script, status: int) -> Reply:
    """The error as a reply."""
    return Reply(status, (("content-type", "application/json; charset=utf-8"),), (Part(_line(_failure(script))),))


def _failure(script: Script) -> Json:
    return {"error": script.error or "the simulated provider was told to fail"}


def _json(answer: Json) -> Reply:
    return Reply(200, (("content-type", "application/json; charset=utf-8"),), (Part(_line(answer)[:-1], "content"),))


def _line(value: Json) -> bytes:
    return (html_safe(compact(value)) + "\n").encode("utf-8", "backslashreplace")


def _limit(call: Call) -> Any:
    options = call.body.get("options")
    wanted = options.get("num_predict") if isinstance(options, dict) else None
    return wanted if isinstance(wanted, int) and wanted >= 0 else None  # negative: no limit


def _model(call: Call) -> str:
    return call.script.model or str(call.body.get("model"))


def _reply(call: Call, said: Said, spoken: Any, more: dict[str, Json]) -> Reply:
    base = {"model": _model(call), "created_at": _timestamp(call)}
    if call.body.get("stream") is False:
        thinking = {} if said.thinking is None else {"thinking": said.thinking}
        return _json(base | spoken(said.text or "", **thinking, **more) | _ending(call, said))
    return Reply(
        200,
        (("content-type", "application/x-ndjson"),),
        tuple(_stream(call, said, base, spoken, more)),
        streamed=True,
        error_data=_line(_failure(call.script)),
        malformed_data=b'{"model":"llama3.2:1b","message":{"role":"assis\n',
    )


def _stream(call: Call, said: Said, base: Json, spoken: Any, more: dict[str, Json]) -> Iterator[Part]:
    for piece in said.thinking_pieces(call.script):
        yield Part(_line(base | spoken("", thinking=piece) | {"done": False}), "content")
    for piece in said.text_pieces(call.script):
        yield Part(_line(base | spoken(piece) | {"done": False}), "content")
    if more:
        yield Part(_line(base | spoken("", **more) | {"done": False}), "content")
    yield Part(_line(base | spoken("") | _ending(call, said)), "end")


def _ending(call: Call, said: Said) -> dict[str, Any]:
    """The last object's figures; durations are nanoseconds."""
    ending: dict[str, Any] = {"done_reason": "length" if said.cut else "stop", "done": True}
    ending |= {"total_duration": 313801125, "load_duration": 41717917}
    if call.script.no_usage:
        return ending
    counted = {"prompt_eval_count": said.input_tokens, "prompt_eval_duration": 27758541}
    return ending | overlaid(counted | {"eval_count": said.output_tokens, "eval_duration": 243926334}, call.script)


def _timestamp(call: Call) -> str:
    return datetime.datetime.fromtimestamp(call.now, datetime.UTC).isoformat().replace("+00:00", "Z")
