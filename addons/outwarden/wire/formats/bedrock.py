"""Amazon's own APIs, Bedrock and SageMaker: the model stands in the path, usage in the body or in headers.

Streams of these APIs are AWS event streams (binary frames with checksums), whose events `bedrock_events` reads.
Bedrock's OpenAI and Anthropic endpoints stream as SSE and are those dialects' business.
"""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import unquote

from outwarden.wire.aws_events import exception_frame
from outwarden.wire.format import (
    ErrorReply,
    EventFacts,
    Framing,
    Json,
    Operation,
    Refusal,
    RequestFacts,
    ResponseFacts,
    TextRules,
)
from outwarden.wire.formats import bedrock_events, errors, facts
from outwarden.wire.formats.base import Dialect
from outwarden.wire.formats.bills import on_tier
from outwarden.wire.formats.offset_tables import BEDROCK
from outwarden.wire.formats.paths import path
from outwarden.wire.formats.rules import text_rules
from outwarden.wire.formats.usages import any_usage
from outwarden.wire.formats.values import count, mapping, number, objects, text
from outwarden.wire.usage import Usage

_MODEL = r"model/(?P<model>.+)"
# Names of what is kept in an account, as an id or an ARN with the account's number in it.
_IDS = (
    "modelArn",
    "modelId",
    "foundationModel",
    "knowledgeBaseId",
    "knowledgeBaseArn",
    "guardrailIdentifier",
    "guardrailId",
    "guardrailArn",
    "agentAliasArn",
    "agentCollaboratorAliasArn",
    "flowIdentifier",
    "flowAliasIdentifier",
    "sessionId",
    "sessionArn",
    "invocationId",
    "invocationArn",
    "executionArn",
    "executionRoleArn",
    "traceId",
    "clientRequestToken",
    "customerEncryptionKeyArn",
    "encryptionKeyArn",
    "kmsKeyArn",
    "policyVersionArn",
)
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
_CHOICES = ("n", "num_generations", "numResults", "imageGenerationConfig.numberOfImages")
# The same counts as in a stream's invocation metrics.
_HEADERS = {
    "inputTokenCount": "x-amzn-bedrock-input-token-count",
    "outputTokenCount": "x-amzn-bedrock-output-token-count",
    "cacheReadInputTokenCount": "x-amzn-bedrock-cache-read-input-token-count",
    "cacheWriteInputTokenCount": "x-amzn-bedrock-cache-write-input-token-count",
}
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
# Those that a stream may end with: API_runtime_ConverseStreamOutput.html, API_runtime_ResponseStream.html.
_STREAM_EXCEPTIONS = {
    400: "validationException",
    403: "validationException",
    413: "validationException",
    429: "throttlingException",
    502: "modelStreamErrorException",
    503: "serviceUnavailableException",
}


class Bedrock(Dialect):
    """Converse, invoke, token counts, guardrails, agents, flows and knowledge bases; SageMaker's endpoints."""

    name = "bedrock"
    elsewhere = frozenset({"converse", "invoke"})
    rules = text_rules(
        "input",
        "json",
        "inputSchema",
        "input_schema",
        "properties",
        "parameters",
        "additionalModelRequestFields",
        "additionalModelResponseFields",
        "requestMetadata",
        "modelInput",
        "jsonDocument",
        "sessionAttributes",
        "promptSessionAttributes",
        "sessionMetadata",
        "parentActionGroupSignatureParams",
        "operationRequest",
        "operationResponse",
        "metadata",
        "tags",
        ids=_IDS,
        offsets=BEDROCK,
    )
    paths = (
        path("converse", rf"{_MODEL}/converse", billed="POST"),
        path("converse", rf"{_MODEL}/converse-stream", billed="POST", stream=True),
        path("invoke", rf"{_MODEL}/invoke", billed="POST"),
        path("invoke", rf"{_MODEL}/invoke-with-response-stream", billed="POST", stream=True),
        path("invoke_bidirectional", rf"{_MODEL}/invoke-with-bidirectional-stream", billed="POST", stream=True),
        path("count_tokens", rf"{_MODEL}/count-tokens"),
        path("async_invoke", r"async-invoke", billed="POST"),
        path("async_invoke", r"async-invoke/.+"),
        path("guardrail", r"guardrail(?:-checks)?/.+"),
        path("agent", r"agents/[^/]+/agentAliases/[^/]+/sessions/[^/]+/text", billed="POST", stream=True),
        path("agent_memory", r"agents/[^/]+/agentAliases/[^/]+/memories"),
        path("agent", r"agents/[^/]+", billed="POST", only="POST", stream=True),  # defined in the call itself
        path("flow", r"flows/[^/]+/aliases/[^/]+", billed="POST", only="POST", stream=True),
        path("flow", r"flows/[^/]+/aliases/[^/]+/executions", billed="POST", keeps=True),
        path("flow", r"flows/[^/]+/(?:aliases/[^/]+/)?executions(?:/.*)?", keeps=True),
        path("sessions", r"sessions(?:/.*)?", keeps=True),
        path("optimize_prompt", r"optimize-prompt", billed="POST", stream=True),
        path("generate_query", r"generateQuery", billed="POST"),
        path("retrieve", r"agenticRetrieveStream", billed="POST", stream=True),
        path("retrieve", r"knowledgebases/[^/]+/.+"),
        path("administration", r"tags/.+"),
        path("retrieve_and_generate", r"retrieveAndGenerate", billed="POST"),
        path("retrieve_and_generate", r"retrieveAndGenerateStream", billed="POST", stream=True),
        path("rerank", r"rerank", billed="POST"),
        # SageMaker rents machines by the hour: a call costs nothing by itself.
        path("endpoint", r"endpoints/[^/]+/(?:async-)?invocations"),
        path("endpoint", r"endpoints/[^/]+/invocations-response-stream", stream=True),
    )

    def text_rules(self, operation: Operation) -> TextRules:
        """What goes in and out of a flow's nodes is any JSON; elsewhere a document is a file."""
        return _FLOW_RULES if operation.name == "flow" else self.rules

    def recognise(self, method: str, path: str) -> Operation | None:
        """The model id is percent-encoded in the path, and may be an ARN that ends with the model's name."""
        operation = super().recognise(method, path)
        if operation is None or operation.model is None:
            return operation
        return replace(operation, model=_model_name(operation.model))

    def framing(self, operation: Operation, content_type: str, path_query: str) -> Framing | None:
        """By the content type; a stream without one is framed as all streams of this API are."""
        if operation.stream and not content_type:
            return "aws-event-stream"
        return super().framing(operation, content_type, path_query)

    def unsupported(self, operation: Operation, content_type: str) -> str | None:
        """Speech to speech is a stream of signed frames in both directions."""
        if operation.name == "invoke_bidirectional":
            return "bidirectional streams are not supported; use converse or invoke"
        return None

    def read_request(self, operation: Operation, body: Json) -> RequestFacts:
        """Each model family on ``invoke`` spells its limit in its own way; Converse has one."""
        source = mapping(body)
        read = facts.read(operation, source, limits=_LIMITS, choices=_CHOICES, texts=_TEXTS)
        remote = operation.name in ("agent", "flow", "retrieve_and_generate")  # prompts and documents kept at AWS
        prompt = mapping(source.get("promptVariables"))  # the prompt itself is kept there, too
        return replace(read, unseen_input=read.unseen_input or remote or bool(prompt))

    def read_reply(self, operation: Operation, body: Json, headers: Mapping[str, str]) -> ResponseFacts:
        """Usage from the body where it has one, else from the headers, else from the counts beside the text."""
        source = mapping(body)
        usage = any_usage(source.get("usage")) or _from_headers(headers) or _from_counts(source)
        kind = headers.get("x-amzn-errortype")
        failed = kind is not None or (isinstance(source.get("message"), str) and len(source) == 1)
        error = errors.error_kind({"type": kind, **source}) if failed else errors.error_of(source)
        return ResponseFacts(text(source.get("model")), on_tier(usage, bedrock_events.tier_of(source)), error)

    def read_event(self, operation: Operation, name: str | None, data: Json) -> EventFacts:
        """By the frame's name, and on invoke by the shape of what it wraps."""
        return bedrock_events.read_event(operation, name, data)

    def refuse(self, refusal: Refusal, operation: Operation | None = None) -> ErrorReply:
        """AWS's shape: the exception's name in a header, the message in the body."""
        name = _EXCEPTIONS.get(refusal.status, "InternalServerException")
        return errors.reply(refusal, {"message": errors.coded(refusal)}, x_amzn_errortype=name)

    def refuse_event(self, operation: Operation, framing: Framing, refusal: Refusal) -> bytes:
        """An exception frame, on which AWS's SDKs raise."""
        body = {"message": errors.coded(refusal)}
        if framing != "aws-event-stream":
            return errors.framed(framing, body)
        return exception_frame(_STREAM_EXCEPTIONS.get(refusal.status, "internalServerException"), errors.encode(body))


_FLOW_RULES = text_rules(*Bedrock.rules.free, "document", ids=_IDS, offsets=BEDROCK)


def _model_name(spelled: str) -> str:
    name = unquote(spelled)
    named = name.startswith("arn:") and (":inference-profile/" in name or ":foundation-model/" in name)
    return name.rsplit("/", 1)[-1] if named else name  # an application's own profile hides its model


def _from_headers(headers: Mapping[str, str]) -> Usage | None:
    """The counts that Bedrock sends with every invoke, also for models whose bodies have none."""
    raw = {name: headers.get(_HEADERS[name]) for name in _HEADERS}
    if number(raw["inputTokenCount"]) is None and number(raw["outputTokenCount"]) is None:
        return None
    counted = any_usage({name: number(value) for name, value in raw.items()})
    return replace(counted, raw={_HEADERS[name]: value for name, value in raw.items()}) if counted else None


def _from_counts(source: Mapping[str, object]) -> Usage | None:
    """Titan counts each result, Llama the whole; counting tokens and embedding gives an input alone."""
    usage = any_usage(source)
    written = sum(count(result.get("tokenCount")) for result in objects(source.get("results")))
    return replace(usage, output_tokens=usage.output_tokens + written) if usage is not None and written else usage
