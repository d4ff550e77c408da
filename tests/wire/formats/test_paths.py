"""Operations are recognised at the end of a path, whatever a gateway puts before it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.wire.formats import FORMAT_NAMES, FormatNameError, format_named

# format, method, path -> operation, dialect, billable, model, stream
CASES = [
    ("openai", "POST", "/v1/chat/completions", "chat", "openai", True, None, None),
    ("openai", "POST", "/api/v1/chat/completions", "chat", "openai", True, None, None),
    ("openai", "POST", "/chat/completions", "chat", "openai", True, None, None),
    ("openai", "POST", "/api/coding/paas/v4/chat/completions", "chat", "openai", True, None, None),
    ("openai", "POST", "/OpenAI/Deployments/gpt-x/Chat/Completions", "chat", "openai", True, "gpt-x", None),
    ("openai", "POST", "/openai/deployments/my%20model/embeddings", "embeddings", "openai", True, "my model", None),
    ("openai", "POST", "//v1//chat/completions/", "chat", "openai", True, None, None),
    ("openai", "POST", "/v1/%63hat/completions", "chat", "openai", True, None, None),
    ("openai", "GET", "/v1/chat/completions", "chat", "openai", False, None, None),
    ("openai", "GET", "/v1/chat/completions/chatcmpl-1/messages", "chat_stored", "openai", False, None, None),
    ("openai", "POST", "/v1/completions", "completions", "openai", True, None, None),
    ("openai", "POST", "/v1/responses", "responses", "openai", True, None, None),
    ("openai", "POST", "/v1/responses/compact", "responses", "openai", True, None, None),
    ("openai", "POST", "/v1/responses/input_tokens", "count_tokens", "openai", False, None, None),
    ("openai", "GET", "/v1/responses/resp_1", "responses_stored", "openai", False, None, None),
    ("openai", "POST", "/v1/threads/thread_1/runs", "runs", "openai", True, None, None),
    ("openai", "POST", "/v1/threads/runs", "runs", "openai", True, None, None),
    ("openai", "POST", "/v1/threads/t/runs/r/submit_tool_outputs", "runs", "openai", True, None, None),
    ("openai", "GET", "/v1/threads/t/runs/r/steps", "threads", "openai", False, None, None),
    ("openai", "POST", "/v1/batches", "batches", "openai", True, None, None),
    ("openai", "POST", "/v1/images/edits", "images", "openai", True, None, None),
    ("openai", "POST", "/v1/audio/translations", "transcriptions", "openai", True, None, None),
    ("openai", "POST", "/v1/traces/ingest", "traces", "openai", False, None, None),
    ("openai", "GET", "/v1/models/org/model", "models", "openai", False, None, None),
    ("openai", "POST", "/models/org/model", "other", "openai", False, None, None),
    ("openai", "POST", "/anthropic/v1/messages", "messages", "anthropic", True, None, None),
    (
        "openai",
        "POST",
        "/x/v1beta/models/gemini-y:generateContent",
        "generate_content",
        "gemini",
        True,
        "gemini-y",
        None,
    ),
    (
        "openai",
        "POST",
        "/v1/account/gateway/google-vertex-ai/v1/projects/p/locations/l/publishers/google/models/g:generateContent",
        "generate_content",
        "gemini",
        True,
        "g",
        None,
    ),
    ("openai", "POST", "/vertex_ai/v1/projects/p/locations/l/cachedContents", "caches", "gemini", True, None, None),
    ("openai", "GET", "/v1/organization/projects/p/users", "organization", "openai", False, None, None),
    ("openai", "POST", "/v1/projects/p/api_keys/k", "organization", "openai", False, None, None),
    ("openai", "POST", "/bedrock/model/m%3A0/converse-stream", "converse", "bedrock", True, "m:0", True),
    ("openai", "POST", "/ollama/api/chat", "chat", "ollama", True, None, None),
    ("openai", "POST", "/ollama/api/generate", "generate", "ollama", True, None, None),
    ("generic", "POST", "/api/embed", "embeddings", "ollama", True, None, None),
    ("generic", "POST", "/model/m/invoke", "invoke", "bedrock", True, "m", None),
    ("openai", "POST", "/serving-endpoints/my-llm/invocations", "generate", "openai", True, "my-llm", None),
    ("openai", "POST", "/api/v1/services/aigc/text-generation/generation", "generate", "openai", True, None, None),
    ("openai", "POST", "/v1/acc/gw/workers-ai/@cf/meta/llama", "generate", "openai", True, "@cf/meta/llama", None),
    ("openai", "POST", "/v1/text/chatcompletion_v2", "chat", "openai", True, None, None),
    ("openai", "POST", "/v1/chat", "chat", "openai", True, None, None),
    ("openai", "POST", "/v1/agents/completions", "chat", "openai", True, None, None),
    ("openai", "POST", "/v1/agents/sessions/s/events", "agent_sessions", "openai", True, None, None),
    ("openai", "POST", "/v1/agents/sessions/s", "agents", "openai", False, None, None),
    ("openai", "POST", "/v1/chatkit/sessions", "chatkit", "openai", False, None, None),
    ("openai", "POST", "/v1/evals/e/runs", "evals", "openai", True, None, None),
    ("openai", "POST", "/v1/fine_tuning/alpha/graders/run", "graders", "openai", True, None, None),
    ("openai", "POST", "/v1/fine_tuning/alpha/graders/validate", "fine_tuning", "openai", False, None, None),
    ("openai", "POST", "/v1/rl/training-sessions/t/operations/sample", "fine_tuning", "openai", True, None, None),
    ("openai", "POST", "/v1/evaluation", "evals", "openai", True, None, None),
    ("openai", "POST", "/v1/queue/submit", "queue", "openai", True, None, None),
    ("mistral", "POST", "/v1/audio/sessions", "agent_sessions", "mistral", True, None, None),
    ("mistral", "POST", "/v1/observability/logs/search", "administration", "mistral", False, None, None),
    ("mistral", "POST", "/v1/workflows/w/execute", "workflows", "mistral", True, None, None),
    ("mistral", "GET", "/v1/workflows/deployments", "workflows", "mistral", False, None, None),
    ("cohere", "POST", "/v2/parse", "parse", "cohere", True, None, None),
    ("cohere", "POST", "/v2/batches", "batches", "cohere", True, None, None),
    ("cohere", "POST", "/v2/batches/b:cancel", "batches", "cohere", False, None, None),
    ("ollama", "POST", "/v1/systemone", "decisions", "ollama", True, None, None),
    ("anthropic", "GET", "/v1/compliance/review/cases", "compliance", "anthropic", False, None, None),
    ("bedrock", "POST", "/sessions/", "sessions", "bedrock", False, None, None),
    ("bedrock", "POST", "/agenticRetrieveStream", "retrieve", "bedrock", True, None, True),
    ("bedrock", "POST", "/flows/f/aliases/a/executions", "flow", "bedrock", True, None, None),
    ("bedrock", "GET", "/flows/f/aliases/a/executions/e/events", "flow", "bedrock", False, None, None),
    ("bedrock", "POST", "/guardrail-checks/invoke", "guardrail", "bedrock", False, None, None),
    ("generic", "POST", "/v1/deployments/o/n/predictions", "generic", "generic", True, "o/n", None),
    ("generic", "POST", "/v1/sessions/s", "generic", "generic", True, None, None),
    ("openai", "POST", "/v1/deployments/d/rollback", "other", "openai", False, None, None),
    ("generic", "POST", "/ml/v1/deployments/my-llm/text/chat", "generic", "generic", True, "my-llm", None),
    ("openai", "POST", "/generate_stream", "generate", "openai", True, None, None),
    ("openai", "GET", "/available-models", "models", "openai", False, None, None),
    ("openai", "POST", "/v3/ai/language-model", "language_model", "openai", True, None, None),
    ("anthropic", "POST", "/v1/sessions/s/events", "agent_sessions", "anthropic", True, None, None),
    ("anthropic", "GET", "/v1/sessions/s/events/stream", "agent_sessions", "anthropic", False, None, None),
    ("gemini", "POST", "/v1alpha/auth_tokens", "auth_tokens", "gemini", False, None, None),
    (
        "gemini",
        "POST",
        "/upload/v1beta/fileSearchStores/s:uploadToFileSearchStore",
        "file_search",
        "gemini",
        False,
        None,
        None,
    ),
    ("gemini", "POST", "/v1beta/tuningJobs", "fine_tuning", "gemini", True, None, None),
    ("openai", "POST", "/v1/chat/completionsX", "other", "openai", False, None, None),
    ("openai", "POST", "/v1/xchat/completions", "completions", "openai", True, None, None),
    ("anthropic", "POST", "/v1/messages", "messages", "anthropic", True, None, None),
    ("anthropic", "POST", "/v1/messages/count_tokens", "count_tokens", "anthropic", False, None, None),
    ("anthropic", "POST", "/v1/messages/batches", "message_batches", "anthropic", True, None, None),
    ("anthropic", "GET", "/v1/messages/batches/b/results", "message_batches", "anthropic", False, None, None),
    ("anthropic", "POST", "/v1/complete", "complete", "anthropic", True, None, None),
    ("anthropic", "POST", "/v1/chat/completions", "chat", "openai", True, None, None),
    ("anthropic", "POST", "/api/event_logging/batch", "other", "anthropic", False, None, None),
    ("gemini", "POST", "/v1beta/models/g:streamGenerateContent", "generate_content", "gemini", True, "g", True),
    ("gemini", "POST", "/v1beta/models/g:countTokens", "count_tokens", "gemini", False, "g", None),
    ("gemini", "POST", "/v1internal:streamGenerateContent", "code_assist", "gemini", True, None, True),
    ("gemini", "POST", "/v1internal:generateContent", "code_assist", "gemini", True, None, None),
    ("gemini", "POST", "/v1internal:countTokens", "count_tokens", "gemini", False, None, None),
    ("gemini", "POST", "/v1internal:loadCodeAssist", "administration", "gemini", False, None, None),
    ("gemini", "POST", "/v1beta/models/g:batchEmbedContents", "embeddings", "gemini", True, "g", None),
    ("gemini", "POST", "/v1beta/openai/chat/completions", "chat", "openai", True, None, None),
    (
        "gemini",
        "POST",
        "/v1/projects/p/locations/l/publishers/anthropic/models/claude-z@1:streamRawPredict",
        "messages",
        "anthropic",
        True,
        "claude-z@1",
        True,
    ),
    (
        "gemini",
        "POST",
        "/v1/projects/p/locations/l/publishers/anthropic/models/count-tokens:rawPredict",
        "count_tokens",
        "anthropic",
        False,
        None,
        None,
    ),
    (
        "gemini",
        "POST",
        "/v1/projects/p/locations/l/publishers/mistralai/models/codestral:rawPredict",
        "chat",
        "openai",
        True,
        "codestral",
        None,
    ),
    (
        "gemini",
        "POST",
        "/v1/projects/p/locations/l/endpoints/openapi/chat/completions",
        "chat",
        "openai",
        True,
        None,
        None,
    ),
    ("mistral", "POST", "/v1/conversations", "conversation_runs", "mistral", True, None, None),
    ("mistral", "POST", "/v1/conversations/conv_1/restart", "conversation_runs", "mistral", True, None, None),
    ("mistral", "GET", "/v1/conversations/conv_1/messages", "conversations", "mistral", False, None, None),
    ("mistral", "POST", "/v1/chat/completions", "chat", "mistral", True, None, None),
    ("mistral", "POST", "/v1/fim/completions", "completions", "mistral", True, None, None),
    ("openai", "POST", "/v1/conversations", "conversations", "openai", False, None, None),
    ("generic", "POST", "/models/google/gemma-2-2b-it", "generic", "generic", True, "google/gemma-2-2b-it", None),
    ("generic", "POST", "/v1/chat/completions", "chat", "openai", True, None, None),
    ("ollama", "POST", "/api/chat", "chat", "ollama", True, None, None),
    ("ollama", "GET", "/", "health", "ollama", False, None, None),
    ("ollama", "POST", "/api/pull", "pull", "ollama", False, None, None),
    ("ollama", "POST", "/v1/messages", "messages", "anthropic", True, None, None),
    ("cohere", "POST", "/v2/chat", "chat", "cohere", True, None, None),
    ("cohere", "POST", "/compatibility/v1/chat/completions", "chat", "openai", True, None, None),
    ("bedrock", "POST", "/model/us.a%3A0/converse", "converse", "bedrock", True, "us.a:0", None),
    ("bedrock", "POST", "/model/us.a:0/converse-stream", "converse", "bedrock", True, "us.a:0", True),
    (
        "bedrock",
        "POST",
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.a%3A0/invoke",
        "invoke",
        "bedrock",
        True,
        "us.a:0",
        None,
    ),
    ("bedrock", "POST", "/openai/v1/responses", "responses", "openai", True, None, None),
    ("generic", "POST", "/v1/models/meta/llama/predictions", "generic", "generic", True, "meta/llama", None),
    ("generic", "POST", "/complete", "generic", "generic", True, None, None),
    ("generic", "GET", "/anything", "generic", "generic", False, None, None),
    ("generic", "POST", "/gw/v1/chat/completions", "chat", "openai", True, None, None),
]


@pytest.mark.parametrize(("name", "method", "path", "operation", "dialect", "billable", "model", "stream"), CASES)
def test_identify(
    name: str,
    method: str,
    path: str,
    operation: str,
    dialect: str,
    billable: bool,
    model: str | None,
    stream: bool | None,
) -> None:
    """Name, dialect, money, model and stream follow from method and path."""
    found = format_named(name).identify(method, path)

    assert (found.name, found.dialect, found.billable) == (operation, dialect, billable)
    assert (found.model, found.stream) == (model, stream)
    assert found.known == (operation != "other")


@given(st.sampled_from(sorted(FORMAT_NAMES)), st.sampled_from(["GET", "post", "PUT", ""]), st.text())
def test_any_path(name: str, method: str, path: str) -> None:
    """Every path has an answer; what is unknown is free and says so."""
    operation = format_named(name).identify(method, path)

    assert operation.known or (operation.name == "other" and not operation.billable)


def test_unknown_format() -> None:
    """The error names the formats there are."""
    with pytest.raises(FormatNameError, match=r"unknown format 'opnai'; known are anthropic, bedrock"):
        format_named("opnai")
    with pytest.raises(KeyError):
        format_named("")


@pytest.mark.parametrize(
    ("name", "method", "path", "keeps"),
    [
        ("openai", "GET", "/v1/threads/t/messages", True),
        ("openai", "GET", "/v1/files/f/content", True),
        ("openai", "GET", "/v1/responses/resp_1", True),
        ("openai", "GET", "/v1/conversations/c/items", True),
        ("openai", "POST", "/v1/chat/completions", False),
        ("openai", "GET", "/v1/models", False),
        ("anthropic", "GET", "/v1/messages/batches/b/results", True),
        ("anthropic", "POST", "/v1/messages", False),
        ("gemini", "GET", "/v1beta/cachedContents/c", True),
        ("gemini", "POST", "/v1beta/models/g:generateContent", False),
    ],
)
def test_what_the_provider_keeps(name: str, method: str, path: str, keeps: bool) -> None:
    """Texts of one call come back in another: those calls share what was replaced."""
    assert format_named(name).identify(method, path).keeps is keeps
