"""Anthropic's messages requests and the neutral conversation.

Source: the request types of the anthropic SDK (``anthropic.types``), which are generated from Anthropic's own
specification; read with version 2.12, 2026-11.
"""

from collections.abc import Mapping
from typing import Any, Literal

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

# The `anthropic-version` that this is written for; the API answers nobody who does not name one (its docs, "Versions").
VERSION = "2023-06-01"
TEMPERATURE_MAX = 1.0  # API reference, `temperature`
# Anthropic asks for a limit in each request. All models that it serves can write so much (models overview).
MAX_TOKENS_UNSAID = 4096
_BODY = frozenset(
    {
        *(
            "model",
            "messages",
            "system",
            "tools",
            "tool_choice",
            "output_config",
            "max_tokens",
            "temperature",
            "top_p",
            "top_k",
        ),
        *("stop_sequences", "metadata", "stream", "cache_control"),
    }
)
_PLAIN = frozenset({"type", "text", "cache_control"})
_THOUGHTS = ("thinking", "redacted_thinking")


def read_request(body: object) -> Conversation:
    """Read a request. Raises NotTranslatable."""
    source = obj(body, "the request")
    only(_without_idle(source), _BODY, "the request")
    metadata = obj(source.get("metadata") or {}, "'metadata'")
    only(metadata, frozenset({"user_id"}), "'metadata'")
    user = metadata.get("user_id")
    stream = flag(source.get("stream"), "'stream'")
    return checked(
        Conversation(
            model=string(source.get("model"), "'model'"),
            turns=turns_of([_read_message(message) for message in array(source.get("messages"), "'messages'")]),
            system=tuple(_texts(source.get("system"))),
            tools=tuple(_read_tool(tool) for tool in array(source.get("tools"), "'tools'")),
            tool_choice=_read_choice(source.get("tool_choice")),
            output_schema=_read_format(source.get("output_config")),
            max_tokens=whole(source.get("max_tokens"), "'max_tokens'"),
            temperature=real(source.get("temperature"), "'temperature'"),
            top_p=real(source.get("top_p"), "'top_p'"),
            top_k=whole(source.get("top_k"), "'top_k'"),
            stop=tuple(
                string(each, "a stop sequence") for each in array(source.get("stop_sequences"), "'stop_sequences'")
            ),
            user=None if user is None else string(user, "'user_id'"),
            stream=stream,
            tells_usage=stream,
        )
    )


def _without_idle(source: dict[str, Any]) -> dict[str, Any]:
    """Leave out what says nothing: the default tier, and thinking that is off."""
    thinking = source.get("thinking")
    off = isinstance(thinking, dict) and thinking.get("type") == "disabled"
    idle = {
        name for name, is_idle in (("thinking", off), ("service_tier", source.get("service_tier") == "auto")) if is_idle
    }
    return {name: value for name, value in source.items() if name not in idle}


def _read_message(message: object) -> Turn:
    source = obj(message, "a message")
    only(source, frozenset({"role", "content"}), "a message")
    content, role = source.get("content"), source.get("role")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else array(content, "'content'")
    said = [obj(block, "a content block") for block in blocks]
    if role == "user":
        return _turn("user", [_read_users(block) for block in said])
    need(role == "assistant", "a message has a role without a counterpart")
    return _turn("assistant", [_read_assistants(block) for block in said if block.get("type") not in _THOUGHTS])


def _turn(role: Literal["user", "assistant"], parts: list[Part]) -> Turn:
    kept = tuple(part for part in parts if part != Text(""))
    need(bool(kept), "a message is empty")
    return Turn(role, kept)


def _read_users(block: dict[str, Any]) -> Part:
    if block.get("type") != "tool_result":
        return _read_shown(block)
    only(block, frozenset({"type", "tool_use_id", "content", "is_error", "cache_control"}), "a tool result")
    content = block.get("content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else array(content, "a result's 'content'")
    shown = (_read_shown(obj(each, "a block of a tool result")) for each in blocks)
    return ToolResult(
        string(block.get("tool_use_id"), "'tool_use_id'"),
        tuple(part for part in shown if part != Text("")),
        flag(block.get("is_error"), "'is_error'"),
    )


def _read_shown(block: dict[str, Any]) -> Text | Image:
    kind = block.get("type")
    if kind == "text":
        only(block if block.get("citations") else {**block, "citations": None}, _PLAIN, "a text block")
        return Text(string(block.get("text"), "a text"))
    if kind == "image":
        only(block, frozenset({"type", "source", "cache_control"}), "an image block")
        return _read_image(obj(block.get("source"), "an image's 'source'"))
    raise NotTranslatable(
        "a content block of another type than text, image, tool_use and tool_result has no counterpart"
    )


def _read_image(source: dict[str, Any]) -> Image:
    if source.get("type") == "base64":
        only(source, frozenset({"type", "media_type", "data"}), "an image's 'source'")
        return Image(string(source.get("media_type"), "'media_type'"), string(source.get("data"), "an image's 'data'"))
    need(source.get("type") == "url", "an image of this source has no counterpart")
    only(source, frozenset({"type", "url"}), "an image's 'source'")
    return Image(url=string(source.get("url"), "an image's 'url'"))


def _read_assistants(block: dict[str, Any]) -> Part:
    if block.get("type") != "tool_use":
        part = _read_shown(block)
        need(isinstance(part, Text), "a picture in an assistant's turn has no counterpart")
        return part
    return read_call(block)


def read_call(block: dict[str, Any]) -> ToolCall:
    """Read a ``tool_use`` block. Raises NotTranslatable."""
    direct = {"type": "direct"}  # who calls: the model itself, not a program that it runs
    said = {**block, "caller": None} if block.get("caller") == direct else block
    only(said, frozenset({"type", "id", "name", "input", "cache_control"}), "a tool call")
    return ToolCall(
        string(block.get("id"), "a call's 'id'"),
        string(block.get("name"), "a tool's 'name'"),
        obj(block.get("input"), "'input'"),
    )


def _texts(system: object) -> list[Text]:
    if isinstance(system, str):
        return [Text(system)] if system else []
    parts = [_read_shown(obj(block, "a system block")) for block in array(system, "'system'")]
    texts = [part for part in parts if isinstance(part, Text)]
    need(len(texts) == len(parts), "a picture in the system prompt has no counterpart")
    return [part for part in texts if part.text]


def _read_tool(tool: object) -> Tool:
    source = obj(tool, "a tool")
    need(source.get("type") in (None, "custom"), "a tool of the provider's own has no counterpart")
    only(source, frozenset({"type", "name", "description", "input_schema", "strict", "cache_control"}), "a tool")
    return Tool(
        string(source.get("name"), "a tool's 'name'"),
        string(source.get("description") or "", "a tool's 'description'"),
        obj(source.get("input_schema"), "'input_schema'"),
        flag(source.get("strict"), "'strict'"),
    )


def _read_choice(choice: object) -> ToolChoice:
    if choice is None:
        return ToolChoice()
    source = obj(choice, "'tool_choice'")
    only(source, frozenset({"type", "name", "disable_parallel_tool_use"}), "'tool_choice'")
    several = not flag(source.get("disable_parallel_tool_use"), "'disable_parallel_tool_use'")
    kind = source.get("type")
    if kind == "tool":
        return ToolChoice("named", string(source.get("name"), "'tool_choice'"), several)
    for known in ("auto", "none", "any"):
        if kind == known:
            return ToolChoice(known, parallel=several)
    raise NotTranslatable("this 'tool_choice' has no counterpart")


def _read_format(config: object) -> Mapping[str, Any] | None:
    if config is None:
        return None
    source = obj(config, "'output_config'")
    only(source, frozenset({"format"}), "'output_config'")
    if source.get("format") is None:
        return None
    form = obj(source["format"], "'format'")
    need(form.get("type") == "json_schema", "this output format has no counterpart")
    only(form, frozenset({"type", "schema"}), "'format'")
    return obj(form.get("schema"), "'schema'")


def write_request(conversation: Conversation) -> dict[str, Any]:
    """Write a request. Raises NotTranslatable."""
    need(
        (conversation.temperature or 0) <= TEMPERATURE_MAX,
        f"a temperature above {TEMPERATURE_MAX:g} has no counterpart",
    )
    need(conversation.seed is None, "a seed has no counterpart")
    need(not conversation.output_json, "an answer in JSON of no certain schema has no counterpart")
    limit = MAX_TOKENS_UNSAID if conversation.max_tokens is None else conversation.max_tokens
    body: dict[str, Any] = {"model": conversation.model, "max_tokens": limit}
    if conversation.system:
        body["system"] = [_write_part(part) for part in conversation.system]
    body["messages"] = [
        {"role": turn.role, "content": [_write_part(part) for part in turn.parts]} for turn in conversation.turns
    ]
    if conversation.tools:
        body["tools"] = [_write_tool(tool) for tool in conversation.tools]
    if conversation.tool_choice != ToolChoice():
        body["tool_choice"] = _write_choice(conversation.tool_choice)
    if conversation.output_schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": conversation.output_schema}}
    for name, value in (
        ("temperature", conversation.temperature),
        ("top_p", conversation.top_p),
        ("top_k", conversation.top_k),
        ("stop_sequences", list(conversation.stop) or None),
        ("metadata", None if conversation.user is None else {"user_id": conversation.user}),
        ("stream", conversation.stream or None),
    ):
        if value is not None:
            body[name] = value
    return body


def _write_part(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, ToolCall):
        return write_call(part)
    if isinstance(part, ToolResult):
        result = {
            "type": "tool_result",
            "tool_use_id": part.call_id,
            "content": [_write_part(each) for each in part.content],
        }
        return result | ({"is_error": True} if part.is_error else {})
    if part.url:
        return {"type": "image", "source": {"type": "url", "url": part.url}}
    return {"type": "image", "source": {"type": "base64", "media_type": part.media_type, "data": part.data}}


def write_call(call: ToolCall) -> dict[str, Any]:
    """Write a ``tool_use`` block."""
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments}


def _write_tool(tool: Tool) -> dict[str, Any]:
    written: dict[str, Any] = {"name": tool.name, "input_schema": tool.schema}
    if tool.description:
        written["description"] = tool.description
    return written | ({"strict": True} if tool.strict else {})


def _write_choice(choice: ToolChoice) -> dict[str, Any]:
    written = {"type": "tool", "name": choice.name} if choice.kind == "named" else {"type": choice.kind}
    return written | ({} if choice.parallel else {"disable_parallel_tool_use": True})
