"""OpenAI's API and everything built like it: Azure, OpenRouter, Groq, xAI, DeepSeek, Mistral, vLLM, z.ai …"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from outwarden.wire.format import (
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
from outwarden.wire.formats.base import Dialect
from outwarden.wire.formats.bills import on_tier
from outwarden.wire.formats.cohere import Cohere
from outwarden.wire.formats.offset_tables import OPENAI
from outwarden.wire.formats.openai_chat import read_chat_event
from outwarden.wire.formats.openai_events import read_other_event, read_responses_event
from outwarden.wire.formats.openai_paths import ELSEWHERE, MISTRAL_PATHS, PATHS
from outwarden.wire.formats.paths import Path
from outwarden.wire.formats.realtime import read_client_message, read_realtime_event
from outwarden.wire.formats.rules import text_rules
from outwarden.wire.formats.tool_usage import with_breakdown, with_tools
from outwarden.wire.formats.units import asked_units, reply_units, with_units
from outwarden.wire.formats.unknown import model_in, usage_in
from outwarden.wire.formats.usages import any_usage
from outwarden.wire.formats.values import mapping, objects, text

_LIMITS = (
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens",
    "completion_args.max_tokens",
    "parameters.max_tokens",
)
_TEXTS = ("messages", "input", "inputs", "prompt", "image", "document")


class OpenAI(Dialect):
    """Chat completions, completions, responses, embeddings, media, files, assistants and the rest of ``/v1``."""

    name = "openai"
    elsewhere = ELSEWHERE
    rules = text_rules(
        "arguments",
        "parameters",
        "properties",
        "schema",
        "input_schema",
        "output_schema",
        "metadata",
        "request_metadata",
        "attributes",
        "variables",
        "state_variables",
        "documents",
        offsets=OPENAI,
    )
    paths: Sequence[Path] = PATHS

    def text_rules(self, operation: Operation) -> TextRules:
        """Evaluations and decisions carry records of the caller's own under keys that mean something else elsewhere."""
        return _RECORD_RULES if operation.name in _RECORDS else self.rules

    def read_request(self, operation: Operation, body: Json) -> RequestFacts:
        """Chat, completions and Responses spell the same things differently; media and files are looked for in all."""
        source = mapping(body)
        read = facts.read(operation, source, limits=_LIMITS, choices=("n", "best_of"), texts=_TEXTS)
        read = replace(
            read,
            choices=read.choices * facts.prompts(source.get("prompt")),
            asks=asked_units(operation, body),
        )
        if operation.name in ("batches", "fine_tuning"):
            bodies = (one.get("body") for one in objects(source.get("requests")))  # Mistral's, which may stand in it
            return facts.of_batch(read, [self.read_request(Operation("chat"), body) for body in bodies], source)
        if operation.name in ("chat", "completions") and read.stream:
            asked = mapping(source.get("stream_options")).get("include_usage") is True
            return replace(read, wants_usage=asked)
        if operation.name == "realtime" and read.model is None:
            return replace(read, model=text(mapping(source.get("session")).get("model")))
        return read

    def read_reply(self, operation: Operation, body: Json, headers: Mapping[str, str]) -> ResponseFacts:
        """Usage stands at the top, in ``x_groq`` or, for a background response, not yet."""
        source = mapping(body)
        usage = with_tools(any_usage(source.get("usage")), source)
        usage = usage or any_usage(mapping(source.get("x_groq")).get("usage")) or any_usage(source.get("meta"))
        if usage is None and operation.name in _OF_MANY_KINDS:
            usage = usage_in(body)
        usage = with_units(with_breakdown(usage, source), reply_units(operation, body))
        model = model_in(body) if operation.name in _OF_MANY_KINDS else text(source.get("model"))
        return ResponseFacts(model, on_tier(usage, source), errors.error_of(body))

    def read_event(self, operation: Operation, name: str | None, data: Json) -> EventFacts:
        """Told apart by shape, because gateways mix names and paths."""
        if data == "[DONE]":
            return EventFacts(closes="all", end=True)
        if not isinstance(data, dict):
            return EventFacts()
        kind = text(data.get("type")) or ""
        if isinstance(data.get("choices"), list):
            return read_chat_event(data)
        if operation.name == "realtime":
            return read_realtime_event(data)
        if operation.name == "chat" and ("-" in kind or isinstance(data.get("event_type"), str)):
            return _cohere.read_event(operation, name, data)  # behind a gateway, whose path tells no more
        if kind.startswith("response.") or kind in ("error", "keepalive"):
            return _searched(read_responses_event(data), data)
        return read_other_event(operation, name, data)

    def talks(self, operation: Operation) -> bool:
        """Realtime, and Responses over a WebSocket, as Codex speaks it."""
        return operation.name in ("realtime", "responses")

    def read_message(self, operation: Operation, message: Json) -> MessageFacts:
        """Responses: ``response.create`` is a request's body with a type; Realtime: see `realtime`."""
        source = mapping(message)
        if operation.name == "realtime":
            return read_client_message(source)
        if source.get("type") in ("response.inject", "response.steer"):  # more input for the response at work
            return MessageFacts(begins="now", joins="any")
        if source.get("type") not in ("response.create", "response.append"):
            return MessageFacts()
        return MessageFacts(begins="now", request=self.read_request(operation, message))

    def refuse_event(self, operation: Operation, framing: Framing, refusal: Refusal) -> bytes:
        """Chat: an ``error`` chunk and no ``[DONE]``, which would look like a good end. Responses: ``error``, on which
        the SDKs raise, then ``response.failed``, which clients without an SDK (Codex) wait for.
        """
        error = errors.openai_error(refusal)
        if operation.name not in ("responses", "responses_stored"):  # the latter: one that is read again
            return errors.framed(framing, {"error": error}, "error" if operation.name == "runs" else None)
        flat = {"type": "error", "code": refusal.code, "message": error["message"], "param": None, "error": error}
        failed = {
            "type": "response.failed",
            "response": {
                "object": "response",
                "status": "failed",
                "error": {"code": refusal.code, "message": error["message"]},
                "output": [],
            },
        }
        return errors.framed(framing, flat, "error") + errors.framed(framing, failed, "response.failed")


_cohere = Cohere()
# Paths that servers of other kinds have too; they tell model and usage in their own way.
_OF_MANY_KINDS = frozenset({"embeddings", "generate", "rerank"})
_RECORDS = frozenset({"decisions", "evals", "fine_tuning", "graders"})
_RECORD_KEYS = ("item", "item_schema", "datasource_item", "sample", "data", "state", "criteria", "legend")
_RECORD_RULES = text_rules(*OpenAI.rules.free, *_RECORD_KEYS, offsets=OPENAI)


class Mistral(OpenAI):
    """OpenAI's API with Mistral's conversations."""

    name = "mistral"
    paths = (*MISTRAL_PATHS, *PATHS)

    def read_request(self, operation: Operation, body: Json) -> RequestFacts:
        """A conversation's earlier entries, and an agent's instructions, are kept at the provider."""
        read = super().read_request(operation, body)
        return replace(read, unseen_input=True) if operation.name == "conversation_runs" else read


def _searched(event: EventFacts, data: Mapping[str, object]) -> EventFacts:
    usage = with_tools(event.usage, mapping(data.get("response")))
    return event if usage is event.usage else replace(event, usage=usage)
