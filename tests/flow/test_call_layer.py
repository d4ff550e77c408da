"""Calls through our HTTP layer, as transcripts: what the client, the upstreams and the addons see, and when."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from mitmproxy import http
from playbook import OPENAI, Answer, Playbook, request, response, response_head
from talk import BILL, DONE, EMAIL, PATH, ROLE, STOP, asks, attempts, chat, error_of, piece, record, said, text_of

from outwarden.flow.services import Services
from outwarden.flow.trip import Trip
from outwarden.wire.stream import StreamRewriter

CALL_HOOKS = ["requestheaders", "request", "responseheaders", "response"]


# -- traffic that is not ours -----------------------------------------------------------------------------------------


def test_other_traffic_is_untouched(play: Playbook) -> None:
    """A host that is not in the rules is mitmproxy's business: the same bytes both ways, personal data and all."""
    body = json.dumps({"text": EMAIL}).encode()
    play.says(request("/v1/chat/completions", body, host="else.example"))
    assert play.upstream.address == ("else.example", 80)
    assert play.upstream.got.endswith(b"\r\n\r\n" + body)

    answer = response(503, b'{"said": "' + EMAIL.encode() + b'"}', {"x-own": "1"})
    play.upstream.says(answer)

    assert play.client_got == answer
    assert len(play.upstreams) == 1
    assert play.hooks == CALL_HOOKS


def test_other_traffic_streams_at_once(play: Playbook) -> None:
    """What is not ours is not held: each byte goes on as it comes."""
    play.says(request("/events", b"", host="else.example", method="GET"))
    play.upstream.streams(ROLE)

    assert play.client_got.endswith(ROLE + b"\r\n")
    assert play._timers == []


def test_other_traffic_whose_client_leaves_is_torn(play: Playbook) -> None:
    """A client that leaves someone else's stream ends it, as mitmproxy does."""
    play.says(request("/events", b"", host="else.example", method="GET"))
    play.upstream.streams(ROLE)
    play.leaves()

    assert play.upstream.closed
    assert play.ended == 1


# -- whole replies ----------------------------------------------------------------------------------------------------


def test_a_whole_call(play: Playbook, services: Services) -> None:
    """A call without personal data leaves and comes back byte for byte, and is on record with its usage."""
    play.says(asks())
    assert play.upstream.address == (OPENAI, 80)
    assert play.upstream.got.endswith(b"\r\n\r\n" + chat())

    play.upstream.says(response(200, said("hi")))

    assert play.answer.status == 200
    assert play.answer.body == said("hi")
    assert play.answer.headers["x-outwarden-call-id"] == record(services)["call_id"]
    assert play.hooks == CALL_HOOKS
    assert record(services)["usage"] == {"input_tokens": 9, "output_tokens": 2}
    assert record(services)["verdict"] == "allowed"
    assert attempts(services) == [("original", "ok", 200)]


def test_the_client_gets_its_own_values_back_and_the_flow_does_not(play: Playbook) -> None:
    """The placeholder leaves, the value comes back to the client; the flow, which others may look at, has no value."""
    play.says(asks(text=f"write to {EMAIL}"))
    assert EMAIL.encode() not in play.upstream.got
    placeholder = play.upstream.got.partition(b"write to ")[2].partition(b'"')[0].decode()

    play.upstream.says(response(200, said(f"I wrote to {placeholder}.")))

    assert json.loads(play.answer.body)["choices"][0]["message"]["content"] == f"I wrote to {EMAIL}."
    assert play.answer.complete
    assert play.flow
    assert play.flow.response
    assert EMAIL not in (play.flow.response.text or "")
    assert EMAIL not in (play.flow.request.text or "")


def test_two_calls_on_one_connection(play: Playbook) -> None:
    """The client's connection and the upstream's serve the next call, too."""
    for text in ("one", "two"):
        play.client_got = b""
        play.says(asks(text=text))
        play.upstream.says(response(200, said(text)))
        assert play.answer.body == said(text)

    assert len(play.upstreams) == 1
    assert play.ended == 2
    assert not play.client_closed


@pytest.mark.parametrize(
    "answer", [response(200, b""), response_head(204, {}), response(400, b""), response(200, b" \n")], ids=repr
)
def test_a_reply_without_a_body(play: Playbook, answer: bytes) -> None:
    """An empty reply is a reply; the next call follows on the same connection."""
    play.says(asks())
    play.upstream.says(answer)

    assert play.answer.status == int(answer.split()[1])
    assert play.ended == 1
    play.client_got = b""
    play.says(asks())
    play.upstream.says(response(200, said("hi")))
    assert play.answer.body == said("hi")


def test_a_head_request(play: Playbook) -> None:
    """HEAD: headers of a body that does not come."""
    play.says(request("/v1/models", b"", method="HEAD"))
    play.upstream.says(response_head(200, {"content-length": "512", "content-type": "application/json"}))

    assert play.answer.status == 200
    assert play.answer.headers["content-length"] == "512"
    assert play.answer.body == b""
    assert play.hooks == CALL_HOOKS


def test_an_error_of_the_caller_is_its_own(play: Playbook, services: Services) -> None:
    """A 400 is the caller's answer: no other upstream is asked, and nothing is charged."""
    play.says(asks())
    error = b'{"error": {"message": "bad", "code": "context_length_exceeded"}}'
    play.upstream.says(response(400, error))

    assert (play.answer.status, play.answer.body) == (400, error)
    assert len(play.upstreams) == 1
    assert record(services)["cost_usd"] == "0"


def test_media_passes_as_it_comes(play: Playbook) -> None:
    """Sound has no text: it is neither held nor read, and keeps its length."""
    play.says(request("/v1/audio/speech", json.dumps({"model": "tts-1", "input": "hello"}).encode()))
    play.upstream.says(response_head(200, {"content-type": "audio/mpeg", "content-length": "6"}))
    play.upstream.says(b"\xff\xfb\x90")
    assert play.answer.headers["content-length"] == "6"
    assert play.answer.body == b"\xff\xfb\x90"
    play.upstream.says(b"\0\0\0")

    assert play.answer.complete
    assert play.hooks == CALL_HOOKS


def test_text_that_claims_to_be_media_is_read(play: Playbook) -> None:
    """A JSON body under a media type does not slip past the scanner."""
    play.says(request("/v1/audio/speech", json.dumps({"model": "tts-1", "input": "hello"}).encode()))
    play.upstream.says(response(200, said(f"write to {EMAIL}"), {"content-type": "audio/mpeg"}))

    assert EMAIL.encode() not in play.client_got
    assert b"EMAIL_ADDRESS" in play.answer.body


def test_a_picture_that_breaks_off_is_torn(play: Playbook) -> None:
    """What we do not read cannot end in an error event: the connection is torn, so that it does not look complete."""
    play.says(request("/v1/audio/speech", json.dumps({"model": "tts-1", "input": "hello"}).encode()))
    play.upstream.says(response_head(200, {"content-type": "audio/mpeg", "content-length": "6"}) + b"\xff")
    play.upstream.breaks()

    assert play.client_closed
    assert not play.answer.complete
    assert play.ended == 1


# -- bounds -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(open_services: Callable[..., Services]) -> Services:
    """Services that take bodies of at most 1 KiB."""
    return open_services(traffic={"max_body_mib": 0.001})


def test_a_request_that_is_too_long_is_refused(open_play: Callable[..., Playbook], small: Services) -> None:
    """An upload beyond the limit is read, not kept, and answered in the provider's shape; nothing is sent."""
    play = open_play(small)
    whole = asks(text="x" * 3000)
    play.says(whole[:2000])
    play.says(whole[2000:])

    assert play.answer.status == 413
    assert json.loads(play.answer.body)["error"]["code"] == "body_too_large"
    assert play.upstreams == []
    play.client_got = b""
    play.says(asks())  # the connection goes on
    assert play.upstream.got


def test_a_whole_reply_that_is_too_long_is_stopped(open_play: Callable[..., Playbook], small: Services) -> None:
    """A reply beyond the limit is left, and the client gets an error instead of half of it."""
    play = open_play(small)
    play.says(asks())
    play.upstream.says(response_head(200, {"content-type": "application/json", "content-length": "5000"}))
    play.upstream.says(b'{"x": "' + b"y" * 2000)

    assert play.answer.status == 502
    assert json.loads(play.answer.body)["error"]["code"] == "reply_too_large"
    assert play.upstream.closed
    assert play.ended == 1


def test_a_stream_is_not_bound_by_the_length_of_bodies(open_play: Callable[..., Playbook], small: Services) -> None:
    """A stream is never gathered, so a long answer is no reason to stop it."""
    play = open_play(small)
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, *(piece("word " * 40) for _ in range(30)), STOP, DONE, b"")

    assert play.answer.complete
    assert text_of(play.answer.body) == "word " * 1200


# -- streams ----------------------------------------------------------------------------------------------------------


def test_a_stream_is_held_until_its_first_content(play: Playbook) -> None:
    """Lifecycle events alone do not commit: nothing reaches the client before there is something to say."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE)
    assert play.client_got == b""
    assert play.hooks == ["requestheaders", "request"]

    play.upstream.chunk(piece("Well, "))

    assert play.hooks == CALL_HOOKS[:3]
    assert play.answer.status == 200
    assert play.answer.body.startswith(ROLE)


def test_a_stream_stays_a_stream(play: Playbook) -> None:
    """After the first content each word reaches the client before the next one is there."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE)
    for count, word in enumerate(["one", "two", "three", "four"]):
        play.upstream.chunk(piece(f" {word}"))
        assert len(text_of(play.answer.body).split()) >= count
    for last in (STOP, DONE, b""):
        play.upstream.chunk(last)

    assert text_of(play.answer.body) == " one two three four"
    assert play.answer.body.endswith(DONE)
    assert play.answer.complete
    assert play.hooks == CALL_HOOKS


def test_an_unchanged_stream_is_the_same_bytes(play: Playbook) -> None:
    """Nothing found: event for event what the upstream sent, whatever the chunks were."""
    play.says(asks(stream=True, stream_options={"include_usage": True}))
    stream = ROLE + piece("Hello") + piece(" there, all is well.") + STOP + BILL + DONE
    play.upstream.streams(*(stream[at : at + 7] for at in range(0, len(stream), 7)), b"")

    assert play.answer.body == stream
    assert play.answer.complete


def test_usage_that_we_asked_for_stays_with_us(play: Playbook, services: Services) -> None:
    """A client that did not ask for the usage event does not get it, and the call is charged by it all the same."""
    play.says(asks(stream=True))
    assert b"include_usage" in play.upstream.got
    play.upstream.streams(ROLE, piece("hi"), STOP, BILL, DONE, b"")

    assert play.answer.body == ROLE + piece("hi") + STOP + DONE
    assert record(services)["usage"] == {"input_tokens": 9, "output_tokens": 2}
    assert record(services)["usage_source"] == "provider"
    assert record(services)["stream"] is True


def test_a_stream_that_says_nothing_ends_all_the_same(play: Playbook) -> None:
    """An answer without content is committed at its end."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, STOP, DONE, b"")

    assert play.answer.body == ROLE + STOP + DONE
    assert play.answer.complete


def test_a_long_prelude_is_not_held_for_ever(play: Playbook) -> None:
    """A stream that sends and sends without content is let go at a bound."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE)
    for _ in range(300):
        if play.client_got:
            break
        play.upstream.chunk(b": " + b"wait " * 200 + b"\n\n")

    assert 0 < len(play.client_got) < 300 * 1024
    assert not play.upstream.closed


def test_a_stream_that_announces_a_length_is_sent_in_chunks(play: Playbook) -> None:
    """What leaves the stages has another length than what came; the header must not promise the old one."""
    play.says(asks(stream=True))
    stream = ROLE + piece("hi") + DONE
    play.upstream.says(response(200, stream, {"content-type": "text/event-stream"}))

    assert "content-length" not in play.answer.headers
    assert play.answer.complete
    assert play.answer.body == stream


def test_a_compressed_stream_is_read(play: Playbook) -> None:
    """An upstream that compresses although we asked it not to is read all the same."""
    import gzip

    play.says(asks(stream=True))
    assert b"accept-encoding: identity" in play.upstream.got.lower()
    packed = gzip.compress(ROLE + piece("hi") + DONE)
    play.upstream.says(response(200, packed, {"content-type": "text/event-stream", "content-encoding": "gzip"}))

    assert play.answer.body == ROLE + piece("hi") + DONE
    assert "content-encoding" not in play.answer.headers


@pytest.mark.parametrize("encoding", ["exi", "gzip"])
def test_a_stream_that_cannot_be_decoded_is_refused(play: Playbook, encoding: str) -> None:
    """An encoding that we do not know, or that the bytes are not, is refused; nothing unread reaches the client."""
    play.says(asks(stream=True))
    play.upstream.says(response(200, b"hidden", {"content-type": "text/event-stream", "content-encoding": encoding}))

    assert play.answer.status == 502
    assert json.loads(play.answer.body)["error"]["code"] == "outwarden_error"
    assert b"hidden" not in play.client_got
    assert play.ended == 1


# -- headers, trailers, informational answers -------------------------------------------------------------------------


def test_expect_continue_is_answered(play: Playbook) -> None:
    """A client that waits for 100 Continue gets it, and the upstream does not see the header."""
    head, _, body = asks(headers={"expect": "100-continue"}).partition(b"\r\n\r\n")
    play.says(head + b"\r\n\r\n")
    assert play.client_got.startswith(b"HTTP/1.1 100 ")
    play.client_got = b""
    play.says(body)
    play.upstream.says(response(200, said("hi")))

    assert b"expect" not in play.upstream.got.lower()
    assert play.answer.body == said("hi")


def test_an_early_hint_leaves_no_client_waiting(play: Playbook) -> None:
    """mitmproxy takes a 103 over HTTP/1 for the whole answer; the call then moves on or ends, it does not hang."""
    play.says(asks("gpt-4o-mini"))
    play.upstream.says(response_head(103, {"link": "</a>; rel=preload"}))
    play.upstream.says(response(200, said("hi")))

    assert play.answer.status == 502
    assert play.ended == 1


def test_a_chunked_upload_is_read_before_it_leaves(play: Playbook) -> None:
    """A body of unknown length does not slip past the addons."""
    body = chat(text=f"to {EMAIL}")
    head, _, _ = asks(headers={"transfer-encoding": "chunked"}).partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"content-length")]
    play.says(b"\r\n".join(lines) + b"\r\n\r\n" + b"%x\r\n%s\r\n" % (len(body), body))
    assert play.upstreams == []
    play.says(b"0\r\n\r\n")

    assert play.upstream.got
    assert EMAIL.encode() not in play.upstream.got


# -- kills and refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hook", ["requestheaders", "request", "responseheaders", "response"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_killed_flow_ends_once(play: Playbook, hook: str, stream: bool) -> None:
    """Another addon may kill a flow in any hook: the client's connection is torn, and the call ends once."""

    def kill(name: str, flow: http.HTTPFlow) -> None:
        if name == hook and flow.killable:
            flow.kill()

    play.before = kill
    play.says(asks(stream=stream))
    if play.upstreams and stream:
        play.upstream.streams(ROLE, piece("hi"), DONE, b"")
    elif play.upstreams:
        play.upstream.says(response(200, said("hi")))

    assert play.client_closed
    assert play.ended == 1
    assert not play.answer.complete


def test_a_refused_call_leaves_nothing(play: Playbook, services: Services) -> None:
    """An answer of ours goes out through the same hooks; no connection is opened."""
    play.says(asks(text="my key is sk-proj-" + "aB3" * 16))

    assert play.answer.status == 403
    assert json.loads(play.answer.body)["error"]["code"] == "pii_refused"
    assert play.upstreams == []
    assert play.hooks == CALL_HOOKS
    assert record(services)["verdict"] == "refused"


# -- our own errors ---------------------------------------------------------------------------------------------------


def raising(*args: Any, **kwargs: Any) -> Any:
    """Fail as a bug would, with a value in the text that must not be shown."""
    raise RuntimeError(EMAIL)


@pytest.mark.parametrize(
    ("owner", "method"), [(Trip, "apply"), (Trip, "target"), (StreamRewriter, "feed"), (Trip, "succeed")]
)
def test_an_error_of_ours_is_an_answer(
    play: Playbook, services: Services, monkeypatch: pytest.MonkeyPatch, caplog: Any, owner: type, method: str
) -> None:
    """A bug before anything was sent to the client becomes an error in the provider's shape, and says no value."""
    monkeypatch.setattr(owner, method, raising)
    with caplog.at_level(logging.DEBUG):
        play.says(asks(stream=True))
        if play.upstreams and method == "succeed":
            play.upstream.says(response(200, said("hi")))
        elif play.upstreams:
            play.upstream.streams(ROLE, piece("hi"), DONE, b"")

    assert play.answer.status == 502
    assert json.loads(play.answer.body)["error"]["code"] == "outwarden_error"
    assert play.ended == 1
    assert record(services)["verdict"] == "error"
    assert EMAIL not in caplog.text


def test_an_error_of_ours_in_a_stream_is_its_last_event(
    play: Playbook, services: Services, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """A bug after the commit ends the stream with the format's error event and no clean end."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("one "), piece("two "))
    monkeypatch.setattr(StreamRewriter, "feed", raising)
    play.upstream.chunk(piece("three"))

    assert error_of(play.answer.body) == "outwarden_error"
    assert play.answer.complete
    assert b"[DONE]" not in play.answer.body
    assert b"three" not in play.answer.body
    assert play.upstream.closed
    assert play.ended == 1
    assert record(services)["verdict"] == "error"
    assert EMAIL not in caplog.text


def test_an_error_at_the_end_of_a_stream_is_its_last_event(play: Playbook, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails when the rest is let go ends the stream in the same way."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("one "), piece("two "))
    monkeypatch.setattr(StreamRewriter, "flush", raising)
    play.upstream.chunk(b"")

    assert error_of(play.answer.body) == "outwarden_error"
    assert play.answer.complete
    assert play.ended == 1


def test_the_last_resort_is_a_torn_connection(play: Playbook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even an error can be written, the connection is torn; the client never waits."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("one "), piece("two "))
    monkeypatch.setattr(StreamRewriter, "feed", raising)
    monkeypatch.setattr(Trip, "stop", raising)
    play.upstream.chunk(piece("three"))

    assert play.client_closed
    assert not play.answer.complete
    assert play.ended == 1


# -- HTTP/2 clients ---------------------------------------------------------------------------------------------------


def test_an_http2_client(open_play: Callable[..., Playbook]) -> None:
    """Streams of one connection are calls of their own, each with its own upstream connection."""
    play = open_play(http2=True)
    assert play.h2
    first = play.h2.asks(PATH, chat(text="one", stream=True))
    second = play.h2.asks(PATH, chat(text="two"))
    one, two = play.upstreams
    two.says(response(200, said("two")))
    one.streams(ROLE, piece("one"), STOP, DONE, b"")

    assert play.h2.bodies[second] == said("two")
    assert text_of(play.h2.bodies[first]) == "one"
    assert "transfer-encoding" not in play.h2.headers[first]
    assert play.h2.ended == {first, second}
    assert play.ended == 2


def test_request_trailers_leave_no_client_waiting(open_play: Callable[..., Playbook]) -> None:
    """Trailers of a request, which HTTP/1 upstreams do not get, do not stop the call."""
    play = open_play(http2=True)
    assert play.h2
    stream = play.h2.asks(PATH, chat(), trailers=[("x-checksum", "1")])
    play.upstream.says(response(200, said("hi")))

    assert play.h2.bodies[stream] == said("hi")
    assert stream in play.h2.ended


@pytest.mark.parametrize("stream", [False, True])
def test_reply_trailers_leave_no_client_waiting(play: Playbook, stream: bool) -> None:
    """mitmproxy's HTTP/1 fails on trailers: the client is let go, and the call ends once, in whatever way."""
    play.says(asks(stream=stream))
    kind = "text/event-stream" if stream else "application/json"
    play.upstream.says(response_head(200, {"content-type": kind, "transfer-encoding": "chunked"}))
    play.upstream.chunk(ROLE + piece("one ") if stream else said("hi"))
    play.upstream.says(b"0\r\nx-checksum: 1\r\n\r\n")
    assert play.client_closed

    play.passes(31)
    play.upstream.breaks()

    assert not play.answer.complete
    assert play.ended == 1


def test_answers_are_read_as_sent() -> None:
    """The test's own reader tells a whole answer from a cut one."""
    whole = response(200, b"abc")

    assert Answer(whole).complete
    assert not Answer(whole[:-1]).complete
