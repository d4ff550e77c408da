"""What a response's tools used beside the model's own tokens."""

from dataclasses import replace

from outwarden.wire.formats.usages import Raw, responses_usage
from outwarden.wire.formats.values import count, mapping, number, objects, text
from outwarden.wire.usage import Usage

# What draws where a response's tool names no model (developers.openai.com, image generation tool, read 2026-11).
_IMAGE_MODEL = "gpt-image-1"


def with_tools(usage: Usage | None, response: Raw) -> Usage | None:
    """Add what a response's tools used beside its own ``usage``: searches, and the tokens of a model that draws.

    ``tool_usage`` counts what is billed; where it is absent, each search among the items is.
    """
    if usage is None or not (response.get("tool_usage") or response.get("output")):
        return usage
    tools = mapping(response.get("tool_usage"))
    if not usage.web_searches:
        listed = sum(1 for item in objects(response.get("output")) if item.get("type") == "web_search_call")
        billed = mapping(tools.get("web_search")).get("num_requests")
        if searches := listed if number(billed) is None else count(billed):
            usage = replace(usage, web_searches=searches)
    files = sum(1 for item in objects(response.get("output")) if item.get("type") == "file_search_call")
    usage = usage.filled({"file_searches": files}) if files else usage
    drawn = responses_usage(mapping(tools.get("image_gen")))
    if drawn is None or not (drawn.input_tokens or drawn.output_tokens):
        return usage
    return replace(usage, others=(*usage.others, (_image_model(response), drawn)))


def _image_model(response: Raw) -> str:
    tools = objects(response.get("tools"))
    named = (text(tool.get("model")) for tool in tools if tool.get("type") == "image_generation")
    return next(filter(None, named), _IMAGE_MODEL)
