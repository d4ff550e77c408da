"""Google's Gemini API, on generativelanguage.googleapis.com and on Vertex AI; fields in camelCase or snake_case."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from outwarden.wire.format import (
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
from outwarden.wire.formats.bills import on_tier
from outwarden.wire.formats.gemini_chunk import model_of, read_chunk, usage_of
from outwarden.wire.formats.gemini_interactions import read_interaction
from outwarden.wire.formats.gemini_live import either, read_client_message, read_live_event
from outwarden.wire.formats.offset_tables import GEMINI
from outwarden.wire.formats.paths import path
from outwarden.wire.formats.rules import text_rules
from outwarden.wire.formats.units import asked_units
from outwarden.wire.formats.values import mapping, objects

_REST = r"(?:/.*)?"
_MODEL = r"(?:models|tunedModels|endpoints)/(?P<model>[^/:]+)"
_TEXTS = ("contents", "systemInstruction", "system_instruction", "content", "input", "instances", "requests", "request")
_GENERATES = ("generate_content", "code_assist")


def _spelled(*names: str) -> tuple[str, ...]:
    """Where a setting may stand: under either name of the configuration, also where a request is wrapped."""
    configurations = ("generationConfig", "generation_config", "request.generationConfig")
    return tuple(f"{configuration}.{name}" for configuration in configurations for name in names)


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
        # Code Assist (Gemini CLI and Antigravity, signed in with a Google account): the same, wrapped.
        path("code_assist", r"v1internal:generateContent", billed="POST"),
        path("code_assist", r"v1internal:streamGenerateContent", billed="POST", stream=True),
        path("count_tokens", r"v1internal:countTokens"),
        path("administration", r"v1internal(?::\w+|/.*)"),
        path("count_tokens", rf"{_MODEL}:(?:countTokens|computeTokens)"),
        path("embeddings", rf"{_MODEL}:(?:embedContent|batchEmbedContents|asyncBatchEmbedContent)", billed="POST"),
        path("generate_content", rf"{_MODEL}:(?:generateText|generateMessage|generateAnswer)", billed="POST"),  # PaLM
        path("embeddings", rf"{_MODEL}:(?:embedText|batchEmbedText)", billed="POST"),
        path("count_tokens", rf"{_MODEL}:(?:countTextTokens|countMessageTokens)"),
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
        if by_type is not None or not operation.stream or operation.name not in _GENERATES:
            return by_type
        asked = dict(parse_qsl(urlsplit(path_query).query))
        if asked.get("alt") == "sse" or media_type(content_type) != "application/json":
            return None
        return "json-array"

    def text_rules(self, operation: Operation) -> TextRules:
        """In what a batch or an operation returns, ``response`` is a whole reply, not what a function gave back."""
        return _RESULT_RULES if operation.name in ("batches", "operations", "code_assist") else self.rules

    def read_request(self, operation: Operation, body: Json) -> RequestFacts:
        """Limits stand in ``generationConfig``, and both spellings of every key are valid."""
        source = mapping(body)
        read = facts.read(
            operation,
            source,
            limits=(*_spelled("maxOutputTokens", "max_output_tokens"), "parameters.maxOutputTokens"),
            choices=_spelled("candidateCount", "candidate_count"),
            texts=_TEXTS,
        )
        inner = mapping(source.get("request")) or source
        tools = [key for tool in objects(inner.get("tools")) for key in tool]
        fetches = any("earch" in key or key in ("urlContext", "url_context") for key in tools)
        model = read.model.removeprefix("models/") if read.model else None
        if operation.name == "batches":
            requests = (either(one, "request") for one in _batched(source))
            parts = [self.read_request(Operation("generate_content"), request) for request in requests]
            return facts.of_batch(replace(read, model=model), parts, source)
        return replace(read, model=model, unseen_input=read.unseen_input or fetches, asks=asked_units(operation, body))

    def read_reply(self, operation: Operation, body: Json, headers: Mapping[str, str]) -> ResponseFacts:
        """One object; a reply to a stream that was read as a whole is a list of them."""
        if isinstance(body, list) and body and errors.error_of(body) is None:
            events = [self.read_event(operation, None, one) for one in body]
            usages = [event.usage for event in events if event.usage is not None]
            models = [event.model for event in events if event.model is not None]
            error = next((event.error for event in events if event.error), None)
            return ResponseFacts(models[0] if models else None, usages[-1] if usages else None, error)
        source = _unwrapped(operation, mapping(body))
        return ResponseFacts(model_of(source), on_tier(usage_of(source), source), errors.error_of(body))

    def read_event(self, operation: Operation, name: str | None, data: Json) -> EventFacts:
        """One GenerateContentResponse, or one event of the Interactions API."""
        if data == "[DONE]":
            return EventFacts(closes="all", end=True)
        if not isinstance(data, dict):
            return EventFacts(error=errors.error_of(data))
        if operation.name == "live":
            return read_live_event(data)
        if operation.name == "code_assist":
            data = data if errors.error_of(data) else _unwrapped(operation, data)
        if isinstance(data.get("event_type"), str):
            return read_interaction(data["event_type"], data)
        return read_chunk(data)

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


def _batched(source: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The requests of a batch that stand in it."""
    given = mapping(either(mapping(source.get("batch")), "inputConfig"))
    return objects(mapping(given.get("requests")).get("requests"))


def _unwrapped(operation: Operation, source: dict[str, Any]) -> dict[str, Any]:
    """A reply of Code Assist stands one level down."""
    return mapping(source.get("response")) if operation.name == "code_assist" else source
