"""Gemini's generateContent requests and the neutral conversation; model and streaming stand in the path.

Source: the types of the google-genai SDK 3.4 (``GenerateContentConfig`` as it is sent, ``ToolConfig``), 2026-11.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from outwarden.errors import NotTranslatable
from outwarden.wire.format import Framing
from outwarden.wire.translation.gemini_contents import read_turns, signs_calls, tool_name, write_name, write_turns
from outwarden.wire.translation.gemini_fields import camel, enum, integer, listed, named
from outwarden.wire.translation.gemini_schema import json_schema
from outwarden.wire.translation.neutral import (
    Conversation,
    Text,
    Tool,
    ToolChoice,
    array,
    checked,
    need,
    obj,
    real,
    string,
)

TEMPERATURE_MAX = 2.0  # API reference, `temperature`
STOPS_MAX = 5  # API reference, `stopSequences`
JSON = "application/json"
_TARGET = re.compile(r"/(models|tunedModels|endpoints)/([^/:]+):(\w+)/?$", re.IGNORECASE)  # as `Gemini.paths` are
_BODY = frozenset(
    {"model", "contents", "systemInstruction", "tools", "toolConfig", "safetySettings", "generationConfig"}
)
_CONFIG = frozenset(
    {
        *("maxOutputTokens", "temperature", "topP", "topK", "seed", "stopSequences", "thinkingConfig"),
        *("responseMimeType", "responseSchema", "responseJsonSchema", "_responseJsonSchema"),
    }
)
# Fields that say nothing where they have these values, which are their defaults or mean that a feature is off.
_IDLE_BODY: dict[str, tuple[object, ...]] = {"store": (False,), "serviceTier": ("unspecified", "standard")}
_IDLE: dict[str, tuple[object, ...]] = {
    "candidateCount": (0, 1),
    "presencePenalty": (0,),
    "frequencyPenalty": (0,),
    "responseLogprobs": (False,),
    "responseModalities": (["TEXT"], ["Text"], ["text"], [1]),
    "mediaResolution": ("MEDIA_RESOLUTION_UNSPECIFIED",),
    "audioTimestamp": (False,),
    "enableAffectiveDialog": (False,),
    "enableEnhancedCivicAnswers": (False,),
}
_FUNCTION = frozenset(
    {"name", "description", "behavior", "parameters", "parametersJsonSchema", "response", "responseJsonSchema"}
)
_MODES = ("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED")
_THRESHOLDS = (
    "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
    "BLOCK_LOW_AND_ABOVE",
    "BLOCK_MEDIUM_AND_ABOVE",
    "BLOCK_ONLY_HIGH",
    "BLOCK_NONE",
    "OFF",
)
# Google's filters switched off, or left as they are; any other setting asks for a filter that nobody else has.
_UNFILTERED = (_THRESHOLDS[0], "BLOCK_NONE", "OFF")


def read_target(target: str) -> tuple[str, bool, Framing]:
    """What a request's target (path and query) says: the model, whether the answer streams, and how.

    Raises NotTranslatable.
    """
    path, _, query = target.partition("?")
    found = _TARGET.search(unquote(path))
    if found is None:
        raise NotTranslatable("the path names no model")
    model = found[2] if found[1].lower() == "models" else f"{found[1]}/{found[2]}"
    asked = {name.lstrip("$"): value for name, value in parse_qsl(query)}
    return model, found[3].lower() == "streamgeneratecontent", "sse" if asked.get("alt") == "sse" else "json-array"


def write_target(conversation: Conversation) -> str:
    """The path, and the query that asks for a stream of events."""
    name = conversation.model.removeprefix("models/")
    kind, _, rest = name.partition("/")
    folder, model = (kind, rest) if kind in ("tunedModels", "endpoints") else ("models", name)
    need(bool(model), "the request names no model")
    verb = "streamGenerateContent?alt=sse" if conversation.stream else "generateContent"
    return f"/v1beta/{folder}/{quote(model, safe='')}:{verb}"


def read_request(body: object, target: str) -> Conversation:
    """Read a request. Raises NotTranslatable."""
    source = named(_without(body, _IDLE_BODY, "the request"), _BODY, "the request")
    config = named(_without(source.get("generationConfig") or {}, _IDLE, "the config"), _CONFIG, "'generationConfig'")
    _check_safety(source.get("safetySettings"))
    _check_thinking(config.get("thinkingConfig"))
    model, stream, _ = read_target(target)
    choice, strict = _read_choice(source)
    schema = _read_output(config)
    return checked(
        Conversation(
            model=model,
            turns=read_turns(source.get("contents")),
            system=_read_system(source.get("systemInstruction")),
            tools=_read_tools(source.get("tools"), strict),
            tool_choice=choice,
            output_schema=schema,
            output_json=schema is None and config.get("responseMimeType") == JSON,
            max_tokens=integer(config.get("maxOutputTokens"), "'maxOutputTokens'"),
            temperature=real(config.get("temperature"), "'temperature'"),
            top_p=real(config.get("topP"), "'topP'"),
            top_k=integer(config.get("topK"), "'topK'"),
            seed=integer(config.get("seed"), "'seed'"),
            stop=tuple(
                string(each, "a stop sequence") for each in array(config.get("stopSequences"), "'stopSequences'")
            ),
            stream=stream,
            tells_usage=stream,
        )
    )


def _without(source: object, idle: dict[str, tuple[object, ...]], where: str) -> dict[str, Any]:
    """Leave out what says nothing."""
    said = obj(source, where).items()
    return {name: value for name, value in said if not any(_same(value, one) for one in idle.get(camel(name), ()))}


def _same(value: object, idle: object) -> bool:
    return value == idle and isinstance(value, bool) == isinstance(idle, bool)


def _check_safety(settings: object) -> None:
    for setting in listed(settings, "'safetySettings'"):
        source = named(setting, frozenset({"category", "threshold", "method"}), "a safety setting")
        threshold = enum(source.get("threshold", 0), _THRESHOLDS, "'threshold'")
        need(threshold in _UNFILTERED, "a safety setting that asks for a filter has no counterpart")


def _check_thinking(config: object) -> None:
    """Thinking that is off, or as much as the model likes and unseen, is what a request without a word of it gets."""
    source = named(config or {}, frozenset({"includeThoughts", "thinkingBudget", "thinkingLevel"}), "'thinkingConfig'")
    level = source.get("thinkingLevel") in (None, "THINKING_LEVEL_UNSPECIFIED")
    idle = not source.get("includeThoughts") and source.get("thinkingBudget") in (None, 0, -1) and level
    need(idle, "'thinkingConfig' has no counterpart")


def _read_system(content: object) -> tuple[Text, ...]:
    source = named(content or {}, frozenset({"role", "parts"}), "'systemInstruction'")
    parts = [named(part, frozenset({"text"}), "'systemInstruction'") for part in listed(source.get("parts"), "'parts'")]
    return tuple(Text(said) for part in parts if (said := string(part.get("text") or "", "a text")))


def _read_tools(tools: object, strict: bool) -> tuple[Tool, ...]:
    found: list[Tool] = []
    for tool in listed(tools, "'tools'"):
        # Google's own tools (search, code execution …) are empty objects where nothing is chosen about them.
        known = all(
            camel(name) == "functionDeclarations" for name, value in obj(tool, "a tool").items() if value is not None
        )
        need(known, "a tool of the provider's own has no counterpart")
        source = named(tool, frozenset({"functionDeclarations"}), "a tool")
        found += [
            _read_tool(each, strict) for each in listed(source.get("functionDeclarations"), "'functionDeclarations'")
        ]
    return tuple(found)


def _read_tool(declaration: object, strict: bool) -> Tool:
    source = named(declaration, _FUNCTION, "a function")
    need(source.get("behavior") in (None, "UNSPECIFIED", "BLOCKING"), "'behavior' of a function has no counterpart")
    schema = _read_schema(source, "parameters", closed=strict) or {"type": "object", "properties": {}}
    description = string(source.get("description") or "", "a tool's 'description'")
    if (returned := _read_schema(source, "response", closed=False)) is not None:  # others can say it in words alone
        spelled = json.dumps(returned, separators=(",", ":"), ensure_ascii=False)
        description = f"{description}\n\nIt returns what fits this JSON schema: {spelled}".strip()
    return Tool(tool_name(source.get("name")), description, schema, strict)


def _read_schema(source: dict[str, Any], name: str, *, closed: bool) -> Mapping[str, Any] | None:
    """A schema of a function, in Google's words or as JSON Schema; None where there is none."""
    if f"{name}JsonSchema" not in source:
        return json_schema(source[name], closed=closed) if source.get(name) else None
    need(not source.get(name), f"'{name}' of a function is there in two schemas")
    return obj(source[f"{name}JsonSchema"], f"'{name}JsonSchema'")


def _read_choice(source: dict[str, Any]) -> tuple[ToolChoice, bool]:
    """The choice, and whether calls must fit their schemas."""
    config = named(source.get("toolConfig") or {}, frozenset({"functionCallingConfig"}), "'toolConfig'")
    calling = named(
        config.get("functionCallingConfig") or {}, frozenset({"mode", "allowedFunctionNames"}), "'toolConfig'"
    )
    mode = enum(calling.get("mode", 0), _MODES, "'mode'")
    allowed = [string(name, "'allowedFunctionNames'") for name in array(calling.get("allowedFunctionNames"), "a list")]
    tools = _read_tools(source.get("tools"), False)
    if allowed and set(allowed) != {tool.name for tool in tools}:
        need(mode == "ANY" and len(allowed) == 1, "a choice between some of the tools has no counterpart")
        return ToolChoice("named", allowed[0]), False
    match mode:
        case "MODE_UNSPECIFIED" | "AUTO" | "VALIDATED":
            return ToolChoice(), mode == "VALIDATED"
        case "ANY" if len(allowed) == 1:
            return ToolChoice("named", allowed[0]), False
        case "ANY":
            return ToolChoice("any"), False
        case "NONE":
            return ToolChoice("none"), False
    raise NotTranslatable("this 'mode' has no counterpart")


def _read_output(config: dict[str, Any]) -> Mapping[str, Any] | None:
    kind = string(config.get("responseMimeType") or "text/plain", "'responseMimeType'")
    schemas = [name for name in ("responseSchema", "responseJsonSchema", "_responseJsonSchema") if config.get(name)]
    need(len(schemas) <= 1, "the answer has two schemas")
    if kind == "text/plain":
        need(not schemas, "a schema for an answer in plain text has no counterpart")
        return None
    need(kind == JSON, "this 'responseMimeType' has no counterpart")
    if not schemas:
        return None
    if schemas[0] == "responseSchema":
        return json_schema(config["responseSchema"], closed=True)
    return obj(config[schemas[0]], "'responseJsonSchema'")


def write_request(conversation: Conversation) -> dict[str, Any]:
    """Write a request. Raises NotTranslatable.

    ``user`` stays behind: it is for the other provider's own watch, and Gemini has no place for it.
    """
    _check(conversation)
    body: dict[str, Any] = {"contents": write_turns(conversation.turns, conversation.model)}
    if conversation.system:
        body["systemInstruction"] = {"parts": [{"text": part.text} for part in conversation.system]}
    if conversation.tools:
        body["tools"] = [{"functionDeclarations": [_write_tool(tool) for tool in conversation.tools]}]
    if calling := _write_choice(conversation):
        body["toolConfig"] = {"functionCallingConfig": calling}
    config: dict[str, Any] = {
        "maxOutputTokens": conversation.max_tokens,
        "temperature": conversation.temperature,
        "topP": conversation.top_p,
        "topK": conversation.top_k,
        "seed": conversation.seed,
        "stopSequences": list(conversation.stop) or None,
        "responseMimeType": JSON if conversation.output_json or conversation.output_schema is not None else None,
        "responseJsonSchema": conversation.output_schema,
    }
    if said := {name: value for name, value in config.items() if value is not None}:
        body["generationConfig"] = said
    return body


def _check(conversation: Conversation) -> None:
    need(len(conversation.stop) <= STOPS_MAX, f"more than {STOPS_MAX} stop sequences have no counterpart")
    need(
        (conversation.temperature or 0) <= TEMPERATURE_MAX,
        f"a temperature above {TEMPERATURE_MAX:g} has no counterpart",
    )
    need(conversation.tool_choice.parallel, "a limit to one tool call at a time has no counterpart")
    both = bool(conversation.tools) and (conversation.output_json or conversation.output_schema is not None)
    need(
        not both or signs_calls(conversation.model), "tools and answers in JSON at once: no counterpart before Gemini 3"
    )


def _write_tool(tool: Tool) -> dict[str, Any]:
    written: dict[str, Any] = {"name": write_name(tool.name)}
    if tool.description:
        written["description"] = tool.description
    return written | {"parametersJsonSchema": tool.schema}


def _write_choice(conversation: Conversation) -> dict[str, Any]:
    """The mode. In ``ANY`` calls fit their schemas anyway; where a tool asks for it, ``VALIDATED`` says it for all."""
    choice = conversation.tool_choice
    if choice.kind == "named":
        return {"mode": "ANY", "allowedFunctionNames": [choice.name]}
    if choice.kind == "auto":
        return {"mode": "VALIDATED"} if any(tool.strict for tool in conversation.tools) else {}
    return {"mode": choice.kind.upper()}
