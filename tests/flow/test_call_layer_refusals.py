"""Which refusals are the caller's own, which another upstream may mend, and which are the operator's to mend."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fixtures import RULES, SPARE, route
from playbook import Playbook, request, response, response_head
from talk import DONE, ROLE, STOP, asks, attempts, error_of, event, piece, record, said

from outwarden.flow.services import Services

FILTERED = {"message": "Prompt triggered the content management policy.", "code": "content_filter", "type": None}
FLAGGED = {"message": "Your prompt was flagged.", "type": "invalid_request_error", "code": "invalid_prompt"}
BAD_KEY = {"error": {"message": "Incorrect API key provided: sk-inv***1234.", "code": "invalid_api_key"}}
OURS = {"bearer": "env:PATH"}  # any secret


@pytest.fixture
def keyed(open_services: Callable[..., Services]) -> Services:
    """A first upstream with a key of ours, then the others."""
    upstreams = {
        "ours": SPARE | {"url": "http://ours.example:8080/v1", "auth": OURS},
        "spare": SPARE | {"auth": OURS},
        "named": SPARE | {"url": "http://named.example:8080/v1", "model": {"gpt-4o": "gone"}},
    }
    routes = [
        route("lonely", "o3", ["ours"]),
        route("kept", "o4-mini", ["original", "spare"]),
        route("named", "gpt-4o", ["named", "spare"], retries=2),
        route("rest", "*", ["ours", "spare"], retries=2),
    ]
    return open_services(routes={"upstreams": upstreams, "routes": routes})


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("error", [FILTERED, FLAGGED])
def test_what_a_filter_refuses_is_passed_on(
    play: Playbook, services: Services, error: dict[str, Any], status: int, stream: bool
) -> None:
    """No other provider is asked for what one has refused, however it says so; the reason stays."""
    play.says(asks(stream=stream))
    if stream and status == 200:
        play.upstream.streams(ROLE, event({"error": error}), b"")
    else:
        play.upstream.says(response(status, json.dumps({"error": error}).encode()))

    assert len(play.upstreams) == 1
    assert play.answer.status == status
    assert str(error["code"]).encode() in play.answer.body
    assert [each[0] for each in attempts(services)] == ["original"]


def test_a_filter_that_ends_a_buffered_stream_is_passed_on(
    open_services: Callable[..., Services], open_play: Callable[..., Playbook]
) -> None:
    """Where whole answers are delivered, what was said until then and why it ended are."""
    whole = route("whole", "*", ["original", "spare"], rescue="buffer")
    play = open_play(open_services(routes=RULES["routes"] | {"routes": [whole]}))
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("well"), event({"error": FILTERED}), b"")

    assert len(play.upstreams) == 1
    assert error_of(play.answer.body) == "content_filter"


@pytest.mark.parametrize("status", [401, 403])
def test_an_upstream_that_does_not_take_our_key_is_left(
    open_play: Callable[..., Playbook], keyed: Services, status: int
) -> None:
    """The key is the operator's; the caller is served by the next upstream, after one try."""
    play = open_play(keyed)
    play.says(asks("gpt-5"))
    play.upstream.says(response(status, json.dumps(BAD_KEY).encode()))
    assert play.upstream.address[0] == "spare.example"
    play.upstream.says(response(200, said("hi")))

    assert play.answer.status == 200
    assert attempts(keyed) == [("ours", "5xx", status), ("spare", "ok", 200)]


def test_nobody_hears_of_a_key_that_is_not_theirs(open_play: Callable[..., Playbook], keyed: Services) -> None:
    """A client would take 401 for its own key's; the operator's is not shown in any part."""
    play = open_play(keyed)
    play.says(asks("o3"))
    play.upstream.says(response(401, json.dumps(BAD_KEY).encode()))

    assert play.answer.status == 502
    assert b"upstream_refused" in play.answer.body
    assert b"sk-" not in play.answer.body
    assert record(keyed)["verdict"] == "failed"


def test_the_callers_own_key_is_the_callers_own(open_play: Callable[..., Playbook], keyed: Services) -> None:
    """Where the caller's key went, its refusal goes back."""
    play = open_play(keyed)
    play.says(asks("o4-mini"))
    play.upstream.says(response(401, json.dumps(BAD_KEY).encode()))

    assert (play.answer.status, json.loads(play.answer.body)) == (401, BAD_KEY)
    assert len(play.upstreams) == 1


def test_a_model_that_the_rules_name_and_nobody_has(open_play: Callable[..., Playbook], keyed: Services) -> None:
    """A deployment that was deleted is the operator's to mend; the call goes on."""
    play = open_play(keyed)
    play.says(asks())
    play.upstream.says(response(404, b'{"error": {"code": "DeploymentNotFound", "message": "no such deployment"}}'))

    assert play.upstream.address[0] == "spare.example"


@pytest.mark.parametrize(
    "refused",
    [
        response(402, b'{"error": {"code": 402, "message": "Insufficient credits"}}'),
        response(400, b'{"error": {"type": "invalid_request_error", "message": "Your credit balance is too low"}}'),
        response(413, b'{"error": {"type": "tokens", "code": "rate_limit_exceeded", "message": "Request too large"}}'),
        response(400, b'{"message": "Please reduce the length", "code": "context_length_exceeded"}'),
    ],
)
def test_what_another_may_take_is_asked_of_another(play: Playbook, refused: bytes) -> None:
    """An empty account, more than a minute's share, a prompt that is too long without any ``error`` key."""
    play.says(asks())
    play.upstream.says(refused)

    assert play.upstream.address[0] == "spare.example"


def test_a_prompt_too_long_for_bedrock_moves(
    open_services: Callable[..., Services], open_play: Callable[..., Playbook]
) -> None:
    """Bedrock's errors are a bare message and a header."""
    spare = {"url": "http://spare.example:8080", "provider": "aws", "format": "bedrock", "model": "larger"}
    spare |= {"price": {"input_mtok": 0.2, "output_mtok": 0.2}}
    services = open_services(
        routes={"upstreams": {"spare": spare}, "routes": [route("rest", "*", ["original", "spare"])]},
        prices={"prices": [{"provider": "aws", "model": "*", "input_mtok": 1, "output_mtok": 1}]},
    )
    play = open_play(services)
    body = b'{"messages": [{"role": "user", "content": [{"text": "hi"}]}], "inferenceConfig": {"maxTokens": 9}}'
    play.says(request("/model/small/converse", body, host="bedrock-runtime.us-east-1.amazonaws.com"))
    too_long = b'{"message": "Input is too long for requested model."}'
    play.upstream.says(response(400, too_long, {"x-amzn-errortype": "ValidationException:http://internal/"}))

    assert play.upstream.address[0] == "spare.example"


def test_a_wait_in_milliseconds_is_kept(play: Playbook, services: Services) -> None:
    """OpenAI says when a minute's share is free again to the millisecond."""
    play.says(asks("gpt-4.1"))
    play.upstream.says(response(429, b'{"error": {}}', {"retry-after-ms": "2500", "retry-after": "3"}))
    play.passes(2.4)
    assert len(play.upstreams) == 1
    play.passes(0.5)
    assert len(play.upstreams) == 2
    play.upstream.says(response_head(200, {"content-type": "text/event-stream"}) + ROLE + piece("a") + STOP + DONE)


def test_a_history_with_another_ones_signatures_is_sent_again_without_them(play: Playbook, services: Services) -> None:
    """Turns that a fallback answered come back in the history; the first upstream gets them unsigned, at once."""
    block = {"type": "thinking", "thinking": "hm", "signature": "c3BhcmU="}
    body = {"model": "claude-sonnet-4-5", "max_tokens": 99, "messages": [{"role": "user", "content": "hi"}]}
    body["messages"] += [{"role": "assistant", "content": [block, {"type": "text", "text": "hello"}]}]  # type: ignore[operator]
    body["messages"] += [{"role": "user", "content": "go on"}]  # type: ignore[operator]
    play.says(request("/v1/messages", json.dumps(body).encode(), host="api.anthropic.com"))
    message = "messages.1.content.0: Invalid `signature` in `thinking` block"
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": message}}
    play.upstream.says(response(400, json.dumps(error).encode()))

    play.passes(0.1)
    assert play.upstream.address[0] == "api.anthropic.com"
    asked = json.loads(play.upstream.got.rpartition(b"\r\n\r\n")[2])
    assert asked["messages"][1]["content"] == [{"type": "text", "text": "hello"}]
    play.upstream.says(response(400, json.dumps(error).encode()))
    assert play.answer.status == 400
    assert attempts(services) == [("original", "foreign_signature", 400), ("original", "ok", 400)]


def test_an_upstream_that_nobody_can_sign_in_at_is_left(
    open_play: Callable[..., Playbook], open_services: Callable[..., Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret that is gone since the rules were read is a failure of that upstream, not the end of the call."""
    monkeypatch.setenv("SOME_KEY", "invented-key")
    upstreams = {
        "ours": SPARE | {"auth": {"bearer": "env:SOME_KEY"}},
        "third": SPARE | {"url": "http://third.example:8080/v1"},
    }
    services = open_services(routes={"upstreams": upstreams, "routes": [route("rest", "*", ["ours", "third"])]})
    monkeypatch.delenv("SOME_KEY")
    play = open_play(services)
    play.says(asks())
    assert play.upstream.address[0] == "third.example"
    play.upstream.says(response(200, said("hi")))

    assert attempts(services) == [("ours", "connect", None), ("third", "ok", 200)]


def test_what_is_dropped_by_rule_is_no_reason_not_to_translate(
    open_play: Callable[..., Playbook], open_services: Callable[..., Services]
) -> None:
    """An agent of Anthropic's always asks for thinking: the rules may say that it goes on without, elsewhere."""
    spare = SPARE | {"drop": ["thinking", "context_management", "metadata", "anthropic-beta"]}
    strict = spare | {"url": "http://strict.example:8080/v1", "refuse": ["metadata"], "drop": ["thinking"]}
    services = open_services(
        routes={
            "upstreams": {"strict": strict, "spare": spare},
            "routes": [route("rest", "*", ["original", "strict", "spare"])],
        }
    )
    play = open_play(services)
    body = {"model": "claude-sonnet-4-5", "max_tokens": 2000, "messages": [{"role": "user", "content": "hi"}]}
    body |= {"thinking": {"type": "enabled", "budget_tokens": 1024}, "context_management": {"edits": []}}
    body |= {"metadata": {"user_id": "u"}}
    play.says(request("/v1/messages", json.dumps(body).encode(), {"anthropic-beta": "x"}, host="api.anthropic.com"))
    assert b"anthropic-beta: x" in play.upstream.got
    play.upstream.says(response(529, b"{}"))

    assert play.upstream.address[0] == "spare.example"
    asked = json.loads(play.upstream.got.rpartition(b"\r\n\r\n")[2])
    assert asked.keys() <= {"model", "messages", "max_tokens", "max_completion_tokens"}
    assert b"anthropic-beta" not in play.upstream.got
    play.upstream.says(response(200, said("hello")))
    assert json.loads(play.answer.body)["content"] == [{"type": "text", "text": "hello"}]
    assert [each[:2] for each in attempts(services)] == [
        ("strict", "not_translatable"),
        ("original", "5xx"),
        ("spare", "ok"),
    ]
