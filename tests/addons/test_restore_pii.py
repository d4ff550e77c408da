"""Replies: the caller's own values come back, new personal data is masked, what cannot be read is stopped."""

import gzip
import json
from typing import Any

import pytest
from playbook import Playbook, request, response, response_head
from talk import BILL, DONE, EMAIL, ROLE, STOP, USAGE, asks, error_of, piece, record, said, text_of

from outwarden.flow.services import Services
from outwarden.simulate.faults import Encoder

STRANGER = "bo.fennick@brightquill-mail.com"


def placeholder(play: Playbook) -> str:
    """The name that the upstream was given for the address in the request."""
    return f"[EMAIL_ADDRESS_{play.upstream.got.rpartition(b'[EMAIL_ADDRESS_')[2].partition(b']')[0].decode()}]"


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_a_streamed_value_comes_back_at_every_cut(play: Playbook, services: Services, size: int) -> None:
    """However the placeholder is cut into pieces, the client reads its own value, and no placeholder."""
    play.says(asks(text=f"to {EMAIL}", stream=True))
    text = f"I wrote to {placeholder(play)}, twice."
    play.upstream.streams(ROLE, *(piece(text[at : at + size]) for at in range(0, len(text), size)), STOP, DONE, b"")

    assert text_of(play.answer.body) == f"I wrote to {EMAIL}, twice."
    assert record(services)["restored"] == 1
    assert play.flow
    assert not play.flow.response or EMAIL.encode() not in (play.flow.response.raw_content or b"")


@pytest.mark.parametrize("stream", [False, True])
def test_somebody_elses_address_is_masked(play: Playbook, services: Services, stream: bool) -> None:
    """Personal data that the request did not have does not reach the client."""
    play.says(asks(stream=stream))
    if stream:
        play.upstream.streams(ROLE, piece(f"ask {STRANGER} "), piece("today"), STOP, DONE, b"")
        assert text_of(play.answer.body) == "ask [EMAIL_ADDRESS] today"
    else:
        play.upstream.says(response(200, said(f"ask {STRANGER} today")))
        assert b"ask [EMAIL_ADDRESS] today" in play.answer.body

    assert STRANGER.encode() not in play.client_got
    assert record(services)["redactions"]["response"] == {"EMAIL_ADDRESS": 1}
    assert record(services)["restored"] == 0


def test_a_compressed_reply_is_read(play: Playbook) -> None:
    """A whole reply may come compressed; where it changes, it goes on unpacked."""
    play.says(asks())
    body = gzip.compress(said(f"ask {STRANGER}"))
    play.upstream.says(response(200, body, {"content-encoding": "gzip"}))

    assert "content-encoding" not in play.answer.headers
    assert b"ask [EMAIL_ADDRESS]" in play.answer.body
    assert play.answer.complete


@pytest.mark.parametrize("offer", ["gzip", "br, gzip;q=0.5", "*"])
def test_a_compressed_reply_without_a_finding_stays_packed(play: Playbook, services: Services, offer: str) -> None:
    """Nothing found: the same bytes, and the usage in them was read."""
    play.says(asks(headers={"accept-encoding": offer}))
    body = gzip.compress(said("hi"))
    play.upstream.says(response(200, body, {"content-encoding": "gzip"}))

    assert play.answer.body == (said("hi") if offer == "*" else body)  # of "anything" we ask only for what we read
    assert record(services)["usage"]["output_tokens"] == USAGE["completion_tokens"]


@pytest.mark.parametrize("headers", [{}, {"accept-encoding": "br"}, {"accept-encoding": "gzip;q=0, br"}])
def test_a_client_gets_no_encoding_that_it_did_not_ask_for(play: Playbook, headers: dict[str, str]) -> None:
    """An upstream may compress unasked; the client then gets the reply as it is."""
    play.says(asks(headers=headers))
    body = gzip.compress(said("hi"))
    play.upstream.says(response(200, body, {"content-encoding": "gzip", "content-md5": "x"}))

    assert play.answer.body == said("hi")
    assert not {"content-encoding", "content-md5"} & set(play.answer.headers)
    assert play.answer.complete


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip"])
def test_a_stream_that_is_compressed_all_the_same_leaves_event_by_event(play: Playbook, encoding: str) -> None:
    """We ask for a stream as it is; where it comes compressed, each event leaves when it has come."""
    play.says(asks(stream=True, headers={"accept-encoding": "gzip"}))
    assert b"accept-encoding: identity" in play.upstream.got
    layers = [Encoder("gzip") for _ in encoding.split(",")]

    def pack(data: bytes) -> bytes:
        for layer in layers:
            data = layer.feed(data)
        return data

    head = {"content-type": "text/event-stream", "transfer-encoding": "chunked", "content-encoding": encoding}
    play.upstream.says(response_head(200, head))
    for number in range(3):
        play.upstream.chunk(pack(piece(f"word{number} ")))
        assert play.client_got.endswith(b"\r\n" + piece(f"word{number} ") + b"\r\n")
    play.upstream.chunk(pack(STOP + DONE))

    assert "content-encoding" not in play.answer.headers


def test_a_stream_without_a_type_is_the_one_that_was_asked_for(play: Playbook) -> None:
    """Nothing else comes from this API: it is restored and settled, and leaves event by event."""
    play.says(asks(text=f"to {EMAIL}", stream=True))
    name = play.upstream.got.rpartition(b"to ")[2].partition(b'"')[0].decode()
    play.upstream.says(response_head(200, {"transfer-encoding": "chunked"}))
    play.upstream.chunk(piece(f"{name}, hello "))

    assert EMAIL.encode() in play.client_got


@pytest.mark.parametrize("size", [1, 50, 10_000])
@pytest.mark.parametrize("type_", ["application/json", "text/plain; charset=utf-8", "application/octet-stream"])
def test_a_stream_is_one_whatever_its_type_says(play: Playbook, services: Services, type_: str, size: int) -> None:
    """It was asked for: what is cut is restored or masked, it leaves as it comes, and its usage counts."""
    play.says(asks(text=f"to {EMAIL}", stream=True))
    name, half = placeholder(play), len(STRANGER) // 2
    words = ["I ", name[:9], name[9:], " and ", STRANGER[:half], STRANGER[half:], " too"]
    stream = b": wait\n\n" + ROLE + b"".join(map(piece, words)) + STOP + BILL + DONE
    play.upstream.streams(head=response_head(200, {"content-type": type_, "transfer-encoding": "chunked"}))
    for at in range(0, len(stream), size):
        play.upstream.chunk(stream[at : at + size])
        if at + size > len(stream) - len(STOP + BILL + DONE):
            assert EMAIL.encode() in play.client_got
    play.upstream.chunk(b"")

    assert text_of(play.answer.body) == f"I {EMAIL} and [EMAIL_ADDRESS] too"
    assert play.answer.headers["content-type"] == type_
    assert play.answer.complete
    assert record(services)["usage"] == {"input_tokens": 9, "output_tokens": 2}


def test_a_whole_reply_to_who_asked_for_a_stream_is_read_whole(play: Playbook, services: Services) -> None:
    """Its type says JSON, and so it is, though a text in it reads like an event."""
    play.says(asks(text=f"to {EMAIL}", stream=True))
    body = said(f"data: {placeholder(play)}")
    play.upstream.says(response(200, body))

    assert play.answer.body == body.replace(placeholder(play).encode(), EMAIL.encode())
    assert record(services)["usage_source"] == "provider"


def test_encoded_media_is_read(play: Playbook) -> None:
    """What is encoded could be anything, whatever its type says."""
    play.says(request("/v1/audio/speech", b'{"model": "tts-1", "input": "hello"}', {"accept-encoding": "gzip"}))
    body = gzip.compress(said(f"write to {EMAIL}"))
    play.upstream.says(response(200, body, {"content-type": "audio/mpeg", "content-encoding": "gzip"}))

    assert EMAIL.encode() not in play.client_got
    assert b"EMAIL_ADDRESS" in play.answer.body


def test_a_compressed_error_in_a_200_moves_the_call_on(play: Playbook) -> None:
    """Compression does not hide it."""
    play.says(asks(headers={"accept-encoding": "gzip"}))
    error = gzip.compress(b'{"error": {"message": "overloaded", "code": 529}}')
    play.upstream.says(response(200, error, {"content-encoding": "gzip"}))
    play.upstream.says(response(200, said("spare")))

    assert play.answer.body == said("spare")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"choices": [', {}),
        (b"no gzip", {"content-encoding": "gzip"}),
        (b"{}", {"content-encoding": "exi"}),
        (gzip.compress(b"{}") + b"hidden", {"content-encoding": "gzip"}),
    ],
)
def test_a_reply_that_cannot_be_read_is_stopped(
    play: Playbook, services: Services, body: bytes, headers: dict[str, str]
) -> None:
    """What we cannot read does not go on unread; the provider did its work, so it is charged."""
    play.says(asks())
    play.upstream.says(response(200, body, headers))

    assert play.answer.status == 502
    assert json.loads(play.answer.body)["error"]["code"] == "reply_unreadable"
    assert b"hidden" not in play.client_got
    assert record(services)["verdict"] == "error"
    assert float(record(services)["cost_usd"]) > 0


@pytest.mark.parametrize(
    "page", [b"<html>upstream says no to " + STRANGER.encode() + b"</html>", b'{"error": "' + STRANGER.encode() + b'"']
)
def test_an_error_page_is_read_as_text(play: Playbook, page: bytes) -> None:
    """Error pages lie about their type; their status reaches the client, personal data does not."""
    play.says(asks("gpt-4o-mini"))
    play.upstream.says(response(400, page))

    assert play.answer.status == 400
    assert play.answer.body == page.replace(STRANGER.encode(), b"[EMAIL_ADDRESS]")


def test_each_attempt_restores_for_itself(play: Playbook, services: Services) -> None:
    """What a failed attempt said is not counted."""
    play.says(asks(text=f"to {EMAIL}", stream=True))
    name = placeholder(play)
    play.upstream.streams(ROLE)
    play.upstream.breaks()
    play.upstream.streams(ROLE, piece(f"to {name} "), STOP, DONE, b"")

    assert text_of(play.answer.body) == f"to {EMAIL} "
    assert record(services)["restored"] == 1


def test_a_stream_of_unreadable_frames_is_refused(play: Playbook, services: Services) -> None:
    """An AWS event stream whose checksums are wrong is not passed on."""
    play.says(asks("gpt-4o-mini", stream=True))
    play.upstream.says(response(200, b"\0\0\0\x10" * 4, {"content-type": "application/vnd.amazon.eventstream"}))

    assert play.answer.status == 502
    assert b"\0\0\0\x10" not in play.client_got
    assert record(services)["verdict"] == "failed"


def test_what_a_cut_stream_said_of_itself_is_kept(play: Playbook, services: Services) -> None:
    """Usage and model that came before the cut are the record's."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("one "), BILL)
    play.upstream.breaks()

    assert error_of(play.answer.body) == "upstream_cut"
    assert record(services)["usage"] == {"input_tokens": 9, "output_tokens": 2}
    assert record(services)["served"]["model"] == "gpt-4o"


def test_a_200_that_is_only_an_error_moves(play: Playbook, services: Services) -> None:
    """OpenRouter answers 200 with nothing but an error in it."""
    play.says(asks())
    play.upstream.says(response(200, b'{"error": {"message": "busy", "code": 502}}'))
    play.upstream.says(response(200, said("spare")))

    assert play.answer.body == said("spare")
    assert [each["outcome"] for each in record(services)["attempts"]] == ["5xx", "ok"]


def test_an_answer_about_errors_is_an_answer(play: Playbook, services: Services) -> None:
    """The word alone does not make it one."""
    body: Any = json.loads(said('it says "error"'))
    play.says(asks())
    play.upstream.says(response(200, json.dumps(body | {"error": None}).encode()))

    assert len(play.upstreams) == 1
    assert record(services)["verdict"] == "allowed"
