"""A GenerateContentResponse, whole or one of a stream: its texts, what it used and which model it names."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from outwarden.wire.format import Delta, EventFacts
from outwarden.wire.formats import errors
from outwarden.wire.formats.gemini_live import either
from outwarden.wire.formats.rules import opaque_in
from outwarden.wire.formats.usages import any_usage, gemini_usage
from outwarden.wire.formats.values import count, items, mapping, objects, position, text
from outwarden.wire.usage import Usage

# Google bills a prompt that searched once, whatever its queries; from Gemini 3 on each query.
# https://ai.google.dev/gemini-api/docs/google-search#pricing, as quoted in September 2026.
_PER_PROMPT = ("gemini-1", "gemini-2")


def read_chunk(data: dict[str, Any]) -> EventFacts:
    """One GenerateContentResponse of a stream."""
    deltas: list[Delta] = []
    closes: list[Hashable] = []
    content = end = False
    for place, candidate in enumerate(objects(data.get("candidates"))):
        index = position(candidate, default=place)
        parts = list(objects(mapping(candidate.get("content")).get("parts")))
        finished = bool(candidate.get("finishReason", candidate.get("finish_reason")))
        found = list(_part_deltas(parts, index))
        deltas += found
        closes += _closes(parts, index, found, finished)
        closes += _finished_arguments(parts, index)
        content = content or any(map(_has_output, parts))
        end = end or finished
    error = errors.error_of(data)
    feedback = mapping(data.get("promptFeedback", data.get("prompt_feedback")))
    blocked = bool(feedback.get("blockReason", feedback.get("block_reason")))
    return EventFacts(
        deltas=deltas,
        closes="all" if error else closes,
        content=content,
        usage=usage_of(data),
        model=model_of(data),
        error=error,
        end=(end or blocked) and error is None,
    )


def model_of(source: Mapping[str, Any]) -> str | None:
    """The model that answered."""
    return text(source.get("modelVersion")) or text(source.get("model_version")) or text(source.get("model"))


def searches_together(model: str | None) -> bool:
    """Whether all searches of a prompt are billed as one."""
    return bool(model) and str(model).rpartition("/")[2].startswith(_PER_PROMPT)


def _searches(source: Mapping[str, Any]) -> int:
    """Searches that are billed, of the queries that grounded the answer: neither the same again nor empty ones."""
    queries: set[str] = set()
    for candidate in items(source.get("candidates")):
        if not isinstance(candidate, dict):
            continue
        grounding = candidate.get("groundingMetadata", candidate.get("grounding_metadata"))
        if isinstance(grounding, dict):
            queries.update(filter(text, items(grounding.get("webSearchQueries", grounding.get("web_search_queries")))))
    return min(len(queries), 1) if searches_together(model_of(source)) else len(queries)


def _embedding_usage(predictions: list[Any]) -> Usage | None:
    """Vertex's older embeddings count the tokens of each text apart."""
    statistics = [mapping(mapping(one.get("embeddings")).get("statistics")) for one in objects(predictions)]
    tokens = sum(count(one.get("token_count")) for one in statistics)
    return Usage(input_tokens=tokens, raw={"token_count": tokens}) if tokens else None


def _palm_usage(metadata: dict[str, Any]) -> Usage | None:
    """Vertex's older models (text-bison …) count tokens and characters."""
    counted = mapping(metadata.get("tokenMetadata"))
    sides = (mapping(counted.get(f"{side}TokenCount")).get("totalTokens") for side in ("input", "output"))
    inputs, outputs = map(count, sides)
    return Usage(input_tokens=inputs, output_tokens=outputs, raw=counted) if inputs or outputs else None


def usage_of(source: Mapping[str, Any]) -> Usage | None:
    """What a reply or a chunk used, so far."""
    raw = source.get("usageMetadata", source.get("usage_metadata"))
    usage = gemini_usage(raw) if isinstance(raw, dict) else any_usage(source.get("usage"))
    if usage is None and "totalTokens" in source:  # countTokens
        usage = Usage(input_tokens=count(source["totalTokens"]), raw=source)
    if usage is None and isinstance(source.get("predictions"), list):
        usage = _embedding_usage(source["predictions"]) or _palm_usage(mapping(source.get("metadata")))
    searches = _searches(source)
    return replace(usage, web_searches=searches) if usage is not None and searches else usage


def _part_deltas(parts: list[dict[str, Any]], candidate: int) -> Iterator[Delta]:
    """Text parts: thoughts and answer are two texts. A thought that carries its signature passes as it is.

    Each argument of a call that streams its arguments is a text of its own.
    """
    for part in parts:
        if text(part.get("text")) and "text" not in opaque_in(part):
            yield Delta(part, "text", (candidate, "thought" if part.get("thought") is True else "text"))
        heard = mapping(either(part, "audioTranscription"))
        if text(heard.get("text")):
            yield Delta(heard, "text", (candidate, "transcription"))
        for argument in _arguments(part):
            key = "stringValue" if "stringValue" in argument else "string_value"
            if text(argument.get(key)):
                yield Delta(argument, key, _argument_channel(argument, candidate))


def _arguments(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Pieces of a call's arguments (Vertex AI, ``streamFunctionCallArguments``)."""
    call = either(part, "functionCall")
    return objects(either(call, "partialArgs")) if isinstance(call, dict) else iter(())


def _argument_channel(argument: dict[str, Any], candidate: int) -> Hashable:
    return (candidate, "argument", text(either(argument, "jsonPath")))


def _finished_arguments(parts: list[dict[str, Any]], candidate: int) -> Iterator[Hashable]:
    """The arguments of which no other piece follows."""
    for argument in (argument for part in parts for argument in _arguments(part)):
        if either(argument, "willContinue") is not True:
            yield _argument_channel(argument, candidate)


_NO_OUTPUT = frozenset({"text", "thought", "thoughtSignature", "thought_signature", "partMetadata"})


def _has_output(part: dict[str, Any]) -> bool:
    return bool(text(part.get("text"))) or not part.keys() <= _NO_OUTPUT


def _closes(parts: list[dict[str, Any]], candidate: int, deltas: list[Delta], finished: bool) -> tuple[Hashable, ...]:
    """Thoughts end where the answer begins; both end at a tool call or at the finish."""
    both = ((candidate, "thought"), (candidate, "text"))
    if finished:
        return (*both, (candidate, "transcription"))
    here = {delta.channel for delta in deltas}.intersection(both)
    if not here and any(_has_output(part) for part in parts):
        return both
    return both[:1] if here == {both[1]} else ()
