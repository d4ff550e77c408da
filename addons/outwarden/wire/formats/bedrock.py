"""Amazon Bedrock's own API: the model stands in the path, usage in the body or in headers.

Streams of this API are AWS event streams (binary frames with checksums). They are not built: `unsupported` says so
before the call is sent. Bedrock's OpenAI and Anthropic endpoints stream as SSE and are those dialects' business.
"""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import unquote

from outwarden.wire.format import ErrorReply, Framing, Json, Operation, Refusal, RequestFacts, ResponseFacts
from outwarden.wire.formats import errors, facts
from outwarden.wire.formats.base import Dialect
from outwarden.wire.formats.offset_tables import BEDROCK
from outwarden.wire.formats.paths import path
from outwarden.wire.formats.rules import text_rules
from outwarden.wire.formats.usages import any_usage
from outwarden.wire.formats.values import count, mapping, number, objects, text
from outwarden.wire.usage import Usage

_MODEL = r"model/(?P<model>.+)"
_LIMITS = (
    "inferenceConfig.maxTokens",
    "inferenceConfig.max_new_tokens",
    "textGenerationConfig.maxTokenCount",
    "max_tokens",
    "max_tokens_to_sample",
    "max_gen_len",
    "max_completion_tokens",
    "maxTokens",
)
_TEXTS = ("messages", "system", "inputText", "inputImage", "images", "inputs", "taskType", "singleEmbeddingParams")
_INPUT_HEADER, _OUTPUT_HEADER = "x-amzn-bedrock-input-token-count", "x-amzn-bedrock-output-token-count"
# Exception names of the runtime API: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
# A budget is a quota and not a throttle: AWS's SDKs retry a ThrottlingException by themselves.
_EXCEPTIONS = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    413: "ValidationException",
    429: "ServiceQuotaExceededException",
    503: "ServiceUnavailableException",
}


class Bedrock(Dialect):
    """Converse, invoke, token counts, guardrails, agents and knowledge bases."""

    name = "bedrock"
    rules = text_rules(
        "input",
        "json",
        "inputSchema",
        "properties",
        "additionalModelRequestFields",
        "requestMetadata",
        offsets=BEDROCK,
    )
    paths = (
        path("converse", rf"{_MODEL}/converse", billed="POST"),
        path("converse", rf"{_MODEL}/converse-stream", billed="POST", stream=True),
        path("invoke", rf"{_MODEL}/invoke", billed="POST"),
        path("invoke", rf"{_MODEL}/invoke-with-(?:response|bidirectional)-stream", billed="POST", stream=True),
        path("count_tokens", rf"{_MODEL}/count-tokens"),
        path("async_invoke", r"async-invoke", billed="POST"),
        path("async_invoke", r"async-invoke/.+"),
        path("guardrail", r"guardrail/.+"),
        path("agent", r"agents/[^/]+/agentAliases/[^/]+/sessions/[^/]+/text", billed="POST", stream=True),
        path("retrieve", r"knowledgebases/[^/]+/retrieve"),
        path("retrieve_and_generate", r"retrieveAndGenerate", billed="POST"),
        path("retrieve_and_generate", r"retrieveAndGenerateStream", billed="POST", stream=True),
        path("rerank", r"rerank", billed="POST"),
    )

    def recognise(self, method: str, path: str) -> Operation | None:
        """The model id is percent-encoded in the path, and may be an ARN that ends with the model's name."""
        operation = super().recognise(method, path)
        if operation is None or operation.model is None:
            return operation
        return replace(operation, model=_model_name(operation.model))

    def framing(self, operation: Operation, content_type: str, path_query: str) -> Framing | None:
        """Never a framing that we can read: see `unsupported`."""
        return None

    def unsupported(self, operation: Operation, content_type: str) -> str | None:
        """Streams are refused before they are sent; and again should one come back."""
        if operation.stream and not content_type:
            return "Bedrock's event streams are not supported; use converse or invoke without streaming"
        return super().unsupported(operation, content_type)

    def read_request(self, operation: Operation, body: Json) -> RequestFacts:
        """Each model family on ``invoke`` spells its limit in its own way; Converse has one."""
        source = mapping(body)
        return facts.read(operation, source, limits=_LIMITS, choices=("num_generations", "numResults"), texts=_TEXTS)

    def read_reply(self, operation: Operation, body: Json, headers: Mapping[str, str]) -> ResponseFacts:
        """Usage from the body where it has one, else from the headers, else from the counts beside the text."""
        source = mapping(body)
        usage = any_usage(source.get("usage")) or _from_headers(headers) or _from_counts(source)
        kind = headers.get("x-amzn-errortype")
        failed = kind is not None or (isinstance(source.get("message"), str) and len(source) == 1)
        error = errors.error_kind({"type": kind, **source}) if failed else errors.error_of(source)
        return ResponseFacts(text(source.get("model")), usage, error)

    def refuse(self, refusal: Refusal, operation: Operation | None = None) -> ErrorReply:
        """AWS's shape: the exception's name in a header, the message in the body."""
        name = _EXCEPTIONS.get(refusal.status, "InternalServerException")
        return errors.reply(refusal, {"message": errors.coded(refusal)}, x_amzn_errortype=name)

    def refuse_event(self, operation: Operation, framing: Framing, refusal: Refusal) -> bytes:
        """For completeness of the interface: no reply of this API has one of these framings."""
        return errors.framed(framing, {"message": errors.coded(refusal)})


def _model_name(spelled: str) -> str:
    name = unquote(spelled)
    named = name.startswith("arn:") and (":inference-profile/" in name or ":foundation-model/" in name)
    return name.rsplit("/", 1)[-1] if named else name  # an application's own profile hides its model


def _from_headers(headers: Mapping[str, str]) -> Usage | None:
    """The counts that Bedrock sends with every invoke, also for models whose bodies have none."""
    raw = {name: headers.get(name) for name in (_INPUT_HEADER, _OUTPUT_HEADER)}
    if all(number(value) is None for value in raw.values()):
        return None
    return Usage(input_tokens=count(raw[_INPUT_HEADER]), output_tokens=count(raw[_OUTPUT_HEADER]), raw=raw)


def _from_counts(source: Mapping[str, object]) -> Usage | None:
    """Titan counts each result, Llama the whole; counting tokens and embedding gives an input alone."""
    usage = any_usage(source)
    written = sum(count(result.get("tokenCount")) for result in objects(source.get("results")))
    return replace(usage, output_tokens=usage.output_tokens + written) if usage is not None and written else usage
