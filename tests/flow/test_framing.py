"""Headers and framing: one meaning for every reader, nothing of one hop on the next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import http
from playbook import Playbook, request, response, response_head
from talk import PATH, asks, chat, said

from outwarden.errors import BodyError
from outwarden.flow.framing import announced_bytes, check_reply, drop_one_hop_headers, fault_of, has_header, header_of

OLD = asks().replace(b" HTTP/1.1", b" HTTP/1.0")


def fields(*pairs: tuple[str, str]) -> http.Headers:
    """Headers in this order."""
    return http.Headers([(name.encode(), value.encode("latin-1")) for name, value in pairs])


@pytest.mark.parametrize(
    ("value", "length"), [("5", 5), ("", None), ("+5", None), ("5, 5", None), ("\u0665", None), ("9" * 30, None)]
)
def test_an_announced_length(value: str, length: int | None) -> None:
    """A number of bytes, or nothing that one could count on."""
    message = http.Request.make("POST", "http://a/")
    message.headers["content-length"] = value

    assert announced_bytes(message) == length


def test_what_is_for_one_hop_stays_here() -> None:
    """Hop-by-hop headers and ours leave; all others keep order, case and repetition."""
    call = http.Request.make("POST", "http://a/")
    kept = [("Host", "a"), ("Accept", "x"), ("Connection", "close, X-Hop, Host"), ("accept", "y"), ("Via", "1.1 z")]
    dropped = [("X-Hop", "1"), ("Keep-Alive", "5"), ("TE", "gzip"), ("Proxy-Connection", "keep-alive")]
    dropped += [("X-Outwarden-Call-Id", "7"), ("Upgrade", "h2c"), ("Proxy-Authorization", "Basic x")]
    call.headers = fields(*(pair for two in zip(kept, dropped, strict=False) for pair in two), *dropped[5:])
    drop_one_hop_headers(call)

    assert call.headers.fields == fields(*kept).fields


def test_headers_keep_order_case_and_repetition(play: Playbook) -> None:
    """Both ways, an untouched call has the headers it came with; replies gain one of ours."""
    call = request(PATH, chat(), {"X-B": "1", "Cookie": "a=1", "X-A": "2", "x-b": "3"})
    call = call.replace(b"X-A: 2", b"X-A: 2\r\nCookie: b=2")
    play.says(call)
    assert play.upstream.got == call.replace(b"http://api.openai.com/v1", b"/v1")

    head = b"HTTP/1.1 200 X\r\nSet-Cookie: a=1\r\nVary: x\r\nset-cookie: b=2\r\nDate: now\r\nVary: y\r\n"
    head += b"content-type: application/json\r\ncontent-length: %d\r\n" % len(said("hi"))
    play.upstream.says(head + b"\r\n" + said("hi"))

    lines = play.client_got.split(b"\r\n")
    ours = [line for line in lines if line.startswith(b"x-outwarden-")]
    assert len(ours) == 1
    assert play.client_got.replace(ours[0] + b"\r\n", b"") == head + b"\r\n" + said("hi")


def test_nothing_of_ours_leaves(play: Playbook) -> None:
    """Neither headers for the proxy nor a word of the proxy reach the upstream."""
    headers = {"proxy-connection": "keep-alive", "proxy-authorization": "Basic YTpi", "x-outwarden-try": "1"}
    play.says(asks(headers=headers))
    head = play.upstream.got.partition(b"\r\n\r\n")[0].lower()

    assert b"proxy" not in head
    assert b"outwarden" not in head
    assert b"via:" not in head
    assert b"forwarded" not in head


def test_an_answer_with_two_lengths_has_one() -> None:
    """A length beside chunks does not count and must not go on; a coding that nobody undoes is refused."""
    both = http.Response.make(200, b"", fields(("content-length", "5"), ("transfer-encoding", "Chunked")))
    check_reply(both)
    assert "content-length" not in both.headers
    with pytest.raises(BodyError):
        check_reply(http.Response.make(200, b"", fields(("transfer-encoding", "gzip, chunked"))))
    folded = http.Response.make(200, b"")
    folded.headers.fields = ((b"x", b"1\r\n 2"),)
    assert fault_of(folded)


def test_a_reply_until_the_end_of_its_connection_gets_a_length(play: Playbook) -> None:
    """The client's connection goes on, although the upstream's does not."""
    play.says(asks())
    play.upstream.says(response_head(200, {"content-type": "application/json"}) + said("hi"))
    play.upstream.breaks()

    assert play.answer.complete
    assert play.answer.body == said("hi")
    assert not play.client_closed


def test_an_old_client_gets_no_chunks(play: Playbook) -> None:
    """HTTP/1.0 knows none: a whole reply has a length, and sound ends with its connection."""
    play.says(OLD)
    play.upstream.says(response_head(200, {"content-type": "application/json", "transfer-encoding": "chunked"}))
    play.upstream.chunk(said("hi"))
    play.upstream.chunk(b"")

    assert "transfer-encoding" not in play.answer.headers
    assert play.answer.body == said("hi")
    assert play.client_closed


def test_an_old_client_gets_sound(play: Playbook) -> None:
    """What passes as it comes has no chunks either."""
    speech = request("/v1/audio/speech", b'{"model": "tts-1", "input": "hello"}').replace(b"HTTP/1.1", b"HTTP/1.0")
    play.says(speech)
    play.upstream.says(response_head(200, {"content-type": "audio/mpeg", "transfer-encoding": "chunked"}))
    play.upstream.chunk(b"\xff\xfb\x90")
    play.upstream.chunk(b"")

    assert "transfer-encoding" not in play.answer.headers
    assert play.answer.body == b"\xff\xfb\x90"
    assert play.client_closed


def test_an_untouched_chunked_reply_stays_chunked(play: Playbook) -> None:
    """A client of HTTP/1.1 gets the framing that the upstream chose."""
    play.says(asks())
    play.upstream.says(response_head(200, {"content-type": "application/json", "transfer-encoding": "chunked"}))
    play.upstream.chunk(said("hi"))
    play.upstream.chunk(b"")

    assert play.answer.headers["transfer-encoding"] == "chunked"
    assert (play.answer.body, play.answer.complete) == (said("hi"), True)


def test_an_answer_with_a_coding_that_nobody_undoes_is_stopped(play: Playbook) -> None:
    """It would pass unread."""
    play.says(asks())
    play.upstream.says(response_head(200, {"content-type": "text/plain", "transfer-encoding": "gzip, chunked"}))
    play.upstream.chunk(b"\x1f\x8b")

    assert play.answer.status == 502
    assert play.ended == 1


def test_a_whole_reply_leaves_before_it_is_settled(play: Playbook) -> None:
    """The client does not wait for the books: its answer is out when `call_end` runs, and the next call comes after."""
    seen: dict[str, bytes] = {}
    play.before = lambda name, data: seen.setdefault(name, play.client_got)  # type: ignore[assignment, return-value]
    play.says(asks())
    play.upstream.says(response(200, said("hi")))

    assert seen["response"] == b""
    assert seen["call_end"].endswith(said("hi"))


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"Content-Type", b"content-type", b"CONTENT-TYPE", b"Content-Length", b"x"]),
            st.sampled_from([b"", b"a", b"5", b"a/b; c=\xe4", b"\xc3\xa4"]),
        ),
        max_size=5,
    )
)
def test_headers_are_read_as_mitmproxy_does(fields: list[tuple[bytes, bytes]]) -> None:
    """By name in any case, repeated ones joined."""
    message = http.Response.make(200, b"")
    message.headers.fields = tuple(fields)

    assert header_of(message, b"content-type") == message.headers.get("content-type", "")
    assert has_header(message, b"content-length") == ("content-length" in message.headers)
