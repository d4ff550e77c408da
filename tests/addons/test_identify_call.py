"""What call is this, and whose: host, path, key and headers decide; what we cannot read is refused in its own shape."""

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from playbook import Playbook, request, response
from talk import EMAIL, PATH, asks, chat, record, said

from outwarden.budget import key_id
from outwarden.flow.services import Services
from outwarden.identify_call import api_key, proxy_user

ALICE = "invented-key-of-alice"
CALLERS = {
    "callers": [
        {"match": {"api_key": key_id(ALICE)}, "user": "alice", "team": "support"},
        {"match": {"header": {"x-team": "^(?P<team>[a-z-]+)$"}}},
        {"match": {"proxy_user": "ci"}, "project": "ci"},
    ],
    "default": {"team": "unassigned"},
    "session": ["x-session"],
}


@pytest.fixture(scope="module")
def known(open_services: Callable[..., Services]) -> Services:
    """Services that know a few callers."""
    return open_services(callers=CALLERS)


def caller(services: Services) -> dict[str, Any]:
    """The caller on record, without what is not said."""
    return {name: value for name, value in record(services)["caller"].items() if value is not None}


def answered(play: Playbook, sent: bytes) -> bytes:
    """Send a request, answer it, return what the upstream got."""
    play.says(sent)
    play.upstream.says(response(200, said("hi")))
    return play.upstream.got


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"authorization": f"Bearer {ALICE}"}, {"user": "alice", "team": "support", "api_key_id": key_id(ALICE)}),
        ({"x-api-key": ALICE}, {"user": "alice", "team": "support", "api_key_id": key_id(ALICE)}),
        ({"x-team": "research"}, {"team": "research"}),
        ({"x-session": "run-1"}, {"team": "unassigned", "session": "run-1"}),
        ({}, {"team": "unassigned"}),
    ],
)
def test_the_caller_is_on_record(
    open_play: Callable[..., Playbook], known: Services, headers: dict[str, str], expected: dict[str, str]
) -> None:
    """By key, header or session; the key itself is nowhere on record."""
    answered(open_play(known), asks(headers=headers))

    assert caller(known) == expected | {"source": "127.0.0.1"}
    assert ALICE not in json.dumps(record(known))


def test_a_header_that_names_the_caller_stays_here(open_play: Callable[..., Playbook], known: Services) -> None:
    """A header that only says whose call it is, or signs in at the proxy, is not forwarded."""
    basic = base64.b64encode(b"ci:secret").decode()
    got = answered(open_play(known), asks(headers={"x-team": "research", "proxy-authorization": f"Basic {basic}"}))

    assert b"x-team" not in got.lower()
    assert b"proxy-authorization" not in got.lower()
    assert basic.encode() not in got


def test_a_proxy_user_is_a_caller(open_play: Callable[..., Playbook], known: Services) -> None:
    """``Proxy-Authorization`` on the request itself."""
    basic = base64.b64encode(b"ci:secret").decode()
    answered(open_play(known), asks(headers={"proxy-authorization": f"Basic {basic}"}))

    assert caller(known)["project"] == "ci"


@pytest.mark.parametrize(
    ("value", "user"),
    [
        ("Basic " + base64.b64encode(b"ci:x").decode(), "ci"),
        ("basic " + base64.b64encode(b"ci").decode(), "ci"),
        ("Basic " + base64.b64encode(b":x").decode(), None),
        ("Basic " + base64.b64encode(b"\xff\xfe").decode(), None),
        ("Basic !!!", None),
        ("Bearer abc", None),
        ("", None),
    ],
)
def test_odd_sign_ins_name_nobody(value: str, user: str | None) -> None:
    """What is no Basic sign-in names no user and raises nothing."""
    from mitmproxy import http

    assert proxy_user(http.Request.make("GET", "http://h/", b"", {"proxy-authorization": value})) == user


@pytest.mark.parametrize(
    ("headers", "path", "key"),
    [
        ({"authorization": "Bearer k1"}, "/", "k1"),
        ({"authorization": "k1"}, "/", "k1"),
        ({"x-api-key": "k2", "authorization": "Bearer k1"}, "/", "k2"),
        ({"api-key": "k3"}, "/", "k3"),
        ({"x-goog-api-key": "k4"}, "/?key=k5", "k4"),
        ({}, "/v1beta/models/m:generateContent?alt=sse&key=k5", "k5"),
        ({}, "/?monkey=k6", None),
        ({}, "/", None),
    ],
)
def test_where_a_key_travels(headers: dict[str, str], path: str, key: str | None) -> None:
    """Headers before the query, in the order of preference."""
    assert api_key(headers, path) == key


@pytest.mark.parametrize(
    ("host", "path", "provider", "operation"),
    [
        ("api.openai.com", "/v1/chat/completions", "openai", "chat"),
        ("API.OPENAI.COM.", "/v1/embeddings?x=1", "openai", "embeddings"),
        ("api.anthropic.com", "/v1/messages", "anthropic", "messages"),
    ],
)
def test_host_and_path_say_what_it_is(
    play: Playbook, services: Services, host: str, path: str, provider: str, operation: str
) -> None:
    """Provider, format and operation, in any spelling of the host."""
    model = "claude-sonnet-4-5" if provider == "anthropic" else "gpt-4o"
    play.says(request(path, chat(model), host=host))
    play.upstream.says(response(200, said("hi")))

    assert record(services)["provider"] == provider
    assert record(services)["operation"] == operation
    assert record(services)["model"] == model


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"upgrade": "websocket", "connection": "upgrade"}, 426, "websocket_not_supported"),
        ({"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}, 501, "not_supported"),
        ({"content-encoding": "exi"}, 400, "body_unreadable"),
        ({"content-encoding": "gzip"}, 400, "body_unreadable"),
    ],
)
def test_what_we_cannot_read_is_refused(
    play: Playbook, services: Services, headers: dict[str, str], status: int, code: str
) -> None:
    """Nothing is let through unread; the refusal says why, in the provider's shape, and is on record."""
    play.says(asks(headers=headers))

    assert play.answer.status == status
    assert json.loads(play.answer.body)["error"]["code"] == code
    assert play.upstreams == []
    assert record(services)["verdict"] == "refused"


@pytest.mark.parametrize("body", [b"{", b"[1, 2", b'{"a": 1} x', b"text"])
def test_a_body_that_is_not_what_it_says_is_refused(play: Playbook, body: bytes) -> None:
    """A body that says JSON and is none."""
    play.says(request(PATH, body))

    assert play.answer.status == 400
    assert play.upstreams == []


@pytest.mark.parametrize("rule", ["scan", "refuse", "pass"])
def test_paths_that_nobody_described(
    open_play: Callable[..., Playbook], open_services: Callable[..., Services], rule: str
) -> None:
    """``unknown_path``: scanned, refused, or let through as it is."""
    play = open_play(open_services(traffic={"unknown_path": rule}))
    body = json.dumps({"to": EMAIL}).encode()
    play.says(request("/v9/whatever", body))

    if rule == "refuse":
        assert play.answer.status == 403
        assert json.loads(play.answer.body)["error"]["code"] == "path_refused"
        assert play.upstreams == []
    else:
        assert (body in play.upstream.got) is (rule == "pass")


def test_a_compressed_request_is_read(play: Playbook) -> None:
    """What the caller compressed is scanned, too; without a finding it leaves as it came."""
    packed = gzip.compress(chat())
    got = answered(play, request(PATH, packed, {"content-encoding": "gzip"}))
    assert got.endswith(packed)

    packed = gzip.compress(chat(text=f"to {EMAIL}"))
    play.client_got = b""
    got = answered(play, request(PATH, packed, {"content-encoding": "gzip"}))
    assert b"to [EMAIL_ADDRESS_" in got
    assert got.count(b"content-encoding") == 1  # the first call's


@pytest.mark.parametrize("stream", [False, True])
def test_a_stream_is_asked_for_as_it_is(play: Playbook, stream: bool) -> None:
    """Only where our stages read it: a whole reply may come compressed."""
    play.says(asks(stream=stream, headers={"accept-encoding": "gzip, br"}))

    assert (b"accept-encoding: identity" in play.upstream.got) is stream


def test_a_signed_header_is_left(play: Playbook) -> None:
    """A caller who signed what it accepts gets its stream as it asked for it; we can read that, too."""
    signature = "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=accept-encoding;host, Signature=0"
    play.says(asks(stream=True, headers={"accept-encoding": "gzip", "authorization": signature}))

    assert b"accept-encoding: gzip" in play.upstream.got


def test_prompt_tokens_as_numbers_are_flagged(play: Playbook, services: Services) -> None:
    """Text that no scanner sees: the record says so."""
    body = json.dumps({"model": "text-embedding-3-small", "input": [1212, 318, 257]}).encode()
    play.says(request("/v1/embeddings", body))
    play.upstream.says(response(200, b'{"data": [], "usage": {"prompt_tokens": 3, "total_tokens": 3}}'))

    assert record(services)["flagged"] == {"token_ids": 1}


def test_prompt_tokens_as_numbers_are_refused_by_rule(
    open_play: Callable[..., Playbook], open_services: Callable[..., Services]
) -> None:
    """``token_ids: refuse``: the caller is told to send text."""
    play = open_play(open_services(traffic={"token_ids": "refuse"}))
    play.says(request("/v1/completions", json.dumps({"model": "gpt-4o", "prompt": [[1, 2], [3]]}).encode()))

    assert (play.answer.status, json.loads(play.answer.body)["error"]["code"]) == (403, "token_ids_refused")
    assert play.upstreams == []


def test_a_form_says_what_it_asks_for(play: Playbook, services: Services) -> None:
    """The model of a transcription stands in a field of its form."""
    fields = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-4o-transcribe\r\n'
    body = (
        fields
        + b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n\0\0\xff\xff\r\n--b--\r\n'
    )
    play.says(request("/v1/audio/transcriptions", body, {"content-type": "multipart/form-data; boundary=b"}))
    play.upstream.says(response(200, b'{"text": "hello"}'))

    assert (record(services)["model"], record(services)["flagged"]) == ("gpt-4o-transcribe", {"unread_body": 1})


GRPC = {"content-type": "application/grpc", "te": "trailers"}


def test_grpc_is_refused_in_its_own_shape(play: Playbook, services: Services) -> None:
    """HTTP 200, the status among the headers, no message: what a gRPC client takes for an answer."""
    play.says(request("/xai_api.Chat/GetCompletion", b"\0\0\0\0\0", GRPC, host="api.x.ai"))

    assert (play.answer.status, play.answer.body) == (200, b"")
    assert b"grpc-status: 12\r\n" in play.client_got
    assert b"grpc-message: grpc_not_supported: gRPC calls cannot be read" in play.client_got
    assert play.upstreams == []
    assert (record(services)["verdict"], record(services)["rule"]) == ("refused", "grpc_not_supported")


def test_grpc_passes_unread_by_rule(open_play: Callable[..., Playbook], open_services: Callable[..., Services]) -> None:
    """``grpc: tunnel``: the request leaves before it is complete, byte for byte, and the record says so."""
    services = open_services(traffic={"grpc": "tunnel"})
    play = open_play(services)
    body = b"\0\0\0\0\x1a" + EMAIL.encode()
    sent = request("/xai_api.Chat/GetCompletion", body, GRPC, host="api.x.ai")
    play.says(sent[:-4])
    assert play.upstream.got.endswith(body[:-4])
    play.says(sent[-4:])
    play.upstream.says(response(200, body, {"content-type": "application/grpc"}))

    assert body in play.client_got
    entry = record(services)
    assert (entry["flagged"], entry["operation"], entry["verdict"]) == ({"grpc": 1}, "grpc", "allowed")
