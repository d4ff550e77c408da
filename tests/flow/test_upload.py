"""Requests on their way in: refused as early as can be, bounded in bytes and time, and the connection goes on."""

import json
from collections.abc import Callable

import pytest
from playbook import Playbook, request, response
from talk import EMAIL, PATH, asks, chat, record, said

from outwarden.flow import upload
from outwarden.flow.services import Services

HOOKS = ["requestheaders", "responseheaders", "response", "call_end"]


@pytest.fixture(scope="module")
def small(open_services: Callable[..., Services]) -> Services:
    """Services that take bodies of at most 1 KiB, and no path that they do not know."""
    return open_services(traffic={"max_body_mib": 0.001, "unknown_path": "refuse"})


def head_of(whole: bytes) -> bytes:
    """A request's head."""
    return whole.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def chunked(body: bytes, size: int, trailers: bytes = b"") -> bytes:
    """A request with its body in chunks."""
    lines = [line for line in head_of(asks()).split(b"\r\n")[:-2] if not line.startswith(b"content-length")]
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"\r\n".join([*lines, b"transfer-encoding: chunked", b"", b""]) + chunks + b"0\r\n" + trailers + b"\r\n"


def code(play: Playbook) -> str:
    """The code of the error that the client got."""
    return str(json.loads(play.answer.body)["error"]["code"])


def test_an_announced_length_is_refused_unread(open_play: Callable[..., Playbook], small: Services) -> None:
    """The head says that the body is too long: the answer does not wait for the body, which is then thrown away."""
    play = open_play(small)
    whole = asks(text="x" * 3000)
    play.says(head_of(whole))

    assert play.answer.status == 413
    assert play.answer.complete
    assert code(play) == "body_too_large"
    assert play.hooks == HOOKS
    assert record(small)["rule"] == "max_body_mib"
    assert record(small)["verdict"] == "refused"
    play.says(whole[len(head_of(whole)) :])
    play.client_got = b""
    play.says(asks())  # the connection goes on
    assert play.upstream.got.count(b"POST") == 1
    assert play.ended == 1


@pytest.mark.parametrize("size", [1, 100, 5000])
def test_a_chunked_body_is_refused_where_it_grows_too_long(
    open_play: Callable[..., Playbook], small: Services, size: int
) -> None:
    """In the middle of the body, once, and the next call is served on the same connection."""
    play = open_play(small)
    whole = chunked(chat(text="x" * 3000), size)
    for at in range(0, len(whole), 700):
        play.says(whole[at : at + 700])

    assert play.client_got.count(b"HTTP/1.1 ") == 1
    assert (play.answer.status, play.upstreams, play.ended) == (413, [], 1)
    play.client_got = b""
    play.says(asks())
    play.upstream.says(response(200, said("hi")))
    assert play.answer.body == said("hi")


def test_what_follows_a_refusal_is_read_within_a_bound(
    open_play: Callable[..., Playbook], small: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that goes on with its upload is cut off in the end; it was told so where that could be foreseen."""
    monkeypatch.setattr(upload, "DISCARD_BYTES", 2000)
    play = open_play(small)
    play.says(asks(text="x" * 5000)[:1500])
    assert (play.answer.status, play.answer.headers["connection"]) == (413, "close")
    assert not play.client_closed
    play.says(b"x" * 1500)

    assert play.client_closed
    assert play.ended == 1


def test_a_refused_upload_that_stops_is_left(open_play: Callable[..., Playbook], small: Services) -> None:
    """Neither does a client that sends nothing more hold the connection."""
    play = open_play(small)
    play.says(head_of(asks(text="x" * 3000)))
    play.passes(upload.DISCARD_S + 2)

    assert play.client_closed
    assert play.ended == 1


def test_a_body_is_not_invited_to_be_refused(open_play: Callable[..., Playbook], small: Services) -> None:
    """Expect: 100-continue gets the refusal instead, and the connection ends: a body may follow or not."""
    play = open_play(small)
    play.says(head_of(asks(text="x" * 3000, headers={"expect": "100-continue"})))

    assert b"100 Continue" not in play.client_got
    assert (play.answer.status, play.answer.headers["connection"]) == (413, "close")


def test_other_refusals_do_not_wait_for_the_body(open_play: Callable[..., Playbook], small: Services) -> None:
    """What the head alone forbids is refused by the head alone."""
    play = open_play(small)
    play.says(head_of(request("/v1/brand/new", chat())))

    assert (play.answer.status, code(play)) == (403, "path_refused")
    play.says(chat())
    play.client_got = b""
    play.says(asks())
    assert play.upstream.got


def test_an_upload_that_crawls_is_refused(play: Playbook, services: Services) -> None:
    """A byte a second is no upload; its memory is given back."""
    whole = asks(text="x" * 3000)
    play.says(whole[:400])
    for at in range(400, 400 + int(upload.UPLOAD_S) + 2):
        play.passes(1)
        play.says(whole[at : at + 1])

    assert (play.answer.status, code(play)) == (408, "upload_timeout")
    assert play.answer.headers["connection"] == "close"
    assert record(services)["rule"] == "upload_timeout"
    assert play.upstreams == []
    assert play.ended == 1


def test_a_slow_upload_that_keeps_its_pace_is_served(play: Playbook) -> None:
    """A slow line needs its time: what comes at the pace asked for may take longer than a minute."""
    whole = asks(text="x" * 200_000)
    for at in range(0, len(whole), 2000):
        play.says(whole[at : at + 2000])
        play.passes(1)
    play.upstream.says(response(200, said("hi")))

    assert play.clock.now > 1000 + upload.UPLOAD_S
    assert play.answer.body == said("hi")


def test_a_client_that_leaves_in_its_upload_is_on_record(play: Playbook, services: Services) -> None:
    """Nothing is sent, nothing is owed, and the record says who left."""
    play.says(asks(text="x" * 3000)[:1000])
    play.leaves()

    assert play.ended == 1
    assert record(services)["verdict"] == "client_gone"
    assert play.upstreams == []


def test_trailers_of_chunks_are_dropped(play: Playbook) -> None:
    """mitmproxy's HTTP/1 fails on them; nobody scans them, so they do not leave."""
    play.says(chunked(chat(), 10, b"x-secret: " + EMAIL.encode() + b"\r\n"))
    play.upstream.says(response(200, said("hi")))

    assert play.answer.body == said("hi")
    assert EMAIL.encode() not in play.upstream.got


def test_one_of_many_streams_is_refused(open_play: Callable[..., Playbook], small: Services) -> None:
    """On one HTTP/2 connection the others go on."""
    play = open_play(small, http2=True)
    assert play.h2
    good = play.h2.asks(PATH, chat(text="one"))
    bad = play.h2.asks(PATH, chat(text="x" * 5000))
    also = play.h2.asks(PATH, chat(text="two"))
    for upstream, text in zip(play.upstreams, ("one", "two"), strict=True):
        upstream.says(response(200, said(text)))

    assert play.h2.headers[bad][":status"] == "413"
    assert (play.h2.bodies[good], play.h2.bodies[also]) == (said("one"), said("two"))
    assert play.h2.ended == {good, bad, also}
    assert play.h2.reset == set()


FAULTS = {
    "two-lengths": b"content-length: 5\r\ncontent-length: 5\r\n",
    "length-and-chunked": b"content-length: 5\r\ntransfer-encoding: chunked\r\n",
    "gzip-chunked": b"transfer-encoding: gzip, chunked\r\n",
    "identity": b"transfer-encoding: identity\r\ncontent-length: 5\r\n",
    "folded": b"x-folded: one\r\n two\r\ncontent-length: 5\r\n",
    "nul": b"x-nul: a\0b\r\ncontent-length: 5\r\n",
    "space-in-name": b"content-length : 5\r\n",
}


@pytest.mark.parametrize("fault", [*FAULTS, "bare-lf", "bare-cr", "signed-length", "no-colon"])
def test_framing_with_two_meanings_is_refused(play: Playbook, services: Services, fault: str) -> None:
    """What another reader might cut in another place does not go on, and nothing after it is read as a request."""
    start = b"POST http://api.openai.com" + PATH.encode() + b" HTTP/1.1\r\nhost: api.openai.com\r\n"
    more = {
        "bare-lf": b"x: 1\ncontent-length: 5\r\n",
        "bare-cr": b"x: 1\rcontent-length: 9\r\ncontent-length: 5\r\n",
        "signed-length": b"content-length: +5\r\n",
        "no-colon": b"content-length 5\r\n",
    }
    body = b"5\r\nhello\r\n0\r\n\r\n" if "chunked" in fault else b"hello"
    play.says(start + {**FAULTS, **more}[fault] + b"\r\n" + body + asks())

    assert play.answer.status == 400
    assert play.client_got.count(b"HTTP/1.1 ") == 1
    assert json.loads(play.answer.body)["error"]
    assert b"mitmproxy" not in play.client_got
    assert play.upstreams == []
    assert play.client_closed
    if fault in FAULTS and fault not in ("two-lengths", "space-in-name"):
        assert record(services)["rule"] == "framing"
