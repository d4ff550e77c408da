"""Calls through our HTTP layer, as transcripts: what the client, the upstreams and the addons see, and when."""

import gc
import json
import weakref
from collections.abc import Callable

import pytest
from playbook import OPENAI, Answer, Playbook, request, response, response_head
from talk import DONE, EMAIL, PATH, ROLE, STOP, asks, attempts, chat, piece, record, said, text_of

from outwarden.flow.services import Services
from outwarden.flow.state import state_of

CALL_HOOKS = ["requestheaders", "request", "responseheaders", "response", "call_end"]

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
    assert play.hooks == CALL_HOOKS[:-1]


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
    error = b'{"error": {"message": "bad", "code": "invalid_value"}}'
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


@pytest.mark.parametrize("hint", [response_head(103, {"link": "</a>; rel=preload"}), b"HTTP/1.1 100 \r\n\r\n"])
@pytest.mark.parametrize("cut", [5, 20, 1000])
def test_an_informational_answer_is_passed_over(play: Playbook, services: Services, hint: bytes, cut: int) -> None:
    """mitmproxy takes a 103 over HTTP/1 for the whole answer; here the answer follows, and nobody is asked twice."""
    play.says(asks())
    answer = hint * 2 + response(200, said("late"))
    play.upstream.says(answer[:cut])
    play.upstream.says(answer[cut:] or b"")

    assert play.answer.body == said("late")
    assert attempts(services) == [("original", "ok", 200)]
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
def test_reply_trailers_are_dropped(play: Playbook, stream: bool) -> None:
    """mitmproxy's HTTP/1 fails on trailers; nobody scans them, so they stay here, and the reply goes on."""
    play.says(asks(stream=stream))
    kind = "text/event-stream" if stream else "application/json"
    play.upstream.says(response_head(200, {"content-type": kind, "transfer-encoding": "chunked"}))
    play.upstream.chunk(ROLE + piece("one ") + STOP + DONE if stream else said("hi"))
    play.upstream.says(b"0\r\nx-checksum: 1\r\n\r\n")

    assert play.answer.complete
    assert text_of(play.answer.body) == "one " if stream else play.answer.body == said("hi")
    assert b"checksum" not in play.client_got
    assert not play.client_closed


def test_answers_are_read_as_sent() -> None:
    """The test's own reader tells a whole answer from a cut one."""
    whole = response(200, b"abc")

    assert Answer(whole).complete
    assert not Answer(whole[:-1]).complete


@pytest.mark.parametrize("stream", [False, True])
def test_nothing_is_kept_of_a_call_that_has_ended(play: Playbook, *, stream: bool) -> None:
    """Neither the flow nor what we know of it, while the connection goes on: a proxy lives for months."""
    flows, states = [], []
    for _ in range(20):
        play.says(asks(stream=stream))
        play.upstream.streams(ROLE, piece("hi"), STOP, DONE, b"") if stream else play.upstream.says(
            response(200, said("hi"))
        )
        assert play.flow
        flows.append(weakref.ref(play.flow))
        states.append(weakref.ref(state_of(play.flow)))
    play.flow = None
    play.passes(200)  # timers still know their streams
    gc.collect()
    gc.collect()  # what the first one freed let go of the rest

    assert [ref() for ref in flows + states] == [None] * 40
