"""AWS's own SDK through the running interceptor: streams and whole answers, signed calls, signed again, bearer keys."""

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import boto3
import httpx2
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError
from interceptor import BEDROCK, CARD, EMAIL, Interceptor, assert_clean, rules_for, trusted

from outwarden.simulate import Script, SimulatedProvider
from outwarden.simulate.aws_signature import BEARER, CALLER, OWN

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
SAID = f"Please tell {EMAIL} that card {CARD} is “fine” 🙂 <ok>."


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The interceptor's own credentials for AWS, in files."""
    folder = tmp_path_factory.mktemp("aws")
    parts = {"access_key_id": OWN.key_id, "secret_access_key": OWN.secret, "session_token": str(OWN.token)}
    for name, value in parts.items():
        (folder / name).write_text(value)
    return {name: f"file:{folder / name}" for name in parts}


@pytest.fixture(scope="module")
def plain(primary: SimulatedProvider, start: Any) -> Interceptor:
    """An interceptor without credentials of its own; the simulated provider lies in two regions."""
    return start(rules_for(primary))


@pytest.fixture(scope="module")
def signing(primary: SimulatedProvider, start: Any, credentials: dict[str, str]) -> Interceptor:
    """An interceptor that signs changed calls again, and may move calls that fail to a second place."""
    rules = rules_for(primary)
    rules["traffic"]["intercept"].append({"hosts": [BEDROCK], "sign": credentials})
    second = {
        "url": f"https://localhost:{primary.port}",
        "provider": "aws",
        "format": "bedrock",
        "auth": {"aws": credentials | {"region": "us-west-2"}},
        "model": "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
        "trust": str(trusted(primary)),
    }
    targets = {"name": "two", "targets": ["original", "second"], "retries": 0}
    rules["routes"] = {"upstreams": {"second": second}, "routes": [targets]}
    return start(rules)


@pytest.fixture(autouse=True)
def clean_afterwards(provider: SimulatedProvider) -> Iterator[None]:
    """No test of this module lets a planted value out."""
    yield
    assert_clean(provider)


def client(outwarden: Interceptor, **options: Any) -> Any:
    """The real SDK, through the interceptor."""
    known = {"aws_access_key_id": CALLER.key_id, "aws_secret_access_key": CALLER.secret}
    return boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        verify=str(outwarden.ca),
        config=Config(retries={"total_max_attempts": 1}, proxies={"https": outwarden.url}),
        **(known | options),
    )


@pytest.fixture
def bearer(plain: Interceptor, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client with a Bedrock API key, which covers nothing of the call."""
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", BEARER)
    return client(plain, aws_access_key_id=None, aws_secret_access_key=None)


def asked(text: str = SAID) -> dict[str, Any]:
    return {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": text}]}]}


def said(stream: Any) -> str:
    """The text of a converse stream."""
    return "".join(event.get("contentBlockDelta", {}).get("delta", {}).get("text", "") for event in stream)


def invoked(stream: Any) -> str:
    """The text of an invoke stream of Anthropic's."""
    events = [json.loads(event["chunk"]["bytes"]) for event in stream]
    return "".join(event.get("delta", {}).get("text", "") for event in events)


INVOKE = json.dumps(
    {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 200, "messages": [{"role": "user", "content": SAID}]}
)


# --- bearer keys


def test_whole_answers(bearer: Any, plain: Interceptor) -> None:
    """The echo comes back as it was said, on converse and on invoke; the record has the provider's own usage."""
    before = plain.count_records()
    answer = bearer.converse(**asked())
    record = plain.new_records(before)[0]

    assert answer["output"]["message"]["content"][0]["text"] == SAID
    assert record["usage"]["input_tokens"] == answer["usage"]["inputTokens"]
    assert record["usage"]["output_tokens"] == answer["usage"]["outputTokens"]
    assert record["redactions"]["request"]["EMAIL_ADDRESS"] == 1
    assert (record["provider"], record["operation"], record["model"]) == ("aws", "converse", MODEL)
    assert json.loads(bearer.invoke_model(modelId=MODEL, body=INVOKE)["body"].read())["content"][0]["text"] == SAID


@pytest.mark.parametrize("chunking", ["event", "bytes:1", "random:3:50"])
def test_streams(bearer: Any, provider: SimulatedProvider, plain: Interceptor, chunking: str) -> None:
    """Values split over frames come back whole, and the SDK finds every checksum right."""
    provider.queue(*[Script(piece_chars=2, chunking=chunking)] * 2)
    before = plain.count_records()

    assert said(bearer.converse_stream(**asked())["stream"]) == SAID
    assert invoked(bearer.invoke_model_with_response_stream(modelId=MODEL, body=INVOKE)["body"]) == SAID
    record = plain.new_records(before)[0]
    assert record["usage"]["output_tokens"] > 10
    assert record["stream"] is True


def test_reasoning_comes_as_it_was_signed(bearer: Any, provider: SimulatedProvider) -> None:
    """Thinking passes untouched, so that the provider takes it back next turn."""
    provider.queue(Script(thinking="tell new@person-mail.com", text="new@person-mail.com", piece_chars=3))
    deltas = [event["contentBlockDelta"]["delta"] for event in bearer.converse_stream(**asked())["stream"]
              if "contentBlockDelta" in event]  # fmt: skip

    assert "".join(d["reasoningContent"].get("text", "") for d in deltas if "reasoningContent" in d).endswith(".com")
    assert "".join(d.get("text", "") for d in deltas) == "[EMAIL_ADDRESS]"


def test_a_torn_stream_raises(bearer: Any, provider: SimulatedProvider) -> None:
    """The provider's own exception and ours, where it just breaks off, reach the SDK as exceptions."""
    provider.queue(Script(text="one two three", error_after=2), Script(text="one two three", cut_after=2))

    with pytest.raises(EventStreamError, match="throttlingException"):
        said(bearer.converse_stream(**asked())["stream"])
    with pytest.raises(EventStreamError, match="upstream_cut"):
        said(bearer.converse_stream(**asked())["stream"])


def test_a_false_frame_is_stopped(bearer: Any, provider: SimulatedProvider) -> None:
    """A frame with a wrong checksum never reaches the client; what it gets is an exception that says so."""
    provider.queue(Script(text="one two three", malformed_after=2))

    with pytest.raises(EventStreamError, match="checksum"):
        said(bearer.converse_stream(**asked())["stream"])


# --- signed calls


def test_a_signed_call_without_a_finding_passes(plain: Interceptor) -> None:
    """Nothing of it changes, so the caller's own signature holds."""
    signed = client(plain)

    assert signed.converse(**asked("hello"))["output"]["message"]["content"][0]["text"] == "hello"
    assert said(signed.converse_stream(**asked("hello"))["stream"]) == "hello"


@pytest.mark.parametrize("stream", [False, True])
def test_a_signed_call_with_a_finding_is_refused(plain: Interceptor, provider: SimulatedProvider, stream: bool) -> None:
    """The error has AWS's shape and says what would help; nothing was sent."""
    signed = client(plain)
    before = plain.count_records()
    with pytest.raises(ClientError, match=r"signed_request.*sign") as caught:
        (signed.converse_stream if stream else signed.converse)(**asked())

    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    assert not provider.requests
    record = plain.new_records(before)[0]
    assert (record["verdict"], record["rule"]) == ("refused", "sign")


def test_a_changed_call_is_signed_again(signing: Interceptor, provider: SimulatedProvider) -> None:
    """With credentials of its own the interceptor sends what the caller may not: same region, same service."""
    signed = client(signing)

    assert signed.converse(**asked())["output"]["message"]["content"][0]["text"] == SAID
    assert said(signed.converse_stream(**asked())["stream"]) == SAID
    assert invoked(signed.invoke_model_with_response_stream(modelId=MODEL, body=INVOKE)["body"]) == SAID
    for request in provider.requests:
        assert OWN.key_id in str(request.header("authorization"))
        assert "/us-east-1/bedrock/aws4_request" in str(request.header("authorization"))


@pytest.mark.parametrize("text", ["hello", SAID])
def test_the_anthropic_sdk(signing: Interceptor, provider: SimulatedProvider, text: str) -> None:
    """It signs nearly every header, and reads the frames itself; changed or not, the call arrives well signed."""
    keys = {"aws_access_key": CALLER.key_id, "aws_secret_key": CALLER.secret, "aws_region": "us-east-1"}
    http = httpx2.Client(proxy=signing.url, verify=signing.trust(), timeout=20)
    sdk = anthropic.AnthropicBedrock(**keys, http_client=http, max_retries=0)  # type: ignore[arg-type]
    asking: Any = {"model": MODEL, "max_tokens": 200, "messages": [{"role": "user", "content": text}]}

    whole = sdk.messages.create(**asking)
    with sdk.messages.stream(**asking) as stream:
        streamed = stream.get_final_message()

    assert [block.text for block in (*whole.content, *streamed.content)] == [text, text]
    assert streamed.usage.output_tokens == whole.usage.output_tokens
    owner = CALLER if text == "hello" else OWN
    assert all(owner.key_id in str(request.header("authorization")) for request in provider.requests)


def test_an_unchanged_call_keeps_its_signature(signing: Interceptor, provider: SimulatedProvider) -> None:
    """What needs no change is sent in the caller's own name."""
    client(signing).converse(**asked("hello"))

    assert CALLER.key_id in str(provider.requests[-1].header("authorization"))


@pytest.mark.parametrize("text", ["hello", SAID])
def test_a_call_moves_to_another_region(signing: Interceptor, provider: SimulatedProvider, text: str) -> None:
    """After a failure another model in another region answers, signed for there, whatever was in the call."""
    provider.queue(Script(status=503))
    answer = client(signing).converse(**asked(text))
    second = provider.requests[-1]

    assert answer["output"]["message"]["content"][0]["text"] == text
    assert second.path == "/model/eu.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse"
    assert "/us-west-2/bedrock/aws4_request" in str(second.header("authorization"))
    assert second.header("x-amz-security-token") == OWN.token


@pytest.mark.parametrize("text", ["hello", SAID])
def test_a_false_frame_before_the_content_moves_the_call(
    signing: Interceptor, provider: SimulatedProvider, text: str
) -> None:
    """The SDK never sees the frame with the wrong checksum: another region's stream is all there is."""
    provider.queue(Script(malformed_after=0))
    answer = client(signing).converse_stream(**asked(text))

    assert said(answer["stream"]) == text
    assert [request.path.split("/")[2][:3] for request in list(provider.requests)[-2:]] == ["us.", "eu."]


def test_no_credential_is_told(signing: Interceptor) -> None:
    """Neither output nor records hold a key, a secret or a token of anybody's."""
    client(signing).converse(**asked())
    told = signing.output + json.dumps(signing.records())

    assert not [part for part in (OWN.secret, OWN.token, CALLER.secret) if str(part) in told]
    assert "AWS4-HMAC" not in told
