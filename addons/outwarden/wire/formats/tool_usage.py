"""What a response's tools used beside the model's own tokens."""

from dataclasses import replace

from outwarden.wire.formats.usages import Raw, any_usage, responses_usage
from outwarden.wire.formats.values import count, mapping, number, objects, text
from outwarden.wire.usage import COUNTS, Usage

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


def with_breakdown(usage: Usage | None, reply: Raw) -> Usage | None:
    """Charge the models that a system of several used (Groq's ``compound``) each at its own price; ``usage`` is their
    sum.
    """
    source = mapping(reply.get("usage_breakdown")) or mapping(mapping(reply.get("x_groq")).get("usage_breakdown"))
    rows = ((text(row.get("model")), any_usage(row.get("usage"))) for row in objects(source.get("models")))
    others = tuple((model, used) for model, used in rows if model and used)
    if usage is None or not others:
        return usage
    of_others = {name: sum(getattr(used, name) for _, used in others) for name in COUNTS}
    own = {name: max(getattr(usage, name) - used, 0) for name, used in of_others.items()}
    return replace(usage, **own, others=(*usage.others, *others))


def _image_model(response: Raw) -> str:
    tools = objects(response.get("tools"))
    named = (text(tool.get("model")) for tool in tools if tool.get("type") == "image_generation")
    return next(filter(None, named), _IMAGE_MODEL)
