"""AWS's own SDK reads the simulated Bedrock as it reads the real one, errors and all."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import ClientError, EventStreamError

from outwarden.simulate import Certificates, Script, SimulatedProvider, ToolCall
from outwarden.simulate.aws_signature import BEARER, CALLER, OWN, Account

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
SAID = "Write to Ada Quill — “soon”, or call 🙂."
TOOL = ToolCall("send_mail", json.dumps({"to": "ada", "text": 'say "hi"\n\\done'}))
Connect = Callable[..., Any]


@pytest.fixture
def connect(base: str, certificates: Certificates) -> Connect:
    """Make a client of the real SDK that speaks to the simulated provider."""

    def client(account: Account = CALLER) -> Any:
        return boto3.client(
            "bedrock-runtime",
            endpoint_url=base,
            region_name="eu-central-1",
            verify=str(certificates.ca),
            aws_access_key_id=account.key_id,
            aws_secret_access_key=account.secret,
            aws_session_token=account.token,
            config=Config(retries={"total_max_attempts": 1}),
        )

    return client


def asked(text: str = SAID) -> dict[str, Any]:
    return {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": text}]}]}


def body(family: str) -> dict[str, Any]:
    message = {"role": "user", "content": [{"type": "text", "text": SAID}]}
    return {
        "anthropic": {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 99, "messages": [message]},
        "nova": {"messages": [{"role": "user", "content": [{"text": SAID}]}]},
        "titan": {"inputText": SAID},
        "llama": {"prompt": SAID},
    }[family]


def text_of(event: dict[str, Any]) -> str:
    """The text of an event of any family."""
    delta = event.get("delta") or event.get("contentBlockDelta", {}).get("delta") or {}
    return str(delta.get("text") or event.get("outputText") or event.get("generation") or "")


@pytest.mark.parametrize("piece_chars", [0, 1, 7])
def test_converse_streams_what_it_says_whole(connect: Connect, provider: SimulatedProvider, piece_chars: int) -> None:
    """Text, reasoning, tool input and usage are the same in a stream and whole."""
    script = Script(text=SAID, thinking="hm, hm", tool_calls=(TOOL,), piece_chars=piece_chars)
    provider.queue(script, script)

    whole = connect().converse(**asked())
    joined: dict[tuple[int, str], str] = {}
    usage = None
    for event in connect().converse_stream(**asked())["stream"]:
        usage = event.get("metadata", {}).get("usage", usage)
        block = event.get("contentBlockDelta", {})
        for kind, value in block.get("delta", {}).items():
            piece = value if isinstance(value, str) else next(iter(value.values()))
            joined[block["contentBlockIndex"], kind] = joined.get((block["contentBlockIndex"], kind), "") + piece

    reasoning, text, tool = whole["output"]["message"]["content"]
    thought = reasoning["reasoningContent"]["reasoningText"]
    assert joined[0, "reasoningContent"][:6] == thought["text"] == "hm, hm"
    assert joined[1, "text"] == text["text"] == SAID
    assert json.loads(joined[2, "toolUse"]) == tool["toolUse"]["input"] == json.loads(TOOL.arguments)
    assert usage == whole["usage"]


@pytest.mark.parametrize("family", ["anthropic", "nova", "titan", "llama"])
def test_invoke_speaks_as_the_family_does(connect: Connect, family: str) -> None:
    """Each family's own shape, whole and streamed, with Bedrock's counts in headers and in the last event."""
    client, asked = connect(), json.dumps(body(family))

    whole = client.invoke_model(modelId="m", body=asked)
    events = [
        json.loads(event["chunk"]["bytes"])
        for event in client.invoke_model_with_response_stream(modelId="m", body=asked)["body"]
    ]

    headers = whole["ResponseMetadata"]["HTTPHeaders"]
    metrics = events[-1]["amazon-bedrock-invocationMetrics"]
    assert SAID in json.dumps(json.loads(whole["body"].read()), ensure_ascii=False)
    assert "".join(map(text_of, events)) == SAID
    assert headers["x-amzn-bedrock-output-token-count"] == str(metrics["outputTokenCount"])
    assert headers["x-amzn-bedrock-input-token-count"] == str(metrics["inputTokenCount"])


def test_a_stream_breaks_as_the_real_one(connect: Connect, provider: SimulatedProvider) -> None:
    """An exception frame raises in the SDK, a frame with a wrong checksum does too, a cut one ends the stream."""
    provider.queue(Script(text=SAID, error_after=1), Script(text=SAID, malformed_after=1))

    with pytest.raises(EventStreamError, match="throttlingException"):
        list(connect().converse_stream(**asked())["stream"])
    with pytest.raises(ChecksumMismatch):
        list(connect().converse_stream(**asked())["stream"])


def test_errors_have_names(connect: Connect, provider: SimulatedProvider) -> None:
    """The SDK tells exceptions apart by the header."""
    provider.queue(Script(status=429), Script(status=400), Script(status=503))
    names = []
    for _ in range(3):
        with pytest.raises(ClientError) as caught:
            connect().converse(**asked())
        names.append(caught.value.response["Error"]["Code"])

    assert names == ["ThrottlingException", "ValidationException", "ServiceUnavailableException"]


@pytest.mark.parametrize(
    ("account", "said"),
    [
        (OWN, None),
        (Account(CALLER.key_id, "wrong"), "does not match"),
        (Account("AKIASIMULATEDNOBODY1", "x"), "invalid"),
        (Account(OWN.key_id, OWN.secret, "old"), "invalid"),
    ],
)
def test_signatures_are_verified(connect: Connect, account: Account, said: str | None) -> None:
    """A key that is unknown, a secret or a token that is wrong: 403, as AWS says it."""
    if said is None:
        assert connect(account).converse(**asked())["output"]
        return
    with pytest.raises(ClientError, match=said) as caught:
        connect(account).converse(**asked())
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_bearer_key(base: str, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK sends a Bedrock API key where the environment has one; only the right one is accepted."""
    options: Any = {"endpoint_url": base, "region_name": "eu-central-1", "verify": str(certificates.ca)}
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", BEARER)
    assert boto3.client("bedrock-runtime", **options).converse(**asked())["output"]

    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "another")
    with pytest.raises(ClientError, match="API Key"):
        boto3.client("bedrock-runtime", **options).converse(**asked())
