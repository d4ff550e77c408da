"""A client that leaves does not stop what it ordered: the reply is read to its end, so that its cost is known."""

import asyncio
from collections.abc import Callable

import pytest
from playbook import OPENAI, Playbook, request, response, response_head
from talk import BILL, DONE, EMAIL, FAULT, PATH, ROLE, STOP, asks, attempts, chat, piece, record, said

from outwarden.audit import read
from outwarden.flow import drain
from outwarden.flow.drain import drained
from outwarden.flow.services import Services


def pending(services: Services) -> int:
    """What is held, in nano-dollars."""
    return sum(state.pending for state in services.ledger.states())


async def is_drained(play: Playbook) -> bool:
    """Whether nothing of the client's is waited for any more."""
    try:
        await asyncio.wait_for(drained(play.client.id), 0.05)
    except TimeoutError:
        return False
    return True


def test_leaving_during_the_upload(play: Playbook, services: Services) -> None:
    """Nothing was sent, nothing is charged, and the call ends once."""
    play.says(asks(text="x" * 500)[:-10])
    play.leaves()

    assert play.upstreams == []
    assert play.hooks == ["requestheaders", "error"]
    assert pending(services) == 0


def test_leaving_while_the_request_is_looked_at(play: Playbook, services: Services) -> None:
    """The hooks let it pass, and nobody is there any more: nothing is sent or charged, and the record says why."""
    play.before = lambda name, flow: play.leaves() if name == "request" else None
    play.says(asks())

    assert play.upstreams == []
    assert play.hooks == ["requestheaders", "request", "error"]
    assert record(services)["verdict"] == "client_gone"
    assert attempts(services) == [("original", "client gone", None)]
    assert pending(services) == 0


def test_leaving_while_the_reply_is_looked_at(play: Playbook, services: Services) -> None:
    """The first content is here and hooks look at its head: the rest is read for its usage, as at any other moment."""
    play.before = lambda name, flow: play.leaves() if name == "responseheaders" else None
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("hi"))
    assert play.ended == 0
    for each in (piece(" there"), STOP, BILL, DONE, b""):
        play.upstream.chunk(each)

    assert play.ended == 1
    assert record(services)["verdict"] == "client_gone"
    assert record(services)["usage_source"] == "provider"
    assert record(services)["usage"] == {"input_tokens": 9, "output_tokens": 2}
    assert pending(services) == 0


def test_leaving_while_it_connects(play: Playbook, services: Services) -> None:
    """Nothing was sent: the call ends, and a connection that opens later gets nothing."""
    play.connects = lambda address: "silence"
    play.says(asks())
    play.leaves()
    assert play.ended == 1
    play.accept(play.silent[0])
    play.passes(60)

    assert play.upstream.got == b""
    assert len(play.upstreams) == 1
    assert record(services)["verdict"] == "client_gone"
    assert record(services)["cost_usd"] == "0"
    assert pending(services) == 0


def test_one_of_two_that_wait_for_a_connection_leaves(open_play: Callable[..., Playbook], services: Services) -> None:
    """The other one gets its answer over it; which of them came first does not matter."""
    play = open_play(http2=True)
    assert play.h2
    play.connects = lambda address: "silence"
    first = play.h2.asks(PATH, chat(text="one"))
    second = play.h2.asks(PATH, chat(text="two"))
    assert len(play.silent) == 1
    play.h2.cancels(second)
    play.accept(play.silent[0])
    play.upstream.says(response(200, said("one")))

    assert play.h2.bodies[first] == said("one")
    assert play.h2.ended == {first}
    assert play.ended == 2
    assert not play.client_closed
    assert pending(services) == 0


def test_leaving_during_a_pause(play: Playbook, services: Services) -> None:
    """Between two attempts nobody works for the client: no further attempt is made."""
    play.says(asks("gpt-4.1"))
    play.upstream.says(response(503, b""))
    play.leaves()
    play.passes(60)

    assert len(play.upstreams) == 1
    assert play.ended == 1
    assert record(services)["cost_usd"] == "0"


def test_leaving_before_the_first_byte(play: Playbook, services: Services) -> None:
    """The upstream works already: its whole answer is read, and its own usage is charged."""
    play.says(asks())
    play.leaves()
    assert not play.upstream.closed
    assert play.ended == 0
    play.upstream.says(response(200, said("hi")))

    assert play.client_got == b""
    assert play.ended == 1
    assert record(services)["verdict"] == "client_gone"
    assert record(services)["usage"] == {"input_tokens": 9, "output_tokens": 2}
    assert record(services)["usage_source"] == "provider"
    assert pending(services) == 0


@pytest.mark.parametrize("seen", [0, 1, 2, 3, 4])
def test_leaving_in_a_stream(play: Playbook, services: Services, seen: int) -> None:
    """At each piece: the stream is read to its end, nothing more goes to the client, the true usage is charged."""
    pieces = [ROLE, piece("one "), piece("two "), STOP]
    play.says(asks(stream=True))
    play.upstream.streams(*pieces[:seen])
    play.leaves()
    got = play.client_got
    for each in (*pieces[seen:], BILL, DONE, b""):
        assert not play.upstream.closed
        play.upstream.chunk(each)

    assert play.client_got == got
    assert play.ended == 1
    assert record(services)["usage"] == {"input_tokens": 9, "output_tokens": 2}
    assert record(services)["usage_source"] == "provider"
    assert record(services)["verdict"] == "client_gone"
    assert pending(services) == 0


def test_a_stream_that_is_cut_after_the_client_left_is_charged_by_what_was_seen(
    play: Playbook, services: Services
) -> None:
    """Never zero: the input and what came of the output."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("one "), piece("two "))
    play.leaves()
    play.upstream.breaks()

    assert play.ended == 1
    assert record(services)["usage_source"] == "estimate"
    assert record(services)["usage"]["output_tokens"] > 0
    assert float(record(services)["cost_usd"]) > 0
    assert pending(services) == 0


def test_an_answer_that_takes_too_long_to_drain_is_charged(play: Playbook, services: Services) -> None:
    """The upstream had the request, and its connection ends (at the bound of the drain, say) before it has answered."""
    play.says(asks())
    play.leaves()
    play.upstream.breaks()

    assert play.ended == 1
    assert record(services)["usage_source"] == "estimate"
    assert float(record(services)["cost_usd"]) > 0
    assert pending(services) == 0


def test_an_error_that_nobody_reads_is_not_charged(play: Playbook, services: Services) -> None:
    """An upstream that answered with an error did no work, whether the client waited or not."""
    play.says(asks())
    play.leaves()
    play.upstream.says(response(400, b'{"error": {"message": "bad"}}'))

    assert record(services)["cost_usd"] == "0"
    assert pending(services) == 0


def test_nobody_is_asked_again_for_a_client_that_left(play: Playbook, services: Services) -> None:
    """A failure after the client left is the end: no other upstream does work that nobody reads."""
    play.says(asks())
    play.leaves()
    play.upstream.says(response(503, b""))
    play.passes(60)

    assert len(play.upstreams) == 1
    assert play.ended == 1
    assert pending(services) == 0


@pytest.mark.parametrize("last", [FAULT, b'{"error": {"message": "x"}}'])
def test_an_error_in_a_stream_nobody_reads_is_an_end(play: Playbook, services: Services, last: bytes) -> None:
    """An in-band error before the first content does not move a call whose client left."""
    play.says(asks(stream=True))
    play.leaves()
    play.upstream.streams(last, b"")

    assert len(play.upstreams) == 1
    assert play.ended == 1
    assert pending(services) == 0


def test_media_is_drained_too(play: Playbook, services: Services) -> None:
    """Sound that nobody hears is still read to its end, without being kept."""
    play.says(request("/v1/audio/speech", b'{"model": "tts-1", "input": "hello"}'))
    play.upstream.says(response_head(200, {"content-type": "audio/mpeg", "content-length": "6"}) + b"\xff")
    got = play.client_got
    play.leaves()
    assert not play.upstream.closed
    play.upstream.says(b"\0" * 5)

    assert play.client_got == got
    assert play.ended == 1
    assert pending(services) == 0


def test_an_error_of_ours_ends_a_drain(play: Playbook, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug while nobody listens still ends the call, once."""

    def raising(self: object, data: bytes) -> bytes:
        raise RuntimeError(EMAIL)

    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("one "))
    play.leaves()
    monkeypatch.setattr("outwarden.wire.stream.StreamRewriter.feed", raising)
    play.upstream.chunk(piece("two "))

    assert play.ended == 1
    assert play.upstream.closed
    assert pending(services) == 0


async def test_the_client_is_waited_for(play: Playbook) -> None:
    """mitmproxy closes the upstreams of a client that left; our hook keeps it from that until the reply is read."""
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("one "))
    play.leaves()
    waiting = asyncio.ensure_future(drained(play.client.id))
    await asyncio.sleep(0)
    assert not waiting.done()
    for each in (STOP, BILL, DONE, b""):
        play.upstream.chunk(each)
    await asyncio.wait_for(waiting, 10)

    assert await is_drained(play)


async def test_the_wait_for_a_reply_is_bounded(play: Playbook, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reply that does not end does not keep a client's connections for ever."""
    monkeypatch.setattr(drain, "DRAIN_S", 0.01)
    play.says(asks(stream=True))
    play.upstream.streams(ROLE, piece("one "))
    play.leaves()
    await asyncio.wait_for(drained(play.client.id), 10)
    play.upstream.breaks()  # what mitmproxy does then

    assert play.ended == 1


async def test_a_client_that_leaves_in_peace_is_not_waited_for(play: Playbook) -> None:
    """Nothing in flight: nothing to wait for."""
    play.says(asks())
    play.upstream.says(response(200, said("hi")))
    play.leaves()

    assert await is_drained(play)
    assert play.ended == 1


def test_a_cancelled_http2_stream_is_drained_within_its_bound(
    open_play: Callable[..., Playbook], services: Services
) -> None:
    """One stream of a connection is cancelled and its upstream goes on and on: it is left at the bound."""
    play = open_play(http2=True)
    assert play.h2
    stream = play.h2.asks(PATH, chat(stream=True))
    play.upstream.streams(ROLE, piece("one "))
    play.h2.cancels(stream)
    for _ in range(3):
        play.passes(9)
        play.upstream.chunk(piece("more "))
    assert not play.upstream.closed
    play.passes(9)

    assert play.upstream.closed
    assert play.ended == 1
    assert record(services)["verdict"] == "client_gone"
    assert float(record(services)["cost_usd"]) > 0


def test_a_cancelled_http2_stream_that_stalls_is_left(open_play: Callable[..., Playbook], services: Services) -> None:
    """The idle time holds while draining, too."""
    play = open_play(http2=True)
    assert play.h2
    stream = play.h2.asks(PATH, chat(stream=True))
    play.upstream.streams(ROLE, piece("one "))
    play.h2.cancels(stream)
    play.passes(16)

    assert play.upstream.closed
    assert play.ended == 1
    assert attempts(services)[0][0] == "original"


def test_the_other_streams_of_a_connection_go_on(open_play: Callable[..., Playbook]) -> None:
    """Cancelling one stream does not touch its neighbours."""
    play = open_play(http2=True)
    assert play.h2
    first = play.h2.asks(PATH, chat(stream=True))
    second = play.h2.asks(PATH, chat())
    one, two = play.upstreams
    one.streams(ROLE, piece("one "))
    play.h2.cancels(first)
    two.says(response(200, said("two")))
    assert play.h2.bodies[second] == said("two")
    for each in (STOP, BILL, DONE, b""):
        one.chunk(each)

    assert play.ended == 2
    assert two.address == (OPENAI, 80)


@pytest.mark.parametrize("hook", ["request", "responseheaders", "response", "call_end"])
@pytest.mark.parametrize("stream", [False, True])
def test_leaving_while_an_addon_works(play: Playbook, services: Services, hook: str, stream: bool) -> None:
    """A client may leave while a hook runs: the call ends once, the hold is resolved."""
    left = False
    before = len(list(read(services.state.audit)))

    def leave(name: str, data: object) -> None:
        nonlocal left
        if name == hook and not left:
            left = True
            play.leaves()

    play.before = leave
    play.says(asks(stream=stream))
    if play.upstreams and stream:
        play.upstream.streams(ROLE, piece("one "))
        if not play.upstream.closed:
            for each in (STOP, BILL, DONE, b""):
                play.upstream.chunk(each)
    elif play.upstreams:
        play.upstream.says(response(200, said("hi")))
    play.passes(60)

    assert left
    assert play.ended == 1
    assert play.hooks.count("call_end") == play.hooks.count("response")
    assert len(list(read(services.state.audit))) == before + 1
    assert pending(services) == 0


def test_leaving_before_an_answer_that_nobody_can_read(
    play: Playbook, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    """What is no JSON says nothing of its cost; the call ends all the same, and is charged for what was worked."""
    play.says(asks())
    play.leaves()
    play.upstream.says(response(200, said("hi")[:-9]))

    assert play.ended == 1
    assert record(services)["verdict"] == "client_gone"
    assert pending(services) == 0
    assert caplog.messages == []
