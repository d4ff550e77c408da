"""A call keeps its meaning at another upstream: the path is the one an SDK would use with that base URL."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.routing import Upstream
from outwarden.routing.paths import upstream_path, without_key


def at(format_: str, prefix: str) -> Upstream:
    """An upstream with this path in its URL."""
    return Upstream("spare", "https", "spare.example", 443, prefix, "vllm", format_)


OPENAI = [
    # where the caller aimed                                       the upstream's base path, the path there
    ("/v1/chat/completions", "/v1", "/v1/chat/completions"),
    ("/v1/chat/completions", "", "/chat/completions"),
    ("/v1/responses?x=1", "/v1", "/v1/responses?x=1"),
    ("/v1/responses/resp_1/cancel", "/v1", "/v1/responses/resp_1/cancel"),
    ("/v1/embeddings", "/api/v1", "/api/v1/embeddings"),
    ("/api/v1/chat/completions", "/v1", "/v1/chat/completions"),  # OpenRouter
    ("/openai/v1/chat/completions", "/v1", "/v1/chat/completions"),  # Groq
    ("/inference/v1/chat/completions", "/v1", "/v1/chat/completions"),  # Fireworks
    ("/v1beta/openai/chat/completions", "/v1", "/v1/chat/completions"),  # Gemini's
    ("/v1/openai/chat/completions", "/v1", "/v1/chat/completions"),  # DeepInfra
    ("/v1/chat/completions", "/v1beta/openai", "/v1beta/openai/chat/completions"),
    ("/api/paas/v4/chat/completions", "/v1", "/v1/chat/completions"),  # Z.ai
    ("/openai/deployments/gpt-4o/chat/completions", "/v1", "/v1/chat/completions"),  # Azure
    ("/openai/deployments/v1/chat/completions", "/v1", "/v1/chat/completions"),
    ("/chat/completions", "/v1", "/v1/chat/completions"),  # DeepSeek, Perplexity
    ("/v1/files/v1/content", "/v1", "/v1/files/v1/content"),
]
OTHERS = [
    ("anthropic", "/v1/messages", "", "/v1/messages"),
    ("anthropic", "/v1/messages?beta=true", "/v1", "/v1/messages?beta=true"),
    ("anthropic", "/v1/messages/count_tokens", "/anthropic", "/anthropic/v1/messages/count_tokens"),
    ("anthropic", "/v1/messages", "/anthropic/v1", "/anthropic/v1/messages"),
    ("ollama", "/api/chat", "", "/api/chat"),
    ("ollama", "/api/chat", "/ollama", "/ollama/api/chat"),
    ("cohere", "/v2/chat", "/v2", "/v2/chat"),
    ("cohere", "/v2/chat", "", "/v2/chat"),
]
GEMINI = [
    ("/v1beta/models/gemini-2.5-pro:generateContent", "", "/v1beta/models/MODEL:generateContent"),
    (
        "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
        "/v1beta",
        "/v1beta/models/MODEL:streamGenerateContent?alt=sse",
    ),
    ("/v1/models/gemini-2.5-pro:countTokens", "/v1beta", "/v1beta/models/MODEL:countTokens"),
    (
        "/v1/projects/p/locations/eu/publishers/google/models/gemini-2.5-pro:generateContent",
        "",
        "/v1/projects/p/locations/eu/publishers/google/models/MODEL:generateContent",
    ),
    ("/v1beta/models", "", "/v1beta/models"),
    (
        "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
        "/v1/projects/p/locations/eu/publishers/google",
        "/v1/projects/p/locations/eu/publishers/google/models/MODEL:streamGenerateContent?alt=sse",
    ),
    (
        "/v1beta1/projects/q/locations/us/publishers/google/models/gemini-2.5-pro:countTokens",
        "/v1/projects/p/locations/eu/publishers/google",
        "/v1/projects/p/locations/eu/publishers/google/models/MODEL:countTokens",
    ),
]


@pytest.mark.parametrize(("path", "prefix", "there"), OPENAI)
def test_openai_counts_the_version_into_the_base(path: str, prefix: str, there: str) -> None:
    """An OpenAI base URL ends in its version, and the caller's base is replaced by the upstream's."""

    assert upstream_path(at("openai", prefix), path, "other-model") == there


@pytest.mark.parametrize(("format_", "path", "prefix", "there"), OTHERS)
def test_other_apis_count_the_version_into_the_path(format_: str, path: str, prefix: str, there: str) -> None:
    """The others' base URL has no version; one that names it all the same does not get it twice."""

    assert upstream_path(at(format_, prefix), path, "other-model") == there


@pytest.mark.parametrize(("path", "prefix", "there"), GEMINI)
@pytest.mark.parametrize(
    ("model", "spelled"), [("gemini-3-flash", "gemini-3-flash"), ("tuned/my model", "tuned%2Fmy%20model")]
)
def test_gemini_names_the_model_in_the_path(path: str, prefix: str, there: str, model: str, spelled: str) -> None:
    """Gemini's path names the model; another model takes its place, escaped."""

    assert upstream_path(at("gemini", prefix), path, model) == there.replace("MODEL", spelled)


def test_gemini_keeps_the_model_that_nothing_replaces() -> None:
    """Without a model of ours the path is the caller's."""
    path = "/v1beta/models/gemini-2.5-pro:generateContent"

    assert upstream_path(at("gemini", ""), path, None) == path


@pytest.mark.parametrize(
    ("path", "model", "there"),
    [
        ("/model/us.a%3A0/converse", "eu.b:0", "/aws/model/eu.b%3A0/converse"),
        ("/model/us.a:0/invoke-with-response-stream?x=1", "b", "/aws/model/b/invoke-with-response-stream?x=1"),
        ("/model/arn%3Aaws%3Abedrock%3Ax%2Fus.a/count-tokens", "b", "/aws/model/b/count-tokens"),
        ("/model/arn:aws:bedrock:x/us.a/invoke", "b", "/aws/model/b/invoke"),
        ("/model/us.a%3A0/converse", "us.a:0", "/aws/model/us.a%3A0/converse"),
        ("/model/arn:aws:bedrock:x%2Fus.a/invoke", "us.a", "/aws/model/arn:aws:bedrock:x%2Fus.a/invoke"),
        ("/model/us.a/converse", None, "/aws/model/us.a/converse"),
        ("/guardrail/g/version/1/apply", "b", "/aws/guardrail/g/version/1/apply"),
    ],
)
def test_bedrock_names_the_model_in_the_path(path: str, model: str | None, there: str) -> None:
    """Another model takes the place of the one in the path; the same one stays as it is spelled."""

    assert upstream_path(at("bedrock", "/aws"), path, model) == there


@given(st.text(alphabet="abc/=&?%", max_size=30))
def test_the_query_stays(query: str) -> None:
    """What follows the question mark is the caller's own."""

    assert upstream_path(at("openai", "/v1"), f"/v1/responses?{query}", None) == f"/v1/responses?{query}"


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("/v1beta/models/m:generateContent?key=secret", "/v1beta/models/m:generateContent"),
        ("/v1beta/models/m:generateContent?key=secret&alt=sse", "/v1beta/models/m:generateContent?alt=sse"),
        ("/m?alt=sse&key=secret", "/m?alt=sse"),
        ("/m?a=1&key=s1&b=2&key=s2", "/m?a=1&b=2"),
        ("/m?monkey=1&keys=2", "/m?monkey=1&keys=2"),
        ("/m?%6Bey=secret", "/m"),
        ("/m?KEY=secret&x", "/m?x"),
        ("/m?$key=secret", "/m"),
        ("/m?access_token=secret&a=1", "/m?a=1"),
        ("/m?oauth_token=secret", "/m"),
        ("/m", "/m"),
        ("/m?", "/m"),
    ],
)
def test_a_key_in_the_query_is_dropped(path: str, left: str) -> None:
    """A key of the caller's never follows a call to another provider, however the parameter is spelled."""

    assert without_key(path) == left


@pytest.mark.parametrize(
    ("provider", "own", "path", "expected"),
    [
        ("azure", "api-version=2024-10-21", "/v1/chat/completions", "/base/chat/completions?api-version=2024-10-21"),
        (
            "azure",
            "api-version=2024-10-21",
            "/openai/deployments/d/chat/completions?API-Version=2023-05-15&x=1",
            "/base/chat/completions?x=1&api-version=2024-10-21",
        ),
        ("azure", "", "/openai/v1/responses?api-version=preview", "/base/responses?api-version=preview"),
        ("vllm", "", "/openai/deployments/d/chat/completions?api-version=2023-05-15", "/base/chat/completions"),
        ("vllm", "", "/v1/chat/completions?a=%20&b", "/base/chat/completions?a=%20&b"),
        ("vllm", "team=x", "/v1/chat/completions?team=y", "/base/chat/completions?team=x"),
    ],
)
def test_parameters_of_the_upstream_go_first(provider: str, own: str, path: str, expected: str) -> None:
    """Azure's version is the deployment's own, and no business of others; the rest of the caller's stays as it is."""
    upstream = replace(at("openai", "/base"), provider=provider, query=own)

    assert upstream_path(upstream, path, None) == expected
