"""Any other API: known shapes are read as such, wherever they stand; of the rest the usual words are understood."""

import re
from collections.abc import Mapping
from dataclasses import replace

from outwarden.wire.format import EventFacts, Json, Operation, RequestFacts, ResponseFacts
from outwarden.wire.formats import errors, facts
from outwarden.wire.formats.base import Dialect
from outwarden.wire.formats.offset_tables import OPENAI
from outwarden.wire.formats.openai import OpenAI
from outwarden.wire.formats.rules import text_rules
from outwarden.wire.formats.unknown import MODEL_KEYS, model_in, unknown_pieces, usage_in
from outwarden.wire.formats.values import mapping, text

_LIMITS = (
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens",
    "maximum_tokens",
    "max_new_tokens",
    "max_length",
    "maxTokens",
    "parameters.max_new_tokens",
    "parameters.max_tokens",
    "parameters.max_length",
    "input.max_new_tokens",
    "input.max_tokens",
    "generationConfig.maxOutputTokens",
    "options.num_predict",
)
_CHOICES = ("n", "best_of", "candidateCount", "num_generations", "num_return_sequences")
_TEXTS = ("messages", "input", "inputs", "prompt", "contents", "content", "data")
_MODEL_KEYS = (*MODEL_KEYS, "deployment", "version")
_MODEL_IN_PATH = re.compile(
    r"/(?:models?|deployments|endpoints)/([^:]+?)(?:/predictions|/invocations|/versions/.*|/(?:text|time_series)/.*|:.*)?/?$"
)


class Generic(Dialect):
    """Whatever a host sends: every POST is billed and every string is text."""

    name = "generic"
    rules = text_rules(offsets=OPENAI)

    def identify(self, method: str, path: str) -> Operation:
        """Every path is known: the rules chose this format for a host that nobody described."""
        match = _MODEL_IN_PATH.search(path)
        model = match.group(1) if match is not None else None
        return Operation("generic", billable=method.upper() == "POST", model=model, dialect=self.name)

    def read_request(self, operation: Operation, body: Json) -> RequestFacts:
        """The body's model beats the path's; every known spelling of a limit counts."""
        source = mapping(body)
        read = facts.read(operation, source, limits=_LIMITS, choices=_CHOICES, texts=_TEXTS)
        named = next((name for key in _MODEL_KEYS if (name := text(source.get(key)))), None)
        return replace(
            read,
            model=named or operation.model,
            choices=read.choices * facts.prompts(source.get("prompt")),
        )

    def read_reply(self, operation: Operation, body: Json, headers: Mapping[str, str]) -> ResponseFacts:
        """Model and usage at the top, or one level down."""
        return ResponseFacts(model_in(body), usage_in(body), errors.error_of(body))

    def read_event(self, operation: Operation, name: str | None, data: Json) -> EventFacts:
        """Known shapes first. Nobody knows how an unknown stream ends, so any of its events may be the last."""
        if data == "[DONE]":
            return EventFacts(closes="all", end=True)
        if not isinstance(data, dict):
            return EventFacts(content=bool(data), end=True)
        if isinstance(data.get("choices"), list) or str(data.get("type")).startswith("response."):
            return _openai.read_event(operation, name, data)
        deltas = unknown_pieces(data)
        ends = data.get("done") is True or bool(data.get("finish_reason") or data.get("stop_reason"))
        error = errors.error_of(data) or ("error" if name == "error" else None)
        return EventFacts(
            deltas=deltas,
            closes="all" if ends or error else (),
            content=bool(deltas),
            usage=usage_in(data),
            model=model_in(data),
            error=error,
            end=error is None,
        )


_openai = OpenAI()
