"""Which path asks which API for what."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, unquote

from outwarden.simulate import (
    anthropic,
    bedrock,
    gemini,
    ollama,
    openai_chat,
    openai_errors,
    openai_lists,
    openai_responses,
    prefill,
)
from outwarden.simulate.aws_signature import problem_of
from outwarden.simulate.conversation import Session
from outwarden.simulate.exchange import Received
from outwarden.simulate.faults import decoded
from outwarden.simulate.gemini_live import GeminiLiveSession
from outwarden.simulate.realtime import RealtimeSession
from outwarden.simulate.reply import Call, Reply, compact
from outwarden.simulate.responses_session import ResponsesSession
from outwarden.simulate.script import Script

Answer = Callable[[Call], Reply]
Failure = Callable[[Script, int], Reply]

# Path ends, so that a gateway's prefix does not matter.
_PATHS: tuple[tuple[str, str, Answer], ...] = (
    ("POST", r"/chat/completions$", openai_chat.chat),
    ("POST", r"/completions$", openai_chat.completions),
    ("POST", r"/responses$", openai_responses.responses),
    ("POST", r"/embeddings$", openai_lists.embeddings),
    ("POST", r"/messages$", anthropic.messages),
    ("POST", r"/messages/count_tokens$", anthropic.count_tokens),
    ("POST", r"/model/.+/converse$", bedrock.converse),
    ("POST", r"/model/.+/converse-stream$", bedrock.converse_stream),
    ("POST", r"/model/.+/invoke$", bedrock.invoke),
    ("POST", r"/model/.+/invoke-with-response-stream$", bedrock.invoke_stream),
    ("POST", r"/model/.+/count-tokens$", bedrock.count_tokens),
    ("POST", r":generateContent$", gemini.generate_content),
    ("POST", r":streamGenerateContent$", gemini.stream_generate_content),
    ("POST", r":embedContent$", gemini.embed_content),
    ("POST", r":batchEmbedContents$", gemini.batch_embed_contents),
    ("POST", r":countTokens$", gemini.count_tokens_reply),
    ("POST", r"/api/chat$", ollama.chat),
    ("POST", r"/api/generate$", ollama.generate),
    ("POST", r"/api/embed$", ollama.embed),
    ("GET", r"/api/tags$", ollama.tags),
    ("GET", r"/v1beta/models$", gemini.models),
    ("GET", r"/models$", openai_lists.models),
)
_TABLE = tuple((method, re.compile(pattern), answer) for method, pattern, answer in _PATHS)
_ANSWERS = (openai_chat.chat, anthropic.messages)  # those that may be asked to go on with what was begun
_LIVE = re.compile(r"/ws/google\.[\w.]+Service[./]BidiGenerateContent(?:Constrained)?$")
# How Anthropic's newer models refuse one: https://platform.claude.com/docs/en/about-claude/models/migration-guide
_BEDROCK = re.compile(r"/model/.+/[a-z-]+$")


@dataclass(frozen=True, slots=True)
class Target:
    """A request's path and query, decoded."""

    path: str
    query: Mapping[str, str]

    @classmethod
    def of(cls, received: Received) -> "Target":
        """Read a raw target."""
        path, _, query = received.path.partition("?")  # no urlsplit: google-genai's Live begins with two slashes
        return cls(unquote(path), dict(parse_qsl(query, keep_blank_values=True)))


def reply_to(received: Received, script: Script, now: float) -> Reply:
    """The reply to a request, as the script wants it; bad requests get the API's own error."""
    target = Target.of(received)
    failure = _failure(received, target)
    if failure is bedrock.error and (problem := problem_of(received)):
        return bedrock.refusal(403, problem)
    if script.status >= 400:
        return _with_retry_after(failure(script, script.status), script)
    answer = next((a for m, pattern, a in _TABLE if m == received.method and pattern.search(target.path)), None)
    if answer is None:
        return failure(script, 404)
    try:
        call = _call(received, target, script, now)
    except ValueError:
        return failure(script, 400)
    if answer in _ANSWERS and (no_prefill := prefill.refusal(call, anthropic=answer is anthropic.messages)):
        return failure(replace(script, message=no_prefill), 400)
    reply = answer(call)
    if script.error_after is not None and not reply.streamed:
        return replace(failure(script, 500), status=200)  # a 200 that holds an error, as OpenRouter sends
    return reply


def session_for(received: Received, clock: Callable[[], float]) -> Session | None:
    """The API behind a WebSocket's path, None where there is none."""
    target = Target.of(received)
    if target.path.endswith("/responses"):
        return ResponsesSession(target.path, clock)
    if _LIVE.search(target.path):
        return GeminiLiveSession(target.path, clock)
    return RealtimeSession(target.query, received, clock) if target.path.endswith("/realtime") else None


def refusal(received: Received, script: Script, status: int) -> Reply:
    """An error in the manner of the API at this place."""
    return _with_retry_after(_failure(received, Target.of(received))(script, status), script)


def script_error(received: Received, problem: str) -> Reply:
    """Tell a tester that the script itself is wrong."""
    reply = openai_errors.error(Script(), 400)
    data = compact({"error": {"message": f"simulated provider: {problem}", "type": "bad_script"}}).encode()
    return replace(reply, parts=(replace(reply.parts[0], data=data),))


def _call(received: Received, target: Target, script: Script, now: float) -> Call:
    if received.method == "GET":
        return Call.of(target.path, target.query, {}, script, now)
    text = decoded(received.body, (received.header("content-encoding") or "").lower())
    body = json.loads(text)
    if not isinstance(body, dict):
        raise ValueError("the body is not an object")
    return Call.of(target.path, target.query, body, script, now)


def _failure(received: Received, target: Target) -> Failure:
    """How the API at this place words its errors."""
    if _BEDROCK.search(target.path):
        return bedrock.error
    if "anthropic" in received.host or received.header("anthropic-version"):
        return anthropic.error
    if "googleapis" in received.host or "/v1beta/" in target.path or re.search(r"/models/[^/]+:\w+$", target.path):
        return gemini.error
    return ollama.error if target.path.startswith("/api/") else openai_errors.error


def _with_retry_after(reply: Reply, script: Script) -> Reply:
    if script.retry_after is None:
        return reply
    return replace(reply, headers=(*reply.headers, ("retry-after", script.retry_after)))
