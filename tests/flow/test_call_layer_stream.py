"""Streams through our HTTP layer: held until there is something to say, then passed on piece by piece."""

import json

import pytest
from playbook import Playbook, response
from talk import BILL, DONE, ROLE, STOP, asks, error_of, piece, record, said, text_of

from outwarden.flow.services import Services

CALL_HOOKS = ["requestheaders", "request", "responseheaders", "response", "call_end"]


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


def test_what_says_nothing_because_we_asked_stays_with_us(play: Playbook) -> None:
    """Asked for the usage, OpenAI names it in each chunk; who did not ask gets the bytes that it would have got."""
    play.says(asks(stream=True))
    null = [event.replace(b"}\n\n", b',"usage":null}\n\n') for event in (ROLE, piece("hi"), piece(" there"), STOP)]
    play.upstream.streams(*null, BILL, DONE, b"")

    assert play.answer.body == ROLE + piece("hi") + piece(" there") + STOP + DONE


def test_who_asked_for_usage_gets_all_of_it(play: Playbook) -> None:
    """What the client asked for itself is the client's."""
    play.says(asks(stream=True, stream_options={"include_usage": True}))
    null = [event.replace(b"}\n\n", b',"usage":null}\n\n') for event in (ROLE, piece("hi"), STOP)]
    play.upstream.streams(*null, BILL, DONE, b"")

    assert play.answer.body == b"".join(null) + BILL + DONE


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


def test_a_coding_that_is_cut_behind_the_end_has_lost_nothing(play: Playbook, services: Services) -> None:
    """The answer is whole, and no error follows it."""
    import gzip

    play.says(asks(stream=True, stream_options={"include_usage": True}))
    stream = ROLE + piece("hi") + STOP + BILL + DONE
    packed = gzip.compress(stream)[:-6]
    play.upstream.says(response(200, packed, {"content-type": "text/event-stream", "content-encoding": "gzip"}))

    assert play.answer.body == stream
    assert play.answer.complete
    assert record(services)["verdict"] == "allowed"


@pytest.mark.parametrize(("encoding", "code"), [("exi", "outwarden_error"), ("gzip", "upstream_failed")])
def test_a_stream_that_cannot_be_decoded_is_refused(play: Playbook, encoding: str, code: str) -> None:
    """An encoding that we do not know, or that the bytes are not, is refused; nothing unread reaches the client."""
    play.says(asks("gpt-4o-mini", stream=True))  # a model whose route has one target
    play.upstream.says(response(200, b"hidden", {"content-type": "text/event-stream", "content-encoding": encoding}))

    assert play.answer.status == 502
    assert json.loads(play.answer.body)["error"]["code"] == code
    assert b"hidden" not in play.client_got
    assert play.ended == 1


def test_a_stream_that_does_not_unpack_moves_the_call(play: Playbook) -> None:
    """It is the upstream that sent it, and nothing was shown."""
    play.says(asks(stream=True))
    play.upstream.says(response(200, b"hidden", {"content-type": "text/event-stream", "content-encoding": "gzip"}))
    play.upstream.streams(ROLE, piece("spare"), STOP, DONE, b"")

    assert text_of(play.answer.body) == "spare"


def test_a_client_of_http_1_0_gets_no_chunks(play: Playbook) -> None:
    """An old client reads to the end of the connection."""
    play.says(asks(stream=True).replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n"))
    play.upstream.streams(ROLE, piece("hi"), STOP, DONE, b"")

    assert "transfer-encoding" not in play.answer.headers
    assert play.answer.body == ROLE + piece("hi") + STOP + DONE
    assert play.client_closed


def test_what_follows_in_the_same_read_finds_no_stream(play: Playbook) -> None:
    """While hooks look at the head more has come, of which one event breaks the stream: it ends once, and no more.

    The client's connection stays: its next call is answered there.
    """

    def more(name: str, flow: object) -> None:
        if name == "responseheaders" and len(play.upstreams) == 1:
            play.upstream.says(b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in (BAD, piece("b"), piece("c"))))

    play.before = more
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("All is well so far, "))

    assert text_of(play.answer.body).startswith("All is well")
    assert error_of(play.answer.body) == "upstream_malformed"
    assert play.answer.complete
    assert play.ended == 1
    assert not play.client_closed
    play.client_got = b""
    play.says(asks())
    play.upstream.says(response(200, said("hi")))
    assert play.answer.body == said("hi")


BAD = b'data: {"choices": [\n\n'
