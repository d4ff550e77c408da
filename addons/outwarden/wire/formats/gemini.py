"""Google's Gemini API, on generativelanguage.googleapis.com and on Vertex AI; fields in camelCase or snake_case."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from outwarden.wire.format import (
    Delta,
    ErrorReply,
    EventFacts,
    Framing,
    Json,
    MessageFacts,
    Operation,
    Refusal,
    RequestFacts,
    ResponseFacts,
    TextRules,
)
from outwarden.wire.formats import errors, facts
from outwarden.wire.formats.base import Dialect, media_type
from outwarden.wire.formats.gemini_interactions import read_interaction
from outwarden.wire.formats.gemini_live import either, read_client_message, read_live_event
from outwarden.wire.formats.offset_tables import GEMINI
from outwarden.wire.formats.paths import path
from outwarden.wire.formats.rules import opaque_in, text_rules
from outwarden.wire.formats.units import asked_units
from outwarden.wire.formats.usages import any_usage, gemini_usage
from outwarden.wire.formats.values import count, items, mapping, objects, position, text
from outwarden.wire.usage import Usage

_REST = r"(?:/.*)?"
_MODEL = r"(?:models|tunedModels|endpoints)/(?P<model>[^/:]+)"
_TEXTS = ("contents", "systemInstruction", "system_instruction", "content", "input", "instances", "requests")


# Where the caller's own data, or a schema of theirs, stands; both spellings of a key are valid.
_FREE = (
    "args",
    "parameters",
    "parametersJsonSchema",
    "parameters_json_schema",
    "responseSchema",
    "response_schema",
    "responseJsonSchema",
    "response_json_schema",
    "schema",
    "properties",
    "labels",
    "arguments",
    "partMetadata",
    "part_metadata",
    "customMetadata",
    "custom_metadata",
    "criteria",
    "legend",
    "userMetadata",
    "user_metadata",
    "references",
)
# Full names of what is kept in a project. Its number is in them.
_IDS = (
    "parent",
    "ragCorpus",
    "rag_corpus",
    "datastore",
    "dataStore",
    "data_store",
    "engine",
    "endpoint",
    "baseModel",
    "base_model",
    "tunedModelName",
    "tuned_model_name",
    "pipelineJob",
    "pipeline_job",
    "experiment",
    "kmsKeyName",
    "kms_key_name",
    "resourceName",
    "resource_name",
)


class Gemini(Dialect):
    """generateContent and its stream, token counts, embeddings, caches, files, batches, Interactions."""

    name = "gemini"
    elsewhere = frozenset(
        {"generate_content", "count_tokens", "embeddings", "predict", "live", "interactions", "caches", "batches"}
    )
    rules = text_rules(*_FREE, "response", ids=_IDS, offsets=GEMINI)
    paths = (
        path("generate_content", rf"{_MODEL}:generateContent", billed="POST"),
        path("generate_content", rf"{_MODEL}:streamGenerateContent", billed="POST", stream=True),
        path("count_tokens", rf"{_MODEL}:(?:countTokens|computeTokens)"),
        path("embeddings", rf"{_MODEL}:(?:embedContent|batchEmbedContents|asyncBatchEmbedContent)", billed="POST"),
        path("batches", rf"{_MODEL}:batchGenerateContent", billed="POST", keeps=True),
        path("predict", rf"{_MODEL}:(?:predict|predictLongRunning)", billed="POST"),
        path("predict", rf"publishers/google/{_MODEL}:rawPredict", billed="POST"),
        path(
            "predict",
            rf"publishers/google/{_MODEL}:(?:streamRawPredict|serverStreamingPredict)",
            billed="POST",
            stream=True,
        ),
        path("live", r"ws/google\.(?:\w+\.)*\w+Service[./]BidiGenerateContent(?:Constrained)?", billed="GET"),
        path("interactions", r"interactions", billed="POST", keeps=True),
        path("interactions", r"interactions/.+", keeps=True),
        path("caches", r"cachedContents", billed="POST", keeps=True),
        path("caches", r"cachedContents/[^/]+", keeps=True),
        path("files", r"files(?:[/:].*)?", keeps=True),
        path("file_search", rf"fileSearchStores{_REST}", keeps=True),
        path("file_search", r"(?:fileSearchStores|ragStores|corpora)/[^/]+(?:[:/].*)?", keeps=True),
        path("batches", r"batchPredictionJobs", billed="POST", keeps=True),
        path("batches", rf"(?:batches|batchPredictionJobs){_REST}", keeps=True),
        path("operations", rf"operations{_REST}|{_MODEL}:fetchPredictOperation", keeps=True),
        path("auth_tokens", r"(?:auth_tokens|authTokens)"),  # for Live sessions; the body holds the session's prompt
        path("fine_tuning", r"(?:tuningJobs|tunedModels)", billed="POST", keeps=True),
        path("fine_tuning", r"tuningJobs(?:[/:].*)?", keeps=True),
        path("decisions", r"decisions", billed="POST"),
        path("agents", r"triggers/[^/]+/executions", billed="POST", keeps=True),
        path("agents", rf"(?:agents|environments|triggers|reasoningEngines){_REST}", keeps=True),
        path("administration", rf"(?:credentials|voices|webhooks){_REST}"),
        path("models", r"(?:models|tunedModels)(?:/[^/:]+)?", only="GET HEAD OPTIONS DELETE PATCH"),
    )

    def framing(self, operation: Operation, content_type: str, path_query: str) -> Framing | None:
        """Without ``alt=sse`` streamGenerateContent answers with a JSON array that arrives piece by piece."""
        by_type = super().framing(operation, content_type, path_query)
        if by_type is not None or not operation.stream or operation.name != "generate_content":
            return by_type
        asked = dict(parse_qsl(urlsplit(path_query).query))
        if asked.get("alt") == "sse" or media_type(content_type) != "application/json":
            return None
        return "json-array"

    def text_rules(self, operation: Operation) -> TextRules:
        """In what a batch or an operation returns, ``response`` is a whole reply, not what a function gave back."""
        return _RESULT_RULES if operation.name in ("batches", "operations") else self.rules

    def read_request(self, operation: Operation, body: Json) -> RequestFacts:
        """Limits stand in ``generationConfig``, and both spellings of every key are valid."""
        source = mapping(body)
        read = facts.read(
            operation,
            source,
            limits=(
                "generationConfig.maxOutputTokens",
                "generationConfig.max_output_tokens",
                "generation_config.maxOutputTokens",
                "generation_config.max_output_tokens",
                "parameters.maxOutputTokens",
            ),
            choices=(
                "generationConfig.candidateCount",
                "generationConfig.candidate_count",
                "generation_config.candidateCount",
                "generation_config.candidate_count",
            ),
            texts=_TEXTS,
        )
        tools = [key for tool in objects(source.get("tools")) for key in tool]
        fetches = any("earch" in key or key in ("urlContext", "url_context") for key in tools)
        model = read.model.removeprefix("models/") if read.model else None
        return replace(read, model=model, unseen_input=read.unseen_input or fetches, asks=asked_units(operation, body))

    def read_reply(self, operation: Operation, body: Json, headers: Mapping[str, str]) -> ResponseFacts:
        """One object; a reply to a stream that was read as a whole is a list of them."""
        if isinstance(body, list) and body and errors.error_of(body) is None:
            events = [self.read_event(operation, None, one) for one in body]
            usages = [event.usage for event in events if event.usage is not None]
            models = [event.model for event in events if event.model is not None]
            error = next((event.error for event in events if event.error), None)
            return ResponseFacts(models[0] if models else None, usages[-1] if usages else None, error)
        source = mapping(body)
        return ResponseFacts(_model(source), _usage(source), errors.error_of(body))

    def read_event(self, operation: Operation, name: str | None, data: Json) -> EventFacts:
        """One GenerateContentResponse, or one event of the Interactions API."""
        if data == "[DONE]":
            return EventFacts(closes="all", end=True)
        if not isinstance(data, dict):
            return EventFacts(error=errors.error_of(data))
        if operation.name == "live":
            return read_live_event(data)
        if isinstance(data.get("event_type"), str):
            return read_interaction(data["event_type"], data)
        return _read_chunk(data)

    def talks(self, operation: Operation) -> bool:
        """The Live API."""
        return operation.name == "live"

    def read_message(self, operation: Operation, message: Json) -> MessageFacts:
        """See `gemini_live`."""
        return read_client_message(mapping(message))

    def refuse_message(self, operation: Operation, refusal: Refusal, message: Json) -> bytes | None:
        """The Live API has no error message: Google closes the connection with a reason."""
        return None

    def refuse(self, refusal: Refusal, operation: Operation | None = None) -> ErrorReply:
        """``{"error": {"code", "message", "status", "details"}}``."""
        return errors.reply(refusal, errors.google_error(refusal))

    def refuse_event(self, operation: Operation, framing: Framing, refusal: Refusal) -> bytes:
        """The same body as a chunk: Google's SDKs raise on one that begins with ``error``."""
        return errors.framed(framing, errors.google_error(refusal))


_RESULT_RULES = text_rules(*_FREE, "functionResponse", "function_response", ids=_IDS, offsets=GEMINI)


def _model(source: Mapping[str, Any]) -> str | None:
    return text(source.get("modelVersion")) or text(source.get("model_version")) or text(source.get("model"))


def _searches(source: Mapping[str, Any]) -> int:
    """Search queries that grounded the answer; each is billed."""
    queries = 0
    for candidate in items(source.get("candidates")):
        if not isinstance(candidate, dict):
            continue
        grounding = candidate.get("groundingMetadata", candidate.get("grounding_metadata"))
        if isinstance(grounding, dict):
            queries += len(items(grounding.get("webSearchQueries", grounding.get("web_search_queries"))))
    return queries


def _embedding_usage(predictions: list[Any]) -> Usage | None:
    """Vertex's older embeddings count the tokens of each text apart."""
    statistics = [mapping(mapping(one.get("embeddings")).get("statistics")) for one in objects(predictions)]
    tokens = sum(count(one.get("token_count")) for one in statistics)
    return Usage(input_tokens=tokens, raw={"token_count": tokens}) if tokens else None


def _usage(source: Mapping[str, Any]) -> Usage | None:
    raw = source.get("usageMetadata", source.get("usage_metadata"))
    usage = gemini_usage(raw) if isinstance(raw, dict) else any_usage(source.get("usage"))
    if usage is None and "totalTokens" in source:  # countTokens
        usage = Usage(input_tokens=count(source["totalTokens"]), raw=source)
    if usage is None and isinstance(source.get("predictions"), list):
        usage = _embedding_usage(source["predictions"])
    searches = _searches(source)
    return replace(usage, web_searches=searches) if usage is not None and searches else usage


def _part_deltas(parts: list[dict[str, Any]], candidate: int) -> Iterator[Delta]:
    """Text parts: thoughts and answer are two texts. A thought that carries its signature passes as it is.

    Each argument of a call that streams its arguments is a text of its own.
    """
    for part in parts:
        if text(part.get("text")) and "text" not in opaque_in(part):
            yield Delta(part, "text", (candidate, "thought" if part.get("thought") is True else "text"))
        for argument in _arguments(part):
            key = "stringValue" if "stringValue" in argument else "string_value"
            if text(argument.get(key)):
                yield Delta(argument, key, _argument_channel(argument, candidate))


def _arguments(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Pieces of a call's arguments (Vertex AI, ``streamFunctionCallArguments``)."""
    return objects(either(mapping(either(part, "functionCall")), "partialArgs"))


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
        return both
    here = {delta.channel for delta in deltas}.intersection(both)
    if not here and any(_has_output(part) for part in parts):
        return both
    return both[:1] if here == {both[1]} else ()


def _read_chunk(data: dict[str, Any]) -> EventFacts:
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
        usage=_usage(data),
        model=_model(data),
        error=error,
        end=(end or blocked) and error is None,
    )
