"""A refusal is the provider's own error, so that the real SDKs raise their own exception, show it, and do not retry."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors as google_errors
from google.genai import types as google_types

from outwarden.wire.format import Framing, Refusal
from outwarden.wire.formats import FORMAT_NAMES, format_named

BUDGET = Refusal(429, "budget_exceeded", "Budget 'key-day' is used up: $0.00 of $5.00 is left.", 3600)
PERSONAL = Refusal(403, "pii_refused", "The rule for CREDIT_CARD refuses this call.")
BROKEN = Refusal(502, "outwarden_error", "The call could not be read.")


@pytest.mark.parametrize("refusal", [BUDGET, PERSONAL, BROKEN, Refusal(418, "x_code", 'Words with ü and "quotes".')])
@pytest.mark.parametrize("name", sorted(FORMAT_NAMES))
def test_body(name: str, refusal: Refusal) -> None:
    """JSON with our code and message in it; headers that stop retries and say when to come back."""
    reply = format_named(name).refuse(refusal)

    shown = json.dumps(json.loads(reply.body), ensure_ascii=False)
    assert refusal.code in shown.lower()
    assert json.dumps(refusal.message, ensure_ascii=False)[1:-1] in shown
    assert reply.status == refusal.status
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-should-retry"] == "false"
    assert reply.headers.get("retry-after") == (str(refusal.retry_after_s) if refusal.retry_after_s else None)


@pytest.mark.parametrize(
    ("name", "refusal", "expected"),
    [
        ("openai", BUDGET, {"error": {"type": "insufficient_quota", "param": None, "code": "budget_exceeded"}}),
        ("openai", PERSONAL, {"error": {"type": "permission_error", "code": "pii_refused"}}),
        ("anthropic", BUDGET, {"type": "error", "error": {"type": "rate_limit_error"}}),
        ("anthropic", BROKEN, {"type": "error", "error": {"type": "api_error"}}),
        ("gemini", BUDGET, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}),
        ("gemini", PERSONAL, {"error": {"code": 403, "status": "PERMISSION_DENIED"}}),
    ],
)
def test_shape(name: str, refusal: Refusal, expected: dict[str, Any]) -> None:
    """The provider's own names."""
    body = json.loads(format_named(name).refuse(refusal).body)

    for key, value in expected.items():
        assert (body[key] | value == body[key]) if isinstance(value, dict) else body[key] == value


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (
            {"id": "1", "choices": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}},
            "quota",
        ),
        ({"id": "1", "choices": [], "base_resp": {"status_code": 0, "status_msg": ""}}, None),  # MiniMax
        ({"error_code": 18, "error_msg": "Open api qps request limit reached"}, "rate_limit"),  # Baidu
        ({"error_code": 18}, None),
        ({"Response": {"Error": {"Code": "RequestLimitExceeded", "Message": "x"}}}, "rate_limit"),  # Tencent
        ({"Response": {"Choices": []}}, None),
        ({"error": {"code": "Arrearage", "message": "x"}}, "quota"),  # Alibaba
        ({"error": {"code": "InvalidApiKey", "message": "x"}}, "authentication"),
    ],
)
@pytest.mark.parametrize("name", ["openai", "generic"])
def test_an_error_with_a_good_status_is_read(name: str, body: dict[str, Any], kind: str | None) -> None:
    """By a number or an object of the provider's own; never where all is well."""
    format_ = format_named(name)

    assert format_.read_reply(format_.identify("POST", "/v1/chat/completions"), body, {}).error == kind


def test_shape_follows_the_operation() -> None:
    """A Messages call on a host of OpenAI's format is refused in Anthropic's shape."""
    format_ = format_named("openai")
    operation = format_.identify("POST", "/anthropic/v1/messages")

    assert json.loads(format_.refuse(BUDGET, operation).body)["type"] == "error"
    assert "type" not in json.loads(format_.refuse(BUDGET).body)
    assert format_named("bedrock").refuse(BUDGET).headers["x-amzn-errortype"] == "ServiceQuotaExceededException"


class Upstream:
    """A server on this machine that answers every request the same way and counts them."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.calls = 0
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                upstream.calls += 1
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(status)
                for name, value in (dict(headers) | {"content-length": str(len(body))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Tests print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


Serve = Callable[[int, Mapping[str, str], bytes], Upstream]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start upstreams that are gone after the test."""
    with ExitStack() as stack:

        def start(status: int, headers: Mapping[str, str], body: bytes) -> Upstream:
            upstream = Upstream(status, headers, body)
            stack.callback(upstream.close)
            return upstream

        yield start


def refusing(serve: Serve, name: str, refusal: Refusal) -> Upstream:
    reply = format_named(name).refuse(refusal)
    return serve(reply.status, reply.headers, reply.body)


def streaming(serve: Serve, name: str, path: str, first: bytes) -> Upstream:
    """A stream that begins with ``first`` and is then refused."""
    format_ = format_named(name)
    event = format_.refuse_event(format_.identify("POST", path), "sse", BUDGET)
    return serve(200, {"content-type": "text/event-stream"}, first + event)


def ask_openai(upstream: Upstream, *, stream: bool = False) -> Any:
    client = openai.OpenAI(api_key="k", base_url=upstream.url + "/v1")
    return client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hi"}], stream=stream)


def ask_responses(upstream: Upstream) -> Any:
    return openai.OpenAI(api_key="k", base_url=upstream.url + "/v1").responses.create(
        model="m", input="Hi", stream=True
    )


def ask_anthropic(upstream: Upstream, *, stream: bool = False) -> Any:
    client = anthropic.Anthropic(api_key="k", base_url=upstream.url)
    message: Any = {"role": "user", "content": "Hi"}
    return client.messages.create(model="m", max_tokens=9, messages=[message], stream=stream)


def google(upstream: Upstream) -> genai.Client:
    return genai.Client(api_key="k", http_options=google_types.HttpOptions(base_url=upstream.url))


@pytest.mark.parametrize(
    ("refusal", "ask", "error"),
    [
        (BUDGET, ask_openai, openai.RateLimitError),
        (PERSONAL, ask_openai, openai.PermissionDeniedError),
        (BROKEN, ask_openai, openai.InternalServerError),
        (BUDGET, ask_anthropic, anthropic.RateLimitError),
        (PERSONAL, ask_anthropic, anthropic.PermissionDeniedError),
        (BROKEN, ask_anthropic, anthropic.InternalServerError),
    ],
)
def test_sdk_raises_once(
    serve: Serve, refusal: Refusal, ask: Callable[[Upstream], Any], error: type[Exception]
) -> None:
    """The right exception with our code and message, after exactly one request."""
    upstream = refusing(serve, "openai" if ask is ask_openai else "anthropic", refusal)
    with pytest.raises(error) as caught:
        ask(upstream)

    assert refusal.code in str(caught.value)
    assert refusal.message in str(caught.value).replace("\\'", "'")
    assert upstream.calls == 1


@pytest.mark.parametrize("refusal", [BUDGET, PERSONAL])
def test_google_sdk_raises_once(serve: Serve, refusal: Refusal) -> None:
    """Google's SDK shows status and message; it has no retries of its own unless told so."""
    upstream = refusing(serve, "gemini", refusal)
    client = google(upstream)
    with pytest.raises(google_errors.ClientError) as caught:
        client.models.generate_content(model="m", contents="Hi")

    assert caught.value.code == refusal.status
    assert refusal.code in str(caught.value)
    assert upstream.calls == 1


def event(data: dict[str, Any], name: str | None = None) -> bytes:
    return (f"event: {name}\n" if name else "").encode() + b"data: " + json.dumps(data).encode() + b"\n\n"


_CHOICE = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}
FIRST_CHUNK = event({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [_CHOICE]})
_DELTA = {"type": "response.output_text.delta", "delta": "Hi", "item_id": "i", "output_index": 0, "content_index": 0}
FIRST_DELTA = event(_DELTA | {"sequence_number": 1, "logprobs": []}, "response.output_text.delta")
_BLOCK = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}
FIRST_BLOCK = event(_BLOCK, "content_block_delta")
FIRST_PARTS = event({"candidates": [{"content": {"parts": [{"text": "Hi"}], "role": "model"}}]})


def test_openai_stream_raises(serve: Serve) -> None:
    """Not a clean end: the text so far, then an APIError."""
    stream = ask_openai(streaming(serve, "openai", "/v1/chat/completions", FIRST_CHUNK), stream=True)
    assert next(stream).choices[0].delta.content == "Hi"
    with pytest.raises(openai.APIError) as caught:
        next(stream)

    assert caught.value.code == "budget_exceeded"
    assert BUDGET.message in str(caught.value)


def test_responses_stream_raises(serve: Serve) -> None:
    """`event: error` raises; `response.failed` follows for clients that read events themselves."""
    upstream = streaming(serve, "openai", "/v1/responses", FIRST_DELTA)
    stream = ask_responses(upstream)
    assert next(stream).delta == "Hi"
    with pytest.raises(openai.APIError, match="key-day"):
        next(stream)

    format_ = format_named("openai")
    events = format_.refuse_event(format_.identify("POST", "/v1/responses"), "sse", BUDGET).split(b"\n\n")
    assert events == format_.refuse_event(format_.identify("GET", "/v1/responses/resp_1"), "sse", BUDGET).split(b"\n\n")
    failed = json.loads(events[1].partition(b"data: ")[2])
    assert failed["type"] == "response.failed"
    assert failed["response"]["error"]["code"] == "budget_exceeded"


def test_anthropic_stream_raises(serve: Serve) -> None:
    """The SDK raises on `event: error`."""
    stream = ask_anthropic(streaming(serve, "anthropic", "/v1/messages", FIRST_BLOCK), stream=True)
    assert next(stream).delta.text == "Hi"
    with pytest.raises(anthropic.APIStatusError, match="budget_exceeded"):
        next(stream)


@pytest.mark.parametrize("framing", ["sse", "json-array"])
def test_google_stream_raises(serve: Serve, framing: Framing) -> None:
    """The SDK raises on a chunk that is an error; the other framing stays one JSON document."""
    if framing == "json-array":
        event = format_named("gemini").refuse_event(
            format_named("gemini").identify("POST", "/v1beta/models/g:streamGenerateContent"), framing, BUDGET
        )
        assert json.loads(b'[{"candidates":[]}' + event)[1]["error"]["code"] == 429
        return
    upstream = streaming(serve, "gemini", "/v1beta/models/g:streamGenerateContent", FIRST_PARTS)
    client = google(upstream)
    stream = client.models.generate_content_stream(model="g", contents="Hi")
    assert next(stream).text == "Hi"
    with pytest.raises(google_errors.ClientError, match="budget_exceeded"):
        next(stream)


@pytest.mark.parametrize("name", sorted(FORMAT_NAMES))
@pytest.mark.parametrize("framing", ["sse", "ndjson"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/api/chat", "/v2/chat"])
def test_event_is_an_error_to_us(name: str, framing: Framing, path: str) -> None:
    """Whatever the operation: framed, with the code in it, and read back as an error and never as a good end."""
    format_ = format_named(name)
    operation = format_.identify("POST", path)
    event = format_.refuse_event(operation, framing, BUDGET)

    assert event.endswith(b"\n\n" if framing == "sse" else b"\n")
    assert b"budget_exceeded" in event
    assert b"[DONE]" not in event
    parts = event.strip().split(b"\n\n") if framing == "sse" else event.splitlines()
    for part in parts:
        facts = format_.read_event(operation, None, json.loads(part.partition(b"data: ")[2] or part))
        if name != "bedrock" or operation.dialect != "bedrock":
            assert facts.error is not None
            assert not facts.end


def said(message: str, kind: str = "invalid_request_error", code: object = None) -> dict[str, Any]:
    """An error of OpenAI's form."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


SUM = "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length"
TOO_LONG: list[tuple[str, dict[str, Any]]] = [
    ("openai", said("Your input exceeds the context window of this model.", code="context_length_exceeded")),
    ("openai", said("Prompt contains 40123 tokens, with 32768 maximum context length", code="3051")),
    ("openai", said("This endpoint's maximum context length is 131072 tokens.", code=400)),
    ("openai", said("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193.")),
    ("openai", said("The decoder prompt (length 5000) is longer than the maximum model length of 4096.", code=400)),
    ("openai", said("The input (5000 tokens) is longer than the model's context length (4096 tokens).", code=400)),
    ("openai", said("the request exceeds the available context size", "exceed_context_size_error", 400)),
    ("openai", said("Invalid request: Your request exceeded model token limit: 131072")),
    ("openai", said("Range of input length should be [1, 129024]", code="invalid_parameter_error")),
    ("openai", {"error": {"code": "1261", "message": "Prompt exceeds max length"}}),
    ("openai", {"error": {"code": "model_max_prompt_tokens_exceeded", "message": "prompt token count of 140000"}}),
    ("openai", {"code": "Invalid argument", "error": "This model's maximum prompt length is 131072"}),
    ("openai", {"error": "`inputs` must have less than 4095 tokens.", "error_type": "validation"}),
    ("anthropic", {"type": "error", "error": {"type": "invalid_request_error", "message": "Prompt is too long"}}),
    ("anthropic", {"type": "error", "error": {"type": "invalid_request_error", "message": SUM}}),
    ("gemini", {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "The input token count "
                          "(1200000) exceeds the maximum number of tokens allowed (1048576)."}}),
    ("gemini", {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "Unable to submit request "
                          "because the input token count is 40000 but model only supports up to 32768."}}),
    ("bedrock", {"message": "Input is too long for requested model."}),
    ("bedrock", {"message": f"The model returned the following errors: {SUM}"}),
    ("bedrock", {"message": "Input Tokens Exceeded: Number of input tokens exceeds maximum length."}),
    ("cohere", {"id": "x", "message": "too many tokens: total number of tokens in the prompt cannot exceed 128000"}),
    ("ollama", {"error": "the input length exceeds the context length"}),
]  # fmt: skip
PATHS = {
    "openai": "/v1/chat/completions",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/g:generateContent",
    "bedrock": "/model/m/converse",
    "cohere": "/v2/chat",
    "ollama": "/api/chat",
}


def kind_of(name: str, body: dict[str, Any]) -> str | None:
    """What a format makes of an error body."""
    format_ = format_named(name)
    return format_.read_reply(format_.identify("POST", PATHS[name]), body, {}).error


@pytest.mark.parametrize(("name", "body"), TOO_LONG)
def test_a_prompt_that_is_too_long_is_known_by_every_providers_words(name: str, body: dict[str, Any]) -> None:
    """Only some have a code for it; the others say it in prose, under a kind that any mistake has."""
    assert kind_of(name, body) == "context_length"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("content_filter", said("Invalid prompt: your prompt was flagged.", code="invalid_prompt")),
        ("content_filter", said("Rejected by the safety system.", "image_generation_user_error", "moderation_blocked")),
        ("content_filter", said("Content Exists Risk", code="invalid_request_error")),
        ("content_filter", said("Input data may contain inappropriate content.", code="data_inspection_failed")),
        ("content_filter", {"error": {"code": 403, "message": "It requires moderation, and your input was flagged"}}),
        ("quota", said("Your credit balance is too low to access the Anthropic API.")),
        ("quota", {"error": {"code": 402, "message": "Insufficient credits"}}),
        ("rate_limit", said("Request too large for model on tokens per minute", "tokens", "rate_limit_exceeded")),
        ("invalid_request", said("max_tokens is too large: 100000. At most 16384.", code="invalid_value")),
        ("invalid_request", said("image exceeds 5 MB maximum: 6000000 bytes > 5242880 bytes")),
    ],
)  # fmt: skip
def test_a_vague_kind_is_told_by_its_prose(kind: str, body: dict[str, Any]) -> None:
    """What a filter refused and what an empty account cannot pay are no mistakes of the request; mistakes stay ones."""
    assert kind_of("openai", body) == kind
