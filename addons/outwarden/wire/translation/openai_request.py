"""OpenAI's chat completion requests and the neutral conversation.

Source: the request types of the openai SDK (``openai.types.chat``), which are generated from OpenAI's own OpenAPI
document; read with version 3.54, 2026-11.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from outwarden.errors import NotTranslatable
from outwarden.wire.translation.neutral import (
    Conversation,
    Image,
    Part,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
    arguments_of,
    array,
    checked,
    flag,
    need,
    obj,
    only,
    real,
    string,
    turns_of,
    whole,
)

STOPS_MAX = 4  # API reference, `stop`
_DATA_URL = re.compile(r"data:([a-z]+/[a-z0-9.+-]+);base64,([A-Za-z0-9+/=]*)")
_BODY = frozenset(
    {
        *("model", "messages", "tools", "tool_choice", "parallel_tool_calls", "response_format", "max_tokens"),
        *("max_completion_tokens", "temperature", "top_p", "stop", "user", "stream", "stream_options"),
        *("seed", "safety_identifier"),
    }
)
# Fields that say nothing where they have these values, which are their defaults or mean that a feature is off.
_IDLE: dict[str, tuple[object, ...]] = {
    "n": (1,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "store": (False,),
    "metadata": ({},),
    "modalities": (["text"],),
    "service_tier": ("auto",),
    "reasoning_effort": ("none",),
    "functions": ([],),
}


# Marks for the prompt cache, which is each provider's own.
_LEFT = frozenset({"prompt_cache_key", "prompt_cache_retention"})


def read_request(body: object) -> Conversation:
    """Read a request. Raises NotTranslatable."""
    source = obj(body, "the request")
    said = {
        name: value
        for name, value in source.items()
        if name not in _LEFT and not any(_same(value, idle) for idle in _IDLE.get(name, ()))
    }
    only(said, _BODY, "the request")
    system, turns = _read_messages(array(source.get("messages"), "'messages'"))
    limits = [whole(source.get(name), f"'{name}'") for name in ("max_completion_tokens", "max_tokens")]
    stop = source.get("stop")
    options = obj(source.get("stream_options") or {}, "'stream_options'")
    only(options, frozenset({"include_usage", "include_obfuscation"}), "'stream_options'")
    user = source.get("safety_identifier") or source.get("user")  # its newer name goes first
    return checked(
        Conversation(
            model=string(source.get("model"), "'model'"),
            turns=turns,
            system=system,
            tools=tuple(_read_tool(tool) for tool in array(source.get("tools"), "'tools'")),
            tool_choice=_read_choice(source.get("tool_choice"), source.get("parallel_tool_calls")),
            output_schema=_read_format(source.get("response_format")),
            output_json=source.get("response_format") == {"type": "json_object"},
            max_tokens=next((limit for limit in limits if limit is not None), None),
            temperature=real(source.get("temperature"), "'temperature'"),
            top_p=real(source.get("top_p"), "'top_p'"),
            seed=whole(source.get("seed"), "'seed'"),
            stop=(stop,) if isinstance(stop, str) else tuple(string(each, "'stop'") for each in array(stop, "'stop'")),
            user=None if user is None else string(user, "'user'"),
            stream=flag(source.get("stream"), "'stream'"),
            tells_usage=flag(options.get("include_usage"), "'include_usage'"),
        )
    )


def _same(value: object, idle: object) -> bool:
    return value == idle and isinstance(value, bool) == isinstance(idle, bool)


def _read_messages(messages: list[Any]) -> tuple[tuple[Text, ...], tuple[Turn, ...]]:
    system: list[Text] = []
    turns: list[Turn] = []
    for message in messages:
        source = obj(message, "a message")
        role = source.get("role")
        if role in ("system", "developer"):
            need(not turns, "a system message stands behind the first turn")
            only(source, frozenset({"role", "content"}), "a system message")
            system += _texts(source.get("content"))
        elif role == "user":
            only(source, frozenset({"role", "content"}), "a user message")
            turns.append(Turn("user", tuple(_parts(source.get("content")))))
            need(bool(turns[-1].parts), "a user message is empty")
        elif role == "tool":
            only(source, frozenset({"role", "content", "tool_call_id"}), "a tool message")
            content = tuple(_texts(source.get("content")))
            turns.append(Turn("user", (ToolResult(string(source.get("tool_call_id"), "'tool_call_id'"), content),)))
        elif role == "assistant":
            turns.append(_read_assistant(source))
        else:
            raise NotTranslatable("a message has a role without a counterpart")
    return tuple(system), turns_of(turns)


def _read_assistant(source: dict[str, Any]) -> Turn:
    # What replies carry beside their content, and clients send back as it came; thinking stays with who thought it.
    left: dict[str, object] = {
        "annotations": [],
        "function_call": None,
        "reasoning_content": source.get("reasoning_content"),
    }
    said = {name: value for name, value in source.items() if name not in left or value != left[name]}
    only(said, frozenset({"role", "content", "tool_calls"}), "an assistant message")
    calls = [_read_call(call) for call in array(source.get("tool_calls"), "'tool_calls'")]
    parts: tuple[Part, ...] = (*_texts(source.get("content")), *calls)
    need(bool(parts), "an assistant message is empty")
    return Turn("assistant", parts)


def _read_call(call: object) -> ToolCall:
    source = obj(call, "a tool call")
    need(source.get("type") == "function", "a tool call of another type than 'function' has no counterpart")
    only(source, frozenset({"id", "type", "function", "index"}), "a tool call")
    function = obj(source.get("function"), "the function of a tool call")
    only(function, frozenset({"name", "arguments"}), "the function of a tool call")
    arguments = arguments_of(string(function.get("arguments"), "the arguments of a tool call"))
    return ToolCall(
        string(source.get("id"), "a call's 'id'"), string(function.get("name"), "a tool's 'name'"), arguments
    )


def _parts(content: object) -> list[Text | Image]:
    if isinstance(content, str) or content is None:
        return [Text(content)] if content else []
    read = (_read_part(obj(part, "a content part")) for part in array(content, "'content'"))
    return [part for part in read if part != Text("")]


def _texts(content: object) -> list[Text]:
    parts = _parts(content)
    texts = [part for part in parts if isinstance(part, Text)]
    need(len(texts) == len(parts), "a picture stands where only the user may show one")
    return texts


def _read_part(part: dict[str, Any]) -> Text | Image:
    kind = part.get("type")
    if kind == "text":
        only(part, frozenset({"type", "text"}), "a text part")
        return Text(string(part.get("text"), "a text"))
    if kind == "image_url":
        only(part, frozenset({"type", "image_url"}), "an image part")
        image = obj(part.get("image_url"), "'image_url'")
        only({**image, "detail": None} if image.get("detail") == "auto" else image, frozenset({"url"}), "'image_url'")
        return _read_image(string(image.get("url"), "an image's 'url'"))
    raise NotTranslatable("a content part of another type than text and image has no counterpart")


def _read_image(url: str) -> Image:
    if found := _DATA_URL.fullmatch(url):
        return Image(found[1], found[2])
    need(url.startswith("https://"), "an image is neither base64 nor at an https address")
    return Image(url=url)


def _read_tool(tool: object) -> Tool:
    source = obj(tool, "a tool")
    need(source.get("type") == "function", "a tool of another type than 'function' has no counterpart")
    only(source, frozenset({"type", "function"}), "a tool")
    function = obj(source.get("function"), "a tool's 'function'")
    only(function, frozenset({"name", "description", "parameters", "strict"}), "a tool's 'function'")
    # No parameters are an empty list of them (API reference).
    schema = obj(function.get("parameters") or {"type": "object", "properties": {}}, "a tool's 'parameters'")
    description = string(function.get("description") or "", "a tool's 'description'")
    return Tool(
        string(function.get("name"), "a tool's 'name'"), description, schema, flag(function.get("strict"), "'strict'")
    )


def _read_choice(choice: object, parallel: object) -> ToolChoice:
    several = parallel is None or flag(parallel, "'parallel_tool_calls'")
    if choice is None or choice == "auto":
        return ToolChoice(parallel=several)
    if choice == "none":
        return ToolChoice("none")
    if choice == "required":
        return ToolChoice("any", parallel=several)
    source = obj(choice, "'tool_choice'")
    need(source.get("type") == "function", "this 'tool_choice' has no counterpart")
    name = obj(source.get("function"), "'tool_choice'").get("name")
    return ToolChoice("named", string(name, "'tool_choice'"), several)


def _read_format(form: object) -> Mapping[str, Any] | None:
    if form is None:
        return None
    source = obj(form, "'response_format'")
    if source.get("type") == "text" or source == {"type": "json_object"}:
        return None
    need(source.get("type") == "json_schema", "this 'response_format' has no counterpart: only a JSON schema has")
    schema = obj(source.get("json_schema"), "'json_schema'")
    only(schema, frozenset({"name", "description", "schema", "strict"}), "'json_schema'")
    told, asked = string(schema.get("description") or "", "'description'"), obj(schema.get("schema"), "'schema'")
    if not told:
        return asked
    # What the answer is for, JSON Schema says in the schema itself.
    need(asked.get("description") in (None, told), "an output schema is described in two ways")
    return {"description": told} | asked


def write_request(conversation: Conversation) -> dict[str, Any]:
    """Write a request. Raises NotTranslatable. A stream always tells its usage: the call is charged by it."""
    need(len(conversation.stop) <= STOPS_MAX, f"more than {STOPS_MAX} stop sequences have no counterpart")
    need(conversation.top_k is None, "a choice among the likeliest tokens (top_k) has no counterpart")
    body: dict[str, Any] = {"model": conversation.model, "messages": _write_messages(conversation)}
    if conversation.tools:
        body["tools"] = [_write_tool(tool) for tool in conversation.tools]
    if conversation.tool_choice != ToolChoice():
        body |= _write_choice(conversation.tool_choice)
    if conversation.output_schema is not None:
        schema = {"name": "answer", "schema": conversation.output_schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif conversation.output_json:
        body["response_format"] = {"type": "json_object"}
    for name, value in (
        ("max_completion_tokens", conversation.max_tokens),
        ("temperature", conversation.temperature),
        ("top_p", conversation.top_p),
        ("seed", conversation.seed),
        ("stop", list(conversation.stop) or None),
        ("user", conversation.user),
    ):
        if value is not None:
            body[name] = value
    if conversation.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def _write_messages(conversation: Conversation) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    if conversation.system:
        messages.append({"role": "system", "content": _write_content(conversation.system)})
    for turn in conversation.turns:
        results = [part for part in turn.parts if isinstance(part, ToolResult)]
        messages += [_write_result(result) for result in results]
        calls = [_write_call(part) for part in turn.parts if isinstance(part, ToolCall)]
        rest = tuple(part for part in turn.parts if isinstance(part, Text | Image))
        if rest or calls:
            message: dict[str, Any] = {"role": turn.role, "content": _write_content(rest) if rest else None}
            messages.append(message | ({"tool_calls": calls} if calls else {}))
    return messages


def _write_content(parts: tuple[Part, ...]) -> str | list[dict[str, Any]]:
    if len(parts) == 1 and isinstance(parts[0], Text):
        return parts[0].text
    return [_write_part(part) for part in parts]


def _write_part(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    assert isinstance(part, Image)
    return {"type": "image_url", "image_url": {"url": part.url or f"data:{part.media_type};base64,{part.data}"}}


def _write_result(result: ToolResult) -> dict[str, Any]:
    texts = [part.text for part in result.content if isinstance(part, Text)]
    need(len(texts) == len(result.content), "a picture in a tool result has no counterpart")
    content: object = _write_content(result.content) if result.content else ""
    if result.is_error:  # which only its words can tell here
        content = json.dumps({"error": texts[0] if len(texts) == 1 else texts}, ensure_ascii=False)
    return {"role": "tool", "tool_call_id": result.call_id, "content": content}


def _write_call(call: ToolCall) -> dict[str, Any]:
    arguments = json.dumps(call.arguments, separators=(",", ":"), ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _write_tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name, "parameters": tool.schema}
    if tool.description:
        function["description"] = tool.description
    return {"type": "function", "function": function | ({"strict": True} if tool.strict else {})}


def _write_choice(choice: ToolChoice) -> dict[str, Any]:
    named: object = {"type": "function", "function": {"name": choice.name}}
    spelled = {"auto": "auto", "none": "none", "any": "required"}.get(choice.kind, named)
    return {"tool_choice": spelled} | ({} if choice.parallel else {"parallel_tool_calls": False})
