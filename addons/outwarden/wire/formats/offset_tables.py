"""Which records of each API hold offsets into a text, and of which text.

Units as the recordings show them: OpenAI and Cohere count code points, Google UTF-8 bytes ("Index indicates the start
of the segment, measured in bytes", its API reference), Bedrock's agents count to the last character. OpenAI's
``file_citation.index`` is a place in the text too, though its reference calls it an index of the file
(github.com/openai/openai-python/issues/2512).
"""

from collections.abc import Hashable, Mapping
from typing import Any

from outwarden.wire.formats.openai_events import output_text_channel
from outwarden.wire.formats.values import items, mapping, position, text
from outwarden.wire.json_places import Path
from outwarden.wire.offsets import EACH, UP, OffsetRule, Offsets

_GOOGLE_NAMES = (("startIndex", "endIndex"), ("start_index", "end_index"))


def _openai_channel(event: Any, owner: Path, record: Mapping[str, Any]) -> Hashable:
    if owner[:1] == ("choices",):
        place = owner[1] if len(owner) > 1 and isinstance(owner[1], int) else 0
        return (position(mapping(items(event.get("choices"))[place]), default=place), "content")
    if owner[:2] == ("delta", "content") and len(owner) > 2 and isinstance(owner[2], int):
        part = mapping(event["delta"]["content"][owner[2]])
        return (text(event.get("id")), "text", part.get("index"))
    return output_text_channel(event)


def _gemini_channel(event: Any, owner: Path, record: Mapping[str, Any]) -> Hashable:
    if owner[:1] != ("candidates",):  # the Interactions API
        return (position(event), "text")
    place = owner[1] if len(owner) > 1 and isinstance(owner[1], int) else 0
    return (position(mapping(items(event.get("candidates"))[place]), default=place), "text")


def _cohere_channel(event: Any, owner: Path, record: Mapping[str, Any]) -> Hashable:
    if isinstance(event.get("event_type"), str):
        return "text"
    return "plan" if record.get("type") == "PLAN" else ("content", position(record, "content_index"))


def _google(key: str, numbers: Path = (), copy: Path | None = None) -> OffsetRule:
    return OffsetRule(
        key,
        texts=((UP, "content", "parts", EACH, "text"),),
        numbers=(numbers,),
        names=_GOOGLE_NAMES,
        unit="utf-8",
        copy=copy,
        which=("partIndex", "part_index"),
        channel=_gemini_channel,
    )


def _openai(key: str, names: tuple[str, str], beside: str | None = None) -> OffsetRule:
    """Chat (`content`, numbers one level down), Responses (`text`), assistants (`value`, and a copy of the span)."""
    return OffsetRule(
        key,
        texts=(("text",), ("value",), ("content",), ("content", EACH, "text")),
        numbers=(("url_citation",), ("document_citation",), ("function_citation",), ()),
        names=(names,),
        copy=("text",),
        channel=_openai_channel,
        beside=beside,
    )


# `annotation` stands in response.output_text.annotation.added. A file citation of an assistant has another `index`, its
# own place in the list, and no `file_id` beside it.
OPENAI = Offsets(
    *(_openai(key, ("start_index", "end_index")) for key in ("annotations", "annotation")),
    *(_openai(key, ("index", "index"), "file_id") for key in ("annotations", "annotation")),
)
GEMINI = Offsets(
    *(_google(key, ("segment",), ("segment", "text")) for key in ("groundingSupports", "grounding_supports")),
    *(_google(key) for key in ("citationSources", "citation_sources", "citations")),
    OffsetRule("annotations", texts=(("text",),), unit="utf-8", channel=_gemini_channel),  # Interactions
)
COHERE = Offsets(
    OffsetRule(
        "citations",
        texts=(("text",), ("content",), ("content", EACH, "text"), ("content", EACH, "thinking"), ("tool_plan",)),
        names=(("start", "end"),),
        copy=("text",),
        which=("content_index",),
        channel=_cohere_channel,
    )
)
BEDROCK = Offsets(
    OffsetRule(  # RetrieveAndGenerate
        "citations",
        texts=(("output", "text"),),
        numbers=(("generatedResponsePart", "textResponsePart", "span"),),
        names=(("start", "end"),),
        copy=("generatedResponsePart", "textResponsePart", "text"),
        last_included=True,
    )
)
